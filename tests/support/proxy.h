/* tests/support/proxy.py from C: a link between a test and its server that fails as told. The test program is compiled
 * with ITS_SOURCE_DIR. */
#ifndef ITS_TESTS_PROXY_H
#define ITS_TESTS_PROXY_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct proxy {
    pid_t pid;
    FILE *in, *out;
    int port;
};

/* target: "host:port", or a path of a unix socket. 0: it listens on proxy->port. */
static inline int proxy_start(struct proxy *p, const char *target)
{
    int to[2], from[2];
    char line[64] = "";
    memset(p, 0, sizeof *p);
    if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
        return -1;
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], 0);
        dup2(from[1], 1);
        execlp("python3", "python3", ITS_SOURCE_DIR "/tests/support/proxy.py", target, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->in = fdopen(to[1], "w");
    p->out = fdopen(from[0], "r");
    return p->pid > 0 && fgets(line, sizeof line, p->out) && sscanf(line, "port %d", &p->port) == 1 ? 0 : -1;
}

/* 0: the proxy does as told from now on. Its answer to "count" goes to *now and *ever, where they are not NULL. */
static inline int proxy_tell(struct proxy *p, const char *command, int *now, int *ever)
{
    char line[64] = "";
    int a = 0, b = 0;
    fprintf(p->in, "%s\n", command);
    fflush(p->in);
    if (!fgets(line, sizeof line, p->out) || strncmp(line, "ok", 2) != 0)
        return -1;
    (void)sscanf(line, "ok %d %d", &a, &b);
    if (now)
        *now = a;
    if (ever)
        *ever = b;
    return 0;
}

static inline void proxy_end(struct proxy *p)
{
    if (p->pid <= 0)
        return;
    fclose(p->in);
    fclose(p->out);
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

#endif

/* A server script as a child process, spoken to over its stdin and stdout. It ends when its stdin closes. */
#ifndef ITS_TESTS_CAPTURE_SERVER_H
#define ITS_TESTS_CAPTURE_SERVER_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct server {
    pid_t pid;
    FILE *in, *out; /* its stdin, its stdout */
    int port, garbage;
};

/* Reads "port N [garbage M]" and the like: the line that begins with `word`. 0: got it. */
static inline int server_expect(struct server *s, const char *word, char *line, int size)
{
    while (fgets(line, size, s->out))
        if (strncmp(line, word, strlen(word)) == 0)
            return 0;
    return -1;
}

/* argv[0] is the interpreter; NULL-terminated. 0: it listens. */
static inline int server_start(struct server *s, const char *const *argv)
{
    int to[2], from[2];
    memset(s, 0, sizeof *s);
    if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
        return -1;
    s->pid = fork();
    if (s->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    s->in = fdopen(to[1], "w");
    s->out = fdopen(from[0], "r");
    char line[256];
    if (s->pid < 0 || server_expect(s, "port ", line, sizeof line))
        return -1;
    return sscanf(line, "port %d garbage %d", &s->port, &s->garbage) >= 1 ? 0 : -1;
}

/* Sends a command and waits for the answer. */
static inline int server_tell(struct server *s, const char *command, const char *answer)
{
    char line[256];
    fprintf(s->in, "%s\n", command);
    fflush(s->in);
    return server_expect(s, answer, line, sizeof line);
}

static inline void server_end(struct server *s)
{
    if (s->pid <= 0)
        return;
    fclose(s->in);
    fclose(s->out);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

#endif

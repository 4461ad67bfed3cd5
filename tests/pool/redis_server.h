/* A real redis-server on loopback, in a temporary folder, for one test program. */
#ifndef ITS_TESTS_REDIS_SERVER_H
#define ITS_TESTS_REDIS_SERVER_H

#include "support/child.h"

#include "base/clock.h"

#include <stdlib.h>

struct redis_server {
    pid_t pid;
    int port, tls_port;
    char folder[64];
    const char *argv[96];
    char words[96][160];
    int argc;
};

static inline void redis_word(struct redis_server *s, const char *word)
{
    snprintf(s->words[s->argc], sizeof s->words[0], "%s", word);
    s->argv[s->argc] = s->words[s->argc];
    s->argv[++s->argc] = NULL;
}

/* A blocking exchange on a connection of its own, for looking at the server from outside: the raw answer in out, up to
 * what arrives within a second of the first byte being due. False: nobody there. */
static inline bool redis_ask(int port, const char *line, char *out, size_t size)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = 2};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    char text[512];
    /* QUIT makes the server end the connection, which ends the answer */
    int len = snprintf(text, sizeof text, "%s\r\nQUIT\r\n", line);
    size_t used = 0;
    bool ok = !connect(fd, (struct sockaddr *)&at, sizeof at) && write(fd, text, (size_t)len) == len;
    while (ok && used + 1 < size) {
        ssize_t got = read(fd, out + used, size - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    out[used] = '\0';
    close(fd);
    return ok && used > 0;
}

static inline bool redis_wait_for(int port, const char *line, const char *wanted, double seconds)
{
    int64_t until = itsi_now_ns() + (int64_t)(seconds * 1e9);
    static char answer[1 << 20];
    while (itsi_now_ns() < until) {
        if (redis_ask(port, line, answer, sizeof answer) && strstr(answer, wanted))
            return true;
        usleep(5000);
    }
    return false;
}

/* options: NULL-terminated words of its command line. */
static inline void redis_prepare(struct redis_server *s, const char *const *options)
{
    memset(s, 0, sizeof *s);
    strcpy(s->folder, "/tmp/its-redis-XXXXXX");
    if (!mkdtemp(s->folder))
        abort();
    s->port = free_port();
    char port[16];
    snprintf(port, sizeof port, "%d", s->port);
    const char *const usual[] = {"redis-server", "--port",       port, "--bind", "127.0.0.1",
                                 "--dir",        s->folder, "--save", "",   "--appendonly", "no",
                                 "--daemonize",  "no",      "--unixsocket", NULL};
    for (int i = 0; usual[i]; i++)
        redis_word(s, usual[i]);
    char path[96];
    snprintf(path, sizeof path, "%s/redis.sock", s->folder);
    redis_word(s, path);
    for (int i = 0; options && options[i]; i++)
        redis_word(s, options[i]);
}

/* Also starts it again after it was killed, with the same port and folder. 0: it answers. */
static inline int redis_start(struct redis_server *s)
{
    char log[96];
    snprintf(log, sizeof log, "%s/log", s->folder);
    s->pid = child_start(s->argv, log);
    /* any answer at all: one that wants a password says so */
    return redis_wait_for(s->port, "PING", "\r\n", 10) ? 0 : -1;
}

static inline void redis_end(struct redis_server *s)
{
    child_end(&s->pid, SIGKILL);
    const char *const remove[] = {"rm", "-rf", s->folder, NULL};
    if (s->folder[0])
        (void)run_program(remove);
    s->folder[0] = '\0';
}

/* Connections the server has, ours by name. */
static inline int redis_clients(int port, const char *name)
{
    static char answer[1 << 20];
    char wanted[80];
    int count = 0;
    snprintf(wanted, sizeof wanted, " name=%s ", name);
    if (!redis_ask(port, "CLIENT LIST", answer, sizeof answer))
        return -1;
    for (const char *at = answer; (at = strstr(at, wanted)) != NULL; at++)
        count++;
    return count;
}

#endif

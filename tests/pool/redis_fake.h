/* What looks like a Redis server and says what a test wants: one that lies, or that has a hundred addresses (all of
 * 127.0.0.0/8 are this machine's). A thread for each connection. */
#ifndef ITS_TESTS_REDIS_FAKE_H
#define ITS_TESTS_REDIS_FAKE_H

#include "support/child.h"
#include "support/check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { FAKE_WORDS = 8, FAKE_WORD = 128 };

struct fake_command {
    char words[FAKE_WORDS][FAKE_WORD];
    int count;
    int host; /* the last byte of the address that was called: 127.0.0.host */
    int nth;  /* of its connection, from 1 */
};

struct fake {
    int port, listener;
    pthread_t thread;
    _Atomic int connections; /* that are served */
    _Atomic int mute; /* the host that answers nothing but introductions; 0: none */
    /* Writes the whole answer. Introductions and PING are answered for it. */
    void (*answer)(int fd, const struct fake_command *command);
};

static inline bool fake_read(FILE *in, struct fake_command *command)
{
    char line[64];
    if (!fgets(line, sizeof line, in) || line[0] != '*')
        return false;
    command->count = atoi(line + 1);
    for (int i = 0; i < command->count; i++) {
        char word[4096] = "";
        if (!fgets(line, sizeof line, in))
            return false;
        size_t len = (size_t)atoi(line + 1);
        if (len + 2 > sizeof word || fread(word, 1, len + 2, in) != len + 2)
            return false;
        if (i < FAKE_WORDS)
            snprintf(command->words[i], FAKE_WORD, "%.*s", (int)(len < FAKE_WORD ? len : FAKE_WORD - 1), word);
    }
    return true;
}

struct fake_connection {
    struct fake *fake;
    int fd;
};

static inline void *fake_serve(void *arg)
{
    struct fake_connection *connection = arg;
    struct fake *fake = connection->fake;
    const int fd = connection->fd;
    struct fake_command command = {.nth = 0};
    struct sockaddr_in called;
    socklen_t len = sizeof called;
    FILE *in = fdopen(fd, "r");
    free(connection);
    getsockname(fd, (struct sockaddr *)&called, &len);
    while (in && fake_read(in, &command)) {
        command.host = (int)(ntohl(called.sin_addr.s_addr) & 0xff);
        command.nth++;
        if (command.nth > 2 && command.host == atomic_load(&fake->mute)) /* HELLO and PING introduce */
            continue;
        if (strcmp(command.words[0], "HELLO") == 0)
            dprintf(fd, "*4\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$5\r\nproto\r\n:2\r\n");
        else if (strcmp(command.words[0], "PING") == 0)
            dprintf(fd, "+PONG\r\n");
        else
            fake->answer(fd, &command);
    }
    if (in)
        fclose(in);
    atomic_fetch_sub(&fake->connections, 1);
    return NULL;
}

static inline void *fake_listen(void *arg)
{
    struct fake *fake = arg;
    int fd;
    while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
        pthread_t thread;
        struct fake_connection *connection = malloc(sizeof *connection);
        *connection = (struct fake_connection){fake, fd};
        atomic_fetch_add(&fake->connections, 1);
        if (pthread_create(&thread, NULL, fake_serve, connection))
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

static inline void fake_start(struct fake *fake, void (*answer)(int fd, const struct fake_command *command))
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof at;
    fake->answer = answer;
    atomic_store(&fake->mute, 0);
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fake->listener, 128), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&at, &len), 0);
    fake->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&fake->thread, NULL, fake_listen, fake), 0);
}

/* All that connected has hung up. */
static inline void fake_end(struct fake *fake)
{
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    while (atomic_load(&fake->connections))
        usleep(1000);
}

#endif

/* One connection to a Redis server: commands go out together, answers come back in order, each exchange has its deadline.
 *
 * The protocol is RESP2; parsing is hiredis's (pool/redis_reader.h), everything else ours, since its 0.14 has neither TLS
 * nor asynchronous timeouts. An exchange that misses its deadline ends the connection: the answers behind it could no
 * longer be told apart. Everything on the loop's thread. */
#ifndef ITSI_POOL_REDIS_H
#define ITSI_POOL_REDIS_H

#include "pool/redis_reply.h"
#include "pool/redis_stream.h"

struct itsi_redis_connection;

struct itsi_redis_params {
    struct itsi_redis_stream_params stream;
    const char *user, *password; /* NULL or empty: none; a password without a user is the default user's */
    const char *client_name;     /* NULL or empty: none */
    int db;
    size_t most_in_flight; /* bytes sent and not yet answered; the next exchange is refused */
    size_t most_reply;     /* memory one reply may take */
};

/* Called from the loop, never from within a call of this header but itsi_redis_close (for exchanges). After close only
 * `closed` comes. */
struct itsi_redis_events {
    void (*opened)(void *self, int rc, const struct its_diag *diag); /* once; rc: it is to be closed */
    void (*lost)(void *self, int rc, const struct its_diag *diag);   /* once, after opened(0): it is to be closed */
    void (*closed)(void *self);                                      /* its memory is free */
};

/* Connects and introduces itself (HELLO where offered, else AUTH and CLIENT SETNAME; SELECT) until `deadline`. Strings are
 * copied. ITS_EAUTH wrong password or untrusted certificate, ITS_EREFUSED, ITS_ETIMEOUT names what it was waiting for,
 * ITS_ELIMIT the server is full, ITS_EBUSY it is loading. */
ITS_NODISCARD int itsi_redis_open(struct itsi_redis_connection **out, uv_loop_t *loop,
                                  const struct itsi_redis_params *params, int64_t deadline,
                                  const struct itsi_redis_events *events, void *self, struct its_diag *diag);
/* Exchanges in flight end with ITS_ECANCELLED before it returns. Once. */
void itsi_redis_close(struct itsi_redis_connection *connection);

/* What the server said of itself; ROLE_UNKNOWN from servers without HELLO (before Redis 6). */
enum itsi_redis_role { ITSI_REDIS_ROLE_UNKNOWN, ITSI_REDIS_MASTER, ITSI_REDIS_REPLICA };
enum itsi_redis_role itsi_redis_role(const struct itsi_redis_connection *connection);
bool itsi_redis_is_cluster(const struct itsi_redis_connection *connection);

/* Commands sent together and answered one by one. Lives in its owner from itsi_redis_send until `done`, which may free it
 * or send it again. */
struct itsi_redis_exchange {
    const char *bytes; /* the commands, as itsi_redis_command_add writes them; copied by itsi_redis_send */
    size_t len;
    int replies;       /* as many as there are commands */
    bool is_asking;    /* ASKING goes first; its reply is kept back */
    int64_t deadline;
    void (*reply)(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply);
    /* Once. 0: all replies came. ITS_ETIMEOUT, ITS_ECANCELLED, or why the connection was lost: whether the commands were
     * carried out is then not known. */
    void (*done)(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag);
    /* the connection's own */
    struct itsi_redis_exchange *next;
    int seen;
};

/* ITS_EAGAIN: too much is in flight; nothing was sent. ITS_EEOF: the connection is not open (any more). */
ITS_NODISCARD int itsi_redis_send(struct itsi_redis_connection *connection, struct itsi_redis_exchange *exchange);
size_t itsi_redis_in_flight(const struct itsi_redis_connection *connection);

#endif

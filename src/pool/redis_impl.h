/* The connection from inside: redis.c moves bytes and keeps deadlines, redis_greet.c introduces us. */
#ifndef ITSI_POOL_REDIS_IMPL_H
#define ITSI_POOL_REDIS_IMPL_H

#include "base/buf.h"
#include "pool/redis.h"
#include "pool/redis_reader.h"

enum itsi_redis_state { ITSI_REDIS_OPENING, ITSI_REDIS_GREETING, ITSI_REDIS_READY, ITSI_REDIS_LOST, ITSI_REDIS_CLOSING };

/* The first exchange: what was sent, in this order, and what came of it. */
struct itsi_redis_greeting {
    struct itsi_redis_exchange exchange;
    struct itsi_buf bytes;
    int hello, auth, name, select, ping; /* each one's place among the replies; -1: not sent */
    bool without_hello;            /* the server did not know it: this is the second try */
    int rc;
    struct its_diag diag;
};

struct itsi_redis_connection {
    uv_loop_t *loop;
    struct itsi_redis_stream *stream;
    struct itsi_redis_reader *reader;
    uv_timer_t timer;
    const struct itsi_redis_events *events;
    void *self;
    char user[128], password[256], client_name[64];
    int db;
    size_t most_in_flight;

    enum itsi_redis_state state;
    struct itsi_redis_exchange *first, *last; /* in flight, in the order sent */
    size_t in_flight;
    int64_t open_deadline;
    int64_t alarm; /* when the timer fires; ITSI_NEVER: it rests */
    int open_handles; /* stream and timer */
    enum itsi_redis_role role;
    bool is_cluster;
    struct itsi_redis_greeting greeting;
};

/* Sends the introduction; itsi_redis_greeted is called when it has been answered. */
void itsi_redis_greet(struct itsi_redis_connection *c);
void itsi_redis_greeted(struct itsi_redis_connection *c, int rc, const struct its_diag *diag);
/* Has a part of it been refused for good? Then greeting.rc and .diag say why. */
static inline bool itsi_redis_greeting_failed(const struct itsi_redis_connection *c)
{
    return c->greeting.rc && c->greeting.rc != ITS_EUNSUPPORTED;
}
/* itsi_redis_send without its checks. */
void itsi_redis_put(struct itsi_redis_connection *c, struct itsi_redis_exchange *exchange);

#endif

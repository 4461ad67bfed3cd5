/* A kind for tests: resources that are nothing but counted, on a real loop. The server behind them can be down, and answers
 * at once or only when told to. */
#ifndef ITSI_POOL_LEASE_SERVER_H
#define ITSI_POOL_LEASE_SERVER_H

#include "base/thread.h"
#include "net/loop.h"
#include "pool/lease_fixture.h"
#include "pool/lease_stats.h"
#include "support/check.h"

#include <stdatomic.h>

struct server {
    struct itsi_loop *loop;
    atomic_bool is_down, checks_fail;
    atomic_int open, most_open; /* resources there are */
    atomic_int opens, checks;
    struct itsi_pool_slot *slots[256];
};

static inline void server_open(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    struct server *s = self;
    (void)deadline;
    atomic_fetch_add(&s->opens, 1);
    if (atomic_load(&s->is_down)) {
        itsi_pool_open_failed(slot, ITS_EREFUSED, &(struct its_diag){"nobody listens on port 6379"});
        return;
    }
    const int open = atomic_fetch_add(&s->open, 1) + 1;
    if (open > atomic_load(&s->most_open))
        atomic_store(&s->most_open, open);
    slot->resource = s;
    s->slots[slot->index] = slot;
    itsi_pool_opened(slot);
}

static inline void server_check(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    struct server *s = self;
    (void)deadline;
    atomic_fetch_add(&s->checks, 1);
    itsi_pool_checked(slot, !atomic_load(&s->checks_fail));
}

static inline void server_close(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason)
{
    struct server *s = self;
    (void)reason;
    atomic_fetch_sub(&s->open, 1);
    slot->resource = NULL;
    s->slots[slot->index] = NULL;
    itsi_pool_closed(slot);
}

static const struct itsi_pool_kind server_kind = {
    .name = "test", .open = server_open, .check = server_check, .close = server_close};

/* On the loop's thread: every resource there is dies. */
static inline void server_kill(void *self)
{
    struct server *s = self;
    for (int i = 0; i < 256; i++)
        if (s->slots[i])
            itsi_pool_lost(s->slots[i]);
}

static inline void server_start(struct server *s)
{
    struct its_diag diag = {""};
    memset(s, 0, sizeof *s);
    CHECK_OK(itsi_loop_create(&s->loop, "pool-loop", &diag), diag);
}

static inline void server_stop(struct server *s)
{
    itsi_loop_destroy(s->loop);
    assert_int_equal(atomic_load(&s->open), 0); /* counted: nothing is left */
}

static inline struct itsi_pool *server_pool(struct server *s, const struct itsi_pool_params *params)
{
    struct itsi_pool *pool = NULL;
    struct its_diag diag = {""};
    CHECK_OK(itsi_pool_create(&pool, s->loop, params, &server_kind, s, &diag), diag);
    return pool;
}

/* Both at once, as most tests begin and end. */
static inline struct itsi_pool *server_begin(struct server *s, const struct itsi_pool_params *params)
{
    server_start(s);
    return server_pool(s, params);
}

static inline void server_end(struct server *s, struct itsi_pool *pool)
{
    itsi_pool_destroy(pool, ITSI_NEVER);
    server_stop(s);
}

static inline struct itsi_pool_stats stats_of(struct itsi_pool *pool)
{
    struct itsi_pool_stats stats;
    struct its_diag diag = {""};
    CHECK_OK(itsi_pool_stats(pool, &stats, &diag), diag);
    return stats;
}

/* Until the pool is as wanted, at most 10 s. */
#define WAIT_FOR(pool, condition)                                                                                      \
    do {                                                                                                               \
        const int64_t until_ = itsi_now_ns() + 10 * S;                                                                 \
        for (struct itsi_pool_stats now = stats_of(pool); !(condition); now = stats_of(pool)) {                        \
            if (itsi_now_ns() > until_)                                                                                \
                fail_msg("not within 10 s: %s", #condition);                                                           \
            itsi_sleep_until_ns(itsi_now_ns() + MS);                                                                   \
        }                                                                                                              \
    } while (0)

#endif

/* The pool around the core: shared by lease.c (borrowers, any thread), lease_kind.c (the loop's thread) and lease_stats.c. */
#ifndef ITSI_POOL_LEASE_IMPL_H
#define ITSI_POOL_LEASE_IMPL_H

#include "net/loop.h"
#include "pool/lease_core.h"

#include <pthread.h>

/* What utilization is measured from. */
struct itsi_pool_mark {
    int64_t at;
    uint64_t lent_ns;
};

/* Who wants the loop's thread posts `task`, once (is_posted), after having let go of the lock. So nothing of the pool is
 * touched by a thread that is not counted in `blocked`, holds no lease and has no task posted: then it can be freed. */
struct itsi_pool {
    /* const */
    struct itsi_loop *loop;
    const struct itsi_pool_kind *kind;
    void *self;
    int64_t made_at;

    /* the loop's thread */
    uv_timer_t timer;

    /* mutex: nobody else's function is called with it held */
    pthread_mutex_t mutex;
    struct itsi_lease_core core;
    struct itsi_loop_task task;
    bool is_posted;
    bool is_running;        /* the loop's thread has its turn, and looks at everything once more before that ends */
    bool is_timer_closed;
    bool is_destroyed;      /* only kept for leases that are owed */
    int64_t armed;          /* when the timer fires */
    int64_t latency_ns;     /* of the server, when the loop's thread last had its turn */
    struct itsi_ring answers; /* asynchronous waiters with an outcome */
    int blocked;            /* threads inside itsi_pool_acquire that wait */
    pthread_cond_t changed; /* while shutting down: something ended */
    struct its_diag last_error;
    int64_t last_error_at;  /* 0: none */
    uint64_t wakeups;       /* of blocked threads by a grant or refusal */
    uint64_t stale;         /* leases given back that were not held */
    struct itsi_pool_mark marks[2];
};

/* Ends every change, with the lock held: wakes who got an outcome. True: the caller must itsi_pool_post() after letting go. */
bool itsi_pool_settle(struct itsi_pool *pool);
void itsi_pool_post(struct itsi_pool *pool);

/* The loop's task. */
void itsi_pool_run(struct itsi_loop_task *task);

/* Says why nothing was lent; with the lock held. Returns rc. */
int itsi_pool_explain(struct itsi_pool *pool, int rc, struct its_diag *diag);

void itsi_pool_free(struct itsi_pool *pool);

#endif

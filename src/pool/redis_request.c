/* A request's way: to a node, through a lease, over a connection, and again where that is safe. */
#include "pool/redis_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/thread.h"
#include "pool/redis_command.h"

#include <string.h>

/* Redirects and stale connections one request may meet: a cluster that is being rearranged needs a few. */
#define MOST_HOPS 8

static void borrow(struct itsi_redis_request *r);
static void on_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply);
static void on_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag);

static struct itsi_redis_request *of_exchange(struct itsi_redis_exchange *exchange)
{
    return (struct itsi_redis_request *)((char *)exchange - offsetof(struct itsi_redis_request, exchange));
}

/* --- making one --------------------------------------------------------------------------------------------------- */

void itsi_redis_request_reset(struct itsi_redis_request *r)
{
    itsi_buf_reset(&r->bytes);
    r->commands = 0;
    r->slot = -1;
}

void itsi_redis_request_add(struct itsi_redis_request *r, int argc, const char *const *argv, const size_t *lens)
{
    if (!r->commands)
        r->slot = argc > 1 ? itsi_redis_slot(argv[1], lens ? lens[1] : strlen(argv[1])) : -1;
    r->commands++;
    itsi_redis_command_add(&r->bytes, argc, argv, lens);
}

/* --- its end ------------------------------------------------------------------------------------------------------ */

/* After it the request is its owner's. */
static void finish(struct itsi_redis_request *r, int rc, const struct its_diag *diag) { r->done(r, rc, diag); }

static void give_back(struct itsi_redis_request *r, bool is_broken)
{
    (void)itsi_pool_release(r->lease, is_broken); /* reclaimed before: then it is closed all the same */
    r->lease = (struct itsi_lease){0};
}

/* --- with a connection -------------------------------------------------------------------------------------------- */

/* One more try, of which there are so many. */
static bool may_hop(struct itsi_redis_request *r)
{
    return r->hops < MOST_HOPS && !atomic_load(&r->redis->is_ending) && itsi_now_ns() < r->deadline && ++r->hops;
}

static void send_over(struct itsi_redis_request *r, struct itsi_redis_link *link)
{
    struct itsi_redis *redis = r->redis;
    bool is_asking = r->verdict == ITSI_REDIS_ASK;
    r->sent_ns = itsi_now_ns();
    r->verdict = ITSI_REDIS_FINE;
    r->is_replica = false;
    int64_t patience = r->sent_ns + redis->command_timeout_ns;
    r->exchange = (struct itsi_redis_exchange){.bytes = r->bytes.data,
                                               .len = r->bytes.len,
                                               .replies = r->commands,
                                               .is_asking = is_asking,
                                               .deadline = patience < r->deadline ? patience : r->deadline,
                                               .reply = on_reply,
                                               .done = on_done};
    int rc = itsi_redis_send(link->connection, &r->exchange);
    if (!rc)
        return;
    /* lost a moment ago: nothing has left */
    struct its_diag diag;
    give_back(r, true);
    r->verdict = is_asking ? ITSI_REDIS_ASK : ITSI_REDIS_FINE;
    if (may_hop(r))
        borrow(r);
    else
        finish(r, itsi_fail(&diag, ITS_EREFUSED, "Redis: the connection was lost"), &diag);
}

static void on_lent(struct itsi_pool_request *borrowing, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct itsi_redis_request *r =
        (struct itsi_redis_request *)((char *)borrowing - offsetof(struct itsi_redis_request, borrowing));
    if (rc) {
        /* a node that is gone: the others know who has its slots now */
        if (rc == ITS_EREFUSED)
            itsi_redis_learn_from_another(r->redis, r->node);
        finish(r, rc, diag);
        return;
    }
    struct itsi_redis_link *link = lease.slot->resource;
    struct its_diag late;
    r->lease = lease;
    if (itsi_now_ns() >= r->deadline) { /* sent now, it would only cost the connection */
        give_back(r, false);
        finish(r, itsi_fail(&late, ITS_ETIMEOUT, "Redis: a connection was had too late"), &late);
        return;
    }
    if (itsi_redis_is_stale(link) && may_hop(r)) {
        give_back(r, true);
        borrow(r);
        return;
    }
    send_over(r, link);
}

static void borrow(struct itsi_redis_request *r)
{
    r->borrowing.owner = r->owner;
    r->borrowing.deadline = r->deadline;
    r->borrowing.done = on_lent;
    itsi_pool_request(r->node->pool, &r->borrowing);
}

/* --- what came of it ---------------------------------------------------------------------------------------------- */

/* A reply that says "elsewhere" of a request of one command, which then has not been carried out: it is kept back. */
static bool is_kept_back(struct itsi_redis_request *r, enum itsi_redis_problem problem, const struct itsi_redis_reply *reply)
{
    int slot;
    if (r->commands != 1 || r->hops >= MOST_HOPS)
        return false;
    if (problem == ITSI_REDIS_READONLY)
        return r->is_replica;
    if (problem != ITSI_REDIS_MOVED && problem != ITSI_REDIS_ASK)
        return false;
    if (itsi_redis_redirect(reply, &slot, &r->target))
        return false;
    if (problem == ITSI_REDIS_MOVED)
        r->slot = slot;
    return true;
}

static void on_reply(struct itsi_redis_exchange *exchange, int index, const struct itsi_redis_reply *reply)
{
    struct itsi_redis_request *r = of_exchange(exchange);
    enum itsi_redis_problem problem = itsi_redis_problem_of(reply);
    if (problem == ITSI_REDIS_MOVED && r->commands > 1)
        itsi_redis_learn_slots(r->redis, r->node);
    if (problem == ITSI_REDIS_READONLY)
        r->is_replica = r->redis->sentinels || r->redis->url.host_count > 1;
    if (problem != ITSI_REDIS_FINE && is_kept_back(r, problem, reply))
        r->verdict = (int)problem;
    else if (r->reply)
        r->reply(r, index, reply);
}

/* The lease is back. Where the target cannot be had the caller hears so. */
static void follow(struct itsi_redis_request *r)
{
    struct itsi_redis *redis = r->redis;
    struct itsi_redis_node *from = r->node;
    struct its_diag diag;
    atomic_fetch_add(&redis->redirects, 1);
    if (r->verdict != ITSI_REDIS_READONLY) {
        r->node = itsi_redis_find_node(redis, &r->target, from);
        if (!r->node) {
            r->node = from;
            finish(r, itsi_fail(&diag, ITS_ELIMIT, "Redis: a node of the cluster cannot be added"), &diag);
            return;
        }
    }
    if (r->verdict == ITSI_REDIS_MOVED) {
        itsi_redis_set_slot(redis, r->slot, r->node);
        itsi_redis_learn_slots(redis, r->node);
    }
    if (may_hop(r))
        borrow(r);
    else
        finish(r, itsi_fail(&diag, ITS_ETIMEOUT, "Redis: redirected, with no time left"), &diag);
}

static void end_answered(struct itsi_redis_request *r)
{
    struct itsi_redis *redis = r->redis;
    const struct itsi_redis_link *link = r->lease.slot->resource;
    bool is_replica = r->is_replica;
    itsi_quantile_observe(&redis->latency, (double)(itsi_now_ns() - r->sent_ns));
    atomic_store_explicit(&redis->latency_shown, (int64_t)redis->latency.estimate, memory_order_relaxed);
    if (is_replica)
        itsi_redis_fail_over(redis, link);
    give_back(r, is_replica);
    if (r->verdict == ITSI_REDIS_FINE)
        finish(r, 0, NULL);
    else
        follow(r);
}

static void on_done(struct itsi_redis_exchange *exchange, int rc, const struct its_diag *diag)
{
    struct itsi_redis_request *r = of_exchange(exchange);
    if (!rc) {
        end_answered(r);
        return;
    }
    give_back(r, true);
    bool again = r->is_idempotent && !r->retried && atomic_load(&r->redis->retry_on_timeout) && rc != ITS_ECANCELLED;
    if (again && may_hop(r)) {
        r->retried = true;
        atomic_fetch_add(&r->redis->retries, 1);
        borrow(r);
    } else {
        struct its_diag why = *diag;
        /* refused is what never left; a host may also become unreachable later */
        finish(r, itsi_diag_prefix(&why, rc == ITS_EREFUSED ? ITS_EIO : rc, "Redis"), &why);
    }
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

void itsi_redis_begin(struct itsi_redis *redis, struct itsi_redis_request *r, struct itsi_redis_node *node)
{
    struct its_diag diag;
    r->redis = redis;
    r->hops = 0;
    r->retried = false;
    r->verdict = ITSI_REDIS_FINE;
    atomic_fetch_add_explicit(&redis->requests, 1, memory_order_relaxed);
    if (atomic_load(&redis->is_ending)) {
        finish(r, itsi_fail(&diag, ITS_ECANCELLED, "Redis: it ends"), &diag);
    } else if (r->bytes.failed) {
        finish(r, itsi_fail(&diag, ITS_ENOMEM, "Redis: out of memory"), &diag);
    } else if (!r->commands) {
        finish(r, itsi_fail(&diag, ITS_EINVAL, "Redis: no command"), &diag);
    } else {
        r->node = node ? node : itsi_redis_node_of(redis, r->slot);
        borrow(r);
    }
}

static void on_task(struct itsi_loop_task *task)
{
    struct itsi_redis_request *r = (struct itsi_redis_request *)((char *)task - offsetof(struct itsi_redis_request, task));
    itsi_redis_begin(r->redis, r, NULL);
}

void itsi_redis_start(struct itsi_redis *redis, struct itsi_redis_request *r)
{
    r->redis = redis;
    r->task.run = on_task;
    if (itsi_loop_is_here(redis->loop))
        itsi_redis_begin(redis, r, NULL);
    else
        itsi_loop_post(redis->loop, &r->task);
}

struct waiting {
    struct itsi_event event;
    int rc;
    struct its_diag diag;
};

static void wake(struct itsi_redis_request *r, int rc, const struct its_diag *diag)
{
    struct waiting *w = r->waiting;
    w->rc = rc;
    if (rc)
        w->diag = *diag;
    itsi_event_set(&w->event);
}

int itsi_redis_command(struct itsi_redis *redis, struct itsi_redis_request *r, struct its_diag *diag)
{
    struct waiting w = {.rc = 0};
    void (*done)(struct itsi_redis_request *, int, const struct its_diag *) = r->done;
    itsi_event_init(&w.event);
    r->waiting = &w;
    r->done = wake;
    itsi_redis_start(redis, r);
    itsi_event_wait_until(&w.event, ITSI_NEVER);
    itsi_event_fini(&w.event);
    r->done = done;
    if (w.rc && diag)
        *diag = w.diag;
    return w.rc;
}

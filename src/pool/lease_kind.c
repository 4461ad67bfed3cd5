/* The loop's thread: does what the core wants done, tells asynchronous borrowers, and takes the kind's answers. */
#include "pool/lease_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"

/* --- what the core wants ------------------------------------------------------------------------------------------- */

/* With the lock held, which it lets go of for the call. */
static void work(struct itsi_pool *pool, struct itsi_lease_slot *slot, enum itsi_lease_work what)
{
    const struct itsi_pool_params *params = &pool->core.params;
    const enum itsi_pool_closed reason = slot->closing;
    pthread_mutex_unlock(&pool->mutex);
    if (what == ITSI_LEASE_OPEN)
        pool->kind->open(pool->self, &slot->shown, itsi_now_ns() + params->open_timeout_ns);
    else if (what == ITSI_LEASE_CHECK)
        pool->kind->check(pool->self, &slot->shown, itsi_now_ns() + params->check_timeout_ns);
    else
        pool->kind->close(pool->self, &slot->shown, reason);
    pthread_mutex_lock(&pool->mutex);
}

static void answer(struct itsi_pool *pool, struct itsi_ring *first)
{
    struct itsi_lease_waiter *waiter = ITSI_RING_OWNER(first, struct itsi_lease_waiter, place);
    struct itsi_pool_request *request = ITSI_RING_OWNER((void *)waiter, struct itsi_pool_request, waiter);
    struct its_diag diag = {""};
    itsi_ring_take_out(first);
    const int rc = waiter->code;
    const struct itsi_lease lease = waiter->lease;
    if (rc)
        itsi_pool_explain(pool, rc, &diag);
    pthread_mutex_unlock(&pool->mutex);
    request->done(request, rc, lease, &diag); /* may free it, or ask again */
    pthread_mutex_lock(&pool->mutex);
}

static void name_leak(struct itsi_pool *pool, const struct itsi_lease_slot *slot)
{
    const struct itsi_pool_owner owner = slot->owner;
    const double held = (double)(itsi_now_ns() - slot->since) / ITSI_NS_PER_S;
    const char *name = pool->core.params.name;
    pthread_mutex_unlock(&pool->mutex);
    itsi_warn("pool", "%s: %s/%s has held one for %.1f s (trace %016llx): a leak?", name, owner.component, owner.stage,
              held, (unsigned long long)owner.trace);
    pthread_mutex_lock(&pool->mutex);
}

/* One of what is to be done; false: nothing is. */
static bool do_one(struct itsi_pool *pool)
{
    enum itsi_lease_work what;
    struct itsi_lease_slot *slot = itsi_lease_core_next_leak(&pool->core);
    if (slot) {
        name_leak(pool, slot);
        return true;
    }
    slot = itsi_lease_core_next_work(&pool->core, &what);
    if (slot) {
        work(pool, slot, what);
        return true;
    }
    struct itsi_ring *first = itsi_ring_first(&pool->answers);
    if (first)
        answer(pool, first);
    return first != NULL;
}

/* --- its turn ------------------------------------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer);

static void arm(struct itsi_pool *pool)
{
    const int64_t due = itsi_lease_core_due(&pool->core);
    if (due == pool->armed)
        return;
    pool->armed = due;
    if (due == ITSI_NEVER) {
        uv_timer_stop(&pool->timer);
        return;
    }
    const int64_t ns = due - itsi_now_ns();
    uv_update_time(itsi_loop_uv(pool->loop));
    uv_timer_start(&pool->timer, on_timer, ns > 0 ? (uint64_t)((ns + ITSI_NS_PER_MS - 1) / ITSI_NS_PER_MS) : 0, 0);
}

/* As much as there was when it began: a borrower that asks again from its answer gets the next turn. */
static void do_all(struct itsi_pool *pool)
{
    enum { MOST_AT_ONCE = 256 };
    for (int i = 0; i < MOST_AT_ONCE && do_one(pool); i++)
        (void)itsi_pool_settle(pool);
}

/* With the lock held, of which it lets go; the last that it does to the pool. */
static void take_turn(struct itsi_pool *pool, int64_t latency_ns)
{
    pool->is_running = true;
    pool->latency_ns = latency_ns;
    itsi_lease_core_tick(&pool->core, latency_ns, itsi_now_ns());
    (void)itsi_pool_settle(pool);
    do_all(pool);
    arm(pool);
    pool->is_running = false;
    const bool must_post = itsi_pool_settle(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (must_post)
        itsi_pool_post(pool);
}

static int64_t latency_of(const struct itsi_pool *pool)
{
    return pool->kind->latency_ns ? pool->kind->latency_ns(pool->self) : 0;
}

void itsi_pool_run(struct itsi_loop_task *task)
{
    struct itsi_pool *pool = ITSI_RING_OWNER(task, struct itsi_pool, task);
    const int64_t latency_ns = latency_of(pool);
    pthread_mutex_lock(&pool->mutex);
    pool->is_posted = false;
    take_turn(pool, latency_ns);
}

static void on_timer(uv_timer_t *timer)
{
    struct itsi_pool *pool = timer->data;
    const int64_t latency_ns = latency_of(pool);
    pthread_mutex_lock(&pool->mutex);
    pool->armed = ITSI_NEVER; /* it is over, also where it came a little early */
    take_turn(pool, latency_ns);
}

/* --- the kind's answers -------------------------------------------------------------------------------------------- */

static struct itsi_lease_slot *enter(struct itsi_pool_slot *slot)
{
    pthread_mutex_lock(&slot->pool->mutex);
    return (struct itsi_lease_slot *)slot;
}

static void leave(struct itsi_pool *pool)
{
    const bool must_post = itsi_pool_settle(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (must_post)
        itsi_pool_post(pool);
}

void itsi_pool_opened(struct itsi_pool_slot *slot)
{
    struct itsi_pool *pool = slot->pool;
    itsi_lease_core_opened(&pool->core, enter(slot), itsi_now_ns());
    leave(pool);
}

void itsi_pool_open_failed(struct itsi_pool_slot *slot, int code, const struct its_diag *diag)
{
    struct itsi_pool *pool = slot->pool;
    struct itsi_lease_slot *mine = enter(slot);
    itsi_fail(&pool->last_error, code, "%s", diag && diag->text[0] ? diag->text : its_strerror(code));
    pool->last_error_at = itsi_now_ns();
    itsi_lease_core_failed(&pool->core, mine, pool->last_error_at);
    leave(pool);
}

void itsi_pool_checked(struct itsi_pool_slot *slot, bool is_good)
{
    struct itsi_pool *pool = slot->pool;
    itsi_lease_core_checked(&pool->core, enter(slot), is_good, itsi_now_ns());
    leave(pool);
}

void itsi_pool_lost(struct itsi_pool_slot *slot)
{
    struct itsi_pool *pool = slot->pool;
    itsi_lease_core_lost(&pool->core, enter(slot), itsi_now_ns());
    leave(pool);
}

void itsi_pool_closed(struct itsi_pool_slot *slot)
{
    struct itsi_pool *pool = slot->pool;
    itsi_lease_core_closed(&pool->core, enter(slot), itsi_now_ns());
    leave(pool);
}

#include "pool/lease_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "pool/lease_pass.h"

#include <stdio.h>

/* A thread that waits, on its stack. */
struct blocked {
    struct itsi_lease_waiter waiter; /* first */
    pthread_cond_t cond;
};

_Static_assert(sizeof(struct itsi_lease_waiter) <= sizeof((struct itsi_pool_request){0}.waiter), "a request has room");

const char *itsi_pool_closed_name(enum itsi_pool_closed reason)
{
    static const char *const names[] = {
#define ITS_X(name, text) text,
        ITSI_POOL_CLOSED_MAP(ITS_X)
#undef ITS_X
    };
    return names[reason];
}

/* --- making and ending it ------------------------------------------------------------------------------------------ */

static void start_timer(void *arg)
{
    struct itsi_pool *pool = arg;
    uv_timer_init(itsi_loop_uv(pool->loop), &pool->timer);
    pool->timer.data = pool;
}

int itsi_pool_create(struct itsi_pool **out, struct itsi_loop *loop, const struct itsi_pool_params *params,
                     const struct itsi_pool_kind *kind, void *self, struct its_diag *diag)
{
    struct itsi_pool *pool = itsi_zalloc(sizeof *pool);
    if (!pool)
        return itsi_fail(diag, ITS_ENOMEM, "pool %s: out of memory", params->name);
    struct itsi_pool_params decided = *params;
    if (!kind->check)
        decided.check_after_idle_ns = decided.keep_checking_ns = ITSI_NEVER;
    const int64_t now = itsi_now_ns();
    const int rc = itsi_lease_core_init(&pool->core, &decided, now, diag);
    if (rc) {
        itsi_free(pool);
        return rc;
    }
    for (int i = 0; i < params->most; i++)
        pool->core.slots[i].shown.pool = pool;
    pool->loop = loop;
    pool->kind = kind;
    pool->self = self;
    pool->task.run = itsi_pool_run;
    pool->armed = ITSI_NEVER;
    pool->made_at = pool->marks[0].at = pool->marks[1].at = now;
    itsi_ring_init(&pool->answers);
    pthread_mutex_init(&pool->mutex, NULL);
    itsi_cond_init(&pool->changed);
    pool->is_posted = true;
    itsi_loop_call(loop, start_timer, pool);
    itsi_pool_post(pool);
    *out = pool;
    return 0;
}

void itsi_pool_free(struct itsi_pool *pool)
{
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    itsi_lease_core_fini(&pool->core);
    itsi_free(pool);
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct itsi_pool *pool = timer->data;
    pthread_mutex_lock(&pool->mutex);
    pool->is_timer_closed = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
}

static void close_timer(void *arg)
{
    struct itsi_pool *pool = arg;
    uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}

static bool is_over(const struct itsi_pool *pool)
{
    return pool->core.count[ITSI_LEASE_EMPTY] == pool->core.params.most && pool->blocked == 0 &&
           itsi_ring_is_empty(&pool->answers) && !pool->is_posted && !pool->is_running;
}

static void settle_and_post(struct itsi_pool *pool)
{
    if (!itsi_pool_settle(pool))
        return;
    pthread_mutex_unlock(&pool->mutex);
    itsi_pool_post(pool);
    pthread_mutex_lock(&pool->mutex);
}

void itsi_pool_destroy(struct itsi_pool *pool, int64_t deadline)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    itsi_lease_core_shut(&pool->core, itsi_now_ns());
    settle_and_post(pool);
    while (pool->core.count[ITSI_LEASE_LENT] > 0 && itsi_cond_wait_until(&pool->changed, &pool->mutex, deadline))
        ;
    itsi_lease_core_seize(&pool->core, itsi_now_ns());
    settle_and_post(pool);
    while (!is_over(pool))
        itsi_cond_wait_until(&pool->changed, &pool->mutex, ITSI_NEVER);
    pthread_mutex_unlock(&pool->mutex);
    itsi_loop_call(pool->loop, close_timer, pool);
    pthread_mutex_lock(&pool->mutex);
    while (!pool->is_timer_closed)
        itsi_cond_wait_until(&pool->changed, &pool->mutex, ITSI_NEVER);
    pool->is_destroyed = true;
    const int owed = pool->core.owed;
    pthread_mutex_unlock(&pool->mutex);
    /* who still holds a lease may give it back later, to where its slot was */
    if (owed == 0)
        itsi_pool_free(pool);
    else
        itsi_warn("pool", "%d leases were out when their pool ended", owed);
}

/* --- what every change ends with ----------------------------------------------------------------------------------- */

bool itsi_pool_settle(struct itsi_pool *pool)
{
    struct itsi_lease_waiter *waiter;
    pool->core.has_news = false;
    while ((waiter = itsi_lease_core_next_outcome(&pool->core))) {
        if (waiter->is_watching) {
            /* with the lock held: once it sees its outcome, its stack is gone */
            pthread_cond_signal(&((struct blocked *)waiter)->cond);
            pool->wakeups++;
        } else {
            itsi_ring_put_last(&pool->answers, &waiter->place);
        }
    }
    if (pool->core.is_shut)
        pthread_cond_broadcast(&pool->changed);
    if (pool->is_posted || pool->is_running)
        return false;
    if (itsi_ring_is_empty(&pool->core.works) && itsi_ring_is_empty(&pool->answers) &&
        itsi_lease_core_due(&pool->core) >= pool->armed)
        return false;
    pool->is_posted = true;
    return true;
}

void itsi_pool_post(struct itsi_pool *pool) { itsi_loop_post(pool->loop, &pool->task); }

/* --- borrowing ----------------------------------------------------------------------------------------------------- */

static int64_t read_clock(bool is_measured) { return is_measured ? itsi_now_ns() : itsi_now_coarse_ns(); }

static void leave(struct itsi_pool *pool)
{
    const bool must_post = itsi_pool_settle(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (must_post)
        itsi_pool_post(pool);
}

/* After what concerned nobody else, most often. */
static void leave_quickly(struct itsi_pool *pool)
{
    if (pool->core.has_news)
        leave(pool);
    else
        pthread_mutex_unlock(&pool->mutex);
}

/* With the lock held, which it lets go of while it waits. */
static int wait_for_outcome(struct itsi_pool *pool, struct blocked *me)
{
    if (itsi_cond_init(&me->cond)) {
        itsi_lease_core_withdraw(&pool->core, &me->waiter, ITS_ENOMEM);
        return ITS_ENOMEM;
    }
    pool->blocked++;
    settle_and_post(pool);
    while (me->waiter.code == ITS_EAGAIN)
        if (!itsi_cond_wait_until(&me->cond, &pool->mutex, me->waiter.deadline) && me->waiter.code == ITS_EAGAIN)
            itsi_lease_core_withdraw(&pool->core, &me->waiter, ITS_ETIMEOUT);
    pool->blocked--;
    pthread_cond_destroy(&me->cond);
    return me->waiter.code;
}

static int acquire_slowly(struct itsi_pool *pool, const struct itsi_pool_owner *owner, int64_t deadline,
                          struct itsi_lease *out, struct its_diag *diag)
{
    struct blocked me;
    me.waiter = (struct itsi_lease_waiter){.owner = owner, .deadline = deadline, .is_watching = true};
    int rc = itsi_lease_core_wait(&pool->core, &me.waiter, itsi_now_ns());
    if (rc == ITS_EAGAIN)
        rc = wait_for_outcome(pool, &me);
    if (rc)
        return itsi_pool_explain(pool, rc, diag);
    *out = me.waiter.lease;
    return 0;
}

/* Whether one is idle: without a look at the fine clock, nor at who might wait. */
static int try_idle(struct itsi_pool *pool, const struct itsi_pool_owner *owner, struct itsi_lease *out)
{
    const int64_t now = read_clock(itsi_lease_core_measures_try(&pool->core));
    return itsi_lease_try(&pool->core, owner, now, out);
}

int itsi_pool_acquire(struct itsi_pool *pool, const struct itsi_pool_owner *owner, int64_t deadline,
                      struct itsi_lease *out, struct its_diag *diag)
{
    pthread_mutex_lock(&pool->mutex);
    int rc = try_idle(pool, owner, out);
    if (rc != ITS_EAGAIN) {
        leave_quickly(pool);
        return rc;
    }
    rc = acquire_slowly(pool, owner, deadline, out, diag);
    leave(pool); /* at the end it is waited for: who waited is gone now */
    return rc;
}

int itsi_pool_try(struct itsi_pool *pool, const struct itsi_pool_owner *owner, struct itsi_lease *out)
{
    pthread_mutex_lock(&pool->mutex);
    const int rc = try_idle(pool, owner, out);
    leave_quickly(pool);
    return rc;
}

static struct itsi_lease_waiter *waiter_of(struct itsi_pool_request *request)
{
    return (struct itsi_lease_waiter *)(void *)request->waiter;
}

void itsi_pool_request(struct itsi_pool *pool, struct itsi_pool_request *request)
{
    struct itsi_lease_waiter *waiter = waiter_of(request);
    *waiter = (struct itsi_lease_waiter){.owner = &request->owner, .deadline = request->deadline};
    pthread_mutex_lock(&pool->mutex);
    int rc = try_idle(pool, &request->owner, &waiter->lease);
    if (rc == ITS_EAGAIN)
        rc = itsi_lease_core_wait(&pool->core, waiter, itsi_now_ns());
    if (rc != ITS_EAGAIN)
        itsi_ring_put_last(&pool->answers, &waiter->place);
    leave(pool);
}

void itsi_pool_cancel(struct itsi_pool *pool, struct itsi_pool_request *request)
{
    struct itsi_lease_waiter *waiter = waiter_of(request);
    pthread_mutex_lock(&pool->mutex);
    if (waiter->code == ITS_EAGAIN) {
        itsi_lease_core_withdraw(&pool->core, waiter, ITS_ECANCELLED);
        itsi_ring_put_last(&pool->answers, &waiter->place);
    }
    leave(pool);
}

void itsi_pool_set_uses(struct itsi_pool *pool, int64_t uses)
{
    pthread_mutex_lock(&pool->mutex);
    pool->core.params.uses = uses;
    pthread_mutex_unlock(&pool->mutex);
}

void itsi_pool_set_spans(struct itsi_pool *pool, const struct itsi_pool_spans *spans)
{
    pthread_mutex_lock(&pool->mutex);
    itsi_lease_core_set_spans(&pool->core, spans, itsi_now_ns());
    leave(pool);
}

/* With the lock held, of which it lets go. */
static int give_back(struct itsi_pool *pool, struct itsi_lease lease, bool is_broken, int64_t now)
{
    const int rc = itsi_lease_core_release(&pool->core, lease, is_broken, now);
    if (rc)
        pool->stale++;
    const bool is_last = pool->is_destroyed && pool->core.owed == 0;
    leave_quickly(pool);
    if (is_last)
        itsi_pool_free(pool);
    return rc;
}

bool itsi_pool_pass(struct itsi_lease *lease, const struct itsi_pool_owner *owner, struct itsi_pool_request **next)
{
    struct itsi_pool *pool = lease->slot->pool;
    struct itsi_lease_core *core = &pool->core;
    bool is_passed = false;
    *next = NULL;
    pthread_mutex_lock(&pool->mutex);
    const int64_t now = read_clock(itsi_lease_core_measures_release(core, (const struct itsi_lease_slot *)lease->slot));
    if (core->waiting) {
        struct itsi_lease_waiter *waiter = itsi_lease_core_pass(core, lease, now);
        if ((is_passed = waiter != NULL))
            *next = ITSI_RING_OWNER((void *)waiter, struct itsi_pool_request, waiter);
    } else if (owner) {
        is_passed = itsi_lease_core_renew(core, lease, owner, now);
    }
    leave_quickly(pool);
    return is_passed;
}

static int give_back_leak(struct itsi_pool *pool, struct itsi_lease lease, bool is_broken, int64_t now)
{
    const struct itsi_lease_slot *slot = (const struct itsi_lease_slot *)lease.slot;
    const struct itsi_pool_owner owner = slot->owner;
    const double held = (double)(now - slot->since) / (double)ITSI_NS_PER_S;
    const char *name = pool->core.params.name;
    const int rc = give_back(pool, lease, is_broken, now);
    if (rc == 0)
        itsi_info("pool", "%s: %s/%s gave back what it had held for %.1f s", name, owner.component, owner.stage, held);
    return rc;
}

int itsi_pool_release(struct itsi_lease lease, bool is_broken)
{
    if (!lease.slot)
        return ITS_EINVAL;
    struct itsi_pool *pool = lease.slot->pool;
    const struct itsi_lease_slot *slot = (const struct itsi_lease_slot *)lease.slot;
    pthread_mutex_lock(&pool->mutex);
    const int64_t now = read_clock(itsi_lease_core_measures_release(&pool->core, slot));
    if (!is_broken && itsi_lease_put_back(&pool->core, lease, now)) {
        leave_quickly(pool);
        return 0;
    }
    return slot->is_leaked ? give_back_leak(pool, lease, is_broken, now) : give_back(pool, lease, is_broken, now);
}

/* --- why not ------------------------------------------------------------------------------------------------------- */

static const struct itsi_lease_slot *longest_held(const struct itsi_lease_core *core)
{
    const struct itsi_lease_slot *longest = NULL;
    for (int i = 0; i < core->params.most; i++) {
        const struct itsi_lease_slot *slot = &core->slots[i];
        if (slot->state == ITSI_LEASE_LENT && (!longest || slot->since < longest->since))
            longest = slot;
    }
    return longest;
}

static int explain_timeout(const struct itsi_lease_core *core, struct its_diag *diag)
{
    const struct itsi_lease_slot *longest = longest_held(core);
    char held[160] = "";
    if (longest)
        snprintf(held, sizeof held, "; %s/%s has held one for %.3f s, trace %016llx", longest->owner.component,
                 longest->owner.stage, (double)(itsi_now_ns() - longest->since) / ITSI_NS_PER_S,
                 (unsigned long long)longest->owner.trace);
    return itsi_fail(diag, ITS_ETIMEOUT, "pool %s: none became free in time: %d of %d lent, %d being opened, %d wait%s",
                     core->params.name, core->count[ITSI_LEASE_LENT], core->params.most,
                     core->count[ITSI_LEASE_OPENING], core->waiting, held);
}

int itsi_pool_explain(struct itsi_pool *pool, int rc, struct its_diag *diag)
{
    const struct itsi_lease_core *core = &pool->core;
    const char *name = core->params.name;
    if (!diag)
        return rc;
    switch (rc) {
    case ITS_ETIMEOUT:
        return explain_timeout(core, diag);
    case ITS_EREFUSED:
        return itsi_fail(diag, rc, "pool %s: the server is away: %s", name, pool->last_error.text);
    case ITS_ELIMIT:
        if (core->grow.is_slow && core->waiting < core->params.waiters)
            return itsi_fail(diag, rc, "pool %s: the server is slow, and %d wait before: it would not be in time", name,
                             core->waiting);
        return itsi_fail(diag, rc, "pool %s: %d wait already", name, core->waiting);
    case ITS_ECANCELLED:
        return itsi_fail(diag, rc, core->is_shut ? "pool %s: it ends" : "pool %s: the request was taken back", name);
    default:
        return itsi_fail(diag, rc, "pool %s: %s", name, its_strerror(rc));
    }
}

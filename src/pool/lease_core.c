#include "pool/lease_core_impl.h"

#include "base/diag.h"
#include "base/mem.h"

/* --- making it ----------------------------------------------------------------------------------------------------- */

static int regular_size(const struct itsi_pool_params *p)
{
    return p->most - (p->overflow > p->reserve ? p->overflow : p->reserve);
}

static int check_params(const struct itsi_pool_params *p, struct its_diag *diag)
{
    const int regular = regular_size(p);
    const struct {
        const char *what;
        bool is_bad;
    } rules[] = {
        {"most must be at least 1", p->most < 1},
        {"overflow and reserve must be less than most", p->overflow < 0 || p->reserve < 0 || regular < 1},
        {"least must be within most less overflow and reserve", p->least < 0 || p->least > regular},
        {"spares must be within most", p->spares < 0 || p->spares > p->most},
        {"waiters must not be negative", p->waiters < 0},
        {"opens_per_second must be positive", !(p->opens_per_second > 0)},
        {"opening must be at least 1", p->opening < 1},
        {"timeouts must be positive", p->open_timeout_ns <= 0 || p->check_timeout_ns <= 0},
        {"down_first must be positive and at most down_most", p->down_first_ns <= 0 || p->down_first_ns > p->down_most_ns},
        {"checking, idling and lifetime must be positive", p->check_after_idle_ns <= 0 || p->keep_checking_ns <= 0 ||
                                                               p->idle_ns <= 0 || p->lifetime_ns <= 0},
        {"leak_after, reclaim_after and reserve_after must be positive",
         p->leak_after_ns <= 0 || p->reclaim_after_ns <= 0 || (p->reserve > 0 && p->reserve_after_ns <= 0)},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].is_bad)
            return itsi_fail(diag, ITS_EINVAL, "pool %s: %s", p->name, rules[i].what);
    return 0;
}

static void fill_slots(struct itsi_lease_core *core)
{
    for (int i = 0; i < core->params.most; i++) {
        core->slots[i].shown.index = i;
        itsi_ring_put_last(&core->empty, &core->slots[i].place);
    }
    core->count[ITSI_LEASE_EMPTY] = core->params.most;
}

int itsi_lease_core_init(struct itsi_lease_core *core, const struct itsi_pool_params *params, int64_t now,
                         struct its_diag *diag)
{
    int rc = check_params(params, diag);
    if (rc)
        return rc;
    struct itsi_lease_books books;
    rc = itsi_lease_books_init(&books, now, diag);
    if (rc)
        return rc;
    struct itsi_lease_slot *slots = itsi_calloc((size_t)params->most, sizeof *slots);
    if (!slots) {
        itsi_lease_books_fini(&books);
        return itsi_fail(diag, ITS_ENOMEM, "pool %s: out of memory", params->name);
    }
    *core = (struct itsi_lease_core){
        .params = *params, .slots = slots, .books = books, .retry_at = ITSI_NEVER, .doubt_at = ITSI_NEVER};
    struct itsi_ring *lists[] = {&core->empty, &core->idle,     &core->checking, &core->queue,
                                 &core->works, &core->outcomes, &core->leaks};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        itsi_ring_init(lists[i]);
    fill_slots(core);
    const struct itsi_backoff_policy policy = {params->down_first_ns, params->down_most_ns, ITSI_NEVER};
    itsi_bucket_init(&core->opens, params->opens_per_second, now);
    itsi_backoff_init(&core->backoff, &policy, params->seed);
    itsi_grow_init(&core->grow, regular_size(params), params->most - params->reserve, now);
    itsi_rand_seed(&core->rng, params->seed ^ 1); /* other jitters than the backoff's */
    core->next_old = now;
    itsi_lease_advance(core, now);
    return 0;
}

void itsi_lease_core_fini(struct itsi_lease_core *core)
{
    itsi_lease_books_fini(&core->books);
    itsi_free(core->slots);
    core->slots = NULL;
}

/* --- waiting ------------------------------------------------------------------------------------------------------- */

int64_t itsi_lease_core_oldest_wait_ns(const struct itsi_lease_core *core, int64_t now)
{
    const struct itsi_ring *first = itsi_ring_first(&core->queue);
    return first ? now - ITSI_RING_OWNER(first, struct itsi_lease_waiter, place)->since : 0;
}

bool itsi_lease_core_is_refusing(const struct itsi_lease_core *core, int64_t now)
{
    return core->is_down && now < core->down_until && itsi_lease_core_live(core) == 0;
}

static void leave_queue(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int code)
{
    itsi_ring_take_out(&waiter->place);
    itsi_heap_remove(&waiter->due);
    waiter->code = code;
    core->waiting--;
}

void itsi_lease_settle(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int code)
{
    leave_queue(core, waiter, code);
    itsi_ring_put_last(&core->outcomes, &waiter->place);
    core->has_news = true;
}

void itsi_lease_core_withdraw(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int code)
{
    leave_queue(core, waiter, code);
    if (code == ITS_ETIMEOUT)
        core->books.timeouts++;
    else
        core->books.cancelled++;
}

/* Would it still be waiting when its deadline comes? Asked only while the server is slow: then a queue is better short. */
static bool is_hopeless(const struct itsi_lease_core *core, const struct itsi_lease_waiter *waiter, int64_t now)
{
    return core->grow.is_slow && waiter->deadline != ITSI_NEVER &&
           itsi_grow_expected_wait_ns(&core->grow, core->waiting, core->count[ITSI_LEASE_LENT]) >
               waiter->deadline - now;
}

static int refuse(struct itsi_lease_waiter *waiter, uint64_t *counter, int code)
{
    ++*counter;
    waiter->code = code;
    return code;
}

int itsi_lease_core_wait(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int64_t now)
{
    if (core->is_shut)
        return refuse(waiter, &core->books.cancelled, ITS_ECANCELLED);
    if (itsi_lease_core_is_refusing(core, now))
        return refuse(waiter, &core->books.refused_down, ITS_EREFUSED);
    if (waiter->deadline <= now)
        return refuse(waiter, &core->books.timeouts, ITS_ETIMEOUT);
    if (core->waiting >= core->params.waiters)
        return refuse(waiter, &core->books.refused_full, ITS_ELIMIT);
    if (is_hopeless(core, waiter, now))
        return refuse(waiter, &core->books.refused_slow, ITS_ELIMIT);
    waiter->since = now;
    waiter->code = ITS_EAGAIN;
    itsi_ring_put_last(&core->queue, &waiter->place);
    if (!waiter->is_watching && waiter->deadline != ITSI_NEVER)
        itsi_heap_insert(&core->deadlines, &waiter->due, waiter->deadline, 0);
    core->waiting++;
    itsi_lease_advance(core, now);
    return ITS_EAGAIN;
}

int itsi_lease_core_acquire(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int64_t now)
{
    const int rc = itsi_lease_core_try(core, waiter->owner, now, &waiter->lease);
    return rc == ITS_EAGAIN ? itsi_lease_core_wait(core, waiter, now) : rc;
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

static void look_at_size(struct itsi_lease_core *core, int64_t latency_ns, int64_t now)
{
    if (now < itsi_grow_due(&core->grow, core->waiting > 0))
        return;
    const struct itsi_moments *all = &core->books.times[ITSI_LEASE_USAGE].moments;
    const uint64_t ended = all->count - core->used.count;
    const int64_t oldest = itsi_lease_core_oldest_wait_ns(core, now);
    const struct itsi_grow_facts facts = {
        .waited_ns = oldest > core->waited_ns ? oldest : core->waited_ns,
        .latency_ns = latency_ns,
        .use_ns = ended ? (double)(all->sum - core->used.sum) / (double)ended : 0,
        .open = itsi_lease_core_live(core),
    };
    itsi_grow_look(&core->grow, &facts, now);
    core->used = *all;
    core->waited_ns = 0;
}

void itsi_lease_core_tick(struct itsi_lease_core *core, int64_t latency_ns, int64_t now)
{
    while (core->deadlines.first && core->deadlines.first->key <= now) {
        core->books.timeouts++;
        itsi_lease_settle(core, ITSI_HEAP_OWNER(core->deadlines.first, struct itsi_lease_waiter, due),
                               ITS_ETIMEOUT);
    }
    itsi_lease_tick_slots(core, now);
    look_at_size(core, latency_ns, now);
    itsi_lease_advance(core, now);
}

int64_t itsi_lease_core_due(const struct itsi_lease_core *core)
{
    int64_t due = itsi_lease_earlier(core->retry_at, core->doubt_at);
    if (core->timers.first && core->timers.first->key < due)
        due = core->timers.first->key;
    if (core->deadlines.first && core->deadlines.first->key < due)
        due = core->deadlines.first->key;
    const int64_t look = itsi_grow_due(&core->grow, core->waiting > 0);
    return core->is_shut || due < look ? due : look;
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

void itsi_lease_core_shut(struct itsi_lease_core *core, int64_t now)
{
    core->is_shut = true;
    core->retry_at = core->doubt_at = ITSI_NEVER;
    while (core->waiting) {
        core->books.cancelled++;
        itsi_lease_settle(
            core, ITSI_RING_OWNER(itsi_ring_first(&core->queue), struct itsi_lease_waiter, place), ITS_ECANCELLED);
    }
    for (int i = 0; i < core->params.most; i++) {
        const enum itsi_lease_state state = core->slots[i].state;
        if (state == ITSI_LEASE_OPENING || state == ITSI_LEASE_IDLE || state == ITSI_LEASE_CHECKING)
            itsi_lease_close(core, &core->slots[i], ITSI_POOL_CLOSED_SHUTDOWN, now);
    }
}

void itsi_lease_core_seize(struct itsi_lease_core *core, int64_t now)
{
    for (int i = 0; i < core->params.most; i++)
        if (core->slots[i].state == ITSI_LEASE_LENT)
            itsi_lease_close(core, &core->slots[i], ITSI_POOL_CLOSED_SHUTDOWN, now);
}

/* --- what is to be done --------------------------------------------------------------------------------------------- */

struct itsi_lease_slot *itsi_lease_core_next_work(struct itsi_lease_core *core, enum itsi_lease_work *work)
{
    struct itsi_ring *first = itsi_ring_first(&core->works);
    if (!first)
        return NULL;
    struct itsi_lease_slot *slot = ITSI_RING_OWNER(first, struct itsi_lease_slot, to_do);
    itsi_ring_take_out(first);
    *work = slot->work;
    slot->is_answer_due |= slot->work != ITSI_LEASE_CLOSE;
    slot->work = ITSI_LEASE_NO_WORK;
    return slot;
}

struct itsi_lease_waiter *itsi_lease_core_next_outcome(struct itsi_lease_core *core)
{
    struct itsi_ring *first = itsi_ring_first(&core->outcomes);
    if (!first)
        return NULL;
    itsi_ring_take_out(first);
    return ITSI_RING_OWNER(first, struct itsi_lease_waiter, place);
}

struct itsi_lease_slot *itsi_lease_core_next_leak(struct itsi_lease_core *core)
{
    struct itsi_ring *first = itsi_ring_first(&core->leaks);
    if (!first)
        return NULL;
    itsi_ring_take_out(first);
    return ITSI_RING_OWNER(first, struct itsi_lease_slot, leak);
}

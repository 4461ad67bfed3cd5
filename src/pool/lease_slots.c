/* What becomes of the slots: opened when wanted, lent, checked, closed. */
#include "pool/lease_pass.h"

static struct itsi_lease_slot *at_place(struct itsi_ring *member)
{
    return member ? ITSI_RING_OWNER(member, struct itsi_lease_slot, place) : NULL;
}

static void want(struct itsi_lease_core *core, struct itsi_lease_slot *slot, enum itsi_lease_work work)
{
    slot->work = work;
    itsi_ring_put_last(&core->works, &slot->to_do);
    core->has_news = true;
}

/* After a check that nobody waited for: as unused as before. */
static void rest_on(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    itsi_lease_set_state(core, slot, ITSI_LEASE_IDLE, now);
    itsi_ring_put_last(&core->idle, &slot->place);
    itsi_lease_arm(core, slot, itsi_lease_idle_due(core, slot, now));
}

/* No two of them die of age within a `most`-th of a lifetime, though they were all made in one moment. */
void itsi_lease_close_old(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    core->next_old = now + core->params.lifetime_ns / core->params.most;
    itsi_lease_close(core, slot, ITSI_POOL_CLOSED_LIFETIME, now);
}

/* --- checking ------------------------------------------------------------------------------------------------------ */

/* When a check has gone on for so long that nobody should wait for it alone: the link may have died without a word, which
 * only check_timeout_ns ends. */
static int64_t doubted_at(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot)
{
    return slot->since + core->params.check_timeout_ns / 10;
}

/* So many of those being checked are doubtful; *next: when one more will be. */
static int count_doubtful(const struct itsi_lease_core *core, int64_t now, int64_t *next)
{
    int count = 0;
    *next = ITSI_NEVER;
    for (struct itsi_ring *r = core->checking.next; r != &core->checking && *next == ITSI_NEVER; r = r->next) {
        const int64_t at = doubted_at(core, at_place(r));
        if (at <= now)
            count++;
        else
            *next = at;
    }
    return count;
}

static void begin_check(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    itsi_ring_take_out(&slot->place);
    itsi_lease_set_state(core, slot, ITSI_LEASE_CHECKING, now);
    slot->since = now;
    itsi_ring_put_last(&core->checking, &slot->place);
    core->doubt_at = itsi_lease_earlier(core->doubt_at, doubted_at(core, slot));
    core->books.checks++;
    want(core, slot, ITSI_LEASE_CHECK);
}

static bool is_gone(const struct itsi_lease_slot *slot) { return !slot->is_answer_due && !slot->is_close_due; }

static void become_empty(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    itsi_lease_set_state(core, slot, ITSI_LEASE_EMPTY, now);
    itsi_ring_put_first(&core->empty, &slot->place);
}

/* The open or the check of a slot that is being closed is answered. */
static void answer_late(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    slot->is_answer_due = false;
    if (slot->state == ITSI_LEASE_CLOSING && is_gone(slot))
        become_empty(core, slot, now);
}

void itsi_lease_core_checked(struct itsi_lease_core *core, struct itsi_lease_slot *slot, bool is_good, int64_t now)
{
    answer_late(core, slot, now);
    core->books.checked_at = now;
    if (slot->state == ITSI_LEASE_CHECKING) {
        itsi_ring_take_out(&slot->place);
        slot->proven = now;
        if (!is_good)
            itsi_lease_close(core, slot, ITSI_POOL_CLOSED_CHECK, now);
        else if (core->waiting || slot->is_lost)
            itsi_lease_offer(core, slot, now);
        else
            rest_on(core, slot, now);
    }
    itsi_lease_advance(core, now);
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

static double jitter(struct itsi_lease_core *core, double share)
{
    return itsi_rand_range(&core->rng, 1 - share, 1 + share);
}

static int64_t jittered(struct itsi_lease_core *core, int64_t span, double share)
{
    return span == ITSI_NEVER ? ITSI_NEVER : (int64_t)((double)span * jitter(core, share));
}

static void begin_open(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    itsi_ring_take_out(&slot->place);
    itsi_lease_set_state(core, slot, ITSI_LEASE_OPENING, now);
    slot->since = now;
    slot->is_lost = false;
    core->books.opens++;
    want(core, slot, ITSI_LEASE_OPEN);
}

/* How many may be open: the last `reserve` only for who has waited long (PgBouncer's reserve_pool_size). */
static int limit(const struct itsi_lease_core *core, int64_t now)
{
    const bool is_long = core->params.reserve > 0 && core->waiting > 0 &&
                         itsi_lease_core_oldest_wait_ns(core, now) >= core->params.reserve_after_ns;
    return is_long ? core->params.most : core->grow.size;
}

static int64_t reserve_due(const struct itsi_lease_core *core, int64_t now)
{
    return core->params.reserve > 0 && core->waiting > 0
               ? now - itsi_lease_core_oldest_wait_ns(core, now) + core->params.reserve_after_ns
               : ITSI_NEVER;
}

/* doubtful: of those open, no good for who waits, perhaps. */
static bool is_more_wanted(const struct itsi_lease_core *core, int doubtful)
{
    const int live = itsi_lease_core_live(core);
    return itsi_lease_wanted(core) > live ||
           (core->waiting > 0 && core->count[ITSI_LEASE_LENT] + core->waiting > live - doubtful);
}

static void open_wanted(struct itsi_lease_core *core, int doubtful, int64_t now)
{
    core->retry_at = ITSI_NEVER;
    core->has_news = true;
    while (!core->is_shut && is_more_wanted(core, doubtful)) {
        const int taken = core->params.most - core->count[ITSI_LEASE_EMPTY];
        if (taken >= limit(core, now)) {
            core->retry_at = taken < core->params.most ? reserve_due(core, now) : ITSI_NEVER;
            return;
        }
        /* a server that was down is tried by one */
        if (core->count[ITSI_LEASE_OPENING] >= (core->is_down ? 1 : core->params.opening))
            return; /* its answer leads here again */
        core->retry_at = core->is_down && now < core->down_until ? core->down_until : itsi_bucket_take(&core->opens, now);
        if (core->retry_at)
            return;
        core->retry_at = ITSI_NEVER;
        begin_open(core, at_place(itsi_ring_first(&core->empty)), now);
    }
}

static void note_open(struct itsi_lease_core *core)
{
    const int *count = core->count;
    const int open = count[ITSI_LEASE_IDLE] + count[ITSI_LEASE_CHECKING] + count[ITSI_LEASE_LENT] + 1; /* and this one */
    core->books.peak_open = open > core->books.peak_open ? open : core->books.peak_open;
}

static void draw_spans(struct itsi_lease_core *core, struct itsi_lease_slot *slot)
{
    slot->dies = itsi_lease_after(slot->opened, jittered(core, core->params.lifetime_ns, 0.025));
    slot->keep_ns = jittered(core, core->params.keep_checking_ns, 0.1);
}

void itsi_lease_core_set_spans(struct itsi_lease_core *core, const struct itsi_pool_spans *spans, int64_t now)
{
    core->params.check_after_idle_ns = spans->check_after_idle_ns;
    core->params.keep_checking_ns = spans->keep_checking_ns;
    core->params.lifetime_ns = spans->lifetime_ns;
    /* the gap between deaths of age is a part of the lifetime: not one of the former */
    if (spans->lifetime_ns != ITSI_NEVER)
        core->next_old = itsi_lease_earlier(core->next_old, now + spans->lifetime_ns / core->params.most);
    for (int i = 0; i < core->params.most; i++) {
        struct itsi_lease_slot *slot = &core->slots[i];
        if (slot->state != ITSI_LEASE_EMPTY && slot->state != ITSI_LEASE_OPENING)
            draw_spans(core, slot);
        if (slot->state == ITSI_LEASE_IDLE)
            itsi_lease_arm(core, slot, itsi_lease_idle_due(core, slot, now));
    }
}

void itsi_lease_core_opened(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    answer_late(core, slot, now);
    core->is_down = false;
    itsi_backoff_begin(&core->backoff, now);
    if (slot->state == ITSI_LEASE_OPENING) {
        itsi_lease_books_time(&core->books, ITSI_LEASE_CREATE, now - slot->since);
        slot->uses = 0;
        slot->opened = slot->proven = now;
        note_open(core);
        draw_spans(core, slot);
        itsi_lease_offer(core, slot, now);
    }
    itsi_lease_advance(core, now);
}

/* One step of the backoff for all that fail together. */
static void note_down(struct itsi_lease_core *core, int64_t now)
{
    if (core->is_down && now < core->down_until)
        return;
    core->is_down = true;
    (void)itsi_backoff_again(&core->backoff, 0, now, &core->down_until); /* it never gives up */
}

void itsi_lease_core_failed(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    answer_late(core, slot, now);
    if (slot->state == ITSI_LEASE_OPENING) {
        core->books.closed[ITSI_POOL_CLOSED_OPEN]++;
        become_empty(core, slot, now);
        note_down(core, now);
    }
    while (core->waiting && itsi_lease_core_is_refusing(core, now)) {
        core->books.refused_down++;
        itsi_lease_settle(
            core, ITSI_RING_OWNER(itsi_ring_first(&core->queue), struct itsi_lease_waiter, place), ITS_EREFUSED);
    }
    itsi_lease_advance(core, now);
}

/* --- closing ------------------------------------------------------------------------------------------------------- */

/* Its borrower has it still and may name it later. */
static void owe(struct itsi_lease_core *core, struct itsi_lease_slot *slot)
{
    core->owed++;
    /* of two for one slot the older is owed for ever: memory that stays, rather than memory freed too early */
    slot->owed = slot->serial;
    slot->serial = 0;
}

void itsi_lease_close(struct itsi_lease_core *core, struct itsi_lease_slot *slot, enum itsi_pool_closed reason,
                            int64_t now)
{
    const enum itsi_lease_work not_begun = slot->work;
    itsi_ring_take_out(&slot->place);
    itsi_ring_take_out(&slot->to_do);
    itsi_ring_take_out(&slot->leak);
    itsi_heap_remove(&slot->timer);
    slot->work = ITSI_LEASE_NO_WORK;
    slot->is_leaked = false;
    core->books.closed[reason]++;
    if (slot->serial)
        owe(core, slot);
    if (not_begun == ITSI_LEASE_OPEN) {
        become_empty(core, slot, now);
        return;
    }
    itsi_lease_set_state(core, slot, ITSI_LEASE_CLOSING, now);
    slot->closing = reason;
    slot->is_close_due = true;
    want(core, slot, ITSI_LEASE_CLOSE);
}

void itsi_lease_core_closed(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    slot->is_close_due = false;
    if (slot->state == ITSI_LEASE_CLOSING && is_gone(slot))
        become_empty(core, slot, now);
    itsi_lease_advance(core, now);
}

/* Whoever holds or checks it finds out by itself, and its memory is the kind's until then. */
void itsi_lease_core_lost(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    if (slot->state == ITSI_LEASE_IDLE)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_BROKEN, now);
    else
        slot->is_lost = true;
    itsi_lease_advance(core, now);
}

/* --- as time goes by ----------------------------------------------------------------------------------------------- */

static void tick_idle(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    const bool is_spare = itsi_lease_core_live(core) > itsi_lease_wanted(core);
    if (itsi_lease_is_old(core, slot, now))
        itsi_lease_close_old(core, slot, now);
    else if (is_spare && itsi_lease_after(slot->idle_since, core->params.idle_ns) <= now)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_IDLE, now);
    else if (itsi_lease_after(slot->proven, slot->keep_ns) <= now)
        begin_check(core, slot, now);
    else
        itsi_lease_arm(core, slot, itsi_lease_idle_due(core, slot, now));
}

static void tick_lent(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    if (!slot->is_leaked && itsi_lease_after(slot->since, core->params.leak_after_ns) <= now) {
        slot->is_leaked = true;
        core->books.leaks++;
        itsi_ring_put_last(&core->leaks, &slot->leak);
    }
    if (itsi_lease_after(slot->since, core->params.reclaim_after_ns) <= now)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_LEAKED, now);
    else
        itsi_lease_arm(core, slot, itsi_lease_lent_due(core, slot));
}

void itsi_lease_tick_slots(struct itsi_lease_core *core, int64_t now)
{
    while (core->timers.first && core->timers.first->key <= now) {
        struct itsi_lease_slot *slot = ITSI_HEAP_OWNER(core->timers.first, struct itsi_lease_slot, timer);
        itsi_heap_remove(&slot->timer);
        if (slot->state == ITSI_LEASE_IDLE)
            tick_idle(core, slot, now);
        else if (slot->state == ITSI_LEASE_LENT)
            tick_lent(core, slot, now);
    }
}

void itsi_lease_advance(struct itsi_lease_core *core, int64_t now)
{
    const int doubtful = count_doubtful(core, now, &core->doubt_at);
    while (core->waiting > core->count[ITSI_LEASE_CHECKING] - doubtful) {
        struct itsi_lease_slot *slot = at_place(itsi_ring_first(&core->idle));
        if (!slot)
            break;
        if (itsi_lease_is_unproven(core, slot, now))
            begin_check(core, slot, now);
        else
            itsi_lease_lend_to_first(core, slot, now);
    }
    if (core->waiting == 0)
        core->doubt_at = ITSI_NEVER;
    open_wanted(core, doubtful, now);
}

/* Between the parts of the core: lease_core.c (who waits), lease_pass.c (from hand to hand) and lease_slots.c (what is
 * opened, checked and closed). */
#ifndef ITSI_POOL_LEASE_CORE_IMPL_H
#define ITSI_POOL_LEASE_CORE_IMPL_H

#include "base/clock.h"
#include "pool/lease_core.h"

static inline int64_t itsi_lease_after(int64_t instant, int64_t span)
{
    return span == ITSI_NEVER ? ITSI_NEVER : instant + span;
}
static inline int64_t itsi_lease_earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static inline void itsi_lease_set_state(struct itsi_lease_core *core, struct itsi_lease_slot *slot,
                                        enum itsi_lease_state state, int64_t now)
{
    if (slot->state == ITSI_LEASE_LENT || state == ITSI_LEASE_LENT)
        itsi_lease_books_lent(&core->books, core->count[ITSI_LEASE_LENT], now);
    core->count[slot->state]--;
    core->count[state]++;
    slot->state = state;
    if (core->count[ITSI_LEASE_LENT] > core->books.peak)
        core->books.peak = core->count[ITSI_LEASE_LENT];
}

/* Timers are lazy: one that is early enough stays, and is set anew when it comes to nothing. So lending and giving back
 * touch the heap about once per span of a timer. */
static inline void itsi_lease_arm(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t when)
{
    if (when == ITSI_NEVER || (slot->timer.heap && slot->timer.key <= when))
        return;
    itsi_heap_remove(&slot->timer);
    itsi_heap_insert(&core->timers, &slot->timer, when, slot->shown.index);
    core->has_news = true;
}

/* How many there should be. */
static inline int itsi_lease_wanted(const struct itsi_lease_core *core)
{
    const int wanted = core->count[ITSI_LEASE_LENT] + core->waiting + core->params.spares;
    return wanted > core->params.least ? wanted : core->params.least;
}

/* Has been idle for so long that it may be gone without anybody having noticed (HikariCP's aliveBypassWindow). */
static inline bool itsi_lease_is_unproven(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot,
                                          int64_t now)
{
    return now - slot->proven >= core->params.check_after_idle_ns;
}

/* Of an age to die, and none did just before. */
static inline bool itsi_lease_is_old(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot, int64_t now)
{
    return slot->dies <= now && core->next_old <= now;
}

/* lease_core.c: ends a wait; the outcome is told. */
void itsi_lease_settle(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int code);

/* lease_pass.c. Lends it to who came first. */
void itsi_lease_lend_to_first(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);
/* A slot that is good and free: to who waits first, or to the idle ones; or it is closed for age, use or the end. */
void itsi_lease_offer(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);

/* lease_slots.c. */
void itsi_lease_close(struct itsi_lease_core *core, struct itsi_lease_slot *slot, enum itsi_pool_closed reason,
                      int64_t now);
void itsi_lease_close_old(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);
/* Puts what is idle to use for who waits, and opens what is wanted. */
void itsi_lease_advance(struct itsi_lease_core *core, int64_t now);
void itsi_lease_tick_slots(struct itsi_lease_core *core, int64_t now);

#endif

/* The everyday case of lending and giving back, inline: one that is idle to who asks while nobody waits, and back. It is
 * what a lease costs, so it has few stores, since the lock that follows waits for each of them, and calls nothing. Whatever is
 * out of the ordinary is left to lease_pass.c, which begins with the same functions. */
#ifndef ITSI_POOL_LEASE_PASS_H
#define ITSI_POOL_LEASE_PASS_H

#include "pool/lease_core_impl.h"

/* When a lent slot matters next. */
static inline int64_t itsi_lease_lent_due(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot)
{
    const int64_t leak = slot->is_leaked ? ITSI_NEVER : itsi_lease_after(slot->since, core->params.leak_after_ns);
    return itsi_lease_earlier(leak, itsi_lease_after(slot->since, core->params.reclaim_after_ns));
}

/* When an idle one matters next, for which nothing is to be done now. */
static inline int64_t itsi_lease_idle_due(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot, int64_t now)
{
    const int64_t old = slot->dies > core->next_old ? slot->dies : core->next_old;
    int64_t unused = itsi_lease_after(slot->idle_since, core->params.idle_ns);
    if (unused <= now) /* it is needed for the minimum or as a spare: see again later */
        unused = itsi_lease_after(now, core->params.idle_ns);
    return itsi_lease_earlier(slot->dies == ITSI_NEVER ? ITSI_NEVER : old,
                              itsi_lease_earlier(unused, itsi_lease_after(slot->proven, slot->keep_ns)));
}

/* Out of whatever state it is in, and no list. */
static inline struct itsi_lease itsi_lease_lend(struct itsi_lease_core *core, struct itsi_lease_slot *slot,
                                                const struct itsi_pool_owner *owner, int64_t now)
{
    itsi_lease_set_state(core, slot, ITSI_LEASE_LENT, now);
    slot->since = now;
    slot->serial = ++core->serial;
    slot->uses++;
    slot->owner = *owner;
    itsi_lease_arm(core, slot, itsi_lease_lent_due(core, slot));
    return (struct itsi_lease){.slot = &slot->shown, .serial = slot->serial};
}

/* The idle one used last, while nobody waits and it is known to be good; NULL: none such. */
static inline struct itsi_lease_slot *itsi_lease_at_hand(const struct itsi_lease_core *core, int64_t now)
{
    struct itsi_ring *first = core->waiting ? NULL : itsi_ring_first(&core->idle);
    struct itsi_lease_slot *slot = first ? ITSI_RING_OWNER(first, struct itsi_lease_slot, place) : NULL;
    return slot && !itsi_lease_is_unproven(core, slot, now) ? slot : NULL;
}

static inline int itsi_lease_try(struct itsi_lease_core *core, const struct itsi_pool_owner *owner, int64_t now,
                                 struct itsi_lease *out)
{
    struct itsi_lease_slot *slot = itsi_lease_at_hand(core, now);
    if (!slot)
        return ITS_EAGAIN;
    itsi_ring_take_out(&slot->place);
    *out = itsi_lease_lend(core, slot, owner, now);
    core->books.at_once++;
    if (core->params.spares > 0 && itsi_lease_wanted(core) > itsi_lease_core_live(core)) /* one is missing now */
        itsi_lease_advance(core, now);
    return 0;
}

/* The one used last is lent first, so that those not needed stay unused and go. */
static inline void itsi_lease_rest(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    itsi_lease_set_state(core, slot, ITSI_LEASE_IDLE, now);
    slot->idle_since = now;
    itsi_ring_put_first(&core->idle, &slot->place);
    itsi_lease_arm(core, slot, itsi_lease_idle_due(core, slot, now));
}

/* Of one that is held and good: does it live on? */
static inline bool itsi_lease_may_stay(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot, int64_t now)
{
    const bool is_used_up = core->params.uses > 0 && slot->uses >= (uint64_t)core->params.uses;
    return !core->is_shut && !slot->is_lost && !slot->is_leaked && !is_used_up && !itsi_lease_is_old(core, slot, now);
}

static inline void itsi_lease_time_use(struct itsi_lease_core *core, const struct itsi_lease_slot *slot, int64_t now)
{
    if (itsi_lease_is_timed(slot->serial))
        itsi_lease_books_time(&core->books, ITSI_LEASE_USAGE, now - slot->since);
}

/* Back among the idle ones. False, and nothing is changed: not held, or something else has to become of it. */
static inline bool itsi_lease_put_back(struct itsi_lease_core *core, struct itsi_lease lease, int64_t now)
{
    struct itsi_lease_slot *slot = (struct itsi_lease_slot *)lease.slot;
    if (lease.serial == 0 || slot->serial != lease.serial || core->waiting || !itsi_lease_may_stay(core, slot, now))
        return false;
    itsi_lease_time_use(core, slot, now);
    slot->serial = 0;
    slot->proven = now;
    itsi_lease_rest(core, slot, now);
    return true;
}

#endif

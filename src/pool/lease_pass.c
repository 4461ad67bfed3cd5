/* From hand to hand: what happens on every lease. Few stores, since the lock that follows waits for each of them. */
#include "pool/lease_core_impl.h"

/* --- lending ------------------------------------------------------------------------------------------------------- */

int64_t itsi_lease_lent_due(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot)
{
    const int64_t leak = slot->is_leaked ? ITSI_NEVER : itsi_lease_after(slot->since, core->params.leak_after_ns);
    return itsi_lease_earlier(leak, itsi_lease_after(slot->since, core->params.reclaim_after_ns));
}

/* Out of whatever state it is in, and no list. */
static struct itsi_lease lend(struct itsi_lease_core *core, struct itsi_lease_slot *slot,
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

void itsi_lease_lend_to_first(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    struct itsi_lease_waiter *waiter =
        ITSI_RING_OWNER(itsi_ring_first(&core->queue), struct itsi_lease_waiter, place);
    const int64_t waited = now - waiter->since;
    itsi_ring_take_out(&slot->place);
    waiter->lease = lend(core, slot, waiter->owner, now);
    itsi_lease_books_time(&core->books, ITSI_LEASE_ACQUIRE, waited);
    if (waited > core->waited_ns)
        core->waited_ns = waited;
    itsi_lease_settle(core, waiter, 0);
}

int itsi_lease_core_try(struct itsi_lease_core *core, const struct itsi_pool_owner *owner, int64_t now,
                        struct itsi_lease *out)
{
    struct itsi_ring *first = core->waiting ? NULL : itsi_ring_first(&core->idle);
    struct itsi_lease_slot *slot = first ? ITSI_RING_OWNER(first, struct itsi_lease_slot, place) : NULL;
    if (!slot || itsi_lease_is_unproven(core, slot, now))
        return ITS_EAGAIN;
    itsi_ring_take_out(first);
    *out = lend(core, slot, owner, now);
    core->books.at_once++;
    if (core->params.spares > 0 && itsi_lease_wanted(core) > itsi_lease_core_live(core)) /* one is missing now */
        itsi_lease_advance(core, now);
    return 0;
}

/* --- giving back --------------------------------------------------------------------------------------------------- */

int64_t itsi_lease_idle_due(const struct itsi_lease_core *core, const struct itsi_lease_slot *slot, int64_t now)
{
    const int64_t old = slot->dies > core->next_old ? slot->dies : core->next_old;
    int64_t unused = itsi_lease_after(slot->idle_since, core->params.idle_ns);
    if (unused <= now) /* it is needed for the minimum or as a spare: see again later */
        unused = itsi_lease_after(now, core->params.idle_ns);
    return itsi_lease_earlier(slot->dies == ITSI_NEVER ? ITSI_NEVER : old,
                              itsi_lease_earlier(unused, itsi_lease_after(slot->proven, slot->keep_ns)));
}

/* The one used last is lent first, so that those not needed stay unused and go. */
static void rest(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    itsi_lease_set_state(core, slot, ITSI_LEASE_IDLE, now);
    slot->idle_since = now;
    itsi_ring_put_first(&core->idle, &slot->place);
    itsi_lease_arm(core, slot, itsi_lease_idle_due(core, slot, now));
}

void itsi_lease_offer(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    if (core->is_shut)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_SHUTDOWN, now);
    else if (slot->is_lost)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_BROKEN, now);
    else if (core->params.uses > 0 && slot->uses >= (uint64_t)core->params.uses)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_USES, now);
    else if (itsi_lease_is_old(core, slot, now))
        itsi_lease_close_old(core, slot, now);
    else if (core->waiting)
        itsi_lease_lend_to_first(core, slot, now);
    else
        rest(core, slot, now);
}

static void end_leak(struct itsi_lease_core *core, struct itsi_lease_slot *slot)
{
    slot->is_leaked = false;
    core->books.unleaks++;
    itsi_ring_take_out(&slot->leak);
}

/* What was taken by force comes back now, or something came back twice. */
static int refuse(struct itsi_lease_core *core, struct itsi_lease_slot *slot, uint64_t serial)
{
    if (serial != 0 && slot->owed == serial) {
        slot->owed = 0;
        core->owed--;
    }
    return ITS_EINVAL;
}

int itsi_lease_core_release(struct itsi_lease_core *core, struct itsi_lease lease, bool is_broken, int64_t now)
{
    struct itsi_lease_slot *slot = (struct itsi_lease_slot *)lease.slot;
    if (lease.serial == 0 || slot->serial != lease.serial)
        return refuse(core, slot, lease.serial);
    if (itsi_lease_is_timed(slot->serial))
        itsi_lease_books_time(&core->books, ITSI_LEASE_USAGE, now - slot->since);
    if (slot->is_leaked)
        end_leak(core, slot);
    slot->serial = 0;
    slot->proven = now;
    if (is_broken)
        itsi_lease_close(core, slot, ITSI_POOL_CLOSED_BROKEN, now);
    else
        itsi_lease_offer(core, slot, now);
    if (slot->state == ITSI_LEASE_CLOSING) /* another may be wanted in its place */
        itsi_lease_advance(core, now);
    return 0;
}

/* --- without a rest in between --------------------------------------------------------------------------------------- */

static bool may_stay(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    const bool is_used_up = core->params.uses > 0 && slot->uses >= (uint64_t)core->params.uses;
    return !core->is_shut && !slot->is_lost && !slot->is_leaked && !is_used_up && !itsi_lease_is_old(core, slot, now);
}

bool itsi_lease_core_renew(struct itsi_lease_core *core, struct itsi_lease *lease, const struct itsi_pool_owner *owner,
                           int64_t now)
{
    struct itsi_lease_slot *slot = (struct itsi_lease_slot *)lease->slot;
    if (slot->serial != lease->serial || core->waiting || !may_stay(core, slot, now))
        return false;
    if (itsi_lease_is_timed(slot->serial))
        itsi_lease_books_time(&core->books, ITSI_LEASE_USAGE, now - slot->since);
    slot->proven = slot->since = now; /* its timer may be early now, as timers may */
    slot->serial = lease->serial = ++core->serial;
    slot->uses++;
    slot->owner = *owner;
    core->books.at_once++;
    return true;
}

struct itsi_lease_waiter *itsi_lease_core_pass(struct itsi_lease_core *core, struct itsi_lease *lease, int64_t now)
{
    struct itsi_lease_slot *slot = (struct itsi_lease_slot *)lease->slot;
    if (slot->serial != lease->serial || !core->waiting || !may_stay(core, slot, now))
        return NULL;
    struct itsi_lease_waiter *first = ITSI_RING_OWNER(itsi_ring_first(&core->queue), struct itsi_lease_waiter, place);
    if (first->is_watching)
        return NULL;
    const int rc = itsi_lease_core_release(core, *lease, false, now);
    (void)rc; /* it was held, and may stay: so it is lent to the first */
    itsi_ring_take_out(&first->place);
    *lease = first->lease;
    return first;
}

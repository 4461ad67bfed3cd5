/* From hand to hand. */
#include "pool/lease_pass.h"

/* --- lending ------------------------------------------------------------------------------------------------------- */

void itsi_lease_lend_to_first(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now)
{
    struct itsi_lease_waiter *waiter =
        ITSI_RING_OWNER(itsi_ring_first(&core->queue), struct itsi_lease_waiter, place);
    const int64_t waited = now - waiter->since;
    itsi_ring_take_out(&slot->place);
    waiter->lease = itsi_lease_lend(core, slot, waiter->owner, now);
    itsi_lease_books_time(&core->books, ITSI_LEASE_ACQUIRE, waited);
    if (waited > core->waited_ns)
        core->waited_ns = waited;
    itsi_lease_settle(core, waiter, 0);
}

int itsi_lease_core_try(struct itsi_lease_core *core, const struct itsi_pool_owner *owner, int64_t now,
                        struct itsi_lease *out)
{
    return itsi_lease_try(core, owner, now, out);
}

/* --- giving back --------------------------------------------------------------------------------------------------- */

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
        itsi_lease_rest(core, slot, now);
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
    if (!is_broken && itsi_lease_put_back(core, lease, now))
        return 0;
    if (lease.serial == 0 || slot->serial != lease.serial)
        return refuse(core, slot, lease.serial);
    itsi_lease_time_use(core, slot, now);
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

bool itsi_lease_core_renew(struct itsi_lease_core *core, struct itsi_lease *lease, const struct itsi_pool_owner *owner,
                           int64_t now)
{
    struct itsi_lease_slot *slot = (struct itsi_lease_slot *)lease->slot;
    if (slot->serial != lease->serial || core->waiting || !itsi_lease_may_stay(core, slot, now))
        return false;
    itsi_lease_time_use(core, slot, now);
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
    if (slot->serial != lease->serial || !core->waiting || !itsi_lease_may_stay(core, slot, now))
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

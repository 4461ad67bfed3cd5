/* The core against the plainest model there is: an array of who waits in the order they came, a list of who holds what, and
 * a server that opens, checks and closes when it pleases. 100,000 random steps for each of several sets of parameters; after
 * each step everything that must always hold is looked at. */
#include "base/rand.h"
#include "pool/lease_core.h"
#include "pool/lease_fixture.h"
#include "support/check.h"

enum { STEPS = 100000, WAITERS = 64, SLOTS_MOST = 12 };

enum person_state { AWAY, WAITING, HOLDING };

/* Who borrows: asks, waits, holds, gives back or forgets. */
struct person {
    struct itsi_lease_waiter waiter;
    enum person_state state;
    struct itsi_lease lease, stale; /* stale: one that it gave back or that was taken from it */
};

/* What the server has been asked of a slot and not answered. */
struct server_side {
    bool opening, checking, closing, exists;
};

struct model {
    struct itsi_lease_core core;
    struct itsi_rand rng;
    int64_t now;
    struct person people[WAITERS];
    int queue[WAITERS], queued; /* in the order they came */
    struct server_side server[SLOTS_MOST];
    bool is_down;
    uint64_t asked, granted, refused, timeouts, withdrawn;
};

static int below(struct model *m, int bound) { return (int)itsi_rand_below(&m->rng, (uint32_t)bound); }

static void leave_queue(struct model *m, int who)
{
    int at = 0;
    while (at < m->queued && m->queue[at] != who)
        at++;
    assert_true(at < m->queued);
    memmove(&m->queue[at], &m->queue[at + 1], (size_t)(m->queued - at - 1) * sizeof *m->queue);
    m->queued--;
}

/* --- what came out ------------------------------------------------------------------------------------------------- */

static void hold(struct model *m, int who)
{
    struct person *p = &m->people[who];
    p->state = HOLDING;
    p->lease = p->waiter.lease;
    m->granted++;
    assert_non_null(p->lease.slot);
    assert_true(m->server[p->lease.slot->index].exists);
    for (int i = 0; i < WAITERS; i++) /* to nobody else */
        assert_true(i == who || m->people[i].state != HOLDING || m->people[i].lease.slot != p->lease.slot ||
                    ((struct itsi_lease_slot *)p->lease.slot)->serial != m->people[i].lease.serial);
}

static void take_outcomes(struct model *m)
{
    struct itsi_lease_waiter *waiter;
    while ((waiter = itsi_lease_core_next_outcome(&m->core))) {
        struct person *p = ITSI_RING_OWNER((void *)waiter, struct person, waiter);
        const int who = (int)(p - m->people);
        assert_int_equal(p->state, WAITING);
        if (waiter->code == 0) {
            assert_int_equal(m->queue[0], who); /* first come first served */
            hold(m, who);
        } else {
            p->state = AWAY;
            m->timeouts += waiter->code == ITS_ETIMEOUT;
            m->refused += waiter->code == ITS_EREFUSED;
            assert_true(waiter->code == ITS_EREFUSED ||
                        (waiter->code == ITS_ETIMEOUT && waiter->deadline <= m->now));
        }
        leave_queue(m, who);
    }
}

static void take_work(struct model *m)
{
    enum itsi_lease_work work;
    struct itsi_lease_slot *slot;
    while ((slot = itsi_lease_core_next_work(&m->core, &work))) {
        struct server_side *s = &m->server[slot->shown.index];
        if (work == ITSI_LEASE_OPEN) {
            assert_false(s->opening || s->checking || s->closing || s->exists);
            s->opening = true;
        } else if (work == ITSI_LEASE_CHECK) {
            assert_true(s->exists && !s->checking && !s->closing);
            s->checking = true;
        } else {
            assert_true((s->exists || s->opening) && !s->closing);
            s->closing = true;
        }
    }
}

/* --- steps --------------------------------------------------------------------------------------------------------- */

static void step_ask(struct model *m)
{
    const int who = below(m, WAITERS);
    struct person *p = &m->people[who];
    if (p->state != AWAY)
        return;
    p->waiter = (struct itsi_lease_waiter){
        .owner = &somebody, .deadline = below(m, 4) ? m->now + below(m, 3000) * MS : ITSI_NEVER, .is_watching = below(m, 3) == 0};
    m->asked++;
    const int rc = itsi_lease_core_acquire(&m->core, &p->waiter, m->now);
    if (rc == 0) {
        assert_int_equal(m->queued, 0); /* nobody is overtaken */
        hold(m, who);
    } else if (rc == ITS_EAGAIN) {
        p->state = WAITING;
        m->queue[m->queued++] = who;
        assert_true(m->queued <= m->core.params.waiters);
    } else {
        m->refused += rc == ITS_EREFUSED || rc == ITS_ELIMIT;
        m->timeouts += rc == ITS_ETIMEOUT;
        if (rc == ITS_ELIMIT)
            assert_true(m->queued == m->core.params.waiters || m->core.grow.is_slow);
        if (rc == ITS_EREFUSED)
            assert_true(m->is_down || m->core.is_down);
    }
}

static void step_give_back(struct model *m)
{
    const int who = below(m, WAITERS);
    struct person *p = &m->people[who];
    if (p->stale.slot && below(m, 4) == 0) /* twice, or after it was taken away */
        assert_int_equal(itsi_lease_core_release(&m->core, p->stale, false, m->now), ITS_EINVAL);
    if (p->state != HOLDING)
        return;
    const bool is_held = ((struct itsi_lease_slot *)p->lease.slot)->serial == p->lease.serial;
    const int rc = itsi_lease_core_release(&m->core, p->lease, below(m, 10) == 0, m->now);
    assert_int_equal(rc, is_held ? 0 : ITS_EINVAL);
    p->stale = p->lease;
    p->state = AWAY;
}

/* From hand to hand: to who waits first, where that one has no thread, else to its own next owner. */
static void step_pass(struct model *m)
{
    const int who = below(m, WAITERS);
    struct person *p = &m->people[who];
    if (p->state != HOLDING)
        return;
    struct itsi_lease lease = p->lease;
    const bool is_held = ((struct itsi_lease_slot *)lease.slot)->serial == lease.serial;
    struct itsi_lease_waiter *waiter = itsi_lease_core_pass(&m->core, &lease, m->now);
    if (waiter) {
        const int first = m->queue[0];
        assert_ptr_equal(waiter, &m->people[first].waiter);
        assert_true(is_held && waiter->code == 0 && !waiter->is_watching && lease.slot == p->lease.slot);
        p->stale = p->lease;
        p->state = AWAY;
        hold(m, first);
        leave_queue(m, first);
    } else if (itsi_lease_core_renew(&m->core, &lease, &somebody, m->now)) {
        assert_true(is_held && m->queued == 0 && lease.slot == p->lease.slot && lease.serial != p->lease.serial);
        p->stale = p->lease;
        p->lease = lease;
        m->asked++;
        m->granted++;
    } else {
        assert_int_equal(lease.serial, p->lease.serial); /* nothing has changed */
    }
}

static void step_withdraw(struct model *m)
{
    if (m->queued == 0)
        return;
    const int who = m->queue[below(m, m->queued)];
    itsi_lease_core_withdraw(&m->core, &m->people[who].waiter, ITS_ECANCELLED);
    m->people[who].state = AWAY;
    m->withdrawn++;
    leave_queue(m, who);
}

/* The server answers one thing. */
static void step_answer(struct model *m)
{
    const int index = below(m, m->core.params.most);
    struct server_side *s = &m->server[index];
    struct itsi_lease_slot *slot = &m->core.slots[index];
    if (s->opening && below(m, 2)) {
        s->opening = false;
        s->exists = !m->is_down && below(m, 20) > 0;
        if (s->exists)
            itsi_lease_core_opened(&m->core, slot, m->now);
        else
            itsi_lease_core_failed(&m->core, slot, m->now);
    } else if (s->checking && below(m, 2)) {
        s->checking = false;
        itsi_lease_core_checked(&m->core, slot, !m->is_down && below(m, 10) > 0, m->now);
    } else if (s->closing) {
        s->closing = s->exists = false;
        itsi_lease_core_closed(&m->core, slot, m->now);
    } else if (s->exists && !s->checking && below(m, 30) == 0) {
        itsi_lease_core_lost(&m->core, slot, m->now);
    }
}

static void step_time(struct model *m)
{
    m->now += below(m, 10) ? below(m, 30) * MS : below(m, 2000) * MS;
    if (below(m, m->is_down ? 20 : 300) == 0)
        m->is_down = !m->is_down;
    itsi_lease_core_tick(&m->core, (10 + below(m, 20)) * MS, m->now);
    for (int i = 0; i < WAITERS; i++) { /* those without a timer see to it themselves */
        struct itsi_lease_waiter *waiter = &m->people[i].waiter;
        if (m->people[i].state == WAITING && waiter->code == ITS_EAGAIN && waiter->is_watching &&
            waiter->deadline <= m->now) {
            itsi_lease_core_withdraw(&m->core, waiter, ITS_ETIMEOUT);
            m->people[i].state = AWAY;
            m->timeouts++;
            leave_queue(m, i);
        }
    }
}

/* --- what must always hold ----------------------------------------------------------------------------------------- */

static void check_slots(struct model *m)
{
    const struct itsi_lease_core *core = &m->core;
    int count[ITSI_LEASE_STATES] = {0}, lent = 0, existing = 0, idle = 0, empty = 0;
    for (int i = 0; i < core->params.most; i++) {
        const struct itsi_lease_slot *slot = &core->slots[i];
        const struct server_side *s = &m->server[i];
        count[slot->state]++;
        existing += s->exists || s->opening;
        assert_int_equal(slot->serial != 0, slot->state == ITSI_LEASE_LENT);
        assert_true(slot->state != ITSI_LEASE_EMPTY || (!s->exists && !s->opening && !s->checking && !s->closing));
        assert_true((slot->state != ITSI_LEASE_IDLE && slot->state != ITSI_LEASE_LENT) || (s->exists && !s->closing));
        assert_true(slot->state != ITSI_LEASE_CLOSING || slot->work == ITSI_LEASE_CLOSE || s->closing || s->opening ||
                    s->checking);
    }
    int sum = 0;
    for (int i = 0; i < ITSI_LEASE_STATES; i++) {
        assert_int_equal(core->count[i], count[i]);
        sum += count[i];
    }
    assert_int_equal(sum, core->params.most);
    assert_true(existing <= core->params.most);
    for (const struct itsi_ring *r = core->idle.next; r != &core->idle; r = r->next)
        idle++;
    for (const struct itsi_ring *r = core->empty.next; r != &core->empty; r = r->next)
        empty++;
    assert_int_equal(idle, count[ITSI_LEASE_IDLE]);
    assert_int_equal(empty, count[ITSI_LEASE_EMPTY]);
    for (int i = 0; i < WAITERS; i++) /* every lease is somebody's */
        lent += m->people[i].state == HOLDING &&
                ((struct itsi_lease_slot *)m->people[i].lease.slot)->serial == m->people[i].lease.serial;
    assert_int_equal(lent, count[ITSI_LEASE_LENT]);
}

static void check_waiting(struct model *m)
{
    const struct itsi_lease_core *core = &m->core;
    int waiting = 0;
    const struct itsi_ring *r = core->queue.next;
    for (; r != &core->queue; r = r->next) {
        const struct person *p = ITSI_RING_OWNER((void *)ITSI_RING_OWNER((void *)r, struct itsi_lease_waiter, place),
                                                 struct person, waiter);
        assert_ptr_equal(p, &m->people[m->queue[waiting++]]);
        assert_int_equal(p->state, WAITING);
        assert_true(itsi_lease_core_due(core) <= p->waiter.deadline || p->waiter.is_watching);
    }
    assert_int_equal(waiting, m->queued);
    assert_int_equal(core->waiting, m->queued);
    /* nobody waits beside something idle, unless as many are being checked */
    assert_true(waiting <= core->count[ITSI_LEASE_CHECKING] || core->count[ITSI_LEASE_IDLE] == 0);
    /* nobody waits for nothing: something will come back, or be tried */
    if (waiting > 0)
        assert_true(core->params.most > core->count[ITSI_LEASE_EMPTY] || core->retry_at != ITSI_NEVER);
}

static void check_books(const struct model *m)
{
    const struct itsi_lease_books *b = &m->core.books;
    uint64_t closed = 0;
    for (int i = 0; i < ITSI_POOL_CLOSED_COUNT; i++)
        closed += b->closed[i];
    assert_int_equal(b->opens, closed + (uint64_t)itsi_lease_core_live(&m->core));
    assert_int_equal(b->at_once + b->times[ITSI_LEASE_ACQUIRE].moments.count, m->granted);
    assert_int_equal(b->refused_down + b->refused_full + b->refused_slow, m->refused);
    assert_int_equal(b->timeouts, m->timeouts);
    assert_int_equal(b->cancelled, m->withdrawn);
    assert_int_equal(m->asked, m->granted + m->refused + m->timeouts + m->withdrawn + (uint64_t)m->queued);
    assert_true(b->unleaks <= b->leaks);
}

static void settle(struct model *m)
{
    take_outcomes(m);
    while (itsi_lease_core_next_leak(&m->core))
        ;
    if (below(m, 3)) /* the loop's thread comes later */
        take_work(m);
    check_slots(m);
    check_waiting(m);
    check_books(m);
}

static void play(const struct itsi_pool_params *params, uint64_t seed)
{
    static struct model model;
    struct model *m = &model;
    struct its_diag diag;
    memset(m, 0, sizeof *m);
    itsi_rand_seed(&m->rng, seed);
    m->now = 1000 * S;
    CHECK_OK(itsi_lease_core_init(&m->core, params, m->now, &diag), diag);
    for (int i = 0; i < STEPS; i++) {
        const int what = below(m, 100);
        if (what < 25)
            step_ask(m);
        else if (what < 55)
            below(m, 3) ? step_give_back(m) : step_pass(m);
        else if (what < 58)
            step_withdraw(m);
        else if (what < 85)
            step_answer(m);
        else
            step_time(m);
        settle(m);
    }
    printf("seed %llu: %llu asked, %llu got one, %llu refused, %llu timed out, %llu opened, %llu leaks\n",
           (unsigned long long)seed, (unsigned long long)m->asked, (unsigned long long)m->granted,
           (unsigned long long)m->refused, (unsigned long long)m->timeouts, (unsigned long long)m->core.books.opens,
           (unsigned long long)m->core.books.leaks);
    assert_true(m->granted > STEPS / 500 && m->timeouts > 0 && m->refused > 0);
    /* and it ends: what is out is taken, the rest is answered */
    itsi_lease_core_shut(&m->core, m->now);
    while (itsi_lease_core_next_outcome(&m->core))
        ;
    itsi_lease_core_seize(&m->core, m->now);
    for (int i = 0; i < 10000 && m->core.count[ITSI_LEASE_EMPTY] < params->most; i++) {
        take_work(m);
        step_answer(m);
    }
    assert_int_equal(m->core.count[ITSI_LEASE_EMPTY], params->most);
    itsi_lease_core_fini(&m->core);
}

static struct itsi_pool_params busy_params(void)
{
    struct itsi_pool_params p = plain_params();
    p.most = SLOTS_MOST;
    p.least = 2;
    p.overflow = 5;
    p.reserve = 2;
    p.spares = 1;
    p.waiters = 20;
    p.opens_per_second = 30;
    p.opening = 3;
    p.reserve_after_ns = 400 * MS;
    p.check_after_idle_ns = 500 * MS;
    p.keep_checking_ns = 5 * S;
    p.lifetime_ns = 60 * S;
    p.idle_ns = 10 * S;
    p.uses = 40;
    p.leak_after_ns = 20 * S;
    p.reclaim_after_ns = 60 * S;
    return p;
}

static void with_every_rule_on(void **state)
{
    (void)state;
    const struct itsi_pool_params p = busy_params();
    for (uint64_t seed = 1; seed <= 3; seed++)
        play(&p, seed);
}

static void with_every_rule_off(void **state)
{
    (void)state;
    struct itsi_pool_params p = plain_params();
    p.waiters = 20;
    play(&p, 4);
}

static void with_a_single_one(void **state)
{
    (void)state;
    struct itsi_pool_params p = busy_params();
    p.most = 1;
    p.least = p.overflow = p.reserve = p.spares = 0;
    play(&p, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_every_rule_on),
        cmocka_unit_test(with_every_rule_off),
        cmocka_unit_test(with_a_single_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Checks that nobody answers: a link that died without a word. Who waits is not kept from the others that idle. */
#include "pool/lease_world.h"

enum { IDLE = 5 };

/* Everything idles, unproven; the world no longer answers by itself. */
static void begin_idle(struct world *w, int least, int most)
{
    struct itsi_pool_params p = plain_params();
    p.least = least;
    p.most = most;
    p.check_after_idle_ns = 500 * MS;
    p.keep_checking_ns = 30 * S;
    p.check_timeout_ns = S;
    begin(w, &p);
    w->now += S;
    itsi_lease_core_tick(&w->core, 0, w->now);
}

static struct itsi_lease_waiter *ask_unanswered(struct world *w)
{
    struct itsi_lease_waiter *waiter = &w->waiters[w->used++];
    *waiter = (struct itsi_lease_waiter){.owner = &somebody, .deadline = ITSI_NEVER};
    assert_int_equal(itsi_lease_core_acquire(&w->core, waiter, w->now), ITS_EAGAIN);
    return waiter;
}

static struct itsi_lease_slot *next(struct world *w, enum itsi_lease_work wanted)
{
    enum itsi_lease_work work = ITSI_LEASE_NO_WORK;
    struct itsi_lease_slot *slot = itsi_lease_core_next_work(&w->core, &work);
    assert_int_equal(work, wanted);
    return slot;
}

/* To when a tick is due, within so long. */
static void wait_within(struct world *w, int64_t span)
{
    const int64_t end = w->now + span;
    while (itsi_lease_core_due(&w->core) <= end && itsi_ring_is_empty(&w->core.works)) {
        w->now = itsi_lease_core_due(&w->core);
        itsi_lease_core_tick(&w->core, 0, w->now);
    }
}

static void a_silent_check_of_an_idle_one_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct world w;
    begin_idle(&w, IDLE, IDLE);
    while (itsi_ring_is_empty(&w.core.works)) /* the first that is due by itself */
        wait_within(&w, S);
    const struct itsi_lease_slot *silent = next(&w, ITSI_LEASE_CHECK);
    const int64_t asked = w.now;
    const struct itsi_lease_waiter *waiter = ask_unanswered(&w);
    wait_within(&w, 100 * MS);
    struct itsi_lease_slot *other = next(&w, ITSI_LEASE_CHECK);
    assert_ptr_not_equal(other, silent);
    itsi_lease_core_checked(&w.core, other, true, w.now);
    assert_int_equal(waiter->code, 0);
    assert_true(w.now - asked <= 100 * MS);
    itsi_lease_core_checked(&w.core, (struct itsi_lease_slot *)silent, false, w.now + S);
    finish(&w);
}

/* One after the other, a tenth of a check's time apart, and no two at once. */
static void who_waits_goes_on_to_the_next_before_a_check_has_failed(void **state)
{
    (void)state;
    struct world w;
    begin_idle(&w, IDLE, IDLE);
    const struct itsi_lease_waiter *waiter = ask_unanswered(&w);
    struct itsi_lease_slot *slots[IDLE];
    for (int i = 0; i < IDLE; i++) {
        const int64_t before = w.now;
        slots[i] = next(&w, ITSI_LEASE_CHECK);
        assert_true(itsi_ring_is_empty(&w.core.works));
        if (i + 1 < IDLE) {
            wait_within(&w, S);
            assert_int_equal(w.now - before, 100 * MS);
        }
    }
    assert_int_equal(waiter->code, ITS_EAGAIN);
    itsi_lease_core_checked(&w.core, slots[IDLE - 1], true, w.now);
    assert_int_equal(waiter->code, 0);
    for (int i = 0; i < IDLE - 1; i++)
        itsi_lease_core_checked(&w.core, slots[i], true, w.now);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), IDLE - 1);
    finish(&w);
}

static void where_the_size_allows_another_is_opened_instead(void **state)
{
    (void)state;
    struct world w;
    begin_idle(&w, 1, 2);
    const struct itsi_lease_waiter *waiter = ask_unanswered(&w);
    struct itsi_lease_slot *silent = next(&w, ITSI_LEASE_CHECK);
    wait_within(&w, 100 * MS);
    struct itsi_lease_slot *fresh = next(&w, ITSI_LEASE_OPEN);
    assert_ptr_not_equal(fresh, silent);
    itsi_lease_core_opened(&w.core, fresh, w.now);
    assert_int_equal(waiter->code, 0);
    wait_within(&w, S); /* and no more than one for who waited */
    assert_true(itsi_ring_is_empty(&w.core.works));
    itsi_lease_core_checked(&w.core, silent, false, w.now);
    finish(&w);
}

/* While nobody waits a silent check is nobody's trouble. */
static void nothing_is_opened_for_a_silent_check_alone(void **state)
{
    (void)state;
    struct world w;
    begin_idle(&w, 1, 2);
    while (itsi_ring_is_empty(&w.core.works))
        wait_within(&w, S);
    struct itsi_lease_slot *silent = next(&w, ITSI_LEASE_CHECK);
    wait_within(&w, S);
    assert_true(itsi_ring_is_empty(&w.core.works));
    itsi_lease_core_checked(&w.core, silent, true, w.now);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 1);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_check_of_an_idle_one_keeps_nobody_waiting),
        cmocka_unit_test(who_waits_goes_on_to_the_next_before_a_check_has_failed),
        cmocka_unit_test(where_the_size_allows_another_is_opened_instead),
        cmocka_unit_test(nothing_is_opened_for_a_silent_check_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The rules of who gets what and when, each by itself. Sizes, lives and failures: lease_slots_test.c. */
#include "pool/lease_world.h"

#include "base/mem.h"

static void the_least_are_opened_and_no_more(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = 3;
    begin(&w, &p);
    pass(&w, 60 * S);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 3);
    assert_int_equal(w.opens, 3);
    finish(&w);
}

static void opens_on_demand_up_to_the_size(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[10];
    begin(&w, &p);
    lend(&w, 10, mine);
    assert_int_equal(ask(&w)->code, ITS_EAGAIN);
    pass(&w, 60 * S);
    assert_int_equal(w.opens, 10);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 10);
    assert_int_equal(w.core.waiting, 1);
    finish(&w);
}

static void first_come_first_served_and_nobody_overtakes(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    struct itsi_lease_waiter *holder, *waiting[5];
    begin(&w, &p);
    lend(&w, 1, &holder);
    for (int i = 0; i < 5; i++)
        waiting[i] = ask(&w);
    for (int i = 0; i < 5; i++) {
        /* handed over: it was idle at no moment, so who comes right now waits behind the others */
        give_back(&w, holder, false);
        assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 0);
        assert_int_equal(ask(&w)->code, ITS_EAGAIN);
        assert_int_equal(waiting[i]->code, 0);
        for (int later = i + 1; later < 5; later++)
            assert_int_equal(waiting[later]->code, ITS_EAGAIN);
        holder = waiting[i];
    }
    finish(&w);
}

static void only_so_many_may_wait(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    p.waiters = 2;
    struct itsi_lease_waiter *holder;
    begin(&w, &p);
    lend(&w, 1, &holder);
    assert_int_equal(ask(&w)->code, ITS_EAGAIN);
    assert_int_equal(ask(&w)->code, ITS_EAGAIN);
    assert_int_equal(ask(&w)->code, ITS_ELIMIT);
    assert_int_equal(w.core.books.refused_full, 1);
    give_back(&w, holder, false);
    assert_int_equal(ask(&w)->code, ITS_EAGAIN); /* there is room again */
    finish(&w);
}

static void a_wait_ends_at_the_caller_s_deadline(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    struct itsi_lease_waiter *holder;
    begin(&w, &p);
    lend(&w, 1, &holder);
    struct itsi_lease_waiter *late = ask_for(&w, 70 * MS), *early = ask_for(&w, 30 * MS), *patient = ask(&w);
    assert_true(itsi_lease_core_due(&w.core) <= w.now + 30 * MS);
    pass(&w, 30 * MS - 1);
    assert_int_equal(early->code, ITS_EAGAIN);
    pass(&w, 1);
    assert_int_equal(early->code, ITS_ETIMEOUT);
    assert_int_equal(late->code, ITS_EAGAIN);
    pass(&w, 40 * MS);
    assert_int_equal(late->code, ITS_ETIMEOUT);
    assert_int_equal(ask_for(&w, 0)->code, ITS_ETIMEOUT); /* it had passed before */
    assert_int_equal(w.core.books.timeouts, 3);
    give_back(&w, holder, false);
    assert_int_equal(patient->code, 0);
    finish(&w);
}

static void who_withdraws_is_passed_over(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    struct itsi_lease_waiter *holder;
    begin(&w, &p);
    lend(&w, 1, &holder);
    struct itsi_lease_waiter *first = ask_for(&w, S), *second = ask_for(&w, S);
    itsi_lease_core_withdraw(&w.core, first, ITS_ECANCELLED);
    give_back(&w, holder, false);
    assert_int_equal(first->code, ITS_ECANCELLED);
    assert_int_equal(second->code, 0);
    assert_int_equal(w.core.books.cancelled, 1);
    pass(&w, 2 * S); /* and its deadline means nothing any more */
    assert_int_equal(w.core.books.timeouts, 0);
    finish(&w);
}

static void the_one_used_last_is_lent_first(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[3];
    begin(&w, &p);
    lend(&w, 3, mine);
    const struct itsi_pool_slot *last = mine[1]->lease.slot;
    give_back(&w, mine[0], false);
    give_back(&w, mine[2], false);
    give_back(&w, mine[1], false);
    assert_ptr_equal(ask(&w)->lease.slot, last);
    finish(&w);
}

static void a_lease_is_given_back_once(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    struct itsi_lease_waiter *first;
    int64_t leaked;
    begin(&w, &p);
    lend(&w, 1, &first);
    give_back(&w, first, false);
    assert_int_equal(itsi_lease_core_release(&w.core, first->lease, false, w.now, &leaked), ITS_EINVAL);
    struct itsi_lease_waiter *second = ask(&w);
    assert_ptr_equal(second->lease.slot, first->lease.slot);
    /* the same slot is out again: not by that lease */
    assert_int_equal(itsi_lease_core_release(&w.core, first->lease, true, w.now, &leaked), ITS_EINVAL);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 1);
    finish(&w);
}

static void a_broken_one_is_replaced_for_who_waits(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    struct itsi_lease_waiter *holder;
    begin(&w, &p);
    lend(&w, 1, &holder);
    struct itsi_lease_waiter *next = ask(&w);
    give_back(&w, holder, true);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_BROKEN], 1);
    assert_int_equal(w.opens, 2);
    assert_int_equal(next->code, 0);
    finish(&w);
}

static void the_end_cancels_waits_and_closes_what_comes_back(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 2;
    struct itsi_lease_waiter *held[2];
    begin(&w, &p);
    lend(&w, 2, held);
    struct itsi_lease_waiter *waiting = ask(&w);
    itsi_lease_core_shut(&w.core, w.now);
    serve(&w);
    assert_int_equal(waiting->code, ITS_ECANCELLED);
    assert_int_equal(ask(&w)->code, ITS_ECANCELLED);
    give_back(&w, held[0], false);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_SHUTDOWN], 1);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 1);
    itsi_lease_core_seize(&w.core, w.now);
    serve(&w);
    assert_int_equal(count_of(&w, ITSI_LEASE_EMPTY), 2);
    int64_t leaked;
    assert_int_equal(w.core.owed, 1);
    assert_int_equal(itsi_lease_core_release(&w.core, held[1]->lease, false, w.now, &leaked), ITS_EINVAL);
    assert_int_equal(w.core.owed, 0); /* now nobody can name its slot */
    finish(&w);
}

/* The slot is free when both the open is answered and the close is, in either order. */
static void what_is_being_opened_at_the_end_is_closed_when_answered(void **state)
{
    (void)state;
    for (int closed_first = 0; closed_first < 2; closed_first++) {
        struct world w;
        struct itsi_pool_params p = plain_params();
        enum itsi_lease_work work;
        p.most = 1;
        begin(&w, &p);
        struct itsi_lease_waiter waiter = {.owner = &somebody, .deadline = ITSI_NEVER};
        itsi_lease_core_acquire(&w.core, &waiter, w.now);
        struct itsi_lease_slot *slot = itsi_lease_core_next_work(&w.core, &work);
        assert_int_equal(work, ITSI_LEASE_OPEN);
        itsi_lease_core_shut(&w.core, w.now);
        assert_ptr_equal(itsi_lease_core_next_work(&w.core, &work), slot);
        assert_int_equal(work, ITSI_LEASE_CLOSE);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(slot->state, ITSI_LEASE_CLOSING);
            if (closed_first == (i == 0))
                itsi_lease_core_closed(&w.core, slot, w.now);
            else
                itsi_lease_core_opened(&w.core, slot, w.now);
        }
        assert_int_equal(slot->state, ITSI_LEASE_EMPTY);
        finish(&w);
    }
}

static void bad_parameters_are_named(void **state)
{
    (void)state;
    const struct itsi_pool_params good = plain_params();
    struct itsi_pool_params bad[8];
    static const char *const names[] = {"most", "overflow", "least", "spares", "opens_per_second", "opening", "down_first",
                                        "lifetime"};
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].most = 0;
    bad[1].overflow = 10;
    bad[2].least = 11;
    bad[3].spares = -1;
    bad[4].opens_per_second = 0;
    bad[5].opening = 0;
    bad[6].down_first_ns = 9 * S;
    bad[7].lifetime_ns = 0;
    for (int i = 0; i < 8; i++) {
        struct itsi_lease_core core;
        struct its_diag diag = {""};
        assert_int_equal(itsi_lease_core_init(&core, &bad[i], 0, &diag), ITS_EINVAL);
        CHECK_CONTAINS(diag.text, names[i]);
    }
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    const struct itsi_pool_params p = plain_params();
    int failures = 0;
    for (int n = 1;; n++) {
        struct itsi_lease_core core = {.slots = NULL};
        struct its_diag diag;
        itsi_alloc_fail_at(n);
        const int rc = itsi_lease_core_init(&core, &p, 0, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            itsi_lease_core_fini(&core);
            break;
        }
        assert_int_equal(rc, ITS_ENOMEM);
        failures++;
    }
    assert_int_equal(failures, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_are_opened_and_no_more),
        cmocka_unit_test(opens_on_demand_up_to_the_size),
        cmocka_unit_test(first_come_first_served_and_nobody_overtakes),
        cmocka_unit_test(only_so_many_may_wait),
        cmocka_unit_test(a_wait_ends_at_the_caller_s_deadline),
        cmocka_unit_test(who_withdraws_is_passed_over),
        cmocka_unit_test(the_one_used_last_is_lent_first),
        cmocka_unit_test(a_lease_is_given_back_once),
        cmocka_unit_test(a_broken_one_is_replaced_for_who_waits),
        cmocka_unit_test(the_end_cancels_waits_and_closes_what_comes_back),
        cmocka_unit_test(what_is_being_opened_at_the_end_is_closed_when_answered),
        cmocka_unit_test(bad_parameters_are_named),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

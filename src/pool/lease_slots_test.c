/* The rules of what is opened, kept and closed, each by itself. */
#include "pool/lease_world.h"

/* --- opening ------------------------------------------------------------------------------------------------------- */

static void opens_keep_to_their_rate(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 60;
    p.opens_per_second = 20; /* two at once */
    begin(&w, &p);
    assert_int_equal(w.opens, 2);
    pass(&w, S);
    assert_in_range(w.opens, 21, 22);
    pass(&w, S);
    assert_in_range(w.opens, 41, 42);
    pass(&w, 10 * S);
    assert_int_equal(w.opens, 60);
    finish(&w);
}

/* Takes what is to be opened, unanswered. */
static int begin_opens(struct world *w, struct itsi_lease_slot *slots[])
{
    enum itsi_lease_work work;
    struct itsi_lease_slot *slot;
    int count = 0;
    while ((slot = itsi_lease_core_next_work(&w->core, &work))) {
        assert_int_equal(work, ITSI_LEASE_OPEN);
        slots[count++] = slot;
    }
    return count;
}

static void only_so_many_are_opened_at_once(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_slot *slots[10];
    struct its_diag diag;
    p.least = 10;
    p.opening = 3;
    memset(&w, 0, sizeof w);
    CHECK_OK(itsi_lease_core_init(&w.core, &p, 0, &diag), diag);
    assert_int_equal(begin_opens(&w, slots), 3);
    itsi_lease_core_opened(&w.core, slots[0], 1);
    assert_int_equal(begin_opens(&w, slots + 3), 1);
    for (int i = 1; i < 4; i++)
        itsi_lease_core_opened(&w.core, slots[i], 2);
    serve(&w);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 10);
    finish(&w);
}

static void spares_are_ready_beyond_those_in_use(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[8];
    p.spares = 2;
    p.idle_ns = 5 * S;
    begin(&w, &p);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 2);
    lend(&w, 4, mine);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 2);
    lend(&w, 4, mine + 4);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 2);
    (void)ask(&w);
    (void)ask(&w);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 10); /* never more than the size */
    for (int i = 0; i < 8; i++)
        give_back(&w, mine[i], false);
    pass(&w, 60 * S); /* nor are they given up for being idle */
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 2);
    finish(&w);
}

static void the_reserve_is_for_who_waited_long(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[8];
    p.reserve = 2;
    p.reserve_after_ns = 300 * MS;
    begin(&w, &p);
    lend(&w, 8, mine);
    struct itsi_lease_waiter *waiting = ask(&w);
    pass(&w, 300 * MS - 1);
    assert_int_equal(waiting->code, ITS_EAGAIN);
    pass(&w, 1);
    assert_int_equal(waiting->code, 0);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 9);
    finish(&w);
}

/* --- size ---------------------------------------------------------------------------------------------------------- */

/* Ten in use by a server of 10 ms, a calm before, then a crowd; over which the server takes `latency`. */
static void crowd(struct world *w, int64_t latency)
{
    struct itsi_pool_params p = plain_params();
    p.most = 40;
    p.overflow = 30;
    struct itsi_lease_waiter *mine[10];
    begin(w, &p);
    w->latency_ns = 10 * MS;
    lend(w, 10, mine);
    pass(w, 5 * S);
    assert_int_equal(w->core.grow.size, 10);
    w->latency_ns = latency;
    for (int i = 0; i < 30; i++)
        (void)ask(w);
    pass(w, 2 * S);
}

static void the_size_is_raised_while_waits_grow_and_the_server_is_as_fast_as_ever(void **state)
{
    (void)state;
    struct world w;
    crowd(&w, 11 * MS);
    assert_true(w.core.grow.size > 15);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), w.core.grow.size);
    finish(&w);
}

static void a_slow_server_gets_no_more_and_hopeless_callers_are_turned_away(void **state)
{
    (void)state;
    struct world w;
    crowd(&w, 40 * MS);
    assert_int_equal(w.core.grow.size, 10);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 10);
    assert_true(w.core.grow.is_slow);
    w.core.grow.use_ns = 40e6; /* thirty wait, ten are out: a good 120 ms */
    assert_int_equal(ask_for(&w, 100 * MS)->code, ITS_ELIMIT);
    assert_int_equal(ask_for(&w, 200 * MS)->code, ITS_EAGAIN);
    assert_int_equal(w.core.books.refused_slow, 1);
    finish(&w);
}

static void what_idles_goes_but_the_least_stay(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[10];
    p.least = 2;
    p.idle_ns = 10 * S;
    begin(&w, &p);
    lend(&w, 10, mine);
    for (int i = 0; i < 10; i++)
        give_back(&w, mine[i], false);
    pass(&w, 10 * S - 1);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 10);
    pass(&w, 1);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 2); /* the least stay */
    pass(&w, 100 * S);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 2);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_IDLE], 8);
    finish(&w);
}

/* --- a server that is away ------------------------------------------------------------------------------------------ */

static void callers_fail_fast_while_the_server_is_down(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    begin(&w, &p);
    w.is_down = true;
    assert_int_equal(ask_for(&w, 60 * S)->code, ITS_EREFUSED); /* the one that found out */
    assert_int_equal(w.opens, 1);
    pass(&w, 499 * MS); /* the window is at least half of down_first */
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_for(&w, 60 * S)->code, ITS_EREFUSED);
    assert_int_equal(w.opens, 1); /* and cost the server nothing */
    assert_int_equal(w.core.books.refused_down, 21);
    pass(&w, 501 * MS);
    w.is_down = false;
    assert_int_equal(ask_for(&w, 60 * S)->code, 0);
    finish(&w);
}

static void lose_one(struct world *w)
{
    itsi_lease_core_lost(&w->core, ITSI_RING_OWNER(itsi_ring_first(&w->core.idle), struct itsi_lease_slot, place), w->now);
    serve(w);
}

/* The upper half of 1 s, 2 s, 4 s, 8 s, 8 s. */
static void the_windows_double(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = 1;
    begin(&w, &p);
    w.is_down = true;
    lose_one(&w);
    static const int64_t bounds[] = {1, 2, 4, 8, 8, 8};
    for (int i = 0; i < 6; i++) {
        assert_in_range(w.core.down_until - w.now, bounds[i] * S / 2, bounds[i] * S);
        const int opens = w.opens;
        pass(&w, w.core.down_until - w.now - 1);
        assert_int_equal(w.opens, opens);
        pass(&w, 1);
        assert_int_equal(w.opens, opens + 1); /* tried by itself, for the minimum */
    }
    w.is_down = false;
    pass(&w, 8 * S);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 1);
    w.is_down = true; /* forgotten: the first window again */
    lose_one(&w);
    assert_in_range(w.core.down_until - w.now, S / 2, S);
    finish(&w);
}

static void a_server_that_was_down_is_tried_by_one(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter waiters[5];
    struct itsi_lease_slot *slots[10];
    begin(&w, &p);
    w.is_down = true;
    (void)ask(&w);
    pass(&w, S);
    for (int i = 0; i < 5; i++) {
        waiters[i] = (struct itsi_lease_waiter){.owner = &somebody, .deadline = ITSI_NEVER};
        assert_int_equal(itsi_lease_core_acquire(&w.core, &waiters[i], w.now), ITS_EAGAIN);
    }
    assert_int_equal(begin_opens(&w, slots), 1);
    itsi_lease_core_opened(&w.core, slots[0], w.now); /* it is back: the others may come */
    assert_int_equal(waiters[0].code, 0);
    assert_int_equal(begin_opens(&w, slots), 4);
    for (int i = 0; i < 4; i++)
        itsi_lease_core_opened(&w.core, slots[i], w.now);
    serve(&w);
    finish(&w);
}

/* Of ten that fail together: one step, not ten. */
static void failures_in_one_moment_count_as_one(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_slot *slots[10];
    struct its_diag diag;
    p.least = 10;
    memset(&w, 0, sizeof w);
    CHECK_OK(itsi_lease_core_init(&w.core, &p, 0, &diag), diag);
    assert_int_equal(begin_opens(&w, slots), 10);
    for (int i = 0; i < 10; i++)
        itsi_lease_core_failed(&w.core, slots[i], 1000);
    assert_in_range(w.core.down_until, S / 2, S + 1000);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_OPEN], 10);
    finish(&w);
}

/* max_connections is reached, say: what there is goes round. */
static void while_something_is_open_callers_wait_for_it(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *holder;
    begin(&w, &p);
    lend(&w, 1, &holder);
    w.is_down = true;
    struct itsi_lease_waiter *waiting = ask_for(&w, 10 * S);
    assert_true(w.core.is_down);
    assert_int_equal(waiting->code, ITS_EAGAIN);
    give_back(&w, holder, false);
    assert_int_equal(waiting->code, 0);
    finish(&w);
}

/* --- checking ------------------------------------------------------------------------------------------------------ */

static void checked_on_borrow_only_after_idling(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.check_after_idle_ns = 500 * MS;
    begin(&w, &p);
    give_back(&w, ask(&w), false);
    pass(&w, 500 * MS - 1);
    give_back(&w, ask(&w), false);
    assert_int_equal(w.checks, 0);
    pass(&w, 500 * MS);
    struct itsi_lease_waiter *checked = ask(&w);
    assert_int_equal(w.checks, 1);
    assert_int_equal(checked->code, 0);
    give_back(&w, checked, false);
    pass(&w, 500 * MS);
    w.checks_fail = true;
    assert_int_equal(ask(&w)->code, 0); /* another one */
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_CHECK], 1);
    assert_int_equal(w.opens, 2);
    finish(&w);
}

/* One check for one caller, though ten are idle. */
static void no_more_are_checked_than_are_asked_for(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = 10;
    p.check_after_idle_ns = 500 * MS;
    begin(&w, &p);
    pass(&w, S);
    (void)ask(&w);
    assert_int_equal(w.checks, 1);
    finish(&w);
}

static void idle_ones_are_checked_now_and_then_not_all_at_once(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 50;
    p.keep_checking_ns = 30 * S;
    begin(&w, &p);
    pass(&w, 27 * S - 1);
    assert_int_equal(w.checks, 0);
    int most = 0;
    for (int ms = 0; ms < 6000; ms++) {
        const int before = w.checks;
        pass(&w, MS);
        most = w.checks - before > most ? w.checks - before : most;
    }
    pass(&w, 1);
    assert_int_equal(w.checks, 50);
    assert_true(most < 5);
    /* one that is in use proves itself */
    struct itsi_lease_waiter *busy = ask(&w);
    const int64_t proven = w.now;
    give_back(&w, busy, false);
    assert_int_equal(((struct itsi_lease_slot *)busy->lease.slot)->proven, proven);
    finish(&w);
}

/* A check that nobody waits for does not make it used: it still goes when it is not needed. */
static void checking_keeps_nothing_alive(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[5];
    p.keep_checking_ns = 3 * S;
    p.idle_ns = 10 * S;
    begin(&w, &p);
    lend(&w, 5, mine);
    for (int i = 0; i < 5; i++)
        give_back(&w, mine[i], false);
    for (int i = 0; i < 100; i++) {
        pass(&w, 100 * MS);
        give_back(&w, ask(&w), false);
    }
    pass(&w, MS);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 1); /* the one that was used */
    assert_true(w.checks > 0);
    finish(&w);
}

static void what_was_lost_is_not_lent(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct itsi_lease_waiter *mine[2];
    begin(&w, &p);
    lend(&w, 2, mine);
    give_back(&w, mine[0], false);
    itsi_lease_core_lost(&w.core, (struct itsi_lease_slot *)mine[0]->lease.slot, w.now);
    itsi_lease_core_lost(&w.core, (struct itsi_lease_slot *)mine[1]->lease.slot, w.now);
    serve(&w);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 0);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 1); /* its borrower has it until it gives it back */
    give_back(&w, mine[1], false);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_BROKEN], 2);
    finish(&w);
}

/* --- lives --------------------------------------------------------------------------------------------------------- */

static void no_two_live_equally_long(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 200;
    p.lifetime_ns = 1000 * S;
    begin(&w, &p);
    int64_t shortest = INT64_MAX, longest = 0;
    for (int i = 0; i < 200; i++) {
        const int64_t life = w.core.slots[i].dies - w.now;
        assert_in_range(life, 975 * S, 1025 * S);
        shortest = life < shortest ? life : shortest;
        longest = life > longest ? life : longest;
    }
    assert_true(shortest < 980 * S && longest > 1020 * S);
    finish(&w);
}

static void deaths_of_age_are_apart_even_if_all_are_equally_old(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = 10;
    p.lifetime_ns = 100 * S;
    begin(&w, &p);
    for (int i = 0; i < 10; i++)
        w.core.slots[i].dies = w.now + 100 * S;
    pass(&w, 100 * S - 1);
    assert_int_equal(w.closes, 0);
    int64_t last = 0;
    for (int i = 0; i < 10000 && w.closes < 10; i++) {
        const int before = w.closes;
        pass(&w, 20 * MS);
        assert_true(w.closes <= before + 1);
        if (w.closes > before) {
            assert_true(last == 0 || w.now - last >= 10 * S - 20 * MS);
            last = w.now;
        }
    }
    assert_int_equal(w.closes, 10);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_LIFETIME], 10);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 10); /* each was replaced */
    finish(&w);
}

static void one_that_is_never_idle_dies_when_it_comes_back(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    p.lifetime_ns = 100 * S;
    begin(&w, &p);
    struct itsi_lease_waiter *holder = ask(&w);
    pass(&w, 103 * S);
    assert_int_equal(w.closes, 0);
    struct itsi_lease_waiter *waiting = ask(&w);
    give_back(&w, holder, false);
    assert_int_equal(w.last_reason, ITSI_POOL_CLOSED_LIFETIME);
    assert_int_equal(waiting->code, 0);
    assert_int_equal(w.opens, 2);
    finish(&w);
}

static void lent_so_often_and_no_more(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.uses = 3;
    begin(&w, &p);
    for (int i = 0; i < 7; i++)
        give_back(&w, ask(&w), false);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_USES], 2);
    assert_int_equal(w.opens, 3);
    finish(&w);
}

/* --- leaks --------------------------------------------------------------------------------------------------------- */

static void who_holds_one_too_long_is_named_and_counted_once(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.leak_after_ns = 60 * S;
    begin(&w, &p);
    struct itsi_lease_waiter *brief = ask(&w), *forgetful = ask(&w);
    pass(&w, 60 * S - 1);
    assert_int_equal(give_back(&w, brief, false), 0);
    assert_null(itsi_lease_core_next_leak(&w.core));
    pass(&w, 1);
    const struct itsi_lease_slot *leak = itsi_lease_core_next_leak(&w.core);
    assert_non_null(leak);
    assert_string_equal(leak->owner.component, "store");
    assert_string_equal(leak->owner.stage, "write");
    assert_int_equal(leak->owner.trace, 0xabc);
    pass(&w, 600 * S);
    assert_null(itsi_lease_core_next_leak(&w.core));
    assert_int_equal(w.core.books.leaks, 1);
    assert_int_equal(give_back(&w, forgetful, false), 660 * S);
    assert_int_equal(w.core.books.unleaks, 1);
    give_back(&w, ask(&w), false); /* the next borrower is none */
    assert_int_equal(w.core.books.unleaks, 1);
    finish(&w);
}

static void it_is_taken_back_by_force_where_that_is_wanted(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    int64_t leaked;
    p.most = 1;
    p.leak_after_ns = 60 * S;
    p.reclaim_after_ns = 90 * S;
    begin(&w, &p);
    struct itsi_lease_waiter *forgetful = ask(&w);
    struct itsi_lease_waiter *waiting = ask(&w);
    pass(&w, 90 * S - 1);
    assert_int_equal(waiting->code, ITS_EAGAIN);
    pass(&w, 1);
    assert_int_equal(waiting->code, 0);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_LEAKED], 1);
    assert_int_equal(itsi_lease_core_release(&w.core, forgetful->lease, false, w.now, &leaked), ITS_EINVAL);
    assert_int_equal(count_of(&w, ITSI_LEASE_LENT), 1); /* the other's, untouched */
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_keep_to_their_rate),
        cmocka_unit_test(only_so_many_are_opened_at_once),
        cmocka_unit_test(spares_are_ready_beyond_those_in_use),
        cmocka_unit_test(the_reserve_is_for_who_waited_long),
        cmocka_unit_test(the_size_is_raised_while_waits_grow_and_the_server_is_as_fast_as_ever),
        cmocka_unit_test(a_slow_server_gets_no_more_and_hopeless_callers_are_turned_away),
        cmocka_unit_test(what_idles_goes_but_the_least_stay),
        cmocka_unit_test(callers_fail_fast_while_the_server_is_down),
        cmocka_unit_test(the_windows_double),
        cmocka_unit_test(a_server_that_was_down_is_tried_by_one),
        cmocka_unit_test(failures_in_one_moment_count_as_one),
        cmocka_unit_test(while_something_is_open_callers_wait_for_it),
        cmocka_unit_test(checked_on_borrow_only_after_idling),
        cmocka_unit_test(no_more_are_checked_than_are_asked_for),
        cmocka_unit_test(idle_ones_are_checked_now_and_then_not_all_at_once),
        cmocka_unit_test(checking_keeps_nothing_alive),
        cmocka_unit_test(what_was_lost_is_not_lent),
        cmocka_unit_test(no_two_live_equally_long),
        cmocka_unit_test(deaths_of_age_are_apart_even_if_all_are_equally_old),
        cmocka_unit_test(one_that_is_never_idle_dies_when_it_comes_back),
        cmocka_unit_test(lent_so_often_and_no_more),
        cmocka_unit_test(who_holds_one_too_long_is_named_and_counted_once),
        cmocka_unit_test(it_is_taken_back_by_force_where_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

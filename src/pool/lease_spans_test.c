/* Spans that change while the pool runs: for what is open as for what will be. */
#include "pool/lease_world.h"

static struct itsi_pool_spans spans_of(const struct itsi_pool_params *p)
{
    return (struct itsi_pool_spans){p->check_after_idle_ns, p->keep_checking_ns, p->lifetime_ns};
}

static void a_shorter_life_ends_what_is_older_one_after_the_other(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 10;
    p.opening = 10;
    p.opens_per_second = 1000;
    p.lifetime_ns = 3600 * S;
    begin(&w, &p);
    pass(&w, 100 * S);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 10);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_LIFETIME], 0);
    struct itsi_pool_spans spans = spans_of(&p);
    spans.lifetime_ns = 50 * S;
    itsi_lease_core_set_spans(&w.core, &spans, w.now);
    pass(&w, 50 * S); /* one of ten in every tenth of a life */
    assert_in_range(w.core.books.closed[ITSI_POOL_CLOSED_LIFETIME], 9, 11);
    assert_int_equal(count_of(&w, ITSI_LEASE_IDLE), 10);
    finish(&w);
}

static void a_longer_life_spares_what_was_about_to_die(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 4;
    p.lifetime_ns = 100 * S;
    begin(&w, &p);
    pass(&w, 90 * S);
    const int opens = w.opens;
    struct itsi_pool_spans spans = spans_of(&p);
    spans.lifetime_ns = ITSI_NEVER;
    itsi_lease_core_set_spans(&w.core, &spans, w.now);
    pass(&w, 3600 * S);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_LIFETIME], 0);
    assert_int_equal(w.opens, opens);
    finish(&w);
}

static void idle_ones_are_checked_as_often_as_is_said_now(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 5;
    p.keep_checking_ns = 3600 * S;
    p.lifetime_ns = ITSI_NEVER;
    begin(&w, &p);
    pass(&w, 60 * S);
    assert_int_equal(w.checks, 0);
    struct itsi_pool_spans spans = spans_of(&p);
    spans.keep_checking_ns = 10 * S;
    itsi_lease_core_set_spans(&w.core, &spans, w.now);
    pass(&w, 100 * S);
    assert_in_range(w.checks, 5 * 9, 5 * 12);
    const int before = w.checks;
    spans.keep_checking_ns = ITSI_NEVER;
    itsi_lease_core_set_spans(&w.core, &spans, w.now);
    pass(&w, 100 * S);
    assert_int_equal(w.checks, before);
    finish(&w);
}

static void checking_on_borrow_begins_and_ends(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    p.least = p.most = 1;
    p.check_after_idle_ns = p.keep_checking_ns = p.lifetime_ns = ITSI_NEVER;
    begin(&w, &p);
    struct itsi_pool_spans spans = spans_of(&p);
    for (int round = 0; round < 3; round++) {
        spans.check_after_idle_ns = round == 1 ? S : ITSI_NEVER;
        itsi_lease_core_set_spans(&w.core, &spans, w.now);
        pass(&w, 10 * S);
        give_back(&w, ask(&w), false);
        assert_int_equal(w.checks, round > 0);
    }
    finish(&w);
}

/* What is being opened meanwhile gets the new ones. */
static void what_is_being_opened_lives_by_the_new_spans(void **state)
{
    (void)state;
    struct world w;
    struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    enum itsi_lease_work work;
    p.least = p.most = 1;
    p.lifetime_ns = 3600 * S;
    memset(&w, 0, sizeof w);
    CHECK_OK(itsi_lease_core_init(&w.core, &p, 0, &diag), diag);
    struct itsi_lease_slot *slot = itsi_lease_core_next_work(&w.core, &work);
    struct itsi_pool_spans spans = spans_of(&p);
    spans.lifetime_ns = 10 * S;
    itsi_lease_core_set_spans(&w.core, &spans, w.now);
    itsi_lease_core_opened(&w.core, slot, w.now);
    pass(&w, 12 * S);
    assert_int_equal(w.core.books.closed[ITSI_POOL_CLOSED_LIFETIME], 1);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shorter_life_ends_what_is_older_one_after_the_other),
        cmocka_unit_test(a_longer_life_spares_what_was_about_to_die),
        cmocka_unit_test(idle_ones_are_checked_as_often_as_is_said_now),
        cmocka_unit_test(checking_on_borrow_begins_and_ends),
        cmocka_unit_test(what_is_being_opened_lives_by_the_new_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

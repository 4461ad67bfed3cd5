#include "pool/lease_grow.h"

#include "base/clock.h"
#include "support/check.h"

#define MS ITSI_NS_PER_MS

static struct itsi_grow calm(int64_t *now)
{
    struct itsi_grow grow;
    itsi_grow_init(&grow, 20, 50, *now = 0);
    for (int i = 0; i < 50; i++)
        itsi_grow_look(&grow, &(struct itsi_grow_facts){.latency_ns = 10 * MS, .use_ns = 12e6, .open = 20},
                       *now += 100 * MS);
    return grow;
}

static void look(struct itsi_grow *grow, int64_t waited, int64_t latency, int64_t *now)
{
    itsi_grow_look(grow, &(struct itsi_grow_facts){.waited_ns = waited, .latency_ns = latency, .use_ns = 12e6,
                                                   .open = grow->size},
                   *now += 100 * MS);
}

static void grows_with_the_wait_and_stops_at_the_most(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    assert_int_equal(grow.size, 20);
    for (int i = 1; i <= 20; i++)
        look(&grow, i * i * 10 * MS, 10 * MS, &now);
    assert_int_equal(grow.size, 50);
    assert_false(grow.is_slow);
}

static void a_steady_wait_is_no_reason(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    look(&grow, 30 * MS, 10 * MS, &now); /* the first is one: nobody waited before */
    const int size = grow.size;
    for (int i = 0; i < 100; i++)
        look(&grow, (30 + i % 3) * MS, 10 * MS, &now); /* up and down by less than a tenth */
    assert_int_equal(grow.size, size);
}

static void not_while_the_server_is_slower_than_usual(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    look(&grow, 10 * MS, 16 * MS, &now);
    for (int i = 1; i <= 20; i++)
        look(&grow, i * i * 10 * MS, 16 * MS, &now);
    assert_int_equal(grow.size, 20);
    assert_true(grow.is_slow);
    look(&grow, 5000 * MS, 11 * MS, &now); /* it is well again */
    assert_false(grow.is_slow);
    assert_true(grow.size > 20);
}

static void not_before_what_may_be_open_is_open(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    for (int i = 1; i <= 5; i++)
        itsi_grow_look(&grow, &(struct itsi_grow_facts){.waited_ns = i * i * MS, .latency_ns = 10 * MS, .open = 19},
                       now += 100 * MS);
    assert_int_equal(grow.size, 20);
}

static void what_leases_take_stands_for_an_unknown_latency(void **state)
{
    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        struct itsi_grow grow;
        int64_t now = 0;
        itsi_grow_init(&grow, 20, 50, now);
        for (int i = 0; i < 50; i++)
            itsi_grow_look(&grow, &(struct itsi_grow_facts){.use_ns = 12e6, .open = 20}, now += 100 * MS);
        itsi_grow_look(&grow, &(struct itsi_grow_facts){.waited_ns = MS, .use_ns = slow ? 30e6 : 12e6, .open = 20},
                       now += 100 * MS);
        assert_int_equal(grow.is_slow, slow);
        assert_int_equal(grow.size, slow ? 20 : 22);
    }
}

static void it_shrinks_to_what_is_open_once_nobody_waits(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    for (int i = 1; i <= 20; i++)
        look(&grow, i * i * 10 * MS, 10 * MS, &now);
    itsi_grow_look(&grow, &(struct itsi_grow_facts){.latency_ns = 10 * MS, .open = 31}, now += 100 * MS);
    assert_int_equal(grow.size, 31);
    itsi_grow_look(&grow, &(struct itsi_grow_facts){.latency_ns = 10 * MS, .open = 3}, now += 100 * MS);
    assert_int_equal(grow.size, 20);
}

/* Ten minutes of waiting on a server that got twice as slow for good: that is what it is then. */
static void a_server_slower_for_good_becomes_usual(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    for (int i = 0; i < 60 * 10; i++)
        look(&grow, 100 * MS, 20 * MS, &now);
    assert_true(grow.is_slow);
    for (int i = 0; i < 600 * 10; i++)
        look(&grow, 100 * MS, 20 * MS, &now);
    assert_false(grow.is_slow);
}

static void little_s_law_says_how_long_it_will_be(void **state)
{
    (void)state;
    int64_t now;
    struct itsi_grow grow = calm(&now);
    CHECK_NEAR((double)itsi_grow_expected_wait_ns(&grow, 39, 20), 24e6, 1e5); /* 40 of 12 ms by 20 */
    assert_int_equal(itsi_grow_expected_wait_ns(&grow, 39, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_with_the_wait_and_stops_at_the_most),
        cmocka_unit_test(a_steady_wait_is_no_reason),
        cmocka_unit_test(not_while_the_server_is_slower_than_usual),
        cmocka_unit_test(not_before_what_may_be_open_is_open),
        cmocka_unit_test(what_leases_take_stands_for_an_unknown_latency),
        cmocka_unit_test(it_shrinks_to_what_is_open_once_nobody_waits),
        cmocka_unit_test(a_server_slower_for_good_becomes_usual),
        cmocka_unit_test(little_s_law_says_how_long_it_will_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

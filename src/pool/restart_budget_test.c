#include "support/check.h"

#include "base/clock.h"
#include "pool/restart_budget.h"

#define S ITSI_NS_PER_S

static const struct itsi_restart_policy policy = {.most = 5, .window_ns = 60 * S, .first_ns = S, .most_ns = 8 * S};

static void nothing_died_nothing_waits(void **state)
{
    struct itsi_restart_budget budget = {.count = 0};
    (void)state;
    assert_int_equal(itsi_restart_budget_next(&budget, &policy, 7 * S), 7 * S);
}

static void waits_double(void **state)
{
    static const int64_t waits[] = {1, 2, 4, 8};
    struct itsi_restart_budget budget = {.count = 0};
    int64_t now = 100 * S;
    (void)state;
    for (int i = 0; i < 4; i++) {
        itsi_restart_budget_died(&budget, now);
        assert_int_equal(itsi_restart_budget_next(&budget, &policy, now), now + waits[i] * S);
        now += waits[i] * S;
    }
}

static void the_fifth_within_a_minute_is_the_last(void **state)
{
    struct itsi_restart_budget budget = {.count = 0};
    (void)state;
    for (int i = 0; i < 5; i++)
        itsi_restart_budget_died(&budget, (100 + 10 * i) * S);
    assert_int_equal(itsi_restart_budget_spent(&budget, &policy, 141 * S), 5);
    assert_int_equal(itsi_restart_budget_next(&budget, &policy, 141 * S), 160 * S); /* the first is a minute ago then */
    assert_int_equal(itsi_restart_budget_spent(&budget, &policy, 160 * S), 4);
    assert_true(itsi_restart_budget_next(&budget, &policy, 160 * S) <= 160 * S);
}

static void what_is_long_ago_is_forgotten(void **state)
{
    struct itsi_restart_budget budget = {.count = 0};
    (void)state;
    for (int i = 0; i < 100; i++)
        itsi_restart_budget_died(&budget, i * 20 * S); /* three within every minute */
    assert_int_equal(itsi_restart_budget_spent(&budget, &policy, 1980 * S), 3);
    assert_int_equal(itsi_restart_budget_next(&budget, &policy, 1980 * S), 1984 * S);
    assert_int_equal(itsi_restart_budget_spent(&budget, &policy, 2100 * S), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_died_nothing_waits),
        cmocka_unit_test(waits_double),
        cmocka_unit_test(the_fifth_within_a_minute_is_the_last),
        cmocka_unit_test(what_is_long_ago_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

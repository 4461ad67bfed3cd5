#include "support/check.h"

#include "base/clock.h"
#include "net/backoff.h"

#define S ITSI_NS_PER_S

static const struct itsi_backoff_policy a_minute = {S, 8 * S, 60 * S}, for_ever = {S, 60 * S, ITSI_NEVER};

static void bounds_double_up_to_the_most(void **state)
{
    (void)state;
    static const int64_t bounds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (int i = 0; i < 8; i++)
        assert_int_equal(itsi_backoff_bound(S, 60 * S, i + 1), bounds[i] * S);
    assert_int_equal(itsi_backoff_bound(S, 60 * S, INT32_MAX), 60 * S);
    assert_int_equal(itsi_backoff_bound(S, INT64_MAX, 100), INT64_MAX); /* nothing overflows on the way */
    assert_int_equal(itsi_backoff_bound(5 * S, 3 * S, 1), 3 * S);
}

/* Every wait lies in the upper half of its bound, all over it, and no two are alike. */
static void waits_are_spread_over_the_upper_half(void **state)
{
    (void)state;
    double least[8], most[8];
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct itsi_backoff backoff;
        itsi_backoff_init(&backoff, &for_ever, seed);
        int64_t now = 1000 * S, when, last = 0;
        itsi_backoff_begin(&backoff, now);
        for (int i = 0; i < 8; i++) {
            int64_t bound = itsi_backoff_bound(S, 60 * S, i + 1);
            assert_true(itsi_backoff_again(&backoff, 0, now, &when));
            assert_in_range(when - now, bound / 2, bound);
            assert_int_not_equal(when - now, last);
            last = when - now;
            double share = (double)last / (double)bound;
            least[i] = seed && least[i] < share ? least[i] : share;
            most[i] = seed && most[i] > share ? most[i] : share;
            now = when;
        }
    }
    for (int i = 0; i < 8; i++)
        assert_true(least[i] < 0.52 && most[i] > 0.98);
}

static void what_worked_begins_anew(void **state)
{
    (void)state;
    struct itsi_backoff backoff;
    itsi_backoff_init(&backoff, &for_ever, 7);
    int64_t now = 0, when;
    itsi_backoff_begin(&backoff, now);
    for (; now < 1000 * S; now = when)
        assert_true(itsi_backoff_again(&backoff, 0, now, &when));
    itsi_backoff_begin(&backoff, now);
    assert_true(itsi_backoff_again(&backoff, 0, now, &when));
    assert_in_range(when - now, S / 2, S);
}

static void gives_up(void **state)
{
    (void)state;
    struct itsi_backoff backoff;
    itsi_backoff_init(&backoff, &a_minute, 3);
    int64_t now = 5 * S, when;
    itsi_backoff_begin(&backoff, now);
    int tries = 1;
    for (; itsi_backoff_again(&backoff, 0, now, &when); tries++) {
        assert_true(when <= 65 * S);
        now = when;
    }
    assert_in_range(tries, 10, 18); /* 60 s hold 1 + 2 + 4 + 6 * 8, or the halves of these and of eight more */
    itsi_backoff_begin(&backoff, now);
    assert_true(itsi_backoff_again(&backoff, 0, now, &when));
    assert_in_range(when - now, S / 2, S);
}

static void honours_what_the_other_side_asks(void **state)
{
    (void)state;
    struct itsi_backoff backoff;
    itsi_backoff_init(&backoff, &a_minute, 4);
    int64_t now = 100 * S, when = 0;
    itsi_backoff_begin(&backoff, now);
    assert_true(itsi_backoff_again(&backoff, 30, now, &when));
    assert_int_equal(when, now + 30 * S);
    now = when;
    assert_true(itsi_backoff_again(&backoff, 0.001, now, &when)); /* less than the wait there is anyway */
    assert_in_range(when - now, S, 2 * S);
    assert_false(itsi_backoff_again(&backoff, 120, now, &when)); /* too late for what is being sent */
    assert_int_equal(backoff.not_before_ns, now + 120 * S);      /* and what comes next waits as well */
    itsi_backoff_begin(&backoff, now);
    assert_false(itsi_backoff_again(&backoff, 1e300, now, &when));
    assert_int_equal(backoff.not_before_ns, now + 3600 * S);
    itsi_backoff_init(&backoff, &for_ever, 4);
    itsi_backoff_begin(&backoff, now);
    assert_true(itsi_backoff_again(&backoff, 1e12, now, &when));
    assert_int_equal(when, now + 3600 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_double_up_to_the_most),
        cmocka_unit_test(waits_are_spread_over_the_upper_half),
        cmocka_unit_test(what_worked_begins_anew),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(honours_what_the_other_side_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

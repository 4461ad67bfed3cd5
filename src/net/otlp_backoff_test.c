#include "support/check.h"

#include "base/clock.h"
#include "net/otlp_backoff.h"

#define S ITSI_NS_PER_S

static const struct itsi_otlp_backoff_policy policy = {S, 8 * S, 60 * S};

static void doubles_with_jitter_up_to_the_most(void **state)
{
    (void)state;
    static const int64_t waits[] = {1, 2, 4, 8, 8, 8};
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 1);
    for (int round = 0; round < 200; round++) {
        struct itsi_otlp_backoff backoff;
        itsi_otlp_backoff_init(&backoff, &policy);
        int64_t now = 1000 * S, when;
        itsi_otlp_backoff_begin(&backoff, now);
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
            if (!itsi_otlp_backoff_again(&backoff, 0, &rng, now, &when))
                break;
            assert_in_range(when - now, waits[i] * S / 2, waits[i] * S * 3 / 2);
            now = when;
        }
    }
}

static void two_daemons_do_not_come_back_together(void **state)
{
    (void)state;
    struct itsi_rand a, b;
    struct itsi_otlp_backoff backoff;
    int64_t first, second;
    itsi_rand_seed(&a, 1);
    itsi_rand_seed(&b, 2);
    itsi_otlp_backoff_init(&backoff, &policy);
    itsi_otlp_backoff_begin(&backoff, 0);
    assert_true(itsi_otlp_backoff_again(&backoff, 0, &a, 0, &first));
    itsi_otlp_backoff_begin(&backoff, 0);
    assert_true(itsi_otlp_backoff_again(&backoff, 0, &b, 0, &second));
    assert_true(llabs(first - second) > ITSI_NS_PER_MS);
}

static void gives_a_batch_up(void **state)
{
    (void)state;
    struct itsi_rand rng;
    struct itsi_otlp_backoff backoff;
    itsi_rand_seed(&rng, 3);
    itsi_otlp_backoff_init(&backoff, &policy);
    int64_t now = 5 * S, when;
    itsi_otlp_backoff_begin(&backoff, now);
    int tries = 1;
    for (; itsi_otlp_backoff_again(&backoff, 0, &rng, now, &when); tries++) {
        assert_true(when <= 65 * S);
        now = when;
    }
    assert_in_range(tries, 6, 15);
    itsi_otlp_backoff_begin(&backoff, now); /* the next batch begins anew */
    assert_true(itsi_otlp_backoff_again(&backoff, 0, &rng, now, &when));
    assert_in_range(when - now, S / 2, 3 * S / 2);
}

static void honours_what_the_collector_asks(void **state)
{
    (void)state;
    struct itsi_rand rng;
    struct itsi_otlp_backoff backoff;
    itsi_rand_seed(&rng, 4);
    itsi_otlp_backoff_init(&backoff, &policy);
    int64_t now = 100 * S, when = 0;
    itsi_otlp_backoff_begin(&backoff, now);
    assert_true(itsi_otlp_backoff_again(&backoff, 30, &rng, now, &when));
    assert_int_equal(when, now + 30 * S);
    now = when;
    assert_false(itsi_otlp_backoff_again(&backoff, 120, &rng, now, &when)); /* longer than a batch is worth */
    assert_int_equal(backoff.not_before_ns, now + 120 * S);                  /* and still not asked before */
    itsi_otlp_backoff_begin(&backoff, now);
    assert_false(itsi_otlp_backoff_again(&backoff, 1e300, &rng, now, &when));
    assert_int_equal(backoff.not_before_ns, now + 3600 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_with_jitter_up_to_the_most),
        cmocka_unit_test(two_daemons_do_not_come_back_together),
        cmocka_unit_test(gives_a_batch_up),
        cmocka_unit_test(honours_what_the_collector_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "latency/baseline.h"

#include "base/rand.h"
#include "support/check.h"

/* A first-order autoregressive series around `level`: deviation of each value `sigma`, correlation `phi`. */
struct series {
    struct itsi_rand rng;
    double level, sigma, phi, state;
};

static double next(struct series *s)
{
    s->state = s->phi * s->state + s->sigma * sqrt(1 - s->phi * s->phi) * itsi_rand_normal(&s->rng);
    return s->level + s->state;
}

static struct series series_of(double level, double sigma, double phi)
{
    struct series s = {.level = level, .sigma = sigma, .phi = phi};
    itsi_rand_seed(&s.rng, 7);
    return s;
}

static void seed_from(struct itsi_baseline *b, struct series *s)
{
    double means[ITSI_BASELINE_WARMUP];
    for (int i = 0; i < ITSI_BASELINE_WARMUP; i++)
        means[i] = next(s);
    itsi_baseline_seed(b, means, ITSI_BASELINE_WARMUP);
}

static void learn_until_full(struct itsi_baseline *b, struct series *s)
{
    struct itsi_baseline_learner learner = {0};
    while (b->batches < ITSI_BASELINE_FULL)
        itsi_baseline_learn(b, &learner, next(s));
}

static void the_first_batches_give_level_and_spread(void **state)
{
    (void)state;
    struct series s = series_of(9.7, 0.05, 0);
    struct itsi_baseline b = {0};
    assert_false(itsi_baseline_known(&b));
    seed_from(&b, &s);
    assert_true(itsi_baseline_known(&b));
    assert_true(itsi_baseline_valid(&b));
    CHECK_NEAR(b.level, 9.7, 0.02);
    CHECK_NEAR(itsi_baseline_deviation(&b), 0.05, 0.01);
}

static void wild_values_do_not_move_it(void **state)
{
    (void)state;
    struct series s = series_of(9.7, 0.05, 0);
    double means[ITSI_BASELINE_WARMUP];
    for (int i = 0; i < ITSI_BASELINE_WARMUP; i++)
        means[i] = i % 12 == 5 ? 15 : next(&s); /* one in twelve takes 200 times as long */
    struct itsi_baseline b;
    itsi_baseline_seed(&b, means, ITSI_BASELINE_WARMUP);
    CHECK_NEAR(b.level, 9.7, 0.03);
    assert_true(itsi_baseline_deviation(&b) < 0.12);
}

static void spread_is_the_long_run_variance(void **state)
{
    (void)state;
    static const double phis[] = {0, 0.5, 0.8};
    for (int i = 0; i < 3; i++) {
        struct series s = series_of(9.7, 0.05, phis[i]);
        struct itsi_baseline b = {0};
        seed_from(&b, &s);
        learn_until_full(&b, &s);
        const double wanted = 0.05 * 0.05 * (1 + phis[i]) / (1 - phis[i]);
        CHECK_NEAR(itsi_baseline_spread(&b) / wanted, 1.1, 0.35); /* on the safe side rather than not */
        CHECK_NEAR(b.level, 9.7, 4 * sqrt(wanted / ITSI_BASELINE_FULL));
    }
}

static void little_knowledge_widens_the_spread(void **state)
{
    (void)state;
    struct itsi_baseline few = {.batches = ITSI_BASELINE_WARMUP, .level = 9, .variance = 0.01, .long_run = 0.01};
    struct itsi_baseline many = few;
    many.batches = ITSI_BASELINE_FULL;
    assert_true(itsi_baseline_spread(&few) > 1.3 * itsi_baseline_spread(&many));
    few.variance = few.long_run = 0; /* a series without any noise is judged by the floor */
    CHECK_NEAR(itsi_baseline_deviation(&few), 0.005, 1e-12);
}

static void a_full_baseline_learns_no_more(void **state)
{
    (void)state;
    struct series s = series_of(9.7, 0.05, 0.3);
    struct itsi_baseline b = {0};
    struct itsi_baseline_learner learner = {0};
    seed_from(&b, &s);
    learn_until_full(&b, &s);
    const struct itsi_baseline before = b;
    for (int i = 0; i < 1000; i++)
        itsi_baseline_learn(&b, &learner, 9.8);
    assert_memory_equal(&b, &before, sizeof b);
}

static void impossible_values_are_not_valid(void **state)
{
    (void)state;
    const struct itsi_baseline good = {
        .batches = 200, .level = 9, .variance = 0.01, .covariance = 0.002, .long_run = 0.02};
    assert_true(itsi_baseline_valid(&good));
    struct itsi_baseline bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].batches = ITSI_BASELINE_WARMUP - 1;
    bad[1].level = (double)NAN;
    bad[2].level = 1e9;
    bad[3].variance = 0;
    bad[4].variance = (double)INFINITY;
    bad[5].covariance = 0.5;
    bad[6].long_run = -1;
    bad[7].long_run = (double)NAN;
    for (int i = 0; i < 8; i++)
        if (itsi_baseline_valid(&bad[i]))
            fail_msg("bad[%d] is taken for valid", i);
}

static void bands_are_quarter_octaves_that_do_not_flap(void **state)
{
    (void)state;
    assert_int_equal(itsi_load_band(0.2, -1), 0);
    assert_int_equal(itsi_load_band(1, -1), 1);
    assert_int_equal(itsi_load_band(2, -1), 5);
    assert_int_equal(itsi_load_band(1e300, -1), ITSI_LOAD_BAND_COUNT - 1);
    const double edge = 64; /* 1 + 4 * 6 = 25 begins here */
    assert_int_equal(itsi_load_band(edge * 0.999, -1), 24);
    assert_int_equal(itsi_load_band(edge * 1.001, -1), 25);
    assert_int_equal(itsi_load_band(edge * 1.001, 24), 24);
    assert_int_equal(itsi_load_band(edge * 0.999, 25), 25);
    assert_int_equal(itsi_load_band(edge * 1.10, 24), 25);
    assert_int_equal(itsi_load_band(edge * 0.90, 25), 24);
    assert_int_equal(itsi_load_band(edge * 4, 25), 33);
}

static void no_load_is_no_band(void **state)
{
    (void)state;
    static const double none[] = {0, -3};
    for (int i = 0; i < 2; i++)
        assert_int_equal(itsi_load_band(none[i], 7), -1);
    assert_int_equal(itsi_load_band((double)NAN, 7), -1);
    assert_int_equal(itsi_load_band((double)INFINITY, 7), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_batches_give_level_and_spread),
        cmocka_unit_test(wild_values_do_not_move_it),
        cmocka_unit_test(spread_is_the_long_run_variance),
        cmocka_unit_test(little_knowledge_widens_the_spread),
        cmocka_unit_test(a_full_baseline_learns_no_more),
        cmocka_unit_test(impossible_values_are_not_valid),
        cmocka_unit_test(bands_are_quarter_octaves_that_do_not_flap),
        cmocka_unit_test(no_load_is_no_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

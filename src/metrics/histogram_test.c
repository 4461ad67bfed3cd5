#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "metrics/histogram.h"
#include "metrics/quantile.h"
#include "metrics/rate.h"

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Values in ns of four shapes. */
static int64_t draw(struct itsi_rand *rng, int shape)
{
    switch (shape) {
    case 0:
        return (int64_t)itsi_rand_range(rng, 1e6, 1e8);
    case 1:
        return (int64_t)(-log(1 - itsi_rand_unit(rng)) * 2e7);
    case 2:
        return (int64_t)(exp(itsi_rand_normal(rng) * 1.5 + 16));
    default:
        return itsi_rand_unit(rng) < 0.9 ? 3000000 : 900000000;
    }
}

static void percentiles_are_within_a_thousandth(void **state)
{
    (void)state;
    enum { N = 200000 };
    int64_t *values = malloc(N * sizeof *values);
    for (int shape = 0; shape < 4; shape++) {
        struct its_diag diag;
        struct itsi_histogram h = {0};
        CHECK_OK(itsi_histogram_init(&h, &diag), diag);
        struct itsi_rand rng;
        itsi_rand_seed(&rng, 42 + (uint64_t)shape);
        for (int i = 0; i < N; i++)
            itsi_histogram_record_ns(&h, values[i] = draw(&rng, shape));
        qsort(values, N, sizeof *values, by_value);
        for (int k = 1; k < 1000; k++) {
            double exact = (double)values[(int64_t)ceil(k / 1000.0 * N) - 1] / 1e6;
            CHECK_NEAR(itsi_histogram_at_ms(&h, k / 1000.0), exact, exact * 0.001 + 0.0006);
        }
        struct itsi_quantiles q;
        itsi_histogram_quantiles(&h, &q);
        assert_int_equal(q.count, N);
        CHECK_NEAR(q.max, (double)values[N - 1] / 1e6, 0.0006);
        itsi_histogram_fini(&h);
    }
    free(values);
}

static void edges_and_reset(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_histogram h = {0}, sum = {0};
    CHECK_OK(itsi_histogram_init(&h, &diag), diag);
    CHECK_OK(itsi_histogram_init(&sum, &diag), diag);
    itsi_histogram_record_ns(&h, -5);
    itsi_histogram_record_ns(&h, 0);
    itsi_histogram_record_ns(&h, INT64_MAX);
    itsi_histogram_record_ns(&h, 2047 * 1000);
    itsi_histogram_record_ns(&h, 2048 * 1000);
    struct itsi_quantiles q;
    itsi_histogram_quantiles(&h, &q);
    assert_int_equal(q.count, 5);
    CHECK_NEAR(q.max, 3600e3, 1e-9);
    CHECK_NEAR(q.p50, 2.047, 0.001);
    itsi_histogram_add(&sum, &h);
    itsi_histogram_add(&sum, &h);
    itsi_histogram_quantiles(&sum, &q);
    assert_int_equal(q.count, 10);
    itsi_histogram_reset(&h);
    itsi_histogram_quantiles(&h, &q);
    assert_int_equal(q.count, 0);
    assert_true(q.p99 == 0 && q.max == 0);
    itsi_histogram_fini(&h);
    itsi_histogram_fini(&sum);
}

/* What the recorder keeps is never reset in a daemon: a stage that takes no time fills one slot with every frame. */
static void a_slot_counts_past_two_to_the_32(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_histogram h = {0}, sum = {0};
    CHECK_OK(itsi_histogram_init(&h, &diag), diag);
    CHECK_OK(itsi_histogram_init(&sum, &diag), diag);
    atomic_store(&h.counts[0], UINT32_MAX); /* so many frames ago it began */
    itsi_histogram_record_ns(&h, 0);
    for (int i = 0; i < 1000; i++)
        itsi_histogram_record_ns(&h, 5000000);
    struct itsi_quantiles q;
    itsi_histogram_quantiles(&h, &q);
    assert_int_equal(q.count, (UINT64_C(1) << 32) + 1000);
    CHECK_NEAR(q.p99, 0, 0.001);
    itsi_histogram_add(&sum, &h);
    itsi_histogram_quantiles(&sum, &q);
    assert_int_equal(q.count, (UINT64_C(1) << 32) + 1000);
    itsi_histogram_fini(&h);
    itsi_histogram_fini(&sum);
}

static void init_survives_no_memory(void **state)
{
    (void)state;
    struct itsi_histogram h = {0};
    struct its_diag diag;
    itsi_alloc_fail_at(1);
    int rc = itsi_histogram_init(&h, &diag);
    itsi_alloc_fail_at(0);
    assert_int_equal(rc, ITS_ENOMEM);
    itsi_histogram_fini(&h);
}

static void quantile_estimate_follows_a_shift(void **state)
{
    (void)state;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 7);
    struct itsi_quantile e;
    itsi_quantile_init(&e, 0.95);
    for (int i = 0; i < 5000; i++)
        itsi_quantile_observe(&e, itsi_rand_range(&rng, 10, 20));
    CHECK_NEAR(e.estimate, 19.5, 1.0);
    for (int i = 0; i < 2000; i++)
        itsi_quantile_observe(&e, itsi_rand_range(&rng, 30, 40));
    CHECK_NEAR(e.estimate, 39.5, 1.0);
    for (int i = 0; i < 5000; i++)
        itsi_quantile_observe(&e, itsi_rand_range(&rng, 10, 20));
    CHECK_NEAR(e.estimate, 19.5, 1.0);
}

static void rate_counts_whole_seconds(void **state)
{
    (void)state;
    struct itsi_rate rate = {0};
    assert_true(itsi_rate_get(&rate, 0) == 0);
    int64_t start = 100 * ITSI_NS_PER_S + ITSI_NS_PER_S / 2;
    for (int i = 0; i < 25 * 20; i++)
        itsi_rate_add(&rate, start + i * ITSI_NS_PER_S / 25);
    CHECK_NEAR(itsi_rate_get(&rate, start + 20 * ITSI_NS_PER_S), 25, 1e-9);
    assert_true(itsi_rate_get(&rate, start + 60 * ITSI_NS_PER_S) == 0);
    struct itsi_rate young = {0};
    for (int i = 0; i < 60; i++)
        itsi_rate_add(&young, start + i * ITSI_NS_PER_S / 25);
    CHECK_NEAR(itsi_rate_get(&young, start + 2 * ITSI_NS_PER_S), 25, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_within_a_thousandth),
        cmocka_unit_test(edges_and_reset),
        cmocka_unit_test(a_slot_counts_past_two_to_the_32),
        cmocka_unit_test(init_survives_no_memory),
        cmocka_unit_test(quantile_estimate_follows_a_shift),
        cmocka_unit_test(rate_counts_whole_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

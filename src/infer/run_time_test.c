#include "support/check.h"

#include "base/clock.h"
#include "base/rand.h"
#include "infer/run_time.h"

#define MS ITSI_NS_PER_MS

static struct itsi_run_time model;

static void feed(int input, int n, double ms, int times, int64_t *now)
{
    for (int i = 0; i < times; i++)
        itsi_run_time_observe(&model, input, n, (int64_t)(ms * 1e6), *now += 10 * MS);
}

static double usual_ms(int input, int n) { return (double)itsi_run_time_usual(&model, input, n) / 1e6; }

static void knows_nothing_before_it_saw_something(void **state)
{
    (void)state;
    itsi_run_time_init(&model, true);
    assert_int_equal(itsi_run_time_usual(&model, 3, 7), 0);
    assert_int_equal(itsi_run_time_shortest(&model, 3, 7), 0);
}

/* Uniform between 20 and 30: 95 of 100 stay within 29.5, 90 of 100 exceed 21. */
static void learns_quantiles_not_means(void **state)
{
    (void)state;
    struct itsi_rand rng;
    int64_t now = 0;
    itsi_rand_seed(&rng, 3);
    itsi_run_time_init(&model, false);
    for (int i = 0; i < 4000; i++)
        feed(0, 1, itsi_rand_range(&rng, 20, 30), 1, &now);
    CHECK_NEAR(usual_ms(0, 1), 29.5, 1.0);
    CHECK_NEAR((double)itsi_run_time_shortest(&model, 0, 1) / 1e6, 21.0, 1.0);
}

static void what_warming_up_measured_holds_at_once(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, true);
    feed(0, 8, 12, 1, &now);
    CHECK_NEAR(usual_ms(0, 8), 12, 0.001);
    CHECK_NEAR(usual_ms(0, 5), 12, 0.001); /* the same bucket */
}

static void believes_slowness_soon_and_speed_late(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, false);
    feed(0, 1, 20, 200, &now);
    feed(0, 1, 60, 40, &now);
    assert_true(usual_ms(0, 1) > 50);
    feed(0, 1, 20, 40, &now);
    assert_true(usual_ms(0, 1) > 40);
    feed(0, 1, 20, 2000, &now);
    CHECK_NEAR(usual_ms(0, 1), 20, 2);
}

/* A stall is one run: nearly nothing is to be concluded from it. */
static void one_stall_teaches_little(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, false);
    feed(0, 1, 20, 500, &now);
    feed(0, 1, 2000, 1, &now);
    feed(0, 1, 20, 20, &now);
    assert_true(usual_ms(0, 1) < 40);
}

static void a_batch_efficient_engine_has_a_fixed_part(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, true);
    feed(0, 4, 20, 1, &now); /* alone: half of it per image */
    CHECK_NEAR(usual_ms(0, 1), 12.5, 0.01);
    CHECK_NEAR(usual_ms(0, 8), 30, 0.01);
    feed(0, 16, 32, 1, &now); /* with another: 16 + n */
    CHECK_NEAR(usual_ms(0, 1), 17, 0.01);
    CHECK_NEAR(usual_ms(0, 8), 24, 0.01);
    CHECK_NEAR(usual_ms(0, 64), 80, 0.01);
}

static void requests_side_by_side_have_none(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, false);
    feed(0, 1, 20, 1, &now);
    CHECK_NEAR(usual_ms(0, 4), 80, 0.01);
}

/* Larger batches that ran faster (noise) do not make a line that falls, nor one below zero. */
static void a_line_never_falls_nor_starts_below_zero(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, true);
    feed(0, 4, 20, 1, &now);
    feed(0, 8, 15, 1, &now);
    assert_true(usual_ms(0, 64) >= 15);
    itsi_run_time_init(&model, true);
    feed(0, 4, 20, 1, &now);
    feed(0, 8, 200, 1, &now);
    CHECK_NEAR(usual_ms(0, 1), 5, 0.01);
}

static void another_input_size_is_inferred_by_its_pixels(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, false);
    itsi_run_time_size(&model, 0, 640 * 384);
    itsi_run_time_size(&model, 1, 320 * 192);
    itsi_run_time_size(&model, 2, 1280 * 768);
    feed(0, 1, 28, 1, &now);
    CHECK_NEAR(usual_ms(1, 1), 7, 0.01);
    CHECK_NEAR(usual_ms(2, 1), 112, 0.01);
    feed(1, 1, 10, 1, &now);
    CHECK_NEAR(usual_ms(1, 1), 10, 0.01);
    CHECK_NEAR(usual_ms(2, 1), 112, 0.01); /* from the nearer size */
}

static void an_unused_bucket_is_forgotten(void **state)
{
    (void)state;
    int64_t now = 0;
    itsi_run_time_init(&model, true);
    feed(0, 16, 900, 1, &now);
    feed(0, 1, 10, 10, &now);
    assert_true(usual_ms(0, 16) > 800);
    now += 61 * ITSI_NS_PER_S;
    feed(0, 1, 10, 10, &now);
    CHECK_NEAR(usual_ms(0, 16), 85, 3);
    feed(0, 16, 30, 1, &now); /* and begins anew */
    CHECK_NEAR(usual_ms(0, 16), 30, 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_nothing_before_it_saw_something),
        cmocka_unit_test(learns_quantiles_not_means),
        cmocka_unit_test(what_warming_up_measured_holds_at_once),
        cmocka_unit_test(believes_slowness_soon_and_speed_late),
        cmocka_unit_test(one_stall_teaches_little),
        cmocka_unit_test(a_batch_efficient_engine_has_a_fixed_part),
        cmocka_unit_test(requests_side_by_side_have_none),
        cmocka_unit_test(a_line_never_falls_nor_starts_below_zero),
        cmocka_unit_test(another_input_size_is_inferred_by_its_pixels),
        cmocka_unit_test(an_unused_bucket_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

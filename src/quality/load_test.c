#include "support/check.h"

#include "base/clock.h"
#include "core/detection.h"
#include "quality/load.h"
#include "quality/policy.h"
#include "quality/profile.h"

static void profiles_are_those_of_the_guide(void **state)
{
    (void)state;
    static const int wanted[ITSI_QUALITY_LEVELS][4] = {
        {426, 240, 15, 200}, {640, 360, 20, 500}, {1280, 720, 25, 1500}, {1920, 1080, 30, 3000}, {3840, 2160, 30, 8000}};
    static const char *const ml[] = {"minimal", "simple", "standard", "full", "enhanced"};
    static const char *const preset[] = {"ultrafast", "fast", "medium", "medium", "slow"};
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++) {
        const struct itsi_quality_profile *p = itsi_quality_profile(level);
        assert_int_equal(p->width, wanted[level][0]);
        assert_int_equal(p->height, wanted[level][1]);
        assert_int_equal(p->fps, wanted[level][2]);
        assert_int_equal(p->bitrate_kbps, wanted[level][3]);
        assert_string_equal(p->ml, ml[level]);
        assert_string_equal(p->preset, preset[level]);
    }
    assert_string_equal(itsi_quality_name(ITSI_QUALITY_ULTRA_LOW), "ultra_low");
    assert_string_equal(itsi_quality_name(ITSI_QUALITY_ULTRA_HIGH), "ultra_high");
    assert_ptr_equal(itsi_quality_profile(-7), itsi_quality_profile(ITSI_QUALITY_ULTRA_LOW));
    assert_ptr_equal(itsi_quality_profile(99), itsi_quality_profile(ITSI_QUALITY_ULTRA_HIGH));
}

/* Every level below asks for less of everything; down to high every detection is made. */
static void profiles_fall(void **state)
{
    (void)state;
    CHECK_NEAR(itsi_quality_profile_cost(ITSI_QUALITY_HIGH), 1, 1e-9);
    for (int level = 1; level < ITSI_QUALITY_LEVELS; level++) {
        const struct itsi_quality_profile *p = itsi_quality_profile(level), *below = itsi_quality_profile(level - 1);
        assert_true(itsi_quality_profile_cost(level) > 1.5 * itsi_quality_profile_cost(level - 1));
        assert_true(p->input_share >= below->input_share && p->jpeg_quality > below->jpeg_quality);
        assert_true(level < ITSI_QUALITY_HIGH || p->detect_interval == 1);
    }
}

static struct itsi_quality_load nothing(void)
{
    struct itsi_quality_load load;
    itsi_quality_load_unknown(&load);
    return load;
}

static void any_figure_makes_the_condition(void **state)
{
    (void)state;
    static const struct {
        struct itsi_quality_load load;
        enum itsi_quality_condition condition;
    } cases[] = {
        {{.cpu_percent = 60}, ITSI_LOAD_OPTIMAL},        {{.cpu_percent = 60.1}, ITSI_LOAD_ELEVATED},
        {{.cpu_percent = 81}, ITSI_LOAD_HIGH},           {{.cpu_percent = 91}, ITSI_LOAD_CRITICAL},
        {{.cpu_percent = 96}, ITSI_LOAD_OVERLOAD},       {{.memory_percent = 71}, ITSI_LOAD_ELEVATED},
        {{.memory_percent = 86}, ITSI_LOAD_HIGH},        {{.memory_percent = 96}, ITSI_LOAD_CRITICAL},
        {{.memory_percent = 98.5}, ITSI_LOAD_OVERLOAD},  {{.gpu_percent = 71}, ITSI_LOAD_ELEVATED},
        {{.gpu_percent = 86}, ITSI_LOAD_HIGH},           {{.gpu_percent = 100}, ITSI_LOAD_CRITICAL},
        {{.latency_ms = 121}, ITSI_LOAD_ELEVATED},       {{.latency_ms = 151}, ITSI_LOAD_HIGH},
        {{.latency_ms = 9999}, ITSI_LOAD_CRITICAL},      {{.error_rate = 0.1}, ITSI_LOAD_OPTIMAL},
        {{.error_rate = 0.11}, ITSI_LOAD_OVERLOAD},      {{.cpu_percent = 65, .gpu_percent = 96}, ITSI_LOAD_CRITICAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(itsi_quality_condition(&cases[i].load), cases[i].condition);
    const struct itsi_quality_load unknown = nothing();
    assert_int_equal(itsi_quality_condition(&unknown), ITSI_LOAD_OPTIMAL);
    assert_string_equal(itsi_quality_condition_name(ITSI_LOAD_OVERLOAD), "overload");
    assert_int_equal(itsi_quality_condition_level(ITSI_LOAD_OPTIMAL), ITSI_QUALITY_HIGH);
    assert_int_equal(itsi_quality_condition_level(ITSI_LOAD_ELEVATED), ITSI_QUALITY_MEDIUM);
    assert_int_equal(itsi_quality_condition_level(ITSI_LOAD_HIGH), ITSI_QUALITY_LOW);
    assert_int_equal(itsi_quality_condition_level(ITSI_LOAD_CRITICAL), ITSI_QUALITY_ULTRA_LOW);
    assert_int_equal(itsi_quality_condition_level(ITSI_LOAD_OVERLOAD), ITSI_QUALITY_ULTRA_LOW);
}

/* After a time constant 63 % of a step is seen, in one tick or in many. */
static void smoothing_does_not_depend_on_the_ticks(void **state)
{
    (void)state;
    const int64_t tau = 3 * ITSI_NS_PER_S;
    struct itsi_quality_load from = nothing(), to = nothing(), one, many;
    from.cpu_percent = 20;
    from.slack_ms = 50;
    to.cpu_percent = 80;
    to.slack_ms = -50;
    one = many = from;
    itsi_quality_load_smooth(&one, &to, tau, tau);
    for (int64_t rest = tau, dt = 1; rest > 0; rest -= dt, dt = dt * 2 + 12345) {
        dt = dt < rest ? dt : rest;
        itsi_quality_load_smooth(&many, &to, dt, tau);
    }
    CHECK_NEAR(one.cpu_percent, 20 + 60 * (1 - exp(-1)), 1e-9);
    CHECK_NEAR(one.slack_ms, 50 - 100 * (1 - exp(-1)), 1e-9);
    CHECK_NEAR(many.cpu_percent, one.cpu_percent, 1e-6);
    CHECK_NEAR(many.slack_ms, one.slack_ms, 1e-6);
    const struct itsi_quality_load before = one;
    itsi_quality_load_smooth(&one, &from, 0, tau); /* no time, no change; nor when the clock went back */
    itsi_quality_load_smooth(&one, &from, -5, tau);
    CHECK_NEAR(one.cpu_percent, before.cpu_percent, 0);
    itsi_quality_load_smooth(&one, &from, 1, 0);
    CHECK_NEAR(one.cpu_percent, 20, 0);
}

static void unknown_is_not_a_value(void **state)
{
    (void)state;
    struct itsi_quality_load smooth = nothing(), raw = nothing();
    raw.engine_busy = 0.7;
    raw.slack_ms = -20;
    itsi_quality_load_smooth(&smooth, &raw, 1, ITSI_NS_PER_S); /* known now: taken as it is */
    CHECK_NEAR(smooth.engine_busy, 0.7, 0);
    CHECK_NEAR(smooth.slack_ms, -20, 0);
    CHECK_NEAR(smooth.gpu_percent, -1, 0);
    raw = nothing();
    itsi_quality_load_smooth(&smooth, &raw, 1, ITSI_NS_PER_S);
    CHECK_NEAR(smooth.engine_busy, -1, 0);
    assert_true(isnan(smooth.slack_ms));
    raw.memory_percent = 40;
    itsi_quality_load_smooth(&smooth, &raw, 1, ITSI_NS_PER_S);
    raw.memory_percent = (double)NAN; /* no number is no value either, and forgotten with the next that is one */
    itsi_quality_load_smooth(&smooth, &raw, 1, ITSI_NS_PER_S);
    CHECK_NEAR(smooth.memory_percent, -1, 0);
    raw.memory_percent = 50;
    itsi_quality_load_smooth(&smooth, &raw, 1, ITSI_NS_PER_S);
    CHECK_NEAR(smooth.memory_percent, 50, 0);
}

/* The bands must not overlap, whatever the options say. */
static void the_policy_keeps_its_bands_apart(void **state)
{
    (void)state;
    static const double budgets[] = {5, 50, 80, 90, 100, 200, 60000}, thresholds[] = {0.1, 50, 90, 60000};
    for (size_t b = 0; b < sizeof budgets / sizeof *budgets; b++)
        for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++) {
            const struct its_cfg_adaptive_quality cfg = {.latency_threshold_ms = thresholds[t],
                                                         .quality_adjustment_interval_seconds = 30,
                                                         .recovery_stability_period_minutes = 10,
                                                         .priority_quality_protection = true};
            struct itsi_quality_policy p;
            itsi_quality_policy_make(&p, &cfg, budgets[b]);
            assert_true(p.slack_low_ms > 0 && p.slack_low_ms < p.slack_calm_ms && p.slack_calm_ms < p.budget_ms);
            assert_true(p.queue_calm_ms < p.queue_high_ms && p.queue_high_ms < p.budget_ms);
            assert_true(p.on_time_low < p.on_time_calm && p.unmet_calm < p.unmet_high);
            assert_true(p.busy_target <= p.busy_rise && p.busy_rise < p.busy_high);
            assert_true(p.rise_dwell_ns == 600 * ITSI_NS_PER_S && p.rise_interval_ns == 30 * ITSI_NS_PER_S);
            assert_false(p.protect_priority); /* without priority streaming there is nothing to protect */
        }
    const struct its_cfg_adaptive_quality cfg = {.latency_threshold_ms = 90};
    struct itsi_quality_policy p;
    itsi_quality_policy_make(&p, &cfg, 100);
    CHECK_NEAR(p.slack_low_ms, 10, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_those_of_the_guide),
        cmocka_unit_test(profiles_fall),
        cmocka_unit_test(any_figure_makes_the_condition),
        cmocka_unit_test(smoothing_does_not_depend_on_the_ticks),
        cmocka_unit_test(unknown_is_not_a_value),
        cmocka_unit_test(the_policy_keeps_its_bands_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the detector finds, and what it does not. */
#include "latency/regression_fixture.h"

static void steady_noise_gives_no_alarm(void **state)
{
    (void)state;
    static const struct {
        double sigma, phi;
    } noises[] = {{0.02, 0}, {0.05, 0.5}, {0.10, 0.3}, {0.04, 0.9}, {0, 0}};
    for (int i = 0; i < 5; i++) {
        struct machine m;
        machine_on(&m, noises[i].sigma, noises[i].phi);
        run(&m, 6 * 3600);
        check_quiet(&m);
        struct itsi_regression_report report;
        itsi_regression_report(m.detector, &report);
        assert_int_equal(report.count, 0);
        assert_int_equal(report.primary, -1);
        assert_false(report.learning);
        assert_int_equal(report.batches, ITSI_BASELINE_FULL);
        machine_off(&m);
    }
}

static void a_slower_stage_is_named_with_size_and_beginning(void **state)
{
    (void)state;
    for (int s = 0; s < STAGES; s++) {
        struct machine m;
        struct itsi_regression_event event;
        machine_learned(&m, 0.05, 0.5);
        const int64_t began = m.now;
        slow_down(&m, (enum itsi_stage)s, 1.3);
        assert_true(until_event(&m, 60, &event));
        assert_int_equal(event.what, ITSI_REGRESSION_BEGAN);
        assert_true(event.regression);
        assert_int_equal(event.move.stage, s);
        assert_true(event.move.low_percent < 30 && event.move.high_percent > 30);
        assert_true(event.move.confidence > 0.99);
        CHECK_NEAR((double)(event.move.since - began) / 1e9, 0, 5);
        CHECK_NEAR(event.move.before_ms, typical_us[s] / 1e3, 0.03 * typical_us[s] / 1e3);
        run(&m, 120); /* time makes it sharper */
        struct itsi_regression_report report;
        itsi_regression_report(m.detector, &report);
        assert_int_equal(report.count, 1);
        assert_int_equal(report.primary, 0);
        CHECK_NEAR(report.moves[0].percent, 30, 4);
        assert_true(report.moves[0].high_percent - report.moves[0].low_percent <
                    event.move.high_percent - event.move.low_percent);
        check_quiet(&m); /* said once */
        machine_off(&m);
    }
}

static void a_move_below_half_the_threshold_is_none(void **state)
{
    (void)state;
    struct machine m;
    machine_on(&m, 0.03, 0.5);
    run(&m, 3700);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.06);
    run(&m, 4 * 3600);
    check_quiet(&m);
    machine_off(&m);
}

static void the_threshold_decides(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    const struct itsi_regression_params fine = {.threshold_percent = 5};
    machine_learned_with(&m, 0.02, 0.3, &fine);
    slow_down(&m, ITSI_STAGE_PREPROCESSING, 1.06);
    assert_true(until_event(&m, 120, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_PREPROCESSING);
    machine_off(&m);
}

static void the_stage_that_costs_most_is_the_primary(void **state)
{
    (void)state;
    struct machine m;
    machine_learned(&m, 0.03, 0.3);
    slow_down(&m, ITSI_STAGE_POSTPROCESSING, 2); /* 0.06 ms more */
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.3); /* 5.4 ms more */
    m.extra[ITSI_TIME_WAIT][ITSI_STAGE_PREPROCESSING] = log(50);    /* 200 ms more, waiting */
    run(&m, 60);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.count, 3);
    assert_int_equal(report.moves[report.primary].stage, ITSI_STAGE_ML_INFERENCE);
    assert_int_equal(report.moves[report.primary].kind, ITSI_TIME_SERVICE);
    machine_off(&m);
}

static void all_stages_alike_are_the_whole(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    struct itsi_regression_report report;
    machine_learned(&m, 0.05, 0.5);
    assert_int_equal(itsi_regression_accept_whole(m.detector, m.now), ITS_ENOTFOUND);
    slow_down_all(&m, 1.4);
    assert_true(until_event(&m, 60, &event));
    assert_true(event.move.whole);
    assert_true(event.regression);
    run(&m, 300);
    check_quiet(&m); /* no stage is accused beside it */
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.count, 1);
    assert_int_equal(report.primary, 0);
    CHECK_NEAR(report.moves[0].percent, 40, 5);
    CHECK_NEAR(report.moves[0].before_ms, (4000 + 300 + 18000 + 60) / 1e3, 0.5);
    char text[160];
    itsi_move_text(&report.moves[0], text, sizeof text);
    CHECK_CONTAINS(text, "all stages slower by ");

    slow_down(&m, ITSI_STAGE_PREPROCESSING, 1.4 * 1.6); /* and one more than the others */
    assert_true(until_event(&m, 60, &event));
    assert_false(event.move.whole);
    assert_int_equal(event.move.stage, ITSI_STAGE_PREPROCESSING);
    slow_down_all(&m, 1);
    run(&m, 120);
    int over = 0;
    while (itsi_regression_next(m.detector, &event))
        over += event.what == ITSI_REGRESSION_BACK;
    assert_int_equal(over, 2);
    machine_off(&m);
}

static void a_slower_whole_becomes_the_baseline(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    const struct itsi_regression_params params = {.threshold_percent = 20, .accept_after_ns = 1800 * SECOND};
    machine_learned_with(&m, 0.05, 0.3, &params);
    slow_down_all(&m, 1.4);
    assert_true(until_event(&m, 60, &event));
    assert_true(until_event(&m, 2000, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_ACCEPTED);
    assert_true(event.move.whole);
    run(&m, 1800);
    check_quiet(&m);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.4 * 1.4);
    assert_true(until_event(&m, 60, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_ML_INFERENCE);
    machine_off(&m);
}

static void waiting_longer_accuses_nobody(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    machine_learned(&m, 0.05, 0.3);
    m.extra[ITSI_TIME_WAIT][ITSI_STAGE_ML_INFERENCE] = log(3);
    assert_true(until_event(&m, 60, &event));
    assert_false(event.regression);
    assert_int_equal(event.move.kind, ITSI_TIME_WAIT);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.count, 1);
    assert_int_equal(report.primary, -1);
    machine_off(&m);
}

static void an_improvement_is_information(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    machine_learned(&m, 0.05, 0.3);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 0.7);
    assert_true(until_event(&m, 60, &event));
    assert_false(event.regression);
    assert_false(event.move.slower);
    assert_true(event.move.percent < 0);
    char text[160];
    itsi_move_text(&event.move, text, sizeof text);
    CHECK_CONTAINS(text, "ml_inference faster by ");
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.primary, -1);
    machine_off(&m);
}

static void a_hiccup_is_no_level(void **state)
{
    (void)state;
    struct machine m;
    machine_learned(&m, 0.05, 0.3);
    for (int i = 0; i < 50; i++) {
        slow_down(&m, ITSI_STAGE_ML_INFERENCE, 8);
        run(&m, 3);
        slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1);
        run(&m, 60);
    }
    check_quiet(&m);
    machine_off(&m);
}

/* One percent in five minutes. */
static void drift(struct machine *m, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        m->extra[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE] += log(1.01) / 300;
        run(m, 1);
    }
}

static void a_slow_drift_is_told_at_the_threshold(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    machine_on(&m, 0.03, 0.3);
    run(&m, 3700); /* the baseline is complete and does not follow */
    drift(&m, 2400);
    check_quiet(&m); /* 8 % */
    drift(&m, 3900);
    assert_true(itsi_regression_next(m.detector, &event)); /* 23 % */
    assert_true(event.regression);
    assert_int_equal(event.move.stage, ITSI_STAGE_ML_INFERENCE);
    CHECK_NEAR(event.move.percent, 20, 4);
    machine_off(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_noise_gives_no_alarm),
        cmocka_unit_test(a_slower_stage_is_named_with_size_and_beginning),
        cmocka_unit_test(a_move_below_half_the_threshold_is_none),
        cmocka_unit_test(the_threshold_decides),
        cmocka_unit_test(the_stage_that_costs_most_is_the_primary),
        cmocka_unit_test(all_stages_alike_are_the_whole),
        cmocka_unit_test(a_slower_whole_becomes_the_baseline),
        cmocka_unit_test(waiting_longer_accuses_nobody),
        cmocka_unit_test(an_improvement_is_information),
        cmocka_unit_test(a_hiccup_is_no_level),
        cmocka_unit_test(a_slow_drift_is_told_at_the_threshold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A regression's end, bands, gaps, frames, and what the detector refuses. */
#include "latency/regression_fixture.h"

#include "base/mem.h"

#define US INT64_C(1000)

static void it_says_when_a_regression_is_over(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    machine_learned(&m, 0.05, 0.3);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.5);
    assert_true(until_event(&m, 60, &event));
    run(&m, 600);
    check_quiet(&m);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1);
    assert_true(until_event(&m, 60, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_BACK);
    assert_int_equal(event.move.stage, ITSI_STAGE_ML_INFERENCE);
    assert_true(event.regression);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.count, 0);
    run(&m, 3600);
    check_quiet(&m);
    machine_off(&m);
}

static void an_old_regression_becomes_the_baseline(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    const struct itsi_regression_params params = {.threshold_percent = 20, .accept_after_ns = 1800 * SECOND};
    machine_learned_with(&m, 0.05, 0.3, &params);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.5);
    assert_true(until_event(&m, 60, &event));
    const int64_t reported = m.now;
    assert_true(until_event(&m, 2000, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_ACCEPTED);
    CHECK_NEAR((double)(m.now - reported) / 1e9, 1800, 2);
    run(&m, 3600);
    check_quiet(&m);
    struct itsi_baseline_set set;
    itsi_regression_baselines(m.detector, &set);
    CHECK_NEAR(set.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE].level, log(18000 * 1.5), 0.02);
    machine_off(&m);
}

static void an_operator_accepts_a_level(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    machine_learned(&m, 0.05, 0.3);
    assert_int_equal(itsi_regression_accept(m.detector, ITSI_STAGE_ML_INFERENCE, m.now), ITS_ENOTFOUND);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.5);
    assert_true(until_event(&m, 60, &event));
    assert_int_equal(itsi_regression_accept(m.detector, ITSI_STAGE_ML_INFERENCE, m.now), 0);
    assert_true(itsi_regression_next(m.detector, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_ACCEPTED);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_true(report.learning); /* too few batches of the new level yet */
    run(&m, 1800);
    check_quiet(&m);
    itsi_regression_report(m.detector, &report);
    assert_false(report.learning);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.5 * 1.5);
    assert_true(until_event(&m, 60, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_BEGAN);
    machine_off(&m);
}

static void gaps_are_no_evidence(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_batch batch;
    machine_learned(&m, 0.05, 0.3);
    for (int i = 0; i < 200; i++) { /* a few slow seconds after each outage, never a level */
        m.now += 60 * SECOND;
        slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1.5);
        make_batch(&m, &batch);
        batch.after_gap = true;
        assert_int_equal(itsi_regression_batch(m.detector, &batch), 0);
        run(&m, 2);
        slow_down(&m, ITSI_STAGE_ML_INFERENCE, 1);
    }
    check_quiet(&m);
    machine_off(&m);
}

static void a_known_baseline_judges_at_once(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    struct itsi_baseline_set known;
    machine_learned(&m, 0.05, 0.3);
    itsi_regression_baselines(m.detector, &known);
    slow_down(&m, ITSI_STAGE_CAMERA_CAPTURE, 1.4); /* while nobody looked */
    itsi_regression_enter(m.detector, &known, m.now);
    assert_true(until_event(&m, 30, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_CAMERA_CAPTURE);
    assert_true(event.regression);
    machine_off(&m);
}

static void another_band_has_a_baseline_of_its_own(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    struct itsi_regression_report report;
    struct itsi_baseline_set quiet_band;
    machine_learned(&m, 0.05, 0.3);
    slow_down(&m, ITSI_STAGE_PREPROCESSING, 1.5);
    assert_true(until_event(&m, 60, &event));
    slow_down(&m, ITSI_STAGE_PREPROCESSING, 1);
    itsi_regression_baselines(m.detector, &quiet_band);

    itsi_regression_enter(m.detector, NULL, m.now); /* busier: all takes twice as long, rightly */
    assert_true(itsi_regression_next(m.detector, &event));
    assert_int_equal(event.what, ITSI_REGRESSION_LEFT);
    slow_down_all(&m, 2);
    run(&m, ITSI_BASELINE_WARMUP - 1);
    itsi_regression_report(m.detector, &report);
    assert_true(report.learning);
    assert_int_equal(report.batches, 0);
    run(&m, 600);
    check_quiet(&m);

    itsi_regression_enter(m.detector, &quiet_band, m.now);
    slow_down_all(&m, 1);
    run(&m, 600);
    check_quiet(&m);
    machine_off(&m);
}

static void no_verdict_before_enough_batches(void **state)
{
    (void)state;
    struct machine m;
    machine_on(&m, 0.05, 0.3);
    run(&m, 40);
    slow_down(&m, ITSI_STAGE_ML_INFERENCE, 3);
    run(&m, ITSI_BASELINE_WARMUP - 41);
    check_quiet(&m);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_true(report.learning);
    machine_off(&m);
}

static void impossible_input_is_refused(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_batch batch, good;
    machine_on(&m, 0.05, 0.3);
    run(&m, 10);
    make_batch(&m, &good);
    static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (int i = 0; i < 3; i++) {
        batch = good;
        batch.mean[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE] = bad[i];
        assert_int_equal(itsi_regression_batch(m.detector, &batch), ITS_EINVAL);
    }
    batch = good;
    batch.frames = 0;
    assert_int_equal(itsi_regression_batch(m.detector, &batch), ITS_EINVAL);
    batch = good;
    batch.begin -= 5 * SECOND; /* overlaps what was */
    assert_int_equal(itsi_regression_batch(m.detector, &batch), ITS_EINVAL);
    struct itsi_breakdown frame = {0};
    frame.service[ITSI_STAGE_ML_INFERENCE] = -1;
    assert_int_equal(itsi_regression_frame(m.detector, &frame, m.now), ITS_EINVAL);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.refused, 6);
    assert_int_equal(itsi_regression_batch(m.detector, &good), 0);
    machine_off(&m);
}

static void events_nobody_takes_are_bounded(void **state)
{
    (void)state;
    struct machine m;
    machine_learned(&m, 0.02, 0);
    for (int i = 0; i < 40; i++) {
        slow_down(&m, ITSI_STAGE_ML_INFERENCE, i % 2 ? 1 : 2);
        run(&m, 30);
    }
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.events_lost, 8);
    struct itsi_regression_event event;
    int left = 0;
    while (itsi_regression_next(m.detector, &event))
        left++;
    assert_int_equal(left, 32);
    assert_int_equal(event.what, ITSI_REGRESSION_BACK); /* the newest came last */
    machine_off(&m);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

/* Inference takes 12 ms, or 40 ms when the batch is large: two modes, as engines have. */
static struct itsi_breakdown frame_of(struct itsi_rand *rng, double factor)
{
    struct itsi_breakdown frame = {0};
    const double ms = (itsi_rand_below(rng, 3) ? 12 : 40) * (1 + 0.05 * itsi_rand_normal(rng));
    frame.service[ITSI_STAGE_PREPROCESSING] = 200 * US;
    frame.wait[ITSI_STAGE_PREPROCESSING] = itsi_rand_below(rng, 40) * US;
    frame.service[ITSI_STAGE_ML_INFERENCE] = (int64_t)(ms * factor * 1e6);
    return frame;
}

static void frames_for(struct machine *m, int seconds, int fps, double factor)
{
    for (int i = 0; i < seconds * fps; i++) {
        const struct itsi_breakdown frame = frame_of(&m->rng, factor);
        m->now += SECOND / fps;
        assert_int_equal(itsi_regression_frame(m->detector, &frame, m->now), 0);
    }
}

static void two_modes_are_one_level(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_event event;
    machine_on(&m, 0, 0);
    frames_for(&m, 2 * 3600, 25, 1);
    check_quiet(&m);
    frames_for(&m, 60, 25, 1.25);
    assert_true(itsi_regression_next(m.detector, &event));
    assert_int_equal(event.move.stage, ITSI_STAGE_ML_INFERENCE);
    assert_true(event.regression);
    struct itsi_regression_report report;
    itsi_regression_report(m.detector, &report);
    assert_int_equal(report.count, 1); /* capture has no data, waits of microseconds say nothing */
    machine_off(&m);
}

static void a_slow_camera_makes_longer_batches(void **state)
{
    (void)state;
    struct machine m;
    struct itsi_regression_report report;
    machine_on(&m, 0, 0);
    frames_for(&m, 8 * (ITSI_BASELINE_WARMUP - 1), 1, 1);
    itsi_regression_report(m.detector, &report);
    assert_true(report.learning);
    frames_for(&m, 8 * 3, 1, 1);
    itsi_regression_report(m.detector, &report);
    assert_false(report.learning);
    machine_off(&m);
}

static void frames_around_an_outage_do_not_mix(void **state)
{
    (void)state;
    struct itsi_open_batch open = {0};
    struct itsi_batch batch;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 3);
    const struct itsi_breakdown frame = frame_of(&rng, 1);
    int64_t now = 5 * SECOND;
    for (int i = 0; i < 7; i++)
        assert_int_equal(itsi_batch_add(&open, &frame, now += SECOND / 10, &batch), 0);
    now += 11 * SECOND;
    const int64_t back = now + SECOND / 10;
    for (int i = 0; i < 10; i++)
        assert_int_equal(itsi_batch_add(&open, &frame, now += SECOND / 10, &batch), 0);
    assert_int_equal(itsi_batch_add(&open, &frame, now + SECOND, &batch), 1);
    assert_int_equal(batch.begin, back);
    assert_int_equal(batch.frames, 10);
    assert_true(batch.after_gap);
    assert_int_equal(itsi_batch_add(&open, &frame, now - 5 * SECOND, &batch), 0); /* a clock that steps back */
    assert_true(open.after_gap);
    assert_int_equal(open.frames, 1);
}

/* --- creation ----------------------------------------------------------------------------------------------------- */

static void bad_settings_are_refused(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_regression *detector = NULL;
    static const double bad[] = {0, -5, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 4; i++) {
        const struct itsi_regression_params params = {.threshold_percent = bad[i]};
        assert_int_equal(itsi_regression_create(&detector, &params, &diag), ITS_EINVAL);
        CHECK_CONTAINS(diag.text, "threshold");
    }
    const struct itsi_regression_params params = {.threshold_percent = 20, .accept_after_ns = -1};
    assert_int_equal(itsi_regression_create(&detector, &params, &diag), ITS_EINVAL);
    assert_null(detector);
}

static void creation_survives_no_memory_and_running_needs_none(void **state)
{
    (void)state;
    struct itsi_regression *detector = NULL;
    const struct itsi_regression_params params = {.threshold_percent = 20};
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_regression_create(&detector, &params, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_null(detector);
    struct machine m;
    machine_on(&m, 0.05, 0.3);
    const uint64_t before = itsi_alloc_count();
    frames_for(&m, 300, 25, 1);
    frames_for(&m, 60, 25, 1.5);
    assert_int_equal(itsi_alloc_count(), before);
    machine_off(&m);
}

static void the_same_input_gives_the_same_events(void **state)
{
    (void)state;
    struct machine m[2];
    struct itsi_regression_event a, b;
    for (int i = 0; i < 2; i++) {
        machine_on(&m[i], 0.08, 0.5);
        run(&m[i], 600);
        slow_down(&m[i], ITSI_STAGE_ML_INFERENCE, 1.3);
        run(&m[i], 60);
    }
    assert_true(itsi_regression_next(m[0].detector, &a));
    assert_true(itsi_regression_next(m[1].detector, &b));
    assert_int_equal(a.when, b.when);
    CHECK_NEAR(a.move.percent, b.move.percent, 0);
    machine_off(&m[0]);
    machine_off(&m[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_when_a_regression_is_over),
        cmocka_unit_test(an_old_regression_becomes_the_baseline),
        cmocka_unit_test(an_operator_accepts_a_level),
        cmocka_unit_test(gaps_are_no_evidence),
        cmocka_unit_test(a_known_baseline_judges_at_once),
        cmocka_unit_test(another_band_has_a_baseline_of_its_own),
        cmocka_unit_test(no_verdict_before_enough_batches),
        cmocka_unit_test(impossible_input_is_refused),
        cmocka_unit_test(events_nobody_takes_are_bounded),
        cmocka_unit_test(two_modes_are_one_level),
        cmocka_unit_test(a_slow_camera_makes_longer_batches),
        cmocka_unit_test(frames_around_an_outage_do_not_mix),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(creation_survives_no_memory_and_running_needs_none),
        cmocka_unit_test(the_same_input_gives_the_same_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

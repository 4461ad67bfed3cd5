#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "latency/rolling.h"

#define MS ITSI_NS_PER_MS
#define S ITSI_NS_PER_S

static const struct its_cfg_latency_monitoring usual = {.latency_sla_ms = 100,
                                                        .collect_detailed_metrics = true,
                                                        .monitoring_window_seconds = 60,
                                                        .alert_window_seconds = 300,
                                                        .trend_analysis_minutes = 60};

static struct itsi_rolling *make(int cameras)
{
    struct its_diag diag;
    struct itsi_rolling *r;
    CHECK_OK(itsi_rolling_create(&r, &usual, cameras, 0, &diag), diag);
    return r;
}

/* A frame of so many ms: half of it waiting for inference, half inference. */
static struct itsi_breakdown frame_of(int64_t ms)
{
    struct itsi_breakdown b = {0};
    b.wait[ITSI_STAGE_ML_INFERENCE] = ms * MS / 2;
    b.service[ITSI_STAGE_ML_INFERENCE] = ms * MS - ms * MS / 2;
    b.end_to_end = ms * MS;
    return b;
}

static struct itsi_window_figures ask(struct itsi_rolling *r, int series, enum itsi_rolling_window w, int64_t now)
{
    struct itsi_window_figures figures;
    assert_int_equal(itsi_rolling_query(r, series, w, now, &figures), 0);
    return figures;
}

static void tick(struct itsi_rolling *r, int64_t now) { assert_int_equal(itsi_rolling_tick(r, now), 0); }

/* Ten frames a second for ten minutes: 40 ms each, and in the last two minutes 120 ms. */
static void windows_hold_what_they_should(void **state)
{
    (void)state;
    struct itsi_rolling *r = make(4);
    int camera = itsi_rolling_camera_claim(r);
    assert_true(camera >= 0);
    int64_t now = 0;
    for (int second = 0; second < 600; second++) {
        for (int i = 0; i < 10; i++) {
            struct itsi_breakdown b = frame_of(second < 480 ? 40 : 120);
            itsi_rolling_frame(r, &b, second < 300 ? 3 : 1, camera);
        }
        now += S;
        tick(r, now);
    }
    struct itsi_window_figures f = ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, now);
    assert_int_equal(f.count, 600);
    CHECK_NEAR(f.p50_ms, 120, 0.12);
    CHECK_NEAR(f.violation_rate, 1, 1e-9);
    CHECK_NEAR(f.per_second, 10, 0.01);
    f = ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_MEDIUM, now);
    /* a window begins at an edge of its intervals of five seconds; what it covers it counts exactly */
    CHECK_NEAR(f.covered_s, 300, 2.5);
    CHECK_NEAR((double)f.count, 10 * f.covered_s, 1e-6);
    assert_int_equal(f.violations, 1200);
    CHECK_NEAR(f.mean_ms, ((double)(f.count - 1200) * 40 + 1200 * 120.0) / (double)f.count, 1e-6);
    CHECK_NEAR(f.min_ms, 40, 1e-9);
    CHECK_NEAR(f.max_ms, 120, 1e-9);
    f = ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_LONG, now);
    assert_int_equal(f.count, 6000);
    /* inference has a budget of 50 ms: waiting and service of 120 ms break it, those of 40 ms do not */
    f = ask(r, ITSI_ROLLING_STAGE + ITSI_STAGE_ML_INFERENCE, ITSI_WINDOW_LONG, now);
    assert_int_equal(f.violations, 1200);
    f = ask(r, ITSI_ROLLING_WAIT + ITSI_STAGE_ML_INFERENCE, ITSI_WINDOW_SHORT, now);
    CHECK_NEAR(f.p95_ms, 60, 0.06);
    assert_int_equal(ask(r, ITSI_ROLLING_LEVEL + 3, ITSI_WINDOW_LONG, now).count, 3000);
    assert_int_equal(ask(r, ITSI_ROLLING_LEVEL + 1, ITSI_WINDOW_LONG, now).count, 3000);
    assert_int_equal(ask(r, ITSI_ROLLING_LEVEL + 0, ITSI_WINDOW_LONG, now).count, 0);
    f = ask(r, camera, ITSI_WINDOW_LONG, now);
    assert_int_equal(f.count, 6000);
    CHECK_NEAR(f.p99_ms, 120, 1.2);
    struct itsi_rolling_stats stats;
    itsi_rolling_stats(r, &stats);
    assert_int_equal(stats.measurements, 6000);
    assert_int_equal(stats.violations, 1200);
    itsi_rolling_destroy(r);
}

static void measurements_from_outside_land_in_the_same_windows(void **state)
{
    (void)state;
    struct itsi_rolling *r = make(1);
    int camera = itsi_rolling_camera_claim(r);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_STAGE + ITSI_STAGE_ENCODING, camera, 12 * MS), 0);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_CLIENT_RENDERING, camera, 7 * MS), 0);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_END_TO_END, camera, 150 * MS), 0);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_END_TO_END, -1, 50 * MS), 0);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_UNATTRIBUTED, camera, MS), ITS_EINVAL);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_WAIT, camera, MS), ITS_EINVAL);
    assert_int_equal(itsi_rolling_measure(r, -1, camera, MS), ITS_EINVAL);
    assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_END_TO_END, camera, -1), ITS_EINVAL);
    tick(r, S);
    struct itsi_window_figures f = ask(r, ITSI_ROLLING_STAGE + ITSI_STAGE_ENCODING, ITSI_WINDOW_SHORT, S);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.violations, 1); /* its budget is 10 ms */
    CHECK_NEAR(f.p50_ms, 12, 0.012);
    assert_int_equal(ask(r, ITSI_ROLLING_CLIENT_RENDERING, ITSI_WINDOW_SHORT, S).count, 1);
    assert_int_equal(ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, S).count, 2);
    assert_int_equal(ask(r, camera, ITSI_WINDOW_SHORT, S).count, 1);
    itsi_rolling_destroy(r);
}

static void stages_after_the_hand_over_are_kept_apart_too(void **state)
{
    (void)state;
    struct itsi_rolling *r = make(1);
    itsi_rolling_stage(r, ITSI_STAGE_NETWORK_TRANSMISSION, 15 * MS, 6 * MS);
    itsi_rolling_stage(r, ITSI_STAGE_NETWORK_TRANSMISSION, 0, 4 * MS);
    tick(r, S);
    struct itsi_window_figures f =
        ask(r, ITSI_ROLLING_STAGE + ITSI_STAGE_NETWORK_TRANSMISSION, ITSI_WINDOW_SHORT, S);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.violations, 1); /* 21 ms of 20 */
    CHECK_NEAR(f.mean_ms, 12.5, 0.0125);
    f = ask(r, ITSI_ROLLING_WAIT + ITSI_STAGE_NETWORK_TRANSMISSION, ITSI_WINDOW_SHORT, S);
    CHECK_NEAR(f.max_ms, 15, 0.015);
    f = ask(r, ITSI_ROLLING_SERVICE + ITSI_STAGE_NETWORK_TRANSMISSION, ITSI_WINDOW_SHORT, S);
    CHECK_NEAR(f.mean_ms, 5, 0.005);
    assert_int_equal(ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, S).count, 0);
    itsi_rolling_destroy(r);
}

/* A thousand come and go: each begins with nothing, and memory does not grow. */
static void cameras_come_and_go(void **state)
{
    (void)state;
    struct itsi_rolling *r = make(8);
    int64_t now = 0;
    size_t settled = 0;
    for (int i = 0; i < 1000; i++) {
        int camera = itsi_rolling_camera_claim(r);
        assert_true(camera >= 0);
        tick(r, now += S);
        struct itsi_window_figures f = ask(r, camera, ITSI_WINDOW_LONG, now);
        assert_int_equal(f.count, 0);
        struct itsi_breakdown b = frame_of(20);
        itsi_rolling_frame(r, &b, 3, camera);
        tick(r, now += S);
        assert_int_equal(ask(r, camera, ITSI_WINDOW_LONG, now).count, 1);
        itsi_rolling_camera_release(r, camera);
        assert_int_equal(itsi_rolling_query(r, camera, ITSI_WINDOW_LONG, now, &f), ITS_ENOTFOUND);
        struct itsi_rolling_stats stats;
        itsi_rolling_stats(r, &stats);
        if (i == 500)
            settled = stats.bytes;
        if (i > 500)
            assert_true(stats.bytes <= settled + settled / 20);
    }
    itsi_rolling_destroy(r);
}

static void the_promise_and_the_lengths_change_live(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_rolling *r = make(1);
    struct its_cfg_latency_monitoring other = usual;
    struct itsi_breakdown b = frame_of(90);
    itsi_rolling_frame(r, &b, 3, -1);
    tick(r, S);
    other.latency_sla_ms = 80;
    other.monitoring_window_seconds = 10;
    CHECK_OK(itsi_rolling_configure(r, &other, &diag), diag);
    assert_int_equal(itsi_rolling_seconds(r, ITSI_WINDOW_SHORT), 10);
    itsi_rolling_frame(r, &b, 3, -1);
    tick(r, 2 * S);
    struct itsi_window_figures f = ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, 2 * S);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.violations, 1); /* each by the promise of its time */
    tick(r, 30 * S);
    assert_int_equal(ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, 30 * S).count, 0);
    assert_int_equal(ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_MEDIUM, 30 * S).count, 2);
    itsi_rolling_destroy(r);
}

static void without_details_only_the_whole_is_kept(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_rolling *r = make(1);
    struct its_cfg_latency_monitoring other = usual;
    struct itsi_breakdown b = frame_of(90);
    itsi_rolling_frame(r, &b, 3, -1);
    other.collect_detailed_metrics = false;
    CHECK_OK(itsi_rolling_configure(r, &other, &diag), diag);
    itsi_rolling_frame(r, &b, 3, -1);
    itsi_rolling_stage(r, ITSI_STAGE_ENCODING, MS, MS);
    tick(r, S);
    assert_int_equal(ask(r, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, S).count, 2);
    assert_int_equal(ask(r, ITSI_ROLLING_LEVEL + 3, ITSI_WINDOW_SHORT, S).count, 2);
    assert_int_equal(ask(r, ITSI_ROLLING_STAGE + ITSI_STAGE_ML_INFERENCE, ITSI_WINDOW_SHORT, S).count, 1);
    assert_int_equal(ask(r, ITSI_ROLLING_WAIT + ITSI_STAGE_ML_INFERENCE, ITSI_WINDOW_SHORT, S).count, 1);
    assert_int_equal(ask(r, ITSI_ROLLING_STAGE + ITSI_STAGE_ENCODING, ITSI_WINDOW_SHORT, S).count, 0);
    itsi_rolling_destroy(r);
}

static void recording_allocates_nothing_and_creation_survives_no_memory(void **state)
{
    (void)state;
    struct itsi_rolling *r = make(2);
    int camera = itsi_rolling_camera_claim(r);
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 1000; i++) {
        struct itsi_breakdown b = frame_of(i);
        itsi_rolling_frame(r, &b, 3, camera);
        assert_int_equal(itsi_rolling_measure(r, ITSI_ROLLING_END_TO_END, camera, i), 0);
    }
    assert_true(itsi_alloc_count() == before);
    itsi_rolling_destroy(r);
    int64_t n = 1;
    for (int rc = ITS_ENOMEM; rc != 0; n++) {
        itsi_alloc_fail_at(n);
        rc = itsi_rolling_create(&r, &usual, 2, 0, NULL);
        itsi_alloc_fail_at(0);
        assert_true(rc == 0 || rc == ITS_ENOMEM);
        assert_true(n < 10000);
    }
    assert_true(n > 4);
    itsi_rolling_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hold_what_they_should),
        cmocka_unit_test(measurements_from_outside_land_in_the_same_windows),
        cmocka_unit_test(stages_after_the_hand_over_are_kept_apart_too),
        cmocka_unit_test(cameras_come_and_go),
        cmocka_unit_test(the_promise_and_the_lengths_change_live),
        cmocka_unit_test(without_details_only_the_whole_is_kept),
        cmocka_unit_test(recording_allocates_nothing_and_creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

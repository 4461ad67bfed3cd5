/* Cameras that come, go and change under the alerts; clocks; what others feed; threads and memory. */
#include "support/alerts_world.h"

#include <pthread.h>
#include <stdatomic.h>

static void a_removed_camera_ends_its_alert(void **state)
{
    (void)state;
    begin(6, 3);
    run(600);
    set_bad(5, 1, FPS);
    run(120);
    check_counts(1, 0);
    w.count = 5;
    run(1);
    check_counts(1, 1);
    check_last(ITSI_ALERT_CAMERA, "camera_006", ITSI_SEVERITY_CRITICAL);
    assert_int_equal(w.last.end, ITSI_ALERT_REMOVED);
    set_bad(0, 3, FPS); /* a whole group goes */
    run(130);
    forget();
    memmove(w.ledgers, w.ledgers + 3, 2 * sizeof w.ledgers[0]);
    memmove(w.ids, w.ids + 3, 2 * sizeof w.ids[0]);
    memmove(w.groups, w.groups + 3, 2 * sizeof w.groups[0]);
    w.count = 2;
    set_bad(0, 2, 0);
    run(1);
    struct itsi_alert active[8];
    for (size_t i = 0; i < itsi_alerts_active(w.alerts, active, 8); i++)
        assert_int_equal(active[i].scope, ITSI_ALERT_SYSTEM);
    end();
}

/* The ledger of a camera replaced under its id goes backward; its name's windows go on. */
static void a_replaced_camera_starts_from_zero(void **state)
{
    (void)state;
    begin(3, 0);
    run(600);
    struct itsi_slo_status before, after;
    assert_int_equal(itsi_alerts_slo(w.alerts, "camera_002", &before), 0);
    w.ledgers[1] = (struct itsi_ledger_counts){.expected = 0};
    run(1);
    assert_int_equal(itsi_alerts_slo(w.alerts, "camera_002", &after), 0);
    for (int i = 0; i < ITSI_SLO_WINDOW_COUNT; i++) {
        assert_in_range(after.window[i].frames.due, before.window[i].frames.due - 5 * FPS,
                        before.window[i].frames.due + FPS);
        assert_int_equal(after.window[i].frames.bad, 0);
    }
    run(600);
    check_counts(0, 0);
    assert_int_equal(itsi_alerts_slo(w.alerts, "nobody", &after), ITS_ENOTFOUND);
    assert_int_equal(itsi_alerts_slo(w.alerts, NULL, &after), 0);
    assert_int_equal(after.window[ITSI_SLO_SHORT].frames.due % (3 * FPS), 0);
    end();
}

static void a_camera_moves_to_another_group(void **state)
{
    (void)state;
    begin(12, 3);
    run(600);
    set_bad(0, 3, FPS);
    run(120);
    check_counts(1, 0);
    check_last(ITSI_ALERT_GROUP, "host-0", ITSI_SEVERITY_CRITICAL);
    for (int i = 0; i < 3; i++)
        snprintf(w.groups[i], sizeof w.groups[i], "host-new");
    forget();
    run(1); /* the old group has no camera any more; its cameras have no alert above them for a moment */
    struct itsi_alert past[8];
    const size_t count = itsi_alerts_history(w.alerts, past, 8);
    assert_int_equal(count, 5);
    assert_string_equal(past[3].subject, "host-0");
    assert_int_equal(past[3].end, ITSI_ALERT_REMOVED);
    run(10);
    assert_int_equal(w.ended, 1 + 3);
    check_last(ITSI_ALERT_CAMERA, "camera_003", ITSI_SEVERITY_CRITICAL);
    assert_int_equal(w.last.end, ITSI_ALERT_SUPERSEDED);
    for (int i = 0; i < 3; i++)
        w.groups[i][0] = '\0'; /* files now: each alone */
    run(1);
    struct itsi_alert active[8];
    assert_int_equal(itsi_alerts_active(w.alerts, active, 8), 3);
    assert_int_equal(active[0].scope, ITSI_ALERT_CAMERA);
    end();
}

static void clocks_may_step(void **state)
{
    (void)state;
    begin(2, 0);
    run(600);
    set_bad(0, 1, FPS);
    run(120);
    assert_true(w.fired >= 1);
    w.wall -= 7200 * SECOND; /* somebody set the clock: an alert does not end before it began (take_events checks) */
    set_bad(0, 1, 0);
    run(900);
    assert_int_equal(itsi_alerts_active(w.alerts, NULL, 0), 0);
    forget();
    w.now -= 100 * SECOND; /* cannot be, and does no harm */
    run(90);
    w.now += 86400 * SECOND;
    run(600);
    check_counts(0, 0);
    end();
}

static void others_findings_become_alerts(void **state)
{
    (void)state;
    begin(4, 0);
    run(10);
    w.tick.end_to_end.count = 5000;
    w.tick.end_to_end.ms[1] = 81;
    run(1);
    check_counts(1, 0);
    assert_int_equal(w.last.condition, ITSI_ALERT_LATENCY_TARGET);
    assert_string_equal(w.last.part, "p95");
    w.tick.end_to_end.ms[1] = 170;
    run(1);
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_CRITICAL);
    w.tick.end_to_end.ms[1] = 75; /* under the target, over nine tenths of it */
    run(300);
    assert_int_equal(w.ended, 0);
    w.tick.end_to_end.ms[1] = 60;
    run(62);
    assert_int_equal(w.ended, 1);

    forget();
    w.tick.stage[ITSI_STAGE_ML_INFERENCE].p95_ms = 72;
    w.tick.stage[ITSI_STAGE_ML_INFERENCE].count = 99;
    run(5);
    check_counts(0, 0); /* too few */
    w.tick.stage[ITSI_STAGE_ML_INFERENCE].count = 100;
    run(5);
    check_counts(1, 0);
    assert_string_equal(w.last.part, "ml_inference");
    CHECK_NEAR(w.last.figures.limit, 50, 0);

    forget();
    const struct itsi_alert_regression slower[] = {
        {ITSI_STAGE_POSTPROCESSING, 31, 0.999, w.wall},
        {ITSI_ALERT_END_TO_END, 55, 0.99, w.wall},
    };
    w.tick.regressions = slower;
    w.tick.regression_count = 2;
    run(1);
    check_counts(2, 0);
    assert_string_equal(w.last.part, "end_to_end");
    assert_int_equal(w.last.severity, ITSI_SEVERITY_CRITICAL);
    CHECK_NEAR(w.last.figures.confidence, 0.99, 0);
    w.tick.regression_count = 0;
    run(62);
    check_counts(2, 2);

    forget();
    /* the detector is sure that the stage is slower by about the threshold of 20 % */
    const struct itsi_alert_regression about = {ITSI_STAGE_PREPROCESSING, 19, 0.999, w.wall};
    w.tick.regressions = &about;
    w.tick.regression_count = 1;
    run(120);
    check_counts(1, 0);
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_WARNING);
    assert_string_equal(w.last.part, "preprocessing");
    CHECK_NEAR(w.last.figures.value, 19, 0);
    w.tick.regression_count = 0;
    run(62);
    check_counts(1, 1);

    forget();
    w.tick.oldest.camera = "camera_002";
    w.tick.oldest.stage = ITSI_STAGE_ML_INFERENCE;
    for (int s = 0; s < 40; s++) {
        w.tick.oldest.seconds = s;
        run(1);
    }
    check_counts(2, 0); /* critical after 5 s, emergency after 30 */
    assert_int_equal(w.last.severity, ITSI_SEVERITY_EMERGENCY);
    assert_string_equal(w.last.figures.names, "camera_002");
    w.tick.oldest.camera = NULL;
    run(62);
    check_counts(2, 1);

    forget();
    w.tick.quality.cameras = 42;
    w.tick.quality.exhausted = 40;
    w.tick.quality.bottleneck = "cpu";
    w.tick.quality.seconds = 10;
    run(5);
    check_counts(0, 0);
    for (int s = 0; s < 600; s++) {
        w.tick.quality.seconds++;
        run(1);
    }
    check_counts(1, 0); /* a warning it stays */
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_WARNING);
    assert_int_equal(w.last.condition, ITSI_ALERT_EXHAUSTED);
    assert_int_equal(w.last.figures.failing, 40);
    w.tick.quality.seconds = 0;
    run(62);
    check_counts(1, 1);

    forget();
    struct itsi_alert_pool_state *database = &w.tick.pools[ITSI_ALERT_POOL_DATABASE];
    snprintf(database->why, sizeof database->why, "connection refused");
    database->down_seconds = 10;
    run(5);
    check_counts(0, 0);
    for (int s = 0; s < 600; s++) {
        database->down_seconds++;
        run(1);
    }
    check_counts(1, 0);
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_WARNING);
    assert_int_equal(w.last.condition, ITSI_ALERT_POOL);
    assert_string_equal(w.last.part, "database");
    assert_string_equal(w.last.figures.names, "connection refused");
    w.tick.pools[ITSI_ALERT_POOL_STORE].down_seconds = 11; /* another alert: rows are lost */
    run(1);
    check_counts(2, 0);
    assert_int_equal(w.last.severity, ITSI_SEVERITY_CRITICAL);
    database->down_seconds = w.tick.pools[ITSI_ALERT_POOL_STORE].down_seconds = 0;
    run(62);
    check_counts(2, 2);
    end();
}

static void nothing_fires_when_switched_off(void **state)
{
    (void)state;
    begin(4, 0);
    w.params.enabled = false;
    itsi_alerts_configure(w.alerts, &w.params);
    set_bad(0, 4, FPS);
    w.tick.end_to_end.count = 5000;
    w.tick.end_to_end.ms[0] = NAN;
    w.tick.end_to_end.ms[2] = 500;
    run(900);
    check_counts(0, 0);
    w.params.enabled = true;
    itsi_alerts_configure(w.alerts, &w.params);
    run(5);
    assert_int_equal(w.fired, 2); /* its windows went on all the time */
    w.params.slo.window_ns[ITSI_SLO_SHORT] = 30 * SECOND;
    itsi_alerts_configure(w.alerts, &w.params);
    struct itsi_slo_status slo;
    assert_int_equal(itsi_alerts_slo(w.alerts, NULL, &slo), 0);
    assert_int_equal(slo.window[ITSI_SLO_LONG].frames.due, 0);
    run(600);
    end();
}

/* 1,000 cameras come, fail, and go: nothing stays, and steady ticks allocate nothing. */
static void a_thousand_cameras_come_and_go(void **state)
{
    (void)state;
    char id[32], group[32];
    begin(0, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MOST; i++) {
            snprintf(id, sizeof id, "r%d-%d", round, i);
            snprintf(group, sizeof group, "host-%d", i / 25);
            add_camera(id, group);
        }
        run(60);
        set_bad(0, MOST, FPS);
        const uint64_t before = itsi_alloc_count();
        run(120);
        assert_int_equal(itsi_alloc_count(), before);
        assert_true(itsi_alerts_active(w.alerts, NULL, 0) > 1000);
        w.count = 0;
        run(600);
        assert_int_equal(itsi_alerts_active(w.alerts, NULL, 0), 0);
    }
    end(); /* what was left behind, the leak checker finds */
}

/* The API's threads look while the monitor's ticks (ThreadSanitizer judges). */
static void *look(void *stop)
{
    struct itsi_alert out[8];
    struct itsi_slo_status slo;
    while (!atomic_load((atomic_bool *)stop)) {
        const size_t count = itsi_alerts_active(w.alerts, out, 8);
        for (size_t i = 0; i < count && i < 8; i++)
            assert_int_equal(out[i].fingerprint, itsi_alert_fingerprint(&out[i]));
        itsi_alerts_history(w.alerts, out, 8);
        if (itsi_alerts_slo(w.alerts, NULL, &slo) == 0)
            assert_true(slo.window[ITSI_SLO_LONG].frames.due >= slo.window[ITSI_SLO_SHORT].frames.due);
    }
    return NULL;
}

static void others_may_look_while_it_ticks(void **state)
{
    (void)state;
    pthread_t readers[3];
    atomic_bool stop = false;
    begin(40, 10);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, look, &stop), 0);
    for (int round = 0; round < 4; round++) {
        set_bad(0, 20, FPS);
        run(200);
        set_bad(0, 20, 0);
        w.count = round % 2 ? 40 : 30;
        run(200);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(readers[i], NULL);
    end();
}

static void survives_no_memory(void **state)
{
    (void)state;
    begin(20, 5);
    struct itsi_alerts *none = NULL;
    itsi_alert_params_from(&w.params, &options);
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_alerts_create(&none, &w.params, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    w.tick = (struct itsi_alert_tick){
        .now = w.now, .wall = w.wall, .cameras = w.cameras, .camera_count = 20, .total = &w.total};
    for (int i = 0; i < 20; i++)
        w.cameras[i] = (struct itsi_alert_camera){w.ids[i], w.groups[i], &w.ledgers[i]};
    int rc = ITS_ENOMEM;
    for (int nth = 1; rc != 0 && nth < 100; nth++) {
        itsi_alloc_fail_at(nth);
        rc = itsi_alerts_tick(w.alerts, &w.tick);
        itsi_alloc_fail_at(0);
    }
    assert_int_equal(rc, 0);
    run(600);
    set_bad(0, 20, FPS);
    run(240);
    assert_int_equal(itsi_alerts_active(w.alerts, NULL, 0), 25);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removed_camera_ends_its_alert),
        cmocka_unit_test(a_replaced_camera_starts_from_zero),
        cmocka_unit_test(a_camera_moves_to_another_group),
        cmocka_unit_test(clocks_may_step),
        cmocka_unit_test(others_findings_become_alerts),
        cmocka_unit_test(nothing_fires_when_switched_off),
        cmocka_unit_test(a_thousand_cameras_come_and_go),
        cmocka_unit_test(others_may_look_while_it_ticks),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

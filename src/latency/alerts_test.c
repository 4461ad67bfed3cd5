#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "latency/alerts.h"

#define SECOND ITSI_NS_PER_S
enum { MOST = 1000, FPS = 25 };

/* A fleet and its clock: each camera gives FPS frames a second, of which `bad` are not delivered in time. */
static struct world {
    struct itsi_alerts *alerts;
    struct itsi_alert_params params;
    int64_t now, wall;
    int count;
    char ids[MOST][32], groups[MOST][32];
    int bad[MOST];
    struct itsi_ledger_counts ledgers[MOST], total;
    struct itsi_alert_camera cameras[MOST];
    struct itsi_alert_tick tick; /* what others feed */
    int fired, ended;            /* since the last forget() */
    struct itsi_alert last;      /* event */
} w;

static const struct its_cfg_latency_monitoring options = {
    .latency_sla_ms = 100,
    .latency_p50_target_ms = 50,
    .latency_p95_target_ms = 80,
    .latency_p99_target_ms = 95,
    .monitoring_window_seconds = 60,
    .alert_window_seconds = 300,
    .trend_analysis_minutes = 60,
    .enable_sla_alerts = true,
    .sla_violation_threshold = 0.05,
    .regression_threshold_percent = 20,
};

static void add_camera(const char *id, const char *group)
{
    snprintf(w.ids[w.count], sizeof w.ids[0], "%s", id);
    snprintf(w.groups[w.count], sizeof w.groups[0], "%s", group);
    w.ledgers[w.count] = (struct itsi_ledger_counts){.expected = 0};
    w.bad[w.count++] = 0;
}

static void begin(int cameras, int per_group)
{
    char id[32], group[32];
    struct its_diag diag;
    memset(&w, 0, sizeof w);
    itsi_alert_params_from(&w.params, &options);
    CHECK_OK(itsi_alerts_create(&w.alerts, &w.params, &diag), diag);
    w.now = 1000 * SECOND;
    w.wall = INT64_C(1700000000) * SECOND;
    for (int i = 0; i < cameras; i++) {
        snprintf(id, sizeof id, "camera_%03d", i + 1);
        snprintf(group, sizeof group, "host-%d", per_group ? i / per_group : i);
        add_camera(id, group);
    }
}

static void end(void)
{
    itsi_alerts_destroy(w.alerts);
    w.alerts = NULL;
}

static void forget(void) { w.fired = w.ended = 0; }

static void take_events(void)
{
    size_t count;
    const struct itsi_alert *events = itsi_alerts_events(w.alerts, &count);
    for (size_t i = 0; i < count; i++) {
        w.fired += events[i].firing;
        w.ended += !events[i].firing;
        w.last = events[i];
        assert_true(events[i].severity != ITSI_SEVERITY_NONE);
        assert_int_equal(events[i].fingerprint, itsi_alert_fingerprint(&events[i]));
        assert_true(events[i].firing ? events[i].ended_wall == 0 : events[i].ended_wall >= events[i].started_wall);
    }
}

static void tick(void)
{
    w.now += SECOND;
    w.wall += SECOND;
    for (int i = 0; i < w.count; i++) {
        w.ledgers[i].expected += FPS;
        w.ledgers[i].delivered += (uint64_t)(FPS - w.bad[i]);
        w.total.expected += FPS;
        w.total.delivered += (uint64_t)(FPS - w.bad[i]);
        w.cameras[i] = (struct itsi_alert_camera){w.ids[i], w.groups[i], &w.ledgers[i]};
    }
    w.tick.now = w.now;
    w.tick.wall = w.wall;
    w.tick.cameras = w.cameras;
    w.tick.camera_count = (size_t)w.count;
    w.tick.total = &w.total;
    assert_int_equal(itsi_alerts_tick(w.alerts, &w.tick), 0);
    take_events();
}

static void run(int seconds)
{
    for (int i = 0; i < seconds; i++)
        tick();
}

static void set_bad(int first, int count, int bad)
{
    for (int i = first; i < first + count; i++)
        w.bad[i] = bad;
}

static void check_counts(int fired, int ended)
{
    if (w.fired != fired || w.ended != ended) {
        char text[768] = "nothing";
        if (w.fired + w.ended)
            itsi_alert_summary(&w.last, text, sizeof text);
        fail_msg("%d fired, %d ended, wanted %d and %d; last: %s", w.fired, w.ended, fired, ended, text);
    }
}

static void check_last(enum itsi_alert_scope scope, const char *subject, enum itsi_severity severity)
{
    assert_int_equal(w.last.scope, scope);
    assert_string_equal(w.last.subject, subject);
    assert_string_equal(itsi_severity_name(w.last.severity), itsi_severity_name(severity));
}

static void a_healthy_fleet_is_silent(void **state)
{
    (void)state;
    begin(100, 10);
    set_bad(0, 100, 1); /* 4 % of a budget of 5 */
    run(3 * 3600);
    check_counts(0, 0);
    assert_int_equal(itsi_alerts_active(w.alerts, NULL, 0), 0);
    end();
}

static void a_stalled_camera_burns_and_recovers(void **state)
{
    (void)state;
    begin(10, 0);
    run(600);
    set_bad(3, 1, FPS); /* its ledger goes on expecting frames that never come */
    run(89 + 15);
    check_counts(0, 0);
    run(5);
    check_counts(1, 0);
    check_last(ITSI_ALERT_CAMERA, "camera_004", ITSI_SEVERITY_CRITICAL);
    assert_true(w.last.firing);
    run(1800); /* 10 % of all frames: an info of the system, which does not hide the camera */
    check_counts(2, 0);
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_INFO);
    assert_string_equal(w.last.figures.names, "camera_004");
    struct itsi_alert active[4];
    assert_int_equal(itsi_alerts_active(w.alerts, active, 4), 2);
    assert_false(active[0].muted || active[1].muted);
    const uint64_t fingerprint = active[1].fingerprint;
    set_bad(3, 1, 0);
    run(3 * 3600);
    assert_int_equal(itsi_alerts_active(w.alerts, active, 4), 0);
    assert_int_equal(w.ended, 2);
    struct itsi_alert past[8];
    const size_t count = itsi_alerts_history(w.alerts, past, 8);
    assert_int_equal(count, w.fired + w.ended);
    assert_int_equal(past[0].end, ITSI_ALERT_RECOVERED);
    assert_int_equal(past[count - 1].fingerprint, fingerprint);
    assert_true(past[count - 1].firing);
    end();
}

static void slow_burn_is_found(void **state)
{
    (void)state;
    begin(20, 0);
    run(3700);
    set_bad(0, 20, 3); /* 12 %: 2.4x */
    run(1300);
    check_counts(0, 0);
    run(400);
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_INFO);
    check_counts(1, 0); /* and the system speaks for its cameras */
    assert_int_equal(w.last.figures.failing, 20);
    end();
}

static void a_camera_that_has_just_come_is_not_judged(void **state)
{
    (void)state;
    begin(5, 0);
    run(600);
    add_camera("new", "elsewhere");
    w.bad[5] = FPS;
    run(30); /* looking for its key frame */
    w.bad[5] = 0;
    run(1200);
    check_counts(0, 0);
    w.bad[5] = FPS;
    run(120);
    check_counts(1, 0);
    end();
}

static void forty_cameras_of_one_host_are_one_alert(void **state)
{
    (void)state;
    begin(120, 40);
    run(600);
    for (int i = 0; i < 40; i++) { /* not all in the same second */
        set_bad(40 + i, 1, FPS);
        if (i % 4 == 3)
            run(1);
    }
    run(150);
    int groups = 0, cameras = 0;
    struct itsi_alert active[200];
    const size_t count = itsi_alerts_active(w.alerts, active, 200);
    for (size_t i = 0; i < count; i++) {
        groups += active[i].scope == ITSI_ALERT_GROUP;
        cameras += active[i].scope == ITSI_ALERT_CAMERA;
        assert_int_equal(active[i].muted, active[i].scope == ITSI_ALERT_CAMERA);
    }
    assert_int_equal(groups, 1);
    assert_int_equal(cameras, 40);
    check_counts(1, 0);
    run(200); /* it becomes an emergency, and the system, of which a third fails, critical: 6.7x */
    check_counts(3, 0);
    struct itsi_alert past[16];
    const size_t told = itsi_alerts_history(w.alerts, past, 16);
    const struct itsi_alert *first = &past[told - 1];
    assert_int_equal(first->scope, ITSI_ALERT_GROUP);
    assert_string_equal(first->subject, "host-1");
    assert_int_equal(first->figures.members, 40);
    CHECK_CONTAINS(first->figures.names, "camera_041, camera_042");
    CHECK_CONTAINS(first->figures.names, " more");
    bool emergency = false;
    for (size_t i = 0; i < told; i++)
        emergency |= past[i].scope == ITSI_ALERT_GROUP && past[i].severity == ITSI_SEVERITY_EMERGENCY;
    assert_true(emergency);
    set_bad(40, 40, 0);
    run(1200);
    for (size_t i = itsi_alerts_history(w.alerts, past, 16); i-- > 0;)
        assert_true(past[i].scope != ITSI_ALERT_CAMERA);
    end();
}

static void a_camera_that_outlives_its_group_speaks(void **state)
{
    (void)state;
    begin(80, 40);
    run(600);
    set_bad(0, 40, FPS);
    run(240);
    set_bad(0, 38, 0);
    run(130);
    struct itsi_alert active[8];
    forget();
    run(400);
    assert_int_equal(itsi_alerts_active(w.alerts, active, 8) >= 2, 1);
    int speaking = 0;
    for (size_t i = 0; i < itsi_alerts_active(w.alerts, active, 8); i++)
        speaking += active[i].scope == ITSI_ALERT_CAMERA && !active[i].muted;
    assert_int_equal(speaking, 2);
    end();
}

static void the_whole_system_speaks_for_all(void **state)
{
    (void)state;
    begin(100, 10);
    run(600);
    set_bad(0, 100, FPS);
    run(240);
    check_counts(2, 0); /* critical, then emergency */
    check_last(ITSI_ALERT_SYSTEM, "", ITSI_SEVERITY_EMERGENCY);
    assert_int_equal(w.last.figures.failing, 100);
    CHECK_CONTAINS(w.last.figures.names, "camera_001, ");
    CHECK_CONTAINS(w.last.figures.names, " and 92 more");
    assert_int_equal(itsi_alerts_active(w.alerts, NULL, 0), 111);
    forget();
    set_bad(0, 100, 0);
    run(900);
    assert_int_equal(w.ended, 1); /* nobody speaks up on the way out */
    assert_true(w.fired <= 2);    /* the system's severity falls */
    assert_int_equal(itsi_alerts_active(w.alerts, NULL, 0), 0);
    end();
}

static void told_alerts_that_a_wider_one_covers_are_superseded(void **state)
{
    (void)state;
    begin(40, 40);
    run(600);
    set_bad(0, 2, FPS);
    run(120);
    check_counts(2, 0);
    set_bad(0, 40, FPS);
    forget();
    run(240);
    struct itsi_alert past[ITSI_ALERT_HISTORY];
    const size_t count = itsi_alerts_history(w.alerts, past, ITSI_ALERT_HISTORY);
    int superseded = 0;
    for (size_t i = 0; i < count; i++)
        superseded += !past[i].firing && past[i].end == ITSI_ALERT_SUPERSEDED && past[i].scope == ITSI_ALERT_CAMERA;
    assert_int_equal(superseded, 2);
    end();
}

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
        cmocka_unit_test(a_healthy_fleet_is_silent),
        cmocka_unit_test(a_stalled_camera_burns_and_recovers),
        cmocka_unit_test(slow_burn_is_found),
        cmocka_unit_test(a_camera_that_has_just_come_is_not_judged),
        cmocka_unit_test(forty_cameras_of_one_host_are_one_alert),
        cmocka_unit_test(a_camera_that_outlives_its_group_speaks),
        cmocka_unit_test(the_whole_system_speaks_for_all),
        cmocka_unit_test(told_alerts_that_a_wider_one_covers_are_superseded),
        cmocka_unit_test(a_removed_camera_ends_its_alert),
        cmocka_unit_test(a_replaced_camera_starts_from_zero),
        cmocka_unit_test(a_camera_moves_to_another_group),
        cmocka_unit_test(clocks_may_step),
        cmocka_unit_test(others_findings_become_alerts),
        cmocka_unit_test(nothing_fires_when_switched_off),
        cmocka_unit_test(a_thousand_cameras_come_and_go),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who is told of a burning budget, and who is spoken for. */
#include "support/alerts_world.h"

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

static void a_group_that_half_recovers_stays(void **state)
{
    (void)state;
    begin(40, 10);
    run(600);
    set_bad(0, 5, FPS);
    run(120);
    check_counts(1, 0);
    check_last(ITSI_ALERT_GROUP, "host-0", ITSI_SEVERITY_CRITICAL);
    forget();
    set_bad(0, 1, 0); /* four of ten fail: too few to begin, not few enough to end */
    run(300);
    assert_int_equal(w.ended, 0);
    struct itsi_alert active[16];
    const size_t count = itsi_alerts_active(w.alerts, active, 16);
    bool there = false;
    for (size_t i = 0; i < count; i++)
        there |= active[i].scope == ITSI_ALERT_GROUP && active[i].figures.failing == 4;
    assert_true(there);
    set_bad(1, 1, 0);
    run(500); /* its hour remembers seven bad minutes, and lets go when 300 s are good */
    assert_true(w.ended >= 1);
    end();
}

/* Half the cameras miss a third of their frames: critical for them, a warning for the whole, which must not hide them. */
static void a_milder_system_does_not_hide_graver_cameras(void **state)
{
    (void)state;
    begin(4, 1);
    run(600);
    set_bad(0, 2, 8);
    run(3600);
    struct itsi_alert active[8];
    assert_int_equal(itsi_alerts_active(w.alerts, active, 8), 3);
    assert_int_equal(active[0].scope, ITSI_ALERT_SYSTEM);
    assert_int_equal(active[0].severity, ITSI_SEVERITY_WARNING);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(active[i].severity, ITSI_SEVERITY_CRITICAL);
        assert_false(active[i].muted);
    }
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

/* Cameras that speak, those that are spoken for, and the system: who was told that it fires is told that it ends. */
static void the_end_of_the_program_ends_what_was_told(void **state)
{
    (void)state;
    begin(10, 0);
    itsi_alerts_stop(w.alerts, w.wall); /* before the first tick: nothing to tell */
    end();
    begin(10, 0);
    run(600);
    set_bad(3, 2, FPS);
    run(1800);
    struct itsi_alert active[4];
    const size_t held = itsi_alerts_active(w.alerts, active, 4);
    assert_in_range(held, 2, 3);
    forget();
    itsi_alerts_stop(w.alerts, w.wall + SECOND);
    take_events();
    check_counts(0, (int)held);
    assert_int_equal(w.last.end, ITSI_ALERT_STOPPED);
    assert_int_equal(w.last.ended_wall, w.wall + SECOND);
    assert_string_equal(itsi_alert_end_name(w.last.end), "stopped");
    assert_int_equal(itsi_alerts_active(w.alerts, active, 4), 0);
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
        cmocka_unit_test(a_group_that_half_recovers_stays),
        cmocka_unit_test(a_milder_system_does_not_hide_graver_cameras),
        cmocka_unit_test(the_whole_system_speaks_for_all),
        cmocka_unit_test(told_alerts_that_a_wider_one_covers_are_superseded),
        cmocka_unit_test(the_end_of_the_program_ends_what_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

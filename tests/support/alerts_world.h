/* A fleet of cameras and its clock, for the tests of alerts. */
#ifndef ITS_TESTS_ALERTS_WORLD_H
#define ITS_TESTS_ALERTS_WORLD_H

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

static inline void add_camera(const char *id, const char *group)
{
    snprintf(w.ids[w.count], sizeof w.ids[0], "%s", id);
    snprintf(w.groups[w.count], sizeof w.groups[0], "%s", group);
    w.ledgers[w.count] = (struct itsi_ledger_counts){.expected = 0};
    w.bad[w.count++] = 0;
}

static inline void begin(int cameras, int per_group)
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

static inline void end(void)
{
    itsi_alerts_destroy(w.alerts);
    w.alerts = NULL;
}

static inline void forget(void) { w.fired = w.ended = 0; }

static inline void take_events(void)
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

static inline void tick(void)
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

static inline void run(int seconds)
{
    for (int i = 0; i < seconds; i++)
        tick();
}

static inline void set_bad(int first, int count, int bad)
{
    for (int i = first; i < first + count; i++)
        w.bad[i] = bad;
}

static inline void check_counts(int fired, int ended)
{
    if (w.fired != fired || w.ended != ended) {
        char text[768] = "nothing";
        if (w.fired + w.ended)
            itsi_alert_summary(&w.last, text, sizeof text);
        fail_msg("%d fired, %d ended, wanted %d and %d; last: %s", w.fired, w.ended, fired, ended, text);
    }
}

static inline void check_last(enum itsi_alert_scope scope, const char *subject, enum itsi_severity severity)
{
    assert_int_equal(w.last.scope, scope);
    assert_string_equal(w.last.subject, subject);
    assert_string_equal(itsi_severity_name(w.last.severity), itsi_severity_name(severity));
}

#endif

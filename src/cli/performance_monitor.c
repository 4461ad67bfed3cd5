#include "cli/performance_monitor.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "core/stage.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINES_A_HEADING = 20, ALERTS_SHOWN = 10 };

struct monitor {
    const struct itsi_monitor_options *options;
    json_t *overview, *alerting; /* of this time */
    int lines;                   /* since the heading */
    char alerts[4096];           /* as shown last */
};

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* "a.b.c" from an object; NULL when something on the way is absent. */
static const json_t *at(const json_t *object, const char *path)
{
    while (object && *path) {
        const size_t len = strcspn(path, ".");
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)len, path);
        object = json_object_get(object, key);
        path += len + (path[len] == '.');
    }
    return object;
}

static double number(const json_t *object, const char *path)
{
    const json_t *value = at(object, path);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *text(const json_t *object, const char *path)
{
    const char *value = json_string_value(at(object, path));
    return value ? value : "";
}

static bool is_muted(const json_t *alert) { return json_is_true(json_object_get(alert, "muted")); }

/* --- one document a line ------------------------------------------------------------------------------------------ */

static void copy(json_t *to, const char *key, const json_t *from, const char *path)
{
    const json_t *value = at(from, path);
    json_object_set_new(to, key, value ? json_deep_copy(value) : json_null());
}

static void print_json(const struct monitor *m)
{
    static const char *const of_overview[][2] = {
        {"time", "time"},
        {"state", "state"},
        {"cameras", "camera_counts.total"},
        {"cameras_running", "camera_counts.running"},
        {"analysed_fps", "analysed_fps"},
        {"latency_sla_ms", "latency_sla_ms"},
        {"end_to_end_ms", "end_to_end_recent_ms"},
        {"stages", "stages_recent"},
    };
    json_t *line = json_object();
    for (size_t i = 0; i < sizeof of_overview / sizeof of_overview[0]; i++)
        copy(line, of_overview[i][0], m->overview, of_overview[i][1]);
    copy(line, "slo", m->alerting, "slo");
    copy(line, "alerts", m->alerting, "active");
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(line);
}

/* --- a table ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *stage, *heading;
} columns[] = {{"camera_capture", "capture"}, {"preprocessing", "pre"}, {"ml_inference", "infer"},
               {"postprocessing", "post"},    {"encoding", "encode"},   {"network_transmission", "network"}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const json_t *stage_of(const struct monitor *m, int column)
{
    return at(at(m->overview, "stages_recent"), columns[column].stage);
}

static void print_heading(const struct monitor *m)
{
    char window[32] = "first second"; /* the daemon has not looked at its books yet */
    const double seconds = number(m->alerting, "slo.short_window.window_seconds");
    if (isfinite(seconds))
        snprintf(window, sizeof window, "last %.0f s", seconds);
    printf("\nms over the %s, SLA %.0f; stages: p95 of waiting+service, ! over budget\n"
           "%8s %8s %8s %6s %6s %6s %8s %5s",
           window, number(m->overview, "latency_sla_ms"), "time",
           "cameras", "frames/s", "p50", "p95", "p99", "on time%", "burn");
    for (int i = 0; i < COLUMNS; i++) {
        char heading[32];
        snprintf(heading, sizeof heading, "%s<%.0f", columns[i].heading, number(stage_of(m, i), "budget_ms"));
        printf(" %10s", heading);
    }
    putchar('\n');
}

static void put_number(int width, int decimals, double value)
{
    if (isfinite(value))
        printf(" %*.*f", width, decimals, value);
    else
        printf(" %*s", width, "-");
}

static int decimals_of(double ms) { return ms < 10 ? 1 : 0; }

static void put_stage(const json_t *stage)
{
    char cell[48] = "-";
    const double wait = number(stage, "wait_ms.p95"), service = number(stage, "service_ms.p95");
    if (number(stage, "total_ms.count") > 0)
        snprintf(cell, sizeof cell, "%.*f+%.*f%s", decimals_of(wait), wait, decimals_of(service), service,
                 number(stage, "total_ms.p95") > number(stage, "budget_ms") ? "!" : "");
    printf(" %10s", cell);
}

static void print_line(const struct monitor *m)
{
    const json_t *recent = at(m->overview, "end_to_end_recent_ms"), *window = at(m->alerting, "slo.short_window");
    const bool any = number(recent, "count") > 0;
    char cameras[32];
    snprintf(cameras, sizeof cameras, "%.0f/%.0f", number(m->overview, "camera_counts.running"),
             number(m->overview, "camera_counts.total"));
    const char *time = text(m->overview, "time"); /* 2026-01-31T12:00:00.123Z */
    printf("%8.8s %8s", strlen(time) > 19 ? time + 11 : "-", cameras);
    put_number(8, 1, number(m->overview, "analysed_fps"));
    put_number(6, 1, any ? number(recent, "p50") : (double)NAN);
    put_number(6, 1, any ? number(recent, "p95") : (double)NAN);
    put_number(6, 1, any ? number(recent, "p99") : (double)NAN);
    put_number(8, 2, number(window, "on_time_ratio") * 100);
    put_number(5, 1, number(window, "burn_rate"));
    for (int i = 0; i < COLUMNS; i++)
        put_stage(stage_of(m, i));
    putchar('\n');
}

/* Who alerts, when that has changed: which alerts, how grave, how many muted. */
static void print_alerts(struct monitor *m)
{
    const json_t *active = at(m->alerting, "active"), *alert;
    char now[sizeof m->alerts] = "";
    size_t i, used = 0;
    json_array_foreach(active, i, alert)
        if (used < sizeof now && !is_muted(alert))
            used += (size_t)snprintf(now + used, sizeof now - used, "%s %s\n", text(alert, "fingerprint"),
                                     text(alert, "severity"));
    if (strcmp(now, m->alerts) == 0)
        return;
    memcpy(m->alerts, now, sizeof now);
    if (!now[0])
        puts("  no alerts any more");
    int shown = 0;
    json_array_foreach(active, i, alert)
        if (!is_muted(alert) && shown++ < ALERTS_SHOWN)
            printf("  %s since %.8s: %s\n", text(alert, "severity"),
                   strlen(text(alert, "starts_at")) > 19 ? text(alert, "starts_at") + 11 : "-", text(alert, "summary"));
    const int muted = (int)number(m->alerting, "muted");
    if (shown > ALERTS_SHOWN)
        printf("  and %d more\n", shown - ALERTS_SHOWN);
    if (muted)
        printf("  (%d more are part of these)\n", muted);
}

static void print_table(struct monitor *m)
{
    if (m->lines++ % LINES_A_HEADING == 0)
        print_heading(m);
    print_line(m);
    print_alerts(m);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static int look(struct monitor *m)
{
    int rc = itsi_daemon_ask(m->options->daemon, "GET", "/api/v1/overview", NULL, &m->overview);
    if (rc == ITSI_EXIT_OK)
        rc = itsi_daemon_ask(m->options->daemon, "GET", "/api/v1/performance/alerts?history=0", NULL, &m->alerting);
    if (rc == ITSI_EXIT_OK && m->options->json)
        print_json(m);
    else if (rc == ITSI_EXIT_OK)
        print_table(m);
    json_decref(m->overview);
    json_decref(m->alerting);
    m->overview = m->alerting = NULL;
    fflush(stdout);
    return rc;
}

/* False: interrupted. The signals are blocked, so that none comes between a look and the wait. */
static bool wait_until(const sigset_t *signals, int64_t until_ns)
{
    for (;;) {
        const int64_t left = until_ns - itsi_now_ns();
        const struct timespec time = {.tv_sec = left > 0 ? left / ITSI_NS_PER_S : 0,
                                      .tv_nsec = left > 0 ? left % ITSI_NS_PER_S : 0};
        if (sigtimedwait(signals, NULL, &time) > 0)
            return false;
        if (errno != EINTR)
            return true;
    }
}

int itsi_performance_monitor(const struct itsi_monitor_options *options)
{
    struct monitor m = {.options = options};
    const int64_t interval = (int64_t)(options->interval_s * 1e9), began = itsi_now_ns();
    const int64_t end = options->duration_s > 0 ? began + (int64_t)(options->duration_s * 1e9) : ITSI_NEVER;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (;;) {
        const int rc = look(&m);
        if (rc != ITSI_EXIT_OK)
            return rc;
        const int64_t now = itsi_now_ns();
        const int64_t next = now + interval - (now - began) % interval; /* on the grid; what is missed is left out */
        if (!wait_until(&signals, next < end ? next : end) || itsi_now_ns() >= end)
            return ITSI_EXIT_OK;
    }
}

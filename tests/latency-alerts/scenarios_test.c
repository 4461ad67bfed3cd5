/* The table of scenarios through the daemon's conditions; see scenarios.txt. usage: scenarios_test scenarios.txt */
#include "support/check.h"

#include <stdlib.h>

#include "base/clock.h"
#include "latency/alerts.h"

enum { CAMERAS = 128, LINES = 256 };

struct rate {
    double expected, skipped, delivered;
};

static struct camera {
    char id[32], group[32];
    bool there;
    struct rate rate;
    double expected, skipped, delivered; /* exact sums */
    struct itsi_ledger_counts ledger;
} cameras[CAMERAS];
static int camera_count;
static struct itsi_ledger_counts total;

static char lines[LINES][160];
static int line_count, failures, expectations;

static struct camera *camera_of(const char *prefix, int n, const char *group)
{
    char id[32];
    snprintf(id, sizeof id, "%.20s%d", prefix, n);
    for (int i = 0; i < camera_count; i++)
        if (strcmp(cameras[i].id, id) == 0)
            return &cameras[i];
    struct camera *camera = &cameras[camera_count++];
    assert_in_range(camera_count, 1, CAMERAS);
    memset(camera, 0, sizeof *camera);
    snprintf(camera->id, sizeof camera->id, "%s", id);
    snprintf(camera->group, sizeof camera->group, "%s", strcmp(group, "-") == 0 ? "" : group);
    return camera;
}

/* Applies the lines of this second. */
static void apply(int second)
{
    char prefix[21], group[21];
    int count, at;
    struct rate r;
    for (int i = 0; i < line_count; i++) {
        if (sscanf(lines[i], "rate %20s %d %20s %d %lf %lf %lf", prefix, &count, group, &at, &r.expected, &r.skipped,
                   &r.delivered) == 7 && at == second)
            for (int n = 1; n <= count; n++) {
                struct camera *camera = camera_of(prefix, n, group);
                camera->there = true;
                camera->rate = r;
            }
        if (sscanf(lines[i], "reset %20s %d %d", prefix, &count, &at) == 3 && at == second)
            for (int n = 1; n <= count; n++) {
                struct camera *camera = camera_of(prefix, n, "-");
                camera->expected = camera->skipped = camera->delivered = 0;
                camera->ledger = (struct itsi_ledger_counts){.expected = 0};
            }
    }
}

static void count_one(double *sum, double rate, uint64_t *counter, uint64_t *all)
{
    const uint64_t before = (uint64_t)*sum;
    *sum += rate;
    *counter = (uint64_t)*sum;
    *all += (uint64_t)*sum - before;
}

static void count_second(void)
{
    for (int i = 0; i < camera_count; i++) {
        struct camera *c = &cameras[i];
        count_one(&c->expected, c->rate.expected, &c->ledger.expected, &total.expected);
        count_one(&c->skipped, c->rate.skipped, &c->ledger.skipped, &total.skipped);
        count_one(&c->delivered, c->rate.delivered, &c->ledger.delivered, &total.delivered);
    }
}

/* --- what others measure -------------------------------------------------------------------------------------------- */

enum { WINDOW = 300, FRAMES_PER_SECOND = 20 };

/* "value WHAT NAME ..."; without sscanf, which hundreds of looks a second would feel. */
static bool is_value(const char *line, const char *what, const char *name)
{
    const size_t first = strlen(what), second = strlen(name);
    return strncmp(line, "value ", 6) == 0 && strncmp(line + 6, what, first) == 0 && line[6 + first] == ' ' &&
           strncmp(line + 7 + first, name, second) == 0 && line[7 + first + second] == ' ';
}

/* The value in force at that second; 0: none. */
static double value_at(const char *what, const char *name, int second)
{
    int at;
    double number, found = 0;
    for (int i = 0; i < line_count; i++)
        if (is_value(lines[i], what, name) && sscanf(lines[i], "value %*s %*s %d %lf", &at, &number) == 2 && at <= second)
            found = number;
    return found;
}

static bool is_given(const char *what, const char *name)
{
    for (int i = 0; i < line_count; i++)
        if (is_value(lines[i], what, name))
            return true;
    return false;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Percentiles over the alert window; returns how many frames are in it. */
static uint64_t percentiles(const char *what, const char *name, int second, const double q[], double out[], int count)
{
    double ms[WINDOW];
    int n = 0;
    for (int at = !is_given(what, name) ? second : second > WINDOW ? second - WINDOW : 0; at < second; at++)
        if ((ms[n] = value_at(what, name, at)) > 0)
            n++;
    qsort(ms, (size_t)n, sizeof ms[0], by_value);
    for (int i = 0; i < count; i++)
        out[i] = n ? ms[(int)(q[i] * (n - 1))] : 0;
    return (uint64_t)n * FRAMES_PER_SECOND;
}

static void put_values(int second, struct itsi_alert_tick *tick,
                       struct itsi_alert_regression regressions[ITSI_STAGE_COUNT])
{
    static const double quantiles[ITSI_ALERT_QUANTILES] = {0.5, 0.95, 0.99};
    tick->end_to_end.count =
        percentiles("latency", "all", second, quantiles, tick->end_to_end.ms, ITSI_ALERT_QUANTILES);
    tick->regressions = regressions;
    tick->quality.seconds = value_at("exhausted", "all", second);
    for (int i = 0; i < ITSI_ALERT_POOLS; i++)
        tick->pools[i].down_seconds = value_at("outage", itsi_alert_pool_name((enum itsi_alert_pool)i), second);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        const char *stage = itsi_stage_name((enum itsi_stage)s);
        tick->stage[s].count = percentiles("stage", stage, second, &quantiles[1], &tick->stage[s].p95_ms, 1);
        const double percent = value_at("regression", stage, second), age = value_at("age", stage, second);
        if (percent > 0)
            regressions[tick->regression_count++] =
                (struct itsi_alert_regression){.stage = s, .percent = percent, .confidence = 0.99};
        if (age > 0) {
            tick->oldest.camera = "c1";
            tick->oldest.stage = (enum itsi_stage)s;
            tick->oldest.seconds = age;
        }
    }
}

/* --- what fires --------------------------------------------------------------------------------------------------- */

static void name_subject(const struct itsi_alert *alert, char *out, size_t size)
{
    static const char *const findings[] = {[ITSI_ALERT_STAGE_BUDGET] = "stage",
                                           [ITSI_ALERT_LATENCY_TARGET] = "latency",
                                           [ITSI_ALERT_REGRESSION] = "regression",
                                           [ITSI_ALERT_POOL] = "pool"};
    if (alert->condition == ITSI_ALERT_STUCK)
        snprintf(out, size, "stuck");
    else if (alert->condition == ITSI_ALERT_EXHAUSTED)
        snprintf(out, size, "quality");
    else if (alert->condition != ITSI_ALERT_BURN)
        snprintf(out, size, "%s:%s", findings[alert->condition], alert->part);
    else if (alert->scope == ITSI_ALERT_SYSTEM)
        snprintf(out, size, "system");
    else
        snprintf(out, size, "%s:%s", itsi_alert_scope_name(alert->scope), alert->subject);
}

static enum itsi_severity severity_of(struct itsi_alerts *alerts, const char *subject)
{
    struct itsi_alert active[CAMERAS * 2];
    const size_t count = itsi_alerts_active(alerts, active, CAMERAS * 2);
    enum itsi_severity found = ITSI_SEVERITY_NONE;
    for (size_t i = 0; i < count; i++) {
        char name[160];
        name_subject(&active[i], name, sizeof name);
        if (strcmp(name, subject) == 0)
            found = active[i].severity > found ? active[i].severity : found;
    }
    return found;
}

static void check(struct itsi_alerts *alerts, int second, const char *scenario)
{
    char subject[64], wanted[16];
    int at;
    for (int i = 0; i < line_count; i++) {
        if (sscanf(lines[i], "expect %d %63s %15s", &at, subject, wanted) != 3 || at != second)
            continue;
        const char *got = itsi_severity_name(severity_of(alerts, subject));
        expectations++;
        if (strcmp(got, wanted) != 0) {
            printf("%s: %s at %d s is %s, wanted %s\n", scenario, subject, second, got, wanted);
            failures++;
        }
    }
}

static int last_second(void)
{
    int last = 0, at;
    for (int i = 0; i < line_count; i++)
        if (sscanf(lines[i], "expect %d", &at) == 1 && at > last)
            last = at;
    return last;
}

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

static void replay(const char *scenario)
{
    struct itsi_alert_params params;
    struct itsi_alerts *alerts;
    struct itsi_alert_camera named[CAMERAS];
    struct its_diag diag;
    itsi_alert_params_from(&params, &options);
    CHECK_OK(itsi_alerts_create(&alerts, &params, &diag), diag);
    memset(&total, 0, sizeof total);
    camera_count = 0;
    const int64_t origin = 5000 * ITSI_NS_PER_S;
    const int last = last_second();
    for (int second = 0; second <= last; second++) {
        if (second)
            count_second();
        apply(second);
        for (int i = 0; i < camera_count; i++)
            named[i] = (struct itsi_alert_camera){cameras[i].id, cameras[i].group, &cameras[i].ledger};
        struct itsi_alert_regression regressions[ITSI_STAGE_COUNT];
        struct itsi_alert_tick tick = {
            .now = origin + second * ITSI_NS_PER_S,
            .wall = second * ITSI_NS_PER_S,
            .cameras = named,
            .camera_count = (size_t)camera_count,
            .total = &total,
        };
        put_values(second, &tick, regressions);
        assert_int_equal(itsi_alerts_tick(alerts, &tick), 0);
        check(alerts, second, scenario);
    }
    itsi_alerts_destroy(alerts);
}

static const char *table;

static void the_table_holds(void **state)
{
    (void)state;
    char line[160], scenario[64] = "";
    FILE *file = fopen(table, "r");
    int scenarios = 0;
    assert_non_null(file);
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, file) != NULL;
        char next[64];
        const bool head = more && sscanf(line, "scenario %63s", next) == 1;
        if ((head || !more) && scenario[0]) {
            replay(scenario);
            scenarios++;
        }
        if (head) {
            snprintf(scenario, sizeof scenario, "%s", next);
            line_count = 0;
        } else if (more && line[0] != '#' && line[0] != '\n') {
            assert_in_range(line_count, 0, LINES - 1);
            memcpy(lines[line_count++], line, sizeof line);
        }
    }
    fclose(file);
    printf("%d scenarios, %d expectations\n", scenarios, expectations);
    assert_int_equal(failures, 0);
    assert_true(scenarios >= 20 && expectations >= 80);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s scenarios.txt\n", argv[0]);
        return 2;
    }
    table = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

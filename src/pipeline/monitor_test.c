/* What the monitor's thread makes of a pipeline in trouble. */
#include "pipeline/pipeline_fixture.h"
#include "pipeline/pipeline_impl.h"

#include "base/log.h"

#include <dirent.h>
#include <unistd.h>

/* Removes the flight records of a folder; how many there were. */
static int records_in(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (strstr(e->d_name, ".flight")) {
            count++;
            unlink(path);
        }
    }
    if (dir)
        closedir(dir);
    return count;
}

/* The active alert of that condition, and of that part unless it is NULL, into *out; false: there is none. */
static bool is_active(struct itsi_pipeline *p, enum itsi_alert_condition which, const char *part, struct itsi_alert *out)
{
    struct itsi_alert alerts[16];
    size_t count = itsi_alerts_active(itsi_pipeline_alerts(p), alerts, 16);
    for (size_t i = 0; i < count && i < 16; i++)
        if (alerts[i].condition == which && (!part || strcmp(alerts[i].part, part) == 0)) {
            *out = alerts[i];
            return true;
        }
    return false;
}

/* Twenty times more frames than the engine can take: the budget burns, the alert says so, and what led to it is
 * frozen. */
static void a_burning_budget_alerts_and_freezes(void **state)
{
    (void)state;
    char folder[] = "/tmp/its-alert-XXXXXX", flight[64];
    assert_non_null(mkdtemp(folder));
    snprintf(flight, sizeof flight, "%s/flight", folder);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(folder);
    cfg.latency_monitoring.monitoring_window_seconds = 1;
    cfg.latency_monitoring.alert_window_seconds = 2;
    params.null_per_image_ns = 50 * MS;
    params.tick_ns = 100 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < 8; i++)
        add_camera(p, "", "null://?fps=50");
    struct itsi_alert alert;
    for (int64_t until = itsi_now_ns() + PATIENCE_NS;
         !is_active(p, ITSI_ALERT_BURN, NULL, &alert) || alert.severity < ITSI_SEVERITY_EMERGENCY;) {
        assert_true(itsi_now_ns() < until);
        itsi_sleep_until_ns(itsi_now_ns() + 20 * MS);
    }
    assert_int_equal(alert.scope, ITSI_ALERT_SYSTEM);
    struct itsi_slo_status slo;
    assert_int_equal(itsi_alerts_slo(itsi_pipeline_alerts(p), NULL, &slo), 0);
    assert_true(slo.window[ITSI_SLO_SHORT].frames.bad > slo.window[ITSI_SLO_SHORT].frames.good);
    struct itsi_alert_receiver_stats receivers[ITSI_ALERT_RECEIVERS];
    itsi_pipeline_alert_receivers(p, receivers);
    assert_true(receivers[ITSI_ALERT_TO_LOG].on);
    assert_false(receivers[ITSI_ALERT_TO_WEBHOOK].on);
    close_pipeline(p);
    /* one of the first word and one more at the most for each graver one, however many alerts there were beside */
    assert_in_range(records_in(flight), 1, ITSI_SEVERITY_EMERGENCY + 1);
    rmdir(flight);
    assert_int_equal(rmdir(folder), 0);
}

/* An inference that hardly ends: after five seconds somebody is told, with the camera's name. They pass on the clock
 * that the monitor is given, not on the machine's. */
static void a_stage_that_never_ends_is_told(void **state)
{
    (void)state;
    struct itsi_pipeline_stats stats;
    struct itsi_alert alert;
    cfg.monitor.flight_recorder_seconds = 0;
    params.null_per_image_ns = 300 * MS;
    params.tick_ns = ITSI_NEVER;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "stuck", "null://?fps=10");
    do {
        itsi_sleep_until_ns(itsi_now_ns() + MS);
        itsi_pipeline_stats(p, &stats);
    } while (stats.oldest_in_flight_seconds <= 0);
    itsi_pipeline_tick(p, stats.started_ns + 4900 * MS);
    assert_false(is_active(p, ITSI_ALERT_STUCK, NULL, &alert));
    for (int64_t until = itsi_now_ns() + PATIENCE_NS; !is_active(p, ITSI_ALERT_STUCK, NULL, &alert);) {
        assert_true(itsi_now_ns() < until); /* between two batches the engine may be empty */
        itsi_pipeline_tick(p, itsi_now_ns() + 6000 * MS);
    }
    assert_string_equal(alert.part, "ml_inference");
    CHECK_CONTAINS(alert.figures.names, "stuck");
    close_pipeline(p);
}

/* The null backend, whose output cannot be read before it is allowed to. */
static struct itsi_event readable;
static void output_when_readable(struct itsi_engine *engine, int slot, int image, struct itsi_output_tensor *out)
{
    itsi_event_wait_until(&readable, ITSI_NEVER);
    itsi_backend_null.output(engine, slot, image, out);
}

/* What hangs after inference is told as well, and as what it is. */
static void post_processing_that_never_ends_is_told(void **state)
{
    (void)state;
    struct itsi_backend backend = itsi_backend_null;
    backend.output = output_when_readable;
    itsi_event_init(&readable);
    cfg.monitor.flight_recorder_seconds = 0;
    params.backend = &backend;
    params.tick_ns = ITSI_NEVER;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "stuck", "null://?fps=10");
    struct itsi_alert alert;
    bool told;
    for (int64_t until = itsi_now_ns() + PATIENCE_NS;
         !(told = is_active(p, ITSI_ALERT_STUCK, "postprocessing", &alert)) &&
         itsi_now_ns() < until;) {
        itsi_pipeline_tick(p, itsi_now_ns() + 6000 * MS);
        itsi_sleep_until_ns(itsi_now_ns() + MS);
    }
    itsi_event_set(&readable);
    assert_true(told);
    CHECK_CONTAINS(alert.figures.names, "stuck");
    close_pipeline(p);
    itsi_event_fini(&readable);
}

static atomic_int state_lines;
static void count_state_lines(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    (void)arg;
    (void)component;
    state_lines += level == ITSI_LOG_INFO && strstr(text, "1 of 1 cameras run") && strstr(text, "p95");
}

static void the_state_is_logged_every_interval(void **state)
{
    (void)state;
    cfg.general.monitoring_interval_seconds = 10;
    cfg.monitor.flight_recorder_seconds = 0;
    params.tick_ns = ITSI_NEVER;
    itsi_log_install(count_state_lines, NULL, ITSI_LOG_INFO);
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "gate", "null://?fps=50");
    collect(p, 3, NULL, 0);
    const int64_t from = itsi_now_ns();
    state_lines = 0;
    itsi_pipeline_tick(p, from);
    itsi_pipeline_tick(p, from + 9900 * MS);
    assert_int_equal(state_lines, 0);
    itsi_pipeline_tick(p, from + 10000 * MS);
    itsi_pipeline_tick(p, from + 19900 * MS);
    assert_int_equal(state_lines, 1);
    itsi_pipeline_tick(p, from + 20000 * MS);
    assert_int_equal(state_lines, 2);
    close_pipeline(p);
    itsi_log_install(NULL, NULL, ITSI_LOG_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burning_budget_alerts_and_freezes),
        TEST(a_stage_that_never_ends_is_told),
        TEST(post_processing_that_never_ends_is_told),
        TEST(the_state_is_logged_every_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

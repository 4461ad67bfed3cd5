#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pipeline/pipeline.h"
#include "pipeline/result_writer.h"

#include <dirent.h>
#include <jansson.h>
#include <unistd.h>

#define MS ITSI_NS_PER_MS

static struct its_cfg cfg;

static int setup(void **state)
{
    (void)state;
    struct its_diag diag;
    memset(&cfg, 0, sizeof cfg);
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    cfg.inference.parallel = 1;
    cfg.gpu.batch_size_range[1] = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    its_cfg_fini(&cfg);
    return 0;
}

static struct itsi_pipeline *open_pipeline(const struct itsi_backend *backend, int64_t per_image_ns)
{
    struct its_diag diag;
    struct itsi_pipeline *p;
    const struct itsi_pipeline_params params = {.cfg = &cfg, .backend = backend, .null_per_image_ns = per_image_ns};
    CHECK_OK(itsi_pipeline_create(&p, &params, &diag), diag);
    CHECK_OK(itsi_pipeline_start(p, &diag), diag);
    return p;
}

static void add(struct itsi_pipeline *p, const char *id, const char *url)
{
    struct its_diag diag;
    struct itsi_camera camera = {0};
    snprintf(camera.id, sizeof camera.id, "%s", id);
    snprintf(camera.url, sizeof camera.url, "%s", url);
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
}

/* Waiting and service of every stage and what belongs to none are the whole, to the nanosecond. */
static void check_sum(const struct itsi_breakdown *b)
{
    int64_t sum = b->unattributed;
    for (int stage = 0; stage < ITSI_STAGE_COUNT; stage++) {
        assert_true(b->wait[stage] >= 0);
        assert_true(b->service[stage] >= 0);
        sum += b->wait[stage] + b->service[stage];
    }
    assert_int_equal(sum, b->end_to_end);
}

/* Collects results for a while; checks what must hold for each. Returns their number; per camera into by[]. */
static int collect(struct itsi_pipeline *p, int64_t for_ns, int by[], int cameras)
{
    struct its_diag diag;
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 1000, NULL, NULL, &s, &diag), diag);
    int64_t until = itsi_now_ns() + for_ns;
    int n = 0;
    for (struct itsi_result *r; (r = itsi_subscription_next(s, until)) != NULL; n++) {
        check_sum(&r->breakdown);
        assert_int_equal(r->late, r->info.trace.handover > r->info.deadline);
        if (by && (int)r->info.camera < cameras)
            by[r->info.camera]++;
        itsi_result_unref(&r);
    }
    assert_int_equal(itsi_subscription_lost(s), 0);
    itsi_subscription_close(s);
    return n;
}

/* Stops and checks the books of everything that ever ran. */
static struct itsi_ledger_counts close_pipeline(struct itsi_pipeline *p)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    itsi_pipeline_stop(p, itsi_now_ns() + 2000 * MS);
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    assert_int_equal(stats.ledger.in_flight, 0);
    assert_int_equal(stats.cameras, 0);
    itsi_pipeline_destroy(p);
    return stats.ledger;
}

static void light_load_is_delivered_in_time(void **state)
{
    (void)state;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    for (int i = 0; i < 4; i++)
        add(p, "", "null://?fps=50");
    int by[4] = {0};
    int n = collect(p, 1000 * MS, by, 4);
    assert_in_range(n, 120, 240);
    for (int i = 0; i < 4; i++)
        assert_in_range(by[i], 25, 60);
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, "camera_003", &status), 0);
    assert_string_equal(status.camera.id, "camera_003");
    assert_true(status.latency_ms >= 0 && status.latency_ms < 100);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true((double)counts.delivered > 0.9 * (double)counts.expected);
    assert_int_equal(counts.late, 0);
}

static void overload_is_shared_and_shed(void **state)
{
    (void)state;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 10 * MS);
    for (int i = 0; i < 8; i++)
        add(p, "", "null://?fps=50");
    collect(p, 500 * MS, NULL, 0);
    int by[8] = {0};
    int n = collect(p, 1500 * MS, by, 8);
    assert_in_range(n, 60, 155); /* 100 a second is what the engine can do */
    for (int i = 0; i < 8; i++)
        assert_in_range(by[i], n / 8 - n / 16 - 1, n / 8 + n / 16 + 1);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED] > 100);
    assert_true(itsi_ledger_on_time_admitted_ratio(&counts) > 0.95);
}

static void batches_form_on_a_batch_efficient_engine(void **state)
{
    (void)state;
    cfg.gpu.batch_size_range[1] = 8;
    const struct itsi_pipeline_params params = {
        .cfg = &cfg, .backend = &itsi_backend_null, .null_base_ns = 20 * MS, .null_per_image_ns = 1 * MS};
    struct itsi_pipeline *p;
    struct its_diag diag;
    CHECK_OK(itsi_pipeline_create(&p, &params, &diag), diag);
    CHECK_OK(itsi_pipeline_start(p, &diag), diag);
    for (int i = 0; i < 8; i++)
        add(p, "", "null://?fps=50");
    collect(p, 1000 * MS, NULL, 0);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_in_range(stats.batch_max, 2, 8);
    assert_true(stats.batch_images > stats.batches);
    close_pipeline(p);
}

static void cameras_come_and_go_without_touching_others(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 1 * MS);
    add(p, "steady", "null://?fps=50");
    collect(p, 200 * MS, NULL, 0);
    for (int i = 0; i < 20; i++) {
        add(p, "guest", "null://?fps=100");
        collect(p, 20 * MS, NULL, 0);
        CHECK_OK(itsi_pipeline_remove_camera(p, "guest", &diag), diag);
    }
    assert_int_equal(itsi_pipeline_remove_camera(p, "guest", &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "guest");
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, "steady", &status), 0);
    assert_int_equal(status.ledger.missing, 0);
    assert_int_equal(status.ledger.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_CAMERA_REMOVED], 0);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(counts.expected > status.ledger.expected);
}

static void removal_with_frames_in_flight_keeps_the_books(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 150 * MS);
    add(p, "a", "null://?fps=200");
    collect(p, 60 * MS, NULL, 0); /* one is in the engine, others wait */
    CHECK_OK(itsi_pipeline_remove_camera(p, "a", &diag), diag);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(stats.cameras, 0);
    assert_true(stats.ledger.in_flight > 0);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    add(p, "a", "null://?fps=10"); /* the name is free at once */
    close_pipeline(p);
}

static void refuses_by_name(void **state)
{
    (void)state;
    struct its_diag diag;
    cfg.general.max_concurrent_streams = 2;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    struct itsi_camera camera = {.id = "a b", .url = "null://"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "'a b'");
    add(p, "x", "null://?fps=5");
    camera = (struct itsi_camera){.id = "x", .url = "null://"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EEXISTS);
    camera = (struct itsi_camera){.id = "y", .url = "gopher://h/"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "gopher");
    add(p, "", "null://?fps=5");
    camera = (struct itsi_camera){.url = "null://"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_ELIMIT);
    CHECK_CONTAINS(diag.text, "max_concurrent_streams (2)");
    assert_int_equal(itsi_pipeline_cameras(p, NULL, 0), 2);
    close_pipeline(p);
}

static void a_slow_reader_loses_and_nobody_else(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    struct itsi_subscription *slow;
    CHECK_OK(itsi_pipeline_subscribe(p, "a", 2, NULL, NULL, &slow, &diag), diag);
    add(p, "a", "null://?fps=100");
    add(p, "b", "null://?fps=100");
    int n = collect(p, 600 * MS, NULL, 0);
    assert_in_range(n, 70, 140);
    assert_true(itsi_subscription_lost(slow) > 20);
    /* what it still gets is the newest */
    struct itsi_result *latest = itsi_pipeline_latest(p, "a", NULL);
    struct itsi_result *got = itsi_subscription_next(slow, 0);
    assert_non_null(got);
    assert_string_equal(got->info.camera_id, "a");
    assert_true(got->info.seq + 5 > latest->info.seq);
    itsi_result_unref(&got);
    itsi_result_unref(&latest);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_true(stats.bus_lost >= itsi_subscription_lost(slow));
    itsi_subscription_close(slow);
    close_pipeline(p);
}

static void readers_see_the_end(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 4, NULL, NULL, &s, &diag), diag);
    add(p, "a", "null://?fps=100");
    struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + 2000 * MS);
    assert_non_null(r);
    itsi_result_unref(&r);
    itsi_pipeline_stop(p, itsi_now_ns() + 1000 * MS);
    for (int i = 0; i < 10 && (r = itsi_subscription_next(s, ITSI_NEVER)) != NULL; i++)
        itsi_result_unref(&r);
    assert_null(r);
    assert_true(itsi_subscription_ended(s));
    itsi_subscription_close(s);
    itsi_pipeline_destroy(p);
}

static void unpaced_sources_lose_nothing(void **state)
{
    (void)state;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 1 * MS);
    add(p, "a", "null://?pace=off");
    add(p, "b", "null://?pace=off");
    int by[2] = {0};
    int n = collect(p, 500 * MS, by, 2);
    assert_true(n > 150);
    assert_in_range(by[0], by[1] - by[1] / 4 - 2, by[1] + by[1] / 4 + 2);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED], 0);
    assert_int_equal(counts.late, 0);
    assert_in_range(itsi_ledger_dropped(&counts), 0, 4); /* those the stop caught */
}

static void the_parts_of_ten_thousand_frames_are_the_whole(void **state)
{
    (void)state;
    enum { FRAMES = 10000 };
    struct its_diag diag;
    struct itsi_subscription *s;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, MS / 20);
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 4 * FRAMES, NULL, NULL, &s, &diag), diag);
    for (int i = 0; i < 4; i++)
        add(p, "", "null://?pace=off");
    for (int n = 0; n < FRAMES; n++) {
        struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + 10000 * MS);
        assert_non_null(r);
        check_sum(&r->breakdown);
        itsi_result_unref(&r);
    }
    itsi_subscription_close(s);
    close_pipeline(p);
}

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

/* Twenty times more frames than the engine can take: the budget burns, the alert says so, and what led to it is frozen. */
static void a_burning_budget_alerts_and_freezes(void **state)
{
    (void)state;
    char folder[] = "/tmp/its-alert-XXXXXX", flight[64];
    assert_non_null(mkdtemp(folder));
    snprintf(flight, sizeof flight, "%s/flight", folder);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(folder);
    cfg.latency_monitoring.monitoring_window_seconds = 2;
    cfg.latency_monitoring.alert_window_seconds = 8;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 50 * MS);
    for (int i = 0; i < 8; i++)
        add(p, "", "null://?fps=50");
    struct itsi_alert alerts[16] = {{0}};
    int64_t until = itsi_now_ns() + 20000 * MS;
    while (alerts[0].severity < ITSI_SEVERITY_EMERGENCY && itsi_now_ns() < until) {
        itsi_sleep_until_ns(itsi_now_ns() + 100 * MS);
        itsi_alerts_active(itsi_pipeline_alerts(p), alerts, 16);
    }
    assert_int_equal(alerts[0].severity, ITSI_SEVERITY_EMERGENCY);
    assert_int_equal(alerts[0].condition, ITSI_ALERT_BURN);
    assert_int_equal(alerts[0].scope, ITSI_ALERT_SYSTEM);
    struct itsi_slo_status slo;
    assert_int_equal(itsi_alerts_slo(itsi_pipeline_alerts(p), NULL, &slo), 0);
    assert_true(slo.window[ITSI_SLO_SHORT].frames.bad > 50);
    struct itsi_alert_receiver_stats receivers[ITSI_ALERT_RECEIVERS];
    itsi_pipeline_alert_receivers(p, receivers);
    assert_true(receivers[ITSI_ALERT_TO_LOG].on);
    assert_false(receivers[ITSI_ALERT_TO_WEBHOOK].on);
    close_pipeline(p);
    assert_int_equal(records_in(flight), 2); /* of critical and of emergency; however many alerts there were beside */
    rmdir(flight);
    assert_int_equal(rmdir(folder), 0);
}

static const struct itsi_alert *find_alert(const struct itsi_alert *alerts, size_t count, enum itsi_alert_condition which)
{
    for (size_t i = 0; i < count; i++)
        if (alerts[i].condition == which)
            return &alerts[i];
    return NULL;
}

/* An inference that hardly ends: after five seconds somebody is told, with the camera's name. */
static void a_stage_that_never_ends_is_told(void **state)
{
    (void)state;
    cfg.monitor.flight_recorder_seconds = 0;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 8000 * MS);
    add(p, "stuck", "null://?fps=10");
    struct itsi_alert alerts[16];
    const struct itsi_alert *told = NULL;
    for (int64_t until = itsi_now_ns() + 20000 * MS; !told && itsi_now_ns() < until;) {
        itsi_sleep_until_ns(itsi_now_ns() + 100 * MS);
        told = find_alert(alerts, itsi_alerts_active(itsi_pipeline_alerts(p), alerts, 16), ITSI_ALERT_STUCK);
    }
    assert_non_null(told);
    assert_string_equal(told->part, "ml_inference");
    CHECK_CONTAINS(told->figures.names, "stuck");
    close_pipeline(p);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 1 * MS);
    for (int i = 0; i < 4; i++)
        add(p, "", "null://?fps=100");
    itsi_sleep_until_ns(itsi_now_ns() + 300 * MS);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    uint64_t before_results = stats.results, before = itsi_alloc_count();
    itsi_sleep_until_ns(itsi_now_ns() + 500 * MS);
    uint64_t after = itsi_alloc_count();
    itsi_pipeline_stats(p, &stats);
    assert_true(stats.results - before_results > 100);
    assert_int_equal(after, before);
    close_pipeline(p);
}

/* The null backend with an engine that fails every third slot. */
static int failing_collect(struct itsi_engine *engine, int64_t until_ns, struct itsi_completion *out)
{
    static int count;
    int rc = itsi_backend_null.collect(engine, until_ns, out);
    if (rc == 0 && ++count % 3 == 0)
        out->status = ITS_EDEVICE;
    return rc;
}

static void engine_failures_are_counted_not_fatal(void **state)
{
    (void)state;
    struct itsi_backend failing = itsi_backend_null;
    failing.collect = failing_collect;
    struct itsi_pipeline *p = open_pipeline(&failing, 0);
    add(p, "a", "null://?fps=100");
    int n = collect(p, 500 * MS, NULL, 0);
    assert_in_range(n, 20, 45);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_in_range(counts.dropped[ITSI_STAGE_ML_INFERENCE][ITSI_DROP_ENGINE_FAILED], 8, 25);
}

static struct itsi_engine_params opened_with;

static int noting_open(struct itsi_engine **out, const struct itsi_engine_params *params, struct its_diag *diag)
{
    opened_with = *params;
    return itsi_backend_null.open(out, params, diag);
}

/* Frames that never became a picture because all others were still in the machinery broke the promise like the rest. */
static void frames_without_room_are_violations(void **state)
{
    (void)state;
    cfg.capture.frames_per_camera = 3;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 80 * MS);
    add(p, "crowded", "null://?fps=50");
    itsi_sleep_until_ns(itsi_now_ns() + 800 * MS);
    static struct itsi_violation all[ITSI_VIOLATIONS_KEPT];
    const size_t count = itsi_pipeline_violations(p, all, ITSI_VIOLATIONS_KEPT);
    uint64_t without_room = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i].dropped && all[i].reason == ITSI_DROP_POOL_EMPTY) {
            without_room++;
            assert_string_equal(all[i].camera_id, "crowded");
            assert_int_equal(all[i].stage, ITSI_STAGE_CAMERA_CAPTURE);
            CHECK_NEAR(all[i].deadline_ms, 100, 1e-6);
            assert_true(itsi_trace_id_valid(&all[i].trace_id));
        }
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(without_room > 0);
    assert_true(without_room <= counts.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_POOL_EMPTY]);
}

/* Without monitoring nothing is traced, what is served over HTTP neither. */
static void traces_go_with_monitoring(void **state)
{
    (void)state;
    struct its_diag diag;
    cfg.general.otlp_endpoint = itsi_strdup("http://127.0.0.1:1");
    cfg.latency_monitoring.trace_sampling_rate = 1;
    cfg.general.enable_monitoring = false;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    const struct itsi_frame_info info = {.camera_id = "a", .seq = 1};
    struct itsi_trace_serving serving;
    struct itsi_trace_context reply;
    itsi_tracer_serve_begin(itsi_pipeline_tracer(p), &info, NULL, false, &serving, &reply);
    serving.route = "/";
    assert_false(itsi_tracer_serve_end(itsi_pipeline_tracer(p), &info, &serving));
    cfg.general.enable_monitoring = true;
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    assert_true(itsi_tracer_serve_end(itsi_pipeline_tracer(p), &info, &serving));
    close_pipeline(p);
}

static void the_engine_is_opened_as_configured(void **state)
{
    (void)state;
    struct itsi_backend noting = itsi_backend_null;
    noting.open = noting_open;
    close_pipeline(open_pipeline(&noting, 0));
    assert_int_equal(opened_with.precision, ITSI_PRECISION_AUTO);
    assert_false(opened_with.no_int8);
    cfg.gpu.enable_quantization = false;
    cfg.inference.precision = ITSI_PRECISION_BF16;
    cfg.inference.parallel = 3;
    close_pipeline(open_pipeline(&noting, 0));
    assert_int_equal(opened_with.precision, ITSI_PRECISION_BF16);
    assert_int_equal(opened_with.parallel, 3);
    assert_true(opened_with.no_int8);
}

static void configuration_applies_live(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    cfg.latency_monitoring.latency_sla_ms = 40;
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 4, NULL, NULL, &s, &diag), diag);
    add(p, "a", "null://?fps=50");
    struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + 2000 * MS);
    assert_non_null(r);
    assert_int_equal(r->info.deadline - r->info.trace.origin, 40 * MS);
    itsi_result_unref(&r);
    itsi_subscription_close(s);
    close_pipeline(p);
}

static void results_are_written_as_lines(void **state)
{
    (void)state;
    struct its_diag diag;
    char path[] = "/tmp/its-lines-XXXXXX";
    close(mkstemp(path));
    struct its_cfg_output output = cfg.output;
    output.jsonl_path = path;
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    struct itsi_result_writer *writer;
    CHECK_OK(itsi_result_writer_start(&writer, p, &output, &diag), diag);
    add(p, "a", "null://?fps=100");
    collect(p, 300 * MS, NULL, 0);
    itsi_pipeline_stop(p, itsi_now_ns() + 1000 * MS);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    itsi_result_writer_destroy(writer);
    FILE *file = fopen(path, "r");
    char line[8192];
    uint64_t lines = 0;
    for (; fgets(line, sizeof line, file); lines++) {
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "camera")), "a");
        json_decref(json);
    }
    fclose(file);
    unlink(path);
    assert_true(lines > 15);
    assert_int_equal(lines, stats.results);
    itsi_pipeline_destroy(p);
}

static void a_full_disk_loses_lines_not_frames(void **state)
{
    (void)state;
    struct its_diag diag;
    struct its_cfg_output output = cfg.output;
    output.jsonl_path = (char *)"/dev/full";
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    struct itsi_result_writer *writer;
    CHECK_OK(itsi_result_writer_start(&writer, p, &output, &diag), diag);
    add(p, "a", "null://?fps=100");
    assert_true(collect(p, 300 * MS, NULL, 0) > 15);
    struct itsi_jsonl_status status;
    itsi_result_writer_status(writer, &status, NULL);
    assert_true(status.failing);
    assert_true(status.dropped > 10);
    CHECK_CONTAINS(status.last_error, "No space left");
    itsi_result_writer_destroy(writer);
    output.jsonl_path = (char *)"/nonexistent/dir/lines";
    assert_int_equal(itsi_result_writer_start(&writer, p, &output, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nonexistent/dir/lines");
    close_pipeline(p);
}

static void starts_once(void **state)
{
    (void)state;
    struct its_diag diag = {""};
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    add(p, "a", "null://?fps=100");
    assert_int_equal(itsi_pipeline_start(p, &diag), ITS_EEXISTS);
    CHECK_CONTAINS(diag.text, "started already");
    itsi_pipeline_stop(p, 0);
    assert_int_equal(itsi_pipeline_start(p, &diag), ITS_ECANCELLED);
    close_pipeline(p);
}

/* The configuration it was made from, and each it was given since, may be freed. */
static void keeps_nothing_of_a_configuration(void **state)
{
    (void)state;
    struct its_diag diag;
    cfg.capture.tls_ca_file = itsi_strdup("/etc/ssl/one.pem");
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 0);
    itsi_free(cfg.capture.tls_ca_file);
    cfg.capture.tls_ca_file = NULL;
    add(p, "a", "null://");
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    add(p, "b", "null://");
    close_pipeline(p);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    int rc, nth = 0;
    do {
        struct itsi_pipeline *p = NULL;
        struct its_diag diag = {""};
        const struct itsi_pipeline_params params = {.cfg = &cfg, .backend = &itsi_backend_null};
        itsi_alloc_fail_at(++nth);
        rc = itsi_pipeline_create(&p, &params, &diag);
        itsi_alloc_fail_at(0);
        if (rc != 0)
            assert_int_equal(rc, ITS_ENOMEM);
        itsi_pipeline_destroy(p);
    } while (rc != 0 && nth < 5000);
    assert_int_equal(rc, 0);
    assert_true(nth > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(light_load_is_delivered_in_time),
        TEST(overload_is_shared_and_shed),
        TEST(batches_form_on_a_batch_efficient_engine),
        TEST(cameras_come_and_go_without_touching_others),
        TEST(removal_with_frames_in_flight_keeps_the_books),
        TEST(refuses_by_name),
        TEST(a_slow_reader_loses_and_nobody_else),
        TEST(readers_see_the_end),
        TEST(unpaced_sources_lose_nothing),
        TEST(the_parts_of_ten_thousand_frames_are_the_whole),
        TEST(a_burning_budget_alerts_and_freezes),
        TEST(a_stage_that_never_ends_is_told),
        TEST(steady_state_allocates_nothing),
        TEST(engine_failures_are_counted_not_fatal),
        TEST(frames_without_room_are_violations),
        TEST(traces_go_with_monitoring),
        TEST(the_engine_is_opened_as_configured),
        TEST(configuration_applies_live),
        TEST(starts_once),
        TEST(keeps_nothing_of_a_configuration),
        TEST(results_are_written_as_lines),
        TEST(a_full_disk_loses_lines_not_frames),
        TEST(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

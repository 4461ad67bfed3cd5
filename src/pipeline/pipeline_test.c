#include "pipeline/pipeline_fixture.h"

/* For tests that are about the pipeline and not about how busy the machine is: nothing comes that late. */
static void deadline_in_ten_seconds(void)
{
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 10000;
}

static void light_load_is_delivered_in_time(void **state)
{
    (void)state;
    enum { RESULTS = 160 };
    deadline_in_ten_seconds();
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < 4; i++)
        add_camera(p, "", "null://?fps=50");
    int by[4] = {0};
    collect(p, RESULTS, by, 4);
    for (int i = 0; i < 4; i++)
        assert_in_range(by[i], RESULTS / 8, RESULTS / 2);
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, "camera_003", &status), 0);
    assert_string_equal(status.camera.id, "camera_003");
    assert_true(status.latency_ms >= 0 && status.latency_ms < 10000);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_int_equal(counts.late, 0);
    assert_true(2 * counts.delivered > counts.expected);
    /* beside newer frames in the place of older ones, where the machine was slow, only the stop took any */
    assert_in_range(itsi_ledger_dropped(&counts) - counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED], 0, 4);
}

/* Four times more frames than the engine can take. */
static void overload_is_shared_and_shed(void **state)
{
    (void)state;
    enum { RESULTS = 120 };
    deadline_in_ten_seconds();
    params.null_per_image_ns = 10 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < 8; i++)
        add_camera(p, "", "null://?fps=50");
    collect(p, 40, NULL, 0);
    int by[8] = {0};
    int64_t began = itsi_now_ns();
    collect(p, RESULTS, by, 8);
    assert_true(itsi_now_ns() - began >= (RESULTS - 3) * 10 * MS); /* the engine has no other way */
    for (int i = 0; i < 8; i++)
        assert_in_range(by[i], RESULTS / 16 - 1, 3 * RESULTS / 16 + 1);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED] > counts.delivered);
    assert_true(itsi_ledger_on_time_admitted_ratio(&counts) > 0.95);
}

static void batches_form_on_a_batch_efficient_engine(void **state)
{
    (void)state;
    cfg.gpu.batch_size_range[1] = 8;
    params.null_base_ns = 20 * MS;
    params.null_per_image_ns = 1 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < 8; i++)
        add_camera(p, "", "null://?fps=50");
    collect(p, 80, NULL, 0);
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
    params.null_per_image_ns = 1 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "steady", "null://?fps=50");
    collect(p, 5, NULL, 0);
    for (int i = 0; i < 20; i++) {
        add_camera(p, "guest", "null://?fps=100");
        collect(p, 2, NULL, 0);
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
    struct itsi_pipeline_stats stats;
    params.null_per_image_ns = 300 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "a", "null://?fps=200");
    do { /* until one is in the engine; others wait by then */
        itsi_sleep_until_ns(itsi_now_ns() + MS);
        itsi_pipeline_stats(p, &stats);
    } while (stats.oldest_in_flight_seconds <= 0);
    CHECK_OK(itsi_pipeline_remove_camera(p, "a", &diag), diag);
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(stats.cameras, 0);
    assert_true(stats.ledger.in_flight > 0);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    add_camera(p, "a", "null://?fps=10"); /* the name is free at once */
    close_pipeline(p);
}

static void refuses_by_name(void **state)
{
    (void)state;
    struct its_diag diag;
    cfg.general.max_concurrent_streams = 2;
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_camera camera = {.id = "a b", .url = "null://"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "'a b'");
    add_camera(p, "x", "null://?fps=5");
    camera = (struct itsi_camera){.id = "x", .url = "null://"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EEXISTS);
    camera = (struct itsi_camera){.id = "y", .url = "gopher://h/"};
    assert_int_equal(itsi_pipeline_add_camera(p, &camera, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "gopher");
    add_camera(p, "", "null://?fps=5");
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
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_subscription *slow;
    CHECK_OK(itsi_pipeline_subscribe(p, "a", 2, NULL, NULL, &slow, &diag), diag);
    add_camera(p, "a", "null://?fps=100");
    add_camera(p, "b", "null://?fps=100");
    collect(p, 100, NULL, 0);
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
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 4, NULL, NULL, &s, &diag), diag);
    add_camera(p, "a", "null://?fps=100");
    struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + PATIENCE_NS);
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
    params.null_per_image_ns = 1 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "a", "null://?pace=off");
    add_camera(p, "b", "null://?pace=off");
    int by[2] = {0};
    collect(p, 200, by, 2);
    assert_in_range(by[0], 50, 150);
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
    params.null_per_image_ns = MS / 20;
    struct itsi_pipeline *p = open_pipeline(&params);
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 4 * FRAMES, NULL, NULL, &s, &diag), diag);
    for (int i = 0; i < 4; i++)
        add_camera(p, "", "null://?pace=off");
    for (int n = 0; n < FRAMES; n++) {
        struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + PATIENCE_NS);
        assert_non_null(r);
        check_sum(&r->breakdown);
        itsi_result_unref(&r);
    }
    itsi_subscription_close(s);
    close_pipeline(p);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    params.null_per_image_ns = 1 * MS;
    params.tick_ns = ITSI_NEVER; /* of the windows a minute may grow; here it is about frames */
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int i = 0; i < 4; i++)
        add_camera(p, "", "null://?fps=100");
    collect(p, 100, NULL, 0);
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    uint64_t enough = stats.results + 150, before = itsi_alloc_count();
    while (stats.results < enough) {
        itsi_sleep_until_ns(itsi_now_ns() + 10 * MS);
        itsi_pipeline_stats(p, &stats);
    }
    assert_int_equal(itsi_alloc_count(), before);
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
    params.backend = &failing;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "a", "null://?fps=100");
    collect(p, 30, NULL, 0);
    struct itsi_violation told[4];
    assert_true(itsi_pipeline_violations(p, told, 4) > 0);
    assert_int_equal(told[0].reason, ITSI_DROP_ENGINE_FAILED);
    assert_int_equal(told[0].batch, 1); /* of how many, and at which level, though there is no result to say so */
    assert_int_equal(told[0].quality_level, 3);
    struct itsi_ledger_counts counts = close_pipeline(p);
    uint64_t failed = counts.dropped[ITSI_STAGE_ML_INFERENCE][ITSI_DROP_ENGINE_FAILED];
    assert_int_equal(failed, (counts.delivered + counts.late + failed) / 3);
}

static struct itsi_engine_params opened_with;

static int noting_open(struct itsi_engine **out, const struct itsi_engine_params *wanted, struct its_diag *diag)
{
    opened_with = *wanted;
    return itsi_backend_null.open(out, wanted, diag);
}

/* Frames that never became a picture because all others were still in the machinery broke the promise like the rest. */
static void frames_without_room_are_violations(void **state)
{
    (void)state;
    cfg.capture.frames_per_camera = 3;
    cfg.inference.parallel = 3; /* which hold more than that, and the two for what is analysed again */
    /* time enough that none is given up before it has been through the engine */
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 2000;
    params.null_per_image_ns = 80 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "crowded", "null://?fps=50");
    collect(p, 8, NULL, 0);
    static struct itsi_violation all[ITSI_VIOLATIONS_KEPT];
    const size_t count = itsi_pipeline_violations(p, all, ITSI_VIOLATIONS_KEPT);
    uint64_t without_room = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i].dropped && all[i].reason == ITSI_DROP_POOL_EMPTY) {
            without_room++;
            assert_string_equal(all[i].camera_id, "crowded");
            assert_int_equal(all[i].stage, ITSI_STAGE_CAMERA_CAPTURE);
            CHECK_NEAR(all[i].deadline_ms, 2000, 1e-6);
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
    struct itsi_pipeline *p = open_pipeline(&params);
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
    params.backend = &noting;
    close_pipeline(open_pipeline(&params));
    assert_int_equal(opened_with.precision, ITSI_PRECISION_AUTO);
    assert_false(opened_with.no_int8);
    cfg.gpu.enable_quantization = false;
    cfg.inference.precision = ITSI_PRECISION_BF16;
    cfg.inference.parallel = 3;
    close_pipeline(open_pipeline(&params));
    assert_int_equal(opened_with.precision, ITSI_PRECISION_BF16);
    assert_int_equal(opened_with.parallel, 3);
    assert_true(opened_with.no_int8);
}

static void configuration_applies_live(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_pipeline *p = open_pipeline(&params);
    cfg.latency_monitoring.latency_sla_ms = 40;
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 4, NULL, NULL, &s, &diag), diag);
    add_camera(p, "a", "null://?fps=50");
    struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + PATIENCE_NS);
    assert_non_null(r);
    assert_int_equal(r->info.deadline - r->info.trace.origin, 40 * MS);
    itsi_result_unref(&r);
    itsi_subscription_close(s);
    close_pipeline(p);
}

static void starts_once(void **state)
{
    (void)state;
    struct its_diag diag = {""};
    struct itsi_pipeline *p = open_pipeline(&params);
    add_camera(p, "a", "null://?fps=100");
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
    struct itsi_pipeline *p = open_pipeline(&params);
    itsi_free(cfg.capture.tls_ca_file);
    cfg.capture.tls_ca_file = NULL;
    add_camera(p, "a", "null://");
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    add_camera(p, "b", "null://");
    close_pipeline(p);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    int rc, nth = 0;
    cfg.general.max_concurrent_streams = 2; /* a small house is made and torn down as the large one is, only sooner */
    do {
        struct itsi_pipeline *p = NULL;
        struct its_diag diag = {""};
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
        TEST(steady_state_allocates_nothing),
        TEST(engine_failures_are_counted_not_fatal),
        TEST(frames_without_room_are_violations),
        TEST(traces_go_with_monitoring),
        TEST(the_engine_is_opened_as_configured),
        TEST(configuration_applies_live),
        TEST(starts_once),
        TEST(keeps_nothing_of_a_configuration),
        TEST(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

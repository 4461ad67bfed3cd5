#include "support/check.h"
#include "support/onnx_tiny.h"

#include "base/mem.h"
#include "optimizer/benchmark.h"

#include <jansson.h>

static char dir[64];

static void frames_sum_up(void **state)
{
    (void)state;
    struct its_diag diag;
    struct its_cfg cfg;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    const struct itsi_benchmark_params params = {
        .pipeline = {.cfg = &cfg, .backend = &itsi_backend_null},
        .streams = 3,
        .duration_s = 0.6,
        .warmup_s = 0.2,
        .startup_s = 10,
        .source = "null://?fps=50&size=3{i}0x100",
    };
    struct itsi_benchmark_report report;
    CHECK_OK(itsi_benchmark_run(&params, &report, &diag), diag);
    assert_true(report.ledger_balanced);
    assert_int_equal(report.counts.expected, report.counts.delivered + report.counts.late + report.counts.skipped +
                                                 itsi_ledger_dropped(&report.counts) + report.counts.corrupt +
                                                 report.counts.missing);
    assert_in_range(report.counts.expected, 60, 110);
    assert_false(report.has_score); /* no truth, no figures */
    CHECK_NEAR(report.analysed_fps, (double)(report.counts.delivered + report.counts.late) / report.duration_s, 0.01);
    itsi_run_destroy(report.run);
    its_cfg_fini(&cfg);
}

static void cameras_that_do_not_fit_are_left_out_by_name(void **state)
{
    (void)state;
    struct its_diag diag;
    struct its_cfg cfg;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    cfg.general.max_concurrent_streams = 2;
    struct itsi_benchmark_params params = {
        .pipeline = {.cfg = &cfg, .backend = &itsi_backend_null},
        .streams = 4,
        .duration_s = 0.5,
        .startup_s = 10,
        .ramp_s = 0.1,
        .source = "null://?fps=50",
    };
    struct itsi_benchmark_report report;
    CHECK_OK(itsi_benchmark_run(&params, &report, &diag), diag);
    assert_int_equal(report.streams, 2);
    assert_int_equal(report.refused, 2);
    assert_non_null(strstr(report.refusal, "max_concurrent_streams"));
    assert_true(report.least_analysed_fps > 10);
    itsi_run_destroy(report.run);
    params.ramp_s = 0; /* who asks for all of them gets all or an error */
    assert_int_equal(itsi_benchmark_run(&params, &report, &diag), ITS_ELIMIT);
    its_cfg_fini(&cfg);
}

/* Two cameras of one scene, all of whose frames a detector of these classes sees that finds nothing. */
static struct itsi_benchmark_report watch_a_road_with(const char *names, double target_latency_ms, const char *pace)
{
    char path[256], source[128];
    struct itsi_benchmark_report report;
    struct its_diag diag = {""};
    struct its_cfg cfg;
    struct itsi_model model;
    struct onnx_spec spec = onnx_spec_dynamic(5);
    spec.names = names;
    temp_model(path, dir, "names.onnx", &spec);
    CHECK_OK(itsi_model_open(&model, path, &diag), diag);
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(dir);
    cfg.general.target_latency_ms = target_latency_ms;
    snprintf(source, sizeof source, "synth://motorway?size=160x96&fps=10&seconds=1&seed=3&pace=%s", pace);
    const struct itsi_benchmark_params params = {
        .pipeline = {.cfg = &cfg, .backend = &itsi_backend_null, .model = &model},
        .streams = 2,
        .duration_s = 0.5,
        .warmup_s = 0.1,
        .startup_s = 60,
        .source = source,
    };
    CHECK_OK(itsi_benchmark_run(&params, &report, &diag), diag);
    itsi_run_destroy(report.run);
    report.run = NULL;
    its_cfg_fini(&cfg);
    itsi_model_fini(&model);
    return report;
}

/* Motorcycles it does not know. */
static struct itsi_benchmark_report watch_a_road(double target_latency_ms, const char *pace)
{
    return watch_a_road_with("{0: 'car', 1: 'truck', 2: 'bus', 3: 'person', 4: 'bicycle'}", target_latency_ms, pace);
}

static void what_is_not_found_is_counted(void **state)
{
    (void)state;
    struct itsi_benchmark_report report = watch_a_road(100, "off");
    assert_true(report.has_score);
    assert_true(report.score.frames > 0);
    assert_true(report.score.judged[ITSI_ROAD_BICYCLE]);
    assert_false(report.score.judged[ITSI_ROAD_MOTORCYCLE]);
    struct itsi_score_count vehicles = itsi_score_vehicles(&report.score);
    assert_true(vehicles.truth > 0);
    assert_int_equal(vehicles.found + vehicles.wrong, 0);
}

static void late_results_do_not_count(void **state)
{
    (void)state;
    struct itsi_benchmark_report report = watch_a_road(0.001, "real");
    assert_true(report.has_score);
    assert_int_equal(report.counts.delivered, 0);
    assert_int_equal(report.score.frames, 0);
}

static void a_model_of_other_things_is_not_judged(void **state)
{
    (void)state;
    struct itsi_benchmark_report report =
        watch_a_road_with("{0: 'cat', 1: 'dog', 2: 'cow', 3: 'bird', 4: 'horse'}", 100, "off");
    assert_true(report.counts.delivered > 0);
    assert_false(report.has_score);
}

static json_t *as_json(const struct itsi_benchmark_report *report)
{
    struct itsi_buf buf;
    itsi_buf_init(&buf);
    itsi_benchmark_json(report, &buf);
    json_t *root = json_loads(buf.data, 0, NULL);
    assert_non_null(root);
    itsi_buf_fini(&buf);
    return root;
}

static double number(json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

static void the_report_tells_precision_and_recall(void **state)
{
    (void)state;
    static struct itsi_benchmark_report report;
    report.has_score = true;
    report.confidence = 0.25;
    report.score.frames = 12;
    report.score.judged[ITSI_ROAD_CAR] = report.score.judged[ITSI_ROAD_BUS] = true;
    report.score.classes[ITSI_ROAD_CAR] = (struct itsi_score_count){.truth = 10, .found = 6, .wrong = 2};
    json_t *root = as_json(&report), *detection = json_object_get(root, "detection");
    CHECK_NEAR(number(detection, "frames"), 12, 0);
    CHECK_NEAR(number(detection, "confidence"), 0.25, 1e-9);
    CHECK_NEAR(number(json_object_get(detection, "vehicles"), "precision"), 0.75, 1e-9);
    CHECK_NEAR(number(json_object_get(detection, "vehicles"), "recall"), 0.6, 1e-9);
    json_t *classes = json_object_get(detection, "classes");
    assert_int_equal(json_object_size(classes), 2);
    CHECK_NEAR(number(json_object_get(classes, "car"), "found"), 6, 0);
    assert_true(json_is_null(json_object_get(json_object_get(classes, "bus"), "recall"))); /* there was none */
    json_decref(root);
    struct itsi_buf table;
    itsi_buf_init(&table);
    itsi_benchmark_table(&report, &table);
    CHECK_CONTAINS(table.data, "0.750      0.600");
    report.has_score = false;
    itsi_buf_reset(&table);
    itsi_benchmark_table(&report, &table);
    assert_null(strstr(table.data, "recall"));
    itsi_buf_fini(&table);
    root = as_json(&report);
    assert_true(json_is_null(json_object_get(root, "detection")));
    json_decref(root);
}

int main(void)
{
    temp_dir_create(dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_sum_up),
        cmocka_unit_test(cameras_that_do_not_fit_are_left_out_by_name),
        cmocka_unit_test(what_is_not_found_is_counted),
        cmocka_unit_test(late_results_do_not_count),
        cmocka_unit_test(a_model_of_other_things_is_not_judged),
        cmocka_unit_test(the_report_tells_precision_and_recall),
    };
    int failed = cmocka_run_group_tests_name("benchmark", tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}

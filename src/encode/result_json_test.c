#include "encode/result_json.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/check.h"

#include <jansson.h>

static struct itsi_result result;

static void fill(void)
{
    memset(&result, 0, sizeof result);
    snprintf(result.info.camera_id, sizeof result.info.camera_id, "gate-7");
    result.info.seq = 41;
    result.info.epoch = 3;
    result.info.width = 1280;
    result.info.height = 720;
    result.info.media_ns = -1;
    result.info.capture_wall_ns = INT64_C(1769860800123000000);
    result.info.origin_kind = ITSI_ORIGIN_CAMERA;
    result.info.trace = (struct itsi_trace){.origin = 1000000, .decode_start = 2000000, .decode_end = 5000000,
                                            .pre_start = 6000000, .pre_end = 8000000, .infer_start = 9000000,
                                            .infer_end = 29000000, .post_start = 29500000, .post_end = 30000000,
                                            .handover = 30100000};
    itsi_trace_breakdown(&result.info.trace, &result.breakdown);
    snprintf(result.trace_id, sizeof result.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    result.batch = 4;
    result.quality_level = 3;
    result.count = 2;
    result.boxes[0] = (struct itsi_detection){10.04F, 20, 110, 220.5F, 0.91234F, 1, 17};
    result.boxes[1] = (struct itsi_detection){1, 2, 3, 4, 0.5F, 9, -1};
}

static json_t *render(int64_t now)
{
    static const char *const names[] = {"car", "big \"truck\""};
    struct itsi_buf buf;
    struct itsi_json json;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_result_json(&json, NULL, &result, names, 2, now);
    assert_null(strchr(buf.data, '\n'));
    json_error_t error;
    json_t *root = json_loads(buf.data, 0, &error);
    if (!root)
        fail_msg("%s in %s", error.text, buf.data);
    itsi_buf_fini(&buf);
    return root;
}

static double number(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }
static const char *text(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

static void says_everything(void **state)
{
    (void)state;
    fill();
    json_t *root = render(51000000);
    assert_string_equal(text(root, "camera"), "gate-7");
    assert_string_equal(text(root, "trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_equal(text(root, "capture_time"), "2026-01-31T12:00:00.123Z");
    assert_string_equal(text(root, "origin"), "camera");
    assert_string_equal(text(root, "quality"), "high");
    CHECK_NEAR(number(root, "seq"), 41, 0);
    CHECK_NEAR(number(root, "epoch"), 3, 0);
    CHECK_NEAR(number(root, "age_ms"), 50, 0);
    CHECK_NEAR(number(root, "latency_ms"), 29.1, 1e-9);
    CHECK_NEAR(number(root, "batch"), 4, 0);
    assert_true(json_is_false(json_object_get(root, "late")));
    assert_null(json_object_get(root, "media_ms"));
    const json_t *first = json_array_get(json_object_get(root, "detections"), 0);
    assert_string_equal(text(first, "class"), "big \"truck\"");
    CHECK_NEAR(number(first, "score"), 0.9123, 1e-9);
    CHECK_NEAR(number(first, "track"), 17, 0);
    CHECK_NEAR(json_number_value(json_array_get(json_object_get(first, "box"), 3)), 220.5, 1e-9);
    const json_t *second = json_array_get(json_object_get(root, "detections"), 1);
    assert_string_equal(text(second, "class"), "class_9");
    assert_null(json_object_get(second, "track"));
    json_decref(root);
}

/* Stages and what is left over add up to the latency. */
static void stages_add_up(void **state)
{
    (void)state;
    fill();
    result.info.media_ns = 2500000;
    result.trace_id[0] = '\0';
    json_t *root = render(51000000);
    assert_null(json_object_get(root, "trace_id"));
    double sum = number(root, "unattributed_ms");
    const char *name;
    json_t *stage;
    json_object_foreach(json_object_get(root, "stages"), name, stage)
        sum += number(stage, "wait_ms") + number(stage, "service_ms");
    CHECK_NEAR(sum, number(root, "latency_ms"), 1e-6);
    CHECK_NEAR(number(json_object_get(json_object_get(root, "stages"), "ml_inference"), "service_ms"), 20, 1e-9);
    assert_null(json_object_get(json_object_get(root, "stages"), "encoding"));
    CHECK_NEAR(number(root, "media_ms"), 2.5, 1e-9);
    json_decref(root);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_buf buf;
    struct itsi_json json;
    fill();
    itsi_buf_init(&buf);
    uint64_t before = 0;
    for (int i = 0; i < 5; i++) {
        itsi_buf_reset(&buf);
        itsi_json_init(&json, &buf);
        itsi_result_json(&json, NULL, &result, NULL, 0, 51000000);
        if (i == 0)
            before = itsi_alloc_count();
    }
    assert_int_equal(itsi_alloc_count(), before);
    itsi_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_everything),
        cmocka_unit_test(stages_add_up),
        cmocka_unit_test(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

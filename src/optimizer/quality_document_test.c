/* The quality manager's document: the level of all cameras together, and what is said of one. */
#include "support/check.h"

#include "optimizer/documents.h"

#include <jansson.h>
#include <math.h>

static int level_of(const int cameras[ITSI_QUALITY_LEVELS])
{
    struct itsi_quality_overview o = {.default_level = ITSI_QUALITY_HIGH};
    memcpy(o.status.cameras, cameras, sizeof o.status.cameras);
    return itsi_document_quality_level(&o);
}

static void half_of_the_cameras_have_the_level_or_more(void **state)
{
    (void)state;
    assert_int_equal(level_of((int[]){0, 0, 0, 0, 0}), ITSI_QUALITY_HIGH); /* the default */
    assert_int_equal(level_of((int[]){1, 0, 0, 0, 0}), ITSI_QUALITY_ULTRA_LOW);
    assert_int_equal(level_of((int[]){5, 0, 0, 5, 0}), ITSI_QUALITY_HIGH);
    assert_int_equal(level_of((int[]){5, 1, 0, 5, 0}), ITSI_QUALITY_LOW);
    assert_int_equal(level_of((int[]){6, 0, 0, 5, 0}), ITSI_QUALITY_ULTRA_LOW);
    assert_int_equal(level_of((int[]){0, 0, 1, 0, 2}), ITSI_QUALITY_ULTRA_HIGH);
}

/* The document of a camera, to be json_decref'd. */
static json_t *document(const struct itsi_camera_status *status, const struct itsi_quality_overview *overview)
{
    struct itsi_buf text;
    struct itsi_json json;
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_document_camera_quality(&json, NULL, status, overview);
    json_t *read = json_loadb(text.data, text.len, 0, NULL);
    itsi_buf_fini(&text);
    assert_non_null(read);
    return read;
}

static void assert_text(const json_t *object, const char *key, const char *wanted)
{
    const json_t *value = json_object_get(object, key);
    if (!wanted)
        assert_true(json_is_null(value));
    else
        assert_string_equal(json_string_value(value), wanted);
}

static void a_camera_that_nothing_was_done_to(void **state)
{
    (void)state;
    const struct itsi_quality_overview overview = {.adjustment_seconds = 30};
    const struct itsi_camera_status status = {.quality_level = ITSI_QUALITY_HIGH,
                                              .quality = {.level = ITSI_QUALITY_HIGH, .detect_interval = 1},
                                              .quality_input = {640, 384},
                                              .pin = -1,
                                              .boost = -1,
                                              .quality_seconds = 30};
    json_t *camera = document(&status, &overview), *target = json_object_get(camera, "target");
    assert_text(camera, "current_quality", "high");
    assert_text(camera, "pin", NULL);
    assert_text(camera, "boost", NULL);
    assert_text(camera, "boost_seconds_left", NULL);
    assert_text(camera, "last_adjustment", NULL);
    assert_true(json_is_true(json_object_get(camera, "is_stable")));
    assert_text(target, "analysed_fps", NULL); /* nothing limits it */
    assert_text(target, "picture_height", NULL);
    assert_text(target, "decode", "all");
    assert_text(camera, "note", NULL);
    assert_int_equal(json_integer_value(json_object_get(target, "input_width")), 640);
    assert_text(camera, "debt", NULL);
    assert_text(camera, "held_by", NULL);
    json_decref(camera);
}

static void a_camera_that_gave_way_and_is_boosted(void **state)
{
    (void)state;
    const struct itsi_quality_overview overview = {.adjustment_seconds = 30};
    const struct itsi_camera_status status = {.quality_level = ITSI_QUALITY_LOW,
                                              .quality = {.level = ITSI_QUALITY_MEDIUM,
                                                          .analysed_fps = 12.5,
                                                          .detect_interval = 2,
                                                          .decode = ITSI_DECODE_KEY,
                                                          .sub_stream = true},
                                              .debt[ITSI_QUALITY_LOW] = {.pictures = 40,
                                                                         .sightings = 120,
                                                                         .missed_share = {0.25, 0.2, 0.3},
                                                                         .missed_per_hour = {(double)NAN, (double)NAN,
                                                                                             (double)NAN}},
                                              .picture_height = 360,
                                              .picture_quality = 65,
                                              .is_priority = true,
                                              .pin = -1,
                                              .boost = ITSI_QUALITY_MEDIUM,
                                              .boost_seconds = 42.25,
                                              .quality_changes = 3,
                                              .quality_since_wall_ns = INT64_C(1700000000500000000),
                                              .quality_seconds = 29.9,
                                              .quality_note = "its smaller stream could not be had"};
    json_t *camera = document(&status, &overview), *target = json_object_get(camera, "target");
    assert_text(camera, "current_quality", "low");
    assert_text(camera, "target_quality", "medium");
    assert_text(camera, "boost", "medium");
    assert_true(fabs(json_number_value(json_object_get(camera, "boost_seconds_left")) - 42.25) < 0.06);
    assert_true(json_is_true(json_object_get(camera, "is_priority")));
    assert_true(json_is_false(json_object_get(camera, "is_stable")));
    assert_int_equal(json_integer_value(json_object_get(camera, "adjustment_count")), 3);
    assert_true(json_number_value(json_object_get(camera, "last_adjustment")) == 1700000000.5);
    assert_true(json_number_value(json_object_get(target, "analysed_fps")) == 12.5);
    assert_true(json_number_value(json_object_get(target, "picture_height")) == 360);
    const json_t *debt = json_object_get(camera, "debt"), *levels = json_object_get(camera, "debt_by_level");
    CHECK_NEAR(json_number_value(json_object_get(debt, "missed_share")), 0.25, 1e-9);
    CHECK_NEAR(json_number_value(json_object_get(debt, "missed_share_high")), 0.3, 1e-9);
    assert_text(debt, "missed_per_hour", NULL);
    assert_int_equal(json_object_size(levels), 1);
    CHECK_NEAR(json_number_value(json_object_get(json_object_get(levels, "low"), "pictures")), 40, 1e-9);
    assert_text(target, "decode", "key");
    assert_text(camera, "note", "its smaller stream could not be had");
    assert_true(json_is_true(json_object_get(target, "sub_stream")));
    json_decref(camera);
}

/* Memory is why nobody rises: of those that are below their level, and whom no operator put there. */
static void what_holds_a_camera_down_is_named(void **state)
{
    (void)state;
    const struct itsi_quality_overview overview = {.default_level = ITSI_QUALITY_HIGH, .status.hold = ITSI_HOLD_MEMORY};
    struct itsi_camera_status status = {.quality_level = ITSI_QUALITY_LOW, .quality.level = ITSI_QUALITY_LOW, .pin = -1, .boost = -1};
    json_t *camera = document(&status, &overview);
    assert_text(camera, "held_by", "memory");
    CHECK_CONTAINS(json_string_value(json_object_get(camera, "held_why")), "memory_threshold_percent");
    json_decref(camera);
    status.pin = ITSI_QUALITY_LOW;
    camera = document(&status, &overview);
    assert_text(camera, "held_by", NULL);
    json_decref(camera);
    status = (struct itsi_camera_status){.quality_level = ITSI_QUALITY_HIGH, .quality.level = ITSI_QUALITY_HIGH, .pin = -1, .boost = -1};
    camera = document(&status, &overview);
    assert_text(camera, "held_by", NULL);
    assert_text(camera, "held_why", NULL);
    json_decref(camera);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_cameras_have_the_level_or_more),
        cmocka_unit_test(a_camera_that_nothing_was_done_to),
        cmocka_unit_test(a_camera_that_gave_way_and_is_boosted),
        cmocka_unit_test(what_holds_a_camera_down_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The public C API, as a program outside would use it. */
#include "support/check.h"

#include "its/its.h"

#include "base/mem.h"
#include "optimizer/engine.h"

#include <jansson.h>
#include <unistd.h>

static its_config *null_config(void)
{
    its_config *config;
    struct its_diag diag;
    CHECK_OK(its_config_create(&config, &diag), diag);
    CHECK_OK(its_config_set(config, "backend", "null", &diag), diag);
    CHECK_OK(its_config_set(config, "max_concurrent_streams", "2", &diag), diag);
    return config;
}

static its_engine *start_engine(void)
{
    its_engine *engine;
    struct its_diag diag;
    its_config *config = null_config();
    CHECK_OK(its_engine_create(&engine, config, &diag), diag);
    its_config_destroy(config);
    CHECK_OK(its_engine_start(engine, &diag), diag);
    return engine;
}

static void configuration_by_key(void **state)
{
    (void)state;
    struct its_diag diag;
    its_config *config = null_config();
    CHECK_OK(its_config_set(config, "gpu.batch_timeout_ms", "7.5", &diag), diag);
    assert_int_equal(its_config_set(config, "gpu.batch_timeout", "7.5", &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "gpu.batch_timeout_ms"); /* did you mean */
    char *text;
    CHECK_OK(its_config_json(config, &text, &diag), diag);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    CHECK_NEAR(json_number_value(json_object_get(json_object_get(json, "gpu"), "batch_timeout_ms")), 7.5, 1e-9);
    json_decref(json);
    its_string_free(text);
    CHECK_OK(its_config_load(config, "/nowhere/its.json", &diag), diag);
    its_engine *engine = NULL;
    assert_int_equal(its_engine_create(&engine, config, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nowhere/its.json");
    assert_null(engine);
    its_config_destroy(config);
    its_config_destroy(NULL);
}

static void results_are_pulled(void **state)
{
    (void)state;
    struct its_diag diag;
    its_engine *engine = start_engine();
    its_result *result = NULL;
    assert_int_equal(its_engine_next(engine, 20, &result), ITS_EAGAIN);
    CHECK_OK(its_engine_add_camera(engine, "gate", "null://?fps=50&size=320x200", &diag), diag);
    uint64_t last = 0;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(its_engine_next(engine, 3000, &result), 0);
        assert_string_equal(its_result_camera(result), "gate");
        assert_true(its_result_sequence(result) > last);
        last = its_result_sequence(result);
        assert_int_equal(its_result_width(result), 320);
        assert_int_equal(its_result_height(result), 200);
        assert_true(its_result_latency_ms(result) >= 0);
        assert_true(its_result_capture_time_ns(result) > INT64_C(1600000000000000000));
        assert_int_equal(its_result_count(result), 0);
        float corners[4], score;
        int32_t cls;
        assert_int_equal(its_result_box(result, 0, corners, &score, &cls), ITS_EINVAL);
        its_result_release(result);
    }
    assert_null(its_engine_class_name(engine, -1));
    char *text;
    CHECK_OK(its_engine_stats_json(engine, &text, &diag), diag);
    json_t *json = json_loads(text, 0, NULL);
    assert_true(json_is_true(json_object_get(json, "running")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "ledger"), "balance")), 0);
    json_decref(json);
    its_string_free(text);
    its_engine_stop(engine, 1000);
    int rc;
    while ((rc = its_engine_next(engine, 100, &result)) == 0)
        its_result_release(result);
    assert_int_equal(rc, ITS_EEOF);
    its_engine_stop(engine, 0);
    its_engine_destroy(engine);
    its_engine_destroy(NULL);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    struct its_diag diag;
    its_engine *engine = start_engine();
    assert_int_equal(its_engine_add_camera(engine, "..", "null://", &diag), ITS_EINVAL);
    assert_int_equal(its_engine_add_camera(engine, "", "null://", &diag), ITS_EINVAL);
    assert_int_equal(its_engine_add_camera(engine, "x", "gopher://h/", &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "gopher");
    CHECK_OK(its_engine_add_camera(engine, NULL, "null://", &diag), diag);
    assert_int_equal(its_engine_add_camera(engine, "camera_001", "null://", &diag), ITS_EEXISTS);
    CHECK_OK(its_engine_add_camera(engine, NULL, "null://", &diag), diag);
    assert_int_equal(its_engine_add_camera(engine, NULL, "null://", &diag), ITS_ELIMIT);
    CHECK_OK(its_engine_remove_camera(engine, "camera_002", &diag), diag);
    assert_int_equal(its_engine_remove_camera(engine, "camera_002", &diag), ITS_ENOTFOUND);
    its_engine_destroy(engine);
}

static void a_model_not_named_is_the_shipped_one(void **state)
{
    (void)state;
    struct its_diag diag;
    struct its_cfg cfg;
    struct itsi_model_choice choice;
    char room[4096];
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    CHECK_OK(itsi_model_choose(&choice, &cfg, &diag), diag);
    assert_true(choice.has_model);
    assert_string_equal(choice.shown, "its-road.onnx");
    assert_string_equal(choice.model.path, itsi_model_path(&cfg, room, sizeof room));
    itsi_model_choice_fini(&choice);
    cfg.general.backend = ITSI_BACKEND_NULL; /* detects nothing, and asks for nothing */
    assert_null(itsi_model_path(&cfg, room, sizeof room));
    CHECK_OK(itsi_model_choose(&choice, &cfg, &diag), diag);
    assert_false(choice.has_model);
    itsi_model_choice_fini(&choice);
    cfg.general.backend = ITSI_BACKEND_AUTO;
    cfg.general.model = itsi_strdup("/nowhere/mine.onnx"); /* a name is obeyed, whatever else there is */
    assert_string_equal(itsi_model_path(&cfg, room, sizeof room), "/nowhere/mine.onnx");
    assert_int_equal(itsi_model_choose(&choice, &cfg, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nowhere/mine.onnx");
    its_cfg_fini(&cfg);
}

static void codes_have_names(void **state)
{
    (void)state;
    assert_string_equal(its_errname(ITS_ETIMEOUT), "ITS_ETIMEOUT");
    assert_string_equal(its_strerror(ITS_ETIMEOUT), "timed out");
    assert_string_equal(its_strerror(-999), "unknown error");
    assert_string_equal(its_version(), ITS_VERSION);
}

static void ffmpeg_is_run(void **state)
{
    (void)state;
    const char *const words[] = {"ffmpeg",  "-f",   "lavfi", "-i",       "color=size=16x16:rate=25:duration=1",
                                 "-pix_fmt", "gray", "-f",    "rawvideo", "-"};
    const char *const wrong[] = {"-i", "/no/such/file", "-f", "null", "-"};
    const char *const none[] = {NULL};
    its_ffmpeg_run *run = NULL;
    struct its_diag diag;
    int64_t size, of;
    its_engine *engine = start_engine();
    CHECK_OK(its_engine_execute_ffmpeg(engine, words, 10, 30000, 1000, &run, &diag), diag);
    assert_string_equal(its_ffmpeg_run_outcome(run), "done");
    assert_int_equal(its_ffmpeg_run_code(run), 0);
    assert_int_equal(its_ffmpeg_run_exit_code(run), 0);
    assert_string_equal(its_ffmpeg_run_error(run), "");
    assert_true(its_ffmpeg_run_seconds(run) > 0);
    assert_non_null(its_ffmpeg_run_stdout(run, &size, &of));
    assert_int_equal(size, 1000);
    assert_int_equal(of, 25 * 256);
    its_ffmpeg_run_release(run);
    CHECK_OK(its_engine_execute_ffmpeg(engine, wrong, 5, 0, 0, &run, &diag), diag);
    assert_string_equal(its_ffmpeg_run_outcome(run), "failed");
    assert_int_equal(its_ffmpeg_run_exit_code(run), 1);
    CHECK_CONTAINS(its_ffmpeg_run_stderr(run), "/no/such/file");
    its_ffmpeg_run_release(run);
    assert_int_equal(its_engine_execute_ffmpeg(engine, words, 0, 0, 0, &run, &diag), ITS_EINVAL);
    assert_int_equal(its_engine_execute_ffmpeg(engine, none, 1, 0, 0, &run, &diag), ITS_EINVAL);
    assert_int_equal(its_engine_execute_ffmpeg(engine, words, 10, -1, 0, &run, &diag), ITS_EINVAL);
    its_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration_by_key), cmocka_unit_test(results_are_pulled),
        cmocka_unit_test(mistakes_are_named),   cmocka_unit_test(codes_have_names),
        cmocka_unit_test(a_model_not_named_is_the_shipped_one), cmocka_unit_test(ffmpeg_is_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

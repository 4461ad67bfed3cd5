#include "support/check.h"
#include "support/command_run.h"

#include "cli/cli.h"

#include <jansson.h>
#include <unistd.h>

#define RUN(...) run_command(itsi_cmd_config, "config", (const char *const[]){__VA_ARGS__, NULL})

static char path[] = "/tmp/its-cmd-config-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    close(fd);
    return fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static json_t *parsed(const struct output *output)
{
    json_t *root = json_loads(output->out, 0, NULL);
    if (!root)
        fail_msg("not JSON: %s", output->out);
    return root;
}

static void show_lists_what_is_set(void **state)
{
    (void)state;
    write_file("{\"strategy\": \"aggressive\", \"cameras\": [{\"url\": \"rtsp://u:pw@h/x\"}]}");
    struct output *output = RUN("show", "--config", path, "--set", "server.token=hush");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(output->out, "strategy aggressive\n"); /* the source of gpu.batch_timeout_ms */
    CHECK_CONTAINS(output->out, "command line --set");
    CHECK_CONTAINS(output->out, "rtsp://u:***@h/x");
    assert_null(strstr(output->out, "hush"));
    assert_null(strstr(output->out, "pw@"));
    assert_null(strstr(output->out, "l2_cache_enabled"));
    output = RUN("show", "--full");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(output->out, "l2_cache_enabled");
}

static void show_as_json_is_a_configuration_file(void **state)
{
    (void)state;
    struct output *output = RUN("show", "--format", "json", "--set", "strategy=minimal", "--full");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    write_file(output->out);
    output = RUN("validate", path);
    assert_int_equal(output->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(output->out, "valid (strategy minimal");
}

static void validate_names_the_fault(void **state)
{
    (void)state;
    write_file("{\"gpu\": {\"batch_timeout_ms\": 5000}}");
    struct output *output = RUN("validate", path);
    assert_int_equal(output->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(output->err, path);
    CHECK_CONTAINS(output->err, "gpu.batch_timeout_ms: 5000 is not a number in 0..1000 ms");
    output = RUN("validate", path, "--format", "json");
    assert_int_equal(output->code, ITSI_EXIT_USAGE);
    json_t *root = parsed(output);
    assert_true(json_is_false(json_object_get(root, "valid")));
    json_decref(root);
    write_file("{\"server\": {\"live_fps\": 5}, \"cameras\": [{\"url\": \"/a\"}, {\"url\": \"/b\"}]}");
    setenv("PERFORMANCE__NONSENSE", "1", 1); /* the file alone is judged */
    output = RUN("validate", path, "--format", "json");
    unsetenv("PERFORMANCE__NONSENSE");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    root = parsed(output);
    assert_int_equal(json_integer_value(json_object_get(root, "options_set")), 1);
    assert_int_equal(json_integer_value(json_object_get(root, "cameras")), 2);
    json_decref(root);
    output = RUN("validate", "/nowhere.json");
    assert_int_equal(output->code, ITSI_EXIT_USAGE);
}

static void explain_says_value_and_origin(void **state)
{
    (void)state;
    setenv("PERFORMANCE__BATCH_TIMEOUT_MS", "6", 1);
    struct output *output = RUN("explain", "gpu.batch_timeout_ms", "--set", "strategy=latency_optimized", "--set",
                                "gpu.batch_timeout_ms=7");
    unsetenv("PERFORMANCE__BATCH_TIMEOUT_MS");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(output->out, "  value        7.0\n");
    CHECK_CONTAINS(output->out, "  default      10.0\n");
    CHECK_CONTAINS(output->out, "0..1000 ms");
    CHECK_CONTAINS(output->out, "PERFORMANCE__GPU__BATCH_TIMEOUT_MS");
    CHECK_CONTAINS(output->out, "applies on reload");
    CHECK_CONTAINS(output->out, "comes from   command line --set: 7.0\n"
                                "  overrides    environment PERFORMANCE__BATCH_TIMEOUT_MS: 6.0\n"
                                "  overrides    strategy latency_optimized: 5.0\n"
                                "  overrides    default: 10.0\n");
    output = RUN("explain", "PERFORMANCE__TOKEN", "--set", "server.token=hush");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(output->out, "needs a restart");
    assert_null(strstr(output->out, "hush"));
    output = RUN("explain", "strategy", "--format", "json");
    json_t *root = parsed(output);
    assert_string_equal(json_string_value(json_object_get(root, "value")), "balanced");
    json_decref(root);
    output = RUN("explain", "batch_timeout_ms");
    assert_int_equal(output->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(output->err, "did you mean \"gpu.batch_timeout_ms\"?");
}

/* A model not set is the shipped one; explain names the file that would be opened, whoever says so. */
static void explain_names_the_model_in_force(void **state)
{
    (void)state;
    CHECK_CONTAINS(RUN("explain", "model")->out, "/models/its-road.onnx\n");
    CHECK_CONTAINS(RUN("explain", "model", "--set", "backend=null")->out, "no model\n");
    json_t *root = parsed(RUN("explain", "model", "--set", "model=mine.onnx", "--format", "json"));
    assert_string_equal(json_string_value(json_object_get(root, "in_force")), "mine.onnx");
    json_decref(root);
    root = parsed(RUN("explain", "labels", "--format", "json"));
    assert_null(json_object_get(root, "in_force"));
    json_decref(root);
}

static void diff_compares_files_and_strategies(void **state)
{
    (void)state;
    struct output *output = RUN("diff", "balanced", "latency_optimized");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(output->out, "10.0 -> 5.0\n");
    output = RUN("diff", "balanced");
    assert_string_equal(output->out, "no difference\n");
    write_file("{\"cameras\": [{\"id\": \"x\", \"url\": \"/a\"}], \"inference\": {\"confidence\": 0.4}}");
    output = RUN("diff", path, "--set", "inference.confidence=0.5", "--format", "json");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    json_t *root = parsed(output);
    const json_t *options = json_object_get(root, "options"), *pair = json_object_get(options, "inference.confidence");
    assert_int_equal(json_object_size(options), 1);
    CHECK_NEAR(json_number_value(json_object_get(pair, "a")), 0.4, 0);
    CHECK_NEAR(json_number_value(json_object_get(pair, "b")), 0.5, 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "cameras"), "x")), "only in a");
    json_decref(root);
    output = RUN("diff", "no_such_thing");
    assert_int_equal(output->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(output->err, "no_such_thing");
}

static void schema_is_json(void **state)
{
    (void)state;
    struct output *output = RUN("schema");
    assert_int_equal(output->code, ITSI_EXIT_OK);
    json_t *root = parsed(output);
    assert_string_equal(json_string_value(json_object_get(root, "type")), "object");
    json_decref(root);
}

static void bad_usage_exits_2(void **state)
{
    (void)state;
    assert_int_equal(RUN("--help")->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(RUN("show", "--help")->out, "usage: its-camera-ai config show");
    assert_int_equal(RUN(NULL)->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("frobnicate")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("show", "extra")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("show", "--nonsense")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("show", "--format", "xml")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("explain")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("diff")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("schema", "extra")->code, ITSI_EXIT_USAGE);
    struct output *output = RUN("show", "--set", "gpu.batch_timeout_ms=9999");
    assert_int_equal(output->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(output->err, "its-camera-ai: config: ");
    assert_string_equal(output->out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_lists_what_is_set),
        cmocka_unit_test(show_as_json_is_a_configuration_file),
        cmocka_unit_test(validate_names_the_fault),
        cmocka_unit_test(explain_says_value_and_origin),
        cmocka_unit_test(explain_names_the_model_in_force),
        cmocka_unit_test(diff_compares_files_and_strategies),
        cmocka_unit_test(schema_is_json),
        cmocka_unit_test(bad_usage_exits_2),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

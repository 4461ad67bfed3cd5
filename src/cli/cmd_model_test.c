#include "support/check.h"
#include "support/command_run.h"
#include "support/onnx_tiny.h"

#include "cli/cli.h"
#include "infer/backend.h"

#include <jansson.h>
#include <unistd.h>

static char dir[64], good[256], twin[256], twin_int8[256], labels[256], text[256];

#define RUN(...) run_command(itsi_cmd_model, "model", (const char *const[]){__VA_ARGS__, NULL})

static void json_says_it_all(void **state)
{
    (void)state;
    struct output *o = RUN("info", good, "--format", "json");
    assert_int_equal(o->code, ITSI_EXIT_OK);
    assert_string_equal(o->err, "");
    json_t *root = json_loads(o->out, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "format")), "onnx");
    assert_string_equal(json_string_value(json_object_get(root, "description")), "A tiny model");
    assert_string_equal(json_string_value(json_object_get(root, "license")), "Apache-2.0");
    assert_true(json_is_null(json_object_get(root, "int8_version")));
    json_t *shape = json_object_get(json_object_get(root, "input"), "shape");
    assert_int_equal(json_array_size(shape), 4);
    assert_true(json_is_null(json_array_get(shape, 0)));
    assert_int_equal(json_integer_value(json_array_get(shape, 1)), 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(json_object_get(root, "output"), "shape"), 1)), 9);
    assert_int_equal(json_integer_value(json_object_get(root, "width")), 640);
    assert_true(json_is_false(json_object_get(root, "quantized")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "classes"), 4)), "bus");
    assert_true(json_is_array(json_object_get(root, "backends")));
    json_decref(root);
}

static bool has_precision(json_t *backend, const char *wanted)
{
    size_t i;
    json_t *precision;
    json_array_foreach(json_object_get(backend, "precisions"), i, precision)
    {
        if (strcmp(json_string_value(precision), wanted) == 0)
            return true;
    }
    return false;
}

static void says_which_backends_run_it(void **state)
{
    (void)state;
    const struct itsi_backend *openvino = itsi_backend_find("openvino");
    if (!openvino || openvino->probe(NULL) != 0) {
        print_message("skipped: no OpenVINO in this build\n");
        skip();
    }
    struct output *o = RUN("info", "--format=json", good);
    json_t *root = json_loads(o->out, 0, NULL);
    json_t *first = json_array_get(json_object_get(root, "backends"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "openvino");
    assert_true(json_is_true(json_object_get(first, "runs")));
    assert_true(json_is_null(json_object_get(first, "reason")));
    assert_true(has_precision(first, "fp32"));
    assert_false(has_precision(first, "int8")); /* it is not quantised */
    assert_string_equal(json_string_value(json_object_get(first, "auto_file")), "good.onnx");
    json_decref(root);
}

static void an_int8_version_is_named(void **state)
{
    (void)state;
    struct output *o = RUN("info", twin);
    CHECK_CONTAINS(o->out, twin_int8);
    o = RUN("info", "--format=json", twin);
    json_t *root = json_loads(o->out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "int8_version")), twin_int8);
    json_t *first = json_array_get(json_object_get(root, "backends"), 0);
    if (json_is_true(json_object_get(first, "runs"))) { /* a build with OpenVINO */
        assert_true(has_precision(first, "int8"));
        bool runs_int8 = strcmp(json_string_value(json_object_get(first, "auto_precision")), "int8") == 0;
        assert_string_equal(json_string_value(json_object_get(first, "auto_file")),
                            runs_int8 ? "twin-int8.onnx" : "twin.onnx");
    }
    json_decref(root);
}

static void table_is_for_people(void **state)
{
    (void)state;
    struct output *o = RUN("info", good);
    assert_int_equal(o->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(o->out, "images [?, 3, ?, ?]");
    CHECK_CONTAINS(o->out, "output0 [?, 9, ?]");
    CHECK_CONTAINS(o->out, "  2    person\n");
    CHECK_CONTAINS(o->out, "640x384");
    CHECK_CONTAINS(o->out, "Apache-2.0");
}

static void labels_take_the_names_place(void **state)
{
    (void)state;
    struct output *o = RUN("info", good, "--labels", labels);
    assert_int_equal(o->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(o->out, "  4    tram\n");
    o = RUN("info", good, "--labels", text);
    assert_int_equal(o->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(o->err, "its-camera-ai: labels: ");
    assert_string_equal(o->out, "");
}

static void bad_input_is_explained(void **state)
{
    (void)state;
    struct output *o = RUN("info", text);
    assert_int_equal(o->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(o->err, "a text file");
    o = RUN("info", "/nonexistent.onnx");
    assert_int_equal(o->code, ITSI_EXIT_USAGE);
    CHECK_CONTAINS(o->err, "No such file");
    assert_int_equal(RUN("info")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("info", good, good)->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("inform", good)->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("info", good, "--format", "xml")->code, ITSI_EXIT_USAGE);
    assert_int_equal(RUN("info", good, "--unknown")->code, ITSI_EXIT_USAGE);
    o = RUN("--help");
    assert_int_equal(o->code, ITSI_EXIT_OK);
    CHECK_CONTAINS(o->out, "model info FILE");
}

int main(void)
{
    temp_dir_create(dir);
    struct onnx_spec spec = onnx_spec_dynamic(5);
    spec.names = "{0: 'car', 1: 'truck', 2: 'person', 3: 'bicycle', 4: 'bus'}";
    spec.description = "A tiny model";
    spec.license = "Apache-2.0";
    temp_model(good, dir, "good.onnx", &spec);
    temp_model(twin, dir, "twin.onnx", &spec);
    spec.quantized = true;
    temp_model(twin_int8, dir, "twin-int8.onnx", &spec);
    temp_file(labels, dir, "labels.txt", "a\nb\nc\nd\ntram\n", 13);
    temp_file(text, dir, "text.txt", "hello\n", 6);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_says_it_all),          cmocka_unit_test(says_which_backends_run_it),
        cmocka_unit_test(table_is_for_people),       cmocka_unit_test(labels_take_the_names_place),
        cmocka_unit_test(bad_input_is_explained),    cmocka_unit_test(an_int8_version_is_named),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}

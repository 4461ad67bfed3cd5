#include "support/check.h"
#include "support/onnx_tiny.h"

#include "base/mem.h"
#include "infer/model_impl.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static struct itsi_model open_good(const struct onnx_spec *spec)
{
    char path[256];
    struct itsi_model model;
    struct its_diag diag = {""};
    temp_model(path, dir, "good.onnx", spec);
    CHECK_OK(itsi_model_open(&model, path, &diag), diag);
    return model;
}

/* The file must be refused with this code, and the reason must contain `why`. */
static void refuse_path(const char *path, int code, const char *why)
{
    struct itsi_model model;
    struct its_diag diag = {""};
    memset(&model, 0x5A, sizeof model);
    int rc = itsi_model_open(&model, path, &diag);
    if (rc != code)
        fail_msg("%s: got %s (%s), wanted %s because \"%s\"", path, its_errname(rc), diag.text, its_errname(code), why);
    CHECK_CONTAINS(diag.text, why);
    assert_int_equal(*(unsigned char *)&model, 0x5A); /* untouched */
}

static void refuse(const struct onnx_spec *spec, const char *why)
{
    char path[256];
    temp_model(path, dir, "bad.onnx", spec);
    refuse_path(path, ITS_EFORMAT, why);
}

static void refuse_bytes(const char *name, const void *data, size_t len, const char *why)
{
    char path[256];
    temp_file(path, dir, name, data, len);
    refuse_path(path, ITS_EFORMAT, why);
}

static void reads_a_dynamic_model(void **state)
{
    (void)state;
    struct onnx_spec spec = onnx_spec_dynamic(5);
    spec.names = "{0: 'car', 1: \"driver's cab\", 2: 'say \\'hi\\'', 3: 'caf\\xe9 \\u2603', 4: 'truck'}";
    spec.description = "A tiny model";
    spec.license = "Apache-2.0";
    spec.version = "8.3.0";
    spec.task = "detect";
    struct itsi_model m = open_good(&spec);
    assert_int_equal(m.format, ITSI_MODEL_ONNX);
    assert_string_equal(m.input_name, "images");
    assert_string_equal(m.output_name, "output0");
    assert_int_equal(m.input[0], -1);
    assert_int_equal(m.input[1], 3);
    assert_int_equal(m.input[2], -1);
    assert_int_equal(m.output[1], 9);
    assert_int_equal(m.output[2], -1);
    assert_int_equal(m.classes, 5);
    assert_true(m.has_names);
    assert_string_equal(m.names[0], "car");
    assert_string_equal(m.names[1], "driver's cab");
    assert_string_equal(m.names[2], "say 'hi'");
    assert_string_equal(m.names[3], "caf\xC3\xA9 \xE2\x98\x83");
    assert_string_equal(m.names[4], "truck");
    assert_string_equal(m.description, "A tiny model");
    assert_string_equal(m.license, "Apache-2.0");
    assert_string_equal(m.version, "8.3.0");
    assert_false(m.quantized);
    assert_true(m.file_bytes > 100);
    itsi_model_fini(&m);
}

static void reads_a_fixed_quantised_model_without_names(void **state)
{
    (void)state;
    struct onnx_spec spec = onnx_spec_fixed(1, 80 + 1, 640, 384);
    spec.output[1] = 85;
    spec.quantized = true;
    spec.weights_as_inputs = true; /* they are not inputs */
    struct itsi_model m = open_good(&spec);
    assert_true(m.quantized);
    assert_int_equal(m.input[2], 384);
    assert_int_equal(m.input[3], 640);
    assert_int_equal(m.output[2], 5040);
    assert_int_equal(m.classes, 81);
    assert_false(m.has_names);
    assert_string_equal(m.names[0], "class_0");
    assert_string_equal(m.names[80], "class_80");
    itsi_model_fini(&m);
    itsi_model_fini(&m); /* again is harmless */
}

static void names_give_the_number_of_classes_where_the_shape_does_not(void **state)
{
    (void)state;
    struct onnx_spec spec = onnx_spec_dynamic(5);
    spec.output[1] = -1;
    refuse(&spec, "number is unknown");
    spec.names = "{0: 'car', 1: 'bus'}";
    struct itsi_model m = open_good(&spec);
    assert_int_equal(m.classes, 2);
    assert_int_equal(m.output[1], 6);
    itsi_model_fini(&m);
}

static void other_heads_are_refused_by_shape(void **state)
{
    (void)state;
    const struct onnx_spec good = onnx_spec_fixed(1, 80, 640, 640);
    struct onnx_spec spec = good;
    spec.extra_outputs = 1;
    refuse(&spec, "2 outputs");
    spec = good;
    spec.output[1] = 300;
    spec.output[2] = 6;
    refuse(&spec, "[1, 300, 6]: an end-to-end head");
    spec = onnx_spec_dynamic(80);
    spec.end2end = "True";
    refuse(&spec, "end-to-end");
    spec = good;
    spec.output[1] = 25200;
    spec.output[2] = 85;
    refuse(&spec, "[1, 25200, 85]");
    spec = good;
    spec.output_rank = 2;
    spec.output[1] = 1000;
    refuse(&spec, "classification");
    spec = good;
    spec.output[2] = 8399;
    refuse(&spec, "expected 8400 anchors");
    spec = good;
    spec.output_rank = -1;
    refuse(&spec, "of unknown shape");
    spec = good;
    spec.output_rank = 8;
    refuse(&spec, "...]");
    spec = good;
    spec.output[1] = 4;
    refuse(&spec, "1 to 1024 classes");
    spec = onnx_spec_dynamic(80);
    spec.output[1] = 4 + ITSI_MAX_CLASSES + 1;
    refuse(&spec, "1 to 1024 classes");
}

static void other_tasks_are_refused_by_metadata(void **state)
{
    (void)state;
    struct onnx_spec spec = onnx_spec_fixed(1, 52, 640, 640);
    spec.task = "pose";
    refuse(&spec, "task is 'pose'");
    spec.task = NULL;
    spec.names = "{0: 'person'}"; /* 56 rows for one class: 17 keypoints behind it */
    refuse(&spec, "52 score rows for the 1 classes");
}

static void other_inputs_are_refused(void **state)
{
    (void)state;
    const struct onnx_spec good = onnx_spec_fixed(1, 80, 640, 640);
    struct onnx_spec spec = good;
    spec.extra_inputs = 1;
    refuse(&spec, "2 inputs");
    spec = good;
    spec.input[1] = 1;
    refuse(&spec, "[1, 1, 640, 640]");
    spec = good;
    spec.input[1] = 640;
    spec.input[3] = 3;
    refuse(&spec, "expected [batch, 3, height, width]");
    spec = good;
    spec.input_type = 2;
    refuse(&spec, "holds u8");
    spec = good;
    spec.input[2] = 636;
    refuse(&spec, "multiples of 32");
    spec = good;
    spec.input_rank = -1;
    refuse(&spec, "of unknown shape");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    refuse_path("/nonexistent/model.onnx", ITS_ENOTFOUND, "/nonexistent/model.onnx");
    refuse_path(dir, ITS_EFORMAT, "is a directory");
    refuse_path("/dev/null", ITS_EFORMAT, "not a regular file");
    refuse_bytes("empty.onnx", "", 0, "is empty");
    refuse_bytes("text.onnx", "this is a readme, not a model\n", 30, "a text file");
    refuse_bytes("weights.pt", "PK\x03\x04\0\0\0\0", 8, "PyTorch");
    refuse_bytes("lite.tflite", "\x1C\0\0\0TFL3\0\0", 10, "TensorFlow Lite");
    refuse_bytes("noise.onnx", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12, "damaged or truncated");
    refuse_bytes("nograph.onnx", "\x08\x08", 2, "holds no graph");
    char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    refuse_path(longest, ITS_EINVAL, "longer than");
}

/* Cut anywhere, a file either is refused or (past the last thing we need) still opens; nothing else happens. */
static void a_file_cut_anywhere_is_safe(void **state)
{
    (void)state;
    struct onnx_spec spec = onnx_spec_dynamic(5);
    spec.names = "{0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 'e'}";
    struct itsi_buf bytes;
    itsi_buf_init(&bytes);
    onnx_build(&bytes, &spec);
    size_t refused = 0;
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees a read past the end */
        assert_non_null(exact);
        memcpy(exact, bytes.data, len);
        struct itsi_model_facts facts = {.input.rank = -1, .output.rank = -1};
        refused += itsi_onnx_read(&facts, exact, len, NULL) == ITS_EFORMAT;
        itsi_names_fini(&facts.names);
        free(exact);
    }
    /* whole fields at the end may go missing, no more */
    assert_in_range(refused, bytes.len - 8, bytes.len);
    itsi_buf_fini(&bytes);
}

static void check_names(int (*read)(struct itsi_names *, struct itsi_span), const char *text, const char *wanted)
{
    struct itsi_names names = {0};
    char got[512] = "";
    int rc = read(&names, (struct itsi_span){text, strlen(text)});
    for (int i = 0; i < names.count; i++) {
        strcat(got, i ? "|" : "");
        strcat(got, names.items[i] ? names.items[i] : "-");
    }
    if (wanted && (rc != 0 || strcmp(got, wanted) != 0))
        fail_msg("%s: %s \"%s\", wanted \"%s\"", text, its_errname(rc), got, wanted);
    if (!wanted && (rc != ITS_EFORMAT || names.count != 0))
        fail_msg("%s: %s with %d names, wanted ITS_EFORMAT", text, its_errname(rc), names.count);
    itsi_names_fini(&names);
}

static void names_in_every_form(void **state)
{
    (void)state;
    check_names(itsi_names_from_dict, "{0: 'car', 1: 'bus'}", "car|bus");
    check_names(itsi_names_from_dict, "{1: 'bus', 0: 'car',}", "car|bus");
    check_names(itsi_names_from_dict, "{ 0 :\"a\\\"b\" }", "a\"b");
    check_names(itsi_names_from_dict, "{\"0\": \"car\", \"2\": \"bus\"}", "car|-|bus");
    check_names(itsi_names_from_dict, "['car', 'bus']", "car|bus");
    check_names(itsi_names_from_dict, "{0: 'a\\nb\\x01\xFF'}", "a b??");
    check_names(itsi_names_from_dict, "{0: '\\ud800'}", "\xEF\xBF\xBD");
    check_names(itsi_names_from_dict, "{0: '\\U0001F600'}", "\xF0\x9F\x98\x80");
    check_names(itsi_names_from_words, " car  traffic_light\n", "car|traffic light");
    check_names(itsi_names_from_yaml, "task: detect\nnames:\n  0: car\n  1: 'fire hydrant'\nimgsz:\n- 640\n",
                "car|fire hydrant");
    check_names(itsi_names_from_yaml, "names:\n- car\n- bus\r\nstride: 32\n", "car|bus");
    check_names(itsi_names_from_yaml, "names: {0: 'car'}\n", "car");
    check_names(itsi_names_from_lines, "car\r\nfire hydrant \n\n", "car|fire hydrant");
    static const char *const bad[] = {"", "{", "{}", "[]", "{0 'a'}", "{0: a}", "{0: 'a'", "{0: 'a' 1: 'b'}", "{-1: 'a'}",
                                      "{0: 'a', 0: 'b'}", "{1024: 'a'}", "{99999999999: 'a'}", "{0: ''}", "{0: 'a\\",
                                      "{0: 'a\\q'}", "{0: '\\x4'}", "{'x': 'a'}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_names(itsi_names_from_dict, bad[i], NULL);
    check_names(itsi_names_from_words, "  ", NULL);
    check_names(itsi_names_from_yaml, "stride: 32\n", NULL);
    check_names(itsi_names_from_yaml, "names:\n  car\n", NULL);
    check_names(itsi_names_from_lines, "car\n\nbus\n", NULL);
}

static void labels_replace_names(void **state)
{
    (void)state;
    struct onnx_spec spec = onnx_spec_dynamic(2);
    spec.output[1] = 6;
    struct itsi_model m = open_good(&spec);
    struct its_diag diag = {""};
    char path[256];
    temp_file(path, dir, "labels.txt", "lorry\ncar\n", 10);
    CHECK_OK(itsi_model_load_labels(&m, path, &diag), diag);
    assert_string_equal(m.names[0], "lorry");
    assert_true(m.has_names);
    temp_file(path, dir, "labels3.txt", "a\nb\nc\n", 6);
    assert_int_equal(itsi_model_load_labels(&m, path, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "3 names, the model has 2 classes");
    assert_string_equal(m.names[1], "car"); /* the old ones stay */
    assert_int_equal(itsi_model_load_labels(&m, "/nonexistent/labels", &diag), ITS_ENOTFOUND);
    itsi_model_fini(&m);
}

static void check_size(const int64_t input[4], int want_w, int want_h, int code, int width, int height)
{
    struct itsi_model m = {0};
    memcpy(m.input, input, sizeof m.input);
    int w = -1, h = -1;
    struct its_diag diag = {""};
    int rc = itsi_model_input_size(&m, want_w, want_h, &w, &h, &diag);
    if (rc != code || w != width || h != height)
        fail_msg("%dx%d: %s, %dx%d (%s)", want_w, want_h, its_errname(rc), w, h, diag.text);
    if (rc != 0)
        assert_true(diag.text[0]);
}

static void input_size_follows_wish_and_model(void **state)
{
    (void)state;
    static const int64_t dynamic[4] = {-1, 3, -1, -1}, fixed[4] = {-1, 3, 384, 640}, half[4] = {1, 3, 320, -1};
    check_size(dynamic, 0, 0, 0, 640, 384);
    check_size(dynamic, 320, 192, 0, 320, 192);
    check_size(dynamic, 320, 190, ITS_EINVAL, -1, -1);
    check_size(dynamic, 0, 192, ITS_EINVAL, -1, -1);
    check_size(dynamic, -32, -32, ITS_EINVAL, -1, -1);
    check_size(dynamic, 8192, 32, ITS_EINVAL, -1, -1);
    check_size(fixed, 0, 0, 0, 640, 384);
    check_size(fixed, 640, 384, 0, 640, 384);
    check_size(fixed, 640, 640, ITS_EINVAL, -1, -1);
    check_size(half, 0, 0, 0, 640, 320);
    check_size(half, 480, 320, 0, 480, 320);
}

/* --- OpenVINO IR ------------------------------------------------------------------------------------------------- */

#define IR_HEAD "<?xml version=\"1.0\"?>\n<!-- made here -->\n<net name=\"m\" version=\"11\">\n<layers>\n"
#define IR_INPUT                                                                                                       \
    "<layer id=\"0\" name=\"images\" type=\"Parameter\" version=\"opset1\"><data shape=\"?,3,?,?\" "                   \
    "element_type=\"f32\"/><output><port id=\"0\" precision=\"FP32\" names=\"images\"><dim>-1</dim><dim>3</dim>"       \
    "<dim>-1</dim><dim>-1</dim></port></output></layer>\n"
#define IR_OUTPUT(rows)                                                                                                \
    "<layer id=\"9\" name=\"output0/sink_port_0\" type=\"Result\" version=\"opset1\"><input><port id=\"0\" "           \
    "precision=\"FP32\"><dim>-1</dim><dim>" rows "</dim><dim>-1</dim></port></input></layer>\n"
#define IR_TAIL(rt) "</layers><edges><edge from-layer=\"0\"/></edges><rt_info>" rt "</rt_info></net>\n"

static void write_ir(char path[256], const char *text, bool with_bin)
{
    char other[256];
    temp_file(path, dir, "m.xml", text, strlen(text));
    temp_file(other, dir, "m.bin", "x", 1);
    if (!with_bin)
        unlink(other);
}

static void reads_an_ir(void **state)
{
    (void)state;
    char path[256];
    struct itsi_model m;
    struct its_diag diag = {""};
    write_ir(path,
             IR_HEAD IR_INPUT
             "<layer id=\"3\" name=\"a&gt;b\" type=\"FakeQuantize\" version=\"opset1\"><rt_info><attribute name=\"names\" "
             "value=\"{0: 'not these'}\"/></rt_info></layer>" IR_OUTPUT("6")
             IR_TAIL("<framework><description value=\"One &amp; only\"/><task value=\"detect\"/>"
                     "<names value=\"{0: 'car', 1: &quot;o&apos;hare&#39;s&quot;}\"/></framework>"),
             true);
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    assert_int_equal(m.format, ITSI_MODEL_IR);
    assert_string_equal(m.input_name, "images");
    assert_string_equal(m.output_name, "output0");
    assert_int_equal(m.input[1], 3);
    assert_int_equal(m.input[2], -1);
    assert_int_equal(m.output[1], 6);
    assert_true(m.quantized);
    assert_string_equal(m.description, "One & only");
    assert_string_equal(m.names[0], "car");
    assert_string_equal(m.names[1], "o'hare's");
    itsi_model_fini(&m);
}

static void ir_names_in_other_places(void **state)
{
    (void)state;
    char path[256], yaml[256];
    struct itsi_model m;
    struct its_diag diag = {""};
    write_ir(path, IR_HEAD IR_INPUT IR_OUTPUT("6")
             IR_TAIL("<model_info><labels value=\"car traffic_light\"/></model_info>"), true);
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    assert_string_equal(m.names[1], "traffic light");
    assert_false(m.quantized);
    itsi_model_fini(&m);
    write_ir(path, IR_HEAD IR_INPUT IR_OUTPUT("6") IR_TAIL("<names>{0: 'a', 1: 'b'}</names>"), true);
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    assert_string_equal(m.names[1], "b");
    itsi_model_fini(&m);
    write_ir(path, IR_HEAD IR_INPUT IR_OUTPUT("6") IR_TAIL(""), true);
    temp_file(yaml, dir, "metadata.yaml", "names:\n  0: van\n  1: tram\n", 27);
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    unlink(yaml);
    assert_true(m.has_names);
    assert_string_equal(m.names[1], "tram");
    itsi_model_fini(&m);
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    assert_false(m.has_names);
    itsi_model_fini(&m);
}

static void bad_irs_are_refused(void **state)
{
    (void)state;
    char path[256];
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"<html><body>404</body></html>", "does not begin with <net>"},
        {IR_HEAD IR_INPUT, "damaged or truncated XML"},
        {IR_HEAD IR_INPUT IR_OUTPUT("6") "</layers></wrong>", "damaged or truncated XML"},
        {"<net><layers>", "damaged or truncated XML"},
        {"<net><layer name=\"unclosed></net>", "damaged or truncated XML"},
        {"<net></net>", "damaged or truncated XML"},
        {"<!DOCTYPE net [<!ENTITY a \"b\">]><net></net>", "damaged or truncated XML"},
        {IR_HEAD IR_INPUT IR_OUTPUT("3") IR_TAIL(""), "1 to 1024 classes"},
        {IR_HEAD IR_INPUT IR_OUTPUT("6") IR_OUTPUT("32") IR_TAIL(""), "2 outputs"},
        {IR_HEAD IR_OUTPUT("6") IR_TAIL(""), "0 inputs"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_ir(path, bad[i].text, true);
        refuse_path(path, ITS_EFORMAT, bad[i].why);
    }
    write_ir(path, IR_HEAD IR_INPUT IR_OUTPUT("6") IR_TAIL(""), false);
    refuse_path(path, ITS_EFORMAT, "m.bin are missing");
    char deep[8 * 100 + 1] = "<net>";
    for (int i = 0; i < 100; i++)
        strcat(deep, "<a>");
    write_ir(path, deep, true);
    refuse_path(path, ITS_EFORMAT, "damaged or truncated XML");
}

static void opening_survives_every_allocation_failing(void **state)
{
    (void)state;
    char path[256];
    struct onnx_spec spec = onnx_spec_dynamic(5);
    spec.names = "{0: 'a', 2: 'c', 4: 'e'}";
    temp_model(path, dir, "sweep.onnx", &spec);
    int failures = 0;
    for (int n = 1; n < 1000; n++) {
        struct itsi_model m;
        struct its_diag diag = {""};
        itsi_alloc_fail_at(n);
        int rc = itsi_model_open(&m, path, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            assert_string_equal(m.names[1], "class_1");
            itsi_model_fini(&m);
            break;
        }
        assert_int_equal(rc, ITS_ENOMEM);
        assert_true(diag.text[0]);
        failures++;
    }
    assert_in_range(failures, 5, 100);
}

static void the_shared_models_open(void **state)
{
    (void)state;
    const char *data = getenv("ITS_TEST_DATA");
    char path[512];
    snprintf(path, sizeof path, "%s/models/yolo11n-384x640.onnx", data ? data : "../shared");
    if (access(path, R_OK) != 0) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    struct itsi_model m;
    struct its_diag diag = {""};
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    assert_int_equal(m.classes, 80);
    assert_string_equal(m.names[9], "traffic light");
    assert_int_equal(m.output[2], 5040);
    assert_int_equal(m.input[0], -1);
    itsi_model_fini(&m);
    snprintf(path, sizeof path, "%s/models/yolo11n.onnx", data ? data : "../shared");
    CHECK_OK(itsi_model_open(&m, path, &diag), diag);
    assert_int_equal(m.input[3], -1);
    assert_int_equal(m.output[1], 84);
    assert_int_equal(m.output[2], -1);
    assert_string_equal(m.names[79], "toothbrush");
    itsi_model_fini(&m);
}

int main(void)
{
    temp_dir_create(dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_dynamic_model),
        cmocka_unit_test(reads_a_fixed_quantised_model_without_names),
        cmocka_unit_test(names_give_the_number_of_classes_where_the_shape_does_not),
        cmocka_unit_test(other_heads_are_refused_by_shape),
        cmocka_unit_test(other_tasks_are_refused_by_metadata),
        cmocka_unit_test(other_inputs_are_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_safe),
        cmocka_unit_test(names_in_every_form),
        cmocka_unit_test(labels_replace_names),
        cmocka_unit_test(input_size_follows_wish_and_model),
        cmocka_unit_test(reads_an_ir),
        cmocka_unit_test(ir_names_in_other_places),
        cmocka_unit_test(bad_irs_are_refused),
        cmocka_unit_test(opening_survives_every_allocation_failing),
        cmocka_unit_test(the_shared_models_open),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}

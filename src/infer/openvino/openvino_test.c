#include "support/backend_conformance.h"
#include "support/check.h"
#include "support/onnx_tiny.h"

#include "base/clock.h"
#include "infer/model.h"
#include "infer/open.h"
#include "infer/shipped.h"

#include <dirent.h>

static const struct itsi_backend *const b = &itsi_backend_openvino;
static char dir[64], dynamic_model[256], fixed_model[256], quantized_model[256], failing_model[256];
static char twin_model[256], int8_model[256];

enum { CLASSES = 5, W = 96, H = 64 };

/* What adding up to 1,024 floats one after the other may lose; a scale of 1/256 would be off by 1e-3. */
#define SUM_ERROR 1e-5

static struct itsi_engine_params params_for(const char *model, enum itsi_precision precision)
{
    return (struct itsi_engine_params){.model_path = model, .width = W, .height = H, .max_batch = 1, .parallel = 2,
                                       .threads = 2, .precision = precision};
}

static struct itsi_engine *open_engine(const struct itsi_engine_params *params)
{
    struct itsi_engine *e;
    struct its_diag diag;
    CHECK_OK(b->open(&e, params, &diag), diag);
    return e;
}

/* Another value for each pixel and channel; small steps stay exact in bf16 no better than 1 in 256. */
static uint8_t pixel(int image, int x, int y, int channel)
{
    return (uint8_t)(channel * 80 + image * 40 + (x * 3 + y * 7) % 40);
}

static void paint(uint8_t *data, int image)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int channel = 0; channel < 3; channel++)
                data[(y * W + x) * 3 + channel] = pixel(image, x, y, channel);
}

static double cell_mean(int image, int stride, int cx, int cy, int channel)
{
    int sum = 0;
    for (int y = 0; y < stride; y++)
        for (int x = 0; x < stride; x++)
            sum += pixel(image, cx * stride + x, cy * stride + y, channel);
    return (double)sum / (stride * stride) / 255.0;
}

/* Every value of the output against the mean computed here: catches a wrong scale, layout, channel order or batch
 * offset. */
static void check_output(const struct itsi_output_tensor *out, int image, double tolerance)
{
    assert_int_equal(out->rows, 4 + CLASSES);
    assert_int_equal(out->anchors, 6 * 21);
    for (int row = 0; row < out->rows; row++) {
        int anchor = 0;
        for (int stride = 8; stride <= 32; stride *= 2)
            for (int cy = 0; cy < H / stride; cy++)
                for (int cx = 0; cx < W / stride; cx++, anchor++)
                    CHECK_NEAR(out->data[row * out->anchors + anchor], cell_mean(image, stride, cx, cy, row % 3),
                               tolerance);
    }
}

static void run_and_check(const struct itsi_engine_params *params, int images, const char *precision, double tolerance)
{
    struct itsi_engine *e = open_engine(params);
    if (precision)
        assert_string_equal(b->info(e)->precision, precision);
    int slot = b->acquire(e);
    for (int i = 0; i < images; i++)
        paint(b->input(e, slot, i), i);
    assert_int_equal(b->submit(e, slot, images), 0);
    struct itsi_completion done;
    assert_int_equal(b->collect(e, ITSI_NEVER, &done), 0);
    assert_int_equal(done.status, 0);
    for (int i = 0; i < images; i++) {
        struct itsi_output_tensor out;
        b->output(e, slot, i, &out);
        check_output(&out, i, tolerance);
    }
    b->close(e);
}

static void pixels_arrive_scaled_and_in_order(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(dynamic_model, ITSI_PRECISION_FP32);
    run_and_check(&params, 1, "fp32", SUM_ERROR);
    params.max_batch = 3;
    run_and_check(&params, 3, "fp32", SUM_ERROR);
    run_and_check(&params, 2, "fp32", SUM_ERROR); /* fewer than the batch */
    params = params_for(fixed_model, ITSI_PRECISION_FP32);
    run_and_check(&params, 1, "fp32", SUM_ERROR);
}

static void auto_precision_stays_within_bf16(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(dynamic_model, ITSI_PRECISION_AUTO);
    run_and_check(&params, 1, NULL, 1.0 / 128);
    struct itsi_engine *e = open_engine(&params);
    const char *used = b->info(e)->precision;
    assert_true(strcmp(used, "bf16") == 0 || strcmp(used, "fp32") == 0);
    b->close(e);
}

static void a_quantised_model_runs_as_int8(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(quantized_model, ITSI_PRECISION_AUTO);
    run_and_check(&params, 1, "int8", 1.0 / 64);
    params.precision = ITSI_PRECISION_INT8;
    run_and_check(&params, 1, "int8", 1.0 / 64);
}

static void a_precision_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(dynamic_model, ITSI_PRECISION_INT8);
    struct itsi_engine *e;
    struct its_diag diag;
    assert_int_equal(b->open(&e, &params, &diag), ITS_EUNSUPPORTED);
    CHECK_CONTAINS(diag.text, "not a quantised model");
}

static void the_device_chooses_how_many_run_at_once(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(dynamic_model, ITSI_PRECISION_FP32);
    params.parallel = 0;
    params.threads = 0;
    struct itsi_engine *e = open_engine(&params);
    assert_true(b->info(e)->warm_ns[0][0] > 0);
    assert_in_range(b->info(e)->parallel, 1, 1024);
    assert_int_equal(b->info(e)->slots, b->info(e)->parallel + 2);
    b->close(e);
}

/* One request fails and says so; those before and after are not touched. One stream and no two failures in a row:
 * OpenVINO checks a shape only when it differs from the stream's last one. */
static void a_failing_inference_is_reported(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(failing_model, ITSI_PRECISION_FP32);
    params.width = 64;
    params.parallel = 1;
    struct itsi_engine *e = open_engine(&params);
    const int shades[5] = {10, 255, 20, 255, 30};
    for (int i = 0; i < 5; i++) {
        int slot = b->acquire(e);
        memset(b->input(e, slot, 0), shades[i], 64 * 64 * 3);
        assert_int_equal(b->submit(e, slot, 1), 0);
        struct itsi_completion done;
        assert_int_equal(b->collect(e, ITSI_NEVER, &done), 0);
        assert_int_equal(done.status, shades[i] == 255 ? ITS_EDEVICE : 0);
        assert_true(done.started_ns <= done.finished_ns);
        b->release(e, slot);
    }
    b->close(e);
}

static int count_files(const char *path)
{
    int count = 0;
    DIR *d = opendir(path);
    if (!d)
        return 0;
    while (readdir(d))
        count++;
    closedir(d);
    return count - 2; /* . and .. */
}

/* The one thing that lies in a folder. */
static bool only_folder(const char *path, char *out, size_t size)
{
    DIR *d = opendir(path);
    int found = 0;
    for (const struct dirent *entry; d && (entry = readdir(d));)
        if (entry->d_name[0] != '.') {
            snprintf(out, size, "%s/%.32s", path, entry->d_name);
            found++;
        }
    if (d)
        closedir(d);
    return found == 1;
}

/* Turns a byte over in the middle of everything that was compiled; returns how many files that were. */
static int spoil(const char *folder)
{
    DIR *d = opendir(folder);
    int spoilt = 0;
    for (const struct dirent *entry; d && (entry = readdir(d));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = strstr(entry->d_name, ".blob") ? fopen(path, "r+b") : NULL;
        if (!file)
            continue;
        assert_int_equal(fseek(file, 0, SEEK_END), 0);
        const long middle = ftell(file) / 2;
        assert_int_equal(fseek(file, middle, SEEK_SET), 0);
        const int byte = fgetc(file);
        assert_int_equal(fseek(file, middle, SEEK_SET), 0);
        assert_int_equal(fputc(byte ^ 0xff, file), byte ^ 0xff);
        assert_int_equal(fclose(file), 0);
        spoilt++;
    }
    if (d)
        closedir(d);
    return spoilt;
}

static void the_compiled_model_is_cached(void **state)
{
    (void)state;
    char cache[96];
    snprintf(cache, sizeof cache, "%s/cache", dir);
    struct itsi_engine_params params = params_for(dynamic_model, ITSI_PRECISION_FP32);
    params.cache_dir = cache;
    run_and_check(&params, 1, "fp32", SUM_ERROR);
    char folder[160];
    assert_true(only_folder(cache, folder, sizeof folder));
    int files = count_files(folder);
    assert_true(files >= 3); /* what was compiled, its checksum, and the lock */
    run_and_check(&params, 1, "fp32", SUM_ERROR); /* from the cache: same numbers, nothing new */
    assert_int_equal(count_files(folder), files);
    assert_true(spoil(folder) >= 1);
    run_and_check(&params, 1, "fp32", SUM_ERROR); /* compiled anew */
    assert_int_equal(count_files(folder), files);
    params.cache_dir = dynamic_model; /* a file: no folder can be made there, and nothing else is wrong */
    run_and_check(&params, 1, "fp32", SUM_ERROR);
}

static void an_engine_error_names_openvinos_reason(void **state)
{
    (void)state;
    /* passes our reader, but its weights are cut away */
    char path[256], weights[256];
    static const char ir[] =
        "<?xml version=\"1.0\"?><net name=\"m\" version=\"11\"><layers>"
        "<layer id=\"0\" name=\"images\" type=\"Parameter\" version=\"opset1\"><data shape=\"1,3,64,96\" "
        "element_type=\"f32\"/><output><port id=\"0\" precision=\"FP32\"><dim>1</dim><dim>3</dim><dim>64</dim>"
        "<dim>96</dim></port></output></layer>"
        "<layer id=\"1\" name=\"out\" type=\"Result\" version=\"opset1\"><input><port id=\"0\" precision=\"FP32\">"
        "<dim>1</dim><dim>9</dim><dim>126</dim></port></input></layer></layers><edges></edges></net>";
    temp_file(path, dir, "hollow.xml", ir, sizeof ir - 1);
    temp_file(weights, dir, "hollow.bin", "", 0);
    struct itsi_engine_params params = params_for(path, ITSI_PRECISION_FP32);
    struct itsi_engine *e;
    struct its_diag diag = {""};
    assert_true(b->open(&e, &params, &diag) < 0);
    CHECK_CONTAINS(diag.text, "OpenVINO: ");
    assert_null(strchr(diag.text, '\n'));
    assert_true(strlen(diag.text) > strlen("OpenVINO: reading the model: "));
}

/* The letterbox's grey holds nothing. */
static void the_shipped_model_runs(void **state)
{
    (void)state;
    char path[512];
    assert_true(itsi_shipped_model(path, sizeof path));
    struct itsi_model model;
    struct its_diag diag = {""};
    CHECK_OK(itsi_model_open(&model, path, &diag), diag);
    struct itsi_engine_params params = params_for(path, ITSI_PRECISION_FP32);
    params.width = 320;
    params.height = 192;
    struct itsi_engine *e = open_engine(&params);
    assert_int_equal(b->info(e)->rows, 4 + model.classes);
    assert_int_equal(b->info(e)->anchors, 60 * (16 * 4 + 4 + 1)); /* four in each cell of 8 pixels */
    assert_string_equal(b->info(e)->model, ITSI_SHIPPED_MODEL);
    int slot = b->acquire(e);
    memset(b->input(e, slot, 0), 114, 320 * 192 * 3);
    assert_int_equal(b->submit(e, slot, 1), 0);
    struct itsi_completion done;
    assert_int_equal(b->collect(e, ITSI_NEVER, &done), 0);
    assert_int_equal(done.status, 0);
    struct itsi_output_tensor out;
    b->output(e, slot, 0, &out);
    for (int i = 4 * out.anchors; i < out.rows * out.anchors; i++)
        assert_true(out.data[i] >= 0.0F && out.data[i] < 0.25F);
    b->close(e);
    itsi_model_fini(&model);
}

/* What the kernel says of the processor, where it says it in x86's words. */
static bool has_int8_instructions(void)
{
    static char line[16384];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "flags", 5) == 0 && (strstr(line, " avx512_vnni") || strstr(line, " avx_vnni"));
    if (file)
        fclose(file);
    return found;
}

static void the_int8_version_runs_where_it_is_fastest_or_asked_for(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(twin_model, ITSI_PRECISION_INT8);
    struct itsi_engine *e;
    struct its_diag diag;
    CHECK_OK(itsi_engine_open(&e, b, &params, &diag), diag);
    assert_string_equal(b->info(e)->model, "twin-int8.onnx");
    assert_string_equal(b->info(e)->precision, "int8");
    b->close(e);
    params.precision = ITSI_PRECISION_AUTO;
    CHECK_OK(itsi_engine_open(&e, b, &params, &diag), diag);
    bool int8 = has_int8_instructions();
    assert_string_equal(b->info(e)->model, int8 ? "twin-int8.onnx" : "twin.onnx");
    assert_int_equal(strcmp(b->info(e)->precision, "int8") == 0, int8);
    b->close(e);
}

static void write_models(void)
{
    temp_dir_create(dir);
    struct onnx_spec spec = onnx_spec_dynamic(CLASSES);
    temp_model(dynamic_model, dir, "dynamic.onnx", &spec);
    temp_model(twin_model, dir, "twin.onnx", &spec);
    spec.quantized = true;
    temp_model(quantized_model, dir, "quantized.onnx", &spec);
    temp_model(int8_model, dir, "twin-int8.onnx", &spec);
    spec = onnx_spec_fixed(1, CLASSES, W, H);
    temp_model(fixed_model, dir, "fixed.onnx", &spec);
    spec = onnx_spec_fixed(1, CLASSES, 64, 64);
    spec.fails_on_white = true;
    temp_model(failing_model, dir, "failing.onnx", &spec);
}

static int conformance(const char *name, int parallel, int reopen)
{
    struct backend_case c = {.name = name, .backend = b, .params = params_for(dynamic_model, ITSI_PRECISION_AUTO),
                             .reopen = reopen};
    c.params.parallel = parallel;
    c.params.classes = CLASSES;
    for (c.bad_count = 0; c.bad_count < 4; c.bad_count++) {
        c.bad[c.bad_count] = c.params;
        c.bad[c.bad_count].max_batch = 1;
    }
    c.bad[0].model_path = NULL;
    c.bad[1].model_path = "/nonexistent/model.onnx";
    c.bad[2].width = 100;
    c.bad[3].max_batch = 0;
    return backend_conformance_run(&c);
}

int main(void)
{
    struct its_diag diag;
    if (b->probe(&diag) != 0) {
        printf("skipped: OpenVINO cannot run here: %s\n", diag.text);
        return 77;
    }
    write_models();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_arrive_scaled_and_in_order),
        cmocka_unit_test(auto_precision_stays_within_bf16),
        cmocka_unit_test(a_quantised_model_runs_as_int8),
        cmocka_unit_test(a_precision_that_cannot_be_is_refused),
        cmocka_unit_test(the_device_chooses_how_many_run_at_once),
        cmocka_unit_test(a_failing_inference_is_reported),
        cmocka_unit_test(the_compiled_model_is_cached),
        cmocka_unit_test(an_engine_error_names_openvinos_reason),
        cmocka_unit_test(the_shipped_model_runs),
        cmocka_unit_test(the_int8_version_runs_where_it_is_fastest_or_asked_for),
    };
    int failed = cmocka_run_group_tests_name("openvino", tests, NULL, NULL);
    failed += conformance("openvino, two streams", 2, 100);
    failed += conformance("openvino, one stream", 1, 10);
    temp_dir_remove(dir);
    return failed;
}

/* Which of a model's files an engine is opened on, on a backend that the test tells what suits it. */
#include "support/check.h"
#include "support/onnx_tiny.h"

#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/open.h"

enum { CLASSES = 5 };
static char dir[64], plain[256], alone[256], quantised[256], not_quantised[256], others[256], stale[256], broken[256];
static char warning[400];

/* --- a backend that notes what it opens ---------------------------------------------------------------------------- */

static struct {
    bool int8_is_fastest;
    bool refuses_int8;
    int opened, closed;
} fake;

static bool fake_int8_is_fastest(void) { return fake.int8_is_fastest; }

static int fake_open(struct itsi_engine **out, const struct itsi_engine_params *params, struct its_diag *diag)
{
    const char *name = strrchr(params->model_path, '/') + 1;
    if (fake.refuses_int8 && params->precision == ITSI_PRECISION_INT8)
        return itsi_fail(diag, ITS_EINVAL, "its input is of another size");
    int rc = itsi_backend_null.open(out, params, diag);
    if (rc != 0)
        return rc;
    fake.opened++;
    struct itsi_engine_info *info = (struct itsi_engine_info *)itsi_backend_null.info(*out);
    snprintf(info->model, sizeof info->model, "%s", name);
    snprintf(info->precision, sizeof info->precision, "%s", itsi_precision_name(params->precision));
    return 0;
}

static void fake_close(struct itsi_engine *engine)
{
    fake.closed += engine != NULL;
    itsi_backend_null.close(engine);
}

static struct itsi_backend backend;

static int reset(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.int8_is_fastest = true;
    warning[0] = '\0';
    return 0;
}

static struct itsi_engine_params params_for(const char *path, enum itsi_precision precision)
{
    return (struct itsi_engine_params){.model_path = path, .width = 64, .height = 64, .max_batch = 2, .parallel = 2,
                                       .precision = precision, .classes = CLASSES};
}

/* Opens, and says which file runs; nothing but that engine may be left open. */
static const char *runs(const char *path, enum itsi_precision precision)
{
    static char name[256];
    struct itsi_engine_params params = params_for(path, precision);
    struct itsi_engine *engine;
    struct its_diag diag = {""};
    CHECK_OK(itsi_engine_open(&engine, &backend, &params, &diag), diag);
    snprintf(name, sizeof name, "%s", backend.info(engine)->model);
    assert_int_equal(fake.opened, fake.closed + 1);
    backend.close(engine);
    return name;
}

static void check_refused(const char *path, int code, const char *word, const char *other_word)
{
    struct itsi_engine_params params = params_for(path, ITSI_PRECISION_INT8);
    struct itsi_engine *engine = NULL;
    struct its_diag diag = {""};
    assert_int_equal(itsi_engine_open(&engine, &backend, &params, &diag), code);
    assert_null(engine);
    CHECK_CONTAINS(diag.text, word);
    CHECK_CONTAINS(diag.text, other_word);
    assert_int_equal(fake.opened, fake.closed);
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void int8_versions_have_their_name(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"m.onnx", "m-int8.onnx"},       {"/a/m.xml", "/a/m-int8.xml"},     {"/a.b/m", "/a.b/m-int8"},
        {"m", "m-int8"},                 {"a.b.onnx", "a.b-int8.onnx"},     {"/a-int8/m.onnx", "/a-int8/m-int8.onnx"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_true(itsi_int8_path(pairs[i][0], out, sizeof out));
        assert_string_equal(out, pairs[i][1]);
    }
    assert_false(itsi_int8_path("m-int8.onnx", out, sizeof out));
    assert_false(itsi_int8_path("m.onnx", out, sizeof "m-int8.onnx" - 1));
}

static void auto_takes_what_suits_the_device(void **state)
{
    (void)state;
    assert_string_equal(runs(plain, ITSI_PRECISION_AUTO), "plain-int8.onnx");
    fake.int8_is_fastest = false;
    assert_string_equal(runs(plain, ITSI_PRECISION_AUTO), "plain.onnx");
    backend.int8_is_fastest = NULL;
    assert_string_equal(runs(plain, ITSI_PRECISION_AUTO), "plain.onnx");
    backend.int8_is_fastest = fake_int8_is_fastest;
    assert_int_equal(fake.opened, 3);
    assert_string_equal(warning, "");
}

static void auto_passes_over_one_that_does_not_open(void **state)
{
    (void)state;
    fake.refuses_int8 = true;
    assert_string_equal(runs(plain, ITSI_PRECISION_AUTO), "plain.onnx");
    CHECK_CONTAINS(warning, "plain-int8.onnx: its input is of another size");
}

static void auto_without_another_opens_once(void **state)
{
    (void)state;
    assert_string_equal(runs(alone, ITSI_PRECISION_AUTO), "alone.onnx");
    assert_string_equal(runs(quantised, ITSI_PRECISION_AUTO), "plain-int8.onnx"); /* named itself */
    assert_int_equal(fake.opened, 2);
    assert_string_equal(warning, "");
}

static void auto_passes_over_what_cannot_take_its_place(void **state)
{
    (void)state;
    const char *const models[] = {not_quantised, others, broken, stale};
    const char *const why[] = {"not a quantised model", "its class 4 is 'tram', the model's is 'bus'", "not a valid ONNX",
                               "it is made of version one, the model is version two"};
    for (int i = 0; i < 4; i++) {
        assert_null(strstr(runs(models[i], ITSI_PRECISION_AUTO), "-int8"));
        CHECK_CONTAINS(warning, why[i]);
    }
    assert_int_equal(fake.opened, 4);
}

static void a_named_precision_decides(void **state)
{
    (void)state;
    fake.int8_is_fastest = false; /* but asked for */
    assert_string_equal(runs(plain, ITSI_PRECISION_INT8), "plain-int8.onnx");
    assert_string_equal(runs(quantised, ITSI_PRECISION_INT8), "plain-int8.onnx");
    fake.int8_is_fastest = true;
    assert_string_equal(runs(plain, ITSI_PRECISION_FP32), "plain.onnx");
    assert_string_equal(runs(plain, ITSI_PRECISION_BF16), "plain.onnx");
    assert_int_equal(fake.opened, 4);
}

static void int8_without_one_is_refused_by_name(void **state)
{
    (void)state;
    check_refused(alone, ITS_EUNSUPPORTED, "alone.onnx is not a quantised model", "there is no ");
    check_refused(alone, ITS_EUNSUPPORTED, "precision int8", "alone-int8.onnx");
    check_refused(not_quantised, ITS_EUNSUPPORTED, "float-int8.onnx", "not a quantised model");
    check_refused(others, ITS_EINVAL, "others-int8.onnx", "'tram'");
    check_refused(stale, ITS_EINVAL, "stale-int8.onnx", "version one");
    check_refused(broken, ITS_EFORMAT, "broken-int8.onnx", "not a valid ONNX");
    check_refused("/nowhere/m.onnx", ITS_ENOTFOUND, "/nowhere/m.onnx", "");
}

static void int8_can_be_forbidden(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(plain, ITSI_PRECISION_AUTO);
    params.no_int8 = true;
    struct itsi_engine *engine;
    struct its_diag diag;
    CHECK_OK(itsi_engine_open(&engine, &backend, &params, &diag), diag);
    assert_string_equal(backend.info(engine)->model, "plain.onnx");
    assert_int_equal(fake.opened, 1);
    backend.close(engine);
}

static void opening_survives_every_allocation_failing(void **state)
{
    (void)state;
    struct itsi_engine_params params = params_for(plain, ITSI_PRECISION_AUTO);
    int failures = 0, n = 0;
    bool opened_int8 = false;
    do {
        struct itsi_engine *engine;
        struct its_diag diag = {""};
        itsi_alloc_fail_at(++n);
        int rc = itsi_engine_open(&engine, &backend, &params, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            opened_int8 = strcmp(backend.info(engine)->model, "plain-int8.onnx") == 0;
            backend.close(engine);
        } else {
            assert_int_equal(rc, ITS_ENOMEM);
            failures++;
        }
        assert_int_equal(fake.opened, fake.closed);
    } while (!opened_int8 && n < 200);
    assert_true(opened_int8);
    assert_true(failures > 5);
}

static void keep_warning(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    (void)arg;
    if (level == ITSI_LOG_WARN && strcmp(component, "infer") == 0)
        snprintf(warning, sizeof warning, "%s", text);
}

static void write_models(void)
{
    char twin[256];
    temp_dir_create(dir);
    struct onnx_spec spec = onnx_spec_dynamic(CLASSES);
    spec.names = "{0: 'car', 1: 'truck', 2: 'person', 3: 'bicycle', 4: 'bus'}";
    temp_model(plain, dir, "plain.onnx", &spec);
    temp_model(alone, dir, "alone.onnx", &spec);
    temp_model(not_quantised, dir, "float.onnx", &spec);
    temp_model(twin, dir, "float-int8.onnx", &spec);
    temp_model(others, dir, "others.onnx", &spec);
    temp_model(broken, dir, "broken.onnx", &spec);
    temp_file(twin, dir, "broken-int8.onnx", "\x01\x02", 2);
    spec.quantized = true;
    temp_model(quantised, dir, "plain-int8.onnx", &spec);
    spec.names = "{0: 'car', 1: 'truck', 2: 'person', 3: 'bicycle', 4: 'tram'}";
    temp_model(twin, dir, "others-int8.onnx", &spec);
    spec.version = "one";
    temp_model(twin, dir, "stale-int8.onnx", &spec);
    spec.version = "two";
    spec.quantized = false;
    temp_model(stale, dir, "stale.onnx", &spec);
}

int main(void)
{
    backend = itsi_backend_null;
    backend.name = "fake";
    backend.open = fake_open;
    backend.int8_is_fastest = fake_int8_is_fastest;
    backend.close = fake_close;
    itsi_log_install(keep_warning, NULL, ITSI_LOG_WARN);
    write_models();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(int8_versions_have_their_name, reset),
        cmocka_unit_test_setup(auto_takes_what_suits_the_device, reset),
        cmocka_unit_test_setup(auto_passes_over_one_that_does_not_open, reset),
        cmocka_unit_test_setup(auto_without_another_opens_once, reset),
        cmocka_unit_test_setup(auto_passes_over_what_cannot_take_its_place, reset),
        cmocka_unit_test_setup(a_named_precision_decides, reset),
        cmocka_unit_test_setup(int8_without_one_is_refused_by_name, reset),
        cmocka_unit_test_setup(int8_can_be_forbidden, reset),
        cmocka_unit_test_setup(opening_survives_every_allocation_failing, reset),
    };
    int failed = cmocka_run_group_tests_name("open", tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}

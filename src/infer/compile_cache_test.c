#include "support/check.h"

#include "infer/compile_cache.h"

#include <stdbool.h>
#include <unistd.h>

static char root[64], model[128], weights[128], ir[128];

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/its-compiled-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(model, sizeof model, "%s/model.onnx", root);
    snprintf(ir, sizeof ir, "%s/ir.xml", root);
    snprintf(weights, sizeof weights, "%s/ir.bin", root);
    write_file(model, "a model");
    write_file(ir, "a graph");
    write_file(weights, "its weights");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void open_for(struct itsi_compile_cache *cache, const char *path, const char *runtime)
{
    struct its_diag diag;
    char cache_root[96];
    snprintf(cache_root, sizeof cache_root, "%s/cache/compiled", root);
    CHECK_OK(itsi_compile_cache_open(cache, cache_root, path, runtime, &diag), diag);
}

static const char *in(const struct itsi_compile_cache *cache, const char *name)
{
    static char path[4200];
    snprintf(path, sizeof path, "%s/%s", cache->dir, name);
    return path;
}

/* What a run time would leave there, sealed or not. */
static void leave(const char *path, const char *name, const char *text, bool seals)
{
    struct itsi_compile_cache cache;
    open_for(&cache, path, "1");
    write_file(in(&cache, name), text);
    if (seals)
        itsi_compile_cache_seal(&cache);
    itsi_compile_cache_close(&cache);
}

static bool finds(const char *path, const char *runtime, const char *name)
{
    struct itsi_compile_cache cache;
    open_for(&cache, path, runtime);
    const bool there = access(in(&cache, name), F_OK) == 0;
    itsi_compile_cache_close(&cache);
    return there;
}

static void what_was_noted_is_found_again(void **state)
{
    (void)state;
    leave(model, "a.blob", "compiled", true);
    assert_true(finds(model, "1", "a.blob"));
    assert_true(finds(model, "1", "a.blob")); /* looking takes nothing away */
    leave(model, "b.blob", "another size", true);
    assert_true(finds(model, "1", "a.blob"));
    assert_true(finds(model, "1", "b.blob"));
}

/* Another model, other weights, another run time: nothing of the old is met. */
static void a_change_of_what_compiles_meets_nothing_old(void **state)
{
    (void)state;
    leave(model, "a.blob", "compiled", true);
    leave(ir, "a.blob", "compiled", true);
    assert_false(finds(model, "2", "a.blob"));
    write_file(model, "A model");
    write_file(weights, "its Weights");
    assert_false(finds(model, "1", "a.blob"));
    assert_false(finds(ir, "1", "a.blob"));
    write_file(model, "a model"); /* as it was: its own are still there */
    write_file(weights, "its weights");
    assert_true(finds(model, "1", "a.blob"));
    assert_true(finds(ir, "1", "a.blob"));
}

static void what_is_not_as_noted_is_removed(void **state)
{
    (void)state;
    struct itsi_compile_cache cache;
    leave(model, "cut.blob", "compiled for long", true);
    leave(model, "kept.blob", "compiled", true);
    leave(model, "stray.blob", "of a start that failed", false);
    open_for(&cache, model, "1");
    assert_int_equal(truncate(in(&cache, "cut.blob"), 9), 0);
    assert_int_not_equal(access(in(&cache, "stray.blob"), F_OK), 0);
    itsi_compile_cache_close(&cache);
    assert_false(finds(model, "1", "cut.blob"));
    assert_true(finds(model, "1", "kept.blob"));
    open_for(&cache, model, "1"); /* one bit */
    write_file(in(&cache, "kept.blob"), "compilee");
    itsi_compile_cache_close(&cache);
    assert_false(finds(model, "1", "kept.blob"));
    leave(model, "again.blob", "compiled", true);
    open_for(&cache, model, "1");
    write_file(in(&cache, "checksums"), "rubbish\n\xff\xfe no notes at all");
    itsi_compile_cache_close(&cache);
    assert_false(finds(model, "1", "again.blob"));
}

static void who_cannot_have_one_is_told(void **state)
{
    (void)state;
    struct itsi_compile_cache cache = {0};
    struct its_diag diag = {""};
    itsi_compile_cache_close(&cache);
    assert_true(itsi_compile_cache_open(&cache, root, "/nothing.onnx", "1", &diag) < 0);
    CHECK_CONTAINS(diag.text, "/nothing.onnx");
    assert_string_equal(cache.dir, "");
    assert_true(itsi_compile_cache_open(&cache, model, model, "1", &diag) < 0); /* a file where the folder should be */
    assert_string_equal(cache.dir, "");
    char no_weights[128];
    snprintf(no_weights, sizeof no_weights, "%s/lonely.xml", root);
    write_file(no_weights, "a graph");
    assert_true(itsi_compile_cache_open(&cache, root, no_weights, "1", &diag) < 0);
    CHECK_CONTAINS(diag.text, "lonely.bin");
    itsi_compile_cache_seal(&cache);
    itsi_compile_cache_close(&cache);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_noted_is_found_again),
        TEST(a_change_of_what_compiles_meets_nothing_old),
        TEST(what_is_not_as_noted_is_removed),
        TEST(who_cannot_have_one_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

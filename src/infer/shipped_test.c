#include "support/check.h"
#include "support/onnx_tiny.h"

#include "infer/shipped.h"

#include <limits.h>
#include <sys/stat.h>

static char dir[64];

/* A folder below dir, made with its parents. */
static void make_folder(const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", dir, name);
    for (char *p = out + strlen(dir) + 1;; p++) {
        char was = *p;
        if (was != '/' && was)
            continue;
        *p = '\0';
        mkdir(out, 0755);
        *p = was;
        if (!was)
            return;
    }
}

static void check_found(const char *own, const char *wanted)
{
    char path[PATH_MAX] = "untouched";
    if (!itsi_shipped_model_of(own, path, sizeof path))
        fail_msg("%s finds no model", own);
    assert_string_equal(path, wanted);
}

static void an_installed_program_and_library_find_it(void **state)
{
    (void)state;
    char folder[256], model[256], own[400], path[PATH_MAX] = "untouched";
    make_folder("prefix/" ITS_TEST_DATADIR "/its-camera-ai/models", folder);
    snprintf(own, sizeof own, "%s/prefix/" ITS_TEST_BINDIR "/its-camera-ai", dir);
    char bin[256];
    make_folder("prefix/" ITS_TEST_BINDIR, bin);
    make_folder("prefix/" ITS_TEST_LIBDIR, bin);
    assert_false(itsi_shipped_model_of(own, path, sizeof path));
    assert_string_equal(path, "untouched");
    temp_file(model, folder, ITSI_SHIPPED_MODEL, "x", 1);
    check_found(own, model);
    snprintf(own, sizeof own, "%s/prefix/" ITS_TEST_LIBDIR "/libits.so.0", dir);
    check_found(own, model);
    assert_false(itsi_shipped_model_of(own, path, strlen(model))); /* no room for the NUL */
    assert_string_equal(path, "untouched");
}

static void a_program_elsewhere_finds_none(void **state)
{
    (void)state;
    char path[PATH_MAX];
    assert_false(itsi_shipped_model_of("/nowhere/bin/its-camera-ai", path, sizeof path));
    assert_false(itsi_shipped_model_of("its-camera-ai", path, sizeof path));
}

/* This very program lies in its build folder. */
static void a_build_finds_the_source_trees(void **state)
{
    (void)state;
    char path[PATH_MAX];
    assert_true(itsi_shipped_model(path, sizeof path));
    assert_string_equal(path, ITS_SOURCE_DIR "/models/" ITSI_SHIPPED_MODEL);
}

int main(void)
{
    temp_dir_create(dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_installed_program_and_library_find_it),
        cmocka_unit_test(a_program_elsewhere_finds_none),
        cmocka_unit_test(a_build_finds_the_source_trees),
    };
    int failed = cmocka_run_group_tests_name("shipped", tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}

#include "support/check.h"

#include "infer/compile_cache.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* As if the run time of `runtime` had left a file of 100 bytes that was read for the last time in that year. */
static void leave_used(const char *runtime, const char *name, int year)
{
    static char hundred[101];
    struct itsi_compile_cache cache;
    memset(hundred, 'x', sizeof hundred - 1);
    open_for(&cache, model, runtime);
    write_file(in(&cache, name), hundred);
    itsi_compile_cache_seal(&cache);
    const time_t then = (time_t)(year - 1970) * 31556952;
    const struct timespec read_then_and_written_long_before[2] = {{.tv_sec = then}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, in(&cache, name), read_then_and_written_long_before, 0), 0);
    itsi_compile_cache_close(&cache);
}

static void trim(const char *runtime, int files, int64_t bytes)
{
    struct itsi_compile_cache cache;
    open_for(&cache, model, runtime);
    itsi_compile_cache_trim(&cache, &(const struct itsi_compile_limits){.files = files, .bytes = bytes});
    itsi_compile_cache_close(&cache);
}

static bool is_kept(const char *runtime, const char *name) { return finds(model, runtime, name); }

static void what_was_not_used_for_longest_goes_first(void **state)
{
    (void)state;
    leave_used("1", "a.blob", 2003);
    leave_used("1", "b.blob", 2001);
    leave_used("2", "a.blob", 2002);
    leave_used("3", "a.blob", 2004);
    trim("1", 4, 400); /* not too much */
    assert_true(is_kept("1", "b.blob"));
    trim("1", 3, 400);
    assert_false(is_kept("1", "b.blob"));
    assert_true(is_kept("2", "a.blob"));
    trim("1", 3, 299); /* by bytes */
    assert_false(is_kept("2", "a.blob"));
    assert_true(is_kept("1", "a.blob"));
    assert_true(is_kept("3", "a.blob"));
    trim("3", 0, 0);
    assert_false(is_kept("1", "a.blob"));
    assert_false(is_kept("3", "a.blob"));
}

/* That its checksum is taken at every start is no use of a file. */
static void looking_at_a_file_is_no_use_of_it(void **state)
{
    (void)state;
    struct stat st;
    struct itsi_compile_cache cache;
    leave_used("1", "a.blob", 2001);
    open_for(&cache, model, "1");
    itsi_compile_cache_seal(&cache);
    assert_int_equal(stat(in(&cache, "a.blob"), &st), 0);
    assert_true(st.st_atim.tv_sec < (time_t)(2002 - 1970) * 31556952);
    itsi_compile_cache_close(&cache);
}

static int folders(void)
{
    char command[128];
    snprintf(command, sizeof command, "exit $(ls '%s/cache/compiled' | wc -l)", root);
    return WEXITSTATUS(system(command));
}

static void an_empty_folder_goes_too(void **state)
{
    (void)state;
    leave_used("1", "a.blob", 2001);
    leave_used("2", "a.blob", 2002);
    assert_int_equal(folders(), 2);
    trim("2", 1, 1000);
    assert_int_equal(folders(), 1);
    trim("2", 0, 0); /* its own: it is being used */
    assert_int_equal(folders(), 1);
}

/* Another process compiles: what it may be about to read stays, however old, and somebody else's goes. */
static void what_another_start_has_open_stays(void **state)
{
    (void)state;
    int ready[2], status;
    char byte;
    leave_used("1", "a.blob", 2001);
    leave_used("2", "a.blob", 2002);
    leave_used("3", "a.blob", 2003);
    assert_int_equal(pipe(ready), 0);
    const pid_t other = fork();
    if (other == 0) {
        struct itsi_compile_cache cache;
        open_for(&cache, model, "1");
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    assert_true(other > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    trim("3", 2, 1000);
    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(waitpid(other, &status, 0), other);
    close(ready[0]);
    close(ready[1]);
    assert_true(is_kept("1", "a.blob"));
    assert_false(is_kept("2", "a.blob"));
    assert_true(is_kept("3", "a.blob"));
}

/* As many as are noted, and no more, also in one folder. */
static void sealing_keeps_no_more_than_it_can_note(void **state)
{
    (void)state;
    struct itsi_compile_cache cache;
    open_for(&cache, model, "1");
    for (int i = 0; i < 70; i++) {
        char name[32];
        snprintf(name, sizeof name, "%02d.blob", i);
        write_file(in(&cache, name), "compiled");
        const struct timespec times[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
        assert_int_equal(utimensat(AT_FDCWD, in(&cache, name), times, 0), 0);
    }
    itsi_compile_cache_seal(&cache);
    itsi_compile_cache_close(&cache);
    int kept = 0;
    for (int i = 0; i < 70; i++) {
        char name[32];
        snprintf(name, sizeof name, "%02d.blob", i);
        kept += is_kept("1", name);
    }
    assert_int_equal(kept, 64);
    assert_false(is_kept("1", "05.blob"));
    assert_true(is_kept("1", "06.blob"));
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
        TEST(what_was_not_used_for_longest_goes_first),
        TEST(looking_at_a_file_is_no_use_of_it),
        TEST(an_empty_folder_goes_too),
        TEST(what_another_start_has_open_stays),
        TEST(sealing_keeps_no_more_than_it_can_note),
        TEST(who_cannot_have_one_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

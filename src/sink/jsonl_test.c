#include "sink/jsonl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "support/check.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/its-jsonl-XXXXXX";
static char path[128];
static int logged_errors, logged_infos;

static void count_log(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    (void)arg, (void)component, (void)text;
    logged_errors += level == ITSI_LOG_ERROR;
    logged_infos += level == ITSI_LOG_INFO;
}

static int fresh(void **state)
{
    (void)state;
    char name[160];
    snprintf(path, sizeof path, "%s/out.jsonl", folder);
    unlink(path);
    for (int i = 1; i < 6; i++) {
        snprintf(name, sizeof name, "%s.%d", path, i);
        unlink(name);
    }
    logged_errors = logged_infos = 0;
    return 0;
}

static struct itsi_jsonl *open_one(int64_t max_bytes, int files)
{
    struct itsi_jsonl *j;
    struct its_diag diag;
    const struct itsi_jsonl_params params = {.path = path, .max_bytes = max_bytes, .files = files};
    CHECK_OK(itsi_jsonl_open(&j, &params, &diag), diag);
    return j;
}

/* The file's text; "" when it does not exist. */
static const char *content(const char *suffix)
{
    static char text[65536];
    char name[192];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *file = fopen(name, "r");
    size_t got = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[got] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void lines_arrive_and_are_appended(void **state)
{
    (void)state;
    struct itsi_jsonl *j = open_one(1000, 3);
    assert_int_equal(itsi_jsonl_write(j, "{\"a\":1}", 7, 0), 0);
    itsi_jsonl_close(j);
    j = open_one(1000, 3);
    assert_int_equal(itsi_jsonl_write(j, "{\"a\":2}", 7, 0), 0);
    struct itsi_jsonl_status s;
    itsi_jsonl_status(j, &s);
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.bytes, 16);
    itsi_jsonl_close(j);
    assert_string_equal(content(""), "{\"a\":1}\n{\"a\":2}\n");
}

static void rotates_and_keeps_so_many(void **state)
{
    (void)state;
    struct itsi_jsonl *j = open_one(20, 3);
    char line[32];
    for (int i = 0; i < 10; i++) { /* two lines of 8 bytes a file */
        snprintf(line, sizeof line, "{\"n\":%d}", i);
        assert_int_equal(itsi_jsonl_write(j, line, strlen(line), 0), 0);
    }
    struct itsi_jsonl_status s;
    itsi_jsonl_status(j, &s);
    assert_int_equal(s.rotations, 4);
    itsi_jsonl_close(j);
    assert_string_equal(content(""), "{\"n\":8}\n{\"n\":9}\n");
    assert_string_equal(content(".1"), "{\"n\":6}\n{\"n\":7}\n");
    assert_string_equal(content(".2"), "{\"n\":4}\n{\"n\":5}\n");
    assert_string_equal(content(".3"), "");
}

static void one_file_starts_over(void **state)
{
    (void)state;
    struct itsi_jsonl *j = open_one(10, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(itsi_jsonl_write(j, "12345678", 8, 0), 0);
    itsi_jsonl_close(j);
    assert_string_equal(content(""), "12345678\n");
    assert_string_equal(content(".1"), "");
}

static void torn_line_is_cut_off_at_start(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    fputs("{\"whole\":1}\n{\"half", file);
    fclose(file);
    struct itsi_jsonl *j = open_one(1000, 2);
    assert_int_equal(itsi_jsonl_write(j, "{}", 2, 0), 0);
    itsi_jsonl_close(j);
    assert_string_equal(content(""), "{\"whole\":1}\n{}\n");
}

/* A limit on the file's size stands in for a full disk: the kernel writes a part of the line, then refuses. */
static void full_disk_loses_lines_not_the_file(void **state)
{
    (void)state;
    struct itsi_jsonl *j = open_one(100000, 2);
    struct itsi_jsonl_status s;
    struct rlimit before, full;
    int64_t now = ITSI_NS_PER_S;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(itsi_jsonl_write(j, "first line", 10, now), 0);
    full = before;
    full.rlim_cur = 25;
    setrlimit(RLIMIT_FSIZE, &full);
    int first = itsi_jsonl_write(j, "this one does not fit any more", 30, now);
    int second = itsi_jsonl_write(j, "short", 5, now + ITSI_NS_PER_MS); /* not tried: too soon */
    int third = itsi_jsonl_write(j, "this one does not fit either....", 32, now + 2 * ITSI_NS_PER_S);
    itsi_jsonl_status(j, &s);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_not_equal(first, 0);
    assert_int_equal(second, ITS_EAGAIN);
    assert_int_not_equal(third, 0);
    assert_int_equal(s.dropped, 3);
    assert_int_equal(s.lines, 1);
    assert_true(s.failing);
    CHECK_CONTAINS(s.last_error, path);
    assert_int_equal(logged_errors, 1); /* once, however many are lost */
    assert_string_equal(content(""), "first line\n");
    assert_int_equal(itsi_jsonl_write(j, "room again", 10, now + 4 * ITSI_NS_PER_S), 0);
    itsi_jsonl_status(j, &s);
    assert_false(s.failing);
    assert_int_equal(logged_infos, 1);
    itsi_jsonl_close(j);
    assert_string_equal(content(""), "first line\nroom again\n");
}

static void full_device_is_reported(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    struct itsi_jsonl *j;
    struct itsi_jsonl_status s;
    struct its_diag diag;
    const struct itsi_jsonl_params params = {.path = "/dev/full", .max_bytes = 4, .files = 2};
    CHECK_OK(itsi_jsonl_open(&j, &params, &diag), diag);
    assert_int_equal(itsi_jsonl_write(j, "more than four", 14, 0), ITS_ENOSPACE);
    itsi_jsonl_status(j, &s);
    assert_int_equal(s.rotations, 0); /* a device is not renamed */
    itsi_jsonl_close(j);
}

static void moved_file_is_made_anew(void **state)
{
    (void)state;
    char moved[160];
    snprintf(moved, sizeof moved, "%s.1", path);
    struct itsi_jsonl *j = open_one(1000, 2);
    assert_int_equal(itsi_jsonl_write(j, "one", 3, 0), 0);
    rename(path, moved);
    assert_int_equal(itsi_jsonl_write(j, "two", 3, 10 * ITSI_NS_PER_S), 0);
    itsi_jsonl_close(j);
    assert_string_equal(content(".1"), "one\n");
    assert_string_equal(content(""), "two\n");
}

static void a_line_larger_than_a_file_is_dropped(void **state)
{
    (void)state;
    struct itsi_jsonl *j = open_one(10, 2);
    struct itsi_jsonl_status s;
    assert_int_equal(itsi_jsonl_write(j, "0123456789", 10, 0), ITS_ELIMIT);
    itsi_jsonl_status(j, &s);
    assert_int_equal(s.dropped, 1);
    itsi_jsonl_close(j);
}

static void bad_paths_are_refused(void **state)
{
    (void)state;
    struct itsi_jsonl *j = NULL;
    struct its_diag diag;
    struct itsi_jsonl_params params = {.path = "/nonexistent/folder/x.jsonl", .max_bytes = 10, .files = 2};
    assert_int_equal(itsi_jsonl_open(&j, &params, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/nonexistent/folder/x.jsonl");
    params.path = "";
    assert_int_equal(itsi_jsonl_open(&j, &params, &diag), ITS_EINVAL);
    params.path = path;
    for (int n = 1; n <= 2; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_jsonl_open(&j, &params, &diag), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
    assert_null(j);
    itsi_jsonl_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_arrive_and_are_appended, fresh),
        cmocka_unit_test_setup(rotates_and_keeps_so_many, fresh),
        cmocka_unit_test_setup(one_file_starts_over, fresh),
        cmocka_unit_test_setup(torn_line_is_cut_off_at_start, fresh),
        cmocka_unit_test_setup(full_disk_loses_lines_not_the_file, fresh),
        cmocka_unit_test_setup(full_device_is_reported, fresh),
        cmocka_unit_test_setup(moved_file_is_made_anew, fresh),
        cmocka_unit_test_setup(a_line_larger_than_a_file_is_dropped, fresh),
        cmocka_unit_test_setup(bad_paths_are_refused, fresh),
    };
    if (!mkdtemp(folder))
        return 1;
    itsi_log_install(count_log, NULL, ITSI_LOG_INFO);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fresh(NULL);
    rmdir(folder);
    return failed;
}

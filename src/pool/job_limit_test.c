#include "support/check.h"

#include "base/clock.h"
#include "pool/job_limit.h"

#include <signal.h>

static const struct itsi_child_limits all = {
    .data_bytes = 1 << 30, .file_bytes = 1 << 20, .cpu_seconds = 10, .descriptors = 256};

static enum itsi_job_limit found(const struct itsi_child_limits *limits, int signal, double cpu, const char *lines)
{
    const struct itsi_job_end end = {.signal = signal, .cpu_ns = (int64_t)(cpu * 1e9), .lines = lines};
    return itsi_job_limit_find(limits, &end);
}

static void signals_tell(void **state)
{
    (void)state;
    assert_int_equal(found(&all, SIGXCPU, 9, ""), ITSI_JOB_LIMIT_CPU);
    assert_int_equal(found(&all, SIGXFSZ, 1, ""), ITSI_JOB_LIMIT_FILE_SIZE);
    assert_int_equal(found(&all, SIGSEGV, 1, ""), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&all, 0, 1, "Invalid data found"), ITSI_JOB_LIMIT_NONE);
}

/* FFmpeg says good-bye at SIGXCPU; who ignores it is killed at the hard limit. */
static void so_does_the_time_that_it_took(void **state)
{
    const struct itsi_child_limits none = {.data_bytes = 0};
    (void)state;
    assert_int_equal(found(&all, 0, 10.1, "Exiting normally, received signal 24.\n"), ITSI_JOB_LIMIT_CPU);
    assert_int_equal(found(&all, 0, 9.8, "Exiting normally, received signal 24.\n"), ITSI_JOB_LIMIT_CPU);
    assert_int_equal(found(&all, 0, 9.8, "Exiting normally, received signal 15.\n"), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&all, SIGKILL, 12, ""), ITSI_JOB_LIMIT_CPU);
    assert_int_equal(found(&all, 0, 9.98, ""), ITSI_JOB_LIMIT_CPU);
    assert_int_equal(found(&all, SIGKILL, 9, ""), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&none, SIGKILL, 1000, ""), ITSI_JOB_LIMIT_NONE);
}

static void words_tell_where_there_is_such_a_limit(void **state)
{
    const struct itsi_child_limits none = {.data_bytes = 0};
    static const char memory[] = "x264 [error]: malloc of size 7332480 failed\nConversion failed!\n";
    (void)state;
    assert_int_equal(found(&all, 0, 1, memory), ITSI_JOB_LIMIT_MEMORY);
    assert_int_equal(found(&all, SIGABRT, 1, "av_interleaved_write_frame(): Cannot allocate memory\n"),
                     ITSI_JOB_LIMIT_MEMORY);
    assert_int_equal(found(&all, 0, 1, "Could not alloc buffer.\n"), ITSI_JOB_LIMIT_MEMORY);
    assert_int_equal(found(&all, 0, 1, "/tmp/x4.avi: Too many open files\n"), ITSI_JOB_LIMIT_FILES);
    assert_int_equal(found(&all, 0, 1, "av_interleaved_write_frame(): File too large\n"), ITSI_JOB_LIMIT_FILE_SIZE);
    assert_int_equal(found(&none, 0, 1, memory), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&none, 0, 1, "/tmp/x4.avi: Too many open files\n"), ITSI_JOB_LIMIT_NONE);
}

/* What was said long before the end, by a job that had little, did not end it. */
static void memory_is_named_where_the_end_tells_it(void **state)
{
    static const char early[] = "/dev/video0: Cannot allocate memory\n1\n2\n3\n/no/such/file: No such file or directory\n";
    static const char late[] = "1\n2\nx264 [error]: malloc of size 44329344 failed\nError initializing output stream\n"
                               "Conversion failed!\n";
    struct itsi_job_end end = {.lines = early, .most_rss_bytes = (1 << 29) - 1};
    (void)state;
    assert_int_equal(itsi_job_limit_find(&all, &end), ITSI_JOB_LIMIT_NONE);
    end.most_rss_bytes = 1 << 29;
    assert_int_equal(itsi_job_limit_find(&all, &end), ITSI_JOB_LIMIT_MEMORY);
    end.lines = "/no/such/file: No such file or directory\n";
    assert_int_equal(itsi_job_limit_find(&all, &end), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&all, 0, 1, late), ITSI_JOB_LIMIT_MEMORY);
    assert_int_equal(found(&all, 0, 1, "Cannot allocate memory\n2\n3\n4\n"), ITSI_JOB_LIMIT_MEMORY);
    assert_int_equal(found(&all, 0, 1, "Cannot allocate memory\n2\n3\n4\n5\n"), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&all, 0, 1, "1\n2\n3\n4\nCannot allocate memory"), ITSI_JOB_LIMIT_MEMORY); /* cut short */
    assert_int_equal(found(&all, 0, 1, ""), ITSI_JOB_LIMIT_NONE);
}

static void descriptors_of_the_system_are_not_its_own(void **state)
{
    (void)state;
    assert_int_equal(found(&all, 0, 1, "a.avi: Too many open files in system\n"), ITSI_JOB_LIMIT_NONE);
    assert_int_equal(found(&all, 0, 1, "a.avi: Too many open files in system\nb.avi: Too many open files\n"),
                     ITSI_JOB_LIMIT_FILES);
}

static void no_job_has_all_processors(void **state)
{
    static const struct {
        double cores;
        int processors;
    } cases[] = {{0.5, 1}, {1, 1}, {1.5, 1}, {2, 1}, {2.5, 2}, {3, 2}, {4, 2}, {7, 4}, {64, 32}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(itsi_job_limit_processors(cases[i].cores), cases[i].processors);
}

static void the_smaller_limit_holds(void **state)
{
    const struct itsi_child_limits mine = {.data_bytes = 5, .descriptors = 300, .nice = 10};
    const struct itsi_child_limits both = itsi_child_limits_within(&mine, &all);
    (void)state;
    assert_int_equal(both.data_bytes, 5);
    assert_int_equal(both.descriptors, 256);
    assert_int_equal(both.cpu_seconds, 10);
    assert_int_equal(both.file_bytes, 1 << 20);
    assert_int_equal(both.nice, 10);
}

static void processor_time_follows_from_the_time_to_live(void **state)
{
    (void)state;
    assert_int_equal(itsi_job_limit_cpu(60 * ITSI_NS_PER_S, 1), 60);
    assert_int_equal(itsi_job_limit_cpu(60 * ITSI_NS_PER_S, 8), 480);
    assert_int_equal(itsi_job_limit_cpu(ITSI_NS_PER_S + 1, 1), 2);
    assert_int_equal(itsi_job_limit_cpu(-1, 4), 1);
    assert_int_equal(itsi_job_limit_cpu(ITSI_NEVER, 4), 0);
    assert_int_equal(itsi_job_limit_cpu(60 * ITSI_NS_PER_S, 0), 0);
    assert_int_equal(itsi_job_limit_cpu(ITSI_NEVER - 1, 1000), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_tell),
        cmocka_unit_test(so_does_the_time_that_it_took),
        cmocka_unit_test(words_tell_where_there_is_such_a_limit),
        cmocka_unit_test(memory_is_named_where_the_end_tells_it),
        cmocka_unit_test(descriptors_of_the_system_are_not_its_own),
        cmocka_unit_test(no_job_has_all_processors),
        cmocka_unit_test(the_smaller_limit_holds),
        cmocka_unit_test(processor_time_follows_from_the_time_to_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

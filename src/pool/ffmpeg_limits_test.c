/* Jobs that want more than they may have, with the system's FFmpeg and both kinds of process: each is ended, the limit
 * named, and the pool goes on. */
#include "pool/ffmpeg_pool_fixture.h"

#include <sys/resource.h>
#include <sys/stat.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif

static int begin_executing(void **state)
{
    begin(state);
    w.params.executes = true;
    return 0;
}

static void run_limited(const char *const *arguments, const struct itsi_child_limits *limits, enum itsi_job_limit limit)
{
    struct asked asked;
    const int64_t started = itsi_now_ns();
    char text[64];
    w.params.kept = w.params.most = 1;
    make();
    ask_within(&asked, arguments, started + 60 * S, limits);
    if (answer(&asked)->outcome != ITSI_FFMPEG_LIMITED)
        fail_msg("%s: %s", itsi_ffmpeg_outcome_name(asked.result.outcome), asked.lines);
    assert_int_equal(asked.result.limit, limit);
    assert_int_equal(asked.result.code, ITS_ELIMIT);
    snprintf(text, sizeof text, "ended by its limit of %s", itsi_job_limit_text(limit));
    CHECK_CONTAINS(asked.error, text);
    assert_int_equal(stats()->limited[limit], 1);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->deaths, 0); /* it ran where the other did */
    assert_int_equal(w.stats.leases.opens, 1);
}

static void a_job_that_opens_too_many_files(void **state)
{
    enum { FILES = 20 };
    static char names[FILES][16];
    const char *arguments[8 + 3 * FILES] = {"-y", "-f", "lavfi", "-i", "color=size=16x16:duration=0.1"};
    int count = 5;
    (void)state;
    for (int i = 0; i < FILES; i++) { /* each has a descriptor, though all are one file */
        snprintf(names[i], sizeof names[i], "/dev/null");
        arguments[count++] = "-f";
        arguments[count++] = "rawvideo";
        arguments[count++] = names[i];
    }
    run_limited(arguments, &(struct itsi_child_limits){.descriptors = 16}, ITSI_JOB_LIMIT_FILES);
}

/* Played backwards, all of it is kept. */
static void a_job_that_takes_too_much_memory(void **state)
{
    static const char *const arguments[] = {"-f", "lavfi", "-i", "color=size=1920x1080,reverse", "-f", "null", "-", NULL};
    (void)state;
    run_limited(arguments, &(struct itsi_child_limits){.data_bytes = 256 << 20}, ITSI_JOB_LIMIT_MEMORY);
}

static void a_job_that_spins(void **state)
{
    static const char *const arguments[] = {"-f", "lavfi", "-i", "testsrc2=size=640x360", "-f", "null", "-", NULL};
    (void)state;
    run_limited(arguments, &(struct itsi_child_limits){.cpu_seconds = 1}, ITSI_JOB_LIMIT_CPU);
}

static void a_job_that_writes_too_much(void **state)
{
    static const char *const arguments[] = {"-y", "-f", "lavfi", "-i", "color=size=640x360", "-f", "rawvideo",
                                            "/tmp/its-limits-test.yuv", NULL};
    struct stat info;
    (void)state;
    run_limited(arguments, &(struct itsi_child_limits){.file_bytes = 1 << 20}, ITSI_JOB_LIMIT_FILE_SIZE);
    assert_int_equal(stat("/tmp/its-limits-test.yuv", &info), 0);
    unlink("/tmp/its-limits-test.yuv");
    assert_true(info.st_size <= 1 << 20);
}

/* The number behind a name in /proc/PID/limits. */
static unsigned long long limit_of(const char *limits, const char *name)
{
    const char *line = strstr(limits, name);
    assert_non_null(line);
    return strtoull(line + strlen(name), NULL, 10);
}

static pid_t pid_of_job(void)
{
    char children[256] = "", path[64];
    pid_t worker, job = 0;
    assert_int_equal(list_children(&worker, 1), 1);
    snprintf(path, sizeof path, "task/%d/children", (int)worker);
    const int64_t until = itsi_now_ns() + 30 * S;
    while (sscanf(children, "%d", &job) != 1) {
        assert_true(itsi_now_ns() < until);
        processes_read(worker, path, children, sizeof children);
    }
    return job;
}

/* What a job has that asks for nothing. */
static void every_job_is_bounded(void **state)
{
    char text[4096];
    struct asked asked;
    (void)state;
    w.params.kept = w.params.most = 1;
    w.params.processors = 2;
    make();
    ask(&asked, endless, ITSI_NEVER);
    while (stats()->running == 0)
        usleep(1000);
    const pid_t pid = pid_of_job();
    const int64_t until = itsi_now_ns() + 30 * S;
    do { /* it bounds itself before it begins */
        processes_read(pid, "limits", text, sizeof text);
        assert_true(itsi_now_ns() < until);
    } while (limit_of(text, "Max open files") != 256);
    assert_int_equal(limit_of(text, "Max cpu time"), 2 * 60); /* ffmpeg_process_timeout, two processors */
    assert_int_equal(limit_of(text, "Max data size"), UINT64_C(4) << 30);
    assert_int_equal(limit_of(text, "Max core file size"), 1);
    processes_read(pid, "coredump_filter", text, sizeof text); /* inherited: it has it from the start */
    assert_string_equal(text, "00000000\n");
    itsi_ffmpeg_cancel_job(w.pool, &asked.job);
    assert_int_equal(answer(&asked)->killed, ITSI_JOB_KILL_CANCELLED);
}

static _Noreturn void spin_within_the_daemons_limit(bool executes)
{
    static const char *const arguments[] = {"-f", "lavfi", "-i", "testsrc2=size=640x360", "-f", "null", "-", NULL};
    struct asked asked;
    begin(NULL);
    w.params.executes = executes;
    w.params.kept = w.params.most = 1;
    setrlimit(RLIMIT_CPU, &(struct rlimit){1 + ITSI_CHILD_CPU_GRACE, 1 + ITSI_CHILD_CPU_GRACE});
    make();
    const struct itsi_ffmpeg_result *result = run(&asked, arguments);
    const bool is_named = result->outcome == ITSI_FFMPEG_LIMITED && result->limit == ITSI_JOB_LIMIT_CPU;
    if (!is_named)
        fprintf(stderr, "%s: %s\n", itsi_ffmpeg_outcome_name(result->outcome), asked.error);
    itsi_ffmpeg_pool_destroy(w.pool, 0);
    itsi_loop_destroy(w.loop);
    _exit(is_named ? 0 : 1);
}

/* The hard limit that the daemon has is below the pool's: left alone, it kills without a word. In a process of its own, as there
 * is no way back. */
static void a_limit_of_the_daemon_is_named_too(void **state)
{
    int status;
    (void)state;
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
    skip(); /* its children may not start threads */
#endif
    const pid_t pid = fork();
    if (pid == 0)
        spin_within_the_daemons_limit(w.params.executes);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define BOTH(name)                                                                                                     \
    {#name ", linked", name, begin, end, NULL}, { #name ", executing", name, begin_executing, end, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_job_that_opens_too_many_files), BOTH(a_job_that_takes_too_much_memory), BOTH(a_job_that_spins),
        BOTH(a_job_that_writes_too_much),      BOTH(every_job_is_bounded),
        BOTH(a_limit_of_the_daemon_is_named_too),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

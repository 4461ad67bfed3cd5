/* The pool with the system's FFmpeg: what it keeps, replaces, refuses and leaves behind. */
#include "pool/ffmpeg_pool_fixture.h"

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void it_keeps_processes_ready(void **state)
{
    struct asked asked;
    (void)state;
    make();
    await(two_idle);
    assert_int_equal(w.stats.kind, ITSI_SPARE_LINKED);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->jobs[ITSI_FFMPEG_DONE], 1);
    assert_int_equal(w.stats.running, 0);
    assert_int_equal(w.stats.leases.in_use, 0);
}

static void more_jobs_than_processes_wait_their_turn(void **state)
{
    enum { JOBS = 40 };
    static struct asked asked[JOBS];
    (void)state;
    make();
    for (int i = 0; i < JOBS; i++)
        ask(&asked[i], quick, ITSI_NEVER);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(answer(&asked[i])->outcome, ITSI_FFMPEG_DONE);
    assert_true(stats()->leases.opens <= 4);
    assert_int_equal(w.stats.jobs[ITSI_FFMPEG_DONE], JOBS);
}

static void a_thousand_jobs_leave_nothing_behind(void **state)
{
    enum { AT_ONCE = 50, ROUNDS = 20 };
    static struct asked asked[AT_ONCE];
    (void)state;
    make();
    await(two_idle);
    const int descriptors = processes_descriptors();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < AT_ONCE; i++)
            ask(&asked[i], quick, ITSI_NEVER);
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(answer(&asked[i])->outcome, ITSI_FFMPEG_DONE);
    }
    assert_true(stats()->leases.closed[ITSI_POOL_CLOSED_USES] >= 8); /* each replaced after a hundred */
    await(two_idle);
    const int each = 4; /* of a process: pidfd, socket, progress, stderr */
    assert_true(processes_descriptors() <= descriptors + each * (w.stats.leases.most - 2));
    assert_true(processes_children() <= w.stats.leases.most);
}

static void who_waits_too_long_is_refused(void **state)
{
    struct asked busy[4], late;
    (void)state;
    w.params.kept = w.params.most = 1;
    make();
    ask(&busy[0], endless, itsi_now_ns() + 2 * S);
    ask(&late, quick, itsi_now_ns() + 200 * MS);
    assert_int_equal(answer(&late)->outcome, ITSI_FFMPEG_REFUSED);
    assert_int_equal(late.result.code, ITS_ETIMEOUT);
    CHECK_CONTAINS(late.error, "ffmpeg");
    assert_int_equal(answer(&busy[0])->killed, ITSI_JOB_KILL_TIMEOUT); /* the deadline goes on while it runs */
}

static void a_job_has_its_time(void **state)
{
    struct asked asked;
    (void)state;
    w.params.timeout_ns = 500 * MS;
    make();
    assert_int_equal(run(&asked, endless)->killed, ITSI_JOB_KILL_TIMEOUT);
    const struct its_cfg_connection_pool more = {.ffmpeg_process_timeout = 60, .ffmpeg_restart_threshold = 100};
    itsi_ffmpeg_pool_configure(w.pool, &more);
    const char *const second[] = {"-re", "-f", "lavfi", "-i", "color=size=16x16:duration=1", "-f", "null", "-", NULL};
    assert_int_equal(run(&asked, second)->outcome, ITSI_FFMPEG_DONE);
}

static void jobs_are_cancelled_waiting_and_running(void **state)
{
    struct asked running, waiting;
    (void)state;
    w.params.kept = w.params.most = 1;
    make();
    ask(&running, endless, ITSI_NEVER);
    ask(&waiting, endless, ITSI_NEVER);
    while (stats()->running == 0)
        usleep(1000);
    itsi_ffmpeg_cancel_job(w.pool, &waiting.job);
    assert_int_equal(answer(&waiting)->code, ITS_ECANCELLED);
    assert_int_equal(waiting.result.outcome, ITSI_FFMPEG_REFUSED);
    itsi_ffmpeg_cancel_job(w.pool, &running.job);
    assert_int_equal(answer(&running)->killed, ITSI_JOB_KILL_CANCELLED);
}

static void without_the_program_jobs_are_refused(void **state)
{
    struct asked asked;
    (void)state;
    w.params.program = "its-no-such-ffmpeg";
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_REFUSED);
    CHECK_CONTAINS(asked.error, "its-no-such-ffmpeg: no such program in PATH");
}

/* A script is run by another program, into which the worker is linked in its place: that is noticed. */
static void a_program_that_cannot_be_linked_is_executed(void **state)
{
    char path[] = "/tmp/its-ffmpeg-wrapper-XXXXXX";
    struct asked asked;
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\nexec ffmpeg \"$@\"\n") > 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    w.params.program = path;
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->kind, ITSI_SPARE_EXECUTING);
    assert_true(w.stats.is_never_linked);
    assert_int_equal(w.stats.unlinked, 0);
    assert_int_equal(w.stats.deaths, 0);
    unlink(path);
}

/* Installed while the daemon runs: found by itself. */
static void a_program_that_comes_later_is_found(void **state)
{
    char folder[] = "/tmp/its-ffmpeg-later-XXXXXX", path[64], program[128], before[4096];
    struct asked asked;
    struct its_diag diag;
    (void)state;
    CHECK_OK(itsi_spawn_find("ffmpeg", program, sizeof program, &diag), diag);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ffmpeg", folder);
    snprintf(before, sizeof before, "%s", getenv("PATH"));
    setenv("PATH", folder, 1);
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_REFUSED);
    CHECK_CONTAINS(asked.error, "ffmpeg: no such program in PATH");
    assert_int_equal(symlink(program, path), 0);
    const int64_t until = itsi_now_ns() + 30 * S;
    while (run(&asked, quick)->outcome != ITSI_FFMPEG_DONE) {
        assert_true(itsi_now_ns() < until);
        usleep(10000);
    }
    assert_int_equal(stats()->kind, ITSI_SPARE_LINKED);
    char shown[64];
    itsi_ffmpeg_pool_program(w.pool, shown, sizeof shown);
    assert_string_equal(shown, path);
    itsi_ffmpeg_pool_destroy(w.pool, 0); /* its loop reads PATH */
    w.pool = NULL;
    setenv("PATH", before, 1);
    unlink(path);
    rmdir(folder);
}

static void what_it_counts_is_shown(void **state)
{
    struct itsi_exposition e;
    struct itsi_buf out;
    struct asked asked;
    (void)state;
    make();
    (void)run(&asked, quick);
    itsi_buf_init(&out);
    itsi_exposition_init(&e, ITSI_EXPOSITION_TEXT, &out);
    itsi_put_ffmpeg_metrics(&e, stats());
    itsi_exposition_end(&e);
    CHECK_CONTAINS(out.data, "its_ffmpeg_jobs_total{outcome=\"done\"} 1\n");
    CHECK_CONTAINS(out.data, "its_ffmpeg_killed_total{reason=\"stalled\"} 0\n");
    CHECK_CONTAINS(out.data, "its_ffmpeg_running 0\n");
    CHECK_CONTAINS(out.data, "its_ffmpeg_job_seconds_count 1\n");
    itsi_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_keeps_processes_ready),
        TEST(more_jobs_than_processes_wait_their_turn),
        TEST(a_thousand_jobs_leave_nothing_behind),
        TEST(who_waits_too_long_is_refused),
        TEST(a_job_has_its_time),
        TEST(jobs_are_cancelled_waiting_and_running),
        TEST(without_the_program_jobs_are_refused),
        TEST(a_program_that_cannot_be_linked_is_executed),
        TEST(a_program_that_comes_later_is_found),
        TEST(what_it_counts_is_shown),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

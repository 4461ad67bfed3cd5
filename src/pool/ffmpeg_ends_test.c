/* How jobs end that do not end well, with the system's FFmpeg; every test with both kinds of worker. */
#include "pool/ffmpeg_fixture.h"

#include <sys/prctl.h>

static void a_job_that_is_killed_is_told(void **state)
{
    struct itsi_ffmpeg_job job = {.arguments = endless, .input = -1, .output = -1};
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&job, &diag), diag);
    kill(await_pid(), SIGKILL);
    finish();
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_CRASHED);
    assert_int_equal(w.result.signal, SIGKILL);
    assert_string_equal(w.error, "ffmpeg: ended by signal 9 (Killed)");
}

static void a_job_that_hangs_is_noticed(void **state)
{
    struct its_diag diag;
    (void)state;
    struct itsi_ffmpeg_job job = {.arguments = endless, .input = -1, .output = -1, .stall_ns = 1500 * MS};
    CHECK_OK(run(&job, &diag), diag);
    await_progress();
    kill(w.ffmpeg->pid, SIGSTOP);
    finish();
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_KILLED);
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_STALLED);
    assert_int_equal(w.result.code, ITS_ETIMEOUT);
    CHECK_CONTAINS(w.error, "(stalled)");
    assert_true(w.result.media_us > 0);
}

/* Until its program has asked for TERM: before that, TERM is enough. */
static void await_handler(pid_t pid)
{
    char status[4096];
    unsigned long long caught = 0;
    while (!(caught & 1ULL << (SIGTERM - 1))) {
        processes_read(pid, "status", status, sizeof status);
        const char *line = strstr(status, "SigCgt:");
        assert_non_null(line);
        caught = strtoull(line + 7, NULL, 16);
    }
}

/* Opening a FIFO without a writer blocks, and goes on blocking when TERM has been noted. */
static void who_does_not_heed_term_is_killed(void **state)
{
    char fifo[128];
    struct its_diag diag;
    (void)state;
    snprintf(fifo, sizeof fifo, "%s/fifo", w.folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const arguments[] = {"-i", fifo, "-f", "null", "-", NULL};
    struct itsi_ffmpeg_job job = {.arguments = arguments, .input = -1, .output = -1};
    CHECK_OK(run(&job, &diag), diag);
    await_handler(await_pid());
    itsi_ffmpeg_cancel(w.ffmpeg, ITSI_JOB_KILL_TIMEOUT);
    finish();
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_KILLED);
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_TIMEOUT);
    assert_int_equal(w.result.signal, SIGKILL);
}

static void a_job_ends_at_its_deadline(void **state)
{
    (void)state;
    run_to_end(&(struct itsi_ffmpeg_job){
        .arguments = endless, .input = -1, .output = -1, .deadline = itsi_now_ns() + 300 * MS});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_KILLED);
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_TIMEOUT);
}

static void a_job_is_cancelled(void **state)
{
    struct itsi_ffmpeg_job job = {.arguments = endless, .input = -1, .output = -1};
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&job, &diag), diag);
    await_progress();
    itsi_ffmpeg_cancel(w.ffmpeg, ITSI_JOB_KILL_CANCELLED);
    finish();
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_CANCELLED);
    assert_int_equal(w.result.code, ITS_ECANCELLED);
    assert_int_equal(w.result.exit_code, 255); /* it said good-bye: TERM was enough */
}

static void limits_hold_for_the_job_alone(void **state)
{
    char file[128];
    struct stat info;
    (void)state;
    snprintf(file, sizeof file, "%s/large.yuv", w.folder);
    const char *const arguments[] = {"-f",       "lavfi", "-i", "color=size=640x360:duration=10", "-y", "-f",
                                     "rawvideo", file,    NULL};
    run_to_end(&(struct itsi_ffmpeg_job){
        .arguments = arguments, .input = -1, .output = -1, .limits = {.file_bytes = 1 << 20}});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_LIMITED);
    assert_int_equal(w.result.limit, ITSI_JOB_LIMIT_FILE_SIZE);
    assert_int_equal(w.result.signal, SIGXFSZ);
    CHECK_CONTAINS(w.error, "ended by its limit of size of a file");
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_size, 1 << 20);
    run_to_end(&(struct itsi_ffmpeg_job){
        .arguments = arguments, .input = -1, .output = -1, .limits = {.file_bytes = 1 << 28}});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_DONE);
}

static void a_job_that_grows_too_large_is_killed(void **state)
{
    const char *const arguments[] = {"-re", "-f",   "lavfi", "-i", "color=size=3840x2160", "-vf", "tpad=start=40",
                                     "-f",  "null", "-",     NULL};
    (void)state;
    struct itsi_ffmpeg_setup setup = usual();
    setup.most_rss_bytes = 60 << 20;
    stop();
    start_with(&setup);
    turn_until(&w.ready);
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = arguments, .input = -1, .output = -1});
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_MEMORY);
    assert_int_equal(w.result.code, ITS_ELIMIT);
    assert_true(w.result.most_rss_bytes > setup.most_rss_bytes);
}

static void a_worker_that_is_killed_loses_its_job(void **state)
{
    struct itsi_ffmpeg_job job = {.arguments = endless, .input = -1, .output = -1};
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&job, &diag), diag);
    const pid_t pid = await_pid();
    kill(w.ffmpeg->worker.process.pid, SIGKILL);
    turn_until(&w.gone);
    assert_int_equal(w.finished, 1);
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_LOST);
    assert_true(processes_gone(pid, 5));
}

/* As the first process of a container, or a subreaper: orphans become its children. */
static void an_orphaned_job_leaves_no_zombie(void **state)
{
    struct itsi_ffmpeg_job job = {.arguments = endless, .input = -1, .output = -1};
    struct its_diag diag;
    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CHECK_OK(run(&job, &diag), diag);
    await_progress();
    kill(w.ffmpeg->worker.process.pid, SIGKILL);
    turn_until(&w.gone);
    const int children = processes_children();
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_LOST);
    assert_int_equal(children, 0);
}

/* What a job wrote is told to who knows its secrets, and to nobody after it. */
static void the_last_words_of_a_process_hold_nothing_of_its_jobs(void **state)
{
    static const char *const secrets[] = {"size=16x16", NULL};
    struct itsi_ffmpeg_job job = {.arguments = endless, .secrets = secrets, .input = -1, .output = -1};
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&job, &diag), diag);
    await_progress();
    kill(w.ffmpeg->worker.process.pid, SIGKILL);
    turn_until(&w.gone);
    CHECK_CONTAINS(w.lines, "color=**********");
    assert_null(strstr(w.lines, "size=16x16"));
    assert_null(strstr(w.last_words, "size=16x16"));
}

static void a_worker_that_is_stopped_is_given_up(void **state)
{
    struct its_diag diag;
    (void)state;
    struct itsi_ffmpeg_job job = {.arguments = endless, .input = -1, .output = -1};
    CHECK_OK(run(&job, &diag), diag);
    const pid_t pid = await_pid();
    kill(w.ffmpeg->worker.process.pid, SIGSTOP);
    itsi_ffmpeg_cancel(w.ffmpeg, ITSI_JOB_KILL_CANCELLED);
    turn_until(&w.gone);
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_CANCELLED);
    assert_true(processes_gone(pid, 5));
}

static void a_program_that_is_none_never_gets_ready(void **state)
{
    struct its_diag diag;
    struct itsi_ffmpeg_setup setup = usual();
    struct itsi_ffmpeg ffmpeg = {.events = &events};
    (void)state;
    setup.program = "/no/such/ffmpeg";
    if (w.kind == ITSI_SPARE_LINKED) {
        assert_int_equal(itsi_ffmpeg_start(&ffmpeg, &w.loop, &setup, &diag), ITS_ENOTFOUND);
        CHECK_CONTAINS(diag.text, "/no/such/ffmpeg: executing: No such file");
        return;
    }
    stop();
    start_with(&setup);
    turn_until(&w.ready);
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = quick, .input = -1, .output = -1});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_REFUSED);
    assert_string_equal(w.error, "ffmpeg: executing: No such file or directory");
    assert_int_equal(w.result.code, ITS_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_job_that_is_killed_is_told),
        BOTH(a_job_that_hangs_is_noticed),
        BOTH(who_does_not_heed_term_is_killed),
        BOTH(a_job_ends_at_its_deadline),
        BOTH(a_job_is_cancelled),
        BOTH(limits_hold_for_the_job_alone),
        BOTH(a_job_that_grows_too_large_is_killed),
        BOTH(a_worker_that_is_killed_loses_its_job),
        BOTH(an_orphaned_job_leaves_no_zombie),
        BOTH(the_last_words_of_a_process_hold_nothing_of_its_jobs),
        BOTH(a_worker_that_is_stopped_is_given_up),
        BOTH(a_program_that_is_none_never_gets_ready),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

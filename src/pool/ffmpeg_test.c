/* One process and its jobs, with the system's FFmpeg, on a loop of the test's own; every test with both kinds of
 * worker. */
#include "support/check.h"
#include "support/processes.h"

#include "base/mem.h"
#include "pool/ffmpeg.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS ITSI_NS_PER_MS

struct world {
    uv_loop_t loop;
    enum itsi_worker_kind kind;
    char program[256], folder[64];
    struct itsi_ffmpeg *ffmpeg;
    bool ready, gone;
    int finished, descriptors;
    struct itsi_ffmpeg_result result; /* of the last job: lines and error are copies */
    char lines[1 << 15], error[512], last_words[1 << 15];
};
static struct world w;

static void on_ready(void *arg)
{
    (void)arg;
    w.ready = true;
}

static void on_finished(void *arg, struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    (void)arg, (void)job;
    w.result = *result;
    snprintf(w.lines, sizeof w.lines, "%s", result->lines);
    snprintf(w.error, sizeof w.error, "%s", result->error);
    w.finished++;
}

static void on_gone(void *arg, const struct itsi_process_exit *exit, const char *lines)
{
    (void)arg, (void)exit;
    snprintf(w.last_words, sizeof w.last_words, "%s", lines);
    w.gone = true;
}

static const struct itsi_ffmpeg_events events = {on_ready, on_finished, on_gone};

static void turn_until(const bool *flag)
{
    while (!*flag)
        uv_run(&w.loop, UV_RUN_ONCE);
}

static void start_with(const struct itsi_ffmpeg_setup *setup)
{
    struct its_diag diag;
    w.ready = w.gone = false;
    w.ffmpeg = itsi_zalloc(sizeof *w.ffmpeg);
    w.ffmpeg->events = &events;
    CHECK_OK(itsi_ffmpeg_start(w.ffmpeg, &w.loop, setup, &diag), diag);
}

static void stop(void)
{
    if (!w.gone)
        itsi_ffmpeg_end(w.ffmpeg);
    turn_until(&w.gone);
    itsi_free(w.ffmpeg);
    w.ffmpeg = NULL;
}

static struct itsi_ffmpeg_setup usual(void)
{
    return (struct itsi_ffmpeg_setup){.program = w.program,
                                      .kind = w.kind,
                                      .timeout_ns = 60 * ITSI_NS_PER_S,
                                      .stall_ns = 20 * ITSI_NS_PER_S,
                                      .grace_ns = 300 * MS};
}

static int begin_kind(enum itsi_worker_kind kind)
{
    struct its_diag diag;
    memset(&w, 0, sizeof w);
    w.kind = kind;
    w.descriptors = processes_descriptors();
    strcpy(w.folder, "/tmp/its-ffmpeg-XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    CHECK_OK(itsi_spawn_find("ffmpeg", w.program, sizeof w.program, &diag), diag);
    uv_loop_init(&w.loop);
    const struct itsi_ffmpeg_setup setup = usual();
    start_with(&setup);
    turn_until(&w.ready);
    return 0;
}

static int begin_linked(void **state) { return (void)state, begin_kind(ITSI_WORKER_LINKED); }
static int begin_executing(void **state) { return (void)state, begin_kind(ITSI_WORKER_EXECUTING); }

static int end(void **state)
{
    char command[128];
    (void)state;
    stop();
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
    assert_int_equal(processes_descriptors(), w.descriptors);
    assert_int_equal(processes_children(), 0);
    snprintf(command, sizeof command, "rm -r %s", w.folder);
    return system(command);
}

static int run(struct itsi_ffmpeg_job *job, struct its_diag *diag)
{
    w.finished = 0;
    if (!job->deadline)
        job->deadline = ITSI_NEVER;
    return itsi_ffmpeg_run(w.ffmpeg, job, diag);
}

static void finish(void)
{
    while (!w.finished)
        uv_run(&w.loop, UV_RUN_ONCE);
}

static void run_to_end(struct itsi_ffmpeg_job *job)
{
    struct its_diag diag;
    CHECK_OK(run(job, &diag), diag);
    finish();
}

/* Until the job has a process. */
static pid_t await_pid(void)
{
    while (!w.ffmpeg->pid && !w.finished)
        uv_run(&w.loop, UV_RUN_ONCE);
    return w.ffmpeg->pid;
}

/* Until it has written something, so is well under way. */
static void await_progress(void)
{
    while (!w.ffmpeg->progress.media_us && !w.finished)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_false(w.finished);
}

static const char *const quick[] = {"-f", "lavfi", "-i", "color=size=16x16:duration=0.1", "-f", "null", "-", NULL};
/* In real time, so that it takes as long as it is left. */
static const char *const endless[] = {"-re", "-f", "lavfi", "-i", "color=size=16x16", "-f", "null", "-", NULL};

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void a_clip_is_made_and_remuxed(void **state)
{
    char avi[128], mp4[128];
    struct stat info;
    (void)state;
    snprintf(avi, sizeof avi, "%s/a clip; $(x).avi", w.folder);
    snprintf(mp4, sizeof mp4, "%s/clip.mp4", w.folder);
    const char *const make[] = {"-f", "lavfi", "-i", "testsrc2=size=320x240:duration=2", "-c:v", "mpeg4", avi, NULL};
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = make, .input = -1, .output = -1});
    assert_string_equal(w.error, "");
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(w.result.frames, 50);
    const char *const remux[] = {"-i", avi, "-c", "copy", "-movflags", "+faststart", mp4, NULL};
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = remux, .input = -1, .output = -1});
    assert_string_equal(w.error, "");
    assert_int_equal(w.result.frames, 50);
    assert_int_equal(stat(mp4, &info), 0);
    assert_int_equal(w.result.bytes, info.st_size);
    assert_true(w.result.media_us >= 1900000 && w.result.media_us <= 2100000);
    CHECK_CONTAINS(w.lines, "Stream mapping:");
}

static void what_goes_in_comes_out_by_pipes(void **state)
{
    int in[2], out[2];
    char text[64] = "";
    (void)state;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(write(in[1], "0123456789", 10), 10);
    close(in[1]);
    const char *const copy[] = {"-f", "u8", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-f", "u8", "pipe:1", NULL};
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = copy, .input = in[0], .output = out[1]});
    assert_string_equal(w.error, "");
    assert_int_equal(read(out[0], text, sizeof text), 10);
    assert_int_equal(read(out[0], text + 10, 1), 0); /* nobody holds the other end */
    assert_string_equal(text, "0123456789");
    close(out[0]);
}

static void what_fails_says_why(void **state)
{
    const char *const arguments[] = {"-i", "/no/such/file", "-f", "null", "-", NULL};
    (void)state;
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = arguments, .input = -1, .output = -1});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_FAILED);
    assert_int_equal(w.result.code, ITS_EIO);
    assert_int_equal(w.result.exit_code, 1);
    assert_string_equal(w.error, "ffmpeg: exit code 1: /no/such/file: No such file or directory");
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = quick, .input = -1, .output = -1});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_DONE); /* the next finds nothing of it */
    assert_null(strstr(w.lines, "No such file"));
}

static void a_job_that_is_killed_is_told(void **state)
{
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&(struct itsi_ffmpeg_job){.arguments = endless, .input = -1, .output = -1}, &diag), diag);
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

/* Opening a FIFO without a writer blocks, and goes on blocking when TERM has been noted. */
static void who_does_not_heed_term_is_killed(void **state)
{
    char fifo[128];
    (void)state;
    snprintf(fifo, sizeof fifo, "%s/fifo", w.folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const arguments[] = {"-i", fifo, "-f", "null", "-", NULL};
    run_to_end(&(struct itsi_ffmpeg_job){
        .arguments = arguments, .input = -1, .output = -1, .deadline = itsi_now_ns() + 300 * MS});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_KILLED);
    assert_int_equal(w.result.killed, ITSI_JOB_KILL_TIMEOUT);
    assert_int_equal(w.result.signal, SIGKILL);
}

static void a_job_is_cancelled(void **state)
{
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&(struct itsi_ffmpeg_job){.arguments = endless, .input = -1, .output = -1}, &diag), diag);
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
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_CRASHED);
    assert_int_equal(w.result.signal, SIGXFSZ);
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
    struct its_diag diag;
    (void)state;
    CHECK_OK(run(&(struct itsi_ffmpeg_job){.arguments = endless, .input = -1, .output = -1}, &diag), diag);
    const pid_t job = await_pid();
    kill(w.ffmpeg->worker.process.pid, SIGKILL);
    turn_until(&w.gone);
    assert_int_equal(w.finished, 1);
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_LOST);
    assert_true(processes_gone(job, 5));
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

static void passwords_are_seen_nowhere(void **state)
{
    const char *const arguments[] = {"-i", "http://user:pa55word@127.0.0.1:1/stream?token=t0ken", "-f", "null", "-",
                                     NULL};
    struct itsi_ffmpeg_job job = {.arguments = arguments, .input = -1, .output = -1};
    struct its_diag diag;
    char seen[4096];
    (void)state;
    if (w.kind == ITSI_WORKER_EXECUTING) {
        assert_int_equal(run(&job, &diag), ITS_EUNSUPPORTED);
        assert_null(strstr(diag.text, "pa55word"));
        return;
    }
    CHECK_OK(run(&job, &diag), diag);
    const pid_t pid = await_pid();
    processes_read(pid, "cmdline", seen, sizeof seen);
    assert_null(strstr(seen, "pa55word"));
    finish();
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_FAILED);
    CHECK_CONTAINS(w.lines, "127.0.0.1");
    assert_null(strstr(w.lines, "pa55word"));
    assert_null(strstr(w.lines, "t0ken"));
    assert_null(strstr(w.error, "pa55word"));
    assert_null(strstr(w.error, "t0ken"));
}

static void what_the_environment_says_reaches_it(void **state)
{
    char report[80], seen[4096];
    struct its_diag diag;
    (void)state;
    snprintf(report, sizeof report, "MINE=%s", w.folder);
    const char *const environment[] = {report, NULL};
    struct itsi_ffmpeg_job job = {.arguments = endless, .environment = environment, .input = -1, .output = -1};
    CHECK_OK(run(&job, &diag), diag);
    await_progress();
    if (w.kind == ITSI_WORKER_EXECUTING) { /* /proc tells what a program was executed with */
        processes_read(w.ffmpeg->pid, "environ", seen, sizeof seen);
        CHECK_CONTAINS(seen, report);
    }
    processes_read(w.ffmpeg->pid, "cmdline", seen, sizeof seen);
    assert_int_equal(strstr(seen, "lavfi") != NULL, w.kind == ITSI_WORKER_EXECUTING);
    itsi_ffmpeg_cancel(w.ffmpeg, ITSI_JOB_KILL_CANCELLED);
    finish();
}

static void too_much_text_is_refused(void **state)
{
    static char longer[ITSI_WORKER_TEXT + 1];
    const char *const arguments[] = {longer, NULL};
    struct its_diag diag;
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    assert_int_equal(run(&(struct itsi_ffmpeg_job){.arguments = arguments, .input = -1, .output = -1}, &diag),
                     ITS_ELIMIT);
    run_to_end(&(struct itsi_ffmpeg_job){.arguments = quick, .input = -1, .output = -1});
    assert_int_equal(w.result.outcome, ITSI_FFMPEG_DONE);
}

static void many_jobs_leave_nothing_behind(void **state)
{
    const int jobs = w.kind == ITSI_WORKER_LINKED ? 1000 : 50;
    int descriptors = 0;
    (void)state;
    for (int i = 0; i < jobs; i++) {
        run_to_end(&(struct itsi_ffmpeg_job){.arguments = quick, .input = -1, .output = -1});
        assert_int_equal(w.result.outcome, ITSI_FFMPEG_DONE);
        if (i == 0)
            descriptors = processes_descriptors();
    }
    assert_int_equal(processes_descriptors(), descriptors);
    assert_int_equal(processes_children(), 1); /* the worker */
    char children[64];
    processes_read(w.ffmpeg->worker.process.pid, "task/../children", children, sizeof children);
    assert_string_equal(children, "");
}

static void a_program_that_is_none_never_gets_ready(void **state)
{
    struct its_diag diag;
    struct itsi_ffmpeg_setup setup = usual();
    struct itsi_ffmpeg ffmpeg = {.events = &events};
    (void)state;
    setup.program = "/no/such/ffmpeg";
    if (w.kind == ITSI_WORKER_LINKED) {
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

#define BOTH(name)                                                                                                     \
    {#name ", linked", name, begin_linked, end, NULL}, { #name ", executing", name, begin_executing, end, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_clip_is_made_and_remuxed),
        BOTH(what_goes_in_comes_out_by_pipes),
        BOTH(what_fails_says_why),
        BOTH(a_job_that_is_killed_is_told),
        BOTH(a_job_that_hangs_is_noticed),
        BOTH(who_does_not_heed_term_is_killed),
        BOTH(a_job_is_cancelled),
        BOTH(limits_hold_for_the_job_alone),
        BOTH(a_job_that_grows_too_large_is_killed),
        BOTH(a_worker_that_is_killed_loses_its_job),
        BOTH(a_worker_that_is_stopped_is_given_up),
        BOTH(passwords_are_seen_nowhere),
        BOTH(what_the_environment_says_reaches_it),
        BOTH(too_much_text_is_refused),
        BOTH(many_jobs_leave_nothing_behind),
        BOTH(a_program_that_is_none_never_gets_ready),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One process and its jobs, with the system's FFmpeg, on a loop of the test's own; every test with both kinds of
 * worker. */
#include "pool/ffmpeg_fixture.h"

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

static void passwords_are_seen_nowhere(void **state)
{
    const char *const arguments[] = {"-i", "http://user:pa55word@127.0.0.1:1/stream?token=t0ken", "-f", "null", "-",
                                     NULL};
    struct itsi_ffmpeg_job job = {.arguments = arguments, .input = -1, .output = -1};
    struct its_diag diag;
    char seen[4096];
    (void)state;
    if (w.kind == ITSI_SPARE_EXECUTING) {
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
    if (w.kind == ITSI_SPARE_EXECUTING) { /* /proc tells what a program was executed with */
        processes_read(w.ffmpeg->pid, "environ", seen, sizeof seen);
        CHECK_CONTAINS(seen, report);
    }
    processes_read(w.ffmpeg->pid, "cmdline", seen, sizeof seen);
    assert_int_equal(strstr(seen, "lavfi") != NULL, w.kind == ITSI_SPARE_EXECUTING);
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
    const int jobs = w.kind == ITSI_SPARE_LINKED ? 200 : 20;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_clip_is_made_and_remuxed),
        BOTH(what_goes_in_comes_out_by_pipes),
        BOTH(what_fails_says_why),
        BOTH(passwords_are_seen_nowhere),
        BOTH(what_the_environment_says_reaches_it),
        BOTH(too_much_text_is_refused),
        BOTH(many_jobs_leave_nothing_behind),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One process and its jobs, on a loop of the test's own. */
#ifndef ITSI_POOL_FFMPEG_FIXTURE_H
#define ITSI_POOL_FFMPEG_FIXTURE_H

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
    enum itsi_spare_kind kind;
    char program[256], folder[64];
    struct itsi_ffmpeg *ffmpeg;
    bool ready, gone;
    int finished, descriptors;
    struct itsi_ffmpeg_result result; /* of the last job: lines and error are copies */
    char lines[1 << 15], error[512], last_words[1 << 15];
};
static struct world w;

static inline void on_ready(void *arg)
{
    (void)arg;
    w.ready = true;
}

static inline void on_finished(void *arg, struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    (void)arg, (void)job;
    w.result = *result;
    snprintf(w.lines, sizeof w.lines, "%s", result->lines);
    snprintf(w.error, sizeof w.error, "%s", result->error);
    w.finished++;
}

static inline void on_gone(void *arg, const struct itsi_process_exit *exit, const char *lines)
{
    (void)arg, (void)exit;
    snprintf(w.last_words, sizeof w.last_words, "%s", lines);
    w.gone = true;
}

static const struct itsi_ffmpeg_events events = {on_ready, on_finished, on_gone};

static inline void turn_until(const bool *flag)
{
    while (!*flag)
        uv_run(&w.loop, UV_RUN_ONCE);
}

static inline void start_with(const struct itsi_ffmpeg_setup *setup)
{
    struct its_diag diag;
    w.ready = w.gone = false;
    w.ffmpeg = itsi_zalloc(sizeof *w.ffmpeg);
    w.ffmpeg->events = &events;
    CHECK_OK(itsi_ffmpeg_start(w.ffmpeg, &w.loop, setup, &diag), diag);
}

static inline void stop(void)
{
    if (!w.gone)
        itsi_ffmpeg_end(w.ffmpeg);
    turn_until(&w.gone);
    itsi_free(w.ffmpeg);
    w.ffmpeg = NULL;
}

static inline struct itsi_ffmpeg_setup usual(void)
{
    return (struct itsi_ffmpeg_setup){.program = w.program,
                                      .kind = w.kind,
                                      .timeout_ns = 60 * ITSI_NS_PER_S,
                                      .stall_ns = 20 * ITSI_NS_PER_S,
                                      .grace_ns = 300 * MS};
}

static inline int begin_kind(enum itsi_spare_kind kind)
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

static inline int begin_linked(void **state) { return (void)state, begin_kind(ITSI_SPARE_LINKED); }
static inline int begin_executing(void **state) { return (void)state, begin_kind(ITSI_SPARE_EXECUTING); }

static inline int end(void **state)
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

static inline int run(struct itsi_ffmpeg_job *job, struct its_diag *diag)
{
    w.finished = 0;
    if (!job->deadline)
        job->deadline = ITSI_NEVER;
    return itsi_ffmpeg_run(w.ffmpeg, job, diag);
}

static inline void finish(void)
{
    while (!w.finished)
        uv_run(&w.loop, UV_RUN_ONCE);
}

static inline void run_to_end(struct itsi_ffmpeg_job *job)
{
    struct its_diag diag;
    CHECK_OK(run(job, &diag), diag);
    finish();
}

/* Until the job has a process. */
static inline pid_t await_pid(void)
{
    while (!w.ffmpeg->pid && !w.finished)
        uv_run(&w.loop, UV_RUN_ONCE);
    return w.ffmpeg->pid;
}

/* Until it has written something, so is well under way. */
static inline void await_progress(void)
{
    while (!w.ffmpeg->progress.media_us && !w.finished)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_false(w.finished);
}

static const char *const quick[] = {"-f", "lavfi", "-i", "color=size=16x16:duration=0.1", "-f", "null", "-", NULL};
/* In real time, so that it takes as long as it is left. */
static const char *const endless[] = {"-re", "-f", "lavfi", "-i", "color=size=16x16", "-f", "null", "-", NULL};

#define BOTH(name)                                                                                                     \
    {#name ", linked", name, begin_linked, end, NULL}, { #name ", executing", name, begin_executing, end, NULL }

#endif

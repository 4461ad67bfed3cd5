#include "pool/ffmpeg.h"

#include "base/clock.h"
#include "base/diag.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORPHAN_MS = 2000 }; /* longest that it is waited for */

/* --- watching ----------------------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void arm(struct itsi_ffmpeg *f)
{
    const int64_t due = f->job ? itsi_job_watch_due(&f->watch) : ITSI_NEVER;
    if (due == ITSI_NEVER) {
        uv_timer_stop(&f->timer);
        return;
    }
    const int64_t wait = due - itsi_now_ns();
    uv_update_time(f->timer.loop); /* it counts from when the loop last looked at its clock */
    uv_timer_start(&f->timer, on_timer, wait > 0 ? (uint64_t)(wait / ITSI_NS_PER_MS) + 1 : 0, 0);
}

static void look(struct itsi_ffmpeg *f)
{
    const uint64_t rss = f->pid && f->watch.params.most_rss_bytes ? itsi_process_rss(f->pid) : 0;
    switch (itsi_job_watch_look(&f->watch, rss, itsi_now_ns())) {
    case ITSI_JOB_TERM:
        itsi_spare_signal(&f->worker, SIGTERM);
        itsi_spare_signal(&f->worker, SIGCONT); /* stopped, it could not follow */
        break;
    case ITSI_JOB_KILL:
        itsi_spare_signal(&f->worker, SIGKILL);
        break;
    case ITSI_JOB_ABANDON:
        itsi_spare_end(&f->worker);
        break;
    case ITSI_JOB_GOES_ON:
        break;
    }
    arm(f);
}

static void on_timer(uv_timer_t *timer)
{
    struct itsi_ffmpeg *f = timer->data;
    if (f->job)
        look(f);
}

/* --- what came of a job ------------------------------------------------------------------------------------------- */

static const char *last_lines(struct itsi_ffmpeg *f)
{
    const char *words[ITSI_FFMPEG_SECRETS + 64];
    int count = 0;
    for (; count < f->secrets.count; count++)
        words[count] = f->secrets.words[count];
    for (const char *const *more = f->job ? f->job->secrets : NULL; more && *more && count < ITSI_FFMPEG_SECRETS + 63;
         more++)
        words[count++] = *more;
    words[count] = NULL;
    itsi_buf_reset(&f->text);
    itsi_last_lines_show(&f->worker.process.lines, words, &f->text);
    return f->text.data && !f->text.failed ? f->text.data : "";
}

/* The last line says most. */
static void copy_last_line(const char *lines, char *out, size_t size)
{
    size_t end = strlen(lines);
    while (end && lines[end - 1] == '\n')
        end--;
    size_t begin = end;
    while (begin && lines[begin - 1] != '\n')
        begin--;
    const size_t len = end - begin < size - 1 ? end - begin : size - 1;
    memcpy(out, lines + begin, len);
    out[len] = '\0';
}

static int explain(const struct itsi_ffmpeg *f, const struct itsi_ffmpeg_result *result, struct its_diag *diag)
{
    char last[200];
    copy_last_line(result->lines, last, sizeof last);
    switch (result->outcome) {
    case ITSI_FFMPEG_FAILED:
        return itsi_fail(diag, ITS_EIO, "ffmpeg: exit code %d: %s", result->exit_code, last);
    case ITSI_FFMPEG_CRASHED:
        return itsi_fail(diag, ITS_EIO, "ffmpeg: ended by signal %d (%s)", result->signal, strsignal(result->signal));
    case ITSI_FFMPEG_KILLED:
        return itsi_fail(diag,
                         result->killed == ITSI_JOB_KILL_CANCELLED || result->killed == ITSI_JOB_KILL_SHUTDOWN
                             ? ITS_ECANCELLED
                         : result->killed == ITSI_JOB_KILL_MEMORY ? ITS_ELIMIT
                                                                  : ITS_ETIMEOUT,
                         "ffmpeg: killed after %.1f s (%s)", result->seconds, itsi_job_kill_name(result->killed));
    case ITSI_FFMPEG_LIMITED:
        return itsi_fail(diag, ITS_ELIMIT, "ffmpeg: ended by its limit of %s: %s", itsi_job_limit_text(result->limit), last);
    case ITSI_FFMPEG_LOST:
        return itsi_fail(diag, ITS_EIO, "ffmpeg: the process that it ran in died");
    case ITSI_FFMPEG_REFUSED:
        return itsi_fail_errno(diag, f->error.error, "ffmpeg: %s", itsi_child_step_name(f->error.step));
    default:
        return 0;
    }
}

/* Who ended it: the job itself, we, or a limit. */
static void judge(const struct itsi_ffmpeg *f, struct itsi_ffmpeg_result *result)
{
    const struct itsi_job_end end = {.signal = result->signal,
                                     .cpu_ns = (int64_t)(result->cpu_seconds * 1e9),
                                     .most_rss_bytes = result->most_rss_bytes,
                                     .lines = result->lines};
    if (f->watch.reason != ITSI_JOB_KILL_NONE && result->outcome != ITSI_FFMPEG_DONE) {
        result->killed = f->watch.reason; /* else it was quicker */
        result->outcome = ITSI_FFMPEG_KILLED;
    } else if (result->outcome == ITSI_FFMPEG_FAILED || result->outcome == ITSI_FFMPEG_CRASHED) {
        result->limit = itsi_job_limit_find(&f->limits, &end);
        if (result->limit != ITSI_JOB_LIMIT_NONE)
            result->outcome = ITSI_FFMPEG_LIMITED;
    }
}

static void finish(struct itsi_ffmpeg *f, struct itsi_ffmpeg_result *result)
{
    struct its_diag diag = {.text = ""};
    struct itsi_ffmpeg_job *job = f->job;
    result->seconds = (double)(itsi_now_ns() - f->started) / 1e9;
    result->frames = f->progress.frames;
    result->bytes = f->progress.bytes;
    result->media_us = f->progress.media_us;
    result->lines = last_lines(f);
    judge(f, result);
    itsi_last_lines_reset(&f->worker.process.lines); /* the job takes its secrets along, and so what it wrote */
    result->code = explain(f, result, &diag);
    result->error = diag.text;
    f->job = NULL;
    arm(f);
    f->events->finished(f->arg, job, result);
}

static void close_pidfd(struct itsi_ffmpeg *f)
{
    if (f->pidfd >= 0)
        close(f->pidfd);
    f->pidfd = -1;
}

static void on_ended(void *arg, int status, int64_t cpu_ns, uint64_t most_rss_bytes)
{
    struct itsi_ffmpeg *f = arg;
    struct itsi_ffmpeg_result result = {
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .cpu_seconds = (double)cpu_ns / 1e9,
        .most_rss_bytes = most_rss_bytes,
    };
    close_pidfd(f);
    if (!f->job)
        return;
    if (f->error.error)
        result.outcome = ITSI_FFMPEG_REFUSED;
    else if (result.signal)
        result.outcome = ITSI_FFMPEG_CRASHED;
    else
        result.outcome = result.exit_code ? ITSI_FFMPEG_FAILED : ITSI_FFMPEG_DONE;
    finish(f, &result);
}

/* --- what its worker tells ---------------------------------------------------------------------------------------- */

static void on_ready(void *arg)
{
    struct itsi_ffmpeg *f = arg;
    f->events->ready(f->arg);
}

static void on_started(void *arg, pid_t pid)
{
    struct itsi_ffmpeg *f = arg;
    f->pid = pid;
    f->pidfd = pidfd_open(pid, 0); /* none: it has ended */
}

static void on_failed(void *arg, const struct itsi_child_error *error)
{
    struct itsi_ffmpeg *f = arg;
    f->error = *error;
}

static void on_progress(void *arg, const char *data, size_t len)
{
    struct itsi_ffmpeg *f = arg;
    if (itsi_progress_feed(&f->progress, data, len) && f->job) {
        itsi_job_watch_progress(&f->watch, itsi_now_ns());
        arm(f);
    }
}

static void timer_closed(uv_handle_t *handle)
{
    struct itsi_ffmpeg *f = handle->data;
    const char *lines = last_lines(f);
    struct itsi_buf text = f->text; /* gone() may free all of f */
    itsi_buf_init(&f->text);
    f->events->gone(f->arg, &f->exit, lines);
    itsi_buf_fini(&text);
}

static void orphan_closed(uv_handle_t *handle)
{
    struct itsi_ffmpeg *f = handle->data;
    close_pidfd(f);
    uv_close((uv_handle_t *)&f->timer, timer_closed);
}

static void on_orphan_ended(uv_poll_t *poll, int status, int events)
{
    struct itsi_ffmpeg *f = poll->data;
    siginfo_t info;
    (void)status, (void)events;
    (void)waitid(P_PIDFD, (id_t)f->pidfd, &info, WEXITED | WNOHANG); /* where it is another's, that one does */
    uv_close((uv_handle_t *)poll, orphan_closed);
}

/* The kernel does not let it go: nobody waits for it any longer. */
static void on_orphan_stays(uv_timer_t *timer)
{
    struct itsi_ffmpeg *f = timer->data;
    uv_close((uv_handle_t *)&f->orphan, orphan_closed);
}

/* The job of a worker that died is killed with it, and has a new parent. That is this process where it is the first of
 * its container, or a subreaper: then it is reaped here, or nobody would. */
static void await_orphan(struct itsi_ffmpeg *f)
{
    if (f->pidfd < 0 || uv_poll_init(f->timer.loop, &f->orphan, f->pidfd) != 0) {
        close_pidfd(f);
        uv_close((uv_handle_t *)&f->timer, timer_closed);
        return;
    }
    f->orphan.data = f;
    uv_poll_start(&f->orphan, UV_READABLE, on_orphan_ended);
    uv_update_time(f->timer.loop);
    uv_timer_start(&f->timer, on_orphan_stays, ORPHAN_MS, 0);
}

static void on_gone(void *arg, const struct itsi_process_exit *exit)
{
    struct itsi_ffmpeg *f = arg;
    struct itsi_ffmpeg_result lost = {.outcome = ITSI_FFMPEG_LOST, .exit_code = -1};
    f->exit = *exit;
    if (f->job)
        finish(f, &lost);
    await_orphan(f);
}

static const struct itsi_spare_events worker_events = {on_ready,    on_started, on_failed,
                                                        on_progress, on_ended,   on_gone};

int itsi_ffmpeg_start(struct itsi_ffmpeg *f, uv_loop_t *loop, const struct itsi_ffmpeg_setup *setup,
                      struct its_diag *diag)
{
    const struct itsi_spare_setup worker = {.kind = setup->kind, .program = setup->program};
    f->setup = *setup;
    f->pidfd = -1;
    f->worker.events = &worker_events;
    f->worker.arg = f;
    int rc = itsi_spare_start(&f->worker, loop, &worker, diag);
    if (rc)
        return rc;
    uv_timer_init(loop, &f->timer);
    f->timer.data = f;
    return 0;
}

/* --- running a job ------------------------------------------------------------------------------------------------ */

void itsi_ffmpeg_close_descriptors(struct itsi_ffmpeg_job *job)
{
    if (job->input >= 0)
        close(job->input);
    if (job->output >= 0)
        close(job->output);
    job->input = job->output = -1;
}

static int hand_over(struct itsi_ffmpeg *f, const struct itsi_ffmpeg_job *job, struct its_diag *diag)
{
    const char *argv[ITSI_FFMPEG_ARGUMENTS],
        *env[64] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C", "AV_LOG_FORCE_NOCOLOR=1"};
    int argc = 0, envc = 3;
    argv[argc++] = "ffmpeg";
    for (const char *const *first = itsi_ffmpeg_first_arguments; *first; first++)
        argv[argc++] = *first;
    for (const char *const *more = job->arguments; *more && argc < ITSI_FFMPEG_ARGUMENTS; more++)
        argv[argc++] = *more;
    for (const char *const *more = job->environment; more && *more && envc < 64; more++)
        env[envc++] = *more;
    if (argc == ITSI_FFMPEG_ARGUMENTS || envc == 64)
        return itsi_fail(diag, ITS_ELIMIT, "ffmpeg: too many arguments, or too much environment");
    argv[argc] = env[envc] = NULL;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return itsi_fail(diag, ITS_ELIMIT, "ffmpeg: no more descriptors");
    const struct itsi_spare_order order = {
        .argv = argv,
        .env = env,
        .fds = {job->input >= 0 ? job->input : null, job->output >= 0 ? job->output : null},
        .limits = f->limits,
    };
    const int rc = itsi_spare_run(&f->worker, &order, diag);
    close(null);
    return rc;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* That it will have: what the daemon itself may not exceed is among them, so that it is named where that ends a job. */
static struct itsi_child_limits limits_of(const struct itsi_ffmpeg_setup *setup, const struct itsi_ffmpeg_job *job,
                                          int64_t deadline, int64_t now)
{
    const struct itsi_child_limits own = itsi_child_limits_own();
    struct itsi_child_limits most = setup->limits;
    most.cpu_seconds = itsi_job_limit_cpu(deadline == ITSI_NEVER ? ITSI_NEVER : deadline - now, setup->processors);
    most = itsi_child_limits_within(&most, &own);
    return itsi_child_limits_within(&job->limits, &most);
}

int itsi_ffmpeg_run(struct itsi_ffmpeg *f, struct itsi_ffmpeg_job *job, struct its_diag *diag)
{
    const int64_t now = itsi_now_ns();
    const struct itsi_ffmpeg_setup *setup = &f->setup;
    const struct itsi_job_watch_params params = {
        .deadline = setup->timeout_ns == ITSI_NEVER ? job->deadline : earlier(job->deadline, now + setup->timeout_ns),
        .stall_ns = job->stall_ns > 0 ? job->stall_ns : setup->stall_ns,
        .grace_ns = setup->grace_ns,
        .most_rss_bytes = setup->most_rss_bytes,
    };
    int rc = itsi_ffmpeg_secrets_find(&f->secrets, job->arguments, setup->kind == ITSI_SPARE_EXECUTING, diag);
    itsi_last_lines_reset(&f->worker.process.lines);
    f->limits = limits_of(setup, job, params.deadline, now);
    if (rc == 0)
        rc = hand_over(f, job, diag);
    itsi_ffmpeg_close_descriptors(job);
    if (rc)
        return rc;
    f->job = job;
    f->pid = 0;
    f->started = now;
    f->error = (struct itsi_child_error){0};
    f->progress = (struct itsi_progress){0};
    itsi_job_watch_begin(&f->watch, &params, now);
    arm(f);
    return 0;
}

void itsi_ffmpeg_cancel(struct itsi_ffmpeg *f, enum itsi_job_kill reason)
{
    if (!f->job)
        return;
    itsi_job_watch_end(&f->watch, reason);
    look(f);
}

void itsi_ffmpeg_end(struct itsi_ffmpeg *f) { itsi_spare_end(&f->worker); }

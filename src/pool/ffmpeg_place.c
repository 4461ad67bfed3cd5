/* FFmpeg's processes as the lease pool sees them: opened, closed, lost. */
#include "pool/ffmpeg_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- opening ------------------------------------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer);

static void arm(struct itsi_ffmpeg_place *place, int64_t when)
{
    const int64_t wait = when - itsi_now_ns();
    uv_update_time(place->timer.loop);
    uv_timer_start(&place->timer, on_timer, wait > 0 ? (uint64_t)(wait / ITSI_NS_PER_MS) + 1 : 0, 0);
}

static void open_failed(struct itsi_ffmpeg_place *place, int code, const struct its_diag *diag)
{
    place->state = ITSI_FFMPEG_EMPTY;
    uv_timer_stop(&place->timer);
    itsi_pool_open_failed(place->slot, code, diag);
}

static void start(struct itsi_ffmpeg_place *place)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    struct its_diag diag = {.text = ""};
    place->is_another = false;
    place->kind = itsi_linking_is_due(&pool->linking, itsi_now_ns()) ? ITSI_SPARE_LINKED : ITSI_SPARE_EXECUTING;
    const struct itsi_ffmpeg_setup setup = {
        .program = pool->program,
        .kind = place->kind,
        .timeout_ns = ITSI_NEVER, /* in the job's deadline already */
        .stall_ns = pool->params.stall_ns,
        .grace_ns = pool->params.grace_ns,
        .most_rss_bytes = pool->params.most_job_bytes,
        .limits = pool->params.limits,
        .processors = pool->params.processors,
    };
    memset(&place->ffmpeg, 0, sizeof place->ffmpeg);
    place->ffmpeg.events = &itsi_ffmpeg_place_events;
    place->ffmpeg.arg = place;
    const int rc = itsi_ffmpeg_start(&place->ffmpeg, itsi_loop_uv(pool->loop), &setup, &diag);
    if (rc) {
        open_failed(place, rc, &diag);
        return;
    }
    place->state = ITSI_FFMPEG_STARTING;
    arm(place, place->open_deadline);
}

static void open_place(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    struct itsi_ffmpeg_pool *pool = self;
    struct itsi_ffmpeg_place *place = &pool->places[slot->index];
    struct its_diag diag;
    const int64_t now = itsi_now_ns();
    const int64_t next = itsi_restart_budget_next(&place->deaths, &pool->params.restarts, now);
    place->slot = slot;
    place->is_closing = false;
    place->open_deadline = deadline;
    if (!pool->program[0]) {
        itsi_pool_open_failed(slot, ITS_ENOTFOUND, &pool->missing);
    } else if (next <= now) {
        start(place);
    } else if (next < deadline) {
        place->state = ITSI_FFMPEG_BACKOFF;
        arm(place, next);
    } else {
        itsi_fail(&diag, ITS_ELIMIT, "%s: died %d times within %.0f s; started again in %.0f s", pool->program,
                  itsi_restart_budget_spent(&place->deaths, &pool->params.restarts, now),
                  (double)pool->params.restarts.window_ns / 1e9, (double)(next - now) / 1e9);
        itsi_pool_open_failed(slot, ITS_ELIMIT, &diag);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct itsi_ffmpeg_place *place = timer->data;
    if (place->state == ITSI_FFMPEG_BACKOFF)
        start(place);
    else if (place->state == ITSI_FFMPEG_STARTING)
        itsi_ffmpeg_end(&place->ffmpeg); /* it is not ready in time: gone() follows */
}

/* --- its process ---------------------------------------------------------------------------------------------------
 */

static bool runs_program(const struct itsi_ffmpeg_place *place)
{
    char link[32], runs[PATH_MAX], wanted[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)place->ffmpeg.worker.process.pid);
    return realpath(link, runs) && realpath(place->pool->program, wanted) && strcmp(runs, wanted) == 0;
}

static void linking_works(struct itsi_ffmpeg_pool *pool)
{
    if (!itsi_linking_worked(&pool->linking))
        return;
    itsi_ffmpeg_count_kind(pool, ITSI_SPARE_LINKED);
    itsi_info("ffmpeg", "%s is linked ahead again", pool->program);
}

static void on_ready(void *arg)
{
    struct itsi_ffmpeg_place *place = arg;
    if (place->is_closing)
        return;
    if (place->kind == ITSI_SPARE_LINKED && !runs_program(place)) {
        place->is_another = true;
        itsi_ffmpeg_end(&place->ffmpeg);
        return;
    }
    if (place->kind == ITSI_SPARE_LINKED)
        linking_works(place->pool);
    uv_timer_stop(&place->timer);
    place->state = ITSI_FFMPEG_READY;
    itsi_pool_opened(place->slot);
}

static void died(struct itsi_ffmpeg_place *place)
{
    itsi_restart_budget_died(&place->deaths, itsi_now_ns());
    itsi_ffmpeg_count_death(place->pool);
}

static void warn_of_death(struct itsi_ffmpeg_place *place, const struct itsi_process_exit *exit, const char *lines)
{
    died(place);
    itsi_warn("ffmpeg", "a process died (exit code %d, signal %d)%s%.200s", exit->code, exit->signal,
              lines[0] ? ": " : "", lines);
}

static void on_finished(void *arg, struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct itsi_ffmpeg_place *place = arg;
    if (place->ffmpeg.worker.process.pid == 0) { /* whatever became of the job */
        if (!place->is_closing)
            warn_of_death(place, &place->ffmpeg.exit, ""); /* what it wrote was the job's */
        place->state = ITSI_FFMPEG_DYING;
    }
    itsi_ffmpeg_pool_finished(place, job, result);
}

/* Another program answers: that stays so. All else may pass. */
static void linking_failed(struct itsi_ffmpeg_place *place, const char *lines)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    const bool changes = itsi_linking_failed(&pool->linking, &pool->params.linking, itsi_now_ns());
    pool->linking.impossible |= place->is_another;
    itsi_ffmpeg_count_kind(pool, ITSI_SPARE_EXECUTING);
    if (changes && place->is_another)
        itsi_info("ffmpeg", "%s cannot be linked ahead: it is executed for each job", pool->program);
    else if (changes)
        itsi_warn("ffmpeg", "%s was not linked ahead: it is executed for each job until that works: %.200s",
                  pool->program, lines);
}

/* What was started did not get ready. What fails while it is linked ahead may do as it is executed. */
static void failed_to_start(struct itsi_ffmpeg_place *place, const struct itsi_process_exit *exit, const char *lines)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    struct its_diag diag;
    const bool timed_out = itsi_now_ns() >= place->open_deadline;
    if (place->kind == ITSI_SPARE_LINKED && !timed_out && (place->is_another || exit->signal != SIGKILL)) {
        linking_failed(place, lines);
        start(place);
        return;
    }
    died(place);
    itsi_fail(&diag, ITS_EIO, "%s: %s (exit code %d, signal %d): %.200s", pool->program,
              timed_out ? "was not ready in time" : "ended before it was ready", exit->code, exit->signal, lines);
    open_failed(place, ITS_EIO, &diag);
}

static void on_gone(void *arg, const struct itsi_process_exit *exit, const char *lines)
{
    struct itsi_ffmpeg_place *place = arg;
    const enum itsi_ffmpeg_place_state state = place->state;
    uv_timer_stop(&place->timer);
    if (place->is_closing) {
        place->state = ITSI_FFMPEG_EMPTY;
        if (state == ITSI_FFMPEG_STARTING) /* the open is owed an answer too */
            itsi_pool_open_failed(place->slot, ITS_ECANCELLED, NULL);
        itsi_pool_closed(place->slot);
    } else if (state == ITSI_FFMPEG_STARTING) {
        failed_to_start(place, exit, lines);
    } else {
        place->state = ITSI_FFMPEG_GONE;
        if (state == ITSI_FFMPEG_READY) {
            warn_of_death(place, exit, lines);
            itsi_pool_lost(place->slot);
        }
    }
}

const struct itsi_ffmpeg_events itsi_ffmpeg_place_events = {on_ready, on_finished, on_gone};

/* --- closing ------------------------------------------------------------------------------------------------------ */

static void close_place(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason)
{
    struct itsi_ffmpeg_pool *pool = self;
    struct itsi_ffmpeg_place *place = &pool->places[slot->index];
    switch (place->state) {
    case ITSI_FFMPEG_BACKOFF:
        place->state = ITSI_FFMPEG_EMPTY;
        uv_timer_stop(&place->timer);
        itsi_pool_open_failed(slot, ITS_ECANCELLED, NULL);
        itsi_pool_closed(slot);
        return;
    case ITSI_FFMPEG_STARTING:
    case ITSI_FFMPEG_READY:
    case ITSI_FFMPEG_DYING:
        place->is_closing = true;
        if (place->ffmpeg.job) /* it stops at once: the time that it had is over */
            itsi_job_watch_end(&place->ffmpeg.watch,
                               reason == ITSI_POOL_CLOSED_SHUTDOWN ? ITSI_JOB_KILL_SHUTDOWN : ITSI_JOB_KILL_TIMEOUT);
        itsi_ffmpeg_end(&place->ffmpeg);
        return;
    case ITSI_FFMPEG_GONE:
    case ITSI_FFMPEG_EMPTY:
        place->state = ITSI_FFMPEG_EMPTY;
        itsi_pool_closed(slot);
        return;
    }
}

const struct itsi_pool_kind itsi_ffmpeg_kind = {.name = "ffmpeg", .open = open_place, .close = close_place};

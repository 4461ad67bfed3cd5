/* FFmpeg's processes as the lease pool sees them: opened, closed, lost. */
#include "pool/ffmpeg_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"

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

static int start_process(struct itsi_ffmpeg_place *place, struct its_diag *diag)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
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
    return itsi_ffmpeg_start(&place->ffmpeg, itsi_loop_uv(pool->loop), &setup, diag);
}

static void start_as(struct itsi_ffmpeg_place *place, enum itsi_spare_kind kind);

/* Whatever the reason. What does not come to work as it is linked ahead may do as it is executed. */
static void linking_failed(struct itsi_ffmpeg_place *place, const struct its_diag *why)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    const int64_t now = itsi_now_ns();
    if (place->runs == ITSI_LINKING_ANOTHER)
        itsi_ffmpeg_pool_never_link(pool);
    else if (itsi_linking_failed(&pool->linking, &pool->params.linking, now))
        itsi_warn("ffmpeg", "FFmpeg was not linked ahead: it is executed for each job until that works: %s", why->text);
    itsi_ffmpeg_count_linking(pool);
    if (now < place->open_deadline)
        start_as(place, ITSI_SPARE_EXECUTING);
    else
        open_failed(place, ITS_ETIMEOUT, why); /* the next open executes */
}

static void start_as(struct itsi_ffmpeg_place *place, enum itsi_spare_kind kind)
{
    struct its_diag diag = {.text = ""};
    const bool is_linked = kind == ITSI_SPARE_LINKED;
    const int64_t now = itsi_now_ns(), left = place->open_deadline - now;
    place->kind = kind;
    place->is_late = false;
    place->runs = ITSI_LINKING_PROGRAM;
    place->file = itsi_linking_file(place->pool->program);
    const int rc = start_process(place, &diag);
    if (rc == 0) {
        place->state = ITSI_FFMPEG_STARTING;
        arm(place, is_linked ? now + left / 2 : place->open_deadline); /* what is left is for executing it */
    } else if (is_linked) {
        linking_failed(place, &diag);
    } else {
        open_failed(place, rc, &diag);
    }
}

static void start(struct itsi_ffmpeg_place *place)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    const bool is_linked =
        place->is_to_link || itsi_linking_try(&pool->linking, &pool->params.linking, itsi_now_ns());
    place->is_to_link = false;
    start_as(place, is_linked ? ITSI_SPARE_LINKED : ITSI_SPARE_EXECUTING);
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
    const int rc = itsi_ffmpeg_pool_find(pool, &diag);
    if (rc) {
        itsi_pool_open_failed(slot, rc, &diag);
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
    if (place->state == ITSI_FFMPEG_BACKOFF) {
        start(place);
        return;
    }
    if (place->state != ITSI_FFMPEG_STARTING)
        return;
    place->is_late = true;
    itsi_ffmpeg_end(&place->ffmpeg); /* gone() follows */
}

/* --- its process -------------------------------------------------------------------------------------------------- */

/* False: what was linked into is not the program. */
static bool linking_worked(struct itsi_ffmpeg_place *place)
{
    struct itsi_ffmpeg_pool *pool = place->pool;
    place->runs = itsi_linking_compare(place->file, itsi_linking_file(pool->program),
                                       itsi_linking_file_of(place->ffmpeg.worker.process.pid));
    if (place->runs != ITSI_LINKING_PROGRAM)
        return false;
    if (itsi_linking_worked(&pool->linking)) {
        itsi_ffmpeg_count_linking(pool);
        itsi_info("ffmpeg", "%s is linked ahead again", pool->program);
    }
    return true;
}

static void on_ready(void *arg)
{
    struct itsi_ffmpeg_place *place = arg;
    if (place->is_closing || place->is_late)
        return;
    if (place->kind == ITSI_SPARE_LINKED && !linking_worked(place)) {
        itsi_ffmpeg_end(&place->ffmpeg);
        return;
    }
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

/* What was started did not get ready. */
static void failed_to_start(struct itsi_ffmpeg_place *place, const struct itsi_process_exit *exit, const char *lines)
{
    struct its_diag diag;
    const char *const what = place->is_late                          ? "was not ready in time"
                             : place->runs == ITSI_LINKING_REPLACED ? "is another file by now, or nobody can tell"
                                                                     : "ended before it was ready";
    const int rc = itsi_fail(&diag, place->is_late ? ITS_ETIMEOUT : ITS_EIO, "%s: %s (exit code %d, signal %d)%s%.200s",
                             place->pool->program, what, exit->code, exit->signal, lines[0] ? ": " : "", lines);
    if (place->kind == ITSI_SPARE_LINKED) {
        linking_failed(place, &diag);
        return;
    }
    died(place);
    open_failed(place, rc, &diag);
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

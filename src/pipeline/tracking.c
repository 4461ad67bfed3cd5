#include "pipeline/tracking.h"

#include "base/clock.h"
#include "base/diag.h"
#include "pipeline/pipeline_impl.h"
#include "postprocess/track_budget.h"

int itsi_pipeline_make_tracking(struct itsi_pipeline *p, struct its_diag *diag)
{
    static const struct itsi_track_budget budget = ITSI_TRACK_BUDGET_BEGIN;
    atomic_init(&p->tolerance, budget.tolerance);
    return itsi_track_scratch_create(&p->track_scratch, diag);
}

int itsi_stream_tracking_init(struct itsi_camera_stream *stream, struct its_diag *diag)
{
    struct itsi_pipeline *p = stream->pipeline;
    struct itsi_stream_tracking *t = &stream->tracking;
    pthread_mutex_init(&t->mutex, NULL);
    atomic_init(&t->interval, 1);
    if (!p->track_scratch)
        return 0;
    struct itsi_tracker_params params = ITSI_TRACKER_DEFAULTS;
    pthread_mutex_lock(&p->table);
    params.confidence = p->live.confidence;
    pthread_mutex_unlock(&p->table);
    params.floor = params.floor < params.confidence ? params.floor : params.confidence;
    return itsi_tracker_create(&t->tracker, &params, diag);
}

void itsi_stream_tracking_fini(struct itsi_camera_stream *stream)
{
    itsi_tracker_destroy(stream->tracking.tracker);
    pthread_mutex_destroy(&stream->tracking.mutex);
}

/* --- frames that are detected on ---------------------------------------------------------------------------------- */

void itsi_tracking_sent(struct itsi_camera_stream *stream) { atomic_fetch_add(&stream->tracking.detecting, 1); }

/* By whatever thread drops the frame, perhaps under the batcher's lock, where no result can be given: who stands by is left to
 * the batcher's thread. It either sees here that somebody does, or whoever does sees there that nothing is detected any more. */
void itsi_tracking_gave_up(struct itsi_camera_stream *stream)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    if (atomic_fetch_sub(&t->detecting, 1) == 1 && atomic_load(&t->stands_by))
        atomic_store(&stream->pipeline->left_standing, true);
}

float itsi_tracking_floor(const struct itsi_camera_stream *stream, float confidence)
{
    static const struct itsi_tracker_params defaults = ITSI_TRACKER_DEFAULTS;
    return stream->tracking.tracker && defaults.floor < confidence ? defaults.floor : confidence;
}

void itsi_tracking_detected(struct itsi_camera_stream *stream, struct itsi_result *result, float confidence)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    const struct itsi_frame_info *info = &result->info;
    if (!t->tracker)
        return;
    pthread_mutex_lock(&t->mutex);
    itsi_tracker_set_confidence(t->tracker, confidence);
    itsi_tracker_update(t->tracker, stream->pipeline->track_scratch, info->trace.origin, info->width, info->height,
                        result->boxes, result->count);
    const struct itsi_track_fit fit = itsi_tracker_fit(t->tracker);
    t->retention = fit.retention;
    t->doubt = fit.doubt;
    t->last_seq = info->seq > t->last_seq ? info->seq : t->last_seq;
    pthread_mutex_unlock(&t->mutex);
    itsi_records_detected(stream, result);
    int shown = 0; /* the weak ones were for the tracker alone; boxes come by falling score */
    while (shown < result->count && result->boxes[shown].score > confidence)
        shown++;
    result->count = shown;
}

/* --- frames that are not ------------------------------------------------------------------------------------------ */

/* The mutex is held. */
static struct itsi_track_cadence cadence_of(const struct itsi_stream_tracking *t)
{
    const int fps = atomic_load_explicit(&t->fps_millihertz, memory_order_relaxed);
    return (struct itsi_track_cadence){
        .retention = t->retention,
        .doubt = t->doubt,
        .moved = t->moved,
        .frame_ns = fps > 0 ? (int64_t)(1e12 / fps) : 0,
        .since_ns = -1,
    };
}

int itsi_tracking_longest(struct itsi_camera_stream *stream)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    if (!t->tracker)
        return 1;
    pthread_mutex_lock(&t->mutex);
    struct itsi_track_cadence cadence = cadence_of(t);
    pthread_mutex_unlock(&t->mutex);
    if (cadence.frame_ns <= 0)
        return 0;
    cadence.wanted_ns = cadence.frame_ns * ITSI_TRACKING_MOST;
    return (int)(itsi_track_cadence_interval(&cadence) / cadence.frame_ns);
}

/* The mutex is held. Is the frame to be detected on? Counts what the level pays for, and what is made of it. */
static bool is_due(struct itsi_camera_stream *stream, int64_t origin, float change)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    const int interval = atomic_load_explicit(&t->interval, memory_order_relaxed);
    t->moved += change;
    struct itsi_track_cadence cadence = cadence_of(t);
    const struct itsi_track_budget budget = {.tolerance = atomic_load_explicit(&stream->pipeline->tolerance,
                                                                               memory_order_relaxed)};
    itsi_track_budget_ask(&budget, interval, &cadence);
    if (t->last_sent)
        cadence.since_ns = origin - t->last_sent;
    const bool due = itsi_track_cadence_detect(&cadence);
    if (due) {
        t->last_sent = origin;
        t->moved = 0;
    }
    if (interval > 1) { /* else there is no choice, and nothing to learn from it */
        t->paid += 1.0 / interval;
        t->made += due;
    }
    return due;
}

void itsi_tracking_balance(struct itsi_pipeline *p)
{
    double paid = 0, made = 0;
    pthread_mutex_lock(&p->table);
    for (int i = 0; i < p->camera_count; i++) {
        struct itsi_stream_tracking *t = &p->cameras[i]->tracking;
        pthread_mutex_lock(&t->mutex);
        paid += t->paid;
        made += t->made;
        t->paid = t->made = 0;
        pthread_mutex_unlock(&t->mutex);
    }
    pthread_mutex_unlock(&p->table);
    struct itsi_track_budget budget = {.tolerance = atomic_load_explicit(&p->tolerance, memory_order_relaxed)};
    itsi_track_budget_step(&budget, paid, made);
    atomic_store_explicit(&p->tolerance, budget.tolerance, memory_order_relaxed);
}

/* The mutex is held; takes over the frame. */
static void stand_in(struct itsi_camera_stream *stream, struct itsi_frame *frame)
{
    struct itsi_pipeline *p = stream->pipeline;
    struct itsi_stream_tracking *t = &stream->tracking;
    struct itsi_trace *trace = &frame->info.trace;
    struct itsi_result *result = frame->info.seq > t->last_seq ? itsi_result_pool_get(p->results) : NULL;
    if (!result) {
        itsi_ledger_skip(&stream->ledger);
        itsi_frame_unref(&frame);
        return;
    }
    trace->pre_start = trace->pre_end = trace->infer_start = trace->infer_end = trace->post_start = itsi_now_ns();
    result->count = itsi_tracker_predict(t->tracker, trace->origin, frame->info.width, frame->info.height, result->boxes);
    trace->post_end = trace->handover = itsi_now_ns();
    result->tracked = true;
    result->batch = 0;
    result->late = trace->handover > frame->info.deadline;
    result->info = frame->info;
    itsi_trace_breakdown(trace, &result->breakdown);
    itsi_quality_mark_result(stream, result);
    t->last_seq = frame->info.seq;
    itsi_ledger_track(&stream->ledger);
    itsi_bus_publish(&p->bus, result);
    itsi_stream_publish(stream, result, frame, trace->handover);
    itsi_result_unref(&result);
    itsi_frame_unref(&frame);
}

bool itsi_tracking_takes(struct itsi_camera_stream *stream, struct itsi_frame *frame)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    if (!t->tracker || frame->picture.layout == ITSI_LAYOUT_NONE || frame->info.deadline == ITSI_NEVER)
        return false;
    /* the picture is looked at while there is a choice */
    const bool choice = atomic_load_explicit(&t->interval, memory_order_relaxed) > 1;
    const float change = choice ? itsi_track_change_worth(itsi_track_change_next(&t->change, &frame->picture)) : 1;
    pthread_mutex_lock(&t->mutex);
    const bool detect = is_due(stream, frame->info.trace.origin, change);
    struct itsi_frame *passed = t->standby;
    t->standby = NULL;
    atomic_store(&t->stands_by, !detect); /* before it is looked at what is detected: see itsi_tracking_gave_up() */
    if (!detect && atomic_load(&t->detecting) > 0) {
        t->standby = frame;
    } else if (!detect) {
        stand_in(stream, frame);
        atomic_store(&t->stands_by, false);
    }
    pthread_mutex_unlock(&t->mutex);
    if (passed) {
        itsi_ledger_skip(&stream->ledger);
        itsi_frame_unref(&passed);
    }
    return !detect;
}

static void catch_up(struct itsi_camera_stream *stream)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    pthread_mutex_lock(&t->mutex);
    struct itsi_frame *frame = atomic_load(&t->detecting) == 0 ? t->standby : NULL;
    if (frame) {
        t->standby = NULL;
        atomic_store(&t->stands_by, false);
        stand_in(stream, frame);
    }
    pthread_mutex_unlock(&t->mutex);
}

void itsi_tracking_ended(struct itsi_camera_stream *stream)
{
    atomic_fetch_sub(&stream->tracking.detecting, 1);
    if (stream->tracking.tracker)
        catch_up(stream);
}

void itsi_tracking_catch_up(struct itsi_pipeline *p)
{
    if (!atomic_load(&p->left_standing))
        return;
    atomic_store(&p->left_standing, false); /* before they are looked at: who is left from now on is not forgotten */
    pthread_mutex_lock(&p->table);
    for (int i = 0; i < p->camera_count; i++)
        if (atomic_load(&p->cameras[i]->tracking.stands_by))
            catch_up(p->cameras[i]);
    pthread_mutex_unlock(&p->table);
}

void itsi_tracking_stop(struct itsi_camera_stream *stream, enum itsi_drop reason)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    pthread_mutex_lock(&t->mutex);
    struct itsi_frame *frame = t->standby;
    t->standby = NULL;
    atomic_store(&t->stands_by, false);
    pthread_mutex_unlock(&t->mutex);
    if (frame) {
        itsi_ledger_drop(&stream->ledger, ITSI_STAGE_POSTPROCESSING, reason);
        itsi_frame_unref(&frame);
    }
}

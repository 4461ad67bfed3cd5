#include "pipeline/tracking.h"

#include "base/clock.h"
#include "base/diag.h"
#include "pipeline/pipeline_impl.h"
#include "postprocess/track_cadence.h"

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
void itsi_tracking_ended(struct itsi_camera_stream *stream) { atomic_fetch_sub(&stream->tracking.detecting, 1); }

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
    itsi_tracker_update(t->tracker, stream->pipeline->track_scratch, info->trace.origin, info->width, info->height,
                        result->boxes, result->count);
    t->retention = itsi_tracker_fit(t->tracker).retention;
    t->last_seq = info->seq > t->last_seq ? info->seq : t->last_seq;
    pthread_mutex_unlock(&t->mutex);
    int shown = 0; /* the weak ones were for the tracker alone; boxes come by falling score */
    while (shown < result->count && result->boxes[shown].score > confidence)
        shown++;
    result->count = shown;
}

/* --- frames that are not ------------------------------------------------------------------------------------------ */

static struct itsi_track_cadence cadence_of(const struct itsi_stream_tracking *t, int64_t origin)
{
    const int fps = atomic_load_explicit(&t->fps_millihertz, memory_order_relaxed);
    const int64_t frame_ns = fps > 0 ? (int64_t)(1e12 / fps) : 0;
    return (struct itsi_track_cadence){
        .retention = t->retention,
        .wanted_ns = frame_ns * atomic_load_explicit(&t->interval, memory_order_relaxed),
        .frame_ns = frame_ns,
        .since_ns = t->last_sent ? origin - t->last_sent : -1,
    };
}

int itsi_tracking_longest(struct itsi_camera_stream *stream)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    if (!t->tracker)
        return 1;
    pthread_mutex_lock(&t->mutex);
    struct itsi_track_cadence cadence = cadence_of(t, 0);
    pthread_mutex_unlock(&t->mutex);
    if (cadence.frame_ns <= 0)
        return 0;
    cadence.wanted_ns = cadence.frame_ns * ITSI_TRACKING_MOST;
    return (int)(itsi_track_cadence_interval(&cadence) / cadence.frame_ns);
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
    const int64_t origin = frame->info.trace.origin;
    if (!t->tracker || frame->picture.layout == ITSI_LAYOUT_NONE || frame->info.deadline == ITSI_NEVER)
        return false;
    pthread_mutex_lock(&t->mutex);
    const struct itsi_track_cadence cadence = cadence_of(t, origin);
    const bool detect = itsi_track_cadence_detect(&cadence);
    struct itsi_frame *passed = t->standby;
    t->standby = NULL;
    if (detect)
        t->last_sent = origin;
    else if (atomic_load(&t->detecting) > 0)
        t->standby = frame;
    else
        stand_in(stream, frame);
    pthread_mutex_unlock(&t->mutex);
    if (passed) {
        itsi_ledger_skip(&stream->ledger);
        itsi_frame_unref(&passed);
    }
    return !detect;
}

void itsi_tracking_caught_up(struct itsi_camera_stream *stream)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    if (!t->tracker)
        return;
    pthread_mutex_lock(&t->mutex);
    struct itsi_frame *frame = atomic_load(&t->detecting) == 0 ? t->standby : NULL;
    if (frame) {
        t->standby = NULL;
        stand_in(stream, frame);
    }
    pthread_mutex_unlock(&t->mutex);
}

void itsi_tracking_stop(struct itsi_camera_stream *stream, enum itsi_drop reason)
{
    struct itsi_stream_tracking *t = &stream->tracking;
    pthread_mutex_lock(&t->mutex);
    struct itsi_frame *frame = t->standby;
    t->standby = NULL;
    pthread_mutex_unlock(&t->mutex);
    if (frame) {
        itsi_ledger_drop(&stream->ledger, ITSI_STAGE_POSTPROCESSING, reason);
        itsi_frame_unref(&frame);
    }
}

/* How every frame ends is told here, once: to the windows, the flight recorder, the tracer, and where it missed its
 * deadline to the violations. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"

/* Dropped by policy or by the operator: nobody broke a promise to this frame alone. */
static bool is_violation(enum itsi_drop reason)
{
    return reason == ITSI_DROP_EXPIRED || reason == ITSI_DROP_ENGINE_FAILED || reason == ITSI_DROP_POOL_EMPTY;
}

void itsi_stream_delivered(struct itsi_camera_stream *stream, const struct itsi_result *result,
                           const struct itsi_trace_id *trace)
{
    struct itsi_pipeline *p = stream->pipeline;
    const struct itsi_trace_outcome outcome = {
        .end = result->late ? ITSI_TRACE_LATE : ITSI_TRACE_ON_TIME,
        .batch = result->batch,
        .quality_level = result->quality_level,
        .model = p->info.model,
    };
    itsi_latency_record(p->recorder, &result->breakdown);
    if (!atomic_load_explicit(&p->monitoring, memory_order_relaxed))
        return;
    itsi_rolling_frame(p->rolling, &result->breakdown, result->quality_level, stream->latency_series);
    itsi_flight_delivered(stream, result);
    itsi_pipeline_regress_frame(p, &result->breakdown, result->info.trace.handover);
    const bool kept = itsi_tracer_finish(p->tracer, &result->info, trace, &outcome);
    if (!kept && !result->late)
        return;
    const int64_t wall = itsi_wall_ns();
    if (kept)
        itsi_latency_exemplify(p->recorder, &result->breakdown, trace, wall);
    if (result->late) {
        struct itsi_violation violation;
        itsi_violation_of_late(result, trace, wall, &violation);
        itsi_violations_note(&p->violations, &violation);
        itsi_records_violation(stream, &violation);
    }
}

static int level_of(struct itsi_camera_stream *stream)
{
    return atomic_load_explicit(&stream->quality.level, memory_order_relaxed);
}

static void note_drop(struct itsi_camera_stream *stream, const struct itsi_frame_info *info, enum itsi_stage stage,
                      enum itsi_drop reason, const struct itsi_trace_id *trace, int64_t now)
{
    if (!is_violation(reason))
        return;
    struct itsi_violation violation;
    itsi_violation_of_drop(info, stage, reason, level_of(stream), trace, now, itsi_wall_ns(), &violation);
    itsi_violations_note(&stream->pipeline->violations, &violation);
    itsi_records_violation(stream, &violation);
}

void itsi_stream_dropped(void *owner, const struct itsi_frame *frame, enum itsi_stage stage, enum itsi_drop reason)
{
    struct itsi_camera_stream *stream = owner;
    struct itsi_pipeline *p = stream->pipeline;
    itsi_tracking_gave_up(stream);
    if (!atomic_load_explicit(&p->monitoring, memory_order_relaxed))
        return;
    int64_t now = itsi_now_ns();
    const struct itsi_trace_id trace = itsi_tracer_id(p->tracer, &frame->info);
    const struct itsi_trace_outcome outcome = {.end = ITSI_TRACE_DROPPED, .stage = stage, .reason = reason, .ended = now,
                                               .batch = frame->info.batch, .quality_level = level_of(stream)};
    itsi_flight_dropped(stream, frame, stage, reason);
    (void)itsi_tracer_finish(p->tracer, &frame->info, &trace, &outcome);
    note_drop(stream, &frame->info, stage, reason, &trace, now);
}

void itsi_stream_skipped(void *owner, const struct itsi_frame *frame)
{
    (void)frame;
    itsi_tracking_gave_up(owner);
}

void itsi_stream_lost(void *owner, const struct itsi_frame_info *info, enum itsi_drop reason, bool damaged)
{
    struct itsi_camera_stream *stream = owner;
    struct itsi_pipeline *p = stream->pipeline;
    if (!atomic_load_explicit(&p->monitoring, memory_order_relaxed))
        return;
    itsi_flight_lost(stream, info, reason, damaged);
    if (damaged)
        return;
    const int64_t now = itsi_now_ns();
    const enum itsi_stage stage = ITSI_STAGE_CAMERA_CAPTURE;
    const struct itsi_trace_outcome outcome = {.end = ITSI_TRACE_DROPPED, .stage = stage, .reason = reason, .ended = now,
                                               .quality_level = level_of(stream)};
    struct itsi_frame_info due = *info; /* what it would have been given, had it become a picture */
    due.deadline = info->trace.origin + atomic_load(&p->budget_ns);
    const struct itsi_trace_id trace = itsi_tracer_id(p->tracer, &due);
    (void)itsi_tracer_finish(p->tracer, &due, &trace, &outcome);
    note_drop(stream, &due, stage, reason, &trace, now);
}

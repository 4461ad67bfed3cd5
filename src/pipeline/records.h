/* What the store keeps of a camera: how many objects passed, each of them when it has left, frames that missed the
 * objective, changes of quality, the camera itself. All of it does nothing where the pipeline has no store, and none of it
 * under a lock that frames wait for. */
#ifndef ITSI_PIPELINE_RECORDS_H
#define ITSI_PIPELINE_RECORDS_H

#include "latency/violations.h"
#include "postprocess/passages.h"

/* So long an object must be seen before it counts: see docs/tracking.md for what other values count. */
#define ITSI_RECORDS_LEAST_SECONDS 0.5F

struct itsi_stream_records {
    struct itsi_passages *passages; /* the post-processing thread's; NULL: nothing is counted */
    /* The first violation since the last look: whoever finds EMPTY takes it to WRITING, and leaves it FULL; the monitor's
     * thread takes it from there. */
    atomic_int violation_state;
    struct itsi_violation violation;
};

struct itsi_camera_stream;
struct itsi_pipeline;
struct itsi_quality_events;
struct itsi_result;

ITS_NODISCARD int itsi_records_init(struct itsi_camera_stream *stream, struct its_diag *diag);
/* Last reference: what is still there has left. */
void itsi_records_fini(struct itsi_camera_stream *stream);
/* Post-processing thread: the boxes of a picture that was detected on have their ids. */
void itsi_records_detected(struct itsi_camera_stream *stream, const struct itsi_result *result);
/* Any thread, under whatever locks: two atomics, and a copy once a second. */
void itsi_records_violation(struct itsi_camera_stream *stream, const struct itsi_violation *violation);
/* Once a second, the monitor's thread: of each camera, the first violation since the last call. No lock is held. */
void itsi_records_tick(struct itsi_pipeline *pipeline);
/* Quality manager's thread, no lock is held: what the step changed. */
void itsi_records_quality(struct itsi_pipeline *pipeline, const struct itsi_quality_events *events);
/* The operator's doing; no lock is held. */
void itsi_records_camera_added(struct itsi_camera_stream *stream);
void itsi_records_camera_removed(struct itsi_camera_stream *stream);

#endif

/* The Adaptive Quality Manager in the pipeline: facts are gathered, the controller steps, targets are applied.
 *
 * One thread, a step every half second. It alone touches the controller's state and `cameras`; what others ask for is under
 * `mutex`, and what it keeps per camera lies in the camera's stream (under the table's lock). */
#ifndef ITSI_PIPELINE_QUALITY_IMPL_H
#define ITSI_PIPELINE_QUALITY_IMPL_H

#include "base/system.h"
#include "pipeline/facts.h"
#include "pipeline/pipeline_impl.h"
#include "quality/controller.h"
#include "quality/grants.h"

/* A camera has one of each knob in a step, and one for a smaller stream that is lost. */
enum { ITSI_QUALITY_CAMERA_EVENTS = ITSI_KNOBS + 1 };

struct itsi_quality_control {
    /* const after make */
    int max_cameras;
    bool engine_on_cpu;
    double engine_cores; /* then: processors that it uses when it has enough to do */
    void (*machine)(struct itsi_system_load *out); /* NULL: this one */
    int order[ITSI_QUALITY_INPUTS]; /* the controller's input sizes, largest first: which of the engine's */
    int input_count, own_input;

    struct itsi_facts facts;
    atomic_int encoders; /* that others make pictures with; 0: none do */
    pthread_t thread;
    bool running;
    struct itsi_event stop;

    /* the thread's */
    struct itsi_quality_state *state;
    struct itsi_quality_camera *cameras;
    struct itsi_quality_target *targets;
    struct itsi_quality_event *events; /* of one step: room for all there may be */
    struct itsi_system system;
    int64_t last_step;
    struct itsi_ledger_counts last_books;
    struct itsi_quality_input inputs[ITSI_QUALITY_INPUTS];
    double *pixels, *unit; /* of each of `cameras`: of its network input; engine seconds of a picture */
    struct itsi_cpu_sample {
        int64_t now, cpu_ns; /* processor time of the process */
        uint64_t again;      /* pictures analysed again */
    } before[2];             /* as of the two steps before, the older first */

    pthread_mutex_t mutex; /* guards what follows */
    struct itsi_quality_policy policy;
    struct itsi_str_list priority; /* camera ids; owned */
    struct itsi_quality_overview overview;
    struct itsi_quality_capacity capacity; /* as of the last step; at first of one that found nobody */
    struct itsi_quality_grants grants;     /* what was promised and is not in it yet */
    struct itsi_quality_change history[ITSI_QUALITY_HISTORY];
    uint64_t changes; /* ever */
};

/* quality_gather.c: everything the controller is told. Fills q->cameras and the snapshot; both are valid until the next
 * call. The table's lock is not held. */
void itsi_quality_gather(struct itsi_pipeline *pipeline, int64_t now, struct itsi_quality_snapshot *out);
/* The same before there is anything: so many cores, nothing of which is known to be used, and what warming up measured. */
void itsi_quality_gather_idle(struct itsi_pipeline *pipeline, double cores, int64_t now,
                              struct itsi_quality_snapshot *out);
/* quality.c: from now on it is so. The table's lock is held. */
void itsi_quality_apply(struct itsi_camera_stream *stream, const struct itsi_quality_target *target);
/* Is it one of the operator's priority cameras? The table's lock is held. */
bool itsi_quality_is_priority(const struct itsi_quality_control *quality, const char *id);
/* Is it one whose pictures are not to be thinned (pace=off)? */
bool itsi_quality_governs(const struct itsi_camera_stream *stream, const struct itsi_capture_status *capture);
/* quality_note.c: what of what is asked of it the camera does not follow at `now`, and why. The table's lock is held. */
void itsi_stream_quality_note(const struct itsi_camera_stream *stream, const struct itsi_capture_status *capture,
                              int64_t now, char *out, size_t size);

#endif

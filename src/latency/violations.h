/* The frames that missed their deadline, one by one: which camera, which stage took too long, in what company. The
 * newest are kept, all are counted by stage. Thread-safe; noting takes one short lock and allocates nothing. */
#ifndef ITSI_LATENCY_VIOLATIONS_H
#define ITSI_LATENCY_VIOLATIONS_H

#include "core/detection.h"
#include "core/ledger.h"
#include "latency/trace_context.h"

#include <pthread.h>

enum { ITSI_VIOLATIONS_KEPT = 256 };

struct itsi_violation {
    char camera_id[ITSI_CAMERA_ID_SIZE];
    uint64_t seq;
    int64_t wall_ns;              /* of the hand-over, or of the drop; since 1970 */
    bool dropped;                 /* false: delivered, late */
    enum itsi_drop reason;        /* of a drop */
    enum itsi_stage stage;        /* most over its budget by then; of a drop for want of anything but time: where */
    double stage_ms;              /* waiting and service there */
    double end_to_end_ms;         /* up to the hand-over or the drop */
    double deadline_ms;           /* what it was given, after its origin */
    double queue_ms;              /* waited in the mailbox and for the engine */
    int batch;                    /* size of its batch; 0: it came into none */
    int quality_level;            /* 0 ultra_low .. 4 ultra_high */
    struct itsi_trace_id trace_id;
};

/* Of a frame that was delivered late. */
void itsi_violation_of_late(const struct itsi_result *result, const struct itsi_trace_id *trace, int64_t wall_ns,
                            struct itsi_violation *out);
/* Of one that was dropped at `now`, in that stage, of a camera at that quality level. */
void itsi_violation_of_drop(const struct itsi_frame_info *info, enum itsi_stage stage, enum itsi_drop reason,
                            int quality_level, const struct itsi_trace_id *trace, int64_t now, int64_t wall_ns,
                            struct itsi_violation *out);
/* The stage of a breakdown that is most over its budget, or, where none is, the longest. */
enum itsi_stage itsi_stage_to_blame(const struct itsi_breakdown *breakdown);

struct itsi_violations {
    pthread_mutex_t mutex;
    uint64_t by_stage[ITSI_STAGE_COUNT];
    uint64_t count; /* ever */
    struct itsi_violation newest[ITSI_VIOLATIONS_KEPT];
};

void itsi_violations_init(struct itsi_violations *violations);
void itsi_violations_fini(struct itsi_violations *violations);
void itsi_violations_note(struct itsi_violations *violations, const struct itsi_violation *violation);
/* Newest first, up to cap; returns how many. */
size_t itsi_violations_list(struct itsi_violations *violations, struct itsi_violation *out, size_t cap);
/* Returns their sum. */
uint64_t itsi_violations_by_stage(struct itsi_violations *violations, uint64_t out[ITSI_STAGE_COUNT]);

#endif

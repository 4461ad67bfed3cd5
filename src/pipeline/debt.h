/* Quality debt in the pipeline: a sample of what was delivered below full quality is kept, with its picture, and analysed
 * again at full size when the engine has nothing else to do. quality/debt.h says what comes of it.
 *
 * Live frames never wait for more than the one run that may be under way, and nothing of this is in the ledger, in the
 * latency figures, in the tracks, or in what the batcher learns. What finds no room is given up.
 *
 * A kept picture and its result are references, of at most ITSI_DEBT_KEPT cameras, one each; nothing is copied. They go when
 * a newer one takes the place, when they were analysed, or with their camera. */
#ifndef ITSI_PIPELINE_DEBT_H
#define ITSI_PIPELINE_DEBT_H

#include "core/detection.h"
#include "quality/debt.h"
#include "quality/debt_choice.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ITSI_DEBT_KEPT = 8, /* pictures that wait to be analysed again */
    ITSI_DEBT_HELD = ITSI_DEBT_KEPT + 1, /* and the one that is */
    ITSI_DEBT_FRAMES = 2 /* of one camera, of those: one of each kind */
};

/* In every stream. */
struct itsi_stream_debt {
    /* under the stream's lock */
    struct itsi_debt_traffic traffic;
    uint64_t results; /* below full quality */
    /* under the debt's mutex */
    struct itsi_debt_tally tally[ITSI_DEBT_LEVELS];
    bool closed; /* nothing of it is kept any more */
};

struct itsi_camera_stream;
struct itsi_debt_sample {
    struct itsi_camera_stream *stream; /* borrowed while kept, since it goes when the stream is closed; then a reference */
    struct itsi_frame *frame;   /* owned */
    struct itsi_result *result; /* owned */
};

struct itsi_debt {
    _Atomic double share;         /* of the results below full quality, what is sampled; 0: nothing */
    atomic_int_fast64_t room_ns;  /* a run may take so long now */
    atomic_uint_fast64_t runs;    /* ever begun: the engine took them */
    atomic_int waiting;           /* of the places, those taken */
    pthread_mutex_t mutex;        /* guards what follows; a leaf */
    struct itsi_debt_sample kept[ITSI_DEBT_KEPT];
    struct itsi_debt_place places[ITSI_DEBT_KEPT]; /* of those */
    struct itsi_debt_tally tally[ITSI_DEBT_LEVELS]; /* all cameras */
    struct itsi_debt_counts counts[ITSI_DEBT_LEVELS];
    uint64_t shed, failed;
    int64_t engine_ns;
    /* from the batcher's thread to that of post-processing, with the run */
    struct itsi_result *running; /* owned; of the picture in the engine */
    /* post-processing thread */
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
};

#endif

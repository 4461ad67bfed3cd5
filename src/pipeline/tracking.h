/* A camera's tracks: ids for what is detected, and results for frames that are not.
 *
 * Where a quality level asks for fewer detections than frames, tracking stands in for the frames between, as long as it
 * holds (postprocess/track_cadence.h). Their results come in the order of the frames: one whose turn is behind a detection
 * still on its way stands by until that is done, and gives way to a newer one. */
#ifndef ITSI_PIPELINE_TRACKING_H
#define ITSI_PIPELINE_TRACKING_H

#include "core/frame.h"
#include "postprocess/track.h"

#include <pthread.h>
#include <stdatomic.h>

struct itsi_stream_tracking {
    struct itsi_tracker *tracker; /* const after init; NULL: tracking is switched off */
    atomic_int detecting;         /* frames on their way to a detection */
    atomic_int interval;          /* every n-th frame is to be detected, if the tracks hold */
    atomic_int fps_millihertz;    /* of the frames that come here; 0: not known */
    pthread_mutex_t mutex;        /* guards what follows, the tracker, and the order of results */
    int64_t last_sent;            /* origin of the newest frame sent to detection; 0: none */
    uint64_t last_seq;            /* of the newest result */
    struct itsi_frame *standby;   /* owned */
    float retention;
};

#endif

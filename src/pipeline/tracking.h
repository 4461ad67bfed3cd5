/* A camera's tracks: ids for what is detected, and results for frames that are not.
 *
 * Where a quality level pays for fewer detections than frames, tracking stands in for the frames between, as long as it
 * holds (postprocess/track_cadence.h). When a detection is due is for the camera's doubt to say, by a tolerance that all
 * cameras share, so that together they spend what their levels pay for (postprocess/track_budget.h). Results of frames that
 * are not detected on come in the order of the frames: one whose turn is behind a detection still on its way stands by until
 * that is done, and gives way to a newer one. */
#ifndef ITSI_PIPELINE_TRACKING_H
#define ITSI_PIPELINE_TRACKING_H

#include "core/frame.h"
#include "postprocess/track.h"
#include "postprocess/track_change.h"

#include <pthread.h>
#include <stdatomic.h>

struct itsi_stream_tracking {
    struct itsi_tracker *tracker; /* const after init; NULL: tracking is switched off */
    atomic_int detecting;         /* frames on their way to a detection */
    atomic_bool stands_by;        /* a frame stands by, or is about to */
    atomic_int interval;          /* every n-th frame is detected on average, if the tracks hold */
    atomic_int fps_millihertz;    /* of the frames that come here; 0: not known */
    struct itsi_track_change change; /* the capture thread's */
    pthread_mutex_t mutex;        /* guards what follows, the tracker, and the order of results */
    int64_t last_sent;            /* origin of the newest frame sent to detection; 0: none */
    uint64_t last_seq;            /* of the newest result */
    struct itsi_frame *standby;   /* owned */
    float moved;                  /* frames since last_sent, each for what it changed */
    float retention, doubt;
    double paid, made;            /* detections, since they were last collected: by the level, and asked for */
};

#endif

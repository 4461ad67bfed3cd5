/* One camera's objects from picture to picture: the same thing keeps the same number, and where it will be in pictures
 * that were not detected on.
 *
 * Two-stage association as in ByteTrack (Zhang et al. 2022): sure detections first, then the weak ones, which alone are
 * not believed, with the tracks still unmatched. Tracks are matched where they are expected by now (track_motion.h), in
 * the assignment that is best as a whole (track_assign.h), by the overlap of boxes widened by what is not known of the
 * track's position (after the buffered overlap of Yang et al. 2023): a track whose speed nobody has measured yet is found
 * again at a low cadence too.
 *
 * Time is an argument and state is in shares of the picture and in seconds: neither cadence nor resolution is part of a
 * track, and ids outlive changes of both. A clock that steps back stands still; one that steps forward beyond
 * lost_seconds forgets.
 *
 * One thread at a time. create allocates all there will be. */
#ifndef ITSI_POSTPROCESS_TRACK_H
#define ITSI_POSTPROCESS_TRACK_H

#include "core/detection.h"

struct itsi_tracker_params {
    float confidence;   /* a detection of this score may begin a track, and a track of this score is shown */
    float floor;        /* down to this score a detection may carry a track on */
    float lost_seconds; /* so long a track without detections can be found again */
    bool vote;          /* boxes get the class that most of their track's sightings had, the surer the more */
};
#define ITSI_TRACKER_DEFAULTS {.confidence = 0.25F, .floor = 0.1F, .lost_seconds = 1.5F, .vote = false}

/* Scratch of one thread, for any number of trackers. */
struct itsi_track_scratch;
ITS_NODISCARD int itsi_track_scratch_create(struct itsi_track_scratch **out, struct its_diag *diag);
void itsi_track_scratch_destroy(struct itsi_track_scratch *scratch);

struct itsi_tracker;
/* ITS_EINVAL unless 0 <= floor <= confidence <= 1 and lost_seconds > 0. */
ITS_NODISCARD int itsi_tracker_create(struct itsi_tracker **out, const struct itsi_tracker_params *params,
                                      struct its_diag *diag);
void itsi_tracker_destroy(struct itsi_tracker *tracker);
/* From now on; tracks stay. 0..1; a floor above it comes down to it for as long. */
void itsi_tracker_set_confidence(struct itsi_tracker *tracker, float confidence);

/* A picture of width x height pixels, taken at now_ns, was detected on: boxes[0..count) in its pixels, down to `floor`,
 * count at most ITSI_MAX_DETECTIONS. Writes their `track`: the id (1..2^31-1, none twice before all were used) of a
 * confirmed track, else -1; a track is confirmed by a detection of score 0.5 or by its second. With `vote`, their cls too.
 * Boxes below `confidence` have served their purpose then: the caller publishes the others. */
void itsi_tracker_update(struct itsi_tracker *tracker, struct itsi_track_scratch *scratch, int64_t now_ns, int width,
                         int height, struct itsi_detection *boxes, int count);

/* The boxes of a picture taken at now_ns that is not detected on: what the last update's picture showed, moved on at each
 * track's speed; by falling score, in pixels of this picture, clipped to it. Scores fade towards `confidence`; after
 * lost_seconds without an update there is nothing left to say. Pictures of a time before the last update show it as it
 * was. Changes nothing. boxes has room for ITSI_MAX_DETECTIONS; returns their number. */
int itsi_tracker_predict(const struct itsi_tracker *tracker, int64_t now_ns, int width, int height,
                         struct itsi_detection *boxes);

/* May predictions stand in for detection? */
struct itsi_track_fit {
    /* At each update, what would have been predicted for that picture is held against what was detected, smoothed over
     * some seconds; begins without trust. */
    float retention; /* share of tracks found again, weighted by how sure detection was to show them; 1: they last */
    float overlap;   /* mean IoU of the predicted and the detected boxes of those tracks */
    /* Of the last update's tracks, how many a detector might see differently in the next picture: it wavers over a track
     * whose score is near `confidence`, the more the score has changed before. 0: nothing is in doubt. */
    float doubt;
};
struct itsi_track_fit itsi_tracker_fit(const struct itsi_tracker *tracker);

#endif

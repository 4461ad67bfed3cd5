/* One camera's tracks as passages: which objects are new in a picture, each told once, and which have left, with how long
 * they were there, where they came in and where they were last.
 *
 * Fed with the boxes of every picture that was detected on, after the tracker gave them their ids. An object is believed,
 * and told of, when its track has been seen over `least_seconds`: what a detector shows for a moment is often nothing, or a
 * thing that is there already under another id. It has left when its track has not been seen for `lost_seconds`, by when the
 * tracker has forgotten it too. Time is as the tracker takes it: a clock that steps back stands still, one that steps far
 * ahead ends all there is. Places are shares of the picture, so neither a change of resolution nor of cadence shows. Ids may
 * begin again once their tracks have ended.
 *
 * Pure but for its own state; one thread at a time. create allocates all there will be. */
#ifndef ITSI_POSTPROCESS_PASSAGES_H
#define ITSI_POSTPROCESS_PASSAGES_H

#include "core/detection.h"

struct itsi_passage {
    int32_t track;
    int32_t cls;      /* of its surest box when it was believed; from then on it stays */
    int64_t first_wall_ns, last_wall_ns; /* of the pictures that showed it, since 1970 */
    double seconds;   /* between them, by the clock that does not step */
    float score;      /* the best */
    float from[2], to[2]; /* middle of its first and of its last box: shares of width and height, y down */
};

struct itsi_passages_params {
    float lost_seconds;  /* the tracker's */
    float least_seconds; /* 0: an object is believed at once */
};

struct itsi_passages;
/* ITS_EINVAL unless lost_seconds > 0 and least_seconds >= 0. */
ITS_NODISCARD int itsi_passages_create(struct itsi_passages **out, const struct itsi_passages_params *params,
                                       struct its_diag *diag);
void itsi_passages_destroy(struct itsi_passages *passages); /* takes NULL */

/* Who is told; passages are borrowed for the call. */
struct itsi_passages_listener {
    void (*came)(void *arg, const struct itsi_passage *passage); /* with this picture it is believed */
    void (*left)(void *arg, const struct itsi_passage *passage); /* one that came, once */
    void *arg;
};

struct itsi_passages_picture {
    int64_t now_ns;  /* as the tracker was told */
    int64_t wall_ns; /* since 1970 */
    int width, height; /* pixels */
};
/* boxes[0..count) in the picture's pixels, count at most ITSI_MAX_DETECTIONS, no two of one track; those of no track are
 * passed over. */
void itsi_passages_update(struct itsi_passages *passages, const struct itsi_passages_picture *picture,
                          const struct itsi_detection *boxes, int count, const struct itsi_passages_listener *listener);
/* Nothing more will come: what is there leaves. */
void itsi_passages_end(struct itsi_passages *passages, const struct itsi_passages_listener *listener);

#endif

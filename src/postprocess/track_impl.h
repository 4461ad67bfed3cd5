/* Inside the tracker: what a track is, and the matching of tracks with detections. */
#ifndef ITSI_POSTPROCESS_TRACK_IMPL_H
#define ITSI_POSTPROCESS_TRACK_IMPL_H

#include "postprocess/track.h"
#include "postprocess/track_assign.h"
#include "postprocess/track_motion.h"

#include <stdbool.h>

enum itsi_track_state {
    ITSI_TRACK_FREE,      /* no track */
    ITSI_TRACK_TENTATIVE, /* seen once, and not surely; has no id yet */
    ITSI_TRACK_CONFIRMED,
    ITSI_TRACK_LOST       /* confirmed, but not seen at the last update */
};

/* Classes a track was seen as: the three with the most weight. */
enum { ITSI_TRACK_VOTES = 3 };
struct itsi_track_vote {
    int32_t cls;
    float weight; /* 0: a free place */
};

struct itsi_track {
    struct itsi_motion motion; /* as of the tracker's last update */
    bool seen;                 /* at that update */
    float unseen;              /* seconds since a detection */
    int32_t id;                /* 0: none yet */
    enum itsi_track_state state;
    /* its last detection */
    struct itsi_share_box box;
    float score;
    int32_t cls;
    float unrest; /* mean change of the score from one detection to the next */
    struct itsi_track_vote votes[ITSI_TRACK_VOTES]; /* the winner first */
};

struct itsi_tracker {
    struct itsi_tracker_params params; /* const but for the confidence */
    float floor;                       /* theirs, or the confidence where that is lower */
    int64_t last_ns; /* of the last update */
    bool begun;
    int32_t last_id;
    struct itsi_track_fit fit;
    int used; /* tracks[0..used) may be other than free */
    struct itsi_track tracks[ITSI_MAX_DETECTIONS];
};

/* The detections of one update, and who has which. */
struct itsi_track_scratch {
    struct itsi_share_box seen[ITSI_MAX_DETECTIONS];
    int16_t track_of[ITSI_MAX_DETECTIONS]; /* by detection; -1: none */
    int16_t seen_by[ITSI_MAX_DETECTIONS];  /* by track: its detection; -1: none */
    struct itsi_share_box expected[ITSI_MAX_DETECTIONS]; /* by track: what would have been predicted, */
    float trust[ITSI_MAX_DETECTIONS];                    /* with that score; 0: nothing */
    /* one stage's */
    int16_t rows[ITSI_MAX_DETECTIONS], columns[ITSI_MAX_DETECTIONS], column_of[ITSI_MAX_DETECTIONS];
    struct itsi_assign assign;
};

/* Which tracks and which detections a stage is about. */
struct itsi_track_stage {
    unsigned states;      /* 1 << state */
    float score, below;   /* detections of score <= theirs < below */
    float least;          /* similarity, 0..1 */
};

/* Matches what is still unmatched. */
void itsi_track_match(const struct itsi_tracker *tracker, struct itsi_track_scratch *scratch,
                      const struct itsi_detection *boxes, int count, const struct itsi_track_stage *stage);

float itsi_share_overlap(const struct itsi_share_box *a, const struct itsi_share_box *b); /* IoU */

void itsi_track_vote(struct itsi_track *track, int32_t cls, float weight);

#endif

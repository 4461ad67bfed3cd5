/* Clips played side by side through tracker and cadence with one setting, and what came of it. */
#ifndef ITS_BENCH_TRACK_PLAY_H
#define ITS_BENCH_TRACK_PLAY_H

#include "postprocess/track.h"
#include "track_clip.h"
#include "track_score.h"

#define TRACK_CONFIDENCE 0.25F /* of boxes that are published, as the product's inference.confidence */

enum track_rule {
    TRACK_EVERY,  /* every n-th picture is detected on, tracking between */
    TRACK_STALE,  /* the same, but the last detection's boxes stay where they are */
    TRACK_DOUBT,  /* at least every n-th, and sooner where doubt exceeds the tolerance */
    TRACK_BUDGET, /* every n-th on average over all clips, when doubt says so and while tracking holds: the product's rule */
    TRACK_LATE    /* no tracking: each picture gets the boxes of the one before it */
};
const char *track_rule_name(enum track_rule rule);

struct track_setting {
    enum track_rule rule;
    int size;     /* of track_sizes */
    int interval; /* n */
    float tolerance;
};

struct track_outcome {
    struct track_score same;  /* against full size on every picture, the same detector */
    struct track_score large; /* against the detector at four times the pixels */
    int frames, detected;
    double inference_ms;      /* CPU time */
    double always_ms;         /* what full size on every picture takes */
    int64_t tracker_ns;       /* CPU time of updates and predictions */
    int counted;              /* objects that passed, as the product counts them */
    int64_t passages_ns;      /* CPU time of that, reading the clock included */
    double retention;         /* sum over the pictures of what the tracker said of itself */
};

struct track_player;
/* Notes what full size on every picture shows of each clip. Clips are borrowed. */
ITS_NODISCARD int track_player_create(struct track_player **out, const struct track_clip *clips, int count,
                                      struct its_diag *diag);
void track_player_destroy(struct track_player *player);
/* All clips side by side, as cameras are; they begin and end together. outcomes: one per clip. */
ITS_NODISCARD int track_player_play(struct track_player *player, const struct track_setting *setting,
                                    struct track_outcome *outcomes, struct its_diag *diag);
void track_outcome_merge(struct track_outcome *into, const struct track_outcome *from);

#endif

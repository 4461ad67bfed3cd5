/* Boxes held against boxes: F1 at IoU 0.5 by class, and whether identities last. */
#ifndef ITS_BENCH_TRACK_SCORE_H
#define ITS_BENCH_TRACK_SCORE_H

#include "core/detection.h"

#include <stdint.h>

#define TRACK_SCORE_IOU 0.5F

/* Of one clip, or of several added up. */
struct track_score {
    uint64_t said, wanted, right;  /* boxes of what is judged, boxes of the reference, pairs of the two */
    uint64_t kept, changed;        /* times a thing of the reference had the same id as when it was last found, or not */
};

/* Ids of the reference -> ids of what is judged, over one clip. */
struct track_identities {
    int32_t *id_of; /* by the reference's id; 0: not found yet */
    int32_t room;
};
ITS_NODISCARD int track_identities_init(struct track_identities *identities, int32_t room);
void track_identities_fini(struct track_identities *identities);

/* One picture: a box, the surest first, takes the box of its class that it overlaps most; each is taken once.
 * identities: NULL: ids are not looked at. */
void track_score_add(struct track_score *score, struct track_identities *identities, const struct itsi_detection *said,
                     int said_count, const struct itsi_detection *wanted, int wanted_count);
void track_score_merge(struct track_score *into, const struct track_score *from);
double track_score_f1(const struct track_score *score);        /* 1 where there is nothing to find and nothing found */
double track_score_precision(const struct track_score *score);
double track_score_recall(const struct track_score *score);
double track_score_retention(const struct track_score *score); /* share of kept; 1 when nothing was asked */

#endif

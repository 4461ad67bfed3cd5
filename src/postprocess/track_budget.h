/* How much doubt is tolerable, so that detections cost what the quality levels pay for.
 *
 * A level pays for one detection in n pictures on average. When they are due is for doubt to say (track_cadence.h), with one
 * tolerance for all cameras, which is what makes inference go where it changes most: a quiet road gives its share to one on
 * which the detector wavers. The tolerance follows from what was paid for and what was spent; a pure function. */
#ifndef ITSI_POSTPROCESS_TRACK_BUDGET_H
#define ITSI_POSTPROCESS_TRACK_BUDGET_H

#include "postprocess/track_cadence.h"

/* A camera waits at most so many times its level's interval for a detection. */
enum { ITSI_TRACK_STRETCH = 2 };

struct itsi_track_budget {
    float tolerance; /* of doubt, per picture of a level's interval */
};
#define ITSI_TRACK_BUDGET_BEGIN {.tolerance = 1.5F}

/* What the time since the step before, about half a second of all cameras, says: detections paid for (the sum of 1/n over
 * the pictures) and detections made. */
void itsi_track_budget_step(struct itsi_track_budget *budget, double paid, double made);

/* Fills wanted_ns and tolerance for a camera whose level pays for every interval-th picture; frame_ns is given. */
void itsi_track_budget_ask(const struct itsi_track_budget *budget, int interval, struct itsi_track_cadence *cadence);

#endif

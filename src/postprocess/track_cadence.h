/* Detect on this picture, or let tracking stand in for it? A pure function.
 *
 * Tracking may stand in only while it holds (DeepStream's rule for its inference interval): with a retention of 0.99 the
 * wanted interval is granted, below 0.90 every picture is detected on, between the two the interval grows evenly, which
 * needs no memory to keep from flapping.
 *
 * Within that interval, inference goes where it changes something: a picture is detected on as soon as doubt, times the
 * pictures since the last detection, reaches a tolerance (track_budget.h says which). Pictures that repeat the one before
 * count for less (track_change.h). docs/tracking.md has what that is worth. */
#ifndef ITSI_POSTPROCESS_TRACK_CADENCE_H
#define ITSI_POSTPROCESS_TRACK_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

#define ITSI_CADENCE_HOLDS 0.99F
#define ITSI_CADENCE_FAILS 0.90F

struct itsi_track_cadence {
    float retention;   /* of struct itsi_track_fit */
    float doubt;       /* of the same */
    float moved;       /* pictures since the one detected on last, this one included, each for what it changed */
    float tolerance;   /* for doubt; 0: only the interval decides */
    int64_t wanted_ns; /* most time between two detections, as the quality level asks; 0: every picture */
    int64_t frame_ns;  /* between two pictures */
    int64_t since_ns;  /* from the picture detected on last to this one; negative: none was, or the clock stepped back */
};

/* The time between detections that the tracks permit. */
int64_t itsi_track_cadence_interval(const struct itsi_track_cadence *cadence);
bool itsi_track_cadence_detect(const struct itsi_track_cadence *cadence);

#endif

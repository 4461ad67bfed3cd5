/* Where a box is and where it is going: a Kalman filter with constant velocity.
 *
 * The noises of the eight-dimensional filter that SORT and its heirs use (Bewley et al. 2016, Wojke et al. 2017) do not
 * couple its coordinates, so it is four filters of two dimensions, and those need no matrices. Positions are shares of
 * the picture (0..1), speeds are shares per second: a change of resolution or of cadence leaves the state as it is. */
#ifndef ITSI_POSTPROCESS_TRACK_MOTION_H
#define ITSI_POSTPROCESS_TRACK_MOTION_H

#include "core/detection.h"

/* One coordinate: its value, its speed, and the covariance of the two. */
struct itsi_axis {
    float at, speed;
    float var_at, cov, var_speed;
};

/* A box in motion: centre x, centre y, width, height. */
struct itsi_motion {
    struct itsi_axis axis[4];
};

/* Corners as shares of the picture. */
struct itsi_share_box {
    float x1, y1, x2, y2;
};

struct itsi_share_box itsi_share_box(const struct itsi_detection *d, int width, int height);

/* A box seen for the first time: it may move at any speed that traffic has. */
void itsi_motion_begin(struct itsi_motion *motion, const struct itsi_share_box *seen);
/* Time passes. */
void itsi_motion_predict(struct itsi_motion *motion, float seconds);
/* The box was seen here. */
void itsi_motion_correct(struct itsi_motion *motion, const struct itsi_share_box *seen);

struct itsi_share_box itsi_motion_box(const struct itsi_motion *motion);
/* The box, `seconds` on: moved and grown at the speeds known now. */
struct itsi_share_box itsi_motion_carry(const struct itsi_motion *motion, const struct itsi_share_box *box,
                                        float seconds);

#endif

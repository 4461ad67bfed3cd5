/* When was this picture taken? The camera's own clock says so where its RTCP sender reports give it and can be
 * believed; else the arrival of the access unit stands in. Pure. */
#ifndef ITSI_CAPTURE_ORIGIN_H
#define ITSI_CAPTURE_ORIGIN_H

#include "core/stage.h"

#include <stdbool.h>
#include <stdint.h>

/* A camera's clock is believed while it lies at most this far behind the arrival (network and encoder together) ... */
#define ITSI_CLOCK_BEHIND_NS INT64_C(2000000000)
/* ... or ahead of it (two clocks kept by NTP) ... */
#define ITSI_CLOCK_AHEAD_NS INT64_C(100000000)
/* ... and has not jumped by more than this for so many access units. */
#define ITSI_CLOCK_JUMP_NS INT64_C(1000000000)
#define ITSI_CLOCK_SETTLE 50

struct itsi_origin_clock {
    bool seen;
    int64_t offset; /* camera's clock minus ours at the last access unit, transit included, ns */
    int settle;     /* access units until a clock that jumped is believed again */
};

/* camera_wall: the camera's wall clock for this access unit, 0: unknown. Returns the origin on the monotonic clock,
 * never after arrival; *kind says where it comes from. */
int64_t itsi_origin_pick(struct itsi_origin_clock *c, int64_t camera_wall, int64_t arrival, int64_t arrival_wall,
                         enum itsi_origin *kind);
double itsi_origin_offset_seconds(const struct itsi_origin_clock *c); /* NAN: no sender report yet */

#endif

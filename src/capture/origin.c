#include "capture/origin.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

int64_t itsi_origin_pick(struct itsi_origin_clock *c, int64_t camera_wall, int64_t arrival, int64_t arrival_wall,
                         enum itsi_origin *kind)
{
    *kind = ITSI_ORIGIN_ARRIVAL;
    if (!camera_wall)
        return arrival;
    int64_t offset = camera_wall - arrival_wall;
    if (c->seen && llabs(offset - c->offset) > ITSI_CLOCK_JUMP_NS)
        c->settle = ITSI_CLOCK_SETTLE;
    else if (c->settle > 0)
        c->settle--;
    c->seen = true;
    c->offset = offset;
    if (c->settle > 0 || offset > ITSI_CLOCK_AHEAD_NS || offset < -ITSI_CLOCK_BEHIND_NS)
        return arrival;
    *kind = ITSI_ORIGIN_CAMERA;
    return offset < 0 ? arrival + offset : arrival;
}

double itsi_origin_offset_seconds(const struct itsi_origin_clock *c)
{
    return c->seen ? (double)c->offset / ITSI_NS_PER_S : (double)NAN;
}

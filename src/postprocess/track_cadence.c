#include "postprocess/track_cadence.h"

int64_t itsi_track_cadence_interval(const struct itsi_track_cadence *c)
{
    const int64_t most = c->wanted_ns;
    if (most <= c->frame_ns || !(c->retention >= ITSI_CADENCE_FAILS)) /* NAN is no trust */
        return c->frame_ns;
    if (c->retention >= ITSI_CADENCE_HOLDS)
        return most;
    const double trust =
        (double)(c->retention - ITSI_CADENCE_FAILS) / (double)(ITSI_CADENCE_HOLDS - ITSI_CADENCE_FAILS);
    return c->frame_ns + (int64_t)(trust * (double)(most - c->frame_ns));
}

static bool is_in_doubt(const struct itsi_track_cadence *c)
{
    return c->tolerance > 0 && c->doubt * c->moved >= c->tolerance;
}

bool itsi_track_cadence_detect(const struct itsi_track_cadence *c)
{
    /* Pictures come with some jitter: one that is nearer to the instant than the next would be is the one. */
    const int64_t interval = itsi_track_cadence_interval(c);
    return c->since_ns < 0 || interval <= c->frame_ns || c->since_ns + c->frame_ns / 2 >= interval || is_in_doubt(c);
}

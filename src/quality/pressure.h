/* What the facts say: calm, overloaded, or neither, and then which fact. Control acts on these, never on a rate that a
 * camera announces: a controller that believes an announced rate it cannot reach lowers quality for ever. Pure. */
#ifndef ITSI_QUALITY_PRESSURE_H
#define ITSI_QUALITY_PRESSURE_H

#include "quality/fleet.h"

enum itsi_quality_pressure {
    ITSI_PRESSURE_CALM,       /* room to give back */
    ITSI_PRESSURE_STEADY,     /* between the bands: everything stays */
    ITSI_PRESSURE_OVERLOADED,
    ITSI_PRESSURE_CRITICAL    /* overloaded, and one level a step would take too long */
};
const char *itsi_quality_pressure_name(enum itsi_quality_pressure pressure);

struct itsi_quality_verdict {
    enum itsi_quality_pressure pressure;
    enum itsi_quality_reason fact;       /* of an overload: the first that holds in the order of the reasons */
    enum itsi_quality_resource resource; /* the fullest: where the bottleneck is */
    struct itsi_quality_inputs inputs;
};

struct itsi_quality_evidence {
    struct itsi_quality_load fast; /* decides about overload: smoothed, and no worse than it is now, so that what was
                                    * mended is not mended again while the past fades */
    struct itsi_quality_load slow; /* decides about calm, which has to hold now as well */
    double unmet;                  /* as fast */
    bool futile; /* lowering was tried and did not help: how late frames are is no fact about the load of this machine
                  * (cameras far away, clocks that are off), and only what goes unanalysed counts */
};
void itsi_quality_judge(const struct itsi_quality_fleet *fleet, const struct itsi_quality_evidence *evidence,
                        struct itsi_quality_verdict *out);
/* The facts that speak for overload, each the milder of the two. */
void itsi_quality_milder(const struct itsi_quality_load *a, const struct itsi_quality_load *b,
                         struct itsi_quality_load *out);
/* Are frames well in time, beyond the band of calm? */
bool itsi_quality_in_time(const struct itsi_quality_policy *policy, const struct itsi_quality_load *load);

/* Busy share of processors or engine, whichever is busier; -1: unknown. */
double itsi_quality_busy(const struct itsi_quality_load *load);
/* The share of the engine's time that what it did was worth: where it could have done that in fewer, fuller batches, what is
 * left is room. -1: unknown. */
double itsi_quality_engine_needed(const struct itsi_quality_load *load);

/* Work per second that a resource must be relieved of to come to busy_target, by the estimate; negative: room. */
double itsi_quality_excess(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource);

#endif

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

/* fast decides about overload, slow (and fast not being overloaded) about calm. unmet: smoothed as fast is. */
void itsi_quality_judge(const struct itsi_quality_fleet *fleet, const struct itsi_quality_load *fast,
                        const struct itsi_quality_load *slow, double unmet, struct itsi_quality_verdict *out);

/* Busy share of processors or engine, whichever is busier; -1: unknown. */
double itsi_quality_busy(const struct itsi_quality_load *load);

/* Work per second that a resource must be relieved of to come to busy_target, by the estimate; negative: room. */
double itsi_quality_excess(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource);

#endif

/* What a camera would take at a position: from what it was seen to take where it was, and by proportion where it never
 * was. Demand, not consumption: what would be done if all that is asked for were done, since under overload the
 * consumption of everybody together never exceeds the machine. Pure. */
#ifndef ITSI_QUALITY_COST_H
#define ITSI_QUALITY_COST_H

#include "quality/ladder.h"

#include <stdbool.h>

/* What is known of one camera. Zeroed: nothing, and then it is taken to cost nothing and nobody bothers it. */
struct itsi_quality_learned {
    double decode[2][ITSI_DECODE_MODES]; /* [sub-stream][mode] processor seconds per frame of the source; 0: not seen */
    double encode;                       /* processor seconds per second, for each square pixel row */
};

struct itsi_quality_costing {
    const struct itsi_quality_snapshot *snapshot;
    double floor_fps;
    double unit[ITSI_QUALITY_INPUTS]; /* cost of one detection by input size; 0: nothing known of any */
};

/* Completes the unit costs: what the engine learned of a size, else what the cameras at that size were seen to take
 * (0: nothing), else by proportion from the nearest size of which something is known, else what warming up measured. */
void itsi_quality_costing_begin(struct itsi_quality_costing *costing, const struct itsi_quality_snapshot *snapshot,
                                double floor_fps, const double seen[ITSI_QUALITY_INPUTS]);

/* Takes over what the camera took while `target` was in effect; weight of the new figure 0..1. */
void itsi_quality_learn(struct itsi_quality_learned *learned, const struct itsi_quality_camera *camera,
                        const struct itsi_quality_target *target, double weight);

/* Demand at a position. */
void itsi_quality_predict(const struct itsi_quality_costing *costing, const struct itsi_quality_camera *camera,
                          const struct itsi_quality_learned *learned, const struct itsi_quality_position *position,
                          struct itsi_quality_work *out);

/* Detections per second that a target asks for of a camera; none while nothing comes from it. */
double itsi_quality_detections(const struct itsi_quality_camera *camera, const struct itsi_quality_target *target);

enum itsi_quality_resource {
    ITSI_RESOURCE_CPU,
    ITSI_RESOURCE_ENGINE,  /* one of its own; with an engine on the processors nothing falls to it */
    ITSI_RESOURCE_ENCODER,
    ITSI_RESOURCES
};
const char *itsi_quality_resource_name(enum itsi_quality_resource resource);
/* The part of the work that falls to a resource, and the part of it that a knob governs. */
double itsi_quality_work_on(const struct itsi_quality_snapshot *snapshot, enum itsi_quality_resource resource,
                            const struct itsi_quality_work *work);
double itsi_quality_work_of(const struct itsi_quality_snapshot *snapshot, enum itsi_quality_resource resource,
                            enum itsi_quality_knob knob, const struct itsi_quality_work *work);

#endif

/* What the cameras that are there are like on average, and before there are any what cameras are like: what is expected of one
 * of which nothing is known yet. Private to the room. Pure. */
#ifndef ITSI_QUALITY_TYPICAL_H
#define ITSI_QUALITY_TYPICAL_H

#include "quality/admission.h"
#include "quality/fleet.h"

void itsi_quality_typical_make(const struct itsi_quality_fleet *fleet, struct itsi_quality_typical *out);

#endif

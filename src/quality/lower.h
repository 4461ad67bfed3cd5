/* Who gives way, on which knob, and how far. Private to the room.
 *
 * The order is the operator's: first whoever takes more than twice what the others take on average, on the knob where it
 * takes most; then the ordinary cameras, lowest weight first; the priority cameras last. Within a weight the best off go
 * first, rung by rung. The knob is that of the kind of work that asks most of the full resource; a rung that frees
 * nothing there is passed over. A later group moves only when the one before has nothing left to give, which may take
 * several steps where one level a step is all that is allowed. */
#ifndef ITSI_QUALITY_LOWER_H
#define ITSI_QUALITY_LOWER_H

#include "quality/fleet.h"

/* Frees `need` of work per second on the resource, as far as there is something to give; returns what was freed by the
 * estimate. deep: as many levels as it takes, else one a camera. */
double itsi_quality_lower(struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource, double need, bool deep,
                          enum itsi_quality_reason reason);

/* Of the members that take something of the resource (*taking; one of which nothing comes does not), those of which lowering
 * would free nothing worth while: those at their floors, and those that are pinned or boosted. */
int itsi_quality_exhausted(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource, int *taking);

#endif

/* Who gets quality back. Private to the room.
 *
 * Everybody rises to the best position that all of them fit in together, in one change rather than level by level; only
 * when not even one rung for all fits, those that matter most rise alone. Waves grow: one camera of the least important
 * tries first, and each wave that held makes the next larger (a slow start, as TCP's), so that a wrong estimate costs
 * one camera a moment and not everybody. */
#ifndef ITSI_QUALITY_RAISE_H
#define ITSI_QUALITY_RAISE_H

#include "quality/fleet.h"

/* room: work per second that may be filled on each resource. Raises at most `wave` cameras, puts them on trial and takes
 * what they will fill from `room`; a wave of one is a probe. Returns how many rose. */
int itsi_quality_raise(struct itsi_quality_fleet *fleet, double room[ITSI_RESOURCES], int wave);

/* A trial that overloaded: back to where it began. Returns how many went back. */
int itsi_quality_take_back(struct itsi_quality_fleet *fleet);
/* A trial that held. */
void itsi_quality_keep(struct itsi_quality_fleet *fleet);

#endif

/* The flight recorder: a ring of what happened to every frame, always on, frozen to a file when something went wrong.
 *
 * Any thread notes (one short lock, no allocation); one thread at a time freezes, copying in pieces so that nobody who
 * notes waits for long. What is overwritten while it copies is the oldest and is left out. */
#ifndef ITSI_LATENCY_FLIGHT_RING_H
#define ITSI_LATENCY_FLIGHT_RING_H

#include "core/flight.h"

struct itsi_flight_ring;
/* Room for `capacity` entries of 72 bytes, at least 1. */
ITS_NODISCARD int itsi_flight_ring_create(struct itsi_flight_ring **out, size_t capacity, struct its_diag *diag);
void itsi_flight_ring_destroy(struct itsi_flight_ring *ring); /* takes NULL */

void itsi_flight_note(struct itsi_flight_ring *ring, const struct itsi_flight_entry *entry);

/* Entries that ended (or, without a last stamp, began) at or after since_us on the monotonic clock, oldest first: *out
 * is the caller's (itsi_free). ITS_ENOMEM. */
ITS_NODISCARD int itsi_flight_copy(struct itsi_flight_ring *ring, int64_t since_us, struct itsi_flight_entry **out,
                                   size_t *count, struct its_diag *diag);
/* Entries noted since the start, those overwritten too. */
uint64_t itsi_flight_noted(struct itsi_flight_ring *ring);

#endif

/* The memory of all cameras' rings of coded pictures: chunks of one region, so many and no more. What nobody has put
 * anything into is not taken from the system, and what is given back in quantity goes back to it.
 *
 * Any thread; the lock is a leaf and held for a few instructions, or one madvise() where much is given back. */
#ifndef ITSI_CAPTURE_PACKET_STORE_H
#define ITSI_CAPTURE_PACKET_STORE_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ITSI_PACKET_CHUNK = 64 * 1024 };

struct itsi_packet_store;

/* bytes: rounded down to chunks; ITS_EINVAL: less than one. */
ITS_NODISCARD int itsi_packet_store_create(struct itsi_packet_store **out, size_t bytes, struct its_diag *diag);
void itsi_packet_store_destroy(struct itsi_packet_store *store); /* after the last ring; takes NULL */

/* A ring more, or one less, to share with. */
void itsi_packet_store_join(struct itsi_packet_store *store);
void itsi_packet_store_leave(struct itsi_packet_store *store);

/* NULL: all are taken. Never allocates. */
uint8_t *itsi_packet_store_take(struct itsi_packet_store *store);
void itsi_packet_store_give(struct itsi_packet_store *store, uint8_t *chunk);

/* How much a ring may hold now: anything while there is plenty, and an equal share of all once an eighth is left. So
 * what some cameras do not need is there for others, and none is left without. */
size_t itsi_packet_store_allowance(struct itsi_packet_store *store);

struct itsi_packet_store_stats {
    size_t bytes, used; /* in all; lent to rings */
    int rings;
};
void itsi_packet_store_stats(struct itsi_packet_store *store, struct itsi_packet_store_stats *out);

#endif

/* Which hash slot of a Redis Cluster a key belongs to: CRC-16/XMODEM of the key, or of its {tag}, modulo 16384 (Redis
 * Cluster Specification, "Hash tags"). Pure. */
#ifndef ITSI_POOL_REDIS_SLOT_H
#define ITSI_POOL_REDIS_SLOT_H

#include <stddef.h>

enum { ITSI_REDIS_SLOTS = 16384 };

int itsi_redis_slot(const char *key, size_t len);

#endif

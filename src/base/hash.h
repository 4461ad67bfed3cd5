/* FNV-1a, for names and seeds: short, and the same on every machine. Not for what somebody might forge. */
#ifndef ITSI_BASE_HASH_H
#define ITSI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define ITSI_HASH_START UINT64_C(0xcbf29ce484222325)
#define ITSI_HASH_PRIME UINT64_C(0x100000001b3)

/* Goes on from `hash`: in the beginning ITSI_HASH_START, or any number that the caller keeps to. */
static inline uint64_t itsi_hash_bytes(uint64_t hash, const void *data, size_t len)
{
    for (const uint8_t *p = data; len--; p++)
        hash = (hash ^ *p) * ITSI_HASH_PRIME;
    return hash;
}

#endif

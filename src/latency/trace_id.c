#include "latency/trace_id.h"

#include "base/clock.h"
#include "base/rand.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* What a hash is for, so that ids of different things never come from the same input. */
enum purpose { TRACE = 1, ROOT, SERVING, CHILD };

#define RANDOM_BITS 56
#define THRESHOLD_NONE (UINT64_C(1) << RANDOM_BITS)

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static void rounds(uint64_t v[4], int count)
{
    for (int i = 0; i < count; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

void itsi_siphash128(const struct itsi_trace_key *key, const uint64_t *words, int count, uint64_t out[2])
{
    uint64_t v[4] = {key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                     key->k0 ^ UINT64_C(0x6c7967656e657261), key->k1 ^ UINT64_C(0x7465646279746573)};
    for (int i = 0; i < count; i++)
        absorb(v, words[i]);
    absorb(v, (uint64_t)(count * 8) << 56);
    v[2] ^= 0xee;
    rounds(v, 4);
    out[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds(v, 4);
    out[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

void itsi_trace_key_init(struct itsi_trace_key *key, uint64_t seed)
{
    if (seed == 0 && getrandom(key, sizeof *key, 0) == (ssize_t)sizeof *key)
        return;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, seed ? seed : (uint64_t)itsi_wall_ns() ^ (uint64_t)getpid() << 48);
    *key = (struct itsi_trace_key){itsi_rand_u64(&rng), itsi_rand_u64(&rng)};
}

static void put_u64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static void hash_frame(const struct itsi_trace_key *key, const struct itsi_frame_info *info, enum purpose purpose,
                       uint64_t out[2])
{
    const uint64_t words[] = {(uint64_t)purpose, (uint64_t)info->camera << 32 | info->generation, info->seq};
    itsi_siphash128(key, words, 3, out);
}

struct itsi_trace_id itsi_trace_id_of(const struct itsi_trace_key *key, const struct itsi_frame_info *info)
{
    struct itsi_trace_id id;
    uint64_t hash[2];
    hash_frame(key, info, TRACE, hash);
    put_u64(id.bytes, hash[0]);
    put_u64(id.bytes + 8, hash[1]);
    if (!itsi_trace_id_valid(&id))
        id.bytes[0] = 1; /* not among the bits that sampling reads */
    return id;
}

static struct itsi_span_id span_id(uint64_t hash)
{
    struct itsi_span_id id;
    put_u64(id.bytes, hash ? hash : 1);
    return id;
}

struct itsi_span_id itsi_trace_root_of(const struct itsi_trace_key *key, const struct itsi_frame_info *info)
{
    uint64_t hash[2];
    hash_frame(key, info, ROOT, hash);
    return span_id(hash[0]);
}

struct itsi_span_id itsi_trace_serving_id(const struct itsi_trace_key *key, uint64_t n)
{
    const uint64_t words[] = {SERVING, n};
    uint64_t hash[2];
    itsi_siphash128(key, words, 2, hash);
    return span_id(hash[0]);
}

struct itsi_span_id itsi_trace_child_of(const struct itsi_trace_key *key, const struct itsi_span_id *parent, int index)
{
    uint64_t words[] = {CHILD, 0, (uint64_t)index};
    uint64_t hash[2];
    memcpy(&words[1], parent->bytes, sizeof parent->bytes);
    itsi_siphash128(key, words, 3, hash);
    return span_id(hash[0]);
}

uint64_t itsi_trace_threshold(double rate)
{
    if (!(rate > 0))
        return THRESHOLD_NONE;
    if (rate >= 1)
        return 0;
    uint64_t threshold = (uint64_t)((1 - rate) * 0x1p56);
    return threshold < THRESHOLD_NONE ? threshold : THRESHOLD_NONE - 1;
}

bool itsi_trace_sampled(const struct itsi_trace_id *id, uint64_t threshold)
{
    uint64_t randomness = 0;
    for (size_t i = sizeof id->bytes - RANDOM_BITS / 8; i < sizeof id->bytes; i++)
        randomness = randomness << 8 | id->bytes[i];
    return randomness >= threshold;
}

void itsi_trace_threshold_format(uint64_t threshold, char out[ITSI_TRACE_THRESHOLD_SIZE])
{
    int len = snprintf(out, ITSI_TRACE_THRESHOLD_SIZE, "ot=th:%014llx", (unsigned long long)threshold);
    while (len > 7 && out[len - 1] == '0') /* trailing zeros are left out, but for the one digit there must be */
        out[--len] = '\0';
}

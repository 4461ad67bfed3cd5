#include "metrics/sparse.h"

#include "base/mem.h"

#include <string.h>

enum { GAP_BYTES = 3, COUNT_BYTES = 10 }; /* most that a slot's gap (15 bits) and a 64-bit count take */

size_t itsi_sparse_scratch(int bits) { return (size_t)itsi_layout_slots(bits) * (GAP_BYTES + COUNT_BYTES); }

static uint8_t *put(uint8_t *to, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static const uint8_t *get(const uint8_t *from, uint64_t *value)
{
    uint64_t sum = *from & 0x7f;
    for (int shift = 7; *from++ & 0x80; shift += 7)
        sum |= (uint64_t)(*from & 0x7f) << shift;
    *value = sum;
    return from;
}

static uint32_t rounded(uint32_t bytes) { return (bytes + 63) / 64 * 64; }

/* Room for len bytes, and for as much again as half of what there is: contents that grow by and by seldom ask. */
static int make_room(struct itsi_sparse *sparse, uint32_t len)
{
    if (len <= sparse->cap)
        return 0;
    const uint32_t more = sparse->cap + sparse->cap / 2;
    const uint32_t wanted = rounded(len > more ? len : more);
    uint8_t *bytes = itsi_realloc(sparse->bytes, wanted);
    if (!bytes)
        return ITS_ENOMEM;
    sparse->bytes = bytes;
    sparse->cap = wanted;
    return 0;
}

/* Memory that a burst left behind goes once a quarter of it would have done for a whole content. */
static void give_back(struct itsi_sparse *sparse)
{
    const uint32_t wanted = rounded(sparse->len ? sparse->len : 1);
    if (sparse->cap <= 1024 || wanted >= sparse->cap / 4)
        return;
    uint8_t *bytes = itsi_realloc(sparse->bytes, wanted);
    if (!bytes)
        return;
    sparse->bytes = bytes;
    sparse->cap = wanted;
}

int itsi_sparse_pack(struct itsi_sparse *sparse, const struct itsi_tally *tally, uint8_t *scratch)
{
    sparse->moments = tally->moments;
    uint8_t *end = scratch;
    int previous = 0;
    for (int slot = tally->low; slot <= tally->high; slot++) {
        if (!tally->counts[slot])
            continue;
        end = put(end, (uint64_t)(slot - previous));
        end = put(end, tally->counts[slot]);
        previous = slot;
    }
    uint32_t len = (uint32_t)(end - scratch);
    if (make_room(sparse, len) != 0)
        return ITS_ENOMEM;
    if (len)
        memcpy(sparse->bytes, scratch, len);
    sparse->len = len;
    sparse->placed = tally->placed;
    return 0;
}

/* Adds the pairs to the counts and returns the last slot. Most pairs are two bytes. */
static int add_pairs(const uint8_t *at, const uint8_t *end, uint64_t *counts)
{
    uint64_t slot = 0;
    while (at != end) {
        uint64_t gap = at[0], count = at[1];
        if ((gap | count) < 0x80)
            at += 2;
        else
            at = get(get(at, &gap), &count);
        slot += gap;
        counts[slot] += count;
    }
    return (int)slot;
}

void itsi_sparse_unpack(const struct itsi_sparse *sparse, struct itsi_tally *tally)
{
    itsi_moments_add(&tally->moments, &sparse->moments);
    if (!sparse->len)
        return;
    uint64_t low; /* the first gap is the first slot */
    get(sparse->bytes, &low);
    int high = add_pairs(sparse->bytes, sparse->bytes + sparse->len, tally->counts);
    tally->placed += sparse->placed;
    tally->low = (int)low < tally->low ? (int)low : tally->low;
    tally->high = high > tally->high ? high : tally->high;
}

void itsi_sparse_clear(struct itsi_sparse *sparse)
{
    give_back(sparse);
    sparse->moments = (struct itsi_moments){0};
    sparse->placed = 0;
    sparse->len = 0;
}

void itsi_sparse_fini(struct itsi_sparse *sparse)
{
    itsi_free(sparse->bytes);
    *sparse = (struct itsi_sparse){0};
}

/* HdrHistogram's log-linear layout (Gil Tene, https://hdrhistogram.org): which slot a value belongs to, and which
 * value a slot stands for. Values are counted in units of 512 ns, the power of two at or below a microsecond. The first
 * 2^bits slots are one unit wide each; from there every doubling of the value has half as many slots, each twice as
 * wide as the ones before, so the relative width stays the same up to an hour. Below 2^bits units (a millisecond when
 * fine) the unit bounds the precision.
 *
 * Pure arithmetic, inline because the record path lives on it; `bits` should be a constant there. */
#ifndef ITSI_METRICS_LAYOUT_H
#define ITSI_METRICS_LAYOUT_H

#include <stdint.h>

enum {
    ITSI_LAYOUT_FINE = 11,  /* 3 significant digits: a slot's middle is within 0.05 % of its values; 24,576 slots */
    ITSI_LAYOUT_COARSE = 7, /* within 0.8 %; 1,792 slots */
    ITSI_LAYOUT_UNIT_BITS = 9,
};

#define ITSI_LAYOUT_MAX_NS INT64_C(3600000000000) /* one hour: 33 bits of units */

static inline int itsi_layout_slots(int bits) { return (33 - bits + 2) << (bits - 1); }

/* 0..an hour for any value. */
static inline int64_t itsi_layout_clamp(int64_t ns)
{
    return ns < 0 ? 0 : ns > ITSI_LAYOUT_MAX_NS ? ITSI_LAYOUT_MAX_NS : ns;
}

/* ns: 0..ITSI_LAYOUT_MAX_NS. */
static inline int itsi_layout_slot(int bits, int64_t ns)
{
    uint64_t units = (uint64_t)ns >> ITSI_LAYOUT_UNIT_BITS;
    int bucket = 64 - __builtin_clzll(units | ((UINT64_C(1) << bits) - 1)) - bits;
    return (bucket << (bits - 1)) + (int)(units >> bucket);
}

/* The middle of the values of a slot, in ns. */
static inline int64_t itsi_layout_middle(int bits, int slot)
{
    int bucket = (slot >> (bits - 1)) - 1;
    if (bucket < 0)
        bucket = 0;
    int64_t first = (int64_t)(slot - (bucket << (bits - 1)));
    return (2 * first + 1) << bucket << (ITSI_LAYOUT_UNIT_BITS - 1);
}

#endif

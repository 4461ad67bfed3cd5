/* HdrHistogram's log-linear layout (Gil Tene, https://hdrhistogram.org): which slot a value belongs to, and which value
 * a slot stands for. The first 2^bits slots are 1 us wide each; from there every doubling of the value has half as many
 * slots, each twice as wide as the ones before, so the relative width stays the same from 1 us to 1 h. Below 2^bits us a
 * slot is one microsecond, which bounds the precision of very short times.
 *
 * Pure arithmetic, inline because the record path lives on it. */
#ifndef ITSI_METRICS_LAYOUT_H
#define ITSI_METRICS_LAYOUT_H

#include <stdint.h>

enum {
    ITSI_LAYOUT_FINE = 11,  /* 3 significant digits: a slot's middle is within 0.05 % of its values; 23,552 slots */
    ITSI_LAYOUT_COARSE = 7, /* within 0.8 %; 1,728 slots */
};

#define ITSI_LAYOUT_MAX_US INT64_C(3600000000) /* one hour; needs 32 bits */
#define ITSI_LAYOUT_MAX_NS (ITSI_LAYOUT_MAX_US * 1000)

static inline int itsi_layout_slots(int bits) { return (32 - bits + 2) << (bits - 1); }

/* 0..an hour for any value. */
static inline int64_t itsi_layout_clamp(int64_t ns)
{
    return ns < 0 ? 0 : ns > ITSI_LAYOUT_MAX_NS ? ITSI_LAYOUT_MAX_NS : ns;
}

/* ns: 0..ITSI_LAYOUT_MAX_NS, rounded to the nearest microsecond. */
static inline int itsi_layout_slot(int bits, int64_t ns)
{
    uint32_t us = (uint32_t)(((uint64_t)ns + 500) / 1000);
    int bucket = 32 - __builtin_clz(us | ((UINT32_C(1) << bits) - 1)) - bits;
    return (bucket << (bits - 1)) + (int)(us >> bucket);
}

/* The middle of the values of a slot, in ns. */
static inline int64_t itsi_layout_middle(int bits, int slot)
{
    int bucket = (slot >> (bits - 1)) - 1;
    if (bucket < 0)
        bucket = 0;
    int64_t low = (int64_t)(slot - (bucket << (bits - 1))) << bucket;
    int64_t width = INT64_C(1) << bucket;
    return (2 * low + width - 1) * 500;
}

#endif

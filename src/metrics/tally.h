/* A dense histogram with 64-bit counts, for one thread: what readers merge into, and what answers for quantiles.
 * 197 kB when fine, 14 kB when coarse (see metrics/layout.h), so it is a workspace and not a way to keep things; those
 * kept are sparse (metrics/sparse.h). */
#ifndef ITSI_METRICS_TALLY_H
#define ITSI_METRICS_TALLY_H

#include "its/error.h"
#include "metrics/layout.h"
#include "metrics/moments.h"

#include <stddef.h>

struct itsi_tally {
    struct itsi_moments moments;
    uint64_t placed; /* sum of counts; below moments.count where memory for a distribution was missing */
    int bits;        /* const: ITSI_LAYOUT_FINE or ITSI_LAYOUT_COARSE */
    int low, high;   /* slots in use lie within; low > high: none */
    uint64_t *counts; /* owned */
};

ITS_NODISCARD int itsi_tally_init(struct itsi_tally *tally, int bits, struct its_diag *diag);
void itsi_tally_fini(struct itsi_tally *tally); /* takes zeroed */
void itsi_tally_clear(struct itsi_tally *tally);
size_t itsi_tally_bytes(const struct itsi_tally *tally);

/* Puts n values into a slot; the moments are the caller's to add. */
static inline void itsi_tally_place(struct itsi_tally *tally, int slot, uint64_t n)
{
    tally->counts[slot] += n;
    tally->placed += n;
    if (slot < tally->low)
        tally->low = slot;
    if (slot > tally->high)
        tally->high = slot;
}

/* Adds a tally of the same precision, moments too. */
void itsi_tally_add(struct itsi_tally *tally, const struct itsi_tally *from);

/* Standard deviation of the values placed (of the population), in ns, each taken at its slot's middle: within half a slot
 * of the exact one. 0 when empty. */
double itsi_tally_deviation(const struct itsi_tally *tally);

/* For each share q (0..1, rising) the least value (ns) at or below which that share of the values lies, within the
 * precision of the layout and never outside the extremes recorded; 0 when empty. One pass. */
void itsi_tally_quantiles(const struct itsi_tally *tally, const double *q, int64_t *values, int n);

#endif

#include "metrics/tally.h"

#include "base/diag.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

int itsi_tally_init(struct itsi_tally *tally, int bits, struct its_diag *diag)
{
    uint64_t *counts = itsi_calloc((size_t)itsi_layout_slots(bits), sizeof *counts);
    if (!counts)
        return itsi_fail(diag, ITS_ENOMEM, "tally: out of memory");
    *tally = (struct itsi_tally){.bits = bits, .low = itsi_layout_slots(bits), .high = -1, .counts = counts};
    return 0;
}

void itsi_tally_fini(struct itsi_tally *tally)
{
    itsi_free(tally->counts);
    tally->counts = NULL;
}

void itsi_tally_clear(struct itsi_tally *tally)
{
    if (tally->low <= tally->high)
        memset(tally->counts + tally->low, 0, (size_t)(tally->high - tally->low + 1) * sizeof *tally->counts);
    tally->low = itsi_layout_slots(tally->bits);
    tally->high = -1;
    tally->placed = 0;
    tally->moments = (struct itsi_moments){0};
}

size_t itsi_tally_bytes(const struct itsi_tally *tally)
{
    return (size_t)itsi_layout_slots(tally->bits) * sizeof *tally->counts;
}

void itsi_tally_add(struct itsi_tally *tally, const struct itsi_tally *from)
{
    for (int slot = from->low; slot <= from->high; slot++)
        if (from->counts[slot])
            itsi_tally_place(tally, slot, from->counts[slot]);
    itsi_moments_add(&tally->moments, &from->moments);
}

double itsi_tally_deviation(const struct itsi_tally *tally)
{
    /* about the first slot in use: differences stay small where all values are alike, and lose no digits */
    const double origin = tally->placed ? (double)itsi_layout_middle(tally->bits, tally->low) : 0;
    double sum = 0, squares = 0;
    for (int slot = tally->low; slot <= tally->high; slot++) {
        const double n = (double)tally->counts[slot];
        const double off = (double)itsi_layout_middle(tally->bits, slot) - origin;
        sum += n * off;
        squares += n * off * off;
    }
    if (!tally->placed)
        return 0;
    const double n = (double)tally->placed, mean = sum / n;
    return sqrt(fmax(0, squares / n - mean * mean));
}

static int64_t within(int64_t value, const struct itsi_moments *m)
{
    return value < m->min ? m->min : value > m->max ? m->max : value;
}

void itsi_tally_quantiles(const struct itsi_tally *tally, const double *q, int64_t *values, int n)
{
    int slot = tally->low - 1;
    uint64_t seen = 0;
    for (int i = 0; i < n; i++) {
        double rank = fmax(1, ceil(q[i] * (double)tally->placed));
        while (slot < tally->high && (double)seen < rank)
            seen += tally->counts[++slot];
        values[i] = tally->placed ? within(itsi_layout_middle(tally->bits, slot), &tally->moments) : 0;
    }
}

#include "latency/slo.h"

#include <string.h>

struct itsi_slo_counts itsi_slo_meter_take(struct itsi_slo_meter *meter, const struct itsi_ledger_counts *counts)
{
    struct itsi_slo_counts more = {0, 0};
    const bool replaced = counts->expected < meter->expected || counts->skipped < meter->skipped ||
                          counts->delivered < meter->delivered;
    if (replaced)
        *meter = (struct itsi_slo_meter){.primed = true};
    if (meter->primed) {
        more.due = (int64_t)(counts->expected - meter->expected) - (int64_t)(counts->skipped - meter->skipped);
        more.good = (int64_t)(counts->delivered - meter->delivered);
    }
    *meter = (struct itsi_slo_meter){counts->expected, counts->skipped, counts->delivered, true};
    return more;
}

void itsi_slo_series_init(struct itsi_slo_series *series, const int64_t window_ns[ITSI_SLO_WINDOW_COUNT], int64_t now)
{
    memset(series, 0, sizeof *series);
    series->began_ns = series->last_ns = now;
    for (int w = 0; w < ITSI_SLO_WINDOW_COUNT; w++) {
        series->rings[w].slot_ns = window_ns[w] / ITSI_SLO_SLOTS;
        series->rings[w].period = now / series->rings[w].slot_ns;
    }
}

static struct itsi_slo_counts *slot(struct itsi_slo_ring *ring, int64_t period)
{
    return &ring->at[period % (ITSI_SLO_SLOTS + 1)];
}

/* Opens the periods up to now; after a long silence each slot once, however long it was. */
static void advance(struct itsi_slo_series *series, int64_t now)
{
    if (now < series->last_ns)
        return;
    series->last_ns = now;
    for (int w = 0; w < ITSI_SLO_WINDOW_COUNT; w++) {
        struct itsi_slo_ring *ring = &series->rings[w];
        const int64_t newest = now / ring->slot_ns;
        int64_t period = ring->period + 1;
        if (newest - period > ITSI_SLO_SLOTS)
            period = newest - ITSI_SLO_SLOTS;
        for (; period <= newest; period++)
            *slot(ring, period) = series->sum;
        ring->period = newest;
    }
}

void itsi_slo_series_add(struct itsi_slo_series *series, struct itsi_slo_counts more, int64_t now)
{
    advance(series, now);
    series->sum.due += more.due;
    series->sum.good += more.good;
}

void itsi_slo_series_read(struct itsi_slo_series *series, enum itsi_slo_window window, int64_t now,
                          struct itsi_slo_reading *out)
{
    advance(series, now);
    struct itsi_slo_ring *ring = &series->rings[window];
    const int64_t oldest = ring->period - ITSI_SLO_SLOTS;
    const struct itsi_slo_counts *base = slot(ring, ring->period + 1); /* the slot of `oldest`, also when negative */
    const int64_t lived = series->last_ns - series->began_ns;
    out->due = series->sum.due - base->due;
    out->good = series->sum.good - base->good;
    out->bad = out->due > out->good ? out->due - out->good : 0;
    out->length_ns = series->last_ns - oldest * ring->slot_ns;
    out->observed_ns = lived < out->length_ns ? lived : out->length_ns;
}

double itsi_slo_bad_share(const struct itsi_slo_reading *reading)
{
    return reading->due > 0 ? (double)reading->bad / (double)reading->due : 0;
}

double itsi_slo_burn(const struct itsi_slo_reading *reading, double budget)
{
    const double observed = (double)reading->observed_ns / (double)reading->length_ns;
    return itsi_slo_bad_share(reading) * observed / budget;
}

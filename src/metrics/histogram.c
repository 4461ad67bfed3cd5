#include "metrics/histogram.h"

#include "base/diag.h"
#include "base/mem.h"
#include "metrics/layout.h"

#include <math.h>

#define BITS ITSI_LAYOUT_FINE
#define SLOTS itsi_layout_slots(BITS)

int itsi_histogram_init(struct itsi_histogram *h, struct its_diag *diag)
{
    _Atomic uint64_t *counts = itsi_calloc((size_t)SLOTS, sizeof *counts);
    if (!counts)
        return itsi_fail(diag, ITS_ENOMEM, "histogram: out of memory");
    h->counts = counts;
    atomic_init(&h->total, 0);
    atomic_init(&h->sum_us, 0);
    atomic_init(&h->max_us, 0);
    return 0;
}

void itsi_histogram_fini(struct itsi_histogram *h)
{
    itsi_free((void *)h->counts);
    h->counts = NULL;
}

void itsi_histogram_reset(struct itsi_histogram *h)
{
    for (int i = 0; i < SLOTS; i++)
        atomic_store_explicit(&h->counts[i], 0, memory_order_relaxed);
    atomic_store_explicit(&h->total, 0, memory_order_relaxed);
    atomic_store_explicit(&h->sum_us, 0, memory_order_relaxed);
    atomic_store_explicit(&h->max_us, 0, memory_order_relaxed);
}

/* One writer: a load and a store are enough, no locked instruction. */
#define BUMP(target, by)                                                                                               \
    atomic_store_explicit(&(target), atomic_load_explicit(&(target), memory_order_relaxed) + (by), memory_order_relaxed)

void itsi_histogram_record_ns(struct itsi_histogram *h, int64_t value_ns)
{
    int64_t ns = itsi_layout_clamp(value_ns);
    int64_t us = (ns + 500) / 1000;
    BUMP(h->counts[itsi_layout_slot(BITS, ns)], 1);
    BUMP(h->total, 1);
    BUMP(h->sum_us, us);
    if (us > atomic_load_explicit(&h->max_us, memory_order_relaxed))
        atomic_store_explicit(&h->max_us, us, memory_order_relaxed);
}

void itsi_histogram_add(struct itsi_histogram *h, const struct itsi_histogram *from)
{
    for (int i = 0; i < SLOTS; i++) {
        uint64_t more = atomic_load_explicit(&from->counts[i], memory_order_relaxed);
        if (more)
            BUMP(h->counts[i], more);
    }
    BUMP(h->total, atomic_load_explicit(&from->total, memory_order_relaxed));
    BUMP(h->sum_us, atomic_load_explicit(&from->sum_us, memory_order_relaxed));
    int64_t max = atomic_load_explicit(&from->max_us, memory_order_relaxed);
    if (max > atomic_load_explicit(&h->max_us, memory_order_relaxed))
        atomic_store_explicit(&h->max_us, max, memory_order_relaxed);
}

/* Fills values[i] (us) for each share q[i], rising. One pass over the slots; counts what the slots hold, so that a
 * concurrent writer cannot make it run past the end. */
static uint64_t walk(const struct itsi_histogram *h, const double *q, double *values, int n)
{
    uint64_t total = 0;
    for (int i = 0; i < SLOTS; i++)
        total += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    uint64_t seen = 0;
    int next = 0;
    for (int i = 0; i < SLOTS && next < n; i++) {
        seen += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        while (next < n && seen && (double)seen >= q[next] * (double)total)
            values[next++] = (double)itsi_layout_middle(BITS, i) / 1e3;
    }
    while (next < n)
        values[next++] = 0;
    return total;
}

void itsi_histogram_quantiles(const struct itsi_histogram *h, struct itsi_quantiles *out)
{
    static const double q[3] = {0.50, 0.95, 0.99};
    double us[3];
    *out = (struct itsi_quantiles){.count = walk(h, q, us, 3)};
    if (!out->count)
        return;
    double max = (double)atomic_load_explicit(&h->max_us, memory_order_relaxed);
    out->p50 = fmin(us[0], max) / 1e3;
    out->p95 = fmin(us[1], max) / 1e3;
    out->p99 = fmin(us[2], max) / 1e3;
    out->max = max / 1e3;
    out->mean = (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / (double)out->count / 1e3;
}

double itsi_histogram_at_ms(const struct itsi_histogram *h, double q)
{
    double us;
    return walk(h, &q, &us, 1) ? fmin(us, (double)atomic_load_explicit(&h->max_us, memory_order_relaxed)) / 1e3 : 0;
}

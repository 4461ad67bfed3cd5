/* A log-linear histogram in HdrHistogram's layout (Gil Tene): 3 significant digits from 1 us to 1 h, so every reported
 * value is within 0.1 % of a recorded one, with a record cost of a few nanoseconds and no allocation.
 *
 * One writer at a time; readers may read at any moment without a lock (relaxed atomics): a reading taken while the
 * writer records may miss its newest values, never shows torn ones. */
#ifndef ITSI_METRICS_HISTOGRAM_H
#define ITSI_METRICS_HISTOGRAM_H

#include "its/error.h"

#include <stdatomic.h>
#include <stdint.h>

struct itsi_histogram {
    _Atomic uint64_t *counts; /* owned; a busy slot of a daemon passes 2^32 within weeks */
    atomic_uint_fast64_t total;
    atomic_int_fast64_t sum_us, max_us;
};

ITS_NODISCARD int itsi_histogram_init(struct itsi_histogram *h, struct its_diag *diag);
void itsi_histogram_fini(struct itsi_histogram *h); /* takes zeroed */
void itsi_histogram_reset(struct itsi_histogram *h); /* by the writer */
/* Writer only. Below 0 counts as 0, above an hour as an hour. */
void itsi_histogram_record_ns(struct itsi_histogram *h, int64_t value_ns);
/* Adds from's counts. By the writer of `h`. */
void itsi_histogram_add(struct itsi_histogram *h, const struct itsi_histogram *from);

struct itsi_quantiles {
    uint64_t count;
    double p50, p95, p99, max, mean; /* ms; 0 when count is 0 */
};
void itsi_histogram_quantiles(const struct itsi_histogram *h, struct itsi_quantiles *out);
/* The value (ms) at or below which a share q (0..1) of the recorded ones lies; 0 when empty. */
double itsi_histogram_at_ms(const struct itsi_histogram *h, double q);

#endif

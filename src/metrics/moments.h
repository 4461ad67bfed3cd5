/* What is kept exactly of a set of durations, however many: count, sum, extremes, and how many exceeded the threshold
 * they were recorded with. In ns. */
#ifndef ITSI_METRICS_MOMENTS_H
#define ITSI_METRICS_MOMENTS_H

#include <stdint.h>

struct itsi_moments {
    uint64_t count, sum; /* sum: ns */
    uint64_t violations;
    int64_t min, max; /* ns; 0 when count is 0 */
};

void itsi_moments_add(struct itsi_moments *sum, const struct itsi_moments *more);
double itsi_moments_mean(const struct itsi_moments *moments); /* ns; 0 when empty */

#endif

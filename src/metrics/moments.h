/* What is kept exactly of a set of durations, however many: count, sum, sum of squares, extremes, and how many exceeded
 * the threshold they were recorded with. In ns; the squares need 128 bits (one hour squared is 84 of them). */
#ifndef ITSI_METRICS_MOMENTS_H
#define ITSI_METRICS_MOMENTS_H

#include <stdint.h>

struct itsi_moments {
    __uint128_t squares; /* ns^2 */
    uint64_t count, sum; /* sum: ns */
    uint64_t violations;
    int64_t min, max; /* ns; 0 when count is 0 */
};

void itsi_moments_add(struct itsi_moments *sum, const struct itsi_moments *more);
double itsi_moments_mean(const struct itsi_moments *moments); /* ns; 0 when empty */
/* Standard deviation of the population, in ns: exact up to the rounding of a double (1e-8 of the mean). */
double itsi_moments_deviation(const struct itsi_moments *moments);

#endif

/* An online estimate of one quantile in constant memory: stochastic approximation (Robbins, Monro 1951) with a step that
 * follows the spread of the values. Forgets slowly, so it tracks a machine that speeds up or slows down. One thread. */
#ifndef ITSI_METRICS_QUANTILE_H
#define ITSI_METRICS_QUANTILE_H

#include <stdint.h>

struct itsi_quantile {
    double q;        /* 0..1 */
    double estimate; /* in the values' unit; 0 before the first */
    double spread;   /* smoothed absolute deviation */
    uint64_t count;
};

void itsi_quantile_init(struct itsi_quantile *e, double q);
void itsi_quantile_observe(struct itsi_quantile *e, double value);

#endif

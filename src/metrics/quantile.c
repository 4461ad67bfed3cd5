#include "metrics/quantile.h"

#include <math.h>

void itsi_quantile_init(struct itsi_quantile *e, double q) { *e = (struct itsi_quantile){.q = q}; }

void itsi_quantile_observe(struct itsi_quantile *e, double value)
{
    if (e->count++ == 0) {
        e->estimate = value;
        e->spread = fabs(value) * 0.05;
        return;
    }
    double rate = e->count < 50 ? 0.2 : 0.05;
    e->spread += rate * (fabs(value - e->estimate) - e->spread);
    double step = 2 * rate * e->spread;
    e->estimate += value > e->estimate ? step * e->q : -step * (1 - e->q);
}

#include "metrics/moments.h"

#include <math.h>

void itsi_moments_add(struct itsi_moments *sum, const struct itsi_moments *more)
{
    if (!more->count)
        return;
    if (!sum->count || more->min < sum->min)
        sum->min = more->min;
    if (!sum->count || more->max > sum->max)
        sum->max = more->max;
    sum->count += more->count;
    sum->sum += more->sum;
    sum->squares += more->squares;
    sum->violations += more->violations;
}

double itsi_moments_mean(const struct itsi_moments *m) { return m->count ? (double)m->sum / (double)m->count : 0; }

double itsi_moments_deviation(const struct itsi_moments *m)
{
    if (!m->count)
        return 0;
    double mean = itsi_moments_mean(m);
    double variance = (double)m->squares / (double)m->count - mean * mean;
    return variance > 0 ? sqrt(variance) : 0; /* rounding may leave a little below 0 */
}

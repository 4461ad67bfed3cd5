#include "metrics/moments.h"

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
    sum->violations += more->violations;
}

double itsi_moments_mean(const struct itsi_moments *m) { return m->count ? (double)m->sum / (double)m->count : 0; }

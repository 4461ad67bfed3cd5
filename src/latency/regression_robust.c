#include "latency/regression_robust.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double itsi_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double itsi_majority(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    const double low = values[(count - 1) / 2], high = values[count / 2];
    return fabs(low) < fabs(high) ? low : high;
}

double itsi_middle_mean(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    const int cut = count / 4;
    double sum = 0;
    for (int i = cut; i < count - cut; i++)
        sum += values[i];
    return sum / (count - 2 * cut);
}

/* Estimates that a few wild values do not move. All sort the values they are given; count >= 1. */
#ifndef ITSI_LATENCY_REGRESSION_ROBUST_H
#define ITSI_LATENCY_REGRESSION_ROBUST_H

double itsi_median(double *values, int count);
/* The median; of an even number, the one of the two in the middle that is closer to 0: more than half lie as far
 * out. */
double itsi_majority(double *values, int count);
/* Mean of the middle half: a quarter is cut at each end. */
double itsi_middle_mean(double *values, int count);

#endif

/* Events per second over the last five whole seconds (not thread-safe), and how closely a measured rate is to be taken. */
#ifndef ITSI_METRICS_RATE_H
#define ITSI_METRICS_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { ITSI_RATE_SECONDS = 5 };
struct itsi_rate {
    int64_t second[ITSI_RATE_SECONDS + 1]; /* which second a slot counts */
    uint32_t count[ITSI_RATE_SECONDS + 1];
    int64_t first; /* second of the first event; 0: none yet */
};

void itsi_rate_add(struct itsi_rate *rate, int64_t now_ns);
double itsi_rate_get(const struct itsi_rate *rate, int64_t now_ns);

/* Is a rate as good as the one wanted, where either was measured? To the last digit a measured one never is: a key frame
 * every 30 pictures of 29.97 a second is one a second. */
#define ITSI_RATE_AS_GOOD 0.99
static inline bool itsi_rate_reaches(double rate, double wanted) { return rate >= ITSI_RATE_AS_GOOD * wanted; }

#endif

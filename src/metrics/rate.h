/* Events per second over the last five whole seconds. Not thread-safe. */
#ifndef ITSI_METRICS_RATE_H
#define ITSI_METRICS_RATE_H

#include <stdint.h>

enum { ITSI_RATE_SECONDS = 5 };
struct itsi_rate {
    int64_t second[ITSI_RATE_SECONDS + 1]; /* which second a slot counts */
    uint32_t count[ITSI_RATE_SECONDS + 1];
    int64_t first; /* second of the first event; 0: none yet */
};

void itsi_rate_add(struct itsi_rate *rate, int64_t now_ns);
double itsi_rate_get(const struct itsi_rate *rate, int64_t now_ns);

#endif

/* When a collector that could not take a batch is asked again (the OTLP specification, "Retryable response codes" and
 * "OTLP/HTTP throttling"). Exponential, with jitter, so that a hundred daemons do not come back in the same instant.
 * Pure. */
#ifndef ITSI_NET_OTLP_BACKOFF_H
#define ITSI_NET_OTLP_BACKOFF_H

#include "base/rand.h"

#include <stdbool.h>
#include <stdint.h>

struct itsi_otlp_backoff_policy {
    int64_t first_ns;   /* before the second try */
    int64_t most_ns;    /* each wait doubles up to here */
    int64_t give_up_ns; /* after the batch's first try */
};
extern const struct itsi_otlp_backoff_policy itsi_otlp_backoff_default; /* 1 s, 30 s, 60 s */

struct itsi_otlp_backoff {
    struct itsi_otlp_backoff_policy policy;
    int64_t started_ns;    /* the batch's first try */
    int64_t next_ns;       /* the wait to come, before jitter */
    int64_t not_before_ns; /* what a collector asked for; holds for later batches too */
};

void itsi_otlp_backoff_init(struct itsi_otlp_backoff *backoff, const struct itsi_otlp_backoff_policy *policy);
/* A batch's first try. */
void itsi_otlp_backoff_begin(struct itsi_otlp_backoff *backoff, int64_t now);
/* A try failed and may be repeated: when. The wait is drawn from half to one and a half of the exponential one, and is
 * at least what the collector asked for (retry_after_seconds; 0: nothing, over an hour is an hour). False: that would
 * be beyond the time a batch is worth; it is given up, and the next one still waits until not_before_ns. */
bool itsi_otlp_backoff_again(struct itsi_otlp_backoff *backoff, double retry_after_seconds, struct itsi_rand *rng,
                             int64_t now, int64_t *when);

#endif

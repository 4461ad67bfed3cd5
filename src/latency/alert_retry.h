/* When a receiver that failed is asked again. Pure. */
#ifndef ITSI_LATENCY_ALERT_RETRY_H
#define ITSI_LATENCY_ALERT_RETRY_H

#include "base/rand.h"

#include <stdint.h>

enum itsi_delivery_result {
    ITSI_DELIVERY_OK,
    ITSI_DELIVERY_AGAIN,  /* may work later */
    ITSI_DELIVERY_REFUSED /* will never work as it is: not repeated */
};
/* rc: of the exchange; status: of the answer where rc is 0. Too early (425), too many (429), timeouts (408) and
 * whatever is the server's fault (5xx) may pass; other refusals and redirections (a secret is not carried elsewhere) do
 * not. */
enum itsi_delivery_result itsi_delivery_judge(int rc, int status);

struct itsi_retry {
    int64_t base_ns, most_ns; /* the first wait, and where doubling ends */
    int failures;             /* in a row */
    struct itsi_rand rng;
};
void itsi_retry_init(struct itsi_retry *retry, int64_t base_ns, int64_t most_ns, uint64_t seed);
void itsi_retry_worked(struct itsi_retry *retry);
/* One more failure: how long to wait. Doubles per failure, the second half of it drawn at random so that many senders
 * spread out ("equal jitter": M. Brooker, Exponential Backoff and Jitter, 2015); never less than the server asked for
 * (retry_after_seconds), of which an hour at most is believed. */
int64_t itsi_retry_failed(struct itsi_retry *retry, double retry_after_seconds);

#endif

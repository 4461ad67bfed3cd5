/* When something that failed is tried again: after waits that double, up to a longest one, and are partly drawn at
 * random, so that a hundred that failed together do not come back in the same instant (M. Brooker, Exponential Backoff
 * and Jitter, 2015); and not before the other side asked for. For collectors of traces and receivers of alerts; cameras
 * have classes of failure of their own (capture/machine.h) and share the bound alone. Pure: `now` is an argument. */
#ifndef ITSI_NET_BACKOFF_H
#define ITSI_NET_BACKOFF_H

#include "base/rand.h"

#include <stdbool.h>
#include <stdint.h>

struct itsi_backoff_policy {
    int64_t first_ns;   /* bound of the first wait */
    int64_t most_ns;    /* each bound doubles up to here */
    int64_t give_up_ns; /* no try later than that after the first one; ITSI_NEVER: however late */
};

struct itsi_backoff {
    struct itsi_backoff_policy policy;
    struct itsi_rand rng;
    int failures;          /* in a row */
    int64_t started_ns;    /* the first try */
    int64_t not_before_ns; /* what the other side asked for; holds for what is sent next too */
};

/* seed: another one for each that must not come back together. */
void itsi_backoff_init(struct itsi_backoff *backoff, const struct itsi_backoff_policy *policy, uint64_t seed);
/* The first try of something new, or one that worked: failures are forgotten. */
void itsi_backoff_begin(struct itsi_backoff *backoff, int64_t now);
/* A try failed and may be repeated: when. The wait is drawn from the upper half of its bound ("equal jitter"), and is
 * at least what the other side asked for (retry_after_seconds; 0: nothing, over an hour is an hour). False: that would
 * be too late; it is given up, and what comes next still waits until not_before_ns. */
bool itsi_backoff_again(struct itsi_backoff *backoff, double retry_after_seconds, int64_t now, int64_t *when);

/* The longest wait after the n-th failure in a row (1, 2, ...): first_ns * 2^(n-1), at most most_ns. */
int64_t itsi_backoff_bound(int64_t first_ns, int64_t most_ns, int failures);

#endif

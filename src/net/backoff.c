#include "net/backoff.h"

#include "base/clock.h"

#define LONGEST_ASKED_SECONDS 3600.0

int64_t itsi_backoff_bound(int64_t first_ns, int64_t most_ns, int failures)
{
    int64_t bound = first_ns < most_ns ? first_ns : most_ns;
    for (int i = 1; i < failures && bound < most_ns; i++)
        bound = bound < most_ns / 2 ? 2 * bound : most_ns;
    return bound;
}

void itsi_backoff_init(struct itsi_backoff *backoff, const struct itsi_backoff_policy *policy, uint64_t seed)
{
    *backoff = (struct itsi_backoff){.policy = *policy};
    itsi_rand_seed(&backoff->rng, seed);
}

void itsi_backoff_begin(struct itsi_backoff *backoff, int64_t now)
{
    backoff->started_ns = now;
    backoff->failures = 0;
}

bool itsi_backoff_again(struct itsi_backoff *backoff, double retry_after_seconds, int64_t now, int64_t *when)
{
    const struct itsi_backoff_policy *policy = &backoff->policy;
    if (retry_after_seconds > 0) {
        double asked = retry_after_seconds < LONGEST_ASKED_SECONDS ? retry_after_seconds : LONGEST_ASKED_SECONDS;
        backoff->not_before_ns = now + (int64_t)(asked * (double)ITSI_NS_PER_S);
    }
    double bound = (double)itsi_backoff_bound(policy->first_ns, policy->most_ns, ++backoff->failures);
    int64_t at = now + (int64_t)itsi_rand_range(&backoff->rng, bound / 2, bound);
    if (at < backoff->not_before_ns)
        at = backoff->not_before_ns;
    if (at - backoff->started_ns > policy->give_up_ns)
        return false;
    *when = at;
    return true;
}

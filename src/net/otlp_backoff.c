#include "net/otlp_backoff.h"

#include "base/clock.h"

#define LONGEST_ASKED_SECONDS 3600.0

const struct itsi_otlp_backoff_policy itsi_otlp_backoff_default = {ITSI_NS_PER_S, 30 * ITSI_NS_PER_S,
                                                                    60 * ITSI_NS_PER_S};

void itsi_otlp_backoff_init(struct itsi_otlp_backoff *backoff, const struct itsi_otlp_backoff_policy *policy)
{
    *backoff = (struct itsi_otlp_backoff){.policy = *policy, .next_ns = policy->first_ns};
}

void itsi_otlp_backoff_begin(struct itsi_otlp_backoff *backoff, int64_t now)
{
    backoff->started_ns = now;
    backoff->next_ns = backoff->policy.first_ns;
}

bool itsi_otlp_backoff_again(struct itsi_otlp_backoff *backoff, double retry_after_seconds, struct itsi_rand *rng,
                             int64_t now, int64_t *when)
{
    if (retry_after_seconds > 0) {
        double asked = retry_after_seconds < LONGEST_ASKED_SECONDS ? retry_after_seconds : LONGEST_ASKED_SECONDS;
        backoff->not_before_ns = now + (int64_t)(asked * (double)ITSI_NS_PER_S);
    }
    int64_t at = now + (int64_t)((double)backoff->next_ns * itsi_rand_range(rng, 0.5, 1.5));
    if (at < backoff->not_before_ns)
        at = backoff->not_before_ns;
    if (at - backoff->started_ns > backoff->policy.give_up_ns)
        return false;
    backoff->next_ns = backoff->next_ns < backoff->policy.most_ns / 2 ? 2 * backoff->next_ns : backoff->policy.most_ns;
    *when = at;
    return true;
}

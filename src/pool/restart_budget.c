#include "pool/restart_budget.h"

#include "net/backoff.h"

/* The n-th newest, n from 0. */
static int64_t death(const struct itsi_restart_budget *budget, uint64_t n)
{
    return budget->deaths[(budget->count - 1 - n) % ITSI_RESTART_BUDGET_MOST];
}

void itsi_restart_budget_died(struct itsi_restart_budget *budget, int64_t now)
{
    budget->deaths[budget->count++ % ITSI_RESTART_BUDGET_MOST] = now;
}

int itsi_restart_budget_spent(const struct itsi_restart_budget *budget, const struct itsi_restart_policy *policy,
                              int64_t now)
{
    int spent = 0;
    while ((uint64_t)spent < budget->count && spent < policy->most &&
           now - death(budget, (uint64_t)spent) < policy->window_ns)
        spent++;
    return spent;
}

int64_t itsi_restart_budget_next(const struct itsi_restart_budget *budget, const struct itsi_restart_policy *policy,
                                 int64_t now)
{
    const int spent = itsi_restart_budget_spent(budget, policy, now);
    if (!spent)
        return now;
    const int64_t backed_off = death(budget, 0) + itsi_backoff_bound(policy->first_ns, policy->most_ns, spent);
    if (spent < policy->most)
        return backed_off;
    const int64_t affordable = death(budget, (uint64_t)policy->most - 1) + policy->window_ns;
    return affordable > backed_off ? affordable : backed_off;
}

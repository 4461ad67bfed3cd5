/* How often something that dies may be started anew: `most` times within `window_ns` (systemd's StartLimitBurst), after
 * waits that double, and not before the oldest of them is that long ago once the budget is spent. Pure. */
#ifndef ITSI_POOL_RESTART_BUDGET_H
#define ITSI_POOL_RESTART_BUDGET_H

#include <stdint.h>

enum { ITSI_RESTART_BUDGET_MOST = 16 };

struct itsi_restart_policy {
    int most; /* 1..ITSI_RESTART_BUDGET_MOST */
    int64_t window_ns;
    int64_t first_ns, most_ns; /* the first wait and the longest */
};

struct itsi_restart_budget { /* zeroed: nothing has died */
    int64_t deaths[ITSI_RESTART_BUDGET_MOST]; /* a ring */
    uint64_t count; /* ever */
};

/* It died at `now` without having been asked to. */
void itsi_restart_budget_died(struct itsi_restart_budget *budget, int64_t now);
/* Deaths within the window. */
int itsi_restart_budget_spent(const struct itsi_restart_budget *budget, const struct itsi_restart_policy *policy,
                              int64_t now);
/* The instant from which it may be started; at or before `now`: at once. */
int64_t itsi_restart_budget_next(const struct itsi_restart_budget *budget, const struct itsi_restart_policy *policy,
                                 int64_t now);

#endif

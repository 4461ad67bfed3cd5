#include "latency/slo_burn.h"

#include <math.h>

const struct itsi_slo_rule itsi_slo_rules[ITSI_SLO_RULE_COUNT] = {
    {ITSI_SEVERITY_EMERGENCY, ITSI_SLO_MEDIUM, ITSI_SLO_SHORT, 14.4},
    {ITSI_SEVERITY_CRITICAL, ITSI_SLO_MEDIUM, ITSI_SLO_SHORT, 6},
    {ITSI_SEVERITY_WARNING, ITSI_SLO_LONG, ITSI_SLO_MEDIUM, 3},
    {ITSI_SEVERITY_INFO, ITSI_SLO_LONG, ITSI_SLO_MEDIUM, 1},
};

const char *itsi_severity_name(enum itsi_severity severity)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_SEVERITY_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[severity];
}

double itsi_slo_budget(const struct itsi_slo_policy *policy)
{
    return policy->budget > ITSI_SLO_LEAST_BUDGET ? policy->budget : ITSI_SLO_LEAST_BUDGET;
}

double itsi_slo_threshold(const struct itsi_slo_policy *policy, const struct itsi_slo_rule *rule)
{
    const double budget = itsi_slo_budget(policy);
    if (budget >= 1)
        return INFINITY;
    /* a budget beyond the most that a rule may ask for still has to be overspent */
    const double most = budget > ITSI_SLO_MOST_BAD_SHARE ? 1 : ITSI_SLO_MOST_BAD_SHARE / budget;
    return rule->burn < most ? rule->burn : most;
}

/* Fills the figures of one rule and says whether both its windows burn at `part` of its threshold at least. */
static bool burns(struct itsi_slo_series *series, const struct itsi_slo_policy *policy,
                  const struct itsi_slo_rule *rule, int64_t now, struct itsi_slo_verdict *v)
{
    const double budget = itsi_slo_budget(policy);
    v->rule = rule;
    v->threshold = itsi_slo_threshold(policy, rule);
    itsi_slo_series_read(series, rule->long_window, now, &v->long_reading);
    itsi_slo_series_read(series, rule->short_window, now, &v->short_reading);
    v->burn_long = itsi_slo_burn(&v->long_reading, budget);
    v->burn_short = itsi_slo_burn(&v->short_reading, budget);
    return v->burn_long >= v->threshold && v->burn_short >= v->threshold && v->long_reading.due >= policy->least_due;
}

static bool holds(const struct itsi_slo_policy *policy, const struct itsi_slo_verdict *v)
{
    const double clear = v->threshold * policy->clear_ratio;
    return v->burn_long >= clear && v->burn_short >= clear;
}

void itsi_slo_judge(struct itsi_slo_series *series, const struct itsi_slo_policy *policy, enum itsi_severity most,
                    int64_t now, struct itsi_slo_verdict *out)
{
    struct itsi_slo_verdict shown = {.rule = NULL}, tried = {.rule = NULL};
    enum itsi_severity level = ITSI_SEVERITY_NONE, held = ITSI_SEVERITY_NONE;
    for (int i = 0; i < ITSI_SLO_RULE_COUNT && level == ITSI_SEVERITY_NONE; i++) {
        const struct itsi_slo_rule *rule = &itsi_slo_rules[i];
        if (rule->severity > most)
            continue;
        if (burns(series, policy, rule, now, &tried))
            level = rule->severity;
        const bool holding = held == ITSI_SEVERITY_NONE && (level != ITSI_SEVERITY_NONE || holds(policy, &tried));
        if (holding)
            held = rule->severity;
        if (level != ITSI_SEVERITY_NONE || holding || !shown.rule)
            shown = tried;
    }
    *out = shown;
    out->level = level;
    out->held = held;
}

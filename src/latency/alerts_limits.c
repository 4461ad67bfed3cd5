/* Conditions that other parts of the monitor measure: a value over its limit. */
#include "latency/alerts_impl.h"

#include <stdio.h>

static const char *const quantile_names[ITSI_ALERT_QUANTILES] = {"p50", "p95", "p99"};

/* From the limit on `first`, from `factor` limits on `second`. */
struct ladder {
    enum itsi_severity first, second;
    double factor;
};
static const struct ladder latency_ladder = {ITSI_SEVERITY_WARNING, ITSI_SEVERITY_CRITICAL, 2};
static const struct ladder stuck_ladder = {ITSI_SEVERITY_CRITICAL, ITSI_SEVERITY_EMERGENCY, 6};
/* Frames are still in time or shed: whether they are is told by the budget, graver if need be. */
static const struct ladder exhausted_ladder = {ITSI_SEVERITY_WARNING, ITSI_SEVERITY_WARNING, 1};
/* Nor does any frame wait for a pool; but a store that is down loses rows. */
static const struct ladder pool_ladder = {ITSI_SEVERITY_WARNING, ITSI_SEVERITY_WARNING, 1};
static const struct ladder store_ladder = {ITSI_SEVERITY_CRITICAL, ITSI_SEVERITY_CRITICAL, 1};
/* Alerts hold until the value is under this part of the limit. */
#define CLEAR 0.9

const char *itsi_alert_pool_name(enum itsi_alert_pool pool)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_ALERT_POOL_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[pool];
}

enum itsi_alert_condition itsi_alerts_limit_condition(int index)
{
    if (index >= ITSI_LIMIT_POOL)
        return ITSI_ALERT_POOL;
    if (index == ITSI_LIMIT_EXHAUSTED)
        return ITSI_ALERT_EXHAUSTED;
    if (index >= ITSI_LIMIT_STUCK)
        return ITSI_ALERT_STUCK;
    if (index >= ITSI_LIMIT_REGRESSION)
        return ITSI_ALERT_REGRESSION;
    return index >= ITSI_LIMIT_STAGE ? ITSI_ALERT_STAGE_BUDGET : ITSI_ALERT_LATENCY_TARGET;
}

const char *itsi_alerts_limit_part(int index)
{
    if (index < ITSI_LIMIT_STAGE)
        return quantile_names[index - ITSI_LIMIT_LATENCY];
    if (index < ITSI_LIMIT_REGRESSION)
        return itsi_stage_name((enum itsi_stage)(index - ITSI_LIMIT_STAGE));
    if (index >= ITSI_LIMIT_POOL)
        return itsi_alert_pool_name((enum itsi_alert_pool)(index - ITSI_LIMIT_POOL));
    if (index == ITSI_LIMIT_EXHAUSTED)
        return "";
    if (index == ITSI_LIMIT_REGRESSION + ITSI_ALERT_END_TO_END)
        return "end_to_end";
    return itsi_stage_name(
        (enum itsi_stage)(index - (index < ITSI_LIMIT_STUCK ? ITSI_LIMIT_REGRESSION : ITSI_LIMIT_STUCK)));
}

static enum itsi_severity climb(double ratio, const struct ladder *ladder)
{
    if (ratio > ladder->factor)
        return ladder->second;
    return ratio > 1 ? ladder->first : ITSI_SEVERITY_NONE;
}

static void judge(const struct itsi_alerts *alerts, double value, double limit, const struct ladder *ladder,
                  struct itsi_alert_observation *seen)
{
    seen->figures.value = value;
    seen->figures.limit = limit;
    if (alerts->params.enabled && limit > 0) { /* comparisons with a NaN are false: nothing is wrong */
        seen->level = climb(value / limit, ladder);
        seen->held = climb(value / limit / CLEAR, ladder);
    }
}

static void update(struct itsi_alerts *alerts, int index, const struct itsi_alert_observation *seen)
{
    itsi_alert_cell_update(&alerts->limits[index], seen, &alerts->params.system, alerts->now, alerts->wall);
}

static void observe(struct itsi_alerts *alerts, int index, double value, double limit, const struct ladder *ladder,
                    struct itsi_alert_observation *seen)
{
    judge(alerts, value, limit, ladder, seen);
    update(alerts, index, seen);
}

static void update_quantiles(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    const bool enough = tick->end_to_end.count >= (uint64_t)alerts->params.slo.least_due;
    for (int i = 0; i < ITSI_ALERT_QUANTILES; i++) {
        struct itsi_alert_observation seen = {.level = ITSI_SEVERITY_NONE};
        observe(alerts, ITSI_LIMIT_LATENCY + i, enough ? tick->end_to_end.ms[i] : 0,
                alerts->params.latency_target_ms[i], &latency_ladder, &seen);
    }
}

static void update_stages(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        struct itsi_alert_observation seen = {.level = ITSI_SEVERITY_NONE};
        const bool enough = tick->stage[s].count >= (uint64_t)alerts->params.slo.least_due;
        observe(alerts, ITSI_LIMIT_STAGE + s, enough ? tick->stage[s].p95_ms : 0, alerts->params.stage_budget_ms[s],
                &latency_ladder, &seen);
    }
}

static enum itsi_severity graver(enum itsi_severity a, enum itsi_severity b) { return a > b ? a : b; }

/* The detector has its own confidence and hysteresis: what it reports is wrong, though the estimate of a slowdown about
 * as large as the threshold lies below it every other time. */
static void judge_regression(const struct itsi_alerts *alerts, const struct itsi_alert_regression *regression,
                             struct itsi_alert_observation *seen)
{
    judge(alerts, regression->percent, alerts->params.regression_percent, &latency_ladder, seen);
    seen->figures.confidence = regression->confidence;
    seen->figures.since_wall = regression->since_wall;
    if (alerts->params.enabled) {
        seen->level = graver(seen->level, latency_ladder.first);
        seen->held = graver(seen->held, latency_ladder.first);
    }
}

static void update_regressions(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    for (int s = 0; s <= ITSI_ALERT_END_TO_END; s++) {
        struct itsi_alert_observation seen = {.level = ITSI_SEVERITY_NONE};
        for (size_t i = 0; i < tick->regression_count; i++)
            if (tick->regressions[i].stage == s)
                judge_regression(alerts, &tick->regressions[i], &seen);
        update(alerts, ITSI_LIMIT_REGRESSION + s, &seen);
    }
}

static void update_stuck(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        struct itsi_alert_observation seen = {.level = ITSI_SEVERITY_NONE};
        const bool here = tick->oldest.camera && (int)tick->oldest.stage == s;
        if (here) {
            size_t n = 0;
            for (; tick->oldest.camera[n] && n + 1 < sizeof seen.figures.names; n++)
                seen.figures.names[n] = tick->oldest.camera[n];
            seen.figures.names[n] = '\0';
        }
        observe(alerts, ITSI_LIMIT_STUCK + s, here ? tick->oldest.seconds : 0, alerts->params.stuck_seconds,
                &stuck_ladder, &seen);
    }
}

static void update_exhausted(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    struct itsi_alert_observation seen = {.level = ITSI_SEVERITY_NONE};
    seen.figures.members = tick->quality.cameras;
    seen.figures.failing = tick->quality.exhausted;
    snprintf(seen.figures.names, sizeof seen.figures.names, "%s",
             tick->quality.bottleneck ? tick->quality.bottleneck : "");
    observe(alerts, ITSI_LIMIT_EXHAUSTED, tick->quality.seconds, alerts->params.exhausted_seconds, &exhausted_ladder,
            &seen);
}

static void update_pools(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    for (int p = 0; p < ITSI_ALERT_POOLS; p++) {
        struct itsi_alert_observation seen = {.level = ITSI_SEVERITY_NONE};
        snprintf(seen.figures.names, sizeof seen.figures.names, "%s", tick->pools[p].why);
        observe(alerts, ITSI_LIMIT_POOL + p, tick->pools[p].down_seconds, alerts->params.pool_down_seconds,
                p == ITSI_ALERT_POOL_STORE ? &store_ladder : &pool_ladder, &seen);
    }
}

void itsi_alerts_update_limits(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    update_quantiles(alerts, tick);
    update_stages(alerts, tick);
    update_regressions(alerts, tick);
    update_stuck(alerts, tick);
    update_exhausted(alerts, tick);
    update_pools(alerts, tick);
}

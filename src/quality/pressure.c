#include "quality/pressure.h"

#include <math.h>

const char *itsi_quality_pressure_name(enum itsi_quality_pressure pressure)
{
    static const char *const names[] = {"calm", "steady", "overloaded", "critical"};
    return names[pressure];
}

static double processors_busy(const struct itsi_quality_load *load)
{
    return load->cpu_percent < 0 ? -1 : load->cpu_percent / 100;
}

double itsi_quality_busy(const struct itsi_quality_load *load)
{
    return fmax(load->engine_busy, processors_busy(load));
}

double itsi_quality_engine_needed(const struct itsi_quality_load *load)
{
    return load->engine_needed >= 0 ? load->engine_needed : load->engine_busy;
}

double itsi_quality_excess(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource)
{
    return itsi_quality_fleet_demand(fleet, resource) -
           fleet->policy->busy_target * itsi_quality_fleet_capacity(fleet, resource);
}

void itsi_quality_milder(const struct itsi_quality_load *a, const struct itsi_quality_load *b,
                         struct itsi_quality_load *out)
{
    *out = *a;
    out->slack_ms = fmax(a->slack_ms, b->slack_ms);
    out->queue_age_ms = fmin(a->queue_age_ms, b->queue_age_ms);
    out->on_time_ratio = fmax(a->on_time_ratio, b->on_time_ratio);
    out->cpu_percent = fmin(a->cpu_percent, b->cpu_percent);
    out->engine_busy = fmin(a->engine_busy, b->engine_busy);
    out->encode_share = fmin(a->encode_share, b->encode_share);
}

/* Demand over capacity of the fullest resource. An encoder that is full harms viewers, not detections, and is a fact of
 * its own, so it is not among them. */
static double fullest(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource *resource)
{
    double most = 0;
    *resource = fleet->snapshot->engine_on_cpu ? ITSI_RESOURCE_CPU : ITSI_RESOURCE_ENGINE;
    for (int r = ITSI_RESOURCE_CPU; r <= ITSI_RESOURCE_ENGINE; r++) {
        const double capacity = itsi_quality_fleet_capacity(fleet, (enum itsi_quality_resource)r);
        if (capacity <= 0)
            continue;
        const double utilisation = itsi_quality_fleet_demand(fleet, (enum itsi_quality_resource)r) / capacity;
        if (utilisation > most) {
            most = utilisation;
            *resource = (enum itsi_quality_resource)r;
        }
    }
    return most;
}

/* A full machine whose frames are in time and all analysed is a machine well used. Comparisons with NAN are false. */
static bool busy_hurts(const struct itsi_quality_policy *policy, const struct itsi_quality_evidence *evidence)
{
    return itsi_quality_busy(&evidence->fast) > policy->busy_high &&
           (evidence->unmet > policy->unmet_high || evidence->fast.slack_ms < policy->slack_calm_ms);
}

static enum itsi_quality_reason lateness(const struct itsi_quality_policy *policy, const struct itsi_quality_load *load)
{
    if (load->slack_ms < policy->slack_low_ms)
        return ITSI_QUALITY_SLACK;
    if (load->queue_age_ms > policy->queue_high_ms)
        return ITSI_QUALITY_QUEUE_AGE;
    if (load->on_time_ratio >= 0 && load->on_time_ratio < policy->on_time_low)
        return ITSI_QUALITY_ON_TIME;
    return ITSI_QUALITY_NONE;
}

bool itsi_quality_in_time(const struct itsi_quality_policy *policy, const struct itsi_quality_load *load)
{
    return !(load->slack_ms < policy->slack_calm_ms) && load->queue_age_ms <= policy->queue_calm_ms &&
           !(load->on_time_ratio >= 0 && load->on_time_ratio < policy->on_time_calm);
}

static enum itsi_quality_reason overload_of(const struct itsi_quality_policy *policy,
                                            const struct itsi_quality_evidence *evidence)
{
    const struct itsi_quality_load *load = &evidence->fast;
    const enum itsi_quality_reason late = evidence->futile ? ITSI_QUALITY_NONE : lateness(policy, load);
    if (late != ITSI_QUALITY_NONE)
        return late;
    if (busy_hurts(policy, evidence))
        return ITSI_QUALITY_BUSY;
    return load->encode_share > policy->busy_high ? ITSI_QUALITY_ENCODER : ITSI_QUALITY_NONE;
}

static bool critical(const struct itsi_quality_policy *policy, const struct itsi_quality_load *load, double utilisation)
{
    return load->slack_ms < 0 || load->queue_age_ms > policy->budget_ms ||
           (load->on_time_ratio >= 0 && load->on_time_ratio < 0.9) || utilisation > policy->critical_utilisation;
}

/* Frames that go unanalysed while there is room are not for want of it: a camera gives fewer than its time stamps say. */
static bool calm(const struct itsi_quality_policy *policy, const struct itsi_quality_evidence *evidence)
{
    const struct itsi_quality_load *load = &evidence->slow;
    const double busy = fmax(itsi_quality_engine_needed(load), processors_busy(load));
    const bool in_time = itsi_quality_in_time(policy, load) && itsi_quality_in_time(policy, &evidence->fast);
    return (evidence->futile || in_time) &&
           (evidence->unmet <= policy->unmet_calm || busy <= policy->busy_target) && busy <= policy->busy_high &&
           load->encode_share <= policy->busy_high;
}

void itsi_quality_judge(const struct itsi_quality_fleet *fleet, const struct itsi_quality_evidence *evidence,
                        struct itsi_quality_verdict *out)
{
    const struct itsi_quality_policy *policy = fleet->policy;
    const struct itsi_quality_load *fast = &evidence->fast;
    out->inputs = (struct itsi_quality_inputs){
        .slack_ms = fast->slack_ms,
        .queue_age_ms = fast->queue_age_ms,
        .on_time_ratio = fast->on_time_ratio,
        .busy = itsi_quality_busy(fast),
        .unmet = evidence->unmet,
    };
    out->inputs.utilisation = fullest(fleet, &out->resource);
    out->fact = overload_of(policy, evidence);
    if (out->fact == ITSI_QUALITY_ENCODER) {
        out->pressure = ITSI_PRESSURE_OVERLOADED;
        out->resource = ITSI_RESOURCE_ENCODER;
    } else if (out->fact != ITSI_QUALITY_NONE) {
        const bool now = critical(policy, fast, out->inputs.utilisation);
        out->pressure = now ? ITSI_PRESSURE_CRITICAL : ITSI_PRESSURE_OVERLOADED;
    } else {
        out->pressure = calm(policy, evidence) ? ITSI_PRESSURE_CALM : ITSI_PRESSURE_STEADY;
    }
}

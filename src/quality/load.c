#include "quality/load.h"

#include "quality/profile.h"

#include <math.h>

void itsi_quality_load_unknown(struct itsi_quality_load *load)
{
#define ITSI_X(field) load->field = -1;
    ITSI_QUALITY_LOAD_MAP(ITSI_X)
#undef ITSI_X
    load->slack_ms = NAN;
}

double itsi_quality_smoothing(int64_t dt_ns, int64_t tau_ns)
{
    if (dt_ns <= 0)
        return 0;
    return tau_ns <= 0 ? 1 : 1 - exp(-(double)dt_ns / (double)tau_ns);
}

/* What is no number is not known, and in no mean. */
static double blend(double old, double new, double weight)
{
    if (isnan(new))
        return -1;
    return old < 0 || new < 0 ? new : old + weight * (new - old);
}

static double blend_signed(double old, double new, double weight)
{
    return isnan(old) || isnan(new) ? new : old + weight * (new - old);
}

void itsi_quality_load_smooth(struct itsi_quality_load *smooth, const struct itsi_quality_load *raw, int64_t dt_ns,
                              int64_t tau_ns)
{
    const double weight = itsi_quality_smoothing(dt_ns, tau_ns);
    const double slack = blend_signed(smooth->slack_ms, raw->slack_ms, weight);
#define ITSI_X(field) smooth->field = blend(smooth->field, raw->field, weight);
    ITSI_QUALITY_LOAD_MAP(ITSI_X)
#undef ITSI_X
    smooth->slack_ms = slack;
}

/* Above any of these the condition holds. A limit of INFINITY: the figure does not speak for this condition. */
static const struct {
    double cpu, memory, gpu, latency_ms, errors;
} limits[ITSI_LOAD_CONDITIONS] = {
    [ITSI_LOAD_ELEVATED] = {60, 70, 70, 120, INFINITY},
    [ITSI_LOAD_HIGH] = {80, 85, 85, 150, INFINITY},
    [ITSI_LOAD_CRITICAL] = {90, 95, 95, 200, INFINITY},
    [ITSI_LOAD_OVERLOAD] = {95, 98, INFINITY, INFINITY, 0.1},
};

enum itsi_quality_condition itsi_quality_condition(const struct itsi_quality_load *load)
{
    for (int c = ITSI_LOAD_OVERLOAD; c > ITSI_LOAD_OPTIMAL; c--)
        if (load->cpu_percent > limits[c].cpu || load->memory_percent > limits[c].memory ||
            load->gpu_percent > limits[c].gpu || load->latency_ms > limits[c].latency_ms ||
            load->error_rate > limits[c].errors)
            return (enum itsi_quality_condition)c;
    return ITSI_LOAD_OPTIMAL;
}

const char *itsi_quality_condition_name(enum itsi_quality_condition condition)
{
    static const char *const names[] = {"optimal", "elevated", "high", "critical", "overload"};
    return names[condition];
}

int itsi_quality_condition_level(enum itsi_quality_condition condition)
{
    static const int levels[] = {ITSI_QUALITY_HIGH, ITSI_QUALITY_MEDIUM, ITSI_QUALITY_LOW, ITSI_QUALITY_ULTRA_LOW,
                                 ITSI_QUALITY_ULTRA_LOW};
    return levels[condition];
}

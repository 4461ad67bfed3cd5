#include "quality/policy.h"

#include "base/clock.h"
#include "quality/profile.h"

#include <math.h>

#define MINUTES (60 * ITSI_NS_PER_S)

void itsi_quality_policy_make(struct itsi_quality_policy *out, const struct its_cfg_adaptive_quality *cfg,
                              double budget_ms)
{
    /* latency_threshold_ms is where load begins; in a tighter budget a tenth of it */
    const double slack_low = fmax(budget_ms - cfg->latency_threshold_ms, budget_ms * 0.1);
    const int64_t interval = cfg->quality_adjustment_interval_seconds * ITSI_NS_PER_S;
    *out = (struct itsi_quality_policy){
        .enabled = cfg->enable_adaptive_quality,
        .gradual = cfg->gradual_quality_reduction,
        .recovery = cfg->quality_recovery_enabled,
        .prefer_priority = cfg->enable_priority_streaming,
        .protect_priority = cfg->enable_priority_streaming && cfg->priority_quality_protection,
        .default_level = cfg->default_quality,
        .priority_floor = ITSI_QUALITY_MEDIUM,
        .floor_fps = 1,
        .admission = ITSI_ADMIT_DEGRADE,
        .budget_ms = budget_ms,
        .slack_low_ms = fmin(slack_low, budget_ms * 0.4),
        .slack_calm_ms = fmin(slack_low, budget_ms * 0.4) + budget_ms * 0.15,
        .queue_high_ms = budget_ms * 0.5,
        .queue_calm_ms = budget_ms * 0.3,
        .on_time_low = 0.99,
        .on_time_calm = 0.995,
        .unmet_high = 0.05,
        .unmet_calm = 0.02,
        .busy_high = 0.95,
        .busy_target = 0.85,
        .busy_rise = 0.9,
        .critical_utilisation = 1.5,
        .memory_percent = cfg->memory_threshold_percent,
        .gpu_memory_percent = cfg->gpu_memory_threshold_percent,
        .cpu_percent = cfg->cpu_threshold_percent,
        .down_dwell_ns = 500 * ITSI_NS_PER_MS,
        .settle_ns = ITSI_NS_PER_S,
        .rise_dwell_ns = cfg->recovery_stability_period_minutes * MINUTES,
        .rise_interval_ns = interval,
        .trial_ns = interval < 5 * ITSI_NS_PER_S ? interval : 5 * ITSI_NS_PER_S,
        .flap_window_ns = MINUTES,
        .flap_forget_ns = 30 * MINUTES,
        .flap_most = 4,
        .fast_ns = 400 * ITSI_NS_PER_MS,
        .slow_ns = 3 * ITSI_NS_PER_S,
        .least_step = 0.05,
    };
}

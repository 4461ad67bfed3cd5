/* What the operator wants of the controller. A value; made from the options, then changed at will (tests, --set). */
#ifndef ITSI_QUALITY_POLICY_H
#define ITSI_QUALITY_POLICY_H

#include "config/config.h"

enum itsi_quality_admission { ITSI_ADMIT_DEGRADE, ITSI_ADMIT_REFUSE };

struct itsi_quality_policy {
    bool enabled;            /* false: everybody at the default level, pins and boosts apart */
    bool gradual;            /* one level a step, unless the load is critical */
    bool recovery;           /* quality rises again */
    bool prefer_priority;    /* priority cameras degrade last and rise first */
    bool protect_priority;   /* and never fall below priority_floor */
    int default_level;       /* the ceiling of every camera without pin or boost */
    int priority_floor;
    double floor_fps;        /* analysed frames per second that every camera keeps while anything can be given */
    enum itsi_quality_admission admission; /* a newcomer that does not fit as it is */

    /* Three bands: overloaded below/above the first of each pair, calm beyond the second, between them all stays. */
    double budget_ms;        /* a frame's, from origin to deadline */
    double slack_low_ms, slack_calm_ms;
    double queue_high_ms, queue_calm_ms;
    double on_time_low, on_time_calm;
    double unmet_high, unmet_calm; /* share of the detections asked for that were not done; counts when busy only */
    double busy_high;        /* busy share of processors or engine that is too much when frames suffer from it */
    double busy_target;      /* what a downgrade aims at */
    double busy_rise;        /* what an upgrade may fill */
    double critical_utilisation; /* demand over capacity that answers at once and with as many levels as it takes */

    /* Nothing rises above these; unknown figures do not count. */
    double memory_percent, gpu_memory_percent;
    double cpu_percent;      /* above it the waves in which quality rises grow half as fast */

    int64_t down_dwell_ns;   /* overload must last for so long, unless critical */
    int64_t settle_ns;       /* a change shows in the measurements after so long; no further downgrade before */
    int64_t rise_dwell_ns;   /* calm must last for so long; doubled by every flap */
    int64_t rise_interval_ns; /* between upgrades */
    int64_t trial_ns;        /* an upgrade that overloads within it goes back; that of a probe is doubled by every flap */
    int64_t flap_window_ns;  /* overload so soon after an upgrade is a flap */
    int64_t flap_forget_ns;  /* time constant in which flaps are forgotten */
    double flap_most;        /* the dwell is lengthened by 2 to this power at most */
    int64_t fast_ns, slow_ns; /* smoothing before a downgrade and before an upgrade */
    double least_step;       /* share of the work by which the first downgrade lessens what the estimate calls bearable
                              * but the facts do not; doubled while they still do not */
};

/* budget_ms: from a frame's origin to its deadline. */
void itsi_quality_policy_make(struct itsi_quality_policy *out, const struct its_cfg_adaptive_quality *cfg,
                              double budget_ms);

#endif

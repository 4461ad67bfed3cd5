/* When a burning budget is worth telling: multiple windows, multiple burn rates (Google, The Site Reliability Workbook,
 * chapter 5 "Alerting on SLOs", method 6), scaled from a month of requests to an hour of video.
 *
 * The workbook pairs 14.4x over 1 h, 6x over 6 h and 1x over 3 d (and practice puts 3x over 1 d between), each with a
 * short window of a twelfth that must burn as well, so that an alert ends soon after its cause. A viewer of live video
 * does not wait for an hour, and the product has three windows (60 s, 300 s, 60 min):
 *
 *     severity   long      short    burn   bad share   of a day's budget   told after a whole outage of
 *                                          at 5 %      when it fires
 *     emergency  300 s     60 s     14.4   72 %        5.0 %               216 s
 *     critical   300 s     60 s     6      30 %        2.1 %               90 s
 *     warning    60 min    300 s    3      15 %        12.5 %              (critical comes first)
 *     info       60 min    300 s    1      5 %         4.2 %               (critical comes first)
 *
 * 60 min to 300 s is the workbook's twelfth; 300 s to 60 s a fifth, since a shorter window would hold fewer than the
 * frames that make a share worth believing. Warning and info find what burns slowly: 10 % of frames late burn at 2x,
 * never reach critical, and are told after half an hour.
 *
 * Pure, like slo.h. */
#ifndef ITSI_LATENCY_SLO_BURN_H
#define ITSI_LATENCY_SLO_BURN_H

#include "latency/slo.h"

/* X(NAME, "text"); texts are those of Python's AlertLevel. */
#define ITSI_SEVERITY_MAP(X)                                                                                           \
    X(NONE, "none")                                                                                                    \
    X(INFO, "info")                                                                                                    \
    X(WARNING, "warning")                                                                                              \
    X(CRITICAL, "critical")                                                                                            \
    X(EMERGENCY, "emergency")

enum itsi_severity {
#define ITSI_X(name, text) ITSI_SEVERITY_##name,
    ITSI_SEVERITY_MAP(ITSI_X)
#undef ITSI_X
        ITSI_SEVERITY_COUNT
};
const char *itsi_severity_name(enum itsi_severity severity);

struct itsi_slo_policy {
    int64_t window_ns[ITSI_SLO_WINDOW_COUNT];
    double budget;      /* share of the frames due that may be bad: sla_violation_threshold */
    int64_t least_due;  /* frames due in the long window of a rule before it may fire */
    double clear_ratio; /* a firing rule holds until a burn rate falls under this part of its threshold */
};

struct itsi_slo_rule {
    enum itsi_severity severity;
    enum itsi_slo_window long_window, short_window;
    double burn;
};
enum { ITSI_SLO_RULE_COUNT = 4 };
extern const struct itsi_slo_rule itsi_slo_rules[ITSI_SLO_RULE_COUNT]; /* the gravest first */

/* The least budget reckoned with: at 0 any one bad frame would burn infinitely fast, whatever the window. */
#define ITSI_SLO_LEAST_BUDGET 0.001
/* No rule asks for more than this share of bad frames: with a budget of 10 %, 14.4x would be more than all of them. */
#define ITSI_SLO_MOST_BAD_SHARE 0.9

/* The share that may be bad, as reckoned with; 1 and more: nothing is ever worth telling. */
double itsi_slo_budget(const struct itsi_slo_policy *policy);
/* The burn rate at which a rule fires under this policy; INFINITY when the budget allows everything. */
double itsi_slo_threshold(const struct itsi_slo_policy *policy, const struct itsi_slo_rule *rule);

struct itsi_slo_verdict {
    enum itsi_severity level; /* the gravest rule whose condition holds */
    enum itsi_severity held;  /* the gravest rule that would not clear if it fired; at least `level` */
    const struct itsi_slo_rule *rule; /* of `level`, else of `held`, else the gravest considered */
    struct itsi_slo_reading long_reading, short_reading; /* of that rule's windows */
    double burn_long, burn_short, threshold;
};
/* most: rules graver than this are left out (one camera does not make an emergency). */
void itsi_slo_judge(struct itsi_slo_series *series, const struct itsi_slo_policy *policy, enum itsi_severity most,
                    int64_t now, struct itsi_slo_verdict *out);

#endif

/* An alert: what is wrong, with whom, since when, and the figures that say so. A value, copied freely. */
#ifndef ITSI_LATENCY_ALERT_H
#define ITSI_LATENCY_ALERT_H

#include "base/json.h"
#include "latency/slo_burn.h"

/* X(NAME, "text", "Alertmanager's alertname"). The names are those of deploy/prometheus/its-camera-ai.rules.yml. */
#define ITSI_ALERT_CONDITION_MAP(X)                                                                                    \
    X(BURN, "error_budget_burn", "ItsErrorBudgetBurn")                                                                 \
    X(STAGE_BUDGET, "stage_over_budget", "ItsStageOverBudget")                                                         \
    X(LATENCY_TARGET, "latency_over_target", "ItsLatencyOverTarget")                                                   \
    X(REGRESSION, "latency_regression", "ItsLatencyRegression")                                                        \
    X(STUCK, "frame_stuck", "ItsFrameStuck")                                                                           \
    X(EXHAUSTED, "quality_exhausted", "ItsQualityExhausted")                                                           \
    X(POOL, "pool_down", "ItsPoolDown")

enum itsi_alert_condition {
#define ITSI_X(name, text, alertname) ITSI_ALERT_##name,
    ITSI_ALERT_CONDITION_MAP(ITSI_X)
#undef ITSI_X
        ITSI_ALERT_CONDITION_COUNT
};
const char *itsi_alert_condition_name(enum itsi_alert_condition condition);
const char *itsi_alert_alertname(enum itsi_alert_condition condition);

enum itsi_alert_scope { ITSI_ALERT_SYSTEM, ITSI_ALERT_GROUP, ITSI_ALERT_CAMERA };
const char *itsi_alert_scope_name(enum itsi_alert_scope scope);

/* Why an alert ended. */
enum itsi_alert_end {
    ITSI_ALERT_RECOVERED,  /* the condition is gone, and was for as long as hysteresis asks */
    ITSI_ALERT_REMOVED,    /* its camera, or the last camera of its group, was removed */
    ITSI_ALERT_SUPERSEDED, /* an alert of a wider scope now speaks for it */
    ITSI_ALERT_STOPPED,    /* the program ends and watches it no longer */
};
const char *itsi_alert_end_name(enum itsi_alert_end end);

enum { ITSI_ALERT_SUBJECT_SIZE = 128, ITSI_ALERT_PART_SIZE = 32, ITSI_ALERT_NAMES_SIZE = 192 };

/* What was measured when the alert last changed. Which fields say something depends on the condition. */
struct itsi_alert_figures {
    double value, limit;            /* burn rate; milliseconds; percent (regression); seconds (stuck, exhausted, pool) */
    double burn_short;              /* BURN: the rate over the short window */
    double budget;                  /* BURN: share of frames allowed to be bad */
    double confidence;              /* REGRESSION: 0..1 */
    int64_t due, bad;               /* BURN: over the long window */
    int64_t long_ns, short_ns;      /* BURN: nominal lengths of the two windows */
    int64_t since_wall;             /* REGRESSION: when it began */
    int failing, members;           /* BURN of a group or the system, EXHAUSTED: cameras */
    char names[ITSI_ALERT_NAMES_SIZE]; /* BURN: some of the failing ones, "a, b, c"; STUCK: the camera; EXHAUSTED: the
                                        * resource that is full; POOL: why */
};

struct itsi_alert {
    uint64_t fingerprint; /* same condition, scope, subject and part: same number, also after a restart */
    enum itsi_alert_condition condition;
    enum itsi_alert_scope scope;
    char subject[ITSI_ALERT_SUBJECT_SIZE]; /* camera id or group name; empty for the system */
    char part[ITSI_ALERT_PART_SIZE];       /* stage, "p95", or a pool's name; empty where there is none */
    enum itsi_severity severity;           /* never NONE; of an ended alert: the last */
    bool firing;
    bool muted;                            /* holds, but an alert of a wider scope speaks for it (only in listings) */
    enum itsi_alert_end end;               /* of an ended one */
    int64_t started_wall, ended_wall;      /* ns since 1970; ended: 0 while it fires, else never before started */
    struct itsi_alert_figures figures;
};

/* FNV-1a over condition, scope, subject and part. Severity changes in an alert's life and is left out. */
uint64_t itsi_alert_fingerprint(const struct itsi_alert *alert);

/* One sentence with the figures, for a person. */
void itsi_alert_summary(const struct itsi_alert *alert, char *out, size_t size);

/* One object with everything, as the webhook and the API give it (alert_json.c documents it). */
void itsi_alert_json(struct itsi_json *json, const char *key, const struct itsi_alert *alert);

/* The webhook's document, {"version": "1", "source", "instance", "alerts": [...]}, around its alerts. */
void itsi_alert_webhook_head(struct itsi_json *json, const char *instance);
void itsi_alert_webhook_foot(struct itsi_json *json);

/* One alert as Alertmanager's API v2 takes it (an element of POST /api/v2/alerts). A severity is part of an alert's
 * identity there, hence an argument. ends_wall: in the past when it ended, else when Alertmanager may take the silence
 * of a dead sender for the end. */
void itsi_alert_alertmanager_json(struct itsi_json *json, const struct itsi_alert *alert, enum itsi_severity severity,
                                  const char *instance, int64_t ends_wall);

#endif

/* Alerts as JSON. One alert, as the API lists it and the webhook posts it:
 *
 *     {"fingerprint": "16 hex digits", "status": "firing" | "resolved", "reason": null | "recovered" | "removed" |
 *      "superseded" | "stopped", "muted": false, "severity": "critical", "starts_at": RFC 3339,
 *      "ends_at": RFC 3339 | null,
 *      "labels": {"condition", "scope", "camera"?, "group"?, "stage"?, "quantile"?, "pool"?},
 *      "summary": text,
 *      "figures": {what belongs to the condition: "burn_rate", "burn_rate_short", "limit", "frames_due", ...}}
 *
 * Labels identify, and are bounded by the cameras and groups there are; everything that varies is a figure. */
#include "latency/alert.h"

#include "base/clock.h"

#include <stdio.h>

static void wall(struct itsi_json *json, const char *key, int64_t wall_ns)
{
    char text[32];
    itsi_format_wall(wall_ns, text);
    itsi_json_string(json, key, wall_ns ? text : NULL);
}

static void number_text(struct itsi_json *json, const char *key, double value, int decimals)
{
    char text[32];
    snprintf(text, sizeof text, "%.*f", decimals, value);
    itsi_json_string(json, key, text);
}

/* The labels that identify, less those whose values are the caller's. */
static void identity(struct itsi_json *json, const struct itsi_alert *alert)
{
    itsi_json_string(json, "scope", itsi_alert_scope_name(alert->scope));
    if (alert->scope != ITSI_ALERT_SYSTEM)
        itsi_json_string(json, itsi_alert_scope_name(alert->scope), alert->subject);
    if (alert->part[0])
        itsi_json_string(json,
                         alert->condition == ITSI_ALERT_LATENCY_TARGET ? "quantile"
                         : alert->condition == ITSI_ALERT_POOL         ? "pool"
                                                                       : "stage",
                         alert->part);
}

static void burn_figures(struct itsi_json *json, const struct itsi_alert *alert)
{
    const struct itsi_alert_figures *f = &alert->figures;
    itsi_json_number(json, "burn_rate", f->value, 3);
    itsi_json_number(json, "burn_rate_short", f->burn_short, 3);
    itsi_json_number(json, "limit", f->limit, 3);
    itsi_json_number(json, "budget", f->budget, 6);
    itsi_json_int(json, "frames_due", f->due);
    itsi_json_int(json, "frames_bad", f->bad);
    itsi_json_int(json, "window_seconds", f->long_ns / ITSI_NS_PER_S);
    itsi_json_int(json, "short_window_seconds", f->short_ns / ITSI_NS_PER_S);
    if (alert->scope == ITSI_ALERT_CAMERA)
        return;
    itsi_json_int(json, "cameras", f->members);
    itsi_json_int(json, "cameras_failing", f->failing);
    itsi_json_string(json, "failing", f->names);
}

static void figures(struct itsi_json *json, const struct itsi_alert *alert)
{
    const struct itsi_alert_figures *f = &alert->figures;
    itsi_json_object(json, "figures");
    switch (alert->condition) {
    case ITSI_ALERT_BURN:
        burn_figures(json, alert);
        break;
    case ITSI_ALERT_STAGE_BUDGET:
    case ITSI_ALERT_LATENCY_TARGET:
        itsi_json_number(json, "latency_ms", f->value, 3);
        itsi_json_number(json, "limit_ms", f->limit, 3);
        break;
    case ITSI_ALERT_REGRESSION:
        itsi_json_number(json, "slower_percent", f->value, 3);
        itsi_json_number(json, "limit_percent", f->limit, 3);
        itsi_json_number(json, "confidence", f->confidence, 6);
        wall(json, "since", f->since_wall);
        break;
    case ITSI_ALERT_EXHAUSTED:
        itsi_json_number(json, "overload_seconds", f->value, 3);
        itsi_json_number(json, "limit_seconds", f->limit, 3);
        itsi_json_int(json, "cameras", f->members);
        itsi_json_int(json, "cameras_exhausted", f->failing);
        itsi_json_string(json, "bottleneck", f->names);
        break;
    case ITSI_ALERT_POOL:
        itsi_json_number(json, "down_seconds", f->value, 3);
        itsi_json_number(json, "limit_seconds", f->limit, 3);
        itsi_json_string(json, "why", f->names);
        break;
    default:
        itsi_json_number(json, "age_seconds", f->value, 3);
        itsi_json_number(json, "limit_seconds", f->limit, 3);
        itsi_json_string(json, "camera", f->names);
    }
    itsi_json_end(json, '}');
}

void itsi_alert_json(struct itsi_json *json, const char *key, const struct itsi_alert *alert)
{
    char text[768];
    itsi_json_object(json, key);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)alert->fingerprint);
    itsi_json_string(json, "fingerprint", text);
    itsi_json_string(json, "status", alert->firing ? "firing" : "resolved");
    itsi_json_string(json, "reason", alert->firing ? NULL : itsi_alert_end_name(alert->end));
    itsi_json_bool(json, "muted", alert->muted);
    itsi_json_string(json, "severity", itsi_severity_name(alert->severity));
    wall(json, "starts_at", alert->started_wall);
    wall(json, "ends_at", alert->ended_wall);
    itsi_json_object(json, "labels");
    itsi_json_string(json, "condition", itsi_alert_condition_name(alert->condition));
    identity(json, alert);
    itsi_json_end(json, '}');
    itsi_alert_summary(alert, text, sizeof text);
    itsi_json_string(json, "summary", text);
    figures(json, alert);
    itsi_json_end(json, '}');
}

void itsi_alert_webhook_head(struct itsi_json *json, const char *instance)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "version", "1");
    itsi_json_string(json, "source", "its-camera-ai");
    itsi_json_string(json, "instance", instance);
    itsi_json_array(json, "alerts");
}

void itsi_alert_webhook_foot(struct itsi_json *json)
{
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
}

void itsi_alert_alertmanager_json(struct itsi_json *json, const struct itsi_alert *alert, enum itsi_severity severity,
                                  const char *instance, int64_t ends_wall)
{
    char text[768];
    itsi_json_object(json, NULL);
    itsi_json_object(json, "labels");
    itsi_json_string(json, "alertname", itsi_alert_alertname(alert->condition));
    itsi_json_string(json, "severity", itsi_severity_name(severity));
    itsi_json_string(json, "job", "its-camera-ai");
    itsi_json_string(json, "instance", instance);
    identity(json, alert);
    itsi_json_end(json, '}');
    itsi_json_object(json, "annotations");
    itsi_alert_summary(alert, text, sizeof text);
    itsi_json_string(json, "summary", text);
    number_text(json, "value", alert->figures.value, 3); /* annotations are strings there */
    number_text(json, "limit", alert->figures.limit, 3);
    if (alert->figures.failing)
        number_text(json, "cameras_failing", alert->figures.failing, 0);
    itsi_json_end(json, '}');
    wall(json, "startsAt", alert->started_wall);
    wall(json, "endsAt", ends_wall);
    itsi_json_end(json, '}');
}

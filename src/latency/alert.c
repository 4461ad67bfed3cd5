#include "latency/alert.h"

#include "base/clock.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

const char *itsi_alert_condition_name(enum itsi_alert_condition condition)
{
    static const char *const names[] = {
#define ITSI_X(name, text, alertname) text,
        ITSI_ALERT_CONDITION_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[condition];
}

const char *itsi_alert_alertname(enum itsi_alert_condition condition)
{
    static const char *const names[] = {
#define ITSI_X(name, text, alertname) alertname,
        ITSI_ALERT_CONDITION_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[condition];
}

const char *itsi_alert_scope_name(enum itsi_alert_scope scope)
{
    static const char *const names[] = {"system", "group", "camera"};
    return names[scope];
}

const char *itsi_alert_end_name(enum itsi_alert_end end)
{
    static const char *const names[] = {"recovered", "removed", "superseded", "stopped"};
    return names[end];
}

static uint64_t add_text(uint64_t hash, const char *text)
{
    return itsi_hash_bytes(hash, text, strlen(text) + 1); /* the terminator too, so that "ab", "c" is not "a", "bc" */
}

uint64_t itsi_alert_fingerprint(const struct itsi_alert *alert)
{
    uint64_t hash = ITSI_HASH_START;
    hash = add_text(hash, itsi_alert_condition_name(alert->condition));
    hash = add_text(hash, itsi_alert_scope_name(alert->scope));
    hash = add_text(hash, alert->subject);
    return add_text(hash, alert->part);
}

/* "camera gate", "group 10.0.0.7", "the system" */
static void subject_of(const struct itsi_alert *alert, char *out, size_t size)
{
    if (alert->scope == ITSI_ALERT_SYSTEM)
        snprintf(out, size, "the system");
    else
        snprintf(out, size, "%s %s", itsi_alert_scope_name(alert->scope), alert->subject);
}

static void burn_summary(const struct itsi_alert *alert, char *out, size_t size)
{
    const struct itsi_alert_figures *f = &alert->figures;
    char who[ITSI_ALERT_SUBJECT_SIZE + 16], cameras[ITSI_ALERT_NAMES_SIZE + 64] = "";
    subject_of(alert, who, sizeof who);
    if (f->failing)
        snprintf(cameras, sizeof cameras, "; %d of %d cameras failing: %s", f->failing, f->members, f->names);
    snprintf(out, size,
             "%s: %lld of %lld frames due in the last %lld s were not delivered in time; the budget of %g %% burns at "
             "%.1fx (last %lld s: %.1fx, limit %.3gx)%s",
             who, (long long)f->bad, (long long)f->due, (long long)(f->long_ns / ITSI_NS_PER_S), f->budget * 100,
             f->value, (long long)(f->short_ns / ITSI_NS_PER_S), f->burn_short, f->limit, cameras);
}

void itsi_alert_summary(const struct itsi_alert *alert, char *out, size_t size)
{
    const struct itsi_alert_figures *f = &alert->figures;
    char since[32];
    switch (alert->condition) {
    case ITSI_ALERT_BURN:
        burn_summary(alert, out, size);
        return;
    case ITSI_ALERT_STAGE_BUDGET:
        snprintf(out, size, "stage %s: p95 of %.1f ms, its budget is %g ms", alert->part, f->value, f->limit);
        return;
    case ITSI_ALERT_LATENCY_TARGET:
        snprintf(out, size, "end-to-end latency: %s of %.1f ms, its target is %g ms", alert->part, f->value, f->limit);
        return;
    case ITSI_ALERT_REGRESSION:
        itsi_format_wall(f->since_wall, since);
        snprintf(out, size, "%s slower by %.1f %% since %s (confidence %.4f, limit %g %%)", alert->part, f->value,
                 since, f->confidence, f->limit);
        return;
    case ITSI_ALERT_EXHAUSTED:
        snprintf(out, size,
                 "quality has nothing left to give: overload of the %s has gone on for %.1f s (limit %g s) with %d of the %d "
                 "cameras that take of it as low as they may be",
                 f->names, f->value, f->limit, f->failing, f->members);
        return;
    case ITSI_ALERT_POOL:
        snprintf(out, size, "%s has been down for %.1f s (limit %g s): %s", alert->part, f->value, f->limit, f->names);
        return;
    default:
        snprintf(out, size, "a frame of camera %s has been in %s for %.1f s (limit %g s)", f->names, alert->part,
                 f->value, f->limit);
    }
}

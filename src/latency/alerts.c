#include "latency/alerts_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* One camera's alert never is an emergency: that word is for what many cameras share. */
#define MOST_FOR_CAMERA ITSI_SEVERITY_CRITICAL
enum { NAMES_LISTED = 8, NAMES_ROOM_FOR_REST = 24 };

static struct itsi_alert_timing timing_of(int64_t pending_ns, int64_t hold_ns, int64_t flap_ns)
{
    return (struct itsi_alert_timing){pending_ns, hold_ns, flap_ns};
}

void itsi_alert_params_from(struct itsi_alert_params *out, const struct its_cfg_latency_monitoring *cfg)
{
    const int64_t monitoring = cfg->monitoring_window_seconds * ITSI_NS_PER_S;
    const int64_t alert = cfg->alert_window_seconds * ITSI_NS_PER_S;
    memset(out, 0, sizeof *out);
    out->enabled = cfg->enable_sla_alerts;
    out->slo = (struct itsi_slo_policy){
        .window_ns = {monitoring, alert, cfg->trend_analysis_minutes * 60 * ITSI_NS_PER_S},
        .budget = cfg->sla_violation_threshold,
        .least_due = 100,
        .clear_ratio = 0.8,
    };
    out->system = timing_of(0, monitoring, alert);
    out->camera = timing_of(monitoring / 4, monitoring, alert);
    out->group = timing_of(monitoring / 12, monitoring, alert);
    out->group_least = 3;
    out->latency_target_ms[0] = cfg->latency_p50_target_ms;
    out->latency_target_ms[1] = cfg->latency_p95_target_ms;
    out->latency_target_ms[2] = cfg->latency_p99_target_ms;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        out->stage_budget_ms[s] = itsi_stage_budget_ms((enum itsi_stage)s);
    out->regression_percent = cfg->regression_threshold_percent;
    out->exhausted_seconds = out->pool_down_seconds = 10;
    out->stuck_seconds = cfg->latency_sla_ms / 100 > 5 ? cfg->latency_sla_ms / 100 : 5;
}

int itsi_alerts_create(struct itsi_alerts **out, const struct itsi_alert_params *params, struct its_diag *diag)
{
    struct itsi_alerts *alerts = itsi_zalloc(sizeof *alerts);
    if (!alerts)
        return itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory");
    pthread_mutex_init(&alerts->mutex, NULL);
    alerts->params = *params;
    *out = alerts;
    return 0;
}

void itsi_alerts_destroy(struct itsi_alerts *alerts)
{
    if (!alerts)
        return;
    itsi_alerts_free_members(alerts);
    itsi_free(alerts->events);
    pthread_mutex_destroy(&alerts->mutex);
    itsi_free(alerts);
}

static void restart_windows(struct itsi_alerts *alerts)
{
    const int64_t *window_ns = alerts->params.slo.window_ns;
    itsi_slo_series_init(&alerts->series, window_ns, alerts->now);
    for (size_t i = 0; i < alerts->group_count; i++)
        itsi_slo_series_init(&alerts->groups[i]->series, window_ns, alerts->now);
    for (size_t i = 0; i < alerts->member_count; i++)
        itsi_slo_series_init(&alerts->members[i]->series, window_ns, alerts->now);
}

void itsi_alerts_configure(struct itsi_alerts *alerts, const struct itsi_alert_params *params)
{
    pthread_mutex_lock(&alerts->mutex);
    const bool other =
        memcmp(alerts->params.slo.window_ns, params->slo.window_ns, sizeof params->slo.window_ns) != 0;
    alerts->params = *params;
    if (other && alerts->started)
        restart_windows(alerts);
    pthread_mutex_unlock(&alerts->mutex);
}

bool itsi_alerts_grow(void **array, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return true;
    const size_t more = count > 2 * *cap ? count : 2 * *cap;
    void *bigger = itsi_realloc(*array, more * size);
    if (!bigger)
        return false;
    *array = bigger;
    *cap = more;
    return true;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void describe(const struct itsi_alert_cell *cell, enum itsi_alert_scope scope,
                     enum itsi_alert_condition condition, const char *subject, const char *part, struct itsi_alert *out)
{
    memset(out, 0, sizeof *out);
    out->condition = condition;
    out->scope = scope;
    snprintf(out->subject, sizeof out->subject, "%s", subject);
    snprintf(out->part, sizeof out->part, "%s", part);
    out->fingerprint = itsi_alert_fingerprint(out);
    out->severity = cell->severity;
    out->firing = true;
    out->started_wall = cell->started_wall;
    out->figures = cell->figures;
}

void itsi_alerts_tell(struct itsi_alerts *alerts, struct itsi_alert_cell *cell, enum itsi_alert_scope scope,
                      enum itsi_alert_condition condition, const char *subject, const char *part, bool muted,
                      bool removed)
{
    enum itsi_severity severity;
    if (removed || alerts->stopped)
        itsi_alert_cell_end(cell, alerts->now);
    const enum itsi_alert_news news = itsi_alert_cell_news(cell, muted, &severity);
    if (news == ITSI_ALERT_NO_NEWS)
        return;
    struct itsi_alert *alert = &alerts->events[alerts->event_count++];
    describe(cell, scope, condition, subject, part, alert);
    alert->severity = severity;
    if (news == ITSI_ALERT_TELL_ENDED) {
        alert->firing = false;
        alert->end = removed                            ? ITSI_ALERT_REMOVED
                     : alerts->stopped                  ? ITSI_ALERT_STOPPED
                     : cell->phase == ITSI_ALERT_FIRING ? ITSI_ALERT_SUPERSEDED
                                                          : ITSI_ALERT_RECOVERED;
        alert->ended_wall = alerts->wall > alert->started_wall ? alerts->wall : alert->started_wall;
    }
    alerts->history[alerts->history_count++ % ITSI_ALERT_HISTORY] = *alert;
}

/* --- judging ------------------------------------------------------------------------------------------------------ */

static void burn_figures(const struct itsi_alerts *alerts, const struct itsi_slo_verdict *v,
                         struct itsi_alert_figures *out)
{
    *out = (struct itsi_alert_figures){.value = v->burn_long, .limit = v->threshold, .burn_short = v->burn_short};
    out->budget = itsi_slo_budget(&alerts->params.slo);
    out->due = v->long_reading.due;
    out->bad = v->long_reading.bad;
    out->long_ns = alerts->params.slo.window_ns[v->rule->long_window];
    out->short_ns = alerts->params.slo.window_ns[v->rule->short_window];
}

static void judge(struct itsi_alerts *alerts, struct itsi_slo_series *series, enum itsi_severity most,
                  struct itsi_alert_observation *seen, struct itsi_slo_verdict *verdict)
{
    itsi_slo_judge(series, &alerts->params.slo, most, alerts->now, verdict);
    seen->level = alerts->params.enabled ? verdict->level : ITSI_SEVERITY_NONE;
    seen->held = alerts->params.enabled ? verdict->held : ITSI_SEVERITY_NONE;
    burn_figures(alerts, verdict, &seen->figures);
}

static void tally_add(struct itsi_alert_tally *tally, const char *id, bool failing,
                      const struct itsi_alert_observation *seen)
{
    tally->members++;
    if (!failing)
        return;
    tally->failing++;
    tally->level = seen->level > tally->level ? seen->level : tally->level;
    tally->held = seen->held > tally->held ? seen->held : tally->held;
    const size_t used = strlen(tally->names);
    if (tally->listed == tally->failing - 1 && tally->listed < NAMES_LISTED &&
        used + strlen(id) + 2 + NAMES_ROOM_FOR_REST < sizeof tally->names) {
        snprintf(tally->names + used, sizeof tally->names - used, "%s%s", used ? ", " : "", id);
        tally->listed++;
    }
}

static void tally_copy(const struct itsi_alert_tally *tally, struct itsi_alert_figures *out)
{
    const int rest = tally->failing - tally->listed;
    out->failing = tally->failing;
    out->members = tally->members;
    snprintf(out->names, sizeof out->names, "%s", tally->names);
    if (rest) {
        const size_t used = strlen(out->names);
        snprintf(out->names + used, sizeof out->names - used, "%s%d more", used ? " and " : "", rest);
    }
}

static void update_members(struct itsi_alerts *alerts)
{
    alerts->tally = (struct itsi_alert_tally){.members = 0};
    for (size_t i = 0; i < alerts->group_count; i++)
        alerts->groups[i]->tally = (struct itsi_alert_tally){.members = 0};
    for (size_t i = 0; i < alerts->member_count; i++) {
        struct itsi_alert_member *member = alerts->members[i];
        struct itsi_alert_observation seen;
        struct itsi_slo_verdict verdict;
        judge(alerts, &member->series, MOST_FOR_CAMERA, &seen, &verdict);
        itsi_alert_cell_update(&member->cell, &seen, &alerts->params.camera, alerts->now, alerts->wall);
        const bool failing = member->cell.phase != ITSI_ALERT_IDLE && seen.held != ITSI_SEVERITY_NONE;
        if (!failing && verdict.long_reading.due < alerts->params.slo.least_due)
            continue; /* nothing is known of it yet */
        tally_add(&alerts->tally, member->id, failing, &seen);
        if (member->group)
            tally_add(&member->group->tally, member->id, failing, &seen);
    }
}

/* Half of them fail; once said, it is true until under two fifths do. */
static bool most_fail(const struct itsi_alert_tally *tally, bool said)
{
    return tally->failing > 0 && (said ? 5 : 4) * tally->failing >= 2 * tally->members;
}

/* A group fails as its cameras do, and is an emergency where the frames of all of them together are. */
static void update_group(struct itsi_alerts *alerts, struct itsi_alert_group *group)
{
    struct itsi_alert_observation seen;
    struct itsi_slo_verdict verdict;
    judge(alerts, &group->series, ITSI_SEVERITY_EMERGENCY, &seen, &verdict);
    const bool said = group->cell.phase == ITSI_ALERT_FIRING;
    const bool shared = group->tally.failing >= alerts->params.group_least && most_fail(&group->tally, said);
    const bool was = said && group->cell.severity == ITSI_SEVERITY_EMERGENCY;
    const bool emergency = shared && seen.level == ITSI_SEVERITY_EMERGENCY;
    const bool still = emergency || (shared && was && seen.held == ITSI_SEVERITY_EMERGENCY);
    const struct itsi_alert_tally calm = {.level = ITSI_SEVERITY_NONE}, *cameras = shared ? &group->tally : &calm;
    seen.level = emergency ? ITSI_SEVERITY_EMERGENCY : cameras->level;
    seen.held = still ? ITSI_SEVERITY_EMERGENCY : cameras->held;
    tally_copy(&group->tally, &seen.figures);
    itsi_alert_cell_update(&group->cell, &seen, &alerts->params.group, alerts->now, alerts->wall);
}

static void update_system(struct itsi_alerts *alerts)
{
    struct itsi_alert_observation seen;
    struct itsi_slo_verdict verdict;
    judge(alerts, &alerts->series, ITSI_SEVERITY_EMERGENCY, &seen, &verdict);
    tally_copy(&alerts->tally, &seen.figures);
    itsi_alert_cell_update(&alerts->cell, &seen, &alerts->params.system, alerts->now, alerts->wall);
    alerts->mutes = alerts->cell.phase == ITSI_ALERT_FIRING && most_fail(&alerts->tally, alerts->mutes);
}

static bool system_speaks_for(const struct itsi_alerts *alerts, const struct itsi_alert_cell *cell)
{
    return alerts->mutes && alerts->cell.severity >= cell->severity;
}

static bool speaks_for_member(const struct itsi_alerts *alerts, const struct itsi_alert_member *member)
{
    const struct itsi_alert_cell *group = member->group ? &member->group->cell : NULL;
    return system_speaks_for(alerts, &member->cell) ||
           (group && group->phase == ITSI_ALERT_FIRING && group->severity >= member->cell.severity);
}

static void tell_all(struct itsi_alerts *alerts)
{
    itsi_alerts_tell(alerts, &alerts->cell, ITSI_ALERT_SYSTEM, ITSI_ALERT_BURN, "", "", false, false);
    for (int i = 0; i < ITSI_LIMIT_COUNT; i++)
        itsi_alerts_tell(alerts, &alerts->limits[i], ITSI_ALERT_SYSTEM, itsi_alerts_limit_condition(i), "",
                         itsi_alerts_limit_part(i), false, false);
    for (size_t i = 0; i < alerts->group_count; i++)
        itsi_alerts_tell(alerts, &alerts->groups[i]->cell, ITSI_ALERT_GROUP, ITSI_ALERT_BURN, alerts->groups[i]->name,
                         "", system_speaks_for(alerts, &alerts->groups[i]->cell), false);
    for (size_t i = 0; i < alerts->member_count; i++)
        itsi_alerts_tell(alerts, &alerts->members[i]->cell, ITSI_ALERT_CAMERA, ITSI_ALERT_BURN, alerts->members[i]->id,
                         "", speaks_for_member(alerts, alerts->members[i]), false);
}

static int tick_locked(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    const int64_t now = tick->now > alerts->now || !alerts->started ? tick->now : alerts->now;
    alerts->event_count = 0;
    /* a camera has one thing to tell at most, a group two (it ends with its last camera, and another takes its name) */
    const size_t most = 1 + ITSI_LIMIT_COUNT + alerts->member_count + 2 * alerts->group_count + 3 * tick->camera_count;
    if (!itsi_alerts_grow((void **)&alerts->events, &alerts->event_cap, most, sizeof *alerts->events))
        return ITS_ENOMEM;
    alerts->now = now;
    alerts->wall = tick->wall;
    if (!alerts->started)
        itsi_slo_series_init(&alerts->series, alerts->params.slo.window_ns, now);
    alerts->started = true;
    const int rc = itsi_alerts_count(alerts, tick);
    itsi_alerts_sweep(alerts);
    update_members(alerts);
    for (size_t i = 0; i < alerts->group_count; i++)
        update_group(alerts, alerts->groups[i]);
    update_system(alerts);
    itsi_alerts_update_limits(alerts, tick);
    tell_all(alerts);
    return rc;
}

int itsi_alerts_tick(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    pthread_mutex_lock(&alerts->mutex);
    const int rc = tick_locked(alerts, tick);
    pthread_mutex_unlock(&alerts->mutex);
    return rc;
}

void itsi_alerts_stop(struct itsi_alerts *alerts, int64_t wall)
{
    pthread_mutex_lock(&alerts->mutex);
    alerts->event_count = 0; /* there is room for one of each since the tick that told it */
    alerts->wall = wall;
    alerts->stopped = true;
    tell_all(alerts);
    pthread_mutex_unlock(&alerts->mutex);
}

const struct itsi_alert *itsi_alerts_events(const struct itsi_alerts *alerts, size_t *count)
{
    *count = alerts->event_count;
    return alerts->events;
}

/* --- listing ------------------------------------------------------------------------------------------------------ */

struct listing {
    struct itsi_alert *out;
    size_t cap, count;
};

static void list(struct listing *l, const struct itsi_alert_cell *cell, enum itsi_alert_scope scope,
                 enum itsi_alert_condition condition, const char *subject, const char *part, bool muted)
{
    if (cell->phase != ITSI_ALERT_FIRING)
        return;
    if (l->count < l->cap) {
        describe(cell, scope, condition, subject, part, &l->out[l->count]);
        l->out[l->count].muted = muted;
    }
    l->count++;
}

size_t itsi_alerts_active(struct itsi_alerts *alerts, struct itsi_alert *out, size_t cap)
{
    struct listing l = {out, cap, 0};
    pthread_mutex_lock(&alerts->mutex);
    list(&l, &alerts->cell, ITSI_ALERT_SYSTEM, ITSI_ALERT_BURN, "", "", false);
    for (int i = 0; i < ITSI_LIMIT_COUNT; i++)
        list(&l, &alerts->limits[i], ITSI_ALERT_SYSTEM, itsi_alerts_limit_condition(i), "", itsi_alerts_limit_part(i),
             false);
    for (size_t i = 0; i < alerts->group_count; i++)
        list(&l, &alerts->groups[i]->cell, ITSI_ALERT_GROUP, ITSI_ALERT_BURN, alerts->groups[i]->name, "",
             system_speaks_for(alerts, &alerts->groups[i]->cell));
    for (size_t i = 0; i < alerts->member_count; i++)
        list(&l, &alerts->members[i]->cell, ITSI_ALERT_CAMERA, ITSI_ALERT_BURN, alerts->members[i]->id, "",
             speaks_for_member(alerts, alerts->members[i]));
    pthread_mutex_unlock(&alerts->mutex);
    return l.count;
}

size_t itsi_alerts_history(struct itsi_alerts *alerts, struct itsi_alert *out, size_t cap)
{
    pthread_mutex_lock(&alerts->mutex);
    size_t count = alerts->history_count < ITSI_ALERT_HISTORY ? (size_t)alerts->history_count : ITSI_ALERT_HISTORY;
    if (count > cap)
        count = cap;
    for (size_t i = 0; i < count; i++)
        out[i] = alerts->history[(alerts->history_count - 1 - i) % ITSI_ALERT_HISTORY];
    pthread_mutex_unlock(&alerts->mutex);
    return count;
}

double itsi_alerts_budget(struct itsi_alerts *alerts)
{
    pthread_mutex_lock(&alerts->mutex);
    double budget = itsi_slo_budget(&alerts->params.slo);
    pthread_mutex_unlock(&alerts->mutex);
    return budget;
}

int itsi_alerts_slo(struct itsi_alerts *alerts, const char *id, struct itsi_slo_status *out)
{
    int rc = 0;
    pthread_mutex_lock(&alerts->mutex);
    struct itsi_alert_member *member = id ? itsi_alerts_find(alerts, id) : NULL;
    struct itsi_slo_series *series = member ? &member->series : &alerts->series;
    if ((id && !member) || !alerts->started)
        rc = ITS_ENOTFOUND;
    for (int w = 0; w < ITSI_SLO_WINDOW_COUNT && rc == 0; w++) {
        out->budget = itsi_slo_budget(&alerts->params.slo);
        itsi_slo_series_read(series, (enum itsi_slo_window)w, alerts->now, &out->window[w].frames);
        out->window[w].burn = itsi_slo_burn(&out->window[w].frames, out->budget);
    }
    pthread_mutex_unlock(&alerts->mutex);
    return rc;
}

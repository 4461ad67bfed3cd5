/* Alerts: once a second the pipeline's books and windows go to the alert conditions, and what they say goes out; the first
 * word of an alert freezes the flight recorder. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"

#include <stdio.h>
#include <string.h>

/* One breach is one record, though it be told in several alerts: what is no graver waits so long for the next. */
#define FREEZE_GAP_NS (60 * ITSI_NS_PER_S)
/* How long the last states of alerts may take to leave when the program ends or the receivers change. */
#define FAREWELL_NS (2 * ITSI_NS_PER_S)

/* A camera as it was when the tick looked: it may be gone by the time its alert is told. */
struct seen {
    char id[ITSI_CAMERA_ID_SIZE], group[ITSI_ALERT_SUBJECT_SIZE];
    struct itsi_ledger_counts ledger;
};

struct itsi_alerting {
    pthread_mutex_t lock; /* ticking, configuring and telling are one at a time */
    struct itsi_alerts *alerts;
    struct itsi_alert_delivery *delivery;
    char *webhook, *alertmanager; /* what the delivery was made with; owned */
    struct seen *seen;                 /* max_cameras */
    struct itsi_alert_camera *cameras; /* the same, as the conditions take them */
    /* the last record, the monitor's thread alone */
    int64_t frozen_ns; /* 0: none */
    enum itsi_severity frozen_for;
};

void itsi_alerting_group_of(const char *url, char *out, size_t size)
{
    struct itsi_url parsed;
    out[0] = '\0';
    if (itsi_url_parse(&parsed, url, NULL) != 0)
        return;
    /* a scene of the renderer stands where others have a host */
    bool network = strncmp(parsed.scheme, "rtsp", 4) == 0 || strncmp(parsed.scheme, "http", 4) == 0;
    if (network)
        snprintf(out, size, "%.*s", (int)size - 1, parsed.host);
}

/* --- configuration ------------------------------------------------------------------------------------------------ */

static bool same(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

static int make_delivery(const struct its_cfg *cfg, struct itsi_alert_delivery **out, struct its_diag *diag)
{
    const struct itsi_alert_delivery_params params = {
        .log = true,
        .webhook_url = cfg->general.alert_webhook_url,
        .alertmanager_url = cfg->monitor.alertmanager_url,
    };
    return itsi_alert_delivery_create(out, &params, diag);
}

/* What holds now, for receivers that have not heard of it. The lock is held. */
static void tell_again(struct itsi_alerting *a)
{
    struct itsi_alert *active = itsi_calloc(ITSI_ALERT_HISTORY, sizeof *active);
    size_t count = active ? itsi_alerts_active(a->alerts, active, ITSI_ALERT_HISTORY) : 0;
    for (size_t i = 0; i < count && i < ITSI_ALERT_HISTORY; i++)
        if (!active[i].muted)
            itsi_alert_delivery_put(a->delivery, &active[i]);
    itsi_free(active);
}

/* New receivers take the place of the old ones, whose last states still go out. */
static int set_receivers(struct itsi_alerting *a, const struct its_cfg *cfg, struct its_diag *diag)
{
    if (a->delivery && same(a->webhook, cfg->general.alert_webhook_url) &&
        same(a->alertmanager, cfg->monitor.alertmanager_url))
        return 0;
    char *webhook = itsi_strdup(cfg->general.alert_webhook_url);
    char *alertmanager = itsi_strdup(cfg->monitor.alertmanager_url);
    struct itsi_alert_delivery *made = NULL, *old;
    int rc = (cfg->general.alert_webhook_url && !webhook) || (cfg->monitor.alertmanager_url && !alertmanager)
                 ? itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory")
                 : make_delivery(cfg, &made, diag);
    if (rc != 0) {
        itsi_free(webhook);
        itsi_free(alertmanager);
        return rc;
    }
    pthread_mutex_lock(&a->lock);
    old = a->delivery;
    a->delivery = made;
    if (old)
        tell_again(a);
    pthread_mutex_unlock(&a->lock);
    itsi_free(a->webhook);
    itsi_free(a->alertmanager);
    a->webhook = webhook;
    a->alertmanager = alertmanager;
    itsi_alert_delivery_destroy(old, itsi_now_ns() + FAREWELL_NS);
    return 0;
}

static void read_params(const struct its_cfg *cfg, struct itsi_alert_params *out)
{
    itsi_alert_params_from(out, &cfg->latency_monitoring);
    out->enabled = out->enabled && cfg->general.enable_alerts && cfg->general.enable_monitoring;
}

int itsi_pipeline_make_alerting(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_alert_params params;
    struct itsi_alerting *a = p->alerting = itsi_zalloc(sizeof *a);
    if (!a)
        return itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory");
    pthread_mutex_init(&a->lock, NULL);
    a->seen = itsi_calloc((size_t)p->max_cameras, sizeof *a->seen);
    a->cameras = itsi_calloc((size_t)p->max_cameras, sizeof *a->cameras);
    if (!a->seen || !a->cameras)
        return itsi_fail(diag, ITS_ENOMEM, "alerts: out of memory");
    read_params(cfg, &params);
    int rc = itsi_alerts_create(&a->alerts, &params, diag);
    return rc == 0 ? set_receivers(a, cfg, diag) : rc;
}

int itsi_pipeline_configure_alerting(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_alert_params params;
    struct itsi_alerting *a = p->alerting;
    read_params(cfg, &params);
    pthread_mutex_lock(&a->lock);
    itsi_alerts_configure(a->alerts, &params);
    pthread_mutex_unlock(&a->lock);
    return set_receivers(a, cfg, diag);
}

/* What the last tick found. The lock is held, or nobody is left to take it. */
static size_t put_events(struct itsi_alerting *a, const struct itsi_alert **events)
{
    size_t count;
    *events = itsi_alerts_events(a->alerts, &count);
    for (size_t i = 0; i < count; i++)
        itsi_alert_delivery_put(a->delivery, &(*events)[i]);
    return count;
}

void itsi_pipeline_free_alerting(struct itsi_pipeline *p)
{
    struct itsi_alerting *a = p->alerting;
    const struct itsi_alert *events;
    if (!a)
        return;
    if (a->delivery) {
        itsi_alerts_stop(a->alerts, itsi_wall_ns());
        put_events(a, &events);
    }
    itsi_alert_delivery_destroy(a->delivery, itsi_now_ns() + FAREWELL_NS);
    itsi_alerts_destroy(a->alerts);
    itsi_free(a->webhook);
    itsi_free(a->alertmanager);
    itsi_free(a->seen);
    itsi_free(a->cameras);
    pthread_mutex_destroy(&a->lock);
    itsi_free(a);
}

/* --- once a second ------------------------------------------------------------------------------------------------ */

/* The cameras and their books, with what cameras that hang owe; returns how many. */
static int look(struct itsi_pipeline *p, int64_t now, struct itsi_ledger_counts *total)
{
    struct itsi_alerting *a = p->alerting;
    pthread_mutex_lock(&p->table);
    int count = p->camera_count;
    for (int i = 0; i < count; i++)
        itsi_capture_watch(p->cameras[i]->capture, now);
    itsi_pipeline_books(p, total);
    for (int i = 0; i < count; i++) {
        const struct itsi_camera_stream *s = p->cameras[i];
        memcpy(a->seen[i].id, s->config.id, sizeof a->seen[i].id);
        memcpy(a->seen[i].group, s->group, sizeof a->seen[i].group);
        itsi_ledger_snapshot(&p->cameras[i]->ledger, &a->seen[i].ledger);
        a->cameras[i] = (struct itsi_alert_camera){a->seen[i].id, a->seen[i].group, &a->seen[i].ledger};
    }
    pthread_mutex_unlock(&p->table);
    return count;
}

static void put_latency(struct itsi_pipeline *p, struct itsi_alert_tick *tick)
{
    struct itsi_window_figures f;
    if (itsi_rolling_query(p->rolling, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_MEDIUM, tick->now, &f) == 0) {
        tick->end_to_end.count = f.count;
        tick->end_to_end.ms[0] = f.p50_ms;
        tick->end_to_end.ms[1] = f.p95_ms;
        tick->end_to_end.ms[2] = f.p99_ms;
    }
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (itsi_rolling_query(p->rolling, ITSI_ROLLING_STAGE + s, ITSI_WINDOW_MEDIUM, tick->now, &f) == 0) {
            tick->stage[s].count = f.count;
            tick->stage[s].p95_ms = f.p95_ms;
        }
}

const struct itsi_job *itsi_pipeline_oldest(const struct itsi_pipeline *p)
{
    const struct itsi_job *oldest = NULL;
    for (int i = 0; i < p->info.slots; i++) {
        const struct itsi_job *job = &p->jobs[i];
        if (job->submitted_ns && (!oldest || job->submitted_ns < oldest->submitted_ns))
            oldest = job;
    }
    return oldest;
}

static void put_oldest(struct itsi_pipeline *p, struct itsi_alert_tick *tick, char camera[ITSI_CAMERA_ID_SIZE])
{
    pthread_mutex_lock(&p->table);
    const struct itsi_job *job = itsi_pipeline_oldest(p);
    if (job) {
        memcpy(camera, job->first_camera, ITSI_CAMERA_ID_SIZE);
        tick->oldest.camera = camera;
        tick->oldest.stage = job->stage;
        tick->oldest.seconds = (double)(tick->now - job->submitted_ns) / 1e9;
    }
    pthread_mutex_unlock(&p->table);
}

static void put_quality(struct itsi_pipeline *p, struct itsi_alert_tick *tick)
{
    struct itsi_quality_overview overview;
    itsi_pipeline_quality(p, &overview);
    const struct itsi_quality_status *status = &overview.status;
    if (status->exhausted_ns == 0)
        return;
    tick->quality.seconds = (double)status->exhausted_ns / 1e9;
    tick->quality.exhausted = status->exhausted_cameras;
    tick->quality.cameras = status->taking_cameras;
    tick->quality.bottleneck = itsi_quality_resource_name(status->bottleneck);
}

/* The first word of an alert that matters freezes what led to it. A record ends when it is frozen: that of a warning says
 * nothing of the outage half a minute later. */
static void freeze_for(struct itsi_pipeline *p, const struct itsi_alert *alert, int64_t now)
{
    struct itsi_alerting *a = p->alerting;
    const char *camera = alert->scope == ITSI_ALERT_CAMERA ? alert->subject : NULL;
    char why[512];
    struct itsi_frozen frozen;
    struct its_diag diag;
    const bool lately = a->frozen_ns && now - a->frozen_ns < FREEZE_GAP_NS;
    if (!p->flight || !alert->firing || alert->severity < ITSI_SEVERITY_WARNING ||
        alert->condition == ITSI_ALERT_POOL || /* which no frame waits for */
        (lately && alert->severity <= a->frozen_for))
        return;
    a->frozen_ns = now;
    a->frozen_for = alert->severity;
    itsi_alert_summary(alert, why, sizeof why);
    int rc = itsi_pipeline_freeze(p, why, camera, &frozen, &diag);
    if (rc == ITS_ENOTFOUND && camera) /* it was removed meanwhile */
        rc = itsi_pipeline_freeze(p, why, NULL, &frozen, &diag);
    if (rc == 0)
        itsi_info("monitor", "flight record %s: %s", frozen.path, why);
    else
        itsi_warn("monitor", "%s", diag.text);
}

void itsi_pipeline_tick_alerting(struct itsi_pipeline *p, int64_t now)
{
    struct itsi_alerting *a = p->alerting;
    struct itsi_ledger_counts total;
    char oldest[ITSI_CAMERA_ID_SIZE];
    struct itsi_alert_tick tick = {.now = now, .wall = itsi_wall_ns(), .cameras = a->cameras, .total = &total};
    tick.camera_count = (size_t)look(p, now, &total);
    struct itsi_alert_regression regressions[ITSI_STAGE_COUNT + 1];
    itsi_pipeline_tick_regressing(p, total.expected, now);
    tick.regressions = regressions;
    tick.regression_count = itsi_pipeline_regressions(p, regressions, ITSI_STAGE_COUNT + 1);
    put_latency(p, &tick);
    put_oldest(p, &tick, oldest);
    put_quality(p, &tick);
    if (p->look_at_pools)
        p->look_at_pools(p->pools, tick.pools);
    pthread_mutex_lock(&a->lock);
    if (itsi_alerts_tick(a->alerts, &tick) != 0)
        itsi_warn("monitor", "out of memory: some alerts wait for the next second");
    const struct itsi_alert *events;
    const size_t count = put_events(a, &events);
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < count; i++) /* they stay until the next tick; who asks for alerts need not wait for the disk */
        freeze_for(p, &events[i], now);
}

/* --- for those who ask -------------------------------------------------------------------------------------------- */

struct itsi_alerts *itsi_pipeline_alerts(struct itsi_pipeline *p) { return p->alerting->alerts; }

void itsi_pipeline_alert_receivers(struct itsi_pipeline *p, struct itsi_alert_receiver_stats out[ITSI_ALERT_RECEIVERS])
{
    pthread_mutex_lock(&p->alerting->lock);
    itsi_alert_delivery_stats(p->alerting->delivery, out);
    pthread_mutex_unlock(&p->alerting->lock);
}

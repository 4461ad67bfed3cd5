/* What the dashboard shows besides pictures, in one document a second. */
#include "serve/serve_impl.h"

#include "base/clock.h"
#include "base/json.h"
#include "optimizer/documents.h"
#include "optimizer/process.h"

#include <unistd.h>

/* CPU use since the last look, at least half a second ago. */
static double cpu_percent(struct itsi_server *server, int64_t now)
{
    if (now - server->cpu_at_ns > ITSI_NS_PER_S / 2) {
        const int64_t used = itsi_cpu_ns();
        server->cpu_percent = 100.0 * (double)(used - server->cpu_seen_ns) / (double)(now - server->cpu_at_ns);
        server->cpu_seen_ns = used;
        server->cpu_at_ns = now;
    }
    return server->cpu_percent;
}

/* Does the objective of all frames together alert? The system's alert on the budget is the first of those that hold. */
static bool budget_burns(struct itsi_pipeline *pipeline)
{
    struct itsi_alert first;
    return itsi_alerts_active(itsi_pipeline_alerts(pipeline), &first, 1) > 0 && first.condition == ITSI_ALERT_BURN &&
           first.scope == ITSI_ALERT_SYSTEM && first.severity >= ITSI_SEVERITY_WARNING;
}

/* One word for the headline, and why. */
static const char *state_of(struct itsi_pipeline *pipeline, const struct itsi_pipeline_stats *stats, double sla_ms,
                            const char **why)
{
    *why = "";
    if (!stats->started_ns)
        return "starting";
    if (stats->cameras == 0) {
        *why = "no cameras yet";
        return "idle";
    }
    if (stats->cameras_running == 0) {
        *why = "no camera gives pictures";
        return "down";
    }
    if (stats->cameras_running < stats->cameras) {
        *why = "not all cameras give pictures";
        return "degraded";
    }
    if (stats->recent.count && stats->recent.p95_ms > sla_ms) {
        *why = "p95 is above the promised latency";
        return "degraded";
    }
    if (budget_burns(pipeline)) { /* what was shed has no latency */
        *why = "too many frames are late or lost";
        return "degraded";
    }
    return "ok";
}

static void put_engine(struct itsi_json *json, const struct itsi_server *server, const struct itsi_engine_info *engine)
{
    itsi_json_object(json, "engine");
    itsi_json_string(json, "model", server->model);
    itsi_json_string(json, "backend", engine->backend);
    itsi_json_string(json, "device", engine->device);
    itsi_json_string(json, "precision", engine->precision);
    itsi_json_int(json, "width", engine->width);
    itsi_json_int(json, "height", engine->height);
    itsi_json_end(json, '}');
}

static void put_latency(struct itsi_json *json, struct itsi_pipeline *pipeline,
                        const struct itsi_pipeline_stats *stats)
{
    const struct itsi_latency_report *latency = &stats->latency;
    itsi_document_quantiles(json, "end_to_end_ms", &latency->end_to_end);
    itsi_document_recent(json, "end_to_end_recent_ms", &stats->recent);
    itsi_document_quantiles(json, "unattributed_ms", &latency->unattributed);
    itsi_document_stages(json, "stages", latency);
    itsi_document_recent_stages(json, "stages_recent", pipeline);
}

static void put_process(struct itsi_json *json, struct itsi_server *server, int64_t now)
{
    itsi_json_object(json, "process");
    itsi_json_number(json, "cpu_percent", cpu_percent(server, now), 1);
    itsi_json_int(json, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    itsi_json_number(json, "rss_mb", itsi_process_rss_mb(), 1);
    itsi_json_number(json, "memory_mb",
                     (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024), 0);
    itsi_json_end(json, '}');
}

static void put_viewers(struct itsi_json *json, struct itsi_serve_stats *stats)
{
    itsi_json_object(json, "viewers");
    for (int kind = 0; kind < ITSI_VIEWER_KINDS; kind++) {
        itsi_json_object(json, itsi_viewer_kind_name((enum itsi_viewer_kind)kind));
        itsi_json_int(json, "now", atomic_load(&stats->viewers[kind]));
        itsi_json_int(json, "sent", (int64_t)atomic_load(&stats->sent[kind]));
        itsi_json_int(json, "dropped", (int64_t)atomic_load(&stats->dropped[kind]));
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
}

enum MHD_Result itsi_api_overview(struct itsi_request *r)
{
    struct itsi_server *server = r->server;
    const int64_t now = itsi_now_ns();
    const double sla_ms = atomic_load(&server->settings.sla_ms);
    struct itsi_pipeline_stats stats;
    struct itsi_buf text;
    struct itsi_json json;
    char time[32];
    const char *why;
    itsi_pipeline_stats(server->pipeline, &stats);
    itsi_format_wall(itsi_wall_ns(), time);
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "version", server->version);
    itsi_json_string(&json, "time", time);
    itsi_json_string(&json, "state", state_of(server->pipeline, &stats, sla_ms, &why));
    itsi_json_string(&json, "state_reason", why);
    itsi_json_number(&json, "uptime_seconds", (double)(now - server->started_ns) / 1e9, 1);
    put_engine(&json, server, &stats.engine);
    itsi_json_number(&json, "latency_sla_ms", sla_ms, 1);
    itsi_json_number(&json, "analysed_fps", stats.analysed_fps, 2);
    itsi_json_number(&json, "batch_mean", stats.batches ? (double)stats.batch_images / (double)stats.batches : 0, 2);
    put_latency(&json, server->pipeline, &stats);
    itsi_document_ledger(&json, "ledger", &stats.ledger);
    itsi_json_object(&json, "camera_counts");
    itsi_json_int(&json, "total", stats.cameras);
    itsi_json_int(&json, "running", stats.cameras_running);
    itsi_json_int(&json, "limit", atomic_load(&server->settings.camera_limit));
    itsi_json_end(&json, '}');
    itsi_put_cameras(&json, "cameras", server->pipeline);
    itsi_document_pools_health(&json, "pools", server->pools);
    put_process(&json, server, now);
    put_viewers(&json, &server->stats);
    itsi_json_end(&json, '}');
    return itsi_respond_text(r, MHD_HTTP_OK, "application/json", &text);
}

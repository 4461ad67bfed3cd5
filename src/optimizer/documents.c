#include "optimizer/documents.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/url.h"
#include "config/strategy.h"
#include "its/its.h"
#include "optimizer/process.h"

#include <math.h>
#include <string.h>

enum { RECENT_CHANGES = 20 }; /* of quality, in the metrics */

void itsi_document_quantiles(struct itsi_json *json, const char *key, const struct itsi_quantiles *q)
{
    itsi_json_object(json, key);
    itsi_json_number(json, "p50", q->p50, 3);
    itsi_json_number(json, "p95", q->p95, 3);
    itsi_json_number(json, "p99", q->p99, 3);
    itsi_json_number(json, "max", q->max, 3);
    itsi_json_number(json, "mean", q->mean, 3);
    itsi_json_int(json, "count", (int64_t)q->count);
    itsi_json_end(json, '}');
}

void itsi_document_recent(struct itsi_json *json, const char *key, const struct itsi_window_figures *w)
{
    const struct itsi_quantiles q = {
        .count = w->count, .p50 = w->p50_ms, .p95 = w->p95_ms, .p99 = w->p99_ms, .max = w->max_ms, .mean = w->mean_ms};
    itsi_document_quantiles(json, key, &q);
}

void itsi_document_stages(struct itsi_json *json, const char *key, const struct itsi_latency_report *report)
{
    itsi_json_object(json, key);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_json_object(json, itsi_stage_name((enum itsi_stage)s));
        itsi_json_number(json, "budget_ms", itsi_stage_budget_ms((enum itsi_stage)s), 1);
        itsi_document_quantiles(json, "wait_ms", &report->wait[s]);
        itsi_document_quantiles(json, "service_ms", &report->service[s]);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
}

void itsi_document_dropped(struct itsi_json *json, const char *key, const struct itsi_ledger_counts *counts)
{
    itsi_json_object(json, key);
    itsi_json_int(json, "total", (int64_t)itsi_ledger_dropped(counts));
    itsi_json_array(json, "by");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            if (counts->dropped[s][r]) {
                itsi_json_object(json, NULL);
                itsi_json_string(json, "stage", itsi_stage_name((enum itsi_stage)s));
                itsi_json_string(json, "reason", itsi_drop_name((enum itsi_drop)r));
                itsi_json_int(json, "count", (int64_t)counts->dropped[s][r]);
                itsi_json_end(json, '}');
            }
    itsi_json_end(json, ']');
    itsi_json_end(json, '}');
}

void itsi_document_ledger(struct itsi_json *json, const char *key, const struct itsi_ledger_counts *c)
{
    itsi_json_object(json, key);
    itsi_json_int(json, "expected", (int64_t)c->expected);
    itsi_json_int(json, "delivered", (int64_t)c->delivered);
    itsi_json_int(json, "late", (int64_t)c->late);
    itsi_json_int(json, "skipped", (int64_t)c->skipped);
    itsi_json_int(json, "tracked", (int64_t)c->tracked);
    itsi_document_dropped(json, "dropped", c);
    itsi_json_int(json, "corrupt", (int64_t)c->corrupt);
    itsi_json_int(json, "missing", (int64_t)c->missing);
    itsi_json_int(json, "in_flight", (int64_t)c->in_flight);
    itsi_json_int(json, "balance", itsi_ledger_balance(c));
    itsi_json_number(json, "on_time_ratio", itsi_ledger_on_time_ratio(c), 5);
    itsi_json_end(json, '}');
}

static void put_number_or_null(struct itsi_json *json, const char *key, bool known, double value, int decimals)
{
    itsi_json_number(json, key, known ? value : NAN, decimals);
}

/* Share of the frames due that were on time, the SLO, in percent. */
static double compliance(const struct itsi_pipeline_stats *stats)
{
    return itsi_ledger_on_time_ratio(&stats->ledger) * 100;
}

static void put_summary(struct itsi_json *json, const struct itsi_pipeline_stats *stats,
                        const struct itsi_quality_overview *quality, int64_t now)
{
    bool any = stats && stats->recent.count > 0;
    itsi_json_object(json, "performance_summary");
    itsi_json_number(json, "timestamp", (double)itsi_wall_ns() / 1e9, 3);
    put_number_or_null(json, "uptime_hours", stats, stats ? (double)(now - stats->started_ns) / 3.6e12 : 0, 4);
    itsi_json_int(json, "total_streams", stats ? stats->cameras : 0);
    put_number_or_null(json, "sla_compliance_percent", stats, stats ? compliance(stats) : 0, 3);
    put_number_or_null(json, "end_to_end_latency_p50_ms", any, any ? stats->recent.p50_ms : 0, 3);
    put_number_or_null(json, "end_to_end_latency_p95_ms", any, any ? stats->recent.p95_ms : 0, 3);
    put_number_or_null(json, "end_to_end_latency_p99_ms", any, any ? stats->recent.p99_ms : 0, 3);
    put_number_or_null(json, "analysed_fps", stats, stats ? stats->analysed_fps : 0, 2);
    itsi_json_string(json, "global_quality_level", stats ? itsi_quality_name(itsi_document_quality_level(quality)) : NULL);
    itsi_json_null(json, "gpu_utilization_percent");
    itsi_json_null(json, "cache_hit_rate_percent");
    itsi_json_end(json, '}');
}

static void put_engine(struct itsi_json *json, const struct itsi_status_source *source,
                       const struct itsi_pipeline_stats *stats)
{
    itsi_json_object(json, "engine");
    itsi_json_string(json, "model", source->model);
    itsi_json_string(json, "backend", stats ? stats->engine.backend : NULL);
    itsi_json_string(json, "device", stats ? stats->engine.device : NULL);
    itsi_json_string(json, "precision", stats ? stats->engine.precision : NULL);
    itsi_json_array(json, "input_size");
    if (stats) {
        itsi_json_int(json, NULL, stats->engine.width);
        itsi_json_int(json, NULL, stats->engine.height);
    }
    itsi_json_end(json, ']');
    itsi_json_int(json, "parallel", stats ? stats->engine.parallel : 0);
    itsi_json_string(json, "batcher", !stats ? NULL : stats->by_deadline ? "deadline" : "fixed");
    itsi_json_end(json, '}');
}

/* Python names five components: true where one runs. */
static void put_components(struct itsi_json *json, bool running, bool has_pools, const struct itsi_quality_overview *quality)
{
    itsi_json_object(json, "components");
    itsi_json_bool(json, "pipeline", running);
    itsi_json_bool(json, "latency_monitor", running);
    itsi_json_bool(json, "gpu_optimizer", false);
    itsi_json_bool(json, "cache_manager", false);
    itsi_json_bool(json, "connection_optimizer", has_pools);
    itsi_json_bool(json, "quality_manager", running && quality->active);
    itsi_json_end(json, '}');
}

static void put_output(struct itsi_json *json, struct itsi_result_writer *writer)
{
    struct itsi_jsonl_status status;
    uint64_t queue_lost;
    if (!writer) {
        itsi_json_null(json, "jsonl");
        return;
    }
    itsi_result_writer_status(writer, &status, &queue_lost);
    itsi_json_object(json, "jsonl");
    itsi_json_int(json, "lines", (int64_t)status.lines);
    itsi_json_int(json, "dropped", (int64_t)(status.dropped + queue_lost));
    itsi_json_int(json, "rotations", (int64_t)status.rotations);
    itsi_json_bool(json, "failing", status.failing);
    itsi_json_string(json, "last_error", status.last_error[0] ? status.last_error : NULL);
    itsi_json_end(json, '}');
}

static void put_cameras(struct itsi_json *json, struct itsi_pipeline *pipeline)
{
    int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *status = itsi_calloc((size_t)cap + 1, sizeof *status);
    int n = status ? itsi_pipeline_cameras(pipeline, status, cap) : 0;
    itsi_json_array(json, "camera_list");
    for (int i = 0; i < n && i < cap; i++) {
        char url[2048];
        itsi_url_redact(status[i].camera.url, url, sizeof url);
        itsi_json_object(json, NULL);
        itsi_json_string(json, "id", status[i].camera.id);
        itsi_json_string(json, "url", url);
        itsi_json_string(json, "state", itsi_capture_state_name(status[i].capture.state));
        itsi_json_string(json, "last_error", status[i].capture.last_error[0] ? status[i].capture.last_error : NULL);
        itsi_json_number(json, "source_fps", status[i].capture.fps, 2);
        itsi_json_number(json, "analysed_fps", status[i].analysed_fps, 2);
        itsi_json_number(json, "age_ms", status[i].age_ms, 1);
        itsi_json_number(json, "latency_ms", status[i].latency_ms, 1);
        itsi_json_string(json, "quality_level", itsi_quality_name(status[i].quality_level));
        itsi_document_ledger(json, "ledger", &status[i].ledger);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, ']');
    itsi_free(status);
}

void itsi_document_status(const struct itsi_status_source *source, bool detailed, struct itsi_buf *out)
{
    int64_t now = itsi_now_ns();
    struct itsi_pipeline_stats room, *stats = NULL;
    struct itsi_quality_overview quality = {.active = false};
    if (source->pipeline) {
        itsi_pipeline_stats(source->pipeline, &room);
        itsi_pipeline_quality(source->pipeline, &quality);
        stats = &room;
    }
    struct itsi_json json;
    itsi_json_init(&json, out);
    itsi_json_object(&json, NULL);
    itsi_json_bool(&json, "initialized", stats);
    itsi_json_bool(&json, "running", stats);
    itsi_json_string(&json, "version", its_version());
    itsi_json_bool(&json, "enabled", source->cfg->general.enabled);
    itsi_json_string(&json, "strategy", itsi_strategy_name(source->cfg->general.strategy));
    put_number_or_null(&json, "initialization_time_ms", stats, (double)source->initialization_ns / 1e6, 1);
    put_components(&json, stats, source->pools, &quality);
    put_summary(&json, stats, &quality, now);
    put_engine(&json, source, stats);
    itsi_json_object(&json, "cameras");
    itsi_json_int(&json, "total", stats ? stats->cameras : 0);
    itsi_json_int(&json, "running", stats ? stats->cameras_running : 0);
    itsi_json_int(&json, "limit", source->cfg->general.max_concurrent_streams);
    itsi_json_end(&json, '}');
    itsi_document_connection_pools(&json, "connection_pools", source->pools);
    itsi_json_number(&json, "memory_rss_mb", stats ? itsi_process_rss_mb() : NAN, 1);
    if (detailed && stats) {
        itsi_document_stages(&json, "stages", &stats->latency);
        itsi_document_ledger(&json, "ledger", &stats->ledger);
        put_output(&json, source->writer);
        put_cameras(&json, source->pipeline);
    }
    itsi_json_end(&json, '}');
}

void itsi_document_metrics(const struct itsi_status_source *source, struct itsi_buf *out)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(source->pipeline, &stats);
    struct itsi_json json;
    itsi_json_init(&json, out);
    itsi_json_object(&json, NULL);
    itsi_json_number(&json, "timestamp", (double)itsi_wall_ns() / 1e9, 3);
    itsi_json_number(&json, "uptime_seconds", (double)(itsi_now_ns() - stats.started_ns) / 1e9, 3);
    put_engine(&json, source, &stats);
    itsi_json_object(&json, "latency_monitoring");
    itsi_json_bool(&json, "monitoring_active", source->cfg->general.enable_monitoring);
    itsi_json_int(&json, "active_requests", (int64_t)stats.ledger.in_flight);
    itsi_document_quantiles(&json, "end_to_end_ms", &stats.latency.end_to_end);
    itsi_document_recent(&json, "end_to_end_recent_ms", &stats.recent);
    itsi_document_quantiles(&json, "unattributed_ms", &stats.latency.unattributed);
    itsi_document_windows(&json, source->pipeline, &stats.latency);
    itsi_document_regression(&json, "regression", source->pipeline);
    itsi_document_alerting(&json, "alerts", source->pipeline, -1);
    itsi_json_end(&json, '}');
    itsi_document_quality(&json, "quality_management", source->pipeline, RECENT_CHANGES);
    itsi_document_connection_pools(&json, "connection_pools", source->pools);
    itsi_document_ledger(&json, "ledger", &stats.ledger);
    itsi_json_number(&json, "analysed_fps", stats.analysed_fps, 2);
    itsi_json_int(&json, "results", (int64_t)stats.results);
    itsi_json_int(&json, "results_lost_to_slow_readers", (int64_t)stats.bus_lost);
    put_cameras(&json, source->pipeline);
    itsi_json_end(&json, '}');
}

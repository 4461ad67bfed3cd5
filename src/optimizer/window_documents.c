/* The rolling windows as JSON, under the names of Python's LatencyMetrics. */
#include "optimizer/documents.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

static void put_window(struct itsi_json *json, const char *key, int64_t seconds, const struct itsi_window_figures *w)
{
    itsi_json_object(json, key);
    itsi_json_int(json, "window_seconds", seconds);
    itsi_json_number(json, "covered_seconds", w->covered_s, 3);
    itsi_json_int(json, "sample_count", (int64_t)w->count);
    itsi_json_number(json, "mean_latency_ms", w->mean_ms, 3);
    itsi_json_number(json, "median_latency_ms", w->p50_ms, 3);
    itsi_json_number(json, "p95_latency_ms", w->p95_ms, 3);
    itsi_json_number(json, "p99_latency_ms", w->p99_ms, 3);
    itsi_json_number(json, "max_latency_ms", w->max_ms, 3);
    itsi_json_number(json, "min_latency_ms", w->min_ms, 3);
    itsi_json_number(json, "std_deviation_ms", w->deviation_ms, 3);
    itsi_json_number(json, "sla_violation_rate", w->violation_rate, 6);
    itsi_json_number(json, "throughput_per_second", w->per_second, 3);
    itsi_json_end(json, '}');
}

static void put_windows(struct itsi_json *json, struct itsi_rolling *rolling, int series, int64_t now)
{
    for (int w = 0; w < ITSI_WINDOW_COUNT; w++) {
        struct itsi_window_figures figures;
        enum itsi_rolling_window window = (enum itsi_rolling_window)w;
        if (itsi_rolling_query(rolling, series, window, now, &figures) == 0)
            put_window(json, itsi_rolling_window_name(window), itsi_rolling_seconds(rolling, window), &figures);
    }
}

static void put_series(struct itsi_json *json, const char *key, struct itsi_rolling *rolling, int series, int64_t now)
{
    itsi_json_object(json, key);
    put_windows(json, rolling, series, now);
    itsi_json_end(json, '}');
}

static void put_stages(struct itsi_json *json, struct itsi_rolling *rolling, const struct itsi_latency_report *report,
                       int64_t now)
{
    itsi_json_object(json, "stages");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_json_object(json, itsi_stage_name((enum itsi_stage)s));
        itsi_json_number(json, "budget_ms", itsi_stage_budget_ms((enum itsi_stage)s), 1);
        itsi_document_quantiles(json, "wait_ms", &report->wait[s]);
        itsi_document_quantiles(json, "service_ms", &report->service[s]);
        put_windows(json, rolling, ITSI_ROLLING_STAGE + s, now);
        put_series(json, "wait", rolling, ITSI_ROLLING_WAIT + s, now);
        put_series(json, "service", rolling, ITSI_ROLLING_SERVICE + s, now);
        itsi_json_end(json, '}');
    }
    put_series(json, "client_rendering", rolling, ITSI_ROLLING_CLIENT_RENDERING, now);
    put_series(json, "end_to_end", rolling, ITSI_ROLLING_END_TO_END, now);
    itsi_json_end(json, '}');
}

static void put_recent(struct itsi_json *json, const char *key, struct itsi_rolling *rolling, int series, int64_t now)
{
    struct itsi_window_figures figures = {0};
    if (itsi_rolling_query(rolling, series, ITSI_WINDOW_SHORT, now, &figures) == 0)
        itsi_document_recent(json, key, &figures);
}

void itsi_document_recent_stages(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline)
{
    struct itsi_rolling *rolling = itsi_pipeline_rolling(pipeline);
    const int64_t now = itsi_now_ns();
    itsi_json_object(json, key);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_json_object(json, itsi_stage_name((enum itsi_stage)s));
        itsi_json_number(json, "budget_ms", itsi_stage_budget_ms((enum itsi_stage)s), 1);
        put_recent(json, "total_ms", rolling, ITSI_ROLLING_STAGE + s, now);
        put_recent(json, "wait_ms", rolling, ITSI_ROLLING_WAIT + s, now);
        put_recent(json, "service_ms", rolling, ITSI_ROLLING_SERVICE + s, now);
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
}

static void put_cameras(struct itsi_json *json, struct itsi_pipeline *pipeline)
{
    int cap = itsi_pipeline_cameras(pipeline, NULL, 0);
    struct itsi_camera_status *status = itsi_calloc((size_t)cap + 1, sizeof *status);
    int n = status ? itsi_pipeline_cameras(pipeline, status, cap) : 0;
    itsi_json_object(json, "cameras");
    for (int i = 0; i < n && i < cap; i++) {
        itsi_json_object(json, status[i].camera.id);
        for (int w = 0; w < ITSI_WINDOW_COUNT; w++) {
            struct itsi_window_figures figures;
            enum itsi_rolling_window window = (enum itsi_rolling_window)w;
            if (itsi_pipeline_camera_window(pipeline, status[i].camera.id, window, &figures) == 0)
                put_window(json, itsi_rolling_window_name(window),
                           itsi_rolling_seconds(itsi_pipeline_rolling(pipeline), window), &figures);
        }
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
    itsi_free(status);
}

void itsi_document_windows(struct itsi_json *json, struct itsi_pipeline *pipeline,
                           const struct itsi_latency_report *report)
{
    int64_t now = itsi_now_ns();
    struct itsi_rolling *rolling = itsi_pipeline_rolling(pipeline);
    struct itsi_rolling_stats stats;
    itsi_rolling_stats(rolling, &stats);
    itsi_json_int(json, "total_measurements", (int64_t)stats.measurements);
    itsi_json_int(json, "total_sla_violations", (int64_t)stats.violations);
    itsi_json_number(json, "overall_sla_violation_rate",
                     stats.measurements ? (double)stats.violations / (double)stats.measurements : 0, 6);
    itsi_json_int(json, "memory_bytes", (int64_t)stats.bytes);
    put_stages(json, rolling, report, now);
    itsi_json_object(json, "quality_levels");
    for (int level = 0; level < ITSI_LEVEL_COUNT; level++)
        put_series(json, itsi_quality_name(level), rolling, ITSI_ROLLING_LEVEL + level, now);
    itsi_json_end(json, '}');
    put_cameras(json, pipeline);
}

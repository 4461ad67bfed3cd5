/* The documents that describe a running system: what /api/v1/performance/... answers and the command line prints. */
#ifndef ITSI_OPTIMIZER_DOCUMENTS_H
#define ITSI_OPTIMIZER_DOCUMENTS_H

#include "base/json.h"
#include "pipeline/pipeline.h"
#include "pipeline/result_writer.h"

struct itsi_pools;

/* Parts shared by the benchmark's report and the documents. */
void itsi_document_quantiles(struct itsi_json *json, const char *key, const struct itsi_quantiles *quantiles);
/* A rolling window under the names of itsi_document_quantiles. */
void itsi_document_recent(struct itsi_json *json, const char *key, const struct itsi_window_figures *window);
/* {"camera_capture": {"wait_ms": {...}, "service_ms": {...}}, ...} */
void itsi_document_stages(struct itsi_json *json, const char *key, const struct itsi_latency_report *report);
/* "stages", "end_to_end", "quality_levels" and "cameras" with their rolling windows, each under the fields of Python's
 * LatencyMetrics. */
void itsi_document_windows(struct itsi_json *json, struct itsi_pipeline *pipeline,
                           const struct itsi_latency_report *report);
/* {"learning", "moves": [{"stage", "percent", ...}], "stage": the one to blame or null, ...} */
void itsi_document_regression(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline);
/* {stage: {"budget_ms", "total_ms": {...}, "wait_ms": {...}, "service_ms": {...}}} over the short window. */
void itsi_document_recent_stages(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline);
/* What alerts there are: {"slo", "firing": n, "muted": n, "active": [...], "history": [...], "receivers"}. "slo" has
 * "objective", "budget" and three windows with frames due, good and bad and the burn rate. Of the history the newest
 * come first, `history` at most; negative: it is left out. */
void itsi_document_alerting(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline, int history);
/* {"total": n, "by_stage": {...}, "violations": [{...}]}: those still known, newest first, `limit` at most.
 * camera: NULL for all. */
void itsi_document_violations(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline,
                              const char *camera, int limit);
/* The Adaptive Quality Manager under the keys of Python's AdaptiveQualityManager.get_comprehensive_metrics(), and what it
 * looks at and is about to do. Of the changes the newest come first, `changes` at most. */
void itsi_document_quality(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline, int changes);
/* What the levels below full quality miss: {"share", "missed_per_hour", "levels": {...}, ...}; all: every camera. */
void itsi_document_debt(struct itsi_json *json, const char *key, struct itsi_pipeline *pipeline,
                        const struct itsi_camera_status *all, int count);
/* "debt" and "debt_by_level" of a camera, into the object that is open. */
void itsi_document_camera_debt(struct itsi_json *json, const struct itsi_camera_status *status);
/* The estimate for the level that a camera has now; NULL: it misses nothing by definition, its level is full quality. */
const struct itsi_debt_estimate *itsi_document_debt_now(const struct itsi_camera_status *status);
/* What is done for a camera: {"current_quality", "target_quality", "is_priority", "target": {...}, "pin", ...}. */
void itsi_document_camera_quality(struct itsi_json *json, const char *key, const struct itsi_camera_status *status,
                                  const struct itsi_quality_overview *overview);
/* The level that at least half of the cameras have or exceed; the default one while there are none. */
int itsi_document_quality_level(const struct itsi_quality_overview *overview);
/* {"total": n, "by": [{"stage", "reason", "count"}]} */
void itsi_document_dropped(struct itsi_json *json, const char *key, const struct itsi_ledger_counts *counts);
void itsi_document_ledger(struct itsi_json *json, const char *key, const struct itsi_ledger_counts *counts);

/* Every pool with its health, its figures (under the names of Python's PoolMetrics and ConnectionStats, where it has them)
 * and its last error, and the store: {"health", "pools": [{...}], "store": {...} or null}. pools NULL: there are none. */
void itsi_document_pools(struct itsi_json *json, const char *key, struct itsi_pools *pools);
/* Python's ConnectionPoolOptimizer.get_comprehensive_stats(): {"redis", "database", "ffmpeg"}, null where there is none. */
void itsi_document_connection_pools(struct itsi_json *json, const char *key, struct itsi_pools *pools);
/* {"redis": "ok", "database": "down", "ffmpeg": "ok", "store": "degraded"} */
void itsi_document_pools_health(struct itsi_json *json, const char *key, struct itsi_pools *pools);

/* What a status is made of. Without a pipeline it describes a system that does not run, under the same keys. */
struct itsi_status_source {
    struct itsi_pipeline *pipeline; /* NULL: not running */
    struct itsi_pools *pools;       /* NULL: none */
    const struct its_cfg *cfg;
    const char *model;              /* shown; NULL: none */
    int64_t initialization_ns;      /* how long loading and warming took */
    struct itsi_result_writer *writer; /* NULL: no JSON-lines file */
};
/* The keys of PerformanceOptimizer.get_optimization_status() and those of this daemon. */
void itsi_document_status(const struct itsi_status_source *source, bool detailed, struct itsi_buf *out);
/* Latency by stage, ledger, engine and cameras. */
void itsi_document_metrics(const struct itsi_status_source *source, struct itsi_buf *out);

#endif

/* What /metrics tells, part by part; docs/metrics.md lists it. Every family is there from the start, with zeros where
 * nothing happened yet, and every label has few values, known beforehand: only what carries a camera's name comes and
 * goes, with the camera. */
#ifndef ITSI_SERVE_METRICS_H
#define ITSI_SERVE_METRICS_H

#include "metrics/exposition.h"
#include "serve/serve_impl.h"

/* A family of one sample without labels. */
void itsi_put_counter(struct itsi_exposition *e, const char *name, const char *unit, const char *help, double value);
void itsi_put_gauge(struct itsi_exposition *e, const char *name, const char *unit, const char *help, double value);

void itsi_put_frame_metrics(struct itsi_exposition *e, const struct itsi_pipeline_stats *stats);
void itsi_put_latency_metrics(struct itsi_exposition *e, struct itsi_server *server);
void itsi_put_camera_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline);
void itsi_put_monitor_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline,
                              const struct itsi_pipeline_stats *stats);
void itsi_put_quality_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline);
void itsi_put_pools_metrics(struct itsi_exposition *e, struct itsi_pools *pools); /* NULL: without the pools' samples */
void itsi_put_clip_metrics(struct itsi_exposition *e, struct itsi_pipeline *pipeline);
void itsi_put_client_metrics(struct itsi_exposition *e, struct itsi_serve_stats *stats);
void itsi_put_process_metrics(struct itsi_exposition *e, const struct itsi_server *server);

/* A histogram that the server counts itself. */
void itsi_put_buckets(struct itsi_exposition *e, const struct itsi_labels *labels, struct itsi_buckets *buckets);

#endif

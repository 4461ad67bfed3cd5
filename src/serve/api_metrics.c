/* GET /metrics: Prometheus' text format, or OpenMetrics for who asks for it. */
#include "serve/metrics.h"

void itsi_put_counter(struct itsi_exposition *e, const char *name, const char *unit, const char *help, double value)
{
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, name, unit, help);
    itsi_exposition_value(e, NULL, value);
}

void itsi_put_gauge(struct itsi_exposition *e, const char *name, const char *unit, const char *help, double value)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, name, unit, help);
    itsi_exposition_value(e, NULL, value);
}

enum MHD_Result itsi_api_metrics(struct itsi_request *r)
{
    struct itsi_server *server = r->server;
    const char *accept = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    const enum itsi_exposition_format format = itsi_exposition_accepted(accept);
    struct itsi_pipeline_stats stats;
    struct itsi_exposition e;
    struct itsi_buf out;
    itsi_buf_init(&out);
    itsi_exposition_init(&e, format, &out);
    itsi_pipeline_stats(server->pipeline, &stats);
    itsi_put_frame_metrics(&e, &stats);
    itsi_put_latency_metrics(&e, server);
    itsi_put_camera_metrics(&e, server->pipeline);
    itsi_put_monitor_metrics(&e, server->pipeline, &stats);
    itsi_put_quality_metrics(&e, server->pipeline);
    itsi_put_pools_metrics(&e, server->pools);
    itsi_put_clip_metrics(&e, server->pipeline);
    itsi_put_client_metrics(&e, &server->stats);
    itsi_put_process_metrics(&e, server);
    itsi_exposition_end(&e);
    return itsi_respond_text(r, MHD_HTTP_OK, itsi_exposition_media_type(format), &out);
}

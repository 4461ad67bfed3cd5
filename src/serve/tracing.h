/* Pictures and results served over HTTP, as the Latency Monitor hears of them: W3C trace context in and out, the stamps
 * of encoding and sending for latency/trace.h, and the time of transmission for the rolling windows.
 *
 * A single answer gives `traceparent` back: it names the span that will be sent if kept, in the client's trace where it
 * has one, else in the frame's. A stream's response begins before there is a picture; there every part of live.mjpg has
 * a `traceparent` of its own, and events and the wall name the frame's trace in `trace_id`. The Recommendation has
 * `tracestate` in requests alone; it goes on into the spans and is never given back. */
#ifndef ITSI_SERVE_TRACING_H
#define ITSI_SERVE_TRACING_H

#include "pipeline/pipeline.h"
#include "serve/item.h"
#include "serve/stats.h"

struct MHD_Connection;

struct itsi_trace_client {
    bool known; /* it sent a context that can be read */
    struct itsi_trace_context context;
};
/* The connection's current request. Malformed, and two of `traceparent`, count as none. */
void itsi_trace_client_read(struct itsi_trace_client *out, struct MHD_Connection *connection);

/* One picture or event on its way to one client. By the thread that serves it. */
struct itsi_served {
    bool active;
    struct itsi_pipeline *pipeline;
    struct itsi_serve_stats *stats;
    struct itsi_frame_info info;
    struct itsi_trace_serving serving;
};

struct itsi_served_params {
    struct itsi_pipeline *pipeline;
    struct itsi_serve_stats *stats;
    const struct itsi_trace_client *client;
    bool streamed;
    const char *route;   /* static */
    int64_t since, turn; /* when the client asked, or came; when it got its turn */
    int64_t bytes;
};
/* parent: what to give back, always well-formed. */
void itsi_served_begin(struct itsi_served *served, const struct itsi_served_params *params,
                       const struct itsi_frame_facts *facts, char parent[ITSI_TRACEPARENT_SIZE]);
void itsi_served_sending(struct itsi_served *served, int64_t now); /* the first byte; what follows is ignored */
/* The last byte, or the client's leaving. Nothing when there is none on its way. */
void itsi_served_end(struct itsi_served *served, int64_t now, bool aborted);

#endif

/* What the server counts about itself. Atomic; read by /metrics. */
#ifndef ITSI_SERVE_STATS_H
#define ITSI_SERVE_STATS_H

#include "base/clock.h"
#include "latency/edges.h"
#include "serve/router.h"

#include <stdatomic.h>

/* A Prometheus histogram at the edges of the latency metrics. */
struct itsi_buckets {
    atomic_uint_fast64_t counts[ITSI_LATENCY_BUCKET_COUNT]; /* not cumulative; the last: above every edge */
    atomic_uint_fast64_t sum_us; /* lasts: a thousand viewers add a thousand seconds a second */
};

static inline void itsi_buckets_add(struct itsi_buckets *buckets, int64_t ns)
{
    ns = ns > 0 ? ns : 0;
    atomic_fetch_add_explicit(&buckets->counts[itsi_latency_bucket(ns)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&buckets->sum_us, (uint64_t)(ns + 500) / 1000, memory_order_relaxed);
}

enum itsi_viewer_kind { ITSI_VIEWER_EVENTS, ITSI_VIEWER_LIVE, ITSI_VIEWER_WALL, ITSI_VIEWER_KINDS };

/* Status codes counted by themselves; others count as the last. */
#define ITSI_HTTP_CODES {200, 201, 202, 204, 206, 303, 304, 400, 401, 403, 404, 405, 409, 413, 415, 416, 429, 500, 503}
enum { ITSI_HTTP_CODE_COUNT = 19 };

struct itsi_serve_stats {
    atomic_uint_fast64_t requests[ITSI_ROUTE_COUNT][ITSI_HTTP_CODE_COUNT + 1];
    atomic_int connections;
    atomic_uint_fast64_t connections_total, timeouts, disk_timeouts;
    atomic_int viewers[ITSI_VIEWER_KINDS];
    atomic_uint_fast64_t sent[ITSI_VIEWER_KINDS], dropped[ITSI_VIEWER_KINDS];
    atomic_uint_fast64_t encoded, encode_failures;
    struct itsi_buckets encode_wait, encode_service, encode_total;
    struct itsi_buckets send_wait, send_service, send_total; /* of every picture and event, single ones too */
    struct itsi_buckets network[ITSI_VIEWER_KINDS];    /* next for the viewer to last byte written */
    struct itsi_buckets end_to_end[ITSI_VIEWER_KINDS]; /* origin to last byte written */
};

const char *itsi_viewer_kind_name(enum itsi_viewer_kind kind);

#endif

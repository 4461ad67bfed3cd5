/* One look at all pools and the store: what the API, /metrics, the dashboard and the alerts tell of them. */
#ifndef ITSI_OPTIMIZER_POOLS_VIEW_H
#define ITSI_OPTIMIZER_POOLS_VIEW_H

#include "latency/alerts.h"
#include "optimizer/pools.h"
#include "optimizer/pools_health.h"

struct itsi_pool_view {
    struct itsi_pool_stats stats; /* its name is "redis" (of a cluster's other nodes "redis-1", ...), "database", "ffmpeg" */
    const char *kind;             /* "redis", "postgresql", "sqlite", "ffmpeg"; static */
    char address[256];            /* of the server, the file, the program; no user or password in it */
    struct itsi_health_verdict verdict;
};

struct itsi_pools_view {
    int count;
    const struct itsi_pool_view *redis, *database, *ffmpeg; /* in `pools`; NULL: there is none */
    bool has_store;
    struct itsi_store_stats store;
    uint64_t spool_most; /* bytes; 0: no spool */
    struct itsi_health_verdict store_verdict;
    struct itsi_alert_pool_state outages[ITSI_ALERT_POOLS]; /* Redis is down when any of its nodes is */
    struct itsi_redis_stats redis_stats; /* zeros without Redis */
    struct itsi_ffmpeg_pool_stats ffmpeg_stats;
    struct itsi_pool_view pools[];
};

/* Freed with itsi_free. pools NULL: nothing is in it. NULL: out of memory. Any thread. */
struct itsi_pools_view *itsi_pools_look(struct itsi_pools *pools);
/* For the alerts (pipeline_params.look_at_pools). */
void itsi_pools_outages(void *pools, struct itsi_alert_pool_state out[ITSI_ALERT_POOLS]);
/* The gravest word of all. */
enum itsi_health itsi_pools_health(const struct itsi_pools_view *view);

#endif

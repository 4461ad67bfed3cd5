/* The pools and the store. */
#include "serve/metrics.h"

#include "base/mem.h"
#include "optimizer/pools_view.h"

static void put_health_of(struct itsi_exposition *e, const char *name, enum itsi_health health)
{
    for (int h = 0; h < ITSI_HEALTHS; h++)
        itsi_exposition_count(e, ITSI_LABELS({"pool", name}, {"health", itsi_health_name((enum itsi_health)h)}),
                              (int)health == h);
}

static void put_health(struct itsi_exposition *e, const struct itsi_pools_view *view)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_pool_health", NULL,
                           "1 for the word that holds of a pool, or of the store: it does what is asked of it, with "
                           "difficulty, or not now.");
    for (int i = 0; i < view->count; i++)
        put_health_of(e, view->pools[i].stats.name, view->pools[i].verdict.health);
    if (view->has_store)
        put_health_of(e, "store", view->store_verdict.health);
}

static void put_outage(struct itsi_exposition *e, const struct itsi_pools_view *view, enum itsi_alert_pool pool,
                       bool is_there)
{
    if (is_there)
        itsi_exposition_value(e, ITSI_LABELS({"pool", itsi_alert_pool_name(pool)}), view->outages[pool].down_seconds);
}

static void put_outages(struct itsi_exposition *e, const struct itsi_pools_view *view)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_pool_outage_seconds", "seconds",
                           "For how long a pool, or the store, has been down; 0: it is not.");
    put_outage(e, view, ITSI_ALERT_POOL_REDIS, view->redis);
    put_outage(e, view, ITSI_ALERT_POOL_DATABASE, view->database);
    put_outage(e, view, ITSI_ALERT_POOL_FFMPEG, view->ffmpeg);
    put_outage(e, view, ITSI_ALERT_POOL_STORE, view->has_store);
}

static void put_redis(struct itsi_exposition *e, const struct itsi_redis_stats *s)
{
    itsi_put_counter(e, "its_redis_requests", NULL, "Requests to Redis: commands carried out together.",
                     (double)s->requests);
    itsi_put_counter(e, "its_redis_retries", NULL, "Of those, tried once more.", (double)s->retries);
    itsi_put_counter(e, "its_redis_redirects", NULL, "Redirects of a cluster that were followed.", (double)s->redirects);
    itsi_put_counter(e, "its_redis_failovers", NULL, "How often the master had become another.", (double)s->failovers);
    itsi_put_gauge(e, "its_redis_latency_seconds", "seconds", "Moving median of an exchange with Redis; 0: none yet.",
                   s->latency_seconds);
    itsi_put_gauge(e, "its_redis_nodes", NULL, "Redis servers that are talked to; 0: no redis_url.", s->nodes);
}

static void put_rows(struct itsi_exposition *e, enum itsi_metric_type type, const char *name, const char *help,
                     const uint64_t rows[ITSI_STORE_TABLES])
{
    itsi_exposition_family(e, type, name, NULL, help);
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        itsi_exposition_count(e, ITSI_LABELS({"table", itsi_store_table_name((enum itsi_store_table)t)}), rows[t]);
}

static void put_dropped(struct itsi_exposition *e, const struct itsi_store_stats *s)
{
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_store_dropped_rows", NULL,
                           "Rows that will not reach the database, and why.");
    for (int reason = 0; reason < ITSI_STORE_DROPS; reason++)
        for (int t = 0; t < ITSI_STORE_TABLES; t++)
            itsi_exposition_count(e,
                                  ITSI_LABELS({"reason", itsi_store_drop_name((enum itsi_store_drop)reason)},
                                              {"table", itsi_store_table_name((enum itsi_store_table)t)}),
                                  s->dropped[reason][t]);
}

static void put_store(struct itsi_exposition *e, const struct itsi_store_stats *s)
{
    put_rows(e, ITSI_METRIC_COUNTER, "its_store_queued_rows", "Rows taken in.", s->queued);
    put_rows(e, ITSI_METRIC_COUNTER, "its_store_written_rows", "Rows written to the database.", s->written);
    put_rows(e, ITSI_METRIC_COUNTER, "its_store_spooled_rows", "Rows put into the spool on disk.", s->spooled);
    put_rows(e, ITSI_METRIC_COUNTER, "its_store_found_rows", "Rows found in the spool at the start.", s->found);
    put_dropped(e, s);
    itsi_put_gauge(e, "its_store_waiting_rows", NULL, "Rows that wait in memory.", (double)s->waiting);
    itsi_put_gauge(e, "its_store_spool_rows", NULL, "Rows that wait in the spool.", (double)s->spool_rows);
    itsi_put_gauge(e, "its_store_spool_files", NULL, "Files of the spool.", (double)s->spool_files);
    itsi_put_gauge(e, "its_store_spool_bytes", "bytes", "What the spool takes on disk.", (double)s->spool_bytes);
    itsi_put_gauge(e, "its_store_lag_seconds", "seconds", "Age of the oldest row that is not in the database.",
                   s->lag_seconds);
    itsi_put_gauge(e, "its_store_away", NULL, "1 while the database takes nothing.", s->is_away);
    itsi_put_counter(e, "its_store_batches", NULL, "Transactions that wrote rows.", (double)s->batches);
    itsi_put_counter(e, "its_store_failures", NULL, "Attempts to write that failed.", (double)s->failures);
    itsi_put_counter(e, "its_store_deleted_rows", NULL, "Rows deleted because they were too old.", (double)s->deleted);
}

/* The families want the pools' figures side by side. False: out of memory. */
static bool put_pools(struct itsi_exposition *e, const struct itsi_pools_view *view)
{
    struct itsi_pool_stats *stats = itsi_calloc((size_t)view->count + 1, sizeof *stats);
    if (!stats)
        return false;
    for (int i = 0; i < view->count; i++)
        stats[i] = view->pools[i].stats;
    itsi_put_pool_metrics(e, stats, view->count);
    itsi_free(stats);
    return true;
}

void itsi_put_pools_metrics(struct itsi_exposition *e, struct itsi_pools *pools)
{
    struct itsi_pools_view *view = itsi_pools_look(pools);
    if (!view || !put_pools(e, view)) {
        e->out->failed = true;
        itsi_free(view);
        return;
    }
    put_health(e, view);
    put_outages(e, view);
    put_redis(e, &view->redis_stats);
    itsi_put_ffmpeg_metrics(e, &view->ffmpeg_stats);
    put_store(e, &view->store);
    itsi_free(view);
}

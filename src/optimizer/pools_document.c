/* The pools and the store as JSON: in full for who looks after them, under Python's names for its callers, and in a word. */
#include "optimizer/documents.h"
#include "optimizer/pools_view.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>

static void put_verdict(struct itsi_json *json, const struct itsi_health_verdict *verdict)
{
    itsi_json_string(json, "health", itsi_health_name(verdict->health));
    itsi_json_string(json, "why", verdict->why[0] ? verdict->why : NULL);
}

static int open_now(const struct itsi_pool_stats *s) { return s->in_use + s->idle + s->checking; }

/* Seconds since 1970 of what was so long ago; null where it never was (negative). */
static void put_instant(struct itsi_json *json, const char *key, double seconds_ago)
{
    itsi_json_number(json, key, seconds_ago < 0 ? (double)NAN : (double)itsi_wall_ns() / 1e9 - seconds_ago, 3);
}

/* --- Python's names --------------------------------------------------------------------------------------------- */

/* Of PoolMetrics. pool_size is how many may be open now. */
static void put_requests(struct itsi_json *json, const struct itsi_pool_stats *s)
{
    const uint64_t failed = itsi_pool_failed_requests(s);
    itsi_json_int(json, "pool_size", s->size);
    itsi_json_int(json, "active_count", s->in_use);
    itsi_json_int(json, "total_requests", (int64_t)(s->leases + failed));
    itsi_json_int(json, "successful_requests", (int64_t)s->leases);
    itsi_json_int(json, "failed_requests", (int64_t)failed);
    itsi_json_int(json, "peak_active_count", s->peak);
}

/* ConnectionStats. A reconnection is an opening in the place of one that broke. */
static void put_connections(struct itsi_json *json, const char *key, const struct itsi_pool_stats *s)
{
    const uint64_t broken = s->closed[ITSI_POOL_CLOSED_BROKEN] + s->closed[ITSI_POOL_CLOSED_CHECK];
    const uint64_t opened = s->create.quantiles.count, first = (uint64_t)s->peak_open;
    const uint64_t again = opened > first ? opened - first : 0;
    itsi_json_object(json, key);
    itsi_json_int(json, "total_connections", open_now(s));
    itsi_json_int(json, "active_connections", s->in_use);
    itsi_json_int(json, "idle_connections", s->idle);
    itsi_json_int(json, "failed_connections", (int64_t)s->closed[ITSI_POOL_CLOSED_OPEN]);
    itsi_json_int(json, "reconnections", (int64_t)(again < broken ? again : broken));
    itsi_json_number(json, "average_response_time_ms", s->latency_ns ? (double)s->latency_ns / 1e6 : (double)NAN, 3);
    itsi_json_int(json, "connection_errors", (int64_t)(s->closed[ITSI_POOL_CLOSED_OPEN] + broken));
    put_instant(json, "last_health_check", s->checked_s_ago);
    itsi_json_end(json, '}');
}

static void put_pool_metrics(struct itsi_json *json, const struct itsi_pool_stats *s)
{
    const uint64_t failed = itsi_pool_failed_requests(s), total = s->leases + failed;
    itsi_json_object(json, "pool_metrics");
    put_requests(json, s);
    itsi_json_number(json, "success_rate_percent", total ? 100 * (double)s->leases / (double)total : 100, 3);
    itsi_json_end(json, '}');
}

static void put_redis(struct itsi_json *json, const struct itsi_pool_view *v)
{
    const struct itsi_pool_stats *s = &v->stats;
    itsi_json_object(json, "redis");
    put_pool_metrics(json, s);
    itsi_json_object(json, "pool_info");
    itsi_json_int(json, "max_connections", s->most);
    itsi_json_int(json, "created_connections", (int64_t)s->create.quantiles.count);
    itsi_json_int(json, "available_connections", s->idle);
    itsi_json_int(json, "in_use_connections", s->in_use);
    itsi_json_end(json, '}');
    put_connections(json, "health", s);
    itsi_json_end(json, '}');
}

static void put_database(struct itsi_json *json, const struct itsi_pool_view *v)
{
    const struct itsi_pool_stats *s = &v->stats;
    itsi_json_object(json, "database");
    put_pool_metrics(json, s);
    itsi_json_object(json, "pool_info");
    itsi_json_int(json, "pool_size", s->regular);
    itsi_json_int(json, "checked_in", s->idle);
    itsi_json_int(json, "checked_out", s->in_use);
    itsi_json_int(json, "overflow", open_now(s) > s->regular ? open_now(s) - s->regular : 0);
    itsi_json_int(json, "invalid", (int64_t)(s->closed[ITSI_POOL_CLOSED_BROKEN] + s->closed[ITSI_POOL_CLOSED_CHECK]));
    itsi_json_end(json, '}');
    put_connections(json, "health", s);
    itsi_json_end(json, '}');
}

static void put_ffmpeg(struct itsi_json *json, const struct itsi_pool_view *v, const struct itsi_ffmpeg_pool_stats *f)
{
    const struct itsi_pool_stats *s = &v->stats;
    uint64_t jobs = 0;
    for (int i = 0; i < ITSI_FFMPEG_OUTCOME_COUNT; i++)
        jobs += f->jobs[i];
    itsi_json_object(json, "ffmpeg");
    put_pool_metrics(json, s);
    itsi_json_object(json, "process_info");
    itsi_json_int(json, "active_processes", open_now(s));
    itsi_json_int(json, "job_counter", (int64_t)jobs);
    itsi_json_int(json, "restart_counter", (int64_t)(f->deaths + f->recycled + s->closed[ITSI_POOL_CLOSED_USES] +
                                                     s->closed[ITSI_POOL_CLOSED_LIFETIME]));
    itsi_json_int(json, "max_concurrent", s->most);
    itsi_json_end(json, '}');
    put_connections(json, "health", s);
    itsi_json_end(json, '}');
}

void itsi_document_connection_pools(struct itsi_json *json, const char *key, struct itsi_pools *pools)
{
    struct itsi_pools_view *view = itsi_pools_look(pools);
    itsi_json_object(json, key);
    json->out->failed |= !view;
    if (view && view->redis)
        put_redis(json, view->redis);
    else
        itsi_json_null(json, "redis");
    if (view && view->database)
        put_database(json, view->database);
    else
        itsi_json_null(json, "database");
    if (view && view->ffmpeg)
        put_ffmpeg(json, view->ffmpeg, &view->ffmpeg_stats);
    else
        itsi_json_null(json, "ffmpeg");
    itsi_json_end(json, '}');
    itsi_free(view);
}

/* --- in full --------------------------------------------------------------------------------------------------- */

static void put_refused(struct itsi_json *json, const struct itsi_pool_stats *s)
{
    itsi_json_object(json, "refused");
    itsi_json_int(json, "down", (int64_t)s->refused_down);
    itsi_json_int(json, "full", (int64_t)s->refused_full);
    itsi_json_int(json, "slow", (int64_t)s->refused_slow);
    itsi_json_int(json, "timeout", (int64_t)s->timeouts);
    itsi_json_int(json, "cancelled", (int64_t)s->cancelled);
    itsi_json_end(json, '}');
}

static void put_closed(struct itsi_json *json, const struct itsi_pool_stats *s)
{
    itsi_json_object(json, "closed");
    for (int r = 0; r < ITSI_POOL_CLOSED_COUNT; r++)
        itsi_json_int(json, itsi_pool_closed_name((enum itsi_pool_closed)r), (int64_t)s->closed[r]);
    itsi_json_end(json, '}');
}

static void put_leaks(struct itsi_json *json, const struct itsi_pool_stats *s)
{
    itsi_json_object(json, "leaks");
    itsi_json_int(json, "now", (int64_t)itsi_pool_leaks_now(s));
    itsi_json_int(json, "ever", (int64_t)s->leaks);
    itsi_json_end(json, '}');
}

static void put_pool(struct itsi_json *json, const struct itsi_pool_view *v)
{
    const struct itsi_pool_stats *s = &v->stats;
    itsi_json_object(json, NULL);
    itsi_json_string(json, "pool_name", s->name);
    itsi_json_string(json, "kind", v->kind);
    itsi_json_string(json, "address", v->address[0] ? v->address : NULL);
    put_verdict(json, &v->verdict);
    put_requests(json, s);
    itsi_json_int(json, "idle_count", s->idle);
    itsi_json_int(json, "wait_queue_size", s->waiting);
    itsi_json_number(json, "average_wait_time_ms", s->acquire.quantiles.mean, 3);
    put_instant(json, "created_at", s->age_s);
    put_connections(json, "connections", s);
    itsi_json_int(json, "most", s->most);
    itsi_json_int(json, "open", open_now(s));
    itsi_json_int(json, "opening", s->opening);
    itsi_json_number(json, "utilization", s->utilization, 4);
    itsi_json_number(json, "utilization_limit", ITSI_POOL_MOST_UTILIZATION, 2);
    itsi_json_number(json, "oldest_wait_seconds", s->oldest_wait_s, 3);
    put_leaks(json, s);
    put_refused(json, s);
    put_closed(json, s);
    itsi_document_quantiles(json, "acquire_ms", &s->acquire.quantiles);
    itsi_document_quantiles(json, "usage_ms", &s->usage.quantiles);
    itsi_document_quantiles(json, "create_ms", &s->create.quantiles);
    itsi_json_string(json, "last_error", s->last_error[0] ? s->last_error : NULL);
    put_instant(json, "last_error_at", s->last_error_s_ago);
    itsi_json_end(json, '}');
}

static void put_rows(struct itsi_json *json, const char *key, const uint64_t rows[ITSI_STORE_TABLES])
{
    itsi_json_object(json, key);
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        itsi_json_int(json, itsi_store_table_name((enum itsi_store_table)t), (int64_t)rows[t]);
    itsi_json_end(json, '}');
}

static uint64_t sum(const uint64_t rows[ITSI_STORE_TABLES])
{
    uint64_t n = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        n += rows[t];
    return n;
}

static void put_spool(struct itsi_json *json, const struct itsi_pools_view *view)
{
    itsi_json_object(json, "spool");
    itsi_json_int(json, "files", (int64_t)view->store.spool_files);
    itsi_json_int(json, "bytes", (int64_t)view->store.spool_bytes);
    itsi_json_int(json, "most_bytes", (int64_t)view->spool_most);
    itsi_json_int(json, "rows", (int64_t)view->store.spool_rows);
    itsi_json_end(json, '}');
}

static void put_dropped(struct itsi_json *json, const struct itsi_store_stats *s)
{
    itsi_json_object(json, "dropped");
    for (int reason = 0; reason < ITSI_STORE_DROPS; reason++)
        itsi_json_int(json, itsi_store_drop_name((enum itsi_store_drop)reason), (int64_t)sum(s->dropped[reason]));
    itsi_json_end(json, '}');
}

static void put_store(struct itsi_json *json, const struct itsi_pools_view *view)
{
    const struct itsi_store_stats *s = &view->store;
    if (!view->has_store) {
        itsi_json_null(json, "store");
        return;
    }
    itsi_json_object(json, "store");
    put_verdict(json, &view->store_verdict);
    itsi_json_bool(json, "away", s->is_away);
    itsi_json_number(json, "lag_seconds", s->lag_seconds, 3);
    itsi_json_int(json, "waiting", (int64_t)s->waiting);
    put_rows(json, "queued", s->queued);
    put_rows(json, "written", s->written);
    put_spool(json, view);
    put_dropped(json, s);
    itsi_json_int(json, "batches", (int64_t)s->batches);
    itsi_json_int(json, "failures", (int64_t)s->failures);
    itsi_json_int(json, "deleted", (int64_t)s->deleted);
    itsi_json_string(json, "last_error", s->last_error[0] ? s->last_error : NULL);
    itsi_json_end(json, '}');
}

void itsi_document_pools(struct itsi_json *json, const char *key, struct itsi_pools *pools)
{
    struct itsi_pools_view *view = itsi_pools_look(pools);
    itsi_json_object(json, key);
    json->out->failed |= !view;
    if (view) {
        itsi_json_string(json, "health", itsi_health_name(itsi_pools_health(view)));
        itsi_json_array(json, "pools");
        for (int i = 0; i < view->count; i++)
            put_pool(json, &view->pools[i]);
        itsi_json_end(json, ']');
        put_store(json, view);
    }
    itsi_json_end(json, '}');
    itsi_free(view);
}

/* --- in a word ------------------------------------------------------------------------------------------------- */

void itsi_document_pools_health(struct itsi_json *json, const char *key, struct itsi_pools *pools)
{
    struct itsi_pools_view *view = itsi_pools_look(pools);
    itsi_json_object(json, key);
    json->out->failed |= !view;
    for (int i = 0; view && i < view->count; i++)
        itsi_json_string(json, view->pools[i].stats.name, itsi_health_name(view->pools[i].verdict.health));
    if (view && view->has_store)
        itsi_json_string(json, "store", itsi_health_name(view->store_verdict.health));
    itsi_json_end(json, '}');
    itsi_free(view);
}

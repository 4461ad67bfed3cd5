#include "optimizer/pools_view.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* The database and FFmpeg. */
enum { OTHER_POOLS = 2 };

static int redis_nodes(struct itsi_redis *redis)
{
    int count = 0;
    while (redis && itsi_redis_node_pool(redis, count))
        count++;
    return count;
}

/* The next place in the view, judged; NULL: out of memory. */
static struct itsi_pool_view *add(struct itsi_pools_view *view, struct itsi_pool *pool, const char *kind)
{
    struct itsi_pool_view *v = &view->pools[view->count];
    if (itsi_pool_stats(pool, &v->stats, NULL) != 0)
        return NULL;
    v->kind = kind;
    itsi_pool_judge(&v->stats, &v->verdict);
    view->count++;
    return v;
}

static bool look_at_redis(struct itsi_pools_view *view, struct itsi_redis *redis, int nodes)
{
    for (int i = 0; i < nodes; i++) {
        struct itsi_pool_view *v = add(view, itsi_redis_node_pool(redis, i), "redis");
        if (!v)
            return false;
        itsi_redis_node_address(redis, i, v->address, sizeof v->address);
        view->redis = i == 0 ? v : view->redis;
    }
    if (redis)
        itsi_redis_stats(redis, &view->redis_stats);
    return true;
}

static bool look_at_database(struct itsi_pools_view *view, struct itsi_pools *pools)
{
    struct itsi_database *database = itsi_pools_database(pools);
    if (!database)
        return true;
    struct itsi_pool_view *v = add(view, itsi_database_pool(database), itsi_database_kind(database));
    if (!v)
        return false;
    snprintf(v->address, sizeof v->address, "%s", itsi_pools_database_address(pools));
    view->database = v;
    return true;
}

static bool look_at_ffmpeg(struct itsi_pools_view *view, struct itsi_ffmpeg_pool *pool)
{
    struct itsi_pool_view *v = &view->pools[view->count];
    if (itsi_ffmpeg_pool_stats(pool, &view->ffmpeg_stats, NULL) != 0)
        return false;
    v->stats = view->ffmpeg_stats.leases;
    v->kind = "ffmpeg";
    itsi_ffmpeg_pool_program(pool, v->address, sizeof v->address);
    itsi_pool_judge(&v->stats, &v->verdict);
    itsi_ffmpeg_judge(&view->ffmpeg_stats, &v->verdict);
    view->ffmpeg = v;
    view->count++;
    return true;
}

static void look_at_store(struct itsi_pools_view *view, struct itsi_pools *pools)
{
    struct itsi_store *store = itsi_pools_store(pools);
    if (!store)
        return;
    itsi_store_stats(store, &view->store);
    const struct itsi_store_losses lately = itsi_pools_losses(pools, &view->store, itsi_now_ns());
    itsi_store_judge(&view->store, &lately, &view->store_verdict);
    view->has_store = true;
    view->spool_most = itsi_pools_spool_most(pools);
}

static void note_outage(struct itsi_pools_view *view, enum itsi_alert_pool pool,
                        const struct itsi_health_verdict *verdict, bool is_down[ITSI_ALERT_POOLS])
{
    if (verdict->health != ITSI_HEALTH_DOWN || is_down[pool])
        return;
    is_down[pool] = true;
    snprintf(view->outages[pool].why, sizeof view->outages[pool].why, "%.*s", ITSI_ALERT_NAMES_SIZE - 1, verdict->why);
}

static void look_at_outages(struct itsi_pools_view *view, struct itsi_pools *pools)
{
    bool is_down[ITSI_ALERT_POOLS] = {false};
    for (int i = 0; i < view->count; i++) {
        const struct itsi_pool_view *v = &view->pools[i];
        note_outage(view,
                    v == view->database ? ITSI_ALERT_POOL_DATABASE
                    : v == view->ffmpeg ? ITSI_ALERT_POOL_FFMPEG
                                        : ITSI_ALERT_POOL_REDIS,
                    &v->verdict, is_down);
    }
    note_outage(view, ITSI_ALERT_POOL_STORE, &view->store_verdict, is_down);
    itsi_pools_time_outages(pools, is_down, itsi_now_ns(), view->outages);
}

struct itsi_pools_view *itsi_pools_look(struct itsi_pools *pools)
{
    const int nodes = pools ? redis_nodes(itsi_pools_redis(pools)) : 0;
    struct itsi_pools_view *view =
        itsi_zalloc(sizeof *view + (size_t)(nodes + OTHER_POOLS) * sizeof view->pools[0]);
    if (!view || !pools)
        return view;
    if (!look_at_redis(view, itsi_pools_redis(pools), nodes) || !look_at_database(view, pools) ||
        !look_at_ffmpeg(view, itsi_pools_ffmpeg(pools))) {
        itsi_free(view);
        return NULL;
    }
    look_at_store(view, pools);
    look_at_outages(view, pools);
    return view;
}

void itsi_pools_outages(void *pools, struct itsi_alert_pool_state out[ITSI_ALERT_POOLS])
{
    struct itsi_pools_view *view = itsi_pools_look(pools);
    if (view) /* else the next second tells */
        memcpy(out, view->outages, sizeof view->outages);
    itsi_free(view);
}

enum itsi_health itsi_pools_health(const struct itsi_pools_view *view)
{
    enum itsi_health worst = view->store_verdict.health;
    for (int i = 0; i < view->count; i++)
        if (view->pools[i].verdict.health > worst)
            worst = view->pools[i].verdict.health;
    return worst;
}

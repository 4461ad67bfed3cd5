#include "pool/redis_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What no option says. */
#define OPEN_TIMEOUT_S 2.0
#define COMMAND_TIMEOUT_S 5.0
#define CHECK_TIMEOUT_NS ITSI_NS_PER_S

static const struct itsi_pool_params usual_params = {
    .waiters = 10000,
    .opens_per_second = 200,
    .opening = 16,
    .check_timeout_ns = CHECK_TIMEOUT_NS,
    .down_first_ns = 50 * ITSI_NS_PER_MS,
    .down_most_ns = ITSI_NS_PER_S,
    .check_after_idle_ns = 500 * ITSI_NS_PER_MS,
    .lifetime_ns = 3600 * ITSI_NS_PER_S,
    .idle_ns = 60 * ITSI_NS_PER_S,
    .reserve_after_ns = ITSI_NS_PER_S,
    .leak_after_ns = 30 * ITSI_NS_PER_S,
    .reclaim_after_ns = ITSI_NEVER,
};

enum { MOST_KEEP_SECONDS = 32767, MOST_PROBES = 127 }; /* Linux (tcp.h) */

/* --- what the options say ----------------------------------------------------------------------------------------- */

static int read_keepalive(struct itsi_redis_socket *socket, const struct its_cfg_connection_pool *cfg, struct its_diag *diag)
{
    socket->is_kept_alive = cfg->redis_socket_keepalive;
    const struct itsi_str_map *options = &cfg->redis_socket_keepalive_options;
    for (size_t i = 0; i < options->count; i++) {
        const char *key = options->keys[i];
        int64_t value = options->values[i];
        int *out = strcmp(key, "TCP_KEEPIDLE") == 0    ? &socket->idle_seconds
                   : strcmp(key, "TCP_KEEPINTVL") == 0 ? &socket->interval_seconds
                   : strcmp(key, "TCP_KEEPCNT") == 0   ? &socket->probes
                                                       : NULL;
        if (!out || value < 1 || value > (out == &socket->probes ? MOST_PROBES : MOST_KEEP_SECONDS))
            return itsi_fail(diag, ITS_EINVAL,
                             "connection_pool.redis_socket_keepalive_options: '%.64s=%" PRId64 "': TCP_KEEPIDLE and "
                             "TCP_KEEPINTVL from 1 to %d and TCP_KEEPCNT from 1 to %d are known",
                             key, value, MOST_KEEP_SECONDS, MOST_PROBES);
        *out = (int)value;
    }
    /* keepalive only looks at links that are silent; this is for those with something under way, and as patient */
    if (socket->is_kept_alive && socket->idle_seconds && socket->interval_seconds && socket->probes)
        socket->unacknowledged_ms =
            (int)fmin(1000.0 * (socket->idle_seconds + socket->interval_seconds * socket->probes), INT_MAX);
    return 0;
}

static int64_t to_ns(double seconds, double usual) { return (int64_t)((seconds > 0 ? seconds : usual) * 1e9); }

static void set_live(struct itsi_redis *redis, const struct its_cfg_connection_pool *cfg)
{
    redis->pool_params.keep_checking_ns = (int64_t)(cfg->redis_health_check_interval * 1e9);
    atomic_store(&redis->retry_on_timeout, cfg->redis_retry_on_timeout);
}

static int configure(struct itsi_redis *redis, const struct its_cfg_connection_pool *cfg, struct its_diag *diag)
{
    struct itsi_pool_params *params = &redis->pool_params;
    *params = usual_params;
    int64_t most = cfg->redis_max_connections;
    params->most = (int)(most > cfg->redis_pool_size ? most : cfg->redis_pool_size);
    params->overflow = params->most - (int)cfg->redis_pool_size;
    params->open_timeout_ns = to_ns(redis->url.connect_seconds, OPEN_TIMEOUT_S);
    params->seed = (uint64_t)itsi_now_ns();
    redis->command_timeout_ns = to_ns(redis->url.command_seconds, COMMAND_TIMEOUT_S);
    set_live(redis, cfg);
    return read_keepalive(&redis->socket, cfg, diag);
}

/* --- making it ---------------------------------------------------------------------------------------------------- */

struct making {
    struct itsi_redis *redis;
    int rc;
    struct its_diag *diag;
};

static void make_sentinels(void *arg)
{
    struct making *m = arg;
    struct itsi_redis *r = m->redis;
    m->rc = itsi_redis_sentinels_create(&r->sentinels, itsi_loop_uv(r->loop), &r->url, r->tls, &r->socket,
                                        itsi_redis_found_master, r, m->diag);
}

static int make(struct itsi_redis *redis, const char *url, const struct its_cfg_connection_pool *cfg, struct its_diag *diag)
{
    static const struct itsi_redis_host own = {.port = 0};
    itsi_quantile_init(&redis->latency, 0.5);
    int rc = itsi_redis_url_parse(&redis->url, url, diag);
    if (!rc)
        rc = configure(redis, cfg, diag);
    if (!rc && redis->url.is_tls)
        rc = itsi_tls_create(&redis->tls, &redis->url.tls, diag);
    if (!rc && redis->url.via == ITSI_REDIS_SENTINEL) {
        struct making m = {redis, 0, diag};
        itsi_loop_call(redis->loop, make_sentinels, &m);
        rc = m.rc;
    }
    return rc ? rc : itsi_redis_node_create(redis, &own, (int)cfg->redis_pool_size, diag);
}

int itsi_redis_create(struct itsi_redis **out, struct itsi_loop *loop, const char *url,
                      const struct its_cfg_connection_pool *cfg, struct its_diag *diag)
{
    struct itsi_redis *redis = itsi_zalloc(sizeof *redis);
    if (!redis)
        return itsi_fail(diag, ITS_ENOMEM, "Redis: out of memory");
    redis->loop = loop;
    pthread_mutex_init(&redis->addresses, NULL);
    int rc = make(redis, url, cfg, diag);
    if (rc) {
        itsi_redis_destroy(redis, 0);
        return rc;
    }
    *out = redis;
    return 0;
}

/* --- ending it ---------------------------------------------------------------------------------------------------- */

/* On the loop's thread, so that no request is between looking and doing. */
static void begin_end(void *arg)
{
    struct itsi_redis *redis = arg;
    atomic_store(&redis->is_ending, true);
}

static void on_sentinels_closed(void *self)
{
    struct itsi_redis *redis = self;
    itsi_event_set(redis->sentinels_closed);
}

static void close_sentinels(void *arg)
{
    struct itsi_redis *redis = arg;
    itsi_redis_sentinels_close(redis->sentinels, on_sentinels_closed);
}

void itsi_redis_destroy(struct itsi_redis *redis, int64_t deadline)
{
    if (!redis)
        return;
    itsi_loop_call(redis->loop, begin_end, redis);
    /* a node's pool answers all who wait at it, and ends when its last lease is back: then nobody is on their way */
    int count = atomic_load(&redis->node_count);
    for (int i = 0; i < count; i++)
        itsi_pool_destroy(redis->nodes[i]->pool, deadline);
    if (redis->sentinels) { /* before the nodes: an answer on its way may yet name another master to them */
        struct itsi_event closed;
        itsi_event_init(&closed);
        redis->sentinels_closed = &closed;
        itsi_loop_call(redis->loop, close_sentinels, redis);
        itsi_event_wait_until(&closed, ITSI_NEVER);
        itsi_event_fini(&closed);
    }
    for (int i = 0; i < count; i++)
        itsi_redis_node_free(redis->nodes[i]);
    itsi_buf_fini(&redis->slots_request.bytes);
    itsi_tls_destroy(redis->tls);
    pthread_mutex_destroy(&redis->addresses);
    explicit_bzero(&redis->url, sizeof redis->url);
    itsi_free(redis);
}

/* --- what is known of it ------------------------------------------------------------------------------------------ */

struct live {
    struct itsi_redis *redis;
    const struct its_cfg_connection_pool *cfg;
};

/* On the loop's thread, which makes the pools of further nodes. */
static void apply_live(void *arg)
{
    const struct live *live = arg;
    struct itsi_redis *redis = live->redis;
    set_live(redis, live->cfg);
    const struct itsi_pool_params *p = &redis->pool_params;
    const struct itsi_pool_spans spans = {p->check_after_idle_ns, p->keep_checking_ns, p->lifetime_ns};
    for (int i = 0; i < atomic_load(&redis->node_count); i++)
        itsi_pool_set_spans(redis->nodes[i]->pool, &spans);
}

void itsi_redis_configure(struct itsi_redis *redis, const struct its_cfg_connection_pool *cfg)
{
    struct live live = {redis, cfg};
    itsi_loop_call(redis->loop, apply_live, &live);
}

void itsi_redis_stats(struct itsi_redis *redis, struct itsi_redis_stats *out)
{
    *out = (struct itsi_redis_stats){
        .requests = atomic_load(&redis->requests),
        .retries = atomic_load(&redis->retries),
        .redirects = atomic_load(&redis->redirects),
        .failovers = atomic_load(&redis->failovers),
        .latency_seconds = (double)atomic_load(&redis->latency_shown) / 1e9,
        .nodes = atomic_load(&redis->node_count),
    };
}

struct itsi_pool *itsi_redis_node_pool(struct itsi_redis *redis, int index)
{
    return index >= 0 && index < atomic_load(&redis->node_count) ? redis->nodes[index]->pool : NULL;
}

/* "redis://host:port/0" of an address whose passwords are hidden already. */
static void leave_out_user(const char *shown, char *out, size_t size)
{
    const char *scheme_end = strstr(shown, "://");
    const char *rest = scheme_end ? scheme_end + 3 : shown;
    const char *at = memrchr(rest, '@', strcspn(rest, "/?"));
    snprintf(out, size, "%.*s%s", (int)(rest - shown), shown, at ? at + 1 : rest);
}

void itsi_redis_node_address(struct itsi_redis *redis, int index, char *out, size_t size)
{
    pthread_mutex_lock(&redis->addresses);
    const struct itsi_redis_host host = redis->nodes[index]->host;
    pthread_mutex_unlock(&redis->addresses);
    if (host.name[0])
        snprintf(out, size, "%s:%d", host.name, host.port);
    else
        leave_out_user(redis->url.shown, out, size);
}

#include "optimizer/pools.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "pool/postgres_hosts.h"

#include <pthread.h>
#include <stdio.h>

struct itsi_pools {
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool *ffmpeg;
    struct itsi_redis *redis;
    struct itsi_database *database;
    struct itsi_store *store;
    uint64_t spool_most;        /* const */
    char database_address[256]; /* const */
    pthread_mutex_t mutex;      /* over what follows */
    struct itsi_losses_lately lately;
    int64_t down_since[ITSI_ALERT_POOLS]; /* 0: it is not */
};

static int open_store(struct itsi_pools *pools, const struct its_cfg *cfg, const char *spool, struct its_diag *diag)
{
    struct itsi_store_params params = itsi_store_params_of(&cfg->store);
    params.database = pools->database;
    params.spool_folder = spool;
    pools->spool_most = params.spool_bytes;
    int rc = itsi_store_create(&pools->store, &params, diag);
    if (rc == 0 || rc == ITS_EBUSY || rc == ITS_ENOMEM)
        return rc;
    itsi_warn("store", "%s: what the database does not take waits in memory", diag->text);
    params.spool_folder = NULL; /* nor is what may lie in it to be had */
    params.spool_bytes = pools->spool_most = 0;
    return itsi_store_create(&pools->store, &params, diag);
}

static int make_store(struct itsi_pools *pools, const struct its_cfg *cfg, struct its_diag *diag)
{
    char spool[4096], file[4096];
    const char *data = cfg->general.data_dir;
    if (snprintf(spool, sizeof spool, "%s/spool", data) >= (int)sizeof spool ||
        snprintf(file, sizeof file, "%s/its.sqlite", data) >= (int)sizeof file)
        return itsi_fail(diag, ITS_EINVAL, "data_dir: path too long");
    if (!cfg->general.database_url && itsi_make_dirs(data, "for the database", diag) != 0)
        itsi_warn("store", "%s", diag->text); /* tried again with every connection, which tell the same */
    const char *url = cfg->general.database_url;
    int rc = itsi_database_create(&pools->database, pools->loop, url, file, &cfg->connection_pool, diag);
    if (rc != 0)
        return url ? itsi_diag_prefix(diag, rc, "database_url") : rc;
    if (url)
        itsi_pg_address(url, pools->database_address, sizeof pools->database_address);
    else
        snprintf(pools->database_address, sizeof pools->database_address, "%.255s", file);
    return open_store(pools, cfg, spool, diag);
}

static int make_all(struct itsi_pools *pools, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct itsi_ffmpeg_pool_params ffmpeg;
    int rc = itsi_loop_create(&pools->loop, "its-pools", diag);
    if (rc != 0)
        return rc;
    itsi_ffmpeg_pool_usual(&ffmpeg, &cfg->connection_pool);
    rc = itsi_ffmpeg_pool_create(&pools->ffmpeg, pools->loop, &ffmpeg, diag);
    if (rc == 0 && cfg->general.redis_url) {
        rc = itsi_redis_create(&pools->redis, pools->loop, cfg->general.redis_url, &cfg->connection_pool, diag);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "redis_url");
    }
    return rc == 0 && cfg->store.store_enabled ? make_store(pools, cfg, diag) : rc;
}

int itsi_pools_create(struct itsi_pools **out, const struct its_cfg *cfg, struct its_diag *diag)
{
    struct its_diag unwanted; /* what is only logged is told all the same */
    struct itsi_pools *pools = itsi_zalloc(sizeof *pools);
    diag = diag ? diag : &unwanted;
    if (!pools)
        return itsi_fail(diag, ITS_ENOMEM, "pools: out of memory");
    pthread_mutex_init(&pools->mutex, NULL);
    int rc = make_all(pools, cfg, diag);
    if (rc != 0) {
        itsi_pools_destroy(pools, 0);
        return rc;
    }
    *out = pools;
    return 0;
}

void itsi_pools_finish_store(struct itsi_pools *pools, int64_t deadline) { itsi_store_finish(pools->store, deadline); }

void itsi_pools_destroy(struct itsi_pools *pools, int64_t deadline)
{
    if (!pools)
        return;
    itsi_store_destroy(pools->store, deadline); /* first: it borrows connections to the end */
    itsi_database_destroy(pools->database, deadline);
    itsi_redis_destroy(pools->redis, deadline);
    itsi_ffmpeg_pool_destroy(pools->ffmpeg, deadline);
    itsi_loop_destroy(pools->loop);
    pthread_mutex_destroy(&pools->mutex);
    itsi_free(pools);
}

void itsi_pools_configure(struct itsi_pools *pools, const struct its_cfg *cfg)
{
    itsi_ffmpeg_pool_configure(pools->ffmpeg, &cfg->connection_pool);
    if (pools->redis)
        itsi_redis_configure(pools->redis, &cfg->connection_pool);
    if (pools->database)
        itsi_database_configure(pools->database, &cfg->connection_pool);
}

struct itsi_store_losses itsi_pools_losses(struct itsi_pools *pools, const struct itsi_store_stats *store, int64_t now)
{
    const struct itsi_store_losses ever = itsi_store_losses_ever(store);
    pthread_mutex_lock(&pools->mutex);
    const struct itsi_store_losses lately = itsi_losses_lately(&pools->lately, &ever, now);
    pthread_mutex_unlock(&pools->mutex);
    return lately;
}

void itsi_pools_time_outages(struct itsi_pools *pools, const bool is_down[ITSI_ALERT_POOLS], int64_t now,
                             struct itsi_alert_pool_state out[ITSI_ALERT_POOLS])
{
    pthread_mutex_lock(&pools->mutex);
    for (int p = 0; p < ITSI_ALERT_POOLS; p++) {
        int64_t *since = &pools->down_since[p];
        *since = !is_down[p] ? 0 : *since ? *since : now;
        out[p].down_seconds = *since ? (double)(now - *since) / (double)ITSI_NS_PER_S : 0;
    }
    pthread_mutex_unlock(&pools->mutex);
}

uint64_t itsi_pools_spool_most(const struct itsi_pools *pools) { return pools->spool_most; }
const char *itsi_pools_database_address(const struct itsi_pools *pools) { return pools->database_address; }

struct itsi_ffmpeg_pool *itsi_pools_ffmpeg(const struct itsi_pools *pools) { return pools->ffmpeg; }
struct itsi_database *itsi_pools_database(const struct itsi_pools *pools) { return pools->database; }
struct itsi_store *itsi_pools_store(const struct itsi_pools *pools) { return pools->store; }
struct itsi_redis *itsi_pools_redis(const struct itsi_pools *pools) { return pools->redis; }

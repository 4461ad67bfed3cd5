/* The Connection Pool Optimizer's place in a running system: the event loop, the pools of connections and processes on it,
 * and the store on top of the database. Made before the pipeline that uses them and ended after it, each by itself: what is
 * wrong with one is told by its own health, and keeps none of the others from working. */
#ifndef ITSI_OPTIMIZER_POOLS_H
#define ITSI_OPTIMIZER_POOLS_H

#include "config/config.h"
#include "latency/alerts.h"
#include "optimizer/pools_health.h"
#include "pool/database_pool.h"
#include "pool/ffmpeg_pool.h"
#include "pool/redis_pool.h"
#include "store/store.h"

struct itsi_pools;

/* Servers are connected to in the background: success says nothing about them. What the configuration says wrongly is an
 * error (ITS_EINVAL: redis_url, database_url; ITS_EBUSY: another process uses data_dir's spool); a disk that does not take
 * the spool is not: the log says so, and what the database does not take waits in memory. */
ITS_NODISCARD int itsi_pools_create(struct itsi_pools **out, const struct its_cfg *cfg, struct its_diag *diag);
/* Writes or spools what the store holds, until `deadline`; nothing that is noted from then on is kept. One thread. */
void itsi_pools_finish_store(struct itsi_pools *pools, int64_t deadline);
/* Does that where it is still to be done, gives jobs and commands until `deadline`, and ends everything. After the
 * pipeline. Takes NULL. */
void itsi_pools_destroy(struct itsi_pools *pools, int64_t deadline);
/* Live options. Any thread but the loop's. */
void itsi_pools_configure(struct itsi_pools *pools, const struct its_cfg *cfg);

/* What was lost of the store's rows lately. Any thread. */
struct itsi_store_losses itsi_pools_losses(struct itsi_pools *pools, const struct itsi_store_stats *store, int64_t now);
/* Since when each is down: the seconds, in `out`. Any thread. */
void itsi_pools_time_outages(struct itsi_pools *pools, const bool is_down[ITSI_ALERT_POOLS], int64_t now,
                             struct itsi_alert_pool_state out[ITSI_ALERT_POOLS]);
uint64_t itsi_pools_spool_most(const struct itsi_pools *pools); /* bytes; 0: no spool */
/* Where the database is, without user and password: "postgresql://host:port/name", or the SQLite file. */
const char *itsi_pools_database_address(const struct itsi_pools *pools);

/* Borrowed for the pools' life; NULL: there is none. */
struct itsi_ffmpeg_pool *itsi_pools_ffmpeg(const struct itsi_pools *pools);
struct itsi_database *itsi_pools_database(const struct itsi_pools *pools); /* NULL: store_enabled is false */
struct itsi_store *itsi_pools_store(const struct itsi_pools *pools);
struct itsi_redis *itsi_pools_redis(const struct itsi_pools *pools); /* NULL: no redis_url */

#endif

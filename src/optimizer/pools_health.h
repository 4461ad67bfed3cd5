/* How the pools and the store are: what they count, put into one word and, where that is not "ok", a sentence. Pure.
 *
 * ok        what is asked of it, it does
 * degraded  it does it with difficulty, or not for long any more
 * down      it does not do it now; it is tried again by itself
 *
 * No frame waits for a pool or the store, so none of these words makes the daemon unready. */
#ifndef ITSI_OPTIMIZER_POOLS_HEALTH_H
#define ITSI_OPTIMIZER_POOLS_HEALTH_H

#include "pool/lease_stats.h"
#include "store/store.h"

enum itsi_health { ITSI_HEALTH_OK, ITSI_HEALTH_DEGRADED, ITSI_HEALTH_DOWN, ITSI_HEALTHS };
const char *itsi_health_name(enum itsi_health health);

enum { ITSI_HEALTH_WHY = 512 };
struct itsi_health_verdict {
    enum itsi_health health;
    char why[ITSI_HEALTH_WHY]; /* empty where it is ok; no password in it */
};

/* Above these a pool is degraded. */
#define ITSI_POOL_MOST_UTILIZATION 0.8
#define ITSI_POOL_LONG_WAIT_S 2.0
/* Age of the oldest row that is not in the database; of what is written every second. */
#define ITSI_STORE_LONG_LAG_S 30.0

void itsi_pool_judge(const struct itsi_pool_stats *pool, struct itsi_health_verdict *out);
/* FFmpeg that is executed for each job though it could be linked ahead: works, but slower. Only where `out` says ok. */
struct itsi_ffmpeg_pool_stats;
void itsi_ffmpeg_judge(const struct itsi_ffmpeg_pool_stats *pool, struct itsi_health_verdict *out);
/* Leases that are out for longer than they may be. */
uint64_t itsi_pool_leaks_now(const struct itsi_pool_stats *pool);
/* What PoolMetrics of the Python API calls failed: asked for and not lent. */
uint64_t itsi_pool_failed_requests(const struct itsi_pool_stats *pool);

/* Rows that were dropped lately, by what that says of the store. */
struct itsi_store_losses {
    uint64_t lost;    /* there was no room for them any more */
    uint64_t refused; /* for what they hold: nobody could have kept them */
};
struct itsi_store_losses itsi_store_losses_ever(const struct itsi_store_stats *store);

/* Remembers what was lost when, to tell what was lost lately: within the last ITSI_LOSSES_LATELY_NS, up to twice that. */
#define ITSI_LOSSES_LATELY_NS (30 * INT64_C(1000000000))
struct itsi_losses_lately {
    struct itsi_store_losses marks[2]; /* zeroed: nothing was ever lost */
    int64_t at;
};
struct itsi_store_losses itsi_losses_lately(struct itsi_losses_lately *lately, const struct itsi_store_losses *ever,
                                            int64_t now);

void itsi_store_judge(const struct itsi_store_stats *store, const struct itsi_store_losses *lately,
                      struct itsi_health_verdict *out);

#endif

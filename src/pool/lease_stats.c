#include "pool/lease_stats.h"

#include "base/clock.h"
#include "pool/lease_impl.h"

#include <stdio.h>
#include <string.h>

#define UTILIZATION_NS (10 * ITSI_NS_PER_S)

const double itsi_pool_edges[ITSI_POOL_EDGE_COUNT] = {
#define ITS_X(seconds) seconds,
    ITSI_POOL_EDGE_MAP(ITS_X)
#undef ITS_X
};

static void count_buckets(const struct itsi_tally *tally, uint64_t counts[ITSI_POOL_EDGE_COUNT + 1])
{
    int bucket = 0;
    memset(counts, 0, (ITSI_POOL_EDGE_COUNT + 1) * sizeof *counts);
    for (int slot = tally->low; slot <= tally->high; slot++) {
        const double seconds = (double)itsi_layout_middle(tally->bits, slot) / (double)ITSI_NS_PER_S;
        while (bucket < ITSI_POOL_EDGE_COUNT && seconds > itsi_pool_edges[bucket])
            bucket++;
        counts[bucket] += tally->counts[slot];
    }
}

static void read_times(const struct itsi_tally *tally, struct itsi_pool_times *out)
{
    static const double shares[] = {0.5, 0.95, 0.99};
    const struct itsi_moments *m = &tally->moments;
    int64_t at[3];
    itsi_tally_quantiles(tally, shares, at, 3);
    count_buckets(tally, out->counts);
    out->sum_s = (double)m->sum / (double)ITSI_NS_PER_S;
    out->quantiles = (struct itsi_quantiles){
        .count = m->count,
        .p50 = (double)at[0] / 1e6,
        .p95 = (double)at[1] / 1e6,
        .p99 = (double)at[2] / 1e6,
        .max = (double)m->max / 1e6,
        .mean = itsi_moments_mean(m) / 1e6,
    };
}

/* Since a mark that is 10 to 20 s old, or as old as the reading before the last one. */
static double utilization(struct itsi_pool *pool, int64_t now)
{
    struct itsi_lease_books *books = &pool->core.books;
    itsi_lease_books_lent(books, pool->core.count[ITSI_LEASE_LENT], now);
    if (now - pool->marks[1].at >= UTILIZATION_NS) {
        pool->marks[0] = pool->marks[1];
        pool->marks[1] = (struct itsi_pool_mark){.at = now, .lent_ns = books->lent_ns};
    }
    const double ns = (double)(now - pool->marks[0].at);
    return ns > 0 ? (double)(books->lent_ns - pool->marks[0].lent_ns) / ns / pool->core.params.most : 0;
}

static double seconds(int64_t ns) { return (double)ns / (double)ITSI_NS_PER_S; }

static void read_counts(struct itsi_pool *pool, struct itsi_pool_stats *out, int64_t now)
{
    const struct itsi_lease_core *core = &pool->core;
    const struct itsi_lease_books *books = &core->books;
    *out = (struct itsi_pool_stats){
        .most = core->params.most,
        .regular = core->grow.regular,
        .size = core->grow.size,
        .in_use = core->count[ITSI_LEASE_LENT],
        .idle = core->count[ITSI_LEASE_IDLE],
        .checking = core->count[ITSI_LEASE_CHECKING],
        .opening = core->count[ITSI_LEASE_OPENING],
        .closing = core->count[ITSI_LEASE_CLOSING],
        .waiting = core->waiting,
        .oldest_wait_s = seconds(itsi_lease_core_oldest_wait_ns(core, now)),
        .is_down = core->is_down,
        .is_slow = core->grow.is_slow,
        .utilization = utilization(pool, now),
        .waited = books->times[ITSI_LEASE_ACQUIRE].moments.count,
        .leases = books->at_once + books->times[ITSI_LEASE_ACQUIRE].moments.count,
        .timeouts = books->timeouts,
        .cancelled = books->cancelled,
        .refused_full = books->refused_full,
        .refused_down = books->refused_down,
        .refused_slow = books->refused_slow,
        .opens = books->opens,
        .checks = books->checks,
        .checked_s_ago = books->checked_at ? seconds(now - books->checked_at) : -1,
        .age_s = seconds(now - pool->made_at),
        .latency_ns = pool->latency_ns,
        .peak = books->peak,
        .peak_open = books->peak_open,
        .last_error_s_ago = pool->last_error_at ? seconds(now - pool->last_error_at) : -1,
        .leaks = books->leaks,
        .unleaks = books->unleaks,
        .stale = pool->stale,
        .wakeups = pool->wakeups,
    };
    memcpy(out->closed, books->closed, sizeof out->closed);
    snprintf(out->name, sizeof out->name, "%s", core->params.name);
    snprintf(out->last_error, sizeof out->last_error, "%.*s", (int)sizeof out->last_error - 1, pool->last_error.text);
}

/* Who got one at once waited for nothing. */
static void place_at_once(struct itsi_tally *acquire, uint64_t n)
{
    itsi_tally_place(acquire, 0, n);
    acquire->moments.count += n;
    acquire->moments.min = 0;
}

int itsi_pool_stats(struct itsi_pool *pool, struct itsi_pool_stats *out, struct its_diag *diag)
{
    /* copied under the lock, worked on without it */
    struct itsi_tally times[ITSI_LEASE_TIMES] = {{.counts = NULL}};
    int rc = 0;
    for (int i = 0; i < ITSI_LEASE_TIMES && rc == 0; i++)
        rc = itsi_tally_init(&times[i], ITSI_LAYOUT_COARSE, diag);
    if (rc == 0) {
        pthread_mutex_lock(&pool->mutex);
        read_counts(pool, out, itsi_now_ns());
        for (int i = 0; i < ITSI_LEASE_TIMES; i++)
            itsi_tally_add(&times[i], &pool->core.books.times[i]);
        const uint64_t at_once = pool->core.books.at_once;
        pthread_mutex_unlock(&pool->mutex);
        if (at_once)
            place_at_once(&times[ITSI_LEASE_ACQUIRE], at_once);
        read_times(&times[ITSI_LEASE_ACQUIRE], &out->acquire);
        read_times(&times[ITSI_LEASE_USAGE], &out->usage);
        read_times(&times[ITSI_LEASE_CREATE], &out->create);
    }
    for (int i = 0; i < ITSI_LEASE_TIMES; i++)
        itsi_tally_fini(&times[i]);
    return rc;
}

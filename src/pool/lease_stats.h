/* What a pool says about itself: for /metrics, the API and the dashboard. */
#ifndef ITSI_POOL_LEASE_STATS_H
#define ITSI_POOL_LEASE_STATS_H

#include "metrics/exposition.h"
#include "metrics/histogram.h"
#include "pool/lease.h"

/* Edges of the pools' histograms in seconds, rising: from a lease that was there to a process that takes its time. */
#define ITSI_POOL_EDGE_MAP(X)                                                                                          \
    X(0.0001) X(0.00025) X(0.0005) X(0.001) X(0.0025) X(0.005) X(0.01) X(0.025) X(0.05) X(0.1) X(0.25) X(0.5) X(1.0)   \
    X(2.5) X(5.0) X(10.0) X(30.0) X(60.0)
#define ITS_X(seconds) +1
enum { ITSI_POOL_EDGE_COUNT = ITSI_POOL_EDGE_MAP(ITS_X) };
#undef ITS_X
extern const double itsi_pool_edges[ITSI_POOL_EDGE_COUNT];

/* Counted within 0.8 %: a duration that near to an edge may be in the bucket beside it. */
struct itsi_pool_times {
    uint64_t counts[ITSI_POOL_EDGE_COUNT + 1]; /* not cumulative; the last: above every edge */
    double sum_s;
    struct itsi_quantiles quantiles;
};

struct itsi_pool_stats {
    char name[32];
    int most, regular, size; /* how many may be open: ever, ordinarily, now */
    int in_use, idle, checking, opening, closing;
    int peak, peak_open; /* at once in use, and open, at most so far */
    int waiting;
    double oldest_wait_s; /* 0: nobody waits */
    bool is_down;         /* the last open failed */
    bool is_slow;         /* waits are long because the server is slow: the size is not raised */
    double utilization;   /* share of `most` that was lent, on average over the last 10 to 20 s; 0..1 */
    uint64_t leases, waited; /* lent; of those, not at once */
    uint64_t timeouts, cancelled, refused_full, refused_down, refused_slow;
    uint64_t opens, checks;
    double checked_s_ago;  /* the last answer to a check; negative: none yet */
    double age_s;          /* of the pool */
    int64_t latency_ns;    /* of the server, as its kind knows it; 0: unknown */
    uint64_t closed[ITSI_POOL_CLOSED_COUNT];
    uint64_t leaks, unleaks; /* held longer than leak_after; of those, given back after all */
    uint64_t stale;          /* leases given back that were not held */
    uint64_t wakeups;        /* of waiting threads, one for each that got its answer */
    struct itsi_pool_times acquire; /* of every lease */
    struct itsi_pool_times usage;   /* of every sixteenth lease */
    struct itsi_pool_times create;  /* of everything that could be opened */
    char last_error[256];           /* why the last open that failed did; empty: none so far */
    double last_error_s_ago;        /* negative: none so far */
};

/* Any thread. ITS_ENOMEM. */
ITS_NODISCARD int itsi_pool_stats(struct itsi_pool *pool, struct itsi_pool_stats *out, struct its_diag *diag);

/* Families its_pool_*, each with a sample of every pool. */
void itsi_put_pool_metrics(struct itsi_exposition *e, const struct itsi_pool_stats *pools, int count);

#endif

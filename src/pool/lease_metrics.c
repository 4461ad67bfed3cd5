/* The pools in Prometheus' words. */
#include "pool/lease_stats.h"

#include "base/clock.h"

typedef double value_of(const struct itsi_pool_stats *pool);

#define VALUE(field)                                                                                                   \
    static double value_##field(const struct itsi_pool_stats *pool) { return (double)pool->field; }
VALUE(most)
VALUE(regular)
VALUE(size)
VALUE(waiting)
VALUE(oldest_wait_s)
VALUE(is_down)
VALUE(is_slow)
VALUE(utilization)
VALUE(opens)
VALUE(checks)
VALUE(timeouts)
VALUE(leaks)
VALUE(unleaks)
VALUE(stale)
VALUE(wakeups)
#undef VALUE

/* A family of one sample each. */
struct single {
    enum itsi_metric_type type;
    const char *name, *unit, *help;
    value_of *value;
};

static const struct single singles[] = {
    {ITSI_METRIC_GAUGE, "its_pool_most", NULL, "Most resources a pool may have open.", value_most},
    {ITSI_METRIC_GAUGE, "its_pool_regular", NULL, "Resources a pool may have open ordinarily: most, less overflow and reserve.",
     value_regular},
    {ITSI_METRIC_GAUGE, "its_pool_size", NULL,
     "Resources a pool may have open now: raised above its_pool_regular while waits grow and the server is as fast as "
     "usual.",
     value_size},
    {ITSI_METRIC_GAUGE, "its_pool_waiting", NULL, "Borrowers that wait.", value_waiting},
    {ITSI_METRIC_GAUGE, "its_pool_oldest_wait_seconds", "seconds", "How long the first of them has waited; 0: nobody waits.",
     value_oldest_wait_s},
    {ITSI_METRIC_GAUGE, "its_pool_utilization_ratio", "ratio", "Share of most that was lent, mean of the last 10 to 20 s.",
     value_utilization},
    {ITSI_METRIC_GAUGE, "its_pool_down", NULL, "1 while the last attempt to open a resource failed.", value_is_down},
    {ITSI_METRIC_GAUGE, "its_pool_slow", NULL,
     "1 while borrowers wait because the server is slower than usual; those that would wait past their deadline are "
     "refused.",
     value_is_slow},
    {ITSI_METRIC_COUNTER, "its_pool_timeouts", NULL, "Borrowers whose deadline passed while they waited.", value_timeouts},
    {ITSI_METRIC_COUNTER, "its_pool_opens", NULL, "Attempts to open a resource.", value_opens},
    {ITSI_METRIC_COUNTER, "its_pool_checks", NULL, "Idle resources checked.", value_checks},
    {ITSI_METRIC_COUNTER, "its_pool_leaks", NULL, "Leases held so long that they count as leaks.", value_leaks},
    {ITSI_METRIC_COUNTER, "its_pool_unleaks", NULL, "Of those, the ones given back after all.", value_unleaks},
    {ITSI_METRIC_COUNTER, "its_pool_stale_releases", NULL, "Leases given back that were not held any more.", value_stale},
    {ITSI_METRIC_COUNTER, "its_pool_wakeups", NULL, "Wake-ups of waiting threads, each with its answer.", value_wakeups},
};

static void put_states(struct itsi_exposition *e, const struct itsi_pool_stats *pools, int count)
{
    itsi_exposition_family(e, ITSI_METRIC_GAUGE, "its_pool_resources", NULL, "Resources of a pool by what they are at.");
    for (int i = 0; i < count; i++) {
        const struct itsi_pool_stats *p = &pools[i];
        const struct {
            const char *state;
            int count;
        } states[] = {{"in_use", p->in_use}, {"idle", p->idle}, {"checking", p->checking}, {"opening", p->opening},
                      {"closing", p->closing}};
        for (size_t s = 0; s < sizeof states / sizeof *states; s++)
            itsi_exposition_count(e, ITSI_LABELS({"pool", p->name}, {"state", states[s].state}),
                                  (uint64_t)states[s].count);
    }
}

static void put_leases(struct itsi_exposition *e, const struct itsi_pool_stats *pools, int count)
{
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_pool_leases", NULL, "Resources lent, at once or after waiting.");
    for (int i = 0; i < count; i++) {
        itsi_exposition_count(e, ITSI_LABELS({"pool", pools[i].name}, {"how", "at_once"}),
                              pools[i].leases - pools[i].waited);
        itsi_exposition_count(e, ITSI_LABELS({"pool", pools[i].name}, {"how", "waited"}), pools[i].waited);
    }
}

static void put_refusals(struct itsi_exposition *e, const struct itsi_pool_stats *pools, int count)
{
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_pool_refused", NULL,
                           "Borrowers sent away: the server is down, too many wait, the server is slow and the deadline "
                           "would pass, or it was taken back.");
    for (int i = 0; i < count; i++) {
        const char *name = pools[i].name;
        itsi_exposition_count(e, ITSI_LABELS({"pool", name}, {"reason", "down"}), pools[i].refused_down);
        itsi_exposition_count(e, ITSI_LABELS({"pool", name}, {"reason", "full"}), pools[i].refused_full);
        itsi_exposition_count(e, ITSI_LABELS({"pool", name}, {"reason", "slow"}), pools[i].refused_slow);
        itsi_exposition_count(e, ITSI_LABELS({"pool", name}, {"reason", "cancelled"}), pools[i].cancelled);
    }
}

static void put_closed(struct itsi_exposition *e, const struct itsi_pool_stats *pools, int count)
{
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_pool_closed", NULL, "Resources closed, and why.");
    for (int i = 0; i < count; i++)
        for (int r = 0; r < ITSI_POOL_CLOSED_COUNT; r++)
            itsi_exposition_count(
                e, ITSI_LABELS({"pool", pools[i].name}, {"reason", itsi_pool_closed_name((enum itsi_pool_closed)r)}),
                pools[i].closed[r]);
}

static void put_times(struct itsi_exposition *e, const char *pool, const struct itsi_pool_times *times)
{
    const struct itsi_exposition_histogram histogram = {
        .edges = itsi_pool_edges, .edge_count = ITSI_POOL_EDGE_COUNT, .counts = times->counts, .sum = times->sum_s};
    itsi_exposition_histogram(e, ITSI_LABELS({"pool", pool}), &histogram);
}

void itsi_put_pool_metrics(struct itsi_exposition *e, const struct itsi_pool_stats *pools, int count)
{
    put_states(e, pools, count);
    for (size_t s = 0; s < sizeof singles / sizeof *singles; s++) {
        itsi_exposition_family(e, singles[s].type, singles[s].name, singles[s].unit, singles[s].help);
        for (int i = 0; i < count; i++)
            itsi_exposition_value(e, ITSI_LABELS({"pool", pools[i].name}), singles[s].value(&pools[i]));
    }
    put_leases(e, pools, count);
    put_refusals(e, pools, count);
    put_closed(e, pools, count);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_pool_acquire_seconds", "seconds",
                           "From asking for a resource to having it, of every lease.");
    for (int i = 0; i < count; i++)
        put_times(e, pools[i].name, &pools[i].acquire);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_pool_usage_seconds", "seconds",
                           "How long a resource was held, of every eighth lease.");
    for (int i = 0; i < count; i++)
        put_times(e, pools[i].name, &pools[i].usage);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_pool_create_seconds", "seconds",
                           "How long opening a resource took, of those that could be opened.");
    for (int i = 0; i < count; i++)
        put_times(e, pools[i].name, &pools[i].create);
}

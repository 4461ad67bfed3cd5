#include "pool/lease_grow.h"

#include "base/clock.h"

#define WINDOW_NS (100 * ITSI_NS_PER_MS)
#define CALM_WINDOW_NS ITSI_NS_PER_S
/* Latency up to here counts as flat: quantiles of few pings scatter by a third. */
#define FLAT 1.5
/* A wait counts as growing from here on: at saturation the longest wait of a window varies by itself. */
#define GROWING 1.1
/* Share of the newest window in what is smoothed; and in the usual latency while somebody waits, so that a server that has
 * become slower for good counts as usual after some minutes. */
#define NEWEST 0.2
#define NEWEST_WHILE_WAITING 0.0002

void itsi_grow_init(struct itsi_grow *grow, int regular, int most, int64_t now)
{
    *grow = (struct itsi_grow){.regular = regular, .most = most, .size = regular, .next_look = now + WINDOW_NS};
}

static void smooth(double *kept, double newest, double share)
{
    if (newest > 0)
        *kept += *kept > 0 ? share * (newest - *kept) : newest;
}

static void shrink(struct itsi_grow *grow, int open)
{
    if (grow->size > open)
        grow->size = open > grow->regular ? open : grow->regular;
}

void itsi_grow_look(struct itsi_grow *grow, const struct itsi_grow_facts *facts, int64_t now)
{
    const double latency = facts->latency_ns > 0 ? (double)facts->latency_ns : facts->use_ns;
    smooth(&grow->use_ns, facts->use_ns, NEWEST);
    if (facts->waited_ns == 0) {
        smooth(&grow->usual_ns, latency, NEWEST);
        shrink(grow, facts->open);
        grow->is_slow = false;
    } else {
        /* what never was measured cannot have become slower */
        grow->is_slow = grow->usual_ns > 0 && latency > FLAT * grow->usual_ns;
        if (grow->usual_ns > 0)
            smooth(&grow->usual_ns, latency, NEWEST_WHILE_WAITING);
        const bool is_growing = (double)facts->waited_ns > GROWING * (double)grow->waited_ns;
        if (is_growing && !grow->is_slow && facts->open >= grow->size) {
            const int step = grow->size / 8 > 0 ? grow->size / 8 : 1;
            grow->size = grow->size + step < grow->most ? grow->size + step : grow->most;
        }
    }
    grow->waited_ns = facts->waited_ns;
    grow->next_look = now + WINDOW_NS;
}

int64_t itsi_grow_due(const struct itsi_grow *grow, bool is_waiting)
{
    return is_waiting ? grow->next_look : grow->next_look + CALM_WINDOW_NS - WINDOW_NS;
}

int64_t itsi_grow_expected_wait_ns(const struct itsi_grow *grow, int waiting, int lent)
{
    return lent > 0 ? (int64_t)((double)(waiting + 1) * grow->use_ns / lent) : 0;
}

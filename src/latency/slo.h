/* The service level objective, counted on frames due and not on frames seen: a camera that is silent, frozen or slow
 * burns the budget, since its ledger goes on expecting frames (core/ledger.h).
 *
 *     due = expected - skipped        good = delivered on time        bad = due - good
 *
 * so that missing, dropped, late and corrupt frames all count as bad. A frame in flight is due and not yet good: over a
 * window that shifts the count by the frames of one latency at each end, which cancel while frames flow and count as
 * bad when they stop.
 *
 * Everything here is pure: time is an argument (monotonic ns), nothing allocates, nothing locks. The owner serialises.
 * */
#ifndef ITSI_LATENCY_SLO_H
#define ITSI_LATENCY_SLO_H

#include "core/ledger.h"

#include <stdbool.h>
#include <stdint.h>

struct itsi_slo_counts {
    int64_t due, good; /* differences may be negative: a frame expected in one tick is skipped in the next */
};

/* Turns the counters of a ledger into differences. Zeroed: has seen nothing. */
struct itsi_slo_meter {
    uint64_t expected, skipped, delivered;
    bool primed;
};

/* What was added since the last call. The first call sets the mark and gives zeros, so that monitoring switched on late
 * does not take a camera's life for one tick. A counter that went backward is another camera under the same name: its
 * counts began at zero, and all of them are new. */
struct itsi_slo_counts itsi_slo_meter_take(struct itsi_slo_meter *meter, const struct itsi_ledger_counts *counts);

/* --- rolling windows ---------------------------------------------------------------------------------------------- */

enum itsi_slo_window {
    ITSI_SLO_SHORT,  /* monitoring_window_seconds */
    ITSI_SLO_MEDIUM, /* alert_window_seconds */
    ITSI_SLO_LONG,   /* trend_analysis_minutes */
    ITSI_SLO_WINDOW_COUNT
};

enum { ITSI_SLO_SLOTS = 60 }; /* a window moves in steps of a sixtieth */

/* Sums at the beginning of each of the last periods, so that a window is one subtraction. */
struct itsi_slo_ring {
    int64_t slot_ns;
    int64_t period; /* the newest, now / slot_ns */
    struct itsi_slo_counts at[ITSI_SLO_SLOTS + 1];
};

/* Three windows over one stream of counts (a camera, a group, all): 3 kB, whatever the windows' lengths. */
struct itsi_slo_series {
    int64_t began_ns, last_ns;
    struct itsi_slo_counts sum;
    struct itsi_slo_ring rings[ITSI_SLO_WINDOW_COUNT];
};

/* window_ns: the three lengths, each at least ITSI_SLO_SLOTS. */
void itsi_slo_series_init(struct itsi_slo_series *series, const int64_t window_ns[ITSI_SLO_WINDOW_COUNT], int64_t now);
/* Counts belong to the slot of `now`. A clock that steps back stands still until it has caught up. */
void itsi_slo_series_add(struct itsi_slo_series *series, struct itsi_slo_counts more, int64_t now);

struct itsi_slo_reading {
    int64_t due, good, bad; /* exact over the slots the window covers */
    int64_t length_ns;      /* of the window: its nominal length and the part of a slot being filled */
    int64_t observed_ns;    /* of it, since the series began */
};
void itsi_slo_series_read(struct itsi_slo_series *series, enum itsi_slo_window window, int64_t now,
                          struct itsi_slo_reading *out);

/* bad / due; 0 when nothing was due. */
double itsi_slo_bad_share(const struct itsi_slo_reading *reading);

/* How many times faster than allowed the budget went over the whole window: the bad share over the share allowed to be
 * bad, scaled by the part of the window that was observed. What was before a camera came burned nothing, so ten bad
 * seconds after a start weigh as ten bad seconds and not as a whole bad window. */
double itsi_slo_burn(const struct itsi_slo_reading *reading, double budget);

#endif

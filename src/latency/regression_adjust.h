/* Takes off the stages of one kind of time (services, or floors) what their peers foretell: learns how they go together
 * while all is steady, as late as the series learn, and foretells every batch. Needs three stages: of two, nobody can
 * say which one is off.
 *
 * A peer with a change of its own that is reported already counts without it.
 *
 * Plain values, no allocation; one thread at a time. */
#ifndef ITSI_LATENCY_REGRESSION_ADJUST_H
#define ITSI_LATENCY_REGRESSION_ADJUST_H

#include "latency/regression_batch.h"
#include "latency/regression_peers.h"
#include "latency/regression_series.h"

struct itsi_adjustment {
    struct itsi_peers peers;
    double rows[ITSI_SERIES_RECENT][ITSI_STAGE_COUNT]; /* log(us), NAN: none; a ring */
    int count, next;
    int pending; /* rows seen and not learned yet */
    bool solved; /* the slopes below are of the peers above, for those present */
    bool present[ITSI_STAGE_COUNT];
    double slopes[ITSI_STAGE_COUNT][ITSI_STAGE_COUNT];
};

/* Begins with what is known of the peers (NULL: nothing). */
void itsi_adjustment_begin(struct itsi_adjustment *a, const struct itsi_peers *known);
/* Time is missing, or levels are about to be learned anew: what is not learned yet is forgotten. */
void itsi_adjustment_forget(struct itsi_adjustment *a);
/* A batch's values (NAN: none) before the series take them: what is foretold of each one's deviation; 0: nothing is. */
void itsi_adjustment_foretell(struct itsi_adjustment *a, const struct itsi_series series[ITSI_STAGE_COUNT],
                              const struct itsi_series_rules *rules, const double values[ITSI_STAGE_COUNT],
                              double foretold[ITSI_STAGE_COUNT]);
/* And after the series took them. */
void itsi_adjustment_learn(struct itsi_adjustment *a, struct itsi_series series[ITSI_STAGE_COUNT],
                           const struct itsi_series_rules *rules);

#endif

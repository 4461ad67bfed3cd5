/* What regression.c and regression_report.c share. */
#ifndef ITSI_LATENCY_REGRESSION_IMPL_H
#define ITSI_LATENCY_REGRESSION_IMPL_H

#include "latency/regression.h"
#include "latency/regression_adjust.h"

enum { ITSI_REGRESSION_EVENTS = 32 };

struct itsi_regression {
    struct itsi_series_rules rules;
    struct itsi_series series[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT];
    struct itsi_adjustment adjustment[ITSI_SERIES_KIND_COUNT]; /* of services and floors */
    struct itsi_floor floor[ITSI_STAGE_COUNT];
    struct itsi_series whole; /* median deviation of the stages' service */
    struct itsi_open_batch open;
    int64_t last_end; /* of the last batch; 0: none */
    struct itsi_regression_event events[ITSI_REGRESSION_EVENTS]; /* a ring */
    int event_first, event_count;
    uint64_t refused, events_lost;
};

/* The change of a stage that is on; false: it is steady. A stage's service is slower where its mean or its floor is;
 * its floor alone never makes it faster. */
bool itsi_regression_describe(const struct itsi_regression *r, enum itsi_time_kind kind, enum itsi_stage stage,
                              struct itsi_move *out);
bool itsi_regression_describe_whole(const struct itsi_regression *r, struct itsi_move *out);
/* Information otherwise. */
bool itsi_move_is_regression(const struct itsi_move *move);

#endif

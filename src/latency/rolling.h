/* How it went lately: every stage, every quality level and every camera over three rolling windows (a minute, five
 * minutes, an hour, unless configured otherwise).
 *
 * One per pipeline. The post-processing thread records frames through a writer of its own, without a lock; whoever
 * measures besides (encoders, HTTP, the API) goes through measure(). One thread ticks once a second; a query is as fresh
 * as the last tick. What is above its budget or promise counts as a violation, exactly. */
#ifndef ITSI_LATENCY_ROLLING_H
#define ITSI_LATENCY_ROLLING_H

#include "config/config.h"
#include "core/stage.h"
#include "metrics/windows.h"

/* 0 ultra_low .. 4 ultra_high */
enum { ITSI_LEVEL_COUNT = 5 };

/* What is kept apart. A stage is waiting and service together; CLIENT_RENDERING comes from measurements alone. */
enum itsi_rolling_series {
    ITSI_ROLLING_END_TO_END,
    ITSI_ROLLING_UNATTRIBUTED,
    ITSI_ROLLING_CLIENT_RENDERING,
    ITSI_ROLLING_STAGE,                                                /* + enum itsi_stage */
    ITSI_ROLLING_WAIT = ITSI_ROLLING_STAGE + ITSI_STAGE_COUNT,         /* + enum itsi_stage */
    ITSI_ROLLING_SERVICE = ITSI_ROLLING_WAIT + ITSI_STAGE_COUNT,       /* + enum itsi_stage */
    ITSI_ROLLING_LEVEL = ITSI_ROLLING_SERVICE + ITSI_STAGE_COUNT,      /* + level: end to end */
    ITSI_ROLLING_FINE = ITSI_ROLLING_LEVEL + ITSI_LEVEL_COUNT          /* how many */
};

enum itsi_rolling_window {
    ITSI_WINDOW_SHORT,  /* monitoring_window_seconds */
    ITSI_WINDOW_MEDIUM, /* alert_window_seconds */
    ITSI_WINDOW_LONG,   /* trend_analysis_minutes */
    ITSI_WINDOW_COUNT
};
const char *itsi_rolling_window_name(enum itsi_rolling_window window); /* "short_window" */

struct itsi_rolling;
/* cameras: most there are at a time. ITS_ENOMEM. */
ITS_NODISCARD int itsi_rolling_create(struct itsi_rolling **out, const struct its_cfg_latency_monitoring *cfg,
                                      int cameras, int64_t now, struct its_diag *diag);
void itsi_rolling_destroy(struct itsi_rolling *rolling); /* takes NULL */
/* Windows' lengths, the promise, and whether stages are kept apart, live; what the windows hold stays. */
ITS_NODISCARD int itsi_rolling_configure(struct itsi_rolling *rolling, const struct its_cfg_latency_monitoring *cfg,
                                         struct its_diag *diag);

/* A camera's own series; negative: none is free, its frames count in the whole alone. */
int itsi_rolling_camera_claim(struct itsi_rolling *rolling);
void itsi_rolling_camera_release(struct itsi_rolling *rolling, int series); /* takes a negative one */

/* By the post-processing thread. */
void itsi_rolling_frame(struct itsi_rolling *rolling, const struct itsi_breakdown *frame, int level, int camera_series);
/* Any thread: one measurement of a stage, or (series END_TO_END, CLIENT_RENDERING) of what no stage is; camera_series as
 * above, for end to end only. ITS_EINVAL: no such series, or below 0. */
ITS_NODISCARD int itsi_rolling_measure(struct itsi_rolling *rolling, int series, int camera_series, int64_t ns);

/* Any thread: a stage after the hand-over (encoding, network transmission), waiting and service apart, both >= 0. */
void itsi_rolling_stage(struct itsi_rolling *rolling, enum itsi_stage stage, int64_t wait_ns, int64_t service_ns);

ITS_NODISCARD int itsi_rolling_tick(struct itsi_rolling *rolling, int64_t now);
/* ITS_ENOTFOUND: no such series. */
ITS_NODISCARD int itsi_rolling_query(struct itsi_rolling *rolling, int series, enum itsi_rolling_window window, int64_t now,
                                     struct itsi_window_figures *out);
int64_t itsi_rolling_seconds(const struct itsi_rolling *rolling, enum itsi_rolling_window window);

struct itsi_rolling_stats {
    uint64_t measurements, violations; /* end to end, since the start */
    size_t bytes;                      /* memory of recording and windows */
};
void itsi_rolling_stats(struct itsi_rolling *rolling, struct itsi_rolling_stats *out);

#endif

/* Rolling windows over everything a recording takes in: per series, how the last minute, five minutes, hour went.
 *
 * tick() ends the recording's interval and adds it to every window; a query is as fresh as the last tick. Called once a
 * second it costs about a millisecond for a hundred cameras; more often or more seldom only changes how fresh queries
 * are and how closely a window's length is met.
 *
 * Fine series are always kept. Coarse ones, meant for things that come and go, are claimed and released: a released
 * series is not given out again until two intervals have passed, and what was still recorded into it is thrown away.
 *
 * What ends within the same sixtieth of a window lies in one cell, whose memory is kept for the cell that comes in its stead.
 * So tick() allocates while a window fills for the first time, or more comes than ever did, and then no more.
 *
 * All functions are thread-safe (one lock, never taken by those who record). `now` is monotonic ns; should it ever go
 * back, that time counts as none, and a leap forward only ages what is held. */
#ifndef ITSI_METRICS_WINDOWS_H
#define ITSI_METRICS_WINDOWS_H

#include "metrics/recording.h"

enum { ITSI_WINDOWS_MAX = 4 };
#define ITSI_WINDOW_SECONDS_MAX 604800 /* a week */

struct itsi_windows;

struct itsi_windows_params {
    struct itsi_recording *recording; /* borrowed, outlives the windows, which are its only reader */
    int count;                        /* of windows, 1..ITSI_WINDOWS_MAX */
    int64_t seconds[ITSI_WINDOWS_MAX]; /* 1..ITSI_WINDOW_SECONDS_MAX each */
    /* For others who live on intervals (a recording has one reader): called by tick() for every kept series that has
     * values, with those of the interval (borrowed for the call) and its length in ns. It must not call into the
     * windows. NULL: nobody. */
    void (*each)(void *arg, int series, const struct itsi_tally *interval, int64_t length);
    void *each_arg;
};

/* `now` begins the first interval. ITS_EINVAL, ITS_ENOMEM. */
ITS_NODISCARD int itsi_windows_create(struct itsi_windows **out, const struct itsi_windows_params *params, int64_t now,
                                      struct its_diag *diag);
void itsi_windows_destroy(struct itsi_windows *windows); /* takes NULL */

/* A coarse series for the caller to record into. ITS_ELIMIT: none is free; ITS_ENOMEM. */
ITS_NODISCARD int itsi_windows_claim(struct itsi_windows *windows, int *series, struct its_diag *diag);
/* Forgets it. The caller has stopped recording into it, or does so before the next tick. */
void itsi_windows_release(struct itsi_windows *windows, int series);

/* Once a second. ITS_ENOMEM: of some values only counts, sums and extremes are kept, no distribution. */
ITS_NODISCARD int itsi_windows_tick(struct itsi_windows *windows, int64_t now);

/* Changes a window's length, keeping what fits it. ITS_EINVAL; ITS_ENOMEM: some series have the old length still, and
 * calling again goes on. */
ITS_NODISCARD int itsi_windows_resize(struct itsi_windows *windows, int window, int64_t seconds, struct its_diag *diag);

struct itsi_window_figures {
    uint64_t count, violations;                    /* exact */
    double mean_ms, min_ms, max_ms; /* exact; 0 when count is 0, as all below */
    double deviation_ms;            /* within half a slot of the layout */
    double p50_ms, p95_ms, p99_ms;                 /* within 0.05 % (or 0.3 us) when fine, 0.8 % when coarse */
    double violation_rate;                         /* violations / count */
    double per_second;                             /* count / covered_s */
    double covered_s;                              /* the time really covered, up to the last tick */
};
/* ITS_ENOTFOUND: no such window, or the series is not claimed. */
ITS_NODISCARD int itsi_windows_query(struct itsi_windows *windows, int series, int window, int64_t now,
                                     struct itsi_window_figures *out);
/* The same for a group: adds the series' window to a tally of its precision (for any quantile: itsi_tally_quantiles);
 * *covered (may be NULL): ns. ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_windows_gather(struct itsi_windows *windows, int series, int window, int64_t now,
                                      struct itsi_tally *into, int64_t *covered);
/* The figures of a tally that covers so much time. */
void itsi_window_figures_of(const struct itsi_tally *tally, int64_t covered, struct itsi_window_figures *out);

/* Everything up to the last tick, since the windows were made or the series was claimed. ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_windows_totals(struct itsi_windows *windows, int series, struct itsi_moments *out);

struct itsi_windows_stats {
    int claimed;
    uint64_t strays;  /* values recorded into coarse series that nobody has claimed */
    uint64_t thinned; /* intervals that had no memory for a distribution */
    size_t bytes;     /* memory of the windows; the recording's is its own */
};
void itsi_windows_stats(struct itsi_windows *windows, struct itsi_windows_stats *out);

#endif

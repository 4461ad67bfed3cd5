/* What is normal for one series of stage times: level and spread of its batch means of log time, learned while
 * steady.
 *
 * A series is fed with means of log(us) over batches of about a second, because single frames are autocorrelated and
 * latency is skewed: the mean of logarithms is what a typical frame takes, and a difference of it is a ratio. Batch
 * means of a shared machine are autocorrelated still, so beside their variance the variance of long means is learned
 * (the "variance parameter" or long-run variance: length times the variance of a mean over so many batches), which
 * is what charts for autocorrelated data are to be scaled by (Kim, Alexopoulos, Tsui, Wilson: "A distribution-free
 * tabular CUSUM chart for autocorrelated data", IIE Transactions 39, 2007).
 *
 * Robust on two steps: the first batches give median and median absolute deviation; from there every batch moves the
 * estimate by its winsorised deviation with a weight of one over the batches so far (Huber 1964, taken recursively),
 * up to ITSI_BASELINE_FULL batches, an hour. Then the baseline is frozen, so that a slow drift cannot carry it
 * along.
 *
 * Plain values, no allocation; one thread at a time. */
#ifndef ITSI_LATENCY_BASELINE_H
#define ITSI_LATENCY_BASELINE_H

#include "core/stage.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ITSI_BASELINE_WARMUP = 120, /* batches before a baseline says anything */
    ITSI_BASELINE_FULL = 3600,  /* batches after which it learns no more */
    ITSI_BASELINE_BLOCK = 16    /* batches of the long means that the long-run variance comes from */
};

struct itsi_baseline {
    uint32_t batches;  /* learned from; below ITSI_BASELINE_WARMUP: not known */
    double level;      /* of log(us) */
    double variance;   /* of batch means */
    double covariance; /* of each with its successor */
    double long_run;   /* variance of the mean of ITSI_BASELINE_BLOCK batches, times ITSI_BASELINE_BLOCK */
};

/* Service: how long the stage worked. Wait: how long the frame waited for it. Floor, for the online detector alone: the
 * service of frames that nothing disturbed (latency/regression_batch.h). */
enum itsi_time_kind {
    ITSI_TIME_SERVICE,
    ITSI_TIME_WAIT,
    ITSI_TIME_KIND_COUNT,
    ITSI_TIME_FLOOR = ITSI_TIME_KIND_COUNT,
    ITSI_SERIES_KIND_COUNT
};
const char *itsi_time_kind_name(enum itsi_time_kind kind); /* "service", "wait", "floor" */

/* How the stages' deviations from their baselines go together (latency/regression_peers.h). */
struct itsi_peers {
    uint32_t batches; /* learned from; below ITSI_BASELINE_WARMUP: not known */
    double product[ITSI_STAGE_COUNT][ITSI_STAGE_COUNT]; /* mean products; [s][s] == 0: nothing known of the stage */
};

/* The baselines of every series under one key. */
struct itsi_baseline_set {
    struct itsi_baseline series[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT];
    /* Of services and floors: */
    struct itsi_baseline residual[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT]; /* of what the peers do not foretell */
    struct itsi_peers peers[ITSI_SERIES_KIND_COUNT];
};

/* From the first batches, in the order of time; count >= ITSI_BASELINE_BLOCK. Sorts a copy on the stack, so count is at
 * most ITSI_BASELINE_SEED_MAX. */
enum { ITSI_BASELINE_SEED_MAX = 128 };
void itsi_baseline_seed(struct itsi_baseline *baseline, const double *means, int count);

/* What learning needs beside the baseline, and no file keeps. Zeroed: begins. */
struct itsi_baseline_learner {
    double previous, block_sum;
    int block_count;
    bool has_previous;
};
/* One more steady batch; does nothing once the baseline is full. */
void itsi_baseline_learn(struct itsi_baseline *baseline, struct itsi_baseline_learner *learner, double mean);
/* Forgets the unfinished block and the neighbour: batches after a gap have neither. */
void itsi_baseline_learner_reset(struct itsi_baseline_learner *learner);

bool itsi_baseline_known(const struct itsi_baseline *baseline);
/* Values as a file may hold them: finite, variances above 0, known. */
bool itsi_baseline_valid(const struct itsi_baseline *baseline);

/* Standard deviation of one batch mean; at least 0.5 %. */
double itsi_baseline_deviation(const struct itsi_baseline *baseline);
/* The long-run variance to judge by: the larger of what long means show and what the neighbours' correlation implies
 * ((1+r)/(1-r), a first-order process), at least 1 % squared, widened while it is known from few blocks. */
double itsi_baseline_spread(const struct itsi_baseline *baseline);

/* --- load bands -------------------------------------------------------------------------------------------------- */

/* Stage times depend on load (batches grow, cores are shared), so a baseline holds for a band of it. The measure
 * must not depend on what it judges: a slower stage raises busy time, batch size and queue, and would leave its own
 * baseline behind. Frames *due* per second (the ledger's `expected`) do not. Model, configuration and hardware being
 * part of the key, the rate itself stands for "relative to capacity".
 *
 * Bands are quarter octaves of frames/s (1.19 times as much is the next one; below 1 frame/s is band 0). `previous`
 * is the band so far (-1: none): it is kept until the rate is an eighth of an octave outside, so that a rate at an
 * edge does not flap. A rate that is no number or not above 0 gives -1: no load, nothing to judge. */
enum { ITSI_LOAD_BAND_COUNT = 66 };
int itsi_load_band(double frames_per_second, int previous);

#endif

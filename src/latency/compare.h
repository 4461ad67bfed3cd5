/* Two measurements held against each other: which stage is slower than before, by how much, how surely.
 *
 * Per stage and kind the ratio of typical times is the difference of the mean batch (the middle half, so that a
 * hiccup is not a result) of log time. Its uncertainty comes from resampling: batches of one run are neighbours, so
 * whole blocks of them are drawn, around the end (circular block bootstrap; Politis, Romano 1992, after Künsch 1989 and
 * Liu, Singh 1992), of a length that grows with the cube root of their number. Draws are seeded: the same two
 * documents give the same answer.
 *
 * A stage is slower when the estimate reaches the threshold and the 99 % interval excludes "no slower". The verdict
 * of the whole is judged on service times alone; waits are compared for information, since a stage behind a slow one
 * waits longer without being slower. What two runs of the same build differ by on a machine that others use too is
 * not within a run and not in the interval: the threshold is to be above it.
 *
 * Pure; thread-safe; allocates nothing. */
#ifndef ITSI_LATENCY_COMPARE_H
#define ITSI_LATENCY_COMPARE_H

#include "base/buf.h"
#include "latency/compare_run.h"

/* Fewer batches in either run give no verdict. */
enum { ITSI_COMPARE_LEAST_BATCHES = 20 };

enum itsi_verdict {
    ITSI_VERDICT_NONE, /* too few batches, or the stage is in one run only */
    ITSI_VERDICT_SAME, /* nothing beyond the threshold */
    ITSI_VERDICT_FASTER,
    ITSI_VERDICT_SLOWER
};
const char *itsi_verdict_name(enum itsi_verdict verdict); /* "none", "same", "faster", "slower" */

struct itsi_stage_comparison {
    enum itsi_verdict verdict;
    int batches_before, batches_after;
    /* where there is a verdict */
    double percent, low_percent, high_percent; /* +25: takes 1.25 times as long; 99 % interval */
    double confidence; /* 0..1: share of the draws in which it moved in the direction of `percent` */
    double before_ms, after_ms;
};

struct itsi_comparison {
    double threshold_percent;
    enum itsi_verdict verdict; /* NONE: no stage could be judged; SLOWER: one is; else FASTER: one is; else SAME */
    int primary;               /* the slower stage that adds most to a frame's service time; -1: none is slower */
    struct itsi_stage_comparison series[ITSI_TIME_KIND_COUNT][ITSI_STAGE_COUNT];
    bool other_model, other_config, other_hardware, other_load; /* the setups differ in more than the build */
};

/* ITS_EINVAL: the threshold is not above 0. */
ITS_NODISCARD int itsi_compare(const struct itsi_run *before, const struct itsi_run *after, double threshold_percent,
                               struct itsi_comparison *out, struct its_diag *diag);
void itsi_comparison_json(const struct itsi_comparison *comparison, struct itsi_json *json, const char *key);
/* A table for people, its last line the verdict. */
void itsi_comparison_text(const struct itsi_comparison *comparison, struct itsi_buf *out);

#endif

/* How long will the engine take for n images? Learned while it runs, per input size and bucket of batch sizes (1, 2, 3..4,
 * 5..8, ...), as quantiles and not means: a frame is promised what nineteen of twenty runs keep. Slower runs are believed
 * within a few dozen, faster ones only within a few hundred (metrics/quantile.h); a bucket unused for a minute while its
 * neighbours run is forgotten.
 *
 * What was never seen is inferred from what was, by the kind of engine: one that gains from batches (GPU) has a fixed part
 * and one per image, requests that run side by side (CPU) take their images one after the other. Between input sizes time
 * goes with the number of pixels. Time is an argument; one thread at a time. */
#ifndef ITSI_INFER_RUN_TIME_H
#define ITSI_INFER_RUN_TIME_H

#include "metrics/quantile.h"

#include <stdbool.h>
#include <stdint.h>

enum { ITSI_INPUTS = 8, /* input sizes told apart: 0, 1, ... */
       ITSI_RUN_BUCKETS = 7, ITSI_RUN_IMAGES = 1 << (ITSI_RUN_BUCKETS - 1) };

struct itsi_run_bucket {
    struct itsi_quantile usual, shortest; /* count 0: nothing known */
    int64_t seen;                         /* last observation */
};

struct itsi_run_time {
    bool batch_efficient;
    int64_t pixels[ITSI_INPUTS]; /* 0: not said */
    int64_t seen[ITSI_INPUTS];   /* last observation of any bucket */
    struct itsi_run_bucket bucket[ITSI_INPUTS][ITSI_RUN_BUCKETS];
};

void itsi_run_time_init(struct itsi_run_time *model, bool batch_efficient);
/* Pixels of one image of that input size. */
void itsi_run_time_size(struct itsi_run_time *model, int input, int64_t pixels);
/* A run of n images (1..ITSI_RUN_IMAGES) that ended at `now` took run_ns. What warming up measured counts as any other. */
void itsi_run_time_observe(struct itsi_run_time *model, int input, int n, int64_t run_ns, int64_t now);
/* What 95 of 100 runs of n images stay within, ns. 0 while nothing at all is known. */
int64_t itsi_run_time_usual(const struct itsi_run_time *model, int input, int n);
/* What 9 of 10 such runs exceed: the engine will hardly be free before. 0 while runs of about that size are unknown. */
int64_t itsi_run_time_shortest(const struct itsi_run_time *model, int input, int n);

#endif

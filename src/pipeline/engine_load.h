/* What the quality manager is told about the engine: how much of its time is taken, what a picture takes of it, and which part
 * of a picture's wait is its own. Pure functions of what the batcher learned (before that, of what warming up measured) and of
 * what ran since the step before. */
#ifndef ITSI_PIPELINE_ENGINE_LOAD_H
#define ITSI_PIPELINE_ENGINE_LOAD_H

#include "infer/backend.h"
#include "infer/batcher.h"
#include "pipeline/facts.h"

/* Engine time of one picture of the input size, where the engine has time of its own: in the batch that makes the most of it. An
 * engine that gains from batches takes what waits and does not stay idle for more, so that with little to do its pictures look
 * dear. 0: not known. */
double itsi_engine_seconds(const struct itsi_engine_info *info, struct itsi_batcher *batcher, int size);
/* What a picture waits for however little there is to do: the run that is under way, and as a batch is of one size, a run of each
 * other size that is in use. An engine of batches is never idle while something comes; on one that runs requests side by side a
 * place is free as a rule: 0. */
double itsi_engine_runs_ahead_ms(const struct itsi_engine_info *info, struct itsi_batcher *batcher,
                                 const struct itsi_fact_sums *sums);
/* Share of the last `seconds` in which its lanes ran, 0..1. */
double itsi_engine_busy(const struct itsi_engine_info *info, const struct itsi_fact_sums *sums, double seconds);
/* The same if it had run full batches only. */
double itsi_engine_needed(const struct itsi_engine_info *info, struct itsi_batcher *batcher, const struct itsi_fact_sums *sums,
                          double seconds);

#endif

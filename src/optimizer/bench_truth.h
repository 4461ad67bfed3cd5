/* The benchmark's look at what was found: results of synthetic cameras, held against the truth as they arrive. */
#ifndef ITSI_OPTIMIZER_BENCH_TRUTH_H
#define ITSI_OPTIMIZER_BENCH_TRUTH_H

#include "optimizer/score.h"
#include "pipeline/pipeline.h"

struct itsi_bench_truth;

/* For the cameras the pipeline has, whose clips are rendered. *out is NULL, and that is no error, when no camera has
 * truth (other sources than synth://), the pipeline has no detector, or none of its classes is the road's. One thread
 * uses it. */
ITS_NODISCARD int itsi_bench_truth_open(struct itsi_bench_truth **out, struct itsi_pipeline *pipeline,
                                        const struct its_cfg *cfg, struct its_diag *diag);
/* From now on results count; what was delivered before does not. */
ITS_NODISCARD int itsi_bench_truth_begin(struct itsi_bench_truth *truth, struct its_diag *diag);
/* Scores results as they are delivered, until then. Late ones are not delivered in the ledger's sense and do not count. */
void itsi_bench_truth_watch(struct itsi_bench_truth *truth, int64_t until_ns);
const struct itsi_score *itsi_bench_truth_score(const struct itsi_bench_truth *truth);
void itsi_bench_truth_close(struct itsi_bench_truth *truth); /* before the pipeline; takes NULL */

#endif

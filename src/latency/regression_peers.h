/* How much of a stage's deviation its peers foretell: what shares a machine slows together when something else takes
 * the machine, each stage by an amount of its own.
 *
 * Learned are the mean products of the stages' deviations from their baselines. From them come, for one stage, the
 * slopes on its peers (Hawkins: "Multivariate quality control based on regression-adjusted variables", Technometrics
 * 33, 1991), by least squares with two restraints:
 * - a ridge (Hoerl, Kennard: "Ridge regression", Technometrics 12, 1970) that is stronger the fewer batches are known,
 *   so that neither few batches nor peers that always move together make wild slopes, and nothing is foretold from
 *   what hardly is related;
 * - no slope below 0 (Lawson, Hanson: "Solving least squares problems", 1974; by coordinate descent here): a slower
 *   peer may excuse a stage, and never makes it look slower.
 *
 * Plain values, no allocation; one thread at a time. */
#ifndef ITSI_LATENCY_REGRESSION_PEERS_H
#define ITSI_LATENCY_REGRESSION_PEERS_H

#include "latency/baseline.h"

/* From the first batches: rows of log(us), one value per stage; NAN: the stage had none. Their medians are taken for
 * the level. A stage that lacks in one row is left out. Sorts on the stack: count <= ITSI_BASELINE_SEED_MAX. */
void itsi_peers_seed(struct itsi_peers *peers, const double (*rows)[ITSI_STAGE_COUNT], int count);
/* One more steady batch, as deviations from the baselines (NAN: none); does nothing once ITSI_BASELINE_FULL batches are
 * known, or where a stage known here lacks. */
void itsi_peers_learn(struct itsi_peers *peers, const double deviations[ITSI_STAGE_COUNT]);

bool itsi_peers_known(const struct itsi_peers *peers);
/* Values as a file may hold them: known, finite, and products of real deviations (symmetric, none correlated beyond 1). */
bool itsi_peers_valid(const struct itsi_peers *peers);
bool itsi_peers_has(const struct itsi_peers *peers, enum itsi_stage stage);
/* Slopes of a stage on those peers that are `present`; 0 for all others. All 0: nothing is known. */
void itsi_peers_slopes(const struct itsi_peers *peers, const bool present[ITSI_STAGE_COUNT], enum itsi_stage stage,
                       double slopes[ITSI_STAGE_COUNT]);

#endif

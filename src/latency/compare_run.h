/* What a measurement leaves for a later one to be compared with: per stage the batch means of log time, as a part of
 * the benchmark's report.
 *
 *   {"version": 1, "setup": {"build": "...", "model": "...", "config": "...", "hardware": "...", "band": 26},
 *    "batch_s": 1, "frames": [75, 74, ...],
 *    "stages": {"ml_inference": {"service_us": [17021.3, ...], "wait_us": [...]}, ...}}
 *
 * `frames` and every list have one value per batch; a time is the geometric mean of the batch, null where no frame
 * passed the stage. Waits hold the 0.1 ms of latency/regression_batch.h. At most ITSI_RUN_BATCHES batches are kept:
 * when they are full, neighbours are joined and batch_s doubles, so that a run of any length fits.
 *
 * One thread at a time; allocates at creation and parsing only. */
#ifndef ITSI_LATENCY_COMPARE_RUN_H
#define ITSI_LATENCY_COMPARE_RUN_H

#include "base/json.h"
#include "latency/baseline_store.h"
#include "latency/regression_batch.h"

#include <jansson.h>

enum { ITSI_RUN_BATCHES = 512 };

struct itsi_run {
    struct itsi_baseline_key setup;
    int batch_s;
    int count;                          /* batches */
    uint32_t frames[ITSI_RUN_BATCHES];  /* of each, > 0 */
    double level[ITSI_TIME_KIND_COUNT][ITSI_STAGE_COUNT][ITSI_RUN_BATCHES]; /* mean of log(us); NAN: none */
    /* while it is being recorded */
    struct itsi_open_batch open;
    struct itsi_batch joined; /* batches that do not fill batch_s yet */
    int joined_count;
};

ITS_NODISCARD int itsi_run_create(struct itsi_run **out, const struct itsi_baseline_key *setup, struct its_diag *diag);
void itsi_run_destroy(struct itsi_run *run); /* takes NULL */

/* A frame handed over at `now`. ITS_EINVAL for a negative time: nothing is added. */
int itsi_run_frame(struct itsi_run *run, const struct itsi_breakdown *frame, int64_t now);
/* A batch made elsewhere. ITS_EINVAL when it is not valid. */
int itsi_run_batch(struct itsi_run *run, const struct itsi_batch *batch);

void itsi_run_json(const struct itsi_run *run, struct itsi_json *json, const char *key);
/* ITS_EFORMAT says what is wrong with the document (borrowed). */
ITS_NODISCARD int itsi_run_parse(struct itsi_run **out, const json_t *document, struct its_diag *diag);

#endif

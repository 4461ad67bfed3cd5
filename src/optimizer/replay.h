/* performance benchmark --replay: a flight record run again, every frame arriving when it did. */
#ifndef ITSI_OPTIMIZER_REPLAY_H
#define ITSI_OPTIMIZER_REPLAY_H

#include "base/json.h"
#include "metrics/histogram.h"
#include "pipeline/pipeline.h"

/* What the record itself says, to hold the repetition against. */
struct itsi_replay_recorded {
    uint64_t frames, delivered, late, dropped; /* of those that became pictures */
    struct itsi_quantiles end_to_end;          /* of delivered and late ones */
    double inference_ms;                       /* median of a run of the engine; 0: none */
    int batch_max;                             /* largest batch; 0: none ran */
    int parallel;                              /* requests the engine ran side by side; 0: not known */
};

struct itsi_replay;
/* Of the record's cameras the first `cameras`, or as many as there are (0: all). ITS_EFORMAT and the like from reading the
 * file; ITS_EINVAL: nothing in it. */
ITS_NODISCARD int itsi_replay_open(struct itsi_replay **out, const char *path, int cameras, struct its_diag *diag);
void itsi_replay_close(struct itsi_replay *replay); /* takes NULL */
int itsi_replay_streams(const struct itsi_replay *replay);
double itsi_replay_seconds(const struct itsi_replay *replay);
const struct itsi_replay_recorded *itsi_replay_recorded(const struct itsi_replay *replay);
/* Adds the record's cameras under their names; the record begins at start_ns for all of them. */
ITS_NODISCARD int itsi_replay_add_cameras(const struct itsi_replay *replay, struct itsi_pipeline *pipeline,
                                          int64_t start_ns, struct its_diag *diag);

#endif

/* Keeps what happened to every frame handed over since the start: end to end and, per stage, waiting and service apart.
 * How it went lately is latency/rolling.h.
 *
 * One recorder per pipeline. record() belongs to the post-processing thread; everything else may be called by any
 * thread. */
#ifndef ITSI_LATENCY_RECORDER_H
#define ITSI_LATENCY_RECORDER_H

#include "core/stage.h"
#include "metrics/histogram.h"

/* Upper edges, in seconds, of the buckets exported to Prometheus: one exactly at every budget. */
#define ITSI_LATENCY_EDGES                                                                                             \
    {0.001, 0.0025, 0.005, 0.010, 0.020, 0.030, 0.040, 0.050, 0.060, 0.070, 0.080, 0.090, 0.095, 0.100, 0.125, 0.150, \
     0.200, 0.300, 0.500, 1.0, 2.5, 5.0}
enum { ITSI_LATENCY_EDGE_COUNT = 22 };

struct itsi_latency_recorder;
ITS_NODISCARD int itsi_latency_recorder_create(struct itsi_latency_recorder **out, struct its_diag *diag);
void itsi_latency_recorder_destroy(struct itsi_latency_recorder *recorder); /* takes NULL */

void itsi_latency_record(struct itsi_latency_recorder *recorder, const struct itsi_breakdown *breakdown);
/* Begins a new measurement for the quantiles; the Prometheus buckets go on. */
void itsi_latency_reset(struct itsi_latency_recorder *recorder);

struct itsi_latency_report {
    struct itsi_quantiles end_to_end; /* since the reset */
    struct itsi_quantiles wait[ITSI_STAGE_COUNT], service[ITSI_STAGE_COUNT], unattributed;
};
void itsi_latency_report(const struct itsi_latency_recorder *recorder, struct itsi_latency_report *out);

struct itsi_latency_buckets {
    double edges[ITSI_LATENCY_EDGE_COUNT];      /* seconds */
    uint64_t counts[ITSI_LATENCY_EDGE_COUNT];   /* frames at most that long (cumulative) */
    uint64_t total;
    double sum_seconds;
};
void itsi_latency_buckets(struct itsi_latency_recorder *recorder, struct itsi_latency_buckets *out);

#endif

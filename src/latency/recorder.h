/* Keeps what happened to every frame handed over since the start: end to end and, per stage, waiting and service apart.
 * How it went lately is latency/rolling.h.
 *
 * One recorder per pipeline. record() and exemplify() belong to the post-processing thread; everything else may be
 * called by any thread. */
#ifndef ITSI_LATENCY_RECORDER_H
#define ITSI_LATENCY_RECORDER_H

#include "core/stage.h"
#include "latency/edges.h"
#include "latency/trace_context.h"
#include "metrics/histogram.h"

struct itsi_latency_recorder;
ITS_NODISCARD int itsi_latency_recorder_create(struct itsi_latency_recorder **out, struct its_diag *diag);
void itsi_latency_recorder_destroy(struct itsi_latency_recorder *recorder); /* takes NULL */

void itsi_latency_record(struct itsi_latency_recorder *recorder, const struct itsi_breakdown *breakdown);
/* After record(), of a frame whose trace is kept: it stands for its end-to-end bucket until a newer one does. */
void itsi_latency_exemplify(struct itsi_latency_recorder *recorder, const struct itsi_breakdown *breakdown,
                            const struct itsi_trace_id *trace, int64_t wall_ns);
/* Begins a new measurement for the quantiles; the Prometheus buckets go on. */
void itsi_latency_reset(struct itsi_latency_recorder *recorder);

struct itsi_latency_report {
    struct itsi_quantiles end_to_end; /* since the reset */
    struct itsi_quantiles wait[ITSI_STAGE_COUNT], service[ITSI_STAGE_COUNT], unattributed;
};
void itsi_latency_report(const struct itsi_latency_recorder *recorder, struct itsi_latency_report *out);

/* One Prometheus histogram. A duration below 0 counts as 0. */
struct itsi_latency_buckets {
    uint64_t counts[ITSI_LATENCY_BUCKET_COUNT]; /* not cumulative; the last: above every edge */
    double sum_ns; /* exact up to 2^53 ns (104 days of waiting), then to 16 digits: an integer would end within years */
};

/* A frame that shows what a bucket holds. */
struct itsi_exemplar {
    struct itsi_trace_id trace;
    int64_t value_ns;
    int64_t wall_ns; /* of the hand-over; 0: there is none */
};

/* Everything since the start. Stages after the hand-over (ENCODING, NETWORK_TRANSMISSION) stay empty: who serves
 * pictures counts them. In every frame, and so in the sums, the totals of all stages and unattributed make
 * end_to_end. */
struct itsi_latency_counts {
    struct itsi_latency_buckets end_to_end, unattributed;
    struct itsi_latency_buckets total[ITSI_STAGE_COUNT]; /* waiting and service together */
    struct itsi_latency_buckets wait[ITSI_STAGE_COUNT], service[ITSI_STAGE_COUNT];
    struct itsi_exemplar exemplars[ITSI_LATENCY_BUCKET_COUNT]; /* of end_to_end's buckets */
};
/* As of one instant: all series have seen the same frames. */
void itsi_latency_counts(struct itsi_latency_recorder *recorder, struct itsi_latency_counts *out);

#endif

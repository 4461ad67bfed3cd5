/* Ids of a frame's trace, and which traces are kept.
 *
 * An id is not stored in the frame: it is a keyed hash of who the frame is, so any thread that holds a frame's info
 * knows its id at any time, from the first stage on, without a lock or a generator shared between threads. The key is
 * random per process (or from a seed, in tests), so ids of two processes do not meet and nobody can predict them. */
#ifndef ITSI_LATENCY_TRACE_ID_H
#define ITSI_LATENCY_TRACE_ID_H

#include "core/frame.h"
#include "latency/trace_context.h"

struct itsi_trace_key {
    uint64_t k0, k1;
};

/* seed 0: random, from the system. */
void itsi_trace_key_init(struct itsi_trace_key *key, uint64_t seed);

/* The frame's trace and the span at its root; both valid, the same whenever asked. Depends on info's camera,
 * generation and seq alone. */
struct itsi_trace_id itsi_trace_id_of(const struct itsi_trace_key *key, const struct itsi_frame_info *info);
struct itsi_span_id itsi_trace_root_of(const struct itsi_trace_key *key, const struct itsi_frame_info *info);
/* The span of the n-th picture served to an HTTP client. */
struct itsi_span_id itsi_trace_serving_id(const struct itsi_trace_key *key, uint64_t n);
/* The index-th (1, 2, ...) child of a span. */
struct itsi_span_id itsi_trace_child_of(const struct itsi_trace_key *key, const struct itsi_span_id *parent, int index);

/* Consistent probability sampling as OpenTelemetry has it (TraceState: Probability Sampling): the last 56 bits of the
 * trace id are the randomness R, a trace is kept when R >= T, and T = (1 - rate) * 2^56. Services with the same rate
 * keep the same traces, and a lower rate keeps a part of what a higher one keeps. T of 2^56 keeps none. */
uint64_t itsi_trace_threshold(double rate); /* rate is clamped to 0..1 */
bool itsi_trace_sampled(const struct itsi_trace_id *id, uint64_t threshold);

/* "ot=th:e666666666666": the member by which a backend knows what share was kept and so how many a span stands for.
 * What is kept whatever the rate has threshold 0, "ot=th:0": it stands for itself alone. */
enum { ITSI_TRACE_THRESHOLD_SIZE = 24 };
void itsi_trace_threshold_format(uint64_t threshold, char out[ITSI_TRACE_THRESHOLD_SIZE]);

/* SipHash-2-4 with 128 bits of output (Aumasson, Bernstein 2012, and the authors' reference of the long form) over
 * whole words; the words' bytes are little-endian. */
void itsi_siphash128(const struct itsi_trace_key *key, const uint64_t *words, int count, uint64_t out[2]);

#endif

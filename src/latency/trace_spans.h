/* Makes the spans of a finished frame, or of a picture served, from its stamps. Pure. */
#ifndef ITSI_LATENCY_TRACE_SPANS_H
#define ITSI_LATENCY_TRACE_SPANS_H

#include "latency/trace_ring.h"
#include "net/otlp_span.h"

/* The root, and waiting and service of each of the four stages before the hand-over. */
enum { ITSI_TRACE_SPANS_MOST = 9, ITSI_TRACE_ATTRIBUTES_MOST = 14 };

/* Storage for one trace's spans; they point into each other, so that it must not be copied. */
struct itsi_trace_spans {
    struct itsi_otlp_span items[ITSI_TRACE_SPANS_MOST]; /* the root first, then in the order of the way */
    int count;

    struct itsi_otlp_attribute attributes[ITSI_TRACE_ATTRIBUTES_MOST];
    struct itsi_span_id root_id, parent_id;
    struct itsi_otlp_link link;
    char state[ITSI_TRACE_THRESHOLD_SIZE], link_state[ITSI_TRACESTATE_MOST + 1];
    char name[128], error[96];
};

/* How many spans the record makes. */
int itsi_trace_spans_count(const struct itsi_trace_record *record);

/* wall_offset_ns: wall clock minus monotonic clock, one for all spans of a record, so that a step of the wall clock
 * moves a trace but does not bend it. Whatever the stamps are, each span ends no earlier than it starts and lies within
 * the root. */
void itsi_trace_spans_make(const struct itsi_trace_record *record, const struct itsi_trace_key *key,
                           int64_t wall_offset_ns, struct itsi_trace_spans *out);

#endif

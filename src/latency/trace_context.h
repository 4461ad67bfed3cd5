/* W3C Trace Context (Recommendation of 2021, https://www.w3.org/TR/trace-context/): the headers `traceparent` and
 * `tracestate`, which carry one trace through several services. Pure functions; any thread. */
#ifndef ITSI_LATENCY_TRACE_CONTEXT_H
#define ITSI_LATENCY_TRACE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_trace_id {
    uint8_t bytes[16];
};
struct itsi_span_id {
    uint8_t bytes[8];
};

enum { ITSI_TRACE_SAMPLED = 0x01, ITSI_TRACE_RANDOM = 0x02 };

/* What we propagate of a tracestate, at least and at most: the Recommendation's "at least 512 characters". */
enum { ITSI_TRACESTATE_MOST = 512, ITSI_TRACESTATE_MEMBERS = 32 };

struct itsi_trace_context {
    struct itsi_trace_id trace_id;
    struct itsi_span_id span_id; /* the sender's: our parent */
    uint8_t flags;               /* ITSI_TRACE_SAMPLED; bits that the Recommendation does not define are cleared */
    char state[ITSI_TRACESTATE_MOST + 1]; /* valid members, comma separated; empty: none */
};

enum { ITSI_TRACEPARENT_SIZE = 56, ITSI_TRACE_ID_HEX_SIZE = 33, ITSI_SPAN_ID_HEX_SIZE = 17 }; /* with the NUL */

/* Reads the value of a traceparent header. False, and *out untouched, when it is malformed: then the Recommendation
 * wants a new trace begun and the tracestate ignored. Versions above 00 are read as far as 00 goes; version ff, ids of
 * zeros alone and upper-case digits are malformed. out->state becomes empty. */
bool itsi_traceparent_parse(struct itsi_trace_context *out, const char *value);
/* Always version 00. */
void itsi_traceparent_format(const struct itsi_trace_context *context, char out[ITSI_TRACEPARENT_SIZE]);

/* Puts the value of a tracestate header (of several, joined by commas in their order) into context->state. Malformed
 * members and repeated keys are dropped, the first of a key stays. Over 512 characters or 32 members: first the members
 * longer than 128 characters go, then those at the end. Returns how many members were dropped. */
int itsi_tracestate_parse(struct itsi_trace_context *context, const char *value);

bool itsi_trace_id_valid(const struct itsi_trace_id *id); /* not all zeros */
bool itsi_span_id_valid(const struct itsi_span_id *id);
/* Lower-case hex, as the headers, exemplars and logs show ids. */
void itsi_trace_id_hex(const struct itsi_trace_id *id, char out[ITSI_TRACE_ID_HEX_SIZE]);
void itsi_span_id_hex(const struct itsi_span_id *id, char out[ITSI_SPAN_ID_HEX_SIZE]);

#endif

/* The hand-over of finished traces from the pipeline's threads to the exporter's: a bounded ring of records, many
 * writers, one reader, no locks (D. Vyukov's bounded queue: a turn counter per cell says whose it is). Writers fill a
 * cell in place and never wait, neither for the reader nor for each other. */
#ifndef ITSI_LATENCY_TRACE_RING_H
#define ITSI_LATENCY_TRACE_RING_H

#include "latency/trace.h"
#include "latency/trace_id.h"

enum { ITSI_TRACE_MODEL_SIZE = 48 };

/* Of a frame or of a picture served. The outcome's model is NULL: its text is copied. */
struct itsi_trace_record {
    struct itsi_frame_info info;
    struct itsi_trace_id id; /* of the frame */
    uint64_t threshold; /* by which it was kept; 0: whatever the rate */
    bool is_serving;
    bool whole; /* no spans but its own */
    union {
        struct {
            struct itsi_trace_outcome outcome;
            char model[ITSI_TRACE_MODEL_SIZE];
        };
        struct {
            struct itsi_trace_serving serving;
            bool frame_kept; /* its frame's trace has a root */
        };
    };
};

struct itsi_trace_ring;
/* capacity: a power of two. */
ITS_NODISCARD int itsi_trace_ring_create(struct itsi_trace_ring **out, int capacity, struct its_diag *diag);
void itsi_trace_ring_destroy(struct itsi_trace_ring *ring); /* takes NULL */
int itsi_trace_ring_capacity(const struct itsi_trace_ring *ring);

/* A writer: the next cell, or NULL when `limit` or more are taken (a limit below the capacity leaves room to others).
 * It must be filled and published at once; the reader waits behind it. */
struct itsi_trace_record *itsi_trace_ring_claim(struct itsi_trace_ring *ring, int limit);
/* Returns how many cells are taken now, this one included; others may have come and gone meanwhile. */
int itsi_trace_ring_publish(struct itsi_trace_ring *ring, struct itsi_trace_record *record);

/* The reader: the oldest published record, or NULL; then, when done with it, release. */
const struct itsi_trace_record *itsi_trace_ring_front(struct itsi_trace_ring *ring);
void itsi_trace_ring_release(struct itsi_trace_ring *ring);

#endif

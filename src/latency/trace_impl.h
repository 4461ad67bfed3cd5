/* Between trace.c (the pipeline's threads) and trace_export.c (the exporter's). */
#ifndef ITSI_LATENCY_TRACE_IMPL_H
#define ITSI_LATENCY_TRACE_IMPL_H

#include "latency/trace_ring.h"
#include "latency/trace_spans.h"
#include "net/backoff.h"
#include "net/otlp.h"

#include <pthread.h>
#include <stdatomic.h>

struct itsi_tracer {
    /* const */
    struct itsi_trace_key key;
    struct itsi_trace_ring *ring; /* NULL: no endpoint */
    struct itsi_otlp *otlp;
    int batch_spans;
    int64_t batch_ns;
    /* owner */
    pthread_t thread;
    bool running;
    /* exporter's thread */
    struct itsi_backoff backoff;
    struct itsi_trace_spans spans;
    int64_t wall_offset_ns;
    enum itsi_otlp_verdict last_verdict;
    bool last_rejected;
    bool given_up; /* while stopping: the collector does not take what is left */
    /* mutex: only to sleep and to wake */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool wake, stop;
    /* atomic */
    _Atomic uint64_t threshold; /* ITSI_TRACE_OFF: nothing is kept */
    atomic_bool whole;          /* traces have no spans of stages */
    atomic_bool woken;          /* a writer woke the exporter since its last look */
    _Atomic uint64_t servings, traces, kept, exported, requests;
    _Atomic uint64_t dropped[ITSI_TRACE_LOSS_COUNT];
};

#define ITSI_TRACE_OFF UINT64_MAX

void *itsi_trace_export_main(void *tracer);
/* Empties the ring, its spans counted as lost to the shutdown; without the exporter's thread. */
void itsi_trace_export_discard(struct itsi_tracer *tracer);

#endif

/* Distributed tracing: what happened to a frame, told to an OpenTelemetry collector.
 *
 * The decision to keep a trace falls at the frame's end: a share of all frames by a consistent hash of the trace id,
 * and every frame that was late or dropped, whatever the share. A frame that is not kept costs one comparison, beside
 * the id that its result names anyway. A kept one is copied into a bounded ring, from which a thread of the tracer
 * makes spans and sends them. When the ring is full the newest is dropped and counted: taking out the oldest would make frame
 * threads wait for the exporter, and the oldest are the nearest to being sent. The last quarter of the ring is for late
 * and dropped frames only, so that a slow collector costs the ordinary ones first, and no HTTP client can push those
 * out.
 *
 * Spans of a frame: "frame" from origin to hand-over (or to the drop), in it "<stage>.wait" and "<stage>" for every
 * stage it reached, of the names of core/stage.h. Spans of a picture served over HTTP: "GET <route>", in it
 * "encoding[.wait]" and "network_transmission[.wait]".
 *
 * Books are kept in spans: kept = exported + dropped (all reasons) + waiting, exactly.
 *
 * Threads: finish(), serve_*(), the ids, configure() and stats() may be called by any thread at any time between create
 * and destroy and never wait; create, start, stop and destroy by the owner. */
#ifndef ITSI_LATENCY_TRACE_H
#define ITSI_LATENCY_TRACE_H

#include "core/frame.h"
#include "core/ledger.h"
#include "latency/trace_context.h"
#include "net/backoff.h"

struct itsi_tracer;

/* Zeros stand for the usual values. */
struct itsi_tracer_params {
    const char *endpoint; /* general.otlp_endpoint; NULL: nothing is kept, ids are given all the same */
    bool enabled;         /* latency_monitoring.enable_distributed_tracing */
    double rate;          /* latency_monitoring.trace_sampling_rate, 0..1 */
    uint64_t seed;        /* of the ids and the jitter; 0: random */
    int ring_records;     /* a power of two; 2048 */
    int batch_spans;      /* of one request; 2048 */
    int64_t batch_ns;     /* a span waits at most that long for a batch; 1 s */
    double timeout_seconds; /* of one request; 10 s */
    const struct itsi_backoff_policy *backoff; /* of one batch; 1 s, 30 s, given up after 60 s */
};

/* ITS_EINVAL: the endpoint is no HTTP URL. The text in diag holds no credentials. */
ITS_NODISCARD int itsi_tracer_create(struct itsi_tracer **out, const struct itsi_tracer_params *params,
                                     struct its_diag *diag);
ITS_NODISCARD int itsi_tracer_start(struct itsi_tracer *tracer, struct its_diag *diag);
/* Sends what waits, until_ns (monotonic) at the latest, a little more when the machine is busy; what cannot be sent is
 * counted as dropped. What is finished afterwards is not kept. Idempotent. */
void itsi_tracer_stop(struct itsi_tracer *tracer, int64_t until_ns);
void itsi_tracer_destroy(struct itsi_tracer *tracer); /* takes NULL; stops first, at once */

/* The live options. */
void itsi_tracer_configure(struct itsi_tracer *tracer, bool enabled, double rate);
void itsi_tracer_segments(struct itsi_tracer *tracer, bool wanted); /* spans of the stages; at first: yes */

/* --- a frame ------------------------------------------------------------------------------------------------------ */

/* The trace id of a frame, from its camera, generation and seq: known from the moment it has a seq. Whoever ends the
 * frame asks once and passes it on: to finish(), to violation records and exemplars; see also itsi_trace_id_hex. */
struct itsi_trace_id itsi_tracer_id(const struct itsi_tracer *tracer, const struct itsi_frame_info *info);

/* How a frame ended. X(NAME, "text") */
#define ITSI_TRACE_END_MAP(X) X(ON_TIME, "on_time") X(LATE, "late") X(DROPPED, "dropped")
enum itsi_trace_end {
#define ITSI_X(name, text) ITSI_TRACE_##name,
    ITSI_TRACE_END_MAP(ITSI_X)
#undef ITSI_X
};

struct itsi_trace_outcome {
    enum itsi_trace_end end;
    enum itsi_stage stage; /* of a drop: where */
    enum itsi_drop reason; /* of a drop: why */
    int64_t ended;         /* of a drop: when, monotonic ns; otherwise the trace's hand-over counts */
    int batch;             /* size of the batch it ran in; 0: it did not get that far */
    int quality_level;     /* 0..4; negative: none yet */
    const char *model;     /* its name, of which 47 bytes are copied; NULL: none */
};
/* Once per ended frame, by whoever ends it, while it still holds the frame. True: the trace is kept and will be sent
 * (use it in an exemplar). */
bool itsi_tracer_finish(struct itsi_tracer *tracer, const struct itsi_frame_info *info, const struct itsi_trace_id *id,
                        const struct itsi_trace_outcome *outcome);

/* --- a picture served over HTTP ----------------------------------------------------------------------------------- */

/* Filled by serve_begin; the server adds the rest before serve_end. Stamps are monotonic ns, 0 = not reached. */
struct itsi_trace_serving {
    struct itsi_span_id span_id;
    bool has_client, streamed;
    struct itsi_trace_context client;

    const char *route; /* "/api/v1/cameras/{id}/snapshot.jpg": static text without ids in it */
    int64_t begin;     /* the request came, or the stream's turn for this picture */
    int64_t encode_start, encode_end; /* 0: it was encoded already */
    int64_t send_start, send_end;     /* first and last byte given to the connection */
    int http_status;
    int64_t bytes;
    bool frame_late; /* the frame's own end, as given to finish() */
    bool late;       /* the last byte left after the deadline that the server keeps: kept whatever the rate */
    bool aborted;    /* the client went away before that */
};
/* client: its headers (traceparent, tracestate), NULL when it sent none. A single answer becomes a span of the client's
 * trace, linked to the frame's; a picture of a stream (streamed) one of the frame's trace, linked to the client's span,
 * so that a client's trace does not grow for hours. Without a client: one of the frame's trace.
 * *reply is the context to give back: its traceparent names the span that will be sent if kept. */
void itsi_tracer_serve_begin(struct itsi_tracer *tracer, const struct itsi_frame_info *info,
                             const struct itsi_trace_context *client, bool streamed, struct itsi_trace_serving *out,
                             struct itsi_trace_context *reply);
/* Kept: what the client sampled, what was late, and what belongs to a frame's trace that is kept. */
bool itsi_tracer_serve_end(struct itsi_tracer *tracer, const struct itsi_frame_info *info,
                           const struct itsi_trace_serving *serving);

/* --- books -------------------------------------------------------------------------------------------------------- */

/* Why spans did not reach the collector. X(NAME, "text") */
#define ITSI_TRACE_LOSS_MAP(X)                                                                                         \
    X(QUEUE_FULL, "queue_full")   /* the ring: more was kept than was sent */                                          \
    X(UNREACHABLE, "unreachable") /* no answer until the batch was given up */                                         \
    X(BUSY, "busy")               /* 429, 502, 503 or 504 until then */                                                \
    X(REFUSED, "refused")         /* any other HTTP error */                                                           \
    X(REJECTED, "rejected")       /* left out of a batch that was taken */                                             \
    X(MEMORY, "out_of_memory")                                                                                         \
    X(SHUTDOWN, "shutdown") /* not sent when the time to stop was over */
enum itsi_trace_loss {
#define ITSI_X(name, text) ITSI_TRACE_LOST_##name,
    ITSI_TRACE_LOSS_MAP(ITSI_X)
#undef ITSI_X
        ITSI_TRACE_LOSS_COUNT
};
const char *itsi_trace_loss_name(enum itsi_trace_loss reason);

struct itsi_tracer_stats {
    uint64_t traces; /* frames and servings kept */
    uint64_t kept;   /* their spans */
    uint64_t exported;
    uint64_t dropped[ITSI_TRACE_LOSS_COUNT];
    uint64_t waiting;  /* spans in the ring or in the batch being sent */
    uint64_t requests; /* tries, successful or not */
};
void itsi_tracer_stats(struct itsi_tracer *tracer, struct itsi_tracer_stats *out);

#endif

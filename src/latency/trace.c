#include "latency/trace.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "latency/trace_impl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RING_RECORDS = 2048, BATCH_SPANS = 2048 };
#define BATCH_NS ITSI_NS_PER_S
static const struct itsi_backoff_policy usual_backoff = {ITSI_NS_PER_S, 30 * ITSI_NS_PER_S, 60 * ITSI_NS_PER_S};

const char *itsi_trace_loss_name(enum itsi_trace_loss reason)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_TRACE_LOSS_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[reason];
}

/* --- life --------------------------------------------------------------------------------------------------------- */

/* A random UUID (version 4): tells restarts and daemons of one host apart. */
static void instance_id(struct itsi_rand *rng, char out[37])
{
    uint64_t a = itsi_rand_u64(rng), b = itsi_rand_u64(rng);
    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
             (unsigned)(a & 0xfff), (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
             (unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

static int open_exporter(struct itsi_tracer *t, const struct itsi_tracer_params *params, struct its_diag *diag)
{
    char host[256] = "", instance[37];
    instance_id(&t->backoff.rng, instance);
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    t->batch_spans = params->batch_spans > 0 ? params->batch_spans : BATCH_SPANS;
    if (t->batch_spans < ITSI_TRACE_SPANS_MOST)
        return itsi_fail(diag, ITS_EINVAL, "trace batch of %d spans: at least %d", t->batch_spans,
                         ITSI_TRACE_SPANS_MOST);
    const struct itsi_otlp_params otlp = {
        .endpoint = params->endpoint,
        .resource = {.service_name = "its-camera-ai",
                     .service_version = ITS_VERSION,
                     .instance_id = instance,
                     .host_name = host[0] ? host : NULL},
        .scope_name = "its-camera-ai/latency",
        .scope_version = ITS_VERSION,
        .batch_spans = t->batch_spans,
        .timeout_seconds = params->timeout_seconds > 0 ? params->timeout_seconds : 10,
    };
    int rc = itsi_trace_ring_create(&t->ring, params->ring_records > 0 ? params->ring_records : RING_RECORDS, diag);
    return rc != 0 ? rc : itsi_otlp_create(&t->otlp, &otlp, diag);
}

int itsi_tracer_create(struct itsi_tracer **out, const struct itsi_tracer_params *params, struct its_diag *diag)
{
    struct itsi_tracer *t = itsi_zalloc(sizeof *t);
    if (!t)
        return itsi_fail(diag, ITS_ENOMEM, "tracer: out of memory");
    pthread_mutex_init(&t->mutex, NULL);
    itsi_cond_init(&t->cond);
    itsi_trace_key_init(&t->key, params->seed);
    t->batch_ns = params->batch_ns > 0 ? params->batch_ns : BATCH_NS;
    itsi_backoff_init(&t->backoff, params->backoff ? params->backoff : &usual_backoff, t->key.k0 ^ t->key.k1);
    if (params->endpoint) {
        int rc = open_exporter(t, params, diag);
        if (rc != 0) {
            itsi_tracer_destroy(t);
            return rc;
        }
    }
    itsi_tracer_configure(t, params->enabled, params->rate);
    *out = t;
    return 0;
}

int itsi_tracer_start(struct itsi_tracer *t, struct its_diag *diag)
{
    if (!t->ring || t->running)
        return 0;
    int rc = itsi_thread_start(&t->thread, "its-trace", itsi_trace_export_main, t, diag);
    t->running = rc == 0;
    return rc;
}

void itsi_tracer_stop(struct itsi_tracer *t, int64_t until_ns)
{
    pthread_mutex_lock(&t->mutex);
    t->stop = true;
    atomic_store(&t->threshold, ITSI_TRACE_OFF);
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->mutex);
    if (t->otlp)
        itsi_otlp_limit(t->otlp, until_ns);
    if (t->running)
        pthread_join(t->thread, NULL);
    t->running = false;
    if (t->ring) /* what a thread finished while the exporter went */
        itsi_trace_export_discard(t);
}

void itsi_tracer_destroy(struct itsi_tracer *t)
{
    if (!t)
        return;
    itsi_tracer_stop(t, itsi_now_ns());
    itsi_otlp_destroy(t->otlp);
    itsi_trace_ring_destroy(t->ring);
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->mutex);
    itsi_free(t);
}

void itsi_tracer_configure(struct itsi_tracer *t, bool enabled, double rate)
{
    pthread_mutex_lock(&t->mutex);
    bool on = enabled && t->ring && !t->stop;
    atomic_store(&t->threshold, on ? itsi_trace_threshold(rate) : ITSI_TRACE_OFF);
    pthread_mutex_unlock(&t->mutex);
}

void itsi_tracer_segments(struct itsi_tracer *t, bool wanted) { atomic_store(&t->whole, !wanted); }

/* --- what the pipeline's and the server's threads call ------------------------------------------------------------ */

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add(counter, more);
}

/* A ring half full will not wait for the batch's time. Once per look of the exporter: the others find it woken. */
static void wake_exporter(struct itsi_tracer *t)
{
    if (atomic_exchange_explicit(&t->woken, true, memory_order_relaxed))
        return;
    pthread_mutex_lock(&t->mutex);
    t->wake = true;
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->mutex);
}

/* Copies the trace into the ring; into its last quarter only what is urgent. */
static bool keep(struct itsi_tracer *t, const struct itsi_trace_record *record, bool urgent)
{
    int capacity = itsi_trace_ring_capacity(t->ring);
    uint64_t spans = (uint64_t)itsi_trace_spans_count(record);
    count(&t->traces, 1);
    count(&t->kept, spans);
    struct itsi_trace_record *cell = itsi_trace_ring_claim(t->ring, urgent ? capacity : capacity - capacity / 4);
    if (!cell) {
        count(&t->dropped[ITSI_TRACE_LOST_QUEUE_FULL], spans);
        return false;
    }
    *cell = *record;
    if (itsi_trace_ring_publish(t->ring, cell) >= capacity / 2)
        wake_exporter(t);
    return true;
}

struct itsi_trace_id itsi_tracer_id(const struct itsi_tracer *t, const struct itsi_frame_info *info)
{
    return itsi_trace_id_of(&t->key, info);
}

/* Would finish() keep a frame that ended so? */
static bool frame_wanted(const struct itsi_trace_id *id, bool violates, uint64_t threshold)
{
    return threshold != ITSI_TRACE_OFF && (violates || itsi_trace_sampled(id, threshold));
}

bool itsi_tracer_finish(struct itsi_tracer *t, const struct itsi_frame_info *info, const struct itsi_trace_id *id,
                        const struct itsi_trace_outcome *outcome)
{
    uint64_t threshold = atomic_load_explicit(&t->threshold, memory_order_relaxed);
    bool violates = outcome->end != ITSI_TRACE_ON_TIME;
    if (!frame_wanted(id, violates, threshold))
        return false;
    struct itsi_trace_record record = {.info = *info,
                                       .id = *id,
                                       .threshold = violates ? 0 : threshold,
                                       .whole = atomic_load_explicit(&t->whole, memory_order_relaxed),
                                       .outcome = *outcome};
    if (outcome->model)
        snprintf(record.model, sizeof record.model, "%s", outcome->model);
    record.outcome.model = NULL; /* it is the caller's */
    return keep(t, &record, violates);
}

void itsi_tracer_serve_begin(struct itsi_tracer *t, const struct itsi_frame_info *info,
                             const struct itsi_trace_context *client, bool streamed, struct itsi_trace_serving *out,
                             struct itsi_trace_context *reply)
{
    uint64_t n = atomic_fetch_add_explicit(&t->servings, 1, memory_order_relaxed);
    *out = (struct itsi_trace_serving){.span_id = itsi_trace_serving_id(&t->key, n),
                                       .has_client = client != NULL,
                                       .streamed = streamed};
    if (client)
        out->client = *client;
    bool clients_trace = client && !streamed;
    *reply = (struct itsi_trace_context){.span_id = out->span_id};
    if (clients_trace) {
        reply->trace_id = client->trace_id;
        reply->flags = client->flags;
    } else {
        uint64_t threshold = atomic_load_explicit(&t->threshold, memory_order_relaxed);
        reply->trace_id = itsi_trace_id_of(&t->key, info);
        reply->flags = frame_wanted(&reply->trace_id, false, threshold) ? ITSI_TRACE_SAMPLED : 0;
    }
}

bool itsi_tracer_serve_end(struct itsi_tracer *t, const struct itsi_frame_info *info,
                           const struct itsi_trace_serving *serving)
{
    uint64_t threshold = atomic_load_explicit(&t->threshold, memory_order_relaxed);
    if (threshold == ITSI_TRACE_OFF)
        return false;
    const struct itsi_trace_id id = itsi_trace_id_of(&t->key, info);
    bool frame_kept = frame_wanted(&id, serving->frame_late, threshold);
    bool clients_trace = serving->has_client && !serving->streamed;
    if (!serving->late && !(clients_trace ? serving->client.flags & ITSI_TRACE_SAMPLED : frame_kept))
        return false;
    bool whatever = serving->late || serving->frame_late;
    const struct itsi_trace_record record = {.info = *info,
                                             .id = id,
                                             .threshold = whatever ? 0 : threshold,
                                             .is_serving = true,
                                             .whole = atomic_load_explicit(&t->whole, memory_order_relaxed),
                                             .serving = *serving,
                                             .frame_kept = frame_kept};
    return keep(t, &record, false);
}

/* --- books -------------------------------------------------------------------------------------------------------- */

void itsi_tracer_stats(struct itsi_tracer *t, struct itsi_tracer_stats *out)
{
    /* what became of spans first: a span is counted as kept before anything can become of it */
    *out = (struct itsi_tracer_stats){.exported = atomic_load(&t->exported), .requests = atomic_load(&t->requests)};
    uint64_t gone = out->exported;
    for (int i = 0; i < ITSI_TRACE_LOSS_COUNT; i++) {
        out->dropped[i] = atomic_load(&t->dropped[i]);
        gone += out->dropped[i];
    }
    out->kept = atomic_load(&t->kept);
    out->traces = atomic_load(&t->traces);
    out->waiting = out->kept - gone;
}

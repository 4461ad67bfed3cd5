/* The exporter's thread: takes finished traces from the ring, makes spans, sends them in batches. It is the only one
 * that waits for the collector. */
#include "latency/trace_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

static const char component[] = "trace";

static bool stopping(struct itsi_tracer *t)
{
    pthread_mutex_lock(&t->mutex);
    bool stop = t->stop;
    pthread_mutex_unlock(&t->mutex);
    return stop;
}

/* Until the instant, or until told to stop; a full ring is no reason here. */
static void pause_until(struct itsi_tracer *t, int64_t until_ns)
{
    pthread_mutex_lock(&t->mutex);
    while (!t->stop && itsi_cond_wait_until(&t->cond, &t->mutex, until_ns))
        ;
    pthread_mutex_unlock(&t->mutex);
}

/* Until the batch's time, a ring half full, or told to stop. */
static void wait_for_work(struct itsi_tracer *t)
{
    int64_t until_ns = itsi_now_ns() + t->batch_ns;
    pthread_mutex_lock(&t->mutex);
    while (!t->stop && !t->wake && itsi_cond_wait_until(&t->cond, &t->mutex, until_ns))
        ;
    t->wake = false;
    pthread_mutex_unlock(&t->mutex);
    atomic_store_explicit(&t->woken, false, memory_order_relaxed);
}

/* Nobody waits for the exporter, so it logs; once per change, not once per batch. */
static void log_change(struct itsi_tracer *t, const struct itsi_otlp_result *result)
{
    if (result->verdict == ITSI_OTLP_CANCELLED)
        return;
    bool rejected = result->rejected > 0;
    if (result->verdict != t->last_verdict) {
        if (result->verdict == ITSI_OTLP_TAKEN)
            itsi_info(component, "the collector at %s takes traces again", itsi_otlp_shown(t->otlp));
        else
            itsi_warn(component, "the collector does not take traces (%s): %s",
                      itsi_otlp_verdict_name(result->verdict), result->text);
    } else if (rejected && !t->last_rejected) {
        itsi_warn(component, "%s", result->text);
    }
    t->last_verdict = result->verdict;
    t->last_rejected = rejected;
}

static enum itsi_trace_loss loss_of(enum itsi_otlp_verdict verdict)
{
    return verdict == ITSI_OTLP_REFUSED ? ITSI_TRACE_LOST_REFUSED
           : verdict == ITSI_OTLP_BUSY  ? ITSI_TRACE_LOST_BUSY
                                        : ITSI_TRACE_LOST_UNREACHABLE;
}

/* Tries until the batch is taken, refused for good or given up. 0: taken, *rejected of it not; else the reason. */
static int deliver(struct itsi_tracer *t, uint64_t *rejected, enum itsi_trace_loss *loss)
{
    itsi_backoff_begin(&t->backoff, itsi_now_ns());
    int64_t when = t->backoff.not_before_ns;
    for (;;) {
        pause_until(t, when);
        bool last = stopping(t);
        if (t->given_up || (last && t->backoff.not_before_ns > itsi_now_ns()))
            break; /* the collector asked not to be asked, and there is no later */
        struct itsi_otlp_result result;
        itsi_otlp_send(t->otlp, &result);
        atomic_fetch_add_explicit(&t->requests, 1, memory_order_relaxed);
        log_change(t, &result);
        if (result.verdict == ITSI_OTLP_TAKEN) {
            *rejected = result.rejected;
            return 0;
        }
        if (result.verdict == ITSI_OTLP_CANCELLED)
            break;
        *loss = loss_of(result.verdict);
        if (result.verdict == ITSI_OTLP_REFUSED)
            return ITS_EIO;
        if (last)
            break;
        if (!itsi_backoff_again(&t->backoff, result.retry_after_seconds, itsi_now_ns(), &when))
            return ITS_ETIMEOUT;
    }
    t->given_up = true; /* only a stop ends the loop here: the rest need not be tried */
    *loss = ITSI_TRACE_LOST_SHUTDOWN;
    return ITS_ECANCELLED;
}

static void flush(struct itsi_tracer *t)
{
    uint64_t count = (uint64_t)itsi_otlp_count(t->otlp), rejected = 0;
    enum itsi_trace_loss loss;
    if (!count)
        return;
    if (deliver(t, &rejected, &loss) == 0) {
        atomic_fetch_add(&t->exported, count - rejected);
        atomic_fetch_add(&t->dropped[ITSI_TRACE_LOST_REJECTED], rejected);
    } else {
        atomic_fetch_add(&t->dropped[loss], count);
    }
    itsi_otlp_clear(t->otlp);
}

/* A trace's spans go into one batch, unless memory runs out. */
static void add_trace(struct itsi_tracer *t, const struct itsi_trace_record *record)
{
    if (itsi_otlp_count(t->otlp) == 0) /* one offset per batch */
        t->wall_offset_ns = itsi_wall_ns() - itsi_now_ns();
    itsi_trace_spans_make(record, &t->key, t->wall_offset_ns, &t->spans);
    for (int i = 0; i < t->spans.count; i++)
        if (!itsi_otlp_add(t->otlp, &t->spans.items[i]))
            atomic_fetch_add(&t->dropped[ITSI_TRACE_LOST_MEMORY], 1);
}

static void export_waiting(struct itsi_tracer *t)
{
    for (const struct itsi_trace_record *record; (record = itsi_trace_ring_front(t->ring)) != NULL;) {
        if (itsi_otlp_count(t->otlp) + itsi_trace_spans_count(record) > t->batch_spans)
            flush(t);
        add_trace(t, record);
        itsi_trace_ring_release(t->ring);
    }
    flush(t);
}

void itsi_trace_export_discard(struct itsi_tracer *t)
{
    for (const struct itsi_trace_record *record; (record = itsi_trace_ring_front(t->ring)) != NULL;) {
        uint64_t spans = (uint64_t)itsi_trace_spans_count(record);
        atomic_fetch_add(&t->dropped[ITSI_TRACE_LOST_SHUTDOWN], spans);
        itsi_trace_ring_release(t->ring);
    }
}

void *itsi_trace_export_main(void *arg)
{
    struct itsi_tracer *t = arg;
    for (bool last = false; !last;) {
        wait_for_work(t);
        last = stopping(t);
        export_waiting(t);
    }
    return NULL;
}

#include "latency/recorder.h"

#include "base/diag.h"
#include "base/mem.h"

#include <pthread.h>

struct itsi_latency_recorder {
    /* Held by the one writer per frame, uncontended; readers take it only for the small bucket tables and the reset,
     * and read the histograms without it. */
    pthread_mutex_t mutex;
    struct itsi_histogram end_to_end;
    struct itsi_histogram wait[ITSI_STAGE_COUNT], service[ITSI_STAGE_COUNT], unattributed;
    struct itsi_latency_counts counts;
};

/* Every histogram of the recorder, for what is done to all. */
static int each(struct itsi_latency_recorder *r, struct itsi_histogram *list[])
{
    int n = 0;
    list[n++] = &r->end_to_end;
    list[n++] = &r->unattributed;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        list[n++] = &r->wait[s];
        list[n++] = &r->service[s];
    }
    return n;
}
enum { ALL_HISTOGRAMS = 2 + 2 * ITSI_STAGE_COUNT };

int itsi_latency_recorder_create(struct itsi_latency_recorder **out, struct its_diag *diag)
{
    struct itsi_latency_recorder *r = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "latency recorder: out of memory");
    pthread_mutex_init(&r->mutex, NULL);
    struct itsi_histogram *list[ALL_HISTOGRAMS];
    int n = each(r, list);
    for (int i = 0; i < n; i++) {
        int rc = itsi_histogram_init(list[i], diag);
        if (rc != 0) {
            itsi_latency_recorder_destroy(r);
            return rc;
        }
    }
    *out = r;
    return 0;
}

void itsi_latency_recorder_destroy(struct itsi_latency_recorder *r)
{
    if (!r)
        return;
    struct itsi_histogram *list[ALL_HISTOGRAMS];
    int n = each(r, list);
    for (int i = 0; i < n; i++)
        itsi_histogram_fini(list[i]);
    pthread_mutex_destroy(&r->mutex);
    itsi_free(r);
}

static void count(struct itsi_latency_buckets *buckets, int64_t ns)
{
    ns = ns > 0 ? ns : 0;
    buckets->counts[itsi_latency_bucket(ns)]++;
    buckets->sum_ns += (double)ns;
}

void itsi_latency_record(struct itsi_latency_recorder *r, const struct itsi_breakdown *b)
{
    pthread_mutex_lock(&r->mutex);
    itsi_histogram_record_ns(&r->end_to_end, b->end_to_end);
    count(&r->counts.end_to_end, b->end_to_end);
    for (int s = 0; s <= ITSI_STAGE_POSTPROCESSING; s++) {
        itsi_histogram_record_ns(&r->wait[s], b->wait[s]);
        itsi_histogram_record_ns(&r->service[s], b->service[s]);
        count(&r->counts.wait[s], b->wait[s]);
        count(&r->counts.service[s], b->service[s]);
        count(&r->counts.total[s], b->wait[s] + b->service[s]);
    }
    itsi_histogram_record_ns(&r->unattributed, b->unattributed);
    count(&r->counts.unattributed, b->unattributed);
    pthread_mutex_unlock(&r->mutex);
}

void itsi_latency_exemplify(struct itsi_latency_recorder *r, const struct itsi_breakdown *b,
                            const struct itsi_trace_id *trace, int64_t wall_ns)
{
    int64_t ns = b->end_to_end > 0 ? b->end_to_end : 0;
    pthread_mutex_lock(&r->mutex);
    r->counts.exemplars[itsi_latency_bucket(ns)] =
        (struct itsi_exemplar){.trace = *trace, .value_ns = ns, .wall_ns = wall_ns};
    pthread_mutex_unlock(&r->mutex);
}

void itsi_latency_reset(struct itsi_latency_recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    itsi_histogram_reset(&r->end_to_end);
    itsi_histogram_reset(&r->unattributed);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_histogram_reset(&r->wait[s]);
        itsi_histogram_reset(&r->service[s]);
    }
    pthread_mutex_unlock(&r->mutex);
}

void itsi_latency_report(const struct itsi_latency_recorder *r, struct itsi_latency_report *out)
{
    itsi_histogram_quantiles(&r->end_to_end, &out->end_to_end);
    itsi_histogram_quantiles(&r->unattributed, &out->unattributed);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_histogram_quantiles(&r->wait[s], &out->wait[s]);
        itsi_histogram_quantiles(&r->service[s], &out->service[s]);
    }
}

void itsi_latency_counts(struct itsi_latency_recorder *r, struct itsi_latency_counts *out)
{
    pthread_mutex_lock(&r->mutex);
    *out = r->counts;
    pthread_mutex_unlock(&r->mutex);
}

/* Latency histograms: what the pipeline's recorder counted of every frame, and for the stages after the hand-over what
 * the server counted of every picture and event. */
#include "serve/metrics.h"

static void put_recorded(struct itsi_exposition *e, const struct itsi_labels *labels,
                         const struct itsi_latency_buckets *buckets, const struct itsi_exposition_exemplar *exemplars)
{
    itsi_exposition_histogram(e, labels,
                              &(struct itsi_exposition_histogram){.edges = itsi_latency_edges,
                                                                  .edge_count = ITSI_LATENCY_EDGE_COUNT,
                                                                  .counts = buckets->counts,
                                                                  .sum = buckets->sum_ns / 1e9,
                                                                  .exemplars = exemplars});
}

void itsi_put_buckets(struct itsi_exposition *e, const struct itsi_labels *labels, struct itsi_buckets *buckets)
{
    struct itsi_latency_buckets copy;
    for (int i = 0; i < ITSI_LATENCY_BUCKET_COUNT; i++)
        copy.counts[i] = atomic_load_explicit(&buckets->counts[i], memory_order_relaxed);
    copy.sum_ns = (double)atomic_load_explicit(&buckets->sum_us, memory_order_relaxed) * 1e3;
    put_recorded(e, labels, &copy, NULL);
}

static void put_end_to_end(struct itsi_exposition *e, const struct itsi_latency_counts *counts)
{
    struct itsi_exposition_exemplar exemplars[ITSI_LATENCY_BUCKET_COUNT];
    for (int i = 0; i < ITSI_LATENCY_BUCKET_COUNT; i++) {
        const struct itsi_exemplar *from = &counts->exemplars[i];
        exemplars[i].trace_id[0] = '\0';
        exemplars[i].value = (double)from->value_ns / 1e9;
        exemplars[i].timestamp = (double)from->wall_ns / 1e9;
        if (from->wall_ns)
            itsi_trace_id_hex(&from->trace, exemplars[i].trace_id);
    }
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_end_to_end_seconds", "seconds",
                           "From a frame's origin to the hand-over of its result. The origin is the camera's clock "
                           "where RTCP sender reports give it, else the arrival of the complete access unit, and of a file "
                           "played as a camera the intended time of presentation. Frames that were handed over, late "
                           "ones too.");
    put_recorded(e, NULL, &counts->end_to_end, exemplars);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_unattributed_seconds", "seconds",
                           "What no stage of a frame's way accounts for; with the stages' totals up to the hand-over "
                           "it makes its_end_to_end_seconds.");
    put_recorded(e, NULL, &counts->unattributed, NULL);
}

/* All stages: those up to the hand-over as recorded, the two after it as counted here. */
static void put_stages(struct itsi_exposition *e, const struct itsi_latency_buckets recorded[ITSI_STAGE_COUNT],
                       struct itsi_buckets *encoding, struct itsi_buckets *transmission)
{
    for (int s = 0; s < ITSI_STAGE_ENCODING; s++)
        put_recorded(e, ITSI_LABELS({"stage", itsi_stage_name((enum itsi_stage)s)}), &recorded[s], NULL);
    itsi_put_buckets(e, ITSI_LABELS({"stage", itsi_stage_name(ITSI_STAGE_ENCODING)}), encoding);
    itsi_put_buckets(e, ITSI_LABELS({"stage", itsi_stage_name(ITSI_STAGE_NETWORK_TRANSMISSION)}), transmission);
}

void itsi_put_latency_metrics(struct itsi_exposition *e, struct itsi_server *server)
{
    struct itsi_serve_stats *stats = &server->stats;
    struct itsi_latency_counts counts;
    itsi_pipeline_latency_counts(server->pipeline, &counts);
    put_end_to_end(e, &counts);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_stage_total_seconds", "seconds",
                           "Waiting and service of a stage together: of every frame handed over, and after the "
                           "hand-over of every picture encoded and every picture or event sent.");
    put_stages(e, counts.total, &stats->encode_total, &stats->send_total);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_stage_wait_seconds", "seconds",
                           "Waiting for a stage: for the decoder, in the mailbox, for a batch and the engine, for "
                           "post-processing, for an encoder, for the connection.");
    put_stages(e, counts.wait, &stats->encode_wait, &stats->send_wait);
    itsi_exposition_family(e, ITSI_METRIC_HISTOGRAM, "its_stage_service_seconds", "seconds", "Work of a stage.");
    put_stages(e, counts.service, &stats->encode_service, &stats->send_service);
}

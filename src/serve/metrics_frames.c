/* The ledger of all frames, batches, and what the pipeline holds. */
#include "serve/metrics.h"

static void put_ledger(struct itsi_exposition *e, const struct itsi_ledger_counts *c)
{
    const struct {
        const char *outcome;
        uint64_t count;
    } rows[] = {{"delivered", c->delivered}, {"late", c->late},       {"skipped", c->skipped},
                {"dropped", itsi_ledger_dropped(c)}, {"corrupt", c->corrupt}, {"missing", c->missing}};
    itsi_put_counter(e, "its_frames_expected", NULL, "Frames the cameras should have given.", (double)c->expected);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_frames", NULL,
                           "Frames by how they ended; sums to the expected ones, less those in flight.");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        itsi_exposition_count(e, ITSI_LABELS({"outcome", rows[i].outcome}), rows[i].count);
    itsi_exposition_family(e, ITSI_METRIC_COUNTER, "its_frames_dropped", NULL, "Dropped frames by stage and reason.");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            itsi_exposition_count(e, ITSI_LABELS({"stage", itsi_stage_name((enum itsi_stage)s)},
                                                 {"reason", itsi_drop_name((enum itsi_drop)r)}),
                                  c->dropped[s][r]);
    itsi_put_gauge(e, "its_frames_in_flight", NULL, "Frames taken in and not ended.", (double)c->in_flight);
    itsi_put_counter(e, "its_frames_admitted", NULL, "Frames the batcher took.", (double)c->admitted);
    itsi_put_gauge(e, "its_ledger_balance", NULL,
                   "Expected frames less all accounted for; 0 unless something is wrong.",
                   (double)itsi_ledger_balance(c));
    itsi_put_gauge(e, "its_on_time_ratio", "ratio",
                   "Share of the frames due that were handed over in time, since the start.",
                   itsi_ledger_on_time_ratio(c));
}

void itsi_put_frame_metrics(struct itsi_exposition *e, const struct itsi_pipeline_stats *s)
{
    put_ledger(e, &s->ledger);
    itsi_put_gauge(e, "its_oldest_frame_in_flight_seconds", "seconds",
                   "How long ago the oldest batch in inference or post-processing was submitted; 0: none is there.",
                   s->oldest_in_flight_seconds);
    itsi_put_counter(e, "its_batches", NULL, "Batches run.", (double)s->batches);
    itsi_put_counter(e, "its_batch_images", NULL, "Images run in batches.", (double)s->batch_images);
    itsi_put_gauge(e, "its_batch_size_max", NULL, "Largest batch so far.", s->batch_max);
    itsi_put_counter(e, "its_results", NULL, "Results handed over.", (double)s->results);
    itsi_put_gauge(e, "its_analysed_frames_per_second", NULL, "Results a second, over the last seconds.",
                   s->analysed_fps);
    itsi_put_counter(e, "its_bus_lost", NULL, "Results a subscriber of the bus was too slow for.", (double)s->bus_lost);
    itsi_put_gauge(e, "its_cameras", NULL, "Cameras known.", s->cameras);
    itsi_put_gauge(e, "its_cameras_running", NULL, "Cameras that give pictures.", s->cameras_running);
    itsi_put_gauge(e, "its_handshakes", NULL, "Camera handshakes in flight.", s->handshakes.now);
}

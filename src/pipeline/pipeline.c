/* Making, starting, ending and describing a pipeline. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pipeline/clips.h"

#include <stdio.h>
#include <string.h>

/* Results in hand at once: each camera's newest, and room for the readers' queues. */
static int result_capacity(int cameras) { return 4 * cameras + 256 + ITSI_DEBT_HELD; }

static int copy_names(struct itsi_pipeline *p, const struct itsi_model *model)
{
    p->classes = model ? model->classes : 0;
    p->class_names = itsi_calloc((size_t)p->classes + 1, sizeof *p->class_names);
    if (!p->class_names)
        return ITS_ENOMEM;
    for (int i = 0; i < p->classes; i++)
        if (!(p->class_names[i] = itsi_strdup(model->names[i])))
            return ITS_ENOMEM;
    return 0;
}

/* The pipeline outlives the configuration it was given: what it keeps of it is its own. */
static int set_capture(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    char *ca_file = itsi_strdup(cfg->capture.tls_ca_file);
    if (cfg->capture.tls_ca_file && !ca_file)
        return itsi_fail(diag, ITS_ENOMEM, "pipeline: out of memory");
    pthread_mutex_lock(&p->table);
    char *old = p->capture_cfg.tls_ca_file;
    p->capture_cfg = cfg->capture;
    p->capture_cfg.tls_ca_file = ca_file;
    pthread_mutex_unlock(&p->table);
    itsi_free(old);
    return 0;
}

static bool traces_wanted(const struct its_cfg *cfg)
{
    return cfg->general.enable_monitoring && cfg->latency_monitoring.enable_distributed_tracing;
}

static int make_tracer(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    const struct itsi_tracer_params params = {
        .endpoint = cfg->general.otlp_endpoint,
        .enabled = traces_wanted(cfg),
        .rate = cfg->latency_monitoring.trace_sampling_rate,
    };
    int rc = itsi_tracer_create(&p->tracer, &params, diag);
    if (rc == 0)
        itsi_tracer_segments(p->tracer, cfg->latency_monitoring.track_pipeline_segments);
    return rc;
}

static int make_parts(struct itsi_pipeline *p, const struct itsi_pipeline_params *params, struct its_diag *diag)
{
    const struct its_cfg *cfg = params->cfg;
    char cache_dir[4096];
    snprintf(cache_dir, sizeof cache_dir, "%s/cache", cfg->general.data_dir);
    p->cache_dir = itsi_strdup(cache_dir);
    p->cameras = itsi_calloc((size_t)p->max_cameras, sizeof(struct itsi_camera_stream *));
    if (!p->cache_dir || !p->cameras || copy_names(p, params->model) != 0)
        return itsi_fail(diag, ITS_ENOMEM, "pipeline: out of memory");
    int rc = itsi_pipeline_set_live(p, cfg, diag);
    if (rc == 0)
        rc = itsi_pipeline_make_engine(p, params, diag);
    if (rc == 0 && (rc = itsi_pipeline_make_jobs(p)) != 0)
        itsi_fail(diag, rc, "pipeline: out of memory");
    itsi_lanes_init(&p->lanes, p->info.parallel);
    if (rc == 0)
        rc = itsi_pipeline_make_batcher(p, cfg, diag);
    if (rc == 0)
        rc = itsi_handshakes_create(&p->handshakes, (int)cfg->capture.max_handshakes,
                                    cfg->capture.handshakes_per_second, diag);
    if (rc == 0)
        rc = itsi_metronome_create(&p->metronome, diag);
    if (rc == 0)
        rc = itsi_result_pool_create(&p->results, result_capacity(p->max_cameras), diag);
    if (rc == 0)
        rc = itsi_letterboxer_create(&p->boxer, diag);
    if (rc == 0)
        rc = itsi_yolo_create(&p->yolo, diag);
    if (rc == 0 && cfg->inference.tracking)
        rc = itsi_pipeline_make_tracking(p, diag);
    if (rc == 0)
        rc = itsi_latency_recorder_create(&p->recorder, diag);
    if (rc == 0)
        rc = itsi_rolling_create(&p->rolling, &cfg->latency_monitoring, p->max_cameras, itsi_now_ns(), diag);
    if (rc == 0)
        rc = itsi_pipeline_make_flight(p, cfg, diag);
    if (rc == 0)
        rc = itsi_pipeline_make_clips(p, params, diag);
    if (rc == 0)
        rc = make_tracer(p, cfg, diag);
    if (rc == 0)
        rc = itsi_pipeline_make_regressing(p, cfg, diag);
    if (rc == 0)
        rc = itsi_pipeline_make_quality(p, params, diag);
    return rc == 0 ? itsi_pipeline_make_alerting(p, cfg, diag) : rc;
}

int itsi_pipeline_create(struct itsi_pipeline **out, const struct itsi_pipeline_params *params, struct its_diag *diag)
{
    struct itsi_pipeline *p = itsi_zalloc(sizeof *p);
    if (!p)
        return itsi_fail(diag, ITS_ENOMEM, "pipeline: out of memory");
    pthread_mutex_init(&p->table, NULL);
    itsi_bus_init(&p->bus);
    itsi_event_init(&p->monitor_stop);
    itsi_violations_init(&p->violations);
    pthread_mutex_init(&p->freezing, NULL);
    p->max_cameras = (int)params->cfg->general.max_concurrent_streams;
    p->tick_ns = params->tick_ns > 0 ? params->tick_ns : ITSI_NS_PER_S;
    p->measuring = params->measuring;
    p->store = params->store;
    p->look_at_pools = params->look_at_pools;
    p->pools = params->pools;
    p->next_name = 1;
    int rc = set_capture(p, params->cfg, diag);
    if (rc == 0)
        rc = make_parts(p, params, diag);
    if (rc != 0) {
        itsi_pipeline_destroy(p);
        return rc;
    }
    *out = p;
    return 0;
}

int itsi_pipeline_start(struct itsi_pipeline *p, struct its_diag *diag)
{
    pthread_mutex_lock(&p->table);
    int rc = p->stopping  ? itsi_fail(diag, ITS_ECANCELLED, "pipeline: stopped, and does not start again")
             : p->started ? itsi_fail(diag, ITS_EEXISTS, "pipeline: started already")
                          : itsi_pipeline_run(p, diag);
    p->started_ns = rc == 0 ? itsi_now_ns() : p->started_ns;
    p->started |= rc == 0;
    for (int i = 0; i < p->camera_count && rc == 0; i++)
        rc = itsi_capture_start(p->cameras[i]->capture, diag);
    pthread_mutex_unlock(&p->table);
    return rc;
}

int itsi_pipeline_configure(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    int rc = itsi_pipeline_set_live(p, cfg, diag);
    if (rc == 0)
        rc = itsi_rolling_configure(p->rolling, &cfg->latency_monitoring, diag);
    if (rc == 0)
        rc = itsi_pipeline_configure_alerting(p, cfg, diag);
    if (rc == 0)
        rc = itsi_pipeline_configure_quality(p, cfg, diag);
    if (rc == 0)
        rc = itsi_pipeline_configure_regressing(p, cfg, diag);
    if (rc == 0) {
        itsi_tracer_configure(p->tracer, traces_wanted(cfg), cfg->latency_monitoring.trace_sampling_rate);
        itsi_tracer_segments(p->tracer, cfg->latency_monitoring.track_pipeline_segments);
    }
    return rc == 0 ? set_capture(p, cfg, diag) : rc;
}

/* Takes every listed camera out of the table; returns their number, the list is the caller's to free. */
static int take_all(struct itsi_pipeline *p, struct itsi_camera_stream ***list)
{
    pthread_mutex_lock(&p->table);
    p->stopping = true;
    int count = p->camera_count;
    for (int i = 0; i < count; i++)
        p->cameras[i]->listed = false;
    *list = p->cameras;
    p->camera_count = 0;
    pthread_mutex_unlock(&p->table);
    return count;
}

static int64_t at_least_a_moment(int64_t until_ns)
{
    const int64_t moment = itsi_now_ns() + ITSI_NS_PER_S;
    return until_ns > moment ? until_ns : moment;
}

void itsi_pipeline_stop(struct itsi_pipeline *p, int64_t until_ns)
{
    struct itsi_camera_stream **list = NULL;
    int count = take_all(p, &list);
    /* all at once, so that their blocking calls end side by side */
    for (int i = 0; i < count; i++)
        itsi_capture_request_stop(list[i]->capture);
    if (p->batcher) {
        while (p->batch_running && itsi_batcher_waiting(p->batcher) > 0 && itsi_now_ns() < until_ns)
            itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
        for (int i = 0; i < count; i++) {
            itsi_pipeline_waits_for(p, ITSI_STOP_CAPTURE, list[i]->config.id);
            itsi_stream_retire(list[i], ITSI_DROP_SHUTDOWN);
        }
    }
    if (p->batcher && p->engine)
        itsi_pipeline_join(p);
    /* the last clips and spans: whatever of the time is left, and a moment at least */
    itsi_pipeline_waits_for(p, ITSI_STOP_CLIPS, "");
    itsi_clips_finish(p->clips, at_least_a_moment(until_ns));
    itsi_pipeline_waits_for(p, ITSI_STOP_SPANS, "");
    if (p->tracer)
        itsi_tracer_stop(p->tracer, at_least_a_moment(until_ns));
    itsi_pipeline_waits_for(p, ITSI_STOP_NOBODY, "");
    itsi_bus_close(&p->bus);
}

void itsi_pipeline_destroy(struct itsi_pipeline *p)
{
    if (!p)
        return;
    itsi_pipeline_stop(p, 0);
    itsi_pipeline_free_clips(p);
    itsi_pipeline_free_engine(p);
    itsi_batcher_destroy(p->batcher);
    itsi_handshakes_destroy(p->handshakes);
    itsi_metronome_destroy(p->metronome);
    itsi_result_pool_close(p->results);
    itsi_letterboxer_destroy(p->boxer);
    itsi_yolo_destroy(p->yolo);
    itsi_track_scratch_destroy(p->track_scratch);
    itsi_latency_recorder_destroy(p->recorder);
    itsi_pipeline_free_alerting(p);
    itsi_pipeline_free_quality(p);
    itsi_pipeline_free_debt(p);
    itsi_pipeline_free_regressing(p);
    itsi_tracer_destroy(p->tracer);
    itsi_violations_fini(&p->violations);
    itsi_rolling_destroy(p->rolling);
    itsi_flight_ring_destroy(p->flight);
    itsi_free(p->flight_folder);
    for (int i = 0; p->class_names && i < p->classes; i++)
        itsi_free(p->class_names[i]);
    itsi_free(p->class_names);
    itsi_free(p->cameras);
    itsi_free(p->cache_dir);
    itsi_free(p->capture_cfg.tls_ca_file);
    itsi_lanes_fini(&p->lanes);
    itsi_packet_store_destroy(p->packets);
    itsi_bus_fini(&p->bus);
    itsi_event_fini(&p->monitor_stop);
    pthread_mutex_destroy(&p->freezing);
    pthread_mutex_destroy(&p->table);
    itsi_free(p);
}

void itsi_pipeline_books(struct itsi_pipeline *p, struct itsi_ledger_counts *out)
{
    *out = p->settled;
    for (struct itsi_camera_stream *s = p->streams; s; s = s->next) {
        struct itsi_ledger_counts counts;
        itsi_ledger_snapshot(&s->ledger, &counts);
        itsi_ledger_counts_add(out, &counts);
    }
}

void itsi_pipeline_stats(struct itsi_pipeline *p, struct itsi_pipeline_stats *out)
{
    int64_t now = itsi_now_ns();
    memset(out, 0, sizeof *out);
    out->engine = p->info;
    out->by_deadline = p->by_deadline;
    itsi_latency_report(p->recorder, &out->latency);
    if (itsi_rolling_query(p->rolling, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, now, &out->recent) != 0)
        memset(&out->recent, 0, sizeof out->recent);
    pthread_mutex_lock(&p->table);
    out->started_ns = p->started_ns;
    out->cameras = p->camera_count;
    itsi_pipeline_books(p, &out->ledger);
    for (int i = 0; i < p->camera_count; i++) {
        struct itsi_capture_status status;
        itsi_capture_status(p->cameras[i]->capture, &status);
        out->cameras_running += status.state == ITSI_CAPTURE_RUNNING;
    }
    out->batches = p->batches;
    out->batch_images = p->batch_images;
    out->batch_max = p->batch_max;
    out->results = p->result_count;
    out->analysed_fps = itsi_rate_get(&p->rate, now);
    const struct itsi_job *oldest = itsi_pipeline_oldest(p);
    out->oldest_in_flight_seconds = oldest && oldest->submitted_ns < now ? (double)(now - oldest->submitted_ns) / 1e9 : 0;
    pthread_mutex_unlock(&p->table);
    out->flight_entries = p->flight ? itsi_flight_noted(p->flight) : 0;
    itsi_handshakes_stats(p->handshakes, &out->handshakes);
    out->bus_lost = itsi_bus_lost(&p->bus);
}

void itsi_pipeline_reset_stats(struct itsi_pipeline *p)
{
    itsi_latency_reset(p->recorder);
    pthread_mutex_lock(&p->table);
    p->batches = p->batch_images = 0;
    p->batch_max = 0;
    p->result_count = 0;
    pthread_mutex_unlock(&p->table);
}

void itsi_pipeline_latency_counts(struct itsi_pipeline *p, struct itsi_latency_counts *out)
{
    itsi_latency_counts(p->recorder, out);
}

const char *const *itsi_pipeline_class_names(struct itsi_pipeline *p, int *count)
{
    *count = p->classes;
    return (const char *const *)p->class_names;
}

int itsi_pipeline_subscribe(struct itsi_pipeline *p, const char *camera_id, int depth, void (*wake)(void *arg),
                            void *wake_arg, struct itsi_subscription **out, struct its_diag *diag)
{
    return itsi_bus_subscribe(&p->bus, camera_id, depth, wake, wake_arg, out, diag);
}

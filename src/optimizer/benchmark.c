#include "optimizer/benchmark.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "capture/source.h"
#include "optimizer/bench_truth.h"
#include "optimizer/process.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A stream's place in the clip: far from its neighbours', whatever the clip's length. */
#define OFFSET_STEP_S 1.37

struct window {
    struct itsi_ledger_counts ledger;
    int64_t now, cpu;
    uint64_t allocations, looking;
    double rss_mb;
};

static int tell(const struct itsi_benchmark_params *params, const char *phase, double done, double of)
{
    return params->progress ? params->progress(params->progress_arg, phase, done, of) : 0;
}

/* The source with every "{i}" replaced by the stream's number, and "{i%10}" by its last digit, so that each stream can be a
 * camera of its own, or one of a few. */
static void stream_url(const char *source, int i, char *out, size_t size)
{
    size_t used = 0;
    for (const char *p = source; *p && used + 1 < size;) {
        int of = 0, length = 0;
        if (strncmp(p, "{i}", 3) == 0)
            length = 3;
        else if (sscanf(p, "{i%%%5d}%n", &of, &length) != 1 || of < 1)
            length = 0;
        if (length > 0) {
            int n = snprintf(out + used, size - used, "%d", of > 0 ? i % of : i);
            used += n > 0 ? (size_t)n : 0;
            p += length;
        } else {
            out[used++] = *p++;
        }
    }
    out[used < size ? used : size - 1] = '\0';
}

/* Whatever is wrong with the source, the first camera says it. */
static bool plays_unpaced(const char *source)
{
    struct itsi_source parsed;
    return source && itsi_source_parse(&parsed, source, NULL) == 0 && parsed.pace_off;
}

/* Notes a camera that was refused for want of room. */
static void leave_out(struct itsi_benchmark_report *report, const struct its_diag *why)
{
    itsi_warn("benchmark", "%s", why->text);
    if (report->refused++ == 0)
        snprintf(report->refusal, sizeof report->refusal, "%s", why->text);
    report->streams--;
}

static int add_cameras(struct itsi_pipeline *pipeline, const struct itsi_benchmark_params *params,
                       struct itsi_benchmark_report *report, struct its_diag *diag)
{
    /* cameras of one city do not fire in step */
    const double spread = params->ramp_s > 0 ? params->ramp_s : 1.0 / 25;
    for (int i = 0; i < params->streams; i++) {
        struct itsi_camera camera = {.configured = params->ramp_s <= 0}; /* else they ask one by one */
        if (params->source)
            stream_url(params->source, i, camera.url, sizeof camera.url);
        else
            snprintf(camera.url, sizeof camera.url, "synth://crossroads?size=1280x720&fps=25&seed=%d", 1 + i % 4);
        camera.start_offset_ns = (int64_t)(i * OFFSET_STEP_S * 1e9);
        int rc = itsi_pipeline_add_camera(pipeline, &camera, diag);
        if (rc == ITS_ELIMIT && params->ramp_s > 0)
            leave_out(report, diag);
        else if (rc != 0)
            return rc;
        itsi_sleep_until_ns(itsi_now_ns() + (int64_t)(spread * ITSI_NS_PER_S / params->streams));
        if (params->ramp_s > 0 && tell(params, "adding cameras", i, params->streams) != 0)
            return itsi_fail(diag, ITS_ECANCELLED, "interrupted");
    }
    return report->streams > 0 ? 0 : ITS_ELIMIT;
}

static bool gives_pictures(const struct itsi_camera_status *status)
{
    return status->capture.state == ITSI_CAPTURE_RUNNING || status->capture.state == ITSI_CAPTURE_ENDED;
}

/* A camera that was refused for what it is (no such file, not a video, wrong password) will not come up by waiting. */
static bool is_hopeless(const struct itsi_camera_status *status)
{
    int code = status->capture.last_code;
    return status->capture.state == ITSI_CAPTURE_BACKOFF &&
           (code == ITS_ENOTFOUND || code == ITS_EFORMAT || code == ITS_EAUTH || code == ITS_EINVAL);
}

/* True while some camera may still come up. */
static bool still_starting(struct itsi_pipeline *pipeline, int streams, struct itsi_camera_status *scratch)
{
    int n = itsi_pipeline_cameras(pipeline, scratch, streams);
    bool waiting = false;
    for (int i = 0; i < n && i < streams; i++) {
        if (is_hopeless(&scratch[i]))
            return false;
        waiting = waiting || !gives_pictures(&scratch[i]);
    }
    return waiting;
}

/* Waits for every camera to run; one that does not fails the benchmark by name. */
static int await_cameras(struct itsi_pipeline *pipeline, const struct itsi_benchmark_params *params, int streams,
                         struct its_diag *diag)
{
    struct itsi_camera_status *status = itsi_calloc((size_t)streams, sizeof *status);
    if (!status)
        return itsi_fail(diag, ITS_ENOMEM, "benchmark: out of memory");
    int64_t start = itsi_now_ns(), until = start + (int64_t)(params->startup_s * 1e9);
    int rc = 0;
    while (still_starting(pipeline, streams, status) && itsi_now_ns() < until && rc == 0) {
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_S / 10);
        if (tell(params, "starting cameras", (double)(itsi_now_ns() - start) / 1e9, params->startup_s) != 0)
            rc = itsi_fail(diag, ITS_ECANCELLED, "interrupted");
    }
    for (int pass = 0; pass < 2 && rc == 0; pass++) /* the hopeless first: they are the reason */
        for (int i = 0; i < streams && rc == 0; i++)
            if (pass == 0 ? is_hopeless(&status[i]) : !gives_pictures(&status[i]))
                rc = itsi_fail(diag, status[i].capture.last_code ? status[i].capture.last_code : ITS_ETIMEOUT,
                               "camera %s gives no pictures (%s)%s%s", status[i].camera.id,
                               itsi_capture_state_name(status[i].capture.state),
                               status[i].capture.last_error[0] ? ": " : "", status[i].capture.last_error);
    itsi_free(status);
    return rc;
}

/* truth (may be NULL): results are scored meanwhile. */
static int pass_time(const struct itsi_benchmark_params *params, const char *phase, double seconds,
                     struct itsi_bench_truth *truth)
{
    int64_t start = itsi_now_ns(), end = start + (int64_t)(seconds * 1e9);
    while (itsi_now_ns() < end) {
        int64_t next = itsi_now_ns() + ITSI_NS_PER_S / 5;
        next = next < end ? next : end;
        if (truth)
            itsi_bench_truth_watch(truth, next);
        else
            itsi_sleep_until_ns(next);
        if (tell(params, phase, (double)(itsi_now_ns() - start) / 1e9, seconds) != 0)
            return ITS_ECANCELLED;
    }
    return 0;
}

static void look(struct itsi_pipeline *pipeline, struct window *out)
{
    struct itsi_pipeline_stats stats;
    uint64_t before = itsi_alloc_count();
    itsi_pipeline_stats(pipeline, &stats);
    out->looking = itsi_alloc_count() - before; /* what looking itself allocates is not the frame path's */
    out->ledger = stats.ledger;
    out->cpu = itsi_cpu_ns();
    out->allocations = before;
    out->rss_mb = itsi_process_rss_mb();
    out->now = itsi_now_ns();
}

/* What ended between the two looks. Frames in flight at the first belong to the window, those at the second do not. */
static void difference(const struct itsi_ledger_counts *a, const struct itsi_ledger_counts *b,
                       struct itsi_ledger_counts *out)
{
    *out = *b;
    out->expected = b->expected - a->expected + a->in_flight - b->in_flight;
    out->delivered -= a->delivered;
    out->late -= a->late;
    out->skipped -= a->skipped;
    out->tracked -= a->tracked;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            out->dropped[s][r] -= a->dropped[s][r];
    out->corrupt -= a->corrupt;
    out->missing -= a->missing;
    out->in_flight = 0;
    out->admitted = out->delivered + out->late;
    for (int r = 0; r < ITSI_DROP_COUNT; r++)
        out->admitted += out->dropped[ITSI_STAGE_ML_INFERENCE][r] + out->dropped[ITSI_STAGE_POSTPROCESSING][r];
}

static void measure(const struct window *a, const struct window *b, const struct itsi_pipeline_stats *stats,
                    struct itsi_benchmark_report *out)
{
    out->duration_s = (double)(b->now - a->now) / 1e9;
    difference(&a->ledger, &b->ledger, &out->counts);
    out->analysed_fps = (double)(out->counts.delivered + out->counts.late) / out->duration_s;
    out->on_time_ratio = itsi_ledger_on_time_ratio(&out->counts);
    out->on_time_admitted_ratio = itsi_ledger_on_time_admitted_ratio(&out->counts);
    out->latency = stats->latency;
    out->engine = stats->engine;
    if (stats->engine.model[0]) /* the int8 version, it may be */
        snprintf(out->model, sizeof out->model, "%s", stats->engine.model);
    out->by_deadline = stats->by_deadline;
    out->batch_mean = stats->batches ? (double)stats->batch_images / (double)stats->batches : 0;
    out->batch_max = stats->batch_max;
    out->cpu_percent = (double)(b->cpu - a->cpu) / (double)(b->now - a->now) * 100;
    out->rss_start_mb = a->rss_mb;
    out->rss_mb = b->rss_mb;
    out->allocations = b->allocations - a->allocations - a->looking;
    out->cameras_running = stats->cameras_running;
}

/* The record's cameras, and the moment before its beginning. */
static int prepare_replay(struct itsi_pipeline *pipeline, const struct itsi_benchmark_params *params,
                          struct its_diag *diag)
{
    /* every camera reads its part of the file first */
    int64_t start = itsi_now_ns() + ITSI_NS_PER_S + params->streams * 20 * ITSI_NS_PER_MS;
    int rc = itsi_pipeline_start(pipeline, diag);
    if (rc == 0)
        rc = itsi_replay_add_cameras(params->replay, pipeline, start, diag);
    double lead = (double)(start - itsi_now_ns()) / 1e9 - 0.05;
    if (rc == 0 && lead > 0 && pass_time(params, "reading the record", lead, NULL) != 0)
        rc = itsi_fail(diag, ITS_ECANCELLED, "interrupted");
    return rc;
}

/* Cameras running, warmed up, and their truth at hand. */
static int prepare(struct itsi_pipeline *pipeline, const struct itsi_benchmark_params *params,
                   struct itsi_bench_truth **truth, struct itsi_benchmark_report *report, struct its_diag *diag)
{
    if (params->replay)
        return prepare_replay(pipeline, params, diag);
    int rc = itsi_pipeline_start(pipeline, diag);
    if (rc == 0)
        rc = add_cameras(pipeline, params, report, diag);
    if (rc == 0)
        rc = await_cameras(pipeline, params, report->streams, diag);
    if (rc == 0)
        rc = itsi_bench_truth_open(truth, pipeline, params->pipeline.cfg, diag);
    if (rc == 0 && pass_time(params, "warming up", params->warmup_s, NULL) != 0)
        rc = itsi_fail(diag, ITS_ECANCELLED, "interrupted");
    return rc;
}

/* Frames analysed so far, of each camera; NULL: out of memory. */
static uint64_t *analysed_by_camera(struct itsi_pipeline *pipeline, int streams, int levels[ITSI_QUALITY_LEVELS])
{
    struct itsi_camera_status *status = itsi_calloc((size_t)streams, sizeof *status);
    uint64_t *analysed = itsi_calloc((size_t)streams, sizeof *analysed);
    const int n = status && analysed ? itsi_pipeline_cameras(pipeline, status, streams) : 0;
    for (int i = 0; i < n && i < streams; i++) {
        analysed[i] = status[i].ledger.delivered + status[i].ledger.late;
        levels[status[i].quality_level]++;
    }
    itsi_free(status);
    return analysed;
}

static void measure_least(const uint64_t *before, const uint64_t *after, struct itsi_benchmark_report *out)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; before && after && i < out->streams; i++)
        least = after[i] - before[i] < least ? after[i] - before[i] : least;
    out->least_analysed_fps = least == UINT64_MAX ? (double)NAN : (double)least / out->duration_s;
}

static void say_ending(const struct itsi_benchmark_params *params, struct itsi_pipeline *pipeline)
{
    if (params->ending)
        params->ending(params->ending_arg, pipeline);
}

static int run(struct itsi_pipeline *pipeline, const struct itsi_benchmark_params *params,
               struct itsi_bench_truth *truth, struct itsi_benchmark_report *report, struct its_diag *diag)
{
    struct window a, b;
    int ignored[ITSI_QUALITY_LEVELS] = {0};
    uint64_t *before = analysed_by_camera(pipeline, report->streams, ignored);
    itsi_pipeline_reset_stats(pipeline);
    itsi_pipeline_record_run(pipeline, report->run);
    look(pipeline, &a);
    /* after the look: what is scored is part of what this window delivered */
    int rc = truth ? itsi_bench_truth_begin(truth, diag) : 0;
    if (rc != 0) {
        itsi_free(before);
        return rc;
    }
    report->interrupted = pass_time(params, "measuring", params->duration_s, truth) != 0;
    struct itsi_pipeline_stats stats;
    look(pipeline, &b);
    itsi_pipeline_record_run(pipeline, NULL);
    itsi_pipeline_stats(pipeline, &stats);
    uint64_t *after = analysed_by_camera(pipeline, report->streams, report->levels);
    say_ending(params, pipeline);
    itsi_pipeline_stop(pipeline, itsi_now_ns() + ITSI_BENCHMARK_DRAIN_S * ITSI_NS_PER_S);
    struct window end;
    look(pipeline, &end);
    measure(&a, &b, &stats, report);
    measure_least(before, after, report);
    itsi_free(before);
    itsi_free(after);
    report->run->setup.band = itsi_load_band((double)report->counts.expected / report->duration_s, -1);
    report->ledger_balanced = itsi_ledger_balance(&a.ledger) == 0 && itsi_ledger_balance(&b.ledger) == 0 &&
                              itsi_ledger_balance(&end.ledger) == 0 && end.ledger.in_flight == 0;
    report->has_recorded = params->replay != NULL;
    if (params->replay)
        report->recorded = *itsi_replay_recorded(params->replay);
    report->has_score = truth != NULL;
    report->confidence = params->pipeline.cfg->inference.confidence;
    if (truth)
        report->score = *itsi_bench_truth_score(truth);
    return 0;
}

int itsi_benchmark_run(const struct itsi_benchmark_params *params, struct itsi_benchmark_report *out,
                       struct its_diag *diag)
{
    struct itsi_benchmark_report report = {.streams = params->streams};
    snprintf(report.model, sizeof report.model, "%s", params->model_name ? params->model_name : "none");
    struct itsi_pipeline_params how = params->pipeline;
    how.measuring = true;
    how.unpaced = !params->replay && plays_unpaced(params->source);
    struct itsi_pipeline *pipeline;
    int rc = itsi_pipeline_create(&pipeline, &how, diag);
    if (rc != 0)
        return rc;
    struct itsi_bench_truth *truth = NULL;
    struct itsi_baseline_key setup;
    itsi_pipeline_setup_key(pipeline, &setup);
    rc = itsi_run_create(&report.run, &setup, diag);
    if (rc == 0)
        rc = prepare(pipeline, params, &truth, &report, diag);
    if (rc == 0)
        rc = run(pipeline, params, truth, &report, diag);
    itsi_bench_truth_close(truth);
    if (rc != 0) /* else said by run() */
        say_ending(params, pipeline);
    itsi_pipeline_destroy(pipeline);
    say_ending(params, NULL);
    if (rc == 0)
        *out = report;
    else
        itsi_run_destroy(report.run);
    return rc;
}

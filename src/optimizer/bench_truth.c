#include "optimizer/bench_truth.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "capture/source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Results that wait to be scored: scoring takes microseconds, and the watcher sleeps only while none waits. */
enum { DEPTH = 128 };

/* One camera's truth; cameras that play the same scene share it. */
struct stream {
    struct itsi_synth_truth *truth; /* NULL: none */
    bool owned;
};

struct itsi_bench_truth {
    struct itsi_pipeline *pipeline;
    struct itsi_subscription *results; /* NULL before begin */
    struct stream *streams;            /* by the camera's index */
    int count;
    int width, height; /* the model's input */
    struct itsi_score score;
};

static bool is_synthetic(const char *url)
{
    struct itsi_source source;
    return itsi_source_parse(&source, url, NULL) == 0 && source.kind == ITSI_SOURCE_SYNTH;
}

static int open_stream(struct itsi_bench_truth *t, const struct itsi_camera_status *cameras, int i,
                       const char *cache_dir, struct its_diag *diag)
{
    const char *url = cameras[i].camera.url;
    if (!is_synthetic(url))
        return 0;
    for (int k = 0; k < i; k++)
        if (strcmp(cameras[k].camera.url, url) == 0) {
            t->streams[i].truth = t->streams[k].truth;
            return 0;
        }
    int rc = itsi_synth_truth_open(&t->streams[i].truth, url, cache_dir, diag);
    t->streams[i].owned = rc == 0;
    return rc;
}

static int open_streams(struct itsi_bench_truth *t, const struct its_cfg *cfg, struct its_diag *diag)
{
    char cache_dir[4096];
    snprintf(cache_dir, sizeof cache_dir, "%s/cache", cfg->general.data_dir); /* the pipeline's */
    int cap = itsi_pipeline_cameras(t->pipeline, NULL, 0);
    struct itsi_camera_status *cameras = itsi_calloc((size_t)cap + 1, sizeof *cameras);
    t->streams = itsi_calloc((size_t)cap + 1, sizeof *t->streams);
    int rc = cameras && t->streams ? 0 : itsi_fail(diag, ITS_ENOMEM, "benchmark: out of memory");
    t->count = rc == 0 ? itsi_pipeline_cameras(t->pipeline, cameras, cap) : 0;
    for (int i = 0; i < t->count && rc == 0; i++)
        rc = open_stream(t, cameras, i, cache_dir, diag);
    itsi_free(cameras);
    return rc;
}

/* Is there a camera with truth, and a class that both it and the model know? */
static bool has_any(const struct itsi_bench_truth *t)
{
    bool truth = false, judged = false;
    for (int i = 0; i < t->count; i++)
        truth = truth || t->streams[i].truth;
    for (int cls = 0; cls < ITSI_ROAD_CLASS_COUNT; cls++)
        judged = judged || t->score.judged[cls];
    return truth && judged;
}

int itsi_bench_truth_open(struct itsi_bench_truth **out, struct itsi_pipeline *pipeline, const struct its_cfg *cfg,
                          struct its_diag *diag)
{
    int classes;
    const char *const *names = itsi_pipeline_class_names(pipeline, &classes);
    *out = NULL;
    if (classes == 0)
        return 0;
    struct itsi_bench_truth *t = itsi_zalloc(sizeof *t);
    if (!t)
        return itsi_fail(diag, ITS_ENOMEM, "benchmark: out of memory");
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(pipeline, &stats);
    t->pipeline = pipeline;
    t->width = stats.engine.width;
    t->height = stats.engine.height;
    itsi_score_init(&t->score, names, classes, &cfg->inference.classes);
    int rc = open_streams(t, cfg, diag);
    if (rc == 0 && has_any(t))
        *out = t;
    else
        itsi_bench_truth_close(t);
    return rc;
}

int itsi_bench_truth_begin(struct itsi_bench_truth *t, struct its_diag *diag)
{
    return itsi_pipeline_subscribe(t->pipeline, NULL, DEPTH, NULL, NULL, &t->results, diag);
}

static void score_result(struct itsi_bench_truth *t, const struct itsi_result *result)
{
    const struct itsi_frame_info *info = &result->info;
    struct itsi_synth_truth *truth = info->camera < (uint32_t)t->count ? t->streams[info->camera].truth : NULL;
    const struct itsi_road_box *boxes = NULL;
    if (!truth || result->late || info->media_ns < 0)
        return;
    int count = itsi_synth_truth_at(truth, info->media_ns, &boxes);
    float scale = fminf((float)t->width / (float)info->width, (float)t->height / (float)info->height);
    itsi_score_add(&t->score, result->boxes, result->count, boxes, count, scale);
}

void itsi_bench_truth_watch(struct itsi_bench_truth *t, int64_t until_ns)
{
    struct itsi_result *result;
    while ((result = itsi_subscription_next(t->results, until_ns)) != NULL) {
        score_result(t, result);
        itsi_result_unref(&result);
        if (itsi_now_ns() >= until_ns)
            return;
    }
}

const struct itsi_score *itsi_bench_truth_score(const struct itsi_bench_truth *t) { return &t->score; }

void itsi_bench_truth_close(struct itsi_bench_truth *t)
{
    if (!t)
        return;
    itsi_subscription_close(t->results);
    for (int i = 0; i < t->count; i++)
        if (t->streams[i].owned)
            itsi_synth_truth_close(t->streams[i].truth);
    itsi_free(t->streams);
    itsi_free(t);
}

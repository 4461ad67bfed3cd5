#include "fake_pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/url.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"car", "truck", "bus", "motorcycle", "bicycle", "person"};
static int frame_w, frame_h; /* of every fake picture */

/* --- pictures ----------------------------------------------------------------------------------------------------- */

static void *make_pixels(void) { return itsi_alloc((size_t)(frame_w * frame_h * 3 / 2)); }
static void release(struct itsi_frame *frame) { (void)frame; }
static void dispose(struct itsi_frame *frame) { itsi_free(frame->native); }

static void fill(uint8_t *plane, int stride, int x1, int y1, int x2, int y2, int max_x, int max_y, int value)
{
    if (x1 < 0)
        x1 = 0;
    if (y1 < 0)
        y1 = 0;
    for (int y = y1; y < y2 && y < max_y; y++)
        if (x2 > x1 && x1 < max_x)
            memset(plane + y * stride + x1, value, (size_t)((x2 < max_x ? x2 : max_x) - x1));
}

static void rectangle(uint8_t *y, int x1, int y1, int x2, int y2, int luma, int u, int v)
{
    uint8_t *cu = y + frame_w * frame_h, *cv = cu + frame_w * frame_h / 4;
    fill(y, frame_w, x1, y1, x2, y2, frame_w, frame_h, luma);
    fill(cu, frame_w / 2, x1 / 2, y1 / 2, x2 / 2, y2 / 2, frame_w / 2, frame_h / 2, u);
    fill(cv, frame_w / 2, x1 / 2, y1 / 2, x2 / 2, y2 / 2, frame_w / 2, frame_h / 2, v);
}

static void place(const struct car *car, struct itsi_detection *d)
{
    static const double widths[] = {0.11, 0.2, 0.22, 0.05, 0.04, 0.025}, heights[] = {0.1, 0.2, 0.2, 0.1, 0.1, 0.14};
    const double depth = 0.5 + 0.5 * car->lane, w = widths[car->cls] * depth, h = heights[car->cls] * depth;
    const double base = 0.55 + 0.36 * car->lane;
    d->x1 = (float)(fmax(0, car->x - w / 2) * frame_w);
    d->x2 = (float)(fmin(1, car->x + w / 2) * frame_w);
    d->y1 = (float)((base - h) * frame_h);
    d->y2 = (float)(base * frame_h);
    d->cls = car->cls;
    d->track = -1;
}

/* Sky, verge, road with dashes, and a block per car. */
static void draw(const struct fake_camera *camera, uint8_t *y, const struct itsi_detection *boxes, int count)
{
    const int w = frame_w, h = frame_h;
    for (int row = 0; row < h * 45 / 100; row++)
        memset(y + row * w, 140 + row * 60 / h + camera->tint / 4, (size_t)w);
    memset(y + w * h, 128 + camera->tint / 3, (size_t)(w * h / 4));
    memset(y + w * h * 5 / 4, 124 - camera->tint / 6, (size_t)(w * h / 4));
    rectangle(y, 0, h * 45 / 100, w, h * 52 / 100, 96, 112, 116);
    rectangle(y, 0, h * 52 / 100, w, h, 78, 128, 128);
    for (int i = 0; i < 8; i++)
        rectangle(y, w * i / 8 + w / 40, h * 73 / 100, w * i / 8 + w / 14, h * 74 / 100 + 1, 200, 128, 128);
    for (int i = count - 1; i >= 0; i--) {
        const struct itsi_detection *d = &boxes[i];
        const int x1 = (int)d->x1 & ~1, y1 = (int)d->y1 & ~1, x2 = (int)d->x2 & ~1, y2 = (int)d->y2 & ~1;
        const int hue = (i * 53 + camera->tint * 7) % 90;
        rectangle(y, x1, y2 - 4, x2 + 4, y2 + 2, 40, 128, 128);
        rectangle(y, x1, y1 + (y2 - y1) / 3, x2, y2, 70 + hue, 100 + hue / 2, 170 - hue);
        rectangle(y, x1 + (x2 - x1) / 5, y1, x2 - (x2 - x1) / 5, y1 + (y2 - y1) / 3, 60, 132, 124);
    }
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static void stamp(struct itsi_pipeline *p, struct itsi_frame_info *info, int64_t now)
{
    struct itsi_trace *t = &info->trace;
    const int64_t ms = ITSI_NS_PER_MS;
    const int64_t steps[] = {ms / 5, ms * 3, ms / 2, ms, ms * 4, ms * 18, ms / 10, ms / 4, ms / 50};
    int64_t *const at[] = {&t->decode_start, &t->decode_end, &t->pre_start,  &t->pre_end, &t->infer_start,
                           &t->infer_end,    &t->post_start, &t->post_end,   &t->handover};
    int64_t lengths[9], total = 0;
    for (int i = 0; i < 9; i++) {
        lengths[i] = (int64_t)((double)steps[i] * (0.7 + 0.6 * itsi_rand_unit(&p->rng)));
        if (i == 4 && itsi_rand_unit(&p->rng) < 0.02)
            lengths[i] += 90 * ms; /* a late one */
        total += lengths[i];
    }
    t->origin = now - total;
    int64_t when = t->origin;
    for (int i = 0; i < 9; i++)
        *at[i] = when += lengths[i];
    info->capture_wall_ns = itsi_wall_ns() - total;
    info->deadline = t->origin + 100 * ms;
}

/* As src/pipeline/ends.c tells it. */
static void tell_end(struct itsi_pipeline *p, const struct itsi_result *result, const struct itsi_trace_id *trace)
{
    const struct itsi_trace_outcome outcome = {.end = result->late ? ITSI_TRACE_LATE : ITSI_TRACE_ON_TIME,
                                               .batch = result->batch,
                                               .quality_level = result->quality_level,
                                               .model = "fake"};
    (void)itsi_tracer_finish(p->tracer, &result->info, trace, &outcome);
    if (result->late) {
        struct itsi_violation violation;
        itsi_violation_of_late(result, trace, itsi_wall_ns(), &violation);
        itsi_violations_note(&p->violations, &violation);
    }
}

static void publish(struct itsi_pipeline *p, struct fake_camera *c, struct itsi_frame *frame,
                    struct itsi_result *result, const struct itsi_trace_id *trace)
{
    struct itsi_frame *old_frame = c->frame;
    struct itsi_result *old_result = c->result;
    c->frame = frame;
    c->result = itsi_result_ref(result);
    itsi_frame_unref(&old_frame);
    itsi_result_unref(&old_result);
    itsi_latency_record(p->latency, &result->breakdown);
    if (result->info.seq % 10 == 0) /* as if every tenth trace were kept */
        itsi_latency_exemplify(p->latency, &result->breakdown, trace, itsi_wall_ns());
    itsi_rolling_frame(p->rolling, &result->breakdown, result->quality_level, -1);
    itsi_ledger_deliver(&c->ledger, result->late);
    tell_end(p, result, trace);
    const int64_t before = itsi_now_ns();
    itsi_bus_publish(&p->bus, result);
    const int64_t took = itsi_now_ns() - before;
    if (took > p->longest_ns)
        p->longest_ns = took;
    p->published++;
    itsi_result_unref(&result);
}

static void produce(struct itsi_pipeline *p, struct fake_camera *c, int64_t now)
{
    itsi_ledger_arrive(&c->ledger);
    struct itsi_frame *frame = itsi_frame_pool_get(c->pool);
    struct itsi_result *result = frame ? itsi_result_pool_get(p->results) : NULL;
    if (!result) {
        itsi_frame_unref(&frame);
        itsi_ledger_drop(&c->ledger, ITSI_STAGE_CAMERA_CAPTURE, ITSI_DROP_POOL_EMPTY);
        return;
    }
    if (itsi_rand_unit(&p->rng) < 0.01) {
        itsi_ledger_drop(&c->ledger, ITSI_STAGE_PREPROCESSING, ITSI_DROP_REPLACED);
        itsi_frame_unref(&frame);
        itsi_result_unref(&result);
        return;
    }
    itsi_ledger_admit(&c->ledger);
    result->count = 0;
    for (int i = 0; i < CARS; i++) {
        struct car *car = &c->cars[i];
        car->x += car->speed / p->params.fps;
        if (car->x > 1.15 || car->x < -0.15)
            car->speed = -car->speed;
        struct itsi_detection *d = &result->boxes[result->count];
        place(car, d);
        d->score = (float)(0.95 - 0.07 * i);
        result->count += d->x2 - d->x1 > 4;
    }
    snprintf(frame->info.camera_id, sizeof frame->info.camera_id, "%s", c->config.id);
    frame->info.camera = c->index;
    frame->info.seq = ++c->seq;
    frame->info.width = frame_w;
    frame->info.height = frame_h;
    frame->info.media_ns = -1;
    frame->info.origin_kind = ITSI_ORIGIN_ARRIVAL;
    stamp(p, &frame->info, now);
    uint8_t *y = frame->native;
    if (!c->novideo)
        draw(c, y, result->boxes, result->count);
    frame->picture = (struct itsi_picture){
        .layout = c->novideo ? ITSI_LAYOUT_NONE : ITSI_LAYOUT_PLANAR, .width = frame_w, .height = frame_h,
        .plane = {y, y + frame_w * frame_h, y + frame_w * frame_h * 5 / 4}, .stride = {frame_w, frame_w / 2, frame_w / 2},
        .chroma_shift_x = 1, .chroma_shift_y = 1, .matrix = ITSI_MATRIX_BT601};
    result->info = frame->info;
    itsi_trace_breakdown(&result->info.trace, &result->breakdown);
    result->late = result->info.trace.handover > result->info.deadline;
    const struct itsi_trace_id trace_id = itsi_tracer_id(p->tracer, &result->info);
    itsi_trace_id_hex(&trace_id, result->trace_id);
    result->batch = 4;
    result->quality_level = fake_level_of(c, now);
    publish(p, c, frame, result, &trace_id);
}

/* The books to the alert conditions, under the lock. */
static void tick_alerts(struct itsi_pipeline *p, int64_t now)
{
    static struct itsi_ledger_counts counts[MOST];
    static struct itsi_alert_camera cameras[MOST];
    struct itsi_ledger_counts total = p->gone;
    for (int i = 0; i < p->count; i++) {
        itsi_ledger_snapshot(&p->cameras[i]->ledger, &counts[i]);
        itsi_ledger_counts_add(&total, &counts[i]);
        cameras[i] = (struct itsi_alert_camera){.id = p->cameras[i]->config.id, .ledger = &counts[i]};
    }
    const struct itsi_alert_tick tick = {.now = now, .wall = itsi_wall_ns(), .cameras = cameras,
                                         .camera_count = (size_t)p->count, .total = &total};
    if (itsi_alerts_tick(p->alerts, &tick) != 0)
        abort();
}

static void *run(void *arg)
{
    struct itsi_pipeline *p = arg;
    const int64_t interval = (int64_t)(1e9 / p->params.fps);
    int64_t next_tick = 0;
    for (int64_t now = itsi_now_ns(); !itsi_event_wait_until(&p->stop, now + ITSI_NS_PER_MS); now = itsi_now_ns()) {
        pthread_mutex_lock(&p->lock);
        for (int i = 0; i < p->count; i++) {
            struct fake_camera *c = p->cameras[i];
            if (now < c->next_ns)
                continue;
            c->next_ns = now - c->next_ns > ITSI_NS_PER_S ? now + interval : c->next_ns + interval;
            if (c->dead)
                itsi_ledger_missing(&c->ledger, 1);
            else
                produce(p, c, now);
        }
        if (now >= next_tick) {
            tick_alerts(p, now);
            next_tick = now + ITSI_NS_PER_S;
        }
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

/* --- pipeline.h --------------------------------------------------------------------------------------------------- */

struct itsi_pipeline *fake_create(const struct fake_params *params)
{
    struct itsi_pipeline *p = itsi_zalloc(sizeof *p);
    struct its_diag diag;
    const struct its_cfg_latency_monitoring windows = {.latency_sla_ms = 100,
                                                       .collect_detailed_metrics = true,
                                                       .monitoring_window_seconds = 60,
                                                       .alert_window_seconds = 300,
                                                       .trend_analysis_minutes = 60,
                                                       .sla_violation_threshold = 0.05};
    const struct itsi_tracer_params tracing = {
        .endpoint = params->otlp, .enabled = true, .rate = params->trace_rate, .batch_ns = 50 * ITSI_NS_PER_MS};
    struct itsi_alert_params alerts;
    itsi_alert_params_from(&alerts, &params->cfg->latency_monitoring);
    if (!p || itsi_latency_recorder_create(&p->latency, &diag) != 0 ||
        itsi_rolling_create(&p->rolling, &windows, 1, itsi_now_ns(), &diag) != 0 ||
        itsi_tracer_create(&p->tracer, &tracing, &diag) != 0 || itsi_tracer_start(p->tracer, &diag) != 0 ||
        itsi_alerts_create(&p->alerts, &alerts, &diag) != 0 ||
        itsi_result_pool_create(&p->results, 8192, &diag) != 0)
        abort();
    const struct itsi_clips_params clips = {.folder = params->clips, .files = 100, .bytes = 1 << 30};
    if (params->clips && itsi_clips_create(&p->clips, &clips, &diag) != 0)
        abort();
    p->params = *params;
    frame_w = params->width;
    frame_h = params->height;
    itsi_rand_seed(&p->rng, 5);
    itsi_violations_init(&p->violations);
    itsi_bus_init(&p->bus);
    itsi_event_init(&p->stop);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

int itsi_pipeline_create(struct itsi_pipeline **out, const struct itsi_pipeline_params *params, struct its_diag *diag)
{
    (void)out, (void)params;
    return itsi_fail(diag, ITS_EUNSUPPORTED, "made by fake_create");
}

int itsi_pipeline_start(struct itsi_pipeline *p, struct its_diag *diag)
{
    pthread_mutex_lock(&p->lock);
    p->started_ns = itsi_now_ns();
    pthread_mutex_unlock(&p->lock);
    p->running = itsi_thread_start(&p->thread, "fake", run, p, diag) == 0;
    return p->running ? 0 : ITS_ENOMEM;
}

int itsi_pipeline_configure(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    (void)p, (void)cfg, (void)diag;
    return 0;
}

void itsi_pipeline_stop(struct itsi_pipeline *p, int64_t until_ns)
{
    (void)until_ns;
    itsi_event_set(&p->stop);
    if (p->running)
        pthread_join(p->thread, NULL);
    p->running = false;
    itsi_tracer_stop(p->tracer, itsi_now_ns() + 2 * ITSI_NS_PER_S);
    itsi_bus_close(&p->bus);
}

static void destroy_camera(struct fake_camera *c)
{
    itsi_frame_unref(&c->frame);
    itsi_result_unref(&c->result);
    itsi_frame_pool_close(c->pool);
    itsi_ledger_fini(&c->ledger);
    itsi_free(c);
}

void itsi_pipeline_destroy(struct itsi_pipeline *p)
{
    for (int i = 0; i < p->count; i++)
        destroy_camera(p->cameras[i]);
    itsi_clips_destroy(p->clips);
    itsi_result_pool_close(p->results);
    itsi_latency_recorder_destroy(p->latency);
    itsi_rolling_destroy(p->rolling);
    itsi_tracer_destroy(p->tracer);
    itsi_alerts_destroy(p->alerts);
    itsi_violations_fini(&p->violations);
    itsi_bus_fini(&p->bus);
    itsi_event_fini(&p->stop);
    pthread_mutex_destroy(&p->lock);
    itsi_free(p);
}

int fake_find(const struct itsi_pipeline *p, const char *id)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->cameras[i]->config.id, id) == 0)
            return i;
    return -1;
}

int itsi_pipeline_add_camera(struct itsi_pipeline *p, struct itsi_camera *camera, struct its_diag *diag)
{
    int rc = 0;
    if (!strstr(camera->url, "://"))
        return itsi_fail(diag, ITS_EINVAL, "camera URL '%s': no such scheme", camera->url);
    pthread_mutex_lock(&p->lock);
    if (!camera->id[0])
        do
            snprintf(camera->id, sizeof camera->id, "camera_%03d", ++p->next_name);
        while (fake_find(p, camera->id) >= 0);
    if (fake_find(p, camera->id) >= 0)
        rc = itsi_fail(diag, ITS_EEXISTS, "there is a camera '%s' already", camera->id);
    else if (p->count >= p->params.cfg->general.max_concurrent_streams)
        rc = itsi_fail(diag, ITS_ELIMIT, "%d cameras are here, as many as are allowed", p->count);
    struct fake_camera *c = rc == 0 ? itsi_zalloc(sizeof *c) : NULL;
    if (c) {
        c->config = *camera;
        c->index = p->next_index++;
        c->dead = strstr(camera->url, "dead") != NULL;
        c->novideo = strstr(camera->url, "novideo") != NULL;
        c->tint = p->count * 29 % 60;
        c->added_ns = itsi_now_ns();
        c->added_wall_ns = itsi_wall_ns();
        c->pin = c->boost = -1;
        c->quality_since = c->added_ns;
        c->quality_since_wall = c->added_wall_ns;
        c->next_ns = c->added_ns + (int64_t)(itsi_rand_unit(&p->rng) * 1e9 / p->params.fps);
        itsi_ledger_init(&c->ledger);
        for (int i = 0; i < CARS; i++)
            c->cars[i] = (struct car){itsi_rand_unit(&p->rng), itsi_rand_unit(&p->rng),
                                      itsi_rand_range(&p->rng, 0.05, 0.35), i < 4 ? 0 : (int)itsi_rand_below(&p->rng, 6)};
        if (itsi_frame_pool_create(&c->pool, FRAMES_PER_CAMERA, make_pixels, release, dispose, diag) != 0)
            abort();
        p->cameras[p->count++] = c;
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

int itsi_pipeline_remove_camera(struct itsi_pipeline *p, const char *id, struct its_diag *diag)
{
    pthread_mutex_lock(&p->lock);
    const int at = fake_find(p, id);
    if (at >= 0) {
        struct itsi_ledger_counts counts;
        itsi_ledger_snapshot(&p->cameras[at]->ledger, &counts);
        itsi_ledger_counts_add(&p->gone, &counts);
        destroy_camera(p->cameras[at]);
        memmove(&p->cameras[at], &p->cameras[at + 1], (size_t)(--p->count - at) * sizeof p->cameras[0]);
    }
    pthread_mutex_unlock(&p->lock);
    return at >= 0 ? 0 : itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", id);
}

static void status_of(const struct itsi_pipeline *p, struct fake_camera *c, int64_t now, struct itsi_camera_status *out)
{
    struct itsi_url url;
    memset(out, 0, sizeof *out);
    out->camera = c->config;
    out->added_wall_ns = c->added_wall_ns;
    if (itsi_url_parse(&url, c->config.url, NULL) == 0)
        snprintf(out->group, sizeof out->group, "%.*s", (int)sizeof out->group - 1, url.host);
    itsi_ledger_snapshot(&c->ledger, &out->ledger);
    fake_quality_of(c, now, out);
    out->age_ms = out->latency_ms = NAN;
    out->capture = (struct itsi_capture_status){.state = c->dead ? ITSI_CAPTURE_BACKOFF : ITSI_CAPTURE_RUNNING,
                                                .state_since_ns = c->added_ns,
                                                .next_retry_ns = now + 3 * ITSI_NS_PER_S,
                                                .clock_offset_seconds = NAN,
                                                .live = true,
                                                .origin_kind = ITSI_ORIGIN_ARRIVAL,
                                                .seq = c->seq};
    if (c->dead) {
        out->capture.last_code = ITS_EREFUSED;
        out->capture.attempts = 4;
        snprintf(out->capture.last_error, sizeof out->capture.last_error, "rtsp://cam:***@10.0.0.9: connection refused");
        return;
    }
    snprintf(out->capture.codec, sizeof out->capture.codec, "h264");
    out->capture.width = frame_w;
    out->capture.height = frame_h;
    out->capture.fps = out->analysed_fps = p->params.fps;
    if (c->result) {
        out->age_ms = (double)(now - c->result->info.trace.origin) / 1e6;
        out->latency_ms = (double)c->result->breakdown.end_to_end / 1e6;
        out->last_count = c->result->count;
        out->last_result_ns = c->result->info.trace.handover;
    }
}

int itsi_pipeline_cameras(struct itsi_pipeline *p, struct itsi_camera_status *out, int cap)
{
    const int64_t now = itsi_now_ns();
    pthread_mutex_lock(&p->lock);
    const int count = p->count;
    for (int i = 0; i < count && i < cap; i++)
        status_of(p, p->cameras[i], now, &out[i]);
    pthread_mutex_unlock(&p->lock);
    return count;
}

int itsi_pipeline_camera(struct itsi_pipeline *p, const char *id, struct itsi_camera_status *out)
{
    pthread_mutex_lock(&p->lock);
    const int at = fake_find(p, id);
    if (at >= 0)
        status_of(p, p->cameras[at], itsi_now_ns(), out);
    pthread_mutex_unlock(&p->lock);
    return at >= 0 ? 0 : ITS_ENOTFOUND;
}

void itsi_pipeline_stats(struct itsi_pipeline *p, struct itsi_pipeline_stats *out)
{
    memset(out, 0, sizeof *out);
    snprintf(out->engine.backend, sizeof out->engine.backend, "fake");
    snprintf(out->engine.device, sizeof out->engine.device, "synthetic");
    snprintf(out->engine.precision, sizeof out->engine.precision, "fp32");
    out->engine.width = 640;
    out->engine.height = 384;
    itsi_latency_report(p->latency, &out->latency);
    int64_t now = itsi_now_ns();
    if (itsi_rolling_tick(p->rolling, now) != 0 ||
        itsi_rolling_query(p->rolling, ITSI_ROLLING_END_TO_END, ITSI_WINDOW_SHORT, now, &out->recent) != 0)
        memset(&out->recent, 0, sizeof out->recent);
    pthread_mutex_lock(&p->lock);
    out->ledger = p->gone;
    out->cameras = p->count;
    for (int i = 0; i < p->count; i++) {
        struct itsi_ledger_counts counts;
        itsi_ledger_snapshot(&p->cameras[i]->ledger, &counts);
        itsi_ledger_counts_add(&out->ledger, &counts);
        out->cameras_running += !p->cameras[i]->dead;
    }
    out->started_ns = p->started_ns;
    out->results = p->published;
    out->batches = p->published / 4;
    out->batch_images = p->published;
    out->batch_max = 4;
    out->analysed_fps = p->params.fps * out->cameras_running;
    pthread_mutex_unlock(&p->lock);
    out->bus_lost = itsi_bus_lost(&p->bus);
}

void itsi_pipeline_regression_report(struct itsi_pipeline *p, struct itsi_regression_report *out, int *band)
{
    (void)p;
    *out = (struct itsi_regression_report){.learning = true, .primary = -1};
    *band = -1;
}

struct itsi_rolling *itsi_pipeline_rolling(struct itsi_pipeline *p) { return p->rolling; }

struct itsi_tracer *itsi_pipeline_tracer(struct itsi_pipeline *p) { return p->tracer; }
struct itsi_alerts *itsi_pipeline_alerts(struct itsi_pipeline *p) { return p->alerts; }

void itsi_pipeline_alert_receivers(struct itsi_pipeline *p, struct itsi_alert_receiver_stats out[ITSI_ALERT_RECEIVERS])
{
    (void)p;
    memset(out, 0, ITSI_ALERT_RECEIVERS * sizeof *out);
    out[ITSI_ALERT_TO_LOG] = (struct itsi_alert_receiver_stats){.on = true, .sent = 3};
    out[ITSI_ALERT_TO_WEBHOOK] =
        (struct itsi_alert_receiver_stats){.on = true, .failed = 2, .waiting = 1, .down = true, .last_error = 503};
}

size_t itsi_pipeline_violations(struct itsi_pipeline *p, struct itsi_violation *out, size_t cap)
{
    return itsi_violations_list(&p->violations, out, cap);
}

uint64_t itsi_pipeline_violations_by_stage(struct itsi_pipeline *p, uint64_t out[ITSI_STAGE_COUNT])
{
    return itsi_violations_by_stage(&p->violations, out);
}

int itsi_pipeline_camera_window(struct itsi_pipeline *p, const char *id, enum itsi_rolling_window window,
                                struct itsi_window_figures *out)
{
    (void)p, (void)id, (void)window, (void)out;
    return ITS_ENOTFOUND;
}

int itsi_pipeline_measure(struct itsi_pipeline *p, const char *camera_id, int series, double milliseconds,
                          struct its_diag *diag)
{
    pthread_mutex_lock(&p->lock);
    const bool known = fake_find(p, camera_id) >= 0;
    pthread_mutex_unlock(&p->lock);
    if (!known)
        return itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", camera_id);
    return itsi_rolling_measure(p->rolling, series, -1, (int64_t)(milliseconds * 1e6));
}

int itsi_pipeline_freeze(struct itsi_pipeline *p, const char *why, const char *camera, struct itsi_frozen *out,
                         struct its_diag *diag)
{
    pthread_mutex_lock(&p->lock);
    const bool known = !camera || fake_find(p, camera) >= 0;
    pthread_mutex_unlock(&p->lock);
    if (!known)
        return itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", camera);
    snprintf(out->path, sizeof out->path, "data/flight/%.200s.flight", why);
    snprintf(out->clips[0], sizeof out->clips[0], "2026-01-31T12-00-00.123Z-%s.mp4", camera ? camera : "camera_001");
    out->clip_count = 1;
    return 0;
}

struct itsi_clips *itsi_pipeline_clips(struct itsi_pipeline *p) { return p->clips; }

void itsi_pipeline_clip_memory(struct itsi_pipeline *p, struct itsi_packet_store_stats *out)
{
    (void)p;
    *out = (struct itsi_packet_store_stats){.bytes = 512 << 20, .used = 1 << 20, .rings = 4};
}

void itsi_pipeline_reset_stats(struct itsi_pipeline *p) { itsi_latency_reset(p->latency); }

void itsi_pipeline_latency_counts(struct itsi_pipeline *p, struct itsi_latency_counts *out)
{
    itsi_latency_counts(p->latency, out);
}

const char *const *itsi_pipeline_class_names(struct itsi_pipeline *p, int *count)
{
    (void)p;
    *count = sizeof names / sizeof names[0];
    return names;
}

int itsi_pipeline_subscribe(struct itsi_pipeline *p, const char *camera_id, int depth, void (*wake)(void *arg),
                            void *wake_arg, struct itsi_subscription **out, struct its_diag *diag)
{
    return itsi_bus_subscribe(&p->bus, camera_id, depth, wake, wake_arg, out, diag);
}

struct itsi_result *itsi_pipeline_latest(struct itsi_pipeline *p, const char *id, struct itsi_frame **frame)
{
    struct itsi_result *result = NULL;
    pthread_mutex_lock(&p->lock);
    const int at = fake_find(p, id);
    if (at >= 0 && p->cameras[at]->result) {
        result = itsi_result_ref(p->cameras[at]->result);
        if (frame)
            *frame = itsi_frame_ref(p->cameras[at]->frame);
    }
    pthread_mutex_unlock(&p->lock);
    return result;
}

uint64_t fake_published(struct itsi_pipeline *p)
{
    pthread_mutex_lock(&p->lock);
    const uint64_t published = p->published;
    pthread_mutex_unlock(&p->lock);
    return published;
}

int64_t fake_longest_publish_ns(struct itsi_pipeline *p)
{
    pthread_mutex_lock(&p->lock);
    const int64_t longest = p->longest_ns;
    pthread_mutex_unlock(&p->lock);
    return longest;
}

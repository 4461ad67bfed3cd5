#include "pipeline/records.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/url.h"
#include "pipeline/pipeline_impl.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MINUTE (60 * ITSI_NS_PER_S)

enum violation_state { EMPTY, WRITING, FULL };

/* What the store does not take it counts itself: nothing here has to know. */
#define NOTE(call) ((void)(call))

/* --- objects ------------------------------------------------------------------------------------------------------- */

static const char *class_name(const struct itsi_pipeline *p, int32_t cls, char made_up[ITSI_CLASS_NAME_SIZE])
{
    return itsi_class_name((const char *const *)p->class_names, p->classes, cls, made_up);
}

static void count_one(void *arg, const struct itsi_passage *passage)
{
    const struct itsi_camera_stream *stream = arg;
    char made_up[ITSI_CLASS_NAME_SIZE];
    NOTE(itsi_store_count(stream->pipeline->store, stream->config.id, class_name(stream->pipeline, passage->cls, made_up),
                          passage->last_wall_ns / NS_PER_MINUTE, 1));
}

static void note_left(void *arg, const struct itsi_passage *passage)
{
    const struct itsi_camera_stream *stream = arg;
    char data[160], made_up[ITSI_CLASS_NAME_SIZE];
    snprintf(data, sizeof data, "{\"seconds\":%.3f,\"score\":%.3f,\"from\":[%.4f,%.4f],\"to\":[%.4f,%.4f]}", passage->seconds,
             (double)passage->score, (double)passage->from[0], (double)passage->from[1], (double)passage->to[0],
             (double)passage->to[1]);
    const struct itsi_store_event event = {
        .wall_ns = passage->last_wall_ns,
        .camera = stream->config.id,
        .kind = "left",
        .class_name = class_name(stream->pipeline, passage->cls, made_up),
        .track = passage->track,
        .data = data,
    };
    NOTE(itsi_store_track_event(stream->pipeline->store, &event));
}

void itsi_records_detected(struct itsi_camera_stream *stream, const struct itsi_result *result)
{
    const struct itsi_frame_info *info = &result->info;
    const struct itsi_passages_listener listener = {count_one, note_left, stream};
    const struct itsi_passages_picture picture = {info->trace.origin, info->capture_wall_ns, info->width, info->height};
    if (stream->records.passages)
        itsi_passages_update(stream->records.passages, &picture, result->boxes, result->count, &listener);
}

/* --- violations ---------------------------------------------------------------------------------------------------- */

void itsi_records_violation(struct itsi_camera_stream *stream, const struct itsi_violation *violation)
{
    struct itsi_stream_records *r = &stream->records;
    int state = EMPTY;
    if (!stream->pipeline->store || atomic_load_explicit(&r->violation_state, memory_order_relaxed) != EMPTY ||
        !atomic_compare_exchange_strong(&r->violation_state, &state, WRITING))
        return;
    r->violation = *violation;
    atomic_store_explicit(&r->violation_state, FULL, memory_order_release);
}

static bool take_violation(struct itsi_camera_stream *stream, struct itsi_violation *out)
{
    struct itsi_stream_records *r = &stream->records;
    if (atomic_load_explicit(&r->violation_state, memory_order_acquire) != FULL)
        return false;
    *out = r->violation;
    atomic_store_explicit(&r->violation_state, EMPTY, memory_order_release);
    return true;
}

static void note_violation(struct itsi_pipeline *p, const struct itsi_violation *v)
{
    char trace[ITSI_TRACE_ID_HEX_SIZE];
    itsi_trace_id_hex(&v->trace_id, trace);
    const struct itsi_store_violation row = {
        .wall_ns = v->wall_ns,
        .camera = v->camera_id,
        .stage = itsi_stage_name(v->stage),
        .latency_ms = v->end_to_end_ms,
        .waited_ms = v->queue_ms,
        .batch = v->batch,
        .level = v->quality_level,
        .trace = trace,
    };
    NOTE(itsi_store_violation(p->store, &row));
}

void itsi_records_tick(struct itsi_pipeline *p)
{
    bool more = p->store != NULL;
    for (int i = 0; more; i++) { /* who comes or goes meanwhile is looked at the next time */
        struct itsi_violation violation;
        pthread_mutex_lock(&p->table);
        more = i < p->camera_count;
        const bool found = more && take_violation(p->cameras[i], &violation);
        pthread_mutex_unlock(&p->table);
        if (found)
            note_violation(p, &violation);
    }
}

/* --- quality ------------------------------------------------------------------------------------------------------- */

static void put_inputs(struct itsi_json *json, const struct itsi_quality_event *event)
{
    itsi_json_object(json, NULL);
    itsi_json_string(json, "knob", itsi_quality_knob_name(event->knob));
    itsi_json_int(json, "from_rung", event->from_rung);
    itsi_json_int(json, "to_rung", event->to_rung);
    itsi_quality_put_inputs(json, &event->inputs);
    itsi_json_end(json, '}');
}

static void note_change(struct itsi_pipeline *p, const struct itsi_quality_event *event, const char *camera, int64_t wall_ns,
                        struct itsi_buf *text)
{
    struct itsi_json json;
    itsi_buf_reset(text);
    itsi_json_init(&json, text);
    put_inputs(&json, event);
    const struct itsi_store_quality_change change = {
        .wall_ns = wall_ns,
        .camera = camera,
        .from_level = event->from_level,
        .to_level = event->to_level,
        .reason = itsi_quality_reason_name(event->reason),
        .inputs = text->failed ? NULL : text->data,
    };
    NOTE(itsi_store_quality_change(p->store, &change));
}

/* Names of the cameras of events[0..count), which are in the order of the table; empty: gone since. */
static void name_cameras(struct itsi_pipeline *p, const struct itsi_quality_event *events, size_t count,
                         char names[][ITSI_CAMERA_ID_SIZE])
{
    int at = 0;
    pthread_mutex_lock(&p->table);
    for (size_t i = 0; i < count; i++) {
        while (at < p->camera_count && (uint64_t)p->cameras[at]->index + 1 < events[i].key)
            at++;
        names[i][0] = '\0';
        if (at < p->camera_count && (uint64_t)p->cameras[at]->index + 1 == events[i].key)
            memcpy(names[i], p->cameras[at]->config.id, ITSI_CAMERA_ID_SIZE);
    }
    pthread_mutex_unlock(&p->table);
}

void itsi_records_quality(struct itsi_pipeline *p, const struct itsi_quality_events *events)
{
    enum { AT_ONCE = 32 };
    char names[AT_ONCE][ITSI_CAMERA_ID_SIZE];
    struct itsi_buf text;
    if (!p->store || events->count == 0)
        return;
    const int64_t wall = itsi_wall_ns();
    itsi_buf_init(&text);
    for (size_t first = 0; first < events->count; first += AT_ONCE) {
        const size_t count = events->count - first < AT_ONCE ? events->count - first : AT_ONCE;
        name_cameras(p, &events->items[first], count, names);
        for (size_t i = 0; i < count; i++)
            if (names[i][0])
                note_change(p, &events->items[first + i], names[i], wall, &text);
    }
    itsi_buf_fini(&text);
}

/* --- cameras ------------------------------------------------------------------------------------------------------- */

static void put_url(struct itsi_json *json, const char *key, const char *url)
{
    char shown[sizeof((struct itsi_camera *)0)->url];
    itsi_url_redact(url, shown, sizeof shown);
    itsi_json_string(json, key, url[0] ? shown : NULL);
}

void itsi_records_camera_added(struct itsi_camera_stream *stream)
{
    const struct itsi_camera *camera = &stream->config;
    struct itsi_buf text;
    struct itsi_json json;
    if (!stream->pipeline->store)
        return;
    itsi_buf_init(&text);
    itsi_json_init(&json, &text);
    itsi_json_object(&json, NULL);
    put_url(&json, "url", camera->url);
    put_url(&json, "sub_url", camera->sub_url);
    itsi_json_int(&json, "priority", camera->priority);
    itsi_json_number(&json, "fps", camera->fps > 0 ? camera->fps : (double)NAN, 3);
    itsi_json_end(&json, '}');
    if (!text.failed)
        NOTE(itsi_store_camera(stream->pipeline->store, itsi_wall_ns(), camera->id, text.data));
    itsi_buf_fini(&text);
}

void itsi_records_camera_removed(struct itsi_camera_stream *stream)
{
    if (stream->pipeline->store)
        NOTE(itsi_store_camera(stream->pipeline->store, itsi_wall_ns(), stream->config.id, NULL));
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

int itsi_records_init(struct itsi_camera_stream *stream, struct its_diag *diag)
{
    static const struct itsi_tracker_params tracker = ITSI_TRACKER_DEFAULTS;
    const struct itsi_passages_params params = {tracker.lost_seconds, ITSI_RECORDS_LEAST_SECONDS};
    atomic_init(&stream->records.violation_state, EMPTY);
    if (!stream->pipeline->store || !stream->tracking.tracker)
        return 0;
    return itsi_passages_create(&stream->records.passages, &params, diag);
}

void itsi_records_fini(struct itsi_camera_stream *stream)
{
    const struct itsi_passages_listener listener = {count_one, note_left, stream};
    struct itsi_violation violation;
    if (take_violation(stream, &violation))
        note_violation(stream->pipeline, &violation);
    if (stream->records.passages)
        itsi_passages_end(stream->records.passages, &listener);
    itsi_passages_destroy(stream->records.passages);
}

/* Cameras come and go at run time, each without touching the others. */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "capture/packet_ring.h"
#include "config/camera.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void settle(struct itsi_camera_stream *stream)
{
    struct itsi_pipeline *p = stream->pipeline;
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&stream->ledger, &counts);
    pthread_mutex_lock(&p->table);
    itsi_ledger_counts_add(&p->settled, &counts);
    for (struct itsi_camera_stream **at = &p->streams; *at; at = &(*at)->next)
        if (*at == stream) { /* else it was refused: it has no index and no frames */
            struct itsi_gone_camera *gone = &p->gone[p->gone_count++ % ITSI_GONE];
            gone->index = stream->index;
            memcpy(gone->id, stream->config.id, sizeof gone->id);
            *at = stream->next;
            break;
        }
    pthread_mutex_unlock(&p->table);
    itsi_rolling_camera_release(p->rolling, stream->latency_series);
    itsi_result_unref(&stream->latest);
    itsi_frame_unref(&stream->latest_frame);
    itsi_mailbox_free(stream->mailbox);
    itsi_packet_ring_destroy(stream->ring);
    itsi_records_fini(stream);
    itsi_stream_tracking_fini(stream);
    itsi_ledger_fini(&stream->ledger);
    pthread_mutex_destroy(&stream->lock);
    itsi_free(stream);
}

void itsi_stream_retain(void *owner)
{
    struct itsi_camera_stream *stream = owner;
    atomic_fetch_add(&stream->refs, 1);
}

void itsi_stream_unref(struct itsi_camera_stream *stream)
{
    if (stream && atomic_fetch_sub(&stream->refs, 1) == 1)
        settle(stream);
}

static int find_index(const struct itsi_pipeline *p, const char *id)
{
    for (int i = 0; i < p->camera_count; i++)
        if (strcmp(p->cameras[i]->config.id, id) == 0)
            return i;
    return -1;
}

struct itsi_camera_stream *itsi_stream_find(struct itsi_pipeline *p, const char *id)
{
    pthread_mutex_lock(&p->table);
    int i = find_index(p, id);
    struct itsi_camera_stream *stream = i >= 0 ? p->cameras[i] : NULL;
    if (stream)
        atomic_fetch_add(&stream->refs, 1);
    pthread_mutex_unlock(&p->table);
    return stream;
}

static int sink_put(void *arg, struct itsi_frame *frame, bool may_block)
{
    struct itsi_camera_stream *stream = arg;
    if (frame->info.deadline != ITSI_NEVER) /* a budget changed at run time holds from the next frame on */
        frame->info.deadline = frame->info.trace.origin + atomic_load(&stream->pipeline->budget_ns);
    if (itsi_tracking_takes(stream, frame)) {
        itsi_stream_take(stream);
        return 0;
    }
    itsi_tracking_sent(stream);
    return itsi_mailbox_put(stream->mailbox, frame, may_block, itsi_now_ns());
}

static uint64_t sink_taken(void *arg)
{
    struct itsi_camera_stream *stream = arg;
    return atomic_load_explicit(&stream->taken, memory_order_relaxed);
}

/* Takes it out of the table; false when another thread did. */
static bool unlist(struct itsi_camera_stream *stream)
{
    struct itsi_pipeline *p = stream->pipeline;
    pthread_mutex_lock(&p->table);
    for (int i = 0; i < p->camera_count; i++)
        if (p->cameras[i] == stream) {
            memmove(&p->cameras[i], &p->cameras[i + 1], (size_t)(p->camera_count - i - 1) * sizeof p->cameras[0]);
            p->camera_count--;
            break;
        }
    bool mine = stream->listed;
    stream->listed = false;
    p->next_name = 1; /* its name may be given again */
    pthread_mutex_unlock(&p->table);
    return mine;
}

static int open_capture(struct itsi_camera_stream *stream, struct its_diag *diag)
{
    struct itsi_pipeline *p = stream->pipeline;
    struct itsi_capture_params params = {
        .id = stream->config.id,
        .url = stream->config.url,
        .sub_url = stream->config.sub_url,
        .cfg = &p->capture_cfg,
        .cache_dir = p->cache_dir,
        .camera = stream->index,
        .frames = (int)p->capture_cfg.frames_per_camera + (p->debt ? ITSI_DEBT_FRAMES : 0),
        .budget_ns = atomic_load(&p->budget_ns),
        .start_offset_ns = stream->config.start_offset_ns,
        .expected_fps = stream->config.fps,
        .ledger = &stream->ledger,
        .handshakes = p->handshakes,
        .metronome = p->metronome,
        .ring = stream->ring,
        .sink = {.put = sink_put, .arg = stream, .lost = itsi_stream_lost, .taken = sink_taken},
    };
    return itsi_capture_create(&stream->capture, &params, diag);
}

/* Gives the camera its id and its capture, and puts it into the table: all or nothing. The table's lock is held, so
 * that nobody sees it half made. */
static int enlist(struct itsi_pipeline *p, struct itsi_camera_stream *stream, struct its_diag *diag)
{
    struct itsi_camera *camera = &stream->config;
    int name = p->next_name;
    while (!camera->id[0]) {
        char id[ITSI_CAMERA_ID_SIZE];
        snprintf(id, sizeof id, "camera_%03d", name++);
        if (find_index(p, id) < 0)
            memcpy(camera->id, id, sizeof id);
    }
    if (p->stopping)
        return itsi_fail(diag, ITS_ECANCELLED, "camera %s: the pipeline is stopping", camera->id);
    if (find_index(p, camera->id) >= 0)
        return itsi_fail(diag, ITS_EEXISTS, "camera %s exists already", camera->id);
    if (p->camera_count >= p->max_cameras)
        return itsi_fail(diag, ITS_ELIMIT, "camera %s: max_concurrent_streams (%d) is reached", camera->id,
                         p->max_cameras);
    stream->index = p->next_index;
    int rc = open_capture(stream, diag);
    if (rc == 0)
        rc = itsi_stream_quality_admit(stream, diag);
    if (rc == 0 && p->started)
        rc = itsi_capture_start(stream->capture, diag);
    if (rc != 0) {
        itsi_capture_destroy(stream->capture);
        stream->capture = NULL;
        return itsi_diag_prefix(diag, rc, "camera %s", camera->id);
    }
    p->next_index++;
    stream->listed = true;
    stream->next = p->streams;
    p->streams = stream;
    p->cameras[p->camera_count++] = stream;
    p->next_name = name;
    return 0;
}

void itsi_stream_retire(struct itsi_camera_stream *stream, enum itsi_drop reason)
{
    /* the mailbox first: a capture that waits in put() must be able to end */
    itsi_mailbox_close(stream->mailbox, reason);
    if (stream->capture)
        itsi_capture_stop(stream->capture);
    itsi_capture_destroy(stream->capture);
    stream->capture = NULL;
    itsi_tracking_stop(stream, reason);
    itsi_debt_close(stream);
    itsi_stream_unref(stream);
}

static int make_stream(struct itsi_pipeline *p, const struct itsi_camera *camera, struct itsi_camera_stream **out,
                       struct its_diag *diag)
{
    struct itsi_camera_stream *stream = itsi_zalloc(sizeof *stream);
    if (!stream)
        return itsi_fail(diag, ITS_ENOMEM, "camera %s: out of memory", camera->id);
    stream->pipeline = p;
    stream->config = *camera;
    atomic_init(&stream->refs, 1);
    pthread_mutex_init(&stream->lock, NULL);
    itsi_ledger_init(&stream->ledger);
    int rc = itsi_stream_ring_init(stream, diag);
    if (rc == 0)
        rc = itsi_mailbox_create(p->batcher, &stream->mailbox, &stream->ledger, stream, 1 + camera->priority, diag);
    if (rc == 0) {
        rc = itsi_stream_tracking_init(stream, diag);
        if (rc == 0 && (rc = itsi_records_init(stream, diag)) != 0)
            itsi_stream_tracking_fini(stream);
        if (rc != 0)
            itsi_mailbox_free(stream->mailbox);
    }
    if (rc != 0) {
        itsi_packet_ring_destroy(stream->ring);
        itsi_ledger_fini(&stream->ledger);
        pthread_mutex_destroy(&stream->lock);
        itsi_free(stream);
        return rc;
    }
    itsi_stream_quality_init(stream);
    stream->latency_series = itsi_rolling_camera_claim(p->rolling);
    itsi_alerting_group_of(camera->url, stream->group, sizeof stream->group);
    stream->added_wall_ns = itsi_wall_ns();
    *out = stream;
    return 0;
}

int itsi_pipeline_add_camera(struct itsi_pipeline *p, struct itsi_camera *camera, struct its_diag *diag)
{
    if (camera->id[0] && !itsi_camera_id_valid(camera->id))
        return itsi_fail(diag, ITS_EINVAL, "camera id '%s': allowed are 1 to 64 of A-Z a-z 0-9 _ . -", camera->id);
    if (camera->priority < 0 || camera->priority > 9)
        return itsi_fail(diag, ITS_EINVAL, "camera %s: priority %d, allowed are 0 to 9", camera->id, camera->priority);
    struct itsi_camera_stream *stream = NULL;
    int rc = make_stream(p, camera, &stream, diag);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&p->table);
    rc = enlist(p, stream, diag);
    *camera = rc == 0 ? stream->config : *camera;
    if (rc == 0)
        itsi_stream_retain(stream); /* another may remove it as soon as the lock is free */
    pthread_mutex_unlock(&p->table);
    if (rc == 0)
        itsi_records_camera_added(stream);
    itsi_stream_unref(stream);
    return rc;
}

int itsi_pipeline_remove_camera(struct itsi_pipeline *p, const char *id, struct its_diag *diag)
{
    struct itsi_camera_stream *stream = itsi_stream_find(p, id);
    if (!stream)
        return itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", id);
    bool mine = unlist(stream);
    if (mine) {
        itsi_records_camera_removed(stream); /* first: its name is free, and ending its capture takes time */
        itsi_stream_retire(stream, ITSI_DROP_CAMERA_REMOVED);
    }
    itsi_stream_unref(stream);
    return mine ? 0 : itsi_fail(diag, ITS_ENOTFOUND, "no camera %s", id);
}

void itsi_stream_publish(struct itsi_camera_stream *stream, struct itsi_result *result, struct itsi_frame *frame,
                         int64_t now)
{
    struct itsi_result *old_result;
    struct itsi_frame *old_frame;
    pthread_mutex_lock(&stream->lock);
    old_result = stream->latest;
    old_frame = stream->latest_frame;
    stream->latest = itsi_result_ref(result);
    stream->latest_frame = itsi_frame_ref(frame);
    stream->last_result_ns = now;
    itsi_rate_add(&stream->rate, now);
    const bool sampled = itsi_debt_note(stream, result);
    pthread_mutex_unlock(&stream->lock);
    itsi_result_unref(&old_result);
    itsi_frame_unref(&old_frame);
    if (sampled)
        itsi_debt_keep(stream, result, frame);
}

struct itsi_result *itsi_pipeline_latest(struct itsi_pipeline *p, const char *id, struct itsi_frame **frame)
{
    struct itsi_camera_stream *stream = itsi_stream_find(p, id);
    if (!stream)
        return NULL;
    pthread_mutex_lock(&stream->lock);
    struct itsi_result *result = stream->latest ? itsi_result_ref(stream->latest) : NULL;
    if (result && frame)
        *frame = itsi_frame_ref(stream->latest_frame);
    pthread_mutex_unlock(&stream->lock);
    itsi_stream_unref(stream);
    return result;
}

static void stream_status(struct itsi_camera_stream *stream, int64_t now, struct itsi_camera_status *out)
{
    memset(out, 0, sizeof *out);
    out->camera = stream->config;
    memcpy(out->group, stream->group, sizeof out->group);
    out->added_wall_ns = stream->added_wall_ns;
    itsi_capture_status(stream->capture, &out->capture);
    itsi_ledger_snapshot(&stream->ledger, &out->ledger);
    itsi_stream_quality_status(stream, now, out);
    itsi_debt_status(stream, now, out->debt);
    out->age_ms = out->latency_ms = NAN;
    pthread_mutex_lock(&stream->lock);
    out->analysed_fps = itsi_rate_get(&stream->rate, now);
    out->last_result_ns = stream->last_result_ns;
    if (stream->latest) {
        out->age_ms = (double)(now - stream->latest->info.trace.origin) / 1e6;
        out->latency_ms = (double)stream->latest->breakdown.end_to_end / 1e6;
        out->last_count = stream->latest->count;
    }
    pthread_mutex_unlock(&stream->lock);
}

int itsi_pipeline_cameras(struct itsi_pipeline *p, struct itsi_camera_status *out, int cap)
{
    int64_t now = itsi_now_ns();
    pthread_mutex_lock(&p->table);
    int count = p->camera_count;
    for (int i = 0; i < count && i < cap; i++)
        stream_status(p->cameras[i], now, &out[i]);
    pthread_mutex_unlock(&p->table);
    return count;
}

int itsi_pipeline_camera(struct itsi_pipeline *p, const char *id, struct itsi_camera_status *out)
{
    pthread_mutex_lock(&p->table);
    int i = find_index(p, id);
    bool found = i >= 0;
    if (found)
        stream_status(p->cameras[i], itsi_now_ns(), out);
    pthread_mutex_unlock(&p->table);
    return found ? 0 : ITS_ENOTFOUND;
}

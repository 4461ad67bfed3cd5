/* Encoder threads: each takes the next variant that wants a picture, encodes the camera's newest, and hands it to all
 * who watch. They run at low priority: on a busy machine live views slow down before analysis does. */
#include "serve/streams_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/thread.h"
#include "encode/jpeg.h"
#include "encode/result_json.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct itsi_variant *take(struct itsi_streams *s)
{
    struct itsi_variant *v = s->queue;
    s->queue = v->next_queued;
    if (!s->queue)
        s->queue_tail = NULL;
    v->queued = false;
    v->busy = true;
    return v;
}

static double to_ms(int64_t ns) { return (double)ns / (double)ITSI_NS_PER_MS; }

/* Headers of a part of multipart/x-mixed-replace, the same for all viewers; each adds the boundary before them, its own and
 * the empty line.
 * Server-Timing names every stage. */
static void write_part(struct itsi_item *item, const struct itsi_result *result, size_t jpeg_size, int64_t now)
{
    char time[32];
    itsi_format_wall(result->info.capture_wall_ns, time);
    itsi_buf_printf(&item->part,
                    "Content-Type: image/jpeg\r\nContent-Length: %zu\r\nX-ITS-Capture-Time: %s\r\n"
                    "X-ITS-Age-Ms: %.1f\r\nX-ITS-Quality: %s\r\nX-ITS-Seq: %llu\r\nServer-Timing: ",
                    jpeg_size, time, to_ms(now - result->info.trace.origin), itsi_quality_name(result->quality_level),
                    (unsigned long long)result->info.seq);
    for (int stage = 0; stage < ITSI_STAGE_ENCODING; stage++)
        itsi_buf_printf(&item->part, "%s;dur=%.2f, ", itsi_stage_name((enum itsi_stage)stage),
                        to_ms(result->breakdown.wait[stage] + result->breakdown.service[stage]));
    itsi_buf_printf(&item->part, "encoding;dur=%.2f\r\n", to_ms(item->facts.encode_end - item->facts.encode_asked));
}

static void put_length(char out[4], size_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(value >> (24 - 8 * i) & 0xff);
}

/* Two big-endian lengths, then the JSON; the picture follows. */
static void write_record(struct itsi_streams *s, struct itsi_item *item, const struct itsi_result *result,
                         const struct itsi_jpeg_output *jpeg, int64_t now)
{
    struct itsi_json json;
    char lengths[8] = {0};
    itsi_buf_add(&item->record, lengths, sizeof lengths);
    itsi_json_init(&json, &item->record);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "type", "picture");
    itsi_json_int(&json, "jpeg_width", jpeg->width);
    itsi_json_int(&json, "jpeg_height", jpeg->height);
    itsi_result_json(&json, "result", result, s->names, s->name_count, now);
    itsi_json_end(&json, '}');
    if (item->record.failed)
        return;
    put_length(item->record.data, item->record.len - sizeof lengths);
    put_length(item->record.data + 4, jpeg->size);
}

/* No larger and no finer than the camera's quality level says. */
static void hold_to_level(const struct itsi_result *result, struct itsi_jpeg_request *request)
{
    const struct itsi_frame_info *info = &result->info;
    if (result->picture_height && result->picture_height < info->height) {
        const int width = (int)((int64_t)info->width * result->picture_height / info->height);
        if (request->width == 0 || request->width > width)
            request->width = width > 0 ? width : 1;
    }
    if (result->picture_quality && result->picture_quality < request->quality)
        request->quality = result->picture_quality;
}

static struct itsi_item *make(struct itsi_streams *s, struct itsi_jpeg *encoder, const struct itsi_variant *v,
                              const struct itsi_result *result, struct itsi_frame **frame, int64_t started,
                              struct its_diag *diag)
{
    struct itsi_jpeg_request request = {.width = v->width, .quality = atomic_load(&s->settings->jpeg_quality)};
    struct itsi_jpeg_output jpeg;
    hold_to_level(result, &request);
    if (v->boxes) {
        request.boxes = result->boxes;
        request.count = result->count;
        request.names = s->names;
        request.name_count = s->name_count;
    }
    const int64_t cpu = itsi_thread_cpu_ns();
    int rc = itsi_jpeg_encode(encoder, &(*frame)->picture, &request, &jpeg, diag);
    itsi_pipeline_note_encoding(s->pipeline, v->camera, itsi_thread_cpu_ns() - cpu);
    itsi_frame_unref(frame); /* back to the camera's small pool */
    if (rc != 0)
        return NULL;
    struct itsi_item *item = itsi_item_get(&s->pictures);
    if (!item) {
        itsi_fail(diag, ITS_ENOMEM, "out of memory");
        return NULL;
    }
    const int64_t now = itsi_now_ns();
    itsi_frame_facts_of(result, &item->facts);
    item->facts.encode_asked = v->queued_ns;
    item->facts.encode_start = started;
    item->facts.encode_end = now;
    itsi_buf_add(&item->body, jpeg.data, jpeg.size);
    write_part(item, result, jpeg.size, now);
    write_record(s, item, result, &jpeg, now);
    if (item->body.failed || item->part.failed || item->record.failed) {
        itsi_fail(diag, ITS_ENOMEM, "out of memory");
        itsi_item_unref(&item);
        return NULL;
    }
    itsi_buckets_add(&s->stats->encode_wait, started - v->queued_ns);
    itsi_buckets_add(&s->stats->encode_service, now - started);
    itsi_buckets_add(&s->stats->encode_total, now - v->queued_ns);
    itsi_rolling_stage(itsi_pipeline_rolling(s->pipeline), ITSI_STAGE_ENCODING, started - v->queued_ns, now - started);
    atomic_fetch_add_explicit(&s->stats->encoded, 1, memory_order_relaxed);
    return item;
}

static bool same_frame(const struct itsi_frame_info *a, const struct itsi_frame_info *b)
{
    return a->camera == b->camera && a->generation == b->generation && a->epoch == b->epoch && a->seq == b->seq;
}

/* Without the lock; v is busy and stays. *item: a reference, also when the picture was made before. */
static int refresh(struct itsi_streams *s, struct itsi_jpeg *encoder, struct itsi_variant *v, struct itsi_item **item,
                   bool *fresh, struct its_diag *diag)
{
    const int64_t started = itsi_now_ns();
    struct itsi_frame *frame = NULL;
    struct itsi_result *result = itsi_pipeline_latest(s->pipeline, v->camera, &frame);
    *fresh = false;
    if (!result)
        return itsi_fail(diag, ITS_EAGAIN, "camera %s has given no picture yet", v->camera);
    const struct itsi_frame_info *info = &result->info;
    if (v->latest && same_frame(&v->latest->facts.info, info)) {
        *item = itsi_item_ref(v->latest);
    } else {
        *item = make(s, encoder, v, result, &frame, started, diag);
        *fresh = *item != NULL;
        if (!*fresh)
            atomic_fetch_add_explicit(&s->stats->encode_failures, 1, memory_order_relaxed);
    }
    itsi_frame_unref(&frame);
    itsi_result_unref(&result);
    return *item ? 0 : ITS_EINVAL;
}

static void answer(struct itsi_picture_wait *waits, int status, struct itsi_item *item, const struct its_diag *diag)
{
    while (waits) {
        struct itsi_picture_wait *wait = waits;
        waits = wait->next;
        wait->status = status;
        wait->item = item ? itsi_item_ref(item) : NULL;
        snprintf(wait->reason, sizeof wait->reason, "%.159s", diag->text);
        wait->done(wait);
    }
}

/* Under the lock on entry and on return. */
static void serve_one(struct itsi_streams *s, struct itsi_jpeg *encoder)
{
    struct itsi_variant *v = take(s);
    struct itsi_item *item = NULL;
    struct its_diag diag = {""};
    bool fresh;
    pthread_mutex_unlock(&s->lock);
    const int rc = refresh(s, encoder, v, &item, &fresh, &diag);
    pthread_mutex_lock(&s->lock);
    const int64_t now = itsi_now_ns();
    v->busy = false;
    v->used_ns = now;
    struct itsi_picture_wait *waits = v->waits;
    v->waits = NULL;
    if (fresh) {
        itsi_item_unref(&v->latest);
        v->latest = itsi_item_ref(item);
    }
    if (item)
        itsi_variant_deliver(v, item, fresh, now);
    if (v->again) {
        v->again = false;
        itsi_variant_queue(s, v, now);
    }
    pthread_mutex_unlock(&s->lock);
    answer(waits, rc, item, &diag);
    itsi_item_unref(&item);
    pthread_mutex_lock(&s->lock);
}

void *itsi_encoder_run(void *arg)
{
    struct itsi_streams *s = arg;
    struct itsi_jpeg *encoder = NULL;
    struct its_diag diag = {""};
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
    const int rc = itsi_jpeg_create(&encoder, &diag);
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        if (!s->queue) {
            itsi_cond_wait_until(&s->encoder_wake, &s->lock, ITSI_NEVER);
        } else if (rc == 0) {
            serve_one(s, encoder);
        } else { /* no memory for an encoder: nobody waits for ever */
            struct itsi_variant *v = take(s);
            struct itsi_picture_wait *waits = v->waits;
            v->waits = NULL;
            v->busy = false;
            pthread_mutex_unlock(&s->lock);
            answer(waits, rc, NULL, &diag);
            pthread_mutex_lock(&s->lock);
        }
    }
    pthread_mutex_unlock(&s->lock);
    itsi_jpeg_destroy(encoder);
    return NULL;
}

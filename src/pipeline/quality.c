/* The quality manager's thread: a step every half second, and what the targets mean for capture, batcher and results. */
#include "pipeline/quality_impl.h"

#include "base/clock.h"
#include "base/log.h"

#include <math.h>
#include <string.h>

/* --- results carry their level ------------------------------------------------------------------------------------ */

static int clamp_level(int level) { return level < 0 ? 0 : level > ITSI_QUALITY_ULTRA_HIGH ? ITSI_QUALITY_ULTRA_HIGH : level; }

void itsi_stream_quality_init(struct itsi_camera_stream *stream)
{
    struct itsi_pipeline *p = stream->pipeline;
    struct itsi_stream_quality *s = &stream->quality;
    int level = ITSI_QUALITY_HIGH;
    if (p->quality) {
        pthread_mutex_lock(&p->quality->mutex);
        level = clamp_level(p->quality->policy.default_level);
        pthread_mutex_unlock(&p->quality->mutex);
        s->target.input = p->quality->own_input;
    }
    atomic_init(&s->level, level);
    s->pin = s->boost = s->start = -1;
    s->target.level = level;
    s->target.detect_interval = 1;
    s->changed = itsi_now_ns();
    s->changed_wall_ns = itsi_wall_ns();
}

void itsi_quality_mark_result(struct itsi_camera_stream *stream, struct itsi_result *result)
{
    struct itsi_stream_quality *s = &stream->quality;
    result->quality_level = atomic_load_explicit(&s->level, memory_order_relaxed);
    result->picture_height = atomic_load_explicit(&s->picture_height, memory_order_relaxed);
    result->picture_quality = atomic_load_explicit(&s->picture_quality, memory_order_relaxed);
}

void itsi_quality_note_result(struct itsi_camera_stream *stream, struct itsi_result *result)
{
    const struct itsi_trace *trace = &result->info.trace;
    itsi_quality_mark_result(stream, result);
    atomic_fetch_add_explicit(&stream->quality.detected, 1, memory_order_relaxed);
    if (!stream->pipeline->quality)
        return;
    const int64_t deadline = result->info.deadline;
    /* one that came with little of its time left says something of its camera's network, not of ours */
    const bool telling = deadline != ITSI_NEVER && deadline - trace->decode_start > trace->decode_start - trace->origin;
    itsi_facts_frame(&stream->pipeline->quality->facts, telling ? deadline - trace->handover : ITSI_NEVER,
                     trace->pre_start - trace->decode_end, trace->handover - trace->origin);
}

void itsi_quality_note_run(struct itsi_pipeline *p, int size, int images, int64_t run_ns)
{
    if (p->quality)
        itsi_facts_run(&p->quality->facts, size, images, run_ns);
}

void itsi_quality_note_failure(struct itsi_pipeline *p)
{
    if (p->quality)
        itsi_facts_failed(&p->quality->facts);
}

/* --- a step ------------------------------------------------------------------------------------------------------- */

/* Pictures of the levels from high on are as the operator configured them. */
static void apply_pictures(struct itsi_stream_quality *s, const struct itsi_quality_target *target)
{
    const bool full = target->position.rung[ITSI_KNOB_ENCODE] <= itsi_quality_rung_of(ITSI_QUALITY_HIGH);
    atomic_store_explicit(&s->picture_height, full ? 0 : target->encode_height, memory_order_relaxed);
    atomic_store_explicit(&s->picture_quality, full ? 0 : target->jpeg_quality, memory_order_relaxed);
    atomic_store_explicit(&s->level, target->level, memory_order_relaxed);
}

void itsi_quality_apply(struct itsi_camera_stream *stream, const struct itsi_quality_target *target)
{
    const struct itsi_quality_control *q = stream->pipeline->quality;
    const int interval = target->detect_interval > 1 ? target->detect_interval : 1;
    /* without a tracker nothing can be made of the frames between */
    const double fps = stream->tracking.tracker ? target->analysed_fps : target->analysed_fps / interval;
    atomic_store_explicit(&stream->tracking.interval, interval, memory_order_relaxed);
    atomic_store_explicit(&stream->tracking.fps_millihertz, (int)(fps * 1e3), memory_order_relaxed);
    itsi_capture_economise(stream->capture, target->decode, fps, target->sub_stream);
    itsi_mailbox_set_input(stream->mailbox, q->order[target->input], itsi_now_ns());
    apply_pictures(&stream->quality, target);
    stream->quality.target = *target;
}

/* Targets are in the order of the table as it was; cameras may have come and gone since. */
static void apply_all(struct itsi_pipeline *p, const struct itsi_quality_target *targets, int count)
{
    pthread_mutex_lock(&p->table);
    for (int i = 0, t = 0; i < p->camera_count && t < count; i++) {
        struct itsi_camera_stream *stream = p->cameras[i];
        while (t < count && targets[t].key < (uint64_t)stream->index + 1)
            t++;
        if (t < count && targets[t].key == (uint64_t)stream->index + 1)
            itsi_quality_apply(stream, &targets[t++]);
    }
    pthread_mutex_unlock(&p->table);
}

/* NULL: gone since. Events are in the order of the table, where *at is how far it was searched. The table's lock is held. */
static struct itsi_camera_stream *stream_of(struct itsi_pipeline *p, uint64_t key, int *at)
{
    while (*at < p->camera_count && (uint64_t)p->cameras[*at]->index + 1 < key)
        ++*at;
    return *at < p->camera_count && (uint64_t)p->cameras[*at]->index + 1 == key ? p->cameras[*at] : NULL;
}

/* Into the history and into the camera's own count; both locks are held. */
static void keep_one(struct itsi_pipeline *p, const struct itsi_quality_event *event, int *at, int64_t now, int64_t wall)
{
    struct itsi_quality_control *q = p->quality;
    struct itsi_quality_change *change = &q->history[q->changes++ % ITSI_QUALITY_HISTORY];
    struct itsi_camera_stream *stream = stream_of(p, event->key, at);
    change->wall_ns = wall;
    change->event = *event;
    change->camera[0] = '\0';
    if (!stream)
        return;
    memcpy(change->camera, stream->config.id, ITSI_CAMERA_ID_SIZE);
    if (event->from_rung == event->to_rung)
        return; /* of its stream, not of its quality */
    stream->quality.changes++;
    stream->quality.changed = now;
    stream->quality.changed_wall_ns = wall;
}

static void keep(struct itsi_pipeline *p, const struct itsi_quality_events *events)
{
    struct itsi_quality_control *q = p->quality;
    const int64_t now = itsi_now_ns(), wall = itsi_wall_ns();
    int at = 0;
    pthread_mutex_lock(&p->table);
    pthread_mutex_lock(&q->mutex);
    for (size_t i = 0; i < events->count; i++)
        keep_one(p, &events->items[i], &at, now, wall);
    pthread_mutex_unlock(&q->mutex);
    pthread_mutex_unlock(&p->table);
}

/* One line a step, however many cameras it moves; each change is in the history. */
static void tell(const struct itsi_quality_control *q, const struct itsi_quality_events *events)
{
    char text[400];
    if (events->count == 0)
        return;
    itsi_quality_event_text(&events->items[events->count - 1], text, sizeof text);
    itsi_info("quality", "%zu changes; the last: %s: %s", events->count,
              q->history[(q->changes - 1) % ITSI_QUALITY_HISTORY].camera, text);
}

static void step(struct itsi_pipeline *p, int64_t now)
{
    struct itsi_quality_control *q = p->quality;
    struct itsi_quality_snapshot snapshot;
    struct itsi_quality_policy policy;
    struct itsi_quality_events events = {.items = q->events,
                                         .capacity = (size_t)q->max_cameras * ITSI_QUALITY_CAMERA_EVENTS};
    itsi_quality_gather(p, now, &snapshot);
    pthread_mutex_lock(&q->mutex);
    policy = q->policy;
    pthread_mutex_unlock(&q->mutex);
    if (itsi_quality_step(&snapshot, &policy, q->state, q->targets, &events) != 0)
        return; /* more cameras than there may be: cannot be */
    apply_all(p, q->targets, snapshot.count);
    keep(p, &events);
    itsi_records_quality(p, &events);
    tell(q, &events);
    pthread_mutex_lock(&q->mutex);
    q->overview.cores = snapshot.cores;
    itsi_quality_status(q->state, &q->overview.status);
    itsi_quality_capacity(q->state, &q->capacity);
    itsi_quality_grants_follow(&q->grants, &snapshot, q->targets, &q->capacity, &policy);
    itsi_debt_set_room(p, itsi_debt_room(&policy, &q->overview.status));
    pthread_mutex_unlock(&q->mutex);
}

static void *quality_main(void *arg)
{
    struct itsi_pipeline *p = arg;
    struct itsi_quality_control *q = p->quality;
    int64_t next = q->last_step = itsi_now_ns();
    while (!itsi_event_wait_until(&q->stop, next += ITSI_QUALITY_TICK_NS)) {
        const int64_t now = itsi_now_ns();
        step(p, now);
        itsi_tracking_balance(p);
        next = next < now - ITSI_QUALITY_TICK_NS ? now : next;
    }
    return NULL;
}

int itsi_pipeline_start_quality(struct itsi_pipeline *p, struct its_diag *diag)
{
    if (!p->quality)
        return 0;
    int rc = itsi_thread_start(&p->quality->thread, "its-quality", quality_main, p, diag);
    p->quality->running = rc == 0;
    return rc;
}

void itsi_pipeline_stop_quality(struct itsi_pipeline *p)
{
    if (!p->quality)
        return;
    itsi_event_set(&p->quality->stop);
    if (p->quality->running)
        pthread_join(p->quality->thread, NULL);
    p->quality->running = false;
}

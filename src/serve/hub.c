/* The hub thread: results off the detection bus, events to viewers, pictures asked of the encoders, and a timer that
 * looks after what is quiet. It subscribes only while somebody watches. */
#include "serve/streams_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "encode/result_json.h"
#include "serve/connections.h"
#include "serve/file_body.h"
#include "serve/lookup.h"

#include <string.h>

#define TICK_NS (ITSI_NS_PER_S / 2)
#define EVENTS_HEARTBEAT_NS (15 * ITSI_NS_PER_S)
#define WALL_HEARTBEAT_NS (2 * ITSI_NS_PER_S)
#define DOUBT_HEARTBEAT_NS (2 * ITSI_NS_PER_S)
/* Results waiting here are not free for new ones: small beside the pipeline's pool. */
enum { BUS_DEPTH = 64 };

/* From the post-processing thread. */
static void bus_wake(void *arg)
{
    struct itsi_streams *s = arg;
    pthread_mutex_lock(&s->lock);
    if (!s->bus_pending) {
        s->bus_pending = true;
        pthread_cond_signal(&s->hub_wake);
    }
    pthread_mutex_unlock(&s->lock);
}

static bool wants_event(const struct itsi_viewer *v, const char *camera)
{
    return v->kind == ITSI_VIEWER_EVENTS && !v->ended && (!v->camera[0] || strcmp(v->camera, camera) == 0);
}

static struct itsi_item *make_event(struct itsi_streams *s, const struct itsi_result *result)
{
    struct itsi_item *item = itsi_item_get(&s->events);
    struct itsi_json json;
    if (!item)
        return NULL;
    itsi_frame_facts_of(result, &item->facts);
    item->facts.encode_asked = result->info.trace.handover;
    item->facts.encode_start = itsi_now_ns();
    itsi_buf_printf(&item->body, "id: %s/%u/%llu\ndata: ", result->info.camera_id, result->info.epoch,
                    (unsigned long long)result->info.seq);
    itsi_json_init(&json, &item->body);
    itsi_result_json(&json, NULL, result, s->names, s->name_count, item->facts.encode_start);
    itsi_buf_puts(&item->body, "\n\n");
    item->facts.encode_end = itsi_now_ns();
    if (item->body.failed)
        itsi_item_unref(&item);
    return item;
}

static void publish(struct itsi_streams *s, const struct itsi_result *result)
{
    const char *camera = result->info.camera_id;
    const int64_t now = itsi_now_ns();
    bool wanted = false;
    pthread_mutex_lock(&s->lock);
    for (const struct itsi_viewer *v = s->viewers; v && !wanted; v = v->next)
        wanted = wants_event(v, camera);
    for (struct itsi_variant *v = s->variants; v; v = v->next)
        if (v->tiles && strcmp(v->camera, camera) == 0 && itsi_due(&v->next_due, v->interval_ns, now))
            itsi_variant_queue(s, v, now);
    pthread_mutex_unlock(&s->lock);
    struct itsi_item *item = wanted ? make_event(s, result) : NULL;
    if (!item)
        return;
    pthread_mutex_lock(&s->lock);
    for (struct itsi_viewer *v = s->viewers; v; v = v->next)
        if (wants_event(v, camera))
            itsi_viewer_push(v, item, now);
    pthread_mutex_unlock(&s->lock);
    itsi_item_unref(&item);
}

/* What the bus dropped because this thread was late is lost to every viewer of events of all cameras, and they hear it. */
static void pass_on_losses(struct itsi_streams *s)
{
    const uint64_t lost = itsi_subscription_lost(s->subscription);
    if (lost == s->bus_lost)
        return;
    pthread_mutex_lock(&s->lock);
    for (struct itsi_viewer *v = s->viewers; v; v = v->next)
        if (v->kind == ITSI_VIEWER_EVENTS && !v->camera[0])
            v->lost += lost - s->bus_lost;
    pthread_mutex_unlock(&s->lock);
    s->bus_lost = lost;
}

static void drain_bus(struct itsi_streams *s)
{
    struct itsi_result *result;
    if (!s->subscription)
        return;
    while ((result = itsi_subscription_next(s->subscription, 0))) {
        publish(s, result);
        itsi_result_unref(&result);
    }
    pass_on_losses(s);
}

static void subscribe(struct itsi_streams *s, bool wanted)
{
    struct its_diag diag;
    if (!wanted) {
        itsi_subscription_close(s->subscription);
        s->subscription = NULL;
    } else if (itsi_pipeline_subscribe(s->pipeline, NULL, BUS_DEPTH, bus_wake, s, &s->subscription, &diag) != 0) {
        s->subscription = NULL;
        itsi_warn("serve", "no results for viewers: %s", diag.text);
    }
    s->bus_lost = 0;
}

/* --- timer -------------------------------------------------------------------------------------------------------- */

static int look_at_cameras(struct itsi_streams *s)
{
    int count = itsi_pipeline_cameras(s->pipeline, s->cameras, s->camera_capacity);
    if (count <= s->camera_capacity)
        return count;
    struct itsi_camera_status *room = itsi_realloc(s->cameras, (size_t)(count + 16) * sizeof *room);
    if (!room)
        return s->camera_capacity;
    s->cameras = room;
    s->camera_capacity = count + 16;
    count = itsi_pipeline_cameras(s->pipeline, s->cameras, s->camera_capacity);
    return count < s->camera_capacity ? count : s->camera_capacity;
}

static bool exists(const struct itsi_streams *s, int cameras, const char *id)
{
    for (int i = 0; i < cameras; i++)
        if (strcmp(s->cameras[i].camera.id, id) == 0)
            return true;
    return false;
}

static bool watches(const struct itsi_viewer *v, const char *id)
{
    for (int i = 0; i < v->tile_count; i++)
        if (strcmp(v->tiles[i]->variant->camera, id) == 0)
            return true;
    return false;
}

/* Streams of removed cameras end; walls of all cameras get those that came and lose those that went. */
static void follow_cameras(struct itsi_streams *s, int cameras)
{
    for (struct itsi_viewer *v = s->viewers; v; v = v->next) {
        if (v->camera[0] && !exists(s, cameras, v->camera))
            itsi_viewer_end(v);
        for (int i = v->tile_count - 1; v->kind == ITSI_VIEWER_WALL && i >= 0; i--)
            if (!exists(s, cameras, v->tiles[i]->variant->camera))
                itsi_viewer_unwatch(v, i);
        for (int i = 0; v->all_cameras && i < cameras; i++)
            if (!watches(v, s->cameras[i].camera.id))
                (void)itsi_viewer_watch(v, s->cameras[i].camera.id); /* no room: tried again next time */
    }
}

/* Whether one who has closed its half is gone or reads on, what is sent to it tells: soon, and to pictures' viewers too. */
static int64_t heartbeat_ns(const struct itsi_viewer *v)
{
    static const int64_t usual[ITSI_VIEWER_KINDS] = {[ITSI_VIEWER_EVENTS] = EVENTS_HEARTBEAT_NS,
                                                     [ITSI_VIEWER_LIVE] = ITSI_NEVER,
                                                     [ITSI_VIEWER_WALL] = WALL_HEARTBEAT_NS};
    return itsi_connection_is_half_closed(v->connection) ? DOUBT_HEARTBEAT_NS : usual[v->kind];
}

static void beat_hearts(struct itsi_streams *s, int64_t now)
{
    for (struct itsi_viewer *v = s->viewers; v; v = v->next) {
        if (!v->suspended || now - v->written_ns < heartbeat_ns(v))
            continue;
        v->written_ns = now;
        v->heartbeat = true;
        itsi_viewer_wake(v);
    }
}

/* A client that went away while its connection was suspended is not noticed by the network thread. */
static void end_vanished(struct itsi_streams *s)
{
    for (struct itsi_viewer *v = s->viewers; v; v = v->next)
        if (v->suspended && itsi_connection_is_gone(v->connection))
            itsi_viewer_end(v);
}

static void tick(struct itsi_streams *s, int64_t now)
{
    itsi_connections_expire(s->connections, now);
    itsi_reads_look(s->reads, now);
    itsi_lookups_look(s->lookups, now);
    const int cameras = look_at_cameras(s);
    pthread_mutex_lock(&s->lock);
    follow_cameras(s, cameras);
    end_vanished(s);
    beat_hearts(s, now);
    itsi_variants_collect(s, now);
    pthread_mutex_unlock(&s->lock);
}

static void *run(void *arg)
{
    struct itsi_streams *s = arg;
    int64_t next_tick = 0;
    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        const bool wanted = s->viewer_count > 0 && !s->stopping;
        const bool pending = s->bus_pending, poked = s->poked;
        const int64_t now = itsi_now_ns();
        s->bus_pending = s->poked = false;
        if (wanted != (s->subscription != NULL) || pending || poked || now >= next_tick) {
            pthread_mutex_unlock(&s->lock);
            if (wanted != (s->subscription != NULL))
                subscribe(s, wanted);
            if (pending)
                drain_bus(s);
            if (poked || now >= next_tick) {
                tick(s, now);
                next_tick = now + TICK_NS;
            }
            pthread_mutex_lock(&s->lock);
            continue;
        }
        const bool quiet = s->viewer_count == 0 && !s->variants && itsi_connections_count(s->connections) == 0;
        itsi_cond_wait_until(&s->hub_wake, &s->lock, quiet ? ITSI_NEVER : next_tick);
        if (quiet)
            next_tick = 0;
    }
    pthread_mutex_unlock(&s->lock);
    itsi_subscription_close(s->subscription);
    s->subscription = NULL;
    return NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void itsi_streams_poke(struct itsi_streams *s)
{
    pthread_mutex_lock(&s->lock);
    s->poked = true;
    pthread_cond_signal(&s->hub_wake);
    pthread_mutex_unlock(&s->lock);
}

int itsi_streams_create(struct itsi_streams **out, const struct itsi_streams_params *params, struct its_diag *diag)
{
    struct itsi_streams *s = itsi_zalloc(sizeof *s);
    if (!s)
        return itsi_fail(diag, ITS_ENOMEM, "streams: out of memory");
    s->pipeline = params->pipeline;
    s->settings = params->settings;
    s->stats = params->stats;
    s->connections = params->connections;
    s->reads = params->reads;
    s->lookups = params->lookups;
    s->max_viewers = params->max_viewers;
    s->encoder_count = params->encoders < 4 ? params->encoders : 4;
    itsi_pipeline_set_encoders(params->pipeline, s->encoder_count);
    s->names = itsi_pipeline_class_names(params->pipeline, &s->name_count);
    pthread_mutex_init(&s->lock, NULL);
    itsi_cond_init(&s->hub_wake);
    itsi_cond_init(&s->encoder_wake);
    itsi_cond_init(&s->viewer_gone);
    itsi_item_pool_init(&s->events);
    itsi_item_pool_init(&s->pictures);
    int rc = itsi_thread_start(&s->hub, "serve-hub", run, s, diag);
    s->threads_started = rc == 0;
    for (int i = 0; i < s->encoder_count && rc == 0; i++) {
        rc = itsi_thread_start(&s->encoders[i], "serve-jpeg", itsi_encoder_run, s, diag);
        s->threads_started += rc == 0;
    }
    if (rc != 0) {
        itsi_streams_stop(s, 0);
        itsi_streams_destroy(s);
        return rc;
    }
    *out = s;
    return 0;
}

/* Everybody who still waits for a picture hears that there will be none. */
static void refuse_waits(struct itsi_streams *s)
{
    struct itsi_picture_wait *all = NULL;
    pthread_mutex_lock(&s->lock);
    for (struct itsi_variant *v = s->variants; v; v = v->next)
        while (v->waits) {
            struct itsi_picture_wait *wait = v->waits;
            v->waits = wait->next;
            wait->next = all;
            all = wait;
        }
    pthread_mutex_unlock(&s->lock);
    while (all) {
        struct itsi_picture_wait *wait = all;
        all = wait->next;
        wait->status = ITS_ECANCELLED;
        wait->done(wait);
    }
}

void itsi_streams_stop(struct itsi_streams *s, int64_t until_ns)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    for (struct itsi_viewer *v = s->viewers; v; v = v->next)
        itsi_viewer_end(v);
    while (s->viewer_count && itsi_cond_wait_until(&s->viewer_gone, &s->lock, until_ns))
        ;
    s->closing = true;
    pthread_cond_broadcast(&s->hub_wake);
    pthread_cond_broadcast(&s->encoder_wake);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->threads_started; i++)
        pthread_join(i == 0 ? s->hub : s->encoders[i - 1], NULL);
    s->threads_started = 0;
    refuse_waits(s);
}

void itsi_streams_destroy(struct itsi_streams *s)
{
    if (!s)
        return;
    itsi_variants_clear(s);
    itsi_item_pool_fini(&s->events);
    itsi_item_pool_fini(&s->pictures);
    pthread_cond_destroy(&s->hub_wake);
    pthread_cond_destroy(&s->encoder_wake);
    pthread_cond_destroy(&s->viewer_gone);
    pthread_mutex_destroy(&s->lock);
    itsi_free(s->cameras);
    itsi_free(s);
}

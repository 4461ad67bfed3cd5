/* One viewer: its bounded queue, filled by the hub and the encoders, emptied by the network thread. */
#include "serve/streams_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/connections.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

const char *itsi_viewer_kind_name(enum itsi_viewer_kind kind)
{
    static const char *const names[] = {"events", "live", "wall"};
    return names[kind];
}

/* --- under the lock ----------------------------------------------------------------------------------------------- */

void itsi_viewer_wake(struct itsi_viewer *v)
{
    if (!v->suspended)
        return;
    v->suspended = false;
    MHD_resume_connection(v->connection);
}

void itsi_viewer_end(struct itsi_viewer *v)
{
    v->ended = true;
    itsi_viewer_wake(v);
}

static void note_lost(struct itsi_viewer *v, int64_t now)
{
    v->lost++;
    atomic_fetch_add_explicit(&v->streams->stats->dropped[v->kind], 1, memory_order_relaxed);
    if (v->told_slow_ns && now - v->told_slow_ns < 60 * ITSI_NS_PER_S)
        return;
    v->told_slow_ns = now;
    itsi_info("serve", "the viewer %s is slow, not the daemon: it loses %s (%llu so far)", v->who,
              v->kind == ITSI_VIEWER_EVENTS ? "events" : "pictures", (unsigned long long)v->lost);
}

void itsi_viewer_push(struct itsi_viewer *v, struct itsi_item *item, int64_t now)
{
    if (v->ended)
        return;
    if (v->count == v->depth) {
        itsi_item_unref(&v->ring[v->head]);
        v->head = (v->head + 1) % v->depth;
        v->count--;
        note_lost(v, now);
    }
    v->ring[(v->head + v->count) % v->depth] = itsi_item_ref(item);
    v->count++;
    itsi_viewer_wake(v);
}

static int reserve_tile(struct itsi_viewer *v)
{
    if (v->tile_count < v->tile_capacity)
        return 0;
    const int capacity = v->tile_capacity ? v->tile_capacity * 2 : 4;
    struct itsi_tile **tiles = itsi_realloc(v->tiles, (size_t)capacity * sizeof *tiles);
    if (!tiles)
        return ITS_ENOMEM;
    v->tiles = tiles;
    v->tile_capacity = capacity;
    return 0;
}

int itsi_viewer_watch(struct itsi_viewer *v, const char *camera)
{
    struct itsi_variant *variant = itsi_variant_get(v->streams, camera, v->width, v->boxes);
    if (!variant)
        return ITS_ELIMIT;
    struct itsi_tile *tile = reserve_tile(v) == 0 ? itsi_zalloc(sizeof *tile) : NULL;
    if (!tile)
        return ITS_ENOMEM;
    tile->viewer = v;
    tile->variant = variant;
    tile->next = variant->tiles;
    variant->tiles = tile;
    v->tiles[v->tile_count++] = tile;
    itsi_variant_retime(variant);
    /* the first picture at once, not with the next result */
    itsi_variant_queue(v->streams, variant, itsi_now_ns());
    return 0;
}

void itsi_viewer_unwatch(struct itsi_viewer *v, int index)
{
    struct itsi_tile *tile = v->tiles[index];
    v->tiles[index] = v->tiles[--v->tile_count];
    for (struct itsi_tile **at = &tile->variant->tiles; *at; at = &(*at)->next)
        if (*at == tile) {
            *at = tile->next;
            break;
        }
    tile->variant->used_ns = itsi_now_ns();
    itsi_variant_retime(tile->variant);
    itsi_item_unref(&tile->pending);
    itsi_free(tile);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void destroy(struct itsi_viewer *v)
{
    while (v->count) {
        itsi_item_unref(&v->ring[v->head]);
        v->head = (v->head + 1) % v->depth;
        v->count--;
    }
    itsi_item_unref(&v->current);
    itsi_free(v->ring);
    itsi_free(v->tiles);
    itsi_free(v);
}

static int watch_all(struct itsi_viewer *v, const struct itsi_viewer_params *params)
{
    int rc = 0;
    if (v->kind == ITSI_VIEWER_LIVE)
        return itsi_viewer_watch(v, v->camera);
    for (int i = 0; i < params->camera_count && rc == 0; i++)
        rc = itsi_viewer_watch(v, params->cameras[i]);
    return rc;
}

static void link_in(struct itsi_streams *s, struct itsi_viewer *v)
{
    v->next = s->viewers;
    if (v->next)
        v->next->prev = v;
    s->viewers = v;
    s->viewer_count++;
    s->poked = true;
    pthread_cond_signal(&s->hub_wake);
    atomic_fetch_add(&s->stats->viewers[v->kind], 1);
}

int itsi_viewer_create(struct itsi_streams *s, const struct itsi_viewer_params *params, struct itsi_viewer **out,
                       struct its_diag *diag)
{
    struct itsi_viewer *v = itsi_zalloc(sizeof *v);
    if (!v)
        return itsi_fail(diag, ITS_ENOMEM, "viewer: out of memory");
    const double most = atomic_load(&s->settings->live_fps);
    v->streams = s;
    v->connection = params->connection;
    v->kind = params->kind;
    v->came_ns = itsi_now_ns();
    v->route = params->route;
    v->client = *params->client;
    v->depth = atomic_load(&s->settings->viewer_queue);
    v->width = params->width;
    v->boxes = params->boxes;
    v->all_cameras = params->kind == ITSI_VIEWER_WALL && !params->cameras;
    v->interval_ns = (int64_t)(1e9 / (params->fps > 0 && params->fps < most ? params->fps : most));
    snprintf(v->camera, sizeof v->camera, "%s", params->camera ? params->camera : "");
    itsi_connection_describe(params->connection, v->who, sizeof v->who);
    if (!(v->ring = itsi_calloc((size_t)v->depth, sizeof(struct itsi_item *)))) {
        destroy(v);
        return itsi_fail(diag, ITS_ENOMEM, "viewer: out of memory");
    }
    pthread_mutex_lock(&s->lock);
    int rc = s->stopping ? itsi_fail(diag, ITS_ECANCELLED, "shutting down") : 0;
    if (rc == 0 && s->viewer_count >= s->max_viewers)
        rc = itsi_fail(diag, ITS_ELIMIT, "%d viewers are here, as many as fit", s->viewer_count);
    if (rc == 0 && (rc = watch_all(v, params)) != 0)
        itsi_fail(diag, rc, "too many pictures are watched at once");
    if (rc == 0)
        link_in(s, v);
    else
        while (v->tile_count)
            itsi_viewer_unwatch(v, v->tile_count - 1);
    pthread_mutex_unlock(&s->lock);
    if (rc != 0) {
        destroy(v);
        return rc;
    }
    *out = v;
    return 0;
}

void itsi_viewer_free(void *arg)
{
    struct itsi_viewer *v = arg;
    struct itsi_streams *s = v->streams;
    itsi_served_end(&v->served, itsi_now_ns(), true); /* what was on its way has not arrived */
    pthread_mutex_lock(&s->lock);
    if (v->prev)
        v->prev->next = v->next;
    else
        s->viewers = v->next;
    if (v->next)
        v->next->prev = v->prev;
    while (v->tile_count)
        itsi_viewer_unwatch(v, v->tile_count - 1);
    s->viewer_count--;
    atomic_fetch_sub(&s->stats->viewers[v->kind], 1);
    pthread_cond_signal(&s->viewer_gone);
    pthread_mutex_unlock(&s->lock);
    destroy(v);
}

/* --- network thread ----------------------------------------------------------------------------------------------- */

static void add_segment(struct itsi_viewer *v, const char *data, size_t len)
{
    v->segment[v->segment_count].data = data;
    v->segment[v->segment_count++].len = len;
}

static void begin(struct itsi_viewer *v)
{
    v->segment_count = v->segment_at = 0;
    v->segment_offset = 0;
}

/* Which trace the picture is part of: a header in live.mjpg; the JSON of the other kinds says it already. */
static void begin_tracing(struct itsi_viewer *v, const struct itsi_item *item)
{
    char parent[ITSI_TRACEPARENT_SIZE];
    const struct itsi_served_params params = {.pipeline = v->streams->pipeline,
                                              .stats = v->streams->stats,
                                              .client = &v->client,
                                              .streamed = true,
                                              .route = v->route,
                                              .since = v->came_ns,
                                              .turn = v->ready_ns,
                                              .bytes = (int64_t)item->body.len};
    itsi_served_begin(&v->served, &params, &item->facts, parent);
    itsi_served_sending(&v->served, v->ready_ns);
    if (v->kind == ITSI_VIEWER_LIVE) {
        snprintf(v->note, sizeof v->note, "traceparent: %s\r\n\r\n", parent);
        add_segment(v, v->note, strlen(v->note));
    }
}

static const char boundary[] = "--its\r\n"; /* of multipart/x-mixed-replace */

static void begin_item(struct itsi_viewer *v)
{
    struct itsi_item *item = v->current;
    begin(v);
    v->ready_ns = itsi_now_ns();
    if (v->kind == ITSI_VIEWER_LIVE) {
        if (!v->is_begun)
            add_segment(v, boundary, strlen(boundary));
        v->is_begun = false;
        add_segment(v, item->part.data, item->part.len);
    }
    begin_tracing(v, item);
    if (v->kind == ITSI_VIEWER_WALL)
        add_segment(v, item->record.data, item->record.len);
    add_segment(v, item->body.data, item->body.len);
    if (v->kind == ITSI_VIEWER_LIVE)
        add_segment(v, "\r\n", 2);
}

/* A short text of an event stream's or wall's own: greeting, heartbeat, how much was lost. */
static void begin_note(struct itsi_viewer *v, const char *text)
{
    begin(v);
    if (v->kind == ITSI_VIEWER_WALL) {
        const size_t len = strlen(text);
        const char head[8] = {0, 0, (char)(len >> 8 & 0xff), (char)(len & 0xff), 0, 0, 0, 0};
        memcpy(v->note, head, sizeof head);
        memcpy(v->note + 8, text, len);
        add_segment(v, v->note, len + 8);
    } else {
        snprintf(v->note, sizeof v->note, "%s", text);
        add_segment(v, v->note, strlen(v->note));
    }
}

/* Under the lock. Of pictures the only thing that may come before the next is its boundary, once. */
static bool next_boundary(struct itsi_viewer *v)
{
    const bool due = v->heartbeat && !v->is_begun;
    v->heartbeat = false;
    if (due) {
        v->is_begun = true;
        begin(v);
        add_segment(v, boundary, strlen(boundary));
    }
    return due;
}

/* Under the lock. True when a note is due; it goes before the next item. */
static bool next_note(struct itsi_viewer *v)
{
    char text[200];
    const bool events = v->kind == ITSI_VIEWER_EVENTS;
    if (v->kind == ITSI_VIEWER_LIVE)
        return next_boundary(v);
    if (!v->greeted) {
        v->greeted = true;
        begin_note(v, events ? "retry: 2000\n: its-camera-ai detections\n\n" : "{\"type\":\"hello\",\"version\":1}");
        return true;
    }
    if (v->lost != v->lost_told) {
        snprintf(text, sizeof text, events ? "event: lost\ndata: {\"lost\":%llu,\"total\":%llu}\n\n"
                                           : "{\"type\":\"lost\",\"lost\":%llu,\"total\":%llu}",
                 (unsigned long long)(v->lost - v->lost_told), (unsigned long long)v->lost);
        v->lost_told = v->lost;
        begin_note(v, text);
        return true;
    }
    if (v->heartbeat) {
        v->heartbeat = false;
        begin_note(v, events ? ": still here\n\n" : "{\"type\":\"heartbeat\"}");
        return true;
    }
    return false;
}

/* Under the lock. The next item, or NULL. */
static struct itsi_item *next_item(struct itsi_viewer *v)
{
    struct itsi_item *item = NULL;
    if (v->kind == ITSI_VIEWER_WALL) {
        for (int i = 0; i < v->tile_count && !item; i++) {
            struct itsi_tile *tile = v->tiles[(v->next_tile + i) % v->tile_count];
            if (tile->pending) {
                item = tile->pending;
                tile->pending = NULL;
                v->next_tile = (v->next_tile + i + 1) % v->tile_count;
            }
        }
    } else if (v->count) {
        item = v->ring[v->head];
        v->ring[v->head] = NULL;
        v->head = (v->head + 1) % v->depth;
        v->count--;
    }
    return item;
}

/* libmicrohttpd asks again only when all it was given is written: then the item before is out. */
static void finish_item(struct itsi_viewer *v)
{
    if (!v->current)
        return;
    struct itsi_serve_stats *stats = v->streams->stats;
    const int64_t now = itsi_now_ns();
    itsi_buckets_add(&stats->network[v->kind], now - v->ready_ns);
    itsi_buckets_add(&stats->end_to_end[v->kind], now - v->current->facts.info.trace.origin);
    atomic_fetch_add_explicit(&stats->sent[v->kind], 1, memory_order_relaxed);
    itsi_served_end(&v->served, now, false);
    itsi_item_unref(&v->current);
}

static size_t copy_segments(struct itsi_viewer *v, char *out, size_t size)
{
    size_t used = 0;
    while (used < size && v->segment_at < v->segment_count) {
        const size_t left = v->segment[v->segment_at].len - v->segment_offset;
        const size_t part = left < size - used ? left : size - used;
        memcpy(out + used, v->segment[v->segment_at].data + v->segment_offset, part);
        used += part;
        v->segment_offset += part;
        if (v->segment_offset == v->segment[v->segment_at].len) {
            v->segment_at++;
            v->segment_offset = 0;
        }
    }
    return used;
}

ssize_t itsi_viewer_read(void *arg, uint64_t position, char *out, size_t size)
{
    struct itsi_viewer *v = arg;
    (void)position;
    if (v->segment_at < v->segment_count)
        return (ssize_t)copy_segments(v, out, size);
    finish_item(v);
    pthread_mutex_lock(&v->streams->lock);
    const bool note = !v->ended && next_note(v);
    if (!note && !v->ended && !(v->current = next_item(v))) {
        /* never return 0 without this: libmicrohttpd would ask again at once, for ever */
        MHD_suspend_connection(v->connection);
        v->suspended = true;
    } else {
        v->written_ns = itsi_now_ns();
    }
    const bool ended = v->ended;
    pthread_mutex_unlock(&v->streams->lock);
    if (ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (v->current)
        begin_item(v);
    return note || v->current ? (ssize_t)copy_segments(v, out, size) : 0;
}

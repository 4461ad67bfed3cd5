/* Private to the files that make up streams.h: hub.c, viewer.c, variant.c, encoder.c. */
#ifndef ITSI_SERVE_STREAMS_IMPL_H
#define ITSI_SERVE_STREAMS_IMPL_H

#include "serve/streams.h"

#include <pthread.h>

/* One camera's picture at one width, with or without boxes. Everything under the streams' lock; an encoder that works on
 * it sets `busy`, which keeps it alive. */
struct itsi_variant {
    char camera[ITSI_CAMERA_ID_SIZE];
    int width;
    bool boxes;
    struct itsi_variant *next;

    struct itsi_tile *tiles;         /* who watches */
    struct itsi_picture_wait *waits; /* who wants one picture */
    int64_t interval_ns;             /* the shortest any viewer wants */
    int64_t next_due;
    int64_t queued_ns, used_ns;
    bool queued, busy, again;        /* again: asked for while busy */
    struct itsi_variant *next_queued;
    struct itsi_item *latest;        /* owned reference */
};

/* One viewer's look at a variant. */
struct itsi_tile {
    struct itsi_viewer *viewer;
    struct itsi_variant *variant;
    struct itsi_tile *next; /* of the variant */
    int64_t next_due;
    bool served;               /* has had a picture */
    struct itsi_item *pending; /* wall: the newest wins; owned reference */
};

struct itsi_viewer {
    /* const */
    struct itsi_streams *streams;
    struct MHD_Connection *connection;
    enum itsi_viewer_kind kind;
    char camera[ITSI_CAMERA_ID_SIZE]; /* empty: all */
    bool all_cameras, boxes;
    int width, depth;
    int64_t interval_ns;
    char who[64];
    int64_t came_ns;
    const char *route; /* static */
    struct itsi_trace_client client;
    /* lock */
    struct itsi_viewer *prev, *next;
    struct itsi_item **ring; /* depth items */
    int head, count;
    struct itsi_tile **tiles; /* LIVE: one; WALL: many */
    int tile_count, tile_capacity, next_tile;
    bool suspended, ended, heartbeat;
    uint64_t lost, lost_told;
    int64_t told_slow_ns, written_ns; /* written: something was begun to be sent */
    /* network thread */
    struct itsi_item *current;
    struct {
        const char *data;
        size_t len;
    } segment[5];
    int segment_count, segment_at;
    size_t segment_offset;
    bool greeted;
    bool is_begun; /* LIVE: the boundary of the next part is written */
    int64_t ready_ns;
    struct itsi_served served; /* current's way to the client */
    char note[256];
};

struct itsi_streams {
    /* const */
    struct itsi_pipeline *pipeline;
    const struct itsi_serve_settings *settings;
    struct itsi_serve_stats *stats;
    struct itsi_connections *connections;
    struct itsi_reads *reads;
    struct itsi_lookups *lookups;
    const char *const *names;
    int name_count, max_viewers, encoder_count;
    pthread_t hub, encoders[4];
    struct itsi_item_pool events, pictures;
    /* lock */
    pthread_mutex_t lock;
    pthread_cond_t hub_wake, encoder_wake, viewer_gone;
    struct itsi_viewer *viewers;
    int viewer_count;
    struct itsi_variant *variants;
    int variant_count;
    struct itsi_variant *queue, *queue_tail;
    bool bus_pending, poked, stopping, closing; /* stopping: no new viewers; closing: threads end */
    int threads_started;
    /* hub thread */
    struct itsi_subscription *subscription;
    uint64_t bus_lost;
    struct itsi_camera_status *cameras; /* room for a look at the table */
    int camera_capacity;
};

/* All of these: under the lock. */
void itsi_viewer_push(struct itsi_viewer *viewer, struct itsi_item *item, int64_t now);
void itsi_viewer_wake(struct itsi_viewer *viewer);
void itsi_viewer_end(struct itsi_viewer *viewer);
int itsi_viewer_watch(struct itsi_viewer *viewer, const char *camera); /* adds a tile */
void itsi_viewer_unwatch(struct itsi_viewer *viewer, int tile);
struct itsi_variant *itsi_variant_get(struct itsi_streams *streams, const char *camera, int width, bool boxes);
void itsi_variant_retime(struct itsi_variant *variant);
void itsi_variant_queue(struct itsi_streams *streams, struct itsi_variant *variant, int64_t now);
/* fresh: made just now; else only for viewers that have had no picture yet. */
void itsi_variant_deliver(struct itsi_variant *variant, struct itsi_item *item, bool fresh, int64_t now);
void itsi_variants_collect(struct itsi_streams *streams, int64_t now); /* frees the unused */
void itsi_variants_clear(struct itsi_streams *streams);

void *itsi_encoder_run(void *streams); /* thread */

/* True when due; then the next time is set. Keeps the average rate when frames do not fall on the grid. */
static inline bool itsi_due(int64_t *next_due, int64_t interval_ns, int64_t now)
{
    if (now < *next_due)
        return false;
    *next_due += interval_ns;
    if (*next_due < now)
        *next_due = now;
    return true;
}

#endif

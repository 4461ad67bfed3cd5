#include "serve/streams_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Different camera, width and overlay combinations at once; an unused one is forgotten after a while. */
enum { MOST_VARIANTS = 2048 };
#define KEEP_UNUSED_NS (5 * ITSI_NS_PER_S)

struct itsi_variant *itsi_variant_get(struct itsi_streams *s, const char *camera, int width, bool boxes)
{
    for (struct itsi_variant *v = s->variants; v; v = v->next)
        if (v->width == width && v->boxes == boxes && strcmp(v->camera, camera) == 0)
            return v;
    if (s->variant_count >= MOST_VARIANTS)
        return NULL;
    struct itsi_variant *v = itsi_zalloc(sizeof *v);
    if (!v)
        return NULL;
    snprintf(v->camera, sizeof v->camera, "%s", camera);
    v->width = width;
    v->boxes = boxes;
    v->next = s->variants;
    s->variants = v;
    s->variant_count++;
    return v;
}

void itsi_variant_retime(struct itsi_variant *v)
{
    v->interval_ns = ITSI_NEVER;
    for (const struct itsi_tile *tile = v->tiles; tile; tile = tile->next)
        if (tile->viewer->interval_ns < v->interval_ns)
            v->interval_ns = tile->viewer->interval_ns;
}

void itsi_variant_queue(struct itsi_streams *s, struct itsi_variant *v, int64_t now)
{
    if (v->busy) {
        v->again = true;
        return;
    }
    if (v->queued)
        return;
    v->queued = true;
    v->queued_ns = now;
    v->next_queued = NULL;
    if (s->queue_tail)
        s->queue_tail->next_queued = v;
    else
        s->queue = v;
    s->queue_tail = v;
    pthread_cond_signal(&s->encoder_wake);
}

void itsi_variant_deliver(struct itsi_variant *v, struct itsi_item *item, bool fresh, int64_t now)
{
    for (struct itsi_tile *tile = v->tiles; tile; tile = tile->next) {
        struct itsi_viewer *viewer = tile->viewer;
        if (!fresh && tile->served)
            continue;
        /* the fastest viewer sets the pace; slower ones pick from it */
        if (viewer->interval_ns > v->interval_ns && !itsi_due(&tile->next_due, viewer->interval_ns, now))
            continue;
        tile->served = true;
        if (viewer->kind != ITSI_VIEWER_WALL) {
            itsi_viewer_push(viewer, item, now);
            continue;
        }
        if (tile->pending) {
            itsi_item_unref(&tile->pending);
            viewer->lost++;
            atomic_fetch_add_explicit(&viewer->streams->stats->dropped[viewer->kind], 1, memory_order_relaxed);
        }
        tile->pending = itsi_item_ref(item);
        itsi_viewer_wake(viewer);
    }
}

static void destroy(struct itsi_variant *v)
{
    itsi_item_unref(&v->latest);
    itsi_free(v);
}

void itsi_variants_collect(struct itsi_streams *s, int64_t now)
{
    for (struct itsi_variant **at = &s->variants; *at;) {
        struct itsi_variant *v = *at;
        if (v->tiles || v->waits || v->busy || v->queued || now - v->used_ns < KEEP_UNUSED_NS) {
            at = &v->next;
            continue;
        }
        *at = v->next;
        s->variant_count--;
        destroy(v);
    }
}

void itsi_variants_clear(struct itsi_streams *s)
{
    while (s->variants) {
        struct itsi_variant *v = s->variants;
        s->variants = v->next;
        destroy(v);
    }
    s->variant_count = 0;
}

int itsi_streams_picture(struct itsi_streams *s, const char *camera, int width, bool boxes,
                         struct itsi_picture_wait *wait, struct its_diag *diag)
{
    const int64_t now = itsi_now_ns();
    int rc = 0;
    pthread_mutex_lock(&s->lock);
    struct itsi_variant *v = s->stopping ? NULL : itsi_variant_get(s, camera, width, boxes);
    if (s->stopping) {
        rc = itsi_fail(diag, ITS_ECANCELLED, "shutting down");
    } else if (!v) {
        rc = itsi_fail(diag, ITS_ELIMIT, "too many different picture sizes are asked for");
    } else {
        wait->next = v->waits;
        v->waits = wait;
        v->used_ns = now;
        itsi_variant_queue(s, v, now);
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

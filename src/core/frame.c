#include "core/frame.h"

#include "base/diag.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

struct itsi_frame_pool {
    pthread_mutex_t mutex;
    struct itsi_frame *frames; /* array of count */
    struct itsi_frame *free;
    int count, in_use;
    bool closed;
    itsi_frame_release *release;
    itsi_frame_dispose *dispose;
};

static void destroy(struct itsi_frame_pool *pool)
{
    for (int i = 0; pool->frames && i < pool->count; i++)
        if (pool->dispose && pool->frames[i].native)
            pool->dispose(&pool->frames[i]);
    pthread_mutex_destroy(&pool->mutex);
    itsi_free(pool->frames);
    itsi_free(pool);
}

int itsi_frame_pool_create(struct itsi_frame_pool **out, int count, void *(*create_native)(void),
                           itsi_frame_release *release, itsi_frame_dispose *dispose, struct its_diag *diag)
{
    struct itsi_frame_pool *pool = itsi_zalloc(sizeof *pool);
    if (!pool)
        return itsi_fail(diag, ITS_ENOMEM, "frame pool of %d: out of memory", count);
    pthread_mutex_init(&pool->mutex, NULL);
    pool->count = count;
    pool->release = release;
    pool->dispose = dispose;
    pool->frames = itsi_calloc((size_t)count, sizeof *pool->frames);
    bool ok = pool->frames != NULL;
    for (int i = 0; ok && i < count; i++) {
        struct itsi_frame *frame = &pool->frames[i];
        if (create_native && !(frame->native = create_native()))
            ok = false;
        frame->pool = pool;
        frame->next_free = pool->free;
        pool->free = frame;
    }
    if (!ok) {
        destroy(pool);
        return itsi_fail(diag, ITS_ENOMEM, "frame pool of %d: out of memory", count);
    }
    *out = pool;
    return 0;
}

void itsi_frame_pool_close(struct itsi_frame_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->closed = true;
    bool last = pool->in_use == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last)
        destroy(pool);
}

struct itsi_frame *itsi_frame_pool_get(struct itsi_frame_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    struct itsi_frame *frame = pool->free;
    if (frame) {
        pool->free = frame->next_free;
        pool->in_use++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!frame)
        return NULL;
    void *native = frame->native;
    memset(frame, 0, sizeof *frame);
    frame->native = native;
    frame->pool = pool;
    frame->info.media_ns = -1;
    atomic_init(&frame->refs, 1);
    return frame;
}

int itsi_frame_pool_in_use(struct itsi_frame_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int in_use = pool->in_use;
    pthread_mutex_unlock(&pool->mutex);
    return in_use;
}

struct itsi_frame *itsi_frame_ref(struct itsi_frame *frame)
{
    atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
    return frame;
}

void itsi_frame_unref(struct itsi_frame **ref)
{
    struct itsi_frame *frame = *ref;
    *ref = NULL;
    if (!frame || atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct itsi_frame_pool *pool = frame->pool;
    if (pool->release)
        pool->release(frame);
    pthread_mutex_lock(&pool->mutex);
    frame->next_free = pool->free;
    pool->free = frame;
    pool->in_use--;
    bool last = pool->closed && pool->in_use == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last)
        destroy(pool);
}

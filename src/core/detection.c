#include "core/detection.h"

#include "base/diag.h"
#include "base/mem.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

float itsi_detection_iou(const struct itsi_detection *a, const struct itsi_detection *b)
{
    const float w = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1), h = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
    if (!(w > 0 && h > 0))
        return 0;
    const float common = w * h;
    return common / ((a->x2 - a->x1) * (a->y2 - a->y1) + (b->x2 - b->x1) * (b->y2 - b->y1) - common);
}

struct itsi_result_pool {
    pthread_mutex_t mutex;
    struct itsi_result *results;
    struct itsi_result *free;
    int in_use;
    bool closed;
};

static void destroy(struct itsi_result_pool *pool)
{
    pthread_mutex_destroy(&pool->mutex);
    itsi_free(pool->results);
    itsi_free(pool);
}

int itsi_result_pool_create(struct itsi_result_pool **out, int count, struct its_diag *diag)
{
    struct itsi_result_pool *pool = itsi_zalloc(sizeof *pool);
    if (!pool || !(pool->results = itsi_calloc((size_t)count, sizeof *pool->results))) {
        itsi_free(pool);
        return itsi_fail(diag, ITS_ENOMEM, "result pool of %d: out of memory", count);
    }
    pthread_mutex_init(&pool->mutex, NULL);
    for (int i = 0; i < count; i++) {
        pool->results[i].pool = pool;
        pool->results[i].next_free = pool->free;
        pool->free = &pool->results[i];
    }
    *out = pool;
    return 0;
}

void itsi_result_pool_close(struct itsi_result_pool *pool)
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

struct itsi_result *itsi_result_pool_get(struct itsi_result_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    struct itsi_result *result = pool->free;
    if (result) {
        pool->free = result->next_free;
        pool->in_use++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!result)
        return NULL;
    result->count = 0;
    result->trace_id[0] = '\0';
    result->late = result->tracked = result->reduced = false;
    atomic_init(&result->refs, 1);
    return result;
}

struct itsi_result *itsi_result_ref(struct itsi_result *result)
{
    atomic_fetch_add_explicit(&result->refs, 1, memory_order_relaxed);
    return result;
}

void itsi_result_unref(struct itsi_result **ref)
{
    struct itsi_result *result = *ref;
    *ref = NULL;
    if (!result || atomic_fetch_sub_explicit(&result->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct itsi_result_pool *pool = result->pool;
    pthread_mutex_lock(&pool->mutex);
    result->next_free = pool->free;
    pool->free = result;
    pool->in_use--;
    bool last = pool->closed && pool->in_use == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last)
        destroy(pool);
}

const char *itsi_quality_name(int level)
{
    static const char *const names[] = {"ultra_low", "low", "medium", "high", "ultra_high"};
    return level >= 0 && level < 5 ? names[level] : "unknown";
}

const char *itsi_class_name(const char *const *names, int count, int32_t cls, char room[ITSI_CLASS_NAME_SIZE])
{
    if (cls >= 0 && cls < count)
        return names[cls];
    snprintf(room, ITSI_CLASS_NAME_SIZE, "class_%d", (int)cls);
    return room;
}

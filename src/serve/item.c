#include "serve/item.h"

#include "base/mem.h"

enum { KEPT = 128 };

void itsi_frame_facts_of(const struct itsi_result *result, struct itsi_frame_facts *out)
{
    *out = (struct itsi_frame_facts){.info = result->info,
                                     .breakdown = result->breakdown,
                                     .late = result->late,
                                     .quality_level = result->quality_level};
}

void itsi_item_pool_init(struct itsi_item_pool *pool)
{
    *pool = (struct itsi_item_pool){0};
    pthread_mutex_init(&pool->mutex, NULL);
}

static void destroy(struct itsi_item *item)
{
    itsi_buf_fini(&item->part);
    itsi_buf_fini(&item->record);
    itsi_buf_fini(&item->body);
    itsi_free(item);
}

void itsi_item_pool_fini(struct itsi_item_pool *pool)
{
    while (pool->free) {
        struct itsi_item *item = pool->free;
        pool->free = item->next_free;
        destroy(item);
    }
    pthread_mutex_destroy(&pool->mutex);
}

struct itsi_item *itsi_item_get(struct itsi_item_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    struct itsi_item *item = pool->free;
    if (item) {
        pool->free = item->next_free;
        pool->free_count--;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!item && !(item = itsi_zalloc(sizeof *item)))
        return NULL;
    item->pool = pool;
    itsi_buf_reset(&item->part);
    itsi_buf_reset(&item->record);
    itsi_buf_reset(&item->body);
    item->facts = (struct itsi_frame_facts){0};
    atomic_init(&item->refs, 1);
    return item;
}

struct itsi_item *itsi_item_ref(struct itsi_item *item)
{
    atomic_fetch_add_explicit(&item->refs, 1, memory_order_relaxed);
    return item;
}

void itsi_item_unref(struct itsi_item **ref)
{
    struct itsi_item *item = *ref;
    *ref = NULL;
    if (!item || atomic_fetch_sub_explicit(&item->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct itsi_item_pool *pool = item->pool;
    pthread_mutex_lock(&pool->mutex);
    const bool keep = pool->free_count < KEPT;
    if (keep) {
        item->next_free = pool->free;
        pool->free = item;
        pool->free_count++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!keep)
        destroy(item);
}

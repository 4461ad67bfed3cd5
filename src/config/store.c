#include "config/store.h"

#include "base/diag.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/value.h"

#include <pthread.h>

struct itsi_config_store {
    pthread_mutex_t replacing; /* one replacement at a time; taken before lock */
    pthread_mutex_t lock;      /* guards current; held for a pointer's copy only */
    struct itsi_config *current;
    atomic_uint_fast64_t version;
};

void itsi_config_change_fini(struct itsi_config_change *change)
{
    itsi_str_list_fini(&change->applied);
    itsi_str_list_fini(&change->restart);
    itsi_str_list_fini(&change->cameras_added);
    itsi_str_list_fini(&change->cameras_removed);
    itsi_str_list_fini(&change->cameras_changed);
}

bool itsi_config_change_empty(const struct itsi_config_change *change)
{
    return change->applied.count + change->restart.count + change->cameras_added.count +
               change->cameras_removed.count + change->cameras_changed.count ==
           0;
}

int itsi_config_store_create(struct itsi_config_store **out, struct itsi_config *config, struct its_diag *diag)
{
    struct itsi_config_store *store = itsi_zalloc(sizeof *store);
    if (!store) {
        itsi_config_unref(&config);
        return itsi_fail(diag, ITS_ENOMEM, "out of memory");
    }
    pthread_mutex_init(&store->replacing, NULL);
    pthread_mutex_init(&store->lock, NULL);
    store->current = config;
    atomic_init(&store->version, 1);
    *out = store;
    return 0;
}

void itsi_config_store_destroy(struct itsi_config_store *store)
{
    if (!store)
        return;
    itsi_config_unref(&store->current);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->replacing);
    itsi_free(store);
}

struct itsi_config *itsi_config_store_get(struct itsi_config_store *store)
{
    pthread_mutex_lock(&store->lock);
    struct itsi_config *config = itsi_config_ref(store->current);
    pthread_mutex_unlock(&store->lock);
    return config;
}

uint64_t itsi_config_store_version(const struct itsi_config_store *store)
{
    return atomic_load_explicit(&store->version, memory_order_acquire);
}

static int compare_options(struct itsi_config *next, const struct itsi_config *now, struct itsi_config_change *change)
{
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        if (itsi_option_equal(&next->cfg, &now->cfg, option))
            continue;
        int rc = itsi_str_list_add(option->live ? &change->applied : &change->restart, itsi_option_key(option));
        if (rc == 0 && !option->live)
            rc = itsi_config_keep(next, now, option);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int compare_cameras(const struct itsi_config_cameras *next, const struct itsi_config_cameras *now,
                           struct itsi_config_change *change)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < next->count; i++) {
        const struct itsi_config_camera *old = itsi_config_cameras_find(now, next->items[i].id);
        if (!old)
            rc = itsi_str_list_add(&change->cameras_added, next->items[i].id);
        else if (!itsi_config_camera_equal(old, &next->items[i]))
            rc = itsi_str_list_add(&change->cameras_changed, next->items[i].id);
    }
    for (size_t i = 0; rc == 0 && i < now->count; i++)
        if (!itsi_config_cameras_find(next, now->items[i].id))
            rc = itsi_str_list_add(&change->cameras_removed, now->items[i].id);
    return rc;
}

int itsi_config_store_replace(struct itsi_config_store *store, struct itsi_config *next,
                              struct itsi_config_change *out, struct its_diag *diag)
{
    struct itsi_config_change change = {0};
    pthread_mutex_lock(&store->replacing);
    /* only a replacement writes current, so it may be read here without the inner lock */
    struct itsi_config *now = store->current;
    int rc = compare_options(next, now, &change);
    if (rc == 0)
        rc = compare_cameras(&next->cameras, &now->cameras, &change);
    if (rc != 0)
        itsi_fail(diag, rc, "%s", its_strerror(rc));
    else if (change.restart.count > 0) /* live rows must also fit the rows that stay as they were */
        rc = itsi_config_check(next, diag);
    if (rc == 0) {
        pthread_mutex_lock(&store->lock);
        store->current = next;
        next = now;
        pthread_mutex_unlock(&store->lock);
        atomic_fetch_add_explicit(&store->version, 1, memory_order_release);
    }
    pthread_mutex_unlock(&store->replacing);
    itsi_config_unref(&next);
    if (rc == 0 && out)
        *out = change;
    else
        itsi_config_change_fini(&change);
    return rc;
}

int itsi_config_store_reload(struct itsi_config_store *store, const struct itsi_config_args *args,
                             struct itsi_config_change *change, struct its_diag *diag)
{
    struct itsi_config *next;
    int rc = itsi_config_load(&next, args, diag);
    return rc == 0 ? itsi_config_store_replace(store, next, change, diag) : rc;
}

#include "latency/baseline_store_impl.h"

#include "base/diag.h"
#include "base/mem.h"
#include "latency/regression_peers.h"

#include <stdio.h>
#include <string.h>

/* Cuts. */
static void copy(char *to, size_t size, const char *from)
{
    const size_t len = from ? strnlen(from, size - 1) : 0;
    if (len)
        memcpy(to, from, len);
    memset(to + len, 0, size - len);
}

void itsi_baseline_key(struct itsi_baseline_key *out, const char *build, const char *model, const char *config,
                       const char *hardware, int band)
{
    copy(out->build, sizeof out->build, build);
    copy(out->model, sizeof out->model, model);
    copy(out->config, sizeof out->config, config);
    copy(out->hardware, sizeof out->hardware, hardware);
    out->band = band;
}

int itsi_baseline_store_create(struct itsi_baseline_store **out, const char *path, struct its_diag *diag)
{
    struct itsi_baseline_store *store = itsi_zalloc(sizeof *store);
    if (!store || !(store->path = itsi_strdup(path))) {
        itsi_free(store);
        return itsi_fail(diag, ITS_ENOMEM, "baselines: out of memory");
    }
    *out = store;
    return 0;
}

void itsi_baseline_store_destroy(struct itsi_baseline_store *store)
{
    if (!store)
        return;
    itsi_free(store->path);
    itsi_free(store);
}

static bool same_but_build(const struct itsi_baseline_key *a, const struct itsi_baseline_key *b)
{
    return a->band == b->band && strcmp(a->model, b->model) == 0 && strcmp(a->config, b->config) == 0 &&
           strcmp(a->hardware, b->hardware) == 0;
}

static int index_of(const struct itsi_baseline_store *store, const struct itsi_baseline_key *key)
{
    for (int i = 0; i < store->count; i++)
        if (same_but_build(&store->entries[i].key, key) && strcmp(store->entries[i].key.build, key->build) == 0)
            return i;
    return -1;
}

enum itsi_baseline_match itsi_baseline_find(const struct itsi_baseline_store *store,
                                            const struct itsi_baseline_key *key, struct itsi_baseline_set *out)
{
    const int exact = index_of(store, key);
    if (exact >= 0) {
        *out = store->entries[exact].set;
        return ITSI_BASELINE_EXACT;
    }
    const struct itsi_baseline_entry *newest = NULL;
    for (int i = 0; i < store->count; i++) {
        const struct itsi_baseline_entry *entry = &store->entries[i];
        if (same_but_build(&entry->key, key) && (!newest || entry->wall_ns > newest->wall_ns))
            newest = entry;
    }
    if (!newest)
        return ITSI_BASELINE_UNKNOWN;
    *out = newest->set;
    return ITSI_BASELINE_EARLIER_BUILD;
}

static int merge(struct itsi_baseline_set *into, const struct itsi_baseline_set *set)
{
    int valid = 0;
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++) {
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            if (itsi_baseline_valid(&set->series[k][s])) {
                into->series[k][s] = set->series[k][s];
                valid++;
                if (itsi_baseline_valid(&set->residual[k][s]))
                    into->residual[k][s] = set->residual[k][s];
            }
        if (itsi_peers_valid(&set->peers[k]))
            into->peers[k] = set->peers[k];
    }
    return valid;
}

/* The entry for a key not there yet: a free one, or the oldest. */
static struct itsi_baseline_entry *make_room(struct itsi_baseline_store *store)
{
    if (store->count < ITSI_BASELINE_KEYS)
        return &store->entries[store->count++];
    struct itsi_baseline_entry *oldest = &store->entries[0];
    for (int i = 1; i < store->count; i++)
        if (store->entries[i].wall_ns < oldest->wall_ns)
            oldest = &store->entries[i];
    return oldest;
}

void itsi_baseline_put(struct itsi_baseline_store *store, const struct itsi_baseline_key *key,
                       const struct itsi_baseline_set *set, int64_t wall_ns)
{
    const int at = index_of(store, key);
    struct itsi_baseline_entry entry = {.key = *key, .wall_ns = wall_ns};
    if (at >= 0)
        entry.set = store->entries[at].set;
    if (merge(&entry.set, set) == 0)
        return;
    *(at >= 0 ? &store->entries[at] : make_room(store)) = entry;
}

int itsi_baseline_store_count(const struct itsi_baseline_store *store) { return store->count; }

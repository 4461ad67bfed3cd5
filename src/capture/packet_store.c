#include "capture/packet_store.h"

#include "base/diag.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

/* Chunks given back that keep their memory, to be taken next: rings in steady state give one and take one. */
enum { WARM = 64 };

/* Free are warm[], then cold[], then those from `untouched` on. */
struct itsi_packet_store {
    /* const */
    uint8_t *region;
    uint32_t count;
    uint32_t *cold; /* owned, count */
    /* mutex */
    pthread_mutex_t mutex;
    uint32_t warm[WARM];
    uint32_t warm_count, cold_count, untouched;
    int rings;
};

int itsi_packet_store_create(struct itsi_packet_store **out, size_t bytes, struct its_diag *diag)
{
    const size_t count = bytes / ITSI_PACKET_CHUNK;
    if (count == 0 || count > UINT32_MAX)
        return itsi_fail(diag, ITS_EINVAL, "packet store: no room");
    struct itsi_packet_store *store = itsi_zalloc(sizeof *store);
    uint32_t *cold = store ? itsi_alloc(count * sizeof *cold) : NULL;
    if (!cold) {
        itsi_free(store);
        return itsi_fail(diag, ITS_ENOMEM, "packet store: out of memory");
    }
    void *region = mmap(NULL, count * ITSI_PACKET_CHUNK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) {
        const int error = errno;
        itsi_free(cold);
        itsi_free(store);
        return itsi_fail_errno(diag, error, "packet store: %zu MiB", bytes >> 20);
    }
    (void)madvise(region, count * ITSI_PACKET_CHUNK, MADV_NOHUGEPAGE); /* a chunk is smaller than such a page */
    store->region = region;
    store->count = (uint32_t)count;
    store->cold = cold;
    pthread_mutex_init(&store->mutex, NULL);
    *out = store;
    return 0;
}

void itsi_packet_store_destroy(struct itsi_packet_store *store)
{
    if (!store)
        return;
    (void)munmap(store->region, (size_t)store->count * ITSI_PACKET_CHUNK);
    pthread_mutex_destroy(&store->mutex);
    itsi_free(store->cold);
    itsi_free(store);
}

static void add_rings(struct itsi_packet_store *store, int more)
{
    pthread_mutex_lock(&store->mutex);
    store->rings += more;
    pthread_mutex_unlock(&store->mutex);
}

void itsi_packet_store_join(struct itsi_packet_store *store) { add_rings(store, 1); }
void itsi_packet_store_leave(struct itsi_packet_store *store) { add_rings(store, -1); }

static uint32_t free_count(const struct itsi_packet_store *store)
{
    return store->warm_count + store->cold_count + store->count - store->untouched;
}

uint8_t *itsi_packet_store_take(struct itsi_packet_store *store)
{
    uint8_t *chunk = NULL;
    pthread_mutex_lock(&store->mutex);
    if (free_count(store) > 0) {
        const uint32_t at = store->warm_count   ? store->warm[--store->warm_count]
                            : store->cold_count ? store->cold[--store->cold_count]
                                                : store->untouched++;
        chunk = store->region + (size_t)at * ITSI_PACKET_CHUNK;
    }
    pthread_mutex_unlock(&store->mutex);
    return chunk;
}

void itsi_packet_store_give(struct itsi_packet_store *store, uint8_t *chunk)
{
    const uint32_t at = (uint32_t)((size_t)(chunk - store->region) / ITSI_PACKET_CHUNK);
    pthread_mutex_lock(&store->mutex);
    if (store->warm_count < WARM) {
        store->warm[store->warm_count++] = at;
    } else {
        (void)madvise(chunk, ITSI_PACKET_CHUNK, MADV_DONTNEED);
        store->cold[store->cold_count++] = at;
    }
    pthread_mutex_unlock(&store->mutex);
}

size_t itsi_packet_store_allowance(struct itsi_packet_store *store)
{
    const size_t all = (size_t)store->count * ITSI_PACKET_CHUNK;
    pthread_mutex_lock(&store->mutex);
    const bool plenty = free_count(store) > store->count / 8;
    const size_t rings = store->rings > 0 ? (size_t)store->rings : 1;
    pthread_mutex_unlock(&store->mutex);
    return plenty ? all : all / rings;
}

void itsi_packet_store_stats(struct itsi_packet_store *store, struct itsi_packet_store_stats *out)
{
    pthread_mutex_lock(&store->mutex);
    *out = (struct itsi_packet_store_stats){
        .bytes = (size_t)store->count * ITSI_PACKET_CHUNK,
        .used = (size_t)(store->count - free_count(store)) * ITSI_PACKET_CHUNK,
        .rings = store->rings,
    };
    pthread_mutex_unlock(&store->mutex);
}

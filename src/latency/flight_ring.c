#include "latency/flight_ring.h"

#include "base/diag.h"
#include "base/mem.h"

#include <pthread.h>

/* Entries copied under one hold of the lock: some tens of microseconds. */
enum { PIECE = 2048 };

struct itsi_flight_ring {
    pthread_mutex_t mutex;
    struct itsi_flight_entry *entries; /* owned */
    size_t capacity;
    uint64_t noted; /* the next entry's number */
};

int itsi_flight_ring_create(struct itsi_flight_ring **out, size_t capacity, struct its_diag *diag)
{
    struct itsi_flight_ring *ring = itsi_zalloc(sizeof *ring);
    if (ring)
        ring->entries = itsi_calloc(capacity, sizeof *ring->entries);
    if (!ring || !ring->entries) {
        itsi_free(ring);
        return itsi_fail(diag, ITS_ENOMEM, "flight recorder: out of memory");
    }
    ring->capacity = capacity;
    pthread_mutex_init(&ring->mutex, NULL);
    *out = ring;
    return 0;
}

void itsi_flight_ring_destroy(struct itsi_flight_ring *ring)
{
    if (!ring)
        return;
    pthread_mutex_destroy(&ring->mutex);
    itsi_free(ring->entries);
    itsi_free(ring);
}

void itsi_flight_note(struct itsi_flight_ring *ring, const struct itsi_flight_entry *entry)
{
    pthread_mutex_lock(&ring->mutex);
    ring->entries[ring->noted++ % ring->capacity] = *entry;
    pthread_mutex_unlock(&ring->mutex);
}

uint64_t itsi_flight_noted(struct itsi_flight_ring *ring)
{
    pthread_mutex_lock(&ring->mutex);
    uint64_t noted = ring->noted;
    pthread_mutex_unlock(&ring->mutex);
    return noted;
}

/* Copies up to PIECE entries from number *from on; moves *from past them, and past those that are overwritten. */
static size_t copy_piece(struct itsi_flight_ring *ring, uint64_t *from, uint64_t until, struct itsi_flight_entry *to)
{
    pthread_mutex_lock(&ring->mutex);
    uint64_t oldest = ring->noted > ring->capacity ? ring->noted - ring->capacity : 0;
    if (*from < oldest)
        *from = oldest;
    size_t n = 0;
    for (; *from < until && n < PIECE; (*from)++)
        to[n++] = ring->entries[*from % ring->capacity];
    pthread_mutex_unlock(&ring->mutex);
    return n;
}

int itsi_flight_copy(struct itsi_flight_ring *ring, int64_t since_us, struct itsi_flight_entry **out, size_t *count,
                     struct its_diag *diag)
{
    uint64_t until = itsi_flight_noted(ring), from = until > ring->capacity ? until - ring->capacity : 0;
    /* Each piece lands right behind what is kept: room for all, and for one piece that may be refused. */
    struct itsi_flight_entry *all = itsi_calloc((size_t)(until - from) + PIECE, sizeof *all);
    if (!all)
        return itsi_fail(diag, ITS_ENOMEM, "flight recorder: out of memory");
    size_t kept = 0;
    for (size_t n; (n = copy_piece(ring, &from, until, &all[kept])) > 0;) {
        size_t end = kept + n;
        for (size_t i = kept; i < end; i++)
            if (itsi_flight_ended_us(&all[i]) >= since_us)
                all[kept++] = all[i];
    }
    *out = all;
    *count = kept;
    return 0;
}

#include "latency/trace_ring.h"

#include "base/diag.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stddef.h>

/* turn: position p may be written when it is p, read when it is p + 1; the reader then sets p + capacity. */
struct cell {
    atomic_uint_fast64_t turn;
    uint64_t position; /* of the writer that holds it */
    struct itsi_trace_record record;
};

struct itsi_trace_ring {
    struct cell *cells;
    uint64_t capacity;
    _Alignas(64) atomic_uint_fast64_t tail; /* next position to claim */
    _Alignas(64) atomic_uint_fast64_t head; /* next position to read; the reader alone moves it */
};

int itsi_trace_ring_create(struct itsi_trace_ring **out, int capacity, struct its_diag *diag)
{
    if (capacity < 2 || (capacity & (capacity - 1)))
        return itsi_fail(diag, ITS_EINVAL, "trace ring: %d is no power of two", capacity);
    struct itsi_trace_ring *ring = itsi_alloc_aligned(64, sizeof *ring);
    struct cell *cells = itsi_calloc((size_t)capacity, sizeof *cells);
    if (!ring || !cells) {
        itsi_free(ring);
        itsi_free(cells);
        return itsi_fail(diag, ITS_ENOMEM, "trace ring of %d: out of memory", capacity);
    }
    ring->cells = cells;
    ring->capacity = (uint64_t)capacity;
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->head, 0);
    for (uint64_t i = 0; i < ring->capacity; i++)
        atomic_init(&cells[i].turn, i);
    *out = ring;
    return 0;
}

void itsi_trace_ring_destroy(struct itsi_trace_ring *ring)
{
    if (!ring)
        return;
    itsi_free(ring->cells);
    itsi_free(ring);
}

int itsi_trace_ring_capacity(const struct itsi_trace_ring *ring) { return (int)ring->capacity; }

static struct cell *cell_at(struct itsi_trace_ring *ring, uint64_t position)
{
    return &ring->cells[position & (ring->capacity - 1)];
}

/* The head may have moved on since: what is seen as taken is never less than what is. */
static uint64_t taken(struct itsi_trace_ring *ring, uint64_t tail)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    return tail > head ? tail - head : 0;
}

struct itsi_trace_record *itsi_trace_ring_claim(struct itsi_trace_ring *ring, int limit)
{
    uint64_t position = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    for (;;) {
        struct cell *cell = cell_at(ring, position);
        uint64_t turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
        if (turn == position && taken(ring, position) < (uint64_t)limit) {
            if (atomic_compare_exchange_weak_explicit(&ring->tail, &position, position + 1, memory_order_relaxed,
                                                      memory_order_relaxed)) {
                cell->position = position;
                return &cell->record;
            }
        } else {
            uint64_t now = atomic_load_explicit(&ring->tail, memory_order_relaxed);
            if (now == position)
                return NULL; /* full: the cell still waits to be read, or the limit is reached */
            position = now;  /* another writer was faster */
        }
    }
}

int itsi_trace_ring_publish(struct itsi_trace_ring *ring, struct itsi_trace_record *record)
{
    struct cell *cell = (struct cell *)((char *)record - offsetof(struct cell, record));
    uint64_t position = cell->position;
    atomic_store_explicit(&cell->turn, position + 1, memory_order_release);
    return (int)taken(ring, position + 1);
}

const struct itsi_trace_record *itsi_trace_ring_front(struct itsi_trace_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    struct cell *cell = cell_at(ring, head);
    return atomic_load_explicit(&cell->turn, memory_order_acquire) == head + 1 ? &cell->record : NULL;
}

void itsi_trace_ring_release(struct itsi_trace_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    atomic_store_explicit(&cell_at(ring, head)->turn, head + ring->capacity, memory_order_release);
    atomic_store_explicit(&ring->head, head + 1, memory_order_relaxed);
}

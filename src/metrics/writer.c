/* The record path. The writer says that it is inside (sequence turns odd) and then looks which phase is current; the
 * reader changes the phase and then looks who is inside. Neither may have its two steps swapped by the processor, which
 * would take a full fence on both sides: the reader's membarrier(2) makes every running thread of the process pass one,
 * so that the writer needs to keep only the compiler in order. */
#include "metrics/recording_impl.h"

/* The phase to record into. */
static inline int enter(struct itsi_writer *w, unsigned odd)
{
    if (w->locked) {
        atomic_exchange_explicit(&w->sequence, odd, memory_order_seq_cst);
        return atomic_load_explicit(&w->phase, memory_order_seq_cst);
    }
    /* release, so that a reader who sees this one sees all that the batch before it wrote */
    atomic_store_explicit(&w->sequence, odd, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    return atomic_load_explicit(&w->phase, memory_order_acquire);
}

static inline void leave(struct itsi_writer *w, unsigned odd)
{
    atomic_store_explicit(&w->sequence, odd + 1, memory_order_release);
}

static inline unsigned sequence_of(const struct itsi_writer *w)
{
    return atomic_load_explicit(&w->sequence, memory_order_relaxed);
}

void itsi_writer_begin(struct itsi_writer *w) { w->inside = enter(w, sequence_of(w) + 1); }
void itsi_writer_end(struct itsi_writer *w) { leave(w, sequence_of(w)); }

/* The rare paths below are written without calls: a call anywhere would make every record save registers for it. */

static inline void carry(struct itsi_part *part, int slot)
{
    int i = 0;
    while (i < CARRIES - 1 && part->carries[i].times && part->carries[i].slot != slot)
        i++;
    if (!part->carries[i].times)
        part->carries[i].slot = slot;
    part->carries[i].times++;
}

static inline void widen(struct itsi_part *part, int64_t value)
{
    int64_t least = value < part->min ? value : part->min;
    int64_t most = itsi_part_empty(part) ? value : part->min + (int64_t)part->span;
    part->min = least;
    part->span = (uint64_t)((most > value ? most : value) - least);
}

static inline void misplace(struct itsi_writer *w)
{
    uint64_t n = atomic_load_explicit(&w->misplaced, memory_order_relaxed);
    atomic_store_explicit(&w->misplaced, n + 1, memory_order_relaxed);
}

static inline __attribute__((always_inline)) void put(struct itsi_writer *w, int phase, int series, int64_t value,
                                                      int64_t threshold)
{
    struct itsi_part *part;
    if (__builtin_expect((unsigned)series >= (unsigned)w->series, 0) ||
        __builtin_expect(!(part = w->parts[series][phase]), 0)) {
        misplace(w);
        return;
    }
    if (__builtin_expect((uint64_t)value > (uint64_t)ITSI_LAYOUT_MAX_NS, 0)) /* below 0, too */
        value = itsi_layout_clamp(value);
    /* One comparison for both extremes: what lies below the least wraps round, and so does anything when empty. */
    if (__builtin_expect((uint64_t)value - (uint64_t)part->min > part->span, 0))
        widen(part, value);
    int slot = __builtin_expect(part->bits == ITSI_LAYOUT_FINE, 1) ? itsi_layout_slot(ITSI_LAYOUT_FINE, value)
                                                                   : itsi_layout_slot(ITSI_LAYOUT_COARSE, value);
    if (__builtin_expect(++part->counts[(unsigned)slot] == 0, 0))
        carry(part, slot);
    part->sum += (uint64_t)value;
    if (__builtin_expect(value > threshold, 0))
        part->violations++;
}

void itsi_writer_put(struct itsi_writer *w, int series, int64_t value, int64_t threshold)
{
    put(w, w->inside, series, value, threshold);
}

void itsi_writer_record(struct itsi_writer *w, int series, int64_t value, int64_t threshold)
{
    unsigned odd = sequence_of(w) + 1;
    put(w, enter(w, odd), series, value, threshold);
    leave(w, odd);
}

void itsi_recording_record_shared(struct itsi_recording *recording, int series, int64_t value, int64_t threshold)
{
    pthread_mutex_lock(&recording->shared_mutex);
    itsi_writer_record(recording->shared, series, value, threshold);
    pthread_mutex_unlock(&recording->shared_mutex);
}

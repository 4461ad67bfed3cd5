/* The record path. The writer says that it is inside (sequence turns odd) and then looks which phase is current; the
 * reader changes the phase and then looks who is inside. Neither may have its two steps swapped by the processor, which
 * would take a full fence on both sides: the reader's membarrier(2) makes every running thread of the process pass one,
 * so that the writer needs to keep only the compiler in order. */
#include "metrics/recording_impl.h"

void itsi_writer_begin(struct itsi_writer *w)
{
    unsigned odd = atomic_load_explicit(&w->sequence, memory_order_relaxed) + 1;
    if (w->locked) {
        atomic_exchange_explicit(&w->sequence, odd, memory_order_seq_cst);
        w->inside = atomic_load_explicit(&w->phase, memory_order_seq_cst);
        return;
    }
    /* release, so that a reader who sees this one sees all that the batch before it wrote */
    atomic_store_explicit(&w->sequence, odd, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    w->inside = atomic_load_explicit(&w->phase, memory_order_acquire);
}

void itsi_writer_end(struct itsi_writer *w)
{
    unsigned odd = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    atomic_store_explicit(&w->sequence, odd + 1, memory_order_release);
}

static __attribute__((noinline, cold)) void carry(struct itsi_part *part, int slot)
{
    int i = 0;
    while (i < CARRIES - 1 && part->carries[i].times && part->carries[i].slot != slot)
        i++;
    if (!part->carries[i].times)
        part->carries[i].slot = slot;
    part->carries[i].times++;
}

static __attribute__((noinline, cold)) void misplace(struct itsi_writer *w)
{
    uint64_t n = atomic_load_explicit(&w->misplaced, memory_order_relaxed);
    atomic_store_explicit(&w->misplaced, n + 1, memory_order_relaxed);
}

static inline void put(struct itsi_writer *w, int series, int64_t value, int64_t threshold)
{
    struct itsi_part *part = (unsigned)series < (unsigned)w->series ? w->parts[series][w->inside] : NULL;
    if (__builtin_expect(!part, 0)) {
        misplace(w);
        return;
    }
    int64_t ns = itsi_layout_clamp(value);
    int slot = itsi_layout_slot(part->bits, ns);
    if (__builtin_expect(++part->counts[slot] == 0, 0))
        carry(part, slot);
    part->sum += (uint64_t)ns;
    part->squares += (__uint128_t)(uint64_t)ns * (uint64_t)ns;
    part->violations += value > threshold;
    if (ns < part->min)
        part->min = ns;
    if (ns > part->max)
        part->max = ns;
}

void itsi_writer_put(struct itsi_writer *w, int series, int64_t value, int64_t threshold)
{
    put(w, series, value, threshold);
}

void itsi_writer_record(struct itsi_writer *w, int series, int64_t value, int64_t threshold)
{
    itsi_writer_begin(w);
    put(w, series, value, threshold);
    itsi_writer_end(w);
}

void itsi_recording_record_shared(struct itsi_recording *recording, int series, int64_t value, int64_t threshold)
{
    pthread_mutex_lock(&recording->shared_mutex);
    itsi_writer_record(recording->shared, series, value, threshold);
    pthread_mutex_unlock(&recording->shared_mutex);
}

#include "metrics/recording_impl.h"

#include "base/diag.h"
#include "base/mem.h"

#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    WRITERS_MAX = 4096,
    /* How often swap() looks whether a writer comes out of begin/end: about a microsecond, enough for one that runs.
     * One that the scheduler took the processor from may be away for long; its values come with a later interval. */
    LOOKS = 1000
};
#define CACHE_LINE 64

static bool barrier_works(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static void barrier_in_every_thread(void) { (void)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); }

/* --- making writers ---------------------------------------------------------------------------------------------- */

void itsi_part_reset(struct itsi_part *part)
{
    part->sum = part->span = part->violations = 0;
    part->min = INT64_MAX;
    memset(part->carries, 0, sizeof part->carries);
}

static size_t part_bytes(int bits)
{
    return sizeof(struct itsi_part) + (size_t)itsi_layout_slots(bits) * sizeof(uint32_t);
}

static struct itsi_part *part_create(int bits)
{
    /* zeroed by the system where it is large, so that pages nobody records into stay unused */
    struct itsi_part *part = itsi_calloc(1, part_bytes(bits));
    if (!part)
        return NULL;
    part->bits = bits;
    itsi_part_reset(part);
    return part;
}

static void writer_destroy(struct itsi_writer *w)
{
    for (int s = 0; w->parts && s < w->series; s++) {
        itsi_free(w->parts[s][0]);
        itsi_free(w->parts[s][1]);
    }
    itsi_free(w->parts);
    itsi_free(w);
}

/* Without parts. In cache lines of its own: its owner writes it with every value. */
static struct itsi_writer *writer_create(struct itsi_recording *r)
{
    size_t bytes = (sizeof(struct itsi_writer) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct itsi_writer *w = itsi_alloc_aligned(CACHE_LINE, bytes);
    if (!w)
        return NULL;
    memset(w, 0, bytes);
    w->recording = r;
    w->series = r->series;
    w->locked = r->params.locked;
    w->parts = itsi_calloc((size_t)r->series, sizeof *w->parts);
    if (!w->parts) {
        writer_destroy(w);
        return NULL;
    }
    r->bytes += bytes + (size_t)r->series * sizeof *w->parts;
    return w;
}

/* Gives the writer memory for the series; what it has by then it keeps, also when memory runs out half way. */
static int equip(struct itsi_recording *r, struct itsi_writer *w, int first, int count)
{
    for (int s = first; s < first + count; s++)
        for (int phase = 0; phase < 2; phase++) {
            if (w->parts[s][phase])
                continue;
            int bits = s < r->params.fine ? ITSI_LAYOUT_FINE : ITSI_LAYOUT_COARSE;
            w->parts[s][phase] = part_create(bits);
            if (!w->parts[s][phase])
                return ITS_ENOMEM;
            r->bytes += part_bytes(bits);
        }
    return 0;
}

void itsi_recording_series(const struct itsi_recording *r, int *fine, int *all)
{
    *fine = r->params.fine;
    *all = r->series;
}

int itsi_recording_create(struct itsi_recording **out, const struct itsi_recording_params *params,
                          struct its_diag *diag)
{
    if (params->fine < 0 || params->coarse < 0 || params->fine > INT32_MAX / 2 || params->coarse > INT32_MAX / 2 ||
        params->fine + params->coarse == 0 || params->writers < 1 || params->writers > WRITERS_MAX)
        return itsi_fail(diag, ITS_EINVAL, "recording: %d fine and %d coarse series for %d writers", params->fine,
                         params->coarse, params->writers);
    struct itsi_recording *r = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "recording: out of memory");
    r->params = *params;
    r->params.locked = params->locked || !barrier_works();
    r->series = params->fine + params->coarse;
    r->bytes = sizeof *r;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_mutex_init(&r->shared_mutex, NULL);
    r->all = r->shared = writer_create(r);
    if (!r->shared || equip(r, r->shared, 0, r->series) != 0) {
        itsi_recording_destroy(r);
        return itsi_fail(diag, ITS_ENOMEM, "recording: out of memory");
    }
    r->shared->open = true;
    *out = r;
    return 0;
}

void itsi_recording_destroy(struct itsi_recording *r)
{
    if (!r)
        return;
    while (r->all) {
        struct itsi_writer *w = r->all;
        r->all = w->next;
        writer_destroy(w);
    }
    pthread_mutex_destroy(&r->mutex);
    pthread_mutex_destroy(&r->shared_mutex);
    itsi_free(r);
}

/* --- registration ------------------------------------------------------------------------------------------------ */

static int missing(const struct itsi_writer *w, int first, int count)
{
    int n = 0;
    for (int s = first; s < first + count; s++)
        n += !w->parts[s][1];
    return n;
}

/* The closed writer that needs the least new memory; NULL: all are open. */
static struct itsi_writer *best_closed(struct itsi_recording *r, int first, int count)
{
    struct itsi_writer *best = NULL;
    int least = 0;
    for (struct itsi_writer *w = r->all; w; w = w->next) {
        if (w->open)
            continue;
        int n = missing(w, first, count);
        if (!best || n < least) {
            best = w;
            least = n;
        }
    }
    return best;
}

static int open_locked(struct itsi_recording *r, int first, int count, struct itsi_writer **out)
{
    if (r->open == r->params.writers) {
        r->refused++;
        return ITS_ELIMIT;
    }
    struct itsi_writer *w = best_closed(r, first, count);
    if (!w) {
        w = writer_create(r);
        if (!w)
            return ITS_ENOMEM;
        w->next = r->all;
        r->all = w;
        r->made++;
    }
    if (equip(r, w, first, count) != 0)
        return ITS_ENOMEM;
    w->open = true;
    r->open++;
    *out = w;
    return 0;
}

int itsi_writer_open(struct itsi_recording *r, int first, int count, struct itsi_writer **out, struct its_diag *diag)
{
    if (first < 0 || count < 1 || first > r->series || count > r->series - first)
        return itsi_fail(diag, ITS_EINVAL, "recording: no series %d..%d", first, first + count - 1);
    pthread_mutex_lock(&r->mutex);
    int rc = open_locked(r, first, count, out);
    pthread_mutex_unlock(&r->mutex);
    if (rc == ITS_ELIMIT)
        return itsi_fail(diag, rc, "recording: %d writers are open, the most there may be", r->params.writers);
    return rc == 0 ? 0 : itsi_fail(diag, rc, "recording: out of memory");
}

void itsi_writer_close(struct itsi_writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->recording->mutex);
    w->open = false;
    w->recording->open--;
    pthread_mutex_unlock(&w->recording->mutex);
}

/* --- the reader -------------------------------------------------------------------------------------------------- */

/* Is the owner outside begin/end, or inside a later one than at `seen`? */
static bool left(struct itsi_writer *w, unsigned seen)
{
    return seen % 2 == 0 || atomic_load_explicit(&w->sequence, memory_order_acquire) != seen;
}

static void turn(struct itsi_writer *w)
{
    w->ready = false;
    if (w->deferred)
        return; /* its other phase may still be written: it must not become the current one's spare yet */
    int phase = atomic_load_explicit(&w->phase, memory_order_relaxed);
    atomic_store_explicit(&w->phase, 1 - phase, memory_order_seq_cst);
}

/* After every thread passed a barrier: an owner inside begin/end now may hold the phase it was turned from; one that
 * comes in later does not. */
static void settle(struct itsi_writer *w)
{
    unsigned seen = w->deferred ? w->held_at : atomic_load_explicit(&w->sequence, memory_order_seq_cst);
    bool out = left(w, seen);
    for (int look = 1; !out && look < LOOKS; look++)
        out = left(w, seen);
    w->ready = out;
    w->deferred = !out;
    w->held_at = seen;
}

int itsi_recording_swap(struct itsi_recording *r)
{
    int deferred = 0;
    pthread_mutex_lock(&r->mutex);
    for (struct itsi_writer *w = r->all; w; w = w->next)
        turn(w);
    if (!r->params.locked)
        barrier_in_every_thread();
    for (struct itsi_writer *w = r->all; w; w = w->next) {
        settle(w);
        deferred += w->deferred;
    }
    r->deferred += (uint64_t)deferred;
    pthread_mutex_unlock(&r->mutex);
    return deferred;
}

static void drain(struct itsi_part *part, struct itsi_tally *into)
{
    if (itsi_part_empty(part))
        return;
    uint64_t count = 0;
    int64_t max = part->min + (int64_t)part->span;
    int high = itsi_layout_slot(part->bits, max);
    for (int slot = itsi_layout_slot(part->bits, part->min); slot <= high; slot++) {
        uint32_t n = part->counts[slot];
        if (!n)
            continue;
        itsi_tally_place(into, slot, n);
        part->counts[slot] = 0;
        count += n;
    }
    for (int i = 0; i < CARRIES && part->carries[i].times; i++) {
        uint64_t n = (uint64_t)part->carries[i].times << 32;
        itsi_tally_place(into, part->carries[i].slot, n);
        count += n;
    }
    const struct itsi_moments moments = {.count = count, .sum = part->sum,
                                         .violations = part->violations, .min = part->min, .max = max};
    itsi_moments_add(&into->moments, &moments);
    itsi_part_reset(part);
}

void itsi_recording_take(struct itsi_recording *r, int series, struct itsi_tally *into)
{
    pthread_mutex_lock(&r->mutex);
    for (struct itsi_writer *w = r->all; w; w = w->next) {
        int spare = 1 - atomic_load_explicit(&w->phase, memory_order_relaxed);
        if (w->ready && w->parts[series][spare])
            drain(w->parts[series][spare], into);
    }
    pthread_mutex_unlock(&r->mutex);
}

void itsi_recording_stats(struct itsi_recording *r, struct itsi_recording_stats *out)
{
    pthread_mutex_lock(&r->mutex);
    *out = (struct itsi_recording_stats){.writers_open = r->open, .writers_made = r->made, .refused = r->refused,
                                         .deferred = r->deferred, .locked = r->params.locked, .bytes = r->bytes};
    for (struct itsi_writer *w = r->all; w; w = w->next)
        out->misplaced += atomic_load_explicit(&w->misplaced, memory_order_relaxed);
    pthread_mutex_unlock(&r->mutex);
}


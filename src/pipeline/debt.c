/* What is kept to be analysed again, and what is known of it. */
#include "pipeline/debt.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pipeline/pipeline_impl.h"

#define LEAST_SHARE 1e-9 /* less is nothing: a camera has as many results in a year */

int itsi_pipeline_make_debt(struct itsi_pipeline *p, struct its_diag *diag)
{
    p->debt = itsi_zalloc(sizeof *p->debt);
    if (!p->debt)
        return itsi_fail(diag, ITS_ENOMEM, "quality debt: out of memory");
    pthread_mutex_init(&p->debt->mutex, NULL);
    return 0;
}

void itsi_pipeline_free_debt(struct itsi_pipeline *p)
{
    if (!p->debt)
        return;
    pthread_mutex_destroy(&p->debt->mutex); /* every stream was closed: nothing is kept */
    itsi_free(p->debt);
    p->debt = NULL;
}

void itsi_debt_configure(struct itsi_pipeline *p, double share)
{
    if (p->debt)
        atomic_store(&p->debt->share, share < LEAST_SHARE ? 0 : share);
}

void itsi_debt_set_room(struct itsi_pipeline *p, int64_t run_ns)
{
    if (p->debt)
        atomic_store_explicit(&p->debt->room_ns, run_ns, memory_order_relaxed);
}

void itsi_debt_release(struct itsi_debt_sample *sample)
{
    itsi_frame_unref(&sample->frame);
    itsi_result_unref(&sample->result);
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

bool itsi_debt_note(struct itsi_camera_stream *stream, const struct itsi_result *result)
{
    struct itsi_debt *debt = stream->pipeline->debt;
    struct itsi_stream_debt *s = &stream->debt;
    if (!debt)
        return false;
    itsi_debt_traffic_add(&s->traffic, result->boxes, result->count, result->info.trace.origin);
    if (result->quality_level >= ITSI_DEBT_LEVELS)
        return false;
    return itsi_debt_samples(stream->index, s->results++, atomic_load_explicit(&debt->share, memory_order_relaxed));
}

/* What was there; the mutex is held. */
static struct itsi_debt_sample vacate(struct itsi_debt *debt, int at)
{
    const struct itsi_debt_sample sample = debt->kept[at];
    debt->kept[at] = (struct itsi_debt_sample){NULL, NULL, NULL};
    if (debt->places[at].taken)
        atomic_fetch_sub(&debt->waiting, 1);
    debt->places[at].taken = false;
    return sample;
}

void itsi_debt_keep(struct itsi_camera_stream *stream, struct itsi_result *result, struct itsi_frame *frame)
{
    struct itsi_debt *debt = stream->pipeline->debt;
    struct itsi_debt_sample passed = {NULL, NULL, NULL};
    if (frame->picture.layout == ITSI_LAYOUT_NONE)
        return;
    pthread_mutex_lock(&debt->mutex);
    const double known = itsi_debt_tally_pictures(&stream->debt.tally[result->quality_level], itsi_now_ns());
    const int at = stream->debt.closed ? -1 : itsi_debt_place_for(debt->places, ITSI_DEBT_KEPT, stream->index, known);
    debt->shed += at < 0 || debt->places[at].taken;
    if (at >= 0) {
        passed = vacate(debt, at);
        debt->kept[at] = (struct itsi_debt_sample){stream, itsi_frame_ref(frame), itsi_result_ref(result)};
        debt->places[at] = (struct itsi_debt_place){stream->index, known, true};
        atomic_fetch_add(&debt->waiting, 1);
    }
    pthread_mutex_unlock(&debt->mutex);
    itsi_debt_release(&passed);
    itsi_batcher_kick(stream->pipeline->batcher);
}

bool itsi_debt_take(struct itsi_debt *debt, struct itsi_debt_sample *out)
{
    pthread_mutex_lock(&debt->mutex);
    const int at = itsi_debt_next(debt->places, ITSI_DEBT_KEPT);
    if (at >= 0) {
        *out = vacate(debt, at);
        itsi_stream_retain(out->stream); /* it is not closed, so the table's reference still holds it */
    }
    pthread_mutex_unlock(&debt->mutex);
    return at >= 0;
}

void itsi_debt_close(struct itsi_camera_stream *stream)
{
    struct itsi_debt *debt = stream->pipeline->debt;
    struct itsi_debt_sample passed = {NULL, NULL, NULL};
    if (!debt)
        return;
    pthread_mutex_lock(&debt->mutex);
    stream->debt.closed = true;
    for (int i = 0; i < ITSI_DEBT_KEPT; i++)
        if (debt->kept[i].stream == stream) { /* one at most */
            passed = vacate(debt, i);
            debt->shed++;
        }
    pthread_mutex_unlock(&debt->mutex);
    itsi_debt_release(&passed);
}

/* --- the books of it ---------------------------------------------------------------------------------------------- */

void itsi_debt_book(const struct itsi_debt_sample *sample, const struct itsi_debt_picture *picture, int64_t engine_ns)
{
    struct itsi_debt *debt = sample->stream->pipeline->debt;
    const int level = sample->result->quality_level;
    const int64_t now = itsi_now_ns();
    pthread_mutex_lock(&debt->mutex);
    struct itsi_debt_counts *counts = &debt->counts[level];
    counts->pictures++;
    counts->sightings += (uint64_t)picture->sightings;
    counts->missed += (uint64_t)picture->missed;
    counts->extra += (uint64_t)picture->extra;
    debt->engine_ns += engine_ns;
    itsi_debt_tally_add(&debt->tally[level], picture, now);
    itsi_debt_tally_add(&sample->stream->debt.tally[level], picture, now);
    pthread_mutex_unlock(&debt->mutex);
}

void itsi_debt_book_failure(struct itsi_debt *debt)
{
    pthread_mutex_lock(&debt->mutex);
    debt->failed++;
    pthread_mutex_unlock(&debt->mutex);
}

uint64_t itsi_debt_runs(struct itsi_pipeline *p) { return p->debt ? atomic_load(&p->debt->runs) : 0; }

void itsi_debt_status(struct itsi_camera_stream *stream, int64_t now, struct itsi_debt_estimate out[ITSI_DEBT_LEVELS])
{
    static const struct itsi_debt_tally nothing;
    struct itsi_debt *debt = stream->pipeline->debt;
    pthread_mutex_lock(&stream->lock);
    const struct itsi_debt_traffic traffic = stream->debt.traffic;
    pthread_mutex_unlock(&stream->lock);
    if (debt)
        pthread_mutex_lock(&debt->mutex);
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++)
        itsi_debt_estimate(debt ? &stream->debt.tally[level] : &nothing, &traffic, now, &out[level]);
    if (debt)
        pthread_mutex_unlock(&debt->mutex);
}

void itsi_pipeline_debt(struct itsi_pipeline *p, struct itsi_debt_overview *out)
{
    static const struct itsi_debt_tally nothing;
    struct itsi_debt *debt = p->debt;
    const int64_t now = itsi_now_ns();
    *out = (struct itsi_debt_overview){.share = 0};
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++)
        itsi_debt_estimate(&nothing, NULL, now, &out->levels[level].estimate);
    if (!debt)
        return;
    out->share = atomic_load(&debt->share);
    out->room_ns = atomic_load(&debt->room_ns);
    out->runs = atomic_load(&debt->runs);
    out->waiting = atomic_load(&debt->waiting);
    pthread_mutex_lock(&debt->mutex);
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++) {
        out->levels[level].counts = debt->counts[level];
        itsi_debt_estimate(&debt->tally[level], NULL, now, &out->levels[level].estimate);
    }
    out->shed = debt->shed;
    out->failed = debt->failed;
    out->engine_seconds = (double)debt->engine_ns / 1e9;
    pthread_mutex_unlock(&debt->mutex);
}

#include "metrics/window.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <assert.h>

int itsi_window_scratch_init(struct itsi_window_scratch *scratch, int bits, struct its_diag *diag)
{
    *scratch = (struct itsi_window_scratch){0};
    int rc = itsi_tally_init(&scratch->tally, bits, diag);
    if (rc != 0)
        return rc;
    scratch->bytes = itsi_alloc(itsi_sparse_scratch(bits));
    if (scratch->bytes)
        return 0;
    itsi_window_scratch_fini(scratch);
    return itsi_fail(diag, ITS_ENOMEM, "window: out of memory");
}

void itsi_window_scratch_fini(struct itsi_window_scratch *scratch)
{
    itsi_tally_fini(&scratch->tally);
    itsi_free(scratch->bytes);
    scratch->bytes = NULL;
}

size_t itsi_window_scratch_bytes(const struct itsi_window_scratch *scratch)
{
    return itsi_tally_bytes(&scratch->tally) + itsi_sparse_scratch(scratch->tally.bits);
}

void itsi_window_init(struct itsi_window *window, int64_t seconds)
{
    *window = (struct itsi_window){.length = seconds * ITSI_NS_PER_S};
    window->step = window->length / ITSI_WINDOW_PARTS;
    if (window->step < ITSI_NS_PER_S)
        window->step = ITSI_NS_PER_S;
}

void itsi_window_fini(struct itsi_window *window)
{
    for (int i = 0; i < ITSI_WINDOW_CELLS; i++)
        itsi_sparse_fini(&window->cells[i].values);
    window->first = window->used = 0;
}

static int place(const struct itsi_window *window, int nth) { return (window->first + nth) % ITSI_WINDOW_CELLS; }

static bool belongs(const struct itsi_window *window, int nth, int64_t now)
{
    const struct itsi_window_cell *cell = &window->cells[place(window, nth)];
    return cell->from >= now - window->length - window->step / 2 ||
           (nth == window->used - 1 && cell->to > now - window->length);
}

static void drop_oldest(struct itsi_window *window)
{
    itsi_sparse_clear(&window->cells[window->first].values);
    window->first = place(window, 1);
    window->used--;
}

static struct itsi_window_cell *append(struct itsi_window *window, int64_t from, int64_t to)
{
    assert(window->used < ITSI_WINDOW_CELLS); /* see window.h: a push leaves 62 at most */
    struct itsi_window_cell *cell = &window->cells[place(window, window->used++)];
    cell->from = from;
    cell->to = to;
    cell->index = to / window->step;
    return cell;
}

/* Adds the values to a cell that holds some. */
static int merge(struct itsi_window_cell *cell, const struct itsi_tally *values, struct itsi_window_scratch *scratch)
{
    if (!values->moments.count)
        return 0;
    itsi_tally_clear(&scratch->tally);
    itsi_sparse_unpack(&cell->values, &scratch->tally);
    itsi_tally_add(&scratch->tally, values);
    return itsi_sparse_pack(&cell->values, &scratch->tally, scratch->bytes);
}

int itsi_window_push(struct itsi_window *window, int64_t from, int64_t to, const struct itsi_tally *values,
                     struct itsi_window_scratch *scratch)
{
    struct itsi_window_cell *newest = window->used ? &window->cells[place(window, window->used - 1)] : NULL;
    int rc;
    if (newest && newest->index == to / window->step) {
        newest->to = to;
        rc = merge(newest, values, scratch);
    } else {
        rc = itsi_sparse_pack(&append(window, from, to)->values, values, scratch->bytes);
    }
    while (window->used > 1 && !belongs(window, 0, to))
        drop_oldest(window);
    return rc;
}

int64_t itsi_window_gather(const struct itsi_window *window, int64_t now, struct itsi_tally *into)
{
    int64_t covered = 0;
    for (int i = 0; i < window->used; i++) {
        if (!belongs(window, i, now))
            continue;
        const struct itsi_window_cell *cell = &window->cells[place(window, i)];
        itsi_sparse_unpack(&cell->values, into);
        covered += cell->to - cell->from;
    }
    return covered;
}

int itsi_window_resize(struct itsi_window *window, int64_t seconds, struct itsi_tally *working,
                       struct itsi_window_scratch *scratch)
{
    struct itsi_window resized;
    itsi_window_init(&resized, seconds);
    for (int i = 0; i < window->used; i++) {
        const struct itsi_window_cell *cell = &window->cells[place(window, i)];
        itsi_tally_clear(working);
        itsi_sparse_unpack(&cell->values, working);
        int rc = itsi_window_push(&resized, cell->from, cell->to, working, scratch);
        if (rc != 0) {
            itsi_window_fini(&resized);
            return rc;
        }
    }
    itsi_window_fini(window);
    *window = resized;
    return 0;
}

size_t itsi_window_bytes(const struct itsi_window *window)
{
    size_t bytes = 0;
    for (int i = 0; i < ITSI_WINDOW_CELLS; i++)
        bytes += window->cells[i].values.cap;
    return bytes;
}

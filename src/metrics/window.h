/* One series over the last so many seconds: a ring of intervals, each a sparse histogram. An interval is a sixtieth of
 * the window and at least a second long, on a fixed grid, so however often values are pushed the ring holds 62 at most.
 *
 * Instants are ns of a clock that never goes back (metrics/windows.h makes one of any clock). Not thread-safe. */
#ifndef ITSI_METRICS_WINDOW_H
#define ITSI_METRICS_WINDOW_H

#include "metrics/sparse.h"

#include <stdbool.h>

enum { ITSI_WINDOW_PARTS = 60, ITSI_WINDOW_CELLS = 64 };

struct itsi_window_cell {
    int64_t from, to; /* what it covers: (from, to] */
    int64_t index;    /* place on the grid: to / step */
    struct itsi_sparse values;
};

struct itsi_window {
    int64_t length, step; /* ns */
    int first, used;
    struct itsi_window_cell cells[ITSI_WINDOW_CELLS]; /* oldest first, from `first` on, around the end */
};

/* Memory that pushing needs: one for all windows of a precision. */
struct itsi_window_scratch {
    struct itsi_tally tally;
    uint8_t *bytes;
};
ITS_NODISCARD int itsi_window_scratch_init(struct itsi_window_scratch *scratch, int bits, struct its_diag *diag);
void itsi_window_scratch_fini(struct itsi_window_scratch *scratch); /* takes zeroed */
size_t itsi_window_scratch_bytes(const struct itsi_window_scratch *scratch);

void itsi_window_init(struct itsi_window *window, int64_t seconds);
void itsi_window_fini(struct itsi_window *window);

/* Adds the values of (from, to] (none is fine: it says that nothing came), and lets go of what became too old by `to`.
 * ITS_ENOMEM: of these values only the moments are kept. */
ITS_NODISCARD int itsi_window_push(struct itsi_window *window, int64_t from, int64_t to, const struct itsi_tally *values,
                                   struct itsi_window_scratch *scratch);

/* Adds what the window holds at `now` to a tally, and returns how long a time that covers (ns; 0: nothing). An interval
 * belongs to the window while at most half an interval of it is too old, so the time covered differs from the window's
 * length by half an interval at most once so much has been pushed; the newest belongs while any of it is in the
 * window, so that a window shorter than the pushes' distance is not empty. */
int64_t itsi_window_gather(const struct itsi_window *window, int64_t now, struct itsi_tally *into);

/* Changes the length and keeps what fits it: intervals of the old length are put together on the new grid. `working`
 * is a tally of the scratch's precision, overwritten. ITS_ENOMEM: nothing changed. */
ITS_NODISCARD int itsi_window_resize(struct itsi_window *window, int64_t seconds, struct itsi_tally *working,
                                     struct itsi_window_scratch *scratch);

size_t itsi_window_bytes(const struct itsi_window *window); /* of its intervals, beside the struct itself */

#endif

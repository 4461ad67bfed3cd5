/* One thread that keeps time for many sources which only ever wait for it: a thousand null:// cameras cost one thread that
 * wakes at most two thousand times a second, not a thousand that wake thirty times each. What can block (a connection, a
 * decoder) needs a thread of its own and does not belong here.
 *
 * Thread-safe. */
#ifndef ITSI_CAPTURE_METRONOME_H
#define ITSI_CAPTURE_METRONOME_H

#include "base/heap.h"
#include "its/error.h"

struct itsi_metronome;

/* The caller's storage; zeroed before it first joins. */
struct itsi_metronome_member {
    struct itsi_heap_node due; /* the metronome's */
    /* Called on the metronome's thread at `due` or, when others are due about then, up to half a millisecond later. Returns
     * when it is due next; ITSI_NEVER: it has left. Must not wait. */
    int64_t (*beat)(void *arg, int64_t now);
    void *arg;
};

ITS_NODISCARD int itsi_metronome_create(struct itsi_metronome **out, struct its_diag *diag);
/* Every member must have left. Takes NULL. */
void itsi_metronome_destroy(struct itsi_metronome *metronome);

/* The first one starts the thread. */
ITS_NODISCARD int itsi_metronome_join(struct itsi_metronome *metronome, struct itsi_metronome_member *member,
                                      int64_t first_due, struct its_diag *diag);
/* When it returns, beat() neither runs nor will be called again. Not from within beat(). One that has left may leave. */
void itsi_metronome_leave(struct itsi_metronome *metronome, struct itsi_metronome_member *member);

#endif

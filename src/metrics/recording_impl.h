/* What writer.c (the record path) and recording.c (registration, the reader) share. */
#ifndef ITSI_METRICS_RECORDING_IMPL_H
#define ITSI_METRICS_RECORDING_IMPL_H

#include "metrics/recording.h"

#include <pthread.h>
#include <stdatomic.h>

/* 2^32 values of one slot within one interval wrap its counter; how often is noted here. The entries are more than a
 * writer can fill between two swaps in any sane life: each stands for 2^32 values. The last one takes what does not
 * fit, so counts stay exact and only the place of some values would be wrong. */
enum { CARRIES = 4 };
struct itsi_carry {
    int slot;
    uint32_t times; /* 0: unused */
};

/* One series' values of one phase in one writer. Plain memory: it belongs to the writer while its phase is the current
 * one, else to the reader; `sequence` and `phase` below hand it over. */
struct itsi_part {
    uint64_t sum;
    int64_t min;   /* INT64_MAX: empty */
    uint64_t span; /* the greatest less the least */
    uint64_t violations;
    int bits;
    struct itsi_carry carries[CARRIES];
    uint32_t counts[];
};

struct itsi_writer {
    /* const */
    struct itsi_recording *recording;
    struct itsi_writer *next; /* of all that were made */
    int series;
    bool locked;
    struct itsi_part *(*parts)[2]; /* per series and phase; NULL where it has none. Added under the recording's lock
                                      before the owner gets the writer */
    /* owner thread */
    int inside; /* the phase that the batch in work records into */

    /* atomic */
    atomic_uint sequence; /* odd between begin and end; written by the owner */
    atomic_int phase;     /* 0 or 1; written by the reader */
    atomic_uint_fast64_t misplaced;

    /* recording's lock */
    bool open;
    bool ready;       /* the phase not current holds an interval for the reader */
    bool deferred;    /* the owner was still inside the phase not current when last looked at ... */
    unsigned held_at; /* ... at this sequence */
};

struct itsi_recording {
    /* const */
    struct itsi_recording_params params;
    int series;
    struct itsi_writer *shared; /* not counted in params.writers */
    /* lock */
    pthread_mutex_t mutex;
    struct itsi_writer *all;
    int made, open;
    uint64_t refused, deferred;
    size_t bytes;
    /* its own lock, taken for one record: the owner of `shared` */
    pthread_mutex_t shared_mutex;
};

static inline bool itsi_part_empty(const struct itsi_part *part) { return part->min == INT64_MAX; }
void itsi_part_reset(struct itsi_part *part); /* all but the counts */

#endif

/* Durations recorded by many threads into histograms, and taken out by one reader in intervals.
 *
 * A recording has `fine` + `coarse` numbered series (metrics/layout.h says what the precisions are); what a series
 * means is the caller's. Every thread that records has a writer of its own, and in it two copies of each of its series'
 * histograms. The reader's swap() turns all writers to their other copy; take() then empties the ones left, which
 * belong to the reader alone until the next swap. So:
 * - recording is wait-free and takes no locked instruction: plain loads and stores in the writer's own memory (the
 *   interval recorder of HdrHistogram, with its phaser's atomic increments replaced by membarrier(2) on the reader's
 *   side, as in liburcu: Desnoyers et al., "User-Level Implementations of Read-Copy Update", 2012);
 * - every value is taken exactly once, and all values between a begin() and its end() in the same interval;
 * - what is exact in an interval (count, sum, extremes, violations) is so to the nanosecond.
 * A writer that the scheduler interrupted inside begin/end while the reader swaps is left alone: its values come with a
 * later interval (counted), and the reader never waits for it.
 *
 * Memory is taken when a writer is opened, never when recording. Between two swaps a slot counts past 2^32 (carried,
 * see recording_impl.h); sums are 64 bits wide. */
#ifndef ITSI_METRICS_RECORDING_H
#define ITSI_METRICS_RECORDING_H

#include "metrics/tally.h"

#include <stdbool.h>

struct itsi_recording;
struct itsi_writer;

struct itsi_recording_params {
    int fine, coarse; /* series 0..fine-1 are within 0.05 %, fine..fine+coarse-1 within 0.8 % */
    int writers;      /* most writers open at once, 1..4096 */
    bool locked;      /* a locked instruction per begin(); so anyway where the kernel has no membarrier(2) */
};

/* ITS_EINVAL, ITS_ENOMEM. */
ITS_NODISCARD int itsi_recording_create(struct itsi_recording **out, const struct itsi_recording_params *params,
                                        struct its_diag *diag);
void itsi_recording_destroy(struct itsi_recording *recording); /* takes NULL; all writers are closed before */
void itsi_recording_series(const struct itsi_recording *recording, int *fine, int *all); /* how many it has */

/* --- writing ----------------------------------------------------------------------------------------------------- */

/* A writer for the series first..first+count-1. A closed writer's memory is used again, so opening is cheap where
 * threads come and go; what the former owner recorded stays to be taken. ITS_ELIMIT: as many writers are open as may
 * be; counted, and record_shared() below still takes the thread's values. ITS_EINVAL, ITS_ENOMEM. Any thread. */
ITS_NODISCARD int itsi_writer_open(struct itsi_recording *recording, int first, int count, struct itsi_writer **out,
                                   struct its_diag *diag);
void itsi_writer_close(struct itsi_writer *writer); /* takes NULL; outside begin/end */

/* By one thread at a time: begin, any number of put, end. Values in ns, below 0 counting as 0 and above an hour as an
 * hour; one that is then above `threshold` is a violation (INT64_MAX: none is). A series the writer has no memory for:
 * left out, counted as misplaced. */
void itsi_writer_begin(struct itsi_writer *writer);
void itsi_writer_put(struct itsi_writer *writer, int series, int64_t value, int64_t threshold);
void itsi_writer_end(struct itsi_writer *writer);

/* One value: begin, put, end. */
void itsi_writer_record(struct itsi_writer *writer, int series, int64_t value, int64_t threshold);

/* For threads without a writer, into any series; serialised by a lock. */
void itsi_recording_record_shared(struct itsi_recording *recording, int series, int64_t value, int64_t threshold);

/* --- reading: one reader at a time ------------------------------------------------------------------------------- */

/* Ends the interval: what take() gives from now on was recorded between the last swap and this one. What was not taken
 * since the last swap is not lost, it joins a later interval. Returns how many writers had to be left alone. */
int itsi_recording_swap(struct itsi_recording *recording);

/* Moves the interval's values of a series into a tally of its precision (adds). */
void itsi_recording_take(struct itsi_recording *recording, int series, struct itsi_tally *into);

struct itsi_recording_stats {
    int writers_open, writers_made;
    uint64_t refused;   /* opens past the limit */
    uint64_t misplaced; /* values for a series that their writer does not have */
    uint64_t deferred;  /* times a writer was interrupted while recording, so that its values came later */
    bool locked;        /* a locked instruction per begin(): asked for, or no membarrier(2) */
    size_t bytes;       /* memory held */
};
/* Any thread. */
void itsi_recording_stats(struct itsi_recording *recording, struct itsi_recording_stats *out);

#endif

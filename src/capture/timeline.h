/* Time stamps of one stream made usable: unwrapped, cut into epochs where they jump, and measured. Pure.
 *
 * Units: time stamps go in as the stream's ticks and come out as nanoseconds. */
#ifndef ITSI_CAPTURE_TIMELINE_H
#define ITSI_CAPTURE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define ITSI_NO_TIME INT64_MIN

/* Undoes the wrap of a counter of `bits` bits (33 in MPEG-TS, 32 in RTP; 63 and more: none). */
struct itsi_unwrap {
    int bits;
    bool started;
    int64_t last;
};
int64_t itsi_unwrap(struct itsi_unwrap *u, int64_t ticks);

/* Is this a new epoch? Decode times must not go back; presentation times may, by the reorder depth. */
struct itsi_epochs {
    int64_t last_dts, last_pts, last_arrival; /* ITSI_NO_TIME: none */
};
void itsi_epochs_reset(struct itsi_epochs *e);
/* dts may be ITSI_NO_TIME. arrival: when the access unit came; for files what the schedule says, so that only the
 * stamps count (ITSI_NO_TIME). slack: how far presentation times may go back (reorder depth), ns. */
bool itsi_epochs_jumped(struct itsi_epochs *e, int64_t dts, int64_t pts, int64_t arrival, int64_t slack);

/* The stream's beat: the median of the last intervals between pictures, in order of presentation.
 *
 * A gap is counted as frames lost only where the beat is regular, that is where three intervals of four lie within a
 * quarter of the median: a stream of variable rate owes nothing between its frames. An interval above 1.5 medians is
 * a gap of round(interval / median) - 1 frames. */
#define ITSI_CADENCE_WINDOW 33
#define ITSI_REORDER_MAX 17
struct itsi_cadence {
    int64_t intervals[ITSI_CADENCE_WINDOW];
    int count, next;
    int64_t median; /* 0: not known yet */
    bool regular;
    int64_t last;   /* presentation time last fed; ITSI_NO_TIME: none */
    /* pictures waiting until their order is certain, sorted */
    int64_t waiting[ITSI_REORDER_MAX];
    int held;
};
void itsi_cadence_init(struct itsi_cadence *c);
/* Forgets the position (new epoch), keeps the beat. */
void itsi_cadence_restart(struct itsi_cadence *c);
/* A picture with this presentation time, in decode order; depth: reorder depth of the stream (0: none). Returns how
 * many frames are missing before it or those released with it. */
int64_t itsi_cadence_feed(struct itsi_cadence *c, int64_t pts, int depth);
double itsi_cadence_fps(const struct itsi_cadence *c); /* 0: not known yet */

/* Frames due by the clock while nothing comes. `covered` is the instant up to which all frames are in the books. */
struct itsi_dues {
    int64_t covered;  /* ITSI_NO_TIME: nothing is due */
    uint64_t entered; /* of the silence since `covered`: frames entered as missing */
};
void itsi_dues_start(struct itsi_dues *d, int64_t now);
void itsi_dues_stop(struct itsi_dues *d);
/* How many frames more must be entered as missing now; 0 within `grace` of `covered`. */
uint64_t itsi_dues_tick(struct itsi_dues *d, int64_t now, int64_t grace, double fps);
/* A picture came at `at`: the silence is over. Returns the frames entered during it, which a gap in the time stamps
 * must not count again. */
uint64_t itsi_dues_seen(struct itsi_dues *d, int64_t at);

#endif

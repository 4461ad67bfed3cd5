/* The frame ledger: a conservation law. Every frame a camera should have given ends in exactly one count; `expected` and
 * `missing` are counted at the source (time stamps, cadence, the clock during outages), never by subtraction, so
 * balance() can be non-zero and a test can prove that it is not.
 *
 * One ledger per camera. All functions are thread-safe and cheap (one uncontended lock); a snapshot is consistent even
 * while frames fly. */
#ifndef ITSI_CORE_LEDGER_H
#define ITSI_CORE_LEDGER_H

#include "core/stage.h"

#include <pthread.h>
#include <stdint.h>

/* Why a frame was dropped. X(NAME, "text") */
#define ITSI_DROP_MAP(X)                                                                                               \
    X(WAIT_KEY, "waiting_for_key_frame")                                                                               \
    X(FLUSHED, "flushed_at_discontinuity")                                                                             \
    X(POOL_EMPTY, "frame_pool_empty")                                                                                  \
    X(REPLACED, "replaced_by_newer")                                                                                   \
    X(EXPIRED, "deadline_cannot_be_met")                                                                               \
    X(ENGINE_FAILED, "engine_failed")                                                                                  \
    X(CAMERA_REMOVED, "camera_removed")                                                                                \
    X(SHUTDOWN, "shutdown")

enum itsi_drop {
#define ITSI_X(name, text) ITSI_DROP_##name,
    ITSI_DROP_MAP(ITSI_X)
#undef ITSI_X
        ITSI_DROP_COUNT
};
const char *itsi_drop_name(enum itsi_drop reason);

struct itsi_ledger_counts {
    uint64_t expected;  /* frames due: access units seen plus those the source should have given and did not */
    uint64_t delivered; /* handed over before the deadline */
    uint64_t late;      /* handed over after it */
    uint64_t skipped;   /* left out by policy: not analysed */
    uint64_t tracked;   /* of the skipped: tracking stood in, a result was handed over */
    uint64_t dropped[ITSI_STAGE_COUNT][ITSI_DROP_COUNT];
    uint64_t corrupt;   /* damaged access units */
    uint64_t missing;   /* never came */
    uint64_t in_flight; /* taken in and not ended yet */
    uint64_t admitted;  /* of the taken in: frames the batcher took (ended or not) */
};

struct itsi_ledger {
    pthread_mutex_t mutex;
    struct itsi_ledger_counts counts;
};

void itsi_ledger_init(struct itsi_ledger *ledger);
void itsi_ledger_fini(struct itsi_ledger *ledger);

/* The source saw an access unit (or a null frame): one more expected, in flight until an outcome below ends it. */
void itsi_ledger_arrive(struct itsi_ledger *ledger);
/* The source should have given `count` more and did not: expected and missing both grow. */
void itsi_ledger_missing(struct itsi_ledger *ledger, uint64_t count);

/* Outcomes: each ends one frame in flight. */
void itsi_ledger_deliver(struct itsi_ledger *ledger, int late);
void itsi_ledger_skip(struct itsi_ledger *ledger);
void itsi_ledger_track(struct itsi_ledger *ledger); /* a skip with a result */
void itsi_ledger_drop(struct itsi_ledger *ledger, enum itsi_stage stage, enum itsi_drop reason);
void itsi_ledger_corrupt(struct itsi_ledger *ledger);
/* The batcher took a frame; it stays in flight. */
void itsi_ledger_admit(struct itsi_ledger *ledger);

void itsi_ledger_snapshot(struct itsi_ledger *ledger, struct itsi_ledger_counts *out);

/* Sums. */
void itsi_ledger_counts_add(struct itsi_ledger_counts *sum, const struct itsi_ledger_counts *more);
uint64_t itsi_ledger_dropped(const struct itsi_ledger_counts *counts);
/* expected - (all outcomes + in flight): 0 when the books balance. */
int64_t itsi_ledger_balance(const struct itsi_ledger_counts *counts);
/* delivered / (expected - skipped); 1 when nothing was due. */
double itsi_ledger_on_time_ratio(const struct itsi_ledger_counts *counts);
/* delivered / frames taken by the batcher that have ended; 1 when none. */
double itsi_ledger_on_time_admitted_ratio(const struct itsi_ledger_counts *counts);

#endif

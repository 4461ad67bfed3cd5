/* The online regression detector: which stage became slower, by how much, since when, and when that is over.
 *
 * It watches, per stage, batch means of log service time and of log waiting time against a baseline
 * (latency/regression_batch.h, latency/baseline.h, latency/regression_series.h). Of a service time it has two views:
 * the mean, less what the other stages foretell of it (latency/regression_adjust.h), and the floor, what an undisturbed
 * frame takes, which stays where a mean wanders with the share of disturbed ones. Either finds a slowdown; a floor is
 * not believed against its mean (the camera with the smallest picture may have gone), nor a mean against its floor
 * while its baseline is young. A regression is a slower *service*: a stage behind a slow one waits longer without being
 * slower, so waits are reported for information and never accused. Where several stages are slower (they share cores:
 * one that computes more slows its neighbours), the primary is the one that adds most to a frame's service time. Where
 * all are slower alike (another tenant of the machine, a clock turned down, a build without optimisation), no stage is
 * accused: the whole is, by what more than half of them are off. A stage is accused, and its percent told, for what it
 * is slower beyond what its peers foretell; half of the threshold at least must be beyond most of them, too. All of
 * this needs at least three stages with a baseline.
 *
 * One detector watches one key at a time (build, model, configuration, hardware, load band;
 * latency/baseline_store.h). At a change of band the caller takes its baselines out, puts them into the store, and
 * enters the next band with what the store knows. A baseline that nobody knows yet is learned: no verdict before
 * ITSI_BASELINE_WARMUP batches. A regression that is on at a change of band is left (ITSI_REGRESSION_LEFT):
 * where the new band has a baseline, it is found again within seconds against that; where it has none, the level
 * found there is learned, good or bad.
 *
 * Deterministic: the same input gives the same events. Allocates at creation only. Not thread-safe: the owner's
 * lock. */
#ifndef ITSI_LATENCY_REGRESSION_H
#define ITSI_LATENCY_REGRESSION_H

#include "latency/regression_batch.h"
#include "latency/regression_series.h"

#include <stddef.h>

struct itsi_regression_params {
    double threshold_percent; /* slowdown that counts: regression_threshold_percent, > 0 */
    int64_t accept_after_ns;  /* a change that old becomes the baseline; 0: only by itsi_regression_accept */
};

/* A change of one series, as it is or was. */
struct itsi_move {
    bool whole;                       /* all stages' service alike; `stage` says nothing */
    enum itsi_stage stage;
    enum itsi_time_kind kind;
    bool slower;                      /* false: faster, information only */
    bool regression;                  /* slower service, by enough to matter */
    double percent;                   /* +25: takes 1.25 times as long; -20: 0.8 times */
    double low_percent, high_percent; /* 95 % confidence interval */
    double confidence;                /* 0..1: that it moved in this direction at all */
    double before_ms, now_ms;         /* typical (geometric mean); waits with the 0.1 ms of the batches */
    int64_t since;                    /* estimated beginning, monotonic ns */
};

enum itsi_regression_what {
    ITSI_REGRESSION_BEGAN,
    ITSI_REGRESSION_BACK,     /* the stage is at its baseline again */
    ITSI_REGRESSION_ACCEPTED, /* the new level is the baseline */
    ITSI_REGRESSION_LEFT      /* the key changed: no longer judged against the baseline it was found by */
};

struct itsi_regression_event {
    enum itsi_regression_what what;
    struct itsi_move move; /* when it is over: what it was last */
    bool regression;       /* slower service; else information (faster, or a wait) */
    int64_t when;          /* end of the batch that decided */
};

struct itsi_regression_report {
    bool learning;      /* a series that has data has no baseline yet: no verdict on it */
    uint32_t batches;   /* that the least known baseline in use was learned from */
    int count;          /* moves now on: service before wait, in the order of the way; the whole last */
    struct itsi_move moves[ITSI_TIME_KIND_COUNT * ITSI_STAGE_COUNT + 1];
    int primary;        /* index of the stage's regression that costs a frame most, else of the whole's; -1: none */
    uint64_t refused;   /* frames and batches with times that cannot be */
    uint64_t events_lost; /* the oldest of more than 32 that nobody took */
};

struct itsi_regression;
ITS_NODISCARD int itsi_regression_create(struct itsi_regression **out, const struct itsi_regression_params *params,
                                         struct its_diag *diag);
void itsi_regression_destroy(struct itsi_regression *regression); /* takes NULL */
/* Takes effect at the next batch. ITS_EINVAL, and no change, for values out of range. */
ITS_NODISCARD int itsi_regression_configure(struct itsi_regression *regression,
                                            const struct itsi_regression_params *params, struct its_diag *diag);

/* Begins under another key: known baselines (NULL, or those not known: learned) and nothing else remembered. `now`
 * is when the regressions that were on were left. */
void itsi_regression_enter(struct itsi_regression *regression, const struct itsi_baseline_set *known, int64_t now);
/* What is known now; those not known have batches == 0. */
void itsi_regression_baselines(const struct itsi_regression *regression, struct itsi_baseline_set *out);

/* One frame, at its hand-over. ITS_EINVAL (counted, nothing changed) for a negative time. */
int itsi_regression_frame(struct itsi_regression *regression, const struct itsi_breakdown *frame, int64_t now);
/* A whole batch made elsewhere (replays). ITS_EINVAL (counted, nothing changed) when it is not valid, or begins before
 * the last one's end without being marked as after a gap. */
int itsi_regression_batch(struct itsi_regression *regression, const struct itsi_batch *batch);
/* An operator says that the stage's new level is right. ITS_ENOTFOUND: it has not moved. */
int itsi_regression_accept(struct itsi_regression *regression, enum itsi_stage stage, int64_t now);
/* The same for the whole: every stage's service is learned anew. ITS_ENOTFOUND: the whole has not moved. */
int itsi_regression_accept_whole(struct itsi_regression *regression, int64_t now);

/* The oldest event not yet taken; false: none. */
bool itsi_regression_next(struct itsi_regression *regression, struct itsi_regression_event *out);
void itsi_regression_report(const struct itsi_regression *regression, struct itsi_regression_report *out);

/* "ml_inference slower by 21.3 % (95 %: 18.9 to 23.8 %), 17.21 -> 20.88 ms" */
void itsi_move_text(const struct itsi_move *move, char *out, size_t size);

#endif

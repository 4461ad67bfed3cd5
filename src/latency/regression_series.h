/* Online detection of a change of level in one series of batch means of log time.
 *
 * Two cumulative sums, one each way (Page: "Continuous inspection schemes", Biometrika 41, 1954): evidence for a
 * slowdown of `threshold` accumulates with every batch that lies above half of it, which is the best reference value
 * for that shift (Lorden 1971), so a shift below half of the threshold never adds up. The sum must pass an interval
 * set from the wanted time between false alarms and the series' long-run variance (Siegmund: "Sequential Analysis",
 * 1985, the run length of a reflected Brownian motion), so that a quiet stage is judged in seconds and a noisy one
 * slower, but both with the same error. The batch after the sum was last zero is the estimate of when the change
 * began (Page; Hinkley 1971).
 *
 * A passed sum is not yet a verdict. A change is reported once it has lasted least_run batches, its
 * later half alone still shows it (a hiccup raises the sum, too, and is over by then), and its estimate says both
 * "more than half the threshold" and "about the threshold, or more, is plausible", each with 95 % confidence. So a
 * shift of the threshold is found nearly always, one of less than half of it never, and one between them now and
 * then, when noise adds to it. Against outliers a batch counts for at most four standard deviations or twice the
 * threshold, and the estimate is a trimmed mean.
 *
 * What shares a machine slows together when something else takes the machine. What the peers foretell of a deviation
 * (latency/regression_peers.h) is therefore taken off before the sums, and what is left has a spread of its own, which
 * sets the interval. Where nothing is known of the peers yet, nothing is taken off. With two limits:
 * - Peers that are faster than their baselines make a stage slower by a quarter of the threshold at most (and slower
 *   ones make it faster by no more). Below half of it nothing adds up, so a stage that stays where it is does not
 *   become slower by what others do.
 * - A change must show against most of the peers, too, with slope one: at a shift of everything, far outside of what
 *   slopes were learned from, no stage is accused.
 *
 * A reported change ends when the opposite sum passes (back within half the threshold), or by acceptance: the new
 * level is the baseline then. A slow drift is measured against the frozen baseline and reported once it has come to
 * the threshold; "since" is then about when it passed half of it. While the baseline is still being learned (its
 * first hour), a drift slow enough to stay within the interval moves the baseline along.
 *
 * Plain values; one thread at a time; no clock: instants are the batches' own. */
#ifndef ITSI_LATENCY_REGRESSION_SERIES_H
#define ITSI_LATENCY_REGRESSION_SERIES_H

#include "latency/baseline.h"

enum {
    ITSI_SERIES_LEAST_RUN = 8, /* of batches that do not share frames */
    ITSI_SERIES_LEARN_LATE = 60, /* batches between being seen and being learned */
    ITSI_SERIES_RECENT = 128   /* batch means kept for estimates and for the baseline's start */
};

struct itsi_series_rules {
    double threshold;     /* log of the ratio that counts: log(1.2) for 20 %; > 0 */
    int least_run;        /* batches a change must have lasted, >= 2: anything shorter is a hiccup, not a level */
    double interval;      /* mean number of batches between false alarms of one series, > 1 */
    int64_t accept_after; /* ns after its report a change becomes the baseline; 0: never by itself */
};

/* One cumulative sum. */
struct itsi_cusum {
    double sum;
    int64_t since; /* begin of the first batch since the sum was last zero */
    int run;       /* batches since then */
};

enum itsi_series_state { ITSI_SERIES_STEADY, ITSI_SERIES_SLOWER, ITSI_SERIES_FASTER };

struct itsi_series {
    struct itsi_baseline baseline;
    struct itsi_baseline_learner learner;
    int pending; /* batches seen and not learned yet */
    enum itsi_series_state state;
    struct itsi_cusum up, down;
    int64_t since, reported; /* of the change, when not steady: began, reported (ns) */
    int run;                 /* batches since it began */
    struct itsi_baseline residual; /* of what the peers do not foretell; not known: they foretell nothing */
    struct itsi_baseline_learner residual_learner;
    double recent[ITSI_SERIES_RECENT];   /* a ring */
    double foretold[ITSI_SERIES_RECENT]; /* of each one's deviation, by the peers */
    double peers[ITSI_SERIES_RECENT];    /* what most of the peers were off by then */
    int recent_count, recent_next;
};

/* One batch, as a series sees it. Logs. */
struct itsi_series_input {
    double mean;         /* finite */
    double foretold;     /* of its deviation, by the peers' slopes; 0: unknown */
    double peers;        /* how far most of the peers are from their baselines; 0: unknown */
    int64_t begin, end;
    const struct itsi_series *witness; /* a view of the same stage that must not contradict a change; NULL: none */
};

enum itsi_series_news {
    ITSI_NEWS_NONE,
    ITSI_NEWS_SLOWER,    /* a regression began */
    ITSI_NEWS_FASTER,    /* an improvement began */
    ITSI_NEWS_BACK,      /* the change is over */
    ITSI_NEWS_ACCEPTED   /* the change is the new baseline */
};

/* How far a series is from its baseline; logs of ratios. */
struct itsi_series_shift {
    double shift;     /* estimate */
    double error;     /* its standard error, the baseline's included */
    int64_t since;
    int batches;      /* that the estimate comes from */
};

/* Begins with a known baseline, or (NULL or not known) learns one. Keeps nothing else. */
void itsi_series_begin(struct itsi_series *series, const struct itsi_baseline *known);
/* Batches come in the order of time. */
enum itsi_series_news itsi_series_push(struct itsi_series *series, const struct itsi_series_rules *rules,
                                       const struct itsi_series_input *input);
/* The peers foretell from now on: what they would have foretold of the newest batches, oldest first, gives the spread
 * of what is left. ITSI_BASELINE_BLOCK <= count <= ITSI_BASELINE_SEED_MAX, and so many batches were pushed. */
void itsi_series_adjust(struct itsi_series *series, const double *foretold, int count);
/* Is it where it was, with no sum on the way to a report? */
bool itsi_series_calm(const struct itsi_series *series, const struct itsi_series_rules *rules);
/* Time is missing before the next batch: what had not become a report is forgotten. */
void itsi_series_gap(struct itsi_series *series);
/* Learns its level anew; how what is left behind the peers varies is kept. */
void itsi_series_relearn(struct itsi_series *series);
/* Takes the level of the change as baseline. False: there is no change. */
bool itsi_series_accept(struct itsi_series *series);
/* The change reported; false (nothing written): steady. */
bool itsi_series_change(const struct itsi_series *series, const struct itsi_series_rules *rules,
                        struct itsi_series_shift *out);

/* The sum that reports, in logs: see above. */
double itsi_series_limit(double spread, const struct itsi_series_rules *rules);

#endif

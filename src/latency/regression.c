#include "latency/regression_impl.h"

#include "base/diag.h"
#include "base/mem.h"
#include "latency/regression_robust.h"

#include <math.h>
#include <string.h>

/* A false alarm of one series in so many batches, a dozen days of seconds, were they normal and no more asked than
 * the sum. They are not quite normal, there are several series, and more is asked: the bench measures what is left. */
#define FALSE_ALARM_INTERVAL 1e6
enum { YOUNG = 900 /* batches, a quarter of an hour */, FLOOR_LEAST_RUN = 3 * ITSI_FLOOR_BATCHES };

int itsi_regression_configure(struct itsi_regression *r, const struct itsi_regression_params *params,
                              struct its_diag *diag)
{
    if (!(params->threshold_percent > 0) || !isfinite(params->threshold_percent))
        return itsi_fail(diag, ITS_EINVAL, "regression threshold %g %%: must be above 0", params->threshold_percent);
    if (params->accept_after_ns < 0)
        return itsi_fail(diag, ITS_EINVAL, "a regression cannot be accepted before it began");
    r->rules = (struct itsi_series_rules){.threshold = log1p(params->threshold_percent / 100),
                                          .least_run = ITSI_SERIES_LEAST_RUN,
                                          .interval = FALSE_ALARM_INTERVAL,
                                          .accept_after = params->accept_after_ns};
    return 0;
}

int itsi_regression_create(struct itsi_regression **out, const struct itsi_regression_params *params,
                           struct its_diag *diag)
{
    struct itsi_regression *r = itsi_zalloc(sizeof *r);
    if (!r)
        return itsi_fail(diag, ITS_ENOMEM, "regression detector: out of memory");
    const int rc = itsi_regression_configure(r, params, diag);
    if (rc != 0) {
        itsi_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void itsi_regression_destroy(struct itsi_regression *r) { itsi_free(r); }

void itsi_regression_baselines(const struct itsi_regression *r, struct itsi_baseline_set *out)
{
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++) {
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            out->series[k][s] = r->series[k][s].baseline;
            out->residual[k][s] = r->series[k][s].residual;
        }
        out->peers[k] = r->adjustment[k].peers;
    }
}

static void tell(struct itsi_regression *r, enum itsi_regression_what what, const struct itsi_move *move, int64_t when)
{
    if (r->event_count == ITSI_REGRESSION_EVENTS) {
        r->event_first = (r->event_first + 1) % ITSI_REGRESSION_EVENTS;
        r->event_count--;
        r->events_lost++;
    }
    struct itsi_regression_event *event = &r->events[(r->event_first + r->event_count++) % ITSI_REGRESSION_EVENTS];
    *event = (struct itsi_regression_event){.what = what, .move = *move, .when = when};
    event->regression = event->move.regression = itsi_move_is_regression(move);
}

bool itsi_regression_next(struct itsi_regression *r, struct itsi_regression_event *out)
{
    if (r->event_count == 0)
        return false;
    *out = r->events[r->event_first];
    r->event_first = (r->event_first + 1) % ITSI_REGRESSION_EVENTS;
    r->event_count--;
    return true;
}

static void begin_kind(struct itsi_regression *r, int kind, const struct itsi_baseline_set *known)
{
    itsi_adjustment_begin(&r->adjustment[kind], known ? &known->peers[kind] : NULL);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_series_begin(&r->series[kind][s], known ? &known->series[kind][s] : NULL);
        if (itsi_peers_has(&r->adjustment[kind].peers, (enum itsi_stage)s))
            r->series[kind][s].residual = known->residual[kind][s];
    }
}

void itsi_regression_enter(struct itsi_regression *r, const struct itsi_baseline_set *known, int64_t now)
{
    struct itsi_move move;
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            if (itsi_regression_describe(r, (enum itsi_time_kind)k, (enum itsi_stage)s, &move))
                tell(r, ITSI_REGRESSION_LEFT, &move, now);
    if (itsi_regression_describe_whole(r, &move))
        tell(r, ITSI_REGRESSION_LEFT, &move, now);
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++)
        begin_kind(r, k, known);
    itsi_series_begin(&r->whole, NULL);
    memset(r->floor, 0, sizeof r->floor);
    memset(&r->open, 0, sizeof r->open);
    r->last_end = 0;
}

/* The level of a stage's service, mean and floor, becomes the baseline, but for what is done already. */
static void accept_stage(struct itsi_regression *r, enum itsi_stage stage, bool mean_done, bool floor_done)
{
    struct itsi_series *mean = &r->series[ITSI_TIME_SERVICE][stage], *floor = &r->series[ITSI_TIME_FLOOR][stage];
    floor_done = itsi_series_accept(floor) || floor_done;
    mean_done = itsi_series_accept(mean) || mean_done;
    if (floor_done && !mean_done) /* it moved, too, though not for certain */
        itsi_series_relearn(mean);
    itsi_adjustment_forget(&r->adjustment[ITSI_TIME_SERVICE]);
    itsi_adjustment_forget(&r->adjustment[ITSI_TIME_FLOOR]);
}

/* Tells what a batch changed between two descriptions (NULL: steady). */
static void tell_change(struct itsi_regression *r, const struct itsi_move *before, const struct itsi_move *after,
                        bool accepted, int64_t when)
{
    const bool same = before && after && before->slower == after->slower;
    if (before && !same)
        tell(r, accepted ? ITSI_REGRESSION_ACCEPTED : ITSI_REGRESSION_BACK, before, when);
    if (after && !same)
        tell(r, ITSI_REGRESSION_BEGAN, after, when);
}

/* What a batch holds beside a stage's own value. */
struct surroundings {
    double foretold[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT];
    double peers[ITSI_SERIES_KIND_COUNT][ITSI_STAGE_COUNT];
};

/* A floor says what no mean may contradict: a camera less changes the fastest frames, too. A mean may move alone, where
 * some frames are slower; but while its baseline is young it has seen too little of what the machine does by itself,
 * and must not be contradicted either. */
static const struct itsi_series *witness_of(const struct itsi_regression *r, enum itsi_time_kind kind,
                                            enum itsi_stage stage)
{
    const struct itsi_series *mean = &r->series[ITSI_TIME_SERVICE][stage];
    if (kind == ITSI_TIME_FLOOR)
        return mean;
    return kind == ITSI_TIME_SERVICE && mean->baseline.batches < YOUNG ? &r->series[ITSI_TIME_FLOOR][stage] : NULL;
}

static enum itsi_series_news push_series(struct itsi_regression *r, enum itsi_time_kind kind,
                                         enum itsi_stage stage, const struct itsi_batch *batch,
                                         const struct surroundings *around)
{
    if (!batch->present[kind][stage])
        return ITSI_NEWS_NONE;
    const struct itsi_series_input input = {
        .mean = batch->mean[kind][stage],
        .foretold = around->foretold[kind][stage],
        .peers = around->peers[kind][stage],
        .begin = batch->begin,
        .end = batch->end,
        .witness = witness_of(r, kind, stage),
    };
    struct itsi_series_rules rules = r->rules;
    if (kind == ITSI_TIME_FLOOR) /* its later half is to be out of the window's reach */
        rules.least_run = FLOOR_LEAST_RUN;
    return itsi_series_push(&r->series[kind][stage], &rules, &input);
}

static void push(struct itsi_regression *r, enum itsi_time_kind kind, enum itsi_stage stage,
                 const struct itsi_batch *batch, const struct surroundings *around)
{
    struct itsi_move before, after;
    const bool had = itsi_regression_describe(r, kind, stage, &before);
    const bool mean_done = push_series(r, kind, stage, batch, around) == ITSI_NEWS_ACCEPTED;
    const bool floor_done = kind == ITSI_TIME_SERVICE &&
                            push_series(r, ITSI_TIME_FLOOR, stage, batch, around) == ITSI_NEWS_ACCEPTED;
    if (kind == ITSI_TIME_SERVICE && (mean_done || floor_done))
        accept_stage(r, stage, mean_done, floor_done);
    const bool has = itsi_regression_describe(r, kind, stage, &after);
    tell_change(r, had ? &before : NULL, has ? &after : NULL, mean_done || floor_done, batch->end);
}

/* How far the stages are from the baselines, for most; without one of them (ITSI_STAGE_COUNT: of all). False: fewer
 * than three stages have one, and nobody can say who is off. */
static bool common_deviation(const struct itsi_regression *r, const struct itsi_batch *batch, int kind, int without,
                             double *out)
{
    double deviations[ITSI_STAGE_COUNT];
    int known = 0, count = 0;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        const struct itsi_baseline *baseline = &r->series[kind][s].baseline;
        if (!batch->present[kind][s] || !itsi_baseline_known(baseline))
            continue;
        known++;
        if (s != without)
            deviations[count++] = batch->mean[kind][s] - baseline->level;
    }
    if (known < 3)
        return false;
    *out = itsi_majority(deviations, count);
    return true;
}

/* The whole's baseline is no deviation at all, as uncertain as the noisiest stage's. */
static struct itsi_baseline whole_baseline(const struct itsi_regression *r)
{
    struct itsi_baseline noisiest = {0};
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        const struct itsi_baseline *b = &r->series[ITSI_TIME_SERVICE][s].baseline;
        if (itsi_baseline_known(b) && (!noisiest.batches || itsi_baseline_spread(b) > itsi_baseline_spread(&noisiest)))
            noisiest = *b;
    }
    noisiest.level = 0;
    noisiest.batches = ITSI_BASELINE_FULL; /* learns nothing itself */
    return noisiest;
}

static void push_whole(struct itsi_regression *r, const struct itsi_batch *batch)
{
    double deviation;
    if (!common_deviation(r, batch, ITSI_TIME_SERVICE, ITSI_STAGE_COUNT, &deviation))
        return;
    struct itsi_series_rules rules = r->rules;
    rules.accept_after = 0; /* done below, for all the stages */
    struct itsi_move before = {0}, after = {0};
    const bool moved = itsi_regression_describe_whole(r, &before);
    if (moved && r->rules.accept_after && batch->end - r->whole.reported >= r->rules.accept_after) {
        (void)itsi_regression_accept_whole(r, batch->end);
        return;
    }
    r->whole.baseline = whole_baseline(r);
    const struct itsi_series_input input = {.mean = deviation, .begin = batch->begin, .end = batch->end};
    (void)itsi_series_push(&r->whole, &rules, &input);
    const bool moves = itsi_regression_describe_whole(r, &after);
    tell_change(r, moved ? &before : NULL, moves ? &after : NULL, false, batch->end);
}

static void gap(struct itsi_regression *r)
{
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++) {
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            itsi_series_gap(&r->series[k][s]);
        itsi_adjustment_forget(&r->adjustment[k]);
    }
    itsi_series_gap(&r->whole);
    memset(r->floor, 0, sizeof r->floor);
}

/* Of the baselines before this batch, for all. */
static void look_around(struct itsi_regression *r, const struct itsi_batch *batch, int kind, struct surroundings *out)
{
    double values[ITSI_STAGE_COUNT];
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        values[s] = batch->present[kind][s] ? batch->mean[kind][s] : (double)NAN;
        out->peers[kind][s] = 0;
        (void)common_deviation(r, batch, kind, s, &out->peers[kind][s]);
    }
    itsi_adjustment_foretell(&r->adjustment[kind], r->series[kind], &r->rules, values, out->foretold[kind]);
}

static void push_batch(struct itsi_regression *r, const struct itsi_batch *batch)
{
    struct surroundings around = {0};
    push_whole(r, batch);
    look_around(r, batch, ITSI_TIME_SERVICE, &around);
    look_around(r, batch, ITSI_TIME_FLOOR, &around);
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            if (batch->present[k][s])
                push(r, (enum itsi_time_kind)k, (enum itsi_stage)s, batch, &around);
    if (r->whole.state != ITSI_SERIES_STEADY)
        return;
    itsi_adjustment_learn(&r->adjustment[ITSI_TIME_SERVICE], r->series[ITSI_TIME_SERVICE], &r->rules);
    itsi_adjustment_learn(&r->adjustment[ITSI_TIME_FLOOR], r->series[ITSI_TIME_FLOOR], &r->rules);
}

int itsi_regression_batch(struct itsi_regression *r, const struct itsi_batch *batch)
{
    if (!itsi_batch_valid(batch) || (r->last_end && !batch->after_gap && batch->begin < r->last_end)) {
        r->refused++;
        return ITS_EINVAL;
    }
    r->last_end = batch->end;
    if (batch->after_gap)
        gap(r);
    struct itsi_batch smooth = *batch;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (batch->present[ITSI_TIME_FLOOR][s])
            smooth.mean[ITSI_TIME_FLOOR][s] = itsi_floor_push(&r->floor[s], batch->mean[ITSI_TIME_FLOOR][s]);
    push_batch(r, &smooth);
    return 0;
}

int itsi_regression_frame(struct itsi_regression *r, const struct itsi_breakdown *frame, int64_t now)
{
    struct itsi_batch batch;
    const int closed = itsi_batch_add(&r->open, frame, now, &batch);
    if (closed < 0) {
        r->refused++;
        return closed;
    }
    return closed ? itsi_regression_batch(r, &batch) : 0;
}

int itsi_regression_accept(struct itsi_regression *r, enum itsi_stage stage, int64_t now)
{
    struct itsi_move move;
    if (!itsi_regression_describe(r, ITSI_TIME_SERVICE, stage, &move))
        return ITS_ENOTFOUND;
    accept_stage(r, stage, false, false);
    tell(r, ITSI_REGRESSION_ACCEPTED, &move, now);
    return 0;
}

int itsi_regression_accept_whole(struct itsi_regression *r, int64_t now)
{
    struct itsi_move move;
    if (!itsi_regression_describe_whole(r, &move))
        return ITS_ENOTFOUND;
    itsi_series_begin(&r->whole, NULL);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        itsi_series_relearn(&r->series[ITSI_TIME_SERVICE][s]);
        itsi_series_relearn(&r->series[ITSI_TIME_FLOOR][s]);
    }
    itsi_adjustment_forget(&r->adjustment[ITSI_TIME_SERVICE]);
    itsi_adjustment_forget(&r->adjustment[ITSI_TIME_FLOOR]);
    tell(r, ITSI_REGRESSION_ACCEPTED, &move, now);
    return 0;
}

#include "latency/regression_series.h"

#include "latency/regression_robust.h"

#include <math.h>
#include <string.h>

/* One-sided 95 %, of a normal distribution. */
#define CONFIDENCE_95 1.645
#define CLIP_DEVIATIONS 4.0
_Static_assert((int)ITSI_SERIES_LEARN_LATE < (int)ITSI_SERIES_RECENT, "they are taken from the ring");
/* Of the threshold, that must be plausible: a shift just as large as the threshold is to be found nearly always, not
 * every other time. */
#define NEAR_SHARE 0.9
/* Of the threshold, that the later half of a change must still show. */
#define LATER_SHARE 0.75
/* Of the threshold, that peers off the other way count for at most. */
#define CREDIT_SHARE 0.25

void itsi_series_begin(struct itsi_series *s, const struct itsi_baseline *known)
{
    memset(s, 0, sizeof *s);
    if (known && itsi_baseline_known(known))
        s->baseline = *known;
}

static void remember(struct itsi_series *s, double mean, double foretold, double peers)
{
    s->recent[s->recent_next] = mean;
    s->foretold[s->recent_next] = foretold;
    s->peers[s->recent_next] = peers;
    s->recent_next = (s->recent_next + 1) % ITSI_SERIES_RECENT;
    if (s->recent_count < ITSI_SERIES_RECENT)
        s->recent_count++;
}

/* The newest `count` values of one of its rings, oldest first; returns how many there are. */
static int newest(const struct itsi_series *s, const double *ring, int count, double *out)
{
    if (count > s->recent_count)
        count = s->recent_count;
    const int first = s->recent_next - count + ITSI_SERIES_RECENT;
    for (int i = 0; i < count; i++)
        out[i] = ring[(first + i) % ITSI_SERIES_RECENT];
    return count;
}

/* What the spread of the sums' terms is known by. */
static const struct itsi_baseline *judge(const struct itsi_series *s)
{
    return itsi_baseline_known(&s->residual) ? &s->residual : &s->baseline;
}

/* What is taken off a deviation when it is held to be slower (`sign` +1) or faster (-1). */
static double excuse(double foretold, const struct itsi_series_rules *rules, int sign)
{
    return sign * fmax(sign * foretold, -CREDIT_SHARE * rules->threshold);
}

static double residual_level(const struct itsi_series *s)
{
    return itsi_baseline_known(&s->residual) ? s->residual.level : 0;
}

/* Over the newest `run` batches: what is left of the shift behind what one of its rings excuses, and the spread. */
static void estimate(const struct itsi_series *s, const struct itsi_series_rules *rules, int run, int sign,
                     const double *ring, struct itsi_series_shift *out)
{
    double values[ITSI_SERIES_RECENT], excuses[ITSI_SERIES_RECENT];
    const int count = newest(s, s->recent, run, values);
    newest(s, ring, run, excuses);
    for (int i = 0; i < count; i++)
        values[i] -= excuse(excuses[i], rules, sign);
    const double spread = itsi_baseline_spread(judge(s));
    out->shift = itsi_middle_mean(values, count) - s->baseline.level - residual_level(s);
    out->error = sqrt(spread / count + spread / s->baseline.batches);
    out->batches = count;
}

double itsi_series_limit(double spread, const struct itsi_series_rules *rules)
{
    /* exp(u) - 1 - u = a, u = 2 k h / spread, a = 2 k^2 interval / spread; converges in a few steps. */
    const double reference = rules->threshold / 2;
    const double a = 2 * reference * reference * rules->interval / spread;
    double u = log1p(a);
    for (int i = 0; i < 4; i++)
        u = log1p(a + u);
    return u * spread / (2 * reference);
}

static void cusum_add(struct itsi_cusum *c, double amount, double most, int64_t begin)
{
    c->sum = fmin(c->sum + amount, most);
    if (c->sum <= 0) {
        *c = (struct itsi_cusum){0};
        return;
    }
    if (c->run++ == 0)
        c->since = begin;
}

static void forget_sums(struct itsi_series *s)
{
    s->up = (struct itsi_cusum){0};
    s->down = (struct itsi_cusum){0};
}

/* Does the other view of the stage rule out that it moved? */
static bool contradicted(const struct itsi_series *witness, const struct itsi_series_rules *rules, int run, int sign)
{
    struct itsi_series_shift seen;
    if (!witness || !itsi_baseline_known(&witness->baseline) || witness->recent_count == 0)
        return false;
    estimate(witness, rules, run, sign, witness->foretold, &seen);
    return sign * seen.shift + CONFIDENCE_95 * seen.error < rules->threshold / 2;
}

/* Has the change that the sum speaks of the size and the certainty to be told? `sign` +1: slower. */
static bool counts(const struct itsi_series *s, const struct itsi_cusum *c, const struct itsi_series_rules *rules,
                   int sign, const struct itsi_series *witness)
{
    if (c->run < rules->least_run || contradicted(witness, rules, c->run, sign))
        return false;
    struct itsi_series_shift all, later, beyond_most;
    estimate(s, rules, c->run, sign, s->foretold, &all);
    estimate(s, rules, all.batches / 2, sign, s->foretold, &later);
    estimate(s, rules, c->run, sign, s->peers, &beyond_most);
    const double size = sign * all.shift;
    return size - CONFIDENCE_95 * all.error >= rules->threshold / 2 &&
           size + CONFIDENCE_95 * all.error >= NEAR_SHARE * rules->threshold &&
           sign * later.shift >= LATER_SHARE * rules->threshold &&
           sign * beyond_most.shift >= rules->threshold / 2;
}

static void forget_neighbours(struct itsi_series *s)
{
    itsi_baseline_learner_reset(&s->learner);
    itsi_baseline_learner_reset(&s->residual_learner);
}

static void stop_learning(struct itsi_series *s)
{
    s->pending = 0;
    forget_neighbours(s);
}

static enum itsi_series_news begin_change(struct itsi_series *s, enum itsi_series_state state,
                                          const struct itsi_cusum *c, int64_t now)
{
    s->state = state;
    s->since = c->since;
    s->run = c->run;
    s->reported = now;
    forget_sums(s);
    stop_learning(s);
    return state == ITSI_SERIES_SLOWER ? ITSI_NEWS_SLOWER : ITSI_NEWS_FASTER;
}

static bool stirred(const struct itsi_series *s, double limit)
{
    return s->state != ITSI_SERIES_STEADY || s->up.sum > limit / 2 || s->down.sum > limit / 2;
}

bool itsi_series_calm(const struct itsi_series *s, const struct itsi_series_rules *rules)
{
    return !stirred(s, itsi_series_limit(itsi_baseline_spread(judge(s)), rules));
}

/* A batch is learned a minute late, when nothing has come of it: the beginning of a change that is not told yet must
 * not become part of what it is measured against. */
static void learn(struct itsi_series *s, double limit)
{
    if (s->up.sum > limit || s->down.sum > limit) {
        forget_neighbours(s);
        return;
    }
    if (++s->pending <= ITSI_SERIES_LEARN_LATE)
        return;
    s->pending = ITSI_SERIES_LEARN_LATE;
    const int at = (s->recent_next - 1 - ITSI_SERIES_LEARN_LATE + ITSI_SERIES_RECENT) % ITSI_SERIES_RECENT;
    if (itsi_baseline_known(&s->residual))
        itsi_baseline_learn(&s->residual, &s->residual_learner, s->recent[at] - s->baseline.level - s->foretold[at]);
    itsi_baseline_learn(&s->baseline, &s->learner, s->recent[at]);
}

void itsi_series_adjust(struct itsi_series *s, const double *foretold, int count)
{
    double left[ITSI_BASELINE_SEED_MAX];
    const int first = s->recent_next - count + ITSI_SERIES_RECENT;
    for (int i = 0; i < count; i++) {
        const int at = (first + i) % ITSI_SERIES_RECENT;
        s->foretold[at] = foretold[i];
        left[i] = s->recent[at] - s->baseline.level - foretold[i];
    }
    itsi_baseline_seed(&s->residual, left, count);
    forget_sums(s);
    stop_learning(s);
}

void itsi_series_relearn(struct itsi_series *s)
{
    struct itsi_baseline residual = s->residual;
    residual.level = 0; /* around the new level */
    itsi_series_begin(s, NULL);
    s->residual = residual;
}

bool itsi_series_accept(struct itsi_series *s)
{
    if (s->state == ITSI_SERIES_STEADY)
        return false;
    double values[ITSI_SERIES_RECENT];
    const int count = newest(s, s->recent, s->run, values);
    itsi_series_relearn(s);
    for (int i = 0; i < count; i++)
        remember(s, values[i], 0, 0);
    if (count >= ITSI_BASELINE_WARMUP)
        itsi_baseline_seed(&s->baseline, values, count);
    return true;
}

/* What is left of the newest batch's deviation, held to be slower (+1) or faster (-1). Wild ones are cut. */
static double left_of(const struct itsi_series *s, const struct itsi_series_rules *rules, int sign)
{
    const int at = (s->recent_next - 1 + ITSI_SERIES_RECENT) % ITSI_SERIES_RECENT;
    const double most = fmax(CLIP_DEVIATIONS * itsi_baseline_deviation(judge(s)), 2 * rules->threshold);
    const double left = s->recent[at] - s->baseline.level - residual_level(s) - excuse(s->foretold[at], rules, sign);
    return fmax(-most, fmin(most, left));
}

/* While a change is on: only the sum that would end it is kept, in `up` or `down` by its direction. */
static enum itsi_series_news watch_end(struct itsi_series *s, const struct itsi_series_rules *rules, double amount,
                                       double limit, int64_t begin, int64_t end)
{
    struct itsi_cusum *c = s->state == ITSI_SERIES_SLOWER ? &s->down : &s->up;
    cusum_add(c, amount, 2 * limit, begin);
    s->run++;
    if (c->sum > limit && c->run >= rules->least_run) {
        s->state = ITSI_SERIES_STEADY;
        forget_sums(s);
        return ITSI_NEWS_BACK;
    }
    if (rules->accept_after > 0 && end - s->reported >= rules->accept_after && itsi_series_accept(s))
        return ITSI_NEWS_ACCEPTED;
    return ITSI_NEWS_NONE;
}

enum itsi_series_news itsi_series_push(struct itsi_series *s, const struct itsi_series_rules *rules,
                                       const struct itsi_series_input *input)
{
    remember(s, input->mean, itsi_baseline_known(&s->residual) ? input->foretold : 0, input->peers);
    if (!itsi_baseline_known(&s->baseline)) {
        if (s->recent_count >= ITSI_BASELINE_WARMUP)
            itsi_baseline_seed(&s->baseline, s->recent, s->recent_count);
        return ITSI_NEWS_NONE;
    }
    const double spread = itsi_baseline_spread(judge(s));
    const double limit = itsi_series_limit(spread, rules);
    /* The baseline's own uncertainty is to the benefit of the stage. */
    const double reference = rules->threshold / 2 + sqrt(spread / s->baseline.batches);
    const double up = left_of(s, rules, 1), down = left_of(s, rules, -1);
    if (s->state != ITSI_SERIES_STEADY)
        return watch_end(s, rules, s->state == ITSI_SERIES_SLOWER ? reference - down : reference + up, limit,
                         input->begin, input->end);
    cusum_add(&s->up, up - reference, 2 * limit, input->begin);
    cusum_add(&s->down, -down - reference, 2 * limit, input->begin);
    if (s->up.sum > limit && counts(s, &s->up, rules, 1, input->witness))
        return begin_change(s, ITSI_SERIES_SLOWER, &s->up, input->end);
    if (s->down.sum > limit && counts(s, &s->down, rules, -1, input->witness))
        return begin_change(s, ITSI_SERIES_FASTER, &s->down, input->end);
    learn(s, limit);
    return ITSI_NEWS_NONE;
}

void itsi_series_gap(struct itsi_series *s)
{
    forget_sums(s);
    stop_learning(s);
}

bool itsi_series_change(const struct itsi_series *s, const struct itsi_series_rules *rules,
                        struct itsi_series_shift *out)
{
    if (s->state == ITSI_SERIES_STEADY)
        return false;
    estimate(s, rules, s->run, s->state == ITSI_SERIES_SLOWER ? 1 : -1, s->foretold, out);
    out->since = s->since;
    return true;
}

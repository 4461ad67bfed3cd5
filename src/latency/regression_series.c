#include "latency/regression_series.h"

#include "latency/regression_robust.h"

#include <math.h>
#include <string.h>

/* One-sided 95 %, of a normal distribution. */
#define CONFIDENCE_95 1.645
#define CLIP_DEVIATIONS 4.0
/* Batches between being seen and being learned. */
enum { LEARN_LATE = 60 };
_Static_assert((int)LEARN_LATE < (int)ITSI_SERIES_RECENT, "they are taken from the ring");
/* Of the threshold, that must be plausible: a shift just as large as the threshold is to be found nearly always, not
 * every other time. */
#define NEAR_SHARE 0.9
/* Of the threshold, that the later half of a change must still show. */
#define LATER_SHARE 0.75

void itsi_series_begin(struct itsi_series *s, const struct itsi_baseline *known)
{
    memset(s, 0, sizeof *s);
    if (known && itsi_baseline_known(known))
        s->baseline = *known;
}

static void remember(struct itsi_series *s, double mean, double peers)
{
    s->recent[s->recent_next] = mean;
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

static void estimate(const struct itsi_series *s, int run, struct itsi_series_shift *out)
{
    double values[ITSI_SERIES_RECENT];
    const int count = newest(s, s->recent, run, values);
    const double spread = itsi_baseline_spread(&s->baseline);
    out->shift = itsi_middle_mean(values, count) - s->baseline.level;
    out->error = sqrt(spread / count + spread / s->baseline.batches);
    out->batches = count;
}

/* The peers' own shift over the same batches. */
static double peers_shift(const struct itsi_series *s, int run)
{
    double values[ITSI_SERIES_RECENT];
    const int count = newest(s, s->peers, run, values);
    return itsi_middle_mean(values, count);
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

/* Has the change that the sum speaks of the size and the certainty to be told? `sign` +1: slower. */
static bool counts(const struct itsi_series *s, const struct itsi_cusum *c, const struct itsi_series_rules *rules,
                   int sign)
{
    if (c->run < ITSI_SERIES_LEAST_RUN)
        return false;
    struct itsi_series_shift all, later;
    estimate(s, c->run, &all);
    estimate(s, all.batches / 2, &later);
    const double size = sign * all.shift - fmax(0, sign * peers_shift(s, c->run));
    return size - CONFIDENCE_95 * all.error >= rules->threshold / 2 &&
           size + CONFIDENCE_95 * all.error >= NEAR_SHARE * rules->threshold &&
           sign * later.shift >= LATER_SHARE * rules->threshold;
}

static void stop_learning(struct itsi_series *s)
{
    s->pending = 0;
    itsi_baseline_learner_reset(&s->learner);
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

/* A batch is learned a minute late, when nothing has come of it: the beginning of a change that is not told yet must
 * not become part of what it is measured against. */
static void learn(struct itsi_series *s, double limit)
{
    if (s->up.sum > limit / 2 || s->down.sum > limit / 2) {
        stop_learning(s);
        return;
    }
    if (++s->pending <= LEARN_LATE)
        return;
    s->pending = LEARN_LATE;
    const int at = s->recent_next - 1 - LEARN_LATE + ITSI_SERIES_RECENT;
    itsi_baseline_learn(&s->baseline, &s->learner, s->recent[at % ITSI_SERIES_RECENT]);
}

bool itsi_series_accept(struct itsi_series *s)
{
    if (s->state == ITSI_SERIES_STEADY)
        return false;
    double values[ITSI_SERIES_RECENT];
    const int count = newest(s, s->recent, s->run, values);
    itsi_series_begin(s, NULL);
    for (int i = 0; i < count; i++)
        remember(s, values[i], 0);
    if (count >= ITSI_BASELINE_WARMUP)
        itsi_baseline_seed(&s->baseline, values, count);
    return true;
}

/* While a change is on: only the sum that would end it is kept, in `up` or `down` by its direction. */
static enum itsi_series_news watch_end(struct itsi_series *s, const struct itsi_series_rules *rules, double deviation,
                                       double reference, double limit, int64_t begin, int64_t end)
{
    const bool slower = s->state == ITSI_SERIES_SLOWER;
    struct itsi_cusum *c = slower ? &s->down : &s->up;
    cusum_add(c, slower ? reference - deviation : deviation + reference, 2 * limit, begin);
    s->run++;
    if (c->sum > limit && c->run >= ITSI_SERIES_LEAST_RUN) {
        s->state = ITSI_SERIES_STEADY;
        forget_sums(s);
        return ITSI_NEWS_BACK;
    }
    if (rules->accept_after > 0 && end - s->reported >= rules->accept_after && itsi_series_accept(s))
        return ITSI_NEWS_ACCEPTED;
    return ITSI_NEWS_NONE;
}

enum itsi_series_news itsi_series_push(struct itsi_series *s, const struct itsi_series_rules *rules, double mean,
                                       double peers, int64_t begin, int64_t end)
{
    remember(s, mean, peers);
    if (!itsi_baseline_known(&s->baseline)) {
        if (s->recent_count >= ITSI_BASELINE_WARMUP)
            itsi_baseline_seed(&s->baseline, s->recent, s->recent_count);
        return ITSI_NEWS_NONE;
    }
    const double spread = itsi_baseline_spread(&s->baseline);
    const double limit = itsi_series_limit(spread, rules);
    const double most = fmax(CLIP_DEVIATIONS * itsi_baseline_deviation(&s->baseline), 2 * rules->threshold);
    const double deviation = fmax(-most, fmin(most, mean - s->baseline.level));
    /* The baseline's own uncertainty is to the benefit of the stage. */
    const double reference = rules->threshold / 2 + sqrt(spread / s->baseline.batches);
    if (s->state != ITSI_SERIES_STEADY)
        return watch_end(s, rules, deviation, reference, limit, begin, end);
    cusum_add(&s->up, deviation - reference, 2 * limit, begin);
    cusum_add(&s->down, -deviation - reference, 2 * limit, begin);
    if (s->up.sum > limit && counts(s, &s->up, rules, 1))
        return begin_change(s, ITSI_SERIES_SLOWER, &s->up, end);
    if (s->down.sum > limit && counts(s, &s->down, rules, -1))
        return begin_change(s, ITSI_SERIES_FASTER, &s->down, end);
    learn(s, limit);
    return ITSI_NEWS_NONE;
}

void itsi_series_gap(struct itsi_series *s)
{
    forget_sums(s);
    stop_learning(s);
}

bool itsi_series_change(const struct itsi_series *s, struct itsi_series_shift *out)
{
    if (s->state == ITSI_SERIES_STEADY)
        return false;
    estimate(s, s->run, out);
    out->since = s->since;
    return true;
}

#include "latency/regression_adjust.h"

#include <math.h>
#include <string.h>

enum { LEAST_STAGES = 3 };

void itsi_adjustment_begin(struct itsi_adjustment *a, const struct itsi_peers *known)
{
    memset(a, 0, sizeof *a);
    if (known && itsi_peers_known(known))
        a->peers = *known;
}

void itsi_adjustment_forget(struct itsi_adjustment *a) { a->count = a->pending = 0; }

static void solve(struct itsi_adjustment *a, const bool present[ITSI_STAGE_COUNT])
{
    if (a->solved && memcmp(a->present, present, sizeof a->present) == 0)
        return;
    memcpy(a->present, present, sizeof a->present);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        itsi_peers_slopes(&a->peers, a->present, (enum itsi_stage)s, a->slopes[s]);
    a->solved = true;
}

/* By slopes that are solved; an unknown deviation is NAN and has slope 0. */
static double foretell(const double slopes[ITSI_STAGE_COUNT], const double deviations[ITSI_STAGE_COUNT])
{
    double sum = 0;
    for (int k = 0; k < ITSI_STAGE_COUNT; k++)
        sum += slopes[k] > 0 ? slopes[k] * deviations[k] : 0;
    return sum;
}

/* Beyond what is reported of it; wild ones are cut. */
static double deviation(const struct itsi_series *series, const struct itsi_series_rules *rules, double value)
{
    struct itsi_series_shift reported = {0};
    if (isnan(value) || !itsi_baseline_known(&series->baseline))
        return (double)NAN;
    (void)itsi_series_change(series, rules, &reported);
    const double most = fmax(4 * itsi_baseline_deviation(&series->baseline), 2 * rules->threshold);
    return fmax(-most, fmin(most, value - series->baseline.level - reported.shift));
}

void itsi_adjustment_foretell(struct itsi_adjustment *a, const struct itsi_series series[ITSI_STAGE_COUNT],
                              const struct itsi_series_rules *rules, const double values[ITSI_STAGE_COUNT],
                              double foretold[ITSI_STAGE_COUNT])
{
    double deviations[ITSI_STAGE_COUNT];
    bool present[ITSI_STAGE_COUNT];
    memcpy(a->rows[a->next], values, sizeof a->rows[a->next]);
    a->next = (a->next + 1) % ITSI_SERIES_RECENT;
    a->count += a->count < ITSI_SERIES_RECENT;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        deviations[s] = deviation(&series[s], rules, values[s]);
        present[s] = !isnan(deviations[s]);
    }
    solve(a, present);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        foretold[s] = foretell(a->slopes[s], deviations);
}

/* --- learning ----------------------------------------------------------------------------------------------------- */

/* A baseline, and data to hold against it. */
static bool takes_part(const struct itsi_series *series)
{
    return itsi_baseline_known(&series->baseline) && series->recent_count > 0;
}

/* The newest ITSI_BASELINE_WARMUP rows, oldest first, with those stages alone that take part. False: there are not as
 * many, or one lacks such a stage. */
static bool newest_rows(const struct itsi_adjustment *a, const struct itsi_series series[ITSI_STAGE_COUNT],
                        double (*out)[ITSI_STAGE_COUNT])
{
    if (a->count < ITSI_BASELINE_WARMUP)
        return false;
    const int first = a->next - ITSI_BASELINE_WARMUP + ITSI_SERIES_RECENT;
    for (int i = 0; i < ITSI_BASELINE_WARMUP; i++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            const bool part = takes_part(&series[s]);
            out[i][s] = part ? a->rows[(first + i) % ITSI_SERIES_RECENT][s] : (double)NAN;
            if (part && isnan(out[i][s]))
                return false;
        }
    return true;
}

/* What is left of each stage's newest rows gives the spread to judge it by. */
static void adjust(struct itsi_adjustment *a, struct itsi_series series[ITSI_STAGE_COUNT],
                   double (*rows)[ITSI_STAGE_COUNT])
{
    double foretold[ITSI_STAGE_COUNT][ITSI_BASELINE_WARMUP];
    bool present[ITSI_STAGE_COUNT];
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        present[s] = !isnan(rows[0][s]);
    solve(a, present);
    for (int i = 0; i < ITSI_BASELINE_WARMUP; i++) {
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            rows[i][s] -= series[s].baseline.level;
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            foretold[s][i] = foretell(a->slopes[s], rows[i]);
    }
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (present[s])
            itsi_series_adjust(&series[s], foretold[s], ITSI_BASELINE_WARMUP);
}

/* Does a stage take part that nothing is known of beside its baseline? At least three must. */
static bool lacks(const struct itsi_adjustment *a, const struct itsi_series series[ITSI_STAGE_COUNT])
{
    int parts = 0;
    bool lack = !itsi_peers_known(&a->peers);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        if (!takes_part(&series[s]))
            continue;
        parts++;
        lack = lack || !itsi_peers_has(&a->peers, (enum itsi_stage)s) || !itsi_baseline_known(&series[s].residual);
    }
    return lack && parts >= LEAST_STAGES;
}

static void learn_row(struct itsi_adjustment *a, const struct itsi_series series[ITSI_STAGE_COUNT],
                      const double row[ITSI_STAGE_COUNT])
{
    double deviations[ITSI_STAGE_COUNT];
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        const bool known = itsi_baseline_known(&series[s].baseline);
        deviations[s] = known ? row[s] - series[s].baseline.level : (double)NAN;
    }
    itsi_peers_learn(&a->peers, deviations);
    if (a->peers.batches % ITSI_BASELINE_BLOCK == 0)
        a->solved = false;
}

void itsi_adjustment_learn(struct itsi_adjustment *a, struct itsi_series series[ITSI_STAGE_COUNT],
                           const struct itsi_series_rules *rules)
{
    if (itsi_peers_known(&a->peers) && a->peers.batches >= ITSI_BASELINE_FULL && !lacks(a, series))
        return;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (takes_part(&series[s]) && !itsi_series_calm(&series[s], rules)) {
            a->pending = 0;
            return;
        }
    double rows[ITSI_BASELINE_WARMUP][ITSI_STAGE_COUNT];
    if (lacks(a, series)) {
        if (!newest_rows(a, series, rows))
            return;
        itsi_peers_seed(&a->peers, rows, ITSI_BASELINE_WARMUP);
        a->solved = false;
        adjust(a, series, rows);
        return;
    }
    if (++a->pending <= ITSI_SERIES_LEARN_LATE)
        return;
    a->pending = ITSI_SERIES_LEARN_LATE;
    const int at = a->next - 1 - ITSI_SERIES_LEARN_LATE + ITSI_SERIES_RECENT;
    learn_row(a, series, a->rows[at % ITSI_SERIES_RECENT]);
}

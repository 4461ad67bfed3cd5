/* What the detector knows, in numbers and words. */
#include "latency/regression_impl.h"

#include <math.h>
#include <stdio.h>

#define CONFIDENCE_95 1.96

static double to_percent(double shift) { return 100 * expm1(shift); }
static double to_ms(double log_us) { return exp(log_us) / 1e3; }

/* Typical service of the whole way, log(us), at the baseline. */
static double whole_level(const struct itsi_regression *r)
{
    double us = 0;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        if (itsi_baseline_known(&r->series[ITSI_TIME_SERVICE][s].baseline))
            us += exp(r->series[ITSI_TIME_SERVICE][s].baseline.level);
    return log(us);
}

/* What a series' change is in numbers; false: it is steady. `level`: where it was, log(us). */
static bool measure(const struct itsi_regression *r, const struct itsi_series *series, double level,
                    struct itsi_move *out)
{
    struct itsi_series_shift shift;
    if (!itsi_series_change(series, &r->rules, &shift))
        return false;
    const bool slower = series->state == ITSI_SERIES_SLOWER;
    const double z = shift.shift / shift.error;
    *out = (struct itsi_move){.slower = slower,
                              .percent = to_percent(shift.shift),
                              .low_percent = to_percent(shift.shift - CONFIDENCE_95 * shift.error),
                              .high_percent = to_percent(shift.shift + CONFIDENCE_95 * shift.error),
                              .confidence = erfc((slower ? -z : z) / sqrt(2)) / 2,
                              .before_ms = to_ms(level),
                              .now_ms = to_ms(level + shift.shift),
                              .since = shift.since};
    return true;
}

bool itsi_regression_describe(const struct itsi_regression *r, enum itsi_time_kind kind, enum itsi_stage stage,
                     struct itsi_move *out)
{
    const struct itsi_series *mean = &r->series[kind][stage], *floor = &r->series[ITSI_TIME_FLOOR][stage];
    const bool by_floor = kind == ITSI_TIME_SERVICE && mean->state != ITSI_SERIES_SLOWER &&
                          floor->state == ITSI_SERIES_SLOWER && itsi_baseline_known(&mean->baseline);
    if (!measure(r, by_floor ? floor : mean, mean->baseline.level, out))
        return false;
    out->stage = stage;
    out->kind = kind;
    return true;
}

bool itsi_regression_describe_whole(const struct itsi_regression *r, struct itsi_move *out)
{
    if (!measure(r, &r->whole, whole_level(r), out))
        return false;
    out->whole = true;
    return true;
}

bool itsi_move_is_regression(const struct itsi_move *move)
{
    return move->slower && move->kind == ITSI_TIME_SERVICE &&
           (move->whole || move->now_ms - move->before_ms >= ITSI_REGRESSION_LEAST_MS);
}

/* Learning, and how well the least known series is known. */
static void report_baselines(const struct itsi_regression *r, struct itsi_regression_report *out)
{
    out->batches = UINT32_MAX;
    for (int k = 0; k < ITSI_SERIES_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            const struct itsi_series *series = &r->series[k][s];
            if (series->recent_count == 0)
                continue;
            if (series->baseline.batches < out->batches)
                out->batches = series->baseline.batches;
            out->learning = out->learning || !itsi_baseline_known(&series->baseline);
        }
    if (out->batches == UINT32_MAX)
        out->batches = 0;
}

void itsi_regression_report(const struct itsi_regression *r, struct itsi_regression_report *out)
{
    *out = (struct itsi_regression_report){.primary = -1, .refused = r->refused, .events_lost = r->events_lost};
    report_baselines(r, out);
    double most = 0;
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            struct itsi_move *move = &out->moves[out->count];
            if (!itsi_regression_describe(r, (enum itsi_time_kind)k, (enum itsi_stage)s, move))
                continue;
            const double added = move->now_ms - move->before_ms;
            move->regression = itsi_move_is_regression(move);
            if (move->regression && added > most) {
                most = added;
                out->primary = out->count;
            }
            out->count++;
        }
    if (!itsi_regression_describe_whole(r, &out->moves[out->count]))
        return;
    out->moves[out->count].regression = itsi_move_is_regression(&out->moves[out->count]);
    if (out->primary < 0 && out->moves[out->count].slower)
        out->primary = out->count;
    out->count++;
}

void itsi_move_text(const struct itsi_move *move, char *out, size_t size)
{
    const char *name = move->whole ? "all stages" : itsi_stage_name(move->stage);
    snprintf(out, size, "%s%s %s by %.1f %% (95 %%: %.1f to %.1f %%), %.3g -> %.3g ms", name,
             move->kind == ITSI_TIME_WAIT ? " wait" : "", move->slower ? "slower" : "faster", fabs(move->percent),
             move->slower ? move->low_percent : -move->high_percent,
             move->slower ? move->high_percent : -move->low_percent, move->before_ms, move->now_ms);
}

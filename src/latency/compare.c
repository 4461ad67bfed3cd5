#include "latency/compare.h"

#include "base/diag.h"
#include "base/rand.h"
#include "latency/regression_robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 1000, SEED = 20260131 };
/* Of the draws, outside the interval at each end: 99 % between. */
#define TAIL 0.005
/* Batches to a block: twice the cube root of their number, the order that is best for a mean (Künsch 1989). */
#define BLOCK_FACTOR 2.0

/* The batches of one series that have a value. */
struct sample {
    double values[ITSI_RUN_BATCHES];
    int count, block;
};

const char *itsi_verdict_name(enum itsi_verdict verdict)
{
    static const char *const names[] = {"none", "same", "faster", "slower"};
    return names[verdict];
}

static void take(const struct itsi_run *run, int kind, int stage, struct sample *out)
{
    out->count = 0;
    for (int i = 0; i < run->count; i++)
        if (!isnan(run->level[kind][stage][i]))
            out->values[out->count++] = run->level[kind][stage][i];
    out->block = (int)ceil(BLOCK_FACTOR * cbrt(out->count));
}

static double level_of(const struct sample *sample)
{
    double values[ITSI_RUN_BATCHES];
    memcpy(values, sample->values, (size_t)sample->count * sizeof *values);
    return itsi_middle_mean(values, sample->count);
}

static double draw(const struct sample *sample, struct itsi_rand *rng)
{
    double values[ITSI_RUN_BATCHES];
    int at = 0;
    for (int i = 0; i < sample->count; i++) {
        at = i % sample->block ? at + 1 : (int)itsi_rand_below(rng, (uint32_t)sample->count);
        values[i] = sample->values[at % sample->count];
    }
    return itsi_middle_mean(values, sample->count);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double to_percent(double shift) { return 100 * expm1(shift); }

static enum itsi_verdict judge(double shift, double low, double high, double threshold)
{
    if (shift >= threshold && low > 0)
        return ITSI_VERDICT_SLOWER;
    return shift <= -threshold && high < 0 ? ITSI_VERDICT_FASTER : ITSI_VERDICT_SAME;
}

static void compare_series(const struct sample *before, const struct sample *after, double threshold,
                           struct itsi_stage_comparison *out)
{
    *out = (struct itsi_stage_comparison){.batches_before = before->count, .batches_after = after->count};
    if (before->count < ITSI_COMPARE_LEAST_BATCHES || after->count < ITSI_COMPARE_LEAST_BATCHES)
        return;
    const double from = level_of(before), to = level_of(after), shift = to - from;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, SEED);
    double shifts[DRAWS];
    int agree = 0;
    for (int i = 0; i < DRAWS; i++) {
        shifts[i] = draw(after, &rng) - draw(before, &rng);
        agree += shift < 0 ? shifts[i] < 0 : shifts[i] > 0;
    }
    qsort(shifts, DRAWS, sizeof *shifts, by_value);
    const double low = shifts[(int)(TAIL * DRAWS)], high = shifts[DRAWS - 1 - (int)(TAIL * DRAWS)];
    out->verdict = judge(shift, low, high, threshold);
    out->percent = to_percent(shift);
    out->low_percent = to_percent(low);
    out->high_percent = to_percent(high);
    out->confidence = (double)agree / DRAWS;
    out->before_ms = exp(from) / 1e3;
    out->after_ms = exp(to) / 1e3;
}

/* On service alone. */
static void judge_whole(struct itsi_comparison *c)
{
    double most = 0;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        struct itsi_stage_comparison *stage = &c->series[ITSI_TIME_SERVICE][s];
        const double added = stage->after_ms - stage->before_ms;
        if (stage->verdict == ITSI_VERDICT_SLOWER && added < ITSI_REGRESSION_LEAST_MS)
            stage->verdict = ITSI_VERDICT_SAME;
        if (stage->verdict > c->verdict)
            c->verdict = stage->verdict;
        if (stage->verdict == ITSI_VERDICT_SLOWER && added > most) {
            most = added;
            c->primary = s;
        }
    }
}

int itsi_compare(const struct itsi_run *before, const struct itsi_run *after, double threshold_percent,
                 struct itsi_comparison *out, struct its_diag *diag)
{
    if (!(threshold_percent > 0) || !isfinite(threshold_percent))
        return itsi_fail(diag, ITS_EINVAL, "regression threshold %g %%: must be above 0", threshold_percent);
    *out = (struct itsi_comparison){
        .threshold_percent = threshold_percent,
        .primary = -1,
        .other_model = strcmp(before->setup.model, after->setup.model) != 0,
        .other_config = strcmp(before->setup.config, after->setup.config) != 0,
        .other_hardware = strcmp(before->setup.hardware, after->setup.hardware) != 0,
        .other_load = before->setup.band != after->setup.band};
    struct sample a, b;
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            take(before, k, s, &a);
            take(after, k, s, &b);
            compare_series(&a, &b, log1p(threshold_percent / 100), &out->series[k][s]);
        }
    judge_whole(out);
    return 0;
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

static void put_series(const struct itsi_stage_comparison *c, struct itsi_json *json, const char *key)
{
    itsi_json_object(json, key);
    itsi_json_string(json, "verdict", itsi_verdict_name(c->verdict));
    itsi_json_int(json, "batches_before", c->batches_before);
    itsi_json_int(json, "batches_after", c->batches_after);
    if (c->verdict != ITSI_VERDICT_NONE) {
        itsi_json_number(json, "percent", c->percent, 2);
        itsi_json_number(json, "low_percent", c->low_percent, 2);
        itsi_json_number(json, "high_percent", c->high_percent, 2);
        itsi_json_number(json, "confidence", c->confidence, 4);
        itsi_json_number(json, "before_ms", c->before_ms, 4);
        itsi_json_number(json, "after_ms", c->after_ms, 4);
    }
    itsi_json_end(json, '}');
}

static bool measured(const struct itsi_stage_comparison *c) { return c->batches_before || c->batches_after; }

void itsi_comparison_json(const struct itsi_comparison *c, struct itsi_json *json, const char *key)
{
    itsi_json_object(json, key);
    itsi_json_string(json, "verdict", itsi_verdict_name(c->verdict));
    itsi_json_string(json, "stage", c->primary < 0 ? NULL : itsi_stage_name((enum itsi_stage)c->primary));
    itsi_json_number(json, "threshold_percent", c->threshold_percent, 2);
    itsi_json_array(json, "differs");
    if (c->other_model)
        itsi_json_string(json, NULL, "model");
    if (c->other_config)
        itsi_json_string(json, NULL, "config");
    if (c->other_hardware)
        itsi_json_string(json, NULL, "hardware");
    if (c->other_load)
        itsi_json_string(json, NULL, "load");
    itsi_json_end(json, ']');
    itsi_json_object(json, "stages");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
        if (!measured(&c->series[ITSI_TIME_SERVICE][s]) && !measured(&c->series[ITSI_TIME_WAIT][s]))
            continue;
        itsi_json_object(json, itsi_stage_name((enum itsi_stage)s));
        for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
            put_series(&c->series[k][s], json, itsi_time_kind_name((enum itsi_time_kind)k));
        itsi_json_end(json, '}');
    }
    itsi_json_end(json, '}');
    itsi_json_end(json, '}');
}

static void print_series(const struct itsi_comparison *c, enum itsi_time_kind kind, enum itsi_stage stage,
                         struct itsi_buf *out)
{
    const struct itsi_stage_comparison *s = &c->series[kind][stage];
    if (!measured(s))
        return;
    itsi_buf_printf(out, "  %-22s %-8s", itsi_stage_name(stage), itsi_time_kind_name(kind));
    if (s->verdict == ITSI_VERDICT_NONE)
        itsi_buf_printf(out, " too few batches: %d and %d, %d are needed\n", s->batches_before, s->batches_after,
                        ITSI_COMPARE_LEAST_BATCHES);
    else
        itsi_buf_printf(out, " %10.3f %10.3f %+9.1f %+9.1f %+9.1f   %s\n", s->before_ms, s->after_ms, s->percent,
                        s->low_percent, s->high_percent, itsi_verdict_name(s->verdict));
}

static void print_verdict(const struct itsi_comparison *c, struct itsi_buf *out)
{
    if (c->verdict == ITSI_VERDICT_NONE) {
        itsi_buf_puts(out, "no verdict: too few batches, or no stage in common\n");
    } else if (c->primary >= 0) {
        const struct itsi_stage_comparison *s = &c->series[ITSI_TIME_SERVICE][c->primary];
        itsi_buf_printf(out, "regression: %s takes %.1f %% longer (99 %%: %.1f to %.1f %%; threshold %g %%)\n",
                        itsi_stage_name((enum itsi_stage)c->primary), s->percent, s->low_percent, s->high_percent,
                        c->threshold_percent);
    } else {
        itsi_buf_printf(out, "no stage is slower by %g %% or more\n", c->threshold_percent);
    }
}

void itsi_comparison_text(const struct itsi_comparison *c, struct itsi_buf *out)
{
    itsi_buf_printf(out, "  %-22s %-8s %10s %10s %9s %19s\n", "stage", "time", "before ms", "after ms", "percent",
                    "99 % interval");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
            print_series(c, (enum itsi_time_kind)k, (enum itsi_stage)s, out);
    if (c->other_model || c->other_config || c->other_hardware || c->other_load)
        itsi_buf_printf(out, "note: not the same%s%s%s%s as in the baseline\n", c->other_model ? " model" : "",
                        c->other_config ? " configuration" : "", c->other_hardware ? " hardware" : "",
                        c->other_load ? " load" : "");
    print_verdict(c, out);
}

#include "latency/compare_run.h"

#include "base/diag.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, LONGEST_BATCH_S = 1 << 24 };

/* --- recording --------------------------------------------------------------------------------------------------- */

int itsi_run_create(struct itsi_run **out, const struct itsi_baseline_key *setup, struct its_diag *diag)
{
    struct itsi_run *run = itsi_zalloc(sizeof *run);
    if (!run)
        return itsi_fail(diag, ITS_ENOMEM, "latency batches: out of memory");
    run->setup = *setup;
    run->batch_s = 1;
    *out = run;
    return 0;
}

void itsi_run_destroy(struct itsi_run *run) { itsi_free(run); }

/* The mean of two batches, each weighted by its frames; NAN is none. */
static double join(double a, double frames_a, double b, double frames_b)
{
    if (isnan(a))
        return b;
    if (isnan(b))
        return a;
    return (a * frames_a + b * frames_b) / (frames_a + frames_b);
}

/* Neighbours become one batch. ITSI_RUN_BATCHES is even, and this is called when all are in use. */
static void halve(struct itsi_run *run)
{
    run->count /= 2;
    for (int i = 0; i < run->count; i++) {
        const uint32_t a = run->frames[2 * i], b = run->frames[2 * i + 1];
        for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
            for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
                double *level = run->level[k][s];
                level[i] = join(level[2 * i], a, level[2 * i + 1], b);
            }
        run->frames[i] = a + b;
    }
    run->batch_s *= 2;
}

static void store(struct itsi_run *run, const struct itsi_batch *batch)
{
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            run->level[k][s][run->count] = batch->present[k][s] ? batch->mean[k][s] : NAN;
    run->frames[run->count++] = batch->frames;
    if (run->count == ITSI_RUN_BATCHES)
        halve(run);
}

static void add_to_joined(struct itsi_batch *joined, const struct itsi_batch *batch)
{
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++)
        for (int s = 0; s < ITSI_STAGE_COUNT; s++) {
            const double a = joined->present[k][s] ? joined->mean[k][s] : NAN;
            const double b = batch->present[k][s] ? batch->mean[k][s] : NAN;
            const double both = join(a, joined->frames, b, batch->frames);
            joined->present[k][s] = !isnan(both);
            joined->mean[k][s] = both;
        }
    joined->frames += batch->frames;
}

int itsi_run_batch(struct itsi_run *run, const struct itsi_batch *batch)
{
    if (!itsi_batch_valid(batch))
        return ITS_EINVAL;
    if (run->joined_count == 0)
        memset(&run->joined, 0, sizeof run->joined);
    add_to_joined(&run->joined, batch);
    if (++run->joined_count < run->batch_s)
        return 0;
    run->joined_count = 0;
    store(run, &run->joined);
    return 0;
}

int itsi_run_frame(struct itsi_run *run, const struct itsi_breakdown *frame, int64_t now)
{
    struct itsi_batch batch;
    const int closed = itsi_batch_add(&run->open, frame, now, &batch);
    return closed > 0 ? itsi_run_batch(run, &batch) : closed;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static void key_of(enum itsi_time_kind kind, char out[32]) { snprintf(out, 32, "%s_us", itsi_time_kind_name(kind)); }

static bool any(const struct itsi_run *run, const double *level)
{
    for (int i = 0; i < run->count; i++)
        if (!isnan(level[i]))
            return true;
    return false;
}

static void put_levels(const struct itsi_run *run, struct itsi_json *json, const char *key, const double *level)
{
    itsi_json_array(json, key);
    for (int i = 0; i < run->count; i++)
        itsi_json_number(json, NULL, exp(level[i]), 2); /* NAN becomes null */
    itsi_json_end(json, ']');
}

static void put_stage(const struct itsi_run *run, struct itsi_json *json, enum itsi_stage stage)
{
    if (!any(run, run->level[ITSI_TIME_SERVICE][stage]) && !any(run, run->level[ITSI_TIME_WAIT][stage]))
        return;
    itsi_json_object(json, itsi_stage_name(stage));
    for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++) {
        char key[32];
        key_of((enum itsi_time_kind)k, key);
        if (any(run, run->level[k][stage]))
            put_levels(run, json, key, run->level[k][stage]);
    }
    itsi_json_end(json, '}');
}

void itsi_run_json(const struct itsi_run *run, struct itsi_json *json, const char *key)
{
    itsi_json_object(json, key);
    itsi_json_int(json, "version", VERSION);
    itsi_json_object(json, "setup");
    itsi_json_string(json, "build", run->setup.build);
    itsi_json_string(json, "model", run->setup.model);
    itsi_json_string(json, "config", run->setup.config);
    itsi_json_string(json, "hardware", run->setup.hardware);
    itsi_json_int(json, "band", run->setup.band);
    itsi_json_end(json, '}');
    itsi_json_int(json, "batch_s", run->batch_s);
    itsi_json_array(json, "frames");
    for (int i = 0; i < run->count; i++)
        itsi_json_int(json, NULL, run->frames[i]);
    itsi_json_end(json, ']');
    itsi_json_object(json, "stages");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        put_stage(run, json, (enum itsi_stage)s);
    itsi_json_end(json, '}');
    itsi_json_end(json, '}');
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static int read_setup(struct itsi_run *run, const json_t *document, struct its_diag *diag)
{
    const json_t *setup = json_object_get(document, "setup"), *band = json_object_get(setup, "band");
    const char *build = json_string_value(json_object_get(setup, "build"));
    const char *model = json_string_value(json_object_get(setup, "model"));
    const char *config = json_string_value(json_object_get(setup, "config"));
    const char *hardware = json_string_value(json_object_get(setup, "hardware"));
    if (!build || !model || !config || !hardware || !json_is_integer(band) || json_integer_value(band) < -1 ||
        json_integer_value(band) >= ITSI_LOAD_BAND_COUNT)
        return itsi_fail(diag, ITS_EFORMAT, "setup: not {build, model, config, hardware, band}");
    itsi_baseline_key(&run->setup, build, model, config, hardware, (int)json_integer_value(band));
    return 0;
}

static int read_frames(struct itsi_run *run, const json_t *document, struct its_diag *diag)
{
    const json_t *frames = json_object_get(document, "frames"), *one;
    if (!json_is_array(frames) || json_array_size(frames) > ITSI_RUN_BATCHES)
        return itsi_fail(diag, ITS_EFORMAT, "frames: not a list of at most %d", ITSI_RUN_BATCHES);
    size_t i;
    json_array_foreach(frames, i, one) {
        if (!json_is_integer(one) || json_integer_value(one) < 1 || json_integer_value(one) > UINT32_MAX)
            return itsi_fail(diag, ITS_EFORMAT, "frames[%zu]: not a count above 0", i);
        run->frames[i] = (uint32_t)json_integer_value(one);
    }
    run->count = (int)json_array_size(frames);
    return 0;
}

static int read_levels(struct itsi_run *run, const json_t *list, const char *stage, const char *key, double *level,
                       struct its_diag *diag)
{
    if (!list) {
        for (int i = 0; i < run->count; i++)
            level[i] = NAN;
        return 0;
    }
    if (!json_is_array(list) || json_array_size(list) != (size_t)run->count)
        return itsi_fail(diag, ITS_EFORMAT, "%s.%s: not a list with a value per batch", stage, key);
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        const double us = json_number_value(one); /* 0 when it is no number */
        if (!json_is_null(one) && !(us > 0 && isfinite(us)))
            return itsi_fail(diag, ITS_EFORMAT, "%s.%s[%zu]: not a time above 0", stage, key, i);
        level[i] = json_is_null(one) ? NAN : log(us);
    }
    return 0;
}

static int read_stages(struct itsi_run *run, const json_t *document, struct its_diag *diag)
{
    const json_t *stages = json_object_get(document, "stages");
    if (!json_is_object(stages))
        return itsi_fail(diag, ITS_EFORMAT, "stages: not an object");
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int k = 0; k < ITSI_TIME_KIND_COUNT; k++) {
            char key[32];
            key_of((enum itsi_time_kind)k, key);
            const char *name = itsi_stage_name((enum itsi_stage)s);
            const json_t *list = json_object_get(json_object_get(stages, name), key);
            int rc = read_levels(run, list, name, key, run->level[k][s], diag);
            if (rc != 0)
                return rc;
        }
    return 0;
}

static int read_run(struct itsi_run *run, const json_t *document, struct its_diag *diag)
{
    const json_t *version = json_object_get(document, "version"), *batch = json_object_get(document, "batch_s");
    if (!json_is_integer(version) || json_integer_value(version) != VERSION)
        return itsi_fail(diag, ITS_EFORMAT, "not latency batches of version %d", VERSION);
    if (!json_is_integer(batch) || json_integer_value(batch) < 1 || json_integer_value(batch) > LONGEST_BATCH_S)
        return itsi_fail(diag, ITS_EFORMAT, "batch_s: not a number of seconds");
    run->batch_s = (int)json_integer_value(batch);
    int rc = read_setup(run, document, diag);
    if (rc == 0)
        rc = read_frames(run, document, diag);
    return rc == 0 ? read_stages(run, document, diag) : rc;
}

int itsi_run_parse(struct itsi_run **out, const json_t *document, struct its_diag *diag)
{
    struct itsi_run *run = itsi_zalloc(sizeof *run);
    if (!run)
        return itsi_fail(diag, ITS_ENOMEM, "latency batches: out of memory");
    const int rc = read_run(run, document, diag);
    if (rc != 0) {
        itsi_run_destroy(run);
        return rc;
    }
    *out = run;
    return 0;
}

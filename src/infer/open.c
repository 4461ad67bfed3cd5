#include "infer/open.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "infer/model.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = "-int8";

/* Rounds each engine is timed for, fewer when they take long. The least time counts: what else runs on the machine only
 * ever adds. */
enum { ROUNDS_LEAST = 5, ROUNDS_MOST = 25 };
#define RACE_ENOUGH_NS ITSI_NS_PER_S
#define ROUND_MOST_NS (10 * ITSI_NS_PER_S)
/* int8 must need less than this share of the other's time. */
#define WORTH_IT 0.9

bool itsi_int8_path(const char *model_path, char *out, size_t size)
{
    const char *slash = strrchr(model_path, '/'), *dot = strrchr(model_path, '.');
    size_t stem = dot && dot > (slash ? slash : model_path) ? (size_t)(dot - model_path) : strlen(model_path);
    size_t own = sizeof suffix - 1;
    if (stem >= own && memcmp(model_path + stem - own, suffix, own) == 0)
        return false;
    int used = snprintf(out, size, "%.*s%s%s", (int)stem, model_path, suffix, model_path + stem);
    return used > 0 && (size_t)used < size;
}

/* Can `other` take the model's place? Its names are what results are published under. */
static int check_twin(const struct itsi_model *model, const struct itsi_model *other, struct its_diag *diag)
{
    if (!other->quantized)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "it is not a quantised model");
    if (other->classes != model->classes)
        return itsi_fail(diag, ITS_EINVAL, "it has %d classes, the model has %d", other->classes, model->classes);
    for (int i = 0; model->has_names && other->has_names && i < model->classes; i++)
        if (strcmp(model->names[i], other->names[i]) != 0)
            return itsi_fail(diag, ITS_EINVAL, "its class %d is '%s', the model's is '%s'", i, other->names[i],
                             model->names[i]);
    return 0;
}

static int open_twin(struct itsi_engine **out, const struct itsi_backend *backend,
                     const struct itsi_engine_params *params, const struct itsi_model *model, const char *path,
                     struct its_diag *diag)
{
    struct itsi_model twin;
    int rc = itsi_model_open(&twin, path, diag);
    if (rc != 0)
        return rc;
    rc = check_twin(model, &twin, diag);
    itsi_model_fini(&twin);
    if (rc != 0)
        return itsi_diag_prefix(diag, rc, "%s", path);
    struct itsi_engine_params int8 = *params;
    int8.model_path = path;
    int8.precision = ITSI_PRECISION_INT8;
    return backend->open(out, &int8, diag);
}

/* The time all of an engine's requests take side by side, full batches; ITSI_NEVER when one fails or hangs. */
static int64_t time_round(const struct itsi_backend *backend, struct itsi_engine *engine)
{
    const struct itsi_engine_info *info = backend->info(engine);
    int64_t start = itsi_now_ns();
    int submitted = 0;
    bool ok = true;
    for (int slot; submitted < info->parallel && (slot = backend->acquire(engine)) >= 0; submitted++)
        if (backend->submit(engine, slot, info->max_batch) != 0) {
            backend->release(engine, slot);
            ok = false;
            break;
        }
    for (int i = 0; i < submitted; i++) {
        struct itsi_completion done;
        if (backend->collect(engine, start + ROUND_MOST_NS, &done) != 0)
            return ITSI_NEVER;
        backend->release(engine, done.slot);
        ok = ok && done.status == 0;
    }
    return ok && submitted > 0 ? itsi_now_ns() - start : ITSI_NEVER;
}

/* Turn about, so that a load that comes or goes meets both. */
static bool int8_is_worth_it(const struct itsi_backend *backend, struct itsi_engine *plain, struct itsi_engine *int8)
{
    int64_t plain_ns = ITSI_NEVER, int8_ns = ITSI_NEVER, start = itsi_now_ns();
    for (int i = 0; i < ROUNDS_MOST && (i < ROUNDS_LEAST || itsi_now_ns() < start + RACE_ENOUGH_NS); i++) {
        int64_t a = time_round(backend, plain), b = time_round(backend, int8);
        plain_ns = a < plain_ns ? a : plain_ns;
        int8_ns = b < int8_ns ? b : int8_ns;
        if (a == ITSI_NEVER || b == ITSI_NEVER) /* broken: more rounds tell nothing */
            break;
    }
    bool worth = int8_ns != ITSI_NEVER && (double)int8_ns < WORTH_IT * (double)plain_ns;
    itsi_info("infer", "%s %.1f ms, %s %.1f ms: %s runs", backend->info(plain)->model, (double)plain_ns / 1e6,
              backend->info(int8)->model, (double)int8_ns / 1e6, backend->info(worth ? int8 : plain)->model);
    return worth;
}

/* The engine of the named file is open: keeps it, or puts the int8 version in its place. */
static void race(struct itsi_engine **engine, const struct itsi_backend *backend,
                 const struct itsi_engine_params *params, const struct itsi_model *model, const char *twin_path)
{
    struct its_diag diag = {""};
    struct itsi_engine *twin;
    if (open_twin(&twin, backend, params, model, twin_path, &diag) != 0) {
        itsi_warn("infer", "the int8 version is not used: %s", diag.text);
        return;
    }
    struct itsi_engine *loser = twin;
    if (int8_is_worth_it(backend, *engine, twin)) {
        loser = *engine;
        *engine = twin;
    }
    backend->close(loser);
}

int itsi_engine_open(struct itsi_engine **out, const struct itsi_backend *backend,
                     const struct itsi_engine_params *params, struct its_diag *diag)
{
    bool asked = params->precision == ITSI_PRECISION_INT8;
    bool may_race = params->precision == ITSI_PRECISION_AUTO && !params->no_int8;
    if (!params->model_path || backend == &itsi_backend_null || !(asked || may_race))
        return backend->open(out, params, diag);
    struct itsi_model model;
    int rc = itsi_model_open(&model, params->model_path, diag);
    if (rc != 0)
        return rc;
    char twin[sizeof model.path] = "";
    bool has_twin = !model.quantized && itsi_int8_path(model.path, twin, sizeof twin) && access(twin, F_OK) == 0;
    if (asked && has_twin)
        rc = open_twin(out, backend, params, &model, twin, diag);
    else if (asked && !model.quantized)
        rc = itsi_fail(diag, ITS_EUNSUPPORTED, "precision int8: %s is not a quantised model%s%s", model.path,
                       twin[0] ? ", and there is no " : "", twin);
    else if ((rc = backend->open(out, params, diag)) == 0 && has_twin)
        race(out, backend, params, &model, twin);
    itsi_model_fini(&model);
    return rc;
}

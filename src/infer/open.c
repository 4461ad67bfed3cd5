#include "infer/open.h"

#include "base/diag.h"
#include "base/log.h"
#include "infer/model.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = "-int8";

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
    if (model->version[0] && other->version[0] && strcmp(model->version, other->version) != 0)
        return itsi_fail(diag, ITS_EINVAL, "it is made of version %s, the model is version %s", other->version,
                         model->version);
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
    rc = backend->open(out, &int8, diag);
    return rc != 0 ? itsi_diag_prefix(diag, rc, "%s", path) : 0;
}

/* Opens the int8 version in the model's place. False: it is not to be, and *out is untouched. */
static bool take_twin(struct itsi_engine **out, const struct itsi_backend *backend,
                      const struct itsi_engine_params *params, const struct itsi_model *model, const char *path)
{
    struct its_diag diag = {""};
    if (!backend->int8_is_fastest || !backend->int8_is_fastest()) {
        itsi_info("infer", "%s is left alone: nothing here makes int8 faster", path);
        return false;
    }
    if (open_twin(out, backend, params, model, path, &diag) == 0)
        return true;
    itsi_warn("infer", "the int8 version is not used: %s", diag.text);
    return false;
}

int itsi_engine_open(struct itsi_engine **out, const struct itsi_backend *backend,
                     const struct itsi_engine_params *params, struct its_diag *diag)
{
    bool asked = params->precision == ITSI_PRECISION_INT8;
    bool may_choose = params->precision == ITSI_PRECISION_AUTO && !params->no_int8;
    if (!params->model_path || backend == &itsi_backend_null || !(asked || may_choose))
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
    else if (!has_twin || !take_twin(out, backend, params, &model, twin))
        rc = backend->open(out, params, diag);
    itsi_model_fini(&model);
    return rc;
}

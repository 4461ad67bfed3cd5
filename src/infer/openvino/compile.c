#include "infer/openvino/ov_impl.h"

#include "base/diag.h"
#include "infer/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenVINO's messages are paragraphs with source lines; one line is enough here. */
static void flatten(const char *text, char *out, size_t size)
{
    size_t used = 0;
    bool gap = false;
    for (; *text && used + 2 < size; text++) {
        if (*text == '\n' || *text == '\r' || *text == '\t' || *text == ' ') {
            gap = used > 0;
            continue;
        }
        if (gap)
            out[used++] = ' ';
        gap = false;
        out[used++] = *text;
    }
    out[used] = '\0';
}

int itsi_ov_fail(struct its_diag *diag, ov_status_e status, const char *what)
{
    int code;
    switch (status) {
    case OK:
        return 0;
    case NOT_IMPLEMENTED:
    case NOT_IMPLEMENT_C_METHOD:
        code = ITS_EUNSUPPORTED;
        break;
    case PARAMETER_MISMATCH:
    case OUT_OF_BOUNDS:
    case INVALID_C_PARAM:
        code = ITS_EINVAL;
        break;
    case NOT_FOUND:
        code = ITS_ENOTFOUND;
        break;
    case NOT_ALLOCATED:
        code = ITS_ENOMEM;
        break;
    case NETWORK_NOT_READ:
        code = ITS_EFORMAT;
        break;
    case INFER_CANCELLED:
        code = ITS_ECANCELLED;
        break;
    default:
        code = ITS_EDEVICE;
        break;
    }
    if (diag) {
        char detail[400] = "";
        const char *said = ov_get_last_err_msg();
        if (said)
            flatten(said, detail, sizeof detail);
        itsi_fail(diag, code, "OpenVINO: %s: %s", what, detail[0] ? detail : ov_get_error_info(status));
        ov_free(said);
    }
    return code;
}

static const char *hint_name(enum itsi_precision precision)
{
    return precision == ITSI_PRECISION_BF16 ? "bf16" : precision == ITSI_PRECISION_FP16 ? "f16" : "f32";
}

/* Is `word` one of the words of the device's list of capabilities? */
static bool has_capability(const ov_core_t *core, const char *word)
{
    char *list = NULL;
    if (ov_core_get_property(core, ITSI_OV_DEVICE, ov_property_key_device_capabilities, &list) != OK)
        return false;
    size_t len = strlen(word);
    bool found = false;
    for (const char *at = list; !found && (at = strstr(at, word)); at += len)
        found = (at == list || strchr(" ,", at[-1])) && (at[len] == '\0' || strchr(" ,", at[len]));
    ov_free(list);
    return found;
}

/* The arithmetic for everything that is not quantised in the model itself. */
static int choose_precision(const ov_core_t *core, const struct itsi_model *model, enum itsi_precision wanted,
                            enum itsi_precision *out, struct its_diag *diag)
{
    bool bf16 = has_capability(core, "BF16");
    enum itsi_precision fastest = bf16 ? ITSI_PRECISION_BF16 : ITSI_PRECISION_FP32;
    switch (wanted) {
    case ITSI_PRECISION_AUTO:
        *out = fastest;
        return 0;
    case ITSI_PRECISION_INT8:
        if (!model->quantized)
            return itsi_fail(diag, ITS_EUNSUPPORTED, "precision int8: %s is not a quantised model", model->path);
        *out = fastest;
        return 0;
    case ITSI_PRECISION_BF16:
        if (!bf16)
            return itsi_fail(diag, ITS_EUNSUPPORTED, "precision bf16: this processor has no bf16 arithmetic");
        break;
    case ITSI_PRECISION_FP16:
        if (!has_capability(core, "FP16"))
            return itsi_fail(diag, ITS_EUNSUPPORTED, "precision fp16: this processor has no fp16 arithmetic");
        break;
    case ITSI_PRECISION_FP32:
        break;
    }
    *out = wanted;
    return 0;
}

/* What add_preprocessing builds with; freed together. */
struct ppp {
    ov_preprocess_prepostprocessor_t *all;
    ov_preprocess_input_info_t *input;
    ov_preprocess_input_tensor_info_t *tensor;
    ov_preprocess_preprocess_steps_t *steps;
    ov_preprocess_input_model_info_t *model;
    ov_preprocess_output_info_t *output;
    ov_preprocess_output_tensor_info_t *output_tensor;
    ov_layout_t *nhwc, *nchw;
};

static void ppp_fini(struct ppp *p)
{
    ov_layout_free(p->nchw);
    ov_layout_free(p->nhwc);
    ov_preprocess_output_tensor_info_free(p->output_tensor);
    ov_preprocess_output_info_free(p->output);
    ov_preprocess_input_model_info_free(p->model);
    ov_preprocess_preprocess_steps_free(p->steps);
    ov_preprocess_input_tensor_info_free(p->tensor);
    ov_preprocess_input_info_free(p->input);
    ov_preprocess_prepostprocessor_free(p->all);
}

/* The tensor is u8 NHWC; the graph turns it into the model's NCHW, 0..1. The last step, to the model's own element type,
 * OpenVINO adds by itself. */
static ov_status_e describe_input(struct ppp *p)
{
    ov_status_e s = ov_layout_create("NHWC", &p->nhwc);
    if (s == OK)
        s = ov_layout_create("NCHW", &p->nchw);
    if (s == OK)
        s = ov_preprocess_prepostprocessor_get_input_info_by_index(p->all, 0, &p->input);
    if (s == OK)
        s = ov_preprocess_input_info_get_tensor_info(p->input, &p->tensor);
    if (s == OK)
        s = ov_preprocess_input_tensor_info_set_element_type(p->tensor, U8);
    if (s == OK)
        s = ov_preprocess_input_tensor_info_set_layout(p->tensor, p->nhwc);
    if (s == OK)
        s = ov_preprocess_input_info_get_model_info(p->input, &p->model);
    if (s == OK)
        s = ov_preprocess_input_model_info_set_layout(p->model, p->nchw);
    if (s == OK)
        s = ov_preprocess_input_info_get_preprocess_steps(p->input, &p->steps);
    if (s == OK)
        s = ov_preprocess_preprocess_steps_convert_element_type(p->steps, F32);
    if (s == OK)
        s = ov_preprocess_preprocess_steps_scale(p->steps, 255.0F);
    return s;
}

static ov_status_e describe_output(struct ppp *p)
{
    ov_status_e s = ov_preprocess_prepostprocessor_get_output_info_by_index(p->all, 0, &p->output);
    if (s == OK)
        s = ov_preprocess_output_info_get_tensor_info(p->output, &p->output_tensor);
    if (s == OK)
        s = ov_preprocess_output_set_element_type(p->output_tensor, F32);
    return s;
}

static ov_status_e add_preprocessing(const ov_model_t *model, ov_model_t **out)
{
    struct ppp p = {0};
    ov_status_e s = ov_preprocess_prepostprocessor_create(model, &p.all);
    if (s == OK)
        s = describe_input(&p);
    if (s == OK)
        s = describe_output(&p);
    if (s == OK)
        s = ov_preprocess_prepostprocessor_build(p.all, out);
    ppp_fini(&p);
    return s;
}

static ov_status_e reshape(const ov_model_t *model, const struct itsi_engine_params *params)
{
    const int64_t dims[4] = {params->max_batch, 3, params->height, params->width};
    ov_partial_shape_t shape;
    ov_status_e s = ov_partial_shape_create_static(4, dims, &shape);
    if (s == OK) {
        s = ov_model_reshape_single_input(model, shape);
        ov_partial_shape_free(&shape);
    }
    return s;
}

/* Read, reshaped, with its preprocessing. */
static int prepare(const ov_core_t *core, const struct itsi_engine_params *params, ov_model_t **out,
                   struct its_diag *diag)
{
    ov_model_t *plain = NULL;
    ov_status_e s = ov_core_read_model(core, params->model_path, NULL, &plain);
    if (s != OK)
        return itsi_ov_fail(diag, s, "reading the model");
    s = reshape(plain, params);
    if (s != OK) {
        ov_model_free(plain);
        char what[96];
        snprintf(what, sizeof what, "setting the input to [%d, 3, %d, %d]", params->max_batch, params->height,
                 params->width);
        return itsi_ov_fail(diag, s, what);
    }
    s = add_preprocessing(plain, out);
    ov_model_free(plain);
    return itsi_ov_fail(diag, s, "adding preprocessing");
}

static int compile(struct itsi_ov_compiled *c, ov_core_t *core, const ov_model_t *model,
                   const struct itsi_engine_params *params,
                   enum itsi_precision precision, struct its_diag *diag)
{
    char streams[16], threads[16];
    snprintf(streams, sizeof streams, "%d", params->parallel);
    snprintf(threads, sizeof threads, "%d", params->threads);
    ov_property_t properties[8];
    size_t n = 0;
    properties[n++] = (ov_property_t){ov_property_key_hint_performance_mode, "THROUGHPUT"};
    properties[n++] = (ov_property_t){ov_property_key_hint_inference_precision, hint_name(precision)};
    /* The decoders share these processors: a pinned stream would wait behind one while another processor is idle. */
    properties[n++] = (ov_property_t){ov_property_key_hint_enable_cpu_pinning, "NO"};
    if (params->parallel > 0)
        properties[n++] = (ov_property_t){ov_property_key_num_streams, streams};
    if (params->threads > 0)
        properties[n++] = (ov_property_t){ov_property_key_inference_num_threads, threads};
    if (params->cache_dir)
        properties[n++] = (ov_property_t){ov_property_key_cache_dir, params->cache_dir};
    return itsi_ov_fail(diag, ov_core_compile_model_props(core, model, ITSI_OV_DEVICE, n, properties, &c->model),
                        "compiling the model");
}

/* A property of the compiled model as text; empty when it has none. */
static void property(const struct itsi_ov_compiled *c, const char *key, char *out, size_t size)
{
    char *value = NULL;
    out[0] = '\0';
    if (ov_compiled_model_get_property(c->model, key, &value) == OK && value)
        snprintf(out, size, "%s", value);
    ov_free(value);
}

static int read_output_shape(struct itsi_ov_compiled *c, const struct itsi_engine_params *params,
                             struct its_diag *diag)
{
    ov_output_const_port_t *port = NULL;
    ov_shape_t shape = {0};
    ov_status_e s = ov_compiled_model_output_by_index(c->model, 0, &port);
    if (s == OK)
        s = ov_const_port_get_shape(port, &shape);
    int rc = itsi_ov_fail(diag, s, "reading the output's shape");
    if (rc == 0 && (shape.rank != 3 || shape.dims[0] != params->max_batch || shape.dims[1] < 5 || shape.dims[2] < 1))
        rc = itsi_fail(diag, ITS_EFORMAT, "the compiled model's output is not [%d, 4 + classes, anchors]",
                       params->max_batch);
    if (rc == 0) {
        c->rows = (int)shape.dims[1];
        c->anchors = (int)shape.dims[2];
    }
    if (shape.dims)
        ov_shape_free(&shape);
    if (port)
        ov_output_const_port_free(port);
    return rc;
}

/* What it was really compiled to. */
static int inspect(struct itsi_ov_compiled *c, const ov_core_t *core, const struct itsi_engine_params *params,
                   const struct itsi_model *model, struct its_diag *diag)
{
    char text[256];
    property(c, ov_property_key_hint_inference_precision, text, sizeof text);
    const char *used = strcmp(text, "bf16") == 0 ? "bf16" : strcmp(text, "f16") == 0 ? "fp16" : "fp32";
    if (params->precision != ITSI_PRECISION_AUTO && params->precision != ITSI_PRECISION_INT8 &&
        strcmp(used, itsi_precision_name(params->precision)) != 0)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "precision %s: OpenVINO would run it as %s here",
                         itsi_precision_name(params->precision), used);
    snprintf(c->precision, sizeof c->precision, "%s", model->quantized ? "int8" : used);

    property(c, ov_property_key_num_streams, text, sizeof text);
    c->parallel = atoi(text);
    if (c->parallel < 1)
        return itsi_fail(diag, ITS_EDEVICE, "OpenVINO compiled the model for \"%s\" streams", text);

    char *name = NULL;
    if (ov_core_get_property(core, ITSI_OV_DEVICE, ov_property_key_device_full_name, &name) == OK && name)
        snprintf(c->device, sizeof c->device, "%s", name);
    ov_free(name);
    return read_output_shape(c, params, diag);
}

static int check_params(const struct itsi_engine_params *p, struct its_diag *diag)
{
    if (!p->model_path)
        return itsi_fail(diag, ITS_EINVAL, "OpenVINO needs a model file");
    if (p->max_batch < 1 || p->max_batch > 64 || p->parallel < 0 || p->parallel > 256 || p->threads < 0 ||
        p->threads > 1024)
        return itsi_fail(diag, ITS_EINVAL, "max_batch %d (1..64), parallel %d (0..256), threads %d (0..1024)",
                         p->max_batch, p->parallel, p->threads);
    return 0;
}

int itsi_ov_compile(struct itsi_ov_compiled *out, ov_core_t *core, const struct itsi_engine_params *params,
                    struct its_diag *diag)
{
    int rc = check_params(params, diag);
    struct itsi_model model;
    if (rc == 0)
        rc = itsi_model_open(&model, params->model_path, diag);
    if (rc != 0)
        return rc;

    struct itsi_ov_compiled c = {0};
    ov_model_t *ready = NULL;
    enum itsi_precision precision = ITSI_PRECISION_FP32;
    int width, height;
    rc = itsi_model_input_size(&model, params->width, params->height, &width, &height, diag);
    if (rc == 0 && (width != params->width || height != params->height))
        rc = itsi_fail(diag, ITS_EINVAL, "the engine's input size is not set");
    if (rc == 0)
        rc = choose_precision(core, &model, params->precision, &precision, diag);
    if (rc == 0)
        rc = prepare(core, params, &ready, diag);
    if (rc == 0)
        rc = compile(&c, core, ready, params, precision, diag);
    if (rc == 0)
        rc = inspect(&c, core, params, &model, diag);
    ov_model_free(ready);
    itsi_model_fini(&model);
    if (rc != 0) {
        itsi_ov_compiled_fini(&c);
        return rc;
    }
    *out = c;
    return 0;
}

void itsi_ov_compiled_fini(struct itsi_ov_compiled *compiled)
{
    ov_compiled_model_free(compiled->model);
    *compiled = (struct itsi_ov_compiled){0};
}

/* Inference on the CPU with OpenVINO, through its C API: one infer request per slot, run asynchronously. */
#include "infer/openvino/ov_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/slots.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

struct request {
    struct itsi_engine *engine;
    int slot;
    ov_infer_request_t *infer;
    ov_tensor_t *input_tensor, *output_tensor; /* keep the memory below alive */
    uint8_t *input;
    const float *output;
    ov_callback_t callback; /* OpenVINO keeps a pointer to it */
};

struct itsi_engine {
    /* const */
    struct itsi_engine_info info;
    struct itsi_ov_compiled compiled;
    struct request *requests; /* info.slots of them */
    size_t image_bytes, image_floats;

    struct itsi_slots slots;
    atomic_uint_fast64_t failures;
};

static int probe(struct its_diag *diag)
{
    ov_core_t *core = NULL;
    char *name = NULL;
    ov_status_e s = ov_core_create(&core);
    if (s == OK)
        s = ov_core_get_property(core, ITSI_OV_DEVICE, ov_property_key_device_full_name, &name);
    int rc = 0;
    if (s != OK) {
        itsi_ov_fail(diag, s, "no usable " ITSI_OV_DEVICE);
        rc = ITS_EUNSUPPORTED;
    }
    ov_free(name);
    ov_core_free(core);
    return rc;
}

/* With instructions that multiply and add int8 (VNNI; whoever has AMX has it too). A processor with bf16 arithmetic has them
 * at twice its rate; without them OpenVINO's int8 gains little and may saturate on the way. */
static bool int8_is_fastest(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    bool avx_vnni = __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1U << 4) != 0; /* no name that clang 14 knows */
    return __builtin_cpu_supports("avx512vnni") || (__builtin_cpu_supports("avx2") && avx_vnni);
#else
    return false;
#endif
}

/* Failures come one per frame when they come: the first, then ever fewer, are logged. */
static void report_failure(struct itsi_engine *engine, ov_status_e status)
{
    uint64_t count = atomic_fetch_add(&engine->failures, 1) + 1;
    if ((count & (count - 1)) != 0)
        return;
    struct its_diag diag;
    itsi_ov_fail(&diag, status, "inference failed");
    itsi_error("infer", "%s (%llu failures so far)", diag.text, (unsigned long long)count);
}

/* Starts whatever may start. Called by the submitting thread and, so that no gap arises, by completions. */
static void start_waiting(struct itsi_engine *engine)
{
    int slot;
    while ((slot = itsi_slots_start(&engine->slots)) >= 0) {
        ov_status_e s = ov_infer_request_start_async(engine->requests[slot].infer);
        if (s != OK) {
            report_failure(engine, s);
            itsi_slots_finish(&engine->slots, slot, ITS_EDEVICE);
        }
    }
}

/* On a thread of OpenVINO's. Whether the request failed is not said here; collect() asks. */
static void OPENVINO_C_API_CALLBACK on_finished(void *arg)
{
    struct request *request = arg;
    struct itsi_engine *engine = request->engine;
    itsi_slots_finish(&engine->slots, request->slot, 0);
    start_waiting(engine);
}

static void close_engine(struct itsi_engine *engine)
{
    if (!engine)
        return;
    if (engine->slots.slot)
        itsi_slots_drain(&engine->slots);
    /* Freeing a request waits for its callback to return, so the slots go after all requests. */
    for (int i = 0; engine->requests && i < engine->info.slots; i++) {
        struct request *r = &engine->requests[i];
        ov_tensor_free(r->input_tensor);
        ov_tensor_free(r->output_tensor);
        ov_infer_request_free(r->infer);
    }
    itsi_free(engine->requests);
    itsi_slots_fini(&engine->slots);
    itsi_ov_compiled_fini(&engine->compiled);
    itsi_free(engine);
}

static ov_status_e create_request(struct itsi_engine *engine, int slot)
{
    struct request *r = &engine->requests[slot];
    void *data = NULL;
    r->engine = engine;
    r->slot = slot;
    r->callback = (ov_callback_t){on_finished, r};
    ov_status_e s = ov_compiled_model_create_infer_request(engine->compiled.model, &r->infer);
    if (s == OK)
        s = ov_infer_request_get_input_tensor(r->infer, &r->input_tensor);
    if (s == OK)
        s = ov_tensor_data(r->input_tensor, &data);
    if (s == OK) {
        r->input = data;
        memset(data, 114, engine->image_bytes * (size_t)engine->info.max_batch); /* the letterbox's grey */
        s = ov_infer_request_get_output_tensor(r->infer, &r->output_tensor);
    }
    if (s == OK)
        s = ov_tensor_data(r->output_tensor, &data);
    r->output = data;
    return s;
}

/* Runs requests [first, end) side by side. */
static ov_status_e run_together(struct itsi_engine *engine, int first, int end)
{
    ov_status_e s = OK;
    int started = first;
    while (s == OK && started < end) {
        s = ov_infer_request_start_async(engine->requests[started].infer);
        started += s == OK;
    }
    for (int i = first; i < started; i++) {
        ov_status_e waited = ov_infer_request_wait(engine->requests[i].infer);
        if (s == OK)
            s = waited;
    }
    return s;
}

/* Every request runs once, as many at a time as there are streams: first runs allocate and choose kernels. Those after are
 * as in service, and timed. */
static ov_status_e warm_up(struct itsi_engine *engine)
{
    enum { TIMED = 3 };
    ov_status_e s = OK;
    struct itsi_engine_info *info = &engine->info;
    for (int first = 0; s == OK && first < info->slots; first += info->parallel)
        s = run_together(engine, first, first + info->parallel < info->slots ? first + info->parallel : info->slots);
    int64_t start = itsi_now_ns();
    for (int i = 0; s == OK && i < TIMED; i++)
        s = run_together(engine, 0, info->parallel);
    for (int i = 0; i < ITSI_WARM_SIZES && 1 << i <= info->max_batch; i++) /* the shape is static: they all take that */
        info->warm_ns[i] = (itsi_now_ns() - start) / TIMED;
    for (int i = 0; s == OK && i < info->slots; i++)
        s = ov_infer_request_set_callback(engine->requests[i].infer, &engine->requests[i].callback);
    return s;
}

static void describe(struct itsi_engine *engine, const struct itsi_engine_params *params)
{
    const struct itsi_ov_compiled *c = &engine->compiled;
    struct itsi_engine_info *info = &engine->info;
    *info = (struct itsi_engine_info){
        .width = params->width,
        .height = params->height,
        .max_batch = params->max_batch,
        .slots = c->parallel + 2, /* one being filled, one waiting to start without a gap */
        .parallel = c->parallel,
        .rows = c->rows,
        .anchors = c->anchors,
    };
    snprintf(info->backend, sizeof info->backend, "openvino");
    snprintf(info->device, sizeof info->device, "%s", c->device);
    const char *slash = strrchr(params->model_path, '/');
    snprintf(info->precision, sizeof info->precision, "%s", c->precision);
    snprintf(info->model, sizeof info->model, "%s", slash ? slash + 1 : params->model_path);
    engine->image_bytes = (size_t)params->width * (size_t)params->height * 3;
    engine->image_floats = (size_t)c->rows * (size_t)c->anchors;
}

static int open_engine(struct itsi_engine **out, const struct itsi_engine_params *params, struct its_diag *diag)
{
    struct itsi_engine *engine = itsi_zalloc(sizeof *engine);
    if (!engine)
        return itsi_fail(diag, ITS_ENOMEM, "no memory for the engine");
    int rc = itsi_ov_compile(&engine->compiled, params, diag);
    if (rc == 0) {
        describe(engine, params);
        engine->requests = itsi_calloc((size_t)engine->info.slots, sizeof *engine->requests);
        if (!engine->requests)
            rc = itsi_fail(diag, ITS_ENOMEM, "no memory for %d requests", engine->info.slots);
    }
    if (rc == 0)
        rc = itsi_slots_init(&engine->slots, engine->info.slots, engine->info.parallel, diag);
    ov_status_e s = OK;
    for (int i = 0; rc == 0 && i < engine->info.slots; i++)
        if ((s = create_request(engine, i)) != OK)
            rc = itsi_ov_fail(diag, s, "creating a request");
    if (rc == 0)
        rc = itsi_ov_fail(diag, warm_up(engine), "the first inference");
    if (rc != 0) {
        close_engine(engine);
        return rc;
    }
    *out = engine;
    return 0;
}

static const struct itsi_engine_info *get_info(struct itsi_engine *engine) { return &engine->info; }

static uint8_t *input(struct itsi_engine *engine, int slot, int image)
{
    return engine->requests[slot].input + engine->image_bytes * (size_t)image;
}

static void output(struct itsi_engine *engine, int slot, int image, struct itsi_output_tensor *out)
{
    const float *data = engine->requests[slot].output + engine->image_floats * (size_t)image;
    *out = (struct itsi_output_tensor){data, engine->info.rows, engine->info.anchors};
}

static int acquire(struct itsi_engine *engine) { return itsi_slots_acquire(&engine->slots); }

static int submit(struct itsi_engine *engine, int slot, int images)
{
    /* The shape is static: with fewer images the rest of the batch is computed from what lies there, and not read. */
    int rc = itsi_slots_submit(&engine->slots, slot, images, engine->info.max_batch);
    if (rc == 0)
        start_waiting(engine);
    return rc;
}

static int collect(struct itsi_engine *engine, int64_t until_ns, struct itsi_completion *out)
{
    int rc = itsi_slots_collect(&engine->slots, until_ns, out);
    if (rc != 0 || out->status != 0)
        return rc;
    /* Returns as soon as the callback has: brings the exception of a run that failed, and leaves the request free to be
     * started again. */
    ov_status_e s = ov_infer_request_wait(engine->requests[out->slot].infer);
    if (s != OK) {
        report_failure(engine, s);
        out->status = ITS_EDEVICE;
    }
    return 0;
}

static void release(struct itsi_engine *engine, int slot) { itsi_slots_release(&engine->slots, slot); }
static void stop(struct itsi_engine *engine) { itsi_slots_stop(&engine->slots); }

const struct itsi_backend itsi_backend_openvino = {
    .api_version = ITSI_BACKEND_API,
    .name = "openvino",
    .probe = probe,
    .int8_is_fastest = int8_is_fastest,
    .open = open_engine,
    .info = get_info,
    .input = input,
    .output = output,
    .acquire = acquire,
    .submit = submit,
    .collect = collect,
    .release = release,
    .stop = stop,
    .close = close_engine,
};

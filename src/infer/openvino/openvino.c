/* Inference on the CPU with OpenVINO, through its C API: per slot and input size one infer request, run asynchronously. */
#include "infer/openvino/ov_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/compile_cache.h"
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

/* The model at one input size, and a request for every slot. */
struct sized {
    struct itsi_ov_compiled compiled;
    struct request *requests; /* info.slots of them */
    size_t image_bytes, image_floats;
};

struct itsi_engine {
    /* const */
    struct itsi_engine_info info;
    ov_core_t *core;
    struct sized sizes[ITSI_ENGINE_SIZES]; /* info.size_count of them */

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

/* What the slot runs at the size chosen for it. */
static struct request *request_of(struct itsi_engine *engine, int slot)
{
    return &engine->sizes[engine->slots.slot[slot].size].requests[slot];
}

/* Starts whatever may start. Called by the submitting thread and, so that no gap arises, by completions. */
static void start_waiting(struct itsi_engine *engine)
{
    int slot;
    while ((slot = itsi_slots_start(&engine->slots)) >= 0) {
        ov_status_e s = ov_infer_request_start_async(request_of(engine, slot)->infer);
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
    for (int s = 0; s < ITSI_ENGINE_SIZES; s++) {
        struct sized *sized = &engine->sizes[s];
        for (int i = 0; sized->requests && i < engine->info.slots; i++) {
            struct request *r = &sized->requests[i];
            ov_tensor_free(r->input_tensor);
            ov_tensor_free(r->output_tensor);
            ov_infer_request_free(r->infer);
        }
        itsi_free(sized->requests);
        itsi_ov_compiled_fini(&sized->compiled);
    }
    itsi_slots_fini(&engine->slots);
    ov_core_free(engine->core);
    itsi_free(engine);
}

static ov_status_e create_request(struct itsi_engine *engine, const struct sized *sized, int slot)
{
    struct request *r = &sized->requests[slot];
    void *data = NULL;
    r->engine = engine;
    r->slot = slot;
    r->callback = (ov_callback_t){on_finished, r};
    ov_status_e s = ov_compiled_model_create_infer_request(sized->compiled.model, &r->infer);
    if (s == OK)
        s = ov_infer_request_get_input_tensor(r->infer, &r->input_tensor);
    if (s == OK)
        s = ov_tensor_data(r->input_tensor, &data);
    if (s == OK) {
        r->input = data;
        memset(data, 114, sized->image_bytes * (size_t)engine->info.max_batch); /* the letterbox's grey */
        s = ov_infer_request_get_output_tensor(r->infer, &r->output_tensor);
    }
    if (s == OK)
        s = ov_tensor_data(r->output_tensor, &data);
    r->output = data;
    return s;
}

/* Runs requests [first, end) side by side. */
static ov_status_e run_together(const struct sized *sized, int first, int end)
{
    ov_status_e s = OK;
    int started = first;
    while (s == OK && started < end) {
        s = ov_infer_request_start_async(sized->requests[started].infer);
        started += s == OK;
    }
    for (int i = first; i < started; i++) {
        ov_status_e waited = ov_infer_request_wait(sized->requests[i].infer);
        if (s == OK)
            s = waited;
    }
    return s;
}

/* Every request runs once, as many at a time as there are streams: first runs allocate and choose kernels. Those after are
 * as in service, and timed. */
static ov_status_e warm_up(const struct itsi_engine_info *info, const struct sized *sized, int64_t run_ns[ITSI_WARM_SIZES])
{
    enum { TIMED = 3 };
    ov_status_e s = OK;
    for (int first = 0; s == OK && first < info->slots; first += info->parallel)
        s = run_together(sized, first, first + info->parallel < info->slots ? first + info->parallel : info->slots);
    int64_t start = itsi_now_ns();
    for (int i = 0; s == OK && i < TIMED; i++)
        s = run_together(sized, 0, info->parallel);
    for (int i = 0; i < ITSI_WARM_SIZES && 1 << i <= info->max_batch; i++) /* the shape is static: they all take that */
        run_ns[i] = (itsi_now_ns() - start) / TIMED;
    for (int i = 0; s == OK && i < info->slots; i++)
        s = ov_infer_request_set_callback(sized->requests[i].infer, &sized->requests[i].callback);
    return s;
}

static void describe(struct itsi_engine *engine, const struct itsi_engine_params *params)
{
    const struct itsi_ov_compiled *c = &engine->sizes[0].compiled;
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
    itsi_engine_list_sizes(info, params);
    snprintf(info->backend, sizeof info->backend, "openvino");
    snprintf(info->device, sizeof info->device, "%s", c->device);
    const char *slash = strrchr(params->model_path, '/');
    snprintf(info->precision, sizeof info->precision, "%s", c->precision);
    snprintf(info->model, sizeof info->model, "%s", slash ? slash + 1 : params->model_path);
}

/* The compiled model's requests, each warm. */
static int make_requests(struct itsi_engine *engine, int size, struct its_diag *diag)
{
    const struct itsi_engine_info *info = &engine->info;
    struct sized *sized = &engine->sizes[size];
    sized->image_bytes = (size_t)info->sizes[size].width * (size_t)info->sizes[size].height * 3;
    sized->image_floats = (size_t)info->rows * (size_t)sized->compiled.anchors;
    sized->requests = itsi_calloc((size_t)info->slots, sizeof *sized->requests);
    if (!sized->requests)
        return itsi_fail(diag, ITS_ENOMEM, "no memory for %d requests", info->slots);
    for (int i = 0; i < info->slots; i++) {
        ov_status_e s = create_request(engine, sized, i);
        if (s != OK)
            return itsi_ov_fail(diag, s, "creating a request");
    }
    return itsi_ov_fail(diag, warm_up(info, sized, engine->info.warm_ns[size]), "the first inference");
}

static int add_size(struct itsi_engine *engine, int size, const struct itsi_engine_params *params,
                    struct its_diag *diag)
{
    struct itsi_engine_params one = *params;
    if (size > 0) {
        one.width = params->more[size - 1].width;
        one.height = params->more[size - 1].height;
        one.parallel = engine->info.parallel; /* they share the slots, and so the streams */
    }
    int rc = itsi_ov_compile(&engine->sizes[size].compiled, engine->core, &one, diag);
    if (rc == 0 && size == 0)
        describe(engine, params);
    return rc == 0 ? make_requests(engine, size, diag) : rc;
}

/* What compiles: another version of OpenVINO or another processor compiles otherwise. */
static void name_runtime(const struct itsi_engine *engine, char *out, size_t size)
{
    ov_version_t version = {0};
    char *device = NULL;
    const bool known = ov_get_openvino_version(&version) == OK;
    if (ov_core_get_property(engine->core, ITSI_OV_DEVICE, ov_property_key_device_full_name, &device) != OK)
        device = NULL;
    snprintf(out, size, "OpenVINO %s, %s", known ? version.buildNumber : "", device ? device : "");
    ov_free(device);
    if (known)
        ov_version_free(&version);
}

static void open_cache(struct itsi_compile_cache *cache, const struct itsi_engine *engine,
                       const struct itsi_engine_params *params)
{
    char runtime[512];
    struct its_diag diag;
    name_runtime(engine, runtime, sizeof runtime);
    if (itsi_compile_cache_open(cache, params->cache_dir, params->model_path, runtime, &diag) != 0)
        itsi_warn("infer", "the compiled model is not kept: %s", diag.text);
}

/* All sizes, from the cache where they are in it. */
static int add_sizes(struct itsi_engine *engine, const struct itsi_engine_params *params, struct its_diag *diag)
{
    struct itsi_compile_cache cache = {.lock = -1};
    struct itsi_engine_params own = *params;
    int rc = 0;
    if (params->cache_dir && params->model_path)
        open_cache(&cache, engine, params);
    own.cache_dir = cache.dir[0] ? cache.dir : NULL;
    for (int size = 0; rc == 0 && size <= params->more_count; size++)
        rc = add_size(engine, size, &own, diag);
    if (rc == 0)
        itsi_compile_cache_seal(&cache);
    itsi_compile_cache_close(&cache);
    return rc;
}

static int open_engine(struct itsi_engine **out, const struct itsi_engine_params *params, struct its_diag *diag)
{
    if (params->more_count < 0 || params->more_count >= ITSI_ENGINE_SIZES)
        return itsi_fail(diag, ITS_EINVAL, "%d more input sizes (0..%d)", params->more_count, ITSI_ENGINE_SIZES - 1);
    struct itsi_engine *engine = itsi_zalloc(sizeof *engine);
    if (!engine)
        return itsi_fail(diag, ITS_ENOMEM, "no memory for the engine");
    int rc = itsi_ov_fail(diag, ov_core_create(&engine->core), "starting");
    if (rc == 0)
        rc = add_sizes(engine, params, diag);
    if (rc == 0)
        rc = itsi_slots_init(&engine->slots, engine->info.slots, engine->info.parallel, diag);
    if (rc != 0) {
        close_engine(engine);
        return rc;
    }
    *out = engine;
    return 0;
}

static const struct itsi_engine_info *get_info(struct itsi_engine *engine) { return &engine->info; }

static int resize(struct itsi_engine *engine, int slot, int size)
{
    return itsi_slots_resize(&engine->slots, slot, size, engine->info.size_count);
}

static uint8_t *input(struct itsi_engine *engine, int slot, int image)
{
    const struct sized *sized = &engine->sizes[engine->slots.slot[slot].size];
    return sized->requests[slot].input + sized->image_bytes * (size_t)image;
}

static void output(struct itsi_engine *engine, int slot, int image, struct itsi_output_tensor *out)
{
    const struct sized *sized = &engine->sizes[engine->slots.slot[slot].size];
    const float *data = sized->requests[slot].output + sized->image_floats * (size_t)image;
    *out = (struct itsi_output_tensor){data, engine->info.rows, sized->compiled.anchors};
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
    ov_status_e s = ov_infer_request_wait(request_of(engine, out->slot)->infer);
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
    .resize = resize,
    .input = input,
    .output = output,
    .acquire = acquire,
    .submit = submit,
    .collect = collect,
    .release = release,
    .stop = stop,
    .close = close_engine,
};

/* bench_engine: an inference engine saturated through the backend interface, with random pictures, no decoding and
 * no boxes. One JSON line; compare with OpenVINO's own benchmark_app on the same model, precision and threads. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "infer/backend.h"
#include "infer/model.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP_NS (ITSI_NS_PER_S / 2)

struct options {
    const char *backend;
    double seconds;
    int width, height;
    struct itsi_engine_params params;
};

struct result {
    uint64_t frames, failed, allocations;
    double seconds, cpu_seconds;
    int64_t service_sum, service_min, service_max;
};

static int usage(FILE *to)
{
    fputs("usage: bench_engine MODEL [--backend NAME] [--seconds S] [--threads N] [--parallel N] [--precision P]\n"
          "                    [--size WxH] [--batch N] [--null-us MICROSECONDS]\n"
          "MODEL is ignored by --backend null. Precisions: auto fp32 bf16 fp16 int8\n",
          to);
    return 2;
}

static bool parse_precision(const char *text, enum itsi_precision *out)
{
    for (int p = ITSI_PRECISION_AUTO; p <= ITSI_PRECISION_INT8; p++)
        if (strcmp(text, itsi_precision_name((enum itsi_precision)p)) == 0) {
            *out = (enum itsi_precision)p;
            return true;
        }
    return false;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"backend", 1, NULL, 'b'}, {"seconds", 1, NULL, 's'}, {"threads", 1, NULL, 't'}, {"parallel", 1, NULL, 'j'},
        {"precision", 1, NULL, 'p'}, {"size", 1, NULL, 'z'}, {"batch", 1, NULL, 'n'}, {"null-us", 1, NULL, 'u'},
        {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        bool ok = true;
        switch (c) {
        case 'b': o->backend = optarg; break;
        case 's': o->seconds = atof(optarg); break;
        case 't': o->params.threads = atoi(optarg); break;
        case 'j': o->params.parallel = atoi(optarg); break;
        case 'n': o->params.max_batch = atoi(optarg); break;
        case 'u': o->params.null_base_ns = atoll(optarg) * ITSI_NS_PER_US; break;
        case 'p': ok = parse_precision(optarg, &o->params.precision); break;
        case 'z': ok = sscanf(optarg, "%dx%d", &o->width, &o->height) == 2; break;
        default: ok = false;
        }
        if (!ok)
            return false;
    }
    o->params.model_path = optind < argc ? argv[optind] : NULL;
    return o->seconds > 0 && (o->params.model_path || strcmp(o->backend, "null") == 0);
}

static void fill(const struct itsi_backend *backend, struct itsi_engine *engine)
{
    const struct itsi_engine_info *info = backend->info(engine);
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 1);
    size_t bytes = (size_t)info->width * (size_t)info->height * 3 * (size_t)info->max_batch;
    for (int slot = 0; slot < info->slots; slot++) {
        uint8_t *data = backend->input(engine, slot, 0);
        for (size_t i = 0; i < bytes; i++)
            data[i] = (uint8_t)itsi_rand_u64(&rng);
    }
}

/* Keeps every slot busy until `until`, then drains; what finished within is counted. */
static void saturate(const struct itsi_backend *backend, struct itsi_engine *engine, int64_t until, struct result *r)
{
    int batch = backend->info(engine)->max_batch, flying = 0;
    *r = (struct result){.service_min = INT64_MAX};
    uint64_t allocations = itsi_alloc_count();
    int64_t began = itsi_now_ns(), cpu = itsi_cpu_ns(), last = began;
    for (;;) {
        int slot;
        while (last < until && (slot = backend->acquire(engine)) >= 0) {
            if (backend->submit(engine, slot, batch) != 0)
                return;
            flying++;
        }
        struct itsi_completion done;
        if (flying == 0 || backend->collect(engine, ITSI_NEVER, &done) != 0)
            break;
        flying--;
        last = done.finished_ns;
        int64_t service = done.finished_ns - done.started_ns;
        r->frames += (uint64_t)batch;
        r->failed += done.status != 0;
        r->service_sum += service;
        r->service_min = service < r->service_min ? service : r->service_min;
        r->service_max = service > r->service_max ? service : r->service_max;
        backend->release(engine, done.slot);
    }
    r->seconds = (double)(itsi_now_ns() - began) / 1e9;
    r->cpu_seconds = (double)(itsi_cpu_ns() - cpu) / 1e9;
    r->allocations = itsi_alloc_count() - allocations;
}

static void print(const struct itsi_engine_info *info, const struct options *o, const struct result *r)
{
    struct itsi_buf buf;
    struct itsi_json json;
    itsi_buf_init(&buf);
    itsi_json_init(&json, &buf);
    itsi_json_object(&json, NULL);
    itsi_json_string(&json, "benchmark", "engine");
    itsi_json_string(&json, "backend", info->backend);
    itsi_json_string(&json, "device", info->device);
    itsi_json_string(&json, "precision", info->precision);
    itsi_json_int(&json, "width", info->width);
    itsi_json_int(&json, "height", info->height);
    itsi_json_int(&json, "batch", info->max_batch);
    itsi_json_int(&json, "parallel", info->parallel);
    itsi_json_int(&json, "threads", o->params.threads);
    itsi_json_int(&json, "frames", (int64_t)r->frames);
    itsi_json_int(&json, "failed", (int64_t)r->failed);
    itsi_json_number(&json, "seconds", r->seconds, 3);
    itsi_json_number(&json, "fps", (double)r->frames / r->seconds, 2);
    itsi_json_number(&json, "cpu_ms_per_frame", r->cpu_seconds * 1e3 / (double)r->frames, 4);
    itsi_json_number(&json, "service_ms_mean",
                     (double)r->service_sum / 1e6 / ((double)r->frames / (double)info->max_batch), 3);
    itsi_json_number(&json, "service_ms_min", (double)r->service_min / 1e6, 3);
    itsi_json_number(&json, "service_ms_max", (double)r->service_max / 1e6, 3);
    itsi_json_int(&json, "allocations", (int64_t)r->allocations);
    itsi_json_end(&json, '}');
    puts(buf.data);
    itsi_buf_fini(&buf);
}

/* The size to run at: asked for, or the model's, or 640x384. */
static int choose_size(struct options *o, struct its_diag *diag)
{
    if (!o->params.model_path) {
        o->params.width = o->width ? o->width : 640;
        o->params.height = o->height ? o->height : 384;
        return 0;
    }
    struct itsi_model model;
    int rc = itsi_model_open(&model, o->params.model_path, diag);
    if (rc != 0)
        return rc;
    rc = itsi_model_input_size(&model, o->width, o->height, &o->params.width, &o->params.height, diag);
    itsi_model_fini(&model);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {.backend = "openvino", .seconds = 10, .params = {.max_batch = 1}};
    if (!parse_options(argc, argv, &o))
        return usage(stderr);
    const struct itsi_backend *backend = itsi_backend_find(o.backend);
    if (!backend) {
        fprintf(stderr, "bench_engine: no backend '%s' in this build\n", o.backend);
        return 2;
    }
    struct its_diag diag;
    struct itsi_engine *engine;
    int rc = choose_size(&o, &diag);
    if (rc == 0)
        rc = backend->open(&engine, &o.params, &diag);
    if (rc != 0) {
        fprintf(stderr, "bench_engine: %s\n", diag.text);
        return 1;
    }
    struct result result;
    fill(backend, engine);
    saturate(backend, engine, itsi_now_ns() + WARM_UP_NS, &result);
    saturate(backend, engine, itsi_now_ns() + (int64_t)(o.seconds * 1e9), &result);
    bool broken = result.frames == 0 || result.failed > 0;
    if (result.frames > 0)
        print(backend->info(engine), &o, &result);
    backend->close(engine);
    return broken ? 1 : 0;
}

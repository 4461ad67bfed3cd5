/* Making what detects: the engine with its input sizes, and the jobs that its slots work on. */
#include "pipeline/pipeline_impl.h"

#include "base/diag.h"
#include "base/mem.h"
#include "infer/open.h"

#include <stdio.h>

/* Opens the backend asked for, or the first that can run here. */
static int open_engine(struct itsi_pipeline *p, const struct itsi_pipeline_params *params,
                       const struct itsi_engine_params *engine, struct its_diag *diag)
{
    int rc = ITS_EUNSUPPORTED;
    if (params->backend) {
        p->backend = params->backend;
        rc = p->backend->probe(diag);
        return rc != 0 ? rc : itsi_engine_open(&p->engine, p->backend, engine, diag);
    }
    for (const struct itsi_backend *const *at = itsi_backends(); *at && rc != 0; at++) {
        if (*at == &itsi_backend_null)
            continue; /* never in silence: it detects nothing */
        p->backend = *at;
        rc = p->backend->probe(diag);
        if (rc == 0)
            return itsi_engine_open(&p->engine, p->backend, engine, diag);
    }
    return rc == ITS_EUNSUPPORTED && (!diag || !diag->text[0])
               ? itsi_fail(diag, rc, "no inference backend can run here; --set backend=null runs without detection")
               : rc;
}

int itsi_pipeline_make_engine(struct itsi_pipeline *p, const struct itsi_pipeline_params *params, struct its_diag *diag)
{
    const struct its_cfg *cfg = params->cfg;
    char cache[4200];
    snprintf(cache, sizeof cache, "%s/compiled", p->cache_dir);
    struct itsi_engine_params engine = {
        .cache_dir = cache,
        .width = 640,
        .height = 384,
        .max_batch = 1,
        .parallel = (int)cfg->inference.parallel,
        .threads = (int)cfg->inference.threads,
        .precision = (enum itsi_precision)cfg->inference.precision,
        .no_int8 = !cfg->gpu.enable_quantization,
        .null_base_ns = params->null_base_ns,
        .null_per_image_ns = params->null_per_image_ns,
        .classes = p->classes ? p->classes : 80,
    };
    if (params->model) {
        engine.model_path = params->model->path;
        int rc = itsi_model_input_size(params->model, (int)cfg->inference.input_size[0],
                                       (int)cfg->inference.input_size[1], &engine.width, &engine.height, diag);
        if (rc != 0)
            return rc;
    }
    const struct itsi_input_size own = {engine.width, engine.height};
    if (!params->unpaced)
        engine.more_count = itsi_pipeline_quality_sizes(cfg, params->model, own, engine.more);
    if (params->backend == &itsi_backend_null && cfg->gpu.enable_dynamic_batching)
        engine.max_batch = (int)cfg->gpu.batch_size_range[1];
    int rc = open_engine(p, params, &engine, diag);
    if (rc == 0)
        p->info = *p->backend->info(p->engine);
    return rc;
}

int itsi_pipeline_make_jobs(struct itsi_pipeline *p)
{
    p->jobs = itsi_calloc((size_t)p->info.slots, sizeof *p->jobs);
    for (int i = 0; p->jobs && i < p->info.slots; i++) {
        p->jobs[i].items = itsi_calloc((size_t)p->info.max_batch, sizeof *p->jobs[i].items);
        p->jobs[i].boxes = itsi_calloc((size_t)p->info.max_batch, sizeof *p->jobs[i].boxes);
        if (!p->jobs[i].items || !p->jobs[i].boxes)
            return ITS_ENOMEM;
    }
    return p->jobs ? 0 : ITS_ENOMEM;
}

void itsi_pipeline_free_engine(struct itsi_pipeline *p)
{
    if (p->backend && p->engine)
        p->backend->close(p->engine);
    for (int i = 0; p->jobs && i < p->info.slots; i++) {
        itsi_free(p->jobs[i].items);
        itsi_free(p->jobs[i].boxes);
    }
    itsi_free(p->jobs);
}

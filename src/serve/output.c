#include "serve/output.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "encode/result_json.h"

#include <stdatomic.h>
#include <string.h>

/* Results waiting here are not free for new ones: small beside the pipeline's pool. */
enum { DEPTH = 128 };

struct itsi_output {
    struct itsi_pipeline *pipeline;
    struct itsi_jsonl *file;
    struct itsi_subscription *subscription;
    struct itsi_buf line;
    pthread_t thread;
    bool running;
    atomic_bool stopping;
};

static void write_line(struct itsi_output *o, const struct itsi_result *result)
{
    struct itsi_json json;
    int names;
    const int64_t now = itsi_now_ns();
    const char *const *class_names = itsi_pipeline_class_names(o->pipeline, &names);
    itsi_buf_reset(&o->line);
    itsi_json_init(&json, &o->line);
    itsi_result_json(&json, NULL, result, class_names, names, now);
    if (!o->line.failed)
        (void)itsi_jsonl_write(o->file, o->line.data, o->line.len, now); /* counted and logged there */
}

/* Until told to stop, and then whatever still waits. */
static void *run(void *arg)
{
    struct itsi_output *o = arg;
    for (;;) {
        const bool stopping = atomic_load(&o->stopping);
        struct itsi_result *result =
            itsi_subscription_next(o->subscription, stopping ? 0 : itsi_now_ns() + ITSI_NS_PER_S / 5);
        if (result) {
            write_line(o, result);
            itsi_result_unref(&result);
        } else if (stopping || itsi_subscription_ended(o->subscription)) {
            return NULL;
        }
    }
}

int itsi_output_start(struct itsi_output **out, const struct its_cfg_output *cfg, struct itsi_pipeline *pipeline,
                      struct its_diag *diag)
{
    *out = NULL;
    if (!cfg->jsonl_path || !cfg->jsonl_path[0])
        return 0;
    struct itsi_output *o = itsi_zalloc(sizeof *o);
    if (!o)
        return itsi_fail(diag, ITS_ENOMEM, "output: out of memory");
    o->pipeline = pipeline;
    const struct itsi_jsonl_params params = {.path = cfg->jsonl_path,
                                             .max_bytes = (int64_t)(cfg->jsonl_max_mb * 1024 * 1024),
                                             .files = (int)cfg->jsonl_files};
    int rc = itsi_jsonl_open(&o->file, &params, diag);
    if (rc == 0)
        rc = itsi_pipeline_subscribe(pipeline, NULL, DEPTH, NULL, NULL, &o->subscription, diag);
    if (rc == 0)
        rc = itsi_thread_start(&o->thread, "output", run, o, diag);
    o->running = rc == 0;
    if (rc != 0) {
        itsi_output_stop(o);
        return rc;
    }
    *out = o;
    return 0;
}

bool itsi_output_status(struct itsi_output *o, struct itsi_jsonl_status *out, uint64_t *lost)
{
    *out = (struct itsi_jsonl_status){0};
    *lost = 0;
    if (!o)
        return false;
    itsi_jsonl_status(o->file, out);
    *lost = itsi_subscription_lost(o->subscription);
    return true;
}

void itsi_output_stop(struct itsi_output *o)
{
    if (!o)
        return;
    atomic_store(&o->stopping, true);
    if (o->running)
        pthread_join(o->thread, NULL);
    itsi_subscription_close(o->subscription);
    itsi_jsonl_close(o->file);
    itsi_buf_fini(&o->line);
    itsi_free(o);
}

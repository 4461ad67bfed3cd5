#include "pipeline/result_writer.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "encode/result_json.h"

#include <stdatomic.h>

/* Results that wait while the disk is slow: some seconds of a hundred cameras. */
enum { DEPTH = 1024 };

struct itsi_result_writer {
    struct itsi_pipeline *pipeline;
    struct itsi_subscription *results;
    struct itsi_jsonl *file;
    struct itsi_buf line; /* the thread's */
    pthread_t thread;
    atomic_bool stop;
    bool running;
};

static void write_one(struct itsi_result_writer *writer, const struct itsi_result *result)
{
    int count;
    const char *const *names = itsi_pipeline_class_names(writer->pipeline, &count);
    struct itsi_json json;
    int64_t now = itsi_now_ns();
    itsi_buf_reset(&writer->line);
    itsi_json_init(&json, &writer->line);
    itsi_result_json(&json, NULL, result, names, count, now);
    if (!writer->line.failed)
        (void)itsi_jsonl_write(writer->file, writer->line.data, writer->line.len, now); /* losses are counted there */
}

static void *run(void *arg)
{
    struct itsi_result_writer *writer = arg;
    for (;;) {
        bool stopping = atomic_load(&writer->stop);
        struct itsi_result *result =
            itsi_subscription_next(writer->results, stopping ? 0 : itsi_now_ns() + ITSI_NS_PER_S / 5);
        if (result)
            write_one(writer, result);
        else if (stopping || itsi_subscription_ended(writer->results))
            return NULL;
        itsi_result_unref(&result);
    }
}

static void release(struct itsi_result_writer *writer)
{
    itsi_subscription_close(writer->results);
    itsi_jsonl_close(writer->file);
    itsi_buf_fini(&writer->line);
    itsi_free(writer);
}

int itsi_result_writer_start(struct itsi_result_writer **out, struct itsi_pipeline *pipeline,
                             const struct its_cfg_output *cfg, struct its_diag *diag)
{
    struct itsi_result_writer *writer = itsi_zalloc(sizeof *writer);
    if (!writer)
        return itsi_fail(diag, ITS_ENOMEM, "result writer: out of memory");
    writer->pipeline = pipeline;
    const struct itsi_jsonl_params params = {cfg->jsonl_path, (int64_t)(cfg->jsonl_max_mb * 1024 * 1024),
                                             (int)cfg->jsonl_files};
    int rc = itsi_jsonl_open(&writer->file, &params, diag);
    if (rc == 0)
        rc = itsi_pipeline_subscribe(pipeline, NULL, DEPTH, NULL, NULL, &writer->results, diag);
    if (rc == 0)
        rc = itsi_thread_start(&writer->thread, "its-jsonl", run, writer, diag);
    if (rc != 0) {
        release(writer);
        return rc;
    }
    writer->running = true;
    *out = writer;
    return 0;
}

void itsi_result_writer_status(struct itsi_result_writer *writer, struct itsi_jsonl_status *out, uint64_t *queue_lost)
{
    itsi_jsonl_status(writer->file, out);
    if (queue_lost)
        *queue_lost = itsi_subscription_lost(writer->results);
}

void itsi_result_writer_stop(struct itsi_result_writer *writer)
{
    if (!writer || !writer->running)
        return;
    atomic_store(&writer->stop, true);
    pthread_join(writer->thread, NULL);
    writer->running = false;
}

void itsi_result_writer_destroy(struct itsi_result_writer *writer)
{
    if (!writer)
        return;
    itsi_result_writer_stop(writer);
    release(writer);
}

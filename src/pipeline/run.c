/* The two threads every frame passes: the batcher's (take, letterbox, submit) and post-processing's (collect, boxes,
 * books, bus). */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"

#include <string.h>

static void drop_item(struct itsi_batch_item *item, enum itsi_stage stage, enum itsi_drop reason)
{
    struct itsi_camera_stream *stream = item->owner;
    itsi_ledger_drop(&stream->ledger, stage, reason);
    itsi_stream_dropped(stream, item->frame, stage, reason);
    itsi_frame_unref(&item->frame);
    itsi_stream_unref(stream);
}

/* Letterboxes the batch's frames into the slot; frames that cannot be are dropped and the rest closes up. */
static void fill_slot(struct itsi_pipeline *p, int slot, struct itsi_job *job, int taken)
{
    job->count = 0;
    for (int i = 0; i < taken; i++) {
        struct itsi_batch_item item = job->items[i];
        struct itsi_image_tensor tensor = {p->backend->input(p->engine, slot, job->count), p->info.width,
                                           p->info.height};
        item.frame->info.trace.pre_start = itsi_now_ns();
        if (itsi_letterbox_run(p->boxer, &item.frame->picture, &tensor, &job->boxes[job->count]) != 0) {
            drop_item(&item, ITSI_STAGE_PREPROCESSING, ITSI_DROP_ENGINE_FAILED);
            continue;
        }
        item.frame->info.trace.pre_end = itsi_now_ns();
        job->items[job->count++] = item;
    }
}

/* How long before the engine is free the next frame is taken: letterboxing and waking up must fit. */
#define LEAD_NS (3 * ITSI_NS_PER_MS)

/* 0: a frame may be taken now; else when to look again. One slot beyond what runs is prepared ahead, no earlier than it
 * must be: while a frame with a deadline waits in its mailbox a fresher one can still replace it. */
static int64_t hold_back(struct itsi_pipeline *p, int busy)
{
    int64_t now = itsi_now_ns();
    if (busy > p->info.parallel)
        return itsi_batcher_shed(p->batcher, now);
    if (busy < p->info.parallel || p->info.batch_efficient)
        return 0;
    int64_t expiry = itsi_batcher_shed(p->batcher, now);
    int64_t take_at = itsi_lanes_free_at(&p->lanes, itsi_batcher_shortest_run(p->batcher, 1)) - LEAD_NS;
    if (expiry == ITSI_NEVER || now >= take_at)
        return 0;
    return take_at < expiry ? take_at : expiry;
}

/* So that a batch that never comes back is noticed, with the name of one whose frame is in it. */
static void job_begins(struct itsi_pipeline *p, struct itsi_job *job)
{
    const struct itsi_camera_stream *first = job->items[0].owner;
    pthread_mutex_lock(&p->table);
    job->submitted_ns = itsi_now_ns();
    job->stage = ITSI_STAGE_ML_INFERENCE;
    memcpy(job->first_camera, first->config.id, sizeof job->first_camera);
    pthread_mutex_unlock(&p->table);
}

static void job_ends(struct itsi_pipeline *p, struct itsi_job *job)
{
    pthread_mutex_lock(&p->table);
    job->submitted_ns = 0;
    pthread_mutex_unlock(&p->table);
}

/* One round of the batcher thread: returns when to look again (ITSI_NEVER: on change), or 0 for at once. */
static int64_t batch_once(struct itsi_pipeline *p)
{
    int busy = atomic_load(&p->in_engine);
    int64_t again = hold_back(p, busy);
    if (again)
        return again;
    int slot = p->backend->acquire(p->engine);
    if (slot < 0)
        return itsi_batcher_shed(p->batcher, itsi_now_ns());
    struct itsi_job *job = &p->jobs[slot];
    int64_t wake_at;
    int taken = itsi_batcher_take(p->batcher, itsi_now_ns(), busy == 0, job->items, &wake_at);
    if (taken)
        fill_slot(p, slot, job, taken);
    if (!taken || job->count == 0) {
        p->backend->release(p->engine, slot);
        return taken ? 0 : wake_at;
    }
    atomic_fetch_add(&p->in_engine, 1);
    job_begins(p, job);
    itsi_lanes_submit(&p->lanes, itsi_now_ns());
    if (p->backend->submit(p->engine, slot, job->count) != 0) {
        atomic_fetch_sub(&p->in_engine, 1);
        job_ends(p, job);
        itsi_lanes_finish(&p->lanes, ITSI_NEVER, itsi_now_ns());
        for (int i = 0; i < job->count; i++)
            drop_item(&job->items[i], ITSI_STAGE_ML_INFERENCE, ITSI_DROP_ENGINE_FAILED);
        p->backend->release(p->engine, slot);
    }
    return 0;
}

static void *batch_main(void *arg)
{
    struct itsi_pipeline *p = arg;
    while (!atomic_load(&p->stop_batching)) {
        int64_t wake_at = batch_once(p);
        if (wake_at)
            itsi_batcher_wait(p->batcher, wake_at);
    }
    return NULL;
}

/* Boxes of one image, into a result on the bus. Takes over the item. */
static void finish_image(struct itsi_pipeline *p, const struct itsi_live *live, int slot, int image, int batch,
                         const struct itsi_completion *done, struct itsi_batch_item *item,
                         const struct itsi_letterbox *box)
{
    struct itsi_camera_stream *stream = item->owner;
    struct itsi_frame *frame = item->frame;
    struct itsi_trace *trace = &frame->info.trace;
    struct itsi_result *result = itsi_result_pool_get(p->results);
    if (!result) {
        drop_item(item, ITSI_STAGE_POSTPROCESSING, ITSI_DROP_POOL_EMPTY);
        return;
    }
    trace->infer_start = done->started_ns > trace->pre_end ? done->started_ns : trace->pre_end;
    trace->infer_end = done->finished_ns;
    trace->post_start = itsi_now_ns();
    struct itsi_output_tensor output;
    p->backend->output(p->engine, slot, image, &output);
    const struct itsi_yolo_params params = {live->confidence, live->iou, live->max_detections,
                                            live->use_mask ? live->class_mask : NULL};
    result->count = frame->picture.layout == ITSI_LAYOUT_NONE
                        ? 0
                        : itsi_yolo_run(p->yolo, &output, box, &params, result->boxes);
    trace->post_end = itsi_now_ns();
    result->batch = batch;
    result->quality_level = 3; /* high: the guide's default; nothing degrades it yet */
    const struct itsi_trace_id trace_id = itsi_tracer_id(p->tracer, &frame->info);
    itsi_trace_id_hex(&trace_id, result->trace_id);
    trace->handover = itsi_now_ns();
    result->late = trace->handover > frame->info.deadline;
    result->info = frame->info;
    itsi_trace_breakdown(trace, &result->breakdown);
    /* before anybody sees it: who holds a result finds it in the books */
    itsi_ledger_deliver(&stream->ledger, result->late);
    itsi_stream_delivered(stream, result, &trace_id);
    itsi_bus_publish(&p->bus, result);
    int64_t run = trace->infer_end - trace->infer_start;
    itsi_batcher_observe(p->batcher, batch, run, trace->handover - trace->pre_start - run);
    itsi_stream_publish(stream, result, frame, trace->handover);
    itsi_result_unref(&result);
    itsi_frame_unref(&item->frame);
    itsi_stream_unref(stream);
}

static void finish_job(struct itsi_pipeline *p, const struct itsi_completion *done)
{
    struct itsi_job *job = &p->jobs[done->slot];
    struct itsi_live live;
    itsi_lanes_finish(&p->lanes, done->started_ns, done->finished_ns);
    pthread_mutex_lock(&p->table);
    job->stage = ITSI_STAGE_POSTPROCESSING;
    live = p->live;
    if (done->status == 0) {
        int64_t now = itsi_now_ns();
        for (int i = 0; i < job->count; i++)
            itsi_rate_add(&p->rate, now);
        p->result_count += (uint64_t)job->count;
        p->batches++;
        p->batch_images += (uint64_t)job->count;
        if (job->count > p->batch_max)
            p->batch_max = job->count;
    }
    pthread_mutex_unlock(&p->table);
    for (int i = 0; i < job->count; i++) {
        if (done->status != 0)
            drop_item(&job->items[i], ITSI_STAGE_ML_INFERENCE, ITSI_DROP_ENGINE_FAILED);
        else
            finish_image(p, &live, done->slot, i, job->count, done, &job->items[i], &job->boxes[i]);
    }
    job_ends(p, job);
    p->backend->release(p->engine, done->slot);
    atomic_fetch_sub(&p->in_engine, 1);
    itsi_batcher_kick(p->batcher);
}

static void *post_main(void *arg)
{
    struct itsi_pipeline *p = arg;
    for (;;) {
        struct itsi_completion done;
        int rc = p->backend->collect(p->engine, ITSI_NEVER, &done);
        if (rc == ITS_ECANCELLED)
            return NULL;
        if (rc == 0)
            finish_job(p, &done);
    }
}

int itsi_pipeline_run(struct itsi_pipeline *p, struct its_diag *diag)
{
    int rc = itsi_thread_start(&p->post_thread, "its-post", post_main, p, diag);
    if (rc != 0)
        return rc;
    p->post_running = true;
    rc = itsi_thread_start(&p->batch_thread, "its-batch", batch_main, p, diag);
    p->batch_running = rc == 0;
    if (rc == 0)
        rc = itsi_tracer_start(p->tracer, diag);
    return rc == 0 ? itsi_pipeline_monitor_start(p, diag) : rc;
}

void itsi_pipeline_join(struct itsi_pipeline *p)
{
    itsi_pipeline_waits_for(p, ITSI_STOP_MONITOR, "");
    itsi_pipeline_monitor_stop(p);
    itsi_pipeline_waits_for(p, ITSI_STOP_BATCHING, "");
    atomic_store(&p->stop_batching, true);
    itsi_batcher_kick(p->batcher);
    if (p->batch_running)
        pthread_join(p->batch_thread, NULL);
    p->batch_running = false;
    itsi_pipeline_waits_for(p, ITSI_STOP_ENGINE, "");
    p->backend->stop(p->engine);
    if (p->post_running)
        pthread_join(p->post_thread, NULL);
    p->post_running = false;
}

/* The two threads every frame passes: the batcher's (take, letterbox, submit) and post-processing's (collect, boxes,
 * books, bus). */
#include "pipeline/pipeline_impl.h"

#include "base/clock.h"

#include <string.h>

/* It starts with what the engine's warming up measured, so that its first predictions are not guesses. */
int itsi_pipeline_make_batcher(struct itsi_pipeline *p, const struct its_cfg *cfg, struct its_diag *diag)
{
    p->by_deadline = cfg->general.enabled && cfg->inference.batcher == ITSI_BATCHER_DEADLINE;
    const struct itsi_batcher_params params = {
        .policy = p->by_deadline ? ITSI_BATCH_DEADLINE : ITSI_BATCH_FIXED,
        .max_batch = p->info.max_batch,
        .max_in_flight = (p->info.parallel + 2) / 2, /* half of what runs and is prepared */
        .batch_efficient = p->info.batch_efficient,
        .batch_timeout_ns = (int64_t)(cfg->gpu.batch_timeout_ms * 1e6),
        .retain = itsi_stream_retain,
        .dropped = itsi_stream_dropped,
        .skipped = itsi_stream_skipped,
    };
    itsi_quantile_init(&p->letterboxing, 0.95);
    int rc = itsi_batcher_create(&p->batcher, &params, diag);
    for (int size = 0; rc == 0 && size < p->info.size_count; size++) {
        itsi_batcher_size(p->batcher, size, (int64_t)p->info.sizes[size].width * p->info.sizes[size].height);
        for (int i = 0; i < ITSI_WARM_SIZES; i++)
            if (p->info.warm_ns[size][i] > 0)
                itsi_batcher_observe(p->batcher, size, 1 << i, p->info.warm_ns[size][i], itsi_now_ns());
    }
    return rc;
}

static void drop_item(struct itsi_batch_item *item, enum itsi_stage stage, enum itsi_drop reason)
{
    struct itsi_camera_stream *stream = item->owner;
    itsi_ledger_drop(&stream->ledger, stage, reason);
    itsi_stream_dropped(stream, item->frame, stage, reason);
    itsi_frame_unref(&item->frame);
    itsi_stream_unref(stream);
}

/* The same for one that is not in the engine. */
static void give_up(struct itsi_pipeline *p, struct itsi_batch_item *item, enum itsi_stage stage, enum itsi_drop reason)
{
    itsi_batcher_done(p->batcher, item, 1);
    drop_item(item, stage, reason);
}

/* Letterboxes the batch's frames into the slot; frames that cannot be, or for which the time has run out meanwhile, are
 * dropped and the rest closes up. */
static void fill_slot(struct itsi_pipeline *p, int slot, struct itsi_job *job, int taken)
{
    job->count = 0;
    job->again = false;
    const int input = job->items[0].input; /* one for the whole batch */
    const struct itsi_input_size size = p->info.sizes[input];
    (void)p->backend->resize(p->engine, slot, input); /* acquired, and the batcher knows no other sizes */
    for (int i = 0; i < taken; i++) {
        struct itsi_batch_item item = job->items[i];
        struct itsi_trace *trace = &item.frame->info.trace;
        struct itsi_image_tensor tensor = {p->backend->input(p->engine, slot, job->count), size.width, size.height};
        trace->pre_start = itsi_now_ns();
        if (!itsi_batcher_in_time(p->batcher, &item, taken, trace->pre_start)) {
            give_up(p, &item, ITSI_STAGE_PREPROCESSING, ITSI_DROP_EXPIRED);
            continue;
        }
        itsi_stream_take(item.owner);
        if (itsi_letterbox_run(p->boxer, &item.frame->picture, &tensor, &job->boxes[job->count]) != 0) {
            give_up(p, &item, ITSI_STAGE_PREPROCESSING, ITSI_DROP_ENGINE_FAILED);
            continue;
        }
        trace->pre_end = itsi_now_ns();
        itsi_quantile_observe(&p->letterboxing, (double)(trace->pre_end - trace->pre_start));
        job->items[job->count++] = item;
    }
}

/* How long before the engine is free the next frames are taken: letterboxing and waking up must fit. */
static int64_t lead_ns(const struct itsi_pipeline *p)
{
    int more = itsi_batcher_waiting(p->batcher) - 1;
    more = more < p->info.max_batch - 1 ? more : p->info.max_batch - 1;
    return 3 * ITSI_NS_PER_MS + (int64_t)(p->letterboxing.estimate * (more > 0 ? more : 0));
}

/* May frames be taken now, and will the engine be free for them? If not, *again is when to look again. One slot beyond what
 * runs is prepared ahead, no earlier than it must be: while a frame with a deadline waits in its mailbox a fresher one can
 * still replace it. */
static bool may_take(struct itsi_pipeline *p, int busy, bool *engine_free, int64_t *again)
{
    int64_t now = itsi_now_ns();
    *again = itsi_batcher_shed(p->batcher, now);
    *engine_free = busy == 0;
    if (busy != p->info.parallel)
        return busy < p->info.parallel;
    if (*again == ITSI_NEVER) /* none waits, or none that a fresher one would replace */
        return true;
    int64_t take_at = itsi_lanes_free_at(&p->lanes) - lead_ns(p);
    *engine_free = now >= take_at;
    *again = take_at < *again ? take_at : *again;
    return *engine_free;
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

int itsi_pipeline_launch(struct itsi_pipeline *p, int slot, struct itsi_job *job)
{
    atomic_fetch_add(&p->in_engine, 1);
    job_begins(p, job);
    itsi_lanes_submit(&p->lanes, itsi_batcher_shortest_run(p->batcher, job->items[0].input, job->count),
                      itsi_now_ns());
    const int rc = p->backend->submit(p->engine, slot, job->count);
    if (rc == 0)
        return 0;
    atomic_fetch_sub(&p->in_engine, 1);
    job_ends(p, job);
    itsi_lanes_finish(&p->lanes, ITSI_NEVER, itsi_now_ns());
    return rc;
}

/* Into the engine; what it does not take is dropped. */
static void submit(struct itsi_pipeline *p, int slot, struct itsi_job *job)
{
    for (int i = 0; i < job->count; i++)
        job->items[i].frame->info.batch = job->count;
    if (itsi_pipeline_launch(p, slot, job) == 0)
        return;
    for (int i = 0; i < job->count; i++)
        give_up(p, &job->items[i], ITSI_STAGE_ML_INFERENCE, ITSI_DROP_ENGINE_FAILED);
    p->backend->release(p->engine, slot);
}

/* Until there may be something to do. */
static void rest(struct itsi_pipeline *p, int64_t until, bool for_frames)
{
    itsi_tracking_catch_up(p);
    itsi_batcher_wait(p->batcher, until, for_frames);
}

/* One round of the batcher thread: a batch on its way, or a sleep until there may be one. Frames expire on time meanwhile,
 * whatever the engine does: nothing here waits for it. */
static void batch_once(struct itsi_pipeline *p)
{
    bool engine_free;
    int64_t again;
    int slot = may_take(p, atomic_load(&p->in_engine), &engine_free, &again) ? p->backend->acquire(p->engine) : -1;
    if (slot < 0) {
        rest(p, again, false);
        return;
    }
    struct itsi_job *job = &p->jobs[slot];
    int taken = itsi_batcher_take(p->batcher, itsi_now_ns(), engine_free, job->items, &again);
    if (taken)
        fill_slot(p, slot, job, taken);
    if (taken && job->count) {
        submit(p, slot, job);
        return;
    }
    if (!taken && itsi_debt_run(p, slot))
        return;
    p->backend->release(p->engine, slot);
    if (!taken)
        rest(p, again, true);
}

static void *batch_main(void *arg)
{
    struct itsi_pipeline *p = arg;
    while (!atomic_load(&p->stop_batching))
        batch_once(p);
    return NULL;
}

static bool is_reduced(const struct itsi_pipeline *p, int input)
{
    const struct itsi_input_size *own = &p->info.sizes[0], *size = &p->info.sizes[input];
    return size->width * size->height < own->width * own->height;
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
    const struct itsi_yolo_params params = {itsi_tracking_floor(stream, live->confidence), live->iou, live->max_detections,
                                            live->use_mask ? live->class_mask : NULL};
    result->count = frame->picture.layout == ITSI_LAYOUT_NONE
                        ? 0
                        : itsi_yolo_run(p->yolo, &output, box, &params, result->boxes);
    trace->post_end = itsi_now_ns();
    result->batch = batch;
    result->reduced = is_reduced(p, item->input);
    const struct itsi_trace_id trace_id = itsi_tracer_id(p->tracer, &frame->info);
    itsi_trace_id_hex(&trace_id, result->trace_id);
    trace->handover = itsi_now_ns();
    result->late = trace->handover > frame->info.deadline;
    result->info = frame->info;
    itsi_tracking_detected(stream, result, live->confidence);
    itsi_quality_note_result(stream, result);
    itsi_trace_breakdown(trace, &result->breakdown);
    /* before anybody sees it: who holds a result finds it in the books */
    itsi_ledger_deliver(&stream->ledger, result->late);
    itsi_stream_delivered(stream, result, &trace_id);
    itsi_bus_publish(&p->bus, result);
    itsi_batcher_observe_rest(p->batcher,
                              trace->handover - trace->pre_start - (trace->infer_end - trace->infer_start));
    itsi_stream_publish(stream, result, frame, trace->handover);
    itsi_result_unref(&result);
    itsi_frame_unref(&item->frame);
    itsi_tracking_ended(stream);
    itsi_stream_unref(stream);
}

static void finish_live(struct itsi_pipeline *p, struct itsi_job *job, const struct itsi_completion *done)
{
    struct itsi_live live;
    itsi_batcher_done(p->batcher, job->items, job->count);
    if (done->status == 0) {
        const int64_t run = done->finished_ns - done->started_ns;
        itsi_batcher_observe(p->batcher, job->items[0].input, job->count, run, done->finished_ns);
        itsi_quality_note_run(p, job->items[0].input, job->count, run);
    } else {
        itsi_quality_note_failure(p);
    }
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
}

static void finish_job(struct itsi_pipeline *p, const struct itsi_completion *done)
{
    struct itsi_job *job = &p->jobs[done->slot];
    itsi_lanes_finish(&p->lanes, done->started_ns, done->finished_ns);
    if (job->again)
        itsi_debt_finish(p, job, done);
    else
        finish_live(p, job, done);
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
    if (rc == 0)
        rc = itsi_pipeline_start_quality(p, diag);
    return rc == 0 ? itsi_pipeline_monitor_start(p, diag) : rc;
}

void itsi_pipeline_join(struct itsi_pipeline *p)
{
    itsi_pipeline_waits_for(p, ITSI_STOP_MONITOR, "");
    itsi_pipeline_monitor_stop(p);
    itsi_pipeline_stop_quality(p);
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

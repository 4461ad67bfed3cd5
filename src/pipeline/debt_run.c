/* A kept picture goes through the engine again, when nothing else wants to. */
#include "pipeline/debt.h"

#include "base/clock.h"
#include "pipeline/pipeline_impl.h"
#include "quality/debt_match.h"

enum { OWN_SIZE = 0 }; /* of the engine's input sizes, the model's own: what full quality means */

/* The engine idles, nobody waits for it, and who comes while it runs is in time all the same. */
static bool has_room(struct itsi_pipeline *p)
{
    if (atomic_load(&p->in_engine) > 0 || itsi_batcher_waiting(p->batcher) > 0)
        return false;
    const int64_t predicted = itsi_batcher_predict(p->batcher, OWN_SIZE, 1);
    const int64_t run_ns = predicted > 0 ? predicted : p->info.warm_ns[OWN_SIZE][0];
    return run_ns < atomic_load_explicit(&p->debt->room_ns, memory_order_relaxed);
}

/* Full analysis of a picture that got just that would find the same. */
static bool was_full(const struct itsi_result *result) { return !result->tracked && !result->reduced; }

static void book_full(const struct itsi_debt_sample *sample)
{
    const struct itsi_debt_picture same = {.sightings = sample->result->count};
    itsi_debt_book(sample, &same, 0);
}

static bool send(struct itsi_pipeline *p, int slot, const struct itsi_debt_sample *sample)
{
    struct itsi_job *job = &p->jobs[slot];
    const struct itsi_input_size size = p->info.sizes[OWN_SIZE];
    (void)p->backend->resize(p->engine, slot, OWN_SIZE); /* acquired, and there is no engine without it */
    const struct itsi_image_tensor tensor = {p->backend->input(p->engine, slot, 0), size.width, size.height};
    if (itsi_letterbox_run(p->boxer, &sample->frame->picture, &tensor, &job->boxes[0]) != 0)
        return false;
    job->count = 1;
    job->again = true;
    job->items[0] = (struct itsi_batch_item){.frame = sample->frame, .owner = sample->stream, .input = OWN_SIZE};
    p->debt->running = sample->result; /* before it is launched: it may be back before that returns */
    if (itsi_pipeline_launch(p, slot, job) != 0) {
        p->debt->running = NULL; /* the caller's still, who lets it go */
        return false;
    }
    atomic_fetch_add(&p->debt->runs, 1);
    return true;
}

bool itsi_debt_run(struct itsi_pipeline *p, int slot)
{
    struct itsi_debt_sample sample;
    if (!p->debt || atomic_load_explicit(&p->debt->waiting, memory_order_relaxed) == 0 || !has_room(p))
        return false;
    while (itsi_debt_take(p->debt, &sample)) {
        const bool full = was_full(sample.result);
        if (full)
            book_full(&sample);
        else if (send(p, slot, &sample))
            return true;
        else
            itsi_debt_book_failure(p->debt);
        itsi_debt_release(&sample);
        itsi_stream_unref(sample.stream);
    }
    return false;
}

static void compare(struct itsi_pipeline *p, const struct itsi_completion *done, const struct itsi_letterbox *box,
                    const struct itsi_debt_sample *sample)
{
    struct itsi_debt *debt = p->debt;
    struct itsi_output_tensor output;
    pthread_mutex_lock(&p->table);
    const struct itsi_live live = p->live;
    pthread_mutex_unlock(&p->table);
    const struct itsi_yolo_params params = {live.confidence, live.iou, live.max_detections,
                                            live.use_mask ? live.class_mask : NULL};
    p->backend->output(p->engine, done->slot, 0, &output);
    const int count = itsi_yolo_run(p->yolo, &output, box, &params, debt->boxes);
    if (count < 0) {
        itsi_debt_book_failure(debt);
        return;
    }
    const struct itsi_debt_picture picture = itsi_debt_match(debt->boxes, count, sample->result->boxes,
                                                             sample->result->count);
    itsi_debt_book(sample, &picture, done->finished_ns - done->started_ns);
}

void itsi_debt_finish(struct itsi_pipeline *p, struct itsi_job *job, const struct itsi_completion *done)
{
    struct itsi_debt_sample sample = {job->items[0].owner, job->items[0].frame, p->debt->running};
    if (done->status == 0)
        compare(p, done, &job->boxes[0], &sample);
    else
        itsi_debt_book_failure(p->debt);
    p->debt->running = NULL;
    itsi_debt_release(&sample);
    itsi_stream_unref(sample.stream);
}

#include "infer/slots.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"

static void push(struct itsi_slots *slots, struct itsi_slot_queue *queue, int slot)
{
    queue->items[(queue->head + queue->len++) % slots->count] = slot;
}

static int pop(struct itsi_slots *slots, struct itsi_slot_queue *queue)
{
    int slot = queue->items[queue->head];
    queue->head = (queue->head + 1) % slots->count;
    queue->len--;
    return slot;
}

int itsi_slots_init(struct itsi_slots *slots, int count, int parallel, struct its_diag *diag)
{
    *slots = (struct itsi_slots){.count = count, .parallel = parallel};
    struct itsi_slot *slot = itsi_calloc((size_t)count, sizeof *slot);
    int *memory = itsi_calloc((size_t)count * 2, sizeof *memory);
    if (!slot || !memory) {
        itsi_free(slot);
        itsi_free(memory);
        return itsi_fail(diag, ITS_ENOMEM, "no memory for %d slots", count);
    }
    pthread_mutex_init(&slots->mutex, NULL);
    itsi_cond_init(&slots->finished);
    itsi_cond_init(&slots->idle);
    slots->slot = slot;
    slots->queue_memory = memory;
    slots->waiting.items = memory;
    slots->done.items = memory + count;
    return 0;
}

void itsi_slots_fini(struct itsi_slots *slots)
{
    if (!slots->slot)
        return;
    pthread_cond_destroy(&slots->idle);
    pthread_cond_destroy(&slots->finished);
    pthread_mutex_destroy(&slots->mutex);
    itsi_free(slots->queue_memory);
    itsi_free(slots->slot);
    *slots = (struct itsi_slots){0};
}

int itsi_slots_acquire(struct itsi_slots *slots)
{
    int found = -1;
    pthread_mutex_lock(&slots->mutex);
    for (int i = 0; i < slots->count && found < 0; i++)
        if (slots->slot[i].state == ITSI_SLOT_FREE)
            found = i;
    if (found >= 0) {
        slots->slot[found].state = ITSI_SLOT_FILLING;
        slots->slot[found].size = 0;
    }
    pthread_mutex_unlock(&slots->mutex);
    return found;
}

int itsi_slots_resize(struct itsi_slots *slots, int slot, int size, int sizes)
{
    int rc = ITS_EINVAL;
    pthread_mutex_lock(&slots->mutex);
    if (slot >= 0 && slot < slots->count && size >= 0 && size < sizes &&
        slots->slot[slot].state == ITSI_SLOT_FILLING) {
        slots->slot[slot].size = size;
        rc = 0;
    }
    pthread_mutex_unlock(&slots->mutex);
    return rc;
}

/* Locked. */
static int check_submit(const struct itsi_slots *slots, int slot, int images, int max_images)
{
    if (slot < 0 || slot >= slots->count || images < 1 || images > max_images ||
        slots->slot[slot].state != ITSI_SLOT_FILLING)
        return ITS_EINVAL;
    return slots->stopping ? ITS_ECANCELLED : 0;
}

int itsi_slots_submit(struct itsi_slots *slots, int slot, int images, int max_images)
{
    pthread_mutex_lock(&slots->mutex);
    int rc = check_submit(slots, slot, images, max_images);
    if (rc == 0) {
        struct itsi_slot *s = &slots->slot[slot];
        s->state = ITSI_SLOT_WAITING;
        s->images = images;
        s->submitted_ns = itsi_now_ns();
        push(slots, &slots->waiting, slot);
    }
    pthread_mutex_unlock(&slots->mutex);
    return rc;
}

int itsi_slots_start(struct itsi_slots *slots)
{
    int slot = -1;
    pthread_mutex_lock(&slots->mutex);
    if (slots->waiting.len > 0 && slots->running < slots->parallel && !slots->closing) {
        slot = pop(slots, &slots->waiting);
        slots->slot[slot].state = ITSI_SLOT_RUNNING;
        slots->slot[slot].started_ns = itsi_now_ns();
        slots->running++;
    }
    pthread_mutex_unlock(&slots->mutex);
    return slot;
}

/* Locked: the slot's work is over. */
static void hand_over(struct itsi_slots *slots, int slot, int status)
{
    slots->slot[slot].state = ITSI_SLOT_DONE;
    slots->slot[slot].status = status;
    slots->slot[slot].finished_ns = itsi_now_ns();
    push(slots, &slots->done, slot);
    pthread_cond_signal(&slots->finished);
}

void itsi_slots_finish(struct itsi_slots *slots, int slot, int status)
{
    pthread_mutex_lock(&slots->mutex);
    hand_over(slots, slot, status);
    if (--slots->running == 0)
        pthread_cond_broadcast(&slots->idle);
    pthread_mutex_unlock(&slots->mutex);
}

int itsi_slots_pass(struct itsi_slots *slots, int slot, int images, int max_images)
{
    pthread_mutex_lock(&slots->mutex);
    int rc = check_submit(slots, slot, images, max_images);
    if (rc == 0) {
        struct itsi_slot *s = &slots->slot[slot];
        s->images = images;
        s->submitted_ns = s->started_ns = itsi_now_ns();
        hand_over(slots, slot, 0);
    }
    pthread_mutex_unlock(&slots->mutex);
    return rc;
}

int itsi_slots_collect(struct itsi_slots *slots, int64_t until_ns, struct itsi_completion *out)
{
    int rc = 0;
    pthread_mutex_lock(&slots->mutex);
    while (slots->done.len == 0) {
        if (slots->stopping && slots->running == 0 && (slots->waiting.len == 0 || slots->closing)) {
            rc = ITS_ECANCELLED;
            break;
        }
        if (!itsi_cond_wait_until(&slots->finished, &slots->mutex, until_ns) && slots->done.len == 0) {
            rc = ITS_ETIMEOUT;
            break;
        }
    }
    if (rc == 0) {
        int slot = pop(slots, &slots->done);
        struct itsi_slot *s = &slots->slot[slot];
        s->state = ITSI_SLOT_COLLECTED;
        *out = (struct itsi_completion){
            .slot = slot, .status = s->status, .started_ns = s->started_ns, .finished_ns = s->finished_ns};
    }
    pthread_mutex_unlock(&slots->mutex);
    return rc;
}

void itsi_slots_release(struct itsi_slots *slots, int slot)
{
    if (slot < 0 || slot >= slots->count)
        return;
    pthread_mutex_lock(&slots->mutex);
    struct itsi_slot *s = &slots->slot[slot];
    /* a slot acquired and not submitted may be given back as well */
    if (s->state == ITSI_SLOT_COLLECTED || s->state == ITSI_SLOT_FILLING)
        s->state = ITSI_SLOT_FREE;
    pthread_mutex_unlock(&slots->mutex);
}

void itsi_slots_stop(struct itsi_slots *slots)
{
    pthread_mutex_lock(&slots->mutex);
    slots->stopping = true;
    pthread_cond_broadcast(&slots->finished);
    pthread_mutex_unlock(&slots->mutex);
}

void itsi_slots_drain(struct itsi_slots *slots)
{
    pthread_mutex_lock(&slots->mutex);
    slots->stopping = true;
    slots->closing = true;
    pthread_cond_broadcast(&slots->finished);
    while (slots->running > 0)
        pthread_cond_wait(&slots->idle, &slots->mutex);
    pthread_mutex_unlock(&slots->mutex);
}

#include "infer/batcher.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/thread.h"
#include "metrics/quantile.h"

#include <string.h>

enum { BUCKETS = 7 /* 1, 2, 4, ... 64 */ };
#define STRIDE 1048576.0
/* A prediction never condemns a frame before it has used this share of its budget: a spell of slow runs must not shed
 * everything and so never learn that it is over. As long as a frame period of the usual camera (40 of 100 ms), so that
 * every camera has a frame to offer at any moment and the choice between them stays fair. */
#define LEAST_TRIED_SHARE 0.4

struct itsi_mailbox {
    struct itsi_batcher *batcher;
    struct itsi_ledger *ledger;
    void *owner;
    double stride, pass;
    /* under the batcher's mutex */
    struct itsi_frame *frame;
    int64_t put_at;
    int ready_index; /* in batcher->ready while it holds a frame */
    bool closed;
    enum itsi_drop close_reason;
    pthread_cond_t room;
};

struct itsi_batcher {
    struct itsi_batcher_params params; /* const but for the timeout, under the mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t changes, changes_seen; /* seen: when the last wait() returned */
    struct itsi_mailbox **ready; /* the mailboxes that hold a frame, in no order */
    int ready_count, ready_cap;
    int mailboxes;
    double virtual_time; /* pass of the mailbox served last */
    struct itsi_quantile run[BUCKETS], shortest[BUCKETS], rest;
};

static int bucket_of(int n)
{
    int bucket = 0;
    while ((1 << bucket) < n && bucket < BUCKETS - 1)
        bucket++;
    return bucket;
}

int itsi_batcher_create(struct itsi_batcher **out, const struct itsi_batcher_params *params, struct its_diag *diag)
{
    if (params->max_batch < 1 || params->max_batch > 1 << (BUCKETS - 1))
        return itsi_fail(diag, ITS_EINVAL, "batch size %d: allowed are 1 to %d", params->max_batch, 1 << (BUCKETS - 1));
    struct itsi_batcher *b = itsi_zalloc(sizeof *b);
    if (!b)
        return itsi_fail(diag, ITS_ENOMEM, "batcher: out of memory");
    b->params = *params;
    pthread_mutex_init(&b->mutex, NULL);
    itsi_cond_init(&b->changed);
    for (int i = 0; i < BUCKETS; i++) {
        itsi_quantile_init(&b->run[i], 0.95);
        itsi_quantile_init(&b->shortest[i], 0.10);
    }
    itsi_quantile_init(&b->rest, 0.95);
    *out = b;
    return 0;
}

void itsi_batcher_destroy(struct itsi_batcher *b)
{
    if (!b)
        return;
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
    itsi_free(b->ready);
    itsi_free(b);
}

/* --- mailboxes --------------------------------------------------------------------------------------------------- */

int itsi_mailbox_create(struct itsi_batcher *b, struct itsi_mailbox **out, struct itsi_ledger *ledger, void *owner,
                        int weight, struct its_diag *diag)
{
    struct itsi_mailbox *box = itsi_zalloc(sizeof *box);
    if (!box)
        return itsi_fail(diag, ITS_ENOMEM, "mailbox: out of memory");
    box->batcher = b;
    box->ledger = ledger;
    box->owner = owner;
    box->stride = STRIDE / (weight > 0 ? weight : 1);
    itsi_cond_init(&box->room);
    pthread_mutex_lock(&b->mutex);
    int rc = 0;
    if (b->mailboxes == b->ready_cap) {
        int cap = b->ready_cap ? 2 * b->ready_cap : 16;
        struct itsi_mailbox **ready = itsi_realloc(b->ready, (size_t)cap * sizeof *ready);
        if (ready) {
            b->ready = ready;
            b->ready_cap = cap;
        } else {
            rc = ITS_ENOMEM;
        }
    }
    if (rc == 0)
        b->mailboxes++;
    pthread_mutex_unlock(&b->mutex);
    if (rc != 0) {
        pthread_cond_destroy(&box->room);
        itsi_free(box);
        return itsi_fail(diag, rc, "mailbox: out of memory");
    }
    *out = box;
    return 0;
}

static void ready_add(struct itsi_batcher *b, struct itsi_mailbox *box)
{
    box->ready_index = b->ready_count;
    b->ready[b->ready_count++] = box;
    /* a camera that was silent does not save up turns */
    if (box->pass < b->virtual_time)
        box->pass = b->virtual_time;
}

/* Takes the frame out of the mailbox. */
static struct itsi_frame *ready_remove(struct itsi_batcher *b, struct itsi_mailbox *box)
{
    struct itsi_mailbox *last = b->ready[--b->ready_count];
    b->ready[box->ready_index] = last;
    last->ready_index = box->ready_index;
    struct itsi_frame *frame = box->frame;
    box->frame = NULL;
    pthread_cond_signal(&box->room);
    return frame;
}

static void drop(struct itsi_mailbox *box, struct itsi_frame *frame, enum itsi_drop reason)
{
    const struct itsi_batcher_params *params = &box->batcher->params;
    itsi_ledger_drop(box->ledger, ITSI_STAGE_PREPROCESSING, reason);
    if (params->dropped)
        params->dropped(box->owner, frame, ITSI_STAGE_PREPROCESSING, reason);
    itsi_frame_unref(&frame);
}

void itsi_mailbox_close(struct itsi_mailbox *box, enum itsi_drop reason)
{
    struct itsi_batcher *b = box->batcher;
    struct itsi_frame *frame = NULL;
    pthread_mutex_lock(&b->mutex);
    box->closed = true;
    box->close_reason = reason;
    if (box->frame)
        frame = ready_remove(b, box);
    pthread_cond_broadcast(&box->room);
    pthread_mutex_unlock(&b->mutex);
    if (frame)
        drop(box, frame, reason);
}

void itsi_mailbox_free(struct itsi_mailbox *box)
{
    if (!box)
        return;
    if (!box->closed)
        itsi_mailbox_close(box, ITSI_DROP_CAMERA_REMOVED);
    pthread_mutex_lock(&box->batcher->mutex);
    box->batcher->mailboxes--;
    pthread_mutex_unlock(&box->batcher->mutex);
    pthread_cond_destroy(&box->room);
    itsi_free(box);
}

int itsi_mailbox_put(struct itsi_mailbox *box, struct itsi_frame *frame, bool may_block, int64_t now)
{
    struct itsi_batcher *b = box->batcher;
    struct itsi_frame *replaced = NULL;
    pthread_mutex_lock(&b->mutex);
    while (may_block && box->frame && !box->closed)
        itsi_cond_wait_until(&box->room, &b->mutex, ITSI_NEVER);
    if (box->closed) {
        pthread_mutex_unlock(&b->mutex);
        drop(box, frame, box->close_reason);
        return ITS_ECANCELLED;
    }
    replaced = box->frame;
    box->frame = frame;
    box->put_at = now;
    if (!replaced)
        ready_add(b, box);
    b->changes++;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
    if (replaced)
        drop(box, replaced, ITSI_DROP_REPLACED);
    return 0;
}

/* --- the choice -------------------------------------------------------------------------------------------------- */

/* The run time of the bucket n falls into, or of the nearest smaller one that is known. */
static double predicted_run(const struct itsi_batcher *b, int n)
{
    for (int bucket = bucket_of(n); bucket >= 0; bucket--)
        if (b->run[bucket].count)
            return b->run[bucket].estimate;
    return 0;
}

static int64_t predicted_total(const struct itsi_batcher *b, int n)
{
    return (int64_t)(predicted_run(b, n) + b->rest.estimate);
}

/* The instant after which starting the frame makes no sense. */
static int64_t expiry_of(const struct itsi_batcher *b, const struct itsi_frame *frame)
{
    if (frame->info.deadline == ITSI_NEVER || b->params.policy == ITSI_BATCH_FIXED)
        return ITSI_NEVER;
    int64_t origin = frame->info.trace.origin;
    int64_t budget = frame->info.deadline - origin;
    int64_t least = origin + (int64_t)((double)budget * LEAST_TRIED_SHARE);
    int64_t last = frame->info.deadline - predicted_total(b, 1);
    return last > least ? last : least;
}

/* Drops what has expired; returns the next expiry. */
static int64_t shed_locked(struct itsi_batcher *b, int64_t now)
{
    int64_t next = ITSI_NEVER;
    for (int i = 0; i < b->ready_count;) {
        struct itsi_mailbox *box = b->ready[i];
        int64_t expiry = expiry_of(b, box->frame);
        if (expiry < now) {
            drop(box, ready_remove(b, box), ITSI_DROP_EXPIRED);
            continue;
        }
        if (expiry < next)
            next = expiry;
        i++;
    }
    return next;
}

static bool goes_before(const struct itsi_batcher *b, const struct itsi_mailbox *x, const struct itsi_mailbox *y)
{
    if (b->params.policy == ITSI_BATCH_FIXED)
        return x->put_at < y->put_at;
    if (x->pass != y->pass)
        return x->pass < y->pass;
    return x->frame->info.deadline < y->frame->info.deadline;
}

static struct itsi_mailbox *choose(const struct itsi_batcher *b)
{
    struct itsi_mailbox *best = b->ready[0];
    for (int i = 1; i < b->ready_count; i++)
        if (goes_before(b, b->ready[i], best))
            best = b->ready[i];
    return best;
}

/* How many to take now; 0: wait until *wake_at. */
static int due(const struct itsi_batcher *b, int64_t now, bool engine_idle, int64_t *wake_at)
{
    int n = b->ready_count < b->params.max_batch ? b->ready_count : b->params.max_batch;
    bool fixed = b->params.policy == ITSI_BATCH_FIXED;
    if (n == b->params.max_batch || (!b->params.batch_efficient && n > 0))
        return b->params.batch_efficient ? n : 1;
    if (n == 0 || (engine_idle && !fixed))
        return n;
    int64_t oldest = ITSI_NEVER, deadline = ITSI_NEVER;
    for (int i = 0; i < b->ready_count; i++) {
        if (b->ready[i]->put_at < oldest)
            oldest = b->ready[i]->put_at;
        if (b->ready[i]->frame->info.deadline < deadline)
            deadline = b->ready[i]->frame->info.deadline;
    }
    int64_t close_at = oldest + b->params.batch_timeout_ns;
    if (!fixed && deadline != ITSI_NEVER && deadline - predicted_total(b, n) < close_at)
        close_at = deadline - predicted_total(b, n);
    if (now >= close_at)
        return n;
    if (close_at < *wake_at)
        *wake_at = close_at;
    return 0;
}

int itsi_batcher_take(struct itsi_batcher *b, int64_t now, bool engine_idle, struct itsi_batch_item *items,
                      int64_t *wake_at)
{
    pthread_mutex_lock(&b->mutex);
    *wake_at = shed_locked(b, now);
    int n = due(b, now, engine_idle, wake_at);
    for (int i = 0; i < n; i++) {
        struct itsi_mailbox *box = choose(b);
        b->virtual_time = box->pass;
        box->pass += box->stride;
        items[i].frame = ready_remove(b, box);
        items[i].owner = box->owner;
        if (b->params.retain)
            b->params.retain(box->owner);
        itsi_ledger_admit(box->ledger);
    }
    pthread_mutex_unlock(&b->mutex);
    return n;
}

int64_t itsi_batcher_shed(struct itsi_batcher *b, int64_t now)
{
    pthread_mutex_lock(&b->mutex);
    int64_t next = shed_locked(b, now);
    pthread_mutex_unlock(&b->mutex);
    return next;
}

void itsi_batcher_wait(struct itsi_batcher *b, int64_t until_ns)
{
    pthread_mutex_lock(&b->mutex);
    while (b->changes == b->changes_seen && itsi_cond_wait_until(&b->changed, &b->mutex, until_ns))
        ;
    b->changes_seen = b->changes;
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_kick(struct itsi_batcher *b)
{
    pthread_mutex_lock(&b->mutex);
    b->changes++;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_set_timeout(struct itsi_batcher *b, int64_t batch_timeout_ns)
{
    pthread_mutex_lock(&b->mutex);
    b->params.batch_timeout_ns = batch_timeout_ns;
    pthread_mutex_unlock(&b->mutex);
}

void itsi_batcher_observe(struct itsi_batcher *b, int n, int64_t run_ns, int64_t rest_ns)
{
    pthread_mutex_lock(&b->mutex);
    itsi_quantile_observe(&b->run[bucket_of(n)], (double)run_ns);
    itsi_quantile_observe(&b->shortest[bucket_of(n)], (double)run_ns);
    itsi_quantile_observe(&b->rest, (double)rest_ns);
    pthread_mutex_unlock(&b->mutex);
}

int64_t itsi_batcher_predict(struct itsi_batcher *b, int n)
{
    pthread_mutex_lock(&b->mutex);
    int64_t predicted = predicted_total(b, n);
    pthread_mutex_unlock(&b->mutex);
    return predicted;
}

int64_t itsi_batcher_shortest_run(struct itsi_batcher *b, int n)
{
    pthread_mutex_lock(&b->mutex);
    int64_t shortest = (int64_t)b->shortest[bucket_of(n)].estimate;
    pthread_mutex_unlock(&b->mutex);
    return shortest;
}

int itsi_batcher_waiting(struct itsi_batcher *b)
{
    pthread_mutex_lock(&b->mutex);
    int waiting = b->ready_count;
    pthread_mutex_unlock(&b->mutex);
    return waiting;
}

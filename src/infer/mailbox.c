#include "infer/batcher_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

int itsi_mailbox_create(struct itsi_batcher *b, struct itsi_mailbox **out, struct itsi_ledger *ledger, void *owner,
                        int weight, struct its_diag *diag)
{
    struct itsi_mailbox *box = itsi_zalloc(sizeof *box);
    if (!box)
        return itsi_fail(diag, ITS_ENOMEM, "mailbox: out of memory");
    box->batcher = b;
    box->ledger = ledger;
    box->owner = owner;
    itsi_waiter_init(&box->waiter, weight);
    itsi_cond_init(&box->room);
    *out = box;
    return 0;
}

void itsi_mailbox_drop(struct itsi_mailbox *box, struct itsi_frame *frame, enum itsi_drop reason)
{
    const struct itsi_batcher_params *params = &box->batcher->params;
    itsi_ledger_drop(box->ledger, ITSI_STAGE_PREPROCESSING, reason);
    if (params->dropped)
        params->dropped(box->owner, frame, ITSI_STAGE_PREPROCESSING, reason);
    itsi_frame_unref(&frame);
}

static void skip(struct itsi_mailbox *box, struct itsi_frame *frame)
{
    const struct itsi_batcher_params *params = &box->batcher->params;
    itsi_ledger_skip(box->ledger);
    if (params->skipped)
        params->skipped(box->owner, frame);
    itsi_frame_unref(&frame);
}

void itsi_mailbox_close(struct itsi_mailbox *box, enum itsi_drop reason)
{
    struct itsi_batcher *b = box->batcher;
    pthread_mutex_lock(&b->mutex);
    box->closed = true;
    box->close_reason = reason;
    struct itsi_frame *frame = itsi_waiting_remove(&b->waiting, &box->waiter);
    pthread_cond_broadcast(&box->room);
    pthread_mutex_unlock(&b->mutex);
    if (frame)
        itsi_mailbox_drop(box, frame, reason);
}

void itsi_mailbox_free(struct itsi_mailbox *box)
{
    if (!box)
        return;
    if (!box->closed)
        itsi_mailbox_close(box, ITSI_DROP_CAMERA_REMOVED);
    pthread_cond_destroy(&box->room);
    itsi_free(box);
}

/* A frame is there: does the batcher's thread want to know? The mutex is held. */
static void announce(struct itsi_batcher *b, const struct itsi_mailbox *box, int64_t now)
{
    int64_t expiry = itsi_batcher_expiry(b, box->waiter.frame, box->waiter.input, now);
    if (expiry < b->put_expiry)
        b->put_expiry = expiry;
    b->puts++;
    if (b->sleeps && (b->sleeps_for_frames || expiry < b->sleeps_until))
        pthread_cond_signal(&b->changed);
}

void itsi_mailbox_set_input(struct itsi_mailbox *box, int input, int64_t now)
{
    struct itsi_batcher *b = box->batcher;
    pthread_mutex_lock(&b->mutex);
    if (box->waiter.input != input) {
        itsi_waiting_move(&b->waiting, &box->waiter, input);
        if (box->waiter.frame)
            announce(b, box, now); /* it may expire earlier now */
    }
    pthread_mutex_unlock(&b->mutex);
}

int itsi_mailbox_put(struct itsi_mailbox *box, struct itsi_frame *frame, bool may_block, int64_t now)
{
    struct itsi_batcher *b = box->batcher;
    pthread_mutex_lock(&b->mutex);
    while (may_block && box->waiter.frame && !box->closed)
        itsi_cond_wait_until(&box->room, &b->mutex, ITSI_NEVER);
    if (box->closed) {
        pthread_mutex_unlock(&b->mutex);
        itsi_mailbox_drop(box, frame, box->close_reason);
        return ITS_ECANCELLED;
    }
    const bool in_place = frame->info.in_place; /* whoever takes it may be done with it before this function is */
    struct itsi_frame *replaced = itsi_waiting_put(&b->waiting, &box->waiter, frame, now);
    announce(b, box, now);
    pthread_mutex_unlock(&b->mutex);
    if (replaced && in_place)
        skip(box, replaced);
    else if (replaced)
        itsi_mailbox_drop(box, replaced, ITSI_DROP_REPLACED);
    return 0;
}

/* What batcher.c and mailbox.c share. */
#ifndef ITSI_INFER_BATCHER_IMPL_H
#define ITSI_INFER_BATCHER_IMPL_H

#include "base/thread.h"
#include "infer/batcher.h"
#include "infer/run_time.h"
#include "infer/waiting.h"

struct itsi_mailbox {
    /* const */
    struct itsi_batcher *batcher;
    struct itsi_ledger *ledger;
    void *owner;
    /* under the batcher's mutex */
    struct itsi_waiter waiter;
    bool closed;
    enum itsi_drop close_reason;
    pthread_cond_t room;
};

struct itsi_batcher {
    struct itsi_batcher_params params; /* const but for the timeout, under the mutex */
    pthread_mutex_t mutex;             /* guards what follows */
    struct itsi_waiting waiting;
    struct itsi_run_time run_time;
    int batches_since_starved; /* since one was kept small for a starved camera */
    struct itsi_quantile rest, shortest_rest; /* all but the run, from take to hand-over: of 95, of 10 in 100 */

    pthread_cond_t changed;
    uint64_t kicks, kicks_seen; /* seen: when the last wait() returned */
    uint64_t puts, puts_seen;   /* seen: by the last take() or wait() */
    int64_t put_expiry;         /* the earliest of those put since the last shed */
    bool sleeps, sleeps_for_frames;
    int64_t sleeps_until;
};

/* The instant after which starting the frame makes no sense, not even alone. The mutex is held. */
int64_t itsi_batcher_expiry(const struct itsi_batcher *b, const struct itsi_frame *frame, int input, int64_t now);
/* Into the ledger, told, and let go. */
void itsi_mailbox_drop(struct itsi_mailbox *mailbox, struct itsi_frame *frame, enum itsi_drop reason);

static inline struct itsi_mailbox *itsi_mailbox_of(struct itsi_waiter *waiter)
{
    return (struct itsi_mailbox *)((char *)waiter - offsetof(struct itsi_mailbox, waiter));
}

#endif

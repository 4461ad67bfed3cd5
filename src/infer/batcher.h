/* Mailboxes and the batcher: which waiting frames go to the engine next, and when.
 *
 * One mailbox per camera holds one frame, the newest: a frame's age is bounded by construction. Frames that can no longer
 * meet their deadline are shed before they cost anything. Between cameras the choice is weighted fair (stride scheduling,
 * Waldspurger and Weihl 1995): the camera served least for its weight goes first, the earlier deadline breaks ties, so
 * nobody starves under overload and a batch holds at most one frame of a camera.
 *
 * A batch is closed when the engine would idle, when it is full, when the smallest slack reaches the predicted run time of
 * its bucket (1, 2, 4, ... learned online), or when its oldest frame has waited batch_timeout. The fixed policy closes on
 * size and timeout alone, in order of arrival, and sheds nothing.
 *
 * Thread-safe; time is an argument. put() is called by capture threads, take()/shed()/wait() by the one batcher thread. */
#ifndef ITSI_INFER_BATCHER_H
#define ITSI_INFER_BATCHER_H

#include "core/frame.h"
#include "core/ledger.h"

enum itsi_batch_policy { ITSI_BATCH_DEADLINE, ITSI_BATCH_FIXED };

struct itsi_batcher_params {
    enum itsi_batch_policy policy;
    int max_batch;            /* 1..64 */
    bool batch_efficient;     /* false: small batches side by side (CPU): never wait to fill one */
    int64_t batch_timeout_ns;
    /* Called with the owner of every frame taken, while its mailbox cannot yet be closed: here a reference is still safe
     * to take. NULL: nothing. Must not call the batcher. */
    void (*retain)(void *owner);
    /* Called for every frame that a mailbox or the batcher drops, after its ledger was told, with the mailbox's owner;
     * perhaps under the batcher's lock. NULL: nothing. Must not call the batcher, must not wait. */
    void (*dropped)(void *owner, const struct itsi_frame *frame, enum itsi_stage stage, enum itsi_drop reason);
};

struct itsi_batcher;
struct itsi_mailbox;

ITS_NODISCARD int itsi_batcher_create(struct itsi_batcher **out, const struct itsi_batcher_params *params,
                                      struct its_diag *diag);
/* Every mailbox must have been freed. Takes NULL. */
void itsi_batcher_destroy(struct itsi_batcher *batcher);

/* owner comes back with the frames taken. weight >= 1: shares of the engine under overload. The ledger outlives the
 * mailbox. */
ITS_NODISCARD int itsi_mailbox_create(struct itsi_batcher *batcher, struct itsi_mailbox **out,
                                      struct itsi_ledger *ledger, void *owner, int weight, struct its_diag *diag);
/* Drops what waits (reason in the ledger), wakes a blocked put(); later puts are dropped the same way. */
void itsi_mailbox_close(struct itsi_mailbox *mailbox, enum itsi_drop reason);
/* After close, when no put() can be running. Takes NULL. */
void itsi_mailbox_free(struct itsi_mailbox *mailbox);

/* Takes over the reference, always. A frame still waiting is replaced and counted; with may_block put() waits for room
 * instead. ITS_ECANCELLED when closed (the frame was entered as dropped). */
int itsi_mailbox_put(struct itsi_mailbox *mailbox, struct itsi_frame *frame, bool may_block, int64_t now);

struct itsi_batch_item {
    struct itsi_frame *frame; /* the reference is the caller's now */
    void *owner;
};
/* Sheds, then forms a batch if one is due: fills items and returns their number, each admitted in its ledger. Otherwise
 * returns 0 with *wake_at = when to ask again (ITSI_NEVER: when something changes). */
int itsi_batcher_take(struct itsi_batcher *batcher, int64_t now, bool engine_idle, struct itsi_batch_item *items,
                      int64_t *wake_at);
/* Only sheds (the engine has no room): returns when the next frame expires. */
int64_t itsi_batcher_shed(struct itsi_batcher *batcher, int64_t now);
/* Changes batch_timeout. */
void itsi_batcher_set_timeout(struct itsi_batcher *batcher, int64_t batch_timeout_ns);
/* Sleeps until a frame was put, kick() was called, or until_ns. Changes since it last returned are not missed,
 * wherever in between they came: the caller may have looked at the engine before it looked here. */
void itsi_batcher_wait(struct itsi_batcher *batcher, int64_t until_ns);
void itsi_batcher_kick(struct itsi_batcher *batcher);

/* What a batch of n really took: run_ns in the engine; rest_ns is everything else from take to hand-over. */
void itsi_batcher_observe(struct itsi_batcher *batcher, int n, int64_t run_ns, int64_t rest_ns);
/* Predicted time from take to hand-over of a batch of n. 0 while nothing is known. */
int64_t itsi_batcher_predict(struct itsi_batcher *batcher, int n);
/* A run time of n images that nine of ten runs exceed: the engine will hardly be free before. 0 while unknown. */
int64_t itsi_batcher_shortest_run(struct itsi_batcher *batcher, int n);
/* Frames waiting now. */
int itsi_batcher_waiting(struct itsi_batcher *batcher);

#endif

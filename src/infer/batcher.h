/* Mailboxes and the batcher: which waiting frames go to the engine next, and when.
 *
 * One mailbox per camera holds one frame, the newest: a frame's age is bounded by construction. Frames that can no longer
 * meet their deadline are shed before they cost anything, whether the engine is busy or not. Whose turn it is among cameras
 * says infer/waiting.h: weighted fair, with a floor for the lowest class, at most one frame of a camera in a batch. How long
 * the engine will take says infer/run_time.h, per input size and batch size, learned online.
 *
 * An engine that runs requests side by side (CPU) gets one frame each. One that gains from batches (GPU) gets, when it is
 * free, the largest batch of which all can be on time: under overload the stale are given up for the sake of a full batch
 * of fresh ones ("early drop": Nexus, Shen et al. 2019), since an engine that chases the most urgent frame shrinks its
 * batches and with them what it delivers. While it is busy, a batch prepared ahead closes when it is full, when the smallest
 * slack reaches its predicted run time, or when its oldest frame has waited batch_timeout.
 *
 * The fixed policy closes on size and timeout alone, in order of arrival, and sheds nothing.
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
    int max_in_flight;        /* frames of one camera in the engine while others wait; 0: any number */
    bool batch_efficient;     /* false: small batches side by side (CPU): never wait to fill one */
    int64_t batch_timeout_ns;
    /* Called with the owner of every frame taken, while its mailbox cannot yet be closed: here a reference is still safe
     * to take. NULL: nothing. Must not call the batcher. */
    void (*retain)(void *owner);
    /* Called for every frame that a mailbox or the batcher drops, after its ledger was told, with the mailbox's owner;
     * perhaps under the batcher's lock. NULL: nothing. Must not call the batcher, must not wait. */
    void (*dropped)(void *owner, const struct itsi_frame *frame, enum itsi_stage stage, enum itsi_drop reason);
    /* The same for one that a mailbox skips: the next came in its place. */
    void (*skipped)(void *owner, const struct itsi_frame *frame);
};

struct itsi_batcher;
struct itsi_mailbox;

ITS_NODISCARD int itsi_batcher_create(struct itsi_batcher **out, const struct itsi_batcher_params *params,
                                      struct its_diag *diag);
/* Every mailbox must have been freed. Takes NULL. */
void itsi_batcher_destroy(struct itsi_batcher *batcher);

/* --- mailboxes --------------------------------------------------------------------------------------------------- */

/* owner comes back with the frames taken. weight >= 1: shares of the engine under overload. The ledger outlives the
 * mailbox. Input size 0. */
ITS_NODISCARD int itsi_mailbox_create(struct itsi_batcher *batcher, struct itsi_mailbox **out,
                                      struct itsi_ledger *ledger, void *owner, int weight, struct its_diag *diag);
/* Drops what waits (reason in the ledger), wakes a blocked put(); later puts are dropped the same way. */
void itsi_mailbox_close(struct itsi_mailbox *mailbox, enum itsi_drop reason);
/* After close, when no put() can be running and every frame taken was told done. Takes NULL. */
void itsi_mailbox_free(struct itsi_mailbox *mailbox);

/* Takes over the reference, always. A frame still waiting is replaced: it counts as dropped, or as skipped where the new one
 * comes in its place (frame->info.in_place). With may_block put() waits for room instead. ITS_ECANCELLED when closed (the frame was entered as dropped). */
int itsi_mailbox_put(struct itsi_mailbox *mailbox, struct itsi_frame *frame, bool may_block, int64_t now);
/* At which of the engine's input sizes (0..ITSI_INPUTS-1, see infer/run_time.h) this camera's frames are analysed from now
 * on, the one that waits included. */
void itsi_mailbox_set_input(struct itsi_mailbox *mailbox, int input, int64_t now);

/* --- the one thread that takes ------------------------------------------------------------------------------------ */

struct itsi_batch_item {
    struct itsi_frame *frame; /* the reference is the caller's now */
    void *owner;
    struct itsi_mailbox *mailbox; /* for done(); not valid any longer than what retain() keeps */
    int input;                    /* the same for the whole batch */
};
/* Sheds, then forms a batch if one is due: fills items and returns their number, each admitted in its ledger. Otherwise
 * returns 0 with *wake_at = when to ask again (ITSI_NEVER: when something changes). engine_free: it idles, or will by the
 * time the batch is ready. */
int itsi_batcher_take(struct itsi_batcher *batcher, int64_t now, bool engine_free, struct itsi_batch_item *items,
                      int64_t *wake_at);
/* Only sheds (the engine has no room): returns when the next frame expires. */
int64_t itsi_batcher_shed(struct itsi_batcher *batcher, int64_t now);
/* Is there still time for a frame that was taken, in a batch of n? A last look before work begins. */
bool itsi_batcher_in_time(struct itsi_batcher *batcher, const struct itsi_batch_item *item, int n, int64_t now);
/* These frames have left the engine, however: their cameras may have others in it. Before what retain() took is let go. */
void itsi_batcher_done(struct itsi_batcher *batcher, const struct itsi_batch_item *items, int n);
/* Sleeps until kick() was called, a frame expires, or until_ns; with for_frames also until one was put. Changes since it
 * last returned are not missed, wherever in between they came: the caller may have looked at the engine before it looked
 * here. */
void itsi_batcher_wait(struct itsi_batcher *batcher, int64_t until_ns, bool for_frames);
void itsi_batcher_kick(struct itsi_batcher *batcher);
/* Changes batch_timeout. */
void itsi_batcher_set_timeout(struct itsi_batcher *batcher, int64_t batch_timeout_ns);

/* --- what it learns ----------------------------------------------------------------------------------------------- */

/* Pixels of one image of that input size: lets figures of one size stand in for another's. */
void itsi_batcher_size(struct itsi_batcher *batcher, int input, int64_t pixels);
/* A run of n images took run_ns in the engine; the first may come from its warming up. */
void itsi_batcher_observe(struct itsi_batcher *batcher, int input, int n, int64_t run_ns, int64_t now);
/* Everything else between take and hand-over took rest_ns for a frame. */
void itsi_batcher_observe_rest(struct itsi_batcher *batcher, int64_t rest_ns);
/* Predicted time from take to hand-over of a batch of n. 0 while nothing is known. */
int64_t itsi_batcher_predict(struct itsi_batcher *batcher, int input, int n);
/* A run time of n images that nine of ten runs exceed: the engine will hardly be free before. 0 while unknown. */
int64_t itsi_batcher_shortest_run(struct itsi_batcher *batcher, int input, int n);
/* Frames waiting now. */
int itsi_batcher_waiting(struct itsi_batcher *batcher);

#endif

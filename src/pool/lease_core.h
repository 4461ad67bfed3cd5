/* What a lease pool decides, as a state machine: no threads, no clock, no I/O, nothing allocated after init. pool/lease.c
 * puts a lock around it and does what it wants done.
 *
 *                 open                       acquire
 *     EMPTY ------------> OPENING --opened--> IDLE -----------> LENT
 *       ^                    |                 ^ \  idled long   |
 *       |<------failed-------'                 |  `-> CHECKING --+--> (good: as on release)
 *       |                                      |       |         |
 *       `---closed--- CLOSING <--bad, old, unused------'<--broken'   release: to who waits first, else IDLE
 *
 * Inputs are the functions below; what they lead to is taken with next_work() (slots to be opened, checked, closed: by the
 * loop's thread, in order), next_outcome() (waiters that got one, or why not) and next_leak() (slots held too long). Each
 * list holds a slot or waiter once, so none is longer than there are. `now` never lies more than a few ms before an
 * earlier one (coarse and fine clocks mix). */
#ifndef ITSI_POOL_LEASE_CORE_H
#define ITSI_POOL_LEASE_CORE_H

#include "base/bucket.h"
#include "base/heap.h"
#include "base/rand.h"
#include "base/ring.h"
#include "net/backoff.h"
#include "pool/lease_books.h"
#include "pool/lease_grow.h"

/* Lists overlap nowhere: a slot is in the one of its state. */
enum itsi_lease_state {
    ITSI_LEASE_EMPTY,
    ITSI_LEASE_OPENING,
    ITSI_LEASE_IDLE,
    ITSI_LEASE_CHECKING,
    ITSI_LEASE_LENT,
    ITSI_LEASE_CLOSING,
    ITSI_LEASE_STATES
};

enum itsi_lease_work { ITSI_LEASE_NO_WORK, ITSI_LEASE_OPEN, ITSI_LEASE_CHECK, ITSI_LEASE_CLOSE };

struct itsi_lease_slot {
    struct itsi_pool_slot shown; /* first: what the kind sees */
    enum itsi_lease_state state;
    enum itsi_lease_work work;     /* wanted, not begun */
    enum itsi_pool_closed closing; /* why */
    bool is_answer_due;            /* the kind is opening or checking it */
    bool is_close_due;             /* the kind is closing it, or is to */
    bool is_lost;                  /* gone while it was lent or checked */
    bool is_leaked;                /* held too long, and counted so */
    struct itsi_ring place;        /* of the empty, of those being checked, or of the idle ones, the one used last first */
    struct itsi_ring to_do, leak;
    struct itsi_heap_node timer;   /* not later than the next instant that matters for it; often earlier */
    int64_t since;                 /* lent, opening or being checked since */
    int64_t opened, idle_since, proven, dies;
    int64_t keep_ns;               /* checked after idling so long */
    uint64_t uses;
    uint64_t serial;               /* of the lease; 0: none */
    uint64_t owed;                 /* serial of a lease that was ended by force and not given back yet; 0: none */
    struct itsi_pool_owner owner;
};

struct itsi_lease_waiter {
    struct itsi_ring place; /* in the queue, then among the outcomes */
    struct itsi_heap_node due;
    int64_t since, deadline;
    const struct itsi_pool_owner *owner; /* borrowed until the outcome */
    struct itsi_lease lease;             /* code 0 */
    int code;                            /* ITS_EAGAIN: waits */
    bool is_watching; /* watches its deadline itself and then withdraws: it needs no timer here */
};

struct itsi_lease_core {
    struct itsi_pool_params params; /* const but for the uses and what is in struct itsi_pool_spans */
    struct itsi_lease_slot *slots;  /* owned, params.most */
    int count[ITSI_LEASE_STATES];
    struct itsi_ring empty, idle, queue;
    struct itsi_ring checking; /* in the order begun */
    int waiting;
    struct itsi_ring works, outcomes, leaks;
    struct itsi_heap timers, deadlines;
    int64_t retry_at; /* an open that is wanted may be possible then */
    int64_t doubt_at; /* a check that somebody waits for has taken too long then */
    bool has_news;    /* something was put on a list, or a tick may be due earlier; who looked resets it */
    uint64_t serial;
    int owed; /* leases that were ended by force and not given back: somebody may still name their slot */
    struct itsi_bucket opens;
    struct itsi_backoff backoff;
    bool is_down; /* the last open failed */
    int64_t down_until;
    int64_t next_old; /* no close of old age before */
    struct itsi_grow grow;
    int64_t waited_ns;            /* longest wait that ended in this window */
    struct itsi_moments used;     /* usage at the end of the last window */
    struct itsi_rand rng;
    bool is_shut;
    struct itsi_lease_books books;
};

/* ITS_EINVAL names the parameter. */
ITS_NODISCARD int itsi_lease_core_init(struct itsi_lease_core *core, const struct itsi_pool_params *params, int64_t now,
                                       struct its_diag *diag);
void itsi_lease_core_fini(struct itsi_lease_core *core); /* takes zeroed */

/* --- borrowers ----------------------------------------------------------------------------------------------------- */

/* The waiter's deadline, owner and is_watching are set, the rest zeroed. 0: lent. ITS_EAGAIN: it waits, `waiter` is kept
 * until its outcome. ITS_EREFUSED, ITS_ELIMIT, ITS_ETIMEOUT, ITS_ECANCELLED: refused. */
int itsi_lease_core_acquire(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int64_t now);
/* Its two halves, for who looks at the clock again in between. try: 0 or ITS_EAGAIN, also where it would be refused; then
 * wait decides. */
int itsi_lease_core_try(struct itsi_lease_core *core, const struct itsi_pool_owner *owner, int64_t now,
                        struct itsi_lease *out);
int itsi_lease_core_wait(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int64_t now);
/* Of a waiter that waits: takes it out with this code, without an outcome. */
void itsi_lease_core_withdraw(struct itsi_lease_core *core, struct itsi_lease_waiter *waiter, int code);
/* From one owner to the next without a rest: false, and nothing is changed, where somebody waits or it has to go. */
bool itsi_lease_core_renew(struct itsi_lease_core *core, struct itsi_lease *lease, const struct itsi_pool_owner *owner,
                           int64_t now);
/* From its owner to who waits first, where that is no thread: the waiter, without an outcome; NULL, and nothing is changed,
 * where nobody such waits or it has to go. */
struct itsi_lease_waiter *itsi_lease_core_pass(struct itsi_lease_core *core, struct itsi_lease *lease, int64_t now);
/* ITS_EINVAL: not held. */
int itsi_lease_core_release(struct itsi_lease_core *core, struct itsi_lease lease, bool is_broken, int64_t now);

/* How long a lease was used is taken down of every sixteenth, evenly over all. */
static inline bool itsi_lease_is_timed(uint64_t serial) { return serial % 16 == 0; }
/* Whether a try or a release needs the fine clock, which costs more than all the rest: something is measured. Otherwise
 * the instant only begins or ends what takes long, and the coarse clock does. */
static inline bool itsi_lease_core_measures_try(const struct itsi_lease_core *core)
{
    return itsi_lease_is_timed(core->serial + 1);
}
static inline bool itsi_lease_core_measures_release(const struct itsi_lease_core *core,
                                                    const struct itsi_lease_slot *slot)
{
    return core->waiting > 0 || itsi_lease_is_timed(slot->serial);
}

/* --- the kind's answers -------------------------------------------------------------------------------------------- */

void itsi_lease_core_opened(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);
void itsi_lease_core_failed(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);
void itsi_lease_core_checked(struct itsi_lease_core *core, struct itsi_lease_slot *slot, bool is_good, int64_t now);
void itsi_lease_core_lost(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);
void itsi_lease_core_closed(struct itsi_lease_core *core, struct itsi_lease_slot *slot, int64_t now);

/* --- time ---------------------------------------------------------------------------------------------------------- */

/* latency_ns: of the server; 0: not known. */
void itsi_lease_core_tick(struct itsi_lease_core *core, int64_t latency_ns, int64_t now);
/* When tick is next needed; ITSI_NEVER: not. */
int64_t itsi_lease_core_due(const struct itsi_lease_core *core);

/* Spans are positive, or ITSI_NEVER. */
void itsi_lease_core_set_spans(struct itsi_lease_core *core, const struct itsi_pool_spans *spans, int64_t now);

/* --- the end ------------------------------------------------------------------------------------------------------- */

/* Nothing is lent any more, nobody waits, what is idle is closed; what is lent when it comes back. */
void itsi_lease_core_shut(struct itsi_lease_core *core, int64_t now);
/* After shut: what is lent is closed now. */
void itsi_lease_core_seize(struct itsi_lease_core *core, int64_t now);

/* --- what is to be done --------------------------------------------------------------------------------------------- */

/* The next slot to open, check or close: `work` says which, and it counts as begun. NULL: none. */
struct itsi_lease_slot *itsi_lease_core_next_work(struct itsi_lease_core *core, enum itsi_lease_work *work);
/* A waiter whose code is no longer ITS_EAGAIN. NULL: none. */
struct itsi_lease_waiter *itsi_lease_core_next_outcome(struct itsi_lease_core *core);
/* A slot that has become a leak and is still out. NULL: none. */
struct itsi_lease_slot *itsi_lease_core_next_leak(struct itsi_lease_core *core);

/* --- what it is like ------------------------------------------------------------------------------------------------ */

/* Open or being opened, not being closed. */
static inline int itsi_lease_core_live(const struct itsi_lease_core *core)
{
    return core->params.most - core->count[ITSI_LEASE_EMPTY] - core->count[ITSI_LEASE_CLOSING];
}
/* Nothing can be had, and nothing is being tried before down_until. */
bool itsi_lease_core_is_refusing(const struct itsi_lease_core *core, int64_t now);
/* How long the one that came first waits; 0: nobody waits. */
int64_t itsi_lease_core_oldest_wait_ns(const struct itsi_lease_core *core, int64_t now);

#endif

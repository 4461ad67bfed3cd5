/* The lease pool under the Redis, database and FFmpeg pools: a bounded number of resources that are costly to make, lent
 * one at a time, first come first served, each wait with its caller's deadline.
 *
 * A resource is what a *kind* makes: a connection, a process. The pool decides when one is made, checked, lent and closed
 * (pool/lease_core.h, pure); the kind does it, on the loop's thread, without blocking. What follows the practice of HikariCP,
 * PgBouncer and Little's law is named at each parameter. */
#ifndef ITSI_POOL_LEASE_H
#define ITSI_POOL_LEASE_H

#include "its/error.h"

#include <stdbool.h>
#include <stdint.h>

struct itsi_loop;
struct itsi_pool;

/* Why a resource was closed; labels of its_pool_closed_total. */
#define ITSI_POOL_CLOSED_MAP(X)                                                                                        \
    X(LIFETIME, "lifetime")     /* it had lived long enough */                                                         \
    X(IDLE, "idle")             /* beyond the minimum and not needed */                                                \
    X(USES, "uses")             /* lent as often as it may be */                                                       \
    X(BROKEN, "broken")         /* its borrower, or the kind itself, found it broken */                                \
    X(CHECK, "check")           /* it failed validation */                                                             \
    X(OPEN, "open_failed")      /* it could not be made */                                                             \
    X(LEAKED, "leaked")         /* taken back by force */                                                              \
    X(SHUTDOWN, "shutdown")

enum itsi_pool_closed {
#define ITS_X(name, text) ITSI_POOL_CLOSED_##name,
    ITSI_POOL_CLOSED_MAP(ITS_X)
#undef ITS_X
    ITSI_POOL_CLOSED_COUNT
};
const char *itsi_pool_closed_name(enum itsi_pool_closed reason);

/* Room for one resource. `resource` is the kind's, set before it answers that it is open. */
struct itsi_pool_slot {
    void *resource;
    int index;    /* const: 0 .. most - 1 */
    struct itsi_pool *pool; /* const */
};

/* What a kind of resource can do. All are called on the loop's thread, never with a lock held, and must not block. Each
 * open and each check is answered exactly once, at once or later, also after a close that came in between (that answer
 * is what tells the pool that the slot is free again). */
struct itsi_pool_kind {
    const char *name; /* "redis", "database", "ffmpeg" */
    /* Makes a resource, until `deadline` at most: itsi_pool_opened or itsi_pool_open_failed. */
    void (*open)(void *self, struct itsi_pool_slot *slot, int64_t deadline);
    /* Is it still good? itsi_pool_checked. NULL: always. */
    void (*check)(void *self, struct itsi_pool_slot *slot, int64_t deadline);
    /* Ends it, whatever it is doing (a slot that is just being opened included); itsi_pool_closed when it is gone. */
    void (*close)(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason);
    /* How long the server itself takes now (a moving quantile of pings or commands), ns; NULL or 0: unknown. The pool grows
     * only while it is flat. */
    int64_t (*latency_ns)(void *self);
};

/* The kind's answers, on the loop's thread. */
void itsi_pool_opened(struct itsi_pool_slot *slot);
/* It could not be made, and is gone: nobody answers there, too many connections, a wrong password. Nothing is tried again
 * until the window is over; while nothing else is open, callers fail fast with this text. No password in it. */
void itsi_pool_open_failed(struct itsi_pool_slot *slot, int code, const struct its_diag *diag);
void itsi_pool_checked(struct itsi_pool_slot *slot, bool is_good);
/* The kind noticed by itself that it is gone (closed by the server, exited). Lent or not; not an answer. */
void itsi_pool_lost(struct itsi_pool_slot *slot);
void itsi_pool_closed(struct itsi_pool_slot *slot);

struct itsi_pool_params {
    const char *name;      /* "redis": label of the metrics, in errors */
    int least, most;       /* resources kept open; never more than `most`, overflow and reserve included */
    int overflow;          /* of `most`: opened only while waits grow and the server is as fast as usual (pool/lease_grow.h) */
    int spares;            /* idle ones held ready beyond those in use, as far as the size allows */
    int reserve;           /* of `most`, kept for waiters that waited longer than reserve_after_ns (PgBouncer's reserve_pool);
                              with overflow the last of that: the regular size is `most` less the larger of the two */
    int waiters;           /* most that may wait; the next is refused with ITS_ELIMIT */
    double opens_per_second; /* connect-rate limit; a burst of a tenth of it */
    int opening;           /* at once at most */
    int64_t open_timeout_ns, check_timeout_ns;
    int64_t down_first_ns, down_most_ns; /* window after failed opens in which none is tried, and callers are refused at once
                                            if nothing is open: doubles, jittered */
    int64_t check_after_idle_ns; /* validated on borrow only after idling so long (HikariCP: 500 ms) */
    int64_t keep_checking_ns;    /* an idle one is checked so often; ITSI_NEVER: not */
    int64_t lifetime_ns;   /* +-2.5 % jitter each (HikariCP), and closes of old age at least lifetime / most apart (PgBouncer's
                              life_over), both; ITSI_NEVER: none */
    int64_t idle_ns;       /* of those above `least` and the spares: closed after idling so long */
    int64_t uses;          /* lent so often at most; 0: any number */
    int64_t reserve_after_ns;
    int64_t leak_after_ns; /* lent so long: counted and its owner named; ITSI_NEVER: never */
    int64_t reclaim_after_ns; /* lent so long: closed under its borrower; ITSI_NEVER: never */
    uint64_t seed;
};

/* Those of the parameters that may change while the pool runs. */
struct itsi_pool_spans {
    int64_t check_after_idle_ns, keep_checking_ns, lifetime_ns;
};

/* Who borrows: for the leak report. All borrowed, static or outliving the lease. */
struct itsi_pool_owner {
    const char *component, *stage; /* "store", "write" */
    uint64_t trace;                /* 0: none */
};

/* What is held. By value: copying it is free, releasing it twice is found (ITS_EINVAL) by its serial. */
struct itsi_lease {
    struct itsi_pool_slot *slot;
    uint64_t serial;
};

/* kind, self and loop outlive the pool. Opens `least` resources in the background. */
ITS_NODISCARD int itsi_pool_create(struct itsi_pool **out, struct itsi_loop *loop, const struct itsi_pool_params *params,
                                   const struct itsi_pool_kind *kind, void *self, struct its_diag *diag);
/* Waiters get ITS_ECANCELLED, nothing is lent any more, leases that are out are waited for until `deadline`, then closed
 * under their borrowers (who may still give them back: ITS_EINVAL); returns when every resource is closed. Takes NULL. Not
 * from the loop's thread. */
void itsi_pool_destroy(struct itsi_pool *pool, int64_t deadline);
/* How often one is lent at most, from now on; 0: any number. Any thread. */
void itsi_pool_set_uses(struct itsi_pool *pool, int64_t uses);
/* From now on, for what is open too: what is older than the new lifetime goes, one after the other. Any thread. */
void itsi_pool_set_spans(struct itsi_pool *pool, const struct itsi_pool_spans *spans);

/* Blocks until one is lent or the deadline (the caller's own, inherited) has passed: ITS_ETIMEOUT with who holds them;
 * ITS_EREFUSED at once with the server's last error while it counts as down; ITS_ELIMIT: too many wait;
 * ITS_ECANCELLED: the pool ends. Any thread but the loop's. No allocation. */
ITS_NODISCARD int itsi_pool_acquire(struct itsi_pool *pool, const struct itsi_pool_owner *owner, int64_t deadline,
                                    struct itsi_lease *out, struct its_diag *diag);

/* One that is idle, and while nobody waits: else ITS_EAGAIN, at once. Any thread, the loop's included. */
ITS_NODISCARD int itsi_pool_try(struct itsi_pool *pool, const struct itsi_pool_owner *owner, struct itsi_lease *out);

/* As itsi_pool_acquire without blocking: `done` is called on the loop's thread, once, with the lease (rc 0) or the error. The request
 * lives in its owner until then. Never called from within itsi_pool_request or itsi_pool_cancel. */
struct itsi_pool_request {
    struct itsi_pool_owner owner;
    int64_t deadline;
    void (*done)(struct itsi_pool_request *request, int rc, struct itsi_lease lease, const struct its_diag *diag);
    /* the pool's own */
    void *waiter[16];
};
void itsi_pool_request(struct itsi_pool *pool, struct itsi_pool_request *request);
/* Takes a request back; `done` comes with ITS_ECANCELLED, unless it was on its way. Any thread. */
void itsi_pool_cancel(struct itsi_pool *pool, struct itsi_pool_request *request);

/* A good one goes on without a rest: to the request that waits first, whose `done` is not called (*next: it is for who
 * carries out all requests of a pool); while nobody waits, to this owner, as if given back and lent again (NULL: there is
 * none; *next: NULL). True: the lease is another now. False: a thread waits first, or nobody wants it, or it has to go, and
 * it is still held. Any thread. */
bool itsi_pool_pass(struct itsi_lease *lease, const struct itsi_pool_owner *owner, struct itsi_pool_request **next);

/* Gives it back; broken: it is closed and replaced. Any thread. ITS_EINVAL: not held (released twice, or reclaimed). */
int itsi_pool_release(struct itsi_lease lease, bool is_broken);

#endif

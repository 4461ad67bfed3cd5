/* A core with a clock that a test moves and a server that answers at once, or not at all. */
#ifndef ITSI_POOL_LEASE_WORLD_H
#define ITSI_POOL_LEASE_WORLD_H

#include "pool/lease_core.h"
#include "pool/lease_fixture.h"
#include "support/check.h"

enum { WAITERS = 200 };

struct world {
    struct itsi_lease_core core;
    int64_t now;
    int64_t latency_ns; /* of the server, at a tick */
    bool is_down, checks_fail;
    int opens, checks, closes; /* that reached the kind */
    enum itsi_pool_closed last_reason;
    struct itsi_lease_waiter waiters[WAITERS];
    int used; /* of them */
    int outcomes;
};

/* The server answers all that was asked of it. */
static inline void serve(struct world *w)
{
    enum itsi_lease_work work;
    struct itsi_lease_slot *slot;
    while ((slot = itsi_lease_core_next_work(&w->core, &work))) {
        if (work == ITSI_LEASE_OPEN) {
            w->opens++;
            if (w->is_down)
                itsi_lease_core_failed(&w->core, slot, w->now);
            else
                itsi_lease_core_opened(&w->core, slot, w->now);
        } else if (work == ITSI_LEASE_CHECK) {
            w->checks++;
            itsi_lease_core_checked(&w->core, slot, !w->checks_fail, w->now);
        } else {
            w->closes++;
            w->last_reason = slot->closing;
            itsi_lease_core_closed(&w->core, slot, w->now);
        }
    }
    while (itsi_lease_core_next_outcome(&w->core))
        w->outcomes++;
}

static inline void begin(struct world *w, const struct itsi_pool_params *params)
{
    struct its_diag diag = {""};
    memset(w, 0, sizeof *w);
    w->now = 1000 * S;
    CHECK_OK(itsi_lease_core_init(&w->core, params, w->now, &diag), diag);
    serve(w);
}

/* Asks for one until so long from now. */
static inline struct itsi_lease_waiter *ask_for(struct world *w, int64_t patience)
{
    assert_true(w->used < WAITERS);
    struct itsi_lease_waiter *waiter = &w->waiters[w->used++];
    *waiter = (struct itsi_lease_waiter){
        .owner = &somebody, .deadline = patience == ITSI_NEVER ? ITSI_NEVER : w->now + patience};
    itsi_lease_core_acquire(&w->core, waiter, w->now);
    serve(w);
    return waiter;
}

static inline struct itsi_lease_waiter *ask(struct world *w) { return ask_for(w, ITSI_NEVER); }

/* Asks for so many, all of which get one. */
static inline void lend(struct world *w, int count, struct itsi_lease_waiter **out)
{
    for (int i = 0; i < count; i++) {
        out[i] = ask(w);
        assert_int_equal(out[i]->code, 0);
    }
}

static inline int64_t give_back(struct world *w, const struct itsi_lease_waiter *waiter, bool is_broken)
{
    int64_t leaked_ns = -1;
    assert_int_equal(itsi_lease_core_release(&w->core, waiter->lease, is_broken, w->now, &leaked_ns), 0);
    serve(w);
    return leaked_ns;
}

/* Time goes by, with a tick whenever one is due. */
static inline void pass(struct world *w, int64_t span)
{
    const int64_t end = w->now + span;
    for (int64_t due; (due = itsi_lease_core_due(&w->core)) <= end;) {
        w->now = due > w->now ? due : w->now;
        itsi_lease_core_tick(&w->core, w->latency_ns, w->now);
        serve(w);
    }
    w->now = end;
}

static inline int count_of(const struct world *w, enum itsi_lease_state state) { return w->core.count[state]; }

/* Closes whatever is there: nothing may be left. */
static inline void finish(struct world *w)
{
    itsi_lease_core_shut(&w->core, w->now);
    itsi_lease_core_seize(&w->core, w->now);
    serve(w);
    assert_int_equal(count_of(w, ITSI_LEASE_EMPTY), w->core.params.most);
    assert_int_equal(w->core.waiting, 0);
    itsi_lease_core_fini(&w->core);
}

#endif

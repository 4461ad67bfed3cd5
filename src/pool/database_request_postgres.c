/* Requests on PostgreSQL connections. Each carrier is a loop of its own, which watches its share of the connections and the
 * deadlines of the statements on them; there are two, since one alone leaves a server on the same machine waiting for it.
 * Requests go to the carrier of the connection that they are lent.
 *
 * What is armed stays armed: a statement after a statement costs no system call but its sending and its reading. So a
 * socket is also watched while nobody asks anything of it, or somebody else does; the first event that comes then ends the
 * watching. The timer likewise may fire earlier than the deadline that matters, and is then set anew. */
#include "pool/database_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/postgres.h"

#include <fcntl.h>
#include <unistd.h>

/* Of a connection. On the heap, since libuv lets go of it later. */
struct watch {
    uv_poll_t poll;
    uv_timer_t timer;
    struct itsi_db_carrier *carrier;
    int index;                       /* of its slot */
    uint64_t number;                 /* of its connection */
    struct itsi_db_request *request; /* being carried out; NULL: none */
    int fd;        /* a duplicate: libpq may close its own on another thread, and its number become another's */
    int events;    /* watched for; 0: not yet */
    int64_t armed; /* when the timer fires; ITSI_NEVER: not */
    int open;      /* handles that libuv holds */
};

/* All on its thread but `loop`. */
struct itsi_db_carrier {
    struct itsi_loop *loop;         /* const, as the next two */
    struct itsi_database *database;
    int slots;
    struct itsi_db_request *first, **last; /* started here, not begun */
    bool is_ending;
    struct watch *watches[]; /* by slot; NULL: none */
};

static void on_ready(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);
static void lent(struct itsi_db_request *request);

/* --- watching a connection ------------------------------------------------------------------------------------------ */

static void handle_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    if (--watch->open > 0)
        return;
    close(watch->fd);
    itsi_free(watch);
}

static void unwatch(struct watch *watch)
{
    watch->carrier->watches[watch->index] = NULL;
    uv_close((uv_handle_t *)&watch->poll, handle_closed);
    uv_close((uv_handle_t *)&watch->timer, handle_closed);
}

static struct watch *watch_anew(struct itsi_db_carrier *carrier, const struct itsi_db_lease *lease)
{
    uv_loop_t *uv = itsi_loop_uv(carrier->loop);
    struct watch *watch = itsi_zalloc(sizeof *watch);
    if (!watch)
        return NULL;
    watch->fd = fcntl(itsi_pg_socket(lease->connection), F_DUPFD_CLOEXEC, 0);
    if (watch->fd < 0 || uv_poll_init(uv, &watch->poll, watch->fd) != 0) {
        if (watch->fd >= 0)
            close(watch->fd);
        itsi_free(watch);
        return NULL;
    }
    uv_timer_init(uv, &watch->timer);
    watch->open = 2;
    watch->poll.data = watch->timer.data = watch;
    watch->armed = ITSI_NEVER;
    watch->carrier = carrier;
    watch->index = lease->lease.slot->index;
    watch->number = lease->connection->number;
    return carrier->watches[watch->index] = watch;
}

static struct watch *watch_of(struct itsi_db_carrier *carrier, const struct itsi_db_lease *lease)
{
    struct watch *watch = carrier->watches[lease->lease.slot->index];
    if (watch && watch->number == lease->connection->number)
        return watch;
    if (watch) /* of the one that was in this slot before */
        unwatch(watch);
    return watch_anew(carrier, lease);
}

static void watch_for(struct watch *watch, enum itsi_pg_wait wait)
{
    const int events = wait == ITSI_PG_READ ? UV_READABLE : UV_READABLE | UV_WRITABLE;
    if (watch->events != events)
        uv_poll_start(&watch->poll, events, on_ready);
    watch->events = events;
}

static void set_timer(struct watch *watch, int64_t at)
{
    if (at >= watch->armed)
        return;
    const int64_t left = at - itsi_now_ns();
    watch->armed = at;
    uv_update_time(itsi_loop_uv(watch->carrier->loop));
    uv_timer_start(&watch->timer, on_timer, left > 0 ? (uint64_t)((left + ITSI_NS_PER_MS - 1) / ITSI_NS_PER_MS) : 0, 0);
}

/* --- carrying requests out ------------------------------------------------------------------------------------------ */

static struct itsi_db_request *next_started(struct itsi_db_carrier *carrier)
{
    struct itsi_db_request *r = carrier->first;
    if (r && !(carrier->first = r->next))
        carrier->last = &carrier->first;
    return r;
}

/* Who gets the lease next: a request that waits for one, or, while nobody does, one that `done` has just started. NULL:
 * neither, and the lease is still held. */
static struct itsi_db_request *next_for(struct itsi_db_carrier *carrier, struct itsi_db_lease *lease)
{
    struct itsi_pool_request *waiting;
    if (!itsi_pool_pass(&lease->lease, carrier->first ? &carrier->first->owner : NULL, &waiting))
        return NULL;
    return waiting ? (struct itsi_db_request *)((char *)waiting - offsetof(struct itsi_db_request, borrowing))
                   : next_started(carrier);
}

/* The connection goes from one request to the next without a rest. */
static bool pass_on(struct watch *watch, struct itsi_db_lease *lease, int64_t now)
{
    struct itsi_db_request *next;
    while ((next = next_for(watch->carrier, lease))) {
        next->lease = *lease;
        next->began = now;
        if (now < next->deadline) {
            watch->request = next;
            return true;
        }
        const int rc = itsi_db_request_is_late(next);
        next->done(next, rc, &next->diag);
    }
    return false;
}

/* True: another request has its connection now. */
static bool finish(struct watch *watch, int rc)
{
    struct itsi_db_request *r = watch->request;
    struct itsi_db_lease lease = r->lease;
    const bool is_good = itsi_db_is_good(lease.connection);
    const int64_t now = itsi_now_ns();
    watch->request = NULL;
    itsi_db_note_latency(lease.connection, now - r->began);
    if (!is_good && watch->carrier->is_ending)
        rc = itsi_fail(&r->diag, ITS_ECANCELLED, "postgresql: it ends");
    r->done(r, rc, rc ? &r->diag : NULL);
    if (is_good && pass_on(watch, &lease, now))
        return true;
    if (!is_good)
        unwatch(watch);
    itsi_database_return(watch->carrier->database, &lease, 0);
    return false;
}

static enum itsi_pg_wait begin_statement(struct watch *watch)
{
    struct itsi_db_request *r = watch->request;
    set_timer(watch, r->deadline);
    return itsi_pg_statement_begin(r->lease.connection, &r->call, r->row, r->self, &r->diag);
}

static enum itsi_pg_wait step(struct watch *watch)
{
    return itsi_pg_statement_step(watch->request->lease.connection);
}

/* A server on the same machine often has answered by the time that sending returns, since sending wakes it on this very
 * processor: who looks at once saves both of them a sleep. After so many in a row the others get their turn. */
static void go_on(struct watch *watch, enum itsi_pg_wait wait)
{
    enum { IN_A_ROW = 32 };
    int begun = 0;
    while (wait == ITSI_PG_DONE) {
        if (!finish(watch, itsi_pg_statement_outcome(watch->request->lease.connection)))
            return;
        wait = begin_statement(watch);
        if (wait == ITSI_PG_READ && ++begun <= IN_A_ROW)
            wait = step(watch);
    }
    watch_for(watch, wait);
}

/* It has a lease, or the reason why not. */
static void carry(struct itsi_db_carrier *carrier, struct itsi_db_request *r)
{
    int rc = itsi_db_request_begin(r);
    struct watch *watch = rc == 0 ? watch_of(carrier, &r->lease) : NULL;
    if (rc == 0 && !watch) {
        itsi_database_return(carrier->database, &r->lease, 0);
        rc = itsi_fail(&r->diag, ITS_ENOMEM, "postgresql: its socket cannot be watched");
    }
    if (rc != 0) {
        r->done(r, rc, &r->diag);
        return;
    }
    watch->request = r;
    go_on(watch, begin_statement(watch));
}

/* Of its connection; any where it has none. */
static struct itsi_db_carrier *carrier_of(const struct itsi_db_request *r)
{
    const int index = r->rc == 0 ? r->lease.lease.slot->index : 0;
    return r->database->carriers[index % ITSI_DB_CARRIERS];
}

/* Ends all that happens on a carrier: what was started meanwhile begins. */
static void begin_started(struct itsi_db_carrier *carrier)
{
    struct itsi_db_request *r;
    while ((r = next_started(carrier))) {
        if (carrier->is_ending)
            r->rc = itsi_fail(&r->diag, ITS_ECANCELLED, "postgresql: it ends");
        else if (itsi_db_request_borrow(r) == ITS_EAGAIN)
            continue;
        if (carrier->is_ending || carrier_of(r) == carrier)
            carry(carrier, r);
        else
            lent(r);
    }
}

/* --- what happens on a carrier -------------------------------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct itsi_db_carrier *carrier = watch->carrier;
    (void)events;
    if (status != 0) /* of the socket: it shows in the next step; libuv has ended the watching */
        watch->events = 0;
    if (!watch->request)
        unwatch(watch); /* the connection's end, or somebody else's answer */
    else
        go_on(watch, step(watch));
    begin_started(carrier);
}

static void on_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    struct itsi_db_carrier *carrier = watch->carrier;
    watch->armed = ITSI_NEVER;
    if (!watch->request)
        return;
    if (itsi_now_ns() < watch->request->deadline)
        set_timer(watch, watch->request->deadline);
    else
        (void)finish(watch, itsi_pg_statement_time_out(watch->request->lease.connection)); /* its connection is no good now */
    begin_started(carrier);
}

static void on_lent(struct itsi_loop_task *task)
{
    struct itsi_db_request *r = (struct itsi_db_request *)((char *)task - offsetof(struct itsi_db_request, task));
    struct itsi_db_carrier *carrier = carrier_of(r);
    carry(carrier, r);
    begin_started(carrier);
}

/* --- the carriers' life --------------------------------------------------------------------------------------------- */

static void unwatch_all(void *arg)
{
    struct itsi_db_carrier *carrier = arg;
    for (int i = 0; i < carrier->slots; i++)
        if (carrier->watches[i])
            unwatch(carrier->watches[i]);
}

static void end_them(struct itsi_database *database)
{
    for (int i = 0; i < ITSI_DB_CARRIERS; i++) {
        struct itsi_db_carrier *carrier = database->carriers[i];
        if (carrier && carrier->loop)
            itsi_loop_call(carrier->loop, unwatch_all, carrier); /* after all that was posted to it: the last answers */
        itsi_loop_destroy(carrier ? carrier->loop : NULL);
        itsi_free(carrier);
        database->carriers[i] = NULL;
    }
}

static int begin_one(struct itsi_db_carrier **out, struct itsi_database *database, struct its_diag *diag)
{
    struct itsi_db_carrier *carrier =
        itsi_zalloc(sizeof *carrier + (size_t)database->most * sizeof carrier->watches[0]);
    if (!carrier)
        return itsi_fail(diag, ITS_ENOMEM, "postgresql: out of memory");
    carrier->database = database;
    carrier->last = &carrier->first;
    carrier->slots = database->most;
    *out = carrier;
    return itsi_loop_create(&carrier->loop, "database", diag);
}

/* With the mutex: all or none. */
static int begin_all(struct itsi_database *database, struct its_diag *diag)
{
    int rc = database->is_shut ? itsi_fail(diag, ITS_ECANCELLED, "postgresql: it ends") : 0;
    for (int i = 0; i < ITSI_DB_CARRIERS && rc == 0; i++)
        rc = begin_one(&database->carriers[i], database, diag);
    if (rc != 0)
        end_them(database);
    else
        atomic_store_explicit(&database->has_carriers, true, memory_order_release);
    return rc;
}

/* A database that nobody sends requests to has no threads for them. */
static int begin_if_none(struct itsi_database *database, struct its_diag *diag)
{
    int rc = 0;
    if (atomic_load_explicit(&database->has_carriers, memory_order_acquire))
        return 0;
    pthread_mutex_lock(&database->mutex);
    if (!atomic_load_explicit(&database->has_carriers, memory_order_relaxed))
        rc = begin_all(database, diag);
    pthread_mutex_unlock(&database->mutex);
    return rc;
}

/* --- from other threads --------------------------------------------------------------------------------------------- */

static void lent(struct itsi_db_request *r)
{
    r->task.run = on_lent;
    itsi_loop_post(carrier_of(r)->loop, &r->task);
}

/* The threads could not be had: told on the pools' loop, which has nothing else of a request. */
static void on_refused(struct itsi_loop_task *task)
{
    struct itsi_db_request *r = (struct itsi_db_request *)((char *)task - offsetof(struct itsi_db_request, task));
    r->done(r, r->rc, &r->diag);
}

static void start(struct itsi_db_request *r)
{
    struct itsi_database *database = r->database;
    r->rc = begin_if_none(database, &r->diag);
    if (r->rc != 0) {
        r->task.run = on_refused;
        itsi_loop_post(database->loop, &r->task);
        return;
    }
    for (int i = 0; i < ITSI_DB_CARRIERS; i++) {
        struct itsi_db_carrier *carrier = database->carriers[i];
        if (itsi_loop_is_here(carrier->loop)) { /* from some `done`, which is followed by begin_started */
            *carrier->last = r;
            carrier->last = &r->next;
            return;
        }
    }
    if (itsi_db_request_borrow(r) == 0)
        lent(r);
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

static void shut_one(void *carrier)
{
    ((struct itsi_db_carrier *)carrier)->is_ending = true;
}

static void wait_for_posted(void *nothing) { (void)nothing; }

static void shut_them(struct itsi_database *database)
{
    pthread_mutex_lock(&database->mutex);
    database->is_shut = true;
    pthread_mutex_unlock(&database->mutex);
    /* who was refused is told, and, where it starts once more, is cancelled */
    itsi_loop_call(database->loop, wait_for_posted, NULL);
    for (int i = 0; i < ITSI_DB_CARRIERS && atomic_load(&database->has_carriers); i++)
        itsi_loop_call(database->carriers[i]->loop, shut_one, database->carriers[i]);
}

const struct itsi_db_way itsi_db_postgres_way = {
    .start = start, .lent = lent, .shut = shut_them, .end = end_them};

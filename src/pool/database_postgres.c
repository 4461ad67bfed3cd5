/* PostgreSQL connections for the pool: made and checked step by step on the loop's thread; names of hosts are looked up on a
 * helper thread, since libpq's own way blocks (database_lookup.h).
 *
 *   open ──▶ look up ──▶ connect, step by step ──▶ opened          check ──▶ ping, step by step ──▶ checked */
#include "pool/database_pool_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "pool/postgres.h"

/* Of a socket, for one step. On the heap, since libuv lets go of it later. */
struct watch {
    uv_poll_t poll;
    struct itsi_db_attempt *owner;
};

struct itsi_db_attempt {
    uv_timer_t timer; /* its deadline; the attempt is freed when it is closed */
    struct itsi_db_link *link;
    struct watch *watch; /* NULL: none */
    struct itsi_pg_connecting *connecting;
    struct itsi_db_lookup_waiter lookup;
    bool is_checking; /* else opening */
    bool is_ending;
    struct its_diag diag;
};

/* --- the end of an attempt --------------------------------------------------------------------------------------- */

static void watch_closed(uv_handle_t *handle)
{
    itsi_free(handle->data);
}

static void unwatch(struct itsi_db_attempt *attempt)
{
    if (!attempt->watch)
        return;
    uv_poll_stop(&attempt->watch->poll);
    uv_close((uv_handle_t *)&attempt->watch->poll, watch_closed);
    attempt->watch = NULL;
}

static void attempt_closed(uv_handle_t *handle)
{
    itsi_free(handle->data);
}

/* Answers what was asked of the kind, and frees the attempt. rc 0: it succeeded. */
static void finish(struct itsi_db_attempt *attempt, int rc)
{
    struct itsi_db_link *link = attempt->link;
    struct itsi_pool_slot *slot = link->slot;
    unwatch(attempt);
    itsi_db_lookup_withdraw(&attempt->lookup);
    struct itsi_db_connection *fresh = NULL;
    if (rc == 0 && !attempt->is_checking)
        fresh = itsi_pg_connect_take(attempt->connecting);
    else
        itsi_pg_connect_abort(attempt->connecting);
    link->attempt = NULL;
    uv_timer_stop(&attempt->timer);
    if (attempt->is_checking) {
        itsi_pool_checked(slot, rc == 0);
    } else if (fresh) {
        itsi_db_link_put(link, fresh);
        slot->resource = link;
        itsi_pool_opened(slot);
    } else {
        itsi_pool_open_failed(slot, rc, &attempt->diag);
    }
    if (attempt->is_ending) {
        itsi_db_close(itsi_db_link_take(link));
        itsi_pool_closed(slot);
    }
    uv_close((uv_handle_t *)&attempt->timer, attempt_closed);
}

static void on_deadline(uv_timer_t *timer)
{
    struct itsi_db_attempt *attempt = timer->data;
    const char *what = itsi_ring_is_in(&attempt->lookup.place) ? "looking up its host"
                       : attempt->is_checking                  ? "a ping"
                                                               : "connecting";
    finish(attempt, itsi_fail(&attempt->diag, ITS_ETIMEOUT, "postgresql: %s took too long", what));
}

/* --- its steps --------------------------------------------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events);

static int socket_of(const struct itsi_db_attempt *attempt)
{
    return attempt->is_checking ? itsi_pg_socket(attempt->link->connection) : itsi_pg_connect_socket(attempt->connecting);
}

static int watch_for(struct itsi_db_attempt *attempt, int wait)
{
    struct watch *watch = itsi_zalloc(sizeof *watch);
    if (!watch)
        return itsi_fail(&attempt->diag, ITS_ENOMEM, "postgresql: out of memory");
    int status = uv_poll_init(itsi_loop_uv(attempt->link->database->loop), &watch->poll, socket_of(attempt));
    if (status != 0) {
        itsi_free(watch);
        return itsi_fail(&attempt->diag, ITS_EIO, "postgresql: its socket cannot be watched: %s", uv_strerror(status));
    }
    watch->owner = attempt;
    watch->poll.data = watch;
    attempt->watch = watch;
    uv_poll_start(&watch->poll, wait == ITSI_PG_READ ? UV_READABLE : UV_WRITABLE, on_ready);
    return 0;
}

static void go_on(struct itsi_db_attempt *attempt, int wait)
{
    if (wait == ITSI_PG_DONE)
        finish(attempt, 0);
    else if (wait < 0 || (wait = watch_for(attempt, wait)) != 0)
        finish(attempt, wait);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* an error of the socket shows in the next step */
    (void)events;
    struct itsi_db_attempt *attempt = ((struct watch *)poll->data)->owner;
    unwatch(attempt); /* a step may close the socket, and another thread open one of the same number */
    go_on(attempt, attempt->is_checking ? itsi_pg_ping_step(attempt->link->connection, &attempt->diag)
                                        : itsi_pg_connect_step(attempt->connecting, &attempt->diag));
}

/* hostaddr "": libpq has nothing to look up. */
static void connect_now(struct itsi_db_attempt *attempt, const char *hostaddr)
{
    const struct itsi_pg_params params = {.url = attempt->link->database->url,
                                          .hostaddr = hostaddr[0] ? hostaddr : NULL,
                                          .tcp_user_timeout_s = 10};
    int rc = itsi_pg_connect_begin(&attempt->connecting, &params, &attempt->diag);
    go_on(attempt, rc ? rc : ITSI_PG_WRITE);
}

static void looked_up(struct itsi_db_lookup_waiter *waiter, int rc, const char *hostaddr, const struct its_diag *diag)
{
    struct itsi_db_attempt *attempt =
        (struct itsi_db_attempt *)((char *)waiter - offsetof(struct itsi_db_attempt, lookup));
    if (rc != 0) {
        attempt->diag = *diag;
        finish(attempt, rc);
    } else {
        connect_now(attempt, hostaddr);
    }
}

void itsi_db_forget_lookup(void *database) { itsi_db_lookup_leave(&((struct itsi_database *)database)->lookup); }

/* --- the kind ---------------------------------------------------------------------------------------------------- */

static struct itsi_db_attempt *begin(struct itsi_db_link *link, int64_t deadline)
{
    uv_loop_t *uv = itsi_loop_uv(link->database->loop);
    struct itsi_db_attempt *attempt = itsi_zalloc(sizeof *attempt);
    if (!attempt)
        return NULL;
    const int64_t left_ms = (deadline - itsi_now_ns()) / ITSI_NS_PER_MS;
    attempt->link = link;
    uv_timer_init(uv, &attempt->timer);
    attempt->timer.data = attempt;
    uv_update_time(uv);
    uv_timer_start(&attempt->timer, on_deadline, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
    link->attempt = attempt;
    return attempt;
}

static void open_it(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    struct itsi_database *database = self;
    struct itsi_db_link *link = &database->links[slot->index];
    link->slot = slot;
    struct itsi_db_attempt *attempt = begin(link, deadline);
    if (!attempt) {
        const struct its_diag diag = {.text = "postgresql: out of memory"};
        itsi_pool_open_failed(slot, ITS_ENOMEM, &diag);
        return;
    }
    if (!itsi_pg_has_names(database->url)) {
        connect_now(attempt, "");
        return;
    }
    attempt->lookup.done = looked_up;
    const int rc = itsi_db_lookup_ask(&database->lookup, itsi_loop_uv(database->loop), database->url, &attempt->lookup,
                                      &attempt->diag);
    if (rc != 0)
        finish(attempt, rc);
}

static void check_it(void *self, struct itsi_pool_slot *slot, int64_t deadline)
{
    struct itsi_database *database = self;
    struct itsi_db_link *link = &database->links[slot->index];
    struct itsi_db_attempt *attempt = begin(link, deadline);
    if (!attempt) {
        itsi_pool_checked(slot, false);
        return;
    }
    attempt->is_checking = true;
    go_on(attempt, itsi_pg_ping_begin(link->connection, &attempt->diag));
}

static void close_it(void *self, struct itsi_pool_slot *slot, enum itsi_pool_closed reason)
{
    (void)reason;
    struct itsi_database *database = self;
    struct itsi_db_link *link = &database->links[slot->index];
    if (link->attempt) {
        link->attempt->is_ending = true;
        finish(link->attempt, itsi_fail(&link->attempt->diag, ITS_ECANCELLED, "not wanted any more"));
        return;
    }
    itsi_db_close(itsi_db_link_take(link));
    itsi_pool_closed(slot);
}

const struct itsi_pool_kind itsi_db_postgres_kind = {
    .name = "postgresql", .open = open_it, .check = check_it, .close = close_it, .latency_ns = itsi_db_latency};

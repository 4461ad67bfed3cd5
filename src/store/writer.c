/* The store's thread. */
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "store/schema.h"

#include <string.h>

/* Files are for hours of outage: while the database is away fewer and larger ones are written. */
enum { AWAY_FLUSHES = 10 };
#define DRAIN_NS (500 * ITSI_NS_PER_MS) /* of the spool, before what is new is looked at again */

static const struct itsi_pool_owner owner = {.component = "store", .stage = "write"};

/* --- statistics ---------------------------------------------------------------------------------------------------- */

/* Of the oldest row beyond the front; 0: none. */
static int64_t oldest_wall_ns(const struct itsi_store *store)
{
    if (itsi_store_has_spooled(store))
        return itsi_spool_first(store->spool)->wall_ns;
    for (int i = 0; i < ITSI_STORE_PENDING; i++)
        if (store->pending[i].block.len)
            return store->pending[i].wall_ns;
    return itsi_book_size(store->back) ? store->back_wall_ns : 0;
}

static size_t pending_rows(const struct itsi_store *store)
{
    size_t rows = itsi_book_size(store->back);
    for (int i = 0; i < ITSI_STORE_PENDING; i++)
        for (int t = 0; t < ITSI_STORE_TABLES && store->pending[i].block.len; t++)
            rows += store->pending[i].head.rows[t];
    return rows;
}

/* The rows that were queued; those that never were are counted by the producers. */
void itsi_store_publish(struct itsi_store *store)
{
    struct itsi_store_stats *own = &store->own;
    struct itsi_spool_stats spool = {.files = 0};
    if (store->spool)
        itsi_spool_stats(store->spool, &spool);
    pthread_mutex_lock(&store->mutex);
    struct itsi_store_stats *shown = &store->stats;
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        shown->written[t] = own->written[t];
        shown->spooled[t] = spool.put_rows[t];
        shown->found[t] = spool.found_rows[t];
        shown->dropped[ITSI_STORE_DROP_SPOOL][t] = own->dropped[ITSI_STORE_DROP_SPOOL][t] + spool.dropped_rows[t];
        shown->dropped[ITSI_STORE_DROP_REFUSED][t] = own->dropped[ITSI_STORE_DROP_REFUSED][t] + spool.aside_rows[t];
        shown->dropped[ITSI_STORE_DROP_SHUTDOWN][t] = own->dropped[ITSI_STORE_DROP_SHUTDOWN][t];
    }
    shown->spool_files = spool.files;
    shown->spool_bytes = spool.bytes;
    shown->spool_rows = spool.rows;
    shown->batches = own->batches;
    shown->failures = own->failures;
    shown->deleted = own->deleted;
    shown->is_away = own->is_away;
    memcpy(shown->last_error, own->last_error, sizeof shown->last_error);
    store->unwritten_wall_ns = oldest_wall_ns(store);
    store->pending_rows = pending_rows(store);
    pthread_mutex_unlock(&store->mutex);
}

/* --- the database ---------------------------------------------------------------------------------------------------- */

static bool is_calm(const struct itsi_store *store)
{
    return !itsi_store_has_spooled(store) && !itsi_store_has_pending(store);
}

static void tell_doubt(const struct itsi_store *store, int64_t now)
{
    char says[32], known[32];
    const int64_t wall_ns = itsi_wall_ns();
    itsi_format_wall(wall_ns, says);
    itsi_format_wall(itsi_wall_trust_known(&store->retention.trust, now, wall_ns).wall_ns, known);
    itsi_warn("store", "the clock says %s, over a day away from the time known so far, %s: nothing is deleted by it until it has "
                       "gone evenly for six hours", says, known);
}

static int delete_old(struct itsi_store *store, struct itsi_db_connection *db, int64_t now, int64_t deadline, struct its_diag *diag)
{
    const bool was_in_doubt = itsi_retention_is_in_doubt(&store->retention);
    const int rc = itsi_retention_step(&store->retention, db, (int64_t)store->writer, now, itsi_wall_ns(), deadline,
                                       &store->own.deleted, diag);
    const bool is_in_doubt = itsi_retention_is_in_doubt(&store->retention);
    if (is_in_doubt && !was_in_doubt)
        tell_doubt(store, now);
    else if (was_in_doubt && !is_in_doubt)
        itsi_info("store", "the clock is trusted again");
    return rc;
}

static int use(struct itsi_store *store, struct itsi_db_connection *db, int64_t now, int64_t deadline, struct its_diag *diag)
{
    int rc = store->is_migrated ? 0 : itsi_store_migrate(db, deadline, diag);
    if (rc == 0)
        rc = itsi_retention_know(&store->retention, db, (int64_t)store->writer, now, itsi_wall_ns(), deadline, diag);
    if (rc != 0)
        return rc;
    store->is_migrated = true;
    rc = itsi_store_write_waiting(store, db, now + DRAIN_NS, deadline, diag);
    if (rc == 0 && is_calm(store) && now >= store->retention.next_ns)
        rc = delete_old(store, db, now, deadline, diag);
    if (itsi_store_is_refusal(rc))
        store->is_migrated = false; /* the tables may be gone: a database made anew, or an older one restored */
    return rc;
}

static void note_outcome(struct itsi_store *store, int rc, const char *text)
{
    const int64_t now = itsi_now_ns();
    if (rc == 0) {
        if (store->own.is_away)
            itsi_info("store", "the database is back");
        store->own.is_away = false;
        itsi_backoff_begin(&store->backoff, now);
        return;
    }
    if (!store->own.is_away)
        itsi_warn("store", "the database is away, rows are %s: %s", itsi_store_spools(store) ? "spooled" : "kept in memory", text);
    store->own.is_away = true;
    store->own.failures++;
    itsi_store_fail(store, text);
    if (!itsi_backoff_again(&store->backoff, 0, now, &store->next_try_ns))
        store->next_try_ns = now;
}

static void set_in_use(struct itsi_store *store, struct itsi_db_connection *db)
{
    pthread_mutex_lock(&store->mutex);
    store->in_use = db;
    pthread_mutex_unlock(&store->mutex);
}

/* What waits, with a connection of the pool. */
static void try_database(struct itsi_store *store, int64_t now, int64_t deadline)
{
    struct its_diag diag = {""};
    struct itsi_db_lease lease;
    int rc = itsi_database_borrow(store->params.database, &owner, deadline, &lease, &diag);
    if (rc == 0) {
        set_in_use(store, lease.connection);
        rc = use(store, lease.connection, now, deadline, &diag);
        set_in_use(store, NULL);
        itsi_database_return(store->params.database, &lease, deadline);
    }
    note_outcome(store, rc, diag.text);
}

/* When something is to be had from it. */
static int64_t database_due(const struct itsi_store *store)
{
    const int64_t due = store->next_try_ns;
    if (!store->is_migrated || store->own.is_away || (itsi_store_has_pending(store) && itsi_store_is_pendings_turn(store)))
        return due;
    const int64_t next_ns = itsi_store_has_spooled(store) ? store->next_drain_ns : store->retention.next_ns;
    return next_ns > due ? next_ns : due;
}

/* --- the loop -------------------------------------------------------------------------------------------------------- */

/* When the front's rows are to be taken, or those that could not be sealed tried again; under the mutex. */
static int64_t flush_due(const struct itsi_store *store)
{
    if (itsi_book_size(store->back))
        return store->next_seal_ns;
    if (!store->front_ns)
        return ITSI_NEVER;
    if (store->is_full)
        return 0;
    return store->front_ns + store->params.flush_ns * (store->own.is_away && itsi_store_spools(store) ? AWAY_FLUSHES : 1);
}

/* Pending blocks that the database did not take: into the spool, or, without one, they wait for it here. */
static bool may_spool(const struct itsi_store *store, int64_t now)
{
    return itsi_store_spools(store) && itsi_store_has_pending(store) && now >= store->next_spool_ns;
}

/* Under the mutex: when there is something to do. */
static int64_t next_due(const struct itsi_store *store)
{
    int64_t due = ITSI_NEVER;
    const bool has_pending = itsi_store_has_pending(store);
    if (!has_pending)
        due = flush_due(store);
    if (has_pending && itsi_store_spools(store) && store->next_spool_ns < due)
        due = store->next_spool_ns;
    const int64_t database_ns = database_due(store);
    return database_ns < due ? database_ns : due;
}

/* Returns whether the end was asked for. */
static bool wait_for_work(struct itsi_store *store)
{
    pthread_mutex_lock(&store->mutex);
    for (int64_t due; !store->is_ending && (due = next_due(store)) > itsi_now_ns();)
        itsi_cond_wait_until(&store->wanted, &store->mutex, due);
    const bool is_ending = store->has_heard = store->is_ending;
    if (is_ending)
        pthread_cond_signal(&store->wanted);
    pthread_mutex_unlock(&store->mutex);
    return is_ending;
}

static bool is_flush_due(struct itsi_store *store, int64_t now)
{
    pthread_mutex_lock(&store->mutex);
    const bool is_due = flush_due(store) <= now;
    pthread_mutex_unlock(&store->mutex);
    return is_due;
}

static void turn(struct itsi_store *store)
{
    int64_t now = itsi_now_ns();
    if (!itsi_store_has_pending(store) && is_flush_due(store, now))
        itsi_store_seal(store);
    if (now >= database_due(store))
        try_database(store, now, now + store->params.write_timeout_ns);
    if (may_spool(store, itsi_now_ns()))
        itsi_store_spool_pending(store);
    itsi_store_publish(store);
}

/* Everything that is left into the database, if that is there and it is its turn; else into the spool. Without one, or where
 * that fails, the database is all that is left to be tried. */
static void finish_pending(struct itsi_store *store, int64_t deadline)
{
    bool is_first = true;
    for (int64_t now; itsi_store_has_pending(store) && (now = itsi_now_ns()) < deadline; is_first = false) {
        const bool may_try = itsi_store_spools(store) ? !store->own.is_away && itsi_store_is_pendings_turn(store) && is_first
                                                      : !store->own.is_away || is_first;
        if (!may_try)
            break;
        try_database(store, now, deadline);
    }
    if (itsi_store_spools(store))
        itsi_store_spool_pending(store);
    if (itsi_store_has_pending(store) && is_first)
        try_database(store, itsi_now_ns(), deadline);
    itsi_store_drop_pending(store);
}

void *itsi_store_write_loop(void *arg)
{
    struct itsi_store *store = arg;
    while (!wait_for_work(store))
        turn(store);
    finish_pending(store, store->end_deadline);
    for (int i = 0; i < 2; i++) { /* what could not be sealed before, then what came since */
        itsi_store_seal(store);
        finish_pending(store, store->end_deadline);
    }
    itsi_store_drop_unsealed(store);
    itsi_store_publish(store);
    uint64_t lost = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        lost += store->own.dropped[ITSI_STORE_DROP_SHUTDOWN][t];
    if (lost)
        itsi_warn("store", "%llu rows are lost at the end: %s", (unsigned long long)lost, store->own.last_error);
    return NULL;
}

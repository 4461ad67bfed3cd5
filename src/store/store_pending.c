/* Sealed blocks on their way to the database or the spool. All on the writer's thread. */
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "store/apply.h"

#include <stdio.h>
#include <string.h>

bool itsi_store_has_pending(const struct itsi_store *store)
{
    for (int i = 0; i < ITSI_STORE_PENDING; i++)
        if (store->pending[i].block.len)
            return true;
    return false;
}

void itsi_store_fail(struct itsi_store *store, const char *text)
{
    snprintf(store->own.last_error, sizeof store->own.last_error, "%.255s", text);
}

/* --- sealing ------------------------------------------------------------------------------------------------------- */

static void drop(struct itsi_store *store, enum itsi_store_drop reason, const uint32_t rows[ITSI_STORE_TABLES])
{
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        store->own.dropped[reason][t] += rows[t];
}

static void drop_book(struct itsi_store *store, const struct itsi_book *book, enum itsi_store_drop reason)
{
    uint32_t rows[ITSI_STORE_TABLES];
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        rows[t] = book->rows[t].rows;
    rows[ITSI_STORE_COUNT] = (uint32_t)book->count_rows;
    drop(store, reason, rows);
}

static void clear(struct itsi_store_pending *pending)
{
    itsi_buf_reset(&pending->block);
    pending->block.failed = false;
    pending->refusals = 0;
}

/* The counts of the back, or all else in it, which are in the block then. False: there is no memory for them. */
static bool seal_part(struct itsi_store *store, struct itsi_store_pending *pending, bool is_counts)
{
    struct its_diag diag;
    clear(pending);
    if (is_counts)
        itsi_book_seal_counts(store->back, store->writer, store->seq + 1, &store->scratch, &pending->block);
    else
        itsi_book_seal_rows(store->back, store->writer, store->seq + 1, &pending->block);
    if (pending->block.failed || (pending->block.len && itsi_batch_read_head(&pending->head, (const uint8_t *)pending->block.data,
                                                                             pending->block.len, &diag) != 0)) {
        clear(pending);
        return false;
    }
    if (pending->block.len)
        store->seq++;
    pending->wall_ns = store->back_wall_ns;
    if (is_counts)
        itsi_book_reset_counts(store->back);
    else
        itsi_book_reset_rows(store->back);
    return true;
}

static void swap_books(struct itsi_store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct itsi_book *full = store->front;
    store->back_wall_ns = store->front_wall_ns;
    store->front = store->back;
    store->back = full;
    store->front_ns = 0;
    store->is_full = false;
    store->pending_rows = itsi_book_size(full);
    store->unwritten_wall_ns = store->unwritten_wall_ns ? store->unwritten_wall_ns : store->back_wall_ns;
    pthread_mutex_unlock(&store->mutex);
}

void itsi_store_seal(struct itsi_store *store)
{
    if (itsi_book_size(store->back) == 0)
        swap_books(store);
    if (seal_part(store, &store->pending[0], false) && seal_part(store, &store->pending[1], true))
        return;
    itsi_store_fail(store, "out of memory");
    store->next_seal_ns = itsi_now_ns() + store->params.flush_ns; /* it waits here; what comes meanwhile fills the queue */
}

void itsi_store_drop_unsealed(struct itsi_store *store)
{
    for (int i = 0; i < 2; i++) {
        drop_book(store, &store->books[i], ITSI_STORE_DROP_SHUTDOWN);
        itsi_book_reset(&store->books[i]);
    }
}

/* --- to the spool --------------------------------------------------------------------------------------------------- */

bool itsi_store_spools(const struct itsi_store *store)
{
    return store->params.spool_bytes != 0;
}

bool itsi_store_has_spooled(const struct itsi_store *store)
{
    return store->spool && itsi_spool_first(store->spool);
}

bool itsi_store_is_pendings_turn(const struct itsi_store *store)
{
    return !itsi_store_spools(store) || !itsi_store_has_spooled(store);
}

void itsi_store_drop_pending(struct itsi_store *store)
{
    for (int i = 0; i < ITSI_STORE_PENDING; i++) {
        if (store->pending[i].block.len)
            drop(store, ITSI_STORE_DROP_SHUTDOWN, store->pending[i].head.rows);
        clear(&store->pending[i]);
    }
}

void itsi_store_spool_pending(struct itsi_store *store)
{
    struct its_diag diag;
    for (int i = 0; i < ITSI_STORE_PENDING; i++) {
        struct itsi_store_pending *pending = &store->pending[i];
        if (!pending->block.len)
            continue;
        int rc = itsi_spool_put(store->spool, (const uint8_t *)pending->block.data, pending->block.len, pending->wall_ns, &diag);
        if (rc == ITS_ELIMIT)
            drop(store, ITSI_STORE_DROP_SPOOL, pending->head.rows);
        if (rc != 0)
            itsi_store_fail(store, diag.text);
        if (rc != 0 && rc != ITS_ELIMIT) {
            store->next_spool_ns = itsi_now_ns() + ITSI_NS_PER_S; /* it waits here; what comes meanwhile fills the queue */
            return;
        }
        clear(pending);
    }
}

/* --- to the database ------------------------------------------------------------------------------------------------ */

bool itsi_store_is_refusal(int rc)
{
    return rc == ITS_EINVAL || rc == ITS_EEXISTS;
}

static int write_batch(struct itsi_store *store, struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    int rc = itsi_batch_apply(&store->batch, db, itsi_wall_ns(), deadline, diag);
    if (rc != 0)
        return rc;
    store->own.batches++;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        store->own.written[t] += store->batch.head.rows[t];
    return 0;
}

static int write_spooled(struct itsi_store *store, struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    int rc = itsi_spool_read_first(store->spool, &store->spooled, &store->batch, diag);
    if (rc == ITS_EFORMAT)
        return 0; /* set aside and named; the rest goes on */
    if (rc != 0) { /* which is not the database's fault */
        itsi_store_fail(store, diag->text);
        store->next_drain_ns = itsi_now_ns() + store->params.retry_most_ns;
        return 0;
    }
    rc = write_batch(store, db, deadline, diag);
    if (rc == 0)
        itsi_spool_remove_first(store->spool);
    else if (itsi_store_is_refusal(rc) && itsi_spool_refuse_first(store->spool, diag->text))
        rc = 0;
    return rc;
}

static int drain(struct itsi_store *store, struct itsi_db_connection *db, int64_t until, int64_t deadline, struct its_diag *diag)
{
    int rc = 0;
    for (int64_t now; rc == 0 && itsi_store_has_spooled(store) && (now = itsi_now_ns()) < until && now >= store->next_drain_ns;)
        rc = write_spooled(store, db, deadline, diag);
    return rc;
}

static int write_block(struct itsi_store *store, struct itsi_store_pending *pending, struct itsi_db_connection *db,
                       int64_t deadline, struct its_diag *diag)
{
    int rc = itsi_batch_read(&store->batch, (const uint8_t *)pending->block.data, pending->block.len, diag);
    if (rc == 0)
        rc = write_batch(store, db, deadline, diag);
    if (itsi_store_is_refusal(rc) && !itsi_store_spools(store) && ++pending->refusals >= ITSI_SPOOL_FAILURES) {
        drop(store, ITSI_STORE_DROP_REFUSED, pending->head.rows); /* with a spool it goes there, and is set aside there */
        itsi_store_fail(store, diag->text);
        rc = 0;
    }
    if (rc == 0)
        clear(pending);
    return rc;
}

static int write_pending(struct itsi_store *store, struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    int rc = 0;
    for (int i = 0; i < ITSI_STORE_PENDING && rc == 0 && itsi_store_is_pendings_turn(store); i++)
        if (store->pending[i].block.len)
            rc = write_block(store, &store->pending[i], db, deadline, diag);
    return rc;
}

int itsi_store_write_waiting(struct itsi_store *store, struct itsi_db_connection *db, int64_t until, int64_t deadline,
                             struct its_diag *diag)
{
    int rc = write_pending(store, db, deadline, diag);
    if (rc == 0)
        rc = drain(store, db, until, deadline, diag);
    return rc ? rc : write_pending(store, db, deadline, diag);
}

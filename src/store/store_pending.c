/* Sealed blocks on their way to the database or the spool. All on the writer's thread. */
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "store/apply.h"

#include <stdio.h>
#include <string.h>

enum { REFUSALS = 5 }; /* of one batch, before it is set aside: a table that is missing for a moment is no reason */

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

static void lose_back(struct itsi_store *store)
{
    uint32_t rows[ITSI_STORE_TABLES];
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        rows[t] = store->back->rows[t].rows;
    rows[ITSI_STORE_COUNT] = (uint32_t)store->back->count_rows;
    drop(store, ITSI_STORE_DROP_QUEUE, rows);
}

static bool seal(struct itsi_store *store, struct itsi_store_pending *pending, int64_t wall_ns, bool is_counts)
{
    struct its_diag diag;
    pending->refusals = 0;
    pending->wall_ns = wall_ns;
    if (is_counts)
        itsi_book_seal_counts(store->back, store->writer, store->seq + 1, &store->scratch, &pending->block);
    else
        itsi_book_seal_rows(store->back, store->writer, store->seq + 1, &pending->block);
    if (pending->block.failed)
        return false;
    if (!pending->block.len)
        return true;
    store->seq++;
    return itsi_batch_read_head(&pending->head, (const uint8_t *)pending->block.data, pending->block.len, &diag) == 0;
}

static void clear(struct itsi_store_pending *pending)
{
    itsi_buf_reset(&pending->block);
    pending->block.failed = false;
}

void itsi_store_seal_front(struct itsi_store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct itsi_book *full = store->front;
    const int64_t wall_ns = store->front_wall_ns;
    store->front = store->back;
    store->back = full;
    store->front_ns = 0;
    store->is_full = false;
    store->pending_rows = itsi_book_size(full);
    store->unwritten_wall_ns = store->unwritten_wall_ns ? store->unwritten_wall_ns : wall_ns;
    pthread_mutex_unlock(&store->mutex);
    if (!seal(store, &store->pending[0], wall_ns, false) || !seal(store, &store->pending[1], wall_ns, true)) {
        lose_back(store); /* no memory for them: what neither queue nor disk can hold */
        itsi_store_fail(store, "out of memory");
        for (int i = 0; i < ITSI_STORE_PENDING; i++)
            clear(&store->pending[i]);
    }
    itsi_book_reset(store->back);
}

/* --- to the spool --------------------------------------------------------------------------------------------------- */

void itsi_store_drop_pending(struct itsi_store *store, enum itsi_store_drop reason)
{
    for (int i = 0; i < ITSI_STORE_PENDING; i++) {
        if (store->pending[i].block.len)
            drop(store, reason, store->pending[i].head.rows);
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
    if (rc == 0)
        rc = write_batch(store, db, deadline, diag);
    if (rc == 0)
        itsi_spool_remove_first(store->spool);
    else if (itsi_store_is_refusal(rc) && ++store->spool_refusals >= REFUSALS)
        itsi_spool_set_aside_first(store->spool, "refused", diag->text);
    else
        return rc;
    store->spool_refusals = 0;
    return 0;
}

static int write_pending(struct itsi_store *store, struct itsi_store_pending *pending, struct itsi_db_connection *db,
                         int64_t deadline, struct its_diag *diag)
{
    int rc = itsi_batch_read(&store->batch, (const uint8_t *)pending->block.data, pending->block.len, diag);
    if (rc == 0)
        rc = write_batch(store, db, deadline, diag);
    if (itsi_store_is_refusal(rc) && !store->spool && ++pending->refusals >= REFUSALS) {
        drop(store, ITSI_STORE_DROP_REFUSED, pending->head.rows); /* with a spool it goes there, and is set aside there */
        itsi_store_fail(store, diag->text);
        rc = 0;
    }
    if (rc == 0)
        clear(pending);
    return rc;
}

int itsi_store_write_waiting(struct itsi_store *store, struct itsi_db_connection *db, int64_t until, int64_t deadline,
                             struct its_diag *diag)
{
    int rc = 0;
    while (rc == 0 && store->spool && itsi_spool_first(store->spool)) {
        if (itsi_now_ns() >= until)
            return 0;
        rc = write_spooled(store, db, deadline, diag);
    }
    for (int i = 0; i < ITSI_STORE_PENDING && rc == 0; i++)
        if (store->pending[i].block.len)
            rc = write_pending(store, &store->pending[i], db, deadline, diag);
    return rc;
}

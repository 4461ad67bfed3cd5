#include "pool/database.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>

struct itsi_db_value itsi_db_text(const char *text)
{
    if (!text)
        return (struct itsi_db_value){.type = ITSI_DB_NULL};
    return (struct itsi_db_value){.type = ITSI_DB_TEXT, .bytes = text, .size = strlen(text)};
}

void itsi_db_note_latency(struct itsi_db_connection *db, int64_t took_ns)
{
    enum { WEIGHT = 16 };
    if (!db->latency_ns)
        return;
    /* two threads at once may lose one of the two: it is an average */
    const int64_t old = atomic_load_explicit(db->latency_ns, memory_order_relaxed);
    atomic_store_explicit(db->latency_ns, old ? old + (took_ns - old) / WEIGHT : took_ns, memory_order_relaxed);
}

int itsi_db_run(struct itsi_db_connection *db, const struct itsi_db_statement *statement,
                const struct itsi_db_value *values, int count, itsi_db_row_fn *row, void *arg, int64_t deadline,
                struct its_diag *diag)
{
    const int64_t start = db->latency_ns ? itsi_now_ns() : 0;
    const int rc = db->driver->run(db, statement, values, count, row, arg, deadline, diag);
    if (db->latency_ns)
        itsi_db_note_latency(db, itsi_now_ns() - start);
    return rc;
}

static int plain(struct itsi_db_connection *db, const char *sql, int64_t deadline, struct its_diag *diag)
{
    const struct itsi_db_statement statement = {.sql = sql};
    return itsi_db_run(db, &statement, NULL, 0, NULL, NULL, deadline, diag);
}

int itsi_db_begin(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    /* IMMEDIATE: SQLite takes the writer's lock now, where waiting for it is possible, and not in mid-transaction, where it
     * would have to fail. */
    static const struct itsi_db_statement begin = {.sql = "BEGIN IMMEDIATE", .postgres = "BEGIN"};
    int rc = itsi_db_run(db, &begin, NULL, 0, NULL, NULL, deadline, diag);
    db->in_transaction = rc == 0;
    return rc;
}

int itsi_db_commit(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    int rc = plain(db, "COMMIT", deadline, diag);
    if (rc == 0)
        db->in_transaction = false;
    return rc;
}

void itsi_db_rollback(struct itsi_db_connection *db, int64_t deadline)
{
    if (!db->in_transaction)
        return;
    db->in_transaction = false;
    if (!itsi_db_is_good(db))
        return; /* its end rolls back */
    /* what it fails with was said before; whether the connection is still good, the driver knows */
    int rc = plain(db, "ROLLBACK", deadline, NULL);
    (void)rc;
}

/* Runs `work` in the open transaction or in one of its own. */
struct step {
    int (*work)(struct itsi_db_connection *db, const struct step *step, int64_t deadline, struct its_diag *diag);
    const struct itsi_db_call *calls;
    int call_count;
    const struct itsi_db_bulk *bulk;
    const struct itsi_db_value *rows;
    size_t row_count;
};

static int all_or_none(struct itsi_db_connection *db, const struct step *step, int64_t deadline, struct its_diag *diag)
{
    if (db->in_transaction)
        return step->work(db, step, deadline, diag);
    int rc = itsi_db_begin(db, deadline, diag);
    if (rc == 0)
        rc = step->work(db, step, deadline, diag);
    if (rc == 0)
        rc = itsi_db_commit(db, deadline, diag);
    if (rc != 0)
        itsi_db_rollback(db, deadline);
    return rc;
}

static int pipeline(struct itsi_db_connection *db, const struct step *step, int64_t deadline, struct its_diag *diag)
{
    return db->driver->pipeline(db, step->calls, step->call_count, deadline, diag);
}

int itsi_db_pipeline(struct itsi_db_connection *db, const struct itsi_db_call *calls, int count, int64_t deadline,
                     struct its_diag *diag)
{
    const struct step step = {.work = pipeline, .calls = calls, .call_count = count};
    return count ? all_or_none(db, &step, deadline, diag) : 0;
}

static int append(struct itsi_db_connection *db, const struct step *step, int64_t deadline, struct its_diag *diag)
{
    return db->driver->append(db, step->bulk, step->rows, step->row_count, deadline, diag);
}

int itsi_db_append(struct itsi_db_connection *db, const struct itsi_db_bulk *bulk, const struct itsi_db_value *rows,
                   size_t count, int64_t deadline, struct its_diag *diag)
{
    const struct step step = {.work = append, .bulk = bulk, .rows = rows, .row_count = count};
    return count ? all_or_none(db, &step, deadline, diag) : 0;
}

bool itsi_db_is_good(const struct itsi_db_connection *db)
{
    return db->driver->is_good(db);
}

void itsi_db_abandon(struct itsi_db_connection *db)
{
    db->driver->abandon(db);
}

void itsi_db_close(struct itsi_db_connection *db)
{
    if (db)
        db->driver->close(db);
}

/* Bulk rows by COPY, which libpq forbids in pipeline mode. */
#include "pool/postgres_impl.h"

#include "base/diag.h"

#include <poll.h>

enum { CHUNK = 1 << 16 };

/* Rows whose key may be taken go through a table of this transaction: COPY itself knows no conflicts. */
static int stage(struct itsi_pg *pg, const struct itsi_db_bulk *bulk, int64_t deadline, struct its_diag *diag)
{
    char sql[512];
    snprintf(sql, sizeof sql, "CREATE TEMPORARY TABLE its_stage_%s (LIKE %s INCLUDING DEFAULTS) ON COMMIT DROP",
             bulk->table, bulk->table);
    const struct itsi_db_statement statement = {.sql = sql};
    return itsi_pg_run(&pg->base, &statement, NULL, 0, NULL, NULL, deadline, diag);
}

static void put_columns(struct itsi_buf *sql, const struct itsi_db_bulk *bulk)
{
    for (int c = 0; c < bulk->width; c++)
        itsi_buf_printf(sql, "%s%s", c ? ", " : "", bulk->columns[c]);
}

static int unstage(struct itsi_pg *pg, const struct itsi_db_bulk *bulk, int64_t deadline, struct its_diag *diag)
{
    struct itsi_buf sql;
    itsi_buf_init(&sql);
    itsi_buf_printf(&sql, "INSERT INTO %s AS t (", bulk->table);
    put_columns(&sql, bulk);
    itsi_buf_puts(&sql, ") SELECT ");
    put_columns(&sql, bulk);
    itsi_buf_printf(&sql, " FROM its_stage_%s ON CONFLICT %s", bulk->table, bulk->conflict);
    const struct itsi_db_statement insert = {.sql = sql.data};
    int rc = sql.failed ? itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", bulk->table)
                        : itsi_pg_run(&pg->base, &insert, NULL, 0, NULL, NULL, deadline, diag);
    itsi_buf_reset(&sql);
    itsi_buf_printf(&sql, "DROP TABLE its_stage_%s", bulk->table); /* the next one of this transaction makes its own */
    const struct itsi_db_statement drop = {.sql = sql.data};
    if (rc == 0)
        rc = sql.failed ? ITS_ENOMEM : itsi_pg_run(&pg->base, &drop, NULL, 0, NULL, NULL, deadline, diag);
    itsi_buf_fini(&sql);
    return rc;
}

/* Reads results until there is none; wants `good` to be among them. */
static int expect(struct itsi_pg *pg, ExecStatusType good, const char *what, int64_t deadline, struct its_diag *diag)
{
    PGresult *result;
    int rc, outcome = itsi_fail(NULL, ITS_EIO, "no result");
    while ((rc = itsi_pg_result(pg, &result, deadline, what, diag)) == 0 && result) {
        ExecStatusType status = PQresultStatus(result);
        outcome = status == good ? 0 : itsi_pg_fail(pg, result, what, diag);
        PQclear(result);
        if (status == PGRES_COPY_IN)
            return outcome; /* more would come only after the rows */
    }
    if (rc == 0 && outcome == ITS_EIO && PQstatus(pg->handle) != CONNECTION_OK)
        return itsi_pg_fail(pg, NULL, what, diag);
    return rc ? rc : outcome;
}

static int begin_copy(struct itsi_pg *pg, const struct itsi_db_bulk *bulk, int64_t deadline, struct its_diag *diag)
{
    struct itsi_buf sql;
    itsi_buf_init(&sql);
    itsi_buf_printf(&sql, "COPY %s%s (", bulk->conflict ? "its_stage_" : "", bulk->table);
    put_columns(&sql, bulk);
    itsi_buf_puts(&sql, ") FROM STDIN");
    int rc = 0;
    if (sql.failed)
        rc = itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", bulk->table);
    else if (!PQsendQuery(pg->handle, sql.data))
        rc = itsi_pg_fail(pg, NULL, bulk->table, diag);
    itsi_buf_fini(&sql);
    return rc ? rc : expect(pg, PGRES_COPY_IN, bulk->table, deadline, diag);
}

static int put_data(struct itsi_pg *pg, const char *table, int64_t deadline, struct its_diag *diag)
{
    int put;
    while ((put = PQputCopyData(pg->handle, pg->text.data, (int)pg->text.len)) == 0) { /* its buffer is full */
        int rc = itsi_pg_wait(pg, POLLIN | POLLOUT, deadline, table, diag);
        if (rc == 0)
            rc = itsi_pg_flush(pg, deadline, table, diag);
        if (rc != 0)
            return rc;
    }
    itsi_buf_reset(&pg->text);
    if (put > 0)
        return itsi_pg_flush(pg, deadline, table, diag);
    pg->is_broken = true;
    return itsi_pg_fail(pg, NULL, table, diag);
}

static int put_rows(struct itsi_pg *pg, const struct itsi_db_bulk *bulk, const struct itsi_db_value *rows, size_t count,
                    int64_t deadline, struct its_diag *diag)
{
    itsi_buf_reset(&pg->text);
    for (size_t r = 0; r < count; r++) {
        for (int c = 0; c < bulk->width; c++) {
            itsi_pg_put_copy_field(&pg->text, &rows[r * (size_t)bulk->width + (size_t)c]);
            itsi_buf_puts(&pg->text, c + 1 < bulk->width ? "\t" : "\n");
        }
        if (pg->text.failed) {
            pg->is_broken = true; /* in the middle of a COPY */
            return itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", bulk->table);
        }
        if (pg->text.len >= CHUNK || r + 1 == count) {
            int rc = put_data(pg, bulk->table, deadline, diag);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int itsi_pg_append(struct itsi_db_connection *db, const struct itsi_db_bulk *bulk, const struct itsi_db_value *rows,
                   size_t count, int64_t deadline, struct its_diag *diag)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    if (pg->is_broken)
        return itsi_fail(diag, ITS_EIO, "%s: the connection is not usable any more", pg->label);
    int rc = bulk->conflict ? stage(pg, bulk, deadline, diag) : 0;
    if (rc == 0)
        rc = begin_copy(pg, bulk, deadline, diag);
    if (rc == 0)
        rc = put_rows(pg, bulk, rows, count, deadline, diag);
    if (rc == 0 && PQputCopyEnd(pg->handle, NULL) < 0)
        rc = itsi_pg_fail(pg, NULL, bulk->table, diag);
    if (rc == 0)
        rc = itsi_pg_flush(pg, deadline, bulk->table, diag);
    if (rc == 0)
        rc = expect(pg, PGRES_COMMAND_OK, bulk->table, deadline, diag);
    return rc == 0 && bulk->conflict ? unstage(pg, bulk, deadline, diag) : rc;
}

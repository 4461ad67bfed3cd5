#include "store/apply.h"

static int note_row(void *arg, const struct itsi_db_value *values, int count)
{
    (void)values;
    (void)count;
    *(bool *)arg = true;
    return 0;
}

/* is_new: the database has not seen this number yet. Two tries at once cannot both find that: the second waits for the
 * first one's transaction at this row. */
static int raise_number(const struct itsi_batch *batch, struct itsi_db_connection *db, int64_t wall_ns, bool *is_new,
                        int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement raise = {
        .name = "store_raise",
        .sql = "INSERT INTO its_writer AS t (writer, seq, updated_ns) VALUES (?1, ?2, ?3) ON CONFLICT (writer) DO UPDATE "
               "SET seq = excluded.seq, updated_ns = excluded.updated_ns WHERE t.seq < excluded.seq RETURNING seq"};
    const struct itsi_db_value values[] = {itsi_db_int((int64_t)batch->head.writer), itsi_db_int((int64_t)batch->head.seq),
                                           itsi_db_int(wall_ns)};
    *is_new = false;
    return itsi_db_run(db, &raise, values, 3, note_row, is_new, deadline, diag);
}

static int put_each(const struct itsi_batch *batch, int table, struct itsi_db_connection *db, int64_t deadline,
                    struct its_diag *diag)
{
    enum { AT_ONCE = 64 };
    const struct itsi_store_columns *columns = &itsi_store_columns[table];
    struct itsi_db_call calls[AT_ONCE];
    for (uint32_t done = 0; done < batch->head.rows[table];) {
        int count = 0;
        for (; count < AT_ONCE && done < batch->head.rows[table]; count++, done++)
            calls[count] = (struct itsi_db_call){.statement = columns->upsert,
                                                 .values = batch->values[table] + (size_t)done * (size_t)columns->bulk.width,
                                                 .count = columns->bulk.width};
        int rc = itsi_db_pipeline(db, calls, count, deadline, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int put_rows(const struct itsi_batch *batch, struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        int rc = itsi_store_columns[t].upsert
                     ? put_each(batch, t, db, deadline, diag)
                     : itsi_db_append(db, &itsi_store_columns[t].bulk, batch->values[t], batch->head.rows[t], deadline, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int itsi_batch_apply(const struct itsi_batch *batch, struct itsi_db_connection *db, int64_t wall_ns, int64_t deadline,
                     struct its_diag *diag)
{
    bool is_new = false;
    int rc = itsi_db_begin(db, deadline, diag);
    if (rc == 0)
        rc = raise_number(batch, db, wall_ns, &is_new, deadline, diag);
    if (rc == 0 && is_new)
        rc = put_rows(batch, db, deadline, diag);
    if (rc == 0)
        rc = itsi_db_commit(db, deadline, diag);
    if (rc != 0)
        itsi_db_rollback(db, deadline);
    return rc;
}

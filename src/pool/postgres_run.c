/* Statements in libpq's pipeline mode: preparing, binding and running one, or a thousand, in a single round trip. */
#include "pool/postgres_impl.h"

#include "base/diag.h"

#include <ctype.h>
#include <string.h>

/* The statements of one exchange that are prepared by it, in the order of their calls. */
struct preparing {
    int call[ITSI_PG_PREPARED];
    int count, next; /* next: whose result is awaited */
};

struct exchange {
    const struct itsi_db_call *calls;
    int count;
    itsi_db_row_fn *row; /* of the only call; NULL: rows are dropped */
    void *arg;
    struct preparing preparing;
    /* what came back */
    int rc;
    bool wants_no_names; /* a statement's name was unknown there, or taken */
};

/* ?1 becomes $1 (outside of quotes). */
static const char *dialect(struct itsi_buf *out, const struct itsi_db_statement *statement)
{
    const char *from = statement->postgres ? statement->postgres : statement->sql;
    bool quoted = false;
    itsi_buf_reset(out);
    for (; *from; from++) {
        quoted ^= *from == '\'';
        itsi_buf_add(out, *from == '?' && !quoted && isdigit((unsigned char)from[1]) ? "$" : from, 1);
    }
    return out->failed ? NULL : out->data;
}

static bool is_prepared(const struct itsi_pg *pg, const struct itsi_db_statement *statement)
{
    for (int i = 0; i < pg->prepared_count; i++)
        if (pg->prepared[i] == statement)
            return true;
    return false;
}

static bool is_being_prepared(const struct exchange *x, const struct itsi_db_statement *statement)
{
    for (int i = 0; i < x->preparing.count; i++)
        if (x->calls[x->preparing.call[i]].statement == statement)
            return true;
    return false;
}

/* Puts the preparing of call i's statement into the pipeline when that is due. 1: it has a name there; 0: it has none;
 * negative: the connection is lost. */
static int name_it(struct itsi_pg *pg, struct exchange *x, int i, struct itsi_buf *sql)
{
    const struct itsi_db_statement *statement = x->calls[i].statement;
    if (!statement->name || pg->without_prepared)
        return 0;
    if (is_prepared(pg, statement) || is_being_prepared(x, statement))
        return 1;
    if (pg->prepared_count + x->preparing.count == ITSI_PG_PREPARED)
        return 0;
    const char *text = dialect(sql, statement);
    if (!text || !PQsendPrepare(pg->handle, statement->name, text, 0, NULL))
        return -1;
    x->preparing.call[x->preparing.count++] = i;
    return 1;
}

static int put_call(struct itsi_pg *pg, struct exchange *x, int i, struct itsi_buf *sql)
{
    const struct itsi_db_call *call = &x->calls[i];
    ptrdiff_t at[ITSI_DB_WIDTH];
    const char *values[ITSI_DB_WIDTH];
    int named = name_it(pg, x, i, sql);
    if (named < 0)
        return -1;
    itsi_buf_reset(&pg->text);
    for (int p = 0; p < call->count; p++)
        at[p] = itsi_pg_put_parameter(&pg->text, &call->values[p]);
    if (pg->text.failed)
        return -1;
    for (int p = 0; p < call->count; p++)
        values[p] = at[p] < 0 ? NULL : pg->text.data + at[p];
    if (named)
        return PQsendQueryPrepared(pg->handle, call->statement->name, call->count, values, NULL, NULL, 0) ? 0 : -1;
    const char *text = dialect(sql, call->statement);
    return text && PQsendQueryParams(pg->handle, text, call->count, NULL, values, NULL, NULL, 0) ? 0 : -1;
}

static const char *name_of(const struct itsi_db_statement *statement)
{
    return statement->name ? statement->name : statement->sql;
}

static int put_all(struct itsi_pg *pg, struct exchange *x, int64_t deadline, struct its_diag *diag)
{
    struct itsi_buf sql;
    int rc = 0, sent = 0;
    itsi_buf_init(&sql);
    while (rc == 0 && sent < x->count) {
        if (put_call(pg, x, sent, &sql) != 0) {
            pg->is_broken = true;
            rc = itsi_pg_fail(pg, NULL, name_of(x->calls[sent].statement), diag);
        } else if (++sent % 64 == 0) {
            rc = itsi_pg_flush(pg, deadline, name_of(x->calls[0].statement), diag);
        }
    }
    if (rc == 0 && !PQpipelineSync(pg->handle)) {
        pg->is_broken = true;
        rc = itsi_pg_fail(pg, NULL, name_of(x->calls[0].statement), diag);
    }
    itsi_buf_fini(&sql);
    return rc ? rc : itsi_pg_flush(pg, deadline, name_of(x->calls[0].statement), diag);
}

static int give_rows(const PGresult *result, itsi_db_row_fn *row, void *arg)
{
    struct itsi_db_value values[ITSI_DB_WIDTH];
    int width = PQnfields(result) < ITSI_DB_WIDTH ? PQnfields(result) : ITSI_DB_WIDTH, stopped = 0;
    for (int r = 0; r < PQntuples(result) && !stopped; r++) {
        unsigned char *bytes[ITSI_DB_WIDTH] = {NULL};
        for (int c = 0; c < width; c++)
            itsi_pg_get(result, r, c, &values[c], &bytes[c]);
        stopped = row(arg, values, width);
        for (int c = 0; c < width; c++)
            PQfreemem(bytes[c]);
    }
    return stopped;
}

/* A result that ends a call or its preparing. */
static void take_result(struct itsi_pg *pg, struct exchange *x, const PGresult *result, int call, bool is_preparing,
                        struct its_diag *diag)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_ABORTED || x->rc != 0)
        return; /* the first error says it all */
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (is_preparing)
            pg->prepared[pg->prepared_count++] = x->calls[call].statement;
        else if (status == PGRES_TUPLES_OK && x->row)
            x->rc = give_rows(result, x->row, x->arg);
        return;
    }
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    x->wants_no_names = state && (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0);
    x->rc = itsi_pg_fail(pg, result, name_of(x->calls[call].statement), diag);
}

/* Reads all results up to the pipeline's end. Each call has one, followed by NULL; so has each preparing before it. */
static int take_all(struct itsi_pg *pg, struct exchange *x, int64_t deadline, struct its_diag *diag)
{
    struct preparing *preparing = &x->preparing;
    for (int call = 0;;) {
        PGresult *result;
        const char *what = name_of(x->calls[call < x->count ? call : x->count - 1].statement);
        int rc = itsi_pg_result(pg, &result, deadline, what, diag);
        if (rc != 0)
            return rc;
        if (!result)
            continue; /* between two */
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return 0;
        }
        bool is_preparing = preparing->next < preparing->count && preparing->call[preparing->next] == call;
        if (call < x->count)
            take_result(pg, x, result, call, is_preparing, diag);
        PQclear(result);
        if (PQstatus(pg->handle) != CONNECTION_OK) {
            pg->is_broken = true;
            return x->rc ? x->rc : itsi_pg_fail(pg, NULL, what, diag);
        }
        if (is_preparing)
            preparing->next++;
        else
            call++;
    }
}

static int exchange(struct itsi_pg *pg, struct exchange *x, int64_t deadline, struct its_diag *diag)
{
    for (int i = 0; i < x->count; i++)
        if (x->calls[i].count > ITSI_DB_WIDTH)
            return itsi_fail(diag, ITS_EINVAL, "%s: at most %d parameters", name_of(x->calls[i].statement), ITSI_DB_WIDTH);
    if (pg->is_broken || !PQenterPipelineMode(pg->handle))
        return itsi_fail(diag, ITS_EIO, "%s: the connection is not usable any more", pg->label);
    int rc = put_all(pg, x, deadline, diag);
    if (rc == 0)
        rc = take_all(pg, x, deadline, diag);
    if (rc == 0 && !PQexitPipelineMode(pg->handle))
        pg->is_broken = true;
    if (x->wants_no_names)
        pg->without_prepared = true;
    return rc ? rc : x->rc;
}

/* Once more without names, where nothing was lost by the first time. */
static int exchange_again(struct itsi_pg *pg, struct exchange *x, int64_t deadline, struct its_diag *diag)
{
    struct exchange again = {.calls = x->calls, .count = x->count, .row = x->row, .arg = x->arg};
    return exchange(pg, &again, deadline, diag);
}

int itsi_pg_run(struct itsi_db_connection *db, const struct itsi_db_statement *statement,
                const struct itsi_db_value *values, int count, itsi_db_row_fn *row, void *arg, int64_t deadline,
                struct its_diag *diag)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    const struct itsi_db_call call = {.statement = statement, .values = values, .count = count};
    struct exchange x = {.calls = &call, .count = 1, .row = row, .arg = arg};
    int rc = exchange(pg, &x, deadline, diag);
    if (rc != 0 && x.wants_no_names && !db->in_transaction)
        rc = exchange_again(pg, &x, deadline, diag);
    return rc;
}

int itsi_pg_pipeline(struct itsi_db_connection *db, const struct itsi_db_call *calls, int count, int64_t deadline,
                     struct its_diag *diag)
{
    struct exchange x = {.calls = calls, .count = count};
    return exchange(itsi_pg_of(db), &x, deadline, diag);
}

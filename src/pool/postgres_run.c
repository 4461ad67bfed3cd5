/* Statements in libpq's pipeline mode: preparing, binding and running one, or a thousand, in a single round trip. An
 * exchange goes step by step, and never waits itself: for who waits there is poll(2) or the loop. */
#include "pool/postgres_impl.h"

#include "base/diag.h"

#include <ctype.h>
#include <poll.h>
#include <string.h>

enum { CALLS_AT_ONCE = 64 }; /* put into libpq's buffer before it is sent off */

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

static bool is_being_prepared(const struct itsi_pg_exchange *x, const struct itsi_db_statement *statement)
{
    for (int i = 0; i < x->preparing_count; i++)
        if (x->calls[x->preparing[i]].statement == statement)
            return true;
    return false;
}

/* Puts the preparing of call i's statement into the pipeline when that is due. 1: it has a name there; 0: it has none;
 * negative: the connection is lost. */
static int name_it(struct itsi_pg *pg, struct itsi_pg_exchange *x, int i)
{
    const struct itsi_db_statement *statement = x->calls[i].statement;
    if (!statement->name || pg->without_prepared)
        return 0;
    if (is_prepared(pg, statement) || is_being_prepared(x, statement))
        return 1;
    if (pg->prepared_count + x->preparing_count == ITSI_PG_PREPARED)
        return 0;
    const char *text = dialect(&pg->sql, statement);
    if (!text || !PQsendPrepare(pg->handle, statement->name, text, 0, NULL))
        return -1;
    x->preparing[x->preparing_count++] = i;
    return 1;
}

static int put_call(struct itsi_pg *pg, struct itsi_pg_exchange *x, int i)
{
    const struct itsi_db_call *call = &x->calls[i];
    ptrdiff_t at[ITSI_DB_WIDTH];
    const char *values[ITSI_DB_WIDTH];
    int named = name_it(pg, x, i);
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
    const char *text = dialect(&pg->sql, call->statement);
    return text && PQsendQueryParams(pg->handle, text, call->count, NULL, values, NULL, NULL, 0) ? 0 : -1;
}

static const char *name_of(const struct itsi_db_statement *statement)
{
    return statement->name ? statement->name : statement->sql;
}

/* The call whose answer comes next, the last one once all have come. */
static const char *awaited(const struct itsi_pg_exchange *x)
{
    return name_of(x->calls[x->answered < x->count ? x->answered : x->count - 1].statement);
}

/* Ends the exchange where the connection does. */
static enum itsi_pg_wait lose(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    pg->is_broken = true;
    if (x->rc == 0)
        x->rc = itsi_pg_fail(pg, NULL, awaited(x), x->diag);
    return ITSI_PG_DONE;
}

/* Puts some of the calls into the pipeline, and its end after the last. False: the connection is lost. */
static bool put_some(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    bool is_put = true;
    for (int i = 0; i < CALLS_AT_ONCE && x->put < x->count && is_put; i++)
        if ((is_put = put_call(pg, x, x->put) == 0))
            x->put++;
    if (x->put == x->count)
        x->is_whole = is_put = x->is_plain || PQpipelineSync(pg->handle);
    return is_put;
}

/* Sends as much as the connection takes. */
static enum itsi_pg_wait send_on(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    do {
        if (!x->is_whole && !put_some(pg, x))
            return lose(pg, x);
        x->unsent = PQflush(pg->handle);
    } while (!x->is_whole && x->unsent == 0);
    if (x->unsent < 0)
        return lose(pg, x);
    return x->unsent ? ITSI_PG_WRITE : ITSI_PG_READ;
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
static void take_result(struct itsi_pg *pg, struct itsi_pg_exchange *x, const PGresult *result, bool is_preparing)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_ABORTED || x->rc != 0)
        return; /* the first error says it all */
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (is_preparing)
            pg->prepared[pg->prepared_count++] = x->calls[x->answered].statement;
        else if (status == PGRES_TUPLES_OK && x->row)
            x->rc = give_rows(result, x->row, x->arg);
        return;
    }
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    x->wants_no_names = state && (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0);
    x->rc = itsi_pg_fail(pg, result, name_of(x->calls[x->answered].statement), x->diag);
}

/* What has come in of the results, of which each call has one, followed by NULL; so has each preparing before it. False:
 * that was all. */
static bool take_results(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    while (!PQisBusy(pg->handle)) {
        PGresult *result = PQgetResult(pg->handle);
        if (!result && x->is_plain)
            return false;
        if (!result)
            continue; /* between two */
        const ExecStatusType status = PQresultStatus(result);
        const bool is_preparing =
            x->preparing_next < x->preparing_count && x->preparing[x->preparing_next] == x->answered;
        if (status != PGRES_PIPELINE_SYNC && x->answered < x->count) {
            take_result(pg, x, result, is_preparing);
            if (is_preparing)
                x->preparing_next++;
            else
                x->answered++;
        }
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC)
            return false;
        if (PQstatus(pg->handle) != CONNECTION_OK) {
            lose(pg, x);
            return false;
        }
    }
    return true;
}

/* One that is to be sent and nothing else needs no pipeline, and costs libpq less without. */
static bool is_plain(const struct itsi_pg *pg, const struct itsi_pg_exchange *x)
{
    const struct itsi_db_statement *only = x->calls[0].statement;
    return x->count == 1 && (!only->name || pg->without_prepared || is_prepared(pg, only));
}

static enum itsi_pg_wait start(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    x->is_plain = is_plain(pg, x);
    x->put = x->answered = x->preparing_count = x->preparing_next = x->rc = 0;
    x->is_whole = x->wants_no_names = false;
    if (!pg->is_broken && (x->is_plain || PQenterPipelineMode(pg->handle)))
        return send_on(pg, x);
    x->rc = itsi_fail(x->diag, ITS_EIO, "%s: the connection is not usable any more", pg->label);
    return ITSI_PG_DONE;
}

/* Once more without names, where nothing was lost by the first time. */
static enum itsi_pg_wait end(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    pg->is_broken |= !pg->is_broken && !x->is_plain && !PQexitPipelineMode(pg->handle);
    pg->without_prepared |= x->wants_no_names;
    if (!x->wants_no_names || !x->may_repeat || pg->is_broken)
        return ITSI_PG_DONE;
    x->may_repeat = false;
    return start(pg, x);
}

static enum itsi_pg_wait begin(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    for (int i = 0; i < x->count; i++) {
        if (x->calls[i].count <= ITSI_DB_WIDTH)
            continue;
        x->rc = itsi_fail(x->diag, ITS_EINVAL, "%s: at most %d parameters", name_of(x->calls[i].statement), ITSI_DB_WIDTH);
        return ITSI_PG_DONE;
    }
    return start(pg, x);
}

static enum itsi_pg_wait step(struct itsi_pg *pg, struct itsi_pg_exchange *x)
{
    /* reading also while sending: a server that waits for us to take its answers takes nothing more itself */
    if (!PQconsumeInput(pg->handle))
        return lose(pg, x);
    if (!x->is_whole || x->unsent) {
        const enum itsi_pg_wait wait = send_on(pg, x);
        if (wait != ITSI_PG_READ)
            return wait;
    }
    return take_results(pg, x) ? ITSI_PG_READ : end(pg, x);
}

/* --- for a loop ---------------------------------------------------------------------------------------------------- */

enum itsi_pg_wait itsi_pg_statement_begin(struct itsi_db_connection *db, const struct itsi_db_call *call, itsi_db_row_fn *row,
                                          void *arg, struct its_diag *diag)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    struct itsi_pg_exchange *x = &pg->statement;
    x->calls = call;
    x->count = 1;
    x->row = row;
    x->arg = arg;
    x->diag = diag;
    x->may_repeat = true;
    return begin(pg, x);
}

enum itsi_pg_wait itsi_pg_statement_step(struct itsi_db_connection *db)
{
    return step(itsi_pg_of(db), &itsi_pg_of(db)->statement);
}

int itsi_pg_statement_outcome(const struct itsi_db_connection *db)
{
    return ((const struct itsi_pg *)db)->statement.rc;
}

int itsi_pg_statement_time_out(struct itsi_db_connection *db)
{
    struct itsi_pg *pg = itsi_pg_of(db);
    return itsi_pg_too_late(pg, awaited(&pg->statement), pg->statement.diag);
}

/* --- for who waits ------------------------------------------------------------------------------------------------- */

static int exchange(struct itsi_pg *pg, struct itsi_pg_exchange *x, int64_t deadline)
{
    enum itsi_pg_wait wait = begin(pg, x);
    while (wait != ITSI_PG_DONE) {
        const short events = wait == ITSI_PG_READ ? POLLIN : POLLIN | POLLOUT;
        int rc = itsi_pg_wait(pg, events, deadline, awaited(x), x->diag);
        if (rc != 0)
            return rc;
        wait = step(pg, x);
    }
    return x->rc;
}

int itsi_pg_run(struct itsi_db_connection *db, const struct itsi_db_statement *statement,
                const struct itsi_db_value *values, int count, itsi_db_row_fn *row, void *arg, int64_t deadline,
                struct its_diag *diag)
{
    const struct itsi_db_call call = {.statement = statement, .values = values, .count = count};
    struct itsi_pg_exchange x = {
        .calls = &call, .count = 1, .row = row, .arg = arg, .diag = diag, .may_repeat = !db->in_transaction};
    return exchange(itsi_pg_of(db), &x, deadline);
}

int itsi_pg_pipeline(struct itsi_db_connection *db, const struct itsi_db_call *calls, int count, int64_t deadline,
                     struct its_diag *diag)
{
    struct itsi_pg_exchange x = {.calls = calls, .count = count, .diag = diag};
    return exchange(itsi_pg_of(db), &x, deadline);
}

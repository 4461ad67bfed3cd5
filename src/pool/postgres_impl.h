/* What the files of the PostgreSQL driver share. */
#ifndef ITSI_POOL_POSTGRES_IMPL_H
#define ITSI_POOL_POSTGRES_IMPL_H

#include "base/buf.h"
#include "pool/postgres.h"

#include <libpq-fe.h>

enum { ITSI_PG_PREPARED = 64 };

/* Calls that go to the server together, and what came back: one at a time on a connection. */
struct itsi_pg_exchange {
    /* who begins it sets these, the rest zeroed; borrowed until it is done */
    const struct itsi_db_call *calls;
    int count; /* at least 1 */
    itsi_db_row_fn *row; /* of the only call; NULL: rows are dropped */
    void *arg;
    struct its_diag *diag;
    bool may_repeat; /* outside a transaction: once more where a name is unknown to a pooler's server, or taken there */

    int rc; /* when it is done */

    /* its own */
    int put, answered; /* calls */
    int unsent;        /* 1: libpq holds bytes that the socket did not take */
    bool is_plain;     /* without a pipeline */
    bool is_whole;     /* all calls and the pipeline's end are put */
    bool wants_no_names;
    int preparing[ITSI_PG_PREPARED]; /* calls whose statements it prepares, in order */
    int preparing_count, preparing_next; /* next: whose result is awaited */
};

struct itsi_pg {
    struct itsi_db_connection base; /* first */
    PGconn *handle;
    bool is_broken;        /* in the middle of something that cannot be finished, or gone */
    bool without_prepared;
    const struct itsi_db_statement *prepared[ITSI_PG_PREPARED];
    int prepared_count;
    struct itsi_pg_exchange statement; /* in steps */
    struct itsi_buf text; /* parameters, COPY rows */
    struct itsi_buf sql;  /* of a statement that is put */
    char label[128];      /* "postgresql host:port/database": in errors */
};

static inline struct itsi_pg *itsi_pg_of(struct itsi_db_connection *db)
{
    return (struct itsi_pg *)db;
}

/* Our code for an SQLSTATE (five characters; NULL or empty: the connection is gone). The only place that translates them. */
int itsi_pg_code(const char *sqlstate);
/* The SQLSTATE in a verbose message of a failed connect ("FATAL:  28P01: ..."), copied to out; false: none. */
bool itsi_pg_state_of(const char *message, char out[6]);
/* Says what failed, from the connection's message (result NULL) or the result's. */
int itsi_pg_fail(struct itsi_pg *pg, const PGresult *result, const char *what, struct its_diag *diag);

/* Sends all that is queued. Past the deadline, or with the connection lost, it is broken. */
ITS_NODISCARD int itsi_pg_flush(struct itsi_pg *pg, int64_t deadline, const char *what, struct its_diag *diag);
/* The next result (caller clears it), NULL at the end of a statement's. */
ITS_NODISCARD int itsi_pg_result(struct itsi_pg *pg, PGresult **out, int64_t deadline, const char *what,
                                 struct its_diag *diag);
/* poll(2) for the events until the deadline: ITS_ETIMEOUT. */
ITS_NODISCARD int itsi_pg_wait(struct itsi_pg *pg, short events, int64_t deadline, const char *what,
                               struct its_diag *diag);

/* Its deadline passed: ITS_ETIMEOUT, and the connection is broken, since the answer may still come, and would be taken for
 * the next one's. */
int itsi_pg_too_late(struct itsi_pg *pg, const char *what, struct its_diag *diag);

/* The driver's operations, in files of their own. */
int itsi_pg_run(struct itsi_db_connection *db, const struct itsi_db_statement *statement,
                const struct itsi_db_value *values, int count, itsi_db_row_fn *row, void *arg, int64_t deadline,
                struct its_diag *diag);
int itsi_pg_pipeline(struct itsi_db_connection *db, const struct itsi_db_call *calls, int count, int64_t deadline,
                     struct its_diag *diag);
int itsi_pg_append(struct itsi_db_connection *db, const struct itsi_db_bulk *bulk, const struct itsi_db_value *rows,
                   size_t count, int64_t deadline, struct its_diag *diag);

/* Values as text. A parameter: NUL-terminated at the end of `text`; the offset is returned (-1: the null value). */
ptrdiff_t itsi_pg_put_parameter(struct itsi_buf *text, const struct itsi_db_value *value);
/* A field of a COPY row, escaped. */
void itsi_pg_put_copy_field(struct itsi_buf *text, const struct itsi_db_value *value);
/* A field of a result. `bytes`: room for an unescaped bytea, freed by the caller with PQfreemem; else left alone. */
void itsi_pg_get(const PGresult *result, int row, int column, struct itsi_db_value *out, unsigned char **bytes);

#endif

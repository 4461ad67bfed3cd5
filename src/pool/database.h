/* One connection to a database, SQLite or PostgreSQL, behind one interface: statements, transactions, pipelines and bulk
 * rows, each with its caller's deadline.
 *
 * A connection is used by one thread at a time: the one that leased it (pool/database_pool.h). Calls block that thread, never
 * past their deadline, and touch nobody else's. After an error the connection says by itsi_db_is_good whether it can still be
 * used; a transaction that was open is then to be rolled back.
 *
 * SQL is written once for both: parameters are ?1, ?2, ... (PostgreSQL is given $1, $2, ...). */
#ifndef ITSI_POOL_DATABASE_H
#define ITSI_POOL_DATABASE_H

#include "its/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum itsi_db_type { ITSI_DB_NULL, ITSI_DB_INT, ITSI_DB_REAL, ITSI_DB_TEXT, ITSI_DB_BLOB };

/* A value in or out. Borrowed: of a parameter for the call, of a row for the callback. */
struct itsi_db_value {
    enum itsi_db_type type;
    int64_t number;    /* INT */
    double real;       /* REAL */
    const void *bytes; /* TEXT (NUL-terminated), BLOB */
    size_t size;       /* of bytes, without the NUL */
};

static inline struct itsi_db_value itsi_db_int(int64_t number)
{
    return (struct itsi_db_value){.type = ITSI_DB_INT, .number = number};
}
static inline struct itsi_db_value itsi_db_real(double real)
{
    return (struct itsi_db_value){.type = ITSI_DB_REAL, .real = real};
}
struct itsi_db_value itsi_db_text(const char *text); /* NULL: the null value */

/* A statement, static: prepared on a connection when it is first run there, under its name. */
struct itsi_db_statement {
    const char *name;     /* unique among all statements; NULL: not prepared (BEGIN, a migration) */
    const char *sql;
    const char *postgres; /* where the dialects differ; NULL: the same */
};

/* Gets a row. Not 0: no more rows are wanted, and the statement returns that. */
typedef int itsi_db_row_fn(void *arg, const struct itsi_db_value *values, int count);

/* Rows appended in bulk. Static but for the rows. */
struct itsi_db_bulk {
    const char *table;
    const char *const *columns;
    const enum itsi_db_type *types;
    int width;            /* columns; at most ITSI_DB_WIDTH */
    const char *conflict; /* "(a, b) DO UPDATE SET n = t.n + excluded.n"; NULL: none expected. `t` is the table */
};

enum { ITSI_DB_WIDTH = 16 };

/* One of a pipeline. Rows are not returned. */
struct itsi_db_call {
    const struct itsi_db_statement *statement;
    const struct itsi_db_value *values;
    int count;
};

struct itsi_db_connection;

/* What a database must do; the functions below call it. Errors: ITS_ETIMEOUT (deadline; PostgreSQL: the connection is no longer good,
 * and the server may still carry out a statement that is no part of a transaction), ITS_EIO (connection or disk), ITS_EBUSY (locked by another, or a deadlock or serialisation failure: the
 * transaction may be tried again), ITS_ENOSPACE, ITS_EEXISTS (a key is taken), ITS_EINVAL (the statement or its values; a
 * fault of ours), ITS_EAUTH, ITS_EREFUSED. */
struct itsi_db_driver {
    const char *name; /* "sqlite", "postgresql" */
    int (*run)(struct itsi_db_connection *db, const struct itsi_db_statement *statement, const struct itsi_db_value *values,
               int count, itsi_db_row_fn *row, void *arg, int64_t deadline, struct its_diag *diag);
    int (*pipeline)(struct itsi_db_connection *db, const struct itsi_db_call *calls, int count, int64_t deadline,
                    struct its_diag *diag);
    int (*append)(struct itsi_db_connection *db, const struct itsi_db_bulk *bulk, const struct itsi_db_value *rows,
                  size_t count, int64_t deadline, struct its_diag *diag);
    bool (*is_good)(const struct itsi_db_connection *db);
    void (*abandon)(struct itsi_db_connection *db);
    void (*close)(struct itsi_db_connection *db);
};

/* The first member of a driver's own. */
struct itsi_db_connection {
    const struct itsi_db_driver *driver;
    bool in_transaction;
    /* Moving average (1/16) of what its statements take, ns; shared by a pool's connections. NULL: not kept. */
    _Atomic int64_t *latency_ns;
    uint64_t number; /* the pool's own: each of its connections has another */
};

/* A statement took so long. Any thread. */
void itsi_db_note_latency(struct itsi_db_connection *db, int64_t took_ns);

/* row NULL: rows are dropped. Outside a transaction a statement is its own. */
ITS_NODISCARD int itsi_db_run(struct itsi_db_connection *db, const struct itsi_db_statement *statement,
                              const struct itsi_db_value *values, int count, itsi_db_row_fn *row, void *arg,
                              int64_t deadline, struct its_diag *diag);
/* All in one round trip, in order, in the open transaction or one of their own: all or none. */
ITS_NODISCARD int itsi_db_pipeline(struct itsi_db_connection *db, const struct itsi_db_call *calls, int count,
                                   int64_t deadline, struct its_diag *diag);
/* rows: count times bulk->width values, row by row. In the open transaction, or one of its own: all or none. */
ITS_NODISCARD int itsi_db_append(struct itsi_db_connection *db, const struct itsi_db_bulk *bulk,
                                 const struct itsi_db_value *rows, size_t count, int64_t deadline, struct its_diag *diag);

ITS_NODISCARD int itsi_db_begin(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag);
ITS_NODISCARD int itsi_db_commit(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag);
/* Also after an error; one that fails leaves the connection not good. */
void itsi_db_rollback(struct itsi_db_connection *db, int64_t deadline);

bool itsi_db_is_good(const struct itsi_db_connection *db);
/* Makes what is running there fail soon, for good. Any thread, while the connection is open. */
void itsi_db_abandon(struct itsi_db_connection *db);
void itsi_db_close(struct itsi_db_connection *db); /* takes NULL */

#endif

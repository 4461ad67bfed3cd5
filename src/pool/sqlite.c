#include "pool/sqlite.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

enum {
    STATEMENTS = 64,          /* kept prepared */
    STEPS_BETWEEN_LOOKS = 4000, /* of SQLite's machine: about a tenth of a millisecond */
    FIRST_WAIT_US = 200, MOST_WAIT_US = 20000
};

struct prepared {
    const struct itsi_db_statement *statement; /* NULL: free */
    const struct itsi_db_bulk *bulk;
    sqlite3_stmt *handle;
};

struct sqlite_connection {
    struct itsi_db_connection base; /* first */
    sqlite3 *handle;
    struct prepared prepared[STATEMENTS];
    int prepared_count, replaced; /* next to go when all are in use */
    int64_t deadline;             /* of the call that is running */
    atomic_bool is_abandoned;
    bool has_moved;               /* its file: somebody removed it or put another in its place */
    char *path;                   /* owned */
};

static struct sqlite_connection *sqlite_of(struct itsi_db_connection *db)
{
    return (struct sqlite_connection *)db;
}

static int code_of(int status)
{
    switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ITS_EBUSY;
    case SQLITE_INTERRUPT: return ITS_ETIMEOUT;
    case SQLITE_NOMEM: return ITS_ENOMEM;
    case SQLITE_FULL: return ITS_ENOSPACE;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return ITS_EFORMAT;
    case SQLITE_CANTOPEN: return ITS_ENOTFOUND;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return ITS_EAUTH;
    case SQLITE_CONSTRAINT:
        return status == SQLITE_CONSTRAINT_UNIQUE || status == SQLITE_CONSTRAINT_PRIMARYKEY ? ITS_EEXISTS : ITS_EINVAL;
    case SQLITE_IOERR: return ITS_EIO;
    default: return ITS_EINVAL;
    }
}

/* The one place that translates SQLite's statuses. */
static int fail(struct sqlite_connection *db, int status, const char *what, struct its_diag *diag)
{
    int code = code_of(status);
    /* waiting for a lock until the deadline is running out of time, whatever SQLite calls it */
    if (code == ITS_EBUSY && db->deadline != ITSI_NEVER && itsi_now_ns() >= db->deadline)
        code = ITS_ETIMEOUT;
    return itsi_fail(diag, code, "%s: %s: %s", db->path, what,
                     status == SQLITE_INTERRUPT ? "its deadline passed" : sqlite3_errmsg(db->handle));
}

static int look_at_the_clock(void *arg)
{
    const struct sqlite_connection *db = arg;
    return atomic_load(&db->is_abandoned) || (db->deadline != ITSI_NEVER && itsi_now_ns() >= db->deadline);
}

/* SQLite has no queue for its lock: those who wait look again, ever more rarely. */
static int wait_for_the_lock(void *arg, int tries)
{
    const struct sqlite_connection *db = arg;
    int64_t wait_us = FIRST_WAIT_US << (tries < 7 ? tries : 7);
    int64_t until = itsi_now_ns() + (wait_us < MOST_WAIT_US ? wait_us : MOST_WAIT_US) * ITSI_NS_PER_US;
    if (atomic_load(&db->is_abandoned) || itsi_now_ns() >= db->deadline)
        return 0;
    itsi_sleep_until_ns(until < db->deadline ? until : db->deadline);
    return 1;
}

/* --- statements -------------------------------------------------------------------------------------------------- */

static struct prepared *find(struct sqlite_connection *db, const void *key)
{
    for (int i = 0; i < db->prepared_count; i++)
        if (db->prepared[i].statement == key || db->prepared[i].bulk == key)
            return &db->prepared[i];
    return NULL;
}

static struct prepared *place(struct sqlite_connection *db)
{
    if (db->prepared_count < STATEMENTS)
        return &db->prepared[db->prepared_count++];
    struct prepared *oldest = &db->prepared[db->replaced++ % STATEMENTS];
    sqlite3_finalize(oldest->handle);
    return oldest;
}

static int prepare(struct sqlite_connection *db, const char *sql, const char *what, sqlite3_stmt **out,
                   struct its_diag *diag)
{
    const char *rest;
    int status = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, &rest);
    if (status != SQLITE_OK)
        return fail(db, status, what, diag);
    if (rest[strspn(rest, " \n\t;")] != '\0') {
        sqlite3_finalize(*out);
        return itsi_fail(diag, ITS_EINVAL, "%s: %s: one statement at a time", db->path, what);
    }
    return 0;
}

static int bind(sqlite3_stmt *handle, const struct itsi_db_value *values, int count)
{
    for (int i = 0; i < count; i++) {
        const struct itsi_db_value *v = &values[i];
        int status = SQLITE_OK;
        switch (v->type) {
        case ITSI_DB_NULL: status = sqlite3_bind_null(handle, i + 1); break;
        case ITSI_DB_INT: status = sqlite3_bind_int64(handle, i + 1, v->number); break;
        case ITSI_DB_REAL: status = sqlite3_bind_double(handle, i + 1, v->real); break;
        case ITSI_DB_TEXT:
            status = sqlite3_bind_text64(handle, i + 1, v->bytes, v->size, SQLITE_STATIC, SQLITE_UTF8);
            break;
        case ITSI_DB_BLOB: status = sqlite3_bind_blob64(handle, i + 1, v->bytes, v->size, SQLITE_STATIC); break;
        }
        if (status != SQLITE_OK)
            return status;
    }
    return SQLITE_OK;
}

static void read_column(sqlite3_stmt *handle, int column, struct itsi_db_value *out)
{
    *out = (struct itsi_db_value){.type = ITSI_DB_NULL};
    switch (sqlite3_column_type(handle, column)) {
    case SQLITE_INTEGER: *out = itsi_db_int(sqlite3_column_int64(handle, column)); break;
    case SQLITE_FLOAT: *out = itsi_db_real(sqlite3_column_double(handle, column)); break;
    case SQLITE_TEXT:
        out->type = ITSI_DB_TEXT;
        out->bytes = sqlite3_column_text(handle, column);
        out->size = (size_t)sqlite3_column_bytes(handle, column);
        break;
    case SQLITE_BLOB:
        out->type = ITSI_DB_BLOB;
        out->bytes = sqlite3_column_blob(handle, column);
        out->size = (size_t)sqlite3_column_bytes(handle, column);
        break;
    default: break;
    }
}

/* Steps through a bound statement; always leaves it reset. */
static int execute(struct sqlite_connection *db, sqlite3_stmt *handle, itsi_db_row_fn *row, void *arg, const char *what,
                   struct its_diag *diag)
{
    struct itsi_db_value values[ITSI_DB_WIDTH];
    int status = SQLITE_DONE, stopped = 0;
    while (!stopped && (status = sqlite3_step(handle)) == SQLITE_ROW) {
        int width = sqlite3_column_count(handle);
        if (width > ITSI_DB_WIDTH)
            width = ITSI_DB_WIDTH;
        for (int c = 0; c < width; c++)
            read_column(handle, c, &values[c]);
        stopped = row ? row(arg, values, width) : 0;
    }
    int rc = stopped;
    if (!stopped && status != SQLITE_DONE)
        rc = fail(db, sqlite3_extended_errcode(db->handle), what, diag);
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
    return rc;
}

/* SQLite would go on in a file that nobody finds any more. Before a transaction and not in it: one that has begun is whole. */
static int look_for_the_file(struct sqlite_connection *db, struct its_diag *diag)
{
    int has_moved = 0;
    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) != SQLITE_OK || !has_moved)
        return 0;
    db->has_moved = true;
    return itsi_fail(diag, ITS_EIO, "%s: was moved or removed while it was open", db->path);
}

static int run(struct itsi_db_connection *base, const struct itsi_db_statement *statement,
               const struct itsi_db_value *values, int count, itsi_db_row_fn *row, void *arg, int64_t deadline,
               struct its_diag *diag)
{
    struct sqlite_connection *db = sqlite_of(base);
    const char *what = statement->name ? statement->name : statement->sql;
    struct prepared *known = statement->name ? find(db, statement) : NULL;
    sqlite3_stmt *handle = known ? known->handle : NULL;
    db->deadline = deadline;
    int rc = base->in_transaction ? 0 : look_for_the_file(db, diag);
    if (rc != 0)
        return rc;
    if (!handle) {
        rc = prepare(db, statement->sql, what, &handle, diag);
        if (rc != 0)
            return rc;
        if (statement->name)
            *place(db) = (struct prepared){.statement = statement, .handle = handle};
    }
    rc = bind(handle, values, count) == SQLITE_OK ? execute(db, handle, row, arg, what, diag)
                                                      : fail(db, sqlite3_errcode(db->handle), what, diag);
    if (!statement->name)
        sqlite3_finalize(handle);
    return rc;
}

static int pipeline(struct itsi_db_connection *base, const struct itsi_db_call *calls, int count, int64_t deadline,
                    struct its_diag *diag)
{
    for (int i = 0; i < count; i++) {
        int rc = run(base, calls[i].statement, calls[i].values, calls[i].count, NULL, NULL, deadline, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* --- bulk -------------------------------------------------------------------------------------------------------- */

static int prepare_bulk(struct sqlite_connection *db, const struct itsi_db_bulk *bulk, sqlite3_stmt **out,
                        struct its_diag *diag)
{
    struct itsi_buf sql;
    itsi_buf_init(&sql);
    itsi_buf_printf(&sql, "INSERT INTO %s AS t (", bulk->table);
    for (int c = 0; c < bulk->width; c++)
        itsi_buf_printf(&sql, "%s%s", c ? ", " : "", bulk->columns[c]);
    itsi_buf_puts(&sql, ") VALUES (");
    for (int c = 0; c < bulk->width; c++)
        itsi_buf_printf(&sql, "%s?%d", c ? ", " : "", c + 1);
    itsi_buf_puts(&sql, ")");
    if (bulk->conflict)
        itsi_buf_printf(&sql, " ON CONFLICT %s", bulk->conflict);
    int rc = sql.failed ? itsi_fail(diag, ITS_ENOMEM, "%s: %s: out of memory", db->path, bulk->table)
                        : prepare(db, sql.data, bulk->table, out, diag);
    itsi_buf_fini(&sql);
    return rc;
}

static int append(struct itsi_db_connection *base, const struct itsi_db_bulk *bulk, const struct itsi_db_value *rows,
                  size_t count, int64_t deadline, struct its_diag *diag)
{
    struct sqlite_connection *db = sqlite_of(base);
    struct prepared *known = find(db, bulk);
    sqlite3_stmt *handle = known ? known->handle : NULL;
    db->deadline = deadline;
    if (!handle) {
        int rc = prepare_bulk(db, bulk, &handle, diag);
        if (rc != 0)
            return rc;
        *place(db) = (struct prepared){.bulk = bulk, .handle = handle};
    }
    for (size_t r = 0; r < count; r++) {
        int status = bind(handle, rows + r * (size_t)bulk->width, bulk->width);
        int rc = status == SQLITE_OK ? execute(db, handle, NULL, NULL, bulk->table, diag)
                                     : fail(db, status, bulk->table, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static bool is_good(const struct itsi_db_connection *base)
{
    /* a transaction that SQLite itself rolled back (disk full) leaves the connection usable */
    const struct sqlite_connection *db = (const struct sqlite_connection *)base;
    return !atomic_load(&db->is_abandoned) && !db->has_moved;
}

static void abandon(struct itsi_db_connection *base)
{
    struct sqlite_connection *db = sqlite_of(base);
    atomic_store(&db->is_abandoned, true);
    sqlite3_interrupt(db->handle);
}

static void close_it(struct itsi_db_connection *base)
{
    struct sqlite_connection *db = sqlite_of(base);
    for (int i = 0; i < db->prepared_count; i++)
        sqlite3_finalize(db->prepared[i].handle);
    sqlite3_close_v2(db->handle);
    itsi_free(db->path);
    itsi_free(db);
}

static const struct itsi_db_driver driver = {
    .name = "sqlite", .run = run, .pipeline = pipeline, .append = append, .is_good = is_good, .abandon = abandon, .close = close_it};

static int set_up(struct sqlite_connection *db, struct its_diag *diag)
{
    static const char *const pragmas[] = {
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL", /* what was acknowledged stays, also when the power goes */
        "PRAGMA foreign_keys = ON",
        "PRAGMA trusted_schema = OFF",
        "PRAGMA cache_size = -8000", /* KiB */
        "PRAGMA temp_store = MEMORY",
    };
    for (size_t i = 0; i < sizeof pragmas / sizeof *pragmas; i++) {
        const struct itsi_db_statement statement = {.sql = pragmas[i]};
        int rc = itsi_db_run(&db->base, &statement, NULL, 0, NULL, NULL, itsi_now_ns() + 10 * ITSI_NS_PER_S, diag);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int itsi_sqlite_open(struct itsi_db_connection **out, const char *path, struct its_diag *diag)
{
    struct sqlite_connection *db = itsi_zalloc(sizeof *db);
    if (!db || !(db->path = itsi_strdup(path))) {
        itsi_free(db);
        return itsi_fail(diag, ITS_ENOMEM, "%s: out of memory", path);
    }
    db->base.driver = &driver;
    db->deadline = ITSI_NEVER;
    int status = sqlite3_open_v2(path, &db->handle,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                 NULL);
    int rc = status == SQLITE_OK ? 0 : fail(db, status, "cannot be opened", diag);
    if (rc == 0) {
        sqlite3_busy_handler(db->handle, wait_for_the_lock, db);
        sqlite3_progress_handler(db->handle, STEPS_BETWEEN_LOOKS, look_at_the_clock, db);
        rc = set_up(db, diag);
    }
    if (rc != 0) {
        close_it(&db->base);
        return rc;
    }
    *out = &db->base;
    return 0;
}

#include "store/schema.h"

#include "base/clock.h"
#include "base/diag.h"

#include <stdio.h>

/* What has shipped is never changed: a new version is added at the end. `;` is not understood: a statement each. */
#define ID_SQLITE "id INTEGER PRIMARY KEY"
#define ID_POSTGRES "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
#define EVENT(id) "CREATE TABLE its_event (" id ", time_ns BIGINT NOT NULL, camera TEXT NOT NULL, kind TEXT NOT NULL, " \
                  "class TEXT, track BIGINT, data TEXT)"
#define VIOLATION(id) "CREATE TABLE its_violation (" id ", time_ns BIGINT NOT NULL, camera TEXT NOT NULL, stage TEXT NOT "  \
                      "NULL, latency_ms DOUBLE PRECISION NOT NULL, waited_ms DOUBLE PRECISION NOT NULL, batch BIGINT NOT " \
                      "NULL, level BIGINT NOT NULL, trace TEXT)"
#define QUALITY(id) "CREATE TABLE its_quality_change (" id ", time_ns BIGINT NOT NULL, camera TEXT NOT NULL, from_level " \
                    "BIGINT NOT NULL, to_level BIGINT NOT NULL, reason TEXT NOT NULL, inputs TEXT)"
/* The key is the order in which a camera's rows are asked for, and deleted. SQLite keeps the rows in the key itself. */
#define COUNT "CREATE TABLE its_count (camera TEXT NOT NULL, minute BIGINT NOT NULL, class TEXT NOT NULL, n BIGINT NOT NULL, " \
              "PRIMARY KEY (camera, minute, class))"

static const struct itsi_db_statement first[] = {
    {.sql = "CREATE TABLE its_writer (writer BIGINT PRIMARY KEY, seq BIGINT NOT NULL, updated_ns BIGINT NOT NULL)"},
    {.sql = "CREATE TABLE its_duty (duty TEXT PRIMARY KEY, holder BIGINT NOT NULL, until_ns BIGINT NOT NULL)"},
    {.sql = "CREATE TABLE its_camera (camera TEXT PRIMARY KEY, updated_ns BIGINT NOT NULL, settings TEXT)"},
    {.sql = COUNT " WITHOUT ROWID", .postgres = COUNT},
    {.sql = EVENT(ID_SQLITE), .postgres = EVENT(ID_POSTGRES)},
    {.sql = "CREATE INDEX its_event_by_camera ON its_event (camera, time_ns, id)"},
    {.sql = VIOLATION(ID_SQLITE), .postgres = VIOLATION(ID_POSTGRES)},
    {.sql = "CREATE INDEX its_violation_by_camera ON its_violation (camera, time_ns, id)"},
    {.sql = QUALITY(ID_SQLITE), .postgres = QUALITY(ID_POSTGRES)},
    {.sql = "CREATE INDEX its_quality_change_by_camera ON its_quality_change (camera, time_ns, id)"},
};

/* A count of the running minute is written again with every flush. PostgreSQL then has room for the next version on the
 * same page, and leaves the key's index alone. */
static const struct itsi_db_statement room_for_updates[] = {
    {.sql = "SELECT 1", .postgres = "ALTER TABLE its_count SET (fillfactor = 70)"},
};

static const struct migration {
    const char *name;
    const struct itsi_db_statement *statements;
    int count;
} migrations[] = {
    {"first", first, sizeof first / sizeof *first},
    {"room for updates", room_for_updates, sizeof room_for_updates / sizeof *room_for_updates},
};
enum { NEWEST = sizeof migrations / sizeof *migrations };

int itsi_store_schema_version(void)
{
    return NEWEST;
}

/* Until the end of the transaction nobody else migrates. SQLite's transactions exclude each other anyway. */
static int exclude_others(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement lock = {.sql = "SELECT 1", .postgres = "SELECT pg_advisory_xact_lock(5284157302198)"};
    static const struct itsi_db_statement make = {
        .sql = "CREATE TABLE IF NOT EXISTS its_schema (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_ns BIGINT NOT NULL)"};
    int rc = itsi_db_run(db, &lock, NULL, 0, NULL, NULL, deadline, diag);
    return rc ? rc : itsi_db_run(db, &make, NULL, 0, NULL, NULL, deadline, diag);
}

struct version {
    int64_t number;
    char name[64];
};

static int keep_version(void *arg, const struct itsi_db_value *values, int count)
{
    struct version *out = arg;
    (void)count;
    out->number = values[0].number;
    snprintf(out->name, sizeof out->name, "%s", (const char *)values[1].bytes);
    return 0;
}

static int read_version(struct itsi_db_connection *db, struct version *out, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement ask = {.sql = "SELECT version, name FROM its_schema ORDER BY version DESC LIMIT 1"};
    *out = (struct version){.number = 0};
    int rc = itsi_db_run(db, &ask, NULL, 0, keep_version, out, deadline, diag);
    if (rc == 0 && out->number > NEWEST)
        rc = itsi_fail(diag, ITS_EUNSUPPORTED, "the store's schema is of version %lld (\"%s\"), newer than this program's %d: run a newer program",
                       (long long)out->number, out->name, NEWEST);
    return rc;
}

static int apply(struct itsi_db_connection *db, const struct migration *migration, int64_t number, int64_t deadline,
                 struct its_diag *diag)
{
    static const struct itsi_db_statement note = {.sql = "INSERT INTO its_schema (version, name, applied_ns) VALUES (?1, ?2, ?3)"};
    const struct itsi_db_value values[] = {itsi_db_int(number), itsi_db_text(migration->name), itsi_db_int(itsi_wall_ns())};
    int rc = 0;
    for (int i = 0; i < migration->count && rc == 0; i++)
        rc = itsi_db_run(db, &migration->statements[i], NULL, 0, NULL, NULL, deadline, diag);
    if (rc == 0)
        rc = itsi_db_run(db, &note, values, 3, NULL, NULL, deadline, diag);
    return rc ? itsi_diag_prefix(diag, rc, "migration %lld (\"%s\")", (long long)number, migration->name) : 0;
}

/* In the open transaction. */
static int step(struct itsi_db_connection *db, bool *is_newest, int64_t deadline, struct its_diag *diag)
{
    struct version version;
    int rc = exclude_others(db, deadline, diag);
    if (rc == 0)
        rc = read_version(db, &version, deadline, diag);
    if (rc != 0)
        return rc;
    *is_newest = version.number == NEWEST;
    return *is_newest ? 0 : apply(db, &migrations[version.number], version.number + 1, deadline, diag);
}

int itsi_store_migrate(struct itsi_db_connection *db, int64_t deadline, struct its_diag *diag)
{
    bool is_newest = false;
    while (!is_newest) {
        int rc = itsi_db_begin(db, deadline, diag);
        if (rc == 0)
            rc = step(db, &is_newest, deadline, diag);
        if (rc == 0)
            rc = itsi_db_commit(db, deadline, diag);
        if (rc != 0) {
            itsi_db_rollback(db, deadline);
            return rc;
        }
    }
    return 0;
}

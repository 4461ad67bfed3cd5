#include "store/tables.h"

const char *itsi_store_table_name(enum itsi_store_table table)
{
    static const char *const names[] = {
#define ITS_X(name, label) label,
        ITSI_STORE_TABLE_MAP(ITS_X)
#undef ITS_X
    };
    return names[table];
}

#define COLUMNS(...) ((const char *const[]){__VA_ARGS__})
#define TYPES(...) ((const enum itsi_db_type[]){__VA_ARGS__})
#define TEXT ITSI_DB_TEXT
#define INT ITSI_DB_INT
#define REAL ITSI_DB_REAL

/* An older state, come late from a spool, does not undo a newer one; one that is ten minutes ahead is of a clock that was
 * wrong (set by hand, summer's time by mistake), and would stay until then. */
#define PUT_CAMERA(seconds)                                                                                            \
    "INSERT INTO its_camera AS t (camera, updated_ns, settings) VALUES (?1, ?2, ?3) ON CONFLICT (camera) DO UPDATE SET "    \
    "updated_ns = excluded.updated_ns, settings = excluded.settings WHERE t.updated_ns <= excluded.updated_ns OR "        \
    "t.updated_ns > (CAST(" seconds " AS BIGINT) + 600) * 1000000000"
static const struct itsi_db_statement put_camera = {.name = "store_put_camera",
                                                    .sql = PUT_CAMERA("strftime('%s', 'now')"),
                                                    .postgres = PUT_CAMERA("extract(epoch FROM now())")};

const struct itsi_store_columns itsi_store_columns[ITSI_STORE_TABLES] = {
    [ITSI_STORE_CAMERA] = {.bulk = {.table = "its_camera",
                                    .columns = COLUMNS("camera", "updated_ns", "settings"),
                                    .types = TYPES(TEXT, INT, TEXT),
                                    .width = 3},
                           .may_be_null = 1U << 2,
                           .upsert = &put_camera},
    [ITSI_STORE_COUNT] = {.bulk = {.table = "its_count",
                                   .columns = COLUMNS("camera", "minute", "class", "n"),
                                   .types = TYPES(TEXT, INT, TEXT, INT),
                                   .width = 4,
                                   .conflict = "(camera, minute, class) DO UPDATE SET n = t.n + excluded.n"}},
    [ITSI_STORE_EVENT] = {.bulk = {.table = "its_event",
                                   .columns = COLUMNS("time_ns", "camera", "kind", "class", "track", "data"),
                                   .types = TYPES(INT, TEXT, TEXT, TEXT, INT, TEXT),
                                   .width = 6},
                          .may_be_null = 1U << 3 | 1U << 4 | 1U << 5},
    [ITSI_STORE_VIOLATION] = {.bulk = {.table = "its_violation",
                                       .columns = COLUMNS("time_ns", "camera", "stage", "latency_ms", "waited_ms", "batch",
                                                          "level", "trace"),
                                       .types = TYPES(INT, TEXT, TEXT, REAL, REAL, INT, INT, TEXT),
                                       .width = 8},
                              .may_be_null = 1U << 7},
    [ITSI_STORE_QUALITY] = {.bulk = {.table = "its_quality_change",
                                     .columns = COLUMNS("time_ns", "camera", "from_level", "to_level", "reason", "inputs"),
                                     .types = TYPES(INT, TEXT, INT, INT, TEXT, TEXT),
                                     .width = 6},
                            .may_be_null = 1U << 5},
};

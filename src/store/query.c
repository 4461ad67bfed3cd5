#include "store/query.h"

#include "base/diag.h"

/* What a row callback of the database needs to call one of ours. */
union row_fn {
    itsi_store_camera_fn *camera;
    itsi_store_count_fn *count;
    itsi_store_event_fn *event;
    itsi_store_violation_fn *violation;
    itsi_store_quality_fn *quality;
};

struct reader {
    union row_fn row;
    void *arg;
};

static const char *text_of(const struct itsi_db_value *value)
{
    return value->type == ITSI_DB_TEXT ? value->bytes : NULL;
}

static int ask(struct itsi_database *database, const struct itsi_db_statement *statement, const struct itsi_db_value *values,
               int count, int limit, itsi_db_row_fn *row, void *arg, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_pool_owner owner = {.component = "store", .stage = "query"};
    struct itsi_db_lease lease;
    if (limit < 1 || limit > ITSI_STORE_LIMIT_MOST)
        return itsi_fail(diag, ITS_EINVAL, "store: between 1 and %d rows may be asked for, not %d", ITSI_STORE_LIMIT_MOST, limit);
    int rc = itsi_database_borrow(database, &owner, deadline, &lease, diag);
    if (rc != 0)
        return rc;
    rc = itsi_db_run(lease.connection, statement, values, count, row, arg, deadline, diag);
    itsi_database_return(database, &lease, deadline);
    return rc;
}

/* --- cameras ------------------------------------------------------------------------------------------------------- */

static int give_camera(void *arg, const struct itsi_db_value *v, int count)
{
    (void)count;
    const struct reader *reader = arg;
    const struct itsi_store_camera_row row = {
        .camera = text_of(&v[0]), .updated_ns = v[1].number, .settings = text_of(&v[2])};
    return reader->row.camera(reader->arg, &row);
}

int itsi_store_cameras(struct itsi_database *database, const char *after, int limit, itsi_store_camera_fn *row, void *arg,
                       int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement statement = {
        .name = "store_cameras",
        .sql = "SELECT camera, updated_ns, settings FROM its_camera WHERE camera > ?1 ORDER BY camera LIMIT ?2"};
    const struct itsi_db_value values[] = {itsi_db_text(after ? after : ""), itsi_db_int(limit)};
    struct reader reader = {.row.camera = row, .arg = arg};
    return ask(database, &statement, values, 2, limit, give_camera, &reader, deadline, diag);
}

static int give_known(void *arg, const struct itsi_db_value *v, int count)
{
    (void)v;
    (void)count;
    *(bool *)arg = true;
    return 0;
}

int itsi_store_camera_known(struct itsi_database *database, const char *camera, bool *known, int64_t deadline,
                            struct its_diag *diag)
{
    static const struct itsi_db_statement statement = {.name = "store_camera_known",
                                                       .sql = "SELECT 1 FROM its_camera WHERE camera = ?1"};
    const struct itsi_db_value value = itsi_db_text(camera);
    bool found = false;
    int rc = ask(database, &statement, &value, 1, 1, give_known, &found, deadline, diag);
    if (rc == 0)
        *known = found;
    return rc;
}

/* --- counts -------------------------------------------------------------------------------------------------------- */

static int give_count(void *arg, const struct itsi_db_value *v, int count)
{
    (void)count;
    const struct reader *reader = arg;
    const struct itsi_store_count_row row = {.minute = v[0].number, .class_name = text_of(&v[1]), .n = v[2].number};
    return reader->row.count(reader->arg, &row);
}

int itsi_store_counts(struct itsi_database *database, const struct itsi_store_count_query *query, itsi_store_count_fn *row,
                      void *arg, int64_t deadline, struct its_diag *diag)
{
    /* the key gives the camera's minutes in order; a page starts in the bucket in which the last one ended */
    static const struct itsi_db_statement statement = {
        .name = "store_counts",
        .sql = "SELECT minute / ?4 * ?4 AS bucket, class, CAST(sum(n) AS BIGINT) FROM its_count WHERE camera = ?1 AND minute >= "
               "?2 AND minute < ?3 AND (CAST(?5 AS TEXT) IS NULL OR class = ?5) AND (minute / ?4 * ?4 > ?6 OR class > ?7) "
               "GROUP BY bucket, class ORDER BY bucket, class LIMIT ?8"};
    struct reader reader = {.row.count = row, .arg = arg};
    if (query->bucket_minutes < 1)
        return itsi_fail(diag, ITS_EINVAL, "store: counts are summed up by at least a minute");
    const int64_t after = query->after_class ? query->after_minute : INT64_MIN;
    const struct itsi_db_value values[] = {itsi_db_text(query->camera),
                                           itsi_db_int(after > query->from_minute ? after : query->from_minute),
                                           itsi_db_int(query->to_minute),
                                           itsi_db_int(query->bucket_minutes),
                                           itsi_db_text(query->class_name),
                                           itsi_db_int(after),
                                           itsi_db_text(query->after_class ? query->after_class : ""),
                                           itsi_db_int(query->limit)};
    return ask(database, &statement, values, 8, query->limit, give_count, &reader, deadline, diag);
}

/* --- pages of what happened ----------------------------------------------------------------------------------------- */

#define PAGE(table, columns)                                                                                           \
    {.name = "store_page_" table,                                                                                      \
     .sql = "SELECT id, time_ns, " columns " FROM " table " WHERE camera = ?1 AND (time_ns, id) < (?2, ?3) ORDER BY "    \
            "time_ns DESC, id DESC LIMIT ?4"}

static int ask_page(struct itsi_database *database, const struct itsi_db_statement *statement, const struct itsi_store_page *page,
                    itsi_db_row_fn *row, struct reader *reader, int64_t deadline, struct its_diag *diag)
{
    const struct itsi_db_value values[] = {itsi_db_text(page->camera), itsi_db_int(page->before_ns),
                                           itsi_db_int(page->before_id), itsi_db_int(page->limit)};
    return ask(database, statement, values, 4, page->limit, row, reader, deadline, diag);
}

static int give_event(void *arg, const struct itsi_db_value *v, int count)
{
    (void)count;
    const struct reader *reader = arg;
    const struct itsi_store_event_row row = {.id = v[0].number,
                                             .wall_ns = v[1].number,
                                             .kind = text_of(&v[2]),
                                             .class_name = text_of(&v[3]),
                                             .track = v[4].number,
                                             .data = text_of(&v[5])};
    return reader->row.event(reader->arg, &row);
}

int itsi_store_events(struct itsi_database *database, const struct itsi_store_page *page, itsi_store_event_fn *row, void *arg,
                      int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement statement = PAGE("its_event", "kind, class, track, data");
    struct reader reader = {.row.event = row, .arg = arg};
    return ask_page(database, &statement, page, give_event, &reader, deadline, diag);
}

static int give_violation(void *arg, const struct itsi_db_value *v, int count)
{
    (void)count;
    const struct reader *reader = arg;
    const struct itsi_store_violation_row row = {.id = v[0].number,
                                                 .wall_ns = v[1].number,
                                                 .stage = text_of(&v[2]),
                                                 .latency_ms = v[3].real,
                                                 .waited_ms = v[4].real,
                                                 .batch = (int)v[5].number,
                                                 .level = (int)v[6].number,
                                                 .trace = text_of(&v[7])};
    return reader->row.violation(reader->arg, &row);
}

int itsi_store_violations(struct itsi_database *database, const struct itsi_store_page *page, itsi_store_violation_fn *row,
                          void *arg, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement statement = PAGE("its_violation", "stage, latency_ms, waited_ms, batch, level, trace");
    struct reader reader = {.row.violation = row, .arg = arg};
    return ask_page(database, &statement, page, give_violation, &reader, deadline, diag);
}

static int give_quality(void *arg, const struct itsi_db_value *v, int count)
{
    (void)count;
    const struct reader *reader = arg;
    const struct itsi_store_quality_row row = {.id = v[0].number,
                                               .wall_ns = v[1].number,
                                               .from_level = (int)v[2].number,
                                               .to_level = (int)v[3].number,
                                               .reason = text_of(&v[4]),
                                               .inputs = text_of(&v[5])};
    return reader->row.quality(reader->arg, &row);
}

int itsi_store_quality_changes(struct itsi_database *database, const struct itsi_store_page *page, itsi_store_quality_fn *row,
                               void *arg, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement statement = PAGE("its_quality_change", "from_level, to_level, reason, inputs");
    struct reader reader = {.row.quality = row, .arg = arg};
    return ask_page(database, &statement, page, give_quality, &reader, deadline, diag);
}

#include "store/retain.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum { WRITER_DAYS = 366 }; /* a spool may come back after a long time: its writer is to be known still */
#define BETWEEN_STEPS_NS (100 * ITSI_NS_PER_MS)
#define BETWEEN_PASSES_NS (3600 * ITSI_NS_PER_S)
/* In doubt its hours are kept more often, so that those of short runs add up as well. */
#define BETWEEN_PASSES_IN_DOUBT_NS (300 * ITSI_NS_PER_S)
#define FIRST_PASS_NS (60 * ITSI_NS_PER_S)
#define DUTY_NS (60 * ITSI_NS_PER_S)
#define DUTY_MOST_NS (10 * DUTY_NS) /* clocks may differ; one that lasts longer was taken by a clock that was wrong */
#define NS_PER_DAY (86400 * ITSI_NS_PER_S)
#define NS_PER_MINUTE (60 * ITSI_NS_PER_S)

/* ?1 the camera, ?2 the limit. The key (camera, time) finds the oldest without looking at others; rows of one instant go
 * together. */
#define OLDEST_OF_STEP "2000"
#define DELETE(table, time)                                                                                            \
    {.name = "store_delete_" table,                                                                                    \
     .sql = "DELETE FROM " table " WHERE camera = ?1 AND " time " < ?2 AND " time " <= (SELECT max(" time ") FROM (SELECT " \
            time " FROM " table " WHERE camera = ?1 ORDER BY " time " LIMIT " OLDEST_OF_STEP ") AS oldest) RETURNING 1"}
#define NEXT(table) {.name = "store_next_" table, .sql = "SELECT min(camera) FROM " table " WHERE camera > ?1"}

static const struct aged {
    struct itsi_db_statement next, delete_some;
    int64_t unit_ns; /* of its time */
} aged[ITSI_STORE_TABLES] = {
    [ITSI_STORE_COUNT] = {NEXT("its_count"), DELETE("its_count", "minute"), NS_PER_MINUTE},
    [ITSI_STORE_EVENT] = {NEXT("its_event"), DELETE("its_event", "time_ns"), 1},
    [ITSI_STORE_VIOLATION] = {NEXT("its_violation"), DELETE("its_violation", "time_ns"), 1},
    [ITSI_STORE_QUALITY] = {NEXT("its_quality_change"), DELETE("its_quality_change", "time_ns"), 1},
};

void itsi_retention_init(struct itsi_retention *retention, const int days[ITSI_STORE_TABLES], int64_t now)
{
    memset(retention, 0, sizeof *retention);
    memcpy(retention->days, days, sizeof retention->days);
    retention->next_ns = now + FIRST_PASS_NS;
}

static int count_row(void *arg, const struct itsi_db_value *values, int count)
{
    (void)values;
    (void)count;
    ++*(uint64_t *)arg;
    return 0;
}

/* is_ours: for the next minute nobody else deletes. */
static int take_duty(struct itsi_db_connection *db, int64_t holder, int64_t wall_ns, uint64_t *is_ours, int64_t deadline,
                     struct its_diag *diag)
{
    static const struct itsi_db_statement take = {
        .name = "store_take_duty",
        .sql = "INSERT INTO its_duty AS t (duty, holder, until_ns) VALUES ('retention', ?1, ?2) ON CONFLICT (duty) DO UPDATE "
               "SET holder = excluded.holder, until_ns = excluded.until_ns WHERE t.holder = excluded.holder OR t.until_ns < ?3 "
               "OR t.until_ns > ?4 RETURNING holder"};
    const struct itsi_db_value values[] = {itsi_db_int(holder), itsi_db_int(wall_ns + DUTY_NS), itsi_db_int(wall_ns),
                                           itsi_db_int(wall_ns + DUTY_MOST_NS)};
    *is_ours = 0;
    return itsi_db_run(db, &take, values, 4, count_row, is_ours, deadline, diag);
}

/* --- the clock ----------------------------------------------------------------------------------------------------- */

/* Kept beside the duties, a row each. */
#define KNOWN_TIME "clock"
#define IN_DOUBT "doubt"            /* what the clock in doubt said last; 0: none is */
#define EVEN "doubt_even"           /* how long it had gone evenly, ns */

static int keep_known(void *arg, const struct itsi_db_value *values, int count)
{
    struct itsi_wall_known *known = arg;
    const char *name = values[0].bytes;
    (void)count;
    *(strcmp(name, KNOWN_TIME) == 0 ? &known->wall_ns : strcmp(name, IN_DOUBT) == 0 ? &known->doubt_wall_ns : &known->doubt_even_ns) =
        values[1].number;
    return 0;
}

/* The time of the last batch is known wherever there ever was one; else there is nothing that this clock could delete. */
static int begin_known(struct itsi_db_connection *db, int64_t holder, int64_t wall_ns, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement begin = {
        .name = "store_begin_known_time",
        .sql = "INSERT INTO its_duty (duty, holder, until_ns) SELECT '" KNOWN_TIME "', CAST(?1 AS BIGINT), coalesce(max(updated_ns), "
               "?2) FROM its_writer WHERE true ON CONFLICT (duty) DO NOTHING"};
    const struct itsi_db_value values[] = {itsi_db_int(holder), itsi_db_int(wall_ns)};
    return itsi_db_run(db, &begin, values, 2, NULL, NULL, deadline, diag);
}

int itsi_retention_know(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t holder, int64_t now,
                        int64_t wall_ns, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement ask = {
        .name = "store_known_time",
        .sql = "SELECT duty, until_ns FROM its_duty WHERE duty IN ('" KNOWN_TIME "', '" IN_DOUBT "', '" EVEN "')"};
    struct itsi_wall_known known = {.wall_ns = wall_ns};
    if (retention->has_trust)
        return 0;
    int rc = begin_known(db, holder, wall_ns, deadline, diag);
    if (rc == 0)
        rc = itsi_db_run(db, &ask, NULL, 0, keep_known, &known, deadline, diag);
    if (rc != 0)
        return rc;
    itsi_wall_trust_init(&retention->trust, now, &known);
    retention->has_trust = true;
    return 0;
}

/* Once a pass is often enough: a process that starts again within a day of it knows the time. */
static int leave_known(const struct itsi_retention *retention, struct itsi_db_connection *db, int64_t holder, int64_t now,
                       int64_t wall_ns, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement keep = {
        .name = "store_keep_known_time",
        .sql = "INSERT INTO its_duty (duty, holder, until_ns) VALUES ('" KNOWN_TIME "', ?1, ?2), ('" IN_DOUBT "', ?1, ?3), ('" EVEN
               "', ?1, ?4) ON CONFLICT (duty) DO UPDATE SET holder = excluded.holder, until_ns = excluded.until_ns"};
    const struct itsi_wall_known known = itsi_wall_trust_known(&retention->trust, now, wall_ns);
    const struct itsi_db_value values[] = {itsi_db_int(holder), itsi_db_int(known.wall_ns), itsi_db_int(known.doubt_wall_ns),
                                           itsi_db_int(known.doubt_even_ns)};
    return itsi_db_run(db, &keep, values, 4, NULL, NULL, deadline, diag);
}

bool itsi_retention_is_in_doubt(const struct itsi_retention *retention)
{
    return retention->trust.is_in_doubt;
}

/* --- deleting ------------------------------------------------------------------------------------------------------ */

static int keep_camera(void *arg, const struct itsi_db_value *values, int count)
{
    (void)count;
    if (values[0].type == ITSI_DB_TEXT)
        snprintf(arg, ITSI_STORE_CAMERA_SIZE, "%s", (const char *)values[0].bytes);
    return 0;
}

static int delete_writers(struct itsi_db_connection *db, int64_t wall_ns, int64_t deadline, struct its_diag *diag)
{
    static const struct itsi_db_statement old = {.name = "store_delete_writers",
                                                 .sql = "DELETE FROM its_writer WHERE updated_ns < ?1"};
    const struct itsi_db_value limit = itsi_db_int(wall_ns - WRITER_DAYS * NS_PER_DAY);
    return itsi_db_run(db, &old, &limit, 1, NULL, NULL, deadline, diag);
}

/* Some of the camera after the last; when it has no more of them, that is the last. */
static int delete_some(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t wall_ns, int64_t deadline,
                       uint64_t *deleted, struct its_diag *diag)
{
    const struct aged *table = &aged[retention->table];
    const int64_t limit = (wall_ns - retention->days[retention->table] * NS_PER_DAY) / table->unit_ns;
    char camera[ITSI_STORE_CAMERA_SIZE] = "";
    const struct itsi_db_value after = itsi_db_text(retention->camera);
    uint64_t rows = 0;
    int rc = itsi_db_run(db, &table->next, &after, 1, keep_camera, camera, deadline, diag);
    if (rc == 0 && *camera) {
        const struct itsi_db_value values[] = {itsi_db_text(camera), itsi_db_int(limit)};
        rc = itsi_db_run(db, &table->delete_some, values, 2, count_row, &rows, deadline, diag);
    }
    if (rc != 0)
        return rc;
    *deleted += rows;
    if (!*camera)
        retention->table++;
    if (rows == 0)
        memcpy(retention->camera, camera, sizeof camera); /* empty: the next table from its first */
    return 0;
}

static void begin_next_pass(struct itsi_retention *retention, int64_t now)
{
    retention->table = 0;
    retention->camera[0] = '\0';
    retention->next_ns = now + (retention->trust.is_in_doubt ? BETWEEN_PASSES_IN_DOUBT_NS : BETWEEN_PASSES_NS);
}

static int end_pass(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t holder, int64_t now,
                    int64_t wall_ns, int64_t trusted_ns, int64_t deadline, struct its_diag *diag)
{
    begin_next_pass(retention, now);
    const int rc = leave_known(retention, db, holder, now, wall_ns, deadline, diag);
    return rc ? rc : delete_writers(db, trusted_ns, deadline, diag);
}

int itsi_retention_step(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t holder, int64_t now,
                        int64_t wall_ns, int64_t deadline, uint64_t *deleted, struct its_diag *diag)
{
    uint64_t is_ours;
    int rc = itsi_retention_know(retention, db, holder, now, wall_ns, deadline, diag);
    if (rc != 0)
        return rc;
    const int64_t trusted_ns = itsi_wall_trust_look(&retention->trust, now, wall_ns);
    rc = take_duty(db, holder, wall_ns, &is_ours, deadline, diag);
    if (rc != 0)
        return rc;
    if (!is_ours) { /* who has it keeps the time as well; this one only goes on watching its clock */
        begin_next_pass(retention, now);
        return 0;
    }
    while (retention->table < ITSI_STORE_TABLES &&
           (retention->days[retention->table] == 0 || !aged[retention->table].unit_ns))
        retention->table++;
    if (retention->table == ITSI_STORE_TABLES)
        return end_pass(retention, db, holder, now, wall_ns, trusted_ns, deadline, diag);
    retention->next_ns = now + BETWEEN_STEPS_NS;
    return delete_some(retention, db, trusted_ns, deadline, deleted, diag);
}

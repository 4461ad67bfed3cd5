#include "pool/sqlite.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "pool/database_request.h"
#include "support/check.h"
#include "support/database_conformance.h"
#include "support/database_requests.h"

#include <stdatomic.h>
#include <unistd.h>

static char path[] = "/tmp/its-sqlite-test-XXXXXX";

static atomic_int syncs;

/* In libc's place, for SQLite too, on whichever thread it writes: counted and not done. No power is cut here, and how long a
 * disk takes is nothing these tests should depend on. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    atomic_fetch_add(&syncs, 1);
    return 0;
}

static int open_it(struct itsi_db_connection **out, struct its_diag *diag)
{
    return itsi_sqlite_open(out, path, diag);
}

static void what_is_no_database_is_named_and_left_alone(void **state)
{
    (void)state;
    struct itsi_db_connection *db;
    struct its_diag diag;
    char other[64];
    snprintf(other, sizeof other, "%s.txt", path);
    FILE *file = fopen(other, "w");
    for (int i = 0; i < 200; i++)
        fputs("this is a letter to somebody\n", file);
    fclose(file);
    assert_int_equal(itsi_sqlite_open(&db, other, &diag), ITS_EFORMAT);
    CHECK_CONTAINS(diag.text, other);
    file = fopen(other, "r");
    char line[64];
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "this is a letter to somebody\n");
    fclose(file);
    unlink(other);
    assert_int_equal(itsi_sqlite_open(&db, "/no/such/folder/its.db", &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, "/no/such/folder/its.db");
}

static void run(struct itsi_db_connection *db, const char *sql)
{
    const struct itsi_db_statement statement = {.sql = sql};
    struct its_diag diag;
    CHECK_OK(itsi_db_run(db, &statement, NULL, 0, NULL, NULL, ITSI_NEVER, &diag), diag);
}

/* Who was told that it is in the database may forget it: the store removes a spooled file then. */
static void what_is_committed_outlasts_a_power_cut(void **state)
{
    (void)state;
    struct itsi_db_connection *db;
    struct its_diag diag;
    CHECK_OK(itsi_sqlite_open(&db, path, &diag), diag);
    run(db, "CREATE TABLE synced (a BIGINT)");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(itsi_db_begin(db, ITSI_NEVER, &diag), diag);
        run(db, "INSERT INTO synced VALUES (1)");
        const int before = atomic_load(&syncs);
        CHECK_OK(itsi_db_commit(db, ITSI_NEVER, &diag), diag);
        assert_true(atomic_load(&syncs) > before);
    }
    run(db, "DROP TABLE synced");
    itsi_db_close(db);
}

/* What is written from then on would be nowhere. */
static void a_file_that_is_taken_away_is_noticed(void **state)
{
    (void)state;
    struct itsi_db_connection *db;
    struct its_diag diag;
    char elsewhere[64];
    static const struct itsi_db_statement insert = {.sql = "INSERT INTO moved VALUES (1)"};
    snprintf(elsewhere, sizeof elsewhere, "%s.moved", path);
    CHECK_OK(itsi_sqlite_open(&db, path, &diag), diag);
    run(db, "CREATE TABLE moved (a BIGINT)");
    CHECK_OK(itsi_db_begin(db, ITSI_NEVER, &diag), diag);
    assert_int_equal(rename(path, elsewhere), 0);
    run(db, insert.sql); /* what has begun is in the file that it began in */
    CHECK_OK(itsi_db_commit(db, ITSI_NEVER, &diag), diag);
    assert_true(itsi_db_is_good(db));
    assert_int_equal(itsi_db_begin(db, ITSI_NEVER, &diag), ITS_EIO);
    CHECK_CONTAINS(diag.text, "moved");
    assert_int_equal(itsi_db_run(db, &insert, NULL, 0, NULL, NULL, ITSI_NEVER, &diag), ITS_EIO);
    assert_false(itsi_db_is_good(db));
    assert_int_equal(rename(elsewhere, path), 0);
    itsi_db_close(db);
    CHECK_OK(itsi_sqlite_open(&db, path, &diag), diag);
    run(db, "DROP TABLE moved");
    itsi_db_close(db);
}

struct heard {
    struct itsi_db_request request; /* first */
    struct itsi_event done;
    struct its_diag diag;
    int rc;
};

static void hear(struct itsi_db_request *request, int rc, const struct its_diag *why)
{
    struct heard *heard = (struct heard *)request;
    heard->rc = rc;
    if (rc != 0)
        heard->diag = *why;
    itsi_event_set(&heard->done);
}

static int ask(struct itsi_database *database, struct its_diag *diag)
{
    static const struct itsi_db_statement one = {.sql = "SELECT 1"};
    struct heard heard = {.request = {.owner = {.component = "test", .stage = "moved"},
                                      .deadline = itsi_now_ns() + 20 * ITSI_NS_PER_S,
                                      .call = {.statement = &one},
                                      .done = hear}};
    itsi_event_init(&heard.done);
    itsi_database_start(database, &heard.request);
    assert_true(itsi_event_wait_until(&heard.done, ITSI_NEVER));
    itsi_event_fini(&heard.done);
    *diag = heard.diag;
    return heard.rc;
}

/* Not that the database ends, as of other connections that are no good any more; and the next one goes to what is there. */
static void who_asks_a_file_that_is_taken_away_hears_that(void **state)
{
    (void)state;
    const struct its_cfg_connection_pool cfg = {.db_pool_size = 1, .db_pool_recycle = 3600, .db_pool_timeout = 20};
    struct itsi_loop *loop;
    struct itsi_database *database;
    struct its_diag diag;
    char elsewhere[64];
    snprintf(elsewhere, sizeof elsewhere, "%s.moved", path);
    CHECK_OK(itsi_loop_create(&loop, "pools", &diag), diag);
    CHECK_OK(itsi_database_create(&database, loop, NULL, path, &cfg, &diag), diag);
    CHECK_OK(ask(database, &diag), diag);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(ask(database, &diag), ITS_EIO);
    CHECK_CONTAINS(diag.text, "was moved or removed");
    CHECK_OK(ask(database, &diag), diag);
    assert_int_equal(unlink(elsewhere), 0);
    itsi_database_destroy(database, itsi_now_ns() + 20 * ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
}

static void opening_survives_any_allocation_failing(void **state)
{
    (void)state;
    struct itsi_db_connection *db;
    struct its_diag diag;
    for (int n = 1; n <= 2; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_sqlite_open(&db, path, &diag), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
    CHECK_OK(itsi_sqlite_open(&db, path, &diag), diag);
    itsi_db_close(db);
}

int main(void)
{
    static const char slow_sql[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    static const struct database_case c = {.name = "sqlite", .open = open_it, .slow_sql = slow_sql};
    static const struct database_requests_case r = {.name = "sqlite by requests", .path = path, .slow_sql = slow_sql};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_database_is_named_and_left_alone),
        cmocka_unit_test(what_is_committed_outlasts_a_power_cut),
        cmocka_unit_test(a_file_that_is_taken_away_is_noticed),
        cmocka_unit_test(who_asks_a_file_that_is_taken_away_hears_that),
        cmocka_unit_test(opening_survives_any_allocation_failing),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    failed += database_conformance_run(&c) + database_requests_run(&r);
    char side[64];
    unlink(path);
    snprintf(side, sizeof side, "%s-wal", path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", path);
    unlink(side);
    return failed;
}

#include "support/store_conformance.h"

#include "net/loop.h"
#include "store/schema.h"
#include "support/store_world.h"

#include <pthread.h>
#include <unistd.h>

struct itsi_database *store_database;
struct itsi_book store_book;
char store_folder[64];
static const struct itsi_pool_owner owner = {.component = "test", .stage = "store"};

int64_t store_soon(void)
{
    return itsi_now_ns() + 20 * ITSI_NS_PER_S;
}

struct itsi_db_lease store_borrow(void)
{
    struct itsi_db_lease lease;
    struct its_diag diag;
    CHECK_OK(itsi_database_borrow(store_database, &owner, store_soon(), &lease, &diag), diag);
    return lease;
}

void store_give_back(struct itsi_db_lease *lease)
{
    itsi_database_return(store_database, lease, store_soon());
}

void store_sql(const char *text)
{
    struct itsi_db_lease lease = store_borrow();
    struct its_diag diag;
    const struct itsi_db_statement statement = {.sql = text};
    CHECK_OK(itsi_db_run(lease.connection, &statement, NULL, 0, NULL, NULL, store_soon(), &diag), diag);
    store_give_back(&lease);
}

static int keep_number(void *arg, const struct itsi_db_value *values, int count)
{
    (void)count;
    *(int64_t *)arg = values[0].number;
    return 0;
}

int64_t store_number(const char *text)
{
    struct itsi_db_lease lease = store_borrow();
    struct its_diag diag;
    int64_t out = -1;
    const struct itsi_db_statement statement = {.sql = text};
    CHECK_OK(itsi_db_run(lease.connection, &statement, NULL, 0, keep_number, &out, store_soon(), &diag), diag);
    store_give_back(&lease);
    return out;
}

int store_migrate(struct its_diag *diag)
{
    struct itsi_db_lease lease = store_borrow();
    int rc = itsi_store_migrate(lease.connection, store_soon(), diag);
    store_give_back(&lease);
    return rc;
}

int store_empty(void **state)
{
    (void)state;
    static const char *const tables[] = {"its_schema", "its_writer", "its_duty", "its_camera", "its_count", "its_event",
                                         "its_violation", "its_quality_change"};
    char text[64];
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(text, sizeof text, "DROP TABLE IF EXISTS %s", tables[i]);
        store_sql(text);
    }
    return 0;
}

int store_made(void **state)
{
    struct its_diag diag;
    store_empty(state);
    return store_migrate(&diag);
}

/* --- migrations ---------------------------------------------------------------------------------------------------- */

static void *migrate_too(void *failed)
{
    struct its_diag diag;
    if (store_migrate(&diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        *(int *)failed = 1;
    }
    return NULL;
}

static void migrations_run_once_however_many_ask(void **state)
{
    (void)state;
    pthread_t threads[3];
    int failed[3] = {0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_too, &failed[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failed[i], 0);
    }
    assert_int_equal(store_number("SELECT count(*) FROM its_schema"), itsi_store_schema_version());
    assert_int_equal(store_number("SELECT count(*) FROM its_count"), 0);
}

static void a_newer_schema_is_refused_by_name(void **state)
{
    (void)state;
    struct its_diag diag;
    CHECK_OK(store_migrate(&diag), diag);
    store_sql("INSERT INTO its_schema (version, name, applied_ns) VALUES (99, 'flying cars', 0)");
    assert_int_equal(store_migrate(&diag), ITS_EUNSUPPORTED);
    CHECK_CONTAINS(diag.text, "flying cars");
    CHECK_CONTAINS(diag.text, "99");
}

static void a_migration_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    struct its_diag diag;
    store_sql("CREATE TABLE its_violation (other BIGINT)"); /* in the way of the seventh statement */
    assert_int_not_equal(store_migrate(&diag), 0);
    CHECK_CONTAINS(diag.text, "first");
    store_sql("DROP TABLE its_violation");
    CHECK_OK(store_migrate(&diag), diag); /* its tables before the seventh were undone */
}

/* --- running -------------------------------------------------------------------------------------------------------- */

int store_conformance_run(const char *name, const char *url, const char *path)
{
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = 4, .db_max_overflow = 4, .db_pool_recycle = 3600, .db_pool_pre_ping = true, .db_pool_timeout = 30};
    struct itsi_loop *loop;
    struct its_diag diag;
    char lock[80];
    snprintf(store_folder, sizeof store_folder, "/tmp/its-store-test-XXXXXX");
    if (!mkdtemp(store_folder) || itsi_loop_create(&loop, "pools", &diag) != 0)
        return 1;
    if (itsi_database_create(&store_database, loop, url, path, &cfg, &diag) != 0 || itsi_book_init(&store_book, 10000, 1 << 20, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    static const struct CMUnitTest migrations[] = {
        cmocka_unit_test_setup(migrations_run_once_however_many_ask, store_empty),
        cmocka_unit_test_setup(a_newer_schema_is_refused_by_name, store_empty),
        cmocka_unit_test_setup(a_migration_that_fails_leaves_nothing_behind, store_empty),
    };
    int failed = cmocka_run_group_tests_name(name, migrations, NULL, NULL) + store_queries_run(name) + store_whole_run(name) +
                 store_leftovers_run(name);
    itsi_book_fini(&store_book);
    itsi_database_destroy(store_database, store_soon());
    itsi_loop_destroy(loop);
    snprintf(lock, sizeof lock, "%s/lock", store_folder);
    unlink(lock);
    rmdir(store_folder);
    return failed;
}

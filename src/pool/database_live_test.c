/* Options of the database pool that change while it runs. */
#include "pool/database_pool.h"

#include "base/clock.h"
#include "net/loop.h"
#include "support/check.h"

#include <stdlib.h>
#include <unistd.h>

static const struct itsi_pool_owner owner = {.component = "test", .stage = "borrow"};

/* How long a borrower waited in vain, ms. */
static double wait_in_vain(struct itsi_database *database)
{
    struct itsi_db_lease lease;
    struct its_diag diag;
    const int64_t start = itsi_now_ns();
    assert_int_equal(itsi_database_borrow(database, &owner, start + 60 * ITSI_NS_PER_S, &lease, &diag), ITS_ETIMEOUT);
    return (double)(itsi_now_ns() - start) / 1e6;
}

static void a_borrower_waits_as_long_as_is_said_now(void **state)
{
    (void)state;
    char folder[] = "/tmp/its-database-XXXXXX", path[64];
    struct its_cfg_connection_pool cfg = {.db_pool_size = 1, .db_pool_timeout = 0.3, .db_pool_recycle = 3600};
    struct itsi_loop *loop;
    struct itsi_database *database;
    struct itsi_db_lease held;
    struct its_diag diag;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/its.sqlite", folder);
    CHECK_OK(itsi_loop_create(&loop, "test", &diag), diag);
    CHECK_OK(itsi_database_create(&database, loop, NULL, path, &cfg, &diag), diag);
    int rc; /* the first one is being opened, which may take longer than that */
    while ((rc = itsi_database_borrow(database, &owner, itsi_now_ns() + 30 * ITSI_NS_PER_S, &held, &diag)) == ITS_ETIMEOUT)
        ;
    CHECK_OK(rc, diag);
    assert_in_range((long)wait_in_vain(database), 300, 30000);
    cfg.db_pool_timeout = 0;
    itsi_database_configure(database, &cfg);
    assert_in_range((long)wait_in_vain(database), 0, 299);
    itsi_database_return(database, &held, itsi_now_ns() + ITSI_NS_PER_S);
    itsi_database_destroy(database, itsi_now_ns() + ITSI_NS_PER_S);
    itsi_loop_destroy(loop);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
        char file[80];
        snprintf(file, sizeof file, "%s%s", path, *end);
        unlink(file);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_borrower_waits_as_long_as_is_said_now)};
    return cmocka_run_group_tests_name("database_live", tests, NULL, NULL);
}

/* The PostgreSQL driver against the server whose address is the first argument (postgres.py starts one); the second, where
 * there is one, that of a pooler in transaction mode before the same server. */
#include "pool/postgres.h"

#include "base/clock.h"
#include "support/check.h"
#include "support/database_conformance.h"
#include "support/database_requests.h"

#include <poll.h>
#include <pthread.h>

static const char *url;

static int64_t soon(void)
{
    return itsi_now_ns() + 10 * ITSI_NS_PER_S;
}

static int open_url(struct itsi_db_connection **out, const char *to, struct its_diag *diag)
{
    const struct itsi_pg_params params = {.url = to, .tcp_user_timeout_s = 5};
    return itsi_pg_connect(out, &params, soon(), diag);
}

static int open_it(struct itsi_db_connection **out, struct its_diag *diag)
{
    return open_url(out, url, diag);
}

/* "postgresql://user:password@host:port/database" with another part. */
static void with(char out[256], const char *user, const char *password, int port, const char *database)
{
    int own_port = 0;
    char own_user[64], own_password[64], own_database[64];
    assert_int_equal(sscanf(url, "postgresql://%63[^:]:%63[^@]@127.0.0.1:%d/%63s", own_user, own_password, &own_port,
                            own_database), 4);
    snprintf(out, 256, "postgresql://%s:%s@127.0.0.1:%d/%s", user ? user : own_user, password ? password : own_password,
             port ? port : own_port, database ? database : own_database);
}

static void connecting_fails_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *user, *password, *database;
        int port, code;
        const char *said;
    } cases[] = {
        {NULL, "wr0ng-secret", NULL, 0, ITS_EAUTH, "password"},
        {"nobody", NULL, NULL, 0, ITS_EAUTH, "nobody"},
        {NULL, NULL, "nowhere", 0, ITS_ENOTFOUND, "nowhere"},
        {NULL, NULL, NULL, 1, ITS_EREFUSED, "127.0.0.1:1/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[256];
        struct its_diag diag = {{0}};
        struct itsi_db_connection *db;
        with(to, cases[i].user, cases[i].password, cases[i].port, cases[i].database);
        int rc = open_url(&db, to, &diag);
        if (rc != cases[i].code)
            fail_msg("%s: %d: %s", to, rc, diag.text);
        CHECK_CONTAINS(diag.text, cases[i].said);
        assert_null(strstr(diag.text, "wr0ng-secret"));
    }
}

static void what_is_no_address_is_shown_without_its_password(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_db_connection *db;
    assert_int_equal(open_url(&db, "postgresql://me:s3cret@[::1/x", &diag), ITS_EINVAL);
    assert_null(strstr(diag.text, "s3cret"));
    assert_true(open_url(&db, "postgresql://me:s3cret@127.0.0.1:port/x", &diag) < 0);
    CHECK_CONTAINS(diag.text, "port");
    assert_null(strstr(diag.text, "s3cret"));
    assert_int_equal(open_url(&db, "host=a nonsense", &diag), ITS_EINVAL);
    assert_int_equal(open_url(&db, "password=s3cret nonsense", &diag), ITS_EINVAL);
    assert_null(strstr(diag.text, "s3cret"));
    assert_int_equal(open_url(&db, "postgresql://me:12/s3cret@127.0.0.1/x", &diag), ITS_EINVAL);
    assert_null(strstr(diag.text, "s3cret"));
    CHECK_CONTAINS(diag.text, "%2F");
}

static int keep_pid(void *arg, const struct itsi_db_value *values, int count)
{
    (void)count;
    *(int64_t *)arg = values[0].number;
    return 0;
}

static int64_t pid_of(struct itsi_db_connection *db)
{
    static const struct itsi_db_statement ask = {.name = "pid", .sql = "SELECT pg_backend_pid()"};
    struct its_diag diag;
    int64_t pid = 0;
    CHECK_OK(itsi_db_run(db, &ask, NULL, 0, keep_pid, &pid, soon(), &diag), diag);
    return pid;
}

static int ping(struct itsi_db_connection *db)
{
    struct its_diag diag;
    int wait = itsi_pg_ping_begin(db, &diag);
    while (wait == ITSI_PG_READ || wait == ITSI_PG_WRITE) {
        struct pollfd ready = {.fd = itsi_pg_socket(db), .events = wait == ITSI_PG_READ ? POLLIN : POLLOUT};
        assert_int_equal(poll(&ready, 1, 5000), 1);
        wait = itsi_pg_ping_step(db, &diag);
    }
    return wait;
}

static void *abandon_it(void *db)
{
    itsi_sleep_until_ns(itsi_now_ns() + 100 * ITSI_NS_PER_MS); /* while the statement is running: before it does as well */
    itsi_db_abandon(db);
    return NULL;
}

static void an_abandoned_statement_fails_soon(void **state)
{
    (void)state;
    struct itsi_db_connection *db;
    struct its_diag diag;
    pthread_t thread;
    CHECK_OK(open_it(&db, &diag), diag);
    assert_int_equal(pthread_create(&thread, NULL, abandon_it, db), 0);
    const struct itsi_db_statement slow = {.sql = "SELECT pg_sleep(60)"};
    int64_t start = itsi_now_ns();
    assert_int_equal(itsi_db_run(db, &slow, NULL, 0, NULL, NULL, ITSI_NEVER, &diag), ITS_EIO);
    assert_true(itsi_now_ns() - start < 5 * ITSI_NS_PER_S);
    assert_false(itsi_db_is_good(db));
    pthread_join(thread, NULL);
    itsi_db_close(db);
}

static void a_killed_server_process_is_noticed(void **state)
{
    (void)state;
    static const struct itsi_db_statement kill = {.name = "kill", .sql = "SELECT pg_terminate_backend(CAST(?1 AS INTEGER))"};
    struct itsi_db_connection *victim, *other;
    struct its_diag diag;
    CHECK_OK(open_it(&victim, &diag), diag);
    CHECK_OK(open_it(&other, &diag), diag);
    const struct itsi_db_value pid = itsi_db_int(pid_of(victim));
    assert_int_equal(ping(victim), ITSI_PG_DONE);
    CHECK_OK(itsi_db_run(other, &kill, &pid, 1, NULL, NULL, soon(), &diag), diag);
    int rc;
    while ((rc = ping(victim)) == ITSI_PG_DONE) /* until the signal has reached it */
        ;
    assert_true(rc == ITS_EIO || rc == ITS_EREFUSED);
    assert_false(itsi_db_is_good(victim));
    itsi_db_close(victim);
    CHECK_OK(open_it(&victim, &diag), diag); /* and while a statement is on its way */
    const struct itsi_db_value again = itsi_db_int(pid_of(victim));
    CHECK_OK(itsi_db_run(other, &kill, &again, 1, NULL, NULL, soon(), &diag), diag);
    static const struct itsi_db_statement ask = {.name = "pid", .sql = "SELECT pg_backend_pid()"};
    rc = itsi_db_run(victim, &ask, NULL, 0, NULL, NULL, soon(), &diag);
    assert_true(rc == ITS_EIO || rc == ITS_EREFUSED);
    assert_false(itsi_db_is_good(victim));
    itsi_db_close(victim);
    itsi_db_close(other);
}

static void a_transaction_of_a_lost_connection_is_undone(void **state)
{
    (void)state;
    struct itsi_db_connection *lost, *db;
    struct its_diag diag;
    const struct itsi_db_statement drop = {.sql = "DROP TABLE IF EXISTS kept"}, make = {.sql = "CREATE TABLE kept (i BIGINT)"},
                                   in = {.sql = "INSERT INTO kept VALUES (1)"},
                                   count = {.sql = "SELECT count(*) FROM kept"};
    int64_t found = -1;
    CHECK_OK(open_it(&db, &diag), diag);
    CHECK_OK(itsi_db_run(db, &drop, NULL, 0, NULL, NULL, soon(), &diag), diag);
    CHECK_OK(itsi_db_run(db, &make, NULL, 0, NULL, NULL, soon(), &diag), diag);
    CHECK_OK(open_it(&lost, &diag), diag);
    CHECK_OK(itsi_db_begin(lost, soon(), &diag), diag);
    CHECK_OK(itsi_db_run(lost, &in, NULL, 0, NULL, NULL, soon(), &diag), diag);
    itsi_db_close(lost);
    CHECK_OK(itsi_db_run(db, &count, NULL, 0, keep_pid, &found, soon(), &diag), diag);
    assert_int_equal(found, 0);
    itsi_db_close(db);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_fails_with_the_reason),
        cmocka_unit_test(what_is_no_address_is_shown_without_its_password),
        cmocka_unit_test(an_abandoned_statement_fails_soon),
        cmocka_unit_test(a_killed_server_process_is_noticed),
        cmocka_unit_test(a_transaction_of_a_lost_connection_is_undone),
    };
    struct database_case c = {.name = "postgresql", .open = open_it, .slow_sql = "SELECT pg_sleep(60)"};
    struct database_requests_case r = {.name = "postgresql by requests", .slow_sql = c.slow_sql};
    if (argc < 2)
        return 2;
    url = r.url = argv[1];
    int failed = cmocka_run_group_tests(tests, NULL, NULL) + database_conformance_run(&c) + database_requests_run(&r);
    if (argc > 2) {
        url = argv[2];
        c.name = "postgresql behind a pooler in transaction mode";
        r.name = "postgresql by requests, behind a pooler in transaction mode";
        r.url = url;
        failed += database_conformance_run(&c) + database_requests_run(&r);
    }
    return failed;
}

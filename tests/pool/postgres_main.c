/* The PostgreSQL driver against the server whose address is the first argument (postgres.py starts one); the second, where
 * there is one, that of a pooler in transaction mode before the same server. */
#include "pool/postgres.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "pool/database_request.h"
#include "support/check.h"
#include "support/database_conformance.h"
#include "support/database_requests.h"

#include <dirent.h>
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
    static const char *const torn[] = {"postgresql://me:12/s3cret@127.0.0.1/x", "postgresql://me:12@s3cret@127.0.0.1/x",
                                       "postgresql://me:12?@s3cret@127.0.0.1/x", "postgresql://m/e:s3cret@127.0.0.1/x"};
    for (size_t i = 0; i < sizeof torn / sizeof *torn; i++) {
        assert_int_equal(open_url(&db, torn[i], &diag), ITS_EINVAL);
        assert_null(strstr(diag.text, "s3cret"));
        CHECK_CONTAINS(diag.text, "%2F");
    }
    CHECK_OK(itsi_pg_check_url("postgresql://host/my@db", &diag), diag);
    CHECK_OK(itsi_pg_check_url("postgresql://me:12@host?application_name=its@home", &diag), diag);
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

/* Threads of this program of that name. */
static int threads_named(const char *name)
{
    int found = 0;
    char path[300], text[32];
    DIR *all = opendir("/proc/self/task");
    assert_non_null(all);
    for (struct dirent *d; (d = readdir(all));) {
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", d->d_name);
        FILE *file = d->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file)
            continue;
        if (fgets(text, sizeof text, file))
            found += strncmp(text, name, strlen(name)) == 0;
        fclose(file);
    }
    closedir(all);
    return found;
}

struct told {
    struct itsi_db_request request; /* first */
    int rc;
    struct itsi_event event;
};

static void tell(struct itsi_db_request *request, int rc, const struct its_diag *diag)
{
    struct told *told = (struct told *)request;
    (void)diag;
    told->rc = rc;
    itsi_event_set(&told->event);
}

static int ask_one(struct itsi_database *database)
{
    static const struct itsi_db_statement one = {.name = "one", .sql = "SELECT 1"};
    struct told told = {.request = {.owner = {.component = "test", .stage = "one"}, .deadline = soon(),
                                    .call = {.statement = &one}, .done = tell}};
    itsi_event_init(&told.event);
    itsi_database_start(database, &told.request);
    itsi_event_wait_until(&told.event, ITSI_NEVER);
    itsi_event_fini(&told.event);
    return told.rc;
}

static void threads_for_requests_begin_with_the_first(void **state)
{
    (void)state;
    const struct its_cfg_connection_pool cfg = {.db_pool_size = 2, .db_pool_recycle = 3600, .db_pool_timeout = 30};
    const struct itsi_pool_owner owner = {.component = "test", .stage = "borrow"};
    struct itsi_loop *loop;
    struct itsi_database *database;
    struct itsi_db_lease lease;
    struct its_diag diag;
    CHECK_OK(itsi_loop_create(&loop, "pools", &diag), diag);
    CHECK_OK(itsi_database_create(&database, loop, url, NULL, &cfg, &diag), diag);
    CHECK_OK(itsi_database_borrow(database, &owner, soon(), &lease, &diag), diag);
    itsi_database_return(database, &lease, soon());
    assert_int_equal(threads_named("database"), 0);
    /* they cannot be had: the first request hears of it, and the next one gets them */
    itsi_alloc_fail_at(1);
    assert_int_equal(ask_one(database), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_int_equal(threads_named("database"), 0);
    assert_int_equal(ask_one(database), 0);
    assert_int_equal(threads_named("database"), 2);
    itsi_database_destroy(database, soon());
    assert_int_equal(threads_named("database"), 0);
    itsi_loop_destroy(loop);
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
        cmocka_unit_test(threads_for_requests_begin_with_the_first),
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

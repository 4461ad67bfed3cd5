#include "support/database_requests.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pool/database_request.h"
#include "pool/lease_stats.h"
#include "support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { CONNECTIONS = 4 };

static const struct database_requests_case *the_case;
static struct itsi_loop *loop;
static struct itsi_database *database;
static struct its_diag diag;

static const struct itsi_pool_owner owner = {.component = "test", .stage = "requests"};
static const struct itsi_db_statement insert = {.name = "asked_insert", .sql = "INSERT INTO asked (id, name) VALUES (?1, ?2)"},
                                      by_id = {.name = "asked_by_id", .sql = "SELECT id, name FROM asked WHERE id = ?1"};

static int64_t soon(void) { return itsi_now_ns() + 20 * ITSI_NS_PER_S; }

/* A request, and what became of it. `more`: how often its `done` starts it again. */
struct asked {
    struct itsi_db_request request; /* first */
    struct itsi_db_value values[2];
    int64_t found;
    char name[32];
    struct its_diag diag;
    int rc, more, rows, stop_with;
    atomic_int done;
};

static int keep(void *self, const struct itsi_db_value *values, int count)
{
    struct asked *a = self;
    a->rows++;
    a->found = values[0].number;
    if (count > 1 && values[1].type == ITSI_DB_TEXT)
        snprintf(a->name, sizeof a->name, "%s", (const char *)values[1].bytes);
    return a->stop_with;
}

static void note(struct itsi_db_request *request, int rc, const struct its_diag *why)
{
    struct asked *a = (struct asked *)request;
    a->rc = rc;
    if (rc != 0)
        a->diag = *why;
    const bool again = rc == 0 && a->more-- > 0;
    if (again)
        itsi_database_start(database, request);
    atomic_fetch_add(&a->done, 1); /* its last touch where it is not started again */
}

static void ask(struct asked *a, const struct itsi_db_statement *statement, int count, int64_t deadline)
{
    a->request.owner = owner;
    a->request.deadline = deadline;
    a->request.call = (struct itsi_db_call){.statement = statement, .values = a->values, .count = count};
    a->request.row = keep;
    a->request.done = note;
    a->request.self = a;
    itsi_database_start(database, &a->request);
}

/* Until it was done so often. */
static void wait_for(struct asked *a, int times)
{
    const int64_t until = itsi_now_ns() + 30 * ITSI_NS_PER_S;
    while (atomic_load(&a->done) < times) {
        if (itsi_now_ns() > until)
            fail_msg("a request is not done after 30 s");
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS / 4);
    }
    assert_int_equal(atomic_load(&a->done), times);
}

static int run(struct asked *a, const struct itsi_db_statement *statement, int count)
{
    const int before = atomic_load(&a->done);
    ask(a, statement, count, soon());
    wait_for(a, before + 1);
    return a->rc;
}

static void put(int64_t id, const char *name, int wanted)
{
    struct asked a = {.values = {itsi_db_int(id), itsi_db_text(name)}};
    if (run(&a, &insert, 2) != wanted)
        fail_msg("%d: %s", a.rc, a.diag.text);
    if (wanted != 0)
        CHECK_CONTAINS(a.diag.text, "asked_insert");
}

static int64_t rows_there(void)
{
    static const struct itsi_db_statement count = {.sql = "SELECT count(*) FROM asked"};
    struct asked a = {.found = -1};
    CHECK_OK(run(&a, &count, 0), a.diag);
    return a.found;
}

/* --- before and after each ------------------------------------------------------------------------------------------ */

static int set_up(void **state)
{
    (void)state;
    const struct its_cfg_connection_pool cfg = {.db_pool_size = CONNECTIONS, .db_pool_recycle = 3600, .db_pool_timeout = 30};
    static const struct itsi_db_statement drop = {.sql = "DROP TABLE IF EXISTS asked"},
                                          make = {.sql = "CREATE TABLE asked (id BIGINT PRIMARY KEY, name TEXT)"};
    struct asked a = {.rc = 0};
    CHECK_OK(itsi_loop_create(&loop, "pools", &diag), diag);
    CHECK_OK(itsi_database_create(&database, loop, the_case->url, the_case->path, &cfg, &diag), diag);
    CHECK_OK(run(&a, &drop, 0), a.diag);
    CHECK_OK(run(&a, &make, 0), a.diag);
    return 0;
}

static void end(int64_t patience)
{
    itsi_database_destroy(database, itsi_now_ns() + patience);
    itsi_loop_destroy(loop);
    database = NULL;
    loop = NULL;
}

static int tear_down(void **state)
{
    (void)state;
    if (database) {
        struct itsi_pool_stats stats;
        CHECK_OK(itsi_pool_stats(itsi_database_pool(database), &stats, &diag), diag);
        assert_int_equal(stats.in_use, 0); /* every lease came back */
        end(5 * ITSI_NS_PER_S);
    }
    return 0;
}

/* --- the tests ------------------------------------------------------------------------------------------------------- */

static void rows_come_and_then_it_is_done(void **state)
{
    (void)state;
    put(7, "seven", 0);
    struct asked a = {.values = {itsi_db_int(7)}};
    CHECK_OK(run(&a, &by_id, 1), a.diag);
    assert_int_equal(a.rows, 1);
    assert_int_equal(a.found, 7);
    assert_string_equal(a.name, "seven");
}

static void errors_say_why_and_the_next_one_works(void **state)
{
    (void)state;
    static const struct itsi_db_statement wrong = {.sql = "SELECT nothing FROM nowhere"};
    struct asked a = {.rc = 0};
    put(1, "one", 0);
    put(1, "again", ITS_EEXISTS);
    assert_int_equal(run(&a, &wrong, 0), ITS_EINVAL);
    CHECK_CONTAINS(a.diag.text, "nowhere");
    struct itsi_db_value many[ITSI_DB_WIDTH + 1] = {itsi_db_int(1)};
    a.request.call = (struct itsi_db_call){.statement = &insert, .values = many, .count = ITSI_DB_WIDTH + 1};
    a.request.deadline = soon();
    itsi_database_start(database, &a.request);
    wait_for(&a, 2);
    assert_int_equal(a.rc, ITS_EINVAL);
    put(2, "two", 0);
    assert_int_equal(rows_there(), 2);
}

static void a_row_that_wants_no_more_ends_it(void **state)
{
    (void)state;
    static const struct itsi_db_statement all = {.name = "asked_all", .sql = "SELECT id, name FROM asked ORDER BY id"};
    struct asked a = {.stop_with = 17};
    for (int i = 0; i < 3; i++)
        put(i, "x", 0);
    assert_int_equal(run(&a, &all, 0), 17);
    assert_int_equal(a.rows, 1);
    assert_string_equal(a.diag.text, "");
    a.stop_with = 0;
    CHECK_OK(run(&a, &all, 0), a.diag);
    assert_int_equal(a.rows, 4);
}

enum { MANY = 500 };

static struct asked many[MANY];

static void prepare_many(int more)
{
    memset(many, 0, sizeof many);
    for (int i = 0; i < MANY; i++) {
        many[i].values[0] = itsi_db_int(i);
        many[i].more = more;
    }
}

/* Far more than there are connections, each started again by its own end: each gets its own row, every time. */
static void many_share_few_connections(void **state)
{
    (void)state;
    enum { MORE = 9 };
    static const struct itsi_db_statement echo = {.name = "asked_echo", .sql = "SELECT CAST(?1 AS BIGINT)"};
    prepare_many(MORE);
    for (int i = 0; i < MANY; i++)
        ask(&many[i], &echo, 1, soon());
    for (int i = 0; i < MANY; i++) {
        wait_for(&many[i], MORE + 1);
        CHECK_OK(many[i].rc, many[i].diag);
        assert_int_equal(many[i].rows, MORE + 1);
        assert_int_equal(many[i].found, i);
    }
    struct itsi_pool_stats stats;
    CHECK_OK(itsi_pool_stats(itsi_database_pool(database), &stats, &diag), diag);
    assert_true(stats.in_use + stats.idle + stats.checking <= CONNECTIONS);
    assert_true(stats.leases >= MANY * (MORE + 1)); /* each was lent its own, also where it took over another's */
}

/* A thousand in a row; returns how often memory was allocated, or -1 where a connection was opened meanwhile. */
static int64_t allocations_of_a_thousand(struct asked *a)
{
    static const struct itsi_db_statement one = {.name = "asked_one", .sql = "SELECT 1"};
    struct itsi_pool_stats before, after;
    const int done = a->done;
    a->more = 1000;
    CHECK_OK(itsi_pool_stats(itsi_database_pool(database), &before, &diag), diag);
    const uint64_t allocated = itsi_alloc_count();
    ask(a, &one, 0, soon());
    wait_for(a, done + 1001);
    const int64_t more = (int64_t)(itsi_alloc_count() - allocated);
    CHECK_OK(a->rc, a->diag);
    CHECK_OK(itsi_pool_stats(itsi_database_pool(database), &after, &diag), diag);
    return before.opening == 0 && before.opens == after.opens ? more : -1;
}

static void a_steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct asked a = {0};
    int64_t allocations = -1;
    (void)allocations_of_a_thousand(&a); /* prepares it */
    for (int tries = 0; tries < 50 && allocations < 0; tries++)
        allocations = allocations_of_a_thousand(&a);
    assert_int_equal(allocations, 0);
}

/* Slow ones on all connections but one, and one that is quick; returns whether that was done while they were still running. */
static bool overtakes_slow_ones(int64_t id, int64_t patience)
{
    const struct itsi_db_statement slow = {.sql = the_case->slow_sql};
    struct asked slow_ones[CONNECTIONS - 1] = {{.rc = 0}};
    const int64_t start = itsi_now_ns();
    for (int i = 0; i < CONNECTIONS - 1; i++)
        ask(&slow_ones[i], &slow, 0, start + patience);
    put(id, "meanwhile", 0);
    const bool overtaken = itsi_now_ns() < start + patience;
    for (int i = 0; i < CONNECTIONS - 1; i++) {
        wait_for(&slow_ones[i], 1);
        assert_int_equal(slow_ones[i].rc, ITS_ETIMEOUT);
        CHECK_CONTAINS(slow_ones[i].diag.text, "deadline");
    }
    assert_true(itsi_now_ns() - start < patience + 5 * ITSI_NS_PER_S);
    return overtaken;
}

/* What comes meanwhile is not held up, and in the end the slow ones run out of time. On a busy machine even the quick one may
 * take long: then they get longer. One that waits for them is late however long that is. */
static void a_deadline_holds_and_nobody_else_waits_for_it(void **state)
{
    (void)state;
    int tries = 0;
    int64_t patience = 500 * ITSI_NS_PER_MS;
    while (!overtakes_slow_ones(tries++, patience)) {
        patience *= 2;
        assert_true(patience < 10 * ITSI_NS_PER_S);
    }
    assert_int_equal(rows_there(), tries);
}

static void waiting_for_a_connection_has_the_same_deadline(void **state)
{
    (void)state;
    struct itsi_db_lease leases[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        CHECK_OK(itsi_database_borrow(database, &owner, soon(), &leases[i], &diag), diag);
    struct asked a = {.values = {itsi_db_int(1)}}, b = {.values = {itsi_db_int(1)}};
    ask(&a, &by_id, 1, itsi_now_ns() + 50 * ITSI_NS_PER_MS);
    ask(&b, &by_id, 1, soon());
    wait_for(&a, 1);
    assert_int_equal(a.rc, ITS_ETIMEOUT);
    CHECK_CONTAINS(a.diag.text, "test/requests");
    assert_int_equal(atomic_load(&b.done), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        itsi_database_return(database, &leases[i], soon());
    wait_for(&b, 1);
    CHECK_OK(b.rc, b.diag);
}

struct borrower {
    pthread_t thread;
    int first, failed;
};

enum { BORROWERS = 4, EACH = 100 };

static void *borrow_and_insert(void *arg)
{
    struct borrower *b = arg;
    for (int i = 0; i < EACH; i++) {
        const struct itsi_db_value values[] = {itsi_db_int(b->first + i), itsi_db_text("borrowed")};
        struct itsi_db_lease lease;
        struct its_diag why;
        int rc = itsi_database_borrow(database, &owner, soon(), &lease, &why);
        if (rc == 0) {
            rc = itsi_db_run(lease.connection, &insert, values, 2, NULL, NULL, soon(), &why);
            itsi_database_return(database, &lease, soon());
        }
        b->failed += rc != 0;
    }
    return NULL;
}

/* The same connections, now a thread's and now a carrier's. */
static void threads_and_requests_share_connections(void **state)
{
    (void)state;
    struct borrower borrowers[BORROWERS];
    for (int i = 0; i < BORROWERS; i++) {
        borrowers[i] = (struct borrower){.first = 10000 + i * EACH};
        assert_int_equal(pthread_create(&borrowers[i].thread, NULL, borrow_and_insert, &borrowers[i]), 0);
    }
    prepare_many(0);
    for (int i = 0; i < MANY; i++) {
        many[i].values[1] = itsi_db_text("requested");
        ask(&many[i], &insert, 2, soon());
    }
    for (int i = 0; i < MANY; i++) {
        wait_for(&many[i], 1);
        CHECK_OK(many[i].rc, many[i].diag);
    }
    for (int i = 0; i < BORROWERS; i++) {
        pthread_join(borrowers[i].thread, NULL);
        assert_int_equal(borrowers[i].failed, 0);
    }
    assert_int_equal(rows_there(), MANY + BORROWERS * EACH);
}

/* What runs has until the deadline, what waits is cancelled: all are done, once, when it returns. */
static void the_end_cancels_what_is_not_done(void **state)
{
    (void)state;
    const struct itsi_db_statement slow = {.sql = the_case->slow_sql};
    prepare_many(0);
    enum { STARTED = 3 * CONNECTIONS };
    for (int i = 0; i < STARTED; i++)
        ask(&many[i], &slow, 0, ITSI_NEVER);
    struct itsi_pool_stats stats;
    do {
        CHECK_OK(itsi_pool_stats(itsi_database_pool(database), &stats, &diag), diag);
    } while (stats.in_use < CONNECTIONS);
    const int64_t start = itsi_now_ns();
    end(100 * ITSI_NS_PER_MS);
    assert_true(itsi_now_ns() - start < 10 * ITSI_NS_PER_S);
    for (int i = 0; i < STARTED; i++) {
        assert_int_equal(atomic_load(&many[i].done), 1);
        assert_int_equal(many[i].rc, ITS_ECANCELLED);
    }
}

int database_requests_run(const struct database_requests_case *c)
{
    static const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        T(rows_come_and_then_it_is_done),
        T(errors_say_why_and_the_next_one_works),
        T(a_row_that_wants_no_more_ends_it),
        T(many_share_few_connections),
        T(a_steady_state_allocates_nothing),
        T(a_deadline_holds_and_nobody_else_waits_for_it),
        T(waiting_for_a_connection_has_the_same_deadline),
        T(threads_and_requests_share_connections),
        T(the_end_cancels_what_is_not_done),
#undef T
    };
    the_case = c;
    return _cmocka_run_group_tests(c->name, tests, sizeof tests / sizeof *tests, NULL, NULL);
}

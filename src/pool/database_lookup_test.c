/* Lookups of a database's hosts: how many threads they take, and what happens meanwhile. getaddrinfo is this program's own:
 * a name hangs until the test lets go of it. */
#include "pool/database_pool.h"

#include "base/clock.h"
#include "base/thread.h"
#include "net/loop.h"
#include "support/check.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>

#define NAME "hangs.example"

static struct itsi_loop *loop;
static struct itsi_event over;
static atomic_int inside, most_inside, lookups;
static struct its_diag diag;
static const struct itsi_pool_owner owner = {.component = "test", .stage = "lookup"};

#define IN_PLACE_OF_LIBC __attribute__((visibility("default")))

IN_PLACE_OF_LIBC int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (name && strcmp(name, NAME) == 0) {
        const int now = atomic_fetch_add(&inside, 1) + 1;
        atomic_fetch_add(&lookups, 1);
        if (now > atomic_load(&most_inside))
            atomic_store(&most_inside, now);
        itsi_event_wait_until(&over, ITSI_NEVER);
        atomic_fetch_sub(&inside, 1);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, port, hints, out);
}

static struct itsi_database *open_at(const char *url)
{
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = 8, .db_max_overflow = 8, .db_pool_recycle = 3600, .db_pool_timeout = 30};
    struct itsi_database *database;
    CHECK_OK(itsi_database_create(&database, loop, url, NULL, &cfg, &diag), diag);
    return database;
}

static int borrow(struct itsi_database *database, int64_t patience)
{
    struct itsi_db_lease lease;
    return itsi_database_borrow(database, &owner, itsi_now_ns() + patience, &lease, &diag);
}

/* Something of others on libuv's threads. */
struct other {
    uv_work_t work;
    struct itsi_event *may_end;
    atomic_int *ended;
};

static void do_other(uv_work_t *work)
{
    struct other *o = work->data;
    if (o->may_end)
        itsi_event_wait_until(o->may_end, ITSI_NEVER);
}

static void did_other(uv_work_t *work, int status)
{
    (void)status;
    atomic_fetch_add(((struct other *)work->data)->ended, 1);
}

static void queue_other(void *arg)
{
    struct other *o = arg;
    o->work.data = o;
    assert_int_equal(uv_queue_work(itsi_loop_uv(loop), &o->work, do_other, did_other), 0);
}

static void wait_for(atomic_int *value, int wanted)
{
    const int64_t until = itsi_now_ns() + 20 * ITSI_NS_PER_S;
    while (atomic_load(value) < wanted) {
        assert_true(itsi_now_ns() < until);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    }
}

/* Several connections are wanted, by two databases: each takes one thread, and two of libuv's four are left. Whoever waits
 * for a connection is told in time, and the end does not wait for the resolver. */
static void a_resolver_that_hangs_takes_one_thread(void **state)
{
    (void)state;
    enum { OTHERS = 16 };
    struct other others[OTHERS];
    atomic_int ended = 0;
    struct itsi_database *one = open_at("postgresql://u:p@" NAME "/a"), *two = open_at("postgresql://u:p@" NAME "/b");
    wait_for(&inside, 2);
    for (int i = 0; i < OTHERS; i++) {
        others[i] = (struct other){.ended = &ended};
        itsi_loop_call(loop, queue_other, &others[i]);
    }
    wait_for(&ended, OTHERS);
    assert_int_equal(borrow(one, 100 * ITSI_NS_PER_MS), ITS_ETIMEOUT);
    assert_int_equal(atomic_load(&most_inside), 2);
    assert_int_equal(atomic_load(&lookups), 2);
    const int64_t start = itsi_now_ns();
    itsi_database_destroy(one, start);
    assert_true(itsi_now_ns() - start < 5 * ITSI_NS_PER_S);
    itsi_event_set(&over); /* with `two` still waiting: it hears of it */
    int rc;
    while ((rc = borrow(two, ITSI_NS_PER_S)) == ITS_ETIMEOUT)
        ;
    assert_int_equal(rc, ITS_EREFUSED);
    CHECK_CONTAINS(diag.text, NAME);
    itsi_database_destroy(two, itsi_now_ns());
}

/* All of libuv's threads are taken by others: an address, and a socket, are connected to all the same. */
static void addresses_and_sockets_need_no_thread(void **state)
{
    (void)state;
    static const char *const urls[] = {"postgresql://u:p@127.0.0.1:1/a", "postgresql://u:p@[::1]:1,127.0.0.1:1/a",
                                       "postgresql://u:p@%2Fnowhere/a", "host=" NAME " hostaddr=127.0.0.1 port=1 dbname=a"};
    enum { THREADS = 8 };
    struct other others[THREADS];
    struct itsi_event may_end;
    atomic_int ended = 0;
    itsi_event_init(&may_end);
    for (int i = 0; i < THREADS; i++) {
        others[i] = (struct other){.may_end = &may_end, .ended = &ended};
        itsi_loop_call(loop, queue_other, &others[i]);
    }
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct itsi_database *database = open_at(urls[i]);
        assert_int_equal(borrow(database, 20 * ITSI_NS_PER_S), ITS_EREFUSED); /* nobody is there */
        itsi_database_destroy(database, itsi_now_ns());
    }
    assert_int_equal(atomic_load(&ended), 0);
    itsi_event_set(&may_end);
    wait_for(&ended, THREADS);
    itsi_event_fini(&may_end);
}

static int start_loop(void **state)
{
    (void)state;
    atomic_store(&most_inside, 0);
    atomic_store(&lookups, 0);
    itsi_event_init(&over);
    return itsi_loop_create(&loop, "pools", &diag);
}

static int end_loop(void **state)
{
    (void)state;
    itsi_event_set(&over);
    itsi_loop_destroy(loop);
    itsi_event_fini(&over);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_resolver_that_hangs_takes_one_thread, start_loop, end_loop),
        cmocka_unit_test_setup_teardown(addresses_and_sockets_need_no_thread, start_loop, end_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

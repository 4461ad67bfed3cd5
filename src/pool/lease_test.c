/* The pool on a real loop: borrowing threads and requests, deadlines, the end. */
#include "pool/lease_server.h"

#include "base/log.h"
#include "base/mem.h"

static struct itsi_lease must_acquire(struct itsi_pool *pool)
{
    struct itsi_lease lease;
    struct its_diag diag = {""};
    CHECK_OK(itsi_pool_acquire(pool, &somebody, itsi_now_ns() + 10 * S, &lease, &diag), diag);
    return lease;
}

/* --- threads ------------------------------------------------------------------------------------------------------- */

static void lends_what_the_kind_made(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease lease = must_acquire(pool);
    assert_ptr_equal(lease.slot->resource, &server);
    assert_ptr_equal(lease.slot->pool, pool);
    assert_int_equal(itsi_pool_release(lease, false), 0);
    assert_int_equal(itsi_pool_release(lease, false), ITS_EINVAL);
    assert_int_equal(itsi_pool_release((struct itsi_lease){NULL, 0}, false), ITS_EINVAL);
    struct itsi_pool_stats stats = stats_of(pool);
    assert_int_equal(stats.leases, 1);
    assert_int_equal(stats.waited, 1); /* for it to be opened */
    assert_int_equal(stats.idle, 1);
    assert_int_equal(stats.stale, 1);
    server_end(&server, pool);
}

/* What is borrowed while one is idle costs no allocation, and neither does waiting. */
static void lending_allocates_nothing(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    struct itsi_lease lease;
    p.most = 1;
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease held = must_acquire(pool);
    const uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(itsi_pool_release(held, false), 0);
        held = must_acquire(pool);
    }
    assert_int_equal(itsi_pool_acquire(pool, &somebody, itsi_now_ns() + 5 * MS, &lease, &diag), ITS_ETIMEOUT);
    assert_int_equal(itsi_alloc_count(), before);
    assert_int_equal(itsi_pool_release(held, false), 0);
    server_end(&server, pool);
}

static void a_timeout_says_who_holds_them(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    struct itsi_lease lease;
    p.most = 1;
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease held = must_acquire(pool);
    const int64_t deadline = itsi_now_ns() + 20 * MS;
    assert_int_equal(itsi_pool_acquire(pool, &somebody, deadline, &lease, &diag), ITS_ETIMEOUT);
    assert_true(itsi_now_ns() >= deadline);
    CHECK_CONTAINS(diag.text, "1 of 1 lent");
    CHECK_CONTAINS(diag.text, "store/write");
    CHECK_CONTAINS(diag.text, "abc");
    assert_int_equal(stats_of(pool).timeouts, 1);
    assert_int_equal(itsi_pool_release(held, false), 0);
    server_end(&server, pool);
}

static void a_refusal_says_what_the_server_s_error_was(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    struct itsi_lease lease;
    server_start(&server);
    server.is_down = true;
    struct itsi_pool *pool = server_pool(&server, &p);
    for (int i = 0; i < 100; i++) { /* the first finds out, the others ask nobody */
        assert_int_equal(itsi_pool_acquire(pool, &somebody, itsi_now_ns() + 10 * S, &lease, &diag), ITS_EREFUSED);
        CHECK_CONTAINS(diag.text, "nobody listens on port 6379");
    }
    assert_int_equal(server.opens, 1);
    assert_true(stats_of(pool).is_down);
    server_end(&server, pool);
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

struct asker {
    struct itsi_pool_request request;
    struct itsi_loop *loop;
    struct itsi_event done;
    int rc, calls;
    bool was_on_loop;
    struct itsi_lease lease;
    struct its_diag diag;
};

static void on_done(struct itsi_pool_request *request, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct asker *a = (struct asker *)request;
    a->rc = rc;
    a->lease = lease;
    a->diag = *diag;
    a->calls++;
    a->was_on_loop = itsi_loop_is_here(a->loop);
    itsi_event_set(&a->done);
}

static void ask_async(struct asker *a, struct server *server, struct itsi_pool *pool, int64_t deadline)
{
    *a = (struct asker){.request = {.owner = somebody, .deadline = deadline, .done = on_done}, .loop = server->loop};
    itsi_event_init(&a->done);
    itsi_pool_request(pool, &a->request);
}

static int answer_of(struct asker *a)
{
    assert_true(itsi_event_wait_until(&a->done, itsi_now_ns() + 10 * S));
    itsi_event_fini(&a->done);
    assert_int_equal(a->calls, 1);
    assert_true(a->was_on_loop);
    return a->rc;
}

static void a_request_is_answered_on_the_loop(void **state)
{
    (void)state;
    struct server server;
    struct asker first, second, late, cancelled;
    struct itsi_pool_params p = plain_params();
    p.most = 1;
    struct itsi_pool *pool = server_begin(&server, &p);
    ask_async(&first, &server, pool, ITSI_NEVER);
    assert_int_equal(answer_of(&first), 0);
    ask_async(&late, &server, pool, itsi_now_ns() + 20 * MS);
    ask_async(&cancelled, &server, pool, ITSI_NEVER);
    ask_async(&second, &server, pool, ITSI_NEVER);
    assert_int_equal(answer_of(&late), ITS_ETIMEOUT);
    CHECK_CONTAINS(late.diag.text, "store/write");
    itsi_pool_cancel(pool, &cancelled.request);
    assert_int_equal(answer_of(&cancelled), ITS_ECANCELLED);
    assert_int_equal(itsi_pool_release(first.lease, false), 0);
    assert_int_equal(answer_of(&second), 0);
    itsi_pool_cancel(pool, &second.request); /* too late: it has its lease */
    assert_int_equal(second.calls, 1);
    assert_int_equal(itsi_pool_release(second.lease, false), 0);
    server_end(&server, pool);
}

/* Borrows, gives back and asks again from its answer, as the Redis client does. */
struct chain {
    struct itsi_pool_request request;
    struct itsi_pool *pool;
    int left;
    bool is_asking; /* the request is being made: it must not be answered inside */
    bool was_nested;
    struct itsi_event done;
};

static void on_chain(struct itsi_pool_request *request, int rc, struct itsi_lease lease, const struct its_diag *diag)
{
    struct chain *c = (struct chain *)request;
    (void)diag;
    c->was_nested |= c->is_asking;
    if (rc || itsi_pool_release(lease, false) || --c->left == 0) {
        itsi_event_set(&c->done);
        return;
    }
    c->is_asking = true;
    itsi_pool_request(c->pool, request);
    c->is_asking = false;
}

static void an_answer_may_ask_again_and_is_never_nested(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct itsi_pool *pool = server_begin(&server, &p);
    struct chain c = {.request = {.owner = somebody, .deadline = ITSI_NEVER, .done = on_chain}, .pool = pool, .left = 5000};
    itsi_event_init(&c.done);
    itsi_pool_request(pool, &c.request);
    assert_true(itsi_event_wait_until(&c.done, itsi_now_ns() + 10 * S));
    itsi_event_fini(&c.done);
    assert_int_equal(c.left, 0);
    assert_false(c.was_nested);
    server_end(&server, pool);
}

/* --- leaks --------------------------------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t mutex;
    char text[4096];
} logged = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void keep_line(void *arg, enum itsi_log_level level, const char *component, const char *text)
{
    (void)arg;
    (void)level;
    pthread_mutex_lock(&logged.mutex);
    snprintf(logged.text + strlen(logged.text), sizeof logged.text - strlen(logged.text), "%s: %s\n", component, text);
    pthread_mutex_unlock(&logged.mutex);
}

static void a_leak_is_logged_with_its_owner_and_so_is_its_return(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    p.leak_after_ns = 10 * MS;
    itsi_log_install(keep_line, NULL, ITSI_LOG_INFO);
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease held = must_acquire(pool);
    WAIT_FOR(pool, now.leaks == 1);
    assert_int_equal(itsi_pool_release(held, false), 0);
    assert_int_equal(stats_of(pool).unleaks, 1);
    server_end(&server, pool);
    itsi_log_install(NULL, NULL, ITSI_LOG_ERROR);
    CHECK_CONTAINS(logged.text, "test: store/write has held one for");
    CHECK_CONTAINS(logged.text, "test: store/write gave back what it had held for");
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

static void *return_later(void *arg)
{
    struct itsi_lease *lease = arg;
    itsi_sleep_until_ns(itsi_now_ns() + 30 * MS);
    return itsi_pool_release(*lease, false) ? arg : NULL;
}

static void the_end_waits_for_leases(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    pthread_t thread;
    void *failed;
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease held = must_acquire(pool);
    assert_int_equal(itsi_thread_start(&thread, "returns", return_later, &held, NULL), 0);
    itsi_pool_destroy(pool, ITSI_NEVER);
    pthread_join(thread, &failed);
    assert_null(failed); /* it was held until then */
    server_stop(&server);
}

/* Closed under their borrowers; who gives one back afterwards is told so, by memory that waited for that. */
static void the_end_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease held[3];
    for (int i = 0; i < 3; i++)
        held[i] = must_acquire(pool);
    itsi_pool_destroy(pool, itsi_now_ns() + 10 * MS);
    assert_int_equal(server.open, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(itsi_pool_release(held[i], false), ITS_EINVAL);
    server_stop(&server);
}

struct blocked_thread {
    pthread_t thread;
    struct itsi_pool *pool;
    int rc;
};

static void *block(void *arg)
{
    struct blocked_thread *b = arg;
    struct itsi_lease lease;
    struct its_diag diag;
    b->rc = itsi_pool_acquire(b->pool, &somebody, ITSI_NEVER, &lease, &diag);
    return NULL;
}

static void the_end_sends_away_who_waits(void **state)
{
    (void)state;
    struct server server;
    struct itsi_pool_params p = plain_params();
    struct blocked_thread threads[8];
    struct asker asker;
    p.most = 1;
    struct itsi_pool *pool = server_begin(&server, &p);
    struct itsi_lease held = must_acquire(pool);
    for (int i = 0; i < 8; i++) {
        threads[i] = (struct blocked_thread){.pool = pool};
        assert_int_equal(itsi_thread_start(&threads[i].thread, "blocked", block, &threads[i], NULL), 0);
    }
    ask_async(&asker, &server, pool, ITSI_NEVER);
    WAIT_FOR(pool, now.waiting == 9);
    itsi_pool_destroy(pool, itsi_now_ns());
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i].thread, NULL);
        assert_int_equal(threads[i].rc, ITS_ECANCELLED);
    }
    assert_int_equal(answer_of(&asker), ITS_ECANCELLED);
    assert_int_equal(itsi_pool_release(held, false), ITS_EINVAL);
    server_stop(&server);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    struct server server;
    const struct itsi_pool_params p = plain_params();
    struct its_diag diag;
    int failures = 0;
    server_start(&server);
    for (int n = 1;; n++) {
        struct itsi_pool *pool = NULL;
        itsi_alloc_fail_at(n);
        const int rc = itsi_pool_create(&pool, server.loop, &p, &server_kind, &server, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            itsi_pool_destroy(pool, ITSI_NEVER);
            break;
        }
        assert_int_equal(rc, ITS_ENOMEM);
        assert_null(pool);
        failures++;
    }
    assert_int_equal(failures, 5);
    itsi_pool_destroy(NULL, 0);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lends_what_the_kind_made),
        cmocka_unit_test(lending_allocates_nothing),
        cmocka_unit_test(a_timeout_says_who_holds_them),
        cmocka_unit_test(a_refusal_says_what_the_server_s_error_was),
        cmocka_unit_test(a_request_is_answered_on_the_loop),
        cmocka_unit_test(an_answer_may_ask_again_and_is_never_nested),
        cmocka_unit_test(a_leak_is_logged_with_its_owner_and_so_is_its_return),
        cmocka_unit_test(the_end_waits_for_leases),
        cmocka_unit_test(the_end_does_not_wait_for_ever),
        cmocka_unit_test(the_end_sends_away_who_waits),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

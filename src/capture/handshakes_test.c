#include "capture/handshakes.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "support/check.h"

static void bad_limits_are_refused(void **state)
{
    (void)state;
    struct itsi_handshakes *h = NULL;
    struct its_diag diag;
    assert_int_equal(itsi_handshakes_create(&h, 0, 10, &diag), ITS_EINVAL);
    assert_int_equal(itsi_handshakes_create(&h, 1, 0, &diag), ITS_EINVAL);
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_handshakes_create(&h, 1, 1, &diag), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_null(h);
    itsi_handshakes_destroy(NULL);
}

struct crowd {
    struct itsi_handshakes *h;
    atomic_bool stop, may_end; /* may_end: handshakes go on until it is set */
    atomic_int inside, most, done, order[32];
};
struct one {
    struct crowd *crowd;
    int index, rc;
    pthread_t thread;
};

static void *visit(void *arg)
{
    struct one *one = arg;
    struct crowd *c = one->crowd;
    one->rc = itsi_handshakes_acquire(c->h, &c->stop);
    if (one->rc)
        return NULL;
    int inside = atomic_fetch_add(&c->inside, 1) + 1;
    int most = atomic_load(&c->most);
    while (inside > most && !atomic_compare_exchange_weak(&c->most, &most, inside))
        ;
    atomic_store(&c->order[atomic_fetch_add(&c->done, 1)], one->index);
    while (!atomic_load(&c->may_end))
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
    atomic_fetch_sub(&c->inside, 1);
    itsi_handshakes_release(c->h);
    return NULL;
}

static void send(struct crowd *crowd, struct one *one, int index)
{
    struct its_diag diag;
    *one = (struct one){.crowd = crowd, .index = index};
    CHECK_OK(itsi_thread_start(&one->thread, "visit", visit, one, &diag), diag);
}

/* Until so many are in flight and so many wait, however long the machine takes over it. */
static void await(struct itsi_handshakes *h, int now, int waiting)
{
    struct itsi_handshakes_stats stats;
    for (itsi_handshakes_stats(h, &stats); stats.now != now || stats.waiting != waiting; itsi_handshakes_stats(h, &stats))
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
}

static void never_more_than_the_limit_at_once(void **state)
{
    (void)state;
    static struct crowd c;
    static struct one ones[32];
    struct its_diag diag;
    CHECK_OK(itsi_handshakes_create(&c.h, 3, 10000, &diag), diag);
    for (int i = 0; i < 32; i++)
        send(&c, &ones[i], i);
    await(c.h, 3, 29); /* it does go up to the limit */
    atomic_store(&c.may_end, true);
    for (int i = 0; i < 32; i++) {
        pthread_join(ones[i].thread, NULL);
        assert_int_equal(ones[i].rc, 0);
    }
    struct itsi_handshakes_stats stats;
    itsi_handshakes_stats(c.h, &stats);
    assert_int_equal(stats.now, 0);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.highest, 3);
    assert_true(atomic_load(&c.most) <= 3);
    assert_int_equal(atomic_load(&c.done), 32);
    itsi_handshakes_destroy(c.h);
}

static void first_come_first_served(void **state)
{
    (void)state;
    static struct crowd c = {.may_end = true};
    static struct one ones[8];
    struct its_diag diag;
    CHECK_OK(itsi_handshakes_create(&c.h, 1, 10000, &diag), diag);
    assert_int_equal(itsi_handshakes_acquire(c.h, &c.stop), 0); /* the place is taken while they come */
    for (int i = 0; i < 8; i++) {
        send(&c, &ones[i], i);
        await(c.h, 1, i + 1);
    }
    itsi_handshakes_release(c.h);
    for (int i = 0; i < 8; i++)
        pthread_join(ones[i].thread, NULL);
    for (int i = 0; i < 8; i++)
        assert_int_equal(atomic_load(&c.order[i]), i);
    itsi_handshakes_destroy(c.h);
}

static void a_stopped_waiter_leaves_and_the_next_goes_on(void **state)
{
    (void)state;
    static struct crowd c = {.may_end = true}, other = {.may_end = true};
    struct one first, second;
    struct its_diag diag;
    CHECK_OK(itsi_handshakes_create(&c.h, 1, 10000, &diag), diag);
    other.h = c.h;
    assert_int_equal(itsi_handshakes_acquire(c.h, &other.stop), 0);
    send(&c, &first, 0);
    await(c.h, 1, 1);
    send(&other, &second, 0);
    await(c.h, 1, 2);
    atomic_store(&c.stop, true);
    itsi_handshakes_wake(c.h);
    pthread_join(first.thread, NULL);
    assert_int_equal(first.rc, ITS_ECANCELLED);
    itsi_handshakes_release(c.h);
    pthread_join(second.thread, NULL);
    assert_int_equal(second.rc, 0);
    itsi_handshakes_destroy(c.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_limits_are_refused),
        cmocka_unit_test(never_more_than_the_limit_at_once),
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(a_stopped_waiter_leaves_and_the_next_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/mem.h"
#include "latency/flight_ring.h"

#include <pthread.h>

static struct itsi_flight_entry entry(uint32_t seq, int64_t origin_us)
{
    struct itsi_flight_entry e = {.origin_us = origin_us, .seq = seq};
    for (int i = 0; i < ITSI_FLIGHT_STAMPS; i++)
        e.stamp_us[i] = ITSI_FLIGHT_NEVER;
    return e;
}

static struct itsi_flight_ring *make(size_t capacity)
{
    struct itsi_flight_ring *ring;
    struct its_diag diag;
    CHECK_OK(itsi_flight_ring_create(&ring, capacity, &diag), diag);
    return ring;
}

static void the_newest_are_kept_in_order(void **state)
{
    (void)state;
    struct itsi_flight_ring *ring = make(5000);
    struct itsi_flight_entry *copy;
    size_t count;
    assert_int_equal(itsi_flight_copy(ring, 0, &copy, &count, NULL), 0);
    assert_int_equal(count, 0);
    itsi_free(copy);
    for (uint32_t i = 0; i < 12345; i++) {
        struct itsi_flight_entry e = entry(i, 10 * (int64_t)i);
        itsi_flight_note(ring, &e);
    }
    assert_int_equal(itsi_flight_copy(ring, 0, &copy, &count, NULL), 0);
    assert_int_equal(count, 5000);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(copy[i].seq, 12345 - 5000 + i);
    itsi_free(copy);
    assert_int_equal(itsi_flight_noted(ring), 12345);
    itsi_flight_ring_destroy(ring);
}

static void a_window_is_by_the_end_of_frames(void **state)
{
    (void)state;
    struct itsi_flight_ring *ring = make(10);
    struct itsi_flight_entry *copy, e = entry(1, 1000);
    size_t count;
    e.stamp_us[8] = 500; /* began early, ended late */
    itsi_flight_note(ring, &e);
    e = entry(2, 1400);
    itsi_flight_note(ring, &e);
    e = entry(3, 1600);
    itsi_flight_note(ring, &e);
    assert_int_equal(itsi_flight_copy(ring, 1500, &copy, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(copy[0].seq, 1);
    assert_int_equal(copy[1].seq, 3);
    itsi_free(copy);
    itsi_flight_ring_destroy(ring);
}

enum { WRITERS = 4, EACH = 40000 };
static void *write_many(void *arg)
{
    static atomic_uint next;
    uint32_t me = atomic_fetch_add(&next, 1);
    for (uint32_t i = 0; i < EACH; i++) {
        struct itsi_flight_entry e = entry(i, 1);
        e.camera = me;
        itsi_flight_note(arg, &e);
    }
    return NULL;
}

/* Copies taken while others write hold whole entries, each writer's in its order. */
static void copies_are_whole_while_others_write(void **state)
{
    (void)state;
    struct itsi_flight_ring *ring = make(6000);
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, ring), 0);
    while (itsi_flight_noted(ring) < (uint64_t)WRITERS * EACH) {
        struct itsi_flight_entry *copy;
        size_t count;
        uint32_t last[WRITERS] = {0};
        assert_int_equal(itsi_flight_copy(ring, 0, &copy, &count, NULL), 0);
        assert_true(count <= 6000);
        for (size_t i = 0; i < count; i++) {
            assert_true(copy[i].camera < WRITERS);
            assert_true(copy[i].seq + 1 > last[copy[i].camera]);
            last[copy[i].camera] = copy[i].seq + 1;
        }
        itsi_free(copy);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    itsi_flight_ring_destroy(ring);
}

static void noting_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_flight_ring *ring = make(100);
    uint64_t before = itsi_alloc_count();
    for (uint32_t i = 0; i < 1000; i++) {
        struct itsi_flight_entry e = entry(i, i);
        itsi_flight_note(ring, &e);
    }
    assert_true(itsi_alloc_count() == before);
    itsi_flight_ring_destroy(ring);
    for (int64_t n = 1; n <= 2; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_flight_ring_create(&ring, 100, NULL), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_are_kept_in_order),
        cmocka_unit_test(a_window_is_by_the_end_of_frames),
        cmocka_unit_test(copies_are_whole_while_others_write),
        cmocka_unit_test(noting_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

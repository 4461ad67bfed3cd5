#include "support/check.h"

#include "base/mem.h"
#include "base/thread.h"
#include "latency/trace_ring.h"

#include <sched.h>
#include <stdatomic.h>

static bool put(struct itsi_trace_ring *ring, int limit, uint32_t camera, uint64_t seq)
{
    struct itsi_trace_record *record = itsi_trace_ring_claim(ring, limit);
    if (!record)
        return false;
    record->info.camera = camera;
    record->info.seq = seq;
    itsi_trace_ring_publish(ring, record);
    return true;
}

static void gives_back_in_order_and_refuses_when_full(void **state)
{
    (void)state;
    struct itsi_trace_ring *ring;
    struct its_diag diag;
    CHECK_OK(itsi_trace_ring_create(&ring, 8, &diag), diag);
    assert_null(itsi_trace_ring_front(ring));
    uint64_t next = 1, wanted = 1;
    for (int round = 0; round < 5; round++) {
        while (put(ring, 8, 0, next))
            next++;
        assert_int_equal(next - wanted, 8);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(itsi_trace_ring_front(ring)->info.seq, wanted++);
            itsi_trace_ring_release(ring);
        }
    }
    itsi_trace_ring_destroy(ring);
}

static void a_limit_leaves_room_for_others(void **state)
{
    (void)state;
    struct itsi_trace_ring *ring;
    struct its_diag diag;
    CHECK_OK(itsi_trace_ring_create(&ring, 8, &diag), diag);
    int ordinary = 0, all = 0;
    while (put(ring, 6, 0, 1))
        ordinary++;
    while (put(ring, 8, 0, 2))
        all++;
    assert_int_equal(ordinary, 6);
    assert_int_equal(all, 2);
    itsi_trace_ring_destroy(ring);
}

static void an_unpublished_cell_holds_back_what_follows(void **state)
{
    (void)state;
    struct itsi_trace_ring *ring;
    struct its_diag diag;
    CHECK_OK(itsi_trace_ring_create(&ring, 4, &diag), diag);
    struct itsi_trace_record *first = itsi_trace_ring_claim(ring, 4);
    assert_true(put(ring, 4, 0, 2));
    assert_null(itsi_trace_ring_front(ring));
    first->info.seq = 1;
    assert_int_equal(itsi_trace_ring_publish(ring, first), 1);
    assert_int_equal(itsi_trace_ring_front(ring)->info.seq, 1);
    itsi_trace_ring_release(ring);
    assert_int_equal(itsi_trace_ring_front(ring)->info.seq, 2);
    itsi_trace_ring_destroy(ring);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    struct itsi_trace_ring *ring;
    struct its_diag diag;
    assert_int_equal(itsi_trace_ring_create(&ring, 6, &diag), ITS_EINVAL);
    for (int nth = 1; nth <= 2; nth++) {
        itsi_alloc_fail_at(nth);
        assert_int_equal(itsi_trace_ring_create(&ring, 8, &diag), ITS_ENOMEM);
        itsi_alloc_fail_at(0);
    }
}

enum { WRITERS = 8, EACH = 20000 };
struct writer {
    struct itsi_trace_ring *ring;
    uint32_t number;
    uint64_t refused;
    atomic_int *left;
};

static void *write_many(void *arg)
{
    struct writer *writer = arg;
    for (uint64_t seq = 1; seq <= EACH; seq++)
        writer->refused += !put(writer->ring, 64, writer->number, seq);
    atomic_fetch_sub(writer->left, 1);
    return NULL;
}

/* Nothing is lost unseen, doubled or out of a writer's order. */
static void many_writers_one_reader(void **state)
{
    (void)state;
    struct itsi_trace_ring *ring;
    struct its_diag diag;
    CHECK_OK(itsi_trace_ring_create(&ring, 64, &diag), diag);
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    atomic_int left = WRITERS;
    uint64_t last[WRITERS] = {0}, got = 0, refused = 0;
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){ring, i, 0, &left};
        CHECK_OK(itsi_thread_start(&threads[i], "writer", write_many, &writers[i], &diag), diag);
    }
    for (bool more = true; more;) {
        more = atomic_load(&left) > 0;
        const struct itsi_trace_record *record;
        for (; (record = itsi_trace_ring_front(ring)) != NULL; got++) {
            assert_true(record->info.camera < WRITERS);
            assert_true(record->info.seq > last[record->info.camera]);
            last[record->info.camera] = record->info.seq;
            itsi_trace_ring_release(ring);
        }
        sched_yield();
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        refused += writers[i].refused;
    }
    assert_int_equal(got + refused, WRITERS * EACH);
    assert_true(got > 0);
    itsi_trace_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_in_order_and_refuses_when_full),
        cmocka_unit_test(a_limit_leaves_room_for_others),
        cmocka_unit_test(an_unpublished_cell_holds_back_what_follows),
        cmocka_unit_test(creation_survives_no_memory),
        cmocka_unit_test(many_writers_one_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

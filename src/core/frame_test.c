#include "support/check.h"

#include "base/mem.h"
#include "core/detection.h"
#include "core/frame.h"

static int released, disposed;
static void *make_native(void) { return itsi_alloc(16); }
static void release(struct itsi_frame *frame) { released += frame->native != NULL; }
static void dispose(struct itsi_frame *frame)
{
    itsi_free(frame->native);
    disposed++;
}

static void pool_outlives_its_last_frame(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_frame_pool *pool;
    released = disposed = 0;
    CHECK_OK(itsi_frame_pool_create(&pool, 2, make_native, release, dispose, &diag), diag);
    struct itsi_frame *a = itsi_frame_pool_get(pool);
    struct itsi_frame *b = itsi_frame_pool_get(pool);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(itsi_frame_pool_get(pool));
    struct itsi_frame *again = itsi_frame_ref(a);
    itsi_frame_unref(&a);
    assert_null(a);
    assert_int_equal(released, 0);
    itsi_frame_pool_close(pool);
    itsi_frame_unref(&b);
    assert_int_equal(disposed, 0);
    itsi_frame_unref(&again);
    assert_int_equal(released, 2);
    assert_int_equal(disposed, 2);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_frame_pool *frames;
    struct itsi_result_pool *results;
    CHECK_OK(itsi_frame_pool_create(&frames, 2, NULL, NULL, NULL, &diag), diag);
    CHECK_OK(itsi_result_pool_create(&results, 2, &diag), diag);
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 1000; i++) {
        struct itsi_result *result = itsi_result_pool_get(results);
        struct itsi_frame *frame = itsi_frame_pool_get(frames);
        assert_non_null(result);
        assert_non_null(frame);
        itsi_frame_unref(&frame);
        itsi_result_unref(&result);
    }
    assert_int_equal(itsi_alloc_count(), before);
    assert_int_equal(itsi_frame_pool_in_use(frames), 0);
    itsi_frame_pool_close(frames);
    itsi_result_pool_close(results);
}

static void failing_allocations_leak_nothing(void **state)
{
    (void)state;
    for (int nth = 1; nth <= 5; nth++) {
        struct itsi_frame_pool *pool = NULL;
        struct its_diag diag;
        itsi_alloc_fail_at(nth);
        int rc = itsi_frame_pool_create(&pool, 3, make_native, release, dispose, &diag);
        itsi_alloc_fail_at(0);
        assert_int_equal(rc, ITS_ENOMEM);
        assert_null(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_outlives_its_last_frame),
        cmocka_unit_test(steady_state_allocates_nothing),
        cmocka_unit_test(failing_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

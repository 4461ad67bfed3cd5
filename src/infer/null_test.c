#include "support/backend_conformance.h"
#include "support/check.h"

#include "base/clock.h"

static void registry_lists_backends_in_order_of_preference(void **state)
{
    (void)state;
    const struct itsi_backend *const *all = itsi_backends();
    int count = 0;
    while (all[count])
        count++;
    assert_ptr_equal(all[count - 1], &itsi_backend_null); /* never preferred over a real one */
    assert_ptr_equal(itsi_backend_find("null"), &itsi_backend_null);
    assert_null(itsi_backend_find("abacus"));
    assert_string_equal(itsi_precision_name(ITSI_PRECISION_BF16), "bf16");
    assert_int_equal(itsi_backend_null.probe(NULL), 0);
}

/* Service takes base + per_image * n, and the next begins when the one before ends. */
static void service_time_is_kept(void **state)
{
    (void)state;
    const struct itsi_backend *b = &itsi_backend_null;
    struct itsi_engine_params params = {.width = 64, .height = 64, .max_batch = 8, .null_base_ns = 2 * ITSI_NS_PER_MS,
                                        .null_per_image_ns = ITSI_NS_PER_MS};
    struct itsi_engine *e;
    struct its_diag diag;
    CHECK_OK(b->open(&e, &params, &diag), diag);
    assert_true(b->info(e)->batch_efficient);
    assert_int_equal(b->info(e)->parallel, 1);
    assert_int_equal(b->info(e)->warm_ns[0][0], 3 * ITSI_NS_PER_MS);
    assert_int_equal(b->info(e)->warm_ns[0][3], 10 * ITSI_NS_PER_MS);
    assert_int_equal(b->info(e)->warm_ns[0][4], 0); /* no such batch */
    const int images[3] = {1, 5, 2};
    for (int i = 0; i < 3; i++)
        assert_int_equal(b->submit(e, b->acquire(e), images[i]), 0);
    int64_t before = 0;
    for (int i = 0; i < 3; i++) {
        struct itsi_completion done;
        assert_int_equal(b->collect(e, ITSI_NEVER, &done), 0);
        assert_true(done.finished_ns - done.started_ns >= (2 + images[i]) * ITSI_NS_PER_MS);
        assert_true(done.started_ns >= before);
        before = done.finished_ns;
    }
    b->close(e);
}

/* What is over before its start has been told makes room for the next all the same: nothing else would wake the worker. */
static void no_run_is_too_short_to_be_followed(void **state)
{
    (void)state;
    enum { ROUNDS = 2000, SLOTS = 3 };
    const struct itsi_backend *b = &itsi_backend_null;
    struct itsi_engine_params params = {.width = 64, .height = 64, .max_batch = 1, .null_per_image_ns = 1};
    struct itsi_engine *e;
    struct its_diag diag;
    CHECK_OK(b->open(&e, &params, &diag), diag);
    assert_int_equal(b->info(e)->slots, SLOTS);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < SLOTS; i++)
            assert_int_equal(b->submit(e, b->acquire(e), 1), 0);
        for (int i = 0; i < SLOTS; i++) {
            struct itsi_completion done;
            assert_int_equal(b->collect(e, itsi_now_ns() + 20 * ITSI_NS_PER_S, &done), 0);
            b->release(e, done.slot);
        }
    }
    b->close(e);
}

static void finds_nothing(void **state)
{
    (void)state;
    const struct itsi_backend *b = &itsi_backend_null;
    struct itsi_engine_params params = {.width = 640, .height = 384, .max_batch = 1, .parallel = 2, .classes = 3};
    struct itsi_engine *e;
    struct its_diag diag;
    CHECK_OK(b->open(&e, &params, &diag), diag);
    assert_false(b->info(e)->batch_efficient);
    struct itsi_output_tensor out;
    b->output(e, 0, 0, &out);
    assert_int_equal(out.rows, 7);
    assert_int_equal(out.anchors, 5040);
    for (int i = 0; i < out.rows * out.anchors; i++)
        assert_true(out.data[i] == 0.0F);
    b->close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_lists_backends_in_order_of_preference),
        cmocka_unit_test(service_time_is_kept),
        cmocka_unit_test(no_run_is_too_short_to_be_followed),
        cmocka_unit_test(finds_nothing),
    };
    int failed = cmocka_run_group_tests_name("null", tests, NULL, NULL);
    static const struct {
        const char *name;
        int parallel;
        int64_t base_ns, per_image_ns;
    } kinds[] = {{"null, no service time", 0, 0, 0},
                 {"null, one at a time", 1, 200 * ITSI_NS_PER_US, 20 * ITSI_NS_PER_US},
                 {"null, three side by side", 3, 300 * ITSI_NS_PER_US, 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct backend_case c = {.name = kinds[i].name, .backend = &itsi_backend_null, .reopen = 100};
        c.params = (struct itsi_engine_params){.width = 96, .height = 64, .parallel = kinds[i].parallel, .classes = 5,
                                              .null_base_ns = kinds[i].base_ns,
                                              .null_per_image_ns = kinds[i].per_image_ns};
        c.bad[0] = (struct itsi_engine_params){.width = 100, .height = 64, .max_batch = 1};
        c.bad[1] = (struct itsi_engine_params){.width = 96, .height = 64, .max_batch = 0};
        c.bad[2] = (struct itsi_engine_params){.width = 96, .height = 64, .max_batch = 1, .null_base_ns = -1};
        c.bad_count = 3;
        failed += backend_conformance_run(&c);
    }
    return failed;
}

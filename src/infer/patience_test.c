/* When the batcher gives up hope for a frame, and what it grants those who starve. With a clock of its own. */
#include "support/check.h"

#include "base/clock.h"
#include "infer/batcher.h"

#define MS ITSI_NS_PER_MS
enum { CAMERAS = 16, TIGHT = 8, BATCH = 4 };

struct bench {
    struct itsi_batcher *batcher;
    struct itsi_mailbox *box[CAMERAS];
    struct itsi_ledger ledger[CAMERAS];
    struct itsi_frame_pool *pool;
    int64_t now;
};

static void open_bench(struct bench *t, int max_batch)
{
    struct its_diag diag;
    const struct itsi_batcher_params params = {.max_batch = max_batch, .batch_efficient = max_batch > 1};
    *t = (struct bench){.now = 1000 * MS};
    CHECK_OK(itsi_batcher_create(&t->batcher, &params, &diag), diag);
    CHECK_OK(itsi_frame_pool_create(&t->pool, 2 * CAMERAS, NULL, NULL, NULL, &diag), diag);
    for (int i = 0; i < CAMERAS; i++) {
        itsi_ledger_init(&t->ledger[i]);
        CHECK_OK(itsi_mailbox_create(t->batcher, &t->box[i], &t->ledger[i], (void *)(intptr_t)i, 1, &diag), diag);
    }
}

static void close_bench(struct bench *t)
{
    for (int i = 0; i < CAMERAS; i++) {
        itsi_mailbox_free(t->box[i]);
        itsi_ledger_fini(&t->ledger[i]);
    }
    itsi_batcher_destroy(t->batcher);
    itsi_frame_pool_close(t->pool);
}

/* Of a budget of 100 ms so much is left. */
static void put(struct bench *t, int camera, int64_t slack)
{
    struct itsi_frame *frame = itsi_frame_pool_get(t->pool);
    frame->info.deadline = t->now + slack;
    frame->info.trace.origin = frame->info.deadline - 100 * MS;
    itsi_ledger_arrive(&t->ledger[camera]);
    (void)itsi_mailbox_put(t->box[camera], frame, false, t->now);
}

/* A run takes twenty budgets. While that is fresh knowledge a frame is let go after a tenth of its own, and after two fifths when
 * nothing has confirmed it for a second. */
static void the_hopeless_are_tried_longer_as_knowledge_ages(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, 1);
    for (int i = 0; i < 200; i++)
        itsi_batcher_observe(t.batcher, 0, 1, 2000 * MS, t.now);
    put(&t, 0, 100 * MS);
    assert_int_equal(itsi_batcher_shed(t.batcher, t.now), t.now + 10 * MS);
    t.now += 1500 * MS;
    put(&t, 0, 100 * MS);
    assert_int_equal(itsi_batcher_shed(t.batcher, t.now), t.now + 40 * MS);
    close_bench(&t);
}

/* What comes beside the run is foreseen as 95 of 100 frames have it, not as half of them do. */
static void the_rest_is_foreseen_for_nearly_all(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, 1);
    for (int i = 0; i < 200; i++)
        itsi_batcher_observe(t.batcher, 0, 1, 30 * MS, t.now);
    for (int i = 0; i < 2000; i++)
        itsi_batcher_observe_rest(t.batcher, i % 8 == 0 ? 20 * MS : 2 * MS);
    assert_in_range(itsi_batcher_predict(t.batcher, 0, 1), 42 * MS, 60 * MS);
    close_bench(&t);
}

/* Half of the cameras have too little time for a full batch, and all of those starve: yet only one batch in four is kept small. */
static void one_batch_in_four_is_kept_small(void **state)
{
    (void)state;
    struct bench t;
    struct itsi_batch_item items[BATCH];
    int64_t wake_at;
    int since = BATCH, small = 0;
    open_bench(&t, BATCH);
    for (int n = 1; n <= BATCH; n++)
        for (int i = 0; i < 200; i++)
            itsi_batcher_observe(t.batcher, 0, n, (8 + 4 * n) * MS, t.now);
    for (int batch = 0; batch < 400; batch++, t.now += 24 * MS) {
        for (int i = 0; i < CAMERAS; i++)
            put(&t, i, i < TIGHT ? 14 * MS : 98 * MS);
        const int n = itsi_batcher_take(t.batcher, t.now, true, items, &wake_at);
        for (int i = 0; i < n; i++)
            itsi_frame_unref(&items[i].frame);
        itsi_batcher_done(t.batcher, items, n);
        if (n < BATCH)
            assert_true(since >= 3);
        since = n < BATCH ? 0 : since + 1;
        small += n < BATCH;
    }
    print_message("    %d of 400 batches kept small\n", small);
    assert_in_range(small, 60, 100);
    close_bench(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hopeless_are_tried_longer_as_knowledge_ages),
        cmocka_unit_test(the_rest_is_foreseen_for_nearly_all),
        cmocka_unit_test(one_batch_in_four_is_kept_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "infer/batcher.h"

#define MS ITSI_NS_PER_MS
enum { CAMERAS = 4 };

struct bench {
    struct itsi_batcher *batcher;
    struct itsi_mailbox *box[CAMERAS];
    struct itsi_ledger ledger[CAMERAS];
    struct itsi_frame_pool *pool;
    int64_t now;
};

/* Drops as the batcher tells them: at the end of every test they are held against the ledgers. */
static atomic_uint_fast64_t told[ITSI_DROP_COUNT];

static void note_drop(void *owner, const struct itsi_frame *frame, enum itsi_stage stage, enum itsi_drop reason)
{
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(owner, &counts); /* the owners here are the ledgers, and those know already */
    assert_true(counts.dropped[stage][reason] > 0);
    assert_non_null(frame);
    atomic_fetch_add(&told[reason], 1);
}

static atomic_uint_fast64_t told_skipped;

static void note_skip(void *owner, const struct itsi_frame *frame)
{
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(owner, &counts);
    assert_true(counts.skipped > atomic_fetch_add(&told_skipped, 1));
    assert_non_null(frame);
}

static void open_bench(struct bench *t, enum itsi_batch_policy policy, int max_batch, bool batch_efficient,
                       const int *weights)
{
    struct its_diag diag;
    struct itsi_batcher_params params = {.policy = policy,
                                         .max_batch = max_batch,
                                         .batch_efficient = batch_efficient,
                                         .batch_timeout_ns = 10 * MS,
                                         .dropped = note_drop,
                                         .skipped = note_skip};
    t->now = 1000 * MS;
    atomic_store(&told_skipped, 0);
    for (int r = 0; r < ITSI_DROP_COUNT; r++)
        atomic_store(&told[r], 0);
    CHECK_OK(itsi_batcher_create(&t->batcher, &params, &diag), diag);
    CHECK_OK(itsi_frame_pool_create(&t->pool, 64, NULL, NULL, NULL, &diag), diag);
    for (int i = 0; i < CAMERAS; i++) {
        itsi_ledger_init(&t->ledger[i]);
        CHECK_OK(itsi_mailbox_create(t->batcher, &t->box[i], &t->ledger[i], &t->ledger[i], weights ? weights[i] : 1,
                                     &diag),
                 diag);
    }
}

static void close_bench(struct bench *t)
{
    uint64_t dropped[ITSI_DROP_COUNT] = {0}, skipped = 0;
    for (int i = 0; i < CAMERAS; i++) {
        itsi_mailbox_free(t->box[i]);
        struct itsi_ledger_counts counts;
        itsi_ledger_snapshot(&t->ledger[i], &counts);
        for (int r = 0; r < ITSI_DROP_COUNT; r++)
            dropped[r] += counts.dropped[ITSI_STAGE_PREPROCESSING][r];
        skipped += counts.skipped;
        assert_int_equal(counts.in_flight, 0);
        assert_int_equal(itsi_ledger_balance(&counts), 0);
        itsi_ledger_fini(&t->ledger[i]);
    }
    for (int r = 0; r < ITSI_DROP_COUNT; r++)
        assert_int_equal(atomic_load(&told[r]), dropped[r]);
    assert_int_equal(atomic_load(&told_skipped), skipped);
    itsi_batcher_destroy(t->batcher);
    assert_int_equal(itsi_frame_pool_in_use(t->pool), 0);
    itsi_frame_pool_close(t->pool);
}

static void put_frame(struct bench *t, int camera, int64_t budget, bool in_place)
{
    struct itsi_frame *frame = itsi_frame_pool_get(t->pool);
    assert_non_null(frame);
    frame->info.trace.origin = t->now;
    frame->info.deadline = budget == ITSI_NEVER ? ITSI_NEVER : t->now + budget;
    frame->info.in_place = in_place;
    itsi_ledger_arrive(&t->ledger[camera]);
    assert_int_equal(itsi_mailbox_put(t->box[camera], frame, false, t->now), 0);
}

static void put(struct bench *t, int camera, int64_t budget) { put_frame(t, camera, budget, false); }

static void observe(struct bench *t, int n, int64_t run_ns, int times)
{
    while (times-- > 0)
        itsi_batcher_observe(t->batcher, 0, n, run_ns, t->now);
}

/* Takes and delivers; returns how many, and which camera came first. */
static int take(struct bench *t, bool idle, int *first, int64_t *wake_at)
{
    struct itsi_batch_item items[64];
    int n = itsi_batcher_take(t->batcher, t->now, idle, items, wake_at);
    for (int i = 0; i < n; i++) {
        struct itsi_ledger *ledger = items[i].owner;
        if (i == 0 && first)
            *first = (int)(ledger - t->ledger);
        itsi_ledger_deliver(ledger, 0);
        itsi_frame_unref(&items[i].frame);
    }
    itsi_batcher_done(t->batcher, items, n);
    return n;
}

static void newest_wins_and_is_counted(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    put(&t, 0, 100 * MS);
    t.now += 40 * MS;
    put(&t, 0, 100 * MS);
    struct itsi_batch_item item;
    int64_t wake;
    assert_int_equal(itsi_batcher_take(t.batcher, t.now, true, &item, &wake), 1);
    assert_int_equal(item.frame->info.trace.origin, t.now);
    itsi_frame_unref(&item.frame);
    itsi_ledger_deliver(&t.ledger[0], 0);
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&t.ledger[0], &counts);
    assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED], 1);
    assert_int_equal(counts.admitted, 1);
    close_bench(&t);
}

/* Two were wanted. The first went on three times and was not taken; the second was, at its third time. */
static void one_whose_place_is_taken_is_skipped(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    for (int i = 0; i < 6; i++) {
        put_frame(&t, 0, 100 * MS, i % 3 > 0);
        t.now += 10 * MS;
    }
    int64_t wake;
    assert_int_equal(take(&t, true, NULL, &wake), 1);
    put_frame(&t, 0, 100 * MS, true); /* nothing waits whose place it could take */
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&t.ledger[0], &counts);
    assert_int_equal(counts.skipped, 4);
    assert_int_equal(itsi_ledger_dropped(&counts), 1);
    assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED], 1);
    assert_int_equal(counts.in_flight, 1);
    CHECK_NEAR(itsi_ledger_on_time_ratio(&counts), 0.5, 1e-9); /* of two that were wanted and have ended */
    close_bench(&t);
}

static void sheds_what_cannot_meet_its_deadline(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    observe(&t, 1, 30 * MS, 100);
    itsi_batcher_observe_rest(t.batcher, 5 * MS);
    CHECK_NEAR((double)itsi_batcher_predict(t.batcher, 0, 1), 35.0 * MS, 2.0 * MS);
    CHECK_NEAR((double)itsi_batcher_shortest_run(t.batcher, 0, 1), 30.0 * MS, 2.0 * MS);
    put(&t, 0, 100 * MS);
    int64_t expiry = itsi_batcher_shed(t.batcher, t.now);
    CHECK_NEAR((double)(expiry - t.now), 65.0 * MS, 2.0 * MS);
    t.now += 60 * MS;
    put(&t, 1, 100 * MS);
    t.now += 10 * MS;
    int first = -1;
    int64_t wake;
    assert_int_equal(take(&t, true, &first, &wake), 1);
    assert_int_equal(first, 1);
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&t.ledger[0], &counts);
    assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED], 1);
    close_bench(&t);
}

/* Runs of 20 ms, and every tenth of 60: in company a frame goes when 60 are no longer there, alone when 20 are not. */
static void who_waits_alone_may_take_a_risk(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    for (int i = 0; i < 2000; i++)
        observe(&t, 1, i % 10 ? 20 * MS : 60 * MS, 1);
    assert_true(itsi_batcher_predict(t.batcher, 0, 1) > 45 * MS);
    put(&t, 0, 100 * MS);
    int64_t alone = itsi_batcher_shed(t.batcher, t.now);
    CHECK_NEAR((double)(alone - t.now), 80.0 * MS, 3.0 * MS);
    put(&t, 1, 100 * MS);
    assert_true(itsi_batcher_shed(t.batcher, t.now) < t.now + 55 * MS);
    itsi_batcher_shed(t.batcher, t.now + 70 * MS); /* one goes, and then the other is alone */
    assert_int_equal(itsi_batcher_waiting(t.batcher), 1);
    close_bench(&t);
}

/* The same for a batch: what is likely to be late rides along while there is room, and not once there is a crowd. */
static void in_a_batch_with_room_so_may_others(void **state)
{
    (void)state;
    for (int crowd = 0; crowd < 2; crowd++) {
        struct bench t;
        int64_t wake;
        open_bench(&t, ITSI_BATCH_DEADLINE, crowd ? 2 : 4, true, NULL);
        for (int n = 1; n <= 4; n++)
            for (int i = 0; i < 2000; i++)
                observe(&t, n, i % 10 ? 20 * MS : 60 * MS, 1);
        put(&t, 0, 100 * MS);
        t.now += 65 * MS; /* 35 are left of it */
        for (int i = 1; i < CAMERAS; i++)
            put(&t, i, 100 * MS);
        assert_int_equal(take(&t, true, NULL, &wake), crowd ? 2 : 4);
        struct itsi_ledger_counts counts;
        itsi_ledger_snapshot(&t.ledger[0], &counts);
        assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED], crowd);
        close_bench(&t);
    }
}

static void a_wild_prediction_does_not_stop_everything(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    observe(&t, 1, 5000 * MS, 1);
    put(&t, 0, 100 * MS);
    t.now += 10 * MS;
    int64_t wake;
    assert_int_equal(take(&t, true, NULL, &wake), 1);
    observe(&t, 1, 20 * MS, 1000);
    put(&t, 0, 100 * MS);
    t.now += 60 * MS;
    assert_int_equal(take(&t, true, NULL, &wake), 1);
    close_bench(&t);
}

static void overload_is_shared_by_weight(void **state)
{
    (void)state;
    static const int weights[CAMERAS] = {1, 1, 2, 4};
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, weights);
    int served[CAMERAS] = {0};
    for (int round = 0; round < 8000; round++) {
        for (int i = 0; i < CAMERAS; i++)
            put(&t, i, 100 * MS);
        int first = -1;
        int64_t wake;
        assert_int_equal(take(&t, false, &first, &wake), 1);
        served[first]++;
    }
    assert_in_range(served[0], 990, 1010);
    assert_in_range(served[1], 990, 1010);
    assert_in_range(served[2], 1990, 2010);
    assert_in_range(served[3], 3990, 4010);
    close_bench(&t);
}

static void silence_saves_no_turns(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    int64_t wake;
    for (int i = 0; i < 1000; i++) {
        put(&t, 0, 100 * MS);
        take(&t, true, NULL, &wake);
    }
    int served[CAMERAS] = {0};
    for (int i = 0; i < 100; i++) {
        put(&t, 0, 100 * MS);
        put(&t, 1, 100 * MS);
        int first = -1;
        take(&t, true, &first, &wake);
        served[first]++;
    }
    assert_in_range(served[0], 49, 51);
    close_bench(&t);
}

static void batches_close_when_due(void **state)
{
    (void)state;
    struct bench t;
    int64_t wake;
    open_bench(&t, ITSI_BATCH_DEADLINE, 3, true, NULL);
    observe(&t, 2, 20 * MS, 200);
    observe(&t, 3, 20 * MS, 200);
    /* busy engine, time left: wait for the batch timeout */
    put(&t, 0, 100 * MS);
    put(&t, 1, 100 * MS);
    assert_int_equal(take(&t, false, NULL, &wake), 0);
    assert_int_equal(wake, t.now + 10 * MS);
    /* an idle engine takes what there is */
    assert_int_equal(take(&t, true, NULL, &wake), 2);
    /* full */
    for (int i = 0; i < 3; i++)
        put(&t, i, 100 * MS);
    assert_int_equal(take(&t, false, NULL, &wake), 3);
    /* the smallest slack reaches the predicted run time before the timeout */
    put(&t, 0, 100 * MS);
    put(&t, 1, 25 * MS);
    assert_int_equal(take(&t, false, NULL, &wake), 0);
    CHECK_NEAR((double)(wake - t.now), 5.0 * MS, 1.5 * MS);
    t.now = wake;
    assert_int_equal(take(&t, false, NULL, &wake), 2);
    close_bench(&t);
}

static void fixed_policy_waits_for_size_or_time(void **state)
{
    (void)state;
    struct bench t;
    int64_t wake;
    open_bench(&t, ITSI_BATCH_FIXED, 3, true, NULL);
    put(&t, 2, 1 * MS);
    t.now += 5 * MS;
    assert_int_equal(take(&t, true, NULL, &wake), 0);
    assert_int_equal(wake, t.now + 5 * MS);
    put(&t, 1, 1 * MS);
    t.now = wake;
    int first = -1;
    assert_int_equal(take(&t, true, &first, &wake), 2);
    assert_int_equal(first, 2);
    close_bench(&t);
}

/* 20 ms and 5 more an image: eight of them take 60. */
static void a_free_engine_gets_the_largest_batch_that_is_on_time(void **state)
{
    (void)state;
    struct bench t;
    int64_t wake;
    open_bench(&t, ITSI_BATCH_DEADLINE, 4, true, NULL);
    for (int n = 1; n <= 4; n++)
        observe(&t, n, (20 + 5 * n) * MS, 200);
    for (int i = 0; i < 4; i++)
        put(&t, i, 100 * MS);
    assert_int_equal(take(&t, true, NULL, &wake), 4);
    for (int i = 0; i < 4; i++)
        put(&t, i, 34 * MS);
    assert_int_equal(take(&t, true, NULL, &wake), 2); /* all four would be late */
    close_bench(&t);
}

/* Two that came long ago and two that came now: together the old ones would be late, and one after the other a batch of
 * two is all there is time for. */
static void the_stale_are_given_up_for_a_batch_of_the_fresh(void **state)
{
    (void)state;
    struct bench t;
    int64_t wake;
    int first = -1;
    open_bench(&t, ITSI_BATCH_DEADLINE, 4, true, NULL);
    for (int n = 1; n <= 4; n++)
        observe(&t, n, (20 + 5 * n) * MS, 200);
    put(&t, 0, 100 * MS);
    put(&t, 1, 100 * MS);
    t.now += 73 * MS;
    put(&t, 2, 100 * MS);
    put(&t, 3, 101 * MS);
    assert_int_equal(take(&t, true, &first, &wake), 2);
    assert_int_equal(first, 2);
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&t.ledger[0], &counts);
    assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED], 1);
    close_bench(&t);
}

static void a_batch_holds_one_input_size(void **state)
{
    (void)state;
    struct bench t;
    struct itsi_batch_item items[4];
    int64_t wake;
    open_bench(&t, ITSI_BATCH_DEADLINE, 4, true, NULL);
    itsi_mailbox_set_input(t.box[2], 1, t.now);
    for (int i = 0; i < CAMERAS; i++)
        put(&t, i, (100 + i) * MS);
    itsi_mailbox_set_input(t.box[3], 1, t.now); /* while its frame waits */
    for (int size = 0; size < 2; size++) {
        assert_int_equal(itsi_batcher_take(t.batcher, t.now, true, items, &wake), 2);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(items[i].input, size);
            assert_ptr_equal(items[i].owner, &t.ledger[2 * size + i]);
            assert_ptr_equal(items[i].mailbox, t.box[2 * size + i]);
            itsi_ledger_deliver(items[i].owner, 0);
            itsi_frame_unref(&items[i].frame);
        }
        itsi_batcher_done(t.batcher, items, 2);
    }
    close_bench(&t);
}

static void a_last_look_before_work(void **state)
{
    (void)state;
    struct bench t;
    struct itsi_batch_item item;
    int64_t wake;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    observe(&t, 1, 30 * MS, 100);
    put(&t, 0, 100 * MS);
    assert_int_equal(itsi_batcher_take(t.batcher, t.now, true, &item, &wake), 1);
    assert_true(itsi_batcher_in_time(t.batcher, &item, 1, t.now + 65 * MS));
    assert_false(itsi_batcher_in_time(t.batcher, &item, 1, t.now + 75 * MS));
    itsi_batcher_done(t.batcher, &item, 1);
    itsi_ledger_deliver(item.owner, 0);
    itsi_frame_unref(&item.frame);
    close_bench(&t);
}

struct blocked {
    struct bench *t;
    int rc;
};

static void *blocking_put(void *arg)
{
    struct blocked *blocked = arg;
    struct itsi_frame *frame = itsi_frame_pool_get(blocked->t->pool);
    frame->info.deadline = ITSI_NEVER;
    itsi_ledger_arrive(&blocked->t->ledger[0]);
    blocked->rc = itsi_mailbox_put(blocked->t->box[0], frame, true, blocked->t->now);
    return NULL;
}

static void blocking_put_waits_for_room_and_for_close(void **state)
{
    (void)state;
    struct bench t;
    int64_t wake;
    struct its_diag diag;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    pthread_t thread;
    struct blocked blocked = {&t, 1};
    put(&t, 0, ITSI_NEVER);
    CHECK_OK(itsi_thread_start(&thread, "put", blocking_put, &blocked, &diag), diag);
    assert_int_equal(take(&t, true, NULL, &wake), 1);
    pthread_join(thread, NULL);
    assert_int_equal(blocked.rc, 0);
    CHECK_OK(itsi_thread_start(&thread, "put", blocking_put, &blocked, &diag), diag);
    itsi_mailbox_close(t.box[0], ITSI_DROP_SHUTDOWN);
    pthread_join(thread, NULL);
    assert_int_equal(blocked.rc, ITS_ECANCELLED);
    close_bench(&t);
}

static void wait_misses_nothing(void **state)
{
    (void)state;
    struct bench t;
    int64_t wake;
    open_bench(&t, ITSI_BATCH_DEADLINE, 1, false, NULL);
    assert_int_equal(take(&t, true, NULL, &wake), 0);
    assert_int_equal(wake, ITSI_NEVER);
    put(&t, 0, 100 * MS);
    itsi_batcher_wait(t.batcher, ITSI_NEVER, true); /* returns: the put came after the take */
    assert_int_equal(take(&t, true, NULL, &wake), 1);
    itsi_batcher_kick(t.batcher);
    itsi_batcher_wait(t.batcher, ITSI_NEVER, true);
    itsi_batcher_kick(t.batcher); /* a slot came free after the engine was found full, before the shed */
    assert_int_equal(itsi_batcher_shed(t.batcher, 0), ITSI_NEVER);
    itsi_batcher_wait(t.batcher, ITSI_NEVER, false);
    t.now = itsi_now_ns();
    put(&t, 0, 20 * MS); /* came after the shed: its expiry ends the sleep, though no frame is waited for */
    itsi_batcher_wait(t.batcher, ITSI_NEVER, false);
    assert_true(itsi_now_ns() >= t.now + 20 * MS);
    assert_int_equal(itsi_batcher_shed(t.batcher, itsi_now_ns()), ITSI_NEVER);
    itsi_batcher_size(t.batcher, 0, 100);
    itsi_batcher_size(t.batcher, 1, 2700);
    t.now = itsi_now_ns();
    observe(&t, 1, 100 * MS, 1);
    put(&t, 0, 3000 * MS);
    assert_int_equal(itsi_batcher_shed(t.batcher, t.now), t.now + 2900 * MS);
    itsi_mailbox_set_input(t.box[0], 1, t.now); /* 2.7 s a run: the frame that waits expires earlier */
    itsi_batcher_wait(t.batcher, ITSI_NEVER, false);
    assert_true(itsi_now_ns() < t.now + 2800 * MS);
    itsi_batcher_shed(t.batcher, t.now + 3000 * MS);
    close_bench(&t);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    struct itsi_batcher_params params = {.policy = ITSI_BATCH_DEADLINE, .max_batch = 1};
    struct itsi_batcher *b = NULL;
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_batcher_create(&b, &params, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_int_equal(itsi_batcher_create(&b, &params, NULL), 0);
    struct itsi_mailbox *box = NULL;
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_mailbox_create(b, &box, NULL, NULL, 1, NULL), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    assert_null(box);
    itsi_batcher_destroy(b);
    params.max_batch = 65;
    struct its_diag diag;
    assert_int_equal(itsi_batcher_create(&b, &params, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "65");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_wins_and_is_counted),
        cmocka_unit_test(one_whose_place_is_taken_is_skipped),
        cmocka_unit_test(sheds_what_cannot_meet_its_deadline),
        cmocka_unit_test(who_waits_alone_may_take_a_risk),
        cmocka_unit_test(in_a_batch_with_room_so_may_others),
        cmocka_unit_test(a_wild_prediction_does_not_stop_everything),
        cmocka_unit_test(overload_is_shared_by_weight),
        cmocka_unit_test(silence_saves_no_turns),
        cmocka_unit_test(batches_close_when_due),
        cmocka_unit_test(a_free_engine_gets_the_largest_batch_that_is_on_time),
        cmocka_unit_test(the_stale_are_given_up_for_a_batch_of_the_fresh),
        cmocka_unit_test(a_batch_holds_one_input_size),
        cmocka_unit_test(a_last_look_before_work),
        cmocka_unit_test(fixed_policy_waits_for_size_or_time),
        cmocka_unit_test(blocking_put_waits_for_room_and_for_close),
        cmocka_unit_test(wait_misses_nothing),
        cmocka_unit_test(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

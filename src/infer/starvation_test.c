/* Cameras whose frames come with little of their time left, among a crowd that keeps a batch engine three times overloaded: in
 * a full batch they would all be late, and the fresh alone always fill one. With a clock of its own. */
#include "support/check.h"

#include "base/clock.h"
#include "infer/batcher.h"

#define MS ITSI_NS_PER_MS
enum { CAMERAS = 110, FRESH = 100, BATCH = 32, SECONDS = 20, PERIOD_MS = 40 };

struct crowd {
    struct itsi_batcher *batcher;
    struct itsi_mailbox *box[CAMERAS];
    struct itsi_ledger ledger[CAMERAS];
    struct itsi_frame_pool *pool;
    struct itsi_batch_item items[BATCH];
    int in_engine;
    int64_t now, free_at, tight_slack;
    int64_t served_at[CAMERAS], longest_gap[CAMERAS];
    int served[CAMERAS], batches;
};

static int64_t run_ns(int images) { return (8 + images) * MS; } /* a full batch: 40 ms, alone: 9 */

static struct crowd *open_crowd(int64_t tight_slack)
{
    static struct crowd crowd;
    struct its_diag diag;
    const struct itsi_batcher_params params = {.max_batch = BATCH, .batch_efficient = true};
    crowd = (struct crowd){.now = 1000 * MS, .tight_slack = tight_slack};
    CHECK_OK(itsi_batcher_create(&crowd.batcher, &params, &diag), diag);
    CHECK_OK(itsi_frame_pool_create(&crowd.pool, CAMERAS + BATCH + 1, NULL, NULL, NULL, &diag), diag);
    for (int n = 1; n <= BATCH; n *= 2)
        itsi_batcher_observe(crowd.batcher, 0, n, run_ns(n), crowd.now);
    for (int i = 0; i < CAMERAS; i++) {
        itsi_ledger_init(&crowd.ledger[i]);
        crowd.served_at[i] = crowd.now;
        CHECK_OK(itsi_mailbox_create(crowd.batcher, &crowd.box[i], &crowd.ledger[i], (void *)(intptr_t)i, 1, &diag), diag);
    }
    return &crowd;
}

static void close_crowd(struct crowd *crowd)
{
    for (int i = 0; i < CAMERAS; i++) {
        struct itsi_ledger_counts counts;
        itsi_mailbox_free(crowd->box[i]);
        itsi_ledger_snapshot(&crowd->ledger[i], &counts);
        assert_int_equal(itsi_ledger_balance(&counts), 0);
        assert_int_equal(counts.in_flight, 0);
        itsi_ledger_fini(&crowd->ledger[i]);
    }
    itsi_batcher_destroy(crowd->batcher);
    itsi_frame_pool_close(crowd->pool);
}

/* Nearly all of a fresh frame's 100 ms are left when it comes. */
static void arrive(struct crowd *crowd, int camera)
{
    struct itsi_frame *frame = itsi_frame_pool_get(crowd->pool);
    const int64_t slack = camera < FRESH ? 98 * MS : crowd->tight_slack;
    frame->info.deadline = crowd->now + slack;
    frame->info.trace.origin = frame->info.deadline - 100 * MS;
    itsi_ledger_arrive(&crowd->ledger[camera]);
    (void)itsi_mailbox_put(crowd->box[camera], frame, false, crowd->now);
}

static void finish(struct crowd *crowd)
{
    itsi_batcher_observe(crowd->batcher, 0, crowd->in_engine, run_ns(crowd->in_engine), crowd->now);
    itsi_batcher_done(crowd->batcher, crowd->items, crowd->in_engine);
    for (int i = 0; i < crowd->in_engine; i++) {
        const int camera = (int)(intptr_t)crowd->items[i].owner;
        const bool late = crowd->now > crowd->items[i].frame->info.deadline;
        itsi_ledger_deliver(&crowd->ledger[camera], late);
        crowd->served[camera] += !late;
        itsi_frame_unref(&crowd->items[i].frame);
    }
    crowd->in_engine = 0;
}

static void serve(struct crowd *crowd)
{
    int64_t wake_at;
    if (crowd->in_engine && crowd->now >= crowd->free_at)
        finish(crowd);
    if (crowd->in_engine)
        return;
    crowd->in_engine = itsi_batcher_take(crowd->batcher, crowd->now, true, crowd->items, &wake_at);
    crowd->free_at = crowd->now + run_ns(crowd->in_engine);
    crowd->batches += crowd->in_engine > 0;
    for (int i = 0; i < crowd->in_engine; i++) {
        const int camera = (int)(intptr_t)crowd->items[i].owner;
        const int64_t gap = crowd->now - crowd->served_at[camera];
        crowd->longest_gap[camera] = gap > crowd->longest_gap[camera] ? gap : crowd->longest_gap[camera];
        crowd->served_at[camera] = crowd->now;
    }
}

static void run(struct crowd *crowd)
{
    for (int ms = 0; ms < SECONDS * 1000; ms++, crowd->now += MS) {
        for (int i = 0; i < CAMERAS; i++)
            if ((ms + i * 17) % PERIOD_MS == 0)
                arrive(crowd, i);
        serve(crowd);
    }
    crowd->now = crowd->free_at;
    if (crowd->in_engine)
        finish(crowd);
}

static int sum(const int *values, int first, int end)
{
    int total = 0;
    for (int i = first; i < end; i++)
        total += values[i];
    return total;
}

/* Three quarters of a batch fit into what they have: too little for a full one, of which the fresh make enough. */
static void those_with_little_time_keep_a_floor(void **state)
{
    (void)state;
    struct crowd *crowd = open_crowd(30 * MS);
    run(crowd);
    const int fresh = sum(crowd->served, 0, FRESH), full = SECONDS * 1000 / 40 * BATCH;
    int least = SECONDS * 25;
    int64_t longest = 0;
    for (int i = FRESH; i < CAMERAS; i++) {
        least = crowd->served[i] < least ? crowd->served[i] : least;
        longest = crowd->longest_gap[i] > longest ? crowd->longest_gap[i] : longest;
    }
    print_message("    of ten each %d times in %d s at least, at most %.2f s apart; the fresh have %.1f %% of the engine\n", least,
                  SECONDS, (double)longest / 1e9, 100.0 * fresh / full);
    assert_true(least >= SECONDS / 2);
    assert_true(longest <= 2 * ITSI_NS_PER_S);
    assert_true(fresh >= full * 3 / 4);
    close_crowd(crowd);
}

/* Not even alone they would be on time: they are not taken, and every frame says so in its camera's books. */
static void the_hopeless_are_counted(void **state)
{
    (void)state;
    struct crowd *crowd = open_crowd(5 * MS);
    run(crowd);
    for (int i = FRESH; i < CAMERAS; i++) {
        struct itsi_ledger_counts counts;
        itsi_ledger_snapshot(&crowd->ledger[i], &counts);
        assert_int_equal(crowd->served[i], 0);
        assert_int_equal(counts.expected, SECONDS * 25);
        assert_true(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED] >= SECONDS * 25 - 1);
    }
    assert_true(sum(crowd->served, 0, FRESH) >= SECONDS * 1000 / 40 * BATCH * 19 / 20);
    close_crowd(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_with_little_time_keep_a_floor),
        cmocka_unit_test(the_hopeless_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

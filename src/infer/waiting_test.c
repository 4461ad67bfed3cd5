#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "infer/waiting.h"

#include <stdbool.h>

#define MS ITSI_NS_PER_MS
enum { MOST = 1000 };

struct world {
    struct itsi_waiting waiting;
    struct itsi_waiter camera[MOST];
    struct itsi_frame frame[MOST]; /* the one that each camera offers; never handed out twice at a time */
    int served[MOST];
    int64_t now, longest_wait[MOST], last[MOST];
};
static struct world *w;

static int setup(void **state)
{
    (void)state;
    w = itsi_zalloc(sizeof *w);
    w->now = ITSI_NS_PER_S;
    return w ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    itsi_free(w);
    return 0;
}

static void put(int i)
{
    w->frame[i].info.deadline = w->now + 100 * MS;
    struct itsi_frame *replaced = itsi_waiting_put(&w->waiting, &w->camera[i], &w->frame[i], w->now);
    assert_true(!replaced || replaced == &w->frame[i]);
}

static int serve(int input)
{
    struct itsi_waiter *next = itsi_waiting_next(&w->waiting, input);
    if (!next)
        return -1;
    int i = (int)(next - w->camera);
    assert_ptr_equal(itsi_waiting_serve(&w->waiting, next, w->now), &w->frame[i]);
    w->served[i]++;
    if (w->last[i] && w->now - w->last[i] > w->longest_wait[i])
        w->longest_wait[i] = w->now - w->last[i];
    w->last[i] = w->now;
    return i;
}

/* All offer a frame every 40 ms, at times of their own; the engine serves `per_second`. Nobody is served before `from`
 * counts. */
static void run(int cameras, double per_second, double seconds)
{
    const int64_t end = w->now + (int64_t)(seconds * 1e9), step = (int64_t)(1e9 / per_second);
    int64_t *next = itsi_calloc((size_t)cameras, sizeof *next);
    for (int i = 0; i < cameras; i++)
        next[i] = w->now + 40 * MS * i / cameras;
    for (; w->now < end; w->now += step) {
        for (int i = 0; i < cameras; i++)
            if (next[i] <= w->now) {
                put(i);
                next[i] += 40 * MS;
            }
        int i = serve(0);
        if (i >= 0)
            itsi_waiting_done(&w->waiting, &w->camera[i]);
    }
    itsi_free(next);
}

/* 25,000 frames a second are offered, 2,500 are served. */
static void a_thousand_cameras_are_served_alike(void **state)
{
    (void)state;
    for (int i = 0; i < MOST; i++)
        itsi_waiter_init(&w->camera[i], 1);
    run(MOST, 2500, 8);
    for (int i = 0; i < MOST; i++) {
        assert_in_range(w->served[i], 19, 21);
        assert_true(w->longest_wait[i] <= 450 * MS); /* their turn comes every 400 */
    }
}

/* Ninety-nine cameras of the highest class flood an engine that serves each of them every 1.4 s; one of the lowest class
 * would get a frame in fourteen seconds by its weight. */
static void the_lowest_class_keeps_a_floor(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        itsi_waiter_init(&w->camera[i], i == 50 ? 1 : 10);
    run(100, 70, 60);
    assert_true(w->served[50] >= 30);
    assert_true(w->longest_wait[50] <= 2000 * MS);
    int total = 0;
    for (int i = 0; i < 100; i++)
        total += w->served[i];
    CHECK_NEAR(total, 70 * 60, 2);
}

/* Half and half at a tenth of what they ask: the floor takes a quarter of the engine at most, and the rest goes by
 * weight, so that the high class stays well above. */
static void the_floor_leaves_the_weights_their_meaning(void **state)
{
    (void)state;
    int low = 0, high = 0;
    for (int i = 0; i < 200; i++)
        itsi_waiter_init(&w->camera[i], i < 100 ? 1 : 10);
    run(200, 400, 60);
    for (int i = 0; i < 200; i++)
        *(i < 100 ? &low : &high) += w->served[i];
    assert_true(low >= 60 * 400 / 5);
    assert_true(low <= 60 * 400 * 3 / 10);
    assert_true(high >= 2 * low);
    for (int i = 0; i < 100; i++)
        assert_true(w->longest_wait[i] <= 2200 * MS);
}

/* One whose frames take long must not hold every slot: with two of them in the engine it stands back, unless nobody else
 * waits. */
static void who_has_enough_in_flight_stands_back(void **state)
{
    (void)state;
    w->waiting.max_in_flight = 2;
    itsi_waiter_init(&w->camera[0], 10);
    itsi_waiter_init(&w->camera[1], 1);
    for (int n = 0; n < 2; n++) {
        put(0);
        assert_int_equal(serve(0), 0);
    }
    for (int n = 0; n < 20; n++) {
        put(0);
        put(1);
        assert_int_equal(serve(0), 1);
        itsi_waiting_done(&w->waiting, &w->camera[1]);
    }
    itsi_waiting_done(&w->waiting, &w->camera[0]); /* while its frame waits */
    put(1);
    assert_int_equal(serve(0), 0);
    put(0);
    assert_int_equal(serve(0), 1);
    itsi_waiting_done(&w->waiting, &w->camera[1]);
    assert_int_equal(serve(0), 0); /* alone it may have more */
    assert_int_equal(w->camera[0].in_flight, 3);
}

static void silence_saves_no_turns_and_is_no_starving(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        itsi_waiter_init(&w->camera[i], 1);
    for (int n = 0; n < 1000; n++, w->now += MS) {
        put(0);
        serve(0);
    }
    w->served[0] = 0;
    for (int n = 0; n < 100; n++, w->now += MS) {
        put(0);
        put(1);
        serve(0);
    }
    assert_in_range(w->served[1], 49, 51);
}

static void losses_and_then_deadlines_break_ties(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        itsi_waiter_init(&w->camera[i], 1);
    put(2);
    w->now += MS;
    put(0);
    w->now += MS;
    put(1);
    assert_ptr_equal(itsi_waiting_tightest(&w->waiting, 0), &w->camera[2]);
    assert_int_equal(serve(0), 2);
    w->now += MS;
    put(1); /* its frame is a fresh one now: due last, but it has lost one */
    assert_ptr_equal(itsi_waiting_tightest(&w->waiting, 0), &w->camera[0]);
    assert_ptr_equal(w->waiting.queue[0].newest, &w->camera[1]);
    assert_int_equal(serve(0), 1);
    assert_int_equal(serve(0), 0);
}

/* Sizes take turns as their cameras do, and a camera keeps its place when it changes size. */
static void sizes_take_turns(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        itsi_waiter_init(&w->camera[i], 1);
    itsi_waiting_move(&w->waiting, &w->camera[3], 5);
    assert_int_equal(itsi_waiting_next_input(&w->waiting), -1);
    int by_size[2] = {0};
    for (int n = 0; n < 400; n++, w->now += MS) {
        for (int i = 0; i < 4; i++)
            put(i);
        int input = itsi_waiting_next_input(&w->waiting);
        assert_true(input == 0 || input == 5);
        by_size[input == 5]++;
        serve(input);
    }
    assert_in_range(by_size[0], 298, 302); /* three cameras of four */
    for (int i = 0; i < 4; i++)
        put(i);
    itsi_waiting_move(&w->waiting, &w->camera[0], 5);
    assert_int_equal(w->waiting.queue[0].count, 2);
    assert_int_equal(w->waiting.queue[5].count, 2);
    assert_int_equal(w->waiting.count, 4);
}

/* Among equals of different sizes the same rule as within one: losses, then deadlines; no size goes before another. */
static void ties_are_broken_across_sizes(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        itsi_waiter_init(&w->camera[i], 1);
        itsi_waiting_move(&w->waiting, &w->camera[i], i);
    }
    for (int i = 2; i >= 0; i--, w->now += MS)
        put(i);
    assert_int_equal(itsi_waiting_next_input(&w->waiting), 2);
    put(1); /* due last now, but it has lost one */
    assert_int_equal(itsi_waiting_next_input(&w->waiting), 1);
    assert_int_equal(serve(1), 1);
    assert_int_equal(itsi_waiting_next_input(&w->waiting), 2);
    assert_int_equal(serve(2), 2);
    assert_int_equal(itsi_waiting_next_input(&w->waiting), 0);
}

/* Whatever happens, the orders agree about who is in them. */
static void orders_agree_through_any_history(void **state)
{
    (void)state;
    enum { N = 40 };
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 9);
    w->waiting.max_in_flight = 2;
    for (int i = 0; i < N; i++)
        itsi_waiter_init(&w->camera[i], 1 + i % 10);
    for (int step = 0; step < 50000; step++, w->now += 5 * MS) {
        int i = (int)itsi_rand_below(&rng, N), input = (int)itsi_rand_below(&rng, 3);
        switch (itsi_rand_below(&rng, 6)) {
        case 0: case 1:
            put(i);
            break;
        case 2:
            serve(input);
            break;
        case 3:
            itsi_waiting_remove(&w->waiting, &w->camera[i]);
            break;
        case 4:
            itsi_waiting_move(&w->waiting, &w->camera[i], input);
            break;
        default:
            if (w->camera[i].in_flight > 0)
                itsi_waiting_done(&w->waiting, &w->camera[i]);
        }
        int count = 0, in_queues = 0;
        for (int k = 0; k < N; k++) {
            const struct itsi_waiter *c = &w->camera[k];
            const struct itsi_waiting_queue *q = &w->waiting.queue[c->input];
            count += c->frame != NULL;
            assert_ptr_equal(c->deadline.heap, c->frame ? &q->deadlines : NULL);
            assert_ptr_equal(c->turn.heap, !c->frame ? NULL : c->in_flight >= 2 ? &q->standing_back : &q->turns);
            assert_true(c->frame || !c->aged.heap);
        }
        for (int k = 0; k < 3; k++) {
            int listed = 0;
            for (const struct itsi_waiter *c = w->waiting.queue[k].oldest; c; c = c->newer)
                listed++;
            assert_int_equal(listed, w->waiting.queue[k].count);
            in_queues += listed;
        }
        assert_int_equal(w->waiting.count, count);
        assert_int_equal(in_queues, count);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_cameras_are_served_alike),
        TEST(the_lowest_class_keeps_a_floor),
        TEST(the_floor_leaves_the_weights_their_meaning),
        TEST(who_has_enough_in_flight_stands_back),
        TEST(silence_saves_no_turns_and_is_no_starving),
        TEST(losses_and_then_deadlines_break_ties),
        TEST(sizes_take_turns),
        TEST(ties_are_broken_across_sizes),
        TEST(orders_agree_through_any_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

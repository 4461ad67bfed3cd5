/* What passes before a camera: by hand, and through the tracker. */
#include "postprocess/track_test.h"

#include "base/mem.h"
#include "postprocess/passages.h"

#include <math.h>

enum { TOLD = 1024 };

/* All that was told, in order. */
struct told {
    int came, left;
    struct itsi_passage first[TOLD], last[TOLD];
};

static void note_came(void *arg, const struct itsi_passage *passage)
{
    struct told *told = arg;
    assert_in_range(told->came, 0, TOLD - 1);
    told->first[told->came++] = *passage;
}

static void note_left(void *arg, const struct itsi_passage *passage)
{
    struct told *told = arg;
    assert_in_range(told->left, 0, TOLD - 1);
    told->last[told->left++] = *passage;
}

static struct told told;
static const struct itsi_passages_listener listener = {note_came, note_left, &told};
static struct itsi_passages *passages;
static struct itsi_passages_picture picture;

static int setup_passages(void **state)
{
    struct its_diag diag = {""};
    (void)state;
    told = (struct told){0};
    picture = (struct itsi_passages_picture){
        .now_ns = 1000 * ITSI_NS_PER_S, .wall_ns = 2000 * ITSI_NS_PER_S, .width = W, .height = H};
    CHECK_OK(itsi_passages_create(&passages, &(struct itsi_passages_params){.lost_seconds = 1.5F}, &diag), diag);
    return 0;
}

static int teardown_passages(void **state)
{
    (void)state;
    itsi_passages_destroy(passages);
    return 0;
}

static void pass(int64_t ns)
{
    picture.now_ns += ns;
    picture.wall_ns += ns;
}

static struct itsi_detection box_at(int32_t track, float x, float y, float score)
{
    return (struct itsi_detection){
        .x1 = x - 20, .y1 = y - 10, .x2 = x + 20, .y2 = y + 10, .score = score, .cls = 2, .track = track};
}

static void show_one(int32_t track, float x, float y, float score)
{
    const struct itsi_detection box = box_at(track, x, y, score);
    itsi_passages_update(passages, &picture, &box, 1, &listener);
}

static void show_nothing(void) { itsi_passages_update(passages, &picture, NULL, 0, &listener); }

static void one_passes(void **state)
{
    (void)state;
    show_one(7, 128, 360, 0.6F);
    assert_int_equal(told.came, 1);
    assert_int_equal(told.first[0].track, 7);
    assert_int_equal(told.first[0].cls, 2);
    assert_true(told.first[0].first_wall_ns == 2000 * ITSI_NS_PER_S && told.first[0].seconds == 0);
    pass(500 * MS);
    show_one(7, 640, 180, 0.9F);
    pass(500 * MS);
    struct itsi_detection last = box_at(7, 1152, 36, 0.2F);
    last.cls = 5; /* the detector changes its mind: the class is the one it was counted under */
    itsi_passages_update(passages, &picture, &last, 1, &listener);
    pass(1500 * MS);
    show_nothing();
    assert_int_equal(told.left, 0); /* may be found again */
    pass(1 * MS);
    show_nothing();
    assert_int_equal(told.left, 1);
    const struct itsi_passage *p = &told.last[0];
    assert_int_equal(p->cls, 2);
    assert_true(p->first_wall_ns == 2000 * ITSI_NS_PER_S && p->last_wall_ns == 2001 * ITSI_NS_PER_S);
    assert_float_equal(p->seconds, 1, 1e-9);
    assert_float_equal(p->score, 0.9F, 0);
    assert_float_equal(p->from[0], 0.1F, 1e-6);
    assert_float_equal(p->from[1], 0.5F, 1e-6);
    assert_float_equal(p->to[0], 0.9F, 1e-6);
    assert_float_equal(p->to[1], 0.05F, 1e-6);
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.came, 1);
    assert_int_equal(told.left, 1); /* told once */
}

static void unconfirmed_is_nothing(void **state)
{
    (void)state;
    show_one(-1, 100, 100, 0.9F);
    show_one(0, 100, 100, 0.9F);
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.came + told.left, 0);
}

static void resolution_does_not_show(void **state)
{
    (void)state;
    show_one(1, 640, 360, 0.9F);
    pass(40 * MS);
    picture.width = W / 2;
    picture.height = H / 2;
    show_one(1, 320, 180, 0.9F);
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.came, 1);
    assert_float_equal(told.last[0].from[0], told.last[0].to[0], 1e-6);
    assert_float_equal(told.last[0].from[1], told.last[0].to[1], 1e-6);
}

/* Ids wrap: the largest and the smallest are there at once. */
static void ids_begin_again(void **state)
{
    (void)state;
    show_one(INT32_MAX, 100, 100, 0.9F);
    const struct itsi_detection both[] = {box_at(INT32_MAX, 104, 100, 0.9F), box_at(1, 300, 300, 0.9F)};
    pass(40 * MS);
    itsi_passages_update(passages, &picture, both, 2, &listener);
    itsi_passages_update(passages, &picture, both, 2, &listener);
    assert_int_equal(told.came, 2);
    pass(2000 * MS);
    show_nothing();
    assert_int_equal(told.left, 2);
    show_one(1, 500, 500, 0.9F); /* another, long after */
    assert_int_equal(told.came, 3);
}

static void clocks_step(void **state)
{
    (void)state;
    show_one(1, 100, 100, 0.9F);
    picture.now_ns -= 3600 * ITSI_NS_PER_S; /* stands still */
    picture.wall_ns -= 3600 * ITSI_NS_PER_S;
    show_one(1, 100, 100, 0.9F);
    pass(40 * MS);
    show_one(1, 104, 100, 0.9F);
    assert_int_equal(told.came, 1);
    assert_int_equal(told.left, 0);
    picture.wall_ns += 7200 * ITSI_NS_PER_S; /* the wall clock is set: what lasts is measured by the other */
    show_nothing();
    assert_int_equal(told.left, 0);
    pass(60 * ITSI_NS_PER_S);
    show_one(2, 104, 100, 0.9F); /* the tracker has forgotten, and so have we */
    assert_int_equal(told.came, 2);
    assert_int_equal(told.left, 1);
    assert_float_equal(told.last[0].seconds, 0.04, 1e-9);
}

/* Full of what is lost, a picture as full as can be: those that it does not show make room, none of those it does. */
static void room_is_made(void **state)
{
    static struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    (void)state;
    for (int i = 0; i < ITSI_MAX_DETECTIONS; i++)
        boxes[i] = box_at(1 + i, (float)(i * 4), 100, 0.9F);
    itsi_passages_update(passages, &picture, boxes, ITSI_MAX_DETECTIONS, &listener);
    pass(40 * MS);
    for (int i = 0; i < ITSI_MAX_DETECTIONS / 2; i++) /* the first half are others, and come last */
        boxes[ITSI_MAX_DETECTIONS - 1 - i].track = 1000 + i;
    itsi_passages_update(passages, &picture, boxes, ITSI_MAX_DETECTIONS, &listener);
    assert_int_equal(told.came, ITSI_MAX_DETECTIONS * 3 / 2);
    assert_int_equal(told.left, ITSI_MAX_DETECTIONS / 2);
    for (int i = 0; i < told.left; i++)
        assert_true(told.last[i].track > ITSI_MAX_DETECTIONS / 2 && told.last[i].track <= ITSI_MAX_DETECTIONS);
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.left, told.came);
}

/* Each id of the tracker once, each ends once; steady state allocates nothing. */
static void follows_the_tracker(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    int32_t most = 0;
    uint64_t allocations = 0;
    for (int i = 0; i < 2000; i++, w.now += FRAME) {
        for (int lane = 0; lane < 4; lane++) /* a car every 2 to 5 s, that flickers */
            if ((i + lane) % 7 != 0 && i % (50 + 25 * lane) < 40)
                show(&w, (float)(i % (50 + 25 * lane)) * 30, 100 + 150 * (float)lane, 80, 60, 0.4F + 0.1F * (float)(i % 3));
        const int count = w.count;
        look(&w);
        picture.now_ns = picture.wall_ns = w.now;
        itsi_passages_update(passages, &picture, w.boxes, count, &listener);
        for (int b = 0; b < count; b++)
            most = w.boxes[b].track > most ? w.boxes[b].track : most;
        if (i == 0)
            allocations = itsi_alloc_count();
    }
    assert_int_equal(itsi_alloc_count(), allocations);
    assert_true(most > 70);
    assert_int_equal(told.came, most); /* ids are given one after the other */
    static bool counted[TOLD];
    for (int i = 0; i < told.came; i++) {
        assert_false(counted[told.first[i].track]);
        counted[told.first[i].track] = true;
    }
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.left, told.came);
    teardown(&w);
}

/* What is seen for a moment is not told of, whether it goes or another takes its place; what stays is, once. */
static void a_moment_is_not_believed(void **state)
{
    struct its_diag diag = {""};
    (void)state;
    itsi_passages_destroy(passages);
    CHECK_OK(itsi_passages_create(&passages, &(struct itsi_passages_params){.lost_seconds = 1.5F, .least_seconds = 0.5F}, &diag),
             diag);
    struct itsi_detection box = box_at(1, 100, 100, 0.6F);
    itsi_passages_update(passages, &picture, &box, 1, &listener);
    pass(250 * MS);
    box.cls = 7;
    box.score = 0.9F; /* surer of this than of what it took it for at first */
    itsi_passages_update(passages, &picture, &box, 1, &listener);
    pass(249 * MS);
    show_one(1, 100, 100, 0.5F);
    show_one(2, 300, 100, 0.9F);
    assert_int_equal(told.came, 0);
    pass(1 * MS);
    show_one(1, 164, 100, 0.5F);
    assert_int_equal(told.came, 1);
    assert_int_equal(told.first[0].track, 1);
    assert_int_equal(told.first[0].cls, 7);
    assert_true(told.first[0].first_wall_ns == 2000 * ITSI_NS_PER_S);
    assert_true(told.first[0].last_wall_ns == 2000 * ITSI_NS_PER_S + 500 * MS);
    pass(2000 * MS);
    show_nothing();
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.came, 1);
    assert_int_equal(told.left, 1);
    assert_int_equal(told.last[0].track, 1);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct itsi_passages_params bad[] = {{0, 0}, {NAN, 0}, {1, -1}, {1, NAN}}, good = {1, 0};
    struct its_diag diag = {""};
    struct itsi_passages *none;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(itsi_passages_create(&none, &bad[i], &diag), ITS_EINVAL);
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_passages_create(&none, &good, &diag), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_passages, teardown_passages)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_passes),     TEST(unconfirmed_is_nothing), TEST(resolution_does_not_show), TEST(ids_begin_again),
        TEST(clocks_step),    TEST(room_is_made),           TEST(follows_the_tracker),      TEST(a_moment_is_not_believed),
        TEST(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

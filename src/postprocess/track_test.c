#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "postprocess/track_impl.h"

#define MS ITSI_NS_PER_MS
#define FRAME (40 * MS)
enum { W = 1280, H = 720 };

/* ---- a small world ---- */

struct world {
    struct itsi_tracker *tracker;
    struct itsi_track_scratch *scratch;
    int64_t now;
    int width, height;
    int count;
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
};

static void setup(struct world *w)
{
    const struct itsi_tracker_params params = ITSI_TRACKER_DEFAULTS;
    struct its_diag diag = {""};
    *w = (struct world){.now = 1000 * ITSI_NS_PER_S, .width = W, .height = H};
    CHECK_OK(itsi_tracker_create(&w->tracker, &params, &diag), diag);
    CHECK_OK(itsi_track_scratch_create(&w->scratch, &diag), diag);
}

static void teardown(struct world *w)
{
    itsi_tracker_destroy(w->tracker);
    itsi_track_scratch_destroy(w->scratch);
}

/* A thing of class 2 with its centre there, in pixels of a 1280x720 picture. */
static struct itsi_detection *show(struct world *w, float x, float y, float width, float height, float score)
{
    const float sx = (float)w->width / W, sy = (float)w->height / H;
    struct itsi_detection *box = &w->boxes[w->count++];
    *box = (struct itsi_detection){.x1 = (x - width / 2) * sx, .y1 = (y - height / 2) * sy, .x2 = (x + width / 2) * sx,
                                   .y2 = (y + height / 2) * sy, .score = score, .cls = 2, .track = -1};
    return box;
}

static void look(struct world *w)
{
    itsi_tracker_update(w->tracker, w->scratch, w->now, w->width, w->height, w->boxes, w->count);
    w->count = 0;
}

/* One thing of the usual size; its id. */
static int32_t look_at(struct world *w, float x, float y, float score)
{
    show(w, x, y, 80, 60, score);
    look(w);
    return w->boxes[0].track;
}

static int foresee(struct world *w)
{
    return itsi_tracker_predict(w->tracker, w->now, w->width, w->height, w->boxes);
}

/* A car at 300 pixels a second, until it has been seen `frames` times; returns its id, the last place in *x. */
static int32_t drive(struct world *w, float *x, int frames)
{
    int32_t id = look_at(w, *x, 300, 0.8F);
    for (int i = 1; i < frames; i++) {
        w->now += FRAME;
        *x += 12;
        assert_int_equal(look_at(w, *x, 300, 0.8F), id);
    }
    return id;
}

/* ---- ids ---- */

static void test_ids_last(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    int32_t first = 0, second = 0;
    for (int i = 0; i < 60; i++, w.now += FRAME) {
        show(&w, 100 + 12 * (float)i, 300, 80, 60, 0.8F);
        show(&w, 1100 - 9 * (float)i, 600, 40, 90, 0.6F);
        look(&w);
        if (i == 0) {
            first = w.boxes[0].track;
            second = w.boxes[1].track;
            assert_true(first > 0 && second > 0 && first != second);
        }
        assert_int_equal(w.boxes[0].track, first);
        assert_int_equal(w.boxes[1].track, second);
    }
    teardown(&w);
}

static void test_unsure_at_first(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    assert_int_equal(look_at(&w, 400, 300, 0.3F), -1); /* one look at something doubtful is no object */
    w.now += FRAME;
    const int32_t id = look_at(&w, 404, 300, 0.3F);
    assert_true(id > 0);
    w.now += FRAME;
    assert_int_equal(look_at(&w, 408, 300, 0.15F), id); /* weak: carries on */
    w.now += FRAME;
    assert_int_equal(look_at(&w, 900, 300, 0.2F), -1); /* weak: begins nothing, */
    w.now += FRAME;
    assert_int_equal(look_at(&w, 900, 300, 0.2F), -1); /* however often */
    teardown(&w);
}

static void test_occlusion(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    float x = 100;
    const int32_t id = drive(&w, &x, 15);
    for (int i = 0; i < 25; i++) { /* a second behind a bridge */
        w.now += FRAME;
        x += 12;
        look(&w);
        assert_int_equal(foresee(&w), 0);
    }
    w.now += FRAME;
    x += 12;
    assert_int_equal(look_at(&w, x, 300, 0.8F), id);
    /* away for longer than lost_seconds: another thing, for all that can be known */
    for (int i = 0; i < 45; i++) {
        w.now += FRAME;
        look(&w);
    }
    w.now += FRAME;
    const int32_t other = look_at(&w, x, 300, 0.8F);
    assert_true(other > 0 && other != id);
    teardown(&w);
}

static void test_crossing(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    int32_t right = 0, left = 0;
    for (int i = 0; i < 50; i++, w.now += FRAME) {
        const float a = 200 + 14 * (float)i, b = 900 - 14 * (float)i;
        show(&w, a, 300, 80, 60, 0.8F);
        if (fabsf(a - b) > 60) /* else the one in front hides the other */
            show(&w, b, 315, 80, 60, 0.8F);
        const bool both = w.count == 2;
        look(&w);
        if (i == 0) {
            right = w.boxes[0].track;
            left = w.boxes[1].track;
        }
        assert_int_equal(w.boxes[0].track, right);
        if (both)
            assert_int_equal(w.boxes[1].track, left);
    }
    teardown(&w);
}

static void test_cadence_and_size_change(void **state)
{
    (void)state;
    static const struct { int every, width, height; } levels[] = {
        {1, W, H}, {5, 640, 360}, {2, 426, 240}, {8, 426, 240}, {1, 3840, 2160}};
    struct world w;
    setup(&w);
    int32_t id = 0;
    float x = 40;
    for (int i = 0; i < 100; i++, w.now += FRAME, x += 10) {
        const int level = i / 20;
        if (i % levels[level].every != 0)
            continue;
        w.width = levels[level].width;
        w.height = levels[level].height;
        const int32_t now = look_at(&w, x, 300, 0.8F);
        id = id ? id : now;
        assert_int_equal(now, id);
    }
    teardown(&w);
}

static void test_fast_thing_at_low_cadence(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    /* five pictures a second; between two of them it moves by 1.3 times its width, and nobody knows that at first */
    int32_t id = 0;
    for (int i = 0; i < 10; i++, w.now += 200 * MS) {
        const int32_t now = look_at(&w, 100 + 104 * (float)i, 300, 0.8F);
        id = id ? id : now;
        assert_int_equal(now, id);
    }
    teardown(&w);
}

static void test_clock_steps(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    float x = 100;
    const int32_t id = drive(&w, &x, 10);
    w.now -= 3600 * ITSI_NS_PER_S; /* back: stands still, and goes on from there */
    assert_int_equal(look_at(&w, x + 6, 300, 0.8F), id);
    w.now += FRAME;
    assert_int_equal(look_at(&w, x + 18, 300, 0.8F), id);
    w.now -= MS;
    assert_int_equal(foresee(&w), 1); /* a picture from before the last update: as it was then */
    CHECK_NEAR((double)(w.boxes[0].x1 + w.boxes[0].x2) / 2, (double)x + 18, 6);
    w.now += 3600 * ITSI_NS_PER_S; /* ahead: nothing is known any more */
    assert_int_equal(foresee(&w), 0);
    const int32_t other = look_at(&w, x + 30, 300, 0.8F);
    assert_true(other > 0 && other != id);
    teardown(&w);
}

static void crowd(struct world *w, float shift)
{
    for (int i = 0; i < ITSI_MAX_DETECTIONS; i++)
        show(w, 30 + 60 * (float)(i % 20) + shift, 20 + 45 * (float)(i / 20), 50, 40, 0.3F + 0.002F * (float)i);
}

static void test_three_hundred(void **state)
{
    (void)state;
    struct world w;
    int32_t ids[ITSI_MAX_DETECTIONS];
    setup(&w);
    for (int i = 0; i < 5; i++, w.now += FRAME) {
        crowd(&w, 3 * (float)i);
        look(&w);
        for (int k = 0; i > 1 && k < ITSI_MAX_DETECTIONS; k++)
            assert_int_equal(w.boxes[k].track, ids[k]);
        for (int k = 0; i > 0 && k < ITSI_MAX_DETECTIONS; k++) {
            ids[k] = w.boxes[k].track;
            assert_true(ids[k] > 0);
            for (int other = 0; other < k; other++)
                assert_int_not_equal(ids[k], ids[other]);
        }
    }
    assert_int_equal(foresee(&w), ITSI_MAX_DETECTIONS);
    /* all gone at once, and as many others: places of the lost are taken over */
    crowd(&w, 27);
    for (int k = 0; k < ITSI_MAX_DETECTIONS; k++) {
        w.boxes[k].cls = 7;
        w.boxes[k].score = 0.9F;
        w.boxes[k].x2 = w.boxes[k].x1 + 4;
        w.boxes[k].y2 = w.boxes[k].y1 + 4;
    }
    look(&w);
    for (int k = 0; k < ITSI_MAX_DETECTIONS; k++)
        assert_true(w.boxes[k].track > 0 && w.boxes[k].track != ids[k]);
    teardown(&w);
}

static void test_ids_wrap(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    assert_int_equal(look_at(&w, 100, 100, 0.8F), 1);
    w.tracker->last_id = INT32_MAX - 1;
    w.now += FRAME;
    show(&w, 100, 100, 80, 60, 0.8F);
    show(&w, 500, 100, 80, 60, 0.8F);
    show(&w, 900, 100, 80, 60, 0.8F);
    look(&w);
    assert_int_equal(w.boxes[0].track, 1);
    assert_int_equal(w.boxes[1].track, INT32_MAX);
    assert_int_equal(w.boxes[2].track, 2); /* 1 is in use */
    teardown(&w);
}

/* ---- classes ---- */

static void test_classes_vote(void **state)
{
    (void)state;
    static const int32_t seen[] = {2, 2, 7, 2, 5, 2, 3, 2};
    for (int vote = 0; vote < 2; vote++) {
        struct world w;
        setup(&w);
        w.tracker->params.vote = vote;
        int32_t id = 0;
        for (size_t i = 0; i < sizeof seen / sizeof *seen; i++, w.now += FRAME) {
            show(&w, 400, 300, 80, 60, 0.8F)->cls = seen[i];
            look(&w);
            id = id ? id : w.boxes[0].track;
            assert_int_equal(w.boxes[0].track, id);
            assert_int_equal(w.boxes[0].cls, vote ? 2 : seen[i]);
            assert_int_equal(foresee(&w), 1);
            assert_int_equal(w.boxes[0].cls, vote ? 2 : seen[i]);
        }
        for (int i = 0; i < 12; i++, w.now += FRAME) { /* opinions may change */
            show(&w, 400, 300, 80, 60, 0.8F)->cls = 3;
            look(&w);
        }
        assert_int_equal(w.boxes[0].cls, 3);
        teardown(&w);
    }
}

/* ---- predictions ---- */

static void test_prediction_moves_on(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    float x = 100;
    const int32_t id = drive(&w, &x, 15);
    float last = 2;
    for (int i = 1; i <= 5; i++) {
        w.now += FRAME;
        assert_int_equal(foresee(&w), 1);
        CHECK_NEAR((double)(w.boxes[0].x1 + w.boxes[0].x2) / 2, (double)x + 12 * i, 4);
        CHECK_NEAR((double)(w.boxes[0].y1 + w.boxes[0].y2) / 2, 300, 2);
        CHECK_NEAR((double)(w.boxes[0].x2 - w.boxes[0].x1), 80, 4);
        assert_int_equal(w.boxes[0].track, id);
        assert_true(w.boxes[0].score < last && w.boxes[0].score > 0.5F);
        last = w.boxes[0].score;
    }
    /* in the pixels of whatever picture it is for */
    w.width = 640;
    w.height = 360;
    assert_int_equal(foresee(&w), 1);
    CHECK_NEAR((double)(w.boxes[0].x1 + w.boxes[0].x2), (double)x + 60, 4);
    teardown(&w);
}

static void test_prediction_leaves_the_picture(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    float x = 1060;
    drive(&w, &x, 15); /* now at 1228: its right edge at 1268 */
    w.now += 2 * FRAME;
    assert_int_equal(foresee(&w), 1);
    CHECK_NEAR((double)w.boxes[0].x2, W, 0); /* clipped */
    assert_true(w.boxes[0].x1 < W - 40);
    w.now += 5 * FRAME;
    assert_int_equal(foresee(&w), 0);
    teardown(&w);
}

static void test_prediction_order(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    for (int i = 0; i < 3; i++, w.now += FRAME) {
        show(&w, 100, 100, 80, 60, 0.55F);
        show(&w, 400, 100, 80, 60, 0.9F);
        show(&w, 700, 100, 80, 60, 0.7F);
        look(&w);
    }
    assert_int_equal(foresee(&w), 3);
    assert_true(w.boxes[0].score > w.boxes[1].score && w.boxes[1].score > w.boxes[2].score);
    CHECK_NEAR((double)w.boxes[0].x1, 360, 3);
    teardown(&w);
}

/* What a detection showed below the threshold was not published, and is not predicted. */
static void test_weak_is_not_predicted(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    float x = 100;
    const int32_t id = drive(&w, &x, 5);
    w.now += FRAME;
    assert_int_equal(look_at(&w, x + 12, 300, 0.15F), id);
    w.now += FRAME;
    assert_int_equal(foresee(&w), 0);
    w.now += FRAME;
    assert_int_equal(look_at(&w, x + 36, 300, 0.3F), id);
    w.now += FRAME;
    assert_int_equal(foresee(&w), 1);
    assert_true(w.boxes[0].score >= 0.25F && w.boxes[0].score <= 0.3F);
    teardown(&w);
}

static void test_nothing_new_without_detection(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    assert_int_equal(foresee(&w), 0);
    look(&w); /* an empty picture */
    w.now += FRAME;
    assert_int_equal(foresee(&w), 0);
    float x = 100;
    const int32_t id = drive(&w, &x, 5);
    for (int i = 0; i < 20; i++) {
        w.now += FRAME;
        const int count = foresee(&w);
        assert_in_range(count, 0, 1);
        if (count)
            assert_int_equal(w.boxes[0].track, id);
    }
    look(&w); /* detection says that it is gone */
    assert_int_equal(foresee(&w), 0);
    teardown(&w);
}

/* ---- does it hold? ---- */

static void test_fit(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    assert_true(itsi_tracker_fit(w.tracker).retention <= 0.9F); /* no trust before it is earned */
    float x = 100;
    drive(&w, &x, 90);
    w.count = 0;
    CHECK_NEAR((double)itsi_tracker_fit(w.tracker).retention, 0.98, 0.02);
    assert_true(itsi_tracker_fit(w.tracker).overlap > 0.7F);
    const float before = itsi_tracker_fit(w.tracker).retention;
    /* things jump about: what is predicted is never there */
    for (int i = 0; i < 25; i++) {
        w.now += FRAME;
        look_at(&w, i % 2 ? 200 : 900, 300, 0.8F);
    }
    assert_true(itsi_tracker_fit(w.tracker).retention < before - 0.2F);
    teardown(&w);
}

/* A weak track that comes and goes says that the detector wavers, not that tracking fails. */
static void test_wavering_is_no_misfit(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    for (int i = 0; i < 150; i++, w.now += FRAME) {
        show(&w, 200, 100, 80, 60, 0.9F);
        show(&w, 700, 400, 80, 60, 0.9F);
        if (i % 3)
            show(&w, 1000, 600, 30, 30, i % 2 ? 0.35F : 0.27F);
        look(&w);
    }
    assert_true(itsi_tracker_fit(w.tracker).retention > 0.9F + 0.05F);
    teardown(&w);
}

static float doubt_of(float score, float swing)
{
    struct world w;
    setup(&w);
    for (int i = 0; i < 20; i++, w.now += FRAME)
        look_at(&w, 400, 300, i == 0 ? 0.9F : i % 2 ? score : score + swing);
    const float doubt = itsi_tracker_fit(w.tracker).doubt;
    teardown(&w);
    return doubt;
}

static void test_doubt(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    look(&w);
    CHECK_NEAR((double)itsi_tracker_fit(w.tracker).doubt, 0, 0); /* an empty road */
    teardown(&w);
    CHECK_NEAR((double)doubt_of(0.25F, 0), 1, 1e-3);    /* on the threshold */
    assert_true(doubt_of(0.9F, 0) < 1e-6F);             /* far above, and steady */
    assert_true(doubt_of(0.15F, 0.01F) < 0.1F);         /* below, and steady */
    assert_true(doubt_of(0.4F, 0.1F) > doubt_of(0.4F, 0.02F)); /* the more it changed, */
    assert_true(doubt_of(0.4F, 0.1F) > doubt_of(0.6F, 0.1F));  /* and the nearer it is */

    setup(&w); /* what is not there any more is not in doubt */
    look_at(&w, 400, 300, 0.26F);
    assert_true(itsi_tracker_fit(w.tracker).doubt > 0.5F);
    w.now += FRAME;
    look(&w);
    CHECK_NEAR((double)itsi_tracker_fit(w.tracker).doubt, 0, 0);
    teardown(&w);
}

static void test_empty_road_is_trusted(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    for (int i = 0; i < 200; i++, w.now += FRAME)
        look(&w);
    assert_true(itsi_tracker_fit(w.tracker).retention >= 0.99F);
    teardown(&w);
}

/* ---- memory ---- */

static void test_allocates_nothing(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    const uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 10; i++, w.now += FRAME) {
        if (i % 3)
            crowd(&w, 2 * (float)i);
        look(&w);
        foresee(&w);
    }
    assert_int_equal(itsi_alloc_count(), before);
    teardown(&w);
}

static void test_creation_fails_well(void **state)
{
    (void)state;
    struct itsi_tracker *tracker = NULL;
    struct itsi_track_scratch *scratch = NULL;
    struct itsi_tracker_params params = ITSI_TRACKER_DEFAULTS;
    struct its_diag diag = {""};
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_tracker_create(&tracker, &params, &diag), ITS_ENOMEM);
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_track_scratch_create(&scratch, &diag), ITS_ENOMEM);
    itsi_alloc_fail_at(0);
    params.floor = 0.5F;
    assert_int_equal(itsi_tracker_create(&tracker, &params, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "floor 0.5");
    assert_null(tracker);
    assert_null(scratch);
    itsi_tracker_destroy(NULL);
    itsi_track_scratch_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_last),
        cmocka_unit_test(test_unsure_at_first),
        cmocka_unit_test(test_occlusion),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_cadence_and_size_change),
        cmocka_unit_test(test_fast_thing_at_low_cadence),
        cmocka_unit_test(test_clock_steps),
        cmocka_unit_test(test_three_hundred),
        cmocka_unit_test(test_ids_wrap),
        cmocka_unit_test(test_classes_vote),
        cmocka_unit_test(test_prediction_moves_on),
        cmocka_unit_test(test_prediction_leaves_the_picture),
        cmocka_unit_test(test_prediction_order),
        cmocka_unit_test(test_weak_is_not_predicted),
        cmocka_unit_test(test_nothing_new_without_detection),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_wavering_is_no_misfit),
        cmocka_unit_test(test_doubt),
        cmocka_unit_test(test_empty_road_is_trusted),
        cmocka_unit_test(test_allocates_nothing),
        cmocka_unit_test(test_creation_fails_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "postprocess/track_test.h"

#include "base/rand.h"

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

static void test_prediction_ends(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    for (int i = 0; i < 10; i++, w.now += FRAME) /* it stands still, so it does not leave by itself */
        look_at(&w, 400, 300, 0.8F);
    w.now += 1300 * MS;
    assert_int_equal(foresee(&w), 1);
    w.now += 300 * MS; /* more than lost_seconds since the last look */
    assert_int_equal(foresee(&w), 0);
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

/* The same thing found again, but elsewhere than it was said to be: its identity lasts, the prediction was wrong. */
static void test_found_elsewhere_is_a_misfit(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    const int32_t id = look_at(&w, 400, 300, 0.9F);
    for (int i = 1; i < 100; i++) {
        w.now += FRAME;
        assert_int_equal(look_at(&w, i % 2 ? 445 : 400, 300, 0.9F), id);
    }
    assert_true(itsi_tracker_fit(w.tracker).retention < 0.6F);
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

/* ---- whatever comes ---- */

static void check_boxes(const struct world *w, int count)
{
    for (int i = 0; i < count; i++) {
        const struct itsi_detection *b = &w->boxes[i];
        assert_true(b->x1 >= 0 && b->y1 >= 0 && b->x2 <= (float)w->width && b->y2 <= (float)w->height);
        assert_true(b->x1 < b->x2 && b->y1 < b->y2);
        assert_true(b->score >= 0.25F && b->score <= 1);
        assert_true(i == 0 || w->boxes[i - 1].score >= b->score);
    }
}

static void check_ids(const struct world *w, int count)
{
    for (int i = 0; i < count; i++) {
        assert_true(w->boxes[i].track == -1 || w->boxes[i].track > 0);
        for (int k = 0; k < i; k++)
            assert_true(w->boxes[i].track == -1 || w->boxes[i].track != w->boxes[k].track);
    }
}

static void test_noise(void **state)
{
    (void)state;
    struct world w;
    struct itsi_rand rng;
    setup(&w);
    itsi_rand_seed(&rng, 5);
    for (int i = 0; i < 400; i++) {
        w.now += (int64_t)itsi_rand_range(&rng, -50e6, 200e6);
        if (i % 50 == 0)
            w.now += (i % 100 ? 1 : -1) * 100 * ITSI_NS_PER_S;
        w.width = i % 3 ? W : 320;
        w.height = i % 3 ? H : 240;
        const int count = (int)itsi_rand_below(&rng, i % 7 ? 40 : ITSI_MAX_DETECTIONS + 1);
        for (int k = 0; k < count; k++)
            show(&w, (float)itsi_rand_range(&rng, -20, W + 20), (float)itsi_rand_range(&rng, -20, H + 20),
                 (float)itsi_rand_range(&rng, 0, 300), (float)itsi_rand_range(&rng, 0, 200),
                 (float)itsi_rand_range(&rng, 0.05, 1))->cls = (int32_t)itsi_rand_below(&rng, 5);
        look(&w);
        check_ids(&w, count);
        const int64_t now = w.now;
        w.now += (int64_t)itsi_rand_range(&rng, -100e6, 500e6);
        const int predicted = foresee(&w);
        check_boxes(&w, predicted);
        check_ids(&w, predicted);
        w.now = now;
        const struct itsi_track_fit fit = itsi_tracker_fit(w.tracker);
        assert_true(fit.retention >= 0 && fit.retention <= 1 && fit.overlap >= 0 && fit.overlap <= 1);
        assert_true(fit.doubt >= 0 && fit.doubt <= ITSI_MAX_DETECTIONS);
    }
    teardown(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prediction_moves_on),
        cmocka_unit_test(test_prediction_leaves_the_picture),
        cmocka_unit_test(test_prediction_order),
        cmocka_unit_test(test_prediction_ends),
        cmocka_unit_test(test_weak_is_not_predicted),
        cmocka_unit_test(test_nothing_new_without_detection),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_found_elsewhere_is_a_misfit),
        cmocka_unit_test(test_wavering_is_no_misfit),
        cmocka_unit_test(test_doubt),
        cmocka_unit_test(test_empty_road_is_trusted),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

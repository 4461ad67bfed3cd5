#include "postprocess/track_test.h"

#include "base/mem.h"
#include "postprocess/track_budget.h"

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

static void test_confidence_changes(void **state)
{
    (void)state;
    struct world w;
    setup(&w);
    look_at(&w, 400, 300, 0.3F);
    w.now += FRAME;
    const int32_t id = look_at(&w, 400, 300, 0.3F);
    assert_true(id > 0);
    itsi_tracker_set_confidence(w.tracker, 0.4F); /* what it showed is too weak now, but still carries on */
    assert_int_equal(foresee(&w), 0);
    w.now += FRAME;
    assert_int_equal(look_at(&w, 400, 300, 0.3F), id);
    itsi_tracker_set_confidence(w.tracker, 0.05F); /* below the floor, which follows */
    w.now += FRAME;
    assert_int_equal(look_at(&w, 400, 300, 0.06F), id);
    assert_int_equal(foresee(&w), 1);
    itsi_tracker_set_confidence(w.tracker, 0.25F); /* and returns */
    w.now += FRAME;
    assert_int_equal(look_at(&w, 400, 300, 0.06F), -1);
    w.now += FRAME;
    assert_int_equal(look_at(&w, 400, 300, 0.15F), -1); /* lost ones are carried on by sure detections alone */
    w.now += FRAME;
    assert_int_equal(look_at(&w, 400, 300, 0.3F), id);
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

/* Detections when doubt asks for them, at levels that come and go: a sure thing, and one that the detector wavers over. */
static void test_adaptive_cadence(void **state)
{
    (void)state;
    static const struct { int interval, width, height; } levels[] = {
        {1, W, H}, {2, W, H}, {3, 960, 540}, {5, 640, 360}, {1, W, H}};
    static const float wavering[] = {0.3F, 0.42F, 0.18F};
    static const struct itsi_track_budget budget = {.tolerance = 0.4F};
    struct world w;
    setup(&w);
    int32_t sure = 0, unsure = 0;
    int64_t last = 0;
    int detections[5] = {0};
    float moved = 0;
    for (int i = 0; i < 200; i++, w.now += FRAME) {
        const int level = i / 40;
        const struct itsi_track_fit fit = itsi_tracker_fit(w.tracker);
        moved += 1;
        struct itsi_track_cadence cadence = {.retention = fit.retention, .doubt = fit.doubt, .moved = moved,
                                             .frame_ns = FRAME, .since_ns = last ? w.now - last : -1};
        w.width = levels[level].width;
        w.height = levels[level].height;
        itsi_track_budget_ask(&budget, levels[level].interval, &cadence);
        if (!itsi_track_cadence_detect(&cadence)) {
            const int count = foresee(&w);
            assert_true(count >= 1 && w.boxes[0].track == sure);
            assert_true(count == 1 || w.boxes[1].track == unsure);
            w.count = 0;
            continue;
        }
        show(&w, 60 + 5 * (float)i, 300, 80, 60, 0.8F);
        show(&w, 1200 - 4 * (float)i, 500, 80, 60, wavering[i % 3]);
        look(&w);
        sure = sure ? sure : w.boxes[0].track;
        unsure = unsure > 0 ? unsure : w.boxes[1].track;
        assert_int_equal(w.boxes[0].track, sure);
        assert_int_equal(w.boxes[1].track, unsure);
        detections[level]++;
        last = w.now;
        moved = 0;
    }
    assert_true(sure > 0 && unsure > 0 && sure != unsure);
    assert_int_equal(detections[0], 40);
    assert_int_equal(detections[4], 40);
    for (int level = 1; level < 4; level++)
        assert_in_range(detections[level], 40 / (2 * levels[level].interval), 36);
    assert_true(detections[3] < detections[1]);
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
        cmocka_unit_test(test_confidence_changes),
        cmocka_unit_test(test_occlusion),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_cadence_and_size_change),
        cmocka_unit_test(test_adaptive_cadence),
        cmocka_unit_test(test_fast_thing_at_low_cadence),
        cmocka_unit_test(test_clock_steps),
        cmocka_unit_test(test_three_hundred),
        cmocka_unit_test(test_ids_wrap),
        cmocka_unit_test(test_classes_vote),
        cmocka_unit_test(test_allocates_nothing),
        cmocka_unit_test(test_creation_fails_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/mem.h"
#include "postprocess/yolo_impl.h"

#include <stdbool.h>

/* ---- outputs by hand ---- */

struct head {
    struct itsi_output_tensor out;
    float *data;
};

static struct head head_new(int classes, int anchors)
{
    struct head h = {.out = {.rows = 4 + classes, .anchors = anchors}};
    h.data = test_calloc((size_t)(4 + classes) * (size_t)anchors, sizeof *h.data);
    h.out.data = h.data;
    return h;
}

static void set(struct head *h, int row, int anchor, float value) { h->data[row * h->out.anchors + anchor] = value; }

/* A box by its corners, in tensor pixels. */
static void put(struct head *h, int anchor, float x1, float y1, float x2, float y2, int cls, float score)
{
    set(h, 0, anchor, (x1 + x2) / 2);
    set(h, 1, anchor, (y1 + y2) / 2);
    set(h, 2, anchor, x2 - x1);
    set(h, 3, anchor, y2 - y1);
    set(h, 4 + cls, anchor, score);
}

static const struct itsi_letterbox identity = {.scale = 1, .inner_w = 640, .inner_h = 384, .source_w = 640,
                                               .source_h = 384};
static const struct itsi_yolo_params usual = {.confidence = 0.25f, .iou = 0.5f, .max_detections = ITSI_MAX_DETECTIONS};

static struct itsi_detection found[ITSI_MAX_DETECTIONS];

/* Runs every variant this processor has; all must agree to the last bit. */
static int run_as(const struct head *h, const struct itsi_letterbox *box, const struct itsi_yolo_params *params)
{
    static struct itsi_detection other[ITSI_MAX_DETECTIONS];
    struct itsi_yolo *yolo;
    struct its_diag diag;
    CHECK_OK(itsi_yolo_create(&yolo, &diag), diag);
    itsi_yolo_use(yolo, 0);
    int count = itsi_yolo_run(yolo, &h->out, box, params, found);
    for (int level = 1; level <= itsi_simd_level(); level++) {
        itsi_yolo_use(yolo, level);
        assert_int_equal(itsi_yolo_run(yolo, &h->out, box, params, other), count);
        if (count > 0)
            assert_memory_equal(other, found, (size_t)count * sizeof *found);
    }
    itsi_yolo_destroy(yolo);
    return count;
}

static int run(const struct head *h) { return run_as(h, &identity, &usual); }

static void check_box(int i, float x1, float y1, float x2, float y2, int cls, float score)
{
    CHECK_NEAR(found[i].x1, x1, 1e-3);
    CHECK_NEAR(found[i].y1, y1, 1e-3);
    CHECK_NEAR(found[i].x2, x2, 1e-3);
    CHECK_NEAR(found[i].y2, y2, 1e-3);
    CHECK_NEAR(found[i].score, score, 0);
    assert_int_equal(found[i].cls, cls);
    assert_int_equal(found[i].track, -1);
}

static void boxes_come_by_falling_score(void **state)
{
    (void)state;
    struct head h = head_new(3, 700); /* more than one block of anchors, and an odd rest */
    put(&h, 0, 10, 20, 30, 60, 0, 0.5f);
    put(&h, 511, 100, 100, 140, 180, 2, 0.9f);
    put(&h, 512, 200, 100, 240, 180, 1, 0.7f);
    put(&h, 699, 300, 100, 340, 180, 2, 0.6f);
    assert_int_equal(run(&h), 4);
    check_box(0, 100, 100, 140, 180, 2, 0.9f);
    check_box(1, 200, 100, 240, 180, 1, 0.7f);
    check_box(2, 300, 100, 340, 180, 2, 0.6f);
    check_box(3, 10, 20, 30, 60, 0, 0.5f);
    test_free(h.data);
}

static void only_boxes_of_one_class_suppress_each_other(void **state)
{
    (void)state;
    struct head h = head_new(2, 40);
    put(&h, 3, 100, 100, 200, 200, 0, 0.9f);
    put(&h, 4, 105, 100, 205, 200, 0, 0.8f); /* same class: 0.905 over the first */
    put(&h, 5, 100, 100, 200, 200, 1, 0.7f); /* another class, the very same place */
    assert_int_equal(run(&h), 2);
    check_box(0, 100, 100, 200, 200, 0, 0.9f);
    check_box(1, 100, 100, 200, 200, 1, 0.7f);
    test_free(h.data);
}

/* A suppressed box suppresses nothing itself: a chain a-b-c with a over b and b over c keeps a and c. */
static void suppressed_boxes_do_not_suppress(void **state)
{
    (void)state;
    struct head h = head_new(1, 16);
    put(&h, 0, 0, 0, 100, 100, 0, 0.9f);
    put(&h, 1, 30, 0, 130, 100, 0, 0.8f); /* 0.538 over the first */
    put(&h, 2, 60, 0, 160, 100, 0, 0.7f); /* 0.538 over the second, 0.25 over the first */
    assert_int_equal(run(&h), 2);
    check_box(0, 0, 0, 100, 100, 0, 0.9f);
    check_box(1, 60, 0, 160, 100, 0, 0.7f);
    test_free(h.data);
}

static void thresholds_are_exclusive(void **state)
{
    (void)state;
    struct head h = head_new(1, 16);
    put(&h, 0, 0, 0, 10, 10, 0, 0.25f); /* exactly the confidence: out */
    put(&h, 1, 50, 0, 60, 10, 0, nextafterf(0.25f, 1));
    put(&h, 2, 100, 0, 300, 100, 0, 0.9f);
    put(&h, 3, 100, 0, 200, 100, 0, 0.8f); /* IoU exactly 0.5: stays */
    put(&h, 4, 100, 0, 201, 100, 0, 0.7f); /* just over: out */
    assert_int_equal(run(&h), 3);
    check_box(0, 100, 0, 300, 100, 0, 0.9f);
    check_box(1, 100, 0, 200, 100, 0, 0.8f);
    check_box(2, 50, 0, 60, 10, 0, nextafterf(0.25f, 1));
    test_free(h.data);
}

static void ties_go_to_the_lower_anchor_and_the_first_class(void **state)
{
    (void)state;
    struct head h = head_new(3, 300);
    for (int i = 299; i >= 0; i--) { /* enough for both ways of sorting: these 150 and the few below */
        if (i % 2)
            put(&h, i, (float)i * 2, 0, (float)i * 2 + 1, 10, 1, 0.5f);
    }
    set(&h, 6, 7, 0.5f); /* class 2 as good as class 1 */
    assert_int_equal(run(&h), 150);
    for (int i = 0; i < 150; i++)
        check_box(i, (float)(2 * i + 1) * 2, 0, (float)(2 * i + 1) * 2 + 1, 10, 1, 0.5f);

    struct itsi_yolo_params few = usual;
    few.max_detections = 3;
    assert_int_equal(run_as(&h, &identity, &few), 3);
    check_box(2, 10, 0, 11, 10, 1, 0.5f);
    few.confidence = 0.6f;
    put(&h, 9, 100, 0, 110, 10, 1, 0.7f);
    put(&h, 8, 200, 0, 210, 10, 1, 0.7f);
    assert_int_equal(run_as(&h, &identity, &few), 2);
    check_box(0, 200, 0, 210, 10, 1, 0.7f);
    check_box(1, 100, 0, 110, 10, 1, 0.7f);
    test_free(h.data);
}

static void boxes_are_mapped_to_the_source_and_clipped(void **state)
{
    (void)state;
    const struct itsi_letterbox half = {.scale = 0.5f, .pad_x = 20, .pad_y = 12, .inner_w = 600, .inner_h = 360,
                                        .source_w = 1200, .source_h = 720};
    struct head h = head_new(1, 16);
    put(&h, 0, 120, 62, 220, 112, 0, 0.9f);
    put(&h, 1, 0, 0, 40, 32, 0, 0.8f);      /* over the corner: only what lies in the picture */
    put(&h, 2, 600, 350, 700, 400, 0, 0.7f);
    put(&h, 3, 0, 100, 20, 200, 0, 0.6f);   /* wholly in the padding */
    put(&h, 4, 300, 380, 400, 384, 0, 0.5f);
    assert_int_equal(run_as(&h, &half, &usual), 3);
    check_box(0, 200, 100, 400, 200, 0, 0.9f);
    check_box(1, 0, 0, 40, 40, 0, 0.8f);
    check_box(2, 1160, 676, 1200, 720, 0, 0.7f);
    test_free(h.data);
}

static void masked_classes_are_left_out_and_nothing_else_changes(void **state)
{
    (void)state;
    struct head h = head_new(3, 16);
    put(&h, 0, 0, 0, 10, 10, 0, 0.9f);
    put(&h, 1, 50, 0, 60, 10, 1, 0.8f);
    set(&h, 4, 1, 0.7f); /* second best is a wanted class: still not a box of it */
    put(&h, 2, 100, 0, 110, 10, 2, 0.7f);
    const uint8_t mask[3] = {1, 0, 1};
    struct itsi_yolo_params params = usual;
    params.class_mask = mask;
    assert_int_equal(run_as(&h, &identity, &params), 2);
    check_box(0, 0, 0, 10, 10, 0, 0.9f);
    check_box(1, 100, 0, 110, 10, 2, 0.7f);
    test_free(h.data);
}

static void broken_numbers_do_no_harm(void **state)
{
    (void)state;
    struct head h = head_new(3, 700);
    for (int i = 0; i < 700; i++)
        for (int row = 4; row < 7; row++)
            set(&h, row, i, NAN);
    put(&h, 0, 10, 10, 20, 20, 1, 0.9f); /* NaN beside a good score */
    put(&h, 640, 40, 10, 50, 20, 0, 0.8f);
    put(&h, 2, 10, 40, 20, 50, 1, INFINITY);
    put(&h, 3, 10, 70, 20, 80, 1, -INFINITY);
    for (int row = 0; row < 4; row++) {
        put(&h, 10 + row, 100, 100, 120, 120, 2, 0.99f);
        set(&h, row, 10 + row, NAN);
        put(&h, 20 + row, 100, 100, 120, 120, 2, 0.98f);
        set(&h, row, 20 + row, INFINITY);
        put(&h, 30 + row, 100, 100, 120, 120, 2, 0.97f);
        set(&h, row, 30 + row, row < 2 ? -INFINITY : -5);
    }
    assert_int_equal(run(&h), 2);
    check_box(0, 10, 10, 20, 20, 1, 0.9f);
    check_box(1, 40, 10, 50, 20, 0, 0.8f);
    struct itsi_yolo_params odd = usual;
    odd.confidence = NAN;
    assert_int_equal(run_as(&h, &identity, &odd), 2);
    test_free(h.data);
}

/* ---- against the plainest code ---- */

struct plain {
    struct itsi_detection box; /* in tensor pixels */
    bool dead;
};

static double overlap(const struct itsi_detection *a, const struct itsi_detection *b)
{
    double w = fmin(a->x2, b->x2) - fmax(a->x1, b->x1), h = fmin(a->y2, b->y2) - fmax(a->y1, b->y1);
    if (w <= 0 || h <= 0)
        return 0;
    double both = ((double)a->x2 - a->x1) * ((double)a->y2 - a->y1) + ((double)b->x2 - b->x1) * ((double)b->y2 - b->y1);
    return w * h / (both - w * h);
}

/* Repeats: the best not yet dead, the lower anchor on ties, kills its like. Fills want, returns their number. */
static int plain_nms(struct plain *all, int n, double iou, int most, struct itsi_detection *want)
{
    int count = 0;
    while (count < most) {
        struct plain *best = NULL;
        for (int i = 0; i < n; i++)
            if (!all[i].dead && (!best || all[i].box.score > best->box.score))
                best = &all[i];
        if (!best)
            break;
        want[count++] = best->box;
        for (int i = 0; i < n; i++)
            if (all[i].box.cls == best->box.cls && overlap(&all[i].box, &best->box) > iou)
                all[i].dead = true;
        best->dead = true;
    }
    return count;
}

static uint32_t seed;
static int upto(int limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (int)((seed >> 8) % (uint32_t)limit);
}

/* Coordinates in quarters and thresholds in powers of two are exact in float and double alike: no borderline differs. */
static void thousands_of_candidates_match_the_plain_way(void **state)
{
    (void)state;
    static const struct {
        int classes, anchors, spread, most;
        float iou;
    } cases[] = {{80, 5040, 600, 300, 0.5f}, {3, 5040, 600, 300, 0.75f}, {1, 3000, 60, 300, 0.5f},
                 {2, 777, 30, 20, 0.25f},    {1, 95, 100, 300, 0.5f},    {1, 97, 100, 300, 0.5f}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const int n = cases[c].anchors;
        seed = (uint32_t)c;
        struct head h = head_new(cases[c].classes, n);
        struct plain *all = test_calloc((size_t)n, sizeof *all);
        for (int i = 0; i < n; i++) {
            float x = (float)upto(cases[c].spread * 4) / 4, y = (float)upto(320 * 4) / 4;
            float w = (float)(1 + upto(39)), hh = (float)(1 + upto(59));
            float score = 0.25f + (float)(1 + upto(1000)) / 2048; /* with many ties */
            int cls = upto(cases[c].classes);
            put(&h, i, x, y, x + w, y + hh, cls, score);
            all[i].box = (struct itsi_detection){x, y, x + w, y + hh, score, cls, -1};
        }
        static struct itsi_detection want[ITSI_MAX_DETECTIONS];
        const struct itsi_letterbox large = {.scale = 1, .source_w = 4096, .source_h = 4096};
        struct itsi_yolo_params params = {.confidence = 0.25f, .iou = cases[c].iou, .max_detections = cases[c].most};
        int wanted = plain_nms(all, n, cases[c].iou, cases[c].most, want);
        assert_int_equal(run_as(&h, &large, &params), wanted);
        for (int i = 0; i < wanted; i++)
            check_box(i, want[i].x1, want[i].y1, want[i].x2, want[i].y2, want[i].cls, want[i].score);
        test_free(all);
        test_free(h.data);
    }
}

/* 31,000 candidates: the first, one pile of 30,000, leave a single box, and what comes after is not looked at. */
static void at_most_30000_candidates_are_taken(void **state)
{
    (void)state;
    struct head h = head_new(1, 31000);
    for (int i = 0; i < 31000; i++) {
        if (i < 30000)
            put(&h, i, 10, 10, 50, 50, 0, 0.9f);
        else
            put(&h, i, 100, 100, 150, 150, 0, 0.5f);
    }
    assert_int_equal(run(&h), 1);
    set(&h, 4, 29999, 0);
    assert_int_equal(run(&h), 2);
    check_box(1, 100, 100, 150, 150, 0, 0.5f);
    test_free(h.data);
}

/* ---- lifetime ---- */

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_yolo *yolo;
    struct its_diag diag;
    CHECK_OK(itsi_yolo_create(&yolo, &diag), diag);
    struct head large = head_new(2, 5040), small = head_new(2, 100);
    for (int i = 0; i < 5040; i++)
        put(&large, i, (float)(i % 100), 5, (float)(i % 100) + 9, 15, i % 2, 0.3f);
    assert_int_equal(itsi_yolo_run(yolo, &small.out, &identity, &usual, found), 0);
    assert_true(itsi_yolo_run(yolo, &large.out, &identity, &usual, found) > 1);
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 10; i++)
        assert_true(itsi_yolo_run(yolo, i % 2 ? &large.out : &small.out, &identity, &usual, found) >= 0);
    assert_int_equal(itsi_alloc_count(), before);
    itsi_yolo_destroy(yolo);
    test_free(large.data);
    test_free(small.data);
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    struct itsi_yolo *yolo = NULL;
    itsi_alloc_fail_at(1);
    int rc = itsi_yolo_create(&yolo, NULL);
    itsi_alloc_fail_at(0);
    assert_int_equal(rc, ITS_ENOMEM);
    assert_null(yolo);
    struct head h = head_new(1, 16);
    put(&h, 3, 10, 20, 30, 60, 0, 0.5f);
    struct its_diag diag;
    CHECK_OK(itsi_yolo_create(&yolo, &diag), diag);
    for (int nth = 1; nth <= 2; nth++) {
        itsi_alloc_fail_at(nth);
        rc = itsi_yolo_run(yolo, &h.out, &identity, &usual, found);
        itsi_alloc_fail_at(0);
        assert_int_equal(rc, ITS_ENOMEM);
    }
    assert_int_equal(itsi_yolo_run(yolo, &h.out, &identity, &usual, found), 1);
    check_box(0, 10, 20, 30, 60, 0, 0.5f);
    itsi_yolo_destroy(yolo);
    test_free(h.data);
}

static void unusable_outputs_are_refused(void **state)
{
    (void)state;
    struct head h = head_new(1, 16);
    struct itsi_yolo_params params = usual;
    h.out.rows = 4;
    assert_int_equal(run(&h), ITS_EINVAL);
    h.out.rows = 5;
    h.out.data = NULL;
    assert_int_equal(run(&h), ITS_EINVAL);
    h.out.data = h.data;
    params.max_detections = ITSI_MAX_DETECTIONS + 1;
    assert_int_equal(run_as(&h, &identity, &params), ITS_EINVAL);
    params.max_detections = 0;
    assert_int_equal(run_as(&h, &identity, &params), ITS_EINVAL);
    h.out.anchors = 0;
    assert_int_equal(run(&h), ITS_EINVAL);
    test_free(h.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_come_by_falling_score),
        cmocka_unit_test(only_boxes_of_one_class_suppress_each_other),
        cmocka_unit_test(suppressed_boxes_do_not_suppress),
        cmocka_unit_test(thresholds_are_exclusive),
        cmocka_unit_test(ties_go_to_the_lower_anchor_and_the_first_class),
        cmocka_unit_test(boxes_are_mapped_to_the_source_and_clipped),
        cmocka_unit_test(masked_classes_are_left_out_and_nothing_else_changes),
        cmocka_unit_test(broken_numbers_do_no_harm),
        cmocka_unit_test(thousands_of_candidates_match_the_plain_way),
        cmocka_unit_test(at_most_30000_candidates_are_taken),
        cmocka_unit_test(steady_state_allocates_nothing),
        cmocka_unit_test(failing_allocations_are_survived),
        cmocka_unit_test(unusable_outputs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

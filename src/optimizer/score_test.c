#include "support/check.h"

#include "optimizer/score.h"

/* The classes of a model in an order of its own, one of them unknown to the road, "bicycle" missing. */
static const char *const names[] = {"person", "traffic light", "truck", "car", "bus", "motorcycle"};
enum { PERSON, LIGHT, TRUCK, CAR, BUS, MOTORCYCLE, CLASSES };
static const struct itsi_str_list all = {0};
static struct itsi_score score;

static struct itsi_detection found(int cls, float x, float y, float w, float h)
{
    return (struct itsi_detection){.x1 = x, .y1 = y, .x2 = x + w, .y2 = y + h, .score = 0.5F, .cls = cls, .track = -1};
}

static struct itsi_road_box box(int cls, float x, float y, float w, float h)
{
    return (struct itsi_road_box){.x1 = x, .y1 = y, .x2 = x + w, .y2 = y + h, .cls = cls, .visible = 1};
}

static int reset(void **state)
{
    (void)state;
    itsi_score_init(&score, names, CLASSES, &all);
    return 0;
}

static void check(const struct itsi_score_count *count, uint64_t truth, uint64_t right, uint64_t wrong)
{
    assert_int_equal(count->truth, truth);
    assert_int_equal(count->found, right);
    assert_int_equal(count->wrong, wrong);
}

#define COUNT(array) ((int)(sizeof array / sizeof array[0]))
#define ADD(detections, truth, scale) itsi_score_add(&score, detections, COUNT(detections), truth, COUNT(truth), scale)

static void classes_meet_by_name(void **state)
{
    (void)state;
    assert_int_equal(score.road_class[CAR], ITSI_ROAD_CAR);
    assert_int_equal(score.road_class[PERSON], ITSI_ROAD_PERSON);
    assert_int_equal(score.road_class[LIGHT], -1);
    assert_true(score.judged[ITSI_ROAD_BUS]);
    assert_false(score.judged[ITSI_ROAD_BICYCLE]);
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 40, 20), box(ITSI_ROAD_PERSON, 100, 0, 10, 20)};
    const struct itsi_detection boxes[] = {found(CAR, 0, 0, 40, 20), found(TRUCK, 100, 0, 10, 20),
                                           found(LIGHT, 0, 0, 40, 20)};
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 1, 1, 0);
    check(&score.classes[ITSI_ROAD_PERSON], 1, 0, 0);
    check(&score.classes[ITSI_ROAD_TRUCK], 0, 0, 1); /* there is a person, not a truck */
    assert_int_equal(score.frames, 1);
}

/* 40x20 against the same moved right by dx: IoU = (40 - dx) / (40 + dx), a half at 13.33. */
static void overlap_decides_at_a_half(void **state)
{
    (void)state;
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 40, 20)};
    const struct itsi_detection in[] = {found(CAR, 13, 0, 40, 20)}, out[] = {found(CAR, 14, 0, 40, 20)};
    ADD(in, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 1, 1, 0);
    ADD(out, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 2, 1, 1);
    const struct itsi_road_box exact_truth[] = {box(ITSI_ROAD_BUS, 0, 0, 40, 40)};
    const struct itsi_detection exactly_half[] = {found(BUS, 0, 0, 40, 20)};
    ADD(exactly_half, exact_truth, 1);
    check(&score.classes[ITSI_ROAD_BUS], 1, 1, 0);
}

static void a_box_is_found_once(void **state)
{
    (void)state;
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 40, 20), box(ITSI_ROAD_CAR, 200, 0, 40, 20)};
    const struct itsi_detection boxes[] = {found(CAR, 0, 0, 40, 20), found(CAR, 2, 0, 40, 20)};
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 2, 1, 1);
}

/* The surer detection takes the box it fits best and leaves the other to the next. */
static void neighbours_share_out(void **state)
{
    (void)state;
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 40, 20), box(ITSI_ROAD_CAR, 10, 0, 40, 20)};
    const struct itsi_detection boxes[] = {found(CAR, 9, 0, 40, 20), found(CAR, 4, 0, 40, 20)};
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 2, 2, 0);
}

static void hidden_boxes_count_neither_way(void **state)
{
    (void)state;
    struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 40, 20), box(ITSI_ROAD_CAR, 200, 0, 40, 20)};
    truth[0].visible = 0.24F;
    truth[1].visible = 0.25F;
    const struct itsi_detection boxes[] = {found(CAR, 0, 0, 40, 20), found(TRUCK, 0, 0, 40, 40),
                                           found(CAR, 21, 0, 40, 20)};
    itsi_score_add(&score, NULL, 0, truth, COUNT(truth), 1);
    check(&score.classes[ITSI_ROAD_CAR], 1, 0, 0);
    ADD(boxes, truth, 1); /* on it; half on it, whatever class; and less than half on it */
    check(&score.classes[ITSI_ROAD_CAR], 2, 0, 1);
    check(&score.classes[ITSI_ROAD_TRUCK], 0, 0, 0);
}

static void small_boxes_count_neither_way(void **state)
{
    (void)state;
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 30, 15.9F), box(ITSI_ROAD_CAR, 100, 0, 30, 16)};
    const struct itsi_detection boxes[] = {found(CAR, 0, 0, 30, 15.9F), found(CAR, 300, 0, 15, 15)};
    ADD(boxes, truth, 0.5F); /* 8 pixels at half scale are 16 here */
    check(&score.classes[ITSI_ROAD_CAR], 1, 0, 0);
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 3, 1, 1);
}

/* A detection a little too small may still have found a box that is just large enough. */
static void a_small_detection_may_match(void **state)
{
    (void)state;
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 20, 8)};
    const struct itsi_detection boxes[] = {found(CAR, 0, 0, 20, 7)};
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 1, 1, 0);
}

static void what_is_not_reported_is_not_asked_for(void **state)
{
    (void)state;
    char car[] = "car", *items[] = {car};
    const struct itsi_str_list wanted = {items, 1};
    itsi_score_init(&score, names, CLASSES, &wanted);
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_TRUCK, 0, 0, 40, 20), box(ITSI_ROAD_BICYCLE, 100, 0, 20, 20),
                                          box(ITSI_ROAD_CAR, 200, 0, 40, 20)};
    const struct itsi_detection boxes[] = {found(CAR, 0, 0, 40, 20), found(CAR, 200, 0, 40, 20)};
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 1, 1, 0); /* the truck taken for a car is excused */
    check(&score.classes[ITSI_ROAD_TRUCK], 0, 0, 0);
    check(&score.classes[ITSI_ROAD_BICYCLE], 0, 0, 0);
}

static void vehicles_are_cars_trucks_and_buses(void **state)
{
    (void)state;
    for (int cls = 0; cls < ITSI_ROAD_CLASS_COUNT; cls++)
        score.classes[cls] = (struct itsi_score_count){.truth = 10, .found = 8, .wrong = 2};
    score.classes[ITSI_ROAD_BUS].found = 5;
    struct itsi_score_count sum = itsi_score_vehicles(&score);
    check(&sum, 30, 21, 6);
    CHECK_NEAR(itsi_score_precision(&sum), 21.0 / 27, 1e-12);
    CHECK_NEAR(itsi_score_recall(&sum), 0.7, 1e-12);
    const struct itsi_score_count nothing = {0};
    assert_true(isnan(itsi_score_precision(&nothing)));
    assert_true(isnan(itsi_score_recall(&nothing)));
}

static void empty_boxes_match_nothing(void **state)
{
    (void)state;
    const struct itsi_road_box truth[] = {box(ITSI_ROAD_CAR, 0, 0, 40, 20)};
    const struct itsi_detection boxes[] = {found(CAR, 10, 10, 0, 0)};
    ADD(boxes, truth, 1);
    check(&score.classes[ITSI_ROAD_CAR], 1, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(classes_meet_by_name, reset),
        cmocka_unit_test_setup(overlap_decides_at_a_half, reset),
        cmocka_unit_test_setup(a_box_is_found_once, reset),
        cmocka_unit_test_setup(neighbours_share_out, reset),
        cmocka_unit_test_setup(hidden_boxes_count_neither_way, reset),
        cmocka_unit_test_setup(small_boxes_count_neither_way, reset),
        cmocka_unit_test_setup(a_small_detection_may_match, reset),
        cmocka_unit_test_setup(what_is_not_reported_is_not_asked_for, reset),
        cmocka_unit_test_setup(vehicles_are_cars_trucks_and_buses, reset),
        cmocka_unit_test_setup(empty_boxes_match_nothing, reset),
    };
    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}

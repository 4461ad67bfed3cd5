/* The floor of a batch, and of several. */
#include "latency/regression_batch.h"

#include "support/check.h"

#include <math.h>

#define MS INT64_C(1000000)

/* 25 frames in a second: two of three take `disturbed` ms, the others 4; some 0 (did not pass). */
static void second_of(struct itsi_open_batch *open, int64_t *now, int64_t disturbed, struct itsi_batch *out)
{
    for (int i = 0; i < 25; i++) {
        struct itsi_breakdown frame = {0};
        frame.service[ITSI_STAGE_ML_INFERENCE] = (i % 3 ? disturbed : 4) * MS;
        frame.service[ITSI_STAGE_PREPROCESSING] = i % 4 ? 0 : MS;
        assert_int_equal(itsi_batch_add(open, &frame, *now, out), i == 0 && *now > 0 ? 1 : 0);
        *now += 40 * MS;
    }
}

static void a_floor_is_what_undisturbed_frames_take(void **state)
{
    (void)state;
    struct itsi_open_batch open = {0};
    struct itsi_batch batch = {0};
    int64_t now = 0;
    second_of(&open, &now, 6, &batch);
    second_of(&open, &now, 9, &batch); /* its first frame closed the first second */
    CHECK_NEAR(batch.mean[ITSI_TIME_FLOOR][ITSI_STAGE_ML_INFERENCE], log(4000), 1e-9);
    assert_true(batch.mean[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE] > log(5000));
    const double mean = batch.mean[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE];
    second_of(&open, &now, 6, &batch);
    CHECK_NEAR(batch.mean[ITSI_TIME_FLOOR][ITSI_STAGE_ML_INFERENCE], log(4000), 1e-9); /* more disturbed: the same */
    assert_true(batch.mean[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE] > mean + 0.2);
    assert_true(itsi_batch_valid(&batch));
}

static void fewer_frames_than_a_group_have_no_floor(void **state)
{
    (void)state;
    struct itsi_open_batch open = {0};
    struct itsi_batch batch = {0};
    int64_t now = 0;
    second_of(&open, &now, 6, &batch);
    second_of(&open, &now, 6, &batch);
    assert_true(batch.present[ITSI_TIME_SERVICE][ITSI_STAGE_PREPROCESSING]);
    assert_false(batch.present[ITSI_TIME_FLOOR][ITSI_STAGE_PREPROCESSING]); /* 7 of them */
    assert_false(batch.present[ITSI_TIME_FLOOR][ITSI_STAGE_ENCODING]);
}

static void several_floors_have_the_least(void **state)
{
    (void)state;
    struct itsi_floor floor = {0};
    CHECK_NEAR(itsi_floor_push(&floor, 3), 3, 0);
    CHECK_NEAR(itsi_floor_push(&floor, 2), 2, 0);
    for (int i = 0; i < ITSI_FLOOR_BATCHES - 1; i++)
        CHECK_NEAR(itsi_floor_push(&floor, 5), 2, 0);
    CHECK_NEAR(itsi_floor_push(&floor, 5), 5, 0); /* the 2 is out of sight */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_floor_is_what_undisturbed_frames_take),
        cmocka_unit_test(fewer_frames_than_a_group_have_no_floor),
        cmocka_unit_test(several_floors_have_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

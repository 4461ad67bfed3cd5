#include "support/check.h"

#include "base/rand.h"
#include "postprocess/track_motion.h"

static struct itsi_share_box box_at(float x, float y, float w, float h)
{
    return (struct itsi_share_box){x - w / 2, y - h / 2, x + w / 2, y + h / 2};
}

static void test_shares(void **state)
{
    (void)state;
    const struct itsi_detection d = {.x1 = 320, .y1 = 90, .x2 = 640, .y2 = 360};
    const struct itsi_share_box s = itsi_share_box(&d, 1280, 720);
    CHECK_NEAR((double)s.x1, 0.25, 1e-6);
    CHECK_NEAR((double)s.y1, 0.125, 1e-6);
    CHECK_NEAR((double)s.x2, 0.5, 1e-6);
    CHECK_NEAR((double)s.y2, 0.5, 1e-6);
}

/* Seen at uneven times with some noise, its speed is found, whatever the cadence. */
static void test_finds_the_speed(void **state)
{
    (void)state;
    for (int cadence = 1; cadence <= 8; cadence *= 2) {
        struct itsi_rand rng;
        struct itsi_motion motion;
        itsi_rand_seed(&rng, 3);
        float x = 0.1F, y = 0.8F;
        struct itsi_share_box seen = box_at(x, y, 0.06F, 0.08F);
        itsi_motion_begin(&motion, &seen);
        for (int i = 0; i < 40; i++) {
            const float seconds = 0.02F * (float)cadence * (float)itsi_rand_range(&rng, 0.5, 1.5);
            x += 0.3F * seconds;
            y -= 0.2F * seconds;
            seen = box_at(x + 0.0015F * (float)itsi_rand_normal(&rng), y + 0.002F * (float)itsi_rand_normal(&rng), 0.06F,
                          0.08F);
            itsi_motion_predict(&motion, seconds);
            itsi_motion_correct(&motion, &seen);
        }
        CHECK_NEAR((double)motion.axis[0].speed, 0.3, 0.05);
        CHECK_NEAR((double)motion.axis[1].speed, -0.2, 0.05);
        const struct itsi_share_box next = itsi_motion_carry(&motion, &seen, 0.1F);
        CHECK_NEAR((double)(next.x1 - seen.x1), 0.03, 0.008);
        CHECK_NEAR((double)(next.x2 - next.x1), 0.06, 0.004);
    }
}

/* One step of two seconds leaves the filter as unsure as twenty steps of a tenth. */
static void test_time_has_no_grain(void **state)
{
    (void)state;
    const struct itsi_share_box seen = box_at(0.5F, 0.5F, 0.1F, 0.1F);
    struct itsi_motion once, often;
    itsi_motion_begin(&once, &seen);
    once.axis[0].speed = 0.1F;
    often = once;
    itsi_motion_predict(&once, 2);
    for (int i = 0; i < 20; i++)
        itsi_motion_predict(&often, 0.1F);
    CHECK_NEAR((double)often.axis[0].at, (double)once.axis[0].at, 1e-5);
    CHECK_NEAR((double)(often.axis[0].var_at / once.axis[0].var_at), 1, 1e-3);
    CHECK_NEAR((double)(often.axis[0].cov / once.axis[0].cov), 1, 1e-3);
    CHECK_NEAR((double)(often.axis[0].var_speed / once.axis[0].var_speed), 1, 1e-3);
}

/* No time, no change; a box without size, seen for hours, keeps the filter sane. */
static void test_stays_sane(void **state)
{
    (void)state;
    struct itsi_share_box seen = box_at(0.5F, 0.5F, 0, 0);
    struct itsi_motion motion;
    itsi_motion_begin(&motion, &seen);
    const struct itsi_motion before = motion;
    itsi_motion_predict(&motion, 0);
    assert_memory_equal(&motion, &before, sizeof motion);
    for (int i = 0; i < 100000; i++) {
        itsi_motion_predict(&motion, i % 1000 ? 0.04F : 30);
        itsi_motion_correct(&motion, &seen);
        for (int k = 0; k < 4; k++) {
            const struct itsi_axis *a = &motion.axis[k];
            assert_true(isfinite(a->at) && isfinite(a->speed));
            assert_true(a->var_at > 0 && a->var_speed > 0);
            assert_true(a->cov * a->cov <= a->var_at * a->var_speed * 1.001F);
        }
    }
    const struct itsi_share_box box = itsi_motion_box(&motion);
    assert_true(box.x2 > box.x1 && box.y2 > box.y1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_finds_the_speed),
        cmocka_unit_test(test_time_has_no_grain),
        cmocka_unit_test(test_stays_sane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

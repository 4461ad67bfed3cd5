/* Which pictures are analysed again, whose first, and when. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/debt_choice.h"

#include <math.h>

/* Of any number of results, to within one; 0.7 and 0.015 are no fractions with a one above. */
static void the_share_is_kept_exactly(void **state)
{
    static const double shares[] = {1, 0.9, 0.7, 2.0 / 3, 0.5, 0.34, 0.1, 0.03, 0.015, 0.01, 0.001};
    (void)state;
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        uint64_t sampled = 0;
        for (uint64_t n = 0; n < 20000; n++) {
            sampled += itsi_debt_samples(3, n, shares[s]);
            assert_true(fabs((double)sampled - (double)(n + 1) * shares[s]) < 1 + 1e-9);
        }
    }
}

static void all_with_one_and_none_with_zero(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 1000; n++) {
        assert_true(itsi_debt_samples(3, n, 1));
        assert_false(itsi_debt_samples(3, n, 0));
    }
}

/* One of every hundred exactly, and far into a camera's life too. */
static void one_of_every_hundred(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++)
        for (uint64_t block = late ? UINT64_C(1) << 36 : 0, end = block + 100; block < end; block++) {
            int sampled = 0;
            for (uint64_t n = block * 100; n < (block + 1) * 100; n++)
                sampled += itsi_debt_samples(3, n, 0.01);
            assert_int_equal(sampled, 1);
        }
}

/* Every fourth result is detected: the sample has as many of those as of the others, for any camera. */
static void the_sample_does_not_beat_with_the_interval_of_detection(void **state)
{
    (void)state;
    for (uint32_t key = 0; key < 20; key++) {
        int by_phase[4] = {0};
        for (uint64_t n = 0; n < 100 * 1000; n++)
            by_phase[n % 4] += itsi_debt_samples(key, n, 0.01);
        for (int phase = 0; phase < 4; phase++)
            assert_in_range(by_phase[phase], 200, 300);
    }
}

static void cameras_do_not_fall_due_together(void **state)
{
    (void)state;
    int most = 0;
    for (uint64_t n = 0; n < 100; n++) {
        int together = 0;
        for (uint32_t key = 0; key < 100; key++)
            together += itsi_debt_samples(key, n, 0.01);
        most = together > most ? together : most;
    }
    assert_in_range(most, 2, 7);
}

static int64_t room(enum itsi_quality_pressure pressure, double busy, double slack_ms)
{
    const struct itsi_quality_policy policy = {.budget_ms = 100, .slack_low_ms = 10, .busy_high = 0.95};
    const struct itsi_quality_status status = {.pressure = pressure, .inputs = {.busy = busy, .slack_ms = slack_ms}};
    return itsi_debt_room(&policy, &status);
}

static void there_is_room_while_frames_keep_their_reserve(void **state)
{
    (void)state;
    assert_int_equal(room(ITSI_PRESSURE_CALM, 0.5, 60), 50 * ITSI_NS_PER_MS);
    assert_int_equal(room(ITSI_PRESSURE_STEADY, 0.95, 30), 20 * ITSI_NS_PER_MS);
    assert_int_equal(room(ITSI_PRESSURE_CALM, -1, (double)NAN), 90 * ITSI_NS_PER_MS);
    assert_int_equal(room(ITSI_PRESSURE_STEADY, 0.5, 10), 0);
    assert_int_equal(room(ITSI_PRESSURE_STEADY, 0.5, -200), 0);
    assert_int_equal(room(ITSI_PRESSURE_STEADY, 0.96, 60), 0);
    assert_int_equal(room(ITSI_PRESSURE_OVERLOADED, 0.5, 60), 0);
    assert_int_equal(room(ITSI_PRESSURE_CRITICAL, 0.5, 60), 0);
}

static void places_go_to_those_that_are_known_least(void **state)
{
    (void)state;
    struct itsi_debt_place places[3] = {{.key = 0}};
    assert_int_equal(itsi_debt_next(places, 3), -1);
    const int free_place = itsi_debt_place_for(places, 3, 0, 50);
    assert_in_range(free_place, 0, 2);
    places[0] = (struct itsi_debt_place){10, 50, true};
    places[1] = (struct itsi_debt_place){11, 20, true};
    assert_int_equal(itsi_debt_place_for(places, 3, 12, 99), 2);
    assert_int_equal(itsi_debt_place_for(places, 3, 11, 20), 1); /* its newest picture takes its place */
    places[2] = (struct itsi_debt_place){12, 99, true};
    assert_int_equal(itsi_debt_place_for(places, 3, 13, 0), 2);
    assert_int_equal(itsi_debt_place_for(places, 3, 13, 98), 2);
    assert_int_equal(itsi_debt_place_for(places, 3, 13, 99), -1);
    assert_int_equal(itsi_debt_next(places, 3), 1);
    places[1].taken = false;
    assert_int_equal(itsi_debt_next(places, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_kept_exactly),
        cmocka_unit_test(all_with_one_and_none_with_zero),
        cmocka_unit_test(one_of_every_hundred),
        cmocka_unit_test(the_sample_does_not_beat_with_the_interval_of_detection),
        cmocka_unit_test(cameras_do_not_fall_due_together),
        cmocka_unit_test(there_is_room_while_frames_keep_their_reserve),
        cmocka_unit_test(places_go_to_those_that_are_known_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

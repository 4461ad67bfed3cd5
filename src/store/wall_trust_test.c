#include "store/wall_trust.h"

#include "support/check.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
static const int64_t today = 20000 * DAY, in_2038 = 24855 * DAY;

/* A look an hour at a clock that is `ahead` of the monotonic one; the last answer, in hours behind that clock. */
static int64_t watch(struct itsi_wall_trust *trust, int64_t *now, int64_t ahead, int hours)
{
    int64_t behind = 0;
    for (int i = 0; i < hours; i++) {
        *now += HOUR;
        behind = (*now + ahead - itsi_wall_trust_look(trust, *now, *now + ahead)) / HOUR;
    }
    return behind;
}

static void a_clock_that_goes_on_is_trusted(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 5 * SECOND;
    itsi_wall_trust_init(&trust, now, today);
    assert_int_equal(watch(&trust, &now, today, 24 * 400), 0);
    assert_int_equal(watch(&trust, &now, today + HOUR, 1), 0); /* set by hand, or summer's time by mistake */
    assert_int_equal(watch(&trust, &now, today - HOUR, 1), 0);
    assert_false(trust.is_in_doubt);
}

static void a_stop_of_hours_is_nothing_new(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    itsi_wall_trust_init(&trust, 0, today);
    assert_int_equal(itsi_wall_trust_look(&trust, SECOND, today + 20 * HOUR), today + 20 * HOUR);
}

static void a_jump_ahead_is_believed_when_it_has_lasted(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    itsi_wall_trust_init(&trust, now, today);
    assert_int_equal(watch(&trust, &now, in_2038, 1), (in_2038 - today) / HOUR);
    assert_true(trust.is_in_doubt);
    assert_int_equal(watch(&trust, &now, in_2038, 5), (in_2038 - today) / HOUR);
    assert_int_equal(watch(&trust, &now, in_2038, 1), 0); /* 6 h after it was first seen */
    assert_false(trust.is_in_doubt);
}

static void a_jump_that_is_taken_back_leaves_nothing(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    itsi_wall_trust_init(&trust, now, today);
    watch(&trust, &now, in_2038, 6);
    assert_int_equal(watch(&trust, &now, today, 1), 0);
    assert_false(trust.is_in_doubt);
    assert_int_equal(watch(&trust, &now, in_2038, 6), (in_2038 - today) / HOUR); /* anew */
}

static void a_clock_that_leaps_about_is_never_believed(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    itsi_wall_trust_init(&trust, now, today);
    for (int i = 0; i < 48; i++)
        watch(&trust, &now, in_2038 + i * 30 * DAY, 1);
    assert_int_equal(watch(&trust, &now, in_2038, 1), (in_2038 - today) / HOUR);
}

/* No battery: 1970 until NTP answers. The time of before is known still. */
static void a_clock_that_lags_deletes_by_itself_and_is_set_at_once(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    itsi_wall_trust_init(&trust, now, today);
    assert_int_equal(watch(&trust, &now, 0, 3), 0); /* the earlier of both: nothing is that old */
    assert_int_equal(watch(&trust, &now, today, 1), 0);
    assert_false(trust.is_in_doubt);
}

static void without_a_time_of_before_the_clock_has_to_last(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    itsi_wall_trust_init(&trust, now, 0);
    assert_int_equal(watch(&trust, &now, today, 6), today / HOUR + 6);
    assert_int_equal(watch(&trust, &now, today, 1), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_on_is_trusted),
        cmocka_unit_test(a_stop_of_hours_is_nothing_new),
        cmocka_unit_test(a_jump_ahead_is_believed_when_it_has_lasted),
        cmocka_unit_test(a_jump_that_is_taken_back_leaves_nothing),
        cmocka_unit_test(a_clock_that_leaps_about_is_never_believed),
        cmocka_unit_test(a_clock_that_lags_deletes_by_itself_and_is_set_at_once),
        cmocka_unit_test(without_a_time_of_before_the_clock_has_to_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

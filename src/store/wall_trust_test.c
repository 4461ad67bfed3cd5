#include "store/wall_trust.h"

#include "support/check.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
static const int64_t today = 20000 * DAY, in_2038 = 24855 * DAY;

static void begin(struct itsi_wall_trust *trust, int64_t now)
{
    itsi_wall_trust_init(trust, now, &(struct itsi_wall_known){.wall_ns = today});
}

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
    begin(&trust, now);
    assert_int_equal(watch(&trust, &now, today, 24 * 400), 0);
    assert_int_equal(watch(&trust, &now, today + HOUR, 1), 0); /* set by hand, or summer's time by mistake */
    assert_int_equal(watch(&trust, &now, today - HOUR, 1), 0);
    assert_false(trust.is_in_doubt);
}

static void a_stop_of_hours_is_nothing_new(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    begin(&trust, 0);
    assert_int_equal(itsi_wall_trust_look(&trust, SECOND, today + 20 * HOUR), today + 20 * HOUR);
}

static void a_jump_ahead_is_believed_when_it_has_lasted(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    begin(&trust, now);
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
    begin(&trust, now);
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
    begin(&trust, now);
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
    begin(&trust, now);
    assert_int_equal(watch(&trust, &now, 0, 3), 0); /* the earlier of both: nothing is that old */
    assert_int_equal(watch(&trust, &now, today, 1), 0);
    assert_false(trust.is_in_doubt);
}

/* Another process: its monotonic clock begins anew, and it begins where the last ended. */
static void restart(struct itsi_wall_trust *trust, int64_t *now, int64_t ahead)
{
    const struct itsi_wall_known known = itsi_wall_trust_known(trust, *now, *now + ahead);
    *now = 0;
    itsi_wall_trust_init(trust, 0, &known);
}

static void hours_of_several_processes_add_up(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0, wall = in_2038;
    begin(&trust, 0);
    for (int i = 0; i < 2; i++) { /* two hours from the first look of each to the last; a week between */
        assert_true(watch(&trust, &now, wall, 3) > 0);
        restart(&trust, &now, wall);
        wall += 7 * DAY + 3 * HOUR;
    }
    assert_true(watch(&trust, &now, wall, 2) > 0);
    assert_int_equal(watch(&trust, &now, wall, 1), 0);
    restart(&trust, &now, wall);
    assert_int_equal(watch(&trust, &now, wall + HOUR, 1), 0); /* and is kept */
}

/* A pause is measured by the clock in doubt alone. */
static void a_pause_counts_for_nothing(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    begin(&trust, 0);
    watch(&trust, &now, in_2038, 1);
    restart(&trust, &now, in_2038);
    assert_true(watch(&trust, &now, in_2038 + 20 * DAY, 1) > 0);
    restart(&trust, &now, in_2038 + 20 * DAY);
    assert_int_equal(trust.before.doubt_even_ns, 0);
}

static void a_clock_that_begins_anew_with_every_start_is_never_believed(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    begin(&trust, 0);
    for (int i = 0; i < 10; i++) {
        assert_true(watch(&trust, &now, in_2038, 5) > 0);
        restart(&trust, &now, in_2038);
    }
}

static void nor_one_that_leaps_between_processes(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    begin(&trust, 0);
    for (int i = 0; i < 10; i++) {
        assert_true(watch(&trust, &now, in_2038 + i * 40 * DAY, 5) > 0);
        restart(&trust, &now, in_2038 + i * 40 * DAY);
    }
}

static void a_right_clock_between_ends_the_doubt_of_before(void **state)
{
    (void)state;
    struct itsi_wall_trust trust;
    int64_t now = 0;
    begin(&trust, 0);
    watch(&trust, &now, in_2038, 6);
    restart(&trust, &now, in_2038);
    assert_int_equal(watch(&trust, &now, today + 6 * HOUR, 1), 0);
    assert_false(trust.is_in_doubt);
    assert_true(watch(&trust, &now, in_2038 + 7 * HOUR, 6) > 0);
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
        cmocka_unit_test(hours_of_several_processes_add_up),
        cmocka_unit_test(a_pause_counts_for_nothing),
        cmocka_unit_test(a_clock_that_begins_anew_with_every_start_is_never_believed),
        cmocka_unit_test(nor_one_that_leaps_between_processes),
        cmocka_unit_test(a_right_clock_between_ends_the_doubt_of_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

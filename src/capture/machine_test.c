#include "capture/machine.h"

#include "base/clock.h"
#include "support/check.h"

static struct its_cfg_capture config(void)
{
    return (struct its_cfg_capture){.backoff_initial_seconds = 0.5, .backoff_max_seconds = 8.0,
                                    .config_backoff_max_seconds = 60.0, .stable_seconds = 10.0};
}

static void bounds_double_up_to_the_cap_of_their_class(void **state)
{
    (void)state;
    struct its_cfg_capture cfg = config();
    struct itsi_machine m;
    itsi_machine_init(&m, &cfg, 1, 0);
    const double fast[] = {0.5, 1, 2, 4, 8, 8, 8}, slow[] = {0.5, 1, 2, 4, 8, 16, 32, 60, 60};
    for (int i = 0; i < 7; i++)
        CHECK_NEAR((double)itsi_machine_bound(&m, i + 1, ITS_EREFUSED) / 1e9, fast[i], 1e-9);
    for (int i = 0; i < 9; i++)
        CHECK_NEAR((double)itsi_machine_bound(&m, i + 1, ITS_EAUTH) / 1e9, slow[i], 1e-9);
    CHECK_NEAR((double)itsi_machine_bound(&m, 100000, ITS_ETIMEOUT) / 1e9, 8.0, 1e-9);
}

static void what_only_a_person_mends_is_slow(void **state)
{
    (void)state;
    assert_true(itsi_failure_is_config(ITS_EAUTH));
    assert_true(itsi_failure_is_config(ITS_ENOTFOUND));
    assert_true(itsi_failure_is_config(ITS_EFORMAT));
    assert_false(itsi_failure_is_config(ITS_EREFUSED));
    assert_false(itsi_failure_is_config(ITS_ETIMEOUT));
    assert_false(itsi_failure_is_config(ITS_EIO));
    assert_false(itsi_failure_is_config(ITS_EEOF));
}

static void waits_are_spread_over_the_whole_bound(void **state)
{
    (void)state;
    struct its_cfg_capture cfg = config();
    double sum = 0, least = 1e9, most = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct itsi_machine m;
        itsi_machine_init(&m, &cfg, seed, 0);
        for (int i = 0; i < 4; i++)
            itsi_machine_failed(&m, ITS_EREFUSED, 1000);
        double wait = (double)(itsi_machine_failed(&m, ITS_EREFUSED, 1000) - 1000) / 1e9;
        sum += wait;
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    CHECK_NEAR(sum / 1000, 4.0, 0.3); /* even over 0..8 s */
    assert_true(least < 0.1 && most > 7.9 && most <= 8.0);
}

static void a_failure_waits_and_says_until_when(void **state)
{
    (void)state;
    struct its_cfg_capture cfg = config();
    struct itsi_machine m;
    itsi_machine_init(&m, &cfg, 5, 0);
    int64_t until = itsi_machine_failed(&m, ITS_EAUTH, 7 * ITSI_NS_PER_S);
    assert_int_equal(m.state, ITSI_CAPTURE_BACKOFF);
    assert_int_equal(m.since, 7 * ITSI_NS_PER_S);
    assert_int_equal(m.next_retry, until);
    assert_int_equal(m.last_code, ITS_EAUTH);
    assert_in_range(until, 7 * ITSI_NS_PER_S, 7 * ITSI_NS_PER_S + ITSI_NS_PER_S / 2);
}

static void connect_and_run(struct itsi_machine *m, int64_t from, int64_t until)
{
    itsi_machine_enter(m, ITSI_CAPTURE_CONNECTING, from);
    itsi_machine_enter(m, ITSI_CAPTURE_STARTING, from);
    for (int64_t now = from; now <= until; now += 40 * ITSI_NS_PER_MS)
        itsi_machine_frame(m, false, now);
}

static void a_flapping_camera_backs_off(void **state)
{
    (void)state;
    struct its_cfg_capture cfg = config();
    struct itsi_machine m;
    itsi_machine_init(&m, &cfg, 5, 0);
    int64_t now = ITSI_NS_PER_S;
    for (int i = 1; i <= 6; i++) { /* nine good seconds each time */
        connect_and_run(&m, now, now + 9 * ITSI_NS_PER_S);
        assert_int_equal(m.state, ITSI_CAPTURE_RUNNING);
        now = itsi_machine_failed(&m, ITS_EIO, now + 9 * ITSI_NS_PER_S);
        assert_int_equal(m.attempts, i);
    }
}

static void ten_good_seconds_forget_the_past(void **state)
{
    (void)state;
    struct its_cfg_capture cfg = config();
    struct itsi_machine m;
    itsi_machine_init(&m, &cfg, 5, 0);
    for (int i = 0; i < 5; i++)
        itsi_machine_failed(&m, ITS_EIO, ITSI_NS_PER_S);
    connect_and_run(&m, 10 * ITSI_NS_PER_S, 19 * ITSI_NS_PER_S + 900 * ITSI_NS_PER_MS);
    assert_int_equal(m.attempts, 5);
    itsi_machine_frame(&m, false, 20 * ITSI_NS_PER_S);
    assert_int_equal(m.attempts, 0);
    assert_int_equal(m.last_code, 0);
}

static void frozen_and_back(void **state)
{
    (void)state;
    struct its_cfg_capture cfg = config();
    struct itsi_machine m;
    itsi_machine_init(&m, &cfg, 5, 0);
    connect_and_run(&m, ITSI_NS_PER_S, 2 * ITSI_NS_PER_S);
    itsi_machine_frame(&m, true, 3 * ITSI_NS_PER_S);
    assert_int_equal(m.state, ITSI_CAPTURE_FROZEN);
    itsi_machine_frame(&m, false, 4 * ITSI_NS_PER_S);
    assert_int_equal(m.state, ITSI_CAPTURE_RUNNING);
    assert_int_equal(m.since, 4 * ITSI_NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_double_up_to_the_cap_of_their_class),
        cmocka_unit_test(what_only_a_person_mends_is_slow),
        cmocka_unit_test(waits_are_spread_over_the_whole_bound),
        cmocka_unit_test(a_failure_waits_and_says_until_when),
        cmocka_unit_test(a_flapping_camera_backs_off),
        cmocka_unit_test(ten_good_seconds_forget_the_past),
        cmocka_unit_test(frozen_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

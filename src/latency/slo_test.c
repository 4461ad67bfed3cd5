#include "support/check.h"

#include "base/clock.h"
#include "base/rand.h"
#include "latency/slo_burn.h"

#define SECOND ITSI_NS_PER_S
static const int64_t windows[ITSI_SLO_WINDOW_COUNT] = {60 * SECOND, 300 * SECOND, 3600 * SECOND};

static struct itsi_ledger_counts ledger_of(uint64_t expected, uint64_t skipped, uint64_t delivered)
{
    return (struct itsi_ledger_counts){.expected = expected, .skipped = skipped, .delivered = delivered};
}

static void check_take(struct itsi_slo_meter *meter, struct itsi_ledger_counts counts, int64_t due, int64_t good)
{
    const struct itsi_slo_counts more = itsi_slo_meter_take(meter, &counts);
    assert_int_equal(more.due, due);
    assert_int_equal(more.good, good);
}

static void meter_gives_differences(void **state)
{
    (void)state;
    struct itsi_slo_meter meter = {0};
    check_take(&meter, ledger_of(1000, 100, 900), 0, 0); /* a life before us */
    check_take(&meter, ledger_of(1025, 105, 915), 20, 15);
    check_take(&meter, ledger_of(1025, 106, 916), -1, 1); /* an earlier frame was skipped, another delivered */
    check_take(&meter, ledger_of(25, 5, 10), 20, 10);     /* another camera under its name */
    check_take(&meter, ledger_of(50, 5, 35), 25, 25);
    /* one counter that went backward is enough to tell */
    check_take(&meter, ledger_of(49, 5, 35), 44, 35);
    check_take(&meter, ledger_of(60, 4, 40), 56, 40);
    check_take(&meter, ledger_of(70, 5, 39), 65, 39);
}

static void meter_passes_two_to_the_32(void **state)
{
    (void)state;
    struct itsi_slo_meter meter = {0};
    const uint64_t base = (UINT64_C(1) << 32) - 10;
    check_take(&meter, ledger_of(base, 0, base), 0, 0);
    check_take(&meter, ledger_of(base + 25, 1, base + 20), 24, 20);
    check_take(&meter, ledger_of(base << 8, 1, base << 8), (int64_t)((base << 8) - base - 25),
               (int64_t)((base << 8) - base - 20));
}

/* Every add remembered, against the ring: the sums of the slots that the window covers are the same to the frame. */
static void windows_are_exact(void **state)
{
    (void)state;
    enum { ADDS = 20000 };
    static struct {
        int64_t at;
        struct itsi_slo_counts counts;
    } adds[ADDS];
    struct itsi_rand rng;
    struct itsi_slo_series series;
    itsi_rand_seed(&rng, 5);
    int64_t now = 17 * SECOND;
    itsi_slo_series_init(&series, windows, now);
    for (int n = 0; n < ADDS; n++) {
        now += (int64_t)itsi_rand_below(&rng, 2000) * ITSI_NS_PER_MS;
        if (n % 5000 == 4999)
            now += 2 * 3600 * SECOND; /* the machine slept */
        adds[n].at = now;
        adds[n].counts.due = itsi_rand_below(&rng, 4000);
        adds[n].counts.good = itsi_rand_below(&rng, (uint32_t)adds[n].counts.due + 1);
        itsi_slo_series_add(&series, adds[n].counts, now);
        if (n % 97)
            continue;
        for (int w = 0; w < ITSI_SLO_WINDOW_COUNT; w++) {
            const int64_t slot = windows[w] / ITSI_SLO_SLOTS;
            const int64_t from = (now / slot - ITSI_SLO_SLOTS) * slot;
            struct itsi_slo_counts wanted = {0, 0};
            for (int i = n; i >= 0 && adds[i].at >= from; i--) {
                wanted.due += adds[i].counts.due;
                wanted.good += adds[i].counts.good;
            }
            struct itsi_slo_reading got;
            itsi_slo_series_read(&series, (enum itsi_slo_window)w, now, &got);
            assert_int_equal(got.due, wanted.due);
            assert_int_equal(got.good, wanted.good);
            assert_int_equal(got.bad, wanted.due - wanted.good);
            assert_true(got.length_ns >= windows[w] && got.length_ns < windows[w] + slot);
        }
    }
}

static void a_clock_that_steps_back_stands_still(void **state)
{
    (void)state;
    struct itsi_slo_series series;
    struct itsi_slo_reading got;
    itsi_slo_series_init(&series, windows, 1000 * SECOND);
    itsi_slo_series_add(&series, (struct itsi_slo_counts){100, 90}, 1010 * SECOND);
    itsi_slo_series_add(&series, (struct itsi_slo_counts){100, 80}, 400 * SECOND);
    itsi_slo_series_read(&series, ITSI_SLO_SHORT, 100 * SECOND, &got);
    assert_int_equal(got.due, 200);
    assert_int_equal(got.bad, 30);
    assert_int_equal(got.observed_ns, 10 * SECOND);
    itsi_slo_series_read(&series, ITSI_SLO_SHORT, 1090 * SECOND, &got);
    assert_int_equal(got.due, 0); /* and goes on */
    itsi_slo_series_read(&series, ITSI_SLO_MEDIUM, 1090 * SECOND, &got);
    assert_int_equal(got.due, 200);
}

static void burn_counts_what_was_observed(void **state)
{
    (void)state;
    struct itsi_slo_series series;
    struct itsi_slo_reading got;
    itsi_slo_series_init(&series, windows, 0);
    for (int s = 1; s <= 30; s++)
        itsi_slo_series_add(&series, (struct itsi_slo_counts){25, 0}, s * SECOND);
    itsi_slo_series_read(&series, ITSI_SLO_MEDIUM, 30 * SECOND, &got);
    CHECK_NEAR(itsi_slo_bad_share(&got), 1, 0);
    CHECK_NEAR(itsi_slo_burn(&got, 0.05), 20 * 30.0 / 300, 0.05); /* the window is up to a slot longer */
    for (int s = 31; s <= 400; s++)
        itsi_slo_series_add(&series, (struct itsi_slo_counts){25, 0}, s * SECOND);
    itsi_slo_series_read(&series, ITSI_SLO_MEDIUM, 400 * SECOND, &got);
    CHECK_NEAR(itsi_slo_burn(&got, 0.05), 20, 1e-9);
}

/* More delivered than due (frames of before the window) is no credit, and nothing due is no failure. */
static void shares_have_their_bounds(void **state)
{
    (void)state;
    struct itsi_slo_series series;
    struct itsi_slo_reading got;
    itsi_slo_series_init(&series, windows, 0);
    itsi_slo_series_read(&series, ITSI_SLO_LONG, 0, &got);
    CHECK_NEAR(itsi_slo_burn(&got, 0.05), 0, 0);
    itsi_slo_series_add(&series, (struct itsi_slo_counts){-3, 4}, SECOND);
    itsi_slo_series_read(&series, ITSI_SLO_LONG, SECOND, &got);
    assert_int_equal(got.bad, 0);
    CHECK_NEAR(itsi_slo_burn(&got, 0.05), 0, 0);
}

/* --- the rules -----------------------------------------------------------------------------------------------------
 * */

static const struct itsi_slo_policy usual = {
    .window_ns = {60 * SECOND, 300 * SECOND, 3600 * SECOND}, .budget = 0.05, .least_due = 100, .clear_ratio = 0.8};

/* Seconds of steady video, of which each second `bad` of 100 frames miss. */
static int64_t run(struct itsi_slo_series *series, int64_t now, int seconds, int due, int bad)
{
    for (int s = 0; s < seconds; s++)
        itsi_slo_series_add(series, (struct itsi_slo_counts){due, due - bad}, now += SECOND);
    return now;
}

/* Seconds of `bad` % after an hour without fault until the level is reached; -1: not within two hours. */
static int detection(const struct itsi_slo_policy *policy, int bad, enum itsi_severity level)
{
    struct itsi_slo_series series;
    struct itsi_slo_verdict v;
    itsi_slo_series_init(&series, policy->window_ns, 0);
    int64_t now = run(&series, 0, 3700, 100, 0);
    for (int s = 1; s <= 7200; s++) {
        now = run(&series, now, 1, 100, bad);
        itsi_slo_judge(&series, policy, ITSI_SEVERITY_EMERGENCY, now, &v);
        if (v.level >= level)
            return s;
    }
    return -1;
}

static void rules_are_told_when_their_table_says(void **state)
{
    (void)state;
    static const struct {
        int bad;
        enum itsi_severity level;
        int seconds; /* threshold / burn * long window; -1 never */
    } rows[] = {
        {100, ITSI_SEVERITY_CRITICAL, 90},  {100, ITSI_SEVERITY_EMERGENCY, 216}, {80, ITSI_SEVERITY_EMERGENCY, 270},
        {71, ITSI_SEVERITY_EMERGENCY, -1},  {71, ITSI_SEVERITY_CRITICAL, 127},   {31, ITSI_SEVERITY_CRITICAL, 291},
        {29, ITSI_SEVERITY_CRITICAL, -1},   {29, ITSI_SEVERITY_WARNING, 1863},   {16, ITSI_SEVERITY_WARNING, 3375},
        {14, ITSI_SEVERITY_WARNING, -1},    {10, ITSI_SEVERITY_INFO, 1800},      {6, ITSI_SEVERITY_INFO, 3000},
        {4, ITSI_SEVERITY_INFO, -1},        {0, ITSI_SEVERITY_INFO, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int got = detection(&usual, rows[i].bad, rows[i].level);
        const int slack = rows[i].level >= ITSI_SEVERITY_CRITICAL ? 6 : 61; /* a slot of the long window */
        if (rows[i].seconds < 0 ? got != -1 : got < rows[i].seconds || got > rows[i].seconds + slack)
            fail_msg("%d %% bad: %s after %d s, wanted %d", rows[i].bad, itsi_severity_name(rows[i].level), got,
                     rows[i].seconds);
    }
}

static void a_short_window_that_is_well_ends_it(void **state)
{
    (void)state;
    struct itsi_slo_series series;
    struct itsi_slo_verdict v;
    itsi_slo_series_init(&series, windows, 0);
    int64_t now = run(&series, 0, 3700, 100, 0);
    now = run(&series, now, 240, 100, 100);
    itsi_slo_judge(&series, &usual, ITSI_SEVERITY_EMERGENCY, now, &v);
    assert_int_equal(v.level, ITSI_SEVERITY_EMERGENCY);
    assert_int_equal(v.held, ITSI_SEVERITY_EMERGENCY);
    assert_int_equal(v.rule->severity, ITSI_SEVERITY_EMERGENCY);
    CHECK_NEAR(v.burn_short, 20, 1e-9);
    itsi_slo_judge(&series, &usual, ITSI_SEVERITY_CRITICAL, now, &v);
    assert_int_equal(v.level, ITSI_SEVERITY_CRITICAL);
    now = run(&series, now, 62, 100, 0);
    itsi_slo_judge(&series, &usual, ITSI_SEVERITY_EMERGENCY, now, &v);
    assert_int_equal(v.held, ITSI_SEVERITY_INFO); /* 300 s still burn at 16x; four minutes are over an hour's budget */
    now = run(&series, now, 300, 100, 0);
    itsi_slo_judge(&series, &usual, ITSI_SEVERITY_EMERGENCY, now, &v);
    assert_int_equal(v.held, ITSI_SEVERITY_NONE);
}

static void between_clear_level_and_threshold_it_holds(void **state)
{
    (void)state;
    struct itsi_slo_series series;
    struct itsi_slo_verdict v;
    itsi_slo_series_init(&series, windows, 0);
    const int64_t now = run(&series, 0, 4000, 100, 27); /* 5.4x: under 6, over 4.8 */
    itsi_slo_judge(&series, &usual, ITSI_SEVERITY_EMERGENCY, now, &v);
    assert_int_equal(v.level, ITSI_SEVERITY_WARNING);
    assert_int_equal(v.held, ITSI_SEVERITY_CRITICAL);
}

static void few_frames_say_nothing(void **state)
{
    (void)state;
    struct itsi_slo_series series;
    struct itsi_slo_verdict v;
    itsi_slo_series_init(&series, windows, 0);
    int64_t now = 0;
    for (int i = 0; i < 9; i++) /* a frame each half minute, all bad: ten in 300 s */
        now = run(&series, run(&series, now, 29, 0, 0), 1, 1, 1);
    for (int i = 0; i < 100; i++) {
        now = run(&series, run(&series, now, 29, 0, 0), 1, 1, 1);
        itsi_slo_judge(&series, &usual, ITSI_SEVERITY_EMERGENCY, now, &v);
        /* the hour holds a hundred of them in the end, and that is enough for its rules */
        assert_true(v.level <= (i < 90 ? ITSI_SEVERITY_NONE : ITSI_SEVERITY_WARNING));
    }
}

static void odd_budgets_make_reachable_rules(void **state)
{
    (void)state;
    struct itsi_slo_policy policy = usual;
    policy.budget = 0.1; /* 14.4x would be 144 % */
    CHECK_NEAR(itsi_slo_threshold(&policy, &itsi_slo_rules[0]), 9, 1e-9);
    assert_true(detection(&policy, 95, ITSI_SEVERITY_EMERGENCY) > 0);
    policy.budget = 0; /* no frame may miss */
    CHECK_NEAR(itsi_slo_budget(&policy), 0.001, 0);
    assert_true(detection(&policy, 1, ITSI_SEVERITY_CRITICAL) > 0);
    assert_int_equal(detection(&policy, 0, ITSI_SEVERITY_INFO), -1);
    policy.budget = 0.95; /* nearly all may */
    assert_int_equal(detection(&policy, 94, ITSI_SEVERITY_INFO), -1);
    assert_true(detection(&policy, 96, ITSI_SEVERITY_INFO) > 0);
    policy.budget = 1; /* all may */
    assert_int_equal(detection(&policy, 100, ITSI_SEVERITY_INFO), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_gives_differences),
        cmocka_unit_test(meter_passes_two_to_the_32),
        cmocka_unit_test(windows_are_exact),
        cmocka_unit_test(a_clock_that_steps_back_stands_still),
        cmocka_unit_test(burn_counts_what_was_observed),
        cmocka_unit_test(shares_have_their_bounds),
        cmocka_unit_test(rules_are_told_when_their_table_says),
        cmocka_unit_test(a_short_window_that_is_well_ends_it),
        cmocka_unit_test(between_clear_level_and_threshold_it_holds),
        cmocka_unit_test(few_frames_say_nothing),
        cmocka_unit_test(odd_budgets_make_reachable_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

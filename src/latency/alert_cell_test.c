#include "support/check.h"

#include "base/clock.h"
#include "latency/alert_cell.h"

static const struct itsi_alert_timing timing = {
    .pending_ns = 15 * ITSI_NS_PER_S, .hold_ns = 60 * ITSI_NS_PER_S, .flap_ns = 300 * ITSI_NS_PER_S};

/* A cell and its clock. */
struct bench {
    struct itsi_alert_cell cell;
    int64_t second;
    bool muted;
    int fired, ended; /* news so far */
    enum itsi_severity severity;
};

static void step(struct bench *b, enum itsi_severity level, enum itsi_severity held, int seconds)
{
    const struct itsi_alert_observation seen = {.level = level, .held = held};
    for (int i = 0; i < seconds; i++) {
        b->second++;
        itsi_alert_cell_update(&b->cell, &seen, &timing, b->second * ITSI_NS_PER_S,
                               (1000 + b->second) * ITSI_NS_PER_S);
        const enum itsi_alert_news news = itsi_alert_cell_news(&b->cell, b->muted, &b->severity);
        b->fired += news == ITSI_ALERT_TELL_FIRING;
        b->ended += news == ITSI_ALERT_TELL_ENDED;
    }
}

static void bad(struct bench *b, int seconds) { step(b, ITSI_SEVERITY_CRITICAL, ITSI_SEVERITY_CRITICAL, seconds); }
static void good(struct bench *b, int seconds) { step(b, ITSI_SEVERITY_NONE, ITSI_SEVERITY_NONE, seconds); }

static void check_news(const struct bench *b, int fired, int ended)
{
    assert_int_equal(b->fired, fired);
    assert_int_equal(b->ended, ended);
}

static void waits_then_fires_then_clears(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    bad(&b, 15);
    check_news(&b, 0, 0);
    bad(&b, 1);
    check_news(&b, 1, 0);
    assert_int_equal(b.severity, ITSI_SEVERITY_CRITICAL);
    assert_int_equal(b.cell.started_wall, 1016 * ITSI_NS_PER_S);
    bad(&b, 1000);
    good(&b, 60);
    check_news(&b, 1, 0);
    good(&b, 1);
    check_news(&b, 1, 1);
    good(&b, 1000);
    check_news(&b, 1, 1);
}

static void a_short_fault_is_never_told(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    for (int i = 0; i < 20; i++) {
        bad(&b, 14);
        good(&b, 1);
    }
    check_news(&b, 0, 0);
}

static void between_the_levels_it_stays_as_it_is(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    step(&b, ITSI_SEVERITY_NONE, ITSI_SEVERITY_CRITICAL, 100); /* over the clear level alone starts nothing */
    check_news(&b, 0, 0);
    bad(&b, 20);
    step(&b, ITSI_SEVERITY_NONE, ITSI_SEVERITY_CRITICAL, 1000);
    check_news(&b, 1, 0);
    good(&b, 59);
    step(&b, ITSI_SEVERITY_NONE, ITSI_SEVERITY_CRITICAL, 1); /* the hold begins anew */
    good(&b, 60);
    check_news(&b, 1, 0);
    good(&b, 1);
    check_news(&b, 1, 1);
}

static void severity_rises_at_once_and_falls_slowly(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    step(&b, ITSI_SEVERITY_WARNING, ITSI_SEVERITY_WARNING, 20);
    step(&b, ITSI_SEVERITY_EMERGENCY, ITSI_SEVERITY_EMERGENCY, 1);
    check_news(&b, 2, 0);
    assert_int_equal(b.severity, ITSI_SEVERITY_EMERGENCY);
    const int64_t started = b.cell.started_wall;
    step(&b, ITSI_SEVERITY_INFO, ITSI_SEVERITY_WARNING, 60);
    check_news(&b, 2, 0);
    step(&b, ITSI_SEVERITY_INFO, ITSI_SEVERITY_WARNING, 1);
    check_news(&b, 3, 0);
    assert_int_equal(b.severity, ITSI_SEVERITY_WARNING);
    assert_int_equal(b.cell.started_wall, started); /* one alert all along */
    good(&b, 61);
    check_news(&b, 3, 1);
    assert_int_equal(b.severity, ITSI_SEVERITY_WARNING);
}

/* Two minutes bad, two minutes good, for six hours: told a handful of times and not 90. */
static void flapping_is_damped(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    for (int i = 0; i < 90; i++) {
        bad(&b, 120);
        good(&b, 120);
    }
    assert_in_range(b.fired, 1, 4);
    good(&b, 16 * 60 + 2);
    assert_int_equal(b.fired, b.ended);
    good(&b, 400); /* and after a calm time the patience is forgotten */
    bad(&b, 20);
    good(&b, 61);
    assert_int_equal(b.fired, b.ended);
    assert_int_equal(b.cell.flaps, 0);
}

/* Between two severities the same. */
static void a_severity_that_flaps_is_damped(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    for (int i = 0; i < 90; i++) {
        step(&b, ITSI_SEVERITY_CRITICAL, ITSI_SEVERITY_CRITICAL, 120);
        step(&b, ITSI_SEVERITY_WARNING, ITSI_SEVERITY_WARNING, 120);
    }
    assert_in_range(b.fired, 3, 6);
    assert_int_equal(b.ended, 0);
    assert_int_equal(b.cell.severity, ITSI_SEVERITY_CRITICAL);
}

static void a_muted_alert_speaks_when_it_outlives_the_wider_one(void **state)
{
    (void)state;
    struct bench b = {.muted = true};
    bad(&b, 100);
    check_news(&b, 0, 0);
    b.muted = false;
    bad(&b, 1);
    check_news(&b, 1, 0);
    assert_int_equal(b.cell.started_wall, 1016 * ITSI_NS_PER_S); /* it began when it began */
    b.muted = true;
    bad(&b, 1);
    check_news(&b, 1, 1);
    good(&b, 30);
    b.muted = false; /* on its way out: not worth a word any more */
    good(&b, 100);
    check_news(&b, 1, 1);
}

static void a_subject_that_goes_ends_its_alert(void **state)
{
    (void)state;
    struct bench b = {.second = 0};
    bad(&b, 30);
    itsi_alert_cell_end(&b.cell, b.second * ITSI_NS_PER_S);
    assert_int_equal(itsi_alert_cell_news(&b.cell, false, &b.severity), ITSI_ALERT_TELL_ENDED);
    assert_int_equal(itsi_alert_cell_news(&b.cell, false, &b.severity), ITSI_ALERT_NO_NEWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_then_fires_then_clears),
        cmocka_unit_test(a_short_fault_is_never_told),
        cmocka_unit_test(between_the_levels_it_stays_as_it_is),
        cmocka_unit_test(severity_rises_at_once_and_falls_slowly),
        cmocka_unit_test(flapping_is_damped),
        cmocka_unit_test(a_severity_that_flaps_is_damped),
        cmocka_unit_test(a_muted_alert_speaks_when_it_outlives_the_wider_one),
        cmocka_unit_test(a_subject_that_goes_ends_its_alert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

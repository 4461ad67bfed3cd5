#include "support/check.h"

#include "base/clock.h"
#include "pool/job_watch.h"

#define S ITSI_NS_PER_S

static const struct itsi_job_watch_params usual = {
    .deadline = 60 * S, .stall_ns = 10 * S, .grace_ns = 2 * S, .most_rss_bytes = 1000};

static void a_job_that_goes_on_is_left_alone(void **state)
{
    struct itsi_job_watch watch;
    (void)state;
    itsi_job_watch_begin(&watch, &usual, 0);
    for (int64_t now = 0; now < 59 * S; now += S) {
        itsi_job_watch_progress(&watch, now);
        assert_int_equal(itsi_job_watch_look(&watch, 1000, now), ITSI_JOB_GOES_ON);
    }
    assert_int_equal(watch.reason, ITSI_JOB_KILL_NONE);
}

static void silence_is_noticed(void **state)
{
    struct itsi_job_watch watch;
    (void)state;
    itsi_job_watch_begin(&watch, &usual, 0);
    itsi_job_watch_progress(&watch, 5 * S);
    assert_int_equal(itsi_job_watch_look(&watch, 0, 15 * S - 1), ITSI_JOB_GOES_ON);
    assert_int_equal(itsi_job_watch_look(&watch, 0, 15 * S), ITSI_JOB_TERM);
    assert_int_equal(watch.reason, ITSI_JOB_KILL_STALLED);
}

static void the_deadline_holds_whatever_progress(void **state)
{
    struct itsi_job_watch watch;
    (void)state;
    itsi_job_watch_begin(&watch, &usual, 0);
    itsi_job_watch_progress(&watch, 60 * S - 1);
    assert_int_equal(itsi_job_watch_look(&watch, 0, 60 * S), ITSI_JOB_TERM);
    assert_int_equal(watch.reason, ITSI_JOB_KILL_TIMEOUT);
}

static void memory_is_watched(void **state)
{
    struct itsi_job_watch watch;
    (void)state;
    itsi_job_watch_begin(&watch, &usual, 0);
    assert_int_equal(itsi_job_watch_due(&watch), S / 2);
    assert_int_equal(itsi_job_watch_look(&watch, 1001, S / 2), ITSI_JOB_TERM);
    assert_int_equal(watch.reason, ITSI_JOB_KILL_MEMORY);
}

static void what_does_not_end_is_hit_harder(void **state)
{
    struct itsi_job_watch watch;
    (void)state;
    itsi_job_watch_begin(&watch, &usual, 0);
    itsi_job_watch_end(&watch, ITSI_JOB_KILL_CANCELLED);
    assert_int_equal(itsi_job_watch_look(&watch, 0, S), ITSI_JOB_TERM);
    assert_int_equal(itsi_job_watch_look(&watch, 0, S), ITSI_JOB_GOES_ON); /* once */
    assert_int_equal(itsi_job_watch_due(&watch), 3 * S);
    assert_int_equal(itsi_job_watch_look(&watch, 0, 3 * S), ITSI_JOB_KILL);
    assert_int_equal(itsi_job_watch_due(&watch), 5 * S);
    assert_int_equal(itsi_job_watch_look(&watch, 0, 5 * S), ITSI_JOB_ABANDON);
    assert_int_equal(itsi_job_watch_look(&watch, 0, 90 * S), ITSI_JOB_GOES_ON);
    assert_true(itsi_job_watch_due(&watch) == ITSI_NEVER);
    assert_int_equal(watch.reason, ITSI_JOB_KILL_CANCELLED); /* the deadline came later */
}

static void without_limits_nothing_is_due(void **state)
{
    const struct itsi_job_watch_params none = {.deadline = ITSI_NEVER, .stall_ns = ITSI_NEVER, .grace_ns = S};
    struct itsi_job_watch watch;
    (void)state;
    itsi_job_watch_begin(&watch, &none, S);
    assert_true(itsi_job_watch_due(&watch) == ITSI_NEVER);
    assert_int_equal(itsi_job_watch_look(&watch, UINT64_MAX, INT64_MAX - 1), ITSI_JOB_GOES_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_goes_on_is_left_alone),     cmocka_unit_test(silence_is_noticed),
        cmocka_unit_test(the_deadline_holds_whatever_progress), cmocka_unit_test(memory_is_watched),
        cmocka_unit_test(what_does_not_end_is_hit_harder),      cmocka_unit_test(without_limits_nothing_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

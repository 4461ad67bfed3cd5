/* When a pool and the store are said to be well, and what is said when they are not. */
#include "optimizer/pools_health.h"
#include "pool/ffmpeg_pool.h"

#include "base/clock.h"
#include "support/check.h"

static const struct itsi_pool_stats well = {
    .most = 50, .regular = 20, .size = 20, .in_use = 5, .idle = 3, .utilization = 0.1, .leases = 1000};

#define EXPECT_POOL(pool, wanted, part)                                                                                \
    do {                                                                                                               \
        struct itsi_health_verdict v;                                                                                  \
        itsi_pool_judge(pool, &v);                                                                                     \
        assert_int_equal(v.health, wanted);                                                                            \
        if (!strstr(v.why, part))                                                                                      \
            fail_msg("'%s' is not in '%s'", part, v.why);                                                              \
    } while (0)

static void a_pool_that_lends_is_well(void **state)
{
    (void)state;
    struct itsi_health_verdict verdict;
    itsi_pool_judge(&well, &verdict);
    assert_int_equal(verdict.health, ITSI_HEALTH_OK);
    assert_string_equal(verdict.why, "");
    const struct itsi_pool_stats begins = {.most = 50, .size = 20, .opening = 4};
    EXPECT_POOL(&begins, ITSI_HEALTH_OK, "");
    struct itsi_pool_stats once = well; /* an old error is no trouble of now */
    snprintf(once.last_error, sizeof once.last_error, "connection refused");
    once.closed[ITSI_POOL_CLOSED_OPEN] = 7;
    EXPECT_POOL(&once, ITSI_HEALTH_OK, "");
}

static void down_is_that_nothing_is_open_and_nothing_can_be(void **state)
{
    (void)state;
    struct itsi_pool_stats p = well;
    p.is_down = true;
    snprintf(p.last_error, sizeof p.last_error, "too many clients");
    EXPECT_POOL(&p, ITSI_HEALTH_DEGRADED, "8 are open, and no more can be opened: too many clients");
    p.in_use = p.idle = 0;
    p.checking = 1;
    EXPECT_POOL(&p, ITSI_HEALTH_DEGRADED, "1 are open");
    p.checking = 0;
    EXPECT_POOL(&p, ITSI_HEALTH_DOWN, "too many clients");
}

static void what_is_difficult_is_told(void **state)
{
    (void)state;
    struct itsi_pool_stats p = well;
    p.utilization = 0.8;
    EXPECT_POOL(&p, ITSI_HEALTH_OK, "");
    p.utilization = 0.93;
    EXPECT_POOL(&p, ITSI_HEALTH_DEGRADED, "93 % of the most were in use lately, wanted are less than 80 %");
    p.leaks = 5, p.unleaks = 2, p.closed[ITSI_POOL_CLOSED_LEAKED] = 1;
    EXPECT_POOL(&p, ITSI_HEALTH_DEGRADED, "2 are held for so long");
    p.waiting = 3, p.oldest_wait_s = 2.5;
    EXPECT_POOL(&p, ITSI_HEALTH_DEGRADED, "3 wait, the first for 2.5 s");
    p.is_slow = true;
    EXPECT_POOL(&p, ITSI_HEALTH_DEGRADED, "slower than usual");
    p = well;
    p.leaks = 5, p.unleaks = 4, p.closed[ITSI_POOL_CLOSED_LEAKED] = 1; /* all are back, or taken back */
    EXPECT_POOL(&p, ITSI_HEALTH_OK, "");
}

/* Executing is slower; for a program that cannot be linked it is as it should be. */
static void ffmpeg_that_should_be_linked_and_is_not_is_told(void **state)
{
    static struct itsi_ffmpeg_pool_stats stats;
    struct itsi_health_verdict verdict = {.health = ITSI_HEALTH_OK};
    (void)state;
    stats = (struct itsi_ffmpeg_pool_stats){.kind = ITSI_SPARE_LINKED, .unlinked = 3};
    itsi_ffmpeg_judge(&stats, &verdict);
    assert_int_equal(verdict.health, ITSI_HEALTH_OK);
    stats.kind = ITSI_SPARE_EXECUTING;
    stats.is_never_linked = true;
    itsi_ffmpeg_judge(&stats, &verdict);
    assert_int_equal(verdict.health, ITSI_HEALTH_OK);
    stats.is_never_linked = false;
    itsi_ffmpeg_judge(&stats, &verdict);
    assert_int_equal(verdict.health, ITSI_HEALTH_DEGRADED);
    CHECK_CONTAINS(verdict.why, "linking it ahead failed (3 times), and is tried again");
    verdict = (struct itsi_health_verdict){.health = ITSI_HEALTH_DOWN, .why = "graver"};
    itsi_ffmpeg_judge(&stats, &verdict);
    assert_string_equal(verdict.why, "graver");
}

static void failed_are_all_that_got_none(void **state)
{
    (void)state;
    const struct itsi_pool_stats p = {
        .timeouts = 1, .cancelled = 20, .refused_full = 300, .refused_down = 4000, .refused_slow = 50000, .leases = 9};
    assert_int_equal(itsi_pool_failed_requests(&p), 54321);
}

/* --- the store ------------------------------------------------------------------------------------------------------ */

#define EXPECT_STORE(store, lately, wanted, part)                                                                      \
    do {                                                                                                               \
        struct itsi_health_verdict v;                                                                                  \
        itsi_store_judge(store, lately, &v);                                                                           \
        assert_int_equal(v.health, wanted);                                                                            \
        if (!strstr(v.why, part))                                                                                      \
            fail_msg("'%s' is not in '%s'", part, v.why);                                                              \
    } while (0)

static void a_store_is_well_until_rows_wait_long_or_are_lost(void **state)
{
    (void)state;
    static const struct itsi_store_losses none = {0, 0}, refused = {0, 4}, lost = {12, 4};
    struct itsi_store_stats s = {.waiting = 7, .lag_seconds = 1.2};
    EXPECT_STORE(&s, &none, ITSI_HEALTH_OK, "");
    snprintf(s.last_error, sizeof s.last_error, "connection refused"); /* of an hour ago */
    EXPECT_STORE(&s, &none, ITSI_HEALTH_OK, "");
    s.lag_seconds = 31;
    s.spool_rows = 93;
    EXPECT_STORE(&s, &none, ITSI_HEALTH_DEGRADED, "waits for 31 s; 100 rows");
    EXPECT_STORE(&s, &refused, ITSI_HEALTH_DEGRADED, "4 rows could not be kept for what they hold");
    s.is_away = true;
    EXPECT_STORE(&s, &refused, ITSI_HEALTH_DEGRADED, "93 rows wait on disk and 7 in memory: connection refused");
    EXPECT_STORE(&s, &lost, ITSI_HEALTH_DOWN, "12 rows were lost lately for want of room: connection refused");
}

static void losses_are_told_apart_by_what_they_say(void **state)
{
    (void)state;
    struct itsi_store_stats s = {.waiting = 0};
    s.dropped[ITSI_STORE_DROP_INVALID][ITSI_STORE_CAMERA] = 1;
    s.dropped[ITSI_STORE_DROP_REFUSED][ITSI_STORE_EVENT] = 20;
    s.dropped[ITSI_STORE_DROP_QUEUE][ITSI_STORE_COUNT] = 300;
    s.dropped[ITSI_STORE_DROP_SPOOL][ITSI_STORE_QUALITY] = 4000;
    s.dropped[ITSI_STORE_DROP_SHUTDOWN][ITSI_STORE_COUNT] = 50000;
    const struct itsi_store_losses ever = itsi_store_losses_ever(&s);
    assert_int_equal(ever.refused, 21);
    assert_int_equal(ever.lost, 54300);
}

static void lately_is_half_a_minute_to_a_minute(void **state)
{
    (void)state;
    struct itsi_losses_lately lately = {.at = 0};
    struct itsi_store_losses ever = {.lost = 5}; /* before anybody looked */
    int64_t now = 1000 * ITSI_NS_PER_S;
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).lost, 5);
    for (int second = 1; second < 30; second++)
        assert_int_equal(itsi_losses_lately(&lately, &ever, now + second * ITSI_NS_PER_S).lost, 5);
    now += 30 * ITSI_NS_PER_S;
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).lost, 0);
    ever.lost = 9;
    ever.refused = 1;
    now += 29 * ITSI_NS_PER_S;
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).lost, 4);
    now += 30 * ITSI_NS_PER_S; /* the mark of just now holds them already; the one before does not */
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).lost, 4);
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).refused, 1);
    now += 30 * ITSI_NS_PER_S;
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).lost, 0);
    assert_int_equal(itsi_losses_lately(&lately, &ever, now).refused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_that_lends_is_well),
        cmocka_unit_test(down_is_that_nothing_is_open_and_nothing_can_be),
        cmocka_unit_test(what_is_difficult_is_told),
        cmocka_unit_test(ffmpeg_that_should_be_linked_and_is_not_is_told),
        cmocka_unit_test(failed_are_all_that_got_none),
        cmocka_unit_test(a_store_is_well_until_rows_wait_long_or_are_lost),
        cmocka_unit_test(losses_are_told_apart_by_what_they_say),
        cmocka_unit_test(lately_is_half_a_minute_to_a_minute),
    };
    return cmocka_run_group_tests_name("pools_health", tests, NULL, NULL);
}

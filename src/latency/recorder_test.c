#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "latency/recorder.h"

static struct itsi_breakdown frame_of(int64_t total_ms)
{
    struct itsi_breakdown b = {0};
    b.wait[ITSI_STAGE_ML_INFERENCE] = total_ms / 2 * ITSI_NS_PER_MS;
    b.service[ITSI_STAGE_ML_INFERENCE] = (total_ms - total_ms / 2) * ITSI_NS_PER_MS;
    b.end_to_end = total_ms * ITSI_NS_PER_MS;
    return b;
}

static void reports_the_whole(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_latency_recorder *r;
    CHECK_OK(itsi_latency_recorder_create(&r, &diag), diag);
    for (int i = 0; i < 110; i++) {
        struct itsi_breakdown b = frame_of(i < 100 ? 40 : 80);
        itsi_latency_record(r, &b);
    }
    struct itsi_latency_report report;
    itsi_latency_report(r, &report);
    assert_int_equal(report.end_to_end.count, 110);
    CHECK_NEAR(report.end_to_end.p50, 40, 0.04);
    CHECK_NEAR(report.end_to_end.p95, 80, 0.08);
    CHECK_NEAR(report.service[ITSI_STAGE_ML_INFERENCE].p50, 20, 0.02);
    itsi_latency_recorder_destroy(r);
}

static void buckets_are_cumulative_with_an_edge_at_the_budget(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_latency_recorder *r;
    CHECK_OK(itsi_latency_recorder_create(&r, &diag), diag);
    static const int64_t ms[] = {1, 50, 100, 101, 9000};
    for (int i = 0; i < 5; i++) {
        struct itsi_breakdown b = frame_of(ms[i]);
        itsi_latency_record(r, &b);
    }
    itsi_latency_reset(r);
    struct itsi_latency_buckets buckets;
    itsi_latency_buckets(r, &buckets);
    int at_budget = -1;
    for (int i = 0; i < ITSI_LATENCY_EDGE_COUNT; i++)
        if (buckets.edges[i] == 0.100)
            at_budget = i;
    assert_true(at_budget > 0);
    assert_int_equal(buckets.counts[at_budget], 3);
    assert_int_equal(buckets.counts[ITSI_LATENCY_EDGE_COUNT - 1], 4);
    assert_int_equal(buckets.total, 5);
    CHECK_NEAR(buckets.sum_seconds, 9.252, 1e-9);
    struct itsi_latency_report report;
    itsi_latency_report(r, &report);
    assert_int_equal(report.end_to_end.count, 0);
    itsi_latency_recorder_destroy(r);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    int nth = 0, rc;
    do {
        struct itsi_latency_recorder *r = NULL;
        itsi_alloc_fail_at(++nth);
        rc = itsi_latency_recorder_create(&r, NULL);
        itsi_alloc_fail_at(0);
        itsi_latency_recorder_destroy(r);
    } while (rc == ITS_ENOMEM && nth < 100);
    assert_int_equal(rc, 0);
    assert_true(nth > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_the_whole),
        cmocka_unit_test(buckets_are_cumulative_with_an_edge_at_the_budget),
        cmocka_unit_test(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

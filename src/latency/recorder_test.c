#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "latency/recorder.h"

#include <pthread.h>
#include <string.h>

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

static uint64_t sum(const struct itsi_latency_buckets *buckets)
{
    uint64_t count = 0;
    for (int i = 0; i < ITSI_LATENCY_BUCKET_COUNT; i++)
        count += buckets->counts[i];
    return count;
}

static void buckets_have_their_edge_at_the_budget_and_outlive_a_reset(void **state)
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
    struct itsi_latency_counts counts;
    itsi_latency_counts(r, &counts);
    assert_int_equal(counts.end_to_end.counts[itsi_latency_bucket(100 * ITSI_NS_PER_MS)], 1);
    assert_int_equal(counts.end_to_end.counts[itsi_latency_bucket(101 * ITSI_NS_PER_MS)], 1);
    assert_int_equal(counts.end_to_end.counts[ITSI_LATENCY_EDGE_COUNT], 1);
    assert_int_equal(sum(&counts.end_to_end), 5);
    CHECK_NEAR(counts.end_to_end.sum_ns, 9252e6, 0);
    struct itsi_latency_report report;
    itsi_latency_report(r, &report);
    assert_int_equal(report.end_to_end.count, 0);
    itsi_latency_recorder_destroy(r);
}

/* No two parts alike, so that none can stand for another; the parts make the whole. */
static struct itsi_breakdown frame_of_parts(void)
{
    struct itsi_breakdown b = {.unattributed = 2 * ITSI_NS_PER_MS};
    b.end_to_end = b.unattributed;
    for (int s = 0; s < ITSI_STAGE_ENCODING; s++) {
        b.wait[s] = (3 + 9 * s) * ITSI_NS_PER_MS;
        b.service[s] = (40 + 11 * s) * ITSI_NS_PER_MS;
        b.end_to_end += b.wait[s] + b.service[s];
    }
    return b;
}

static void stages_are_counted_together_and_apart(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_latency_recorder *r;
    CHECK_OK(itsi_latency_recorder_create(&r, &diag), diag);
    const struct itsi_breakdown b = frame_of_parts();
    for (int i = 0; i < 3; i++)
        itsi_latency_record(r, &b);
    struct itsi_latency_counts counts;
    itsi_latency_counts(r, &counts);
    double parts = counts.unattributed.sum_ns;
    assert_int_equal(counts.unattributed.counts[itsi_latency_bucket(b.unattributed)], 3);
    for (int s = 0; s < ITSI_STAGE_ENCODING; s++) {
        assert_int_equal(counts.wait[s].counts[itsi_latency_bucket(b.wait[s])], 3);
        assert_int_equal(counts.service[s].counts[itsi_latency_bucket(b.service[s])], 3);
        assert_int_equal(counts.total[s].counts[itsi_latency_bucket(b.wait[s] + b.service[s])], 3);
        CHECK_NEAR(counts.wait[s].sum_ns, 3 * (double)b.wait[s], 0);
        CHECK_NEAR(counts.service[s].sum_ns, 3 * (double)b.service[s], 0);
        CHECK_NEAR(counts.total[s].sum_ns, counts.wait[s].sum_ns + counts.service[s].sum_ns, 0);
        parts += counts.total[s].sum_ns;
    }
    CHECK_NEAR(parts, counts.end_to_end.sum_ns, 0);
    for (int s = ITSI_STAGE_ENCODING; s < ITSI_STAGE_COUNT; s++)
        assert_int_equal(sum(&counts.total[s]) + sum(&counts.wait[s]) + sum(&counts.service[s]), 0);
    itsi_latency_recorder_destroy(r);
}

static void a_clock_that_stepped_back_takes_nothing_from_the_sum(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_latency_recorder *r;
    CHECK_OK(itsi_latency_recorder_create(&r, &diag), diag);
    const struct itsi_breakdown b = {.end_to_end = -5 * ITSI_NS_PER_S};
    itsi_latency_record(r, &b);
    struct itsi_latency_counts counts;
    itsi_latency_counts(r, &counts);
    assert_int_equal(counts.end_to_end.counts[0], 1);
    CHECK_NEAR(counts.end_to_end.sum_ns, 0, 0);
    itsi_latency_recorder_destroy(r);
}

static void the_newest_kept_frame_stands_for_its_bucket(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_latency_recorder *r;
    CHECK_OK(itsi_latency_recorder_create(&r, &diag), diag);
    static const struct {
        int64_t ms, wall;
        uint8_t id;
    } kept[] = {{72, 10, 1}, {99, 11, 2}, {78, 12, 3}, {7000, 13, 4}};
    for (int i = 0; i < 4; i++) {
        const struct itsi_breakdown b = frame_of(kept[i].ms);
        const struct itsi_trace_id id = {{kept[i].id}};
        itsi_latency_record(r, &b);
        itsi_latency_exemplify(r, &b, &id, kept[i].wall);
    }
    struct itsi_latency_counts counts;
    itsi_latency_counts(r, &counts);
    int filled = 0;
    for (int i = 0; i < ITSI_LATENCY_BUCKET_COUNT; i++)
        if (counts.exemplars[i].wall_ns) {
            assert_int_equal(itsi_latency_bucket(counts.exemplars[i].value_ns), i);
            assert_true(counts.end_to_end.counts[i] > 0);
            filled++;
        }
    assert_int_equal(filled, 3);
    const struct itsi_exemplar *newest = &counts.exemplars[itsi_latency_bucket(75 * ITSI_NS_PER_MS)];
    assert_int_equal(newest->trace.bytes[0], 3);
    assert_int_equal(newest->value_ns, 78 * ITSI_NS_PER_MS);
    assert_int_equal(newest->wall_ns, 12);
    assert_int_equal(counts.exemplars[ITSI_LATENCY_EDGE_COUNT].trace.bytes[0], 4);
    itsi_latency_recorder_destroy(r);
}

enum { WRITTEN = 20000 };

/* Every frame takes as many ms as its trace id's bytes say. */
static void *write_frames(void *arg)
{
    struct itsi_latency_recorder *r = arg;
    for (int i = 0; i < WRITTEN; i++) {
        const int64_t ms = i % 150;
        const struct itsi_breakdown b = frame_of(ms);
        struct itsi_trace_id id;
        memset(id.bytes, (int)ms, sizeof id.bytes);
        itsi_latency_record(r, &b);
        itsi_latency_exemplify(r, &b, &id, i + 1);
    }
    return NULL;
}

static void a_reader_sees_whole_frames(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_latency_recorder *r;
    CHECK_OK(itsi_latency_recorder_create(&r, &diag), diag);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_frames, r), 0);
    struct itsi_latency_counts counts;
    do {
        itsi_latency_counts(r, &counts);
        assert_int_equal(sum(&counts.unattributed), sum(&counts.end_to_end));
        assert_int_equal(sum(&counts.total[ITSI_STAGE_POSTPROCESSING]), sum(&counts.end_to_end));
        for (int i = 0; i < ITSI_LATENCY_BUCKET_COUNT; i++) {
            const struct itsi_exemplar *e = &counts.exemplars[i];
            for (size_t at = 0; at < sizeof e->trace.bytes; at++)
                assert_int_equal(e->trace.bytes[at], e->value_ns / ITSI_NS_PER_MS);
            assert_int_equal(e->wall_ns ? (e->wall_ns - 1) % 150 : 0, e->value_ns / ITSI_NS_PER_MS);
        }
    } while (sum(&counts.end_to_end) < WRITTEN);
    pthread_join(writer, NULL);
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
        cmocka_unit_test(buckets_have_their_edge_at_the_budget_and_outlive_a_reset),
        cmocka_unit_test(stages_are_counted_together_and_apart),
        cmocka_unit_test(a_clock_that_stepped_back_takes_nothing_from_the_sum),
        cmocka_unit_test(the_newest_kept_frame_stands_for_its_bucket),
        cmocka_unit_test(a_reader_sees_whole_frames),
        cmocka_unit_test(creation_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

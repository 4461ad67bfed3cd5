#include "support/check.h"

#include "base/clock.h"
#include "latency/violations.h"

#define MS ITSI_NS_PER_MS

static struct itsi_result late_result(void)
{
    struct itsi_result r = {.late = true, .batch = 4, .quality_level = 2};
    strcpy(r.info.camera_id, "north");
    r.info.seq = 9;
    r.info.deadline = 1000 * MS + 100 * MS;
    r.info.trace = (struct itsi_trace){.origin = 1000 * MS,
                                       .decode_start = 1002 * MS,
                                       .decode_end = 1010 * MS,
                                       .pre_start = 1050 * MS,
                                       .pre_end = 1051 * MS,
                                       .infer_start = 1060 * MS,
                                       .infer_end = 1120 * MS,
                                       .post_start = 1120 * MS,
                                       .post_end = 1121 * MS,
                                       .handover = 1122 * MS};
    itsi_trace_breakdown(&r.info.trace, &r.breakdown);
    return r;
}

static void a_late_frame_says_why(void **state)
{
    (void)state;
    struct itsi_result r = late_result();
    struct itsi_trace_id trace = {{1, 2, 3}};
    struct itsi_violation v;
    itsi_violation_of_late(&r, &trace, 77, &v);
    assert_string_equal(v.camera_id, "north");
    assert_int_equal(v.seq, 9);
    assert_false(v.dropped);
    /* waiting in the mailbox: 41 of 10 ms budgeted; inference with its wait: 69 of 50 */
    assert_int_equal(v.stage, ITSI_STAGE_PREPROCESSING);
    CHECK_NEAR(v.stage_ms, 41, 1e-9);
    CHECK_NEAR(v.end_to_end_ms, 122, 1e-9);
    CHECK_NEAR(v.deadline_ms, 100, 1e-9);
    CHECK_NEAR(v.queue_ms, 49, 1e-9);
    assert_int_equal(v.batch, 4);
    assert_int_equal(v.quality_level, 2);
    assert_memory_equal(&v.trace_id, &trace, sizeof trace);
}

static void blame_goes_to_the_most_over_else_the_longest(void **state)
{
    (void)state;
    struct itsi_breakdown b = {0};
    b.service[ITSI_STAGE_ML_INFERENCE] = 49 * MS;
    b.wait[ITSI_STAGE_POSTPROCESSING] = 4 * MS;
    assert_int_equal(itsi_stage_to_blame(&b), ITSI_STAGE_ML_INFERENCE);
    b.wait[ITSI_STAGE_POSTPROCESSING] = 6 * MS;
    assert_int_equal(itsi_stage_to_blame(&b), ITSI_STAGE_POSTPROCESSING);
    b.service[ITSI_STAGE_ML_INFERENCE] = 80 * MS;
    assert_int_equal(itsi_stage_to_blame(&b), ITSI_STAGE_ML_INFERENCE);
}

static void a_drop_says_where_and_how_long_it_waited(void **state)
{
    (void)state;
    struct itsi_result r = late_result();
    struct itsi_trace_id trace = {{0}};
    struct itsi_violation v;
    r.info.trace = (struct itsi_trace){.origin = 1000 * MS, .decode_start = 1001 * MS, .decode_end = 1005 * MS};
    itsi_violation_of_drop(&r.info, ITSI_STAGE_PREPROCESSING, ITSI_DROP_EXPIRED, 1, &trace, 1095 * MS, 1, &v);
    assert_true(v.dropped);
    assert_int_equal(v.quality_level, 1);
    assert_int_equal(v.stage, ITSI_STAGE_PREPROCESSING);
    assert_int_equal(v.reason, ITSI_DROP_EXPIRED);
    CHECK_NEAR(v.queue_ms, 90, 1e-9);
    CHECK_NEAR(v.stage_ms, 90, 1e-9);
    CHECK_NEAR(v.end_to_end_ms, 95, 1e-9);
    assert_int_equal(v.batch, 0);
    r.info.deadline = ITSI_NEVER;
    itsi_violation_of_drop(&r.info, ITSI_STAGE_PREPROCESSING, ITSI_DROP_SHUTDOWN, 1, &trace, 1095 * MS, 1, &v);
    CHECK_NEAR(v.deadline_ms, 0, 0);
}

static void what_is_shed_is_the_fault_of_who_took_the_time(void **state)
{
    (void)state;
    struct itsi_result r = late_result();
    struct itsi_trace_id trace = {{0}};
    struct itsi_violation v;
    r.info.trace = (struct itsi_trace){.origin = 1000 * MS, .decode_start = 1001 * MS, .decode_end = 1085 * MS};
    itsi_violation_of_drop(&r.info, ITSI_STAGE_PREPROCESSING, ITSI_DROP_EXPIRED, 1, &trace, 1086 * MS, 1, &v);
    assert_int_equal(v.stage, ITSI_STAGE_CAMERA_CAPTURE);
    CHECK_NEAR(v.stage_ms, 85, 1e-9);
    CHECK_NEAR(v.queue_ms, 1, 1e-9);
    /* a failure is where it happened */
    itsi_violation_of_drop(&r.info, ITSI_STAGE_ML_INFERENCE, ITSI_DROP_ENGINE_FAILED, 1, &trace, 1086 * MS, 1, &v);
    assert_int_equal(v.stage, ITSI_STAGE_ML_INFERENCE);
    CHECK_NEAR(v.stage_ms, 1, 1e-9);
}

static void the_newest_are_kept_all_are_counted(void **state)
{
    (void)state;
    static struct itsi_violations violations;
    static struct itsi_violation list[ITSI_VIOLATIONS_KEPT + 1];
    itsi_violations_init(&violations);
    for (uint64_t i = 0; i < 1000; i++) {
        struct itsi_violation v = {.seq = i, .stage = i % 4 ? ITSI_STAGE_ML_INFERENCE : ITSI_STAGE_CAMERA_CAPTURE};
        itsi_violations_note(&violations, &v);
    }
    assert_int_equal(itsi_violations_list(&violations, list, ITSI_VIOLATIONS_KEPT + 1), ITSI_VIOLATIONS_KEPT);
    for (size_t i = 0; i < ITSI_VIOLATIONS_KEPT; i++)
        assert_int_equal(list[i].seq, 999 - i);
    assert_int_equal(itsi_violations_list(&violations, list, 3), 3);
    uint64_t by_stage[ITSI_STAGE_COUNT];
    assert_int_equal(itsi_violations_by_stage(&violations, by_stage), 1000);
    assert_int_equal(by_stage[ITSI_STAGE_ML_INFERENCE], 750);
    assert_int_equal(by_stage[ITSI_STAGE_CAMERA_CAPTURE], 250);
    itsi_violations_fini(&violations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_frame_says_why),
        cmocka_unit_test(blame_goes_to_the_most_over_else_the_longest),
        cmocka_unit_test(a_drop_says_where_and_how_long_it_waited),
        cmocka_unit_test(what_is_shed_is_the_fault_of_who_took_the_time),
        cmocka_unit_test(the_newest_are_kept_all_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

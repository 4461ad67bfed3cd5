#include "support/check.h"

#include "base/clock.h"
#include "base/rand.h"
#include "latency/trace_spans.h"

#define MS ITSI_NS_PER_MS
#define WALL (INT64_C(1700000000) * ITSI_NS_PER_S)

static struct itsi_trace_key key;
static struct itsi_trace_spans spans;

static struct itsi_trace_record frame_record(void)
{
    struct itsi_trace_record record = {
        .info = {.camera_id = "gate-7", .camera = 3, .seq = 42, .origin_kind = ITSI_ORIGIN_CAMERA,
                 .deadline = 200 * MS,
                 .trace = {.origin = 100 * MS, .decode_start = 103 * MS, .decode_end = 110 * MS, .pre_start = 111 * MS,
                           .pre_end = 113 * MS, .infer_start = 120 * MS, .infer_end = 160 * MS,
                           .post_start = 161 * MS, .post_end = 162 * MS, .handover = 163 * MS}},
        .threshold = UINT64_C(1) << 55,
        .outcome = {.batch = 8, .quality_level = 3},
        .model = "its-road"};
    record.id = itsi_trace_id_of(&key, &record.info);
    return record;
}

/* Of the root; fails when it is not there. */
static const struct itsi_otlp_attribute *attribute(const char *name)
{
    for (int i = 0; i < spans.items[0].attribute_count; i++)
        if (strcmp(spans.items[0].attributes[i].key, name) == 0)
            return &spans.items[0].attributes[i];
    return NULL;
}

static void check_text(const char *name, const char *wanted)
{
    const struct itsi_otlp_attribute *found = attribute(name);
    assert_non_null(found);
    assert_int_equal(found->type, ITSI_OTLP_TEXT);
    assert_string_equal(found->text, wanted);
}

/* What must hold whatever the stamps were. */
static void check_shape(const struct itsi_trace_record *record)
{
    const struct itsi_otlp_span *root = &spans.items[0];
    assert_int_equal(spans.count, itsi_trace_spans_count(record));
    assert_in_range(spans.count, 1, ITSI_TRACE_SPANS_MOST);
    assert_in_range(root->attribute_count, 1, ITSI_TRACE_ATTRIBUTES_MOST);
    assert_true(root->start_ns <= root->end_ns);
    for (int i = 1; i < spans.count; i++) {
        const struct itsi_otlp_span *span = &spans.items[i];
        assert_memory_equal(span->trace_id, root->trace_id, sizeof span->trace_id);
        assert_memory_equal(span->parent_id, root->span_id, sizeof root->span_id);
        assert_true(span->start_ns <= span->end_ns);
        assert_true(span->start_ns >= spans.items[i > 1 ? i - 1 : 0].start_ns);
        assert_true(span->start_ns >= root->start_ns && span->end_ns <= root->end_ns);
        assert_int_equal(span->flags, root->flags & ~(uint32_t)ITSI_OTLP_REMOTE);
    }
}

static void make(const struct itsi_trace_record *record)
{
    itsi_trace_spans_make(record, &key, WALL, &spans);
    check_shape(record);
}

/* Without segments: its own span, which says where it ended. */
static void a_whole_trace_is_one_span(void **state)
{
    (void)state;
    struct itsi_trace_record record = frame_record();
    record.whole = true;
    make(&record);
    assert_int_equal(spans.count, 1);
    assert_string_equal(spans.items[0].name, "frame");
    check_text("its.frame.outcome", "on_time");
    record.outcome = (struct itsi_trace_outcome){.end = ITSI_TRACE_DROPPED, .stage = ITSI_STAGE_ML_INFERENCE,
                                                 .reason = ITSI_DROP_ENGINE_FAILED, .ended = 150 * MS};
    make(&record);
    assert_int_equal(spans.count, 1);
    CHECK_CONTAINS(spans.items[0].error, "ml_inference");
    record = (struct itsi_trace_record){.info = record.info, .id = record.id, .is_serving = true, .whole = true,
                                        .serving = {.route = "/r", .begin = 200 * MS, .send_start = 201 * MS,
                                                    .send_end = 202 * MS}};
    make(&record);
    assert_int_equal(spans.count, 1);
    assert_int_equal(spans.items[0].end_ns, WALL + 202 * MS);
}

static void a_frame_handed_over_in_time(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t start_ms, end_ms;
    } wanted[] = {{"frame", 100, 163},           {"camera_capture.wait", 100, 103}, {"camera_capture", 103, 110},
                  {"preprocessing.wait", 110, 111}, {"preprocessing", 111, 113},    {"ml_inference.wait", 113, 120},
                  {"ml_inference", 120, 160},       {"postprocessing.wait", 160, 161}, {"postprocessing", 161, 162}};
    struct itsi_trace_record record = frame_record();
    make(&record);
    assert_int_equal(spans.count, 9);
    for (int i = 0; i < 9; i++) {
        assert_string_equal(spans.items[i].name, wanted[i].name);
        assert_int_equal(spans.items[i].start_ns, WALL + wanted[i].start_ms * MS);
        assert_int_equal(spans.items[i].end_ns, WALL + wanted[i].end_ms * MS);
        assert_null(spans.items[i].error);
        assert_string_equal(spans.items[i].state, "ot=th:8");
        assert_int_equal(spans.items[i].flags, 0x103);
    }
    struct itsi_trace_id id = itsi_trace_id_of(&key, &record.info);
    assert_memory_equal(spans.items[0].trace_id, id.bytes, sizeof id);
    assert_null(spans.items[0].parent_id);
    check_text("its.camera.id", "gate-7");
    check_text("its.frame.origin", "camera");
    check_text("its.frame.outcome", "on_time");
    check_text("its.quality.level", "high");
    check_text("its.model", "its-road");
    assert_int_equal(attribute("its.frame.seq")->integer, 42);
    assert_int_equal(attribute("its.batch.size")->integer, 8);
    CHECK_NEAR(attribute("its.frame.budget_seconds")->number, 0.1, 1e-12);
    assert_null(attribute("its.drop.reason"));
    assert_null(attribute("its.frame.late_seconds"));
}

/* The spans tell the same story as the breakdown that the histograms record. */
static void spans_agree_with_the_breakdown(void **state)
{
    (void)state;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 11);
    for (int round = 0; round < 10000; round++) {
        struct itsi_trace_record record = frame_record();
        int64_t *stamps = &record.info.trace.origin, at = 1 + itsi_rand_below(&rng, 1000000);
        for (size_t i = 0; i < sizeof record.info.trace / sizeof *stamps; i++)
            stamps[i] = at += itsi_rand_below(&rng, 20000000);
        make(&record);
        struct itsi_breakdown breakdown;
        itsi_trace_breakdown(&record.info.trace, &breakdown);
        int64_t sum = breakdown.unattributed;
        for (int s = 0; s <= ITSI_STAGE_POSTPROCESSING; s++) {
            const struct itsi_otlp_span *wait = &spans.items[1 + 2 * s], *service = wait + 1;
            assert_string_equal(service->name, itsi_stage_name((enum itsi_stage)s));
            assert_int_equal(wait->end_ns - wait->start_ns, breakdown.wait[s]);
            assert_int_equal(service->end_ns - service->start_ns, breakdown.service[s]);
            sum += wait->end_ns - wait->start_ns + service->end_ns - service->start_ns;
        }
        assert_int_equal(spans.items[0].end_ns - spans.items[0].start_ns, sum);
    }
}

static void a_late_frame_is_an_error(void **state)
{
    (void)state;
    struct itsi_trace_record record = frame_record();
    record.info.deadline = 150 * MS;
    record.outcome.end = ITSI_TRACE_LATE;
    record.threshold = 0;
    make(&record);
    assert_non_null(spans.items[0].error);
    assert_string_equal(spans.items[0].state, "ot=th:0");
    check_text("its.frame.outcome", "late");
    CHECK_NEAR(attribute("its.frame.late_seconds")->number, 0.013, 1e-12);
}

static void a_dropped_frame_ends_where_it_was_dropped(void **state)
{
    (void)state;
    struct itsi_trace_record record = frame_record();
    memset(&record.info.trace.pre_start, 0, sizeof record.info.trace - offsetof(struct itsi_trace, pre_start));
    record.outcome = (struct itsi_trace_outcome){ITSI_TRACE_DROPPED, ITSI_STAGE_PREPROCESSING, ITSI_DROP_REPLACED,
                                                 140 * MS, 0, -1, NULL};
    record.model[0] = '\0';
    make(&record);
    assert_int_equal(spans.count, 4);
    const struct itsi_otlp_span *last = &spans.items[3];
    assert_string_equal(last->name, "preprocessing.wait");
    assert_int_equal(last->start_ns, WALL + 110 * MS);
    assert_int_equal(last->end_ns, WALL + 140 * MS);
    assert_string_equal(last->error, "dropped in preprocessing: replaced_by_newer");
    assert_string_equal(spans.items[0].error, last->error);
    assert_null(spans.items[2].error);
    assert_int_equal(spans.items[0].end_ns, WALL + 140 * MS);
    check_text("its.frame.outcome", "dropped");
    check_text("its.drop.stage", "preprocessing");
    check_text("its.drop.reason", "replaced_by_newer");
    assert_null(attribute("its.model"));
    assert_null(attribute("its.batch.size"));
    assert_null(attribute("its.quality.level"));
}

static void a_frame_that_got_nowhere_has_a_root(void **state)
{
    (void)state;
    struct itsi_trace_record record = frame_record();
    record.info.trace = (struct itsi_trace){0};
    record.outcome = (struct itsi_trace_outcome){ITSI_TRACE_DROPPED, ITSI_STAGE_CAMERA_CAPTURE, ITSI_DROP_POOL_EMPTY,
                                                 140 * MS, 0, -1, NULL};
    make(&record);
    assert_int_equal(spans.count, 1);
    assert_non_null(spans.items[0].error);
    assert_int_equal(spans.items[0].start_ns, spans.items[0].end_ns);
}

/* Foreign clocks and races: spans never turn negative and never leave their root. */
static void stamps_out_of_order_are_straightened(void **state)
{
    (void)state;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 5);
    for (int round = 0; round < 10000; round++) {
        struct itsi_trace_record record = frame_record();
        int64_t *stamps = &record.info.trace.origin;
        for (size_t i = 0; i < sizeof record.info.trace / sizeof *stamps; i++)
            stamps[i] = 1 + itsi_rand_below(&rng, 1000);
        if (itsi_rand_below(&rng, 2))
            record.outcome = (struct itsi_trace_outcome){ITSI_TRACE_DROPPED, ITSI_STAGE_ML_INFERENCE,
                                                         ITSI_DROP_ENGINE_FAILED, itsi_rand_below(&rng, 1000), 1, 0,
                                                         NULL};
        make(&record);
    }
}

/* The wall clock was set back an hour between two batches. */
static void a_clock_step_moves_a_trace_and_does_not_bend_it(void **state)
{
    (void)state;
    static struct itsi_trace_spans before;
    const int64_t step = -3600 * ITSI_NS_PER_S;
    struct itsi_trace_record record = frame_record();
    itsi_trace_spans_make(&record, &key, WALL, &before);
    itsi_trace_spans_make(&record, &key, WALL + step, &spans);
    for (int i = 0; i < before.count; i++) {
        assert_int_equal(spans.items[i].start_ns, before.items[i].start_ns + step);
        assert_int_equal(spans.items[i].end_ns, before.items[i].end_ns + step);
    }
}

static struct itsi_trace_record serving_record(bool has_client, bool streamed)
{
    struct itsi_trace_record record = frame_record();
    record.is_serving = true;
    record.frame_kept = true;
    record.serving = (struct itsi_trace_serving){
        .span_id = {{9, 9}},
        .has_client = has_client,
        .streamed = streamed,
        .client = {.trace_id = {{1, 2, 3}}, .span_id = {{4, 5, 6}}, .flags = ITSI_TRACE_SAMPLED, .state = "a=b"},
        .route = "/api/v1/cameras/{id}/snapshot.jpg",
        .begin = 170 * MS, .encode_start = 171 * MS, .encode_end = 175 * MS, .send_start = 176 * MS,
        .send_end = 190 * MS, .http_status = 200, .bytes = 4711};
    return record;
}

static void a_single_answer_joins_the_clients_trace(void **state)
{
    (void)state;
    static const char *const names[] = {"GET /api/v1/cameras/{id}/snapshot.jpg", "encoding.wait", "encoding",
                                        "network_transmission.wait", "network_transmission"};
    struct itsi_trace_record record = serving_record(true, false);
    make(&record);
    const struct itsi_otlp_span *root = &spans.items[0];
    assert_int_equal(spans.count, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(spans.items[i].name, names[i]);
        assert_string_equal(spans.items[i].state, "a=b");
    }
    assert_int_equal(root->kind, ITSI_OTLP_SERVER);
    assert_memory_equal(root->trace_id, record.serving.client.trace_id.bytes, 16);
    assert_memory_equal(root->parent_id, record.serving.client.span_id.bytes, 8);
    assert_int_equal(root->flags, 0x301);
    struct itsi_trace_id frame = itsi_trace_id_of(&key, &record.info);
    struct itsi_span_id frame_root = itsi_trace_root_of(&key, &record.info);
    assert_memory_equal(root->link->trace_id, frame.bytes, 16);
    assert_memory_equal(root->link->span_id, frame_root.bytes, 8);
    assert_int_equal(attribute("http.response.status_code")->integer, 200);
    CHECK_NEAR(attribute("its.frame.age_seconds")->number, 0.09, 1e-12);
    record.frame_kept = false; /* nothing to point at */
    make(&record);
    assert_null(root->link);
}

static void a_streams_picture_joins_the_frames_trace(void **state)
{
    (void)state;
    struct itsi_trace_record record = serving_record(true, true);
    make(&record);
    const struct itsi_otlp_span *root = &spans.items[0];
    struct itsi_trace_id frame = itsi_trace_id_of(&key, &record.info);
    struct itsi_span_id frame_root = itsi_trace_root_of(&key, &record.info);
    assert_memory_equal(root->trace_id, frame.bytes, 16);
    assert_memory_equal(root->parent_id, frame_root.bytes, 8);
    assert_memory_equal(root->link->trace_id, record.serving.client.trace_id.bytes, 16);
    assert_memory_equal(root->link->span_id, record.serving.client.span_id.bytes, 8);
    assert_string_equal(root->link->state, "a=b");
    record = serving_record(false, false);
    make(&record);
    assert_memory_equal(root->trace_id, frame.bytes, 16);
    assert_null(root->link);
    record.frame_kept = false; /* no span names a parent that was not sent */
    make(&record);
    assert_null(root->parent_id);
}

static void a_picture_at_hand_and_a_client_that_left(void **state)
{
    (void)state;
    struct itsi_trace_record record = serving_record(false, true);
    record.serving.encode_start = record.serving.encode_end = 0;
    record.serving.send_end = 0;
    record.serving.aborted = true;
    make(&record);
    assert_int_equal(spans.count, 3);
    assert_string_equal(spans.items[1].name, "network_transmission.wait");
    assert_int_equal(spans.items[1].start_ns, WALL + 170 * MS);
    assert_string_equal(spans.items[2].name, "network_transmission");
    assert_non_null(spans.items[0].error);
    record.serving.send_start = 0;
    make(&record);
    assert_int_equal(spans.count, 2);
}

int main(void)
{
    itsi_trace_key_init(&key, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_handed_over_in_time),
        cmocka_unit_test(a_whole_trace_is_one_span),
        cmocka_unit_test(spans_agree_with_the_breakdown),
        cmocka_unit_test(a_late_frame_is_an_error),
        cmocka_unit_test(a_dropped_frame_ends_where_it_was_dropped),
        cmocka_unit_test(a_frame_that_got_nowhere_has_a_root),
        cmocka_unit_test(stamps_out_of_order_are_straightened),
        cmocka_unit_test(a_clock_step_moves_a_trace_and_does_not_bend_it),
        cmocka_unit_test(a_single_answer_joins_the_clients_trace),
        cmocka_unit_test(a_streams_picture_joins_the_frames_trace),
        cmocka_unit_test(a_picture_at_hand_and_a_client_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "latency/trace.h"
#include "latency/trace_id.h"

#include <stdatomic.h>

/* The exporter's side is met in tests/latency, against a collector. Here nothing listens at the endpoint. */
#define NOBODY "http://127.0.0.1:1"
#define MS ITSI_NS_PER_MS

static struct itsi_frame_info frame(uint64_t seq)
{
    struct itsi_frame_info info = {.camera_id = "c", .camera = 1, .seq = seq, .deadline = 200 * MS};
    int64_t *stamps = &info.trace.origin;
    for (int i = 0; i < 10; i++)
        stamps[i] = (100 + i) * MS;
    return info;
}

static struct itsi_tracer *tracer(struct itsi_tracer_params params)
{
    struct itsi_tracer *t;
    struct its_diag diag;
    params.seed = 99;
    params.enabled = true;
    CHECK_OK(itsi_tracer_create(&t, &params, &diag), diag);
    return t;
}

static void check_books(struct itsi_tracer *t, struct itsi_tracer_stats *stats)
{
    itsi_tracer_stats(t, stats);
    uint64_t sum = stats->exported + stats->waiting;
    for (int i = 0; i < ITSI_TRACE_LOSS_COUNT; i++)
        sum += stats->dropped[i];
    assert_int_equal(sum, stats->kept);
}

static bool finish(struct itsi_tracer *t, const struct itsi_frame_info *info, const struct itsi_trace_outcome *outcome)
{
    const struct itsi_trace_id id = itsi_tracer_id(t, info);
    return itsi_tracer_finish(t, info, &id, outcome);
}

static void keeps_a_share_and_every_violation(void **state)
{
    (void)state;
    enum { FRAMES = 10000 };
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.endpoint = NOBODY, .rate = 0.1, .ring_records = 8192});
    struct itsi_tracer_stats stats;
    uint64_t ordinary = 0;
    for (uint64_t seq = 1; seq <= FRAMES; seq++) {
        struct itsi_frame_info info = frame(seq);
        struct itsi_trace_outcome outcome = {.end = ITSI_TRACE_ON_TIME, .quality_level = 3};
        struct itsi_trace_id id = itsi_tracer_id(t, &info);
        bool wanted = itsi_trace_sampled(&id, itsi_trace_threshold(0.1));
        if (seq % 100 == 0)
            outcome.end = seq % 200 == 0 ? ITSI_TRACE_LATE : ITSI_TRACE_DROPPED;
        bool kept = finish(t, &info, &outcome);
        assert_int_equal(kept, wanted || outcome.end != ITSI_TRACE_ON_TIME);
        ordinary += kept && outcome.end == ITSI_TRACE_ON_TIME;
    }
    CHECK_NEAR((double)ordinary, 990, 5 * sqrt(990 * 0.9));
    check_books(t, &stats);
    assert_int_equal(stats.traces, ordinary + FRAMES / 100);
    assert_int_equal(stats.waiting, 9 * stats.traces);
    itsi_tracer_destroy(t);
}

static void live_options_hold_at_once(void **state)
{
    (void)state;
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.endpoint = NOBODY, .rate = 1});
    struct itsi_frame_info info = frame(1);
    const struct itsi_trace_outcome on_time = {.end = ITSI_TRACE_ON_TIME}, late = {.end = ITSI_TRACE_LATE};
    assert_true(finish(t, &info, &on_time));
    struct itsi_tracer_stats before, after;
    itsi_tracer_stats(t, &before);
    itsi_tracer_segments(t, false);
    assert_true(finish(t, &info, &on_time));
    itsi_tracer_stats(t, &after);
    assert_int_equal(after.kept, before.kept + 1);
    itsi_tracer_segments(t, true);
    itsi_tracer_configure(t, true, 0);
    assert_false(finish(t, &info, &on_time));
    assert_true(finish(t, &info, &late));
    itsi_tracer_configure(t, false, 1);
    assert_false(finish(t, &info, &late));
    itsi_tracer_stop(t, itsi_now_ns());
    itsi_tracer_configure(t, true, 1); /* a reload that comes after the stop */
    assert_false(finish(t, &info, &late));
    itsi_tracer_destroy(t);
}

static void without_an_endpoint_there_are_ids_only(void **state)
{
    (void)state;
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.rate = 1});
    struct its_diag diag;
    struct itsi_frame_info info = frame(1);
    struct itsi_trace_id id = itsi_tracer_id(t, &info);
    const struct itsi_trace_outcome late = {.end = ITSI_TRACE_LATE};
    CHECK_OK(itsi_tracer_start(t, &diag), diag);
    assert_true(itsi_trace_id_valid(&id));
    assert_false(finish(t, &info, &late));
    itsi_tracer_destroy(t);
}

static void a_full_ring_keeps_room_for_violations(void **state)
{
    (void)state;
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.endpoint = NOBODY, .rate = 1, .ring_records = 64});
    const struct itsi_trace_outcome on_time = {.end = ITSI_TRACE_ON_TIME}, late = {.end = ITSI_TRACE_LATE};
    struct itsi_tracer_stats stats;
    uint64_t taken[2] = {0};
    for (uint64_t seq = 1; seq <= 100; seq++) {
        struct itsi_frame_info info = frame(seq);
        taken[0] += finish(t, &info, &on_time);
    }
    for (uint64_t seq = 101; seq <= 200; seq++) {
        struct itsi_frame_info info = frame(seq);
        taken[1] += finish(t, &info, &late);
    }
    assert_int_equal(taken[0], 48);
    assert_int_equal(taken[1], 16);
    check_books(t, &stats);
    assert_int_equal(stats.dropped[ITSI_TRACE_LOST_QUEUE_FULL], 9 * (200 - 64));
    itsi_tracer_stop(t, itsi_now_ns()); /* it was never started: all that waits is lost to the shutdown */
    check_books(t, &stats);
    assert_int_equal(stats.dropped[ITSI_TRACE_LOST_SHUTDOWN], 9 * 64);
    assert_int_equal(stats.waiting, 0);
    itsi_tracer_destroy(t);
}

static void finishing_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.endpoint = NOBODY, .rate = 0.5});
    const struct itsi_trace_outcome outcomes[] = {{.end = ITSI_TRACE_ON_TIME, .model = "m"}, {.end = ITSI_TRACE_LATE}};
    uint64_t before = itsi_alloc_count();
    for (uint64_t seq = 1; seq <= 5000; seq++) {
        struct itsi_frame_info info = frame(seq);
        finish(t, &info, &outcomes[seq % 2]);
    }
    assert_int_equal(itsi_alloc_count(), before);
    itsi_tracer_destroy(t);
}

static void creation_survives_no_memory(void **state)
{
    (void)state;
    const struct itsi_tracer_params params = {.endpoint = NOBODY, .seed = 1, .enabled = true, .rate = 1};
    struct itsi_tracer *t = NULL;
    int64_t nth = 0;
    for (int rc = ITS_ENOMEM; rc != 0;) {
        itsi_alloc_fail_at(++nth);
        rc = itsi_tracer_create(&t, &params, NULL);
        itsi_alloc_fail_at(0);
        if (rc != 0)
            assert_int_equal(rc, ITS_ENOMEM);
        assert_true(nth < 100);
    }
    assert_true(nth > 8);
    itsi_tracer_destroy(t);
}

static void a_bad_endpoint_is_named_without_its_password(void **state)
{
    (void)state;
    const struct itsi_tracer_params params = {.endpoint = "ftp://tom:s3cret@host"};
    struct itsi_tracer *t;
    struct its_diag diag;
    assert_int_equal(itsi_tracer_create(&t, &params, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "otlp_endpoint");
    assert_null(strstr(diag.text, "s3cret"));
}

static struct itsi_trace_context client(uint8_t flags)
{
    return (struct itsi_trace_context){.trace_id = {{7}}, .span_id = {{8}}, .flags = flags};
}

static bool serve(struct itsi_tracer *t, const struct itsi_trace_context *from, bool streamed, bool late,
                  struct itsi_trace_context *reply)
{
    struct itsi_frame_info info = frame(1);
    struct itsi_trace_serving serving;
    itsi_tracer_serve_begin(t, &info, from, streamed, &serving, reply);
    assert_memory_equal(&serving.span_id, &reply->span_id, sizeof serving.span_id);
    serving.route = "/x";
    serving.begin = serving.send_start = serving.send_end = 300 * MS;
    serving.late = late;
    return itsi_tracer_serve_end(t, &info, &serving);
}

static void a_clients_decision_is_respected(void **state)
{
    (void)state;
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.endpoint = NOBODY, .rate = 0});
    struct itsi_trace_context sampled = client(ITSI_TRACE_SAMPLED), not_sampled = client(0), reply;
    struct itsi_frame_info info = frame(1);
    struct itsi_trace_id frame_id = itsi_tracer_id(t, &info);
    assert_true(serve(t, &sampled, false, false, &reply));
    assert_memory_equal(&reply.trace_id, &sampled.trace_id, sizeof reply.trace_id);
    assert_int_equal(reply.flags, ITSI_TRACE_SAMPLED);
    assert_false(serve(t, &not_sampled, false, false, &reply));
    assert_true(serve(t, &not_sampled, false, true, &reply)); /* late: kept whatever the rate */
    assert_false(serve(t, &sampled, true, false, &reply));    /* a stream's pictures go with their frames */
    assert_memory_equal(&reply.trace_id, &frame_id, sizeof reply.trace_id);
    assert_int_equal(reply.flags, 0);
    assert_false(serve(t, NULL, false, false, &reply));
    itsi_tracer_configure(t, true, 1);
    assert_true(serve(t, NULL, false, false, &reply));
    assert_true(serve(t, &sampled, true, false, &reply));
    assert_int_equal(reply.flags, ITSI_TRACE_SAMPLED);
    assert_false(serve(t, &not_sampled, false, false, &reply));
    itsi_tracer_destroy(t);
}

/* Whatever clients do, the room for late and dropped frames stays. */
static void servings_take_no_room_of_violations(void **state)
{
    (void)state;
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){.endpoint = NOBODY, .rate = 0, .ring_records = 64});
    struct itsi_trace_context sampled = client(ITSI_TRACE_SAMPLED), reply;
    struct itsi_frame_info info = frame(1);
    const struct itsi_trace_outcome late = {.end = ITSI_TRACE_LATE};
    int taken = 0;
    for (int i = 0; i < 100; i++)
        taken += serve(t, &sampled, false, i % 2, &reply);
    assert_int_equal(taken, 48);
    assert_true(finish(t, &info, &late));
    itsi_tracer_destroy(t);
}

enum { THREADS = 8, EACH = 2000 };
static void *finish_many(void *arg)
{
    struct itsi_tracer *t = arg;
    const struct itsi_trace_outcome late = {.end = ITSI_TRACE_LATE};
    struct itsi_tracer_stats stats;
    for (uint64_t seq = 1; seq <= EACH; seq++) {
        struct itsi_frame_info info = frame(seq);
        finish(t, &info, &late);
        if (seq % 100 == 0) {
            check_books(t, &stats);
            assert_true(stats.waiting <= stats.kept);
            itsi_tracer_configure(t, true, (double)(seq % 3) / 2);
        }
    }
    return NULL;
}

/* All threads at once, the collector away, and a stop in the middle: the books balance to the span. */
static void books_balance_under_threads(void **state)
{
    (void)state;
    static const struct itsi_backoff_policy hasty = {MS, 2 * MS, 10 * MS};
    struct itsi_tracer *t = tracer((struct itsi_tracer_params){
        .endpoint = NOBODY, .rate = 1, .ring_records = 64, .batch_spans = 90, .batch_ns = MS, .backoff = &hasty});
    struct its_diag diag;
    struct itsi_tracer_stats stats;
    pthread_t threads[THREADS];
    CHECK_OK(itsi_tracer_start(t, &diag), diag);
    for (int i = 0; i < THREADS; i++)
        CHECK_OK(itsi_thread_start(&threads[i], "frames", finish_many, t, &diag), diag);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    itsi_tracer_stop(t, itsi_now_ns() + 100 * MS);
    check_books(t, &stats);
    assert_int_equal(stats.kept, THREADS * EACH * 9);
    assert_int_equal(stats.exported, 0);
    assert_int_equal(stats.waiting, 0);
    itsi_tracer_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_share_and_every_violation),
        cmocka_unit_test(live_options_hold_at_once),
        cmocka_unit_test(without_an_endpoint_there_are_ids_only),
        cmocka_unit_test(a_full_ring_keeps_room_for_violations),
        cmocka_unit_test(finishing_allocates_nothing),
        cmocka_unit_test(creation_survives_no_memory),
        cmocka_unit_test(a_bad_endpoint_is_named_without_its_password),
        cmocka_unit_test(a_clients_decision_is_respected),
        cmocka_unit_test(servings_take_no_room_of_violations),
        cmocka_unit_test(books_balance_under_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Frames that tracks stand in for, while one before them is on its way to a detection. */
#include "pipeline/pipeline_fixture.h"

#include "pipeline/pipeline_impl.h"

enum { WIDTH = 64, HEIGHT = 32 };

/* A camera that sends nothing by itself: what there is of it the test makes. */
static struct itsi_camera_stream *silent_camera(struct itsi_pipeline *p)
{
    add_camera(p, "gate", "null://?fps=0.1");
    struct itsi_camera_stream *stream = itsi_stream_find(p, "gate");
    assert_non_null(stream);
    AWAIT(status_of(p, "gate").ledger.expected == 1 && status_of(p, "gate").ledger.in_flight == 0); /* its first */
    return stream;
}

/* Its tracks hold, and its level pays for every fourth of 25 frames a second. The table's lock is held from here on, so that
 * no step of the quality manager says otherwise. */
static void detect_rarely(struct itsi_pipeline *p, struct itsi_camera_stream *stream)
{
    pthread_mutex_lock(&p->table);
    atomic_store(&stream->tracking.interval, 4);
    atomic_store(&stream->tracking.fps_millihertz, 25000);
    pthread_mutex_lock(&stream->tracking.mutex);
    stream->tracking.retention = 1;
    stream->tracking.doubt = 0;
    pthread_mutex_unlock(&stream->tracking.mutex);
}

/* The camera's frame number `seq`, which came at `origin`, into the books. */
static struct itsi_frame *arrive(struct itsi_frame_pool *pool, struct itsi_camera_stream *stream, uint64_t seq,
                                 int64_t origin)
{
    static const uint8_t gray[WIDTH * HEIGHT];
    struct itsi_frame *frame = itsi_frame_pool_get(pool);
    assert_non_null(frame);
    frame->picture = (struct itsi_picture){.layout = ITSI_LAYOUT_GRAY, .width = WIDTH, .height = HEIGHT, .plane = {gray},
                                           .stride = {WIDTH}};
    memcpy(frame->info.camera_id, "gate", sizeof "gate");
    frame->info.camera = stream->index;
    frame->info.seq = seq;
    frame->info.width = WIDTH;
    frame->info.height = HEIGHT;
    frame->info.media_ns = -1;
    frame->info.deadline = origin + 100 * MS;
    frame->info.trace.origin = frame->info.trace.decode_start = frame->info.trace.decode_end = origin;
    itsi_ledger_arrive(&stream->ledger);
    return frame;
}

/* The detection that it stands by for was shed: its own result comes, though no other frame of the camera does. */
static void one_that_stood_by_for_a_dropped_detection_gets_its_result(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_frame_pool *pool;
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_camera_stream *stream = silent_camera(p);
    CHECK_OK(itsi_frame_pool_create(&pool, 4, NULL, NULL, NULL, &diag), diag);
    const int64_t late = itsi_now_ns() - 200 * MS; /* nothing can be on time any more */
    struct itsi_frame *detected = arrive(pool, stream, 10, late), *between = arrive(pool, stream, 11, late + 40 * MS);
    detect_rarely(p, stream);
    assert_false(itsi_tracking_takes(stream, detected));
    itsi_tracking_sent(stream);
    assert_true(itsi_tracking_takes(stream, between));
    pthread_mutex_unlock(&p->table);
    assert_int_equal(status_of(p, "gate").ledger.tracked, 0); /* in the order of the frames */
    assert_int_equal(itsi_mailbox_put(stream->mailbox, detected, false, itsi_now_ns()), 0);
    AWAIT(status_of(p, "gate").ledger.tracked == 1);
    const struct itsi_camera_status status = status_of(p, "gate");
    assert_int_equal(status.ledger.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED], 1);
    assert_int_equal(status.ledger.in_flight, 0);
    itsi_stream_unref(stream);
    (void)close_pipeline(p);
    itsi_frame_pool_close(pool);
}

/* The same where the camera goes instead. */
static void one_that_stands_by_goes_with_its_camera(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_frame_pool *pool;
    struct itsi_pipeline *p = open_pipeline(&params);
    struct itsi_camera_stream *stream = silent_camera(p);
    CHECK_OK(itsi_frame_pool_create(&pool, 4, NULL, NULL, NULL, &diag), diag);
    itsi_tracking_sent(stream);
    struct itsi_frame *between = arrive(pool, stream, 11, itsi_now_ns());
    detect_rarely(p, stream);
    stream->tracking.last_sent = between->info.trace.origin - 40 * MS;
    assert_true(itsi_tracking_takes(stream, between));
    pthread_mutex_unlock(&p->table);
    CHECK_OK(itsi_pipeline_remove_camera(p, "gate", &diag), diag);
    itsi_tracking_gave_up(stream);
    itsi_batcher_kick(p->batcher);
    itsi_stream_unref(stream);
    const struct itsi_ledger_counts counts = close_pipeline(p);
    assert_int_equal(counts.tracked, 0);
    assert_int_equal(counts.dropped[ITSI_STAGE_POSTPROCESSING][ITSI_DROP_CAMERA_REMOVED], 1);
    itsi_frame_pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_stood_by_for_a_dropped_detection_gets_its_result),
        TEST(one_that_stands_by_goes_with_its_camera),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

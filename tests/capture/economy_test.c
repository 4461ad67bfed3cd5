/* Cameras of which less than everything is wanted: what is left out, what comes out, and what the books say. */
#include "capture/harness.h"
#include "capture/media.h"

#define CLIP "-f lavfi -i testsrc2=size=640x480:rate=25:duration=4 -pix_fmt yuv420p "

struct phase {
    uint64_t frames, skipped, corrupt;
    double cpu_ms; /* a second */
};

/* Lets the camera run as it is told to and says what that gave. The first half second belongs to the change. */
static struct phase run_phase(struct cam *cam, enum itsi_decode_mode decode, double most, double seconds)
{
    struct itsi_capture_status a, b;
    struct itsi_ledger_counts before, after;
    itsi_capture_economise(cam->capture, decode, most, false);
    usleep(500000);
    itsi_ledger_snapshot(&cam->ledger, &before);
    itsi_capture_status(cam->capture, &a);
    usleep((useconds_t)(seconds * 1e6));
    itsi_capture_status(cam->capture, &b);
    itsi_ledger_snapshot(&cam->ledger, &after);
    assert_int_equal(itsi_ledger_balance(&after), 0);
    return (struct phase){.frames = b.frames - a.frames,
                          .skipped = after.skipped - before.skipped,
                          .corrupt = after.corrupt - before.corrupt,
                          .cpu_ms = (double)(b.cpu_ns - a.cpu_ns) / 1e6 / seconds};
}

/* There and back: whatever was left out, nothing of what goes on is damaged, and no picture goes back in time. */
static void expect_economy(const char *name, const char *args)
{
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make(name, args), 0);
    cam_init(&cam);
    cam_start(&cam, media_path(name));
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 5));
    const struct phase all = run_phase(&cam, ITSI_DECODE_ALL, 0, 1.5);
    const struct phase keys = run_phase(&cam, ITSI_DECODE_KEY, 0, 2);
    struct itsi_capture_status status;
    itsi_capture_status(cam.capture, &status);
    const struct phase references = run_phase(&cam, ITSI_DECODE_REFERENCE, 0, 1.5);
    const struct phase again = run_phase(&cam, ITSI_DECODE_ALL, 0, 1.5);
    print_message("%s: %.1f ms of CPU a second for all, %.1f for references, %.1f for key frames\n", name, all.cpu_ms,
                  references.cpu_ms, keys.cpu_ms);
    assert_int_equal(all.skipped, 0);
    assert_in_range(all.frames, 28, 46);
    CHECK_NEAR(status.key_seconds, 0.4, 0.01);
    assert_in_range(keys.frames, 3, 8); /* 2.5 a second */
    assert_in_range(keys.skipped, 35, 56);
    assert_true(keys.cpu_ms < all.cpu_ms);
    assert_true(references.skipped > 0);
    assert_int_equal(again.skipped, 0);
    assert_in_range(again.frames, 28, 46);
    cam_stop(&cam, &counts);
    assert_int_equal(counts.corrupt, 0);
    assert_int_equal(counts.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_WAIT_KEY], 0); /* the clip's seams, too */
    assert_int_equal(cam.disorder, 0);
}

static void less_is_decoded_and_nothing_is_damaged(void **state)
{
    (void)state;
    expect_economy("b.ts", CLIP "-c:v libx264 -preset fast -bf 2 -b_strategy 0 -g 10 -f mpegts");
    expect_economy("open.mp4", CLIP "-c:v libx264 -preset fast -bf 2 -b_strategy 0 -g 10 -x264-params open-gop=1");
    expect_economy("hevc.mp4", CLIP "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=10");
}

static double key_seconds_of(struct cam *cam)
{
    struct itsi_capture_status status;
    itsi_capture_status(cam->capture, &status);
    return status.key_seconds;
}

/* Key frames at 0, 1 and 7 s: that they have become rare shows long before the next. */
static void key_frames_that_stay_away_are_noticed(void **state)
{
    (void)state;
    struct cam cam;
    assert_int_equal(media_make("irregular.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=8 -pix_fmt yuv420p "
                                                 "-c:v libx264 -preset ultrafast -bf 0 -g 400 -sc_threshold 0 "
                                                 "-force_key_frames 0,1,7"), 0);
    cam_init(&cam);
    cam_start(&cam, media_path("irregular.mp4"));
    assert_true(CAM_WAIT(&cam, 10, key_seconds_of(&cam) > 0));
    CHECK_NEAR(key_seconds_of(&cam), 1, 0.1);
    assert_true(CAM_WAIT(&cam, 10, key_seconds_of(&cam) >= 2));
    pthread_mutex_lock(&cam.mutex);
    const int64_t at = cam.info.media_ns;
    pthread_mutex_unlock(&cam.mutex);
    assert_true(at < 5 * ITSI_NS_PER_S);
    cam_stop(&cam, NULL);
}

/* One key frame at the beginning, and then a refresh that begins every second and ends at the next: nothing that a camera could
 * live on alone. Asked to all the same it gives no picture; and is joined again where a refresh begins, not at its next key
 * frame a minute later. */
static void a_gradual_refresh_gives_no_key_frames(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("gradual.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=60 -pix_fmt yuv420p "
                                               "-c:v libx264 -preset ultrafast -bf 0 -g 25 "
                                               "-x264-params intra-refresh=1:sliced-threads=0"), 0);
    cam_init(&cam);
    cam_start(&cam, media_path("gradual.mp4"));
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 60)); /* two refreshes have begun since */
    assert_true(key_seconds_of(&cam) == 0);
    const struct phase keys = run_phase(&cam, ITSI_DECODE_KEY, 0, 1.5);
    assert_int_equal(keys.frames, 0);
    itsi_capture_economise(cam.capture, ITSI_DECODE_ALL, 0, false);
    const uint64_t before = cam_frames(&cam);
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= before + 50));
    cam_stop(&cam, &counts);
    assert_int_equal(itsi_ledger_balance(&counts), 0);
    /* of the pictures between there and the first whole one nothing was damaged: the rest of them was sent before */
    assert_int_equal(counts.corrupt, 0);
    assert_in_range(counts.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_WAIT_KEY], 1, 25);
}

static void fewer_pictures_go_on_and_evenly(void **state)
{
    (void)state;
    struct cam cam;
    assert_int_equal(media_make("p.mp4", CLIP "-c:v libx264 -preset ultrafast -bf 0 -g 10"), 0);
    cam_init(&cam);
    cam_start(&cam, media_path("p.mp4"));
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 5));
    const struct phase five = run_phase(&cam, ITSI_DECODE_ALL, 5, 4);
    assert_in_range(five.frames, 17, 23);
    assert_in_range(five.skipped, 70, 90);
    const struct phase one = run_phase(&cam, ITSI_DECODE_KEY, 1, 4);
    assert_in_range(one.frames, 3, 5);
    cam_stop(&cam, NULL);
}

/* Under the camera's mutex. */
static void count_in_place(struct cam *cam, const struct itsi_frame *frame)
{
    uint64_t *in_place = cam->arg;
    *in_place += frame->info.in_place;
}

static uint64_t none_taken(void *arg)
{
    (void)arg;
    return 0;
}

static uint64_t all_taken(void *arg) { return cam_frames(arg); }

/* Of each group of ten, those of its first half, each in place of the one before, as they are marked; all whole. */
static void what_follows_a_key_frame_takes_its_place(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("p.mp4", CLIP "-c:v libx264 -preset ultrafast -bf 0 -g 10"), 0);
    for (int taken = 0; taken < 2; taken++) {
        uint64_t in_place = 0;
        cam_init(&cam);
        cam.look = count_in_place;
        cam.arg = &in_place;
        cam.params.sink.taken = taken ? all_taken : none_taken;
        cam_start(&cam, media_path("p.mp4"));
        assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 15)); /* two key frames, so that the group is known */
        const struct phase keys = run_phase(&cam, ITSI_DECODE_KEY, 2.5, 4);
        assert_in_range(keys.frames, taken ? 9 : 43, taken ? 12 : 57);
        cam_stop(&cam, &counts);
        assert_in_range(in_place, taken ? 0 : keys.frames * 3 / 4, taken ? 0 : keys.frames); /* four of five */
        assert_int_equal(counts.corrupt, 0);
        assert_int_equal(cam.disorder, 0);
    }
}

static void unpaced_sources_are_not_thinned(void **state)
{
    (void)state;
    struct cam cam;
    char url[512];
    assert_int_equal(media_make("p.mp4", CLIP "-c:v libx264 -preset ultrafast -bf 0 -g 10"), 0);
    snprintf(url, sizeof url, "%s?pace=off&loop=0", media_path("p.mp4"));
    cam_init(&cam);
    struct its_diag diag;
    cam.params.url = url;
    CHECK_OK(itsi_capture_create(&cam.capture, &cam.params, &diag), diag);
    itsi_capture_economise(cam.capture, ITSI_DECODE_KEY, 1, true);
    CHECK_OK(itsi_capture_start(cam.capture, &diag), diag);
    assert_true(CAM_WAIT(&cam, 30, cam_state(&cam) == ITSI_CAPTURE_ENDED));
    assert_int_equal(cam_frames(&cam), 100);
    cam_stop(&cam, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_is_decoded_and_nothing_is_damaged),
        cmocka_unit_test(key_frames_that_stay_away_are_noticed),
        cmocka_unit_test(a_gradual_refresh_gives_no_key_frames),
        cmocka_unit_test(fewer_pictures_go_on_and_evenly),
        cmocka_unit_test(what_follows_a_key_frame_takes_its_place),
        cmocka_unit_test(unpaced_sources_are_not_thinned),
    };
    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

/* Files, synthetic and null cameras through the whole of capture: what comes out, when, and what the books say. */
#include "capture/harness.h"
#include "capture/media.h"
#include "capture/synth.h"
#include "capture/truth.h"
#include "render/road.h"

#define TESTSRC "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -pix_fmt yuv420p "
#define X264 "-c:v libx264 -preset ultrafast -g 25 "

/* Plays a file once, as fast as it decodes. */
static void play_all(struct cam *cam, const char *path, struct itsi_ledger_counts *counts)
{
    char url[512];
    snprintf(url, sizeof url, "%s?pace=off&loop=0", path);
    cam_init(cam);
    cam_start(cam, url);
    assert_true(CAM_WAIT(cam, 30, cam_state(cam) == ITSI_CAPTURE_ENDED));
    struct itsi_capture_status status;
    itsi_capture_status(cam->capture, &status);
    assert_int_equal(status.last_code, 0);
    assert_false(status.live);
    cam_stop(cam, counts);
    assert_int_equal(cam->disorder, 0);
    assert_int_equal(counts->missing, 0);
}

static void expect_all(const char *name, const char *args, uint64_t frames, int width, int height)
{
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make(name, args), 0);
    play_all(&cam, media_path(name), &counts);
    assert_int_equal(cam.frames, frames);
    assert_int_equal(counts.expected, frames);
    assert_int_equal(counts.delivered, frames);
    assert_int_equal(cam.picture.width, width);
    assert_int_equal(cam.picture.height, height);
    assert_int_equal(cam.info.deadline, ITSI_NEVER);
    assert_string_equal(cam.info.camera_id, "camera_001");
    assert_int_equal(cam.info.camera, 3);
    assert_int_equal(cam.info.generation, 7);
}

static void codecs_and_shapes(void **state)
{
    (void)state;
    expect_all("plain.mp4", TESTSRC X264 "-bf 0", 50, 320, 240);
    expect_all("b.mp4", TESTSRC "-c:v libx264 -preset fast -bf 3 -g 25", 50, 320, 240);
    expect_all("hevc.mp4", TESTSRC "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3", 50, 320, 240);
    expect_all("mpeg2.ts", TESTSRC "-c:v mpeg2video -bf 2 -q:v 4", 50, 320, 240);
    expect_all("mjpeg.avi", TESTSRC "-c:v mjpeg -q:v 5", 50, 320, 240);
    expect_all("odd.mp4", "-f lavfi -i testsrc2=size=640x480:rate=25:duration=1 -vf scale=321:241 -pix_fmt yuv444p " X264, 25, 321, 241);
    expect_all("odd420.mkv", "-f lavfi -i testsrc2=size=640x480:rate=25:duration=1 -vf scale=321:241 -pix_fmt yuvj420p -c:v mjpeg", 25, 321,
               241);
    expect_all("raw.h264", TESTSRC X264 "-bf 0 -f h264", 50, 320, 240);
    expect_all("rawb.h264", TESTSRC "-c:v libx264 -preset fast -bf 2 -g 25 -f h264", 50, 320, 240);
    expect_all("opengop.mp4", TESTSRC "-c:v libx264 -preset fast -bf 2 -g 10 -x264-params open-gop=1", 50, 320, 240);
}

static void pictures_are_described(void **state)
{
    (void)state;
    static const struct {
        const char *name, *args;
        enum itsi_layout layout;
        int sx, sy;
        bool full;
        enum itsi_matrix matrix;
    } cases[] = {
        {"d420.mkv", "-pix_fmt yuv420p " X264, ITSI_LAYOUT_PLANAR, 1, 1, false, ITSI_MATRIX_BT601},
        {"d709.mkv", "-pix_fmt yuv420p -colorspace bt709 " X264, ITSI_LAYOUT_PLANAR, 1, 1, false, ITSI_MATRIX_BT709},
        {"d422.mkv", "-pix_fmt yuv422p " X264, ITSI_LAYOUT_PLANAR, 1, 0, false, ITSI_MATRIX_BT601},
        {"d444.mkv", "-pix_fmt yuv444p " X264, ITSI_LAYOUT_PLANAR, 0, 0, false, ITSI_MATRIX_BT601},
        {"djpeg.mkv", "-pix_fmt yuvj422p -c:v mjpeg", ITSI_LAYOUT_PLANAR, 1, 0, true, ITSI_MATRIX_BT601},
        {"dgray.mkv", "-pix_fmt gray -color_range tv -c:v ffv1", ITSI_LAYOUT_GRAY, 0, 0, false, ITSI_MATRIX_BT601},
        {"d10.mkv", "-pix_fmt yuv420p10le " X264, ITSI_LAYOUT_PLANAR, 1, 1, false, ITSI_MATRIX_BT601}, /* converted */
        {"drgb.mkv", "-pix_fmt gbrp -c:v ffv1", ITSI_LAYOUT_PLANAR, 1, 1, false, ITSI_MATRIX_BT601},   /* converted */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char args[512];
        snprintf(args, sizeof args, "-f lavfi -i testsrc2=size=322x242:rate=25:duration=0.4 %s", cases[i].args);
        assert_int_equal(media_make(cases[i].name, args), 0);
        struct cam cam;
        struct itsi_ledger_counts counts;
        play_all(&cam, media_path(cases[i].name), &counts);
        assert_int_equal(cam.frames, 10);
        const struct itsi_picture *p = &cam.picture;
        if (p->layout != cases[i].layout || p->chroma_shift_x != cases[i].sx || p->chroma_shift_y != cases[i].sy ||
            p->full_range != cases[i].full || p->matrix != cases[i].matrix)
            fail_msg("%s: layout %d, chroma %d,%d, full %d, matrix %d", cases[i].name, p->layout, p->chroma_shift_x,
                     p->chroma_shift_y, p->full_range, p->matrix);
    }
}

static void variable_rate_owes_nothing(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    /* of 75 pictures those whose number divides by 2, 3 or 7 go */
    assert_int_equal(media_make("vfr.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=3 -vf "
                                           "\"select='mod(n,2)*mod(n,3)*mod(n,7)'\" -vsync vfr -pix_fmt yuv420p " X264),
                     0);
    play_all(&cam, media_path("vfr.mp4"), &counts);
    assert_in_range(cam.frames, 20, 23);
    assert_int_equal(counts.expected, cam.frames);
}

static void a_change_of_size_is_a_new_epoch_and_loses_nothing(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("small.ts", "-f lavfi -i testsrc2=size=160x120:rate=25:duration=1 -pix_fmt yuv420p " X264), 0);
    assert_int_equal(media_make("large.ts", TESTSRC X264 "-output_ts_offset 1"), 0);
    assert_int_equal(media_shell("cat %s %s > %s", media_path("small.ts"), media_path("large.ts"), media_path("both.ts")), 0);
    play_all(&cam, media_path("both.ts"), &counts);
    assert_int_equal(cam.sizes, 1);
    assert_int_equal(cam.picture.width, 320);
    assert_true(cam.info.epoch >= 1);
    assert_int_equal(counts.expected, 75);
    assert_int_equal(counts.delivered + counts.corrupt + itsi_ledger_dropped(&counts), 75);
    assert_true(counts.delivered >= 73);
}

static void stamps_that_go_back_are_a_new_epoch(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("late.ts", TESTSRC X264 "-bf 0 -output_ts_offset 100"), 0);
    assert_int_equal(media_make("early.ts", TESTSRC X264 "-bf 0 -output_ts_offset 10"), 0);
    assert_int_equal(media_shell("cat %s %s > %s", media_path("late.ts"), media_path("early.ts"), media_path("back.ts")), 0);
    play_all(&cam, media_path("back.ts"), &counts);
    assert_int_equal(counts.expected, 100);
    assert_true(counts.delivered >= 98);
    assert_true(cam.info.epoch >= 1);
}

static void mpegts_time_wraps_without_an_epoch(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    /* 2^33 ticks of 90 kHz are 95443.717 s */
    assert_int_equal(media_make("wrap.ts", TESTSRC X264 "-bf 0 -output_ts_offset 95442.7"), 0);
    play_all(&cam, media_path("wrap.ts"), &counts);
    assert_int_equal(counts.delivered, 50);
    assert_int_equal(cam.info.epoch, 0);
}

/* Expects a camera that never runs: BACKOFF with this code and text, frames owed, none delivered. */
static void expect_failure(const char *url, int code, const char *part)
{
    struct cam cam;
    struct itsi_ledger_counts counts;
    struct itsi_capture_status status;
    cam_init(&cam);
    cam.cfg.backoff_initial_seconds = 20; /* long enough to be looked at */
    cam.cfg.config_backoff_max_seconds = 20;
    cam_start(&cam, url);
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_BACKOFF));
    itsi_capture_status(cam.capture, &status);
    if (status.last_code != code)
        fail_msg("%s: code %d, wanted %d (%s)", url, status.last_code, code, status.last_error);
    CHECK_CONTAINS(status.last_error, part);
    assert_true(status.attempts >= 1);
    assert_true(status.next_retry_ns > 0);
    int64_t before = itsi_now_ns();
    cam_stop(&cam, &counts);
    assert_true(itsi_now_ns() - before < ITSI_NS_PER_S);
    assert_int_equal(counts.delivered, 0);
}

static void bad_files_say_what_is_wrong(void **state)
{
    (void)state;
    expect_failure("/nonexistent/clip.mp4", ITS_ENOTFOUND, "/nonexistent/clip.mp4: No such file or directory");
    assert_int_equal(media_shell("printf 'this is not a video\\n' > %s", media_path("text.mp4")), 0);
    expect_failure(media_path("text.mp4"), ITS_EFORMAT, "text.mp4: Invalid data");
    assert_int_equal(media_shell(": > %s", media_path("empty.mp4")), 0);
    expect_failure(media_path("empty.mp4"), ITS_EFORMAT, "empty.mp4");
    /* the index of an MP4 lies at its end: cut off, nothing can be played */
    assert_int_equal(media_make("plain.mp4", TESTSRC X264 "-bf 0"), 0);
    assert_int_equal(media_shell("head -c 20000 %s > %s", media_path("plain.mp4"), media_path("cut.mp4")), 0);
    expect_failure(media_path("cut.mp4"), ITS_EFORMAT, "moov atom not found");
    assert_int_equal(media_make("sound.m4a", "-f lavfi -i sine=duration=1 -c:a aac"), 0);
    expect_failure(media_path("sound.m4a"), ITS_EFORMAT, "no video in it");
}

static void what_a_bad_file_owes_is_entered_as_missing(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    cam_init(&cam);
    cam.params.expected_fps = 100;
    cam_start(&cam, "/nonexistent/clip.mp4");
    assert_true(CAM_WAIT(&cam, 10, (itsi_ledger_snapshot(&cam.ledger, &counts), counts.missing >= 50)));
    cam_stop(&cam, &counts);
    assert_int_equal(counts.expected, counts.missing);
}

static void a_truncated_file_plays_as_far_as_it_goes(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("faststart.mp4", TESTSRC X264 "-bf 0 -movflags +faststart"), 0);
    assert_int_equal(media_shell("head -c $(($(stat -c %%s %s) / 2)) %s > %s", media_path("faststart.mp4"),
                                 media_path("faststart.mp4"), media_path("half.mp4")),
                     0);
    play_all(&cam, media_path("half.mp4"), &counts);
    assert_in_range(cam.frames, 15, 45);
    assert_true(counts.corrupt >= 1); /* the picture that was cut */
}

static void damaged_pictures_are_counted_and_not_shown(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("plain.mp4", TESTSRC X264 "-bf 0"), 0);
    FILE *file = fopen(media_path("plain.mp4"), "rb");
    assert_non_null(file);
    static uint8_t bytes[4 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t at = size / 4; at < size / 2; at += 997) /* in the pictures, not in the index */
        bytes[at] ^= 0x5a;
    file = fopen(media_path("flipped.mp4"), "wb");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    play_all(&cam, media_path("flipped.mp4"), &counts);
    assert_int_equal(counts.expected, 50);
    assert_true(counts.corrupt >= 3);
    assert_int_equal(counts.delivered + counts.corrupt + itsi_ledger_dropped(&counts), 50);
    assert_int_equal(cam.frames, counts.delivered);
}

static void a_file_plays_in_real_time_and_loops_without_a_seam(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("short.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=0.6 -pix_fmt yuv420p "
                                             "-c:v libx264 -preset fast -bf 2 -g 25"), 0);
    cam_init(&cam);
    cam_start(&cam, media_path("short.mp4"));
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 50)); /* more than three rounds */
    pthread_mutex_lock(&cam.mutex);
    double seconds = (double)(cam.last_ns - cam.first_ns) / 1e9;
    double due = (double)(cam.frames - 1) / 25.0;
    struct itsi_frame_info info = cam.info;
    pthread_mutex_unlock(&cam.mutex);
    CHECK_NEAR(seconds / due, 1.0, 0.25);
    cam_stop(&cam, &counts);
    assert_int_equal(cam.disorder, 0);
    assert_int_equal(info.epoch, 0);
    assert_int_equal(info.origin_kind, ITSI_ORIGIN_SCHEDULE);
    assert_int_equal(info.deadline, info.trace.origin + 100 * ITSI_NS_PER_MS);
    CHECK_NEAR((double)info.pts_ns / 1e9, (double)(info.seq - 1) / 25.0, 1e-3);       /* no picture lost at the seam */
    CHECK_NEAR((double)info.media_ns / 1e9, (double)((info.seq - 1) % 15) / 25.0, 1e-3);
    CHECK_NEAR((double)cam.max_media / 1e9, 14.0 / 25.0, 1e-3);
    assert_int_equal(counts.missing + counts.corrupt, 0);
}

static void look_first(struct cam *cam, const struct itsi_frame *frame)
{
    if (cam->frames == 1)
        *(int64_t *)cam->arg = frame->info.media_ns;
}

static void a_start_offset_begins_there(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    int64_t first = -1;
    assert_int_equal(media_make("b.mp4", TESTSRC "-c:v libx264 -preset fast -bf 3 -g 25"), 0);
    cam_init(&cam);
    cam.look = look_first;
    cam.arg = &first;
    cam.params.start_offset_ns = 5400 * ITSI_NS_PER_MS; /* wraps at 2 s: 1.4 s */
    char url[512];
    snprintf(url, sizeof url, "%s?pace=off&loop=0", media_path("b.mp4"));
    cam_start(&cam, url);
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_ENDED));
    cam_stop(&cam, &counts);
    CHECK_NEAR((double)first / 1e9, 1.4, 1e-3);
    assert_int_equal(cam.frames, 15);
    assert_int_equal(counts.expected, 15); /* what was decoded to get there is not in the books */
}

static void look_slow(struct cam *cam, const struct itsi_frame *frame)
{
    (void)frame;
    if (cam->frames == 10)
        usleep(1600000);
}

static void a_machine_that_falls_behind_skips_and_says_so(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    assert_int_equal(media_make("plain.mp4", TESTSRC X264 "-bf 0"), 0);
    cam_init(&cam);
    cam.look = look_slow;
    cam_start(&cam, media_path("plain.mp4"));
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 30));
    cam_stop(&cam, &counts);
    assert_in_range(counts.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_FLUSHED], 25, 55);
    assert_int_equal(counts.missing + counts.corrupt, 0);
    assert_int_equal(cam.disorder, 0);
    /* what was due over the whole time is in the books */
    double due = (double)(cam.last_ns - cam.first_ns) / 1e9 * 25.0;
    CHECK_NEAR((double)counts.expected, due, 8);
}

static void a_frozen_picture_is_noticed_and_delivered(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    struct itsi_capture_status status;
    assert_int_equal(media_make("still.mp4", "-f lavfi -i color=c=gray:size=320x240:rate=25:duration=2 -pix_fmt yuv420p "
                                             X264 "-bf 0"), 0);
    cam_init(&cam);
    cam.cfg.freeze_timeout_seconds = 0.4;
    cam_start(&cam, media_path("still.mp4"));
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_FROZEN));
    uint64_t frames = cam_frames(&cam);
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) > frames + 10));
    itsi_capture_status(cam.capture, &status);
    cam_stop(&cam, &counts);
    assert_int_equal(status.freezes, 1);
    assert_int_equal(status.reconnects, 0);
    assert_int_equal(counts.delivered, cam.frames);
}

static void playing_on_allocates_nothing_of_ours(void **state)
{
    (void)state;
    struct cam cam;
    cam_init(&cam);
    assert_int_equal(media_make("b.mp4", TESTSRC "-c:v libx264 -preset fast -bf 3 -g 25"), 0);
    char url[512];
    snprintf(url, sizeof url, "%s?pace=off", media_path("b.mp4"));
    cam.stop_after = 2000; /* forty rounds */
    cam_start(&cam, url);
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 100));
    uint64_t before = itsi_alloc_count();
    assert_true(CAM_WAIT(&cam, 30, cam_frames(&cam) >= 2000));
    assert_int_equal(itsi_alloc_count() - before, 0);
    cam_stop(&cam, NULL);
}

static void a_receiver_that_stops_ends_the_source(void **state)
{
    (void)state;
    struct cam cam;
    cam_init(&cam);
    cam.stop_after = 10;
    assert_int_equal(media_make("plain.mp4", TESTSRC X264 "-bf 0"), 0);
    char url[512];
    snprintf(url, sizeof url, "%s?pace=off", media_path("plain.mp4"));
    cam_start(&cam, url);
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_STOPPED));
    assert_int_equal(cam_frames(&cam), 10);
    cam_stop(&cam, NULL);
}

static int hold(void *arg, struct itsi_frame *frame, bool may_block)
{
    struct cam *cam = arg;
    (void)may_block;
    pthread_mutex_lock(&cam->mutex);
    if (cam->frames < 4)
        ((struct itsi_frame **)cam->arg)[cam->frames++] = frame;
    else
        abort(); /* the pool has four */
    pthread_mutex_unlock(&cam->mutex);
    return 0;
}

static void an_empty_pool_drops_and_frames_outlive_the_camera(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    struct itsi_frame *held[4];
    assert_int_equal(media_make("plain.mp4", TESTSRC X264 "-bf 0"), 0);
    cam_init(&cam);
    cam.arg = held;
    cam.params.frames = 4;
    cam.params.sink.put = hold;
    cam_start(&cam, media_path("plain.mp4"));
    assert_true(CAM_WAIT(&cam, 10, (itsi_ledger_snapshot(&cam.ledger, &counts),
                                    counts.dropped[ITSI_STAGE_CAMERA_CAPTURE][ITSI_DROP_POOL_EMPTY] >= 5)));
    itsi_capture_destroy(cam.capture);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(held[i]->info.seq, i + 1);
        assert_in_range(held[i]->picture.plane[0][100], 0, 255); /* still there */
        itsi_ledger_deliver(&cam.ledger, 0);
        itsi_frame_unref(&held[i]);
    }
    itsi_ledger_snapshot(&cam.ledger, &counts);
    assert_int_equal(itsi_ledger_balance(&counts), 0);
    assert_int_equal(counts.in_flight, 0);
}

static void a_null_camera_keeps_its_beat(void **state)
{
    (void)state;
    struct cam cam;
    struct itsi_ledger_counts counts;
    cam_init(&cam);
    cam_start(&cam, "null://?fps=100&size=640x360");
    assert_true(CAM_WAIT(&cam, 10, cam_frames(&cam) >= 60));
    cam_stop(&cam, &counts);
    assert_int_equal(cam.disorder, 0);
    assert_int_equal(cam.picture.layout, ITSI_LAYOUT_NONE);
    assert_int_equal(cam.picture.width, 640);
    double seconds = (double)(cam.last_ns - cam.first_ns) / 1e9;
    CHECK_NEAR(seconds * 100 / (double)(cam.info.seq - 1), 1.0, 0.2);
    cam_init(&cam);
    cam_start(&cam, "null://?pace=off&seconds=10&fps=30");
    assert_true(CAM_WAIT(&cam, 10, cam_state(&cam) == ITSI_CAPTURE_ENDED));
    cam_stop(&cam, &counts);
    assert_int_equal(counts.delivered, 300);
}

static void a_synthetic_camera_is_rendered_once_and_knows_its_truth(void **state)
{
    (void)state;
    const char *url = "synth://crossroads?size=320x192&fps=10&seed=7&seconds=1&pace=off&loop=0";
    struct cam cam[2];
    for (int i = 0; i < 2; i++) { /* both at once: one renders, the other waits */
        cam_init(&cam[i]);
        cam[i].params.cache_dir = media_dir;
        cam_start(&cam[i], url);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(CAM_WAIT(&cam[i], 60, cam_state(&cam[i]) == ITSI_CAPTURE_ENDED));
        cam_stop(&cam[i], NULL);
        assert_int_equal(cam[i].frames, 10);
        assert_int_equal(cam[i].picture.width, 320);
    }
    assert_int_equal(media_shell("test $(ls %s/synth/*.mp4 | wc -l) = 1 && ! ls %s/synth/*.part 2>/dev/null", media_dir,
                                 media_dir), 0);
    struct itsi_synth_truth *truth;
    struct its_diag diag = {""};
    CHECK_OK(itsi_synth_truth_open(&truth, url, media_dir, &diag), diag);
    struct itsi_road_params params;
    itsi_road_params_default(&params);
    CHECK_OK(itsi_road_params_parse(&params, url, &diag), diag);
    struct itsi_road *road;
    CHECK_OK(itsi_road_create(&road, &params, &diag), diag);
    static uint8_t y[320 * 192], u[160 * 96], v[160 * 96];
    static struct itsi_road_box boxes[ITSI_ROAD_MAX_BOXES];
    for (int i = 0; i < 10; i++) {
        int wanted = itsi_road_render(road, i, (uint8_t *const[3]){y, u, v}, (const int[3]){320, 160, 160}, boxes);
        const struct itsi_road_box *got = NULL;
        assert_int_equal(itsi_synth_truth_at(truth, i * 100 * ITSI_NS_PER_MS, &got), wanted);
        if (wanted)
            assert_memory_equal(got, boxes, (size_t)wanted * sizeof *boxes);
    }
    const struct itsi_road_box *got;
    assert_int_equal(itsi_synth_truth_at(truth, ITSI_NS_PER_S, &got), 0);
    assert_int_equal(itsi_synth_truth_at(truth, -ITSI_NS_PER_S, &got), 0);
    itsi_road_destroy(road);
    itsi_synth_truth_close(truth);
}

static void a_damaged_truth_is_rendered_anew(void **state)
{
    (void)state;
    const char *url = "synth://street?size=320x192&fps=10&seed=8&seconds=1";
    char clip[512];
    struct its_diag diag = {""};
    CHECK_OK(itsi_synth_clip(url, media_dir, NULL, clip, sizeof clip, &diag), diag);
    assert_int_equal(media_shell("cp %s.truth %s/whole && head -c 40 %s/whole > %s.truth", clip, media_dir, media_dir,
                                 clip),
                     0);
    struct itsi_synth_truth *truth;
    CHECK_OK(itsi_synth_truth_open(&truth, url, media_dir, &diag), diag);
    itsi_synth_truth_close(truth);
    assert_int_equal(media_shell("cmp %s.truth %s/whole", clip, media_dir), 0);
}

static void a_damaged_truth_file_is_refused(void **state)
{
    (void)state;
    struct itsi_truth_writer w;
    struct its_diag diag = {""};
    struct itsi_road_box boxes[2] = {{.x2 = 1}, {.x2 = 2}};
    itsi_truth_init(&w);
    itsi_truth_add(&w, boxes, 2);
    itsi_truth_add(&w, boxes, 0);
    CHECK_OK(itsi_truth_save(&w, media_path("t.truth"), 25, &diag), diag);
    itsi_truth_fini(&w);
    struct itsi_synth_truth *truth = NULL;
    CHECK_OK(itsi_truth_load(&truth, media_path("t.truth"), &diag), diag);
    itsi_synth_truth_close(truth);
    truth = NULL;
    for (int cut = 1; cut < 90; cut += 7) {
        assert_int_equal(media_shell("head -c -%d %s > %s", cut, media_path("t.truth"), media_path("u.truth")), 0);
        assert_int_equal(itsi_truth_load(&truth, media_path("u.truth"), &diag), ITS_EFORMAT);
    }
    assert_int_equal(itsi_truth_load(&truth, media_path("none.truth"), &diag), ITS_ENOTFOUND);
    assert_null(truth);
}

static void probing_a_file(void **state)
{
    (void)state;
    struct its_cfg_capture cfg;
    struct itsi_probe_report r;
    struct its_diag diag = {""};
    cam_cfg(&cfg);
    assert_int_equal(media_make("plain.mp4", TESTSRC X264 "-bf 0"), 0);
    CHECK_OK(itsi_capture_probe(&r, media_path("plain.mp4"), &cfg, NULL, 10, &diag), diag);
    assert_string_equal(r.codec, "h264");
    assert_string_equal(r.pixel_format, "yuv420p");
    assert_string_equal(r.transport, "file");
    assert_int_equal(r.width, 320);
    CHECK_NEAR(r.measured_fps, 25, 1e-6);
    assert_int_equal(r.gop, 25);
    assert_int_equal(r.frames, 50);
    assert_int_equal(r.corrupt + r.lost, 0);
    assert_true(r.can_meet_budget);
    assert_true(r.bitrate_kbps > 10);
    assert_int_equal(media_make("b.mp4", TESTSRC "-c:v libx264 -preset fast -bf 3 -g 25"), 0);
    CHECK_OK(itsi_capture_probe(&r, media_path("b.mp4"), &cfg, NULL, 10, &diag), diag);
    assert_true(r.b_frames >= 1);
    assert_false(r.can_meet_budget);
    CHECK_CONTAINS(r.note, "B-frames");
    assert_int_equal(itsi_capture_probe(&r, "/nonexistent.mp4", &cfg, NULL, 1, &diag), ITS_ENOTFOUND);
    assert_int_equal(itsi_capture_probe(&r, "null://", &cfg, NULL, 1, &diag), ITS_EUNSUPPORTED);
}

static void real_clips_lose_nothing(void **state)
{
    (void)state;
    static const struct { const char *name; uint64_t frames; } clips[] = {
        {"autostrade-tunnel-360p.mp4", 375}, {"autostrade-foreste-cif.mp4", 375}, {"road-overhead-dim-360p.mp4", 480},
        {"highway-720p.mp4", 335},
    };
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        const char *path = media_shared(clips[i].name);
        if (!path) {
            print_message("skipped: no %s in the shared data\n", clips[i].name);
            continue;
        }
        struct cam cam;
        struct itsi_ledger_counts counts;
        play_all(&cam, path, &counts);
        assert_int_equal(counts.delivered, clips[i].frames);
        assert_int_equal(counts.expected, clips[i].frames);
    }
}

static void creation_survives_every_failed_allocation(void **state)
{
    (void)state;
    struct cam cam;
    cam_init(&cam);
    cam.params.url = "rtsp://u:p@127.0.0.1/x";
    cam.params.cache_dir = "/tmp";
    cam.cfg.tls_ca_file = (char *)(uintptr_t)"/tmp/ca.pem";
    int failures = 0;
    for (int n = 1; n < 50; n++) {
        struct its_diag diag = {""};
        cam.capture = NULL;
        itsi_alloc_fail_at(n);
        int rc = itsi_capture_create(&cam.capture, &cam.params, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0)
            break;
        assert_int_equal(rc, ITS_ENOMEM);
        assert_null(cam.capture);
        failures++;
    }
    assert_true(failures >= 4);
    itsi_capture_destroy(cam.capture);
    itsi_capture_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codecs_and_shapes),
        cmocka_unit_test(pictures_are_described),
        cmocka_unit_test(variable_rate_owes_nothing),
        cmocka_unit_test(a_change_of_size_is_a_new_epoch_and_loses_nothing),
        cmocka_unit_test(stamps_that_go_back_are_a_new_epoch),
        cmocka_unit_test(mpegts_time_wraps_without_an_epoch),
        cmocka_unit_test(bad_files_say_what_is_wrong),
        cmocka_unit_test(what_a_bad_file_owes_is_entered_as_missing),
        cmocka_unit_test(a_truncated_file_plays_as_far_as_it_goes),
        cmocka_unit_test(damaged_pictures_are_counted_and_not_shown),
        cmocka_unit_test(a_file_plays_in_real_time_and_loops_without_a_seam),
        cmocka_unit_test(a_start_offset_begins_there),
        cmocka_unit_test(a_machine_that_falls_behind_skips_and_says_so),
        cmocka_unit_test(a_frozen_picture_is_noticed_and_delivered),
        cmocka_unit_test(playing_on_allocates_nothing_of_ours),
        cmocka_unit_test(a_receiver_that_stops_ends_the_source),
        cmocka_unit_test(an_empty_pool_drops_and_frames_outlive_the_camera),
        cmocka_unit_test(a_null_camera_keeps_its_beat),
        cmocka_unit_test(a_synthetic_camera_is_rendered_once_and_knows_its_truth),
        cmocka_unit_test(a_damaged_truth_is_rendered_anew),
        cmocka_unit_test(a_damaged_truth_file_is_refused),
        cmocka_unit_test(probing_a_file),
        cmocka_unit_test(real_clips_lose_nothing),
        cmocka_unit_test(creation_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

#include "support/check.h"

#include "quality/ladder.h"
#include "quality/profile.h"

static const struct itsi_quality_input inputs[] = {{960, 576, 0, 0}, {640, 384, 0, 0}, {480, 288, 0, 0}, {416, 256, 0, 0},
                                                   {320, 192, 0, 0}};
static const struct itsi_quality_snapshot machine = {.inputs = inputs, .input_count = 5, .own_input = 1};

static const struct itsi_quality_camera plain = {.width = 1920, .height = 1080, .fps = 25};

static struct itsi_quality_target at(const struct itsi_quality_camera *camera, int decode, int compute, int encode)
{
    const struct itsi_quality_position position = {{decode, compute, encode}};
    struct itsi_quality_target target = {.key = 0};
    itsi_quality_target_make(&machine, camera, &position, 1, &target);
    return target;
}

static double detections(const struct itsi_quality_target *target)
{
    return target->analysed_fps / target->detect_interval;
}

static void levels_and_rungs_agree(void **state)
{
    (void)state;
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++) {
        const struct itsi_quality_position position = itsi_quality_position_at(level);
        const struct itsi_quality_profile *profile = itsi_quality_profile(level);
        const struct itsi_quality_camera endless = {.width = 3840, .height = 2160, .fps = 240};
        const struct itsi_quality_target target = at(&endless, 0, itsi_quality_rung_of(level), 0);
        assert_int_equal(target.detect_interval, profile->detect_interval);
        CHECK_NEAR((double)inputs[target.input].width / inputs[1].width, profile->input_share, 0.01);
        assert_int_equal(itsi_quality_level_of(itsi_quality_rung_of(level)), level);
        assert_int_equal(itsi_quality_position_level(&position), level);
    }
    const struct itsi_quality_position mixed = {{1, 3, 2}}, bottom = {{1, 7, 1}};
    assert_int_equal(itsi_quality_position_level(&mixed), ITSI_QUALITY_LOW);
    assert_int_equal(itsi_quality_position_level(&bottom), ITSI_QUALITY_ULTRA_LOW);
}

static void compute_gives_up_cadence_before_size(void **state)
{
    (void)state;
    static const struct {
        int input, interval;
        double analysed;
    } wanted[ITSI_QUALITY_RUNGS] = {{0, 1, 25}, {1, 1, 25}, {1, 2, 25}, {2, 3, 20},
                                    {2, 4, 15}, {2, 6, 15}, {4, 8, 15}, {4, 15, 15}};
    double before = 1e9;
    for (int rung = 0; rung < ITSI_QUALITY_RUNGS; rung++) {
        const struct itsi_quality_target target = at(&plain, 1, rung, 1);
        assert_int_equal(target.input, wanted[rung].input);
        assert_int_equal(target.detect_interval, wanted[rung].interval);
        CHECK_NEAR(target.analysed_fps, wanted[rung].analysed, 1e-9);
        const double pixels = detections(&target) * inputs[target.input].width * inputs[target.input].height;
        assert_true(pixels < before);
        before = pixels;
        assert_int_equal(target.decode, ITSI_DECODE_ALL);
        assert_int_equal(target.encode_height, 1080);
    }
}

/* Whatever the camera gives, down to a frame a second nothing goes below it. */
static void detection_keeps_its_floor(void **state)
{
    (void)state;
    for (double fps = 0.5; fps < 61; fps += 0.37)
        for (int rung = 0; rung < ITSI_QUALITY_RUNGS; rung++) {
            struct itsi_quality_camera camera = plain;
            camera.fps = fps;
            const struct itsi_quality_target target = at(&camera, 1, rung, 1);
            assert_true(target.detect_interval >= 1 && target.analysed_fps <= fps + 1e-9 && target.analysed_fps <= 30);
            assert_true(detections(&target) >= 0.99 * fmin(fps, 1));
        }
}

/* Its first pictures come before anybody knows how fast they do: they are held to what the rung is for, whatever comes. */
static void a_rung_holds_from_the_first_picture_on(void **state)
{
    (void)state;
    for (int rung = 0; rung < ITSI_QUALITY_RUNGS; rung++) {
        struct itsi_quality_camera fast = plain, unknown = plain;
        fast.fps = 120;
        unknown.fps = 0;
        const struct itsi_quality_target wanted = at(&fast, 1, rung, 1), held = at(&unknown, 1, rung, 1);
        CHECK_NEAR(detections(&held), detections(&wanted), 1e-9);
        CHECK_NEAR(held.analysed_fps, wanted.analysed_fps, 1e-9);
    }
    struct itsi_quality_camera away = plain; /* it lived on its key frames */
    away.fps = 0;
    away.key_fps = 1;
    const struct itsi_quality_target target = at(&away, 4, 7, 1);
    assert_int_equal(target.decode, ITSI_DECODE_KEY);
    CHECK_NEAR(target.analysed_fps, 1.1, 1e-9);
}

/* Where tracking does not hold there are as many detections and no frames between them. */
static void no_longer_an_interval_than_tracking_holds(void **state)
{
    (void)state;
    struct itsi_quality_camera camera = plain;
    camera.max_interval = 2;
    for (int rung = 0; rung < ITSI_QUALITY_RUNGS; rung++) {
        const struct itsi_quality_target free = at(&plain, 1, rung, 1), held = at(&camera, 1, rung, 1);
        assert_true(held.detect_interval <= 2);
        CHECK_NEAR(detections(&held), detections(&free), 1e-9);
    }
}

static void decoding_gives_up_pixels_then_frames(void **state)
{
    (void)state;
    struct itsi_quality_camera camera = plain;
    camera.has_sub = true;
    camera.droppable = 0.5;
    camera.key_fps = 2;
    static const struct {
        bool sub;
        enum itsi_decode_mode mode;
        double analysed;
    } with[] = {{false, ITSI_DECODE_ALL, 25}, {false, ITSI_DECODE_ALL, 25}, {true, ITSI_DECODE_ALL, 25},
                {true, ITSI_DECODE_REFERENCE, 12.5}, {true, ITSI_DECODE_KEY, 2}};
    for (int rung = 0; rung < 5; rung++) {
        const struct itsi_quality_target target = at(&camera, rung, 1, 1);
        assert_int_equal(target.sub_stream, with[rung].sub);
        assert_int_equal(target.decode, with[rung].mode);
        CHECK_NEAR(target.analysed_fps, with[rung].analysed, 1e-9);
    }
    camera.has_sub = false;
    const struct itsi_quality_target medium = at(&camera, 2, 1, 1);
    assert_false(medium.sub_stream);
    assert_int_equal(medium.decode, ITSI_DECODE_REFERENCE);
    /* of two key frames a second, all are detected */
    const struct itsi_quality_target lowest = at(&camera, 4, 4, 4);
    assert_int_equal(lowest.decode, ITSI_DECODE_KEY);
    CHECK_NEAR(detections(&lowest), 2, 1e-9);
}

/* Key frames every ten seconds, or nobody knows how often: they are not to be lived on. */
static void decoding_keeps_the_floor(void **state)
{
    (void)state;
    struct itsi_quality_camera camera = plain;
    camera.key_fps = 0.1;
    assert_int_equal(at(&camera, 4, 4, 4).decode, ITSI_DECODE_ALL);
    camera.droppable = 0.5;
    assert_int_equal(at(&camera, 4, 4, 4).decode, ITSI_DECODE_REFERENCE);
    camera.key_fps = 0;
    assert_int_equal(at(&camera, 4, 4, 4).decode, ITSI_DECODE_REFERENCE);
    camera.fps = 1.5;
    assert_int_equal(at(&camera, 4, 4, 4).decode, ITSI_DECODE_ALL);
    /* one of every 30 pictures of 29.97 a second comes once a second, and so does one whose stamps were rounded */
    camera.fps = 29.97;
    camera.key_fps = 29.97 / 30;
    assert_int_equal(at(&camera, 4, 4, 4).decode, ITSI_DECODE_KEY);
    camera.key_fps = 0.98;
    assert_int_equal(at(&camera, 4, 4, 4).decode, ITSI_DECODE_REFERENCE);
}

/* Key frames that come no faster than the floor leave nothing for one that comes to nothing: more are asked for. */
static void the_floor_has_a_margin_over_key_frames(void **state)
{
    (void)state;
    struct itsi_quality_camera camera = plain;
    static const struct {
        double key_fps, wanted;
    } rates[] = {{1, 1.1}, {0.995, 1.1}, {1.05, 1.1}, {1.25, 1.25}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        camera.key_fps = rates[i].key_fps;
        const struct itsi_quality_target target = at(&camera, 4, ITSI_QUALITY_RUNGS - 1, 4);
        assert_int_equal(target.decode, ITSI_DECODE_KEY);
        CHECK_NEAR(detections(&target), rates[i].wanted, 1e-9);
    }
    /* what is between them cannot be decoded for it, or is not there */
    camera.key_fps = 1;
    camera.reordered = true;
    const struct itsi_quality_target reordered = at(&camera, 4, ITSI_QUALITY_RUNGS - 1, 4);
    CHECK_NEAR(detections(&reordered), 1, 1e-9);
    camera = (struct itsi_quality_camera){.fps = 1, .key_fps = 1};
    const struct itsi_quality_target slow = at(&camera, 4, ITSI_QUALITY_RUNGS - 1, 4);
    CHECK_NEAR(detections(&slow), 1, 1e-9);
}

static void pictures_are_never_enlarged(void **state)
{
    (void)state;
    static const int heights[] = {720, 720, 720, 360, 240};
    struct itsi_quality_camera camera = plain;
    camera.height = 720;
    for (int rung = 0; rung < 5; rung++) {
        const struct itsi_quality_target target = at(&camera, 1, 1, rung);
        assert_int_equal(target.encode_height, heights[rung]);
        assert_int_equal(target.bitrate_kbps, itsi_quality_profile(4 - rung)->bitrate_kbps);
        assert_int_equal(target.jpeg_quality, itsi_quality_profile(4 - rung)->jpeg_quality);
    }
    camera.height = 0; /* not known yet */
    assert_int_equal(at(&camera, 1, 1, 1).encode_height, 1080);
}

/* A single size serves every level. */
static void one_input_is_enough(void **state)
{
    (void)state;
    const struct itsi_quality_snapshot small = {.inputs = &inputs[1], .input_count = 1};
    for (int level = 0; level < ITSI_QUALITY_LEVELS; level++) {
        const struct itsi_quality_position position = itsi_quality_position_at(level);
        struct itsi_quality_target target;
        itsi_quality_target_make(&small, &plain, &position, 1, &target);
        assert_int_equal(target.input, 0);
        assert_int_equal(target.level, level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_and_rungs_agree),
        cmocka_unit_test(compute_gives_up_cadence_before_size),
        cmocka_unit_test(detection_keeps_its_floor),
        cmocka_unit_test(a_rung_holds_from_the_first_picture_on),
        cmocka_unit_test(no_longer_an_interval_than_tracking_holds),
        cmocka_unit_test(decoding_gives_up_pixels_then_frames),
        cmocka_unit_test(decoding_keeps_the_floor),
        cmocka_unit_test(the_floor_has_a_margin_over_key_frames),
        cmocka_unit_test(pictures_are_never_enlarged),
        cmocka_unit_test(one_input_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

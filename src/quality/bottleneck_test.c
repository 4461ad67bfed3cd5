/* Which knob is turned, and whose: the controller against a simulated machine, where one thing is short. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/plant_fixture.h"

/* Deepest rung of a knob over all cameras. */
static int deepest(const struct plant *plant, enum itsi_quality_knob knob)
{
    int rung = 0;
    for (int i = 0; i < plant->count; i++)
        if (plant->targets[i].position.rung[knob] > rung)
            rung = plant->targets[i].position.rung[knob];
    return rung;
}

static const int HIGH_RUNG = ITSI_QUALITY_ULTRA_HIGH - ITSI_QUALITY_HIGH;

/* Processors full of decoding beside an engine with room: sub-streams first, then the frames that nobody refers to. */
static void decodes_less_when_decoding_is_too_much(void **state)
{
    (void)state;
    struct plant *plant = plant_create(4);
    plant->engine_on_cpu = false;
    plant->unit = 0.0005;
    plant_add(plant, 40, 1920, 1080, 25); /* 3.5 cores; the engine 0.5 */
    for (int i = 0; i < 40; i++) {
        struct itsi_quality_camera *facts = &plant->cameras[i].facts;
        facts->has_sub = i < 20;
        facts->droppable = 0.4;
        facts->key_fps = 2;
    }
    plant_run(plant, 10);
    assert_int_equal(plant->total_changes, 0);
    plant->foreign = 1.5;
    plant_run(plant, 20);
    assert_false(plant_suffers(plant));
    assert_int_equal(deepest(plant, ITSI_KNOB_COMPUTE), HIGH_RUNG);
    assert_int_equal(deepest(plant, ITSI_KNOB_ENCODE), HIGH_RUNG);
    assert_int_equal(deepest(plant, ITSI_KNOB_DECODE), ITSI_QUALITY_ULTRA_HIGH - ITSI_QUALITY_MEDIUM);
    plant->foreign = 3.4;
    plant_run(plant, 20);
    assert_false(plant_suffers(plant));
    assert_int_equal(deepest(plant, ITSI_KNOB_COMPUTE), HIGH_RUNG);
    for (int i = 0; i < 40; i++) {
        const struct itsi_quality_target *target = &plant->targets[i];
        assert_true(target->analysed_fps >= 1);
        assert_int_equal(target->sub_stream, plant->cameras[i].facts.has_sub &&
                                                 target->position.rung[ITSI_KNOB_DECODE] > HIGH_RUNG);
    }
    plant->foreign = 0;
    plant_run(plant, 120);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 40);
    plant_destroy(plant);
}

/* Cameras with one stream, no frame to spare and rare key frames: lowering their level would free nothing. */
static void leaves_alone_who_has_nothing_to_give(void **state)
{
    (void)state;
    struct plant *plant = plant_create(4);
    plant->engine_on_cpu = false;
    plant->unit = 0.0005;
    plant_add(plant, 39, 1920, 1080, 25);
    const int able = plant_add(plant, 1, 1920, 1080, 25);
    plant->cameras[able].facts.has_sub = true;
    plant_run(plant, 10);
    plant->foreign = 2;
    plant_run(plant, 20);
    assert_true(plant_suffers(plant));
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 39);
    assert_true(plant->targets[able].sub_stream);
    plant_destroy(plant);
}

/* The engine full beside idle processors: every frame goes on being decoded. */
static void computes_less_when_the_engine_is_full(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant->engine_on_cpu = false;
    plant->unit = 0.0005;
    plant_add(plant, 40, 640, 360, 25);
    plant_run(plant, 10);
    plant->engine_scale = 4;
    plant_run(plant, 20);
    assert_false(plant_suffers(plant));
    assert_true(deepest(plant, ITSI_KNOB_COMPUTE) > HIGH_RUNG);
    assert_int_equal(deepest(plant, ITSI_KNOB_DECODE), HIGH_RUNG);
    assert_int_equal(deepest(plant, ITSI_KNOB_ENCODE), HIGH_RUNG);
    plant_destroy(plant);
}

static struct plant *two_resources(void)
{
    struct plant *plant = plant_create(5);
    plant->engine_on_cpu = false;
    plant->unit = 0.0005;
    plant_add(plant, 40, 1920, 1080, 25);
    for (int i = 0; i < 40; i++)
        plant->cameras[i].facts.has_sub = true;
    plant_run(plant, 10);
    assert_int_equal(plant->total_changes, 0);
    return plant;
}

/* A slow engine and foreign load: first the fuller, then the other. */
static void sees_to_two_bottlenecks(void **state)
{
    (void)state;
    struct plant *plant = two_resources();
    plant->engine_scale = 4;
    plant->foreign = 3;
    double suffered = 0;
    for (int i = 0; i < 40; i++) {
        plant_tick(plant);
        suffered += plant_suffers(plant) ? 0.5 : 0;
    }
    assert_true(suffered <= 3);
    assert_true(deepest(plant, ITSI_KNOB_COMPUTE) > HIGH_RUNG);
    assert_true(deepest(plant, ITSI_KNOB_DECODE) > HIGH_RUNG);
    plant_destroy(plant);
}

/* Everything takes four times as long: what can be seen to be too much is seen to in one step. */
static void sees_to_both_at_once(void **state)
{
    (void)state;
    struct plant *plant = two_resources();
    plant->scale = 4;
    while (plant->events.count == 0)
        plant_tick(plant);
    assert_true(deepest(plant, ITSI_KNOB_COMPUTE) > HIGH_RUNG);
    assert_true(deepest(plant, ITSI_KNOB_DECODE) > HIGH_RUNG);
    plant_destroy(plant);
}

/* Decoding and inference from the same processors: the larger of the two gives way. */
static void turns_the_knob_of_the_larger_work(void **state)
{
    (void)state;
    for (int decode = 0; decode < 2; decode++) {
        struct plant *plant = plant_create(8);
        plant->unit = decode ? 0.002 : 0.010;
        plant_add(plant, 40, decode ? 1920 : 640, decode ? 1080 : 360, decode ? 25 : 15);
        for (int i = 0; i < 40; i++)
            plant->cameras[i].facts.has_sub = true;
        plant_run(plant, 5);
        plant->scale = 1.5;
        plant_run(plant, 5);
        assert_false(plant_suffers(plant));
        assert_true((deepest(plant, ITSI_KNOB_DECODE) > HIGH_RUNG) == decode);
        assert_true((deepest(plant, ITSI_KNOB_COMPUTE) > HIGH_RUNG) == !decode);
        plant_destroy(plant);
    }
}

/* The encoder full: pictures get smaller, nothing else changes. */
static void encodes_less_when_the_encoder_is_full(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 1920, 1080, 5);
    plant_run(plant, 10);
    plant->encode_per_row2 = 1.5 / 20 / 1080 / 1080;
    plant_run(plant, 20);
    assert_true(plant->snapshot.load.encode_share <= plant->policy.busy_high);
    assert_true(deepest(plant, ITSI_KNOB_ENCODE) > HIGH_RUNG);
    assert_int_equal(deepest(plant, ITSI_KNOB_DECODE), HIGH_RUNG);
    assert_int_equal(deepest(plant, ITSI_KNOB_COMPUTE), HIGH_RUNG);
    assert_true(plant->targets[0].encode_height < 1080 || plant->targets[19].encode_height < 1080);
    plant->encode_per_row2 = 0;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* --- the cause ---------------------------------------------------------------------------------------------------- */

/* Detecting the small ones takes the most; decoding the large one takes a sixth of the machine. */
static struct plant *one_large_among_small(void)
{
    struct plant *plant = plant_create(4.7);
    plant->unit = 0.001;
    plant_add(plant, 99, 640, 360, 25);
    const int large = plant_add(plant, 1, 3840, 2160, 50);
    plant->cameras[large].facts.key_fps = 2;
    plant->cameras[large].facts.droppable = 0.5;
    return plant;
}

static void lowers_the_cause_first(void **state)
{
    (void)state;
    struct plant *plant = one_large_among_small();
    plant->scale = 0.85;
    plant_run(plant, 10);
    assert_int_equal(plant->total_changes, 0);
    plant->scale = 1.2;
    plant_run(plant, 20);
    assert_false(plant_suffers(plant));
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 99);
    assert_true(plant->targets[99].level < ITSI_QUALITY_HIGH);
    assert_true(plant->targets[99].decode != ITSI_DECODE_ALL);
    struct itsi_quality_status status;
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.changes_by_reason[ITSI_QUALITY_CAUSE], status.changes);
    plant_destroy(plant);
}

static void lowers_a_cause_with_priority_last(void **state)
{
    (void)state;
    struct plant *plant = one_large_among_small();
    plant->cameras[99].facts.is_priority = true;
    plant->scale = 0.85;
    plant_run(plant, 10);
    plant->scale = 1.2;
    plant_run(plant, 20);
    assert_false(plant_suffers(plant));
    assert_int_equal(plant->targets[99].level, ITSI_QUALITY_HIGH);
    plant_destroy(plant);
}

static void lowers_the_least_weight_first(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    for (int i = 0; i < 20; i++)
        plant->cameras[i].facts.weight = i % 2 ? 5 : 0;
    plant_run(plant, 5);
    plant->scale = 1.8;
    plant_run(plant, 20);
    assert_false(plant_suffers(plant));
    for (int i = 1; i < 20; i += 2)
        assert_int_equal(plant->targets[i].level, ITSI_QUALITY_HIGH);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) < 20);
    plant_destroy(plant);
}

/* --- the figure of the issue -------------------------------------------------------------------------------------- */

/* 100 cameras at 360p and 25 fps on two cores: decoding all takes one, their sources 0.35, and detecting everything would
 * take twenty. Everybody must be analysed once a second at least, in time. */
static void fits_100_cameras_on_two_cores(double key_fps)
{
    struct plant *plant = plant_create(2);
    plant->foreign = 0.35;
    plant->unit = 0.008;
    plant_add(plant, 100, 640, 360, 25);
    for (int i = 0; i < 100; i++)
        plant->cameras[i].facts.key_fps = key_fps;
    double suffered = 0;
    for (int i = 0; i < 240; i++) {
        plant_tick(plant);
        suffered += plant_suffers(plant) ? 0.5 : 0;
    }
    print_message("    key frames %g/s: in danger for %.1f s, then %.2f of the machine; detections of camera 0: %.1f/s, "
                  "decoding \"%s\"\n", key_fps, suffered, plant->utilisation,
                  plant->targets[0].analysed_fps / plant->targets[0].detect_interval,
                  itsi_decode_mode_name(plant->targets[0].decode));
    assert_true(suffered <= 4);
    for (int i = 0; i < 100; i++)
        assert_true(plant->cameras[i].least_detected >= 1);
    /* nobody is detected more rarely than ultra_low says while frames are decoded that nobody looks at */
    if (key_fps >= 1)
        assert_true(deepest(plant, ITSI_KNOB_COMPUTE) <= ITSI_QUALITY_ULTRA_HIGH - ITSI_QUALITY_ULTRA_LOW);
    plant_watch(plant);
    plant->noise = 0.03;
    plant_run(plant, 600);
    print_message("    then 600 s with noise: %d changes\n", plant->total_changes);
    assert_false(plant_suffers(plant));
    plant_destroy(plant);
}

static void fits_100_cameras_with_frequent_key_frames(void **state)
{
    (void)state;
    fits_100_cameras_on_two_cores(2);
}

static void fits_100_cameras_with_rare_key_frames(void **state)
{
    (void)state;
    fits_100_cameras_on_two_cores(0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_less_when_decoding_is_too_much),
        cmocka_unit_test(leaves_alone_who_has_nothing_to_give),
        cmocka_unit_test(computes_less_when_the_engine_is_full),
        cmocka_unit_test(sees_to_two_bottlenecks),
        cmocka_unit_test(sees_to_both_at_once),
        cmocka_unit_test(turns_the_knob_of_the_larger_work),
        cmocka_unit_test(encodes_less_when_the_encoder_is_full),
        cmocka_unit_test(lowers_the_cause_first),
        cmocka_unit_test(lowers_a_cause_with_priority_last),
        cmocka_unit_test(lowers_the_least_weight_first),
        cmocka_unit_test(fits_100_cameras_with_frequent_key_frames),
        cmocka_unit_test(fits_100_cameras_with_rare_key_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

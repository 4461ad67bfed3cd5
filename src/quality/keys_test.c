/* Key frames that come irregularly: when they are relied on, and that every change of what is decoded is told. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/keys.h"
#include "quality/plant_fixture.h"

#define S ITSI_NS_PER_S

static void relied_on_from_the_first_on(void **state)
{
    (void)state;
    struct itsi_quality_keys keys = {.distrusted = false};
    assert_false(itsi_quality_keys_follow(&keys, 0, 1, 0)); /* not known */
    assert_false(itsi_quality_keys_follow(&keys, 2, 1, 1 * S));
    assert_false(itsi_quality_keys_follow(&keys, 0.995, 1, 2 * S)); /* a key frame every 30 of 29.97 a second */
    assert_true(itsi_quality_keys_follow(&keys, 0.98, 1, 3 * S));
    assert_true(itsi_quality_keys_follow(&keys, 0.98, 0.5, 4 * S)); /* it is too soon, whatever is asked for now */
    assert_true(itsi_quality_keys_follow(&keys, 0, 0.5, 5 * S));    /* an outage makes up for nothing */
}

/* One gap is waited out for half a minute, the next for a minute, and half an hour without one makes up for all. */
static void trust_comes_back_ever_later(void **state)
{
    (void)state;
    struct itsi_quality_keys keys = {.distrusted = false};
    int64_t time = 100 * S;
    for (int loss = 0; loss < 9; loss++) {
        const int64_t wait = (INT64_C(30) << (loss < 5 ? loss : 5)) * S;
        assert_false(itsi_quality_keys_follow(&keys, 1, 1, time));
        assert_true(itsi_quality_keys_follow(&keys, 0.5, 1, time += S));
        assert_true(itsi_quality_keys_follow(&keys, 1, 1, time + wait - 1));
        assert_false(itsi_quality_keys_follow(&keys, 1, 1, time += wait));
    }
    time += 1800 * S;
    assert_true(itsi_quality_keys_follow(&keys, 0.5, 1, time));
    assert_false(itsi_quality_keys_follow(&keys, 1, 1, time + 30 * S));
}

/* --- in the controller -------------------------------------------------------------------------------------------- */

enum { CAMERA = 1 }; /* the one that is watched */

/* Cameras with a key frame a second that live on those alone. */
static struct plant *plant_of_keys(void)
{
    struct plant *plant = plant_create(4);
    plant_add(plant, 3, 640, 360, 25);
    for (int i = 0; i < plant->count; i++) {
        plant->cameras[i].facts.key_fps = 1;
        plant->cameras[i].facts.pin = ITSI_QUALITY_ULTRA_LOW;
    }
    plant_run(plant, 60);
    assert_int_equal(plant->targets[CAMERA].decode, ITSI_DECODE_KEY);
    return plant;
}

/* The camera's way of decoding now, how often it changed, and why. */
struct story {
    enum itsi_decode_mode decode;
    bool sub;
    int changes, by_reason[ITSI_QUALITY_REASONS];
};

static void follow(struct plant *plant, struct story *story)
{
    const struct itsi_quality_target *target = &plant->targets[CAMERA];
    plant_tick(plant);
    const bool changed = target->decode != story->decode || target->sub_stream != story->sub;
    int told = 0;
    for (size_t i = 0; i < plant->events.count; i++) {
        const struct itsi_quality_event *event = &plant->items[i];
        if (event->key != plant->cameras[CAMERA].facts.key || event->knob != ITSI_KNOB_DECODE)
            continue;
        story->by_reason[event->reason]++;
        if (event->from_decode == event->to_decode && event->from_sub == event->to_sub)
            continue;
        assert_int_equal(event->from_decode, story->decode);
        assert_int_equal(event->to_decode, target->decode);
        assert_int_equal(event->from_sub, story->sub);
        assert_int_equal(event->to_sub, target->sub_stream);
        told++;
    }
    assert_int_equal(told, changed); /* each once, and nothing else */
    story->changes += changed;
    story->decode = target->decode;
    story->sub = target->sub_stream;
}

/* Twice a second and every three seconds by turns, for ten minutes. */
static void a_swing_is_told_and_damped(void **state)
{
    (void)state;
    struct plant *plant = plant_of_keys();
    struct story story = {.decode = ITSI_DECODE_KEY};
    for (int i = 0; i < 1200; i++) {
        plant->cameras[CAMERA].facts.key_fps = i / 8 % 2 ? 2 : 1.0 / 3;
        follow(plant, &story);
    }
    assert_int_equal(story.changes, 1);
    assert_int_equal(story.by_reason[ITSI_QUALITY_RARE_KEYS], 1);
    plant->cameras[CAMERA].facts.key_fps = 1;
    for (int i = 0; i < 120; i++)
        follow(plant, &story);
    assert_int_equal(story.changes, 2);
    assert_int_equal(story.by_reason[ITSI_QUALITY_STEADY_KEYS], 1);
    assert_int_equal(story.decode, ITSI_DECODE_KEY);
    plant_destroy(plant);
}

/* A camera of which nothing comes is looked for the way it was. */
static void an_outage_changes_nothing(void **state)
{
    (void)state;
    struct plant *plant = plant_of_keys();
    struct story story = {.decode = ITSI_DECODE_KEY};
    for (int i = 0; i < 240; i++) {
        plant->cameras[CAMERA].true_fps = plant->cameras[CAMERA].facts.fps = i / 20 % 2 ? 25 : 0;
        follow(plant, &story);
    }
    assert_int_equal(story.changes, 0);
    plant_destroy(plant);
}

/* The same rung comes to something else when the smaller stream is lost, and when it can be had again. */
static void a_smaller_stream_that_comes_and_goes_is_told(void **state)
{
    (void)state;
    struct plant *plant = plant_of_keys();
    struct story story = {.decode = ITSI_DECODE_KEY};
    struct itsi_quality_camera *facts = &plant->cameras[CAMERA].facts;
    for (int i = 0; i < 40; i++) {
        facts->has_sub = i / 10 % 2;
        facts->sub_lost = i > 10 && !facts->has_sub;
        follow(plant, &story);
    }
    assert_int_equal(story.changes, 3);
    assert_int_equal(story.by_reason[ITSI_QUALITY_STREAM], 2);
    assert_int_equal(story.by_reason[ITSI_QUALITY_SUB_STREAM], 1);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relied_on_from_the_first_on),
        cmocka_unit_test(trust_comes_back_ever_later),
        cmocka_unit_test(a_swing_is_told_and_damped),
        cmocka_unit_test(an_outage_changes_nothing),
        cmocka_unit_test(a_smaller_stream_that_comes_and_goes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

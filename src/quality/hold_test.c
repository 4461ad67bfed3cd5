/* What holds quality down is told, whatever it is, and it is what holds it down. */
#include "support/check.h"

#include "quality/plant_fixture.h"

enum { CAMERAS = 20 };

static struct plant *lowered_plant(void)
{
    struct plant *plant = plant_create(8);
    plant_add(plant, CAMERAS, 640, 360, 25);
    plant_run(plant, 5);
    plant->scale = 3;
    plant_run(plant, 10);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 0);
    plant->scale = 1;
    return plant;
}

static enum itsi_quality_hold hold_of(const struct plant *plant)
{
    struct itsi_quality_status status;
    itsi_quality_status(plant->state, &status);
    return status.hold;
}

static void nothing_is_held_at_full_quality(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant->memory_percent = 90;
    plant_add(plant, CAMERAS, 640, 360, 25);
    plant_run(plant, 5);
    assert_int_equal(hold_of(plant), ITSI_HOLD_NOTHING);
    plant_destroy(plant);
}

/* With plenty of calm and room: memory alone keeps quality where it is, and is named. */
static void memory_is_named(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    plant->memory_percent = 90;
    plant_run(plant, 15);
    plant_watch(plant);
    plant_run(plant, 60);
    assert_int_equal(plant->total_changes, 0);
    assert_int_equal(hold_of(plant), ITSI_HOLD_MEMORY);
    assert_string_equal(itsi_quality_hold_name(hold_of(plant)), "memory");
    CHECK_CONTAINS(itsi_quality_hold_sentence(hold_of(plant)), "memory_threshold_percent");
    plant->memory_percent = 40;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), CAMERAS);
    assert_int_equal(hold_of(plant), ITSI_HOLD_NOTHING);
    plant_destroy(plant);
}

/* All the way up: there is a reason for everybody who is still below. */
static void every_step_of_the_way_up_is_named(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    plant->base_ms = 75; /* neither short of time nor calm */
    plant_run(plant, 2);
    assert_int_equal(hold_of(plant), ITSI_HOLD_LOAD);
    plant->base_ms = 8;
    plant_run(plant, 2);
    plant->policy.recovery = false;
    plant_tick(plant);
    assert_int_equal(hold_of(plant), ITSI_HOLD_SWITCHED_OFF);
    plant->policy.recovery = true;
    plant_tick(plant);
    assert_int_equal(hold_of(plant), ITSI_HOLD_CALM);
    while (plant_at_level(plant, ITSI_QUALITY_HIGH) == 0)
        plant_tick(plant);
    while (plant_at_level(plant, ITSI_QUALITY_HIGH) < CAMERAS) {
        assert_true(hold_of(plant) == ITSI_HOLD_TRIAL || hold_of(plant) == ITSI_HOLD_TURN);
        plant_tick(plant);
    }
    assert_int_equal(hold_of(plant), ITSI_HOLD_NOTHING);
    plant_destroy(plant);
}

/* Lowered first, and then pinned where it was: it is not below its level any more, and rises for nobody. */
static void a_pin_is_not_held(void **state)
{
    (void)state;
    struct itsi_quality_status status;
    struct plant *plant = lowered_plant();
    plant->cameras[0].facts.pin = ITSI_QUALITY_HIGH;
    plant_run(plant, 100);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), CAMERAS);
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.hold, ITSI_HOLD_NOTHING);
    assert_int_equal(status.rise_in_ns, 0);
    plant->cameras[0].facts.pin = -1; /* it is where it was, and comes back as the others did */
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), CAMERAS);
    plant_destroy(plant);
}

/* Calm, at a level beyond which nothing fits. */
static void want_of_room_is_named(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    plant->scale = 2;
    plant_run(plant, 600);
    assert_in_range(plant_at_level(plant, ITSI_QUALITY_HIGH), 0, CAMERAS - 1);
    assert_int_equal(hold_of(plant), ITSI_HOLD_ROOM);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_held_at_full_quality),
        cmocka_unit_test(memory_is_named),
        cmocka_unit_test(every_step_of_the_way_up_is_named),
        cmocka_unit_test(a_pin_is_not_held),
        cmocka_unit_test(want_of_room_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

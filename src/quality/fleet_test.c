/* Cameras that come, go, are pinned, boosted, or many; clocks that step. */
#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "quality/fleet.h"
#include "quality/plant_fixture.h"

static const struct itsi_quality_event *event_of(const struct plant *plant, uint64_t key,
                                                 enum itsi_quality_reason reason)
{
    for (size_t i = 0; i < plant->events.count; i++)
        if (plant->items[i].key == key && plant->items[i].reason == reason)
            return &plant->items[i];
    return NULL;
}

static struct plant *overloaded_plant(void)
{
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 5);
    plant->scale = 3;
    plant_run(plant, 10);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) < 10);
    return plant;
}

static void places_newcomers_where_their_peers_are(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    const int first = plant_add(plant, 2, 640, 360, 25);
    plant->cameras[first + 1].facts.start = ITSI_QUALITY_ULTRA_LOW; /* as admission offered */
    const uint64_t key = plant->cameras[first].facts.key;
    plant_tick(plant);
    assert_true(plant->targets[first].level < ITSI_QUALITY_HIGH);
    const struct itsi_quality_event *event = event_of(plant, key, ITSI_QUALITY_ADMITTED);
    assert_non_null(event);
    assert_int_equal(event->from_level, ITSI_QUALITY_HIGH);
    assert_int_equal(event->to_level, plant->targets[first].level);
    assert_int_equal(plant->targets[first + 1].level, ITSI_QUALITY_ULTRA_LOW);
    plant->scale = 1;
    plant_run(plant, 90);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 22);
    plant_destroy(plant);
}

/* Half of the fleet is replaced during overload, a camera a tick, from anywhere in the list. */
static void follows_cameras_that_come_and_go(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    int suffered = 0;
    for (int i = 0; i < 60; i++) {
        plant_remove(plant, (int)itsi_rand_below(&plant->rng, (uint32_t)plant->count));
        plant_add(plant, 1, 640, 360, 25);
        plant_tick(plant);
        suffered += plant_suffers(plant);
        for (int c = 0; c < plant->count; c++)
            assert_true(plant->targets[c].key == plant->cameras[c].facts.key);
    }
    assert_true(suffered <= 12);
    while (plant->count)
        plant_remove(plant, 0);
    plant_tick(plant);
    struct itsi_quality_status status;
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.lowest_level, -1);
    plant->scale = 1;
    plant_add(plant, 5, 640, 360, 25);
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 5);
    plant_destroy(plant);
}

/* What is known of a camera follows its key and not its place, in whatever order the caller lists them. */
static void keys_identify_not_places(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    int before[20];
    for (int i = 0; i < 20; i++)
        before[i] = plant->targets[i].position.rung[ITSI_KNOB_COMPUTE];
    for (int i = 0; i < 10; i++) {
        const struct plant_camera camera = plant->cameras[i];
        const struct itsi_quality_target target = plant->targets[i];
        plant->cameras[i] = plant->cameras[19 - i];
        plant->targets[i] = plant->targets[19 - i];
        plant->cameras[19 - i] = camera;
        plant->targets[19 - i] = target;
    }
    plant_tick(plant);
    for (int i = 0; i < 20; i++)
        assert_int_equal(plant->targets[i].position.rung[ITSI_KNOB_COMPUTE], before[19 - i]);
    plant_destroy(plant);
}

static void keeps_pinned_cameras_where_they_are(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 5);
    plant->cameras[4].facts.pin = ITSI_QUALITY_LOW;
    plant->cameras[5].facts.pin = ITSI_QUALITY_HIGH;
    plant_tick(plant);
    assert_int_equal(plant->targets[4].level, ITSI_QUALITY_LOW);
    assert_non_null(event_of(plant, plant->cameras[4].facts.key, ITSI_QUALITY_PINNED));
    plant->scale = 3;
    plant_run(plant, 20);
    assert_int_equal(plant->targets[4].level, ITSI_QUALITY_LOW);
    assert_int_equal(plant->targets[5].level, ITSI_QUALITY_HIGH);
    assert_false(plant_suffers(plant));
    plant->scale = 1;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 19);
    plant->cameras[4].facts.pin = -1;
    plant_tick(plant);
    assert_int_equal(plant->targets[4].level, ITSI_QUALITY_HIGH);
    assert_non_null(event_of(plant, plant->cameras[4].facts.key, ITSI_QUALITY_RELEASED));
    plant_destroy(plant);
}

static void boosts_for_a_time(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    const int lowered = plant->targets[2].level;
    plant->cameras[2].facts.boost = ITSI_QUALITY_ULTRA_HIGH;
    plant->cameras[2].facts.boost_until = plant->now + 10 * ITSI_NS_PER_S;
    plant_tick(plant);
    assert_int_equal(plant->targets[2].level, ITSI_QUALITY_ULTRA_HIGH);
    assert_non_null(event_of(plant, plant->cameras[2].facts.key, ITSI_QUALITY_BOOSTED));
    plant_run(plant, 8.5);
    assert_int_equal(plant->targets[2].level, ITSI_QUALITY_ULTRA_HIGH);
    assert_false(plant_suffers(plant));
    plant->now -= 3600 * ITSI_NS_PER_S; /* its time runs out all the same */
    plant_run(plant, 3);
    assert_true(plant->targets[2].level <= lowered + 1 && plant->targets[2].level < ITSI_QUALITY_HIGH);
    plant_destroy(plant);
}

/* --- clocks ------------------------------------------------------------------------------------------------------- */

static void takes_a_clock_that_steps(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    plant->policy.rise_dwell_ns = 60 * ITSI_NS_PER_S;
    plant->scale = 1;
    plant_run(plant, 20);
    plant_watch(plant);
    plant->now += 3600 * ITSI_NS_PER_S; /* an hour of calm that nobody saw */
    plant_run(plant, 10);
    assert_int_equal(plant->total_changes, 0);
    plant->now -= 7200 * ITSI_NS_PER_S;
    plant_run(plant, 10);
    assert_int_equal(plant->total_changes, 0);
    plant_run(plant, 60); /* and what was seen counts */
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant->scale = 3;
    plant->now -= 5 * ITSI_NS_PER_S;
    plant_run(plant, 2);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) < 20);
    plant_destroy(plant);
}

static void takes_irregular_ticks(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    for (int i = 0; i < 200; i++) {
        plant->scale = i > 50 && i < 120 ? 3 : 1;
        plant->tick = (int64_t)itsi_rand_range(&plant->rng, 0.05e9, 1.5e9);
        plant_tick(plant);
        assert_true(i < 60 || i >= 120 || !plant_suffers(plant));
    }
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void counts_events_that_find_no_room(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 5);
    plant->events.capacity = 5;
    plant->scale = 3;
    while (plant->events.count == 0)
        plant_tick(plant);
    assert_int_equal(plant->events.count, 5);
    assert_true(plant->events.suppressed >= 5);
    struct itsi_quality_status status;
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.changes, plant->events.count + plant->events.suppressed);
    assert_int_equal(status.changes_by_reason[plant->items[0].reason], status.changes);
    plant_destroy(plant);
}

/* Once for every time it is lost, and no level moves for it. */
static void tells_of_a_stream_that_is_lost(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 5);
    for (int round = 0; round < 2; round++) {
        plant_watch(plant);
        plant->cameras[4].facts.sub_lost = true;
        plant_tick(plant);
        assert_int_equal(plant->events.count, 1);
        assert_int_equal(plant->items[0].key, plant->cameras[4].facts.key);
        assert_int_equal(plant->items[0].reason, ITSI_QUALITY_SUB_STREAM);
        assert_int_equal(plant->items[0].knob, ITSI_KNOB_DECODE);
        assert_int_equal(plant->items[0].from_rung, plant->items[0].to_rung);
        plant_run(plant, 60);
        plant->cameras[4].facts.sub_lost = false;
        plant_run(plant, 5);
        assert_int_equal(plant->total_changes, 1);
    }
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

static void switched_off_everybody_has_the_default(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    plant->policy.enabled = false;
    plant_tick(plant);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_run(plant, 10);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant->policy.enabled = true;
    plant_run(plant, 5);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) < 20);
    plant->policy.recovery = false; /* what was lowered stays so */
    plant->scale = 0.2;
    plant_watch(plant);
    plant_run(plant, 60);
    assert_int_equal(plant->total_changes, 0);
    plant_destroy(plant);
}

static void keeps_memory_free_before_it_raises(void **state)
{
    (void)state;
    struct plant *plant = overloaded_plant();
    plant->scale = 1;
    plant->memory_percent = 90;
    plant_watch(plant);
    plant_run(plant, 60);
    assert_int_equal(plant->total_changes, 0);
    plant->memory_percent = 40;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

static void refuses_what_it_cannot_hold(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    struct itsi_quality_state *small;
    struct its_diag diag;
    CHECK_OK(itsi_quality_state_create(&small, 2, &diag), diag);
    plant_add(plant, 3, 640, 360, 25);
    plant_tick(plant);
    assert_int_equal(itsi_quality_step(&plant->snapshot, &plant->policy, small, plant->targets, &plant->events),
                     ITS_EINVAL);
    plant->snapshot.count = 2;
    assert_int_equal(itsi_quality_step(&plant->snapshot, &plant->policy, small, plant->targets, &plant->events), 0);
    plant->snapshot.input_count = 0;
    assert_int_equal(itsi_quality_step(&plant->snapshot, &plant->policy, small, plant->targets, &plant->events),
                     ITS_EINVAL);
    itsi_quality_state_destroy(small);
    itsi_quality_state_destroy(NULL);
    plant_destroy(plant);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    struct itsi_quality_state *made = NULL;
    struct its_diag diag;
    int nth = 1;
    for (;; nth++) {
        itsi_alloc_fail_at(nth);
        const int rc = itsi_quality_state_create(&made, 10, &diag);
        if (rc == 0)
            break;
        assert_int_equal(rc, ITS_ENOMEM);
        assert_null(made);
    }
    itsi_alloc_fail_at(0);
    assert_int_equal(nth, 5);
    itsi_quality_state_destroy(made);
}

/* Printed, not asserted: absolute times depend on the machine. */
static void costs_little_with_a_thousand_cameras(void **state)
{
    (void)state;
    struct plant *plant = plant_create(100);
    plant->unit = 0.002;
    plant_add(plant, 1000, 640, 360, 25);
    int64_t quiet = 0, busiest = 0;
    const uint64_t allocations = itsi_alloc_count();
    for (int i = 0; i < 200; i++) {
        plant->scale = i >= 40 && i < 80 ? 4 : 1;
        plant_tick(plant);
        quiet += i >= 20 && i < 40 ? plant->step_ns / 20 : 0;
        busiest = i > 0 && plant->step_ns > busiest ? plant->step_ns : busiest;
    }
    assert_true(itsi_alloc_count() == allocations);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 1000); /* lowered and raised in between */
    print_message("    a step over 1000 cameras: %.0f us while nothing happens, %.0f us at most\n", (double)quiet / 1e3,
                  (double)busiest / 1e3);
    plant_destroy(plant);
}

/* What is counted are whole detections, one too few in a step and one too many in the next: the fleet lacks nothing. */
static void rare_detections_do_not_look_like_missing_ones(void **state)
{
    (void)state;
    struct itsi_quality_fleet fleet;
    struct its_diag diag;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 5);
    CHECK_OK(itsi_quality_fleet_init(&fleet, 20, &diag), diag);
    const double asked = itsi_quality_detections(&plant->cameras[0].facts, &plant->targets[0]);
    const double one = 2; /* detection in half a second */
    for (int step = 0; step < 8; step++) {
        for (int i = 0; i < 20; i++) {
            plant->facts[i].counted_s = 1 / one;
            plant->facts[i].detected_fps = (i + step) % 2 ? asked + one : asked - one;
        }
        itsi_quality_fleet_take(&fleet, &plant->snapshot, &plant->policy, step * ITSI_QUALITY_TICK_NS);
        itsi_quality_fleet_measure(&fleet, ITSI_QUALITY_TICK_NS);
        assert_true(fleet.unmet < 0.001);
    }
    /* more than that of what one gets too much is not given to another */
    for (int i = 0; i < 20; i++)
        plant->facts[i].detected_fps = i < 10 ? 3 * asked : 0;
    itsi_quality_fleet_take(&fleet, &plant->snapshot, &plant->policy, 8 * ITSI_QUALITY_TICK_NS);
    itsi_quality_fleet_measure(&fleet, ITSI_QUALITY_TICK_NS);
    CHECK_NEAR(fleet.unmet, (asked - one) / (2 * asked), 0.001);
    itsi_quality_fleet_fini(&fleet);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rare_detections_do_not_look_like_missing_ones),
        cmocka_unit_test(places_newcomers_where_their_peers_are),
        cmocka_unit_test(follows_cameras_that_come_and_go),
        cmocka_unit_test(keys_identify_not_places),
        cmocka_unit_test(keeps_pinned_cameras_where_they_are),
        cmocka_unit_test(boosts_for_a_time),
        cmocka_unit_test(takes_a_clock_that_steps),
        cmocka_unit_test(takes_irregular_ticks),
        cmocka_unit_test(counts_events_that_find_no_room),
        cmocka_unit_test(tells_of_a_stream_that_is_lost),
        cmocka_unit_test(switched_off_everybody_has_the_default),
        cmocka_unit_test(keeps_memory_free_before_it_raises),
        cmocka_unit_test(refuses_what_it_cannot_hold),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(costs_little_with_a_thousand_cameras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The controller against a simulated machine with a clock of its own: how quality comes back, and that it does not go to
 * and fro. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/plant_fixture.h"

/* --- the way up --------------------------------------------------------------------------------------------------- */

static struct plant *lowered_plant(void)
{
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    for (int i = 0; i < 20; i++)
        plant->cameras[i].facts.weight = i == 11 ? 0 : 3;
    plant_run(plant, 5);
    plant->scale = 4;
    plant_run(plant, 10);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 0);
    plant->scale = 1;
    return plant;
}

static void probes_with_the_least_important(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    int rises = 0;
    while (rises == 0) {
        plant_tick(plant);
        for (int i = 0; i < 20; i++)
            rises += plant->targets[i].level == ITSI_QUALITY_HIGH;
    }
    assert_int_equal(rises, 1);
    assert_int_equal(plant->targets[11].level, ITSI_QUALITY_HIGH);
    assert_int_equal(plant->items[0].reason, ITSI_QUALITY_PROBE);
    plant_destroy(plant);
}

/* One of which nothing comes takes nothing at any level: that its rise brought no overload back would say nothing. */
static void probes_with_one_that_shows(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    plant->cameras[11].facts.fps = plant->cameras[11].true_fps = 0;
    plant->cameras[7].facts.weight = 1; /* the least important of the others, */
    plant->cameras[7].facts.boost = ITSI_QUALITY_HIGH; /* and it has what it would rise to */
    plant->cameras[7].facts.boost_until = plant->now + 600 * ITSI_NS_PER_S;
    uint64_t probe = 0;
    while (probe == 0) {
        plant_tick(plant);
        for (size_t i = 0; i < plant->events.count; i++)
            probe = plant->items[i].reason == ITSI_QUALITY_PROBE ? plant->items[i].key : probe;
    }
    assert_true(probe != plant->facts[11].key && probe != plant->facts[7].key);
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant->cameras[7].facts.boost = -1;
    plant_tick(plant);
    assert_int_equal(plant->targets[7].level, ITSI_QUALITY_HIGH); /* it rose beneath its boost */
    plant_destroy(plant);
}

/* Switched off in the midst of it: nobody else rises, and nobody is told that one will. */
static void rises_no_further_once_switched_off(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    struct itsi_quality_status status;
    plant_run(plant, 2);
    itsi_quality_status(plant->state, &status);
    assert_true(status.rise_in_ns > 0 && !status.recovering);
    while (plant_at_level(plant, ITSI_QUALITY_HIGH) <= 1)
        plant_tick(plant);
    plant->policy.recovery = false;
    plant_run(plant, 20);
    plant_watch(plant);
    itsi_quality_status(plant->state, &status);
    assert_false(status.recovering);
    plant->base_ms = 75; /* no calm */
    plant_run(plant, 5);
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.rise_in_ns, 0);
    plant->base_ms = 8;
    plant->policy.recovery = true;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* Calm now and then is no calm: time between the bands takes from it. */
static void rises_after_calm_that_lasts(void **state)
{
    (void)state;
    struct plant *plant = lowered_plant();
    plant->policy.rise_dwell_ns = 15 * ITSI_NS_PER_S;
    plant_watch(plant);
    for (int i = 0; i < 30; i++) {
        plant->base_ms = i % 2 ? 8 : 75; /* slack under 25 ms: neither short nor ample */
        plant_run(plant, i % 2 ? 10 : 14);
        assert_false(plant_suffers(plant));
    }
    assert_int_equal(plant->total_changes, 0);
    plant->base_ms = 8;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* --- oscillation -------------------------------------------------------------------------------------------------- */

/* Ten minutes of a load that sits on a threshold, with noise. Returns the changes after the first half minute. */
static int sit(struct plant *plant, double scale)
{
    plant->noise = 0.04;
    plant->scale = scale;
    plant_run(plant, 30);
    plant_watch(plant);
    plant_run(plant, 600);
    return plant->total_changes;
}

static void does_not_oscillate_on_a_threshold(void **state)
{
    (void)state;
    int worst = 0;
    for (double load = 0.7; load < 1.2; load += 0.01) {
        struct plant *plant = plant_create(8);
        plant_add(plant, 20, 640, 360, 25);
        const int changes = sit(plant, load / 0.65);
        worst = changes > worst ? changes : worst;
        plant_destroy(plant);
    }
    print_message("    20 cameras, 600 s at each of 50 loads: at most %d changes\n", worst);
    assert_true(worst <= 20);
}

static void does_not_oscillate_where_slack_is_the_limit(void **state)
{
    (void)state;
    int worst = 0, later = 0;
    for (double base = 60; base < 95; base++) {
        struct plant *plant = plant_create(8);
        plant_add(plant, 20, 640, 360, 25);
        plant->base_ms = base;
        const int changes = sit(plant, 1);
        worst = changes > worst ? changes : worst;
        plant_watch(plant);
        plant_run(plant, 600);
        later = plant->total_changes > later ? plant->total_changes : later;
        plant_destroy(plant);
    }
    print_message("    20 cameras, 600 s at each of 35 slacks: at most %d changes, then in 600 s %d\n", worst, later);
    assert_true(worst <= 100 && later <= 40); /* tried, given up, given back */
}

/* A machine that breaks down where the estimate sees room: every rise fails, and each makes the next rarer. */
static void takes_back_what_fails_and_tries_more_rarely(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant->knee = 0.5;
    plant_run(plant, 60);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) < 20);
    int by[2][ITSI_QUALITY_REASONS] = {{0}};
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 600; i++) {
            plant_tick(plant);
            for (size_t e = 0; e < plant->events.count; e++)
                by[half][plant->items[e].reason]++;
        }
    print_message("    probes in the first 5 minutes %d, in the next %d\n", by[0][ITSI_QUALITY_PROBE],
                  by[1][ITSI_QUALITY_PROBE]);
    assert_in_range(by[0][ITSI_QUALITY_PROBE], 1, 8);
    assert_true(by[1][ITSI_QUALITY_PROBE] <= by[0][ITSI_QUALITY_PROBE]);
    /* what rose too far went back itself, and hardly anybody paid for it */
    const int relapses = by[0][ITSI_QUALITY_RELAPSE] + by[1][ITSI_QUALITY_RELAPSE];
    int others = 0;
    for (int half = 0; half < 2; half++)
        others += by[half][ITSI_QUALITY_SLACK] + by[half][ITSI_QUALITY_QUEUE_AGE] + by[half][ITSI_QUALITY_ON_TIME];
    assert_true(relapses >= by[0][ITSI_QUALITY_PROBE] && others < relapses / 2);
    plant_destroy(plant);
}

/* Rises that failed in a long overload, on a machine that bears less than is thought, are forgotten with it. */
static void comes_back_soon_whatever_failed_under_overload(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    struct itsi_quality_status status;
    plant_add(plant, 20, 640, 360, 25);
    plant->knee = 0.8;
    plant->scale = 3;
    plant_run(plant, 600);
    itsi_quality_status(plant->state, &status);
    assert_true(status.flaps >= 2); /* the next rise waits four times as long, or more */
    plant->scale = 0.6;
    plant_watch(plant);
    plant_run(plant, 35);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    for (int i = 0; i < 20; i++)
        assert_in_range(plant->cameras[i].rises, 0, 2);
    plant_destroy(plant);
}

/* A load that swings every half minute, slower than the dwell: followed at first, then no more. */
static void learns_not_to_follow_a_swing(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    int changes[4];
    for (int quarter = 0; quarter < 4; quarter++) {
        plant_watch(plant);
        for (int i = 0; i < 10; i++) {
            plant->scale = i % 2 ? 0.8 : 2;
            plant_run(plant, 30);
        }
        changes[quarter] = plant->total_changes;
    }
    print_message("    a load that swings: changes in 5 minutes each %d, %d, %d, %d\n", changes[0], changes[1], changes[2],
                  changes[3]);
    assert_true(changes[0] >= 20);
    for (int quarter = 1; quarter < 4; quarter++)
        assert_true(changes[quarter] <= changes[0] / 2);
    plant_destroy(plant);
}

/* Waves that follow each other faster than the load shows them: room that was given away is not given away again. */
static void does_not_fill_the_same_room_twice(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 60, 640, 360, 25);
    plant->policy.rise_interval_ns = plant->policy.trial_ns = plant->tick;
    plant_run(plant, 20);
    plant->scale = 0.6; /* full quality would be 1.2 of the machine */
    plant_run(plant, 60);
    struct itsi_quality_status status;
    itsi_quality_status(plant->state, &status);
    assert_true(status.changes_by_reason[ITSI_QUALITY_RECOVERY] > 10);
    assert_int_equal(status.changes_by_reason[ITSI_QUALITY_RELAPSE], 0);
    assert_true(plant->utilisation > 0.8 && plant->utilisation < 0.95);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes_with_the_least_important),
        cmocka_unit_test(probes_with_one_that_shows),
        cmocka_unit_test(rises_no_further_once_switched_off),
        cmocka_unit_test(rises_after_calm_that_lasts),
        cmocka_unit_test(does_not_oscillate_on_a_threshold),
        cmocka_unit_test(does_not_oscillate_where_slack_is_the_limit),
        cmocka_unit_test(takes_back_what_fails_and_tries_more_rarely),
        cmocka_unit_test(comes_back_soon_whatever_failed_under_overload),
        cmocka_unit_test(learns_not_to_follow_a_swing),
        cmocka_unit_test(does_not_fill_the_same_room_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

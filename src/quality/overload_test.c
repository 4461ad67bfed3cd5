/* The controller against a simulated machine with a clock of its own: what happens when more is asked than there is. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/plant_fixture.h"

/* 20 cameras on 8 processors: 0.65 of the machine. Three of them have priority. */
static struct plant *ordinary_plant(void)
{
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    for (int i = 0; i < 3; i++)
        plant->cameras[i].facts.is_priority = true;
    return plant;
}

static int most_rises(const struct plant *plant)
{
    int most = 0;
    for (int i = 0; i < plant->count; i++)
        most = plant->cameras[i].rises > most ? plant->cameras[i].rises : most;
    return most;
}

static void keeps_a_quiet_machine_as_it_is(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    plant_run(plant, 120);
    assert_int_equal(plant->total_changes, 0);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* Waves that grow: each is at most four times the one before. */
static void check_waves(struct plant *plant)
{
    int most = 1;
    for (int i = 0; i < 240; i++) {
        int before[PLANT_CAMERAS], rose = 0;
        for (int c = 0; c < plant->count; c++)
            before[c] = plant->targets[c].level;
        plant_tick(plant);
        for (int c = 0; c < plant->count; c++)
            rose += plant->targets[c].level > before[c];
        assert_true(rose <= most);
        if (rose)
            most *= 4;
    }
    assert_true(most > 16);
}

/* Three times the work for a minute and back. */
static void step_and_back(struct plant *plant, int most_decisions)
{
    double suffered = 0;
    int deciding = 0;
    plant_run(plant, 20);
    plant_watch(plant);
    plant->scale = 3;
    for (int i = 0; i < 120; i++) {
        plant_tick(plant);
        suffered += plant_suffers(plant) ? 0.5 : 0;
        deciding += i < 10 && plant->events.count > 0;
    }
    print_message("    objective in danger for %.1f s after the step, decided in %d steps\n", suffered, deciding);
    assert_true(suffered > 0 && suffered <= 3);
    assert_in_range(deciding, 1, most_decisions);
    for (int i = 0; i < plant->count; i++) {
        assert_true(!plant->cameras[i].facts.is_priority || plant->cameras[i].least_level >= ITSI_QUALITY_MEDIUM);
        assert_true(plant->cameras[i].least_detected >= 1);
    }
    plant_watch(plant);
    plant->scale = 1;
    check_waves(plant);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), plant->count);
    assert_in_range(most_rises(plant), 1, 2);
}

static void answers_a_threefold_step(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    step_and_back(plant, 2);
    plant_destroy(plant);
}

static void answers_it_with_an_engine_of_its_own(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant->engine_on_cpu = false;
    plant->unit = 0.0006;
    plant_add(plant, 40, 640, 360, 25);
    for (int i = 0; i < 8; i++)
        plant->cameras[i].facts.is_priority = true;
    step_and_back(plant, 2);
    plant_destroy(plant);
}

static void answers_it_without_knowing_the_run_time(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    plant->hide_unit = true;
    step_and_back(plant, 3); /* what it sees is a second old */
    plant_destroy(plant);
}

/* What the priority cameras keep is paid for by the others, down to their floor and no further. */
static void lowers_priority_last(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    plant_run(plant, 5);
    plant_watch(plant);
    plant->scale = 1.9;
    plant_run(plant, 30);
    int lowered = 0;
    for (int i = 0; i < plant->count; i++)
        lowered += plant->cameras[i].least_level < ITSI_QUALITY_HIGH;
    assert_true(lowered >= 10);
    for (int i = 0; i < 3; i++)
        assert_int_equal(plant->cameras[i].least_level, ITSI_QUALITY_HIGH);
    plant->scale = 12; /* hopeless: even the floors are too much */
    plant_run(plant, 30);
    for (int i = 0; i < plant->count; i++) {
        assert_int_equal(plant->targets[i].level, i < 3 ? ITSI_QUALITY_MEDIUM : ITSI_QUALITY_ULTRA_LOW);
        CHECK_NEAR(plant->targets[i].analysed_fps / plant->targets[i].detect_interval, i < 3 ? 12.5 : 1, 0.1);
    }
    assert_true(plant_suffers(plant));
    plant->policy.protect_priority = false; /* then they go further, as far as it takes */
    plant_run(plant, 30);
    int below = 0;
    for (int i = 0; i < 3; i++)
        below += plant->targets[i].level < ITSI_QUALITY_MEDIUM;
    assert_true(below > 0);
    assert_false(plant_suffers(plant));
    plant_destroy(plant);
}

static void moves_few_for_a_small_excess(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 5);
    plant->scale = 1.57; /* 1.02 of the machine */
    plant_run(plant, 20);
    assert_in_range(20 - plant_at_level(plant, ITSI_QUALITY_HIGH), 1, 10);
    for (int i = 0; i < 20; i++)
        assert_true(plant->cameras[i].least_level >= ITSI_QUALITY_MEDIUM);
    plant_destroy(plant);
}

/* One level a step while there is time for it. */
static void goes_level_by_level_unless_critical(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    plant_run(plant, 5);
    plant->policy.critical_utilisation = 10;
    plant->never_late = true; /* busy and unmet, but what is admitted is in time */
    plant->scale = 3;
    int before[20];
    for (int i = 0; i < 40; i++) {
        for (int c = 0; c < 20; c++)
            before[c] = plant->targets[c].position.rung[ITSI_KNOB_COMPUTE];
        plant_tick(plant);
        for (int c = 0; c < 20; c++)
            assert_true(plant->targets[c].position.rung[ITSI_KNOB_COMPUTE] - before[c] <= 1);
    }
    assert_true(plant_at_level(plant, ITSI_QUALITY_LOW) > 0);
    assert_false(plant_suffers(plant));
    plant_destroy(plant);
}

/* For how long quality has been of no more help: never while it is, and not for a moment's overload. */
static void says_when_it_has_nothing_left(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    struct itsi_quality_status status;
    plant_run(plant, 5);
    plant->scale = 3;
    for (int i = 0; i < 120; i++) {
        plant_tick(plant);
        itsi_quality_status(plant->state, &status);
        assert_int_equal(status.exhausted_ns, 0);
    }
    plant->scale = 12;
    plant_run(plant, 30);
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.exhausted_cameras, 20);
    CHECK_NEAR((double)status.exhausted_ns / 1e9, 28, 2);
    plant->scale = 1;
    plant_run(plant, 10);
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.exhausted_cameras, 0);
    assert_int_equal(status.exhausted_ns, 0);
    plant_destroy(plant);
}

/* Cameras of which nothing comes have nothing to give either, but the others have. */
static void one_that_is_lost_is_not_exhausted(void **state)
{
    (void)state;
    struct plant *plant = ordinary_plant();
    struct itsi_quality_status status;
    plant_run(plant, 5);
    for (int i = 0; i < 12; i++)
        plant->cameras[i].true_fps = plant->cameras[i].facts.fps = 0;
    plant->scale = 5;
    int overloaded = 0;
    for (int i = 0; i < 120; i++) {
        plant_tick(plant);
        itsi_quality_status(plant->state, &status);
        overloaded += status.pressure >= ITSI_PRESSURE_OVERLOADED;
        assert_int_equal(status.exhausted_ns, 0);
    }
    assert_true(overloaded > 0);
    plant->scale = 200; /* more than these eight can make up for */
    plant_run(plant, 30);
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.exhausted_cameras, 8);
    assert_int_equal(status.taking_cameras, 8);
    assert_true(status.exhausted_ns > 20 * ITSI_NS_PER_S);
    plant_destroy(plant);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static void waits_out_a_stall_of_the_engine(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 20);
    plant_watch(plant);
    plant->stalled = true;
    plant_run(plant, 2);
    plant->stalled = false;
    plant_run(plant, 3);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) >= 16);
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* Frames that are late when they arrive: nothing here can mend that, and nobody shall pay for it. */
static void gives_up_what_does_not_help(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant->base_ms = 110;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_watch(plant);
    plant_run(plant, 120);
    assert_int_equal(plant->total_changes, 0);
    plant->scale = 3; /* a real overload is still seen */
    plant_run(plant, 5);
    assert_true(plant->utilisation < 0.95);
    plant->scale = 1;
    plant->base_ms = 8;
    plant_run(plant, 120);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* Everybody is at the floor, and frames are late where the estimate sees room: nothing was tried that could have failed, so
 * quality does not rise into it. */
static void nothing_left_to_give_is_no_proof(void **state)
{
    (void)state;
    struct plant *plant = plant_create(2);
    struct itsi_quality_status status;
    plant_add(plant, 100, 640, 360, 25);
    plant->scale = 3;
    plant_run(plant, 20);
    plant_watch(plant);
    plant->scale = 1.2;
    plant->knee = 0.5;
    plant_run(plant, 120);
    assert_true(plant->utilisation < plant->policy.busy_target && plant_suffers(plant));
    assert_int_equal(plant->total_changes, 0);
    itsi_quality_status(plant->state, &status);
    assert_int_equal(status.exhausted_cameras, 100);
    assert_true(status.exhausted_ns > 100 * ITSI_NS_PER_S);
    plant->knee = 1;
    plant->scale = 0.03;
    plant_run(plant, 120);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 100);
    plant_destroy(plant);
}

/* 50 frames a second where the camera announced 25: there is no announced rate to go by, the measured one counts. */
static void believes_what_comes_not_what_is_announced(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant->cameras[7].facts.fps = plant->cameras[7].true_fps = 50;
    plant_run(plant, 60);
    assert_int_equal(plant->total_changes, 0);
    CHECK_NEAR(plant->targets[7].analysed_fps, 30, 0.01);
    /* and one whose time stamps promise twice what it gives: nobody pays for detections that cannot be done */
    plant->cameras[8].true_fps = 12.5;
    plant->scale = 1.3;
    plant_run(plant, 60);
    assert_int_equal(plant->total_changes, 0);
    plant->scale = 3;
    plant_run(plant, 20);
    plant->scale = 1;
    plant_run(plant, 60);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

/* A full machine on which all is done and in time is left alone, however rarely each camera is detected: at `fps`, all at
 * one instant or spread. */
static void check_rare_detections(double fps, bool in_step)
{
    struct plant *plant = plant_create(8);
    const int count = (int)(600 / fps);
    plant_add(plant, count, 320, 180, fps);
    for (int i = 0; i < count; i++)
        plant->cameras[i].done = in_step ? 0 : i % 10 / 10.0;
    plant->counts = true;
    plant->scale = 1.28; /* 97 % of the machine */
    plant_run(plant, 20);
    for (int tick = 0; tick < 8; tick++) {
        plant_tick(plant);
        assert_true(plant->snapshot.load.cpu_percent > 95);
        struct itsi_quality_status status;
        itsi_quality_status(plant->state, &status);
        CHECK_NEAR(status.inputs.unmet, 0, 0.02);
    }
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), count);
    plant_destroy(plant);
}

static void counts_no_detection_as_missing_that_is_due_later(void **state)
{
    (void)state;
    check_rare_detections(1, false);
    check_rare_detections(1, true);
    check_rare_detections(1.5, false);
    check_rare_detections(3.75, false);
}

/* A second without motion every ten: decoding costs next to nothing for as long, and everything again afterwards. Some may
 * rise a little further than they would have; nobody is lowered when motion comes back, and it does not go on and on. */
static void a_second_without_motion_is_no_room(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant->unit = 0.002;
    plant_add(plant, 40, 1920, 1080, 25);
    for (int i = 0; i < 40; i++)
        plant->cameras[i].facts.has_sub = true;
    plant->scale = 1.6;
    plant_run(plant, 120);
    assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) < 40);
    const int high = plant_at_level(plant, ITSI_QUALITY_HIGH);
    const double moving = plant->decode_per_pixel;
    for (int i = 0; i < 30; i++) {
        plant->decode_per_pixel = moving / 5;
        plant_run(plant, 1);
        plant->decode_per_pixel = moving;
        plant_run(plant, 9);
        assert_false(plant_suffers(plant));
        assert_true(plant_at_level(plant, ITSI_QUALITY_HIGH) >= high);
        if (i == 9)
            plant_watch(plant);
    }
    assert_int_equal(plant->total_changes, 0);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_quiet_machine_as_it_is),
        cmocka_unit_test(answers_a_threefold_step),
        cmocka_unit_test(answers_it_with_an_engine_of_its_own),
        cmocka_unit_test(answers_it_without_knowing_the_run_time),
        cmocka_unit_test(lowers_priority_last),
        cmocka_unit_test(moves_few_for_a_small_excess),
        cmocka_unit_test(goes_level_by_level_unless_critical),
        cmocka_unit_test(says_when_it_has_nothing_left),
        cmocka_unit_test(one_that_is_lost_is_not_exhausted),
        cmocka_unit_test(waits_out_a_stall_of_the_engine),
        cmocka_unit_test(gives_up_what_does_not_help),
        cmocka_unit_test(nothing_left_to_give_is_no_proof),
        cmocka_unit_test(believes_what_comes_not_what_is_announced),
        cmocka_unit_test(counts_no_detection_as_missing_that_is_due_later),
        cmocka_unit_test(a_second_without_motion_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

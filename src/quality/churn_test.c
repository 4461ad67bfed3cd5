/* Cameras come and go while the machine is full: whoever fits at its floor is let in, whatever has just been there. */
#include "quality/desk_fixture.h"

/* What warming up measured, by how sizes compare there. */
static void warm_up(struct plant *plant, double seconds)
{
    for (int i = 0; i < 3; i++) {
        const double share = (double)plant->inputs[i].width / plant->inputs[0].width;
        plant->inputs[i].warm = seconds * (0.1 + 0.9 * share * share);
    }
}

/* An engine of its own for 50 pictures a second, and cameras that need no decoding. */
static struct plant *engine_of_fifty(void)
{
    struct plant *plant = plant_create(4);
    plant->engine_on_cpu = false;
    plant->undecoded = true;
    plant->unit = 0.02;
    warm_up(plant, plant->unit);
    return plant;
}

/* Eight cameras and one that is protected leave an engine full at `high` and half empty at their floors. Five more come in every
 * half second and stay for as long: there is always room for them. */
static void who_comes_and_goes_fits(void **state)
{
    (void)state;
    enum { STAY = 8, PASSING = 5, ROUNDS = 60 };
    struct desk desk;
    struct plant *plant = engine_of_fifty();
    uint64_t guests[PASSING] = {0};
    desk_open(&desk, plant);
    plant_add(plant, STAY, 1280, 720, 25);
    plant->cameras[plant_add(plant, 1, 1280, 720, 25)].facts.is_priority = true;
    desk_run(&desk, 3);
    plant_watch(plant);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PASSING; i++) {
            desk_leave(&desk, guests[i]);
            guests[i] = desk_ask(&desk, 1280, 720, 25);
        }
        desk_tick(&desk);
        assert_true(plant->cameras[STAY].least_level >= ITSI_QUALITY_MEDIUM);
    }
    print_message("    %d of %d turned away, the last: %s; %.2f of the engine\n", desk.turned_away, ROUNDS * PASSING,
                  desk.reason, plant->utilisation);
    assert_int_equal(desk.turned_away, 0);
    assert_false(plant_suffers(plant));
    desk_close(&desk);
}

static int fill(struct desk *desk, int most)
{
    int in = 0;
    while (in < most && desk_ask(desk, 1280, 720, 25))
        in++;
    return in;
}

/* Whatever shows of their load by then, and although they ask for four times what there is: beside them fit as many as would
 * without anybody giving anything up but them. */
static void no_more_is_let_in_than_the_engine_has(void **state)
{
    (void)state;
    enum { STAY = 8 };
    struct desk desk;
    desk_open(&desk, engine_of_fifty());
    desk_tick(&desk);
    const int alone = fill(&desk, 400);
    desk_close(&desk);
    for (int ticks = 1; ticks <= 12; ticks++) {
        struct plant *plant = engine_of_fifty();
        desk_open(&desk, plant);
        plant_add(plant, STAY, 1280, 720, 25);
        for (int i = 0; i < ticks; i++)
            desk_tick(&desk);
        const int in = fill(&desk, 400);
        print_message("    %d alone, %d beside %d after %d ticks\n", alone, in, STAY, ticks);
        assert_in_range(in, 1, alone);
        desk_close(&desk);
    }
}

/* The load is smoothed over seconds and shows them for as long, but they are gone. */
static void those_who_left_keep_no_room(void **state)
{
    (void)state;
    struct desk desk;
    struct plant *plant = engine_of_fifty();
    desk_open(&desk, plant);
    desk_run(&desk, 3);
    const int fits = fill(&desk, 400);
    desk_run(&desk, 20);
    const double load = plant->utilisation;
    while (plant->count > 0)
        plant_remove(plant, 0);
    desk_tick(&desk);
    const int again = fill(&desk, 400);
    print_message("    %d fit, and %d when they had left\n", fits, again);
    assert_true(fits > 40 && load > 0.4);
    assert_in_range(again, fits * 9 / 10, fits * 11 / 10);
    desk_run(&desk, 20);
    assert_false(plant_suffers(plant));
    desk_close(&desk);
}

/* What others gave up for a newcomer is there for it from then on, not only once the load has been seen to fall. */
static void what_was_given_up_is_there(void **state)
{
    (void)state;
    struct desk desk;
    struct plant *plant = engine_of_fifty();
    desk_open(&desk, plant);
    plant_add(plant, 8, 1280, 720, 25); /* four times what it can do */
    int lowered = 0;
    for (int tick = 0; tick < 40; tick++) {
        desk_tick(&desk);
        assert_true(desk_ask(&desk, 1280, 720, 25)); /* 48 at their floors take half of it */
        lowered += plant->targets[0].level < ITSI_QUALITY_HIGH;
    }
    desk_run(&desk, 10);
    print_message("    %d came while others gave way; %.2f of the engine\n", plant->count, plant->utilisation);
    assert_true(lowered > 0);
    assert_false(plant_suffers(plant));
    desk_close(&desk);
}

/* Two cores, with nothing on them yet; a picture took that long when the engine warmed up. */
static struct plant *empty_machine(double warm)
{
    struct plant *plant = plant_create(2);
    plant->hide_unit = true;
    plant->unit = 0.026;
    plant->decode_per_pixel = 1.7e-9;
    warm_up(plant, warm);
    return plant;
}

/* Three hundred ask at once before there is any measurement. */
static int rush(double warm, int width, int height, double *suffered_s)
{
    struct desk desk;
    struct plant *plant = empty_machine(warm);
    desk_open(&desk, plant);
    desk_tick(&desk);
    for (int asked = 0; asked < 300; asked++)
        (void)desk_ask(&desk, width, height, 25);
    const int in = plant->count;
    for (int i = 0; i < in; i++)
        plant->cameras[i].facts.key_fps = 1;
    *suffered_s = 0;
    for (int tick = 0; tick < 60; tick++) {
        desk_tick(&desk);
        *suffered_s += plant_suffers(plant) ? 0.5 : 0;
    }
    print_message("    %d of 300 are there, too much for %.1f s; %.2f of the machine; the others: %s\n", in, *suffered_s,
                  plant->utilisation, desk.reason);
    assert_int_equal(desk.turned_away, 300 - in);
    assert_non_null(strstr(desk.reason, "of a core more; fits at no level"));
    assert_false(plant_suffers(plant));
    desk_close(&desk);
    return in;
}

static void an_empty_machine_lets_in_as_many_as_fit(void **state)
{
    (void)state;
    double suffered_s;
    /* at their floors 1.1 detections of 8.5 ms and two key frames' worth of decoding: 107 fit in 0.9 of two cores */
    assert_in_range(rush(0.026, 1920, 1080, &suffered_s), 80, 110);
    assert_in_range(rush(0.026, 640, 360, &suffered_s), 80, 160);
    assert_true(suffered_s <= 3);
    (void)rush(0.040, 640, 360, &suffered_s); /* it warmed up beside other programs: fewer, and no more than that */
    assert_true(suffered_s <= 3);
}

static struct itsi_quality_capacity capacity_of(const struct plant *plant)
{
    struct itsi_quality_capacity capacity;
    itsi_quality_capacity(plant->state, &capacity);
    return capacity;
}

/* Nothing is believed longer than it has to be: decoding here takes a quarter of what is expected, a detection twice of what
 * warming up took. */
static void what_is_expected_goes_as_facts_come(void **state)
{
    (void)state;
    struct plant *plant = empty_machine(0.013);
    plant->decode_per_pixel = 0.5e-9;
    plant_tick(plant);
    struct itsi_quality_capacity at = capacity_of(plant);
    CHECK_NEAR(at.unit[0], 0.013, 1e-9);
    CHECK_NEAR(at.typical.key_fps, 1, 1e-9);
    const double expected = at.typical.decode[ITSI_DECODE_ALL];
    assert_true(expected > 0.7e-9 && expected < 4e-9);
    plant_add(plant, 2, 640, 360, 5);
    plant_run(plant, 2);
    at = capacity_of(plant);
    assert_true(at.unit[0] > 0.0135 && at.unit[0] < 0.0255); /* ten pictures were seen */
    CHECK_NEAR(at.typical.pixels, 640 * 360, 1);
    CHECK_NEAR(at.typical.key_fps, 1, 1e-9); /* they may still tell */
    CHECK_NEAR(at.typical.decode[ITSI_DECODE_ALL], (expected + 0.5e-9) / 2, 0.1e-9);
    plant_add(plant, 18, 640, 360, 5);
    plant_run(plant, 20);
    at = capacity_of(plant);
    CHECK_NEAR(at.unit[0], 0.026, 0.001);
    CHECK_NEAR(at.typical.key_fps, 0, 0); /* they never did */
    CHECK_NEAR(at.typical.decode[ITSI_DECODE_ALL], 0.5e-9, 0.2e-9);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_and_goes_fits),
        cmocka_unit_test(no_more_is_let_in_than_the_engine_has),
        cmocka_unit_test(those_who_left_keep_no_room),
        cmocka_unit_test(what_was_given_up_is_there),
        cmocka_unit_test(an_empty_machine_lets_in_as_many_as_fit),
        cmocka_unit_test(what_is_expected_goes_as_facts_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

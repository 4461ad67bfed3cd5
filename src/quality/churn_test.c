/* Cameras come and go while the machine is full: whoever fits at its floor is let in, whatever has just been there. */
#include "quality/desk_fixture.h"

/* An engine of its own for 50 pictures a second, and cameras that need no decoding. */
static struct plant *engine_of_fifty(void)
{
    struct plant *plant = plant_create(4);
    plant->engine_on_cpu = false;
    plant->undecoded = true;
    plant->unit = 0.02;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_and_goes_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Cameras are added one by one, faster than what each of them costs shows: the first that is refused is one that does not fit. */
#include "quality/desk_fixture.h"

enum { ASKING = 200 };

/* Two cores; a detection takes 26 ms at the model's own size, as warming up found. */
static struct plant *two_cores(void)
{
    struct plant *plant = plant_create(2);
    plant->hide_unit = plant->counts = true;
    plant->unit = 0.026;
    for (int i = 0; i < 3; i++) {
        const double share = (double)plant->inputs[i].width / plant->inputs[0].width;
        plant->inputs[i].warm = plant->unit * (0.1 + 0.9 * share * share);
    }
    return plant;
}

/* 200 in a minute, of 360p with a key frame a second. Each comes at its floor while those before it are brought down: overload
 * is there again and again, and ends. At the floor, 1.1 detections of 8.5 ms and as many key frames of 0.6 a second, 180 of them
 * fit into 0.9 of two cores. */
static void a_crowd_is_let_in_until_there_is_no_room(void **state)
{
    (void)state;
    struct desk desk;
    struct plant *plant = two_cores();
    int asked = 0, before_refusal = 0;
    desk_open(&desk, plant);
    desk_tick(&desk);
    for (int tick = 0; asked < ASKING; tick++) {
        for (int n = tick % 3 ? 2 : 1; n > 0; n--, asked++) {
            if (desk_ask(&desk, 640, 360, 25))
                plant->cameras[plant->count - 1].facts.key_fps = 1;
            before_refusal += desk.turned_away == 0;
        }
        desk_tick(&desk);
    }
    desk_run(&desk, 20);
    print_message("    %d of %d are there, the first was refused after %d; %.2f of the machine\n", plant->count, ASKING,
                  before_refusal, plant->utilisation);
    assert_in_range(before_refusal, 150, 190);
    assert_in_range(plant->count, 165, 190);
    assert_true(plant->utilisation <= 0.95);
    assert_false(plant_suffers(plant));
    for (int i = 0; i < plant->count; i++)
        assert_true(plant->cameras[i].least_detected >= 0.95);
    desk_close(&desk);
}

static double reclaimable(const struct plant *plant)
{
    struct itsi_quality_capacity capacity;
    itsi_quality_capacity(plant->state, &capacity);
    return capacity.reclaimable[ITSI_RESOURCE_CPU];
}

/* Most are pinned to the least there is, and frames are late whatever the others give: then nobody is let in on what those might
 * give, from a second on and for as long as it lasts, and not because it did. */
static void nothing_is_promised_of_those_who_give_in_vain(void **state)
{
    (void)state;
    struct plant *plant = two_cores();
    plant_add(plant, 16, 640, 360, 2);
    for (int i = 0; i < 10; i++)
        plant->cameras[i].facts.pin = ITSI_QUALITY_ULTRA_LOW;
    plant_run(plant, 10);
    assert_true(reclaimable(plant) > 0.1);
    plant->base_ms = 93;
    plant_run(plant, 2);
    assert_true(reclaimable(plant) == 0);
    plant->base_ms = 8;
    plant_run(plant, 1);
    assert_true(reclaimable(plant) > 0.05);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_is_let_in_until_there_is_no_room),
        cmocka_unit_test(nothing_is_promised_of_those_who_give_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

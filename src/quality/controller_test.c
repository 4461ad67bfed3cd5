/* The controller against a simulated machine with a clock of its own: the figures of the Adaptive Quality Manager. */
#include "support/check.h"

#include "base/clock.h"
#include "quality/plant_fixture.h"

static void quiet_machine_keeps_everybody_high(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    plant_run(plant, 60);
    assert_int_equal(plant->total_changes, 0);
    assert_int_equal(plant_at_level(plant, ITSI_QUALITY_HIGH), 20);
    plant_destroy(plant);
}

static void step_overload(void **state)
{
    (void)state;
    struct plant *plant = plant_create(8);
    plant_add(plant, 20, 640, 360, 25);
    for (int i = 0; i < 3; i++)
        plant->cameras[i].facts.is_priority = true;
    plant_run(plant, 20);
    plant_watch(plant);
    plant->scale = 3;
    double suffering = 0;
    for (int i = 0; i < 120; i++) {
        plant_tick(plant);
        suffering += plant_suffers(plant) ? 0.5 : 0;
        printf("%4.1f util %.2f slack %.1f unmet %.2f busy %.1f levels %d %d %d %d ev %zu\n", i*.5, plant->utilisation, plant->snapshot.load.slack_ms, plant->unmet, plant->snapshot.load.cpu_percent,
          plant_at_level(plant,0), plant_at_level(plant,1),plant_at_level(plant,2),plant_at_level(plant,3), plant->events.count);
    }
    plant->scale = 1;
    for (int i = 0; i < 120; i++) {
        plant_tick(plant);
        printf("%4.1f util %.2f slack %.1f unmet %.2f busy %.1f levels %d %d %d %d ev %zu\n", i*.5, plant->utilisation, plant->snapshot.load.slack_ms, plant->unmet, plant->snapshot.load.cpu_percent,
          plant_at_level(plant,0), plant_at_level(plant,1),plant_at_level(plant,2),plant_at_level(plant,3), plant->events.count);
    }
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_machine_keeps_everybody_high),
        cmocka_unit_test(step_overload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/clock.h"
#include "quality/grants.h"
#include "quality/plant_fixture.h"

/* 0.5 of a core free, as much to be had from the others; a detection takes 10 ms, a 1080p frame 4 ms to decode. */
static struct itsi_quality_capacity half_a_core(void)
{
    struct itsi_quality_capacity capacity = {
        .free = {[ITSI_RESOURCE_CPU] = 0.5, [ITSI_RESOURCE_ENCODER] = 1},
        .reclaimable = {[ITSI_RESOURCE_CPU] = 0.5},
        .typical = {.decode = {0.004 / (1920 * 1080)}},
        .unit = {0.010, 0.0056, 0.0025},
        .inputs = {{640, 384, 0, 0}, {480, 288, 0, 0}, {320, 192, 0, 0}},
        .input_count = 3,
        .engine_on_cpu = true,
    };
    return capacity;
}

static struct itsi_quality_policy policy_of(enum itsi_quality_admission admission)
{
    const struct its_cfg_adaptive_quality cfg = {.enable_adaptive_quality = true,
                                                 .default_quality = ITSI_QUALITY_HIGH,
                                                 .latency_threshold_ms = 90,
                                                 .enable_priority_streaming = true,
                                                 .priority_quality_protection = true};
    struct itsi_quality_policy policy;
    itsi_quality_policy_make(&policy, &cfg, 100);
    policy.admission = admission;
    return policy;
}

static const struct itsi_quality_camera newcomer = {.pin = -1, .boost = -1, .start = -1, .width = 1920, .height = 1080,
                                                    .fps = 25};

static struct itsi_quality_offer offer(const struct itsi_quality_capacity *capacity,
                                       enum itsi_quality_admission admission, const struct itsi_quality_camera *camera)
{
    const struct itsi_quality_policy policy = policy_of(admission);
    struct itsi_quality_offer out;
    itsi_quality_admit(capacity, &policy, camera, &out);
    return out;
}

static void check_text(const struct itsi_quality_offer *of, const char *wanted)
{
    char text[160];
    itsi_quality_offer_text(of, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void admits_what_fits(void **state)
{
    (void)state;
    const struct itsi_quality_capacity capacity = half_a_core();
    for (int a = ITSI_ADMIT_DEGRADE; a <= ITSI_ADMIT_REFUSE; a++) {
        const struct itsi_quality_offer got = offer(&capacity, (enum itsi_quality_admission)a, &newcomer);
        assert_true(got.admitted);
        assert_int_equal(got.answer, ITSI_ANSWER_FITS);
        assert_int_equal(got.level, ITSI_QUALITY_HIGH); /* 0.25 + 0.1 cores */
        check_text(&got, "fits at level high");
    }
}

static void degrades_or_refuses_what_does_not(void **state)
{
    (void)state;
    struct itsi_quality_capacity capacity = half_a_core();
    capacity.free[ITSI_RESOURCE_CPU] = 0.25; /* medium takes 0.225 */
    struct itsi_quality_offer got = offer(&capacity, ITSI_ADMIT_DEGRADE, &newcomer);
    assert_true(got.admitted);
    assert_int_equal(got.answer, ITSI_ANSWER_FITS_LOWER);
    assert_int_equal(got.level, ITSI_QUALITY_MEDIUM);
    check_text(&got, "admitted at level medium: there is no room for more");

    got = offer(&capacity, ITSI_ADMIT_REFUSE, &newcomer);
    assert_false(got.admitted);
    assert_int_equal(got.answer, ITSI_ANSWER_NO_ROOM);
    assert_int_equal(got.fits_at, ITSI_QUALITY_MEDIUM);
    CHECK_NEAR(got.missing, 0.10, 1e-9);
    check_text(&got, "needs 0.1 of a core more; would fit at level medium");

    struct itsi_quality_camera pinned = newcomer;
    pinned.pin = ITSI_QUALITY_HIGH; /* all or nothing */
    assert_false(offer(&capacity, ITSI_ADMIT_DEGRADE, &pinned).admitted);
}

static void makes_room_among_the_others(void **state)
{
    (void)state;
    struct itsi_quality_capacity capacity = half_a_core();
    capacity.free[ITSI_RESOURCE_CPU] = -0.1;
    struct itsi_quality_offer got = offer(&capacity, ITSI_ADMIT_DEGRADE, &newcomer);
    assert_true(got.admitted);
    assert_int_equal(got.answer, ITSI_ANSWER_OTHERS_GIVE);
    assert_int_equal(got.level, ITSI_QUALITY_ULTRA_LOW);
    check_text(&got, "admitted at level ultra_low: other cameras are lowered for it");

    struct itsi_quality_camera important = newcomer;
    important.is_priority = true; /* not below its floor */
    got = offer(&capacity, ITSI_ADMIT_DEGRADE, &important);
    assert_true(got.admitted);
    assert_int_equal(got.level, ITSI_QUALITY_MEDIUM);
    capacity.free[ITSI_RESOURCE_CPU] = -0.35;
    got = offer(&capacity, ITSI_ADMIT_DEGRADE, &important);
    assert_false(got.admitted);
    CHECK_NEAR(got.missing, 0.225 - 0.15, 1e-9);
    assert_true(offer(&capacity, ITSI_ADMIT_DEGRADE, &newcomer).admitted);

    capacity.reclaimable[ITSI_RESOURCE_CPU] = 0;
    got = offer(&capacity, ITSI_ADMIT_DEGRADE, &newcomer);
    assert_false(got.admitted);
    assert_int_equal(got.fits_at, -1);
    CHECK_NEAR(got.missing, 0.35 + 0.1 + 1 * 0.0025, 1e-9);
    check_text(&got, "needs 0.45 of a core more; fits at no level");
}

static void names_the_engine_that_is_full(void **state)
{
    (void)state;
    struct itsi_quality_capacity capacity = half_a_core();
    capacity.engine_on_cpu = false;
    capacity.free[ITSI_RESOURCE_ENGINE] = 0.05; /* high takes 0.25, low 20 / 3 * 0.0056 */
    const struct itsi_quality_offer got = offer(&capacity, ITSI_ADMIT_REFUSE, &newcomer);
    assert_int_equal(got.resource, ITSI_RESOURCE_ENGINE);
    check_text(&got, "needs 0.2 of the engine's time more; would fit at level low");
}

/* From the first camera to the one that is refused: as many are served as the machine bears, and no more. foreign: cores
 * that other programs take all the while. */
static void fill_a_machine(double foreign, int least, int most)
{
    struct plant *plant = plant_create(2);
    plant->unit = 0.008;
    plant->foreign = foreign;
    int refused = 0;
    while (plant->count < 400 && !refused) {
        struct itsi_quality_capacity capacity;
        struct itsi_quality_offer got;
        struct itsi_quality_camera camera = {.pin = -1, .boost = -1, .width = 640, .height = 360, .fps = 25};
        plant_run(plant, 3);
        itsi_quality_capacity(plant->state, &capacity);
        itsi_quality_admit(&capacity, &plant->policy, &camera, &got);
        refused += !got.admitted;
        if (got.admitted) {
            const int at = plant_add(plant, 1, 640, 360, 25);
            plant->cameras[at].facts.start = got.level;
        }
    }
    plant_run(plant, 30);
    print_message("    %d cameras admitted on two cores, then refused; %.2f of the machine\n", plant->count,
                  plant->utilisation);
    assert_int_equal(refused, 1);
    assert_in_range(plant->count, least, most);
    assert_false(plant_suffers(plant));
    for (int i = 0; i < plant->count; i++)
        assert_true(plant->cameras[i].least_detected >= 0.95);
    plant_destroy(plant);
}

static void fills_a_machine_and_stops(void **state)
{
    (void)state;
    fill_a_machine(0, 130, 200);
}

static void fills_what_others_leave_of_a_machine_and_stops(void **state)
{
    (void)state;
    fill_a_machine(0.35, 90, 160);
}

/* A hundred cameras are there, and hundreds more ask within one moment: who is let in is served, the rest is told at once. */
static void a_rush_is_let_in_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct plant *plant = plant_create(2);
    struct itsi_quality_grants grants;
    struct its_diag diag;
    CHECK_OK(itsi_quality_grants_init(&grants, PLANT_CAMERAS, &diag), diag);
    plant->unit = 0.008;
    plant_add(plant, 100, 640, 360, 25);
    plant_run(plant, 30);
    struct itsi_quality_capacity now;
    itsi_quality_capacity(plant->state, &now);
    for (int asked = 0; asked < 300; asked++) {
        const struct itsi_quality_camera camera = {.key = plant->next_key, .pin = -1, .boost = -1, .start = -1, .fps = 25};
        struct itsi_quality_capacity capacity = now;
        struct itsi_quality_offer got;
        itsi_quality_grants_debit(&grants, &capacity);
        itsi_quality_admit(&capacity, &plant->policy, &camera, &got);
        if (!got.admitted)
            continue;
        itsi_quality_grants_add(&grants, &now, &plant->policy, &camera, &got);
        const int at = plant_add(plant, 1, 640, 360, 25);
        plant->cameras[at].facts.start = got.level;
        plant->cameras[at].facts.start_at_floor = got.at_floor;
    }
    plant_run(plant, 30);
    print_message("    %d of 400 cameras are there; %.2f of the machine\n", plant->count, plant->utilisation);
    assert_in_range(plant->count, 120, 200);
    assert_false(plant_suffers(plant));
    itsi_quality_grants_fini(&grants);
    plant_destroy(plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admits_what_fits),
        cmocka_unit_test(degrades_or_refuses_what_does_not),
        cmocka_unit_test(makes_room_among_the_others),
        cmocka_unit_test(names_the_engine_that_is_full),
        cmocka_unit_test(fills_a_machine_and_stops),
        cmocka_unit_test(a_rush_is_let_in_as_far_as_there_is_room),
        cmocka_unit_test(fills_what_others_leave_of_a_machine_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

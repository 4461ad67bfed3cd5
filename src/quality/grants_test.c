#include "support/check.h"

#include "base/clock.h"
#include "quality/grants.h"
#include "quality/plant_fixture.h"

enum { MANY = 8 };

struct desk {
    struct itsi_quality_grants grants;
    struct itsi_quality_policy policy;
    struct itsi_quality_capacity capacity;
    struct itsi_quality_camera cameras[MANY];
    struct itsi_quality_target targets[MANY];
    struct itsi_quality_snapshot snapshot;
};

static void follow(struct desk *desk)
{
    itsi_quality_grants_follow(&desk->grants, &desk->snapshot, desk->targets, &desk->capacity, &desk->policy);
}

static void open_desk(struct desk *desk)
{
    struct its_diag diag;
    *desk = (struct desk){.policy = {.slow_ns = 3 * ITSI_NS_PER_S, .floor_fps = 1}};
    desk->capacity = (struct itsi_quality_capacity){.free = {[ITSI_RESOURCE_CPU] = 1}, .unit = {0.02},
                                                    .inputs = {{640, 384, 0}}, .input_count = 1, .engine_on_cpu = true};
    desk->snapshot = (struct itsi_quality_snapshot){.now = 1000 * ITSI_NS_PER_S, .engine_on_cpu = true,
                                                    .cameras = desk->cameras};
    for (int i = 0; i < MANY; i++)
        desk->targets[i].position = itsi_quality_position_at(ITSI_QUALITY_HIGH);
    CHECK_OK(itsi_quality_grants_init(&desk->grants, MANY, &diag), diag);
    follow(desk);
}

/* A promise of 0.2 of a core, ten detections a second, of which all but one would be given up for others. */
static void grant(struct desk *desk, uint64_t key)
{
    const struct itsi_quality_camera camera = {.key = key, .pin = -1, .boost = -1, .start = -1, .fps = 10};
    const struct itsi_quality_offer offer = {.admitted = true, .level = ITSI_QUALITY_HIGH};
    itsi_quality_grants_add(&desk->grants, &desk->capacity, &desk->policy, &camera, &offer);
}

static struct itsi_quality_camera running(uint64_t key, double takes)
{
    return (struct itsi_quality_camera){.key = key, .pin = -1, .boost = -1, .fps = 10, .cost = {.infer = takes}};
}

static void pass(struct desk *desk, double seconds)
{
    for (double t = 0; t < seconds; t += 0.5) {
        desk->snapshot.now += ITSI_QUALITY_TICK_NS;
        follow(desk);
    }
}

/* Of one core that is free. */
static double left(const struct desk *desk, double *reclaimable)
{
    struct itsi_quality_capacity capacity = desk->capacity;
    itsi_quality_grants_debit(&desk->grants, &capacity);
    if (reclaimable)
        *reclaimable = capacity.reclaimable[ITSI_RESOURCE_CPU];
    return capacity.free[ITSI_RESOURCE_CPU];
}

static void what_is_promised_is_used(void **state)
{
    (void)state;
    struct desk desk;
    double reclaimable;
    open_desk(&desk);
    CHECK_NEAR(left(&desk, NULL), 1, 1e-9);
    grant(&desk, 1);
    CHECK_NEAR(left(&desk, &reclaimable), 0.8, 1e-9); /* before any step */
    CHECK_NEAR(reclaimable, 0.18, 1e-9);
    grant(&desk, 2);
    CHECK_NEAR(left(&desk, NULL), 0.6, 1e-9);
    desk.cameras[0].key = 1;
    desk.cameras[1].key = 2;
    desk.snapshot.count = 2; /* they shake hands */
    pass(&desk, 30);
    CHECK_NEAR(left(&desk, NULL), 0.6, 1e-9);
    itsi_quality_grants_fini(&desk.grants);
}

static void it_is_released_as_the_work_shows(void **state)
{
    (void)state;
    struct desk desk;
    double before = 0.8, reclaimable;
    open_desk(&desk);
    grant(&desk, 7);
    desk.cameras[0] = running(7, 0.2);
    desk.snapshot.count = 1;
    pass(&desk, 0.5);
    (void)left(&desk, &reclaimable);
    CHECK_NEAR(reclaimable, 0, 1e-9); /* the controller knows it now */
    for (int i = 0; i < 12; i++) {
        assert_true(left(&desk, NULL) > before);
        before = left(&desk, NULL);
        pass(&desk, 0.5);
    }
    assert_true(before > 0.95); /* two time constants of the load's smoothing later */
    pass(&desk, 4);
    CHECK_NEAR(left(&desk, NULL), 1, 1e-9);
    assert_int_equal(desk.grants.count, 0);
    itsi_quality_grants_fini(&desk.grants);
}

/* It takes a quarter of what was expected: the rest is free once that is sure, and not before. */
static void an_estimate_that_was_too_high_gives_way_to_the_fact(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    grant(&desk, 7);
    desk.cameras[0] = running(7, 0.05);
    desk.snapshot.count = 1;
    pass(&desk, 6);
    CHECK_NEAR(left(&desk, NULL), 0.85, 0.02);
    pass(&desk, 4);
    CHECK_NEAR(left(&desk, NULL), 1, 1e-9);
    itsi_quality_grants_fini(&desk.grants);
}

/* It was let in at `high` and lowered at once: no more is kept for it than it takes there. */
static void no_more_is_kept_than_it_takes_where_it_is(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    grant(&desk, 7);
    desk.cameras[0] = running(7, 0);
    desk.snapshot.count = 1;
    pass(&desk, 0.5);
    CHECK_NEAR(left(&desk, NULL), 0.8, 1e-9);
    for (int k = 0; k < ITSI_KNOBS; k++)
        desk.targets[0].position.rung[k] = itsi_quality_deepest((enum itsi_quality_knob)k);
    pass(&desk, 0.5);
    CHECK_NEAR(left(&desk, NULL), 0.98, 1e-9);
    itsi_quality_grants_fini(&desk.grants);
}

/* Its key frames come twice a second on average and are not relied on: it is decoded whole, and so much is kept for it. */
static void nothing_is_thought_saved_by_key_frames_that_are_not_relied_on(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    desk.capacity.typical.decode[ITSI_DECODE_ALL] = 0.03 / (640 * 360); /* a picture of 360p */
    grant(&desk, 7);
    desk.cameras[0] = running(7, 0);
    desk.cameras[0].width = 640;
    desk.cameras[0].height = 360;
    desk.cameras[0].key_fps = 2;
    desk.snapshot.count = 1;
    for (int k = 0; k < ITSI_KNOBS; k++)
        desk.targets[0].position.rung[k] = itsi_quality_deepest((enum itsi_quality_knob)k);
    desk.targets[0].decode = ITSI_DECODE_KEY;
    pass(&desk, 0.5);
    /* two of ten pictures, each of twice the work; a detection */
    CHECK_NEAR(left(&desk, NULL), 1 - 0.3 * 0.4 - 0.02, 1e-9);
    desk.targets[0].decode = ITSI_DECODE_ALL;
    pass(&desk, 0.5);
    CHECK_NEAR(left(&desk, NULL), 1 - 0.3 - 0.02, 1e-9);
    itsi_quality_grants_fini(&desk.grants);
}

static void who_does_not_come_keeps_no_room(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    grant(&desk, 1); /* never told of: it could not be started */
    grant(&desk, 2); /* there, and never gives a picture */
    grant(&desk, 3); /* removed again */
    desk.cameras[0].key = 2;
    desk.cameras[1].key = 3;
    desk.snapshot.count = 2;
    pass(&desk, 0.5);
    CHECK_NEAR(left(&desk, NULL), 0.4, 1e-9); /* the step may have begun before the promise */
    pass(&desk, 0.5);
    CHECK_NEAR(left(&desk, NULL), 0.6, 1e-9);
    desk.snapshot.count = 1;
    pass(&desk, 1);
    CHECK_NEAR(left(&desk, NULL), 0.8, 1e-9);
    pass(&desk, 60);
    CHECK_NEAR(left(&desk, NULL), 1, 1e-9);
    itsi_quality_grants_fini(&desk.grants);
}

static void the_oldest_are_forgotten(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    for (uint64_t key = 1; key <= MANY + 3; key++)
        grant(&desk, key);
    assert_int_equal(desk.grants.count, MANY);
    assert_int_equal(desk.grants.items[0].camera.key, 4);
    itsi_quality_grants_fini(&desk.grants);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_promised_is_used),
        cmocka_unit_test(it_is_released_as_the_work_shows),
        cmocka_unit_test(an_estimate_that_was_too_high_gives_way_to_the_fact),
        cmocka_unit_test(no_more_is_kept_than_it_takes_where_it_is),
        cmocka_unit_test(nothing_is_thought_saved_by_key_frames_that_are_not_relied_on),
        cmocka_unit_test(who_does_not_come_keeps_no_room),
        cmocka_unit_test(the_oldest_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

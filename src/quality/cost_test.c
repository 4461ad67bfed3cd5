#include "support/check.h"

#include "quality/cost.h"
#include "quality/profile.h"

static struct itsi_quality_input inputs[] = {{640, 384, 0.010}, {320, 192, 0}};
static const double unseen[ITSI_QUALITY_INPUTS];
static struct itsi_quality_snapshot machine = {.inputs = inputs, .input_count = 2, .engine_on_cpu = true};

static struct itsi_quality_camera camera_of(double decode_cost, double decoded_fps)
{
    return (struct itsi_quality_camera){.width = 1280, .height = 720, .fps = 25, .has_sub = true, .sub_width = 640,
                                        .sub_height = 360, .key_fps = 1, .droppable = 0.4, .decoded_fps = decoded_fps,
                                        .cost = {.decode = decode_cost, .encode = 0.05}};
}

static struct itsi_quality_work predicted(const struct itsi_quality_camera *camera,
                                          const struct itsi_quality_learned *learned, int decode, int compute)
{
    struct itsi_quality_costing costing;
    struct itsi_quality_work work;
    const struct itsi_quality_position position = {{decode, compute, 1}};
    itsi_quality_costing_begin(&costing, &machine, 1, unseen);
    itsi_quality_predict(&costing, camera, learned, &position, &work);
    return work;
}

static void learn_at(struct itsi_quality_learned *learned, const struct itsi_quality_camera *camera, int decode)
{
    const struct itsi_quality_position position = {{decode, 1, 1}};
    struct itsi_quality_target target;
    itsi_quality_target_make(&machine, camera, &position, 1, &target);
    itsi_quality_learn(learned, camera, &target, 0.5);
}

static void unit_costs_are_completed_by_area(void **state)
{
    (void)state;
    struct itsi_quality_costing costing;
    itsi_quality_costing_begin(&costing, &machine, 1, unseen);
    CHECK_NEAR(costing.unit[0], 0.010, 1e-12);
    CHECK_NEAR(costing.unit[1], 0.0025, 1e-12);
    struct itsi_quality_input unknown[] = {{640, 384, 0}, {320, 192, 0}};
    const struct itsi_quality_snapshot other = {.inputs = unknown, .input_count = 2};
    itsi_quality_costing_begin(&costing, &other, 1, unseen);
    CHECK_NEAR(costing.unit[0], 0, 0);
    const double seen[ITSI_QUALITY_INPUTS] = {0.008};
    itsi_quality_costing_begin(&costing, &other, 1, seen);
    CHECK_NEAR(costing.unit[0], 0.008, 1e-12);
    CHECK_NEAR(costing.unit[1], 0.002, 1e-12);
    unknown[1].seconds = 0.003; /* a smaller picture that does not take a quarter: both are known, neither is guessed */
    itsi_quality_costing_begin(&costing, &other, 1, seen);
    CHECK_NEAR(costing.unit[0], 0.008, 1e-12);
    CHECK_NEAR(costing.unit[1], 0.003, 1e-12);
}

/* What was never seen costs nothing: nobody is lowered on a guess out of the air. */
static void unknown_costs_nothing(void **state)
{
    (void)state;
    const struct itsi_quality_learned nothing = {.encode = 0};
    const struct itsi_quality_camera camera = camera_of(0, 0);
    const struct itsi_quality_work work = predicted(&camera, &nothing, 1, 1);
    CHECK_NEAR(work.decode, 0, 0);
    CHECK_NEAR(work.infer, 0.25, 1e-9); /* the run time is known all the same */
}

static void predicts_where_it_never_was(void **state)
{
    (void)state;
    struct itsi_quality_learned learned = {.encode = 0};
    const struct itsi_quality_camera camera = camera_of(0.10, 25);
    learn_at(&learned, &camera, 1);
    CHECK_NEAR(predicted(&camera, &learned, 1, 1).decode, 0.10, 1e-9);
    CHECK_NEAR(predicted(&camera, &learned, 2, 1).decode, 0.025, 1e-9);           /* a quarter of the pixels */
    CHECK_NEAR(predicted(&camera, &learned, 3, 1).decode, 0.025 * 0.6, 1e-9);     /* without what nobody refers to */
    CHECK_NEAR(predicted(&camera, &learned, 4, 1).decode, 0.025 * 2 / 25, 1e-9);  /* one key frame a second */
    CHECK_NEAR(predicted(&camera, &learned, 1, 1).encode, 0.05, 1e-9);
    CHECK_NEAR(predicted(&camera, &learned, 1, 4).infer, 15.0 / 4 * 0.010, 1e-9); /* 480 is not built: 640 serves */
    CHECK_NEAR(predicted(&camera, &learned, 1, 7).infer, 1 * 0.0025, 1e-9);
}

/* What was seen at a position is believed before any proportion, and seen costs go with the frame rate. */
static void remembers_each_way_of_decoding(void **state)
{
    (void)state;
    struct itsi_quality_learned learned = {.encode = 0};
    struct itsi_quality_camera camera = camera_of(0.10, 25);
    learn_at(&learned, &camera, 1);
    camera.cost.decode = 0.04;
    learn_at(&learned, &camera, 2);
    CHECK_NEAR(predicted(&camera, &learned, 2, 1).decode, 0.04, 1e-9);
    CHECK_NEAR(predicted(&camera, &learned, 1, 1).decode, 0.10, 1e-9);
    camera.fps = 50;
    CHECK_NEAR(predicted(&camera, &learned, 1, 1).decode, 0.20, 1e-9);
    camera.fps = 25;
    camera.cost.decode = 0.06;
    learn_at(&learned, &camera, 2); /* half of the way */
    CHECK_NEAR(predicted(&camera, &learned, 2, 1).decode, 0.05, 1e-9);
}

/* Lived on from the start, and then found irregular: what the whole stream takes is told by what its key frames took. */
static void knows_what_follows_key_frames_that_are_no_longer_relied_on(void **state)
{
    (void)state;
    struct itsi_quality_learned learned = {.encode = 0};
    struct itsi_quality_camera camera = camera_of(0.008, 1);
    camera.has_sub = false;
    camera.droppable = 0;
    learn_at(&learned, &camera, 4);
    CHECK_NEAR(predicted(&camera, &learned, 4, 1).decode, 0.008, 1e-9);
    camera.irregular_keys = true;
    CHECK_NEAR(predicted(&camera, &learned, 4, 1).decode, 0.1, 1e-9);
}

/* Demand and not consumption: a decoder that does half of its frames would take twice what it took. */
static void asks_what_would_be_needed_to_keep_up(void **state)
{
    (void)state;
    struct itsi_quality_learned learned = {.encode = 0};
    const struct itsi_quality_camera camera = camera_of(0.10, 12.5);
    learn_at(&learned, &camera, 1);
    CHECK_NEAR(predicted(&camera, &learned, 1, 1).decode, 0.20, 1e-9);
    struct itsi_quality_learned silent = {.encode = 0};
    const struct itsi_quality_camera stuck = camera_of(0.10, 0);
    learn_at(&silent, &stuck, 1); /* nothing decoded says nothing */
    CHECK_NEAR(predicted(&stuck, &silent, 1, 1).decode, 0, 0);
}

static void work_falls_to_its_resource(void **state)
{
    (void)state;
    const struct itsi_quality_work work = {.decode = 1, .infer = 2, .encode = 4};
    struct itsi_quality_snapshot own = machine;
    own.engine_on_cpu = false;
    CHECK_NEAR(itsi_quality_work_on(&machine, ITSI_RESOURCE_CPU, &work), 7, 0);
    CHECK_NEAR(itsi_quality_work_on(&machine, ITSI_RESOURCE_ENGINE, &work), 0, 0);
    CHECK_NEAR(itsi_quality_work_on(&own, ITSI_RESOURCE_CPU, &work), 5, 0);
    CHECK_NEAR(itsi_quality_work_on(&own, ITSI_RESOURCE_ENGINE, &work), 2, 0);
    CHECK_NEAR(itsi_quality_work_on(&own, ITSI_RESOURCE_ENCODER, &work), 4, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_costs_are_completed_by_area),
        cmocka_unit_test(unknown_costs_nothing),
        cmocka_unit_test(predicts_where_it_never_was),
        cmocka_unit_test(remembers_each_way_of_decoding),
        cmocka_unit_test(knows_what_follows_key_frames_that_are_no_longer_relied_on),
        cmocka_unit_test(asks_what_would_be_needed_to_keep_up),
        cmocka_unit_test(work_falls_to_its_resource),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The shipped model on the engine that runs it: shapes at several input sizes and batches, and scores that are scores. */
#include "support/check.h"

#include "base/clock.h"
#include "infer/backend.h"
#include "infer/model.h"
#include "infer/shipped.h"
#include "preprocess/letterbox.h"
#include "render/road.h"

static const struct itsi_backend *const openvino = &itsi_backend_openvino;
static char path[4096];
static int classes;

enum { ROAD_W = 960, ROAD_H = 540 };
static uint8_t luma[ROAD_W * ROAD_H], blue[ROAD_W * ROAD_H / 4], red[ROAD_W * ROAD_H / 4];

static struct itsi_engine *open_engine(int width, int height, int batch)
{
    const struct itsi_engine_params params = {.model_path = path, .width = width, .height = height, .max_batch = batch,
                                              .parallel = 1, .threads = 2, .precision = ITSI_PRECISION_FP32};
    struct itsi_engine *engine;
    struct its_diag diag;
    CHECK_OK(openvino->open(&engine, &params, &diag), diag);
    return engine;
}

static void draw_road(void)
{
    struct itsi_road_params params;
    struct itsi_road *road;
    struct its_diag diag;
    struct itsi_road_box boxes[ITSI_ROAD_MAX_BOXES];
    itsi_road_params_default(&params);
    params.width = ROAD_W;
    params.height = ROAD_H;
    CHECK_OK(itsi_road_create(&road, &params, &diag), diag);
    uint8_t *const plane[3] = {luma, blue, red};
    const int stride[3] = {ROAD_W, ROAD_W / 2, ROAD_W / 2};
    assert_true(itsi_road_render(road, 50, plane, stride, boxes) > 0);
    itsi_road_destroy(road);
}

static void fill_road(struct itsi_engine *engine, int slot, int image)
{
    const struct itsi_engine_info *info = openvino->info(engine);
    const struct itsi_picture picture = {.layout = ITSI_LAYOUT_PLANAR, .width = ROAD_W, .height = ROAD_H,
                                         .plane = {luma, blue, red}, .stride = {ROAD_W, ROAD_W / 2, ROAD_W / 2},
                                         .chroma_shift_x = 1, .chroma_shift_y = 1};
    const struct itsi_image_tensor tensor = {openvino->input(engine, slot, image), info->width, info->height};
    struct itsi_letterboxer *boxer;
    struct itsi_letterbox box;
    struct its_diag diag;
    CHECK_OK(itsi_letterboxer_create(&boxer, &diag), diag);
    assert_int_equal(itsi_letterbox_run(boxer, &picture, &tensor, &box), 0);
    itsi_letterboxer_destroy(boxer);
}

static void fill_noise(struct itsi_engine *engine, int slot, int image)
{
    const struct itsi_engine_info *info = openvino->info(engine);
    uint8_t *data = openvino->input(engine, slot, image);
    uint32_t state = 1;
    for (int i = 0; i < info->width * info->height * 3; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (uint8_t)(state >> 24);
    }
}

static void infer(struct itsi_engine *engine, int slot, int images)
{
    struct itsi_completion done;
    assert_int_equal(openvino->submit(engine, slot, images), 0);
    assert_int_equal(openvino->collect(engine, ITSI_NEVER, &done), 0);
    assert_int_equal(done.status, 0);
}

/* [4 + classes, anchors of strides 8 (four a cell), 16 and 32]; the greatest score is returned. */
static float check_output(struct itsi_engine *engine, int slot, int image)
{
    const struct itsi_engine_info *info = openvino->info(engine);
    struct itsi_output_tensor out;
    float best = 0;
    openvino->output(engine, slot, image, &out);
    assert_int_equal(out.rows, 4 + classes);
    assert_int_equal(out.anchors, info->width / 32 * (info->height / 32) * (16 * 4 + 4 + 1));
    for (int i = 0; i < out.rows * out.anchors; i++) {
        float value = out.data[i];
        assert_true(isfinite(value));
        if (i < 4 * out.anchors)
            continue;
        assert_true(value >= 0 && value <= 1);
        best = value > best ? value : best;
    }
    return best;
}

static void shapes_and_scores_at(int width, int height, int batch)
{
    struct itsi_engine *engine = open_engine(width, height, batch);
    int slot = openvino->acquire(engine);
    for (int i = 0; i < batch; i++)
        fill_road(engine, slot, i);
    infer(engine, slot, batch);
    for (int i = 0; i < batch; i++)
        assert_true(check_output(engine, slot, i) > 0.25F); /* there is traffic to be seen */
    openvino->release(engine, slot);
    slot = openvino->acquire(engine);
    for (int i = 0; i < batch; i++)
        fill_noise(engine, slot, i);
    infer(engine, slot, batch);
    for (int i = 0; i < batch; i++)
        check_output(engine, slot, i);
    openvino->close(engine);
}

static void any_size_of_input(void **state)
{
    (void)state;
    shapes_and_scores_at(640, 384, 1);
    shapes_and_scores_at(320, 192, 1);
    shapes_and_scores_at(384, 384, 1);
}

static void two_at_a_time(void **state)
{
    (void)state;
    shapes_and_scores_at(640, 384, 2);
    shapes_and_scores_at(320, 192, 2);
}

/* What else is in a batch changes nothing. */
static void images_of_a_batch_are_apart(void **state)
{
    (void)state;
    struct itsi_engine *one = open_engine(320, 192, 1), *two = open_engine(320, 192, 2);
    int slot_one = openvino->acquire(one), slot_two = openvino->acquire(two);
    fill_road(one, slot_one, 0);
    fill_noise(two, slot_two, 0);
    fill_road(two, slot_two, 1);
    infer(one, slot_one, 1);
    infer(two, slot_two, 2);
    struct itsi_output_tensor alone, second;
    openvino->output(one, slot_one, 0, &alone);
    openvino->output(two, slot_two, 1, &second);
    for (int i = 0; i < alone.rows * alone.anchors; i++)
        CHECK_NEAR(second.data[i], alone.data[i], i < 4 * alone.anchors ? 0.05 : 1e-3); /* pixels, scores */
    openvino->close(one);
    openvino->close(two);
}

int main(void)
{
    struct itsi_model model;
    struct its_diag diag = {"not installed beside this program"};
    if (!itsi_shipped_model(path, sizeof path) || itsi_model_open(&model, path, &diag) != 0) {
        fprintf(stderr, "%s: %s\n", ITSI_SHIPPED_MODEL, diag.text);
        return 1;
    }
    classes = model.classes;
    itsi_model_fini(&model);
    draw_road();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_size_of_input),
        cmocka_unit_test(two_at_a_time),
        cmocka_unit_test(images_of_a_batch_are_apart),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}

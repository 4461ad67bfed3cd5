#include "encode/jpeg.h"

#include "base/mem.h"
#include "support/check.h"

#include <turbojpeg.h>

enum { W = 320, H = 180 };
static uint8_t luma[W * H], chroma_u[W * H / 4], chroma_v[W * H / 4];
static uint8_t rgb[W * H * 3];

/* Left half a saturated red, right half a mid grey, limited range. */
static struct itsi_picture red_and_grey(void)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            luma[y * W + x] = x < W / 2 ? 81 : 126;
    for (int y = 0; y < H / 2; y++)
        for (int x = 0; x < W / 2; x++) {
            chroma_u[y * W / 2 + x] = x < W / 4 ? 90 : 128;
            chroma_v[y * W / 2 + x] = x < W / 4 ? 240 : 128;
        }
    return (struct itsi_picture){.layout = ITSI_LAYOUT_PLANAR, .width = W, .height = H,
                                 .plane = {luma, chroma_u, chroma_v}, .stride = {W, W / 2, W / 2},
                                 .chroma_shift_x = 1, .chroma_shift_y = 1, .matrix = ITSI_MATRIX_BT601};
}

static void decode(const struct itsi_jpeg_output *jpeg)
{
    tjhandle turbo = tjInitDecompress();
    int width, height, sampling, space;
    assert_int_equal(tjDecompressHeader3(turbo, jpeg->data, jpeg->size, &width, &height, &sampling, &space), 0);
    assert_int_equal(width, jpeg->width);
    assert_int_equal(height, jpeg->height);
    assert_int_equal(tjDecompress2(turbo, jpeg->data, jpeg->size, rgb, width, 0, height, TJPF_RGB, 0), 0);
    tjDestroy(turbo);
}

/* Mean of one channel over part of the decoded picture. */
static double mean(const struct itsi_jpeg_output *jpeg, int channel, int x1, int x2)
{
    double sum = 0;
    for (int y = 4; y < jpeg->height - 4; y++)
        for (int x = x1; x < x2; x++)
            sum += rgb[(y * jpeg->width + x) * 3 + channel];
    return sum / (double)((x2 - x1) * (jpeg->height - 8));
}

static void colours_come_back(void **state)
{
    (void)state;
    struct itsi_jpeg *jpeg;
    struct itsi_jpeg_output out;
    struct its_diag diag;
    const struct itsi_picture picture = red_and_grey();
    CHECK_OK(itsi_jpeg_create(&jpeg, &diag), diag);
    for (int width = 0; width <= 160; width += 80) {
        const struct itsi_jpeg_request request = {.width = width, .quality = 90};
        CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &request, &out, &diag), diag);
        assert_int_equal(out.width, width ? width : W);
        assert_int_equal(out.height, width ? H * width / W : H);
        decode(&out);
        CHECK_NEAR(mean(&out, 0, 4, out.width / 2 - 8), 254, 3);
        CHECK_NEAR(mean(&out, 1, 4, out.width / 2 - 8), 0, 3);
        CHECK_NEAR(mean(&out, 2, 4, out.width / 2 - 8), 0, 3);
        for (int channel = 0; channel < 3; channel++)
            CHECK_NEAR(mean(&out, channel, out.width / 2 + 8, out.width - 4), 128, 2);
    }
    itsi_jpeg_destroy(jpeg);
}

static void boxes_change_only_where_they_are(void **state)
{
    (void)state;
    struct itsi_jpeg *jpeg;
    struct itsi_jpeg_output out;
    struct its_diag diag;
    const struct itsi_picture picture = red_and_grey();
    const struct itsi_detection box = {.x1 = 200, .y1 = 60, .x2 = 280, .y2 = 140, .score = 0.87F, .cls = 0, .track = -1};
    const char *const names[] = {"car"};
    const struct itsi_jpeg_request request = {
        .quality = 95, .boxes = &box, .count = 1, .names = names, .name_count = 1};
    CHECK_OK(itsi_jpeg_create(&jpeg, &diag), diag);
    CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &request, &out, &diag), diag);
    decode(&out);
    const uint8_t *edge = &rgb[(100 * W + 200) * 3], *inside = &rgb[(100 * W + 240) * 3];
    assert_true(edge[2] > edge[0] + 60); /* class 0 is blue */
    CHECK_NEAR(inside[0], 128, 4);
    CHECK_NEAR(inside[2], 128, 4);
    assert_int_equal(luma[100 * W + 200], 126); /* the frame itself is not drawn on */
    itsi_jpeg_destroy(jpeg);
}

static void never_enlarges(void **state)
{
    (void)state;
    struct itsi_jpeg *jpeg;
    struct itsi_jpeg_output out;
    struct its_diag diag;
    const struct itsi_picture picture = red_and_grey();
    const struct itsi_jpeg_request request = {.width = 4000, .quality = 50};
    CHECK_OK(itsi_jpeg_create(&jpeg, &diag), diag);
    CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &request, &out, &diag), diag);
    assert_int_equal(out.width, W);
    const struct itsi_jpeg_request thin = {.width = 1, .quality = 50};
    CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &thin, &out, &diag), diag);
    assert_int_equal(out.height, 1);
    itsi_jpeg_destroy(jpeg);
}

static void no_pixels_is_an_error(void **state)
{
    (void)state;
    struct itsi_jpeg *jpeg;
    struct itsi_jpeg_output out;
    struct its_diag diag;
    const struct itsi_picture none = {.layout = ITSI_LAYOUT_NONE, .width = W, .height = H};
    const struct itsi_jpeg_request request = {.quality = 50};
    CHECK_OK(itsi_jpeg_create(&jpeg, &diag), diag);
    assert_int_equal(itsi_jpeg_encode(jpeg, &none, &request, &out, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "no pictures");
    itsi_jpeg_destroy(jpeg);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_jpeg *jpeg;
    struct itsi_jpeg_output out;
    struct its_diag diag;
    const struct itsi_picture picture = red_and_grey();
    const struct itsi_jpeg_request full = {.quality = 80}, tile = {.width = 96, .quality = 80};
    CHECK_OK(itsi_jpeg_create(&jpeg, &diag), diag);
    CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &full, &out, &diag), diag);
    const uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 10; i++) {
        CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &tile, &out, &diag), diag);
        CHECK_OK(itsi_jpeg_encode(jpeg, &picture, &full, &out, &diag), diag);
    }
    assert_int_equal(itsi_alloc_count(), before);
    itsi_jpeg_destroy(jpeg);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    const struct itsi_picture picture = red_and_grey();
    const struct itsi_jpeg_request request = {.quality = 80};
    int rc = ITS_ENOMEM;
    for (int n = 1; rc != 0; n++) {
        struct itsi_jpeg *jpeg = NULL;
        struct itsi_jpeg_output out;
        struct its_diag diag;
        assert_true(n < 20);
        itsi_alloc_fail_at(n);
        rc = itsi_jpeg_create(&jpeg, &diag);
        if (rc == 0)
            rc = itsi_jpeg_encode(jpeg, &picture, &request, &out, &diag);
        itsi_alloc_fail_at(0);
        itsi_jpeg_destroy(jpeg);
        assert_true(rc == 0 || rc == ITS_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_come_back),      cmocka_unit_test(boxes_change_only_where_they_are),
        cmocka_unit_test(never_enlarges),         cmocka_unit_test(no_pixels_is_an_error),
        cmocka_unit_test(steady_state_allocates_nothing), cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

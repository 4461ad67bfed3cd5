#include "encode/yuv.h"

#include "base/mem.h"
#include "support/check.h"

static uint8_t luma[64 * 64], chroma_u[64 * 64], chroma_v[64 * 64], both[64 * 64];

/* A grey-to-bright ramp with constant chroma. */
static struct itsi_picture flat(int width, int height, uint8_t y, uint8_t u, uint8_t v)
{
    memset(luma, y, sizeof luma);
    memset(chroma_u, u, sizeof chroma_u);
    memset(chroma_v, v, sizeof chroma_v);
    return (struct itsi_picture){.layout = ITSI_LAYOUT_PLANAR, .width = width, .height = height,
                                 .plane = {luma, chroma_u, chroma_v}, .stride = {64, 64, 64},
                                 .chroma_shift_x = 1, .chroma_shift_y = 1, .matrix = ITSI_MATRIX_BT601};
}

static void convert(struct itsi_yuv *yuv, const struct itsi_picture *picture, int width, int height)
{
    struct its_diag diag;
    itsi_yuv_init(yuv);
    CHECK_OK(itsi_yuv_convert(yuv, picture, width, height, &diag), diag);
}

static void limited_range_becomes_full(void **state)
{
    (void)state;
    struct itsi_yuv yuv;
    static const int cases[][2] = {{16, 0}, {235, 255}, {126, 128}, {0, 0}, {255, 255}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_picture p = flat(16, 16, (uint8_t)cases[i][0], 128, 128);
        convert(&yuv, &p, 16, 16);
        CHECK_NEAR(yuv.y[5 * yuv.stride + 5], cases[i][1], 1);
        assert_int_equal(yuv.u[0], 128);
        itsi_yuv_fini(&yuv);
    }
    struct itsi_picture p = flat(16, 16, 126, 240, 16);
    convert(&yuv, &p, 16, 16);
    CHECK_NEAR(yuv.u[3], 255, 1);
    CHECK_NEAR(yuv.v[3], 0, 1);
    itsi_yuv_fini(&yuv);
}

static void full_range_stays(void **state)
{
    (void)state;
    struct itsi_picture p = flat(16, 16, 33, 77, 201);
    struct itsi_yuv yuv;
    p.full_range = true;
    convert(&yuv, &p, 16, 16);
    assert_int_equal(yuv.y[0], 33);
    assert_int_equal(yuv.u[0], 77);
    assert_int_equal(yuv.v[0], 201);
    itsi_yuv_fini(&yuv);
}

/* Pure red in BT.709 limited (Y 63, U 102, V 240) must be pure red in full BT.601 (76, 85, 255). */
static void bt709_becomes_bt601(void **state)
{
    (void)state;
    struct itsi_picture p = flat(16, 16, 63, 102, 240);
    struct itsi_yuv yuv;
    p.matrix = ITSI_MATRIX_BT709;
    convert(&yuv, &p, 16, 16);
    CHECK_NEAR(yuv.y[0], 76, 2);
    CHECK_NEAR(yuv.u[0], 85, 2);
    CHECK_NEAR(yuv.v[0], 255, 2);
    itsi_yuv_fini(&yuv);
}

static void scaling_averages_what_it_covers(void **state)
{
    (void)state;
    struct itsi_picture p = flat(60, 40, 0, 128, 128);
    struct itsi_yuv yuv;
    p.full_range = true;
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 60; x++)
            luma[y * 64 + x] = (uint8_t)(x * 4);
    convert(&yuv, &p, 20, 10); /* spans of 3 x 4: mean of 4x, 4(x+1), 4(x+2) */
    for (int x = 0; x < 20; x++)
        assert_int_equal(yuv.y[7 * yuv.stride + x], (3 * x + 1) * 4);
    itsi_yuv_fini(&yuv);
    convert(&yuv, &p, 25, 10); /* spans of 2 and 3: monotonic, ends where the source ends */
    for (int x = 1; x < 25; x++)
        assert_true(yuv.y[x] > yuv.y[x - 1]);
    CHECK_NEAR(yuv.y[24], (57 + 58 + 59) * 4 / 3, 1);
    itsi_yuv_fini(&yuv);
}

static void nv12_equals_planar(void **state)
{
    (void)state;
    struct itsi_picture p = flat(32, 32, 100, 0, 0);
    struct itsi_yuv planar, semi;
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++) {
            chroma_u[y * 64 + x] = both[y * 64 + 2 * x] = (uint8_t)(90 + x * 3);
            chroma_v[y * 64 + x] = both[y * 64 + 2 * x + 1] = (uint8_t)(60 + y * 7);
        }
    convert(&planar, &p, 16, 12);
    p.layout = ITSI_LAYOUT_SEMI;
    p.plane[1] = both;
    p.plane[2] = NULL;
    convert(&semi, &p, 16, 12);
    for (int y = 0; y < planar.chroma_h; y++) {
        assert_memory_equal(planar.u + y * planar.chroma_stride, semi.u + y * semi.chroma_stride, 8);
        assert_memory_equal(planar.v + y * planar.chroma_stride, semi.v + y * semi.chroma_stride, 8);
    }
    itsi_yuv_fini(&planar);
    itsi_yuv_fini(&semi);
}

static void odd_sizes_grey_and_negative_strides(void **state)
{
    (void)state;
    struct itsi_picture p = flat(33, 17, 126, 128, 128);
    struct itsi_yuv yuv;
    p.layout = ITSI_LAYOUT_GRAY;
    p.plane[1] = p.plane[2] = NULL;
    luma[16 * 64 + 32] = 235; /* the corner, repeated into the padding */
    convert(&yuv, &p, 33, 17);
    assert_int_equal(yuv.chroma_w, 17);
    assert_int_equal(yuv.chroma_h, 9);
    CHECK_NEAR(yuv.y[17 * yuv.stride + 33], 255, 1);
    assert_int_equal(yuv.u[8 * yuv.chroma_stride + 16], 128);
    itsi_yuv_fini(&yuv);
    p.plane[0] = luma + 16 * 64; /* bottom-up */
    p.stride[0] = -64;
    convert(&yuv, &p, 33, 17);
    CHECK_NEAR(yuv.y[32], 255, 1);
    itsi_yuv_fini(&yuv);
}

/* 4:1:1 has fewer chroma samples than 4:2:0 wants: they repeat, in order. */
static void sparse_chroma_repeats(void **state)
{
    (void)state;
    struct itsi_picture p = flat(32, 8, 100, 0, 128);
    struct itsi_yuv yuv;
    p.full_range = true;
    p.chroma_shift_x = 2;
    p.chroma_shift_y = 0;
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            chroma_u[y * 64 + x] = (uint8_t)(x * 10);
    convert(&yuv, &p, 32, 8);
    for (int x = 0; x < 16; x++)
        assert_int_equal(yuv.u[x], x / 2 * 10);
    itsi_yuv_fini(&yuv);
}

static void refuses_what_it_cannot_make(void **state)
{
    (void)state;
    struct itsi_picture p = flat(32, 32, 100, 128, 128);
    struct itsi_yuv yuv;
    struct its_diag diag;
    itsi_yuv_init(&yuv);
    assert_int_equal(itsi_yuv_convert(&yuv, &p, 33, 32, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "32x32");
    assert_int_equal(itsi_yuv_convert(&yuv, &p, 0, 32, &diag), ITS_EINVAL);
    p.layout = ITSI_LAYOUT_NONE;
    assert_int_equal(itsi_yuv_convert(&yuv, &p, 32, 32, &diag), ITS_EINVAL);
    itsi_yuv_fini(&yuv);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_picture p = flat(64, 64, 100, 128, 128);
    struct itsi_yuv yuv;
    struct its_diag diag;
    convert(&yuv, &p, 64, 64);
    const uint64_t before = itsi_alloc_count();
    for (int i = 1; i <= 64; i++)
        CHECK_OK(itsi_yuv_convert(&yuv, &p, i, i, &diag), diag);
    assert_int_equal(itsi_alloc_count(), before);
    itsi_yuv_fini(&yuv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limited_range_becomes_full),
        cmocka_unit_test(full_range_stays),
        cmocka_unit_test(bt709_becomes_bt601),
        cmocka_unit_test(scaling_averages_what_it_covers),
        cmocka_unit_test(nv12_equals_planar),
        cmocka_unit_test(odd_sizes_grey_and_negative_strides),
        cmocka_unit_test(sparse_chroma_repeats),
        cmocka_unit_test(refuses_what_it_cannot_make),
        cmocka_unit_test(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

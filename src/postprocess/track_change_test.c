#include "support/check.h"

#include "postprocess/track_change.h"

#include <string.h>

enum { W = 640, H = 360, MOST_STRIDE = 704 };
static uint8_t pixels[H * MOST_STRIDE];

static struct itsi_picture gray(int width, int height, int stride)
{
    return (struct itsi_picture){.layout = ITSI_LAYOUT_GRAY, .width = width, .height = height, .plane = {pixels},
                                 .stride = {stride}};
}

static void paint(int width, int height, int stride, int shift)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            pixels[y * stride + x] = (uint8_t)((x * 3 + y * 7 + shift) & 127);
}

static void test_the_same_again(void **state)
{
    (void)state;
    struct itsi_track_change change = {.begun = false};
    const struct itsi_picture picture = gray(W, H, MOST_STRIDE);
    paint(W, H, MOST_STRIDE, 0);
    CHECK_NEAR((double)itsi_track_change_next(&change, &picture), 255, 0); /* the first is all news */
    CHECK_NEAR((double)itsi_track_change_next(&change, &picture), 0, 0);
    memset(pixels, 10, sizeof pixels);
    itsi_track_change_next(&change, &picture);
    memset(pixels, 13, sizeof pixels);
    CHECK_NEAR((double)itsi_track_change_next(&change, &picture), 3, 1e-6);
    CHECK_NEAR((double)itsi_track_change_next(&change, &picture), 0, 0);
}

/* A car crosses a picture that is otherwise the same: it is seen wherever it is. */
static void test_something_moves(void **state)
{
    (void)state;
    const struct itsi_picture picture = gray(W, H, W);
    for (int x = 0; x + 60 < W; x += 37)
        for (int y = 0; y + 40 < H; y += 53) {
            struct itsi_track_change change = {.begun = false};
            memset(pixels, 90, sizeof pixels);
            itsi_track_change_next(&change, &picture);
            for (int r = y; r < y + 40; r++)
                memset(pixels + r * W + x, 200, 60);
            const float difference = itsi_track_change_next(&change, &picture);
            assert_true(difference > 0.3F && difference < 5);
            assert_true(itsi_track_change_worth(difference) > 0.8F);
        }
}

static void test_worth(void **state)
{
    (void)state;
    CHECK_NEAR((double)itsi_track_change_worth(0), 0, 0);
    assert_true(itsi_track_change_worth(0.05F) < 0.2F);
    CHECK_NEAR((double)itsi_track_change_worth(3), 1, 0);
    CHECK_NEAR((double)itsi_track_change_worth(255), 1, 0);
}

/* Nothing is read beside the picture: its edges end where the buffer does. */
static void test_any_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {191, 400}, {192, 26}, {192, 27}, {352, 288}, {641, 361}};
    struct itsi_track_change change = {.begun = false};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int width = sizes[i][0], height = sizes[i][1];
        uint8_t *own = malloc((size_t)(width * height));
        assert_non_null(own);
        memset(own, 50, (size_t)(width * height));
        struct itsi_picture picture = gray(width, height, width);
        picture.plane[0] = own;
        const bool fits = width >= 192 && height >= 27;
        itsi_track_change_next(&change, &picture);
        CHECK_NEAR((double)itsi_track_change_next(&change, &picture), fits ? 0 : 255, 0);
        picture.plane[0] = own + (height - 1) * width; /* upside down */
        picture.stride[0] = -width;
        CHECK_NEAR((double)itsi_track_change_next(&change, &picture), fits ? 0 : 255, 0);
        free(own);
    }
    const struct itsi_picture none = {.layout = ITSI_LAYOUT_NONE, .width = W, .height = H};
    CHECK_NEAR((double)itsi_track_change_next(&change, &none), 255, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_again),
        cmocka_unit_test(test_something_moves),
        cmocka_unit_test(test_worth),
        cmocka_unit_test(test_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "encode/overlay.h"

#include "encode/font.h"
#include "support/check.h"

static uint8_t grey[320 * 240];
static struct itsi_yuv yuv;

static int blank(void **state)
{
    (void)state;
    memset(grey, 100, sizeof grey);
    const struct itsi_picture picture = {.layout = ITSI_LAYOUT_GRAY, .width = 320, .height = 240, .plane = {grey},
                                         .stride = {320}, .full_range = true};
    itsi_yuv_fini(&yuv);
    return itsi_yuv_convert(&yuv, &picture, 320, 240, NULL);
}

static int done(void **state)
{
    (void)state;
    itsi_yuv_fini(&yuv);
    return 0;
}

static int at(int x, int y) { return yuv.y[y * yuv.stride + x]; }

static int painted(int value)
{
    int count = 0;
    for (int y = 0; y < 240; y++)
        for (int x = 0; x < 320; x++)
            count += at(x, y) == value;
    return count;
}

static void frame_is_exact(void **state)
{
    (void)state;
    const struct itsi_colour ink = {200, 90, 160};
    itsi_overlay_frame(&yuv, 10, 20, 30, 50, 2, ink);
    assert_int_equal(painted(200), 20 * 30 - 16 * 26);
    assert_int_equal(at(10, 20), 200);
    assert_int_equal(at(29, 49), 200);
    assert_int_equal(at(30, 49), 100);
    assert_int_equal(at(15, 30), 100);
    assert_int_equal(yuv.u[10 * yuv.chroma_stride + 5], 90);
    assert_int_equal(yuv.v[10 * yuv.chroma_stride + 5], 160);
    assert_int_equal(yuv.u[15 * yuv.chroma_stride + 10], 128);
}

static void clipped_to_the_picture(void **state)
{
    (void)state;
    const struct itsi_colour ink = {200, 128, 128};
    itsi_overlay_frame(&yuv, -50, -50, 400, 300, 3, ink);
    assert_int_equal(painted(200), 0);
    itsi_overlay_fill(&yuv, 310, 230, 500, 500, ink);
    assert_int_equal(painted(200), 100);
    itsi_overlay_text(&yuv, 315, -3, 4, "OVERFLOW", ink);
}

static void text_is_its_glyphs(void **state)
{
    (void)state;
    const struct itsi_colour ink = {200, 128, 128};
    itsi_overlay_text(&yuv, 40, 60, 2, "L", ink);
    const uint8_t *rows = itsi_font_glyph('L');
    for (int y = 0; y < ITSI_FONT_HEIGHT; y++)
        for (int x = 0; x < ITSI_FONT_WIDTH; x++)
            assert_int_equal(at(40 + 2 * x + 1, 60 + 2 * y + 1), rows[y] >> (4 - x) & 1 ? 200 : 100);
    assert_int_equal(itsi_overlay_text_width(2, "LL"), 22);
}

/* Every character a label can hold has a glyph of its own, within five columns. */
static void font_covers_labels(void **state)
{
    (void)state;
    const char *all = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-_%/()+#'&";
    const uint8_t *missing = itsi_font_glyph('\x7f');
    for (const char *a = all; *a; a++) {
        const uint8_t *rows = itsi_font_glyph(*a);
        assert_ptr_not_equal(rows, missing);
        for (int y = 0; y < ITSI_FONT_HEIGHT; y++)
            assert_true(rows[y] < 32);
        for (const char *b = a + 1; *b; b++)
            assert_memory_not_equal(rows, itsi_font_glyph(*b), ITSI_FONT_HEIGHT);
    }
    assert_ptr_equal(itsi_font_glyph('q'), itsi_font_glyph('Q'));
}

static void labels_stay_inside(void **state)
{
    (void)state;
    const char *const names[] = {"car", "truck"};
    const struct itsi_detection boxes[] = {
        {.x1 = 600, .y1 = 0, .x2 = 640, .y2 = 100, .score = 0.914F, .cls = 1, .track = -1},
        {.x1 = 0, .y1 = 200, .x2 = 100, .y2 = 300, .score = 0.5F, .cls = 77, .track = -1},
    };
    /* the boxes belong to a picture twice as large */
    itsi_overlay_boxes(&yuv, 640, 480, boxes, 2, names, 2);
    const struct itsi_colour truck = itsi_overlay_colour(1), unnamed = itsi_overlay_colour(77);
    assert_int_equal(at(300, 40), truck.y);
    assert_int_equal(at(299, 40), 100);
    assert_int_equal(at(319, 49), truck.y);
    assert_int_equal(at(0, 125), unnamed.y);
    assert_int_equal(at(25, 99), unnamed.y); /* its label lies above it */
    itsi_overlay_boxes(&yuv, 0, 0, boxes, 2, names, 2);
}

static void classes_differ(void **state)
{
    (void)state;
    for (int a = 0; a < 12; a++)
        for (int b = a + 1; b < 12; b++) {
            const struct itsi_colour p = itsi_overlay_colour(a), q = itsi_overlay_colour(b);
            assert_true(abs(p.y - q.y) + abs(p.u - q.u) + abs(p.v - q.v) > 20);
        }
    assert_int_equal(itsi_overlay_colour(0).y, itsi_overlay_colour(12).y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frame_is_exact, blank, done),
        cmocka_unit_test_setup_teardown(clipped_to_the_picture, blank, done),
        cmocka_unit_test_setup_teardown(text_is_its_glyphs, blank, done),
        cmocka_unit_test(font_covers_labels),
        cmocka_unit_test_setup_teardown(labels_stay_inside, blank, done),
        cmocka_unit_test(classes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/mem.h"
#include "preprocess/letterbox_impl.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- pictures whose planes end where memory ends ---- */

struct guarded {
    uint8_t *map, *data;
    size_t map_size;
};

/* `size` bytes that end at a page which cannot be touched (or, with at_start, begin after one). */
static struct guarded guarded_alloc(size_t size, bool at_start)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (size + page - 1) / page * page;
    struct guarded g = {.map_size = body + 2 * page};
    g.map = mmap(NULL, g.map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + page, body, PROT_READ | PROT_WRITE), 0);
    g.data = at_start ? g.map + page : g.map + page + body - size;
    return g;
}

static void guarded_free(struct guarded *g) { munmap(g->map, g->map_size); }

struct test_picture {
    struct itsi_picture picture;
    struct guarded planes[3];
    int count;
};

static uint32_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 24;
}

/* Noise, hard edges and extremes: the worst there is for interpolation error. `flip`: bottom-up planes. */
static void picture_init(struct test_picture *t, enum itsi_layout layout, int w, int h, int shift_x, int shift_y,
                         bool flip)
{
    memset(t, 0, sizeof *t);
    t->count = layout == ITSI_LAYOUT_GRAY ? 1 : layout == ITSI_LAYOUT_SEMI ? 2 : 3;
    struct itsi_picture *p = &t->picture;
    *p = (struct itsi_picture){.layout = layout, .width = w, .height = h};
    p->chroma_shift_x = (uint8_t)shift_x;
    p->chroma_shift_y = (uint8_t)shift_y;
    uint32_t state = (uint32_t)(w * 31 + h);
    for (int i = 0; i < t->count; i++) {
        int cols = i ? (w + (1 << shift_x) - 1) >> shift_x : w, rows = i ? (h + (1 << shift_y) - 1) >> shift_y : h;
        if (i && layout == ITSI_LAYOUT_SEMI)
            cols *= 2;
        t->planes[i] = guarded_alloc((size_t)cols * (size_t)rows, flip);
        for (int k = 0; k < cols * rows; k++) {
            int r = (int)noise(&state);
            int x = k % cols, y = k / cols;
            t->planes[i].data[k] = (uint8_t)(x * 3 < cols ? r : y * 2 < rows ? (r & 1 ? 255 : 0) : 255 * x / cols);
        }
        p->stride[i] = flip ? -cols : cols;
        p->plane[i] = t->planes[i].data + (flip ? (size_t)cols * (size_t)(rows - 1) : 0);
    }
}

static void picture_fini(struct test_picture *t)
{
    for (int i = 0; i < t->count; i++)
        guarded_free(&t->planes[i]);
}

/* ---- the definition, in floating point, a pixel at a time ---- */

static double sample(const struct itsi_picture *p, int plane, int step, int offset, int cols, int rows, double x,
                     double y)
{
    x = fmin(fmax(x, 0), cols - 1);
    y = fmin(fmax(y, 0), rows - 1);
    int x0 = (int)x, y0 = (int)y, x1 = x0 + 1 < cols ? x0 + 1 : x0, y1 = y0 + 1 < rows ? y0 + 1 : y0;
    const uint8_t *r0 = p->plane[plane] + (ptrdiff_t)y0 * p->stride[plane];
    const uint8_t *r1 = p->plane[plane] + (ptrdiff_t)y1 * p->stride[plane];
    double fx = x - x0, fy = y - y0;
    double top = r0[x0 * step + offset] * (1 - fx) + r0[x1 * step + offset] * fx;
    double bottom = r1[x0 * step + offset] * (1 - fx) + r1[x1 * step + offset] * fx;
    return top * (1 - fy) + bottom * fy;
}

/* The published coefficients, not derived ones: rv, gu, gv, bu at full range. */
static const double published[3][4] = {
    [ITSI_MATRIX_BT601] = {1.402, -0.344136, -0.714136, 1.772},
    [ITSI_MATRIX_BT709] = {1.5748, -0.187324, -0.468124, 1.8556},
    [ITSI_MATRIX_BT2020] = {1.4746, -0.164553, -0.571353, 1.8814},
};

static void wanted_pixel(const struct itsi_picture *p, const struct itsi_letterbox *box, int x, int y, double rgb[3])
{
    double luma_x = (x + 0.5) * p->width / box->inner_w, luma_y = (y + 0.5) * p->height / box->inner_h;
    double yy = sample(p, 0, 1, 0, p->width, p->height, luma_x - 0.5, luma_y - 0.5), u = 128, v = 128;
    if (p->layout != ITSI_LAYOUT_GRAY) {
        int sx = 1 << p->chroma_shift_x, sy = 1 << p->chroma_shift_y;
        int cols = (p->width + sx - 1) / sx, rows = (p->height + sy - 1) / sy;
        bool semi = p->layout == ITSI_LAYOUT_SEMI;
        u = sample(p, 1, semi ? 2 : 1, 0, cols, rows, luma_x / sx - 0.5, luma_y / sy - 0.5);
        v = sample(p, semi ? 1 : 2, semi ? 2 : 1, semi, cols, rows, luma_x / sx - 0.5, luma_y / sy - 0.5);
    }
    double gain = p->full_range ? 1 : 255.0 / 224;
    yy = p->full_range ? yy : (yy - 16) * 255 / 219;
    const double *m = published[p->matrix];
    u = (u - 128) * gain;
    v = (v - 128) * gain;
    rgb[0] = yy + m[0] * v;
    rgb[1] = yy + m[1] * u + m[2] * v;
    rgb[2] = yy + m[3] * u;
}

/* Compares a whole tensor; returns the share of channels that differ at all. */
static double check_against_definition(const struct itsi_picture *p, const struct itsi_letterbox *box,
                                       const struct itsi_image_tensor *t, const char *what)
{
    long differing = 0;
    for (int y = 0; y < t->height; y++) {
        for (int x = 0; x < t->width; x++) {
            double want[3] = {114, 114, 114};
            int ix = x - box->pad_x, iy = y - box->pad_y;
            bool inside = ix >= 0 && iy >= 0 && ix < box->inner_w && iy < box->inner_h;
            if (inside)
                wanted_pixel(p, box, ix, iy, want);
            for (int c = 0; c < 3; c++) {
                int exact = (int)fmin(fmax(floor(want[c] + 0.5), 0), 255);
                int have = t->data[((size_t)y * (size_t)t->width + (size_t)x) * 3 + (size_t)c];
                if (abs(have - exact) > inside)
                    fail_msg("%s: pixel %d,%d channel %d is %d, wanted %.3f", what, x, y, c, have, want[c]);
                differing += have != exact;
            }
        }
    }
    return (double)differing / (3.0 * t->width * t->height);
}

/* ---- geometry ---- */

static void fit_follows_the_definition(void **state)
{
    (void)state;
    static const struct {
        int w, h, width, height, inner_w, inner_h, pad_x, pad_y;
        double scale;
    } cases[] = {
        {640, 360, 640, 384, 640, 360, 0, 12, 1},
        {1280, 720, 640, 384, 640, 360, 0, 12, 0.5},
        {1920, 1080, 640, 384, 640, 360, 0, 12, 1 / 3.0},
        {1920, 1080, 640, 640, 640, 360, 0, 140, 1 / 3.0},
        {352, 288, 640, 384, 469, 384, 85, 0, 4 / 3.0},       /* 171 over: 85 left, 86 right */
        {1279, 717, 640, 384, 640, 359, 0, 12, 640 / 1279.0}, /* 25 over: 12 above, 13 below */
        {720, 1280, 640, 384, 216, 384, 212, 0, 0.3},
        {1280, 361, 640, 384, 640, 180, 0, 102, 0.5}, /* 180.5 goes to the even side */
        {1280, 363, 640, 384, 640, 182, 0, 101, 0.5}, /* so does 181.5 */
        {2, 2, 640, 384, 384, 384, 128, 0, 192},
        {1, 1, 32, 32, 32, 32, 0, 0, 32},
        {3840, 1, 640, 384, 640, 1, 0, 191, 640 / 3840.0}, /* never less than a row */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct itsi_letterbox box;
        itsi_letterbox_fit(cases[i].w, cases[i].h, cases[i].width, cases[i].height, &box);
        CHECK_NEAR(box.scale, cases[i].scale, cases[i].scale * 1e-6);
        assert_int_equal(box.inner_w, cases[i].inner_w);
        assert_int_equal(box.inner_h, cases[i].inner_h);
        assert_int_equal(box.pad_x, cases[i].pad_x);
        assert_int_equal(box.pad_y, cases[i].pad_y);
        assert_int_equal(box.source_w, cases[i].w);
        assert_int_equal(box.source_h, cases[i].h);
    }
}

/* ---- pixels ---- */

static const struct size {
    int w, h, width, height;
} sizes[] = {
    {640, 360, 640, 384},   {1280, 720, 640, 384}, {1920, 1080, 640, 384}, {352, 288, 640, 384}, {1279, 717, 640, 384},
    {360, 640, 640, 384},   {3840, 400, 640, 384}, {641, 361, 640, 384},   {2, 2, 64, 32},       {1, 1, 32, 32},
    {3, 5, 32, 64},         {17, 9, 32, 32},       {33, 20, 96, 64},       {96, 64, 96, 64},     {66, 130, 32, 64},
    {130, 66, 64, 32},      {500, 1, 64, 32},      {1, 300, 64, 32},       {31, 31, 31, 17},     {1600, 50, 96, 32},
};
static const struct format {
    enum itsi_layout layout;
    int shift_x, shift_y;
    const char *name;
} formats[] = {
    {ITSI_LAYOUT_PLANAR, 1, 1, "i420"}, {ITSI_LAYOUT_PLANAR, 1, 0, "i422"}, {ITSI_LAYOUT_PLANAR, 0, 0, "i444"},
    {ITSI_LAYOUT_PLANAR, 2, 0, "i411"}, {ITSI_LAYOUT_SEMI, 1, 1, "nv12"},   {ITSI_LAYOUT_SEMI, 1, 0, "nv16"},
    {ITSI_LAYOUT_GRAY, 0, 0, "gray"},
};
#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static struct itsi_letterboxer *new_boxer(void)
{
    struct itsi_letterboxer *boxer;
    struct its_diag diag;
    CHECK_OK(itsi_letterboxer_create(&boxer, &diag), diag);
    return boxer;
}

/* Every size and format, matrices and ranges in turn; planes and tensor end (upside down: begin) at forbidden pages. */
static void every_kernel_set_follows_the_definition_within_a_level(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = new_boxer();
    double worst = 0;
    for (int i = 0; i < COUNT(sizes) * COUNT(formats); i++) {
        const struct size *s = &sizes[i / COUNT(formats)];
        const struct format *f = &formats[i % COUNT(formats)];
        struct test_picture t;
        picture_init(&t, f->layout, s->w, s->h, f->shift_x, f->shift_y, i % 2);
        t.picture.matrix = (enum itsi_matrix)(i % 3);
        t.picture.full_range = (i / 3) % 2;
        size_t bytes = (size_t)s->width * (size_t)s->height * 3;
        uint8_t *first = NULL;
        for (int k = 0; itsi_letterbox_kernels(k); k++) {
            struct guarded out = guarded_alloc(bytes, i % 2);
            memset(out.data, 7, bytes);
            struct itsi_image_tensor tensor = {out.data, s->width, s->height};
            struct itsi_letterbox box;
            char what[128];
            snprintf(what, sizeof what, "%s %dx%d to %dx%d, matrix %d%s, %s", f->name, s->w, s->h, s->width, s->height,
                     (int)t.picture.matrix, t.picture.full_range ? " full" : "", itsi_letterbox_kernels(k)->name);
            itsi_letterboxer_use(boxer, itsi_letterbox_kernels(k));
            assert_int_equal(itsi_letterbox_run(boxer, &t.picture, &tensor, &box), 0);
            if (!first) {
                worst = fmax(worst, check_against_definition(&t.picture, &box, &tensor, what));
                first = test_malloc(bytes);
                memcpy(first, out.data, bytes);
            } else if (memcmp(first, out.data, bytes) != 0) {
                fail_msg("%s: differs from the portable kernels", what);
            }
            guarded_free(&out);
        }
        test_free(first);
        picture_fini(&t);
    }
    /* The arithmetic keeps seven bits below the sample: almost every channel is not only within a level but equal. */
    if (worst > 0.02)
        fail_msg("%.3f of the channels of the worst case differ from the exact result", worst);
    itsi_letterboxer_destroy(boxer);
}

/* What no tolerance may blur: black, white and grey stay so, in every matrix and range. */
static void neutral_colours_stay_neutral(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = new_boxer();
    uint8_t planes[3][64 * 32], out[64 * 32 * 3];
    struct itsi_image_tensor tensor = {out, 64, 32};
    struct itsi_letterbox box;
    memset(planes[1], 128, sizeof planes[1]);
    memset(planes[2], 128, sizeof planes[2]);
    for (int i = 0; i < 6 * 256; i++) {
        int matrix = i % 6 / 2, luma = i / 6;
        bool full = i % 2;
        struct itsi_picture p = {.layout = ITSI_LAYOUT_PLANAR, .width = 64, .height = 32, .stride = {64, 64, 64},
                                 .plane = {planes[0], planes[1], planes[2]}, .full_range = full};
        p.matrix = (enum itsi_matrix)matrix;
        memset(planes[0], luma, sizeof planes[0]);
        assert_int_equal(itsi_letterbox_run(boxer, &p, &tensor, &box), 0);
        double wanted = full ? luma : fmin(fmax((luma - 16) * 255.0 / 219, 0), 255);
        for (size_t k = 0; k < sizeof out; k++)
            if (out[k] != out[0])
                fail_msg("luma %d: channel %zu is %d beside %d", luma, k, out[k], out[0]);
        CHECK_NEAR(out[0], wanted, 0.5 + 1e-4);
    }
    itsi_letterboxer_destroy(boxer);
}

/* ---- lifetime ---- */

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = new_boxer();
    enum { KINDS = 20 };
    struct test_picture t[KINDS];
    uint8_t *out = test_malloc(96 * 64 * 3);
    struct itsi_letterbox box;
    for (int i = 0; i < KINDS; i++)
        picture_init(&t[i], i % 2 ? ITSI_LAYOUT_PLANAR : ITSI_LAYOUT_SEMI, 100 + 3 * i, 60 + i, 1, 1, false);
    uint64_t warm = 0;
    for (int round = 0; round < 5; round++) {
        if (round == 1)
            warm = itsi_alloc_count();
        for (int i = 0; i < KINDS; i++) {
            struct itsi_image_tensor tensor = {out, i % 3 ? 96 : 64, i % 3 ? 64 : 32};
            assert_int_equal(itsi_letterbox_run(boxer, &t[i].picture, &tensor, &box), 0);
        }
    }
    assert_int_equal(itsi_alloc_count(), warm);
    for (int i = 0; i < KINDS; i++)
        picture_fini(&t[i]);
    test_free(out);
    itsi_letterboxer_destroy(boxer);
}

/* More geometries than are kept: those used longest ago are rebuilt, the others are not, and pixels stay right. */
static void the_geometry_used_longest_ago_makes_room(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = new_boxer();
    uint8_t out[64 * 32 * 3];
    struct itsi_image_tensor tensor = {out, 64, 32};
    struct itsi_letterbox box;
    enum { KINDS = ITSI_LETTERBOX_GEOMETRIES + 1 };
    for (int i = 0; i < KINDS; i++) {
        struct test_picture t;
        picture_init(&t, ITSI_LAYOUT_PLANAR, 200 - i, 80, 1, 1, false);
        assert_int_equal(itsi_letterbox_run(boxer, &t.picture, &tensor, &box), 0);
        check_against_definition(&t.picture, &box, &tensor, "filling the cache");
        picture_fini(&t);
    }
    for (int i = KINDS - 1; i >= 0; i--) {
        struct test_picture t;
        picture_init(&t, ITSI_LAYOUT_PLANAR, 200 - i, 80, 1, 1, false);
        uint64_t before = itsi_alloc_count();
        assert_int_equal(itsi_letterbox_run(boxer, &t.picture, &tensor, &box), 0);
        if ((itsi_alloc_count() == before) != (i > 0))
            fail_msg("geometry %d was%s kept", i, i > 0 ? " not" : "");
        check_against_definition(&t.picture, &box, &tensor, "reading it back");
        picture_fini(&t);
    }
    itsi_letterboxer_destroy(boxer);
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = NULL;
    itsi_alloc_fail_at(1);
    int rc = itsi_letterboxer_create(&boxer, NULL);
    itsi_alloc_fail_at(0);
    assert_int_equal(rc, ITS_ENOMEM);
    assert_null(boxer);

    struct test_picture t;
    picture_init(&t, ITSI_LAYOUT_SEMI, 100, 60, 1, 1, false);
    uint8_t out[64 * 32 * 3];
    struct itsi_image_tensor tensor = {out, 64, 32};
    int failures = 0;
    for (int nth = 1;; nth++) {
        boxer = new_boxer();
        struct itsi_letterbox box = {.pad_x = -77};
        memset(out, 7, sizeof out);
        itsi_alloc_fail_at(nth);
        rc = itsi_letterbox_run(boxer, &t.picture, &tensor, &box);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            itsi_letterboxer_destroy(boxer);
            break;
        }
        failures++;
        assert_int_equal(rc, ITS_ENOMEM);
        assert_int_equal(box.pad_x, -77);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], 7);
        assert_int_equal(itsi_letterbox_run(boxer, &t.picture, &tensor, &box), 0);
        check_against_definition(&t.picture, &box, &tensor, "after a failure");
        itsi_letterboxer_destroy(boxer);
    }
    assert_int_equal(failures, 5); /* lines and four axes */
    picture_fini(&t);
}

static void unusable_pictures_are_refused(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = new_boxer();
    struct test_picture t;
    picture_init(&t, ITSI_LAYOUT_PLANAR, 64, 32, 1, 1, false);
    uint8_t out[64 * 32 * 3];
    struct itsi_image_tensor tensor = {out, 64, 32};
    struct itsi_letterbox box;
    struct itsi_picture bad[8];
    for (int i = 0; i < COUNT(bad); i++)
        bad[i] = t.picture;
    bad[0].width = 0;
    bad[1].height = -1;
    bad[2].plane[0] = NULL;
    bad[3].plane[2] = NULL;
    bad[4].matrix = (enum itsi_matrix)9;
    bad[5].chroma_shift_x = 200;
    bad[6].width = 1 << 20;
    bad[7].layout = (enum itsi_layout)17;
    for (int i = 0; i < COUNT(bad); i++)
        assert_int_equal(itsi_letterbox_run(boxer, &bad[i], &tensor, &box), ITS_EINVAL);
    struct itsi_image_tensor empty = {out, 0, 32};
    assert_int_equal(itsi_letterbox_run(boxer, &t.picture, &empty, &box), ITS_EINVAL);
    picture_fini(&t);
    itsi_letterboxer_destroy(boxer);
}

static void pictures_without_pixels_touch_nothing(void **state)
{
    (void)state;
    struct itsi_letterboxer *boxer = new_boxer();
    uint8_t out[64 * 32 * 3];
    memset(out, 7, sizeof out);
    struct itsi_picture none = {.layout = ITSI_LAYOUT_NONE, .width = 1920, .height = 1080};
    struct itsi_image_tensor tensor = {out, 64, 32};
    struct itsi_letterbox box;
    assert_int_equal(itsi_letterbox_run(boxer, &none, &tensor, &box), 0);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 7);
    CHECK_NEAR(box.scale, 1, 0);
    assert_int_equal(box.pad_x, 0);
    assert_int_equal(box.pad_y, 0);
    assert_int_equal(box.source_w, 64);
    assert_int_equal(box.source_h, 32);
    itsi_letterboxer_destroy(boxer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_follows_the_definition),
        cmocka_unit_test(every_kernel_set_follows_the_definition_within_a_level),
        cmocka_unit_test(neutral_colours_stay_neutral),
        cmocka_unit_test(steady_state_allocates_nothing),
        cmocka_unit_test(the_geometry_used_longest_ago_makes_room),
        cmocka_unit_test(failing_allocations_are_survived),
        cmocka_unit_test(unusable_pictures_are_refused),
        cmocka_unit_test(pictures_without_pixels_touch_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

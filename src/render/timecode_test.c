#include "render/road.h"

#include "base/rand.h"
#include "support/check.h"
#include "support/sanitized.h"

#include <stdlib.h>
#include <unistd.h>

static uint8_t *grey(int w, int h, uint64_t seed)
{
    uint8_t *p = malloc((size_t)w * (size_t)h);
    assert_non_null(p);
    struct itsi_rand rng;
    itsi_rand_seed(&rng, seed);
    for (int i = 0; i < w * h; i++)
        p[i] = (uint8_t)(90 + itsi_rand_below(&rng, 40));
    return p;
}

static void written_is_read_at_every_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{64, 64},    {160, 90},    {320, 180},   {352, 288}, {640, 360},
                                   {1280, 720}, {1920, 1080}, {4096, 2160}, {720, 1280}};
    static const uint32_t numbers[] = {0, 1, 0x80000000u, 0xffffffffu, 123456789};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            int w = sizes[i][0], h = sizes[i][1];
            uint8_t *p = grey(w, h, i);
            uint32_t got = ~numbers[k];
            itsi_timecode_write(p, w, w, h, numbers[k]);
            if (itsi_timecode_read(p, w, w, h, &got) != 1 || got != numbers[k])
                fail_msg("%dx%d: wrote %u, read %u", w, h, numbers[k], got);
            free(p);
        }
}

static void only_the_corner_is_touched(void **state)
{
    (void)state;
    int w = 640, h = 360, stride = 700;
    uint8_t *p = malloc((size_t)stride * (size_t)h);
    memset(p, 77, (size_t)stride * (size_t)h);
    itsi_timecode_write(p, stride, w, h, 5);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < stride; x++)
            if (x >= w / 5 || y >= h / 9)
                assert_int_equal(p[y * stride + x], 77);
    free(p);
}

/* Halving by averaging, as a scaler does. */
static void half(uint8_t *out, const uint8_t *in, int w, int h)
{
    for (int y = 0; y < h / 2; y++)
        for (int x = 0; x < w / 2; x++) {
            const uint8_t *a = in + y * 2 * w + x * 2;
            out[y * (w / 2) + x] = (uint8_t)((a[0] + a[1] + a[w] + a[w + 1] + 2) / 4);
        }
}

/* What a starved encoder does: blurs, quantises coarsely in blocks, adds noise. */
static void maul(uint8_t *p, int w, int h, int noise, uint64_t seed)
{
    uint8_t *copy = malloc((size_t)w * (size_t)h);
    memcpy(copy, p, (size_t)w * (size_t)h);
    struct itsi_rand rng;
    itsi_rand_seed(&rng, seed);
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            int sum = 0;
            for (int k = 0; k < 9; k++)
                sum += copy[(y + k / 3 - 1) * w + x + k % 3 - 1];
            int v = sum / 9 / 24 * 24 + (int)itsi_rand_below(&rng, (uint32_t)(2 * noise + 1)) - noise;
            p[y * w + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    free(copy);
}

static void it_survives_blur_noise_and_halving(void **state)
{
    (void)state;
    static const int sizes[][2] = {{640, 360}, {1280, 720}, {352, 288}};
    for (int i = 0; i < 3; i++)
        for (uint32_t n = 0; n < (SANITIZED ? 10 : 50); n++) {
            int w = sizes[i][0], h = sizes[i][1];
            uint8_t *p = grey(w, h, n), *small = malloc((size_t)w * (size_t)h / 4);
            uint32_t number = n * 2654435761u, got = 0;
            itsi_timecode_write(p, w, w, h, number);
            maul(p, w, h, 30, n);
            assert_int_equal(itsi_timecode_read(p, w, w, h, &got), 1);
            assert_int_equal(got, number);
            half(small, p, w, h);
            assert_int_equal(itsi_timecode_read(small, w / 2, w / 2, h / 2, &got), 1);
            assert_int_equal(got, number);
            free(small);
            free(p);
        }
}

static void pictures_without_a_code_are_refused(void **state)
{
    (void)state;
    enum { W = 96, H = 54, TRIES = 100000 };
    uint8_t p[W * H];
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 1);
    uint32_t number;
    int found = 0;
    for (int t = 0; t < TRIES; t++) {
        /* Blocks of black and white at about the size of the cells: the hardest noise. */
        int cell = 1 + (int)itsi_rand_below(&rng, 6);
        uint64_t bits = itsi_rand_u64(&rng);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                uint64_t k = (uint64_t)(y / cell * 131 + x / cell);
                p[y * W + x] = ((bits ^ k * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9)) >> 63 ? 235
                                                                                                                : 16;
            }
        found += itsi_timecode_read(p, W, W, H, &number);
    }
    assert_int_equal(found, 0);
    memset(p, 16, sizeof p);
    assert_int_equal(itsi_timecode_read(p, W, W, H, &number), 0);
    memset(p, 235, sizeof p);
    assert_int_equal(itsi_timecode_read(p, W, W, H, &number), 0);
    assert_int_equal(itsi_timecode_read(p, 8, 8, 8, &number), 0);
}

static void a_damaged_code_is_refused(void **state)
{
    (void)state;
    int w = 1280, h = 720, wrong = 0;
    for (int cell = 0; cell < 64; cell++) {
        uint8_t *p = grey(w, h, 1);
        uint32_t got;
        itsi_timecode_write(p, w, w, h, 0xdeadbeef);
        double size = w / 100.0;
        int x0 = (int)((cell % 16 + 0.5) * size), y0 = (int)((cell / 16 + 0.5) * size);
        for (int y = y0; y < y0 + (int)size + 1; y++)
            for (int x = x0; x < x0 + (int)size + 1; x++)
                p[y * w + x] = (uint8_t)(251 - p[y * w + x]);
        wrong += itsi_timecode_read(p, w, w, h, &got);
        free(p);
    }
    assert_int_equal(wrong, 0); /* every single flipped cell is noticed */
}

/* Through the real thing: a rendered road, H.264 at a camera's bit rate, decoded, also at half size. */
static void coded(const char *url, int w, int h, const char *rate)
{
    struct itsi_road_params params;
    struct its_diag diag = {{0}};
    struct itsi_road *road;
    CHECK_OK(itsi_road_params_parse(&params, url, &diag), diag);
    CHECK_OK(itsi_road_create(&road, &params, &diag), diag);
    char name[] = "/tmp/its-timecode-XXXXXX", command[512];
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    snprintf(
        command, sizeof command,
        "ffmpeg -v error -y -f rawvideo -pix_fmt yuv420p -s %dx%d -r 25 -i - -c:v libx264 -preset veryfast -b:v %s "
        "-maxrate %s -bufsize %s -f h264 %s",
        w, h, rate, rate, rate, name);
    FILE *encoder = popen(command, "w");
    size_t size = (size_t)w * (size_t)h * 3 / 2;
    uint8_t *data = malloc(size);
    uint8_t *plane[3] = {data, data + w * h, data + w * h * 5 / 4};
    struct itsi_road_box box[ITSI_ROAD_MAX_BOXES];
    enum { FRAMES = 40, FIRST = 70000 };
    for (int i = 0; i < FRAMES; i++) {
        itsi_road_render(road, FIRST + i, plane, (int[3]){w, w / 2, w / 2}, box);
        assert_int_equal(fwrite(data, 1, size, encoder), size);
    }
    assert_int_equal(pclose(encoder), 0);
    for (int div = 1; div <= 2; div++) {
        snprintf(command, sizeof command, "ffmpeg -v error -i %s -vf scale=%d:%d -f rawvideo -pix_fmt gray -", name,
                 w / div, h / div);
        FILE *decoder = popen(command, "r");
        size_t luma = (size_t)(w / div) * (size_t)(h / div);
        int read = 0;
        while (fread(data, 1, luma, decoder) == luma) {
            uint32_t number = 0;
            if (itsi_timecode_read(data, w / div, w / div, h / div, &number) != 1 || number != (uint32_t)(FIRST + read))
                fail_msg("%s at %s bit/s, 1/%d: picture %d gives %u", url, rate, div, read, number);
            read++;
        }
        pclose(decoder);
        assert_int_equal(read, FRAMES);
    }
    unlink(name);
    free(data);
    itsi_road_destroy(road);
}

static void it_survives_h264(void **state)
{
    (void)state;
    if (system("command -v ffmpeg >/dev/null 2>&1") != 0) {
        print_message("skipped: no ffmpeg program to encode with\n");
        skip();
    }
    coded("synth://crossroads?size=1280x720&seed=3&noise=2", 1280, 720, "1M");
    coded("synth://motorway?size=640x360&seed=3&noise=2&light=night", 640, 360, "150k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read_at_every_size),      cmocka_unit_test(only_the_corner_is_touched),
        cmocka_unit_test(it_survives_blur_noise_and_halving), cmocka_unit_test(pictures_without_a_code_are_refused),
        cmocka_unit_test(a_damaged_code_is_refused),          cmocka_unit_test(it_survives_h264),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

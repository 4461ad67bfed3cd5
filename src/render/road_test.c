#include "base/mem.h"
#include "support/road_shot.h"
#include "support/check.h"

static void same_parameters_same_pixels_in_any_order(void **state)
{
    (void)state;
    const char *url = "synth://crossroads?size=320x180&seed=3&weather=rain&light=dusk";
    struct itsi_road *a = make(url), *b = make(url);
    uint64_t first[4];
    for (int i = 0; i < 4; i++)
        first[i] = sum_at(a, 320, 180, i * 37);
    for (int i = 3; i >= 0; i--) {
        assert_true(sum_at(b, 320, 180, i * 37) == first[i]);
        assert_true(sum_at(a, 320, 180, i * 37) == first[i]);
    }
    for (int i = 1; i < 4; i++)
        assert_true(first[i] != first[0]);
    itsi_road_destroy(a);
    itsi_road_destroy(b);
}

static void other_seeds_give_other_roads(void **state)
{
    (void)state;
    uint64_t sums[6];
    for (int i = 0; i < 6; i++) {
        char url[128];
        snprintf(url, sizeof url, "synth://street?size=160x90&seed=%d&noise=0&timecode=0", i);
        struct itsi_road *road = make(url);
        sums[i] = sum_at(road, 160, 90, 0);
        itsi_road_destroy(road);
        for (int j = 0; j < i; j++)
            assert_true(sums[i] != sums[j]);
    }
}

/* These change only when the pixels are meant to change; every compiler and machine must agree on them. */
static void pixels_are_as_committed(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        uint64_t sum;
    } known[] = {
        {"synth://crossroads?size=320x180&seed=7", UINT64_C(0x56445acdacf5b371)},
        {"synth://motorway?size=320x180&seed=7&weather=fog", UINT64_C(0x04e78b5515c5d572)},
        {"synth://street?size=320x180&seed=7&weather=rain&light=night", UINT64_C(0xf48b259fdf8baf73)},
        {"synth://motorway?size=320x180&seed=11&light=glare", UINT64_C(0xcbd5bef3dd9f8929)},
        {"synth://tunnel?size=320x180&seed=4&view=mast", UINT64_C(0x2e1b444f1b58e034)},
        {"synth://carpark?size=320x180&seed=5&view=overhead&weather=cloudy", UINT64_C(0xac9d847bca032dec)},
        {"synth://plaza?size=320x180&seed=6&view=kerb&light=dusk", UINT64_C(0x2fbc5254d9735cae)},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct itsi_road *road = make(known[i].url);
        uint64_t sum = sum_at(road, 320, 180, 125);
        if (sum != known[i].sum) {
            print_error("%s: picture 125 sums to 0x%016llx, committed is 0x%016llx\n", known[i].url,
                        (unsigned long long)sum, (unsigned long long)known[i].sum);
            good = false;
        }
        itsi_road_destroy(road);
    }
    assert_true(good);
}

static double difference(const struct shot *a, const struct shot *b, const struct itsi_road_box *box)
{
    double sum = 0, n = 0;
    for (int y = (int)box->y1; y < (int)box->y2; y++)
        for (int x = (int)box->x1; x < (int)box->x2; x++, n++)
            sum += abs(a->data[y * a->width + x] - b->data[y * b->width + x]);
    return n > 0 ? sum / n : 0;
}

static void check_box(const struct shot *full, const struct shot *empty, const struct itsi_road_box *b)
{
    assert_true(b->x1 >= 0 && b->y1 >= 0 && b->x2 <= (float)full->width && b->y2 <= (float)full->height);
    assert_true(b->x2 - b->x1 >= ITSI_ROAD_SMALLEST && b->y2 - b->y1 >= ITSI_ROAD_SMALLEST);
    assert_true(b->visible > 0.1f && b->visible <= 1.0f);
    assert_in_range(b->cls, 0, ITSI_ROAD_CLASS_COUNT - 1);
    double d = difference(full, empty, b);
    if (d < 1)
        fail_msg("%s at %g,%g-%g,%g differs from the empty road by %g only",
                 itsi_road_class_name((enum itsi_road_class)b->cls), (double)b->x1, (double)b->y1, (double)b->x2,
                 (double)b->y2, d);
}

static void boxes_hold_what_the_empty_road_lacks(void **state)
{
    (void)state;
    static const char *const scenes[] = {"crossroads", "motorway", "street"};
    for (int i = 0; i < 3; i++) {
        char url[160];
        snprintf(url, sizeof url, "synth://%s?size=640x360&seed=5&noise=0&timecode=0", scenes[i]);
        struct itsi_road *full = make(url);
        snprintf(url, sizeof url, "synth://%s?size=640x360&seed=5&noise=0&timecode=0&traffic=0", scenes[i]);
        struct itsi_road *empty = make(url);
        for (int64_t index = 0; index < 200; index += 50) {
            struct shot a, b;
            shoot(full, 640, 360, index, &a);
            shoot(empty, 640, 360, index, &b);
            assert_int_equal(b.count, 0);
            assert_true(a.count > 0);
            for (int k = 0; k < a.count; k++) {
                check_box(&a, &b, &a.box[k]);
                for (int j = 0; j < k; j++)
                    assert_int_not_equal(a.box[j].id, a.box[k].id);
            }
            free(a.data);
            free(b.data);
        }
        itsi_road_destroy(full);
        itsi_road_destroy(empty);
    }
}

/* What is outside all boxes is the empty road, but for shadows: seen by counting pixels brighter by much. */
static void nothing_unboxed_stands_on_the_road(void **state)
{
    (void)state;
    struct itsi_road *full = make("synth://motorway?size=640x360&seed=2&noise=0&timecode=0&shake=0&weather=cloudy");
    struct itsi_road *empty = make(
        "synth://motorway?size=640x360&seed=2&noise=0&timecode=0&shake=0&weather=cloudy&traffic=0");
    struct shot a, b;
    shoot(full, 640, 360, 60, &a);
    shoot(empty, 640, 360, 60, &b);
    int stray = 0;
    for (int y = 120; y < 360; y++) /* further up, things are smaller than what gets a box */
        for (int x = 0; x < 640; x++) {
            bool boxed = false;
            for (int k = 0; k < a.count; k++)
                boxed |= (float)x >= a.box[k].x1 - 2 && (float)x <= a.box[k].x2 + 1 && (float)y >= a.box[k].y1 - 2 &&
                         (float)y <= a.box[k].y2 + 1;
            stray += !boxed && a.data[y * 640 + x] > b.data[y * 640 + x] + 20;
        }
    if (stray > 60)
        fail_msg("%d pixels outside all boxes are brighter than the empty road", stray);
    free(a.data);
    free(b.data);
    itsi_road_destroy(full);
    itsi_road_destroy(empty);
}

static void all_classes_occur(void **state)
{
    (void)state;
    int seen[ITSI_ROAD_CLASS_COUNT] = {0};
    static const char *const scenes[] = {"crossroads", "motorway", "street"};
    for (int seed = 0; seed < 9; seed++) {
        char url[128];
        snprintf(url, sizeof url, "synth://%s?size=640x360&seed=%d&noise=0", scenes[seed % 3], seed);
        struct itsi_road *road = make(url);
        for (int64_t index = 0; index < 1000; index += 250) {
            struct shot s;
            shoot(road, 640, 360, index, &s);
            for (int k = 0; k < s.count; k++)
                seen[s.box[k].cls]++;
            free(s.data);
        }
        itsi_road_destroy(road);
    }
    for (int c = 0; c < ITSI_ROAD_CLASS_COUNT; c++)
        if (seen[c] == 0)
            fail_msg("no %s on nine roads", itsi_road_class_name((enum itsi_road_class)c));
    assert_true(seen[ITSI_ROAD_CAR] > seen[ITSI_ROAD_BUS]);
}

static const struct itsi_road_box *find(const struct shot *s, int32_t id)
{
    for (int k = 0; k < s->count; k++)
        if (s->box[k].id == id)
            return &s->box[k];
    return NULL;
}

static void ids_stay_and_boxes_move_smoothly(const char *url)
{
    struct itsi_road *road = make(url);
    struct shot last, now;
    shoot(road, 640, 360, 0, &last);
    int kept = 0, lost = 0;
    for (int64_t index = 1; index < 75; index++) {
        shoot(road, 640, 360, index, &now);
        for (int k = 0; k < last.count; k++) {
            const struct itsi_road_box *a = &last.box[k], *b = find(&now, a->id);
            bool whole = a->visible > 0.9f && a->x1 > 12 && a->x2 < 628 && a->y2 < 340;
            lost += !b && whole && a->x2 - a->x1 > 10;
            if (!b || !whole || b->visible < 0.9f)
                continue;
            kept++;
            assert_int_equal(a->cls, b->cls);
            /* Within a frame at 25 per second nothing moves by more than a part of its own size. */
            float size = (a->x2 - a->x1) + (a->y2 - a->y1), dx = (a->x1 + a->x2 - b->x1 - b->x2) / 2,
                  dy = (a->y1 + a->y2 - b->y1 - b->y2) / 2;
            if (fabsf(dx) + fabsf(dy) > 4 + size * 0.35f)
                fail_msg("%s: id %d jumps by %g,%g at %lld (size %g)", url, a->id, (double)dx, (double)dy,
                         (long long)index, (double)size);
        }
        free(last.data);
        last = now;
    }
    free(last.data);
    itsi_road_destroy(road);
    assert_true(kept > 100);
    if (lost > kept / 100)
        fail_msg("%s: %d whole objects vanished from one picture to the next (%d stayed)", url, lost, kept);
}

static void objects_are_followed(void **state)
{
    (void)state;
    ids_stay_and_boxes_move_smoothly("synth://crossroads?size=640x360&seed=4&noise=0");
    ids_stay_and_boxes_move_smoothly("synth://motorway?size=640x360&seed=1&noise=0");
    ids_stay_and_boxes_move_smoothly("synth://street?size=640x360&seed=6&noise=0");
}

static void cars_shrink_with_distance(void **state)
{
    (void)state;
    struct itsi_road *road = make("synth://motorway?size=1280x720&seed=2&noise=0&shake=0");
    double near_sum = 0, far_sum = 0;
    int near_count = 0, far_count = 0;
    for (int64_t index = 0; index < 400; index += 40) {
        struct shot s;
        shoot(road, 1280, 720, index, &s);
        for (int k = 0; k < s.count; k++) {
            const struct itsi_road_box *b = &s.box[k];
            if (b->cls != ITSI_ROAD_CAR || b->visible < 0.9f)
                continue;
            if (b->y2 > 400)
                near_sum += (double)(b->y2 - b->y1), near_count++;
            else if (b->y2 < 200)
                far_sum += (double)(b->y2 - b->y1), far_count++;
        }
        free(s.data);
    }
    itsi_road_destroy(road);
    assert_true(near_count > 0 && far_count > 0);
    assert_true(near_sum / near_count > 3 * far_sum / far_count);
}

static void the_time_code_is_in_the_picture(void **state)
{
    (void)state;
    struct itsi_road *road = make("synth://street?size=640x360&seed=8");
    struct shot s;
    uint32_t number = 0;
    shoot(road, 640, 360, 4711, &s);
    assert_int_equal(itsi_timecode_read(s.data, 640, 640, 360, &number), 1);
    assert_int_equal(number, 4711);
    free(s.data);
    itsi_road_destroy(road);
    road = make("synth://street?size=640x360&seed=8&timecode=0");
    shoot(road, 640, 360, 4711, &s);
    assert_int_equal(itsi_timecode_read(s.data, 640, 640, 360, &number), 0);
    free(s.data);
    itsi_road_destroy(road);
}

static void rendering_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_road *road = make("synth://crossroads?size=320x180&seed=2&light=night");
    uint8_t *data = malloc(picture_size(320, 180));
    uint8_t *plane[3] = {data, data + 320 * 180, data + 320 * 180 * 5 / 4};
    struct itsi_road_box box[ITSI_ROAD_MAX_BOXES];
    uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 5; i++)
        itsi_road_render(road, i * 100, plane, (int[3]){320, 160, 160}, box);
    assert_true(itsi_alloc_count() == before);
    free(data);
    itsi_road_destroy(road);
}

static void create_survives_failing_allocations(void **state)
{
    (void)state;
    struct itsi_road_params p;
    struct its_diag diag = {{0}};
    CHECK_OK(itsi_road_params_parse(&p, "synth://street?size=64x64&light=glare", &diag), diag);
    int64_t n = 1;
    for (int rc = ITS_ENOMEM; rc != 0; n++) {
        struct itsi_road *road = NULL;
        itsi_alloc_fail_at(n);
        rc = itsi_road_create(&road, &p, &diag);
        itsi_alloc_fail_at(0);
        assert_true(rc == 0 || rc == ITS_ENOMEM);
        assert_true((road != NULL) == (rc == 0));
        itsi_road_destroy(road);
        assert_true(n < 1000);
    }
    assert_true(n > 20);
}

static void the_extremes_of_size_work(void **state)
{
    (void)state;
    static const int sizes[][2] = {{64, 64}, {4096, 64}, {64, 4096}, {1000, 562}};
    for (int i = 0; i < 4; i++) {
        char url[128];
        snprintf(url, sizeof url, "synth://crossroads?size=%dx%d&shake=10&traffic=4", sizes[i][0], sizes[i][1]);
        struct itsi_road *road = make(url);
        struct shot s;
        shoot(road, sizes[i][0], sizes[i][1], INT64_C(1) << 33, &s);
        free(s.data);
        shoot(road, sizes[i][0], sizes[i][1], 12345, &s);
        for (int k = 0; k < s.count; k++)
            assert_true(s.box[k].x2 <= (float)sizes[i][0] && s.box[k].y2 <= (float)sizes[i][1]);
        free(s.data);
        itsi_road_destroy(road);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_parameters_same_pixels_in_any_order),
        cmocka_unit_test(other_seeds_give_other_roads),
        cmocka_unit_test(pixels_are_as_committed),
        cmocka_unit_test(boxes_hold_what_the_empty_road_lacks),
        cmocka_unit_test(nothing_unboxed_stands_on_the_road),
        cmocka_unit_test(all_classes_occur),
        cmocka_unit_test(objects_are_followed),
        cmocka_unit_test(cars_shrink_with_distance),
        cmocka_unit_test(the_time_code_is_in_the_picture),
        cmocka_unit_test(rendering_allocates_nothing),
        cmocka_unit_test(create_survives_failing_allocations),
        cmocka_unit_test(the_extremes_of_size_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

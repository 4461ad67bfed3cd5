/* The viewpoints: each shows traffic with sound boxes, and the same pixels for the same seed. */
#include "support/road_shot.h"
#include "support/sanitized.h"

enum { WIDTH = 320, HEIGHT = 192, PICTURES = 2, SEEDS = SANITIZED ? 1 : 3, DRAWN = SANITIZED ? 6 : 12 };
static const char *const scenes[] = {
#define ITSI_X(name, text) text,
    ITSI_ROAD_SCENE_MAP(ITSI_X)
#undef ITSI_X
};

/* One road of each scene and a few pictures of it, a while apart. Returns how many boxes there were; sizes[]: the
 * widths of those that are wholly seen, summed and counted. */
static int look(const char *view, int seed, double sizes[2])
{
    int boxes = 0;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        char url[160];
        snprintf(url, sizeof url, "synth://%s?size=%dx%d&seed=%d&view=%s&timecode=0", scenes[i], WIDTH, HEIGHT, seed,
                 view);
        struct itsi_road *road = make(url), *again = make(url);
        for (int64_t index = 0; index < PICTURES * 200; index += 200) {
            struct shot s, other;
            shoot(road, WIDTH, HEIGHT, index, &s);
            shoot(again, WIDTH, HEIGHT, index, &other);
            assert_true(sum_of(&s) == sum_of(&other));
            for (int k = 0; k < s.count; k++) {
                const struct itsi_road_box *b = &s.box[k];
                assert_true(b->x1 >= 0 && b->y1 >= 0 && b->x2 <= WIDTH && b->y2 <= HEIGHT);
                assert_true(b->x2 - b->x1 >= ITSI_ROAD_SMALLEST && b->y2 - b->y1 >= ITSI_ROAD_SMALLEST);
                if (b->cls == ITSI_ROAD_CAR && b->visible > 0.95f) {
                    sizes[0] += (double)(b->x2 - b->x1);
                    sizes[1]++;
                }
            }
            boxes += s.count;
            free(s.data);
            free(other.data);
        }
        itsi_road_destroy(road);
        itsi_road_destroy(again);
    }
    return boxes;
}

static double car_width(const char *view)
{
    double sizes[2] = {0, 0};
    int boxes = 0;
    for (int seed = 1; seed <= SEEDS; seed++)
        boxes += look(view, seed, sizes);
    if (boxes < SEEDS * (int)(sizeof scenes / sizeof *scenes))
        fail_msg("view=%s: only %d boxes", view, boxes);
    assert_true(sizes[1] > 0);
    return sizes[0] / sizes[1];
}

static void every_view_shows_traffic(void **state)
{
    (void)state;
    double mast = car_width("mast"), tele = car_width("tele"), overhead = car_width("overhead"),
           near = car_width("close"), kerb = car_width("kerb");
    if (SEEDS < 3)
        return; /* too few to tell by */
    /* An enforcement camera's vehicles are the largest, those under a high mast the smallest. */
    assert_true(near > WIDTH * 0.15);
    assert_true(near > 2 * kerb && near > 2 * tele && near > 2 * mast);
    assert_true(mast < overhead);
}

/* What the scenes are there for. */
static void each_scene_has_its_own_traffic(void **state)
{
    (void)state;
    static const struct {
        const char *scene;
        enum itsi_road_class most, none; /* seen most and not at all; COUNT: no matter */
    } expected[] = {{"motorway", ITSI_ROAD_CAR, ITSI_ROAD_BICYCLE},
                    {"tunnel", ITSI_ROAD_CAR, ITSI_ROAD_BICYCLE},
                    {"carpark", ITSI_ROAD_CAR, ITSI_ROAD_BUS},
                    {"plaza", ITSI_ROAD_PERSON, ITSI_ROAD_BUS},
                    {"street", ITSI_ROAD_CLASS_COUNT, ITSI_ROAD_CLASS_COUNT},
                    {"crossroads", ITSI_ROAD_CLASS_COUNT, ITSI_ROAD_CLASS_COUNT}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        int seen[ITSI_ROAD_CLASS_COUNT + 1] = {0}, total = 0;
        for (int seed = 1; seed <= 3; seed++) {
            char url[128];
            snprintf(url, sizeof url, "synth://%s?size=480x288&seed=%d", expected[i].scene, seed);
            struct itsi_road *road = make(url);
            struct shot s;
            shoot(road, 480, 288, 700, &s);
            total += s.count;
            for (int k = 0; k < s.count; k++)
                seen[s.box[k].cls]++;
            free(s.data);
            itsi_road_destroy(road);
        }
        assert_true(total > 3);
        for (int c = 0; expected[i].most < ITSI_ROAD_CLASS_COUNT && c < ITSI_ROAD_CLASS_COUNT; c++)
            assert_true(seen[expected[i].most] >= seen[c]);
        assert_int_equal(seen[expected[i].none], 0);
    }
}

static uint64_t first_picture(const char *view, int seed)
{
    char url[128];
    snprintf(url, sizeof url, "synth://street?size=160x96&seed=%d&view=%s", seed, view);
    struct itsi_road *road = make(url);
    uint64_t sum = sum_at(road, 160, 96, 0);
    itsi_road_destroy(road);
    return sum;
}

static void any_is_one_of_the_views(void **state)
{
    (void)state;
    static const char *const views[] = {"usual", "mast", "tele", "overhead", "close", "kerb"};
    enum { VIEWS = sizeof views / sizeof *views };
    bool drawn[VIEWS] = {false};
    for (int seed = 0; seed < DRAWN; seed++) {
        uint64_t any = first_picture("any", seed);
        int same = 0;
        for (int i = 0; i < VIEWS; i++)
            if (first_picture(views[i], seed) == any) {
                drawn[i] = true;
                same++;
            }
        assert_int_equal(same, 1);
    }
    int kinds = 0;
    for (int i = 0; i < VIEWS; i++)
        kinds += drawn[i];
    assert_true(kinds >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_shows_traffic),
        cmocka_unit_test(each_scene_has_its_own_traffic),
        cmocka_unit_test(any_is_one_of_the_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

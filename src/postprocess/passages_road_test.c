/* How many objects passed, on rendered roads of which the truth is known: the boxes that a detector would have to find,
 * through the tracker, at several cadences of detection. */
#include "postprocess/track_test.h"

#include "postprocess/passages.h"
#include "render/road.h"

#include <stdlib.h>

enum { WIDTH = 640, HEIGHT = 360, FPS = 25, SECONDS = 20, MOST_OBJECTS = 1024 };
#define VISIBLE 0.25F /* of the object: less cannot fairly be asked for, nor what is smaller than that many pixels */
#define SIDE 8.0F

struct told {
    int came, left;
};

static void note_came(void *arg, const struct itsi_passage *passage)
{
    (void)passage;
    ((struct told *)arg)->came++;
}

static void note_left(void *arg, const struct itsi_passage *passage)
{
    (void)passage;
    ((struct told *)arg)->left++;
}

struct drive {
    struct itsi_road *road;
    uint8_t *memory, *plane[3];
    int32_t seen[MOST_OBJECTS]; /* ids of objects that a picture that was detected on showed */
    int objects;
};

static void note_object(struct drive *d, int32_t id)
{
    for (int i = 0; i < d->objects; i++)
        if (d->seen[i] == id)
            return;
    assert_in_range(d->objects, 0, MOST_OBJECTS - 1);
    d->seen[d->objects++] = id;
}

/* What is to be found in a picture, as detections. */
static void find(struct drive *d, struct world *w, int64_t index)
{
    static const int stride[3] = {WIDTH, WIDTH / 2, WIDTH / 2};
    struct itsi_road_box truth[ITSI_ROAD_MAX_BOXES];
    const int count = itsi_road_render(d->road, index, d->plane, stride, truth);
    for (int i = 0; i < count; i++) {
        const struct itsi_road_box *t = &truth[i];
        if (t->visible < VISIBLE || t->x2 - t->x1 < SIDE || t->y2 - t->y1 < SIDE)
            continue;
        note_object(d, t->id);
        w->boxes[w->count++] = (struct itsi_detection){
            .x1 = t->x1, .y1 = t->y1, .x2 = t->x2, .y2 = t->y2, .score = 0.8F, .cls = t->cls, .track = -1};
    }
}

/* Counted over objects, where every `interval`-th picture is detected on. */
static double count_road(const char *url, int interval)
{
    struct drive d = {.memory = malloc(WIDTH * HEIGHT * 3 / 2)};
    struct its_diag diag = {""};
    struct itsi_road_params params;
    struct itsi_passages *passages;
    struct told told = {0};
    const struct itsi_passages_listener listener = {note_came, note_left, &told};
    struct world w;
    setup(&w);
    w.width = WIDTH;
    w.height = HEIGHT;
    assert_non_null(d.memory);
    d.plane[0] = d.memory;
    d.plane[1] = d.memory + WIDTH * HEIGHT;
    d.plane[2] = d.plane[1] + WIDTH * HEIGHT / 4;
    CHECK_OK(itsi_road_params_parse(&params, url, &diag), diag);
    CHECK_OK(itsi_road_create(&d.road, &params, &diag), diag);
    CHECK_OK(itsi_passages_create(&passages, &(struct itsi_passages_params){1.5F, 0.5F}, &diag), diag);
    for (int64_t i = 0; i < FPS * SECONDS; i += interval, w.now += interval * (ITSI_NS_PER_S / FPS)) {
        find(&d, &w, i);
        const int count = w.count;
        look(&w);
        const struct itsi_passages_picture picture = {.now_ns = w.now, .wall_ns = w.now, .width = WIDTH, .height = HEIGHT};
        itsi_passages_update(passages, &picture, w.boxes, count, &listener);
    }
    itsi_passages_end(passages, &listener);
    assert_int_equal(told.left, told.came);
    print_message("%s, every %d: %d counted, %d passed\n", url, interval, told.came, d.objects);
    assert_true(d.objects > 5);
    itsi_passages_destroy(passages);
    itsi_road_destroy(d.road);
    free(d.memory);
    teardown(&w);
    return (double)told.came / d.objects;
}

#define ROAD(scene) "synth://" scene "?size=640x360&fps=25&seed=5&noise=0&shake=0&timecode=0"

static void counts_are_the_truth(void **state)
{
    static const char *const roads[] = {ROAD("motorway"), ROAD("crossroads"), ROAD("street"), ROAD("plaza")};
    (void)state;
    for (size_t i = 0; i < sizeof roads / sizeof *roads; i++)
        for (int interval = 1; interval <= 6; interval += interval == 1 ? 2 : 3) {
            const double share = count_road(roads[i], interval);
            assert_true(share >= 0.9 && share <= 1.1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_the_truth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How many objects passed, on rendered roads of which the truth is known: the boxes that a detector would have to find,
 * through the tracker, at several cadences of detection, held against the same boxes with their true identities. */
#include "postprocess/track_test.h"

#include "postprocess/passages.h"
#include "render/road.h"
#include "support/sanitized.h"

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

/* 1, 2, ... in the order they come */
static int32_t true_id(struct drive *d, int32_t id)
{
    for (int i = 0; i < d->objects; i++)
        if (d->seen[i] == id)
            return i + 1;
    assert_in_range(d->objects, 0, MOST_OBJECTS - 1);
    d->seen[d->objects++] = id;
    return d->objects;
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
        w->boxes[w->count++] = (struct itsi_detection){
            .x1 = t->x1, .y1 = t->y1, .x2 = t->x2, .y2 = t->y2, .score = 0.8F, .cls = t->cls, .track = true_id(d, t->id)};
    }
}

struct counting {
    struct itsi_passages *passages;
    struct told told;
};

static void counting_begin(struct counting *c)
{
    static const struct itsi_passages_params params = {1.5F, 0.5F};
    struct its_diag diag = {""};
    *c = (struct counting){0};
    CHECK_OK(itsi_passages_create(&c->passages, &params, &diag), diag);
}

static void counting_update(struct counting *c, const struct world *w, int count)
{
    const struct itsi_passages_listener listener = {note_came, note_left, &c->told};
    const struct itsi_passages_picture picture = {w->now, w->now, WIDTH, HEIGHT};
    itsi_passages_update(c->passages, &picture, w->boxes, count, &listener);
}

static int counting_end(struct counting *c)
{
    const struct itsi_passages_listener listener = {note_came, note_left, &c->told};
    itsi_passages_end(c->passages, &listener);
    itsi_passages_destroy(c->passages);
    assert_int_equal(c->told.left, c->told.came);
    return c->told.came;
}

static void open_road(struct drive *d, const char *url)
{
    struct its_diag diag = {""};
    struct itsi_road_params params;
    *d = (struct drive){.memory = malloc(WIDTH * HEIGHT * 3 / 2)};
    assert_non_null(d->memory);
    d->plane[0] = d->memory;
    d->plane[1] = d->memory + WIDTH * HEIGHT;
    d->plane[2] = d->plane[1] + WIDTH * HEIGHT / 4;
    CHECK_OK(itsi_road_params_parse(&params, url, &diag), diag);
    CHECK_OK(itsi_road_create(&d->road, &params, &diag), diag);
}

/* What is counted over what passed, where every `interval`-th picture is detected on. One that is hidden for longer than
 * the tracker waits has passed twice. */
static double count_road(const char *url, int interval)
{
    struct drive d;
    struct world w;
    struct counting tracked, truth;
    setup(&w);
    w.width = WIDTH;
    w.height = HEIGHT;
    open_road(&d, url);
    counting_begin(&tracked);
    counting_begin(&truth);
    for (int64_t i = 0; i < FPS * SECONDS; i += interval, w.now += interval * (ITSI_NS_PER_S / FPS)) {
        find(&d, &w, i);
        const int count = w.count;
        counting_update(&truth, &w, count);
        look(&w);
        counting_update(&tracked, &w, count);
    }
    const int counted = counting_end(&tracked), passed = counting_end(&truth);
    print_message("%s, every %d: %d counted, %d passed, %d objects\n", url, interval, counted, passed, d.objects);
    assert_true(passed > 5);
    itsi_road_destroy(d.road);
    free(d.memory);
    teardown(&w);
    return (double)counted / passed;
}

#define ROAD(scene) "synth://" scene "?size=640x360&fps=25&seed=5&noise=0&shake=0&timecode=0"

static void counts_are_the_truth(void **state)
{
    static const struct {
        const char *url;
        int interval;
    } roads[] = {{ROAD("crossroads"), 6}, {ROAD("street"), 6},     {ROAD("motorway"), 6},
                 {ROAD("plaza"), 3},      {ROAD("crossroads"), 3}, {ROAD("motorway"), 1}};
    (void)state;
    for (size_t i = 0; i < (SANITIZED ? 2 : sizeof roads / sizeof *roads); i++) {
        const double share = count_road(roads[i].url, roads[i].interval);
        assert_true(share >= 0.95 && share <= 1.2); /* what comes out behind a mast can be another to the tracker */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_the_truth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One camera's tracker under test, and the things that pass before it. */
#ifndef ITSI_POSTPROCESS_TRACK_TEST_H
#define ITSI_POSTPROCESS_TRACK_TEST_H

#include "support/check.h"

#include "base/clock.h"
#include "postprocess/track_impl.h"

#define MS ITSI_NS_PER_MS
#define FRAME (40 * MS)
enum { W = 1280, H = 720 };

struct world {
    struct itsi_tracker *tracker;
    struct itsi_track_scratch *scratch;
    int64_t now;
    int width, height;
    int count;
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
};

static inline void setup(struct world *w)
{
    const struct itsi_tracker_params params = ITSI_TRACKER_DEFAULTS;
    struct its_diag diag = {""};
    *w = (struct world){.now = 1000 * ITSI_NS_PER_S, .width = W, .height = H};
    CHECK_OK(itsi_tracker_create(&w->tracker, &params, &diag), diag);
    CHECK_OK(itsi_track_scratch_create(&w->scratch, &diag), diag);
}

static inline void teardown(struct world *w)
{
    itsi_tracker_destroy(w->tracker);
    itsi_track_scratch_destroy(w->scratch);
}

/* A thing of class 2 with its centre there, in pixels of a 1280x720 picture. */
static inline struct itsi_detection *show(struct world *w, float x, float y, float width, float height, float score)
{
    const float sx = (float)w->width / W, sy = (float)w->height / H;
    struct itsi_detection *box = &w->boxes[w->count++];
    *box = (struct itsi_detection){.x1 = (x - width / 2) * sx, .y1 = (y - height / 2) * sy, .x2 = (x + width / 2) * sx,
                                   .y2 = (y + height / 2) * sy, .score = score, .cls = 2, .track = -1};
    return box;
}

static inline void look(struct world *w)
{
    itsi_tracker_update(w->tracker, w->scratch, w->now, w->width, w->height, w->boxes, w->count);
    w->count = 0;
}

/* One thing of the usual size; its id. */
static inline int32_t look_at(struct world *w, float x, float y, float score)
{
    show(w, x, y, 80, 60, score);
    look(w);
    return w->boxes[0].track;
}

static inline int foresee(struct world *w)
{
    return itsi_tracker_predict(w->tracker, w->now, w->width, w->height, w->boxes);
}

/* A car at 300 pixels a second, until it has been seen `frames` times; returns its id, the last place in *x. */
static inline int32_t drive(struct world *w, float *x, int frames)
{
    int32_t id = look_at(w, *x, 300, 0.8F);
    for (int i = 1; i < frames; i++) {
        w->now += FRAME;
        *x += 12;
        assert_int_equal(look_at(w, *x, 300, 0.8F), id);
    }
    return id;
}

#endif

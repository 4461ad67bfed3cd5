/* For the tests of the synthetic road: a road from its URL, and one picture of it with its boxes. */
#ifndef ITSI_SUPPORT_ROAD_SHOT_H
#define ITSI_SUPPORT_ROAD_SHOT_H

#include "render/road.h"
#include "support/check.h"

#include <stdlib.h>

struct shot {
    int width, height, count;
    uint8_t *data;
    struct itsi_road_box box[ITSI_ROAD_MAX_BOXES];
};

static inline size_t picture_size(int w, int h) { return (size_t)w * (size_t)h * 3 / 2; }

static inline struct itsi_road *make(const char *url)
{
    struct itsi_road_params params;
    struct its_diag diag = {{0}};
    struct itsi_road *road = NULL;
    CHECK_OK(itsi_road_params_parse(&params, url, &diag), diag);
    CHECK_OK(itsi_road_create(&road, &params, &diag), diag);
    return road;
}

static inline void shoot(struct itsi_road *road, int w, int h, int64_t index, struct shot *out)
{
    *out = (struct shot){.width = w, .height = h, .data = malloc(picture_size(w, h))};
    assert_non_null(out->data);
    size_t luma = (size_t)w * (size_t)h;
    uint8_t *plane[3] = {out->data, out->data + luma, out->data + luma * 5 / 4};
    int stride[3] = {w, w / 2, w / 2};
    out->count = itsi_road_render(road, index, plane, stride, out->box);
    assert_in_range(out->count, 0, ITSI_ROAD_MAX_BOXES);
}

/* FNV-1a over pixels and boxes. */
static inline uint64_t mix(uint64_t h, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}
static inline uint64_t sum_of(const struct shot *s)
{
    uint64_t h = mix(UINT64_C(0xcbf29ce484222325), s->data, picture_size(s->width, s->height));
    return mix(h, s->box, (size_t)s->count * sizeof s->box[0]);
}

static inline uint64_t sum_at(struct itsi_road *road, int w, int h, int64_t index)
{
    struct shot s;
    shoot(road, w, h, index, &s);
    uint64_t sum = sum_of(&s);
    free(s.data);
    return sum;
}

#endif

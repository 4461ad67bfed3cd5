/* The rasteriser: triangles into one band of samples with a depth buffer, two samples per pixel each way.
 *
 * Edges are always walked from their upper to their lower end, so that neighbours that share an edge agree on every
 * sample and leave neither cracks nor double cover. */
#include "render/draw.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

int itsi_raster_init(struct itsi_raster *r, int width_px, int height_px)
{
    memset(r, 0, sizeof *r);
    r->width = width_px * ITSI_SS;
    r->height = height_px * ITSI_SS;
    size_t samples = (size_t)r->width * ITSI_BAND * ITSI_SS;
    r->depth = itsi_calloc(samples, sizeof *r->depth);
    r->colour = itsi_calloc(samples, sizeof *r->colour);
    r->owner = itsi_calloc(samples, sizeof *r->owner);
    r->stamp = itsi_calloc(samples, sizeof *r->stamp);
    r->shadow = itsi_calloc(samples, 1);
    if (!r->depth || !r->colour || !r->owner || !r->stamp || !r->shadow) {
        itsi_raster_fini(r);
        return ITS_ENOMEM;
    }
    for (int row = 0; row < ITSI_BAND * ITSI_SS; row++)
        r->from[row] = r->width;
    return 0;
}

void itsi_raster_fini(struct itsi_raster *r)
{
    itsi_free(r->depth);
    itsi_free(r->colour);
    itsi_free(r->owner);
    itsi_free(r->stamp);
    itsi_free(r->shadow);
    memset(r, 0, sizeof *r);
}

void itsi_raster_clear(struct itsi_raster *r)
{
    for (int row = 0; row < ITSI_BAND * ITSI_SS; row++) {
        if (r->from[row] < r->to[row]) {
            size_t at = (size_t)row * (size_t)r->width + (size_t)r->from[row];
            size_t n = (size_t)(r->to[row] - r->from[row]);
            memset(r->depth + at, 0, n * sizeof *r->depth);
            memset(r->owner + at, 0, n * sizeof *r->owner);
            memset(r->stamp + at, 0, n * sizeof *r->stamp);
            memset(r->shadow + at, 0, n);
        }
        r->from[row] = r->width;
        r->to[row] = 0;
    }
}

/* Change of x per row along the three edges: long, upper, lower. */
struct slopes {
    float whole, upper, lower;
};

static struct slopes slopes_of(const struct itsi_tri *t)
{
    float h = t->y[2] - t->y[0], u = t->y[1] - t->y[0], l = t->y[2] - t->y[1];
    return (struct slopes){(t->x[2] - t->x[0]) / h, u > 0 ? (t->x[1] - t->x[0]) / u : 0,
                           l > 0 ? (t->x[2] - t->x[1]) / l : 0};
}

/* The samples [*from, *to) that the triangle covers in row y (sample centres at .5). */
static bool span(const struct itsi_raster *r, const struct itsi_tri *t, const struct slopes *k, int y, int *from,
                 int *to)
{
    float yc = (float)y + 0.5f;
    if (yc < t->y[0] || yc >= t->y[2])
        return false;
    float a = t->x[0] + k->whole * (yc - t->y[0]);
    float b = yc < t->y[1] ? t->x[0] + k->upper * (yc - t->y[0]) : t->x[1] + k->lower * (yc - t->y[1]);
    float left = itsi_minf(a, b), right = itsi_maxf(a, b);
    float limit = (float)r->width;
    left = itsi_clampf(left + 0.5f, 0, limit);
    right = itsi_clampf(right + 0.5f, 0, limit);
    /* A sample belongs to the triangle when its centre lies right of the left edge and not right of the right one. */
    *from = (int)left;
    *to = (int)right;
    return *from < *to;
}

static void touch(struct itsi_raster *r, int row, int from, int to)
{
    if (from < r->from[row])
        r->from[row] = from;
    if (to > r->to[row])
        r->to[row] = to;
}

static bool rows(const struct itsi_raster *r, const struct itsi_tri *t, int top, int *first, int *last)
{
    float lo = itsi_maxf(t->y[0], (float)top), hi = itsi_minf(t->y[2], (float)(top + ITSI_BAND * ITSI_SS));
    if (lo >= hi)
        return false;
    *first = (int)lo;
    *last = (int)hi;
    if (*last > top + ITSI_BAND * ITSI_SS - 1)
        *last = top + ITSI_BAND * ITSI_SS - 1;
    if (*last > r->height - 1)
        *last = r->height - 1;
    return *first <= *last;
}

/* A colour value at a sample, as 16.16. */
static int32_t fixed_colour(const struct itsi_tri *t, int k, float dx, float dy)
{
    return (int32_t)(itsi_clampf(t->c[k] + dx * t->cx[k] + dy * t->cy[k], 0, 255) * 65536.0f);
}

/* Marks the samples as the owner's; returns how many were not yet. */
static int stamped(uint16_t *stamp, int n, uint16_t owner)
{
    int fresh = 0;
    for (int i = 0; i < n; i++) {
        fresh += stamp[i] != owner;
        stamp[i] = owner;
    }
    return fresh;
}

void itsi_raster_tri(struct itsi_raster *r, const struct itsi_tri *t, int top, uint16_t owner, struct itsi_tally *tally)
{
    int first, last;
    if (!rows(r, t, top, &first, &last))
        return;
    struct slopes slopes = slopes_of(t);
    for (int y = first; y <= last; y++) {
        int from, to;
        if (!span(r, t, &slopes, y, &from, &to))
            continue;
        touch(r, y - top, from, to);
        tally->drawn += to - from;
        float dy = (float)y + 0.5f - t->y[0], dx = (float)from + 0.5f - t->x[0];
        float w = t->w + dx * t->wx + dy * t->wy, dw = t->wx;
        int32_t a[3], d[3];
        for (int k = 0; k < 3; k++) {
            a[k] = fixed_colour(t, k, dx, dy);
            /* Stepped between the values at both ends, which are in range, so that every sample is. */
            int32_t end = fixed_colour(t, k, dx + (float)(to - from - 1), dy);
            d[k] = to - from > 1 ? (int32_t)((float)(end - a[k]) / (float)(to - from - 1)) : 0;
        }
        size_t at = (size_t)(y - top) * (size_t)r->width;
        float *depth = r->depth + at;
        uint32_t *colour = r->colour + at;
        uint16_t *own = r->owner + at, *stamp = r->stamp + at;
        tally->covered += stamped(stamp + from, to - from, owner);
        for (int x = from; x < to; x++) {
            if (w > depth[x]) {
                depth[x] = w;
                colour[x] = (uint32_t)(a[0] >> 16) | (uint32_t)(a[1] >> 16) << 8 | (uint32_t)(a[2] >> 16) << 16;
                own[x] = owner;
            }
            w += dw;
            a[0] += d[0];
            a[1] += d[1];
            a[2] += d[2];
        }
    }
}

static void darken(uint8_t *row, int n, uint8_t v)
{
    for (int i = 0; i < n; i++)
        row[i] = row[i] > v ? row[i] : v;
}

void itsi_raster_shadow(struct itsi_raster *r, const struct itsi_tri *t, int top)
{
    int first, last;
    if (!rows(r, t, top, &first, &last))
        return;
    struct slopes slopes = slopes_of(t);
    for (int y = first; y <= last; y++) {
        int from, to;
        if (!span(r, t, &slopes, y, &from, &to))
            continue;
        touch(r, y - top, from, to);
        darken(r->shadow + (size_t)(y - top) * (size_t)r->width + from, to - from, (uint8_t)t->c[0]);
    }
}

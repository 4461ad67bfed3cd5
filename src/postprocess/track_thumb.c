#include "postprocess/track_thumb.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int at_least(int side) { return (side + ITSI_THUMB_SIDE - 1) / ITSI_THUMB_SIDE; }

/* sums[x] += row[x] for a row of the picture: the loop the compiler makes vectors of. */
static void add_row(uint16_t *restrict sums, const uint8_t *restrict row, int width)
{
    for (int x = 0; x < width; x++)
        sums[x] = (uint16_t)(sums[x] + row[x]);
}

void itsi_thumb_make(struct itsi_thumb *thumb, const struct itsi_picture *picture)
{
    thumb->width = thumb->height = 0;
    if (picture->layout == ITSI_LAYOUT_NONE || !picture->plane[0])
        return;
    const int side = at_least(picture->width) > at_least(picture->height) ? at_least(picture->width)
                                                                          : at_least(picture->height);
    thumb->width = picture->width / side;
    thumb->height = picture->height / side;
    uint16_t sums[ITSI_THUMB_SIDE * 16]; 
    for (int y = 0; y < thumb->height; y++) {
        memset(sums, 0, sizeof sums);
        for (int k = 0; k < side; k++)
            add_row(sums, picture->plane[0] + (ptrdiff_t)(y * side + k) * picture->stride[0], thumb->width * side);
        uint8_t *out = thumb->pixels + (ptrdiff_t)y * thumb->width;
        for (int x = 0; x < thumb->width; x++) {
            unsigned sum = 0;
            for (int k = 0; k < side; k++)
                sum += sums[x * side + k];
            out[x] = (uint8_t)(sum / (unsigned)(side * side));
        }
    }
}

/* ---- following ---- */

enum { GRID = 16 }; /* most samples of a box in each direction */

/* Where a box is sampled. */
struct patch {
    const struct itsi_thumb *from, *to;
    int x, y;           /* of the first sample */
    int step_x, step_y; /* between samples */
    int columns, rows;
};

/* Mean absolute difference when the patch has moved by dx, dy; a large one when it has left. */
static float difference(const struct patch *p, int dx, int dy)
{
    const int x = p->x + dx, y = p->y + dy;
    if (x < 0 || y < 0 || x + (p->columns - 1) * p->step_x >= p->to->width ||
        y + (p->rows - 1) * p->step_y >= p->to->height)
        return 255;
    int sum = 0;
    for (int r = 0; r < p->rows; r++) {
        const uint8_t *a = p->from->pixels + (p->y + r * p->step_y) * p->from->width + p->x;
        const uint8_t *c = p->to->pixels + (y + r * p->step_y) * p->to->width + x;
        for (int k = 0; k < p->columns; k++)
            sum += abs(a[k * p->step_x] - c[k * p->step_x]);
    }
    return (float)sum / (float)(p->columns * p->rows);
}

struct place {
    int dx, dy;
    float difference;
};

/* Goes downhill from a place, in steps that halve. */
static struct place descend(const struct patch *p, int dx, int dy)
{
    struct place best = {dx, dy, difference(p, dx, dy)};
    for (int step = 4; step > 0;) {
        const struct place middle = best;
        for (int k = 0; k < 9; k++) {
            const int x = middle.dx + (k % 3 - 1) * step, y = middle.dy + (k / 3 - 1) * step;
            const float d = k == 4 ? middle.difference : difference(p, x, y);
            if (d < best.difference)
                best = (struct place){x, y, d};
        }
        if (best.dx == middle.dx && best.dy == middle.dy)
            step /= 2;
    }
    return best;
}

/* The lowest point of the parabola through three neighbours, within half a pixel of the middle one. */
static float between(float before, float at, float after)
{
    const float bend = before + after - 2 * at;
    return bend > 0 ? (before - after) / (2 * bend) : 0;
}

bool itsi_thumb_follow(const struct itsi_thumb *from, const struct itsi_thumb *to, const struct itsi_share_box *box,
                       float guess_x, float guess_y, float *moved_x, float *moved_y)
{
    if (from->width == 0 || from->width != to->width || from->height != to->height)
        return false;
    const float w = (float)from->width, h = (float)from->height;
    const float left = fmaxf(box->x1, 0), top = fmaxf(box->y1, 0);
    const float right = fminf(box->x2, 1), bottom = fminf(box->y2, 1);
    const int x1 = (int)(left * w), x2 = (int)(right * w), y1 = (int)(top * h), y2 = (int)(bottom * h);
    if (x2 - x1 < 4 || y2 - y1 < 4)
        return false;
    struct patch p = {.from = from, .to = to, .x = x1, .y = y1};
    p.step_x = (x2 - x1 + GRID - 1) / GRID;
    p.step_y = (y2 - y1 + GRID - 1) / GRID;
    p.columns = (x2 - x1 - 1) / p.step_x + 1;
    p.rows = (y2 - y1 - 1) / p.step_y + 1;
    const struct place rest = descend(&p, 0, 0);
    const struct place moved = descend(&p, (int)lrintf(guess_x * w), (int)lrintf(guess_y * h));
    const struct place best = moved.difference <= rest.difference ? moved : rest;
    if (best.difference >= 255)
        return false;
    const float fine_x = between(difference(&p, best.dx - 1, best.dy), best.difference,
                                 difference(&p, best.dx + 1, best.dy));
    const float fine_y = between(difference(&p, best.dx, best.dy - 1), best.difference,
                                 difference(&p, best.dx, best.dy + 1));
    *moved_x = ((float)best.dx + fine_x) / w;
    *moved_y = ((float)best.dy + fine_y) / h;
    return true;
}

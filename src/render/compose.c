/* One band of samples over the picture: what is hidden, what is seen of whom, and the blend. */
#include "render/draw.h"

#include <string.h>

/* True when none of the four samples from `at` on holds anything. Most of a band is like that. */
static inline bool four_empty(const struct itsi_raster *r, size_t at)
{
    uint64_t owner;
    uint32_t shadow;
    memcpy(&owner, r->owner + at, sizeof owner);
    memcpy(&shadow, r->shadow + at, sizeof shadow);
    return (owner | shadow) == 0;
}

/* Hides samples that lie behind what stands in the scene, or under the time code. */
void itsi_band_hide(struct itsi_raster *r, int top, const float *depth, int stride, int code_w, int code_h)
{
    for (int row = 0; row < ITSI_BAND * ITSI_SS && top + row < r->height; row++) {
        const float *still = depth ? depth + (size_t)((top + row) / ITSI_SS) * (size_t)stride : NULL;
        size_t at = (size_t)row * (size_t)r->width;
        int from = r->from[row], to = r->to[row];
        bool coded = (top + row) / ITSI_SS < code_h;
        for (int x = from & ~3; x < to; x++) {
            if ((x & 3) == 0 && four_empty(r, at + (size_t)x)) {
                x += 3;
                continue;
            }
            float s = still ? still[x / ITSI_SS] : 0;
            if ((s > 0 && s > r->depth[at + (size_t)x]) || (coded && x / ITSI_SS < code_w)) {
                r->owner[at + (size_t)x] = 0;
                r->shadow[at + (size_t)x] = 0;
            }
        }
    }
}

void itsi_band_count(const struct itsi_raster *r, int top, struct itsi_tally *tally)
{
    for (int row = 0; row < ITSI_BAND * ITSI_SS && top + row < r->height; row++) {
        const uint16_t *own = r->owner + (size_t)row * (size_t)r->width;
        for (int x = r->from[row] & ~3; x < r->to[row];) {
            int start = x;
            uint64_t four;
            if ((x & 3) == 0 && (memcpy(&four, own + x, sizeof four), four == 0)) {
                x += 4;
                continue;
            }
            uint16_t o = own[x];
            while (x < r->to[row] && own[x] == o)
                x++;
            if (o == 0)
                continue;
            struct itsi_tally *t = &tally[o - 1];
            t->visible += x - start;
            t->x0 = start < t->x0 ? start : t->x0;
            t->x1 = x - 1 > t->x1 ? x - 1 : t->x1;
            t->y0 = top + row < t->y0 ? top + row : t->y0;
            t->y1 = top + row > t->y1 ? top + row : t->y1;
        }
    }
}

/* Four samples of a pixel over its background. Returns how many are covered; adds their chroma. */
static int blend_pixel(const struct itsi_raster *r, size_t at, uint8_t *luma, int *u, int *v)
{
    int n = 0, y = 0, dark = 0;
    for (int k = 0; k < 4; k++) {
        size_t s = at + (size_t)(k & 1) + (k >> 1 ? (size_t)r->width : 0);
        dark += r->shadow[s];
        if (r->owner[s]) {
            uint32_t c = r->colour[s];
            y += (int)(c & 255);
            *u += (int)(c >> 8 & 255);
            *v += (int)(c >> 16 & 255);
            n++;
        }
    }
    if (n == 0 && dark == 0)
        return 0;
    int back = *luma > 16 ? *luma - 16 : 0;
    back = 16 + back - back * dark / 1900;
    *luma = (uint8_t)((y + (4 - n) * back + 2) >> 2);
    return n;
}

void itsi_band_lay(const struct itsi_raster *r, int top, struct itsi_picture *pic)
{
    for (int row = 0; row < ITSI_BAND * ITSI_SS && top + row < r->height; row += 4) {
        int from = r->width, to = 0;
        for (int k = 0; k < 4; k++) {
            from = r->from[row + k] < from ? r->from[row + k] : from;
            to = r->to[row + k] > to ? r->to[row + k] : to;
        }
        int py = (top + row) / ITSI_SS;
        uint8_t *luma = pic->plane[0] + (size_t)py * (size_t)pic->stride[0];
        uint8_t *cu = pic->plane[1] + (size_t)(py / 2) * (size_t)pic->stride[1];
        uint8_t *cv = pic->plane[2] + (size_t)(py / 2) * (size_t)pic->stride[2];
        for (int cx = from / 4; cx * 4 < to; cx++) {
            size_t corner = (size_t)row * (size_t)r->width + (size_t)(cx * 4), line = (size_t)r->width;
            if (four_empty(r, corner) && four_empty(r, corner + line) && four_empty(r, corner + 2 * line) &&
                four_empty(r, corner + 3 * line))
                continue;
            int u = 0, v = 0, n = 0;
            for (int k = 0; k < 4; k++) {
                size_t at = (size_t)(row + (k >> 1) * 2) * (size_t)r->width + (size_t)(cx * 4 + (k & 1) * 2);
                n += blend_pixel(r, at, luma + (size_t)(k >> 1) * (size_t)pic->stride[0] + (size_t)(cx * 2 + (k & 1)),
                                 &u, &v);
            }
            if (n == 0)
                continue;
            cu[cx] = (uint8_t)((u + (16 - n) * cu[cx] + 8) >> 4);
            cv[cx] = (uint8_t)((v + (16 - n) * cv[cx] + 8) >> 4);
        }
    }
}

void itsi_band_draw(struct itsi_raster *r, const struct itsi_list *list, const struct itsi_draw *draw, int count,
                    int top, struct itsi_tally *tally)
{
    float lo = (float)top, hi = (float)(top + ITSI_BAND * ITSI_SS);
    for (int i = 0; i < count; i++) {
        if (draw[i].y1 < lo || draw[i].y0 > hi)
            continue;
        for (int k = 0; k < draw[i].count; k++) {
            const struct itsi_tri *t = &list->tri[draw[i].first + k];
            if (t->y[2] >= lo && t->y[0] < hi)
                itsi_raster_tri(r, t, top, (uint16_t)(i + 1), &tally[i]);
        }
    }
}

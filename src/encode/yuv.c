#include "encode/yuv.h"

#include "base/diag.h"
#include "base/mem.h"

#include <string.h>

/* Where one plane of the source lies; pixels of a row are `step` bytes apart (2 in NV12's chroma). */
struct plane {
    const uint8_t *data;
    int stride, step, width, height;
};

void itsi_yuv_init(struct itsi_yuv *yuv) { *yuv = (struct itsi_yuv){0}; }

void itsi_yuv_fini(struct itsi_yuv *yuv)
{
    itsi_free(yuv->memory);
    itsi_free(yuv->sums);
    *yuv = (struct itsi_yuv){0};
}

static int lay_out(struct itsi_yuv *yuv, int width, int height, size_t source_row, struct its_diag *diag)
{
    const int even_w = (width + 1) & ~1, even_h = (height + 1) & ~1;
    yuv->width = width;
    yuv->height = height;
    yuv->chroma_w = even_w / 2;
    yuv->chroma_h = even_h / 2;
    yuv->stride = (even_w + 31) & ~31;
    yuv->chroma_stride = (yuv->chroma_w + 31) & ~31;
    const size_t luma = (size_t)yuv->stride * (size_t)even_h;
    const size_t chroma = (size_t)yuv->chroma_stride * (size_t)yuv->chroma_h;
    if (luma + 2 * chroma > yuv->capacity) {
        uint8_t *memory = itsi_alloc_aligned(64, luma + 2 * chroma);
        if (!memory)
            return itsi_fail(diag, ITS_ENOMEM, "picture of %dx%d: out of memory", width, height);
        itsi_free(yuv->memory);
        yuv->memory = memory;
        yuv->capacity = luma + 2 * chroma;
    }
    if (source_row > yuv->sums_capacity) {
        uint32_t *sums = itsi_alloc(source_row * sizeof *sums);
        if (!sums)
            return itsi_fail(diag, ITS_ENOMEM, "picture row of %zu: out of memory", source_row);
        itsi_free(yuv->sums);
        yuv->sums = sums;
        yuv->sums_capacity = source_row;
    }
    yuv->y = yuv->memory;
    yuv->u = yuv->y + luma;
    yuv->v = yuv->u + chroma;
    return 0;
}

static void copy_plane(const struct plane *from, uint8_t *to, int to_stride)
{
    for (int y = 0; y < from->height; y++) {
        const uint8_t *in = from->data + (ptrdiff_t)y * from->stride;
        uint8_t *out = to + (ptrdiff_t)y * to_stride;
        if (from->step == 1)
            memcpy(out, in, (size_t)from->width);
        else
            for (int x = 0; x < from->width; x++)
                out[x] = in[x * from->step];
    }
}

/* One row: means of `rows` source rows whose column sums are given. Where the row's spans begin is counted up without a
 * division per pixel, and the two span widths that occur share two reciprocals. */
static void scale_row(const uint32_t *sums, int step, int source_w, int rows, uint8_t *out, int width)
{
    const int whole = source_w / width, rest = source_w % width;
    uint64_t reciprocal[2];
    for (int i = 0; i < 2; i++) {
        const int span = whole + i > 0 ? whole + i : 1;
        reciprocal[i] = ((UINT64_C(1) << 32) + (uint64_t)(span * rows) / 2) / (uint64_t)(span * rows);
    }
    int left = 0, carry = 0;
    for (int x = 0; x < width; x++) {
        int next = left + whole;
        carry += rest;
        if (carry >= width) {
            carry -= width;
            next++;
        }
        const int right = next > left ? next : left + 1; /* a plane too small repeats its samples */
        uint32_t sum = 0;
        for (int sx = left; sx < right; sx++)
            sum += sums[sx * step];
        const uint64_t mean = (sum * reciprocal[next - left > whole] + (UINT64_C(1) << 31)) >> 32;
        out[x] = (uint8_t)(mean > 255 ? 255 : mean);
        left = next;
    }
}

/* Each target pixel is the mean of the whole source pixels it covers (at least one). Column sums first: that loop has no
 * branches and the compiler vectorises it. */
static void scale_plane(const struct plane *from, uint8_t *to, int to_stride, int width, int height, uint32_t *sums)
{
    if (width == from->width && height == from->height) {
        copy_plane(from, to, to_stride);
        return;
    }
    const int row = from->width * from->step - (from->step - 1);
    for (int y = 0; y < height; y++) {
        const int top = (int)((int64_t)y * from->height / height);
        int bottom = (int)((int64_t)(y + 1) * from->height / height);
        if (bottom <= top)
            bottom = top + 1;
        memset(sums, 0, (size_t)row * sizeof *sums);
        for (int sy = top; sy < bottom; sy++) {
            const uint8_t *in = from->data + (ptrdiff_t)sy * from->stride;
            for (int x = 0; x < row; x++)
                sums[x] += in[x];
        }
        scale_row(sums, from->step, from->width, bottom - top, to + (ptrdiff_t)y * to_stride, width);
    }
}

static void pad_plane(uint8_t *data, int stride, int width, int height, int padded_w, int padded_h)
{
    if (padded_w > width)
        for (int y = 0; y < height; y++)
            data[(ptrdiff_t)y * stride + width] = data[(ptrdiff_t)y * stride + width - 1];
    if (padded_h > height)
        memcpy(data + (ptrdiff_t)height * stride, data + (ptrdiff_t)(height - 1) * stride, (size_t)padded_w);
}

/* Full-range BT.601 from the source's colours, in 1/65536:
 *   Y' = y_gain (Y - black) + y_u U + y_v V,   U' = u_u U + u_v V,   V' = v_u U + v_v V   (U, V around 0). */
struct conversion {
    int black;
    int32_t y_gain, y_u, y_v, u_u, u_v, v_u, v_v;
};

/* Weights of red and blue in luma. */
static void luma_weights(enum itsi_matrix matrix, double *red, double *blue)
{
    *red = matrix == ITSI_MATRIX_BT709 ? 0.2126 : matrix == ITSI_MATRIX_BT2020 ? 0.2627 : 0.299;
    *blue = matrix == ITSI_MATRIX_BT709 ? 0.0722 : matrix == ITSI_MATRIX_BT2020 ? 0.0593 : 0.114;
}

/* Colours go to RGB and back in one step: R = Y + 2(1-kr)V, B = Y + 2(1-kb)U, G from both, then BT.601's sums. */
static void conversion_init(struct conversion *c, const struct itsi_picture *picture)
{
    double kr, kb;
    luma_weights(picture->matrix, &kr, &kb);
    const double kg = 1 - kr - kb;
    const double r_v = 2 * (1 - kr), b_u = 2 * (1 - kb);
    const double g_u = -b_u * kb / kg, g_v = -r_v * kr / kg;
    const double y_u = 0.587 * g_u + 0.114 * b_u, y_v = 0.299 * r_v + 0.587 * g_v;
    const double gain = picture->full_range ? 1.0 : 255.0 / 219.0, chroma = picture->full_range ? 1.0 : 255.0 / 224.0;
    const double one = 65536;
    c->black = picture->full_range ? 0 : 16;
    c->y_gain = (int32_t)(gain * one + 0.5);
    c->y_u = (int32_t)(y_u * chroma * one);
    c->y_v = (int32_t)(y_v * chroma * one);
    c->u_u = (int32_t)((b_u - y_u) / 1.772 * chroma * one);
    c->u_v = (int32_t)(-y_v / 1.772 * chroma * one);
    c->v_u = (int32_t)(-y_u / 1.402 * chroma * one);
    c->v_v = (int32_t)((r_v - y_v) / 1.402 * chroma * one);
}

static uint8_t clamp(int32_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/* In place. Luma is corrected by the chroma of its 2x2 block; with BT.601 and full range there is nothing to do. */
static void convert_colours(struct itsi_yuv *yuv, const struct itsi_picture *picture)
{
    if (picture->matrix == ITSI_MATRIX_BT601 && picture->full_range)
        return;
    struct conversion c;
    conversion_init(&c, picture);
    for (int cy = 0; cy < yuv->chroma_h; cy++) {
        uint8_t *u = yuv->u + (ptrdiff_t)cy * yuv->chroma_stride, *v = yuv->v + (ptrdiff_t)cy * yuv->chroma_stride;
        uint8_t *upper = yuv->y + (ptrdiff_t)cy * 2 * yuv->stride, *lower = upper + yuv->stride;
        for (int cx = 0; cx < yuv->chroma_w; cx++) {
            const int32_t pu = u[cx] - 128, pv = v[cx] - 128;
            const int32_t shift = pu * c.y_u + pv * c.y_v + 32768 - c.black * c.y_gain;
            u[cx] = clamp((pu * c.u_u + pv * c.u_v + 128 * 65536 + 32768) >> 16);
            v[cx] = clamp((pu * c.v_u + pv * c.v_v + 128 * 65536 + 32768) >> 16);
            upper[2 * cx] = clamp((upper[2 * cx] * c.y_gain + shift) >> 16);
            upper[2 * cx + 1] = clamp((upper[2 * cx + 1] * c.y_gain + shift) >> 16);
            lower[2 * cx] = clamp((lower[2 * cx] * c.y_gain + shift) >> 16);
            lower[2 * cx + 1] = clamp((lower[2 * cx + 1] * c.y_gain + shift) >> 16);
        }
    }
}

int itsi_yuv_convert(struct itsi_yuv *yuv, const struct itsi_picture *p, int width, int height, struct its_diag *diag)
{
    if (p->layout == ITSI_LAYOUT_NONE || !p->plane[0])
        return itsi_fail(diag, ITS_EINVAL, "the source gives no pictures");
    if (width < 1 || height < 1 || width > p->width || height > p->height)
        return itsi_fail(diag, ITS_EINVAL, "picture of %dx%d cannot be made %dx%d", p->width, p->height, width, height);
    int rc = lay_out(yuv, width, height, (size_t)p->width * 2 + 2, diag);
    if (rc != 0)
        return rc;
    const int even_w = yuv->chroma_w * 2, even_h = yuv->chroma_h * 2;
    const struct plane luma = {p->plane[0], p->stride[0], 1, p->width, p->height};
    scale_plane(&luma, yuv->y, yuv->stride, width, height, yuv->sums);
    pad_plane(yuv->y, yuv->stride, width, height, even_w, even_h);
    if (p->layout == ITSI_LAYOUT_GRAY) {
        memset(yuv->u, 128, (size_t)(2 * yuv->chroma_stride * yuv->chroma_h));
    } else {
        const int cw = (p->width + (1 << p->chroma_shift_x) - 1) >> p->chroma_shift_x;
        const int ch = (p->height + (1 << p->chroma_shift_y) - 1) >> p->chroma_shift_y;
        const bool semi = p->layout == ITSI_LAYOUT_SEMI;
        const struct plane u = {p->plane[1], p->stride[1], semi ? 2 : 1, cw, ch};
        const struct plane v = {semi ? p->plane[1] + 1 : p->plane[2], p->stride[semi ? 1 : 2], semi ? 2 : 1, cw, ch};
        /* a chroma plane may be smaller than asked for (1 of 1 at odd sizes): then its last samples repeat */
        scale_plane(&u, yuv->u, yuv->chroma_stride, yuv->chroma_w, yuv->chroma_h, yuv->sums);
        scale_plane(&v, yuv->v, yuv->chroma_stride, yuv->chroma_w, yuv->chroma_h, yuv->sums);
    }
    convert_colours(yuv, p);
    return 0;
}

#include "preprocess/letterbox_impl.h"

#include "base/diag.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

#define PAD_LEVEL 114
#define MAX_SIDE 32768 /* of picture and tensor: keeps every product below in 64 bits, every index in 32 */

/* Everything that depends on sizes alone. */
struct geometry {
    /* the key */
    int source_w, source_h, width, height;
    int shift_x, shift_y; /* -1: no chroma */

    uint64_t used; /* tick of the last use; 0: an empty entry */
    struct itsi_letterbox box;
    struct itsi_taps luma_x, luma_y, chroma_x, chroma_y;
};

enum { LINE_Y_WIDE, LINE_U_WIDE, LINE_V_WIDE, LINE_Y, LINE_U, LINE_V, LINES };

struct itsi_letterboxer {
    const struct itsi_letterbox_kernels *kernels;
    uint64_t tick;
    uint16_t *line[LINES]; /* one allocation, at line[0] */
    int line_samples;      /* room in each, slack not counted */
    struct geometry geometries[ITSI_LETTERBOX_GEOMETRIES];
};

int itsi_letterboxer_create(struct itsi_letterboxer **out, struct its_diag *diag)
{
    struct itsi_letterboxer *boxer = itsi_zalloc(sizeof *boxer);
    if (!boxer)
        return itsi_fail(diag, ITS_ENOMEM, "letterbox: out of memory");
    for (int i = 0; itsi_letterbox_kernels(i); i++)
        boxer->kernels = itsi_letterbox_kernels(i);
    *out = boxer;
    return 0;
}

static void taps_fini(struct itsi_taps *taps)
{
    itsi_free(taps->first); /* the others lie in the same allocation */
    memset(taps, 0, sizeof *taps);
}

static void geometry_fini(struct geometry *geometry)
{
    taps_fini(&geometry->luma_x);
    taps_fini(&geometry->luma_y);
    taps_fini(&geometry->chroma_x);
    taps_fini(&geometry->chroma_y);
    geometry->used = 0;
}

void itsi_letterboxer_destroy(struct itsi_letterboxer *boxer)
{
    if (!boxer)
        return;
    for (int i = 0; i < ITSI_LETTERBOX_GEOMETRIES; i++)
        geometry_fini(&boxer->geometries[i]);
    itsi_free(boxer->line[0]);
    itsi_free(boxer);
}

void itsi_letterboxer_use(struct itsi_letterboxer *boxer, const struct itsi_letterbox_kernels *kernels)
{
    boxer->kernels = kernels;
}

void itsi_letterbox_fit(int source_w, int source_h, int width, int height, struct itsi_letterbox *out)
{
    double scale = fmin((double)width / source_w, (double)height / source_h);
    out->scale = (float)scale;
    out->inner_w = (int)fmin(fmax(nearbyint(source_w * scale), 1), width);
    out->inner_h = (int)fmin(fmax(nearbyint(source_h * scale), 1), height);
    /* the 0.1 gives the odd pixel of padding to the right and bottom */
    out->pad_x = (int)nearbyint((width - out->inner_w) / 2.0 - 0.1);
    out->pad_y = (int)nearbyint((height - out->inner_h) / 2.0 - 0.1);
    out->source_w = source_w;
    out->source_h = source_h;
}

/* Tap positions of `count` outputs that cover `full` luma samples, on a plane of `source` samples that each stand for
 * 2^shift luma samples. With half-pixel centres output i lies at ((i + 1/2) full / count) / 2^shift - 1/2. */
static int taps_init(struct itsi_taps *taps, int count, int full, int shift, int source)
{
    size_t padded = ((size_t)count + 2 * ITSI_TAPS_BLOCK - 1) / (2 * ITSI_TAPS_BLOCK) * (2 * ITSI_TAPS_BLOCK);
    taps->first = itsi_alloc(padded * (sizeof *taps->first + sizeof *taps->offset + sizeof *taps->weight));
    if (!taps->first)
        return ITS_ENOMEM;
    taps->offset = (uint16_t *)(taps->first + padded);
    taps->weight = (int16_t *)(taps->offset + padded);
    taps->count = count;
    taps->source = source;
    taps->identity = count == source;
    taps->halved = 2 * count == source;
    taps->reach = 0;

    const int64_t unit = (int64_t)count << shift, denominator = 2 * unit;
    for (int i = 0; i < (int)padded; i++) {
        int64_t numerator = (2 * (int64_t)(i < count ? i : count - 1) + 1) * full - unit;
        int64_t first = numerator > 0 ? numerator / denominator : 0;
        int64_t weight = numerator > 0 ? (numerator % denominator * 32768 + unit) / denominator : 0;
        if (weight == 32768) {
            first++;
            weight = 0;
        }
        if (first >= source - 1) {
            first = source - 1;
            weight = 0;
        }
        taps->first[i] = (int32_t)first;
        taps->weight[i] = (int16_t)weight;
        int32_t offset = taps->first[i] - taps->first[i / ITSI_TAPS_BLOCK * ITSI_TAPS_BLOCK];
        taps->offset[i] = (uint16_t)offset;
        if (taps->reach < offset + 2)
            taps->reach = offset + 2;
        if (i < count) {
            taps->identity = taps->identity && first == i && weight == 0;
            taps->halved = taps->halved && first == 2 * i && weight == 16384;
        }
    }
    return 0;
}

static int chroma_samples(int luma, int shift) { return (luma + (1 << shift) - 1) >> shift; }

static int geometry_init(struct geometry *g)
{
    const struct itsi_letterbox *box = &g->box;
    itsi_letterbox_fit(g->source_w, g->source_h, g->width, g->height, &g->box);
    int rc = taps_init(&g->luma_x, box->inner_w, g->source_w, 0, g->source_w);
    if (rc == 0)
        rc = taps_init(&g->luma_y, box->inner_h, g->source_h, 0, g->source_h);
    if (rc == 0 && g->shift_x >= 0)
        rc = taps_init(&g->chroma_x, box->inner_w, g->source_w, g->shift_x, chroma_samples(g->source_w, g->shift_x));
    if (rc == 0 && g->shift_x >= 0)
        rc = taps_init(&g->chroma_y, box->inner_h, g->source_h, g->shift_y, chroma_samples(g->source_h, g->shift_y));
    return rc;
}

/* Lines long enough for the source and the tensor. Chroma may be as wide as luma. */
static int grow_lines(struct itsi_letterboxer *boxer, int samples)
{
    if (samples <= boxer->line_samples)
        return 0;
    size_t each = ((size_t)samples + ITSI_LINE_SLACK + 31) / 32 * 32;
    uint16_t *lines = itsi_alloc_aligned(64, LINES * each * sizeof *lines);
    if (!lines)
        return ITS_ENOMEM;
    memset(lines, 0, LINES * each * sizeof *lines); /* the slack is read, though never used */
    itsi_free(boxer->line[0]);
    for (int i = 0; i < LINES; i++)
        boxer->line[i] = lines + (size_t)i * each;
    boxer->line_samples = samples;
    return 0;
}

/* The tables for these sizes: kept ones, or new ones in the place of those used longest ago. */
static int find_geometry(struct itsi_letterboxer *boxer, const struct geometry *key, struct geometry **out)
{
    struct geometry *oldest = &boxer->geometries[0];
    boxer->tick++;
    for (int i = 0; i < ITSI_LETTERBOX_GEOMETRIES; i++) {
        struct geometry *g = &boxer->geometries[i];
        if (g->used && g->source_w == key->source_w && g->source_h == key->source_h && g->width == key->width &&
            g->height == key->height && g->shift_x == key->shift_x && g->shift_y == key->shift_y) {
            g->used = boxer->tick;
            *out = g;
            return 0;
        }
        if (g->used < oldest->used)
            oldest = g;
    }
    int rc = grow_lines(boxer, key->source_w > key->width ? key->source_w : key->width);
    if (rc < 0)
        return rc;
    geometry_fini(oldest);
    *oldest = *key;
    rc = geometry_init(oldest);
    if (rc < 0) {
        geometry_fini(oldest);
        return rc;
    }
    oldest->used = boxer->tick;
    *out = oldest;
    return 0;
}

/* Kr and Kb of a matrix give all its coefficients. */
static void yuv_rgb_init(struct itsi_yuv_rgb *m, enum itsi_matrix matrix, bool full_range)
{
    static const double weights[][2] = {
        [ITSI_MATRIX_BT601] = {0.299, 0.114},
        [ITSI_MATRIX_BT709] = {0.2126, 0.0722},
        [ITSI_MATRIX_BT2020] = {0.2627, 0.0593},
    };
    const double kr = weights[matrix][0], kb = weights[matrix][1], kg = 1 - kr - kb;
    const double luma = full_range ? 1 : 255.0 / 219, chroma = full_range ? 1 : 255.0 / 224, q7 = 128;
    m->y = (float)(luma / q7);
    m->bias = (float)(0.5 - (full_range ? 0 : 16 * luma));
    m->rv = (float)(chroma * 2 * (1 - kr) / q7);
    m->gu = (float)(-chroma * 2 * (1 - kb) * kb / kg / q7);
    m->gv = (float)(-chroma * 2 * (1 - kr) * kr / kg / q7);
    m->bu = (float)(chroma * 2 * (1 - kb) / q7);
}

static const uint8_t *row_of(const struct itsi_picture *picture, int plane, int row)
{
    return picture->plane[plane] + (ptrdiff_t)row * picture->stride[plane];
}

/* One plane's samples for output row y, at the width of the tensor's picture. */
static const uint16_t *plane_line(struct itsi_letterboxer *boxer, const struct itsi_picture *picture, int plane,
                                  const struct itsi_taps *across, const struct itsi_taps *down, int y)
{
    const struct itsi_letterbox_kernels *k = boxer->kernels;
    const uint8_t *row = row_of(picture, plane, down->first[y]);
    const int weight = down->weight[y];
    uint16_t *wide = boxer->line[LINE_Y_WIDE + plane], *line = boxer->line[LINE_Y + plane];
    if (across->halved && weight == 16384) {
        k->halve(line, row, row + picture->stride[plane], across->count);
        return line;
    }
    if (weight == 0)
        k->widen(wide, row, across->source);
    else
        k->blend(wide, row, row + picture->stride[plane], across->source, weight);
    if (across->identity)
        return wide;
    k->stretch(line, wide, across);
    return line;
}

/* The same for interleaved chroma, both at once. */
static void pair_lines(struct itsi_letterboxer *boxer, const struct itsi_picture *picture, const struct geometry *g,
                       int y, const uint16_t *out[2])
{
    const struct itsi_letterbox_kernels *k = boxer->kernels;
    const struct itsi_taps *across = &g->chroma_x;
    const uint8_t *row = row_of(picture, 1, g->chroma_y.first[y]);
    const int weight = g->chroma_y.weight[y];
    uint16_t *u = boxer->line[LINE_U_WIDE], *v = boxer->line[LINE_V_WIDE];
    if (weight == 0)
        k->widen_pairs(u, v, row, across->source);
    else
        k->blend_pairs(u, v, row, row + picture->stride[1], across->source, weight);
    out[0] = u;
    out[1] = v;
    if (across->identity)
        return;
    k->stretch(boxer->line[LINE_U], u, across);
    k->stretch(boxer->line[LINE_V], v, across);
    out[0] = boxer->line[LINE_U];
    out[1] = boxer->line[LINE_V];
}

static void fill_rows(struct itsi_letterboxer *boxer, const struct itsi_picture *picture, const struct geometry *g,
                      const struct itsi_image_tensor *tensor)
{
    const struct itsi_letterbox *box = &g->box;
    const size_t pitch = (size_t)tensor->width * 3;
    const size_t left = (size_t)box->pad_x * 3, inner = (size_t)box->inner_w * 3;
    struct itsi_yuv_rgb matrix;
    yuv_rgb_init(&matrix, picture->matrix, picture->full_range);
    const uint16_t *chroma[2] = {boxer->line[LINE_U], boxer->line[LINE_V]};
    if (picture->layout == ITSI_LAYOUT_GRAY)
        for (int i = 0; i < box->inner_w; i++)
            boxer->line[LINE_U][i] = boxer->line[LINE_V][i] = ITSI_NEUTRAL_Q7;

    uint8_t *out = tensor->data;
    memset(out, PAD_LEVEL, (size_t)box->pad_y * pitch);
    out += (size_t)box->pad_y * pitch;
    for (int y = 0; y < box->inner_h; y++, out += pitch) {
        const uint16_t *luma = plane_line(boxer, picture, 0, &g->luma_x, &g->luma_y, y);
        if (picture->layout == ITSI_LAYOUT_PLANAR) {
            chroma[0] = plane_line(boxer, picture, 1, &g->chroma_x, &g->chroma_y, y);
            chroma[1] = plane_line(boxer, picture, 2, &g->chroma_x, &g->chroma_y, y);
        } else if (picture->layout == ITSI_LAYOUT_SEMI) {
            pair_lines(boxer, picture, g, y, chroma);
        }
        memset(out, PAD_LEVEL, left);
        boxer->kernels->rgb(out + left, luma, chroma[0], chroma[1], box->inner_w, &matrix);
        memset(out + left + inner, PAD_LEVEL, pitch - left - inner);
    }
    memset(out, PAD_LEVEL, (size_t)(tensor->height - box->pad_y - box->inner_h) * pitch);
}

static bool usable(const struct itsi_picture *p, const struct itsi_image_tensor *tensor)
{
    if (!tensor->data || tensor->width < 1 || tensor->height < 1 || tensor->width > MAX_SIDE ||
        tensor->height > MAX_SIDE)
        return false;
    if (p->layout == ITSI_LAYOUT_NONE)
        return true;
    if (p->width < 1 || p->height < 1 || p->width > MAX_SIDE || p->height > MAX_SIDE || !p->plane[0] ||
        (unsigned)p->matrix > ITSI_MATRIX_BT2020)
        return false;
    const bool gray = p->layout == ITSI_LAYOUT_GRAY;
    if (!gray && (!p->plane[1] || p->chroma_shift_x > 3 || p->chroma_shift_y > 3))
        return false;
    return gray || p->layout == ITSI_LAYOUT_SEMI || (p->layout == ITSI_LAYOUT_PLANAR && p->plane[2]);
}

int itsi_letterbox_run(struct itsi_letterboxer *boxer, const struct itsi_picture *picture,
                       const struct itsi_image_tensor *tensor, struct itsi_letterbox *out)
{
    if (!usable(picture, tensor))
        return ITS_EINVAL;
    if (picture->layout == ITSI_LAYOUT_NONE) {
        itsi_letterbox_fit(tensor->width, tensor->height, tensor->width, tensor->height, out);
        return 0;
    }
    const bool gray = picture->layout == ITSI_LAYOUT_GRAY;
    const struct geometry key = {
        .source_w = picture->width,
        .source_h = picture->height,
        .width = tensor->width,
        .height = tensor->height,
        .shift_x = gray ? -1 : picture->chroma_shift_x,
        .shift_y = gray ? -1 : picture->chroma_shift_y,
    };
    struct geometry *geometry;
    int rc = find_geometry(boxer, &key, &geometry);
    if (rc < 0)
        return rc;
    fill_rows(boxer, picture, geometry, tensor);
    *out = geometry->box;
    return 0;
}

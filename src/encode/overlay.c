#include "encode/overlay.h"

#include "encode/font.h"

#include <stdio.h>
#include <string.h>

#define RGB(r, g, b)                                                                                                   \
    {                                                                                                                  \
        (uint8_t)(0.299 * (r) + 0.587 * (g) + 0.114 * (b) + 0.5),                                                      \
            (uint8_t)(128 - 0.168736 * (r) - 0.331264 * (g) + 0.5 * (b) + 0.5),                                        \
            (uint8_t)(128 + 0.5 * (r) - 0.418688 * (g) - 0.081312 * (b) + 0.499)                                       \
    }

/* Twelve colours that stay apart on asphalt by day and by night; web/palette.js has the same. */
static const struct itsi_colour palette[] = {
    RGB(0x3b, 0x9e, 0xff), RGB(0xff, 0x9f, 0x1c), RGB(0x2e, 0xc4, 0xa6), RGB(0xe5, 0x48, 0x4d),
    RGB(0xb0, 0x7c, 0xff), RGB(0xf2, 0xc9, 0x4c), RGB(0xff, 0x6f, 0xb5), RGB(0x8e, 0xcf, 0x3c),
    RGB(0x5b, 0xe0, 0xff), RGB(0xff, 0x7a, 0x45), RGB(0x9a, 0xa7, 0xff), RGB(0xc9, 0xb1, 0x8a),
};

struct itsi_colour itsi_overlay_colour(int cls)
{
    const unsigned count = sizeof palette / sizeof palette[0];
    return palette[(unsigned)cls % count];
}

static int clip(int value, int most) { return value < 0 ? 0 : value > most ? most : value; }

void itsi_overlay_fill(struct itsi_yuv *yuv, int x1, int y1, int x2, int y2, struct itsi_colour colour)
{
    x1 = clip(x1, yuv->width);
    x2 = clip(x2, yuv->width);
    y1 = clip(y1, yuv->height);
    y2 = clip(y2, yuv->height);
    if (x1 >= x2 || y1 >= y2)
        return;
    for (int y = y1; y < y2; y++)
        memset(yuv->y + (ptrdiff_t)y * yuv->stride + x1, colour.y, (size_t)(x2 - x1));
    /* chroma of every block that is touched */
    const int cx1 = x1 / 2, cx2 = (x2 + 1) / 2;
    for (int y = y1 / 2; y < (y2 + 1) / 2; y++) {
        memset(yuv->u + (ptrdiff_t)y * yuv->chroma_stride + cx1, colour.u, (size_t)(cx2 - cx1));
        memset(yuv->v + (ptrdiff_t)y * yuv->chroma_stride + cx1, colour.v, (size_t)(cx2 - cx1));
    }
}

void itsi_overlay_frame(struct itsi_yuv *yuv, int x1, int y1, int x2, int y2, int thickness, struct itsi_colour colour)
{
    itsi_overlay_fill(yuv, x1, y1, x2, y1 + thickness, colour);
    itsi_overlay_fill(yuv, x1, y2 - thickness, x2, y2, colour);
    itsi_overlay_fill(yuv, x1, y1 + thickness, x1 + thickness, y2 - thickness, colour);
    itsi_overlay_fill(yuv, x2 - thickness, y1 + thickness, x2, y2 - thickness, colour);
}

int itsi_overlay_text_width(int zoom, const char *text) { return (int)strlen(text) * ITSI_FONT_ADVANCE * zoom - zoom; }

void itsi_overlay_text(struct itsi_yuv *yuv, int x, int y, int zoom, const char *text, struct itsi_colour colour)
{
    for (; *text; text++, x += ITSI_FONT_ADVANCE * zoom) {
        const uint8_t *rows = itsi_font_glyph(*text);
        for (int row = 0; row < ITSI_FONT_HEIGHT; row++)
            for (int column = 0; column < ITSI_FONT_WIDTH; column++)
                if (rows[row] >> (ITSI_FONT_WIDTH - 1 - column) & 1)
                    itsi_overlay_fill(yuv, x + column * zoom, y + row * zoom, x + (column + 1) * zoom,
                                      y + (row + 1) * zoom, colour);
    }
}

/* "name 87" on a plate of the class's colour: above the box, or inside it where there is no room. */
static void draw_label(struct itsi_yuv *yuv, int x1, int y1, int zoom, const char *text, struct itsi_colour colour)
{
    const struct itsi_colour ink = {(uint8_t)(colour.y > 110 ? 16 : 245), colour.u, colour.v};
    const int pad = zoom, width = itsi_overlay_text_width(zoom, text) + 2 * pad;
    const int height = ITSI_FONT_HEIGHT * zoom + 2 * pad;
    if (x1 + width > yuv->width)
        x1 = yuv->width - width;
    if (x1 < 0)
        x1 = 0;
    const int top = y1 - height >= 0 ? y1 - height : y1;
    itsi_overlay_fill(yuv, x1, top, x1 + width, top + height, colour);
    itsi_overlay_text(yuv, x1 + pad, top + pad, zoom, text, ink);
}

void itsi_overlay_boxes(struct itsi_yuv *yuv, int source_w, int source_h, const struct itsi_detection *boxes, int count,
                        const char *const *names, int name_count)
{
    if (source_w < 1 || source_h < 1)
        return;
    const float sx = (float)yuv->width / (float)source_w, sy = (float)yuv->height / (float)source_h;
    const int thickness = 1 + yuv->height / 400, zoom = 1 + yuv->height / 540;
    for (int i = count - 1; i >= 0; i--) {
        const struct itsi_detection *d = &boxes[i];
        const struct itsi_colour colour = itsi_overlay_colour(d->cls);
        const int x1 = (int)(d->x1 * sx), y1 = (int)(d->y1 * sy);
        char label[64];
        if (d->cls >= 0 && d->cls < name_count)
            snprintf(label, sizeof label, "%.48s %.0f", names[d->cls], (double)d->score * 100);
        else
            snprintf(label, sizeof label, "class %d %.0f", (int)d->cls, (double)d->score * 100);
        itsi_overlay_frame(yuv, x1, y1, (int)(d->x2 * sx + 0.5F), (int)(d->y2 * sy + 0.5F), thickness, colour);
        draw_label(yuv, x1, y1, zoom, label, colour);
    }
}

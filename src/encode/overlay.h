/* Boxes and labels drawn into a picture that is about to be encoded. */
#ifndef ITSI_ENCODE_OVERLAY_H
#define ITSI_ENCODE_OVERLAY_H

#include "core/detection.h"
#include "encode/yuv.h"

/* Full-range BT.601. */
struct itsi_colour {
    uint8_t y, u, v;
};

/* The colour of a class: the same one everywhere (the dashboard has the same twelve). */
struct itsi_colour itsi_overlay_colour(int cls);

/* A frame of `thickness` pixels inside the corners x1,y1 (included) and x2,y2 (excluded), clipped to the picture. */
void itsi_overlay_frame(struct itsi_yuv *yuv, int x1, int y1, int x2, int y2, int thickness, struct itsi_colour colour);
void itsi_overlay_fill(struct itsi_yuv *yuv, int x1, int y1, int x2, int y2, struct itsi_colour colour);
/* Text with its top left corner at x,y, each font pixel `zoom` pixels large. Lower case shows as upper case; what the
 * font lacks shows as a hollow box. */
void itsi_overlay_text(struct itsi_yuv *yuv, int x, int y, int zoom, const char *text, struct itsi_colour colour);
int itsi_overlay_text_width(int zoom, const char *text);

/* All boxes with "name score" labels, weakest first. The boxes are in pixels of the source_w x source_h picture. */
void itsi_overlay_boxes(struct itsi_yuv *yuv, int source_w, int source_h, const struct itsi_detection *boxes, int count,
                        const char *const *names, int name_count);

#endif

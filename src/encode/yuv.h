/* A decoder's picture as full-range BT.601 4:2:0 of a wanted size: what JPEG is made of.
 *
 * Scaling down averages the source pixels under each target pixel; scaling up is not offered. Range (limited to full) and
 * matrix (BT.709 and BT.2020 to BT.601) are converted, so that pictures are neither washed out nor tinted. */
#ifndef ITSI_ENCODE_YUV_H
#define ITSI_ENCODE_YUV_H

#include "core/frame.h"

#include <stddef.h>

/* Planes are padded to even sizes (the last column and row repeated), as 4:2:0 wants. Reused from picture to picture: it
 * allocates only when a picture is larger than any before. One thread at a time. */
struct itsi_yuv {
    int width, height;        /* of the picture, pixels */
    int chroma_w, chroma_h;   /* of u and v */
    int stride, chroma_stride; /* bytes */
    uint8_t *y, *u, *v;       /* within memory */

    uint8_t *memory; /* owned */
    size_t capacity;
    uint32_t *sums; /* owned: one row of column sums */
    size_t sums_capacity;
};

void itsi_yuv_init(struct itsi_yuv *yuv);
void itsi_yuv_fini(struct itsi_yuv *yuv); /* takes zeroed */

/* Fills yuv with the picture at width x height (1..picture's own each). ITS_EINVAL: no pixels or a size it cannot make. */
ITS_NODISCARD int itsi_yuv_convert(struct itsi_yuv *yuv, const struct itsi_picture *picture, int width, int height,
                                   struct its_diag *diag);

#endif

/* The picture tensor that preprocessing fills and an engine reads: 8-bit RGB, interleaved (NHWC), 0..255. The engine's
 * own graph turns it into the model's type and layout. */
#ifndef ITSI_CORE_TENSOR_H
#define ITSI_CORE_TENSOR_H

#include <stdint.h>

/* One image of a batch. Row y starts at data + y * width * 3. */
struct itsi_image_tensor {
    uint8_t *data; /* borrowed from the engine's slot */
    int width, height;
};

/* How a source picture lies in a tensor: tensor = source * scale + pad. Kept beside the slot to map boxes back. */
struct itsi_letterbox {
    float scale;        /* the same for x and y */
    int pad_x, pad_y;   /* left and top, in tensor pixels */
    int inner_w, inner_h; /* size of the scaled picture */
    int source_w, source_h;
};

/* Raw model output for one image: rows 0-3 are cx, cy, w, h in tensor pixels, rows 4.. the class scores (0..1);
 * `rows` x `anchors`, row-major. */
struct itsi_output_tensor {
    const float *data; /* borrowed from the engine's slot */
    int rows, anchors;
};

#endif

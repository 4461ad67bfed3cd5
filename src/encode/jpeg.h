/* JPEG pictures straight from the decoder's planes, with libjpeg-turbo. */
#ifndef ITSI_ENCODE_JPEG_H
#define ITSI_ENCODE_JPEG_H

#include "core/detection.h"

#include <stddef.h>

/* One thread's encoder: reused, it allocates only when a picture is larger than any before. */
struct itsi_jpeg;
ITS_NODISCARD int itsi_jpeg_create(struct itsi_jpeg **out, struct its_diag *diag);
void itsi_jpeg_destroy(struct itsi_jpeg *jpeg); /* takes NULL */

struct itsi_jpeg_request {
    int width;   /* scaled down to this width, the shape kept; 0 or more than the picture's: as it is */
    int quality; /* 1..100 */
    /* drawn into the picture; count 0: none */
    const struct itsi_detection *boxes;
    int count;
    const char *const *names;
    int name_count;
};

struct itsi_jpeg_output {
    const uint8_t *data; /* borrowed until the next call */
    size_t size;
    int width, height;
};

/* ITS_EINVAL: no pixels (null:// sources). The picture is only read. */
ITS_NODISCARD int itsi_jpeg_encode(struct itsi_jpeg *jpeg, const struct itsi_picture *picture,
                                   const struct itsi_jpeg_request *request, struct itsi_jpeg_output *out,
                                   struct its_diag *diag);

#endif

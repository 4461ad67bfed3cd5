#include "encode/jpeg.h"

#include "base/diag.h"
#include "base/mem.h"
#include "encode/overlay.h"
#include "encode/yuv.h"

#include <turbojpeg.h>

struct itsi_jpeg {
    tjhandle turbo;
    struct itsi_yuv yuv;
    unsigned char *out; /* owned */
    size_t capacity;
};

int itsi_jpeg_create(struct itsi_jpeg **out, struct its_diag *diag)
{
    struct itsi_jpeg *jpeg = itsi_zalloc(sizeof *jpeg);
    if (!jpeg)
        return itsi_fail(diag, ITS_ENOMEM, "JPEG encoder: out of memory");
    itsi_yuv_init(&jpeg->yuv);
    jpeg->turbo = tjInitCompress();
    if (!jpeg->turbo) {
        itsi_free(jpeg);
        return itsi_fail(diag, ITS_ENOMEM, "JPEG encoder: %s", tjGetErrorStr2(NULL));
    }
    *out = jpeg;
    return 0;
}

void itsi_jpeg_destroy(struct itsi_jpeg *jpeg)
{
    if (!jpeg)
        return;
    tjDestroy(jpeg->turbo);
    itsi_yuv_fini(&jpeg->yuv);
    itsi_free(jpeg->out);
    itsi_free(jpeg);
}

static int reserve(struct itsi_jpeg *jpeg, struct its_diag *diag)
{
    const size_t worst = tjBufSize(jpeg->yuv.width, jpeg->yuv.height, TJSAMP_420);
    if (worst <= jpeg->capacity)
        return 0;
    unsigned char *out = itsi_alloc(worst);
    if (!out)
        return itsi_fail(diag, ITS_ENOMEM, "JPEG of %zu bytes: out of memory", worst);
    itsi_free(jpeg->out);
    jpeg->out = out;
    jpeg->capacity = worst;
    return 0;
}

int itsi_jpeg_encode(struct itsi_jpeg *jpeg, const struct itsi_picture *picture,
                     const struct itsi_jpeg_request *request, struct itsi_jpeg_output *out, struct its_diag *diag)
{
    int width = picture->width, height = picture->height;
    if (request->width > 0 && request->width < width) {
        height = (int)(((int64_t)height * request->width + width / 2) / width);
        height = height > 0 ? height : 1;
        width = request->width;
    }
    struct itsi_yuv *yuv = &jpeg->yuv;
    int rc = itsi_yuv_convert(yuv, picture, width, height, diag);
    if (rc == 0)
        rc = reserve(jpeg, diag);
    if (rc != 0)
        return rc;
    if (request->count > 0)
        itsi_overlay_boxes(yuv, picture->width, picture->height, request->boxes, request->count, request->names,
                           request->name_count);
    const unsigned char *planes[3] = {yuv->y, yuv->u, yuv->v};
    const int strides[3] = {yuv->stride, yuv->chroma_stride, yuv->chroma_stride};
    unsigned long size = (unsigned long)jpeg->capacity;
    if (tjCompressFromYUVPlanes(jpeg->turbo, planes, width, strides, height, TJSAMP_420, &jpeg->out, &size,
                                request->quality, TJFLAG_NOREALLOC | TJFLAG_FASTDCT) != 0)
        return itsi_fail(diag, ITS_EINTERNAL, "JPEG: %s", tjGetErrorStr2(jpeg->turbo));
    *out = (struct itsi_jpeg_output){.data = jpeg->out, .size = size, .width = width, .height = height};
    return 0;
}

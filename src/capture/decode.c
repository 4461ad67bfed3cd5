#include "capture/decode.h"

#include "base/diag.h"
#include "capture/av.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

int itsi_decoder_open(struct itsi_decoder *d, const AVCodecParameters *par, int64_t max_pixels, struct its_diag *diag)
{
    *d = (struct itsi_decoder){0};
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);
    if (!codec)
        return itsi_fail(diag, ITS_EUNSUPPORTED, "no decoder for codec '%s'", avcodec_get_name(par->codec_id));
    d->ctx = avcodec_alloc_context3(codec);
    d->frame = av_frame_alloc();
    int err = d->ctx && d->frame ? avcodec_parameters_to_context(d->ctx, par) : AVERROR(ENOMEM);
    if (err >= 0) {
        d->ctx->thread_count = 1;
        d->ctx->max_pixels = max_pixels;
        /* no effect on what comes out, only on how soon; in H.264 and HEVC it would break reordering */
        if (par->codec_id == AV_CODEC_ID_MPEG2VIDEO || par->codec_id == AV_CODEC_ID_MPEG1VIDEO)
            d->ctx->flags |= par->video_delay ? 0 : AV_CODEC_FLAG_LOW_DELAY;
        err = avcodec_open2(d->ctx, codec, NULL);
    }
    if (err < 0) {
        int rc = itsi_av_fail(diag, err, "decoder for '%s'", avcodec_get_name(par->codec_id));
        itsi_decoder_close(d);
        return rc;
    }
    return 0;
}

void itsi_decoder_close(struct itsi_decoder *d)
{
    avcodec_free_context(&d->ctx);
    av_frame_free(&d->frame);
    sws_freeContext(d->sws);
    d->sws = NULL;
    av_buffer_pool_uninit(&d->converted); /* lives on until its last picture is gone */
}

int itsi_decoder_send(struct itsi_decoder *d, AVPacket *packet)
{
    int err = avcodec_send_packet(d->ctx, packet);
    return err < 0 && err != AVERROR_EOF ? itsi_av_code(err) : 0;
}

int itsi_decoder_receive(struct itsi_decoder *d)
{
    int err = avcodec_receive_frame(d->ctx, d->frame);
    return err < 0 ? itsi_av_code(err) : 0;
}

void itsi_decoder_flush(struct itsi_decoder *d) { avcodec_flush_buffers(d->ctx); }

bool itsi_decoder_is_damaged(const struct itsi_decoder *d)
{
    return (d->frame->flags & AV_FRAME_FLAG_CORRUPT) || d->frame->decode_error_flags;
}

/* How our pictures show a pixel format; false: they cannot. */
static bool describe_format(enum AVPixelFormat format, struct itsi_picture *p)
{
    p->layout = ITSI_LAYOUT_PLANAR;
    p->chroma_shift_x = p->chroma_shift_y = 0;
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        p->full_range = true;
        /* fall through */
    case AV_PIX_FMT_YUV420P:
        p->chroma_shift_x = p->chroma_shift_y = 1;
        return true;
    case AV_PIX_FMT_YUVJ422P:
        p->full_range = true;
        /* fall through */
    case AV_PIX_FMT_YUV422P:
        p->chroma_shift_x = 1;
        return true;
    case AV_PIX_FMT_YUVJ444P:
        p->full_range = true;
        return true;
    case AV_PIX_FMT_YUV444P:
        return true;
    case AV_PIX_FMT_NV12:
        p->layout = ITSI_LAYOUT_SEMI;
        p->chroma_shift_x = p->chroma_shift_y = 1;
        return true;
    case AV_PIX_FMT_GRAY8:
        p->layout = ITSI_LAYOUT_GRAY;
        return true;
    default:
        return false;
    }
}

static void describe(const AVFrame *frame, struct itsi_picture *p)
{
    p->full_range = frame->color_range == AVCOL_RANGE_JPEG;
    describe_format(frame->format, p);
    p->width = frame->width;
    p->height = frame->height;
    for (int i = 0; i < 3; i++) {
        p->plane[i] = frame->data[i];
        p->stride[i] = frame->linesize[i];
    }
    switch (frame->colorspace) {
    case AVCOL_SPC_BT709:
        p->matrix = ITSI_MATRIX_BT709;
        break;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        p->matrix = ITSI_MATRIX_BT2020;
        break;
    default: /* untagged video is BT.601 */
        p->matrix = ITSI_MATRIX_BT601;
    }
}

/* An I420 picture out of the pool, in the shape of the one received. */
static int converted_frame(struct itsi_decoder *d, AVFrame *out)
{
    const AVFrame *in = d->frame;
    int size = av_image_get_buffer_size(AV_PIX_FMT_YUV420P, in->width, in->height, 32);
    if (size < 0)
        return itsi_av_code(size);
    if (!d->converted || d->converted_width != in->width || d->converted_height != in->height) {
        av_buffer_pool_uninit(&d->converted);
        d->converted = av_buffer_pool_init((size_t)size, NULL);
        d->converted_width = in->width;
        d->converted_height = in->height;
    }
    out->buf[0] = d->converted ? av_buffer_pool_get(d->converted) : NULL;
    if (!out->buf[0])
        return ITS_ENOMEM;
    av_image_fill_arrays(out->data, out->linesize, out->buf[0]->data, AV_PIX_FMT_YUV420P, in->width, in->height, 32);
    out->format = AV_PIX_FMT_YUV420P;
    out->width = in->width;
    out->height = in->height;
    return 0;
}

static int convert(struct itsi_decoder *d, AVFrame *out)
{
    const AVFrame *in = d->frame;
    d->sws = sws_getCachedContext(d->sws, in->width, in->height, in->format, in->width, in->height, AV_PIX_FMT_YUV420P,
                                  SWS_BILINEAR, NULL, NULL, NULL);
    if (!d->sws)
        return ITS_EUNSUPPORTED;
    int rc = converted_frame(d, out);
    if (rc)
        return rc;
    sws_scale(d->sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height, out->data, out->linesize);
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(in->format);
    if (desc && !(desc->flags & AV_PIX_FMT_FLAG_RGB)) { /* RGB became BT.601, limited range */
        out->colorspace = in->colorspace;
        /* swscale narrows the range of the formats that are full by name, and leaves the others as they are */
        bool full_by_name = in->format == AV_PIX_FMT_YUVJ440P || in->format == AV_PIX_FMT_YUVJ411P;
        out->color_range = full_by_name ? AVCOL_RANGE_MPEG : in->color_range;
    }
    av_frame_unref(d->frame);
    return 0;
}

int itsi_decoder_take(struct itsi_decoder *d, AVFrame *native, struct itsi_picture *picture)
{
    if (describe_format(d->frame->format, picture)) {
        av_frame_move_ref(native, d->frame);
    } else {
        int rc = convert(d, native);
        if (rc) {
            av_frame_unref(native);
            return rc;
        }
    }
    describe(native, picture);
    return 0;
}

void *itsi_native_create(void) { return av_frame_alloc(); }
void itsi_native_release(struct itsi_frame *frame) { av_frame_unref(frame->native); }

void itsi_native_dispose(struct itsi_frame *frame)
{
    AVFrame *native = frame->native;
    av_frame_free(&native);
    frame->native = NULL;
}

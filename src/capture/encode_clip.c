#include "capture/encode_clip.h"

#include "base/diag.h"
#include "capture/av.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>

static int open_encoder(struct itsi_clip_writer *w, int width, int height, double fps)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *enc = w->enc = avcodec_alloc_context3(codec);
    if (!enc)
        return AVERROR(ENOMEM);
    AVRational rate = av_d2q(fps, 100000);
    enc->width = width;
    enc->height = height;
    enc->pix_fmt = AV_PIX_FMT_YUV420P;
    enc->color_range = AVCOL_RANGE_MPEG;
    enc->colorspace = AVCOL_SPC_SMPTE170M;
    enc->framerate = rate;
    enc->time_base = av_inv_q(rate);
    enc->gop_size = (int)(2.0 * fps + 0.5);
    enc->max_b_frames = 0;
    enc->thread_count = 1;
    enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(enc->priv_data, "preset", "veryfast", 0);
    av_opt_set(enc->priv_data, "tune", "zerolatency", 0);
    av_opt_set(enc->priv_data, "crf", "23", 0);
    av_opt_set(enc->priv_data, "x264-params", "scenecut=0:sliced-threads=0", 0);
    return avcodec_open2(enc, codec, NULL);
}

static int open_file(struct itsi_clip_writer *w, const char *path)
{
    int err = avformat_alloc_output_context2(&w->fmt, NULL, "mp4", path);
    if (err < 0)
        return err;
    AVStream *stream = avformat_new_stream(w->fmt, NULL);
    if (!stream)
        return AVERROR(ENOMEM);
    if ((err = avcodec_parameters_from_context(stream->codecpar, w->enc)) < 0)
        return err;
    stream->time_base = w->enc->time_base;
    stream->avg_frame_rate = w->enc->framerate;
    if ((err = avio_open(&w->fmt->pb, path, AVIO_FLAG_WRITE)) < 0)
        return err;
    return avformat_write_header(w->fmt, NULL);
}

int itsi_clip_open(struct itsi_clip_writer *w, const char *path, int width, int height, double fps,
                   struct its_diag *diag)
{
    *w = (struct itsi_clip_writer){.path = path};
    int err = open_encoder(w, width, height, fps);
    if (err >= 0)
        err = open_file(w, path);
    w->frame = av_frame_alloc();
    w->packet = av_packet_alloc();
    if (err >= 0 && w->frame && w->packet) {
        w->frame->format = AV_PIX_FMT_YUV420P;
        w->frame->width = width;
        w->frame->height = height;
        err = av_frame_get_buffer(w->frame, 0);
    } else if (err >= 0) {
        err = AVERROR(ENOMEM);
    }
    if (err < 0) {
        int rc = itsi_av_fail(diag, err, "writing %s", path);
        itsi_clip_close(w);
        return rc;
    }
    return 0;
}

int itsi_clip_draw(struct itsi_clip_writer *w, struct its_diag *diag)
{
    int err = av_frame_make_writable(w->frame);
    return err < 0 ? itsi_av_fail(diag, err, "writing %s", w->path) : 0;
}

static int encode(struct itsi_clip_writer *w, struct AVFrame *frame, struct its_diag *diag)
{
    int err = avcodec_send_frame(w->enc, frame);
    while (err >= 0) {
        err = avcodec_receive_packet(w->enc, w->packet);
        if (err == AVERROR(EAGAIN) || err == AVERROR_EOF)
            return 0;
        if (err < 0)
            break;
        w->packet->duration = 1;
        av_packet_rescale_ts(w->packet, w->enc->time_base, w->fmt->streams[0]->time_base);
        w->packet->stream_index = 0;
        err = av_interleaved_write_frame(w->fmt, w->packet);
        if (err >= 0 && w->fmt->pb->error < 0) /* a full disk shows here first */
            err = w->fmt->pb->error;
    }
    return itsi_av_fail(diag, err, "writing %s", w->path);
}

int itsi_clip_put(struct itsi_clip_writer *w, int64_t index, struct its_diag *diag)
{
    w->frame->pts = index;
    return encode(w, w->frame, diag);
}

int itsi_clip_finish(struct itsi_clip_writer *w, struct its_diag *diag)
{
    int rc = encode(w, NULL, diag);
    if (rc)
        return rc;
    int err = av_write_trailer(w->fmt);
    if (err >= 0) {
        avio_flush(w->fmt->pb);
        err = w->fmt->pb->error;
    }
    return err < 0 ? itsi_av_fail(diag, err, "writing %s", w->path) : 0;
}

void itsi_clip_close(struct itsi_clip_writer *w)
{
    if (w->fmt) {
        avio_closep(&w->fmt->pb);
        avformat_free_context(w->fmt);
        w->fmt = NULL;
    }
    avcodec_free_context(&w->enc);
    av_frame_free(&w->frame);
    av_packet_free(&w->packet);
}

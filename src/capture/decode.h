/* One decoder and the way its pictures take into our frames. Used by one thread; single-threaded, since frame threads
 * hold pictures back. */
#ifndef ITSI_CAPTURE_DECODE_H
#define ITSI_CAPTURE_DECODE_H

#include "core/frame.h"

#include <libavcodec/avcodec.h>

struct SwsContext;

struct itsi_decoder {
    AVCodecContext *ctx;
    AVFrame *frame;          /* the picture just received */
    struct SwsContext *sws;  /* for pixel formats that are not handed on as they are */
    AVBufferPool *converted; /* pictures in I420, all of one size */
    int converted_width, converted_height;
};

ITS_NODISCARD int itsi_decoder_open(struct itsi_decoder *d, const AVCodecParameters *par, int64_t max_pixels,
                                    struct its_diag *diag);
void itsi_decoder_close(struct itsi_decoder *d); /* takes zeroed */
/* Gives one access unit (NULL: the end, to drain). packet->pts comes back as d->frame->pts of its picture. */
ITS_NODISCARD int itsi_decoder_send(struct itsi_decoder *d, AVPacket *packet);
/* 0: a picture lies in d->frame; ITS_EAGAIN: feed more; ITS_EEOF: drained; else the access unit was damaged. */
ITS_NODISCARD int itsi_decoder_receive(struct itsi_decoder *d);
void itsi_decoder_flush(struct itsi_decoder *d);
/* True when the picture in d->frame is damaged or patched up. */
bool itsi_decoder_is_damaged(const struct itsi_decoder *d);
/* Moves the picture from d->frame into *native (an AVFrame) and describes it, converting where the pixel format is not
 * one that itsi_picture can express. */
ITS_NODISCARD int itsi_decoder_take(struct itsi_decoder *d, AVFrame *native, struct itsi_picture *picture);

/* Callbacks of the frame pool: native objects are AVFrames. */
void *itsi_native_create(void);
void itsi_native_release(struct itsi_frame *frame);
void itsi_native_dispose(struct itsi_frame *frame);

#endif

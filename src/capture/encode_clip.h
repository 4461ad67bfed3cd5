/* Writes pictures as H.264 into an MP4: the file side of a synthetic camera. Used by one thread. */
#ifndef ITSI_CAPTURE_ENCODE_CLIP_H
#define ITSI_CAPTURE_ENCODE_CLIP_H

#include "its/error.h"

#include <stdint.h>

struct AVFormatContext;
struct AVCodecContext;
struct AVFrame;
struct AVPacket;

struct itsi_clip_writer {
    struct AVFormatContext *fmt;
    struct AVCodecContext *enc;
    struct AVFrame *frame; /* I420, BT.601 limited: draw into it, then put */
    struct AVPacket *packet;
    const char *path; /* borrowed, for messages */
};

/* No B-frames, a key frame every two seconds, one thread: as a traffic camera encodes, and the same on every machine. */
ITS_NODISCARD int itsi_clip_open(struct itsi_clip_writer *w, const char *path, int width, int height, double fps,
                                 struct its_diag *diag);
/* Makes w->frame writable; draw, then put. */
ITS_NODISCARD int itsi_clip_draw(struct itsi_clip_writer *w, struct its_diag *diag);
ITS_NODISCARD int itsi_clip_put(struct itsi_clip_writer *w, int64_t index, struct its_diag *diag);
ITS_NODISCARD int itsi_clip_finish(struct itsi_clip_writer *w, struct its_diag *diag);
void itsi_clip_close(struct itsi_clip_writer *w); /* takes zeroed */

#endif

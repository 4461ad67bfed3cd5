/* A recorded stretch of a camera as a clip that anything plays: copied into MP4, its index in front, by the FFmpeg
 * pool, never decoded. */
#ifndef ITSI_PIPELINE_CLIP_H
#define ITSI_PIPELINE_CLIP_H

#include "pool/ffmpeg_pool.h"

#include <limits.h>

struct itsi_clip_copy { /* lives until end() */
    /* the caller's */
    struct itsi_ffmpeg_pool *pool;
    const char *form; /* of what is read: "mpegts", "matroska" */
    bool hevc;        /* wants the name that players know it by */
    const char *path; /* of the clip: written beside it first, so that nobody sees half a file; borrowed */
    int64_t deadline;
    void (*ended)(void *arg); /* once, on the loop's thread; nothing of the copy may be touched from there */
    void *arg;
    /* its own */
    struct itsi_ffmpeg_job job;
    const char *arguments[32];
    char part[PATH_MAX];
    int code;
    struct its_diag diag;
    double seconds; /* that were written, as FFmpeg says: to a second */
};

/* fd: a descriptor of the recording at its beginning, taken over, in any case. */
ITS_NODISCARD int itsi_clip_copy_begin(struct itsi_clip_copy *copy, int fd, struct its_diag *diag);
/* Gives it up: ended() comes soon, unless it has. Any thread but the loop's. */
void itsi_clip_copy_cancel(struct itsi_clip_copy *copy);
/* After ended(): the clip is at its path, of so many bytes; or why not, and nothing is there. */
ITS_NODISCARD int itsi_clip_copy_end(struct itsi_clip_copy *copy, uint64_t *bytes, struct its_diag *diag);

#endif

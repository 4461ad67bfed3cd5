/* What FFmpeg's `-progress` says: blocks of key=value lines, each ended by "progress=continue" or "progress=end". Pure.
 */
#ifndef ITSI_POOL_PROGRESS_H
#define ITSI_POOL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_progress {
    int64_t frames, bytes, media_us; /* written so far */
    bool ended;
    /* its own: the line that is coming */
    char line[96];
    size_t len;
};

/* Takes what came from the pipe, in any pieces. True when it went on: more frames, bytes or time than before. */
bool itsi_progress_feed(struct itsi_progress *progress, const char *data, size_t len);

#endif

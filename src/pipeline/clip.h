/* What a camera showed around an instant, as a file: from its ring of coded pictures through the FFmpeg pool, never
 * decoded. */
#ifndef ITSI_PIPELINE_CLIP_H
#define ITSI_PIPELINE_CLIP_H

#include "capture/packet_ring.h"
#include "pool/ffmpeg_pool.h"

struct itsi_clip {
    int pictures;
    double seconds;
    int64_t first_at, last_at; /* arrivals of its first and last picture, monotonic */
    uint64_t bytes;
};

/* Writes an MP4 of the pictures that arrived between the two instants, and a little before for their key frame; beside
 * `path` first, so that nobody sees half a file. Blocks until `deadline` at most: not for the loop's thread. */
ITS_NODISCARD int itsi_clip_write(struct itsi_ffmpeg_pool *pool, struct itsi_packet_ring *ring, int64_t from,
                                  int64_t until, const char *path, int64_t deadline, struct itsi_clip *out,
                                  struct its_diag *diag);

/* Deletes the oldest .mp4 in the folder (named by time, as flight records are) until at most `files` of them and
 * `bytes` in all are left; the newest stays whatever its size. */
void itsi_clips_retain(const char *folder, int files, uint64_t bytes);

#endif

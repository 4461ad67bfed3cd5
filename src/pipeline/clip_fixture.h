/* What the tests of clips share: a loop, a small FFmpeg pool on it, and a ring of coded pictures. */
#ifndef ITSI_PIPELINE_CLIP_FIXTURE_H
#define ITSI_PIPELINE_CLIP_FIXTURE_H

#include "support/check.h"

#include "base/clock.h"
#include "capture/packet_ring.h"
#include "config/config.h"
#include "net/loop.h"
#include "pool/ffmpeg_pool.h"

/* most: FFmpeg's processes at once. The caller destroys the ring, the pool and the loop, in this order. */
static inline void open_for_clips(struct itsi_loop **loop, struct itsi_ffmpeg_pool **pool, struct itsi_packet_ring **ring,
                                  int most)
{
    const struct its_cfg_connection_pool cfg = {.ffmpeg_pool_size = 1,
                                                .ffmpeg_max_concurrent = most,
                                                .ffmpeg_process_timeout = 60,
                                                .ffmpeg_restart_threshold = 100};
    const struct itsi_packet_ring_params kept = {.bytes = 8 << 20, .keep_ns = 60 * ITSI_NS_PER_S, .pictures = 5000};
    struct itsi_ffmpeg_pool_params params;
    struct its_diag diag;
    itsi_ffmpeg_pool_usual(&params, &cfg);
    CHECK_OK(itsi_loop_create(loop, "its-loop", &diag), diag);
    CHECK_OK(itsi_ffmpeg_pool_create(pool, *loop, &params, &diag), diag);
    CHECK_OK(itsi_packet_ring_create(ring, &kept, &diag), diag);
}

#endif

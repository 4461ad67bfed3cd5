/* What the tests of clips share: a loop, a small FFmpeg pool on it, and rings of coded pictures. */
#ifndef ITSI_PIPELINE_CLIP_FIXTURE_H
#define ITSI_PIPELINE_CLIP_FIXTURE_H

#include "support/check.h"

#include "base/clock.h"
#include "capture/packet_ring.h"
#include "capture/packet_store.h"
#include "config/config.h"
#include "net/loop.h"
#include "pool/ffmpeg_pool.h"

struct clip_world {
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_packet_store *store;
    struct itsi_packet_ring *ring;
};

/* program: FFmpeg's. */
static inline void open_for_clips(struct clip_world *w, const char *program)
{
    const struct its_cfg_connection_pool cfg = {.ffmpeg_pool_size = 1,
                                                .ffmpeg_max_concurrent = 1,
                                                .ffmpeg_process_timeout = 60,
                                                .ffmpeg_restart_threshold = 100};
    struct itsi_packet_ring_params kept = {.bytes = 8 << 20, .keep_ns = 60 * ITSI_NS_PER_S, .pictures = 5000};
    struct itsi_ffmpeg_pool_params params;
    struct its_diag diag;
    itsi_ffmpeg_pool_usual(&params, &cfg);
    params.program = program;
    CHECK_OK(itsi_loop_create(&w->loop, "its-loop", &diag), diag);
    CHECK_OK(itsi_ffmpeg_pool_create(&w->pool, w->loop, &params, &diag), diag);
    CHECK_OK(itsi_packet_store_create(&w->store, 16 << 20, &diag), diag);
    kept.store = w->store;
    CHECK_OK(itsi_packet_ring_create(&w->ring, &kept, &diag), diag);
}

static inline void close_for_clips(struct clip_world *w)
{
    itsi_packet_ring_destroy(w->ring);
    itsi_packet_store_destroy(w->store);
    itsi_ffmpeg_pool_destroy(w->pool, 0);
    itsi_loop_destroy(w->loop);
}

#endif

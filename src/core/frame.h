/* One decoded picture with its identity and its stamps.
 *
 * Reference-counted; the pixels are immutable from the moment the frame is handed over and are never copied between
 * decode and tensor. The trace is written only by the stage that holds the frame at that moment. Frames come from a
 * pool (one per camera, filled before the first frame) so that steady state allocates nothing; the pool outlives its
 * last frame: closing marks it, the last unref frees it. */
#ifndef ITSI_CORE_FRAME_H
#define ITSI_CORE_FRAME_H

#include "core/stage.h"
#include "its/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum itsi_layout {
    ITSI_LAYOUT_NONE,   /* no pixels (null:// source) */
    ITSI_LAYOUT_PLANAR, /* Y, U, V planes, 8 bits */
    ITSI_LAYOUT_SEMI,   /* NV12: Y, then interleaved UV */
    ITSI_LAYOUT_GRAY    /* Y only */
};

enum itsi_matrix { ITSI_MATRIX_BT601, ITSI_MATRIX_BT709, ITSI_MATRIX_BT2020 };

/* Pixels as the decoder left them. Chroma planes have ceil(width >> chroma_shift_x) by ceil(height >> chroma_shift_y)
 * samples. Untagged video is BT.601 limited range, as libswscale and OpenCV take it. */
struct itsi_picture {
    enum itsi_layout layout;
    int width, height;
    const uint8_t *plane[3];
    int stride[3]; /* bytes; may be negative */
    uint8_t chroma_shift_x, chroma_shift_y;
    enum itsi_matrix matrix;
    bool full_range;
};

/* [A-Za-z0-9_.-]{1,64} and the NUL */
#define ITSI_CAMERA_ID_SIZE 65

struct itsi_frame_pool;

/* Who a frame is and what happened to it so far: small, copied into the result, so that a result waiting for a slow
 * reader pins no pixels. */
struct itsi_frame_info {
    char camera_id[ITSI_CAMERA_ID_SIZE]; /* the camera's name, NUL-terminated */
    uint32_t camera;     /* index in the pipeline's camera table */
    uint32_t generation; /* of that table's slot: a removed camera's frames are told apart */
    uint64_t seq;        /* 1, 2, ... per camera since it was added; gaps are frames that did not get this far */
    uint32_t epoch;      /* grows at reconnects, time stamp jumps and codec changes */
    int width, height;   /* of the picture, pixels */
    int64_t pts_ns;      /* presentation time within the epoch */
    int64_t media_ns;    /* position in the clip's own timeline (files, synthetic roads), for ground truth; else -1 */
    int64_t capture_wall_ns; /* wall clock of the origin */
    enum itsi_origin origin_kind;
    int64_t deadline; /* monotonic ns; ITSI_NEVER: none (pace=off) */
    bool key;
    bool in_place; /* of the one before, should that still wait: of the two one is wanted, the other is skipped */
    int batch; /* how many went into the engine with it; 0: it was in none */
    struct itsi_trace trace;
};

struct itsi_frame {
    struct itsi_picture picture;
    struct itsi_frame_info info;

    /* owner's business */
    void *native; /* the pool user's object behind the pixels (an AVFrame, say); released, not freed, at the last unref */
    struct itsi_frame_pool *pool;
    atomic_uint refs;
    struct itsi_frame *next_free;
};

/* Called at the last unref, on whatever thread that is: drops the pixels (av_frame_unref), keeps the native object for
 * reuse. */
typedef void itsi_frame_release(struct itsi_frame *frame);
/* Called once per frame when the pool dies: frees the native object. */
typedef void itsi_frame_dispose(struct itsi_frame *frame);

/* Creates a pool of `count` frames. `create_native` (may be NULL) makes each frame's native object; NULL from it fails
 * the creation. */
ITS_NODISCARD int itsi_frame_pool_create(struct itsi_frame_pool **out, int count, void *(*create_native)(void),
                                         itsi_frame_release *release, itsi_frame_dispose *dispose,
                                         struct its_diag *diag);
/* Frames still out stay valid; the last one's unref frees the pool. Takes NULL. */
void itsi_frame_pool_close(struct itsi_frame_pool *pool);
/* A frame with one reference, fields zeroed but for native; NULL when all are out (the caller drops and counts). */
struct itsi_frame *itsi_frame_pool_get(struct itsi_frame_pool *pool);
/* How many of its frames are out. */
int itsi_frame_pool_in_use(struct itsi_frame_pool *pool);

struct itsi_frame *itsi_frame_ref(struct itsi_frame *frame);
void itsi_frame_unref(struct itsi_frame **frame); /* sets *frame to NULL; takes a pointer to NULL */

#endif

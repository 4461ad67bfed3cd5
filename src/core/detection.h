/* What comes out: boxes, and the result that carries them to the detection bus. */
#ifndef ITSI_CORE_DETECTION_H
#define ITSI_CORE_DETECTION_H

#include "core/frame.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Corners in pixels of the source picture (0..width, 0..height), x right, y down. */
struct itsi_detection {
    float x1, y1, x2, y2;
    float score; /* 0..1 */
    int32_t cls; /* index into the model's class names */
    int32_t track; /* id stable over frames; -1 without tracking */
};

/* Intersection over union of the boxes, 0..1. */
float itsi_detection_iou(const struct itsi_detection *a, const struct itsi_detection *b);

enum { ITSI_CLASS_NAME_SIZE = 32 };
/* Of names[0..count); beyond them it is made up, in `room`: "class_7". */
const char *itsi_class_name(const char *const *names, int count, int32_t cls, char room[ITSI_CLASS_NAME_SIZE]);

/* Most boxes a result holds: what NMS may leave of one picture. */
#define ITSI_MAX_DETECTIONS 300

enum { ITSI_RESULT_TRACE_SIZE = 33 }; /* 32 hex digits and the NUL */

struct itsi_result_pool;

/* Reference-counted and immutable once published. */
struct itsi_result {
    struct itsi_frame_info info; /* identity and stamps; the pixels stay with the camera's newest frame only */
    struct itsi_breakdown breakdown;
    bool late;                /* handed over after its deadline */
    bool tracked;             /* not detected on: boxes are where the tracks are expected; breakdown says nothing */
    bool reduced;             /* detected at a smaller input size than the model's own */
    int batch;                /* size of the batch it ran in */
    int quality_level;        /* 0 ultra_low .. 4 ultra_high */
    int picture_height;       /* pictures of it are encoded no taller than this; 0: as they come */
    int picture_quality;      /* and with no more than this JPEG quality; 0: as configured */
    char trace_id[ITSI_RESULT_TRACE_SIZE]; /* of the frame's trace, lower-case hex; empty: none */
    int count;
    struct itsi_detection boxes[ITSI_MAX_DETECTIONS]; /* by falling score */

    struct itsi_result_pool *pool;
    atomic_uint refs;
    struct itsi_result *next_free;
};

/* The pool outlives its results, as a frame pool does. */
ITS_NODISCARD int itsi_result_pool_create(struct itsi_result_pool **out, int count, struct its_diag *diag);
void itsi_result_pool_close(struct itsi_result_pool *pool);
struct itsi_result *itsi_result_pool_get(struct itsi_result_pool *pool); /* NULL: all are out */
struct itsi_result *itsi_result_ref(struct itsi_result *result);
void itsi_result_unref(struct itsi_result **result);

/* "ultra_low" .. "ultra_high" */
const char *itsi_quality_name(int level);

#endif

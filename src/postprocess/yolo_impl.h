/* Inside the box decoder: its two loops over many numbers, each with variants per instruction set that give the same
 * result. */
#ifndef ITSI_POSTPROCESS_YOLO_IMPL_H
#define ITSI_POSTPROCESS_YOLO_IMPL_H

#include "postprocess/yolo.h"

#include <stdbool.h>

/* Anchors looked at together: their scores of all classes stay in the second-level cache. */
#define ITSI_SCAN_BLOCK 512

/* The variants: 0 is portable, then avx2, avx512f. The best this processor can run. */
int itsi_simd_level(void);

/* best[i] = the greatest of 0 and scores[c * stride + i] over c, NaN counting as 0, for i < n <= ITSI_SCAN_BLOCK. */
void itsi_scan_best(int level, float *best, const float *scores, int n, int stride, int classes);

/* Boxes that survived so far, in tensor pixels. Arrays hold whole chunks; unused places hold class -1. */
#define ITSI_NMS_CHUNK 16
#define ITSI_NMS_ROOM ((ITSI_MAX_DETECTIONS + ITSI_NMS_CHUNK - 1) / ITSI_NMS_CHUNK * ITSI_NMS_CHUNK)
struct itsi_nms_kept {
    float x1[ITSI_NMS_ROOM], y1[ITSI_NMS_ROOM], x2[ITSI_NMS_ROOM], y2[ITSI_NMS_ROOM], area[ITSI_NMS_ROOM];
    int32_t cls[ITSI_NMS_ROOM];
    int count;
};

void itsi_nms_reset(struct itsi_nms_kept *kept);
/* Does a kept box of the same class overlap this one by more than iou? */
bool itsi_nms_overlaps(int level, const struct itsi_nms_kept *kept, const struct itsi_detection *box, float iou);
/* There must be room. */
void itsi_nms_keep(struct itsi_nms_kept *kept, const struct itsi_detection *box);

/* Sorts keys of (score, anchor) so that the best score comes first, the lower anchor on ties. spare is as large. */
uint64_t itsi_score_key(float score, uint32_t anchor); /* score: finite, not negative */
void itsi_sort_keys(uint64_t *keys, uint64_t *spare, int n);

/* Replaces the level chosen for this processor. */
void itsi_yolo_use(struct itsi_yolo *yolo, int level);

#endif

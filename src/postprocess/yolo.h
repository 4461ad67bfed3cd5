/* Boxes from the raw output of a YOLOv8/YOLO11 head, and class-aware non-maximum suppression. */
#ifndef ITSI_POSTPROCESS_YOLO_H
#define ITSI_POSTPROCESS_YOLO_H

#include "core/detection.h"
#include "core/tensor.h"

struct itsi_yolo_params {
    float confidence;    /* keep boxes whose best class score is greater than this, 0..1 */
    float iou;           /* suppress a box that overlaps a better one of its class by more than this, 0..1 */
    int max_detections;  /* 1..ITSI_MAX_DETECTIONS */
    const uint8_t *class_mask; /* classes entries, 0 = ignore that class; NULL: all */
};

/* Scratch of one post-processing thread. */
struct itsi_yolo;
ITS_NODISCARD int itsi_yolo_create(struct itsi_yolo **out, struct its_diag *diag);
void itsi_yolo_destroy(struct itsi_yolo *yolo);

/* Decodes one image's output into boxes[0..max_detections) in source pixels (clipped to the picture), by falling score.
 * Returns their number. Candidates are the best 30,000 at most; NaN scores count as 0. Allocates only when the number of
 * anchors grows. */
int itsi_yolo_run(struct itsi_yolo *yolo, const struct itsi_output_tensor *output, const struct itsi_letterbox *box,
                  const struct itsi_yolo_params *params, struct itsi_detection *boxes);

#endif

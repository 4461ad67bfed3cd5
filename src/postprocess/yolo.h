/* Boxes from the raw output of a YOLOv8/YOLO11 head, and class-aware non-maximum suppression.
 *
 * An anchor stands for its best class alone (the first of equals). Candidates are taken by falling score, the lower
 * anchor first on ties; one is suppressed by a kept box of its own class that it overlaps by more than `iou`, measured in
 * tensor pixels. Results are the same on every processor. */
#ifndef ITSI_POSTPROCESS_YOLO_H
#define ITSI_POSTPROCESS_YOLO_H

#include "core/detection.h"
#include "core/tensor.h"

struct itsi_yolo_params {
    float confidence;    /* keep boxes whose best class score is greater than this, 0..1 */
    float iou;           /* suppress a box that overlaps a better one of its class by more than this, 0..1 */
    int max_detections;  /* 1..ITSI_MAX_DETECTIONS */
    /* classes entries, 0 = ignore that class; NULL: all. Applied to an anchor's best class, so the result is what
     * picking the wanted classes from an unmasked one would give (but for max_detections). */
    const uint8_t *class_mask;
};

/* Scratch of one post-processing thread. */
struct itsi_yolo;
ITS_NODISCARD int itsi_yolo_create(struct itsi_yolo **out, struct its_diag *diag);
void itsi_yolo_destroy(struct itsi_yolo *yolo);

/* Decodes one image's output into boxes[0..max_detections) in source pixels (clipped to the picture), by falling score.
 * Returns their number, or ITS_ENOMEM, or ITS_EINVAL for an output without classes or anchors or max_detections out of
 * range. Candidates are the best 30,000 at most; NaN scores count as 0; anchors with an infinite score, and boxes without
 * a finite area, are ignored, and so is what lies wholly outside the picture. Allocates only when the number of anchors
 * grows. */
int itsi_yolo_run(struct itsi_yolo *yolo, const struct itsi_output_tensor *output, const struct itsi_letterbox *box,
                  const struct itsi_yolo_params *params, struct itsi_detection *boxes);

#endif

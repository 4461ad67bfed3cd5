/* Detections held against ground truth: precision and recall at IoU 0.5, by class name.
 *
 * A detection, the surest first, takes the box of its class that it overlaps most, if by at least ITSI_SCORE_IOU; each
 * box is taken once. What cannot fairly be asked for is ignored, and a detection of which at least half lies on such a
 * box counts neither way: boxes of which less than ITSI_SCORE_VISIBLE shows, boxes a side of which is under
 * ITSI_SCORE_SIDE pixels at the model's input, and classes the model or the configuration does not report. An unmatched
 * detection that is too small itself counts neither way either. */
#ifndef ITSI_OPTIMIZER_SCORE_H
#define ITSI_OPTIMIZER_SCORE_H

#include "config/config.h"
#include "core/detection.h"
#include "infer/model.h"
#include "render/road.h"

#define ITSI_SCORE_IOU 0.5F
#define ITSI_SCORE_VISIBLE 0.25F
#define ITSI_SCORE_SIDE 8.0F

struct itsi_score_count {
    uint64_t truth; /* boxes to be found */
    uint64_t found; /* of them, and so many detections are right */
    uint64_t wrong; /* detections that are not */
};

struct itsi_score {
    uint64_t frames;
    struct itsi_score_count classes[ITSI_ROAD_CLASS_COUNT];
    /* const after init */
    bool judged[ITSI_ROAD_CLASS_COUNT];    /* both the model and the configuration report it */
    int road_class[ITSI_MAX_CLASSES];      /* of the model's class; -1: none of the road's */
};

/* names: the model's classes; wanted: those that are reported, empty: all. */
void itsi_score_init(struct itsi_score *score, const char *const *names, int count, const struct itsi_str_list *wanted);
/* One picture. boxes: by falling score, in pixels of the picture, as truth is; scale: from those to the model's input. */
void itsi_score_add(struct itsi_score *score, const struct itsi_detection *boxes, int count,
                    const struct itsi_road_box *truth, int truth_count, float scale);

/* Cars, trucks and buses together; each was still matched by its own class. */
struct itsi_score_count itsi_score_vehicles(const struct itsi_score *score);
double itsi_score_precision(const struct itsi_score_count *count); /* NAN: nothing was detected */
double itsi_score_recall(const struct itsi_score_count *count);    /* NAN: there was nothing to find */

#endif

/* What full analysis of a picture finds, held against what was delivered for it. Pure; any thread. */
#ifndef ITSI_QUALITY_DEBT_MATCH_H
#define ITSI_QUALITY_DEBT_MATCH_H

#include "quality/debt.h"

#define ITSI_DEBT_IOU 0.5F

/* Both by falling score, in pixels of the picture, at most ITSI_MAX_DETECTIONS each. As detectors are scored (PASCAL VOC,
 * Everingham et al. 2010): a delivered box, the surest first, takes the free box of its class that it overlaps most, if by
 * ITSI_DEBT_IOU at least. What of `full` nobody took is missed, who got none is extra. */
struct itsi_debt_picture itsi_debt_match(const struct itsi_detection *full, int full_count,
                                         const struct itsi_detection *delivered, int delivered_count);

#endif

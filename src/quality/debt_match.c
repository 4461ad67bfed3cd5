#include "quality/debt_match.h"

/* The free box of its class that it overlaps most; -1: none well enough. */
static int best_match(const struct itsi_detection *box, const struct itsi_detection *full, int count, const bool *taken)
{
    int best = -1;
    float most = 0;
    for (int i = 0; i < count; i++) {
        if (taken[i] || full[i].cls != box->cls)
            continue;
        const float iou = itsi_detection_iou(box, &full[i]);
        if (iou >= ITSI_DEBT_IOU && iou > most) {
            most = iou;
            best = i;
        }
    }
    return best;
}

struct itsi_debt_picture itsi_debt_match(const struct itsi_detection *full, int full_count,
                                         const struct itsi_detection *delivered, int delivered_count)
{
    bool taken[ITSI_MAX_DETECTIONS] = {false};
    int found = 0;
    for (int i = 0; i < delivered_count; i++) {
        const int match = best_match(&delivered[i], full, full_count, taken);
        if (match < 0)
            continue;
        taken[match] = true;
        found++;
    }
    return (struct itsi_debt_picture){full_count, full_count - found, delivered_count - found};
}

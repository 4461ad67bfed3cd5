#include "optimizer/score.h"

#include "config/value.h"

#include <math.h>
#include <string.h>

void itsi_score_init(struct itsi_score *score, const char *const *names, int count, const struct itsi_str_list *wanted)
{
    memset(score, 0, sizeof *score);
    for (int i = 0; i < ITSI_MAX_CLASSES; i++)
        score->road_class[i] = -1;
    for (int cls = 0; cls < ITSI_ROAD_CLASS_COUNT; cls++) {
        const char *name = itsi_road_class_name((enum itsi_road_class)cls);
        for (int i = 0; i < count && i < ITSI_MAX_CLASSES; i++)
            if (strcmp(names[i], name) == 0) {
                score->road_class[i] = cls;
                score->judged[cls] = wanted->count == 0 || itsi_str_list_has(wanted, name);
            }
    }
}

static float area(float w, float h) { return w > 0 && h > 0 ? w * h : 0; }

static float detection_area(const struct itsi_detection *d) { return area(d->x2 - d->x1, d->y2 - d->y1); }

/* What a detection and a box of the truth have in common. */
static float common(const struct itsi_detection *d, const struct itsi_road_box *t)
{
    return area(fminf(d->x2, t->x2) - fmaxf(d->x1, t->x1), fminf(d->y2, t->y2) - fmaxf(d->y1, t->y1));
}

static float iou(const struct itsi_detection *d, const struct itsi_road_box *t)
{
    float both = common(d, t), either = detection_area(d) + area(t->x2 - t->x1, t->y2 - t->y1) - both;
    return either > 0 ? both / either : 0;
}

static bool is_small(float w, float h, float scale) { return fminf(w, h) * scale < ITSI_SCORE_SIDE; }

static bool is_ignored(const struct itsi_score *score, const struct itsi_road_box *t, float scale)
{
    return t->cls < 0 || t->cls >= ITSI_ROAD_CLASS_COUNT || !score->judged[t->cls] || t->visible < ITSI_SCORE_VISIBLE ||
           is_small(t->x2 - t->x1, t->y2 - t->y1, scale);
}

/* The free box the detection fits best; -1: none well enough. */
static int best_match(const struct itsi_detection *d, int cls, const struct itsi_road_box *truth, int count,
                      const bool *ignored, const bool *taken)
{
    int best = -1;
    float best_iou = 0;
    for (int i = 0; i < count; i++) {
        if (ignored[i] || taken[i] || truth[i].cls != cls)
            continue;
        float overlap = iou(d, &truth[i]);
        if (overlap >= ITSI_SCORE_IOU && overlap > best_iou) {
            best_iou = overlap;
            best = i;
        }
    }
    return best;
}

static bool lies_on_ignored(const struct itsi_detection *d, const struct itsi_road_box *truth, int count,
                            const bool *ignored)
{
    float half = detection_area(d) / 2;
    for (int i = 0; i < count; i++)
        if (ignored[i] && common(d, &truth[i]) >= half)
            return true;
    return false;
}

void itsi_score_add(struct itsi_score *score, const struct itsi_detection *boxes, int count,
                    const struct itsi_road_box *truth, int truth_count, float scale)
{
    bool ignored[ITSI_ROAD_MAX_BOXES], taken[ITSI_ROAD_MAX_BOXES] = {false};
    if (truth_count > ITSI_ROAD_MAX_BOXES)
        truth_count = ITSI_ROAD_MAX_BOXES;
    score->frames++;
    for (int i = 0; i < truth_count; i++) {
        ignored[i] = is_ignored(score, &truth[i], scale);
        if (!ignored[i])
            score->classes[truth[i].cls].truth++;
    }
    for (int i = 0; i < count; i++) {
        const struct itsi_detection *d = &boxes[i];
        int cls = score->road_class[d->cls];
        if (cls < 0 || !score->judged[cls])
            continue;
        int match = best_match(d, cls, truth, truth_count, ignored, taken);
        if (match >= 0) {
            taken[match] = true;
            score->classes[cls].found++;
        } else if (!is_small(d->x2 - d->x1, d->y2 - d->y1, scale) &&
                   !lies_on_ignored(d, truth, truth_count, ignored)) {
            score->classes[cls].wrong++;
        }
    }
}

struct itsi_score_count itsi_score_vehicles(const struct itsi_score *score)
{
    static const enum itsi_road_class vehicles[] = {ITSI_ROAD_CAR, ITSI_ROAD_TRUCK, ITSI_ROAD_BUS};
    struct itsi_score_count sum = {0};
    for (size_t i = 0; i < sizeof vehicles / sizeof vehicles[0]; i++) {
        const struct itsi_score_count *one = &score->classes[vehicles[i]];
        sum.truth += one->truth;
        sum.found += one->found;
        sum.wrong += one->wrong;
    }
    return sum;
}

static double ratio(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : NAN; }

double itsi_score_precision(const struct itsi_score_count *count)
{
    return ratio(count->found, count->found + count->wrong);
}

double itsi_score_recall(const struct itsi_score_count *count) { return ratio(count->found, count->truth); }

#include "postprocess/yolo_impl.h"

#include "base/diag.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>

#define MAX_CANDIDATES 30000
#define MAX_ANCHORS (1 << 24)

struct itsi_yolo {
    int level;
    int room;        /* anchors the arrays are made for */
    uint64_t *keys;  /* owned: `room` keys, then as many to sort with */
    int32_t *cls;    /* owned: best class by anchor */
    struct itsi_nms_kept kept;
};

int itsi_yolo_create(struct itsi_yolo **out, struct its_diag *diag)
{
    struct itsi_yolo *yolo = itsi_zalloc(sizeof *yolo);
    if (!yolo)
        return itsi_fail(diag, ITS_ENOMEM, "box decoder: out of memory");
    yolo->level = itsi_simd_level();
    *out = yolo;
    return 0;
}

void itsi_yolo_destroy(struct itsi_yolo *yolo)
{
    if (!yolo)
        return;
    itsi_free(yolo->keys);
    itsi_free(yolo->cls);
    itsi_free(yolo);
}

void itsi_yolo_use(struct itsi_yolo *yolo, int level) { yolo->level = level; }

static int grow(struct itsi_yolo *yolo, int anchors)
{
    if (anchors <= yolo->room)
        return 0;
    uint64_t *keys = itsi_calloc((size_t)anchors * 2, sizeof *keys);
    int32_t *cls = itsi_calloc((size_t)anchors, sizeof *cls);
    if (!keys || !cls) {
        itsi_free(keys);
        itsi_free(cls);
        return ITS_ENOMEM;
    }
    itsi_free(yolo->keys);
    itsi_free(yolo->cls);
    yolo->keys = keys;
    yolo->cls = cls;
    yolo->room = anchors;
    return 0;
}

/* The first class with this score. */
static int class_of(const float *scores, int stride, int classes, float score)
{
    int c = 0;
    while (c + 1 < classes && scores[(ptrdiff_t)c * stride] != score)
        c++;
    return c;
}

/* Fills keys and classes; returns the number of candidates. Scores first, a block of anchors at a time: nearly all fall
 * here. The class is looked up for those that remain, while the block is still in the cache. */
static int collect(struct itsi_yolo *yolo, const struct itsi_output_tensor *output,
                   const struct itsi_yolo_params *params)
{
    const int stride = output->anchors, classes = output->rows - 4;
    const float *scores = output->data + (ptrdiff_t)4 * stride;
    const float threshold = params->confidence > 0 ? params->confidence : 0;
    float best[ITSI_SCAN_BLOCK];
    int count = 0;
    for (int start = 0; start < stride; start += ITSI_SCAN_BLOCK) {
        int n = stride - start < ITSI_SCAN_BLOCK ? stride - start : ITSI_SCAN_BLOCK;
        itsi_scan_best(yolo->level, best, scores + start, n, stride, classes);
        for (int i = 0; i < n; i++) {
            if (!(best[i] > threshold) || best[i] > FLT_MAX)
                continue;
            int anchor = start + i, cls = class_of(scores + anchor, stride, classes, best[i]);
            if (params->class_mask && !params->class_mask[cls])
                continue;
            yolo->cls[anchor] = cls;
            yolo->keys[count++] = itsi_score_key(best[i], (uint32_t)anchor);
        }
    }
    return count;
}

/* The anchor's box in tensor pixels; false if it is not one. */
static bool decode(const struct itsi_output_tensor *output, uint32_t anchor, struct itsi_detection *box)
{
    const float *at = output->data + anchor;
    const ptrdiff_t stride = output->anchors;
    const float cx = at[0], cy = at[stride], w = at[2 * stride], h = at[3 * stride];
    box->x1 = cx - w / 2;
    box->y1 = cy - h / 2;
    box->x2 = cx + w / 2;
    box->y2 = cy + h / 2;
    /* an area within the range of a float also means corners that are numbers */
    float area = (box->x2 - box->x1) * (box->y2 - box->y1);
    return w > 0 && h > 0 && area <= FLT_MAX;
}

static float clipped(float value, int pad, float scale, int limit)
{
    value = (value - (float)pad) / scale;
    return value < 0 ? 0 : value > (float)limit ? (float)limit : value;
}

/* To source pixels. False when nothing of the box lies in the picture. */
static bool map_back(struct itsi_detection *d, const struct itsi_letterbox *box)
{
    d->x1 = clipped(d->x1, box->pad_x, box->scale, box->source_w);
    d->y1 = clipped(d->y1, box->pad_y, box->scale, box->source_h);
    d->x2 = clipped(d->x2, box->pad_x, box->scale, box->source_w);
    d->y2 = clipped(d->y2, box->pad_y, box->scale, box->source_h);
    return d->x2 > d->x1 && d->y2 > d->y1;
}

int itsi_yolo_run(struct itsi_yolo *yolo, const struct itsi_output_tensor *output, const struct itsi_letterbox *box,
                  const struct itsi_yolo_params *params, struct itsi_detection *boxes)
{
    if (!output->data || output->rows < 5 || output->anchors < 1 || output->anchors > MAX_ANCHORS ||
        params->max_detections < 1 || params->max_detections > ITSI_MAX_DETECTIONS || !(box->scale > 0))
        return ITS_EINVAL;
    int rc = grow(yolo, output->anchors);
    if (rc < 0)
        return rc;
    int candidates = collect(yolo, output, params);
    itsi_sort_keys(yolo->keys, yolo->keys + yolo->room, candidates);
    if (candidates > MAX_CANDIDATES)
        candidates = MAX_CANDIDATES;

    /* Best first, a box is kept unless a kept one of its class covers it: as soon as enough are kept, the rest cannot
     * matter. Boxes wholly in the padding take part, then fall away. */
    int count = 0;
    itsi_nms_reset(&yolo->kept);
    for (int i = 0; i < candidates && yolo->kept.count < params->max_detections; i++) {
        const uint32_t anchor = (uint32_t)yolo->keys[i];
        struct itsi_detection found = {.cls = yolo->cls[anchor], .track = -1};
        if (!decode(output, anchor, &found) || itsi_nms_overlaps(yolo->level, &yolo->kept, &found, params->iou))
            continue;
        itsi_nms_keep(&yolo->kept, &found);
        found.score = output->data[(ptrdiff_t)(4 + found.cls) * output->anchors + anchor];
        if (map_back(&found, box))
            boxes[count++] = found;
    }
    return count;
}

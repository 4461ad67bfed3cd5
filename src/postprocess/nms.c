#include "postprocess/yolo_impl.h"

#include <string.h>

void itsi_nms_reset(struct itsi_nms_kept *kept) { kept->count = 0; }

void itsi_nms_keep(struct itsi_nms_kept *kept, const struct itsi_detection *box)
{
    int i = kept->count++;
    if (i % ITSI_NMS_CHUNK == 0) /* a new chunk: its other places match nothing yet */
        for (int k = 0; k < ITSI_NMS_CHUNK; k++) {
            kept->x1[i + k] = kept->y1[i + k] = kept->x2[i + k] = kept->y2[i + k] = kept->area[i + k] = 0;
            kept->cls[i + k] = -1;
        }
    kept->x1[i] = box->x1;
    kept->y1[i] = box->y1;
    kept->x2[i] = box->x2;
    kept->y2[i] = box->y2;
    kept->area[i] = (box->x2 - box->x1) * (box->y2 - box->y1);
    kept->cls[i] = box->cls;
}

/* Written for the vectoriser: a chunk has a fixed size and no branches. intersection > iou * union is IoU > iou without
 * the division; a pair of empty boxes has neither. */
static inline __attribute__((always_inline)) bool overlaps(const struct itsi_nms_kept *kept,
                                                           const struct itsi_detection *box, float iou)
{
    const float x1 = box->x1, y1 = box->y1, x2 = box->x2, y2 = box->y2, area = (x2 - x1) * (y2 - y1);
    const int32_t cls = box->cls;
    for (int i = 0; i < kept->count; i += ITSI_NMS_CHUNK) {
        int32_t any = 0;
        for (int k = i; k < i + ITSI_NMS_CHUNK; k++) {
            float left = kept->x1[k] > x1 ? kept->x1[k] : x1;
            float top = kept->y1[k] > y1 ? kept->y1[k] : y1;
            float right = kept->x2[k] < x2 ? kept->x2[k] : x2;
            float bottom = kept->y2[k] < y2 ? kept->y2[k] : y2;
            float w = right - left, h = bottom - top;
            w = w > 0 ? w : 0;
            h = h > 0 ? h : 0;
            float common = w * h;
            any |= -(int32_t)(common > iou * (kept->area[k] + area - common)) & -(int32_t)(kept->cls[k] == cls);
        }
        if (any)
            return true;
    }
    return false;
}

static bool overlaps_portable(const struct itsi_nms_kept *kept, const struct itsi_detection *box, float iou)
{
    return overlaps(kept, box, iou);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static bool overlaps_avx2(const struct itsi_nms_kept *kept,
                                                          const struct itsi_detection *box, float iou)
{
    return overlaps(kept, box, iou);
}

__attribute__((target("avx512f"))) static bool overlaps_avx512(const struct itsi_nms_kept *kept,
                                                               const struct itsi_detection *box, float iou)
{
    return overlaps(kept, box, iou);
}
#endif

bool itsi_nms_overlaps(int level, const struct itsi_nms_kept *kept, const struct itsi_detection *box, float iou)
{
#if defined(__x86_64__)
    if (level == 2)
        return overlaps_avx512(kept, box, iou);
    if (level == 1)
        return overlaps_avx2(kept, box, iou);
#endif
    (void)level;
    return overlaps_portable(kept, box, iou);
}

/* ---- order ---- */

uint64_t itsi_score_key(float score, uint32_t anchor)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits); /* floats from 0 up order as their bits do */
    return (uint64_t)~bits << 32 | anchor;
}

static void insertion_sort(uint64_t *keys, int n)
{
    for (int i = 1; i < n; i++) {
        uint64_t key = keys[i];
        int k = i;
        for (; k > 0 && keys[k - 1] > key; k--)
            keys[k] = keys[k - 1];
        keys[k] = key;
    }
}

/* Few keys: insertion. Many: three stable passes of 11 bits over the score; keys come in by rising anchor, which
 * settles ties. */
void itsi_sort_keys(uint64_t *keys, uint64_t *spare, int n)
{
    enum { BITS = 11, BUCKETS = 1 << BITS };
    if (n <= 96) {
        insertion_sort(keys, n);
        return;
    }
    for (int shift = 32; shift < 64; shift += BITS) {
        uint32_t start[BUCKETS + 1] = {0};
        for (int i = 0; i < n; i++)
            start[(keys[i] >> shift & (BUCKETS - 1)) + 1]++;
        for (int b = 1; b < BUCKETS; b++)
            start[b] += start[b - 1];
        for (int i = 0; i < n; i++)
            spare[start[keys[i] >> shift & (BUCKETS - 1)]++] = keys[i];
        memcpy(keys, spare, (size_t)n * sizeof *keys);
    }
}

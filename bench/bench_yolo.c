/* Boxes out of one image's raw output, at 640x384 (84 x 5040): an empty road, a usual picture, a crowd, and outputs made
 * to be as slow as they can. CPU time of the thread, medians. Outputs rotate, so that they come from memory as they do
 * from an engine. The ratio is against the plain way to do the first step alone: for each anchor, down its scores. */
#include "base/clock.h"
#include "base/mem.h"
#include "postprocess/yolo_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 80, ROWS = CLASSES + 4, ANCHORS = 5040, OUTPUTS = 4, ROUNDS = 31 };

static uint32_t state = 1;
static float uniform(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 24);
}

struct scene {
    const char *name;
    int candidates; /* anchors above the threshold */
    int objects;    /* places they crowd around; 0: anywhere */
    int classes;
    float size;
};

static void fill(float *data, const struct scene *scene)
{
    for (int i = 0; i < 4 * ANCHORS; i++)
        data[i] = 10 + 300 * uniform();
    for (int i = 4 * ANCHORS; i < ROWS * ANCHORS; i++)
        data[i] = 0.01f * uniform();
    for (int k = 0; k < scene->candidates; k++) {
        int anchor = (int)((int64_t)k * ANCHORS / scene->candidates), object = scene->objects ? k % scene->objects : 0;
        data[anchor] = scene->objects ? 20.0f + (float)(object * 97 % 600) : 640 * uniform();
        data[ANCHORS + anchor] = scene->objects ? 20.0f + (float)(object * 61 % 340) : 384 * uniform();
        data[2 * ANCHORS + anchor] = scene->size * (1 + 0.1f * uniform());
        data[3 * ANCHORS + anchor] = scene->size * (1 + 0.1f * uniform());
        int cls = scene->objects ? object % scene->classes : (int)(uniform() * (float)scene->classes);
        data[(4 + cls) * ANCHORS + anchor] = 0.3f + 0.6f * uniform();
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static volatile float sink;
static double micros_plain(float *const data[OUTPUTS])
{
    int64_t start = itsi_thread_cpu_ns();
    for (int o = 0; o < OUTPUTS; o++)
        for (int i = 0; i < ANCHORS; i++) {
            float best = 0;
            for (int c = 4; c < ROWS; c++)
                if (data[o][c * ANCHORS + i] > best)
                    best = data[o][c * ANCHORS + i];
            sink = best;
        }
    return (double)(itsi_thread_cpu_ns() - start) / 1e3 / OUTPUTS;
}

static void bench(const struct scene *scene, float *const data[OUTPUTS], int level)
{
    static const char *const levels[] = {"portable", "avx2", "avx512"};
    static struct itsi_detection boxes[ITSI_MAX_DETECTIONS];
    const struct itsi_letterbox box = {.scale = 0.5f, .pad_y = 12, .source_w = 1280, .source_h = 720};
    const struct itsi_yolo_params params = {.confidence = 0.25f, .iou = 0.7f, .max_detections = ITSI_MAX_DETECTIONS};
    struct itsi_yolo *yolo;
    if (itsi_yolo_create(&yolo, NULL) < 0)
        abort();
    itsi_yolo_use(yolo, level);
    for (int o = 0; o < OUTPUTS; o++)
        fill(data[o], scene);
    double ours[ROUNDS], ratio[ROUNDS];
    int count = 0;
    for (int i = -1; i < ROUNDS; i++) {
        int64_t start = itsi_thread_cpu_ns();
        for (int o = 0; o < OUTPUTS; o++) {
            const struct itsi_output_tensor output = {data[o], ROWS, ANCHORS};
            count = itsi_yolo_run(yolo, &output, &box, &params, boxes);
        }
        double us = (double)(itsi_thread_cpu_ns() - start) / 1e3 / OUTPUTS;
        if (i >= 0) {
            ours[i] = us;
            ratio[i] = micros_plain(data) / us;
        }
    }
    qsort(ours, ROUNDS, sizeof *ours, by_value);
    qsort(ratio, ROUNDS, sizeof *ratio, by_value);
    printf("{\"bench\": \"yolo\", \"output\": \"%dx%d\", \"scene\": \"%s\", \"candidates\": %d, \"boxes\": %d, "
           "\"variant\": \"%s\", \"cpu_us\": %.1f, \"times_plain_scan\": %.2f, \"times_plain_scan_p10\": %.2f, "
           "\"times_plain_scan_p90\": %.2f}\n",
           ROWS, ANCHORS, scene->name, scene->candidates, count, levels[level], ours[ROUNDS / 2], ratio[ROUNDS / 2],
           ratio[ROUNDS / 10], ratio[ROUNDS * 9 / 10]);
    itsi_yolo_destroy(yolo);
}

int main(void)
{
    static const struct scene scenes[] = {
        {"empty", 0, 0, 80, 0},          {"usual", 60, 8, 4, 40},        {"crowd", 600, 100, 3, 30},
        {"all apart", 5000, 0, 80, 2},   {"all one class", 5000, 0, 1, 20}, {"all on 250 places", 5000, 250, 1, 12},
    };
    float *data[OUTPUTS];
    for (int o = 0; o < OUTPUTS; o++)
        if (!(data[o] = itsi_alloc_aligned(64, sizeof(float) * ROWS * ANCHORS)))
            abort();
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        for (int level = 0; level <= itsi_simd_level(); level++)
            bench(&scenes[i], data, level);
    for (int o = 0; o < OUTPUTS; o++)
        itsi_free(data[o]);
    return 0;
}

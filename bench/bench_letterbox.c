/* The letterbox against libswscale doing the same picture (scale and convert into the padded tensor), interleaved in one
 * run. CPU time of the thread; medians over rounds, and the spread of the ratio between rounds. Pictures and tensors
 * rotate, so that pixels come from memory as they do from a decoder, not from the first-level cache. */
#include "base/clock.h"
#include "base/mem.h"
#include "preprocess/letterbox_impl.h"

#include <libswscale/swscale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 8, TENSORS = 4, ROUNDS = 21, WIDTH = 640, HEIGHT = 384 };

struct job {
    struct itsi_picture pictures[PICTURES];
    struct itsi_image_tensor tensors[TENSORS];
    struct itsi_letterboxer *boxer;
    struct itsi_letterbox box;
    struct SwsContext *sws;
};

static double micros_ours(struct job *job, int repeats)
{
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < repeats; i++)
        if (itsi_letterbox_run(job->boxer, &job->pictures[i % PICTURES], &job->tensors[i % TENSORS], &job->box) < 0)
            abort();
    return (double)(itsi_thread_cpu_ns() - start) / 1e3 / repeats;
}

static double micros_swscale(struct job *job, int repeats)
{
    int64_t start = itsi_thread_cpu_ns();
    for (int i = 0; i < repeats; i++) {
        const struct itsi_picture *p = &job->pictures[i % PICTURES];
        const struct itsi_image_tensor *t = &job->tensors[i % TENSORS];
        uint8_t *inner = t->data + (job->box.pad_y * WIDTH + job->box.pad_x) * 3;
        const int pitch = WIDTH * 3;
        memset(t->data, 114, (size_t)pitch * HEIGHT);
        sws_scale(job->sws, p->plane, p->stride, 0, p->height, &inner, &pitch);
    }
    return (double)(itsi_thread_cpu_ns() - start) / 1e3 / repeats;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, int n, double q)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[(int)((n - 1) * q + 0.5)];
}

static void make_pictures(struct job *job, int w, int h, bool nv12)
{
    uint32_t state = 1;
    const int cw = (w + 1) / 2, ch = (h + 1) / 2;
    for (int i = 0; i < PICTURES; i++) {
        size_t size = (size_t)w * (size_t)h + 2 * (size_t)cw * (size_t)ch;
        uint8_t *data = itsi_alloc_aligned(64, size + 64);
        if (!data)
            abort();
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
        uint8_t *u = data + (size_t)w * (size_t)h;
        job->pictures[i] = (struct itsi_picture){
            .layout = nv12 ? ITSI_LAYOUT_SEMI : ITSI_LAYOUT_PLANAR, .width = w, .height = h,
            .plane = {data, u, nv12 ? NULL : u + (size_t)cw * (size_t)ch},
            .stride = {w, nv12 ? 2 * cw : cw, nv12 ? 0 : cw}, .chroma_shift_x = 1, .chroma_shift_y = 1};
    }
}

static void bench(int w, int h, bool nv12, const struct itsi_letterbox_kernels *kernels)
{
    struct job job = {0};
    make_pictures(&job, w, h, nv12);
    for (int i = 0; i < TENSORS; i++) {
        job.tensors[i] = (struct itsi_image_tensor){itsi_alloc_aligned(64, WIDTH * HEIGHT * 3), WIDTH, HEIGHT};
        if (!job.tensors[i].data)
            abort();
    }
    itsi_letterbox_fit(w, h, WIDTH, HEIGHT, &job.box);
    job.sws = sws_getContext(w, h, nv12 ? AV_PIX_FMT_NV12 : AV_PIX_FMT_YUV420P, job.box.inner_w, job.box.inner_h,
                             AV_PIX_FMT_RGB24, SWS_BILINEAR, NULL, NULL, NULL);
    if (!job.sws || itsi_letterboxer_create(&job.boxer, NULL) < 0)
        abort();
    itsi_letterboxer_use(job.boxer, kernels);

    double ours[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
    const int repeats = 16;
    micros_ours(&job, repeats);
    micros_swscale(&job, repeats);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = micros_ours(&job, repeats);
        theirs[i] = micros_swscale(&job, repeats);
        ratio[i] = theirs[i] / ours[i];
    }
    printf("{\"bench\": \"letterbox\", \"source\": \"%dx%d\", \"format\": \"%s\", \"tensor\": \"%dx%d\", "
           "\"kernels\": \"%s\", \"cpu_us\": %.1f, \"swscale_bilinear_cpu_us\": %.1f, \"times_swscale\": %.2f, "
           "\"times_swscale_p10\": %.2f, \"times_swscale_p90\": %.2f}\n",
           w, h, nv12 ? "nv12" : "i420", WIDTH, HEIGHT, kernels->name, quantile(ours, ROUNDS, 0.5),
           quantile(theirs, ROUNDS, 0.5), quantile(ratio, ROUNDS, 0.5), quantile(ratio, ROUNDS, 0.1),
           quantile(ratio, ROUNDS, 0.9));

    sws_freeContext(job.sws);
    itsi_letterboxer_destroy(job.boxer);
    for (int i = 0; i < PICTURES; i++)
        itsi_free((void *)(uintptr_t)job.pictures[i].plane[0]);
    for (int i = 0; i < TENSORS; i++)
        itsi_free(job.tensors[i].data);
}

int main(void)
{
    static const int sizes[][2] = {{640, 360}, {352, 288}, {1280, 720}, {1920, 1080}, {2560, 1440}, {3840, 2160}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int k = 0; itsi_letterbox_kernels(k); k++)
            bench(sizes[i][0], sizes[i][1], false, itsi_letterbox_kernels(k));
    int best = 0;
    while (itsi_letterbox_kernels(best + 1))
        best++;
    bench(1280, 720, true, itsi_letterbox_kernels(best));
    bench(1920, 1080, true, itsi_letterbox_kernels(best));
    return 0;
}

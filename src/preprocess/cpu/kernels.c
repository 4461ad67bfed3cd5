#include "preprocess/cpu/kernels.h"

static inline int between(int a, int b, int weight) { return a + (((b - a) * weight + 0x4000) >> 15); }

static void widen(uint16_t *restrict line, const uint8_t *restrict row, int n)
{
    for (int i = 0; i < n; i++)
        line[i] = (uint16_t)(row[i] << 7);
}

static void blend(uint16_t *restrict line, const uint8_t *restrict row0, const uint8_t *restrict row1, int n,
                  int weight)
{
    for (int i = 0; i < n; i++)
        line[i] = (uint16_t)between(row0[i] << 7, row1[i] << 7, weight);
}

static void widen_pairs(uint16_t *restrict u, uint16_t *restrict v, const uint8_t *restrict row, int n)
{
    for (int i = 0; i < n; i++) {
        u[i] = (uint16_t)(row[2 * i] << 7);
        v[i] = (uint16_t)(row[2 * i + 1] << 7);
    }
}

static void blend_pairs(uint16_t *restrict u, uint16_t *restrict v, const uint8_t *restrict row0,
                        const uint8_t *restrict row1, int n, int weight)
{
    for (int i = 0; i < n; i++) {
        u[i] = (uint16_t)between(row0[2 * i] << 7, row1[2 * i] << 7, weight);
        v[i] = (uint16_t)between(row0[2 * i + 1] << 7, row1[2 * i + 1] << 7, weight);
    }
}

static void halve(uint16_t *restrict line, const uint8_t *restrict row0, const uint8_t *restrict row1, int n)
{
    for (int i = 0; i < n; i++)
        line[i] = (uint16_t)((row0[2 * i] + row0[2 * i + 1] + row1[2 * i] + row1[2 * i + 1]) << 5);
}

static void stretch(uint16_t *restrict line, const uint16_t *restrict source, const struct itsi_taps *taps)
{
    for (int i = 0; i < taps->count; i++) {
        const uint16_t *tap = source + taps->first[i];
        line[i] = (uint16_t)between(tap[0], tap[1], taps->weight[i]);
    }
}

static inline uint8_t level(float value)
{
    int whole = (int)value;
    whole = whole < 0 ? 0 : whole;
    return (uint8_t)(whole > 255 ? 255 : whole);
}

/* Channels are made apart, a chunk at a time, and then interleaved: together the vectoriser would give up. */
static void rgb(uint8_t *restrict out, const uint16_t *restrict y, const uint16_t *restrict u,
                const uint16_t *restrict v, int n, const struct itsi_yuv_rgb *matrix)
{
    enum { CHUNK = 64 };
    const struct itsi_yuv_rgb m = *matrix;
    for (int start = 0; start < n; start += CHUNK) {
        uint8_t red[CHUNK], green[CHUNK], blue[CHUNK];
        for (int k = 0; k < CHUNK; k++) { /* past the end there is slack */
            const int i = start + k;
            float luma = (float)(int)y[i] * m.y + m.bias;
            float cb = (float)((int)u[i] - ITSI_NEUTRAL_Q7), cr = (float)((int)v[i] - ITSI_NEUTRAL_Q7);
            red[k] = level(luma + cr * m.rv);
            green[k] = level(luma + (cb * m.gu + cr * m.gv));
            blue[k] = level(luma + cb * m.bu);
        }
        const int count = n - start < CHUNK ? n - start : CHUNK;
        uint8_t *to = out + 3 * start;
        for (int k = 0; k < count; k++) {
            to[3 * k] = red[k];
            to[3 * k + 1] = green[k];
            to[3 * k + 2] = blue[k];
        }
    }
}

const struct itsi_letterbox_kernels itsi_letterbox_portable = {
    .name = "portable",
    .widen = widen,
    .blend = blend,
    .widen_pairs = widen_pairs,
    .blend_pairs = blend_pairs,
    .halve = halve,
    .stretch = stretch,
    .rgb = rgb,
};

const struct itsi_letterbox_kernels *itsi_letterbox_kernels(int i)
{
    const struct itsi_letterbox_kernels *here[3] = {&itsi_letterbox_portable};
    int count = 1;
#ifdef ITSI_LETTERBOX_X86
    if (__builtin_cpu_supports("avx2"))
        here[count++] = &itsi_letterbox_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi"))
        here[count++] = &itsi_letterbox_avx512;
#endif
    return i >= 0 && i < count ? here[i] : 0;
}

#include "postprocess/yolo_impl.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

int itsi_simd_level(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return 2;
    if (__builtin_cpu_supports("avx2"))
        return 1;
#endif
    return 0;
}

static void best_portable(float *restrict best, const float *restrict scores, int n, int stride, int classes)
{
    for (int i = 0; i < n; i++)
        best[i] = 0;
    for (int c = 0; c < classes; c++) {
        const float *row = scores + (ptrdiff_t)c * stride;
        for (int i = 0; i < n; i++)
            best[i] = row[i] > best[i] ? row[i] : best[i]; /* false for NaN */
    }
}

#if defined(__x86_64__)
/* max(a, b) of the processor is b when a is NaN: so the score comes first. Columns of several registers are taken down
 * all rows; memory is read in runs of a quarter or half kilobyte. */
__attribute__((target("avx2"))) static void best_avx2(float *best, const float *scores, int n, int stride, int classes)
{
    int i = 0;
    for (; i + 64 <= n; i += 64) {
        __m256 m[8];
        for (int k = 0; k < 8; k++)
            m[k] = _mm256_setzero_ps();
        const float *row = scores + i;
        for (int c = 0; c < classes; c++, row += stride)
            for (int k = 0; k < 8; k++)
                m[k] = _mm256_max_ps(_mm256_loadu_ps(row + 8 * k), m[k]);
        for (int k = 0; k < 8; k++)
            _mm256_storeu_ps(best + i + 8 * k, m[k]);
    }
    best_portable(best + i, scores + i, n - i, stride, classes);
}

__attribute__((target("avx512f"))) static void best_avx512(float *best, const float *scores, int n, int stride,
                                                           int classes)
{
    int i = 0;
    for (; i + 128 <= n; i += 128) {
        __m512 m[8];
        for (int k = 0; k < 8; k++)
            m[k] = _mm512_setzero_ps();
        const float *row = scores + i;
        for (int c = 0; c < classes; c++, row += stride)
            for (int k = 0; k < 8; k++)
                m[k] = _mm512_max_ps(_mm512_loadu_ps(row + 16 * k), m[k]);
        for (int k = 0; k < 8; k++)
            _mm512_storeu_ps(best + i + 16 * k, m[k]);
    }
    for (; i < n; i += 16) {
        const __mmask16 mask = (__mmask16)(n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1);
        __m512 m = _mm512_setzero_ps();
        const float *row = scores + i;
        for (int c = 0; c < classes; c++, row += stride)
            m = _mm512_max_ps(_mm512_maskz_loadu_ps(mask, row), m);
        _mm512_mask_storeu_ps(best + i, mask, m);
    }
}
#endif

void itsi_scan_best(int level, float *best, const float *scores, int n, int stride, int classes)
{
#if defined(__x86_64__)
    if (level == 2) {
        best_avx512(best, scores, n, stride, classes);
        return;
    }
    if (level == 1) {
        best_avx2(best, scores, n, stride, classes);
        return;
    }
#endif
    (void)level;
    best_portable(best, scores, n, stride, classes);
}

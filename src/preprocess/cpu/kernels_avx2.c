#include "preprocess/cpu/kernels.h"

#ifdef ITSI_LETTERBOX_X86
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE __attribute__((target("avx2"), always_inline)) static inline

/* Rows are done 16 samples at a time; the last step is moved back to end with the row, doing some samples twice, so
 * that nothing beyond the row is read. Rows shorter than a step take the portable way. */
#define STEP 16
#define FOR_STEPS(i, n) for (int i = 0; i < (n); i = i + STEP < (n) && i + 2 * STEP > (n) ? (n) - STEP : i + STEP)

AVX2_INLINE __m256i load(const void *p) { return _mm256_loadu_si256(p); }
AVX2_INLINE void store(void *p, __m256i x) { _mm256_storeu_si256(p, x); }
AVX2_INLINE __m256i load_q7(const uint8_t *p)
{
    return _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)p)), 7);
}
AVX2_INLINE __m256i between(__m256i a, __m256i b, __m256i weight)
{
    return _mm256_add_epi16(a, _mm256_mulhrs_epi16(_mm256_sub_epi16(b, a), weight));
}
/* The U or V of 16 interleaved pairs as Q7. */
AVX2_INLINE __m256i even_q7(__m256i pairs)
{
    return _mm256_srli_epi16(_mm256_slli_epi16(pairs, 8), 1);
}
AVX2_INLINE __m256i odd_q7(__m256i pairs)
{
    return _mm256_slli_epi16(_mm256_srli_epi16(pairs, 8), 7);
}

AVX2 static void widen(uint16_t *line, const uint8_t *row, int n)
{
    if (n < STEP) {
        itsi_letterbox_portable.widen(line, row, n);
        return;
    }
    FOR_STEPS(i, n)
        store(line + i, load_q7(row + i));
}

AVX2 static void blend(uint16_t *line, const uint8_t *row0, const uint8_t *row1, int n, int weight)
{
    if (n < STEP) {
        itsi_letterbox_portable.blend(line, row0, row1, n, weight);
        return;
    }
    const __m256i w = _mm256_set1_epi16((short)weight);
    FOR_STEPS(i, n)
        store(line + i, between(load_q7(row0 + i), load_q7(row1 + i), w));
}

AVX2 static void widen_pairs(uint16_t *u, uint16_t *v, const uint8_t *row, int n)
{
    if (n < STEP) {
        itsi_letterbox_portable.widen_pairs(u, v, row, n);
        return;
    }
    FOR_STEPS(i, n) {
        __m256i pairs = load(row + 2 * i);
        store(u + i, even_q7(pairs));
        store(v + i, odd_q7(pairs));
    }
}

AVX2 static void blend_pairs(uint16_t *u, uint16_t *v, const uint8_t *row0, const uint8_t *row1, int n, int weight)
{
    if (n < STEP) {
        itsi_letterbox_portable.blend_pairs(u, v, row0, row1, n, weight);
        return;
    }
    const __m256i w = _mm256_set1_epi16((short)weight);
    FOR_STEPS(i, n) {
        __m256i above = load(row0 + 2 * i), below = load(row1 + 2 * i);
        store(u + i, between(even_q7(above), even_q7(below), w));
        store(v + i, between(odd_q7(above), odd_q7(below), w));
    }
}

AVX2 static void halve(uint16_t *line, const uint8_t *row0, const uint8_t *row1, int n)
{
    if (n < STEP) {
        itsi_letterbox_portable.halve(line, row0, row1, n);
        return;
    }
    const __m256i ones = _mm256_set1_epi8(1);
    FOR_STEPS(i, n) {
        __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(load(row0 + 2 * i), ones),
                                       _mm256_maddubs_epi16(load(row1 + 2 * i), ones));
        store(line + i, _mm256_slli_epi16(sum, 5));
    }
}

/* One 32-bit gather brings both taps of an output. */
AVX2 static void stretch(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps)
{
    const __m256i low = _mm256_set1_epi32(0xffff);
    for (int i = 0; i < taps->count; i += STEP) {
        __m256i t0 = _mm256_i32gather_epi32((const int *)(const void *)source, load(taps->first + i), 2);
        __m256i t1 = _mm256_i32gather_epi32((const int *)(const void *)source, load(taps->first + i + 8), 2);
        __m256i left = _mm256_packus_epi32(_mm256_and_si256(t0, low), _mm256_and_si256(t1, low));
        __m256i right = _mm256_packus_epi32(_mm256_srli_epi32(t0, 16), _mm256_srli_epi32(t1, 16));
        left = _mm256_permute4x64_epi64(left, 0xd8); /* packing works within halves */
        right = _mm256_permute4x64_epi64(right, 0xd8);
        store(line + i, between(left, right, load(taps->weight + i)));
    }
}

struct vectors {
    __m256 y, bias, rv, gu, gv, bu;
};

AVX2_INLINE __m256 to_float(__m256i x) { return _mm256_cvtepi32_ps(x); }
AVX2_INLINE __m256i widened(const uint16_t *p) { return _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p)); }

/* 8 pixels of each channel, not yet clamped. */
AVX2_INLINE void convert(const struct vectors *m, const uint16_t *y, const uint16_t *u, const uint16_t *v,
                         __m256i out[3])
{
    const __m256i neutral = _mm256_set1_epi32(ITSI_NEUTRAL_Q7);
    __m256 luma = _mm256_add_ps(_mm256_mul_ps(to_float(widened(y)), m->y), m->bias);
    __m256 cb = to_float(_mm256_sub_epi32(widened(u), neutral)), cr = to_float(_mm256_sub_epi32(widened(v), neutral));
    __m256 green = _mm256_add_ps(_mm256_mul_ps(cb, m->gu), _mm256_mul_ps(cr, m->gv));
    out[0] = _mm256_cvttps_epi32(_mm256_add_ps(luma, _mm256_mul_ps(cr, m->rv)));
    out[1] = _mm256_cvttps_epi32(_mm256_add_ps(luma, green));
    out[2] = _mm256_cvttps_epi32(_mm256_add_ps(luma, _mm256_mul_ps(cb, m->bu)));
}

/* Which pixel of a channel goes to byte j of part k of 16 interleaved pixels; -1 clears. */
#define PICK(k, ch, j) ((16 * (k) + (j)) % 3 == (ch) ? (16 * (k) + (j)) / 3 : -1)
#define PICK4(k, ch, j) PICK(k, ch, j), PICK(k, ch, (j) + 1), PICK(k, ch, (j) + 2), PICK(k, ch, (j) + 3)
#define PICK16(k, ch) {PICK4(k, ch, 0), PICK4(k, ch, 4), PICK4(k, ch, 8), PICK4(k, ch, 12)}
static const int8_t picks[3][3][16] = {{PICK16(0, 0), PICK16(0, 1), PICK16(0, 2)},
                                       {PICK16(1, 0), PICK16(1, 1), PICK16(1, 2)},
                                       {PICK16(2, 0), PICK16(2, 1), PICK16(2, 2)}};

AVX2_INLINE __m256i interleaved(int k, const __m256i channel[3])
{
    __m256i part[3];
    for (int c = 0; c < 3; c++)
        part[c] = _mm256_shuffle_epi8(
            channel[c], _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)picks[k][c])));
    return _mm256_or_si256(_mm256_or_si256(part[0], part[1]), part[2]);
}

/* 32 pixels, 96 bytes. */
AVX2_INLINE void rgb32(uint8_t *out, const uint16_t *y, const uint16_t *u, const uint16_t *v, const struct vectors *m)
{
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); /* packing works within halves */
    __m256i part[4][3], channel[3];
    for (int k = 0; k < 4; k++)
        convert(m, y + 8 * k, u + 8 * k, v + 8 * k, part[k]);
    for (int c = 0; c < 3; c++) {
        __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(part[0][c], part[1][c]),
                                            _mm256_packs_epi32(part[2][c], part[3][c]));
        channel[c] = _mm256_permutevar8x32_epi32(bytes, in_order);
    }
    __m256i a = interleaved(0, channel), b = interleaved(1, channel), c = interleaved(2, channel);
    store(out, _mm256_permute2x128_si256(a, b, 0x20));
    store(out + 32, _mm256_permute2x128_si256(c, a, 0x30));
    store(out + 64, _mm256_permute2x128_si256(b, c, 0x31));
}

AVX2 static void rgb(uint8_t *out, const uint16_t *y, const uint16_t *u, const uint16_t *v, int n,
                     const struct itsi_yuv_rgb *matrix)
{
    const struct vectors m = {_mm256_set1_ps(matrix->y),  _mm256_set1_ps(matrix->bias), _mm256_set1_ps(matrix->rv),
                              _mm256_set1_ps(matrix->gu), _mm256_set1_ps(matrix->gv),   _mm256_set1_ps(matrix->bu)};
    int i = 0;
    for (; i + 32 <= n; i += 32)
        rgb32(out + 3 * i, y + i, u + i, v + i, &m);
    if (i < n) {
        uint8_t rest[96];
        rgb32(rest, y + i, u + i, v + i, &m);
        memcpy(out + 3 * i, rest, (size_t)(3 * (n - i)));
    }
}

const struct itsi_letterbox_kernels itsi_letterbox_avx2 = {
    .name = "avx2",
    .widen = widen,
    .blend = blend,
    .widen_pairs = widen_pairs,
    .blend_pairs = blend_pairs,
    .halve = halve,
    .stretch = stretch,
    .rgb = rgb,
};
#endif

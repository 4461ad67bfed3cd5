#include "preprocess/cpu/kernels.h"

#ifdef ITSI_LETTERBOX_X86
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))
#define AVX512_INLINE __attribute__((target("avx512f,avx512bw,avx512vbmi"), always_inline)) static inline

/* 32 samples at a time. The end of a row is masked, and masked lanes are not touched in memory. */
#define STEP 32
AVX512_INLINE __mmask32 lanes(int n) { return n >= STEP ? 0xffffffffu : (1u << n) - 1; }

AVX512_INLINE __m512i load(const void *p) { return _mm512_loadu_si512(p); }
AVX512_INLINE void store(void *p, __m512i x) { _mm512_storeu_si512(p, x); }
AVX512_INLINE __m512i load_q7(const uint8_t *p, __mmask32 mask)
{
    __m512i bytes = _mm512_maskz_loadu_epi8(mask, p);
    return _mm512_slli_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes)), 7);
}
AVX512_INLINE __m512i between(__m512i a, __m512i b, __m512i weight)
{
    return _mm512_add_epi16(a, _mm512_mulhrs_epi16(_mm512_sub_epi16(b, a), weight));
}
AVX512_INLINE __m512i even_q7(__m512i pairs) { return _mm512_srli_epi16(_mm512_slli_epi16(pairs, 8), 1); }
AVX512_INLINE __m512i odd_q7(__m512i pairs) { return _mm512_slli_epi16(_mm512_srli_epi16(pairs, 8), 7); }

AVX512 static void widen(uint16_t *line, const uint8_t *row, int n)
{
    for (int i = 0; i < n; i += STEP)
        store(line + i, load_q7(row + i, lanes(n - i)));
}

AVX512 static void blend(uint16_t *line, const uint8_t *row0, const uint8_t *row1, int n, int weight)
{
    const __m512i w = _mm512_set1_epi16((short)weight);
    for (int i = 0; i < n; i += STEP) {
        __mmask32 mask = lanes(n - i);
        store(line + i, between(load_q7(row0 + i, mask), load_q7(row1 + i, mask), w));
    }
}

AVX512 static void widen_pairs(uint16_t *u, uint16_t *v, const uint8_t *row, int n)
{
    for (int i = 0; i < n; i += STEP) {
        __m512i pairs = _mm512_maskz_loadu_epi16(lanes(n - i), row + 2 * i);
        store(u + i, even_q7(pairs));
        store(v + i, odd_q7(pairs));
    }
}

AVX512 static void blend_pairs(uint16_t *u, uint16_t *v, const uint8_t *row0, const uint8_t *row1, int n, int weight)
{
    const __m512i w = _mm512_set1_epi16((short)weight);
    for (int i = 0; i < n; i += STEP) {
        __mmask32 mask = lanes(n - i);
        __m512i above = _mm512_maskz_loadu_epi16(mask, row0 + 2 * i);
        __m512i below = _mm512_maskz_loadu_epi16(mask, row1 + 2 * i);
        store(u + i, between(even_q7(above), even_q7(below), w));
        store(v + i, between(odd_q7(above), odd_q7(below), w));
    }
}

AVX512 static void halve(uint16_t *line, const uint8_t *row0, const uint8_t *row1, int n)
{
    const __m512i ones = _mm512_set1_epi8(1);
    for (int i = 0; i < n; i += STEP) {
        __mmask32 mask = lanes(n - i);
        __m512i above = _mm512_maskz_loadu_epi16(mask, row0 + 2 * i);
        __m512i below = _mm512_maskz_loadu_epi16(mask, row1 + 2 * i);
        __m512i sum = _mm512_add_epi16(_mm512_maddubs_epi16(above, ones), _mm512_maddubs_epi16(below, ones));
        store(line + i, _mm512_slli_epi16(sum, 5));
    }
}

/* The 32 left and right taps of a block lie within `reach` samples from its first: one, two or four registers, searched
 * by permutation. Beyond four (shrinking more than fourfold) they are gathered, both taps in one 32-bit lane. */
AVX512 static void stretch1(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps)
{
    const __m512i one = _mm512_set1_epi16(1);
    for (int i = 0; i < taps->count; i += STEP) {
        __m512i s = load(source + taps->first[i]), left = load(taps->offset + i);
        store(line + i, between(_mm512_permutexvar_epi16(left, s),
                                _mm512_permutexvar_epi16(_mm512_add_epi16(left, one), s), load(taps->weight + i)));
    }
}

AVX512 static void stretch2(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps)
{
    const __m512i one = _mm512_set1_epi16(1);
    for (int i = 0; i < taps->count; i += STEP) {
        const uint16_t *s = source + taps->first[i];
        __m512i s0 = load(s), s1 = load(s + 32), left = load(taps->offset + i);
        store(line + i, between(_mm512_permutex2var_epi16(s0, left, s1),
                                _mm512_permutex2var_epi16(s0, _mm512_add_epi16(left, one), s1),
                                load(taps->weight + i)));
    }
}

AVX512_INLINE __m512i among4(const __m512i s[4], __m512i at)
{
    __mmask32 upper = _mm512_test_epi16_mask(at, _mm512_set1_epi16(64));
    return _mm512_mask_blend_epi16(upper, _mm512_permutex2var_epi16(s[0], at, s[1]),
                                   _mm512_permutex2var_epi16(s[2], at, s[3]));
}

AVX512 static void stretch4(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps)
{
    const __m512i one = _mm512_set1_epi16(1);
    for (int i = 0; i < taps->count; i += STEP) {
        const uint16_t *first = source + taps->first[i];
        const __m512i s[4] = {load(first), load(first + 32), load(first + 64), load(first + 96)};
        __m512i left = load(taps->offset + i);
        store(line + i, between(among4(s, left), among4(s, _mm512_add_epi16(left, one)), load(taps->weight + i)));
    }
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* gcc's gather is a macro at -O0 and converts its mask */
AVX512 static void stretch_far(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps)
{
    for (int i = 0; i < taps->count; i += STEP) {
        __m512i t0 = _mm512_i32gather_epi32(load(taps->first + i), source, 2);
        __m512i t1 = _mm512_i32gather_epi32(load(taps->first + i + 16), source, 2);
        __m512i left = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(t0)),
                                          _mm512_cvtepi32_epi16(t1), 1);
        __m512i right = _mm512_inserti64x4(
            _mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_srli_epi32(t0, 16))),
            _mm512_cvtepi32_epi16(_mm512_srli_epi32(t1, 16)), 1);
        store(line + i, between(left, right, load(taps->weight + i)));
    }
}
#pragma GCC diagnostic pop

AVX512 static void stretch(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps)
{
    if (taps->reach <= 32)
        stretch1(line, source, taps);
    else if (taps->reach <= 64)
        stretch2(line, source, taps);
    else if (taps->reach <= 128)
        stretch4(line, source, taps);
    else
        stretch_far(line, source, taps);
}

/* Packing four registers of 16 pixels to 64 bytes leaves pixel p at byte AT(p); the interleaving undoes it. */
#define AT(p) ((p) % 16 / 4 * 16 + (p) / 16 * 4 + (p) % 4)
#define FROM_RG(j) ((j) % 3 == 1 ? 64 + AT((j) / 3) : AT((j) / 3))
#define FROM_B(j) AT((j) / 3)
#define TIMES8(f, j) f(j), f((j) + 1), f((j) + 2), f((j) + 3), f((j) + 4), f((j) + 5), f((j) + 6), f((j) + 7)
#define TIMES64(f, j)                                                                                                  \
    {TIMES8(f, j),        TIMES8(f, (j) + 8),  TIMES8(f, (j) + 16), TIMES8(f, (j) + 24),                               \
     TIMES8(f, (j) + 32), TIMES8(f, (j) + 40), TIMES8(f, (j) + 48), TIMES8(f, (j) + 56)}
static const uint8_t from_rg[3][64] = {TIMES64(FROM_RG, 0), TIMES64(FROM_RG, 64), TIMES64(FROM_RG, 128)};
static const uint8_t from_b[3][64] = {TIMES64(FROM_B, 0), TIMES64(FROM_B, 64), TIMES64(FROM_B, 128)};
/* Bytes j of each 64 with j % 3 == 2. */
static const uint64_t is_b[3] = {0x4924924924924924u, 0x2492492492492492u, 0x9249249249249249u};

struct vectors {
    __m512 y, bias, rv, gu, gv, bu;
};

AVX512_INLINE __m512 to_float(__m512i x) { return _mm512_cvtepi32_ps(x); }
AVX512_INLINE __m512i widened(const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p));
}

/* 16 pixels of each channel, not yet clamped. */
AVX512_INLINE void convert(const struct vectors *m, const uint16_t *y, const uint16_t *u, const uint16_t *v,
                           __m512i out[3])
{
    const __m512i neutral = _mm512_set1_epi32(ITSI_NEUTRAL_Q7);
    __m512 luma = _mm512_add_ps(_mm512_mul_ps(to_float(widened(y)), m->y), m->bias);
    __m512 cb = to_float(_mm512_sub_epi32(widened(u), neutral)), cr = to_float(_mm512_sub_epi32(widened(v), neutral));
    __m512 green = _mm512_add_ps(_mm512_mul_ps(cb, m->gu), _mm512_mul_ps(cr, m->gv));
    out[0] = _mm512_cvttps_epi32(_mm512_add_ps(luma, _mm512_mul_ps(cr, m->rv)));
    out[1] = _mm512_cvttps_epi32(_mm512_add_ps(luma, green));
    out[2] = _mm512_cvttps_epi32(_mm512_add_ps(luma, _mm512_mul_ps(cb, m->bu)));
}

AVX512 static void rgb(uint8_t *out, const uint16_t *y, const uint16_t *u, const uint16_t *v, int n,
                       const struct itsi_yuv_rgb *matrix)
{
    const struct vectors m = {_mm512_set1_ps(matrix->y),  _mm512_set1_ps(matrix->bias), _mm512_set1_ps(matrix->rv),
                              _mm512_set1_ps(matrix->gu), _mm512_set1_ps(matrix->gv),   _mm512_set1_ps(matrix->bu)};
    for (int i = 0; i < n; i += 64, out += 192) {
        __m512i part[4][3], channel[3];
        for (int k = 0; k < 4; k++)
            convert(&m, y + i + 16 * k, u + i + 16 * k, v + i + 16 * k, part[k]);
        for (int c = 0; c < 3; c++)
            channel[c] = _mm512_packus_epi16(_mm512_packs_epi32(part[0][c], part[1][c]),
                                             _mm512_packs_epi32(part[2][c], part[3][c]));
        int bytes = 3 * (n - i);
        for (int k = 0; k < 3; k++) {
            __m512i rg = _mm512_permutex2var_epi8(channel[0], load(from_rg[k]), channel[1]);
            __m512i all = _mm512_mask_permutexvar_epi8(rg, is_b[k], load(from_b[k]), channel[2]);
            int room = bytes - 64 * k;
            if (room >= 64)
                store(out + 64 * k, all);
            else if (room > 0)
                _mm512_mask_storeu_epi8(out + 64 * k, (UINT64_C(1) << room) - 1, all);
        }
    }
}

const struct itsi_letterbox_kernels itsi_letterbox_avx512 = {
    .name = "avx512",
    .widen = widen,
    .blend = blend,
    .widen_pairs = widen_pairs,
    .blend_pairs = blend_pairs,
    .halve = halve,
    .stretch = stretch,
    .rgb = rgb,
};
#endif

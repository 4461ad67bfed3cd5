/* The inner loops of the letterbox, one set per instruction set. All sets give the same bits: the arithmetic is defined
 * here, and a test compares them.
 *
 * A line is a row of samples as Q7 (value * 128, 0..32640), so that both interpolations keep seven bits below the
 * sample and fit the 16-bit lanes. Weights are Q15, 0..32767. Interpolation is
 *     a + (((b - a) * weight + 0x4000) >> 15)
 * exact for the usual ratios (1:1, 2:1, 3:1 and their chroma). Colour conversion is in single precision, every product
 * rounded before it is added (files that do it are compiled without contraction), on centred chroma, so that grey stays
 * grey to the last bit:
 *     luma = y * m.y + m.bias,   red = clamp(trunc(luma + v * m.rv)), ...
 * Integers would do for results within a level, a little faster; but a detector's scores move by up to 0.01 when one value
 * in a hundred is a level off, and comparing runs across machines and versions is worth more than that.
 *
 * Reads: rows of pixels are never read beyond the samples asked for. Lines come from the letterboxer and may be read,
 * and written, ITSI_LINE_SLACK samples past their end. */
#ifndef ITSI_PREPROCESS_CPU_KERNELS_H
#define ITSI_PREPROCESS_CPU_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define ITSI_LINE_SLACK 192
/* Taps are looked up per block of this many outputs. */
#define ITSI_TAPS_BLOCK 32

/* Where each output sample of one axis lies between two source samples. */
struct itsi_taps {
    int count;        /* outputs */
    int source;       /* samples there are */
    bool identity;    /* output i is sample i */
    bool halved;      /* output i is the mean of samples 2i and 2i+1 */
    int reach;        /* the most samples a block touches, second taps included */
    int32_t *first;   /* left tap per output; these three arrays are padded to whole pairs of blocks */
    uint16_t *offset; /* the left tap again, from its block's first */
    int16_t *weight;  /* of the right tap, Q15; 0 where the right tap does not exist */
};

/* YUV, as Q7, to RGB in levels. The bias takes black to 0 and holds the half that makes truncation rounding. */
struct itsi_yuv_rgb {
    float y, bias;
    float rv, gu, gv, bu; /* of chroma less 128 */
};
#define ITSI_NEUTRAL_Q7 (128 << 7)

struct itsi_letterbox_kernels {
    const char *name;
    /* line[i] = row[i] */
    void (*widen)(uint16_t *line, const uint8_t *row, int n);
    /* line[i] = between row0[i] and row1[i] */
    void (*blend)(uint16_t *line, const uint8_t *row0, const uint8_t *row1, int n, int weight);
    /* The same two for n pairs of interleaved U and V. */
    void (*widen_pairs)(uint16_t *u, uint16_t *v, const uint8_t *row, int n);
    void (*blend_pairs)(uint16_t *u, uint16_t *v, const uint8_t *row0, const uint8_t *row1, int n, int weight);
    /* line[i] = mean of samples 2i and 2i+1 of both rows: what blend at one half and stretch of halved taps give */
    void (*halve)(uint16_t *line, const uint8_t *row0, const uint8_t *row1, int n);
    /* line[i] = between source[first[i]] and its right neighbour */
    void (*stretch)(uint16_t *line, const uint16_t *source, const struct itsi_taps *taps);
    void (*rgb)(uint8_t *out, const uint16_t *y, const uint16_t *u, const uint16_t *v, int n,
                const struct itsi_yuv_rgb *matrix);
};

extern const struct itsi_letterbox_kernels itsi_letterbox_portable;
#if defined(__x86_64__)
#define ITSI_LETTERBOX_X86 1
extern const struct itsi_letterbox_kernels itsi_letterbox_avx2;   /* Haswell, Zen and later */
extern const struct itsi_letterbox_kernels itsi_letterbox_avx512; /* needs VBMI: Ice Lake, Zen 4 and later */
#endif

/* The i-th set this processor can run, slowest first; NULL past the last. */
const struct itsi_letterbox_kernels *itsi_letterbox_kernels(int i);

#endif

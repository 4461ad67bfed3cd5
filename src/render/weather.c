/* What happens to the finished picture: lens, lamps' glow, low sun, rain, sensor noise. */
#include "render/weather.h"

#include "base/mem.h"
#include "base/rand.h"

#include <string.h>

static inline uint8_t clamp_luma(int v) { return (uint8_t)(v < 16 ? 16 : v > 235 ? 235 : v); }

int itsi_noise_init(struct itsi_noise *noise, int width, float strength, uint64_t seed)
{
    memset(noise, 0, sizeof *noise);
    noise->width = width;
    noise->table = itsi_alloc(ITSI_NOISE_SIZE + (size_t)width);
    if (!noise->table)
        return ITS_ENOMEM;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, seed);
    float last = 0;
    for (size_t i = 0; i < ITSI_NOISE_SIZE; i++) {
        /* Sum of four bytes, slightly smeared along the row as a camera's own filters do. */
        uint64_t u = itsi_rand_u64(&rng);
        float v = (float)((int)(u & 255) + (int)(u >> 8 & 255) + (int)(u >> 16 & 255) + (int)(u >> 24 & 255) - 510) /
                  148;
        last = last * 0.35f + v;
        float n = last * strength;
        noise->table[i] = (int8_t)itsi_clampf(n < 0 ? n - 0.5f : n + 0.5f, -100, 100);
    }
    memcpy(noise->table + ITSI_NOISE_SIZE, noise->table, (size_t)width);
    return 0;
}

void itsi_noise_fini(struct itsi_noise *noise)
{
    itsi_free(noise->table);
    noise->table = NULL;
}

static void noise_row(uint8_t *restrict row, const int8_t *restrict n, int width, int lo, int hi, int shift)
{
    for (int x = 0; x < width; x++) {
        int v = row[x] + (n[x] >> shift);
        row[x] = (uint8_t)(v < lo ? lo : v > hi ? hi : v);
    }
}

void itsi_noise_add(const struct itsi_noise *noise, struct itsi_picture *pic, uint64_t seed, int64_t index)
{
    uint64_t h = itsi_hash(seed, (uint64_t)index);
    for (int p = 0; p < 3; p++) {
        int w = p ? pic->width / 2 : pic->width, rows = p ? pic->height / 2 : pic->height;
        for (int y = 0; y < rows; y++) {
            size_t from = itsi_hash(h, (uint64_t)(p * 8192 + y)) % ITSI_NOISE_SIZE;
            if (from + (size_t)w > ITSI_NOISE_SIZE + (size_t)noise->width)
                from = 0;
            noise_row(pic->plane[p] + (size_t)y * (size_t)pic->stride[p], noise->table + from, w, 16, p ? 240 : 235,
                      p ? 1 : 0);
        }
    }
}

void itsi_rain(struct itsi_picture *pic, uint64_t seed, int64_t index, float strength)
{
    uint64_t h = itsi_hash(seed ^ 0x5eed, (uint64_t)index);
    int drops = (int)(strength * (float)pic->width * 0.5f);
    for (int i = 0; i < drops; i++) {
        uint64_t d = itsi_hash(h, (uint64_t)i);
        int x = itsi_hash_below(d, 1, pic->width), y = itsi_hash_below(d, 2, pic->height);
        int len = pic->height / 40 + itsi_hash_below(d, 3, pic->height / 16 + 1);
        int bright = 10 + itsi_hash_below(d, 4, 26), slant = 5 + itsi_hash_below(seed, 5, 6);
        for (int k = 0; k < len; k++) {
            int px = x + k / slant, py = y + k;
            if (px >= pic->width || py >= pic->height)
                break;
            uint8_t *at = pic->plane[0] + (size_t)py * (size_t)pic->stride[0] + (size_t)px;
            *at = clamp_luma(*at + (210 - *at) * bright / 128);
        }
    }
}

void itsi_glow(struct itsi_picture *pic, float x, float y, float radius, float strength, float u, float v)
{
    radius = itsi_clampf(radius, 1, (float)pic->height * 0.2f);
    if (x < -radius || y < -radius || x > (float)pic->width + radius || y > (float)pic->height + radius)
        return;
    int x0 = (int)itsi_maxf(0, x - radius), x1 = (int)itsi_minf((float)pic->width - 1, x + radius);
    int y0 = (int)itsi_maxf(0, y - radius), y1 = (int)itsi_minf((float)pic->height - 1, y + radius);
    float inv = 1 / (radius * radius);
    for (int py = y0; py <= y1; py++)
        for (int px = x0; px <= x1; px++) {
            float dx = (float)px + 0.5f - x, dy = (float)py + 0.5f - y, q = (dx * dx + dy * dy) * inv;
            if (q >= 1)
                continue;
            float k = (1 - q) * (1 - q);
            k = k * k * strength;
            uint8_t *at = pic->plane[0] + (size_t)py * (size_t)pic->stride[0] + (size_t)px;
            *at = clamp_luma((int)((float)*at + (235 - (float)*at) * k));
            if ((px | py) & 1)
                continue;
            uint8_t *cu = pic->plane[1] + (size_t)(py / 2) * (size_t)pic->stride[1] + (size_t)(px / 2);
            uint8_t *cv = pic->plane[2] + (size_t)(py / 2) * (size_t)pic->stride[2] + (size_t)(px / 2);
            *cu = (uint8_t)((float)*cu + (u - (float)*cu) * k);
            *cv = (uint8_t)((float)*cv + (v - (float)*cv) * k);
        }
}

void itsi_beam(struct itsi_picture *pic, float x, float y, float rx, float ry, float strength)
{
    rx = itsi_clampf(rx, 2, (float)pic->width * 0.2f);
    ry = itsi_clampf(ry, 1, (float)pic->height * 0.15f);
    int x0 = (int)itsi_clampf(x - rx, 0, (float)pic->width), x1 = (int)itsi_clampf(x + rx, 0, (float)pic->width);
    int y0 = (int)itsi_clampf(y - ry, 0, (float)pic->height), y1 = (int)itsi_clampf(y + ry, 0, (float)pic->height);
    for (int py = y0; py < y1; py++) {
        float dy = ((float)py + 0.5f - y) / ry;
        uint8_t *row = pic->plane[0] + (size_t)py * (size_t)pic->stride[0];
        for (int px = x0; px < x1; px++) {
            float dx = ((float)px + 0.5f - x) / rx, q = 1 - dx * dx - dy * dy;
            if (q > 0)
                row[px] = clamp_luma((int)((float)row[px] + (4 + (float)(row[px] - 16) * 1.3f) * q * q * strength));
        }
    }
}

void itsi_glare_map(uint8_t *map, int width, int height, float x, float y)
{
    float scale = 1.0f / (float)width;
    for (int py = 0; py < height; py++)
        for (int px = 0; px < width; px++) {
            float dx = ((float)px - x) * scale, dy = ((float)py - y) * scale, q = dx * dx + dy * dy;
            float halo = 0.75f * itsi_decay(q * 90) + 0.30f * itsi_decay(q * 6);
            float streak = 0.25f * itsi_decay((dx * 0.6f + dy) * (dx * 0.6f + dy) * 6000) * itsi_decay(q * 12);
            map[(size_t)py * (size_t)width + (size_t)px] = (uint8_t)(itsi_clampf(halo + streak, 0, 1) * 255);
        }
}

static void glare_row(uint8_t *restrict row, const uint8_t *restrict map, int width)
{
    for (int x = 0; x < width; x++)
        row[x] = (uint8_t)(row[x] + (((235 - row[x]) * map[x]) >> 8));
}

void itsi_glare(struct itsi_picture *pic, const uint8_t *map)
{
    for (int y = 0; y < pic->height; y++)
        glare_row(pic->plane[0] + (size_t)y * (size_t)pic->stride[0], map + (size_t)y * (size_t)pic->width, pic->width);
}

static void soften_row(uint8_t *restrict out, const uint8_t *restrict a, const uint8_t *restrict b,
                       const uint8_t *restrict c, int width, int share)
{
    int keep = 16 * 64 - 16 * share;
    for (int x = 1; x < width - 1; x++) {
        int sum = a[x - 1] + a[x + 1] + c[x - 1] + c[x + 1] + 2 * (a[x] + c[x] + b[x - 1] + b[x + 1]) + 4 * b[x];
        out[x] = (uint8_t)((sum * share + b[x] * keep + 512) >> 10);
    }
}

void itsi_soften(uint8_t *plane, int stride, int width, int height, int share, uint8_t *row)
{
    if (share <= 0 || height < 3)
        return;
    uint8_t *above = row, *here = row + width;
    memcpy(above, plane, (size_t)width);
    for (int y = 1; y < height - 1; y++) {
        uint8_t *at = plane + (size_t)y * (size_t)stride;
        memcpy(here, at, (size_t)width);
        soften_row(at, above, here, at + stride, width, share);
        uint8_t *swap = above;
        above = here;
        here = swap;
    }
}

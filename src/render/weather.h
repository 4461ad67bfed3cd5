/* What happens to the finished picture: lens, lamps' glow, low sun, rain, sensor noise (weather.c). */
#ifndef ITSI_RENDER_WEATHER_H
#define ITSI_RENDER_WEATHER_H

#include "render/draw.h"

struct itsi_noise {
    int8_t *table; /* ITSI_NOISE_SIZE + width */
    int width;
};
enum { ITSI_NOISE_SIZE = 1 << 18 };
ITS_NODISCARD int itsi_noise_init(struct itsi_noise *noise, int width, float strength, uint64_t seed);
void itsi_noise_fini(struct itsi_noise *noise);
void itsi_noise_add(const struct itsi_noise *noise, struct itsi_picture *pic, uint64_t seed, int64_t index);
void itsi_rain(struct itsi_picture *pic, uint64_t seed, int64_t index, float strength);
/* A soft spot of light at a place in the picture; u, v: its tint around 128. */
void itsi_glow(struct itsi_picture *pic, float x, float y, float radius, float strength, float u, float v);
/* Head lamps' light on the road: what is in the oval gets brighter. */
void itsi_beam(struct itsi_picture *pic, float x, float y, float rx, float ry, float strength);
/* Streaks and halo of a low sun at (x, y). */
void itsi_glare(struct itsi_picture *pic, const uint8_t *map);
void itsi_glare_map(uint8_t *map, int width, int height, float x, float y);
/* A 3x3 binomial blend, share 0..64 of 64: the lens. `row` holds 3 rows of width. */
void itsi_soften(uint8_t *plane, int stride, int width, int height, int share, uint8_t *row);

#endif

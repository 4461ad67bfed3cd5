/* Numbers for the renderer: vectors, colours, hashes and noise (scene_math.c).
 *
 * Pixels must be the same on every machine, so everything that reaches a pixel is computed with + - * / sqrt,
 * comparisons and integers only (sines, exponentials and random numbers are our own), and the room is compiled without
 * contraction to fused multiply-add. */
#ifndef ITSI_RENDER_SCENE_MATH_H
#define ITSI_RENDER_SCENE_MATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct itsi_vec3 {
    float x, y, z;
};
struct itsi_rgb {
    float r, g, b; /* as shown on a screen, 0..1 */
};

static inline struct itsi_vec3 itsi_vec3(float x, float y, float z) { return (struct itsi_vec3){x, y, z}; }
static inline struct itsi_rgb itsi_rgb(float r, float g, float b) { return (struct itsi_rgb){r, g, b}; }
static inline float itsi_dot(struct itsi_vec3 a, struct itsi_vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline struct itsi_vec3 itsi_sub(struct itsi_vec3 a, struct itsi_vec3 b)
{
    return itsi_vec3(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline struct itsi_vec3 itsi_cross(struct itsi_vec3 a, struct itsi_vec3 b)
{
    return itsi_vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline float itsi_clampf(float v, float lo, float hi) { return v < lo ? lo : v > hi ? hi : v; }
static inline float itsi_minf(float a, float b) { return a < b ? a : b; }
static inline float itsi_maxf(float a, float b) { return a > b ? a : b; }
static inline float itsi_mixf(float a, float b, float t) { return a + (b - a) * t; }
static inline struct itsi_rgb itsi_mix(struct itsi_rgb a, struct itsi_rgb b, float t)
{
    return itsi_rgb(itsi_mixf(a.r, b.r, t), itsi_mixf(a.g, b.g, t), itsi_mixf(a.b, b.b, t));
}
static inline struct itsi_rgb itsi_scale(struct itsi_rgb a, float s) { return itsi_rgb(a.r * s, a.g * s, a.b * s); }

struct itsi_vec3 itsi_unit(struct itsi_vec3 v);
double itsi_sine(double radians);
double itsi_cosine(double radians);
float itsi_decay(float x); /* e^-x for x >= 0 */

/* A hash of two numbers, and the numbers drawn from it: the world's state is a function of (seed, what, index). */
uint64_t itsi_hash(uint64_t a, uint64_t b);
float itsi_hash_unit(uint64_t a, uint64_t b); /* [0, 1) */
float itsi_hash_range(uint64_t a, uint64_t b, float lo, float hi);
int itsi_hash_below(uint64_t a, uint64_t b, int bound);
/* Smooth noise over the plane, 0..1, and three octaves of it. */
float itsi_noise2(uint64_t seed, float x, float y);
float itsi_noise_fractal(uint64_t seed, float x, float y);

#endif

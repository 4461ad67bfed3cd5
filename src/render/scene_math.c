/* Numbers that are the same on every machine: sine, decay, hash and noise from + - * / sqrt and integers only. */
#include "render/scene_math.h"

#include <math.h>

struct itsi_vec3 itsi_unit(struct itsi_vec3 v)
{
    float n = sqrtf(itsi_dot(v, v)); /* correctly rounded everywhere, by IEEE 754 */
    return n > 1e-9f ? itsi_vec3(v.x / n, v.y / n, v.z / n) : itsi_vec3(0, 0, 1);
}

#define HALF_PI 1.5707963267948966

/* Taylor series on [-pi/4, pi/4], far below one part in a million. */
static double sine_near(double r)
{
    double q = r * r;
    return r * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0))));
}
static double cosine_near(double r)
{
    double q = r * r;
    return 1.0 - q / 2.0 * (1.0 - q / 12.0 * (1.0 - q / 30.0 * (1.0 - q / 56.0)));
}

double itsi_sine(double radians)
{
    double k = floor(radians / HALF_PI + 0.5);
    double r = radians - k * HALF_PI;
    switch ((int64_t)k & 3) {
    case 0:
        return sine_near(r);
    case 1:
        return cosine_near(r);
    case 2:
        return -sine_near(r);
    default:
        return -cosine_near(r);
    }
}

double itsi_cosine(double radians) { return itsi_sine(radians + HALF_PI); }

float itsi_decay(float x)
{
    if (x > 40)
        return 0;
    float y = x / 16;
    float e = 1 / (1 + y * (1 + y * (0.5f + y * (1.0f / 6))));
    e *= e;
    e *= e;
    e *= e;
    return e * e;
}

uint64_t itsi_hash(uint64_t a, uint64_t b)
{
    uint64_t z = a * UINT64_C(0x9e3779b97f4a7c15) + b + UINT64_C(0x632be59bd9b4e019);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

float itsi_hash_unit(uint64_t a, uint64_t b) { return (float)(itsi_hash(a, b) >> 40) * 0x1.0p-24f; }

float itsi_hash_range(uint64_t a, uint64_t b, float lo, float hi) { return lo + (hi - lo) * itsi_hash_unit(a, b); }

int itsi_hash_below(uint64_t a, uint64_t b, int bound)
{
    return (int)(((itsi_hash(a, b) >> 32) * (uint64_t)bound) >> 32);
}

/* Lattice value without the cost of a full hash: noise is asked for millions of times while a background is built. */
static float lattice(uint32_t seed, int x, int y)
{
    uint32_t h = seed + (uint32_t)x * 0x27d4eb2du + (uint32_t)y * 0x165667b1u;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    h ^= h >> 15;
    return (float)(h >> 8) * 0x1.0p-24f;
}

float itsi_noise2(uint64_t seed, float x, float y)
{
    float fx = floorf(x), fy = floorf(y);
    int ix = (int)itsi_clampf(fx, -1e9f, 1e9f), iy = (int)itsi_clampf(fy, -1e9f, 1e9f);
    float u = x - fx, v = y - fy;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    uint32_t s = (uint32_t)(seed ^ (seed >> 32));
    float a = itsi_mixf(lattice(s, ix, iy), lattice(s, ix + 1, iy), u);
    float b = itsi_mixf(lattice(s, ix, iy + 1), lattice(s, ix + 1, iy + 1), u);
    return itsi_mixf(a, b, v);
}

float itsi_noise_fractal(uint64_t seed, float x, float y)
{
    return itsi_noise2(seed, x, y) * 0.55f + itsi_noise2(seed + 1, x * 2.3f, y * 2.3f) * 0.3f +
           itsi_noise2(seed + 2, x * 5.1f, y * 5.1f) * 0.15f;
}

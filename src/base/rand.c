#include "base/rand.h"

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void itsi_rand_seed(struct itsi_rand *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        rng->s[i] = z ^ (z >> 31);
    }
}

uint64_t itsi_rand_u64(struct itsi_rand *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t itsi_rand_below(struct itsi_rand *rng, uint32_t bound)
{
    return (uint32_t)(((itsi_rand_u64(rng) >> 32) * bound) >> 32);
}

double itsi_rand_unit(struct itsi_rand *rng) { return (double)(itsi_rand_u64(rng) >> 11) * 0x1.0p-53; }

double itsi_rand_range(struct itsi_rand *rng, double low, double high)
{
    return low + (high - low) * itsi_rand_unit(rng);
}

double itsi_rand_normal(struct itsi_rand *rng)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += itsi_rand_unit(rng);
    return sum - 6.0;
}

/* Seeded pseudo-random numbers: the same seed gives the same sequence on every machine.
 * xoshiro256** seeded by splitmix64 (Blackman, Vigna 2018). Not for secrets. */
#ifndef ITSI_BASE_RAND_H
#define ITSI_BASE_RAND_H

#include <stdint.h>

struct itsi_rand {
    uint64_t s[4];
};

void itsi_rand_seed(struct itsi_rand *rng, uint64_t seed);
uint64_t itsi_rand_u64(struct itsi_rand *rng);
uint32_t itsi_rand_below(struct itsi_rand *rng, uint32_t bound);            /* 0..bound-1; 0 for bound 0 */
double itsi_rand_unit(struct itsi_rand *rng);                               /* [0, 1) */
double itsi_rand_range(struct itsi_rand *rng, double low, double high);     /* [low, high) */
double itsi_rand_normal(struct itsi_rand *rng);                             /* mean 0, deviation 1 (sum of 12) */

#endif

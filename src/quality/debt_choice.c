#include "quality/debt_choice.h"

#include "base/rand.h"

#include <math.h>

/* Where the k-th block begins. */
static uint64_t block_at(double k, double share) { return (uint64_t)floor(k / share); }

bool itsi_debt_samples(uint32_t camera, uint64_t n, double share)
{
    struct itsi_rand rng;
    if (!(share > 0))
        return false;
    /* the block that n lies in, but for what the division rounds off */
    double k = floor((double)n * share);
    while (block_at(k, share) > n)
        k--;
    while (block_at(k + 1, share) <= n)
        k++;
    const uint64_t begin = block_at(k, share), length = block_at(k + 1, share) - begin;
    itsi_rand_seed(&rng, (uint64_t)camera << 40 ^ (uint64_t)k);
    return n - begin == itsi_rand_below(&rng, (uint32_t)length);
}

int64_t itsi_debt_room(const struct itsi_quality_policy *policy, const struct itsi_quality_status *status)
{
    const struct itsi_quality_inputs *in = &status->inputs;
    if (status->pressure > ITSI_PRESSURE_STEADY || in->busy > policy->busy_high)
        return 0;
    /* nothing with a deadline ended lately: whoever comes has all of its budget */
    const double slack_ms = isnan(in->slack_ms) ? policy->budget_ms : in->slack_ms;
    return (int64_t)(fmax(0, slack_ms - policy->slack_low_ms) * 1e6);
}

int itsi_debt_place_for(const struct itsi_debt_place *places, int count, uint64_t key, double known)
{
    int free_place = -1, best_known = -1;
    for (int i = 0; i < count; i++) {
        if (!places[i].taken)
            free_place = i;
        else if (places[i].key == key)
            return i;
        else if (places[i].known > known && (best_known < 0 || places[i].known > places[best_known].known))
            best_known = i;
    }
    return free_place >= 0 ? free_place : best_known;
}

int itsi_debt_next(const struct itsi_debt_place *places, int count)
{
    int next = -1;
    for (int i = 0; i < count; i++)
        if (places[i].taken && (next < 0 || places[i].known < places[next].known))
            next = i;
    return next;
}

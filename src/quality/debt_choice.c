#include "quality/debt_choice.h"

#include "base/rand.h"

#include <math.h>

bool itsi_debt_samples(uint32_t camera, uint64_t n, uint32_t period)
{
    struct itsi_rand rng;
    if (period == 0)
        return false;
    itsi_rand_seed(&rng, (uint64_t)camera << 40 ^ n / period);
    return n % period == itsi_rand_below(&rng, period);
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

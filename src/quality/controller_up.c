/* No overload: calm is gathered, a few try, and more when that held. */
#include "quality/controller_impl.h"

#include "quality/raise.h"

#include <math.h>
#include <string.h>

enum { WAVE_GROWTH = 4, WAVE_GROWTH_LOADED = 2 };

/* So often the dwell is doubled. */
static double doublings(double flaps, const struct itsi_quality_policy *policy)
{
    return floor(fmin(flaps, policy->flap_most) + 0.5);
}

/* What failed in the midst of an overload says nothing of the time after it: nobody waits longer for having tried then. A
 * rise that failed although everybody's best would have fitted is held against every other, since the estimate was wrong or
 * the load swings. Whether their best would fit is asked of all members, so only where it makes a difference. */
static double caution(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    const double least = doublings(state->flaps, policy), most = doublings(state->flaps + state->cramped_flaps, policy);
    const bool cramped = most > least && itsi_quality_fleet_best(&state->fleet) > policy->busy_target;
    return exp2(cramped ? most : least);
}

int64_t itsi_quality_rise_dwell(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    return (int64_t)((double)policy->rise_dwell_ns * caution(state, policy));
}

/* A probe lasts longer with every flap, as the calm before it does: a load that swings meets one camera and not all. */
static int64_t trial_length(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    return state->wave == 1 ? (int64_t)((double)policy->trial_ns * caution(state, policy)) : policy->trial_ns;
}

/* Of each resource the share in use; negative: unknown. */
static void measured_use(const struct itsi_quality_load *load, double shares[ITSI_RESOURCES])
{
    shares[ITSI_RESOURCE_CPU] = load->cpu_percent < 0 ? -1 : load->cpu_percent / 100;
    shares[ITSI_RESOURCE_ENGINE] = itsi_quality_engine_needed(load);
    shares[ITSI_RESOURCE_ENCODER] = load->encode_share;
}

void itsi_quality_follow_use(struct itsi_quality_state *state, const struct itsi_quality_load *load, double weight)
{
    double shares[ITSI_RESOURCES];
    measured_use(load, shares);
    for (int r = 0; r < ITSI_RESOURCES; r++)
        if (shares[r] >= 0)
            state->used[r] += weight * (shares[r] - state->used[r]);
}

void itsi_quality_room_left(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                            double room[ITSI_RESOURCES])
{
    const struct itsi_quality_fleet *fleet = &state->fleet;
    double shares[ITSI_RESOURCES];
    measured_use(&state->evidence.slow, shares);
    for (int r = 0; r < ITSI_RESOURCES; r++) {
        const enum itsi_quality_resource resource = (enum itsi_quality_resource)r;
        const double capacity = itsi_quality_fleet_capacity(fleet, resource);
        const double gone = itsi_quality_work_on(fleet->snapshot, resource, &fleet->gone);
        const double used = shares[r] < 0 ? itsi_quality_fleet_demand(fleet, resource)
                                          : fmax(state->used[r] * capacity - gone, 0) + state->coming[r];
        room[r] = policy->busy_rise * capacity - used;
    }
}

/* What stands against a rise, whether anybody is below its level or not. */
static enum itsi_quality_hold against_rising(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    const struct itsi_quality_load *load = &state->evidence.slow;
    if (!policy->recovery)
        return ITSI_HOLD_SWITCHED_OFF;
    if (state->verdict.pressure != ITSI_PRESSURE_CALM)
        return ITSI_HOLD_LOAD;
    if (load->memory_percent > policy->memory_percent)
        return ITSI_HOLD_MEMORY;
    if (load->gpu_memory_percent > policy->gpu_memory_percent)
        return ITSI_HOLD_GPU_MEMORY;
    if (state->on_trial)
        return ITSI_HOLD_TRIAL;
    if (state->calm < itsi_quality_rise_dwell(state, policy))
        return ITSI_HOLD_CALM;
    return state->time < state->next_rise ? ITSI_HOLD_TURN : ITSI_HOLD_NOTHING;
}

enum itsi_quality_hold itsi_quality_held(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    if (!policy->enabled || !state->degraded)
        return ITSI_HOLD_NOTHING;
    const enum itsi_quality_hold hold = against_rising(state, policy);
    return hold == ITSI_HOLD_TURN && state->no_room ? ITSI_HOLD_ROOM : hold;
}

static void raise(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    double room[ITSI_RESOURCES], left[ITSI_RESOURCES];
    itsi_quality_room_left(state, policy, room);
    memcpy(left, room, sizeof left);
    state->no_room = itsi_quality_raise(&state->fleet, left, state->wave) == 0;
    if (state->no_room) {
        state->wave = 1; /* as far as it goes: whatever comes later begins with one again */
        return;
    }
    for (int r = 0; r < ITSI_RESOURCES; r++)
        state->coming[r] += room[r] - left[r];
    state->raised_at = state->time;
    state->cramped = itsi_quality_fleet_best(&state->fleet) > policy->busy_rise;
    state->on_trial = true;
}

static void end_trial(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    if (!state->on_trial || state->time - state->raised_at < trial_length(state, policy))
        return;
    itsi_quality_keep(&state->fleet);
    state->on_trial = false;
    if (state->wave < state->fleet.capacity)
        state->wave *= state->evidence.slow.cpu_percent > policy->cpu_percent ? WAVE_GROWTH_LOADED : WAVE_GROWTH;
}

void itsi_quality_consider_raising(struct itsi_quality_state *state, const struct itsi_quality_policy *policy, int64_t dt)
{
    state->overloaded_since = -1;
    state->doubt = 0;
    end_trial(state, policy);
    if (!policy->recovery && !state->on_trial)
        state->wave = 1; /* none follows */
    if (state->verdict.pressure == ITSI_PRESSURE_CALM)
        state->calm += dt;
    else
        state->calm = state->calm > dt ? state->calm - dt : 0;
    if (policy->enabled && against_rising(state, policy) == ITSI_HOLD_NOTHING) {
        state->next_rise = state->time + policy->rise_interval_ns;
        raise(state, policy);
    }
}

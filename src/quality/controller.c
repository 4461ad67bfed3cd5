#include "quality/controller.h"
#include "quality/controller_impl.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "quality/typical.h"

#include <math.h>
#include <string.h>

#define LONGEST_GAP (2 * ITSI_NS_PER_S) /* a suspended machine was not calm while it slept */

int itsi_quality_state_create(struct itsi_quality_state **out, int max_cameras, struct its_diag *diag)
{
    struct itsi_quality_state *state = itsi_zalloc(sizeof *state);
    if (!state)
        return itsi_fail(diag, ITS_ENOMEM, "out of memory for the quality controller");
    const int rc = itsi_quality_fleet_init(&state->fleet, max_cameras, diag);
    if (rc < 0) {
        itsi_free(state);
        return rc;
    }
    itsi_quality_load_unknown(&state->smooth);
    itsi_quality_load_unknown(&state->evidence.slow);
    state->overloaded_since = state->exhausted_since = -1;
    state->lowered_at = state->raised_at = INT64_MIN / 2;
    state->wave = 1;
    *out = state;
    return 0;
}

void itsi_quality_state_destroy(struct itsi_quality_state *state)
{
    if (!state)
        return;
    itsi_quality_fleet_fini(&state->fleet);
    itsi_free(state);
}

/* Advances the controller's time; returns by how much. */
static int64_t pass_time(struct itsi_quality_state *state, int64_t now)
{
    int64_t dt = state->began ? now - state->last_now : 0;
    if (dt < 0)
        dt = 0;
    if (dt > LONGEST_GAP)
        dt = LONGEST_GAP;
    state->began = true;
    state->last_now = now;
    state->time += dt;
    return dt;
}

static void observe(struct itsi_quality_state *state, const struct itsi_quality_snapshot *snapshot,
                    const struct itsi_quality_policy *policy, int64_t dt)
{
    struct itsi_quality_fleet *fleet = &state->fleet;
    itsi_quality_load_smooth(&state->smooth, &snapshot->load, dt, policy->fast_ns);
    itsi_quality_load_smooth(&state->evidence.slow, &snapshot->load, dt, policy->slow_ns);
    itsi_quality_milder(&state->smooth, &snapshot->load, &state->evidence.fast);
    itsi_quality_fleet_take(fleet, snapshot, policy, state->time);
    itsi_quality_fleet_measure(fleet, dt);
    state->unmet += itsi_quality_smoothing(dt, policy->fast_ns) * (fleet->unmet - state->unmet);
    state->evidence.unmet = fmin(state->unmet, fleet->unmet);
    state->flaps *= 1 - itsi_quality_smoothing(dt, policy->flap_forget_ns);
    state->cramped_flaps *= 1 - itsi_quality_smoothing(dt, policy->flap_forget_ns);
    itsi_quality_follow_use(state, &snapshot->load, itsi_quality_smoothing(dt, policy->slow_ns));
    for (int r = 0; r < ITSI_RESOURCES; r++)
        state->coming[r] *= 1 - itsi_quality_smoothing(dt, policy->slow_ns);
    if (itsi_quality_in_time(policy, &state->evidence.slow))
        state->evidence.futile = false;
    itsi_quality_judge(fleet, &state->evidence, &state->verdict);
}

/* What others would give up is told from what they ask for, which may be more than there is, and what is free from the load,
 * which follows: together no more than what is left beside everybody at the floor. */
static void bound_by_what_there_is(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                                   const double least[ITSI_RESOURCES], struct itsi_quality_capacity *capacity)
{
    for (int r = 0; r < ITSI_RESOURCES; r++) {
        const double all = itsi_quality_fleet_capacity(&state->fleet, (enum itsi_quality_resource)r);
        const double most = policy->busy_rise * all - least[r] - capacity->free[r];
        capacity->reclaimable[r] = fmax(fmin(capacity->reclaimable[r], most), 0);
    }
}

/* Kept by value, so that whoever asks for admission needs neither the snapshot nor the members. */
static void appraise(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    struct itsi_quality_capacity *capacity = &state->capacity;
    const struct itsi_quality_snapshot *snapshot = state->fleet.snapshot;
    double least[ITSI_RESOURCES];
    itsi_quality_room_left(state, policy, capacity->free);
    itsi_quality_fleet_reclaimable(&state->fleet, capacity->reclaimable, least);
    itsi_quality_typical_make(&state->fleet, &capacity->typical);
    /* What other programs take may be free in a moment: nobody is turned away for it, a newcomer starts low. But the more
     * of the machine is the cameras' own, the less can be hoped for, and nothing when those who are here go without. */
    const double own = itsi_quality_work_on(snapshot, ITSI_RESOURCE_CPU, &state->fleet.demand);
    if (state->fleet.taken > 0 && state->unmet <= policy->unmet_calm)
        capacity->reclaimable[ITSI_RESOURCE_CPU] += state->fleet.taken * fmax(1 - own / snapshot->cores, 0);
    bound_by_what_there_is(state, policy, least, capacity);
    /* Whatever the estimates say: most have nothing left to give, and overload goes on for longer than what they gave takes to
     * show. */
    if (state->exhausted_since >= 0 && state->exhausted_at - state->exhausted_since > policy->settle_ns)
        memset(capacity->reclaimable, 0, sizeof capacity->reclaimable);
    memcpy(capacity->unit, state->fleet.costing.unit, sizeof capacity->unit);
    memcpy(capacity->inputs, snapshot->inputs, (size_t)snapshot->input_count * sizeof *snapshot->inputs);
    capacity->input_count = snapshot->input_count;
    capacity->own_input = snapshot->own_input;
    capacity->engine_on_cpu = snapshot->engine_on_cpu;
}

static int64_t rise_in(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    const int64_t dwell = itsi_quality_rise_dwell(state, policy);
    return state->calm < dwell ? dwell - state->calm : 0;
}

int itsi_quality_step(const struct itsi_quality_snapshot *snapshot, const struct itsi_quality_policy *policy,
                      struct itsi_quality_state *state, struct itsi_quality_target *targets,
                      struct itsi_quality_events *events)
{
    if (snapshot->count > state->fleet.capacity || snapshot->input_count < 1 ||
        snapshot->input_count > ITSI_QUALITY_INPUTS || snapshot->own_input < 0 ||
        snapshot->own_input >= snapshot->input_count)
        return ITS_EINVAL;
    const int64_t dt = pass_time(state, snapshot->now);
    observe(state, snapshot, policy, dt);
    const bool overloaded = policy->enabled && state->verdict.pressure >= ITSI_PRESSURE_OVERLOADED;
    if (overloaded)
        itsi_quality_consider_lowering(state, policy);
    else
        itsi_quality_consider_raising(state, policy, dt);
    itsi_quality_note_exhaustion(state, overloaded);
    itsi_quality_conclude(state, policy, targets, events);
    state->rise_in = state->degraded && policy->recovery ? rise_in(state, policy) : 0;
    state->hold = itsi_quality_held(state, policy);
    appraise(state, policy);
    return 0;
}

void itsi_quality_capacity(const struct itsi_quality_state *state, struct itsi_quality_capacity *out)
{
    *out = state->capacity;
}

void itsi_quality_status(const struct itsi_quality_state *state, struct itsi_quality_status *out)
{
    *out = (struct itsi_quality_status){
        .pressure = state->verdict.pressure,
        .condition = itsi_quality_condition(&state->evidence.slow),
        .load = state->evidence.slow,
        .inputs = state->verdict.inputs,
        .bottleneck = state->verdict.resource,
        .lowest_level = -1,
        .recovering = state->on_trial || state->wave > 1,
        .flaps = state->flaps + state->cramped_flaps,
        .rise_in_ns = state->rise_in,
        .hold = state->hold,
        .exhausted_cameras = state->exhausted,
        .taking_cameras = state->taking,
        .exhausted_ns = state->exhausted_since < 0 ? 0 : state->time - state->exhausted_since,
    };
    for (int level = ITSI_QUALITY_LEVELS - 1; level >= 0; level--) {
        out->cameras[level] = state->levels[level];
        if (state->levels[level])
            out->lowest_level = level;
    }
    for (int r = 0; r < ITSI_QUALITY_REASONS; r++)
        out->changes += out->changes_by_reason[r] = state->changes[r];
}

#include "quality/controller.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "quality/lower.h"
#include "quality/raise.h"
#include "quality/typical.h"

#include <math.h>
#include <string.h>

enum { WAVE_GROWTH = 4, WAVE_GROWTH_LOADED = 2 };
#define LONGEST_GAP (2 * ITSI_NS_PER_S) /* a suspended machine was not calm while it slept */
#define LARGEST_STEP 0.5
#define EXHAUSTED_GAP (5 * ITSI_NS_PER_S) /* overload that pauses for less goes on */
#define STALLED_BUDGETS 2 /* a run that takes longer is no slow run */

struct itsi_quality_state {
    struct itsi_quality_fleet fleet;
    /* time as the controller counts it: the ticks that passed, so that no clock can take it back or ahead */
    int64_t time, last_now;
    bool began;
    struct itsi_quality_load smooth; /* over policy.fast_ns; of which evidence.fast is made */
    double unmet;
    struct itsi_quality_evidence evidence;
    struct itsi_quality_verdict verdict;
    /* downgrades */
    int64_t overloaded_since; /* -1: it is not */
    int64_t lowered_at;
    double doubt;             /* share of the demand by which the estimate may be wrong; 0: it was not */
    struct itsi_quality_load doubted; /* the load when that began, and the fact that spoke against it */
    enum itsi_quality_reason doubted_for;
    /* upgrades */
    int64_t calm;             /* time of calm gathered; time between the bands takes from it */
    int64_t raised_at;
    int64_t next_rise;        /* not looked for before */
    bool on_trial;
    int wave;
    double flaps;             /* of rises while everybody's best would have fitted, */
    double cramped_flaps;     /* and while it would not: they count as long as it does not */
    bool cramped;             /* it would not, at the last rise */
    double best;              /* share of the machine that everybody's best would take */
    double coming[ITSI_RESOURCES]; /* work of upgrades that the smoothed load does not show yet */
    /* the outcome */
    uint64_t changes[ITSI_QUALITY_REASONS];
    int levels[ITSI_QUALITY_LEVELS];
    int exhausted;            /* members that have nothing left to give, while there is overload */
    int64_t exhausted_since, exhausted_at; /* most have not, and there was overload; -1: it is not so */
    bool degraded;            /* somebody is below where it might be */
    int64_t rise_in;
    struct itsi_quality_capacity capacity;
};

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
    state->best = itsi_quality_fleet_best(fleet);
    state->flaps *= 1 - itsi_quality_smoothing(dt, policy->flap_forget_ns);
    state->cramped_flaps *= 1 - itsi_quality_smoothing(dt, policy->flap_forget_ns);
    for (int r = 0; r < ITSI_RESOURCES; r++)
        state->coming[r] *= 1 - itsi_quality_smoothing(dt, policy->slow_ns);
    if (itsi_quality_in_time(policy, &state->evidence.slow))
        state->evidence.futile = false;
    itsi_quality_judge(fleet, &state->evidence, &state->verdict);
}

/* --- down --------------------------------------------------------------------------------------------------------- */

/* What an upgrade on trial brought is taken back first, and the next one is longer in coming. Returns whether one was. */
static bool note_flap(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    double *flaps = state->cramped ? &state->cramped_flaps : &state->flaps;
    if (state->time - state->raised_at <= policy->flap_window_ns)
        *flaps = fmin(*flaps + 1, policy->flap_most);
    state->raised_at = INT64_MIN / 2; /* an upgrade is held against us once */
    state->wave = 1;
    state->on_trial = false;
    return itsi_quality_take_back(&state->fleet) > 0;
}

/* An engine that hangs is not helped by being asked for less. */
static bool stalled(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    return state->fleet.snapshot->oldest_run_ms > STALLED_BUDGETS * policy->budget_ms;
}

/* Did it help that the estimate was doubted? By half of what was missing, or it did not. */
static bool helped(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    const struct itsi_quality_load *now = &state->evidence.fast, *then = &state->doubted;
    switch (state->doubted_for) {
    case ITSI_QUALITY_SLACK:
        return now->slack_ms > (then->slack_ms + policy->slack_low_ms) / 2;
    case ITSI_QUALITY_QUEUE_AGE:
        return now->queue_age_ms < (then->queue_age_ms + policy->queue_high_ms) / 2;
    case ITSI_QUALITY_ON_TIME:
        return now->on_time_ratio > (then->on_time_ratio + policy->on_time_low) / 2;
    default:
        return true; /* a full machine is a matter of load whatever else it is */
    }
}

/* The estimate says that all is well and the facts do not: it is doubted, more every time. Returns what to give up. */
static double doubt(struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                    enum itsi_quality_resource resource)
{
    if (state->doubt <= 0) {
        state->doubted = state->evidence.fast;
        state->doubted_for = state->verdict.fact;
    }
    state->doubt = state->doubt > 0 ? fmin(2 * state->doubt, LARGEST_STEP) : policy->least_step;
    return state->doubt * itsi_quality_work_on(state->fleet.snapshot, resource, &state->fleet.demand);
}

/* On the resource that the facts speak of. */
static void lower_fullest(struct itsi_quality_state *state, const struct itsi_quality_policy *policy, bool took_back)
{
    const struct itsi_quality_verdict *verdict = &state->verdict;
    const double excess = itsi_quality_excess(&state->fleet, verdict->resource);
    const double demand = itsi_quality_work_on(state->fleet.snapshot, verdict->resource, &state->fleet.demand);
    if (excess > policy->least_step * demand) {
        const bool deep = !policy->gradual || verdict->pressure == ITSI_PRESSURE_CRITICAL;
        itsi_quality_lower(&state->fleet, verdict->resource, excess, deep, verdict->fact);
    } else if (!took_back && !stalled(state, policy)) {
        if (state->doubt >= LARGEST_STEP && !helped(state, policy))
            state->evidence.futile = true;
        else
            itsi_quality_lower(&state->fleet, verdict->resource, doubt(state, policy, verdict->resource),
                               !policy->gradual, verdict->fact);
    }
}

/* On a resource that no fact speaks against, but that could never do what is asked of it. */
static void lower_overcommitted(struct itsi_quality_state *state, enum itsi_quality_resource resource)
{
    const double capacity = itsi_quality_fleet_capacity(&state->fleet, resource);
    if (capacity > 0 && itsi_quality_fleet_demand(&state->fleet, resource) > capacity)
        itsi_quality_lower(&state->fleet, resource, itsi_quality_excess(&state->fleet, resource),
                           state->verdict.pressure == ITSI_PRESSURE_CRITICAL, state->verdict.fact);
}

static void lower(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    lower_fullest(state, policy, note_flap(state, policy));
    for (int r = 0; r < ITSI_RESOURCES; r++)
        if ((enum itsi_quality_resource)r != state->verdict.resource)
            lower_overcommitted(state, (enum itsi_quality_resource)r);
    state->lowered_at = state->time;
}

static void consider_lowering(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    if (state->overloaded_since < 0)
        state->overloaded_since = state->time;
    state->calm = 0;
    const bool due = state->verdict.pressure == ITSI_PRESSURE_CRITICAL || state->on_trial ||
                     state->time - state->overloaded_since >= policy->down_dwell_ns;
    if (due && state->time - state->lowered_at >= policy->settle_ns)
        lower(state, policy);
}

/* Quality has done what it can, and that is not enough: a matter for people. */
static void note_exhaustion(struct itsi_quality_state *state, bool overloaded)
{
    state->exhausted = overloaded ? itsi_quality_exhausted(&state->fleet, state->verdict.resource) : 0;
    if (state->exhausted > 0 && 2 * state->exhausted >= state->fleet.count) {
        state->exhausted_at = state->time;
        if (state->exhausted_since < 0)
            state->exhausted_since = state->time;
    } else if (state->time - state->exhausted_at > EXHAUSTED_GAP) {
        state->exhausted_since = -1;
    }
}

/* --- up ----------------------------------------------------------------------------------------------------------- */

/* What failed in the midst of an overload says nothing of the time after it: nobody waits longer for having tried then. A
 * rise that failed although everybody's best would have fitted is held against every other, since the estimate was wrong or
 * the load swings. */
static int64_t rise_dwell(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    const double cramped = state->best > policy->busy_target ? state->cramped_flaps : 0;
    return (int64_t)((double)policy->rise_dwell_ns * exp2(floor(fmin(state->flaps + cramped, policy->flap_most) + 0.5)));
}

/* What may still be filled. The measured load is the fact; the sum of the estimates stands in where it is unknown. */
static void room_left(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                      double room[ITSI_RESOURCES])
{
    const struct itsi_quality_fleet *fleet = &state->fleet;
    const double shares[ITSI_RESOURCES] = {
        [ITSI_RESOURCE_CPU] = state->evidence.slow.cpu_percent < 0 ? -1 : state->evidence.slow.cpu_percent / 100,
        [ITSI_RESOURCE_ENGINE] = state->evidence.slow.engine_busy,
        [ITSI_RESOURCE_ENCODER] = state->evidence.slow.encode_share};
    for (int r = 0; r < ITSI_RESOURCES; r++) {
        const enum itsi_quality_resource resource = (enum itsi_quality_resource)r;
        const double capacity = itsi_quality_fleet_capacity(fleet, resource);
        const double used = shares[r] < 0 ? itsi_quality_fleet_demand(fleet, resource)
                                          : shares[r] * capacity + state->coming[r];
        room[r] = policy->busy_rise * capacity - used;
    }
}

static bool memory_allows(const struct itsi_quality_load *load, const struct itsi_quality_policy *policy)
{
    return load->memory_percent <= policy->memory_percent && load->gpu_memory_percent <= policy->gpu_memory_percent;
}

static void raise(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    double room[ITSI_RESOURCES], left[ITSI_RESOURCES];
    room_left(state, policy, room);
    memcpy(left, room, sizeof left);
    if (itsi_quality_raise(&state->fleet, left, state->wave) == 0) {
        state->wave = 1; /* as far as it goes: whatever comes later begins with one again */
        return;
    }
    for (int r = 0; r < ITSI_RESOURCES; r++)
        state->coming[r] += room[r] - left[r];
    state->raised_at = state->time;
    state->cramped = state->best > policy->busy_rise;
    state->on_trial = true;
}

static void end_trial(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    if (!state->on_trial || state->time - state->raised_at < policy->trial_ns)
        return;
    itsi_quality_keep(&state->fleet);
    state->on_trial = false;
    if (state->wave < state->fleet.capacity)
        state->wave *= state->evidence.slow.cpu_percent > policy->cpu_percent ? WAVE_GROWTH_LOADED : WAVE_GROWTH;
}

static void consider_raising(struct itsi_quality_state *state, const struct itsi_quality_policy *policy, int64_t dt)
{
    state->overloaded_since = -1;
    state->doubt = 0;
    end_trial(state, policy);
    if (state->verdict.pressure == ITSI_PRESSURE_CALM)
        state->calm += dt;
    else
        state->calm = state->calm > dt ? state->calm - dt : 0;
    if (policy->enabled && policy->recovery && !state->on_trial && state->verdict.pressure == ITSI_PRESSURE_CALM &&
        state->calm >= rise_dwell(state, policy) && state->time >= state->next_rise &&
        memory_allows(&state->evidence.slow, policy)) {
        state->next_rise = state->time + policy->rise_interval_ns;
        raise(state, policy);
    }
}

/* --- the outcome -------------------------------------------------------------------------------------------------- */

static enum itsi_quality_reason overlay_reason(const struct itsi_quality_member *member)
{
    if (member->camera->pin >= 0)
        return ITSI_QUALITY_PINNED;
    return member->boosted ? ITSI_QUALITY_BOOSTED : ITSI_QUALITY_RELEASED;
}

static void tell(struct itsi_quality_state *state, const struct itsi_quality_member *member, int knob,
                 const struct itsi_quality_position *now, enum itsi_quality_reason reason,
                 struct itsi_quality_events *events)
{
    const struct itsi_quality_event event = {
        .key = member->key,
        .now = state->last_now,
        .knob = (enum itsi_quality_knob)knob,
        .from_level = itsi_quality_position_level(&member->shown),
        .to_level = itsi_quality_position_level(now),
        .from_rung = member->shown.rung[knob],
        .to_rung = now->rung[knob],
        .reason = reason,
        .inputs = state->verdict.inputs,
    };
    state->changes[event.reason]++;
    itsi_quality_events_add(events, &event);
}

static enum itsi_quality_reason reason_of(const struct itsi_quality_member *member, int knob)
{
    return member->reason[knob] != ITSI_QUALITY_NONE ? member->reason[knob] : overlay_reason(member);
}

/* A smaller stream that cannot be had is told once: nothing is lowered by it, but less can be saved. */
static void tell_lost_stream(struct itsi_quality_state *state, struct itsi_quality_member *member,
                             struct itsi_quality_events *events)
{
    const bool lost = member->camera->sub_lost;
    if (lost && !member->sub_lost)
        tell(state, member, ITSI_KNOB_DECODE, &member->shown, ITSI_QUALITY_SUB_STREAM, events);
    member->sub_lost = lost;
}

/* Kept by value, so that whoever asks for admission needs neither the snapshot nor the members. */
static void appraise(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    struct itsi_quality_capacity *capacity = &state->capacity;
    const struct itsi_quality_snapshot *snapshot = state->fleet.snapshot;
    room_left(state, policy, capacity->free);
    itsi_quality_fleet_reclaimable(&state->fleet, capacity->reclaimable);
    itsi_quality_typical_make(&state->fleet, &capacity->typical);
    /* What other programs take may be free in a moment: nobody is turned away for it, a newcomer starts low. But the more
     * of the machine is the cameras' own, the less can be hoped for, and nothing when those who are here go without. */
    const double own = itsi_quality_work_on(snapshot, ITSI_RESOURCE_CPU, &state->fleet.demand);
    if (state->fleet.taken > 0 && state->unmet <= policy->unmet_calm)
        capacity->reclaimable[ITSI_RESOURCE_CPU] += state->fleet.taken * fmax(1 - own / snapshot->cores, 0);
    if (state->exhausted_since >= 0) /* whatever the estimates say: overload goes on, and most have nothing left to give */
        memset(capacity->reclaimable, 0, sizeof capacity->reclaimable);
    memcpy(capacity->unit, state->fleet.costing.unit, sizeof capacity->unit);
    memcpy(capacity->inputs, snapshot->inputs, (size_t)snapshot->input_count * sizeof *snapshot->inputs);
    capacity->input_count = snapshot->input_count;
    capacity->own_input = snapshot->own_input;
    capacity->engine_on_cpu = snapshot->engine_on_cpu;
}

static void conclude(struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                     struct itsi_quality_target *targets, struct itsi_quality_events *events)
{
    const struct itsi_quality_fleet *fleet = &state->fleet;
    events->count = events->suppressed = 0;
    state->degraded = false;
    memset(state->levels, 0, sizeof state->levels);
    for (int i = 0; i < fleet->count; i++) {
        struct itsi_quality_member *member = &fleet->members[i];
        const struct itsi_quality_position now = itsi_quality_member_in_effect(member, &member->at);
        for (int k = 0; k < ITSI_KNOBS; k++)
            if (now.rung[k] != member->shown.rung[k]) {
                tell(state, member, k, &now, reason_of(member, k), events);
                member->moved[k] = state->time;
            }
        member->shown = now;
        tell_lost_stream(state, member, events);
        state->degraded |= itsi_quality_member_degraded(member);
        targets[i].key = member->key;
        itsi_quality_target_make(fleet->snapshot, member->camera, &now, policy->floor_fps, &targets[i]);
        state->levels[targets[i].level]++;
    }
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
        consider_lowering(state, policy);
    else
        consider_raising(state, policy, dt);
    note_exhaustion(state, overloaded);
    conclude(state, policy, targets, events);
    const int64_t dwell = rise_dwell(state, policy);
    state->rise_in = state->degraded && state->calm < dwell ? dwell - state->calm : 0;
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
        .exhausted_cameras = state->exhausted,
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

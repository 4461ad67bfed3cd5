/* Overload: what is lowered, by how much, and whether that helped. */
#include "quality/controller_impl.h"

#include "base/clock.h"
#include "quality/lower.h"
#include "quality/raise.h"

#include <math.h>

#define LARGEST_STEP 0.5
#define EXHAUSTED_GAP (5 * ITSI_NS_PER_S) /* overload that pauses for less goes on */
#define STALLED_BUDGETS 2 /* a run that takes longer is no slow run */

/* What an upgrade on trial brought is taken back first, and the next one is longer in coming. Returns whether one was. */
static bool note_flap(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
{
    double *flaps = state->cramped ? &state->cramped_flaps : &state->flaps;
    if (state->on_trial || state->time - state->raised_at <= policy->flap_window_ns)
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
        state->doubt_gave = 0;
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
    const double least = policy->least_step * demand;
    if (excess > least) {
        const bool deep = !policy->gradual || verdict->pressure == ITSI_PRESSURE_CRITICAL;
        itsi_quality_lower(&state->fleet, verdict->resource, excess, deep, verdict->fact);
    } else if (!took_back && !stalled(state, policy)) {
        /* where nobody had anything left to give, nothing was tried */
        if (state->doubt >= LARGEST_STEP && state->doubt_gave > least && !helped(state, policy)) {
            state->evidence.futile = true;
        } else {
            const double need = doubt(state, policy, verdict->resource);
            state->doubt_gave += itsi_quality_lower(&state->fleet, verdict->resource, need, !policy->gradual, verdict->fact);
        }
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

void itsi_quality_consider_lowering(struct itsi_quality_state *state, const struct itsi_quality_policy *policy)
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
void itsi_quality_note_exhaustion(struct itsi_quality_state *state, bool overloaded)
{
    int taking = 0;
    const int exhausted = overloaded ? itsi_quality_exhausted(&state->fleet, state->verdict.resource, &taking) : 0;
    if (exhausted > 0 && 2 * exhausted >= taking) {
        state->exhausted = exhausted;
        state->taking = taking;
        state->exhausted_at = state->time;
        if (state->exhausted_since < 0)
            state->exhausted_since = state->time;
    } else if (state->time - state->exhausted_at > EXHAUSTED_GAP) {
        state->exhausted_since = -1;
        state->exhausted = state->taking = 0;
    }
}

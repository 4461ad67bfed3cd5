/* What a step comes to: targets for everybody, an event for every change. */
#include "quality/controller_impl.h"

#include <string.h>

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

void itsi_quality_conclude(struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
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

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
                 const struct itsi_quality_target *now, enum itsi_quality_reason reason,
                 struct itsi_quality_events *events)
{
    const bool decodes = knob == ITSI_KNOB_DECODE;
    const struct itsi_quality_event event = {
        .key = member->key,
        .now = state->last_now,
        .knob = (enum itsi_quality_knob)knob,
        .from_level = itsi_quality_position_level(&member->shown),
        .to_level = now->level,
        .from_rung = member->shown.rung[knob],
        .to_rung = now->position.rung[knob],
        .from_decode = decodes ? member->decode : ITSI_DECODE_ALL,
        .to_decode = decodes ? now->decode : ITSI_DECODE_ALL,
        .from_sub = decodes && member->sub,
        .to_sub = decodes && now->sub_stream,
        .key_fps = decodes ? member->camera->key_fps : 0,
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

/* Why a rung comes to something else than before. */
static enum itsi_quality_reason stream_reason(const struct itsi_quality_state *state,
                                              const struct itsi_quality_member *member,
                                              const struct itsi_quality_target *now)
{
    const struct itsi_quality_keys *keys = &member->keys;
    if (member->decode == ITSI_DECODE_KEY && now->decode != ITSI_DECODE_KEY && keys->distrusted)
        return ITSI_QUALITY_RARE_KEYS;
    if (now->decode == ITSI_DECODE_KEY && keys->losses > 0 && !keys->distrusted && keys->changed == state->time)
        return ITSI_QUALITY_STEADY_KEYS;
    return ITSI_QUALITY_STREAM;
}

/* A smaller stream that cannot be had is told once, and what a rung comes to whenever that is something else: no level moves
 * for it, but more or less can be saved. */
static void tell_of_stream(struct itsi_quality_state *state, struct itsi_quality_member *member,
                           const struct itsi_quality_target *now, struct itsi_quality_events *events)
{
    const bool lost = member->camera->sub_lost && !member->sub_lost;
    const bool other = now->decode != member->decode || now->sub_stream != member->sub;
    if (lost || other)
        tell(state, member, ITSI_KNOB_DECODE, now, lost ? ITSI_QUALITY_SUB_STREAM : stream_reason(state, member, now),
             events);
    if (other)
        member->moved[ITSI_KNOB_DECODE] = state->time; /* what it takes speaks of the old way for a while */
    member->sub_lost = member->camera->sub_lost;
}

static void note_decoding(struct itsi_quality_member *member, const struct itsi_quality_target *now)
{
    member->decode = now->decode;
    member->sub = now->sub_stream;
    member->was_shown = true;
}

static void tell_of_member(struct itsi_quality_state *state, struct itsi_quality_member *member,
                           const struct itsi_quality_target *now, struct itsi_quality_events *events)
{
    const bool moves = now->position.rung[ITSI_KNOB_DECODE] != member->shown.rung[ITSI_KNOB_DECODE];
    if (!member->was_shown)
        note_decoding(member, now); /* what it begins with is no change */
    for (int k = 0; k < ITSI_KNOBS; k++)
        if (now->position.rung[k] != member->shown.rung[k]) {
            tell(state, member, k, now, reason_of(member, k), events);
            member->moved[k] = state->time;
        }
    member->shown = now->position;
    if (moves)
        note_decoding(member, now); /* told with the rung */
    tell_of_stream(state, member, now, events);
    note_decoding(member, now);
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
        targets[i].key = member->key;
        itsi_quality_target_make(fleet->snapshot, member->camera, &now, policy->floor_fps, &targets[i]);
        tell_of_member(state, member, &targets[i], events);
        /* where a pin holds it, it may be below and does not rise: it is where it might be */
        state->degraded |= member->camera->pin < 0 && itsi_quality_member_degraded(member);
        state->levels[targets[i].level]++;
    }
}

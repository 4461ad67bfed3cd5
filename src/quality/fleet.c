#include "quality/fleet.h"

#include "base/diag.h"
#include "base/mem.h"
#include "quality/profile.h"

#include <math.h>
#include <string.h>

int itsi_quality_fleet_init(struct itsi_quality_fleet *fleet, int capacity, struct its_diag *diag)
{
    *fleet = (struct itsi_quality_fleet){.capacity = capacity, .taken = -1};
    fleet->members = itsi_calloc((size_t)capacity, sizeof *fleet->members);
    fleet->old = itsi_calloc((size_t)capacity, sizeof *fleet->old);
    fleet->turns = itsi_calloc((size_t)capacity, sizeof *fleet->turns);
    if (fleet->members && fleet->old && fleet->turns)
        return 0;
    itsi_quality_fleet_fini(fleet);
    return itsi_fail(diag, ITS_ENOMEM, "out of memory for the quality of %d cameras", capacity);
}

void itsi_quality_fleet_fini(struct itsi_quality_fleet *fleet)
{
    itsi_free(fleet->members);
    itsi_free(fleet->old);
    itsi_free(fleet->turns);
    *fleet = (struct itsi_quality_fleet){.taken = -1};
}

bool itsi_quality_member_favoured(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member)
{
    return member->camera->is_priority && fleet->policy->prefer_priority;
}

bool itsi_quality_member_degraded(const struct itsi_quality_member *member)
{
    for (int k = 0; k < ITSI_KNOBS; k++)
        if (member->at.rung[k] > member->top.rung[k])
            return true;
    return false;
}

struct itsi_quality_position itsi_quality_member_in_effect(const struct itsi_quality_member *member,
                                                           const struct itsi_quality_position *at)
{
    const struct itsi_quality_camera *camera = member->camera;
    if (camera->pin >= 0)
        return itsi_quality_position_at(camera->pin);
    struct itsi_quality_position position = *at;
    if (member->boosted)
        for (int k = 0; k < ITSI_KNOBS; k++)
            if (position.rung[k] > itsi_quality_rung_of(camera->boost))
                position.rung[k] = itsi_quality_rung_of(camera->boost);
    return position;
}

void itsi_quality_member_cost(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member,
                              const struct itsi_quality_position *at, struct itsi_quality_work *out)
{
    const struct itsi_quality_position position = itsi_quality_member_in_effect(member, at);
    itsi_quality_predict(&fleet->costing, member->camera, &member->learned, &position, out);
}

/* Of what shows, the part that a move does away with. Under overload a camera takes less than it asks for, so that what it
 * asks for less may be no less than what it gets. */
static double freed(double *shows, double before, double after)
{
    const double part = fmax(fmin(*shows, before) - after, 0);
    *shows -= part;
    return part;
}

void itsi_quality_member_move(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member,
                              const struct itsi_quality_position *at, enum itsi_quality_reason reason)
{
    struct itsi_quality_work cost;
    itsi_quality_member_cost(fleet, member, at, &cost);
    fleet->demand.decode += cost.decode - member->cost.decode;
    fleet->demand.infer += cost.infer - member->cost.infer;
    fleet->demand.encode += cost.encode - member->cost.encode;
    fleet->gone.decode += freed(&member->shows.decode, member->cost.decode, cost.decode);
    fleet->gone.infer += freed(&member->shows.infer, member->cost.infer, cost.infer);
    fleet->gone.encode += freed(&member->shows.encode, member->cost.encode, cost.encode);
    for (int k = 0; k < ITSI_KNOBS; k++)
        if (at->rung[k] != member->at.rung[k])
            member->reason[k] = reason;
    member->at = *at;
    member->cost = cost;
}

/* --- who is there ------------------------------------------------------------------------------------------------- */

/* The member of the step before, looked for from where the last one was found: the order mostly stays, so that one or
 * two looks do. NULL: not there. */
static const struct itsi_quality_member *find_old(const struct itsi_quality_fleet *fleet, int old_count, uint64_t key,
                                                  int *cursor)
{
    for (int tried = 0; tried < old_count; tried++) {
        const int i = (*cursor + tried) % old_count;
        if (fleet->old[i].key == key) {
            *cursor = i + 1;
            return &fleet->old[i];
        }
    }
    return NULL;
}

static void set_bounds(const struct itsi_quality_fleet *fleet, struct itsi_quality_member *member)
{
    const struct itsi_quality_policy *policy = fleet->policy;
    const bool floored = policy->protect_priority && member->camera->is_priority;
    member->top = itsi_quality_position_at(policy->default_level);
    for (int k = 0; k < ITSI_KNOBS; k++) {
        const int deepest = itsi_quality_deepest((enum itsi_quality_knob)k);
        const int floor = itsi_quality_rung_of(policy->priority_floor);
        member->deepest.rung[k] = floored && floor < deepest ? floor : deepest;
        if (member->deepest.rung[k] < member->top.rung[k])
            member->deepest.rung[k] = member->top.rung[k];
    }
}

/* A boost lasts as long as the caller's clock said when it was first seen, whatever that clock does later. */
static void follow_boost(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member)
{
    const struct itsi_quality_camera *camera = member->camera;
    const int64_t until = camera->boost >= 0 ? camera->boost_until : 0;
    if (until != member->boost_until) {
        member->boost_until = until;
        member->boost_ends = fleet->time + (until - fleet->snapshot->now);
    }
    member->boosted = camera->boost >= 0 && member->boost_ends > fleet->time;
}

static void clamp(struct itsi_quality_member *member)
{
    for (int k = 0; k < ITSI_KNOBS; k++) {
        int *rung = &member->at.rung[k];
        const int was = *rung;
        if (*rung < member->top.rung[k])
            *rung = member->top.rung[k];
        if (*rung > member->deepest.rung[k])
            *rung = member->deepest.rung[k];
        if (*rung != was)
            member->reason[k] = ITSI_QUALITY_POLICY;
    }
}

static void begin_member(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member,
                         const struct itsi_quality_camera *camera)
{
    member->facts = *camera;
    member->facts.irregular_keys =
        itsi_quality_keys_follow(&member->keys, camera->key_fps, fleet->policy->floor_fps, fleet->time);
    member->camera = &member->facts;
    memset(member->reason, 0, sizeof member->reason);
    set_bounds(fleet, member);
    follow_boost(fleet, member);
    if (!fleet->policy->enabled)
        member->deepest = member->top;
    clamp(member);
}

/* Mean position of those that were there before, of the favoured or of the others: where a newcomer fits in. */
struct peers {
    double rung[ITSI_KNOBS];
    int count;
};

static void count_peer(struct peers *peers, const struct itsi_quality_member *member)
{
    peers->count++;
    for (int k = 0; k < ITSI_KNOBS; k++)
        peers->rung[k] += member->at.rung[k];
}

static void place_newcomer(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member,
                           const struct itsi_quality_camera *camera, const struct peers *peers)
{
    *member = (struct itsi_quality_member){.key = camera->key, .came = fleet->time};
    member->at = itsi_quality_position_at(camera->start >= 0 ? camera->start : fleet->policy->default_level);
    if (camera->start_at_floor)
        for (int k = 0; k < ITSI_KNOBS; k++)
            member->at.rung[k] = itsi_quality_deepest((enum itsi_quality_knob)k); /* bounded by its own floor below */
    if (camera->start < 0 && peers->count)
        for (int k = 0; k < ITSI_KNOBS; k++)
            member->at.rung[k] = (int)ceil(peers->rung[k] / peers->count - 0.25); /* rather a little below */
    begin_member(fleet, member, camera);
    /* a first position is no change from one, unless it lies below what the camera may expect */
    member->shown = member->top;
    for (int k = 0; k < ITSI_KNOBS; k++) {
        member->reason[k] = member->at.rung[k] != member->top.rung[k] ? ITSI_QUALITY_ADMITTED : ITSI_QUALITY_NONE;
        member->moved[k] = fleet->time;
    }
}

static void add_shown(struct itsi_quality_work *sum, const struct itsi_quality_member *members, int count, double sign)
{
    for (int i = 0; i < count; i++) {
        sum->decode += sign * members[i].shows.decode;
        sum->infer += sign * members[i].shows.infer;
        sum->encode += sign * members[i].shows.encode;
    }
}

void itsi_quality_fleet_take(struct itsi_quality_fleet *fleet, const struct itsi_quality_snapshot *snapshot,
                             const struct itsi_quality_policy *policy, int64_t time)
{
    struct itsi_quality_member *const old = fleet->members;
    const int old_count = fleet->count;
    struct peers peers[2] = {{.count = 0}, {.count = 0}};
    int cursor = 0;
    fleet->members = fleet->old;
    fleet->old = old;
    fleet->snapshot = snapshot;
    fleet->policy = policy;
    fleet->time = time;
    fleet->count = snapshot->count;
    for (int i = 0; i < snapshot->count; i++) {
        struct itsi_quality_member *member = &fleet->members[i];
        const struct itsi_quality_member *was = find_old(fleet, old_count, snapshot->cameras[i].key, &cursor);
        member->camera = NULL;
        if (!was)
            continue;
        *member = *was;
        begin_member(fleet, member, &snapshot->cameras[i]);
        count_peer(&peers[itsi_quality_member_favoured(fleet, member)], member);
    }
    for (int i = 0; i < snapshot->count; i++)
        if (!fleet->members[i].camera) {
            const bool favoured = snapshot->cameras[i].is_priority && policy->prefer_priority;
            place_newcomer(fleet, &fleet->members[i], &snapshot->cameras[i], &peers[favoured]);
        }
    add_shown(&fleet->gone, fleet->old, old_count, 1);
    add_shown(&fleet->gone, fleet->members, fleet->count, -1); /* the difference is that of those who left */
}

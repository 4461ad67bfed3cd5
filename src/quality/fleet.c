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

void itsi_quality_member_move(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member,
                              const struct itsi_quality_position *at, enum itsi_quality_reason reason)
{
    struct itsi_quality_work cost;
    itsi_quality_member_cost(fleet, member, at, &cost);
    fleet->demand.decode += cost.decode - member->cost.decode;
    fleet->demand.infer += cost.infer - member->cost.infer;
    fleet->demand.encode += cost.encode - member->cost.encode;
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
    *member = (struct itsi_quality_member){.key = camera->key};
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
}

/* --- what they take ----------------------------------------------------------------------------------------------- */

/* Measurements speak of the present position only after a while. */
static bool settled(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member,
                    enum itsi_quality_knob knob)
{
    return fleet->time - member->moved[knob] >= fleet->policy->settle_ns;
}

/* What a detection takes by input size, for an engine that has not told. */
static void see_units(struct itsi_quality_fleet *fleet, double weight)
{
    double cost[ITSI_QUALITY_INPUTS] = {0}, detections[ITSI_QUALITY_INPUTS] = {0};
    for (int i = 0; i < fleet->count; i++) {
        const struct itsi_quality_member *member = &fleet->members[i];
        if (!settled(fleet, member, ITSI_KNOB_COMPUTE))
            continue;
        struct itsi_quality_target target;
        itsi_quality_target_make(fleet->snapshot, member->camera, &member->shown, fleet->policy->floor_fps, &target);
        cost[target.input] += member->camera->cost.infer;
        detections[target.input] += member->camera->detected_fps;
    }
    for (int i = 0; i < fleet->snapshot->input_count; i++)
        if (detections[i] > 0 && cost[i] > 0) {
            const double unit = cost[i] / detections[i];
            fleet->seen[i] = fleet->seen[i] > 0 ? fleet->seen[i] + weight * (unit - fleet->seen[i]) : unit;
        }
}

static void learn_member(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member, double weight)
{
    if (!settled(fleet, member, ITSI_KNOB_DECODE) || !settled(fleet, member, ITSI_KNOB_ENCODE))
        return;
    struct itsi_quality_target target;
    itsi_quality_target_make(fleet->snapshot, member->camera, &member->shown, fleet->policy->floor_fps, &target);
    itsi_quality_learn(&member->learned, member->camera, &target, weight);
}

/* Detections asked for and not done. A camera counts only where its measurements speak of its position. What is counted are
 * whole detections: of 3.75 in a second three are seen or four, so that some cameras are always behind and others ahead,
 * and one too many of the one makes up for one too few of the other. */
static void count_unmet(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member, double *wanted,
                        double *missing)
{
    if (!settled(fleet, member, ITSI_KNOB_COMPUTE) || !settled(fleet, member, ITSI_KNOB_DECODE))
        return;
    struct itsi_quality_target target;
    itsi_quality_target_make(fleet->snapshot, member->camera, &member->shown, fleet->policy->floor_fps, &target);
    const double detections = itsi_quality_detections(&target), counted_s = member->camera->counted_s;
    const double one = counted_s > 0 ? 1 / counted_s : 0; /* detection, as a rate */
    *wanted += detections;
    *missing += fmax(detections - member->camera->detected_fps, -one);
}

static void follow_taken(struct itsi_quality_fleet *fleet, int64_t dt_ns)
{
    const struct itsi_quality_snapshot *snapshot = fleet->snapshot;
    if (snapshot->load.cpu_percent < 0) {
        fleet->taken = -1;
        return;
    }
    double used = 0;
    for (int i = 0; i < fleet->count; i++)
        used += itsi_quality_work_on(snapshot, ITSI_RESOURCE_CPU, &snapshot->cameras[i].cost);
    const double taken = fmax(snapshot->load.cpu_percent / 100 * snapshot->cores - used, 0);
    /* as slowly as costs are measured: work that grows must not look like somebody else's until they show it */
    const double weight = itsi_quality_smoothing(dt_ns, fleet->policy->settle_ns);
    fleet->taken = fleet->taken < 0 ? taken : fleet->taken + weight * (taken - fleet->taken);
}

void itsi_quality_fleet_measure(struct itsi_quality_fleet *fleet, int64_t dt_ns)
{
    const double weight = itsi_quality_smoothing(dt_ns, fleet->policy->fast_ns);
    double wanted = 0, missing = 0;
    see_units(fleet, weight);
    itsi_quality_costing_begin(&fleet->costing, fleet->snapshot, fleet->policy->floor_fps, fleet->seen);
    fleet->demand = (struct itsi_quality_work){0};
    for (int i = 0; i < fleet->count; i++) {
        struct itsi_quality_member *member = &fleet->members[i];
        learn_member(fleet, member, weight);
        count_unmet(fleet, member, &wanted, &missing);
        itsi_quality_member_cost(fleet, member, &member->at, &member->cost);
        fleet->demand.decode += member->cost.decode;
        fleet->demand.infer += member->cost.infer;
        fleet->demand.encode += member->cost.encode;
    }
    fleet->unmet = wanted > 0 ? fmax(missing / wanted, 0) : 0;
    follow_taken(fleet, dt_ns);
}

double itsi_quality_fleet_capacity(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource)
{
    switch (resource) {
    case ITSI_RESOURCE_CPU:
        return fleet->snapshot->cores;
    case ITSI_RESOURCE_ENGINE:
        return fleet->snapshot->engine_on_cpu ? 0 : fleet->snapshot->engine;
    default:
        return 1; /* a thread */
    }
}

double itsi_quality_fleet_demand(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource)
{
    const double taken = resource == ITSI_RESOURCE_CPU && fleet->taken > 0 ? fleet->taken : 0;
    return taken + itsi_quality_work_on(fleet->snapshot, resource, &fleet->demand);
}

double itsi_quality_fleet_best(const struct itsi_quality_fleet *fleet)
{
    double work[ITSI_RESOURCES] = {[ITSI_RESOURCE_CPU] = fmax(fleet->taken, 0)}, most = 0;
    for (int i = 0; i < fleet->count; i++) {
        struct itsi_quality_work cost;
        itsi_quality_member_cost(fleet, &fleet->members[i], &fleet->members[i].top, &cost);
        for (int r = ITSI_RESOURCE_CPU; r <= ITSI_RESOURCE_ENGINE; r++)
            work[r] += itsi_quality_work_on(fleet->snapshot, (enum itsi_quality_resource)r, &cost);
    }
    for (int r = ITSI_RESOURCE_CPU; r <= ITSI_RESOURCE_ENGINE; r++) {
        const double capacity = itsi_quality_fleet_capacity(fleet, (enum itsi_quality_resource)r);
        most = capacity > 0 ? fmax(most, work[r] / capacity) : most;
    }
    return most;
}

void itsi_quality_fleet_reclaimable(const struct itsi_quality_fleet *fleet, double reclaimable[ITSI_RESOURCES])
{
    memset(reclaimable, 0, ITSI_RESOURCES * sizeof *reclaimable);
    for (int i = 0; i < fleet->count; i++) {
        const struct itsi_quality_member *member = &fleet->members[i];
        struct itsi_quality_work floor;
        itsi_quality_member_cost(fleet, member, &member->deepest, &floor);
        for (int r = 0; r < ITSI_RESOURCES; r++) {
            const enum itsi_quality_resource resource = (enum itsi_quality_resource)r;
            reclaimable[r] += fmax(itsi_quality_work_on(fleet->snapshot, resource, &member->cost) -
                                       itsi_quality_work_on(fleet->snapshot, resource, &floor), 0);
        }
    }
}

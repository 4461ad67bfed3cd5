/* What the cameras take and would take: learned from what was measured, and summed up. */
#include "quality/fleet.h"

#include "quality/profile.h"

#include <math.h>
#include <string.h>

/* Measurements speak of the present position only after a while. */
static bool settled(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member,
                    enum itsi_quality_knob knob)
{
    return fleet->time - member->moved[knob] >= fleet->policy->settle_ns;
}

/* What warming up measured counts like so many pictures that were seen. */
#define WARM_PICTURES 20

/* Smoothed, and slowly at first where there is something to begin with: the first few pictures of a system that starts pay for
 * much that is not theirs. */
static void see_unit(struct itsi_quality_fleet *fleet, int input, double unit, double pictures, double weight)
{
    const double warm = fleet->snapshot->inputs[input].warm;
    double *seen = &fleet->seen[input];
    fleet->pictures[input] += pictures;
    if (*seen <= 0)
        *seen = warm > 0 ? warm : unit;
    if (warm > 0)
        weight = fmin(weight, fleet->pictures[input] / (fleet->pictures[input] + WARM_PICTURES));
    *seen += weight * (unit - *seen);
}

/* What a detection takes by input size, for an engine that has not told. */
static void see_units(struct itsi_quality_fleet *fleet, double dt_s, double weight)
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
        if (detections[i] > 0 && cost[i] > 0)
            see_unit(fleet, i, cost[i] / detections[i], detections[i] * dt_s, weight);
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
    const double detections = itsi_quality_detections(member->camera, &target), counted_s = member->camera->counted_s;
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

/* As the load does. */
static void smooth(struct itsi_quality_work *shows, const struct itsi_quality_work *takes, double weight)
{
    shows->decode += weight * (takes->decode - shows->decode);
    shows->infer += weight * (takes->infer - shows->infer);
    shows->encode += weight * (takes->encode - shows->encode);
}

static void follow_shown(struct itsi_quality_fleet *fleet, double weight)
{
    static const struct itsi_quality_work nothing;
    smooth(&fleet->gone, &nothing, weight);
    for (int i = 0; i < fleet->count; i++)
        smooth(&fleet->members[i].shows, &fleet->members[i].camera->cost, weight);
}

void itsi_quality_fleet_measure(struct itsi_quality_fleet *fleet, int64_t dt_ns)
{
    const double weight = itsi_quality_smoothing(dt_ns, fleet->policy->fast_ns);
    double wanted = 0, missing = 0;
    follow_shown(fleet, itsi_quality_smoothing(dt_ns, fleet->policy->slow_ns));
    see_units(fleet, (double)dt_ns / 1e9, weight);
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
        return fmax(fleet->snapshot->encoders, 1); /* threads */
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

void itsi_quality_fleet_reclaimable(const struct itsi_quality_fleet *fleet, double reclaimable[ITSI_RESOURCES],
                                    double least[ITSI_RESOURCES])
{
    memset(reclaimable, 0, ITSI_RESOURCES * sizeof *reclaimable);
    memset(least, 0, ITSI_RESOURCES * sizeof *least);
    for (int i = 0; i < fleet->count; i++) {
        const struct itsi_quality_member *member = &fleet->members[i];
        struct itsi_quality_work floor;
        itsi_quality_member_cost(fleet, member, &member->deepest, &floor);
        for (int r = 0; r < ITSI_RESOURCES; r++) {
            const enum itsi_quality_resource resource = (enum itsi_quality_resource)r;
            const double work = itsi_quality_work_on(fleet->snapshot, resource, &member->cost);
            const double at_floor = fmin(itsi_quality_work_on(fleet->snapshot, resource, &floor), work);
            reclaimable[r] += work - at_floor;
            least[r] += at_floor;
        }
    }
}

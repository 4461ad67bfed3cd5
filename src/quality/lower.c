#include "quality/lower.h"

#include "quality/profile.h"

#include <stdlib.h>

#define CAUSE_FACTOR 2.0
#define LEAST_RELIEF 0.02 /* of what the member takes on the resource: less is noise in the estimate */

struct plan {
    struct itsi_quality_fleet *fleet;
    enum itsi_quality_resource resource;
    enum itsi_quality_reason reason;
    double need; /* left */
    bool deep;
};

static double on_resource(const struct plan *plan, const struct itsi_quality_work *work)
{
    return itsi_quality_work_on(plan->fleet->snapshot, plan->resource, work);
}

/* The next rung of a knob, down to `last`, that frees something on the resource. */
static bool next_rung(const struct plan *plan, const struct itsi_quality_member *member, int knob, int last,
                      struct itsi_quality_position *out, double *relief)
{
    const double now = on_resource(plan, &member->cost);
    struct itsi_quality_position at = member->at;
    if (last > member->deepest.rung[knob])
        last = member->deepest.rung[knob];
    while (at.rung[knob] < last) {
        struct itsi_quality_work cost;
        at.rung[knob]++;
        itsi_quality_member_cost(plan->fleet, member, &at, &cost);
        *relief = now - on_resource(plan, &cost);
        if (*relief > LEAST_RELIEF * now) {
            *out = at;
            return true;
        }
    }
    return false;
}

/* Does the knob govern work on the resource? Key frames relieve an engine too, but that is the wrong knob. */
static bool governs(const struct plan *plan, int knob, const struct itsi_quality_work *work)
{
    return itsi_quality_work_of(plan->fleet->snapshot, plan->resource, (enum itsi_quality_knob)knob, work) > 0;
}

static int ultra_low(void)
{
    return itsi_quality_rung_of(ITSI_QUALITY_ULTRA_LOW);
}

/* --- the cause ---------------------------------------------------------------------------------------------------- */

static bool next_on_any_knob(const struct plan *plan, const struct itsi_quality_member *member,
                             struct itsi_quality_position *out)
{
    double best = 0;
    for (int k = 0; k < ITSI_KNOBS; k++) {
        struct itsi_quality_position at;
        double relief;
        if (governs(plan, k, &member->cost) && next_rung(plan, member, k, ultra_low(), &at, &relief) && relief > best) {
            best = relief;
            *out = at;
        }
    }
    return best > 0;
}

/* Brings one camera towards what the others take. Returns whether it moved. */
static bool lower_cause(struct plan *plan, struct itsi_quality_member *member, double fair)
{
    struct itsi_quality_position at;
    bool moved = false;
    while (plan->need > 0 && on_resource(plan, &member->cost) > fair && (plan->deep || !moved) &&
           next_on_any_knob(plan, member, &at)) {
        const double before = on_resource(plan, &member->cost);
        itsi_quality_member_move(plan->fleet, member, &at, ITSI_QUALITY_CAUSE);
        plan->need -= before - on_resource(plan, &member->cost);
        moved = true;
    }
    return moved;
}

/* --- the others, group by group ----------------------------------------------------------------------------------- */

/* Knobs by the work they govern on the resource, the most first. */
static void order_knobs(const struct plan *plan, int knobs[ITSI_KNOBS])
{
    double work[ITSI_KNOBS];
    for (int k = 0; k < ITSI_KNOBS; k++) {
        work[k] = itsi_quality_work_of(plan->fleet->snapshot, plan->resource, (enum itsi_quality_knob)k,
                                       &plan->fleet->demand);
        int i = k;
        for (; i > 0 && work[knobs[i - 1]] < work[k]; i--)
            knobs[i] = knobs[i - 1];
        knobs[i] = k;
    }
}

/* One knob of one group, the best off first, so that nobody is two rungs below its peers. Returns whether one moved. */
static bool lower_knob(struct plan *plan, const struct itsi_quality_turn *turns, int count, int knob, int last)
{
    bool moved = false;
    for (int rung = 0; rung < last; rung++)
        for (int i = 0; i < count && plan->need > 0; i++) {
            struct itsi_quality_member *member = turns[i].member;
            struct itsi_quality_position at;
            double relief;
            if (member->at.rung[knob] != rung || (!plan->deep && member->reason[knob] != ITSI_QUALITY_NONE) ||
                !next_rung(plan, member, knob, last, &at, &relief))
                continue;
            itsi_quality_member_move(plan->fleet, member, &at, plan->reason);
            plan->need -= relief;
            moved = true;
        }
    return moved;
}

/* Detection grows rarer than ultra_low's only when no other knob has anything left: frames that are decoded and not
 * looked at are given up before frames that are. */
static bool lower_group(struct plan *plan, const struct itsi_quality_turn *turns, int count)
{
    int knobs[ITSI_KNOBS];
    bool moved = false;
    order_knobs(plan, knobs);
    for (int k = 0; k < ITSI_KNOBS && plan->need > 0 && (plan->deep || !moved); k++)
        if (governs(plan, knobs[k], &plan->fleet->demand))
            moved |= lower_knob(plan, turns, count, knobs[k], ultra_low());
    if (plan->need > 0 && (plan->deep || !moved) && governs(plan, ITSI_KNOB_COMPUTE, &plan->fleet->demand))
        moved |= lower_knob(plan, turns, count, ITSI_KNOB_COMPUTE, itsi_quality_deepest(ITSI_KNOB_COMPUTE));
    return moved;
}

/* --- the order ---------------------------------------------------------------------------------------------------- */

static int by_group_then_cost(const void *a, const void *b)
{
    const struct itsi_quality_turn *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return x->member->key < y->member->key ? -1 : 1; /* the same order everywhere */
}

/* Everybody that may move, by weight, the favoured after the others; returns their number and the sum of their cost. */
static int order_members(struct plan *plan, double *sum)
{
    struct itsi_quality_fleet *fleet = plan->fleet;
    int count = 0;
    *sum = 0;
    for (int i = 0; i < fleet->count; i++) {
        struct itsi_quality_member *member = &fleet->members[i];
        if (member->camera->pin >= 0)
            continue;
        const double cost = on_resource(plan, &member->cost);
        const int weight = fleet->policy->prefer_priority ? member->camera->weight : 0;
        fleet->turns[count++] = (struct itsi_quality_turn){
            .member = member, .cost = cost, .group = weight + (itsi_quality_member_favoured(fleet, member) ? 100 : 0)};
        *sum += cost;
    }
    qsort(fleet->turns, (size_t)count, sizeof *fleet->turns, by_group_then_cost);
    return count;
}

/* Returns whether one moved: then the others wait until that shows. */
static bool lower_causes(struct plan *plan, int count, double sum)
{
    bool moved = false;
    for (int i = 0; i < count && plan->need > 0; i++) {
        const struct itsi_quality_turn *turn = &plan->fleet->turns[i];
        const double fair = count > 1 ? (sum - turn->cost) / (count - 1) : turn->cost;
        if (turn->cost > CAUSE_FACTOR * fair && !itsi_quality_member_favoured(plan->fleet, turn->member))
            moved |= lower_cause(plan, turn->member, fair);
    }
    return moved;
}

double itsi_quality_lower(struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource, double need, bool deep,
                          enum itsi_quality_reason reason)
{
    struct plan plan = {.fleet = fleet, .resource = resource, .reason = reason, .need = need, .deep = deep};
    double sum;
    const int count = order_members(&plan, &sum);
    if (lower_causes(&plan, count, sum) && !deep)
        return need - plan.need;
    for (int first = 0, next; first < count && plan.need > 0; first = next) {
        for (next = first; next < count && fleet->turns[next].group == fleet->turns[first].group; next++)
            ;
        if (lower_group(&plan, fleet->turns + first, next - first) && !deep)
            break;
    }
    return need - plan.need;
}

int itsi_quality_exhausted(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource, int *taking)
{
    int count = 0;
    *taking = 0;
    for (int i = 0; i < fleet->count; i++) {
        const struct itsi_quality_member *member = &fleet->members[i];
        struct itsi_quality_work floor;
        const double now = itsi_quality_work_on(fleet->snapshot, resource, &member->cost);
        if (now <= 0)
            continue;
        ++*taking;
        itsi_quality_member_cost(fleet, member, &member->deepest, &floor);
        count += now - itsi_quality_work_on(fleet->snapshot, resource, &floor) <= LEAST_RELIEF * now;
    }
    return count;
}

#include "quality/raise.h"

#include <stdlib.h>

/* Up to a rung on every knob, as far as its bounds allow. */
static struct itsi_quality_position raised(const struct itsi_quality_member *member, int rung)
{
    struct itsi_quality_position at = member->at;
    for (int k = 0; k < ITSI_KNOBS; k++) {
        const int best = rung > member->top.rung[k] ? rung : member->top.rung[k];
        if (at.rung[k] > best)
            at.rung[k] = best;
    }
    return at;
}

static int deepest_rung(const struct itsi_quality_position *at)
{
    int deepest = 0;
    for (int k = 0; k < ITSI_KNOBS; k++)
        if (at->rung[k] > deepest)
            deepest = at->rung[k];
    return deepest;
}

/* What rising to a rung takes on each resource, added to `sum`. */
static void add_rise(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member, int rung,
                     double sum[ITSI_RESOURCES])
{
    struct itsi_quality_work cost;
    const struct itsi_quality_position at = raised(member, rung);
    itsi_quality_member_cost(fleet, member, &at, &cost);
    for (int r = 0; r < ITSI_RESOURCES; r++) {
        const enum itsi_quality_resource resource = (enum itsi_quality_resource)r;
        const double more = itsi_quality_work_on(fleet->snapshot, resource, &cost) -
                            itsi_quality_work_on(fleet->snapshot, resource, &member->cost);
        if (more > 0)
            sum[r] += more;
    }
}

/* A resource that gets no more work sets no limit, full or not. */
static bool fits(const double sum[ITSI_RESOURCES], const double room[ITSI_RESOURCES])
{
    for (int r = 0; r < ITSI_RESOURCES; r++)
        if (sum[r] > 0 && sum[r] > room[r])
            return false;
    return true;
}

static int by_importance(const void *a, const void *b)
{
    const struct itsi_quality_turn *x = a, *y = b;
    if (x->group != y->group)
        return x->group > y->group ? -1 : 1;
    return x->member->key < y->member->key ? -1 : 1;
}

/* Those that may rise, the most important first, within a weight the worst off. */
static int order_candidates(struct itsi_quality_fleet *fleet)
{
    int count = 0;
    for (int i = 0; i < fleet->count; i++) {
        struct itsi_quality_member *member = &fleet->members[i];
        if (member->camera->pin >= 0 || !itsi_quality_member_degraded(member))
            continue;
        const int weight = fleet->policy->prefer_priority ? member->camera->weight : 0;
        const int rank = weight + (itsi_quality_member_favoured(fleet, member) ? 100 : 0);
        fleet->turns[count++] = (struct itsi_quality_turn){
            .member = member, .group = rank * ITSI_QUALITY_RUNGS + deepest_rung(&member->at)};
    }
    qsort(fleet->turns, (size_t)count, sizeof *fleet->turns, by_importance);
    return count;
}

/* The best rung that all candidates fit in together; -1: not even one rung up does. */
static int common_rung(const struct itsi_quality_fleet *fleet, int count, const double room[ITSI_RESOURCES])
{
    int deepest = 0;
    for (int i = 0; i < count; i++) {
        const int rung = deepest_rung(&fleet->turns[i].member->at);
        deepest = rung > deepest ? rung : deepest;
    }
    for (int rung = 0; rung < deepest; rung++) {
        double sum[ITSI_RESOURCES] = {0};
        bool within = true;
        for (int i = 0; i < count && within; i++) {
            add_rise(fleet, fleet->turns[i].member, rung, sum);
            within = fits(sum, room);
        }
        if (within)
            return rung;
    }
    return -1;
}

/* A rise that takes nothing of anything shows nothing: of a camera of which nothing comes, or which has more by a boost. */
static bool takes_more(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member, int rung)
{
    static const double nothing[ITSI_RESOURCES];
    double sum[ITSI_RESOURCES] = {0};
    add_rise(fleet, member, rung, sum);
    return !fits(sum, nothing);
}

static bool try_to_raise(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member, int rung,
                         double room[ITSI_RESOURCES], enum itsi_quality_reason reason)
{
    double sum[ITSI_RESOURCES] = {0};
    const struct itsi_quality_position at = raised(member, rung);
    if (deepest_rung(&at) == deepest_rung(&member->at))
        return false;
    add_rise(fleet, member, rung, sum);
    if (!fits(sum, room))
        return false;
    for (int r = 0; r < ITSI_RESOURCES; r++)
        room[r] -= sum[r];
    member->before = member->at;
    member->on_trial = true;
    itsi_quality_member_move(fleet, member, &at, reason);
    return true;
}

/* At most `wave` of the candidates; telling: only those whose rise shows something. */
static int raise_some(struct itsi_quality_fleet *fleet, int count, double room[ITSI_RESOURCES], int wave, int common,
                      bool telling)
{
    int rose = 0;
    for (int i = 0; i < count && rose < wave; i++) {
        /* a probe risks the least important first */
        struct itsi_quality_member *member = fleet->turns[wave == 1 ? count - 1 - i : i].member;
        const int rung = common >= 0 ? common : deepest_rung(&member->at) - 1;
        if (!telling || takes_more(fleet, member, rung))
            rose += try_to_raise(fleet, member, rung, room, wave == 1 ? ITSI_QUALITY_PROBE : ITSI_QUALITY_RECOVERY);
    }
    return rose;
}

int itsi_quality_raise(struct itsi_quality_fleet *fleet, double room[ITSI_RESOURCES], int wave)
{
    const int count = order_candidates(fleet);
    const int common = common_rung(fleet, count, room);
    const int told = wave == 1 ? raise_some(fleet, count, room, wave, common, true) : 0;
    return told > 0 ? told : raise_some(fleet, count, room, wave, common, false);
}

int itsi_quality_take_back(struct itsi_quality_fleet *fleet)
{
    int back = 0;
    for (int i = 0; i < fleet->count; i++) {
        struct itsi_quality_member *member = &fleet->members[i];
        if (!member->on_trial)
            continue;
        struct itsi_quality_position at = member->at;
        for (int k = 0; k < ITSI_KNOBS; k++)
            if (at.rung[k] < member->before.rung[k] && member->before.rung[k] <= member->deepest.rung[k])
                at.rung[k] = member->before.rung[k];
        itsi_quality_member_move(fleet, member, &at, ITSI_QUALITY_RELAPSE);
        member->on_trial = false;
        back++;
    }
    return back;
}

void itsi_quality_keep(struct itsi_quality_fleet *fleet)
{
    for (int i = 0; i < fleet->count; i++)
        fleet->members[i].on_trial = false;
}

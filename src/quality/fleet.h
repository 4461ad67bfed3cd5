/* The cameras as the controller knows them: what it decided for each, what it learned of each, and the sums. Private to
 * the room. Owned by one controller, touched by one step at a time. */
#ifndef ITSI_QUALITY_FLEET_H
#define ITSI_QUALITY_FLEET_H

#include "quality/cost.h"
#include "quality/event.h"
#include "quality/keys.h"
#include "quality/policy.h"

struct itsi_quality_member {
    /* from step to step; times are the controller's own (see controller_impl.h) */
    uint64_t key;
    struct itsi_quality_position at;     /* where the controller wants it, pin and boost apart */
    struct itsi_quality_position before; /* where a trial began */
    bool on_trial;
    struct itsi_quality_position shown;  /* in effect since the last step */
    int64_t moved[ITSI_KNOBS];           /* when that last changed */
    int64_t boost_until, boost_ends;     /* as the caller names it; the same by the controller's time */
    int64_t came;                        /* when it was first seen */
    struct itsi_quality_work shows;      /* what it took, smoothed like the load that room is judged by */
    struct itsi_quality_learned learned;
    struct itsi_quality_keys keys;
    enum itsi_decode_mode decode;        /* what `shown` came to in the last step; with `sub` */
    bool sub, was_shown;                 /* there was one */
    bool sub_lost;                       /* and that was told */
    /* of this step */
    const struct itsi_quality_camera *camera; /* `facts` */
    struct itsi_quality_camera facts;    /* the snapshot's, and whether its key frames can be relied on */
    bool boosted;
    struct itsi_quality_position top, deepest; /* bounds of `at` */
    struct itsi_quality_work cost;             /* demand at `at`, pin and boost applied */
    enum itsi_quality_reason reason[ITSI_KNOBS];
};

/* A member in the order of a plan. */
struct itsi_quality_turn {
    struct itsi_quality_member *member;
    double cost;
    int group;
};

struct itsi_quality_fleet {
    const struct itsi_quality_snapshot *snapshot;
    const struct itsi_quality_policy *policy;
    struct itsi_quality_costing costing;
    int64_t time; /* the controller's */
    struct itsi_quality_member *members; /* in the snapshot's order */
    int count, capacity;
    struct itsi_quality_member *old; /* of the step before, while they are matched */
    struct itsi_quality_turn *turns; /* room for a plan */
    double seen[ITSI_QUALITY_INPUTS]; /* what a detection took by input size, smoothed; 0: not seen */
    double pictures[ITSI_QUALITY_INPUTS]; /* seen so far */
    double taken;   /* processors busy with what no camera's knob governs, smoothed; -1: unknown */
    double unmet;   /* see itsi_quality_inputs; of this step, not smoothed */
    struct itsi_quality_work demand; /* of all members */
    struct itsi_quality_work gone;   /* of those that left and of levels that were lowered, in the smoothed load still */
};

ITS_NODISCARD int itsi_quality_fleet_init(struct itsi_quality_fleet *fleet, int capacity, struct its_diag *diag);
void itsi_quality_fleet_fini(struct itsi_quality_fleet *fleet);

/* Takes the cameras of a snapshot (borrowed until the next step): keeps what is known of those that stay, forgets those
 * that went, places those that came. */
void itsi_quality_fleet_take(struct itsi_quality_fleet *fleet, const struct itsi_quality_snapshot *snapshot,
                             const struct itsi_quality_policy *policy, int64_t time);
/* Learns from what was measured, then sums up demand, what is taken besides, and what was not met. */
void itsi_quality_fleet_measure(struct itsi_quality_fleet *fleet, int64_t dt_ns);

/* Where a member is with its pin or boost, when the controller wants `at`. */
struct itsi_quality_position itsi_quality_member_in_effect(const struct itsi_quality_member *member,
                                                           const struct itsi_quality_position *at);
void itsi_quality_member_cost(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member,
                              const struct itsi_quality_position *at, struct itsi_quality_work *out);
/* Moves a knob and keeps the sums. */
void itsi_quality_member_move(struct itsi_quality_fleet *fleet, struct itsi_quality_member *member,
                              const struct itsi_quality_position *at, enum itsi_quality_reason reason);
/* Is it lower than it might be, pin and boost apart? */
bool itsi_quality_member_degraded(const struct itsi_quality_member *member);
/* Is it a priority camera as far as the policy cares? */
bool itsi_quality_member_favoured(const struct itsi_quality_fleet *fleet, const struct itsi_quality_member *member);

/* Work per second that there is room for, and demand, what is taken besides included; a resource that the fleet does not
 * use has room for 0. */
double itsi_quality_fleet_capacity(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource);
double itsi_quality_fleet_demand(const struct itsi_quality_fleet *fleet, enum itsi_quality_resource resource);
/* Demand over capacity of the fullest of processors and engine if everybody were at the best that the policy allows. Walks
 * all members. */
double itsi_quality_fleet_best(const struct itsi_quality_fleet *fleet);
/* What all would give up at their floors, and what they take there. */
void itsi_quality_fleet_reclaimable(const struct itsi_quality_fleet *fleet, double reclaimable[ITSI_RESOURCES],
                                    double least[ITSI_RESOURCES]);

#endif

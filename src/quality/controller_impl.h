/* The controller's state, between its files. Private to them. */
#ifndef ITSI_QUALITY_CONTROLLER_IMPL_H
#define ITSI_QUALITY_CONTROLLER_IMPL_H

#include "quality/controller.h"
#include "quality/fleet.h"

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
    double doubt_gave;        /* work that was given up since */
    /* upgrades */
    int64_t calm;             /* time of calm gathered; time between the bands takes from it */
    int64_t raised_at;
    int64_t next_rise;        /* not looked for before */
    bool on_trial;
    bool no_room;             /* the last time that somebody might have risen */
    int wave;
    double flaps;             /* of rises while everybody's best would have fitted, */
    double cramped_flaps;     /* and while it would not: they count as long as it does not */
    bool cramped;             /* it would not, at the last rise */
    double used[ITSI_RESOURCES];   /* share in use, smoothed over policy.slow_ns; from nothing on, so that whoever comes shows in
                                    * it as slowly as in what is kept of each camera and of what was promised */
    double coming[ITSI_RESOURCES]; /* work of upgrades that the smoothed load does not show yet */
    /* the outcome */
    uint64_t changes[ITSI_QUALITY_REASONS];
    int levels[ITSI_QUALITY_LEVELS];
    int64_t exhausted_since, exhausted_at; /* most have nothing left to give, and there was overload; -1: it is not so */
    int exhausted, taking;    /* as of then: members that have not, of those that take of the bottleneck */
    bool degraded;            /* somebody is below where it might be */
    int64_t rise_in;
    enum itsi_quality_hold hold;
    struct itsi_quality_capacity capacity;
};

/* controller_down.c: overload was found. */
void itsi_quality_consider_lowering(struct itsi_quality_state *state, const struct itsi_quality_policy *policy);
void itsi_quality_note_exhaustion(struct itsi_quality_state *state, bool overloaded);

/* controller_up.c: it was not; dt: time since the step before. */
void itsi_quality_consider_raising(struct itsi_quality_state *state, const struct itsi_quality_policy *policy, int64_t dt);
/* Why nobody rises now, as of what the step concluded. */
enum itsi_quality_hold itsi_quality_held(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy);
/* Calm that is asked for before anybody rises. */
int64_t itsi_quality_rise_dwell(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy);
/* In every step: the load as it was measured, and its weight. */
void itsi_quality_follow_use(struct itsi_quality_state *state, const struct itsi_quality_load *load, double weight);
/* What may still be filled, in work per second. The measured load is the fact, less what of it is known to be past; the sum of
 * the estimates stands in where it is unknown. */
void itsi_quality_room_left(const struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                            double room[ITSI_RESOURCES]);

/* controller_outcome.c: where everybody stands now, as targets, events and counts. */
void itsi_quality_conclude(struct itsi_quality_state *state, const struct itsi_quality_policy *policy,
                           struct itsi_quality_target *targets, struct itsi_quality_events *events);

#endif

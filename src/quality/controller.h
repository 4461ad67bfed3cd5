/* The controller of the Adaptive Quality Manager: facts in, a target per camera out.
 *
 * A pure function over a state of its own: no clock, no file, no lock is read in here; one caller at a time. The caller
 * gathers a snapshot every ITSI_QUALITY_TICK_NS, steps, and applies the targets at safe points (key frames, batches).
 *
 *   overloaded -> dwell (short) -> lower by need, settle, look again
 *   calm -> dwell (long, longer after every flap) -> one camera tries -> it held: more, ever larger waves
 *                                                 -> overload came back: back to where it was, and a longer dwell
 *
 * The need is the demand, by measured costs, less what the resource can bear; where the facts say overload and the
 * estimate does not, a small share of the demand, doubled while that does not help. */
#ifndef ITSI_QUALITY_CONTROLLER_H
#define ITSI_QUALITY_CONTROLLER_H

#include "quality/admission.h"
#include "quality/event.h"
#include "quality/hold.h"
#include "quality/policy.h"
#include "quality/pressure.h"
#include "quality/profile.h"

#define ITSI_QUALITY_TICK_NS INT64_C(500000000)

struct itsi_quality_state;

/* max_cameras: most that a snapshot may hold. */
ITS_NODISCARD int itsi_quality_state_create(struct itsi_quality_state **out, int max_cameras, struct its_diag *diag);
void itsi_quality_state_destroy(struct itsi_quality_state *state); /* takes NULL */

/* targets: room for snapshot->count, in the snapshot's order. Ticks may be irregular; a clock that went back counts as no
 * time passed, a gap as two seconds at most. Allocates nothing. ITS_EINVAL: more cameras than the state holds, or no
 * such input size; nothing was changed then. */
ITS_NODISCARD int itsi_quality_step(const struct itsi_quality_snapshot *snapshot,
                                    const struct itsi_quality_policy *policy, struct itsi_quality_state *state,
                                    struct itsi_quality_target *targets, struct itsi_quality_events *events);

/* What users are shown. */
struct itsi_quality_status {
    enum itsi_quality_pressure pressure;
    enum itsi_quality_condition condition; /* of `load` */
    struct itsi_quality_load load;         /* smoothed over policy.slow_ns */
    struct itsi_quality_inputs inputs;     /* of the last step */
    enum itsi_quality_resource bottleneck;
    int cameras[ITSI_QUALITY_LEVELS];      /* by level */
    int lowest_level;                      /* -1: no cameras */
    bool recovering;                       /* a rise is on trial, or more are to follow it */
    double flaps;                          /* recent ones, forgotten slowly */
    int64_t rise_in_ns;                    /* calm still needed before quality rises; 0: none */
    enum itsi_quality_hold hold;           /* why nobody rises now */
    int64_t exhausted_ns;                  /* for so long most of the cameras that take of the bottleneck have had nothing
                                            * left to give, while overload went on; 0: it is not so */
    int exhausted_cameras, taking_cameras; /* those that have not, of those that take of it; 0 with exhausted_ns */
    uint64_t changes, changes_by_reason[ITSI_QUALITY_REASONS]; /* events since the beginning, suppressed ones too */
};
void itsi_quality_status(const struct itsi_quality_state *state, struct itsi_quality_status *out);

/* For admission, as of the last step. */
void itsi_quality_capacity(const struct itsi_quality_state *state, struct itsi_quality_capacity *out);

#endif

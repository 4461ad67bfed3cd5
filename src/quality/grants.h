/* Room that was promised and does not show in the load yet. Between the moment a camera is let in and the moment its work is
 * part of the smoothed load lie seconds (the handshake, the first key frame, the smoothing), and whoever asks meanwhile must
 * not be shown the same room again. So a grant counts as used with what its camera is expected to take where it is by now (at
 * first, where it was let in), less what of that shows. Pure; one caller at a time. */
#ifndef ITSI_QUALITY_GRANTS_H
#define ITSI_QUALITY_GRANTS_H

#include "quality/admission.h"

struct itsi_quality_grant {
    struct itsi_quality_camera camera; /* as it asked; `key` is that of the snapshots */
    double work[ITSI_RESOURCES];  /* expected, per second */
    double least[ITSI_RESOURCES]; /* at its floor: the rest it would give up for others */
    double shown[ITSI_RESOURCES]; /* of `work`, in the load by now */
    int64_t age_ns, gives_ns;     /* since it was let in; since its pictures came */
    bool seen;                    /* in a snapshot: one that is in none any more was removed */
};

struct itsi_quality_grants {
    struct itsi_quality_grant *items; /* owned; the oldest first */
    int count, capacity;
    int64_t followed_at;
};

ITS_NODISCARD int itsi_quality_grants_init(struct itsi_quality_grants *grants, int capacity, struct its_diag *diag);
void itsi_quality_grants_fini(struct itsi_quality_grants *grants); /* takes zeroed */

/* The camera was let in by that offer. Where there are more than `capacity`, the oldest is forgotten. */
void itsi_quality_grants_add(struct itsi_quality_grants *grants, const struct itsi_quality_capacity *capacity,
                             const struct itsi_quality_policy *policy, const struct itsi_quality_camera *camera,
                             const struct itsi_quality_offer *offer);
/* After every step, with what it was told and what it decided (targets in the snapshot's order) and the capacity that it
 * left: what was measured takes the place of what was expected, as fast as it shows in the load that room is judged by. */
void itsi_quality_grants_follow(struct itsi_quality_grants *grants, const struct itsi_quality_snapshot *snapshot,
                                const struct itsi_quality_target *targets,
                                const struct itsi_quality_capacity *capacity,
                                const struct itsi_quality_policy *policy);
/* Takes what was promised from what there is. */
void itsi_quality_grants_debit(const struct itsi_quality_grants *grants, struct itsi_quality_capacity *capacity);

#endif

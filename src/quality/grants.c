#include "quality/grants.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

#define LONGEST_GAP (2 * ITSI_NS_PER_S)
/* One that a step was not told of by then went away again. */
#define APPEARS_NS ITSI_NS_PER_S
/* One that gives no picture by then counts like any other that is away: it takes nothing until it comes. */
#define GIVES_NS (60 * ITSI_NS_PER_S)
/* What it takes is in the load after so many time constants, and what was expected beyond that was expected wrongly. */
#define SHOWS_IN 3

int itsi_quality_grants_init(struct itsi_quality_grants *grants, int capacity, struct its_diag *diag)
{
    *grants = (struct itsi_quality_grants){.capacity = capacity};
    grants->items = itsi_calloc((size_t)capacity, sizeof *grants->items);
    return grants->items ? 0 : itsi_fail(diag, ITS_ENOMEM, "out of memory for the admission of %d cameras", capacity);
}

void itsi_quality_grants_fini(struct itsi_quality_grants *grants)
{
    itsi_free(grants->items);
    *grants = (struct itsi_quality_grants){0};
}

void itsi_quality_grants_add(struct itsi_quality_grants *grants, const struct itsi_quality_capacity *capacity,
                             const struct itsi_quality_policy *policy, const struct itsi_quality_camera *camera,
                             const struct itsi_quality_offer *offer)
{
    int kept = 0; /* of the same key: a start that failed after it had been let in */
    for (int i = 0; i < grants->count; i++)
        if (grants->items[i].camera.key != camera->key)
            grants->items[kept++] = grants->items[i];
    grants->count = kept;
    if (grants->count == grants->capacity)
        memmove(grants->items, grants->items + 1, (size_t)--grants->count * sizeof *grants->items);
    const struct itsi_quality_position at = itsi_quality_offered(policy, camera, offer);
    const struct itsi_quality_position floor = itsi_quality_floor(policy, camera);
    struct itsi_quality_grant *grant = &grants->items[grants->count++];
    *grant = (struct itsi_quality_grant){.camera = *camera};
    itsi_quality_expect(capacity, policy, camera, &at, grant->work);
    itsi_quality_expect(capacity, policy, camera, &floor, grant->least);
}

/* Index of the camera; -1: it is not there. Grants and cameras mostly come in the same order. */
static int find(const struct itsi_quality_snapshot *snapshot, uint64_t key, int *cursor)
{
    for (int tried = 0; tried < snapshot->count; tried++) {
        const int i = (*cursor + tried) % snapshot->count;
        if (snapshot->cameras[i].key == key) {
            *cursor = i + 1;
            return i;
        }
    }
    return -1;
}

/* What of the expected work shows. Returns whether something of it is still to come. */
static bool show(struct itsi_quality_grant *grant, const struct itsi_quality_snapshot *snapshot,
                 const struct itsi_quality_camera *camera, const struct itsi_quality_policy *policy, int64_t dt)
{
    const double weight = itsi_quality_smoothing(dt, policy->slow_ns);
    grant->gives_ns += dt;
    for (int r = 0; r < ITSI_RESOURCES; r++) {
        const double takes = itsi_quality_work_on(snapshot, (enum itsi_quality_resource)r, &camera->cost);
        grant->shown[r] += weight * (takes - grant->shown[r]);
    }
    return grant->gives_ns < SHOWS_IN * policy->slow_ns;
}

/* What it is expected to take where it is. Of its pictures only those key frames are lived on that the controller decided to
 * live on. */
static void expect(struct itsi_quality_grant *grant, const struct itsi_quality_camera *seen,
                   const struct itsi_quality_target *target, const struct itsi_quality_capacity *capacity,
                   const struct itsi_quality_policy *policy)
{
    struct itsi_quality_camera camera = seen->fps > 0 ? *seen : grant->camera;
    camera.irregular_keys = seen->fps > 0 && seen->key_fps > 0 && target->decode != ITSI_DECODE_KEY;
    itsi_quality_expect(capacity, policy, &camera, &target->position, grant->work);
}

void itsi_quality_grants_follow(struct itsi_quality_grants *grants, const struct itsi_quality_snapshot *snapshot,
                                const struct itsi_quality_target *targets,
                                const struct itsi_quality_capacity *capacity,
                                const struct itsi_quality_policy *policy)
{
    int64_t dt = grants->followed_at ? snapshot->now - grants->followed_at : 0;
    dt = dt < 0 ? 0 : dt > LONGEST_GAP ? LONGEST_GAP : dt;
    int kept = 0, cursor = 0;
    for (int i = 0; i < grants->count; i++) {
        struct itsi_quality_grant *grant = &grants->items[i];
        const int at = find(snapshot, grant->camera.key, &cursor);
        const struct itsi_quality_camera *camera = at >= 0 ? &snapshot->cameras[at] : NULL;
        bool stays;
        grant->age_ns += dt;
        if (camera && camera->fps > 0)
            stays = show(grant, snapshot, camera, policy, dt);
        else if (camera)
            stays = grant->age_ns < GIVES_NS;
        else
            stays = !grant->seen && grant->age_ns < APPEARS_NS;
        grant->seen |= camera != NULL;
        if (camera) /* it may have been lowered since, and more is known by now */
            expect(grant, camera, &targets[at], capacity, policy);
        if (stays)
            grants->items[kept++] = *grant;
    }
    grants->count = kept;
    grants->followed_at = snapshot->now;
}

void itsi_quality_grants_debit(const struct itsi_quality_grants *grants, struct itsi_quality_capacity *capacity)
{
    for (int i = 0; i < grants->count; i++) {
        const struct itsi_quality_grant *grant = &grants->items[i];
        for (int r = 0; r < ITSI_RESOURCES; r++) {
            capacity->free[r] -= fmax(grant->work[r] - grant->shown[r], 0);
            /* once pictures come, the controller itself knows what it would give up */
            if (grant->gives_ns == 0)
                capacity->reclaimable[r] += fmax(grant->work[r] - grant->least[r], 0);
        }
    }
}

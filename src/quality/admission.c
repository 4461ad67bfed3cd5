#include "quality/admission.h"

#include "core/detection.h"
#include "quality/profile.h"

#include <math.h>
#include <stdio.h>

const char *itsi_quality_answer_name(enum itsi_quality_answer answer)
{
    static const char *const names[] = {
#define ITSI_X(name, text) text,
        ITSI_QUALITY_ANSWER_MAP(ITSI_X)
#undef ITSI_X
    };
    return names[answer];
}

/* The newcomer among the facts that costs are predicted from. */
struct applicant {
    struct itsi_quality_camera camera;
    struct itsi_quality_snapshot snapshot;
    struct itsi_quality_costing costing;
    struct itsi_quality_learned learned;
};

/* What nobody has told of it is taken to be as it is with the others. */
static void complete(struct itsi_quality_camera *camera, const struct itsi_quality_typical *typical)
{
    if (camera->width <= 0 || camera->height <= 0) {
        const double lines = typical->pixels > 0 ? sqrt(typical->pixels * 9 / 16) : 1080;
        camera->width = (int)(lines * 16 / 9 + 0.5);
        camera->height = (int)(lines + 0.5);
    }
    if (camera->key_fps <= 0)
        camera->key_fps = fmin(typical->key_fps, camera->fps);
    if (camera->droppable <= 0)
        camera->droppable = typical->droppable;
}

static void imagine(struct applicant *a, const struct itsi_quality_capacity *capacity,
                    const struct itsi_quality_policy *policy, const struct itsi_quality_camera *camera)
{
    *a = (struct applicant){
        .camera = *camera,
        .snapshot = {.inputs = capacity->inputs, .input_count = capacity->input_count,
                     .own_input = capacity->own_input, .engine_on_cpu = capacity->engine_on_cpu},
        .costing = {.snapshot = &a->snapshot, .floor_fps = policy->floor_fps},
    };
    complete(&a->camera, &capacity->typical);
    for (int i = 0; i < capacity->input_count; i++)
        a->costing.unit[i] = capacity->unit[i];
    for (int mode = 0; mode < ITSI_DECODE_MODES && !camera->undecoded; mode++)
        a->learned.decode[0][mode] = capacity->typical.decode[mode] * a->camera.width * a->camera.height;
}

static void work_at(const struct applicant *a, const struct itsi_quality_position *at, double work[ITSI_RESOURCES])
{
    struct itsi_quality_work cost;
    itsi_quality_predict(&a->costing, &a->camera, &a->learned, at, &cost);
    for (int r = 0; r < ITSI_RESOURCES; r++)
        work[r] = itsi_quality_work_on(&a->snapshot, (enum itsi_quality_resource)r, &cost);
}

/* How much is missing on the resource that lacks most of what is asked of it; 0: it fits. */
static double shortage(const double work[ITSI_RESOURCES], const double free[ITSI_RESOURCES],
                       enum itsi_quality_resource *resource)
{
    double most = 0;
    for (int r = 0; r < ITSI_RESOURCES; r++) {
        const double missing = work[r] > 0 ? work[r] - free[r] : 0;
        if (missing > most) {
            most = missing;
            *resource = (enum itsi_quality_resource)r;
        }
    }
    return most;
}

static double shortage_at(const struct applicant *a, int level, const double free[ITSI_RESOURCES],
                          enum itsi_quality_resource *resource)
{
    double work[ITSI_RESOURCES];
    const struct itsi_quality_position at = itsi_quality_position_at(level);
    work_at(a, &at, work);
    return shortage(work, free, resource);
}

/* Lowest level, and there the rungs below it. */
struct itsi_quality_position itsi_quality_floor(const struct itsi_quality_policy *policy,
                                                const struct itsi_quality_camera *camera)
{
    if (camera->pin >= 0)
        return itsi_quality_position_at(camera->pin);
    if (camera->is_priority && policy->prefer_priority && policy->protect_priority)
        return itsi_quality_position_at(policy->priority_floor);
    struct itsi_quality_position at;
    for (int k = 0; k < ITSI_KNOBS; k++)
        at.rung[k] = itsi_quality_deepest((enum itsi_quality_knob)k);
    return at;
}

struct itsi_quality_position itsi_quality_offered(const struct itsi_quality_policy *policy,
                                                  const struct itsi_quality_camera *camera,
                                                  const struct itsi_quality_offer *offer)
{
    return offer->at_floor ? itsi_quality_floor(policy, camera) : itsi_quality_position_at(offer->level);
}

void itsi_quality_begin(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                        const struct itsi_quality_camera *camera, const struct itsi_quality_offer *offer,
                        struct itsi_quality_target *out)
{
    const struct itsi_quality_snapshot snapshot = {.inputs = capacity->inputs, .input_count = capacity->input_count,
                                                   .own_input = capacity->own_input};
    const struct itsi_quality_position at = itsi_quality_offered(policy, camera, offer);
    struct itsi_quality_camera unseen = *camera;
    unseen.fps = 0; /* what it announces binds nobody */
    unseen.has_sub = false;
    itsi_quality_target_make(&snapshot, &unseen, &at, policy->floor_fps, out);
}

void itsi_quality_expect(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                         const struct itsi_quality_camera *camera, const struct itsi_quality_position *at,
                         double work[ITSI_RESOURCES])
{
    struct applicant a;
    imagine(&a, capacity, policy, camera);
    work_at(&a, at, work);
}

/* It does not fit beside the others as they are, or at a level below what it asked for: lower, or make room. */
static void degrade(const struct applicant *a, const struct itsi_quality_capacity *capacity,
                    const struct itsi_quality_policy *policy, struct itsi_quality_offer *out)
{
    const struct itsi_quality_position floor = itsi_quality_floor(policy, &a->camera);
    const int lowest = itsi_quality_position_level(&floor);
    if (out->fits_at >= lowest) {
        out->admitted = true;
        out->answer = ITSI_ANSWER_FITS_LOWER;
        out->level = out->fits_at;
        return;
    }
    double work[ITSI_RESOURCES], free[ITSI_RESOURCES];
    for (int r = 0; r < ITSI_RESOURCES; r++)
        free[r] = capacity->free[r] + capacity->reclaimable[r];
    work_at(a, &floor, work);
    out->missing = shortage(work, free, &out->resource);
    if (out->missing > 0)
        return;
    out->admitted = out->at_floor = true;
    out->answer = ITSI_ANSWER_OTHERS_GIVE;
    out->level = lowest;
}

void itsi_quality_admit(const struct itsi_quality_capacity *capacity, const struct itsi_quality_policy *policy,
                        const struct itsi_quality_camera *camera, struct itsi_quality_offer *out)
{
    struct applicant a;
    const int asked = camera->pin >= 0 ? camera->pin : policy->default_level;
    imagine(&a, capacity, policy, camera);
    *out = (struct itsi_quality_offer){.answer = ITSI_ANSWER_NO_ROOM, .level = asked, .fits_at = -1};
    out->missing = shortage_at(&a, asked, capacity->free, &out->resource);
    enum itsi_quality_resource ignored = ITSI_RESOURCE_CPU;
    for (int level = asked; level >= ITSI_QUALITY_ULTRA_LOW && out->fits_at < 0; level--)
        if (shortage_at(&a, level, capacity->free, &ignored) <= 0)
            out->fits_at = level;
    if (out->fits_at == asked) {
        out->admitted = true;
        out->answer = ITSI_ANSWER_FITS;
    } else if (policy->enabled && policy->admission == ITSI_ADMIT_DEGRADE && camera->pin < 0) {
        degrade(&a, capacity, policy, out);
    }
}

static void missing_text(const struct itsi_quality_offer *offer, char *out, size_t size)
{
    static const char *const of[] = {"of a core", "of the engine's time", "of the picture encoder's time"};
    snprintf(out, size, "needs %.2g %s more", fmax(offer->missing, 0.01), of[offer->resource]);
}

void itsi_quality_offer_text(const struct itsi_quality_offer *offer, char *out, size_t size)
{
    char missing[96];
    switch (offer->answer) {
    case ITSI_ANSWER_FITS:
        snprintf(out, size, "fits at level %s", itsi_quality_name(offer->level));
        break;
    case ITSI_ANSWER_FITS_LOWER:
        snprintf(out, size, "admitted at level %s: there is no room for more", itsi_quality_name(offer->level));
        break;
    case ITSI_ANSWER_OTHERS_GIVE:
        snprintf(out, size, "admitted at level %s: other cameras are lowered for it", itsi_quality_name(offer->level));
        break;
    default:
        missing_text(offer, missing, sizeof missing);
        if (offer->fits_at >= 0)
            snprintf(out, size, "%s; would fit at level %s", missing, itsi_quality_name(offer->fits_at));
        else
            snprintf(out, size, "%s; fits at no level", missing);
    }
}

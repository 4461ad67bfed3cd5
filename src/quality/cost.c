#include "quality/cost.h"

#include <math.h>

/* How much more one size takes than another. */
static double ratio(const struct itsi_quality_input *of, const struct itsi_quality_input *to)
{
    if (of->warm > 0 && to->warm > 0)
        return of->warm / to->warm;
    return ((double)of->width * of->height) / ((double)to->width * to->height);
}

/* The size nearest in the list whose cost is known; -1: none is. */
static int nearest_known(const double known[ITSI_QUALITY_INPUTS], int count, int input)
{
    for (int away = 0; away < count; away++) {
        if (input + away < count && known[input + away] > 0)
            return input + away;
        if (input - away >= 0 && known[input - away] > 0)
            return input - away;
    }
    return -1;
}

void itsi_quality_costing_begin(struct itsi_quality_costing *costing, const struct itsi_quality_snapshot *snapshot,
                                double floor_fps, const double seen[ITSI_QUALITY_INPUTS])
{
    double known[ITSI_QUALITY_INPUTS];
    costing->snapshot = snapshot;
    costing->floor_fps = floor_fps;
    for (int i = 0; i < snapshot->input_count; i++)
        known[i] = snapshot->inputs[i].seconds > 0 ? snapshot->inputs[i].seconds : seen[i];
    for (int i = 0; i < snapshot->input_count; i++) {
        const int near = nearest_known(known, snapshot->input_count, i);
        costing->unit[i] = near < 0 ? snapshot->inputs[i].warm
                                    : known[near] * ratio(&snapshot->inputs[i], &snapshot->inputs[near]);
    }
}

/* Share of the work of decoding every frame of the main stream, by what is known before it was tried. */
static double decode_share(const struct itsi_quality_camera *camera, bool sub, enum itsi_decode_mode mode)
{
    double share = 1;
    if (sub && camera->width > 0 && camera->height > 0) {
        const double pixels = camera->sub_width > 0 && camera->sub_height > 0
                                  ? (double)camera->sub_width * camera->sub_height : 640.0 * 360;
        share = fmin(pixels / ((double)camera->width * camera->height), 1);
    }
    if (mode == ITSI_DECODE_REFERENCE)
        share *= 1 - camera->droppable;
    else if (mode == ITSI_DECODE_KEY && camera->fps > 0)
        share *= fmin(2 * camera->key_fps / camera->fps, 1); /* a key frame takes about twice an average one */
    return share;
}

/* Per frame of the source: seen, or by proportion from a way that was seen. The main stream decoded whole is where all
 * begin and the best to scale from, hence the order. */
static double decode_cost(const struct itsi_quality_camera *camera, const struct itsi_quality_learned *learned, bool sub,
                          enum itsi_decode_mode mode)
{
    if (learned->decode[sub][mode] > 0)
        return learned->decode[sub][mode];
    for (int s = 0; s < 2; s++)
        for (int m = 0; m < ITSI_DECODE_MODES; m++)
            if (learned->decode[s][m] > 0) {
                const double from = decode_share(camera, s, (enum itsi_decode_mode)m);
                return from > 0 ? learned->decode[s][m] * decode_share(camera, sub, mode) / from : 0;
            }
    return 0;
}

static double approach(double old, double new, double weight)
{
    return old > 0 ? old + weight * (new - old) : new;
}

void itsi_quality_learn(struct itsi_quality_learned *learned, const struct itsi_quality_camera *camera,
                        const struct itsi_quality_target *target, double weight)
{
    const double due = itsi_quality_decoded_fps(camera, target->decode);
    if (camera->fps > 0 && camera->decoded_fps > 0 && camera->cost.decode > 0 && due > 0) {
        double *seen = &learned->decode[target->sub_stream][target->decode];
        /* a decoder that lags behind would take this much more to keep up */
        const double lag = fmin(fmax(due / camera->decoded_fps, 1), 4);
        *seen = approach(*seen, camera->cost.decode * lag / camera->fps, weight);
    }
    /* pictures are encoded while somebody looks: no cost is a fact here, not a gap in knowledge */
    const double rows = (double)target->encode_height * target->encode_height;
    if (rows > 0)
        learned->encode = approach(learned->encode, camera->cost.encode / rows, weight);
}

double itsi_quality_detections(const struct itsi_quality_camera *camera, const struct itsi_quality_target *target)
{
    return camera->fps > 0 ? target->analysed_fps / target->detect_interval : 0;
}

void itsi_quality_predict(const struct itsi_quality_costing *costing, const struct itsi_quality_camera *camera,
                          const struct itsi_quality_learned *learned, const struct itsi_quality_position *position,
                          struct itsi_quality_work *out)
{
    struct itsi_quality_target target;
    itsi_quality_target_make(costing->snapshot, camera, position, costing->floor_fps, &target);
    out->decode = camera->fps * decode_cost(camera, learned, target.sub_stream, target.decode);
    out->infer = itsi_quality_detections(camera, &target) * costing->unit[target.input];
    out->encode = learned->encode * (double)target.encode_height * target.encode_height;
}

const char *itsi_quality_resource_name(enum itsi_quality_resource resource)
{
    static const char *const names[] = {"cpu", "engine", "encoder"};
    return names[resource];
}

double itsi_quality_work_of(const struct itsi_quality_snapshot *snapshot, enum itsi_quality_resource resource,
                            enum itsi_quality_knob knob, const struct itsi_quality_work *work)
{
    switch (knob) {
    case ITSI_KNOB_DECODE:
        return resource == ITSI_RESOURCE_CPU ? work->decode : 0;
    case ITSI_KNOB_COMPUTE:
        return resource == (snapshot->engine_on_cpu ? ITSI_RESOURCE_CPU : ITSI_RESOURCE_ENGINE) ? work->infer : 0;
    default:
        return resource == ITSI_RESOURCE_ENGINE ? 0 : work->encode;
    }
}

double itsi_quality_work_on(const struct itsi_quality_snapshot *snapshot, enum itsi_quality_resource resource,
                            const struct itsi_quality_work *work)
{
    double sum = 0;
    for (int k = 0; k < ITSI_KNOBS; k++)
        sum += itsi_quality_work_of(snapshot, resource, (enum itsi_quality_knob)k, work);
    return sum;
}

#include "quality/ladder.h"

#include "metrics/rate.h"
#include "quality/profile.h"

#include <math.h>

/* What detection is by rung: the profiles' first, then what lies below ultra_low. There too cadence goes before size, which
 * goes only where the rarest detection that is allowed is near. */
static const struct {
    int interval;
    double share; /* of the model's own input */
} compute[ITSI_QUALITY_RUNGS] = {{1, 1.5}, {1, 1}, {2, 1}, {3, 0.75}, {4, 0.75}, {6, 0.75}, {8, 0.5}, {15, 0.5}};

const char *itsi_quality_knob_name(enum itsi_quality_knob knob)
{
    static const char *const names[] = {"decode", "compute", "encode"};
    return names[knob];
}

int itsi_quality_rung_of(int level)
{
    return ITSI_QUALITY_ULTRA_HIGH - level;
}

int itsi_quality_level_of(int rung)
{
    return rung < ITSI_QUALITY_ULTRA_HIGH ? ITSI_QUALITY_ULTRA_HIGH - rung : ITSI_QUALITY_ULTRA_LOW;
}

double itsi_quality_input_share(int rung)
{
    return compute[rung].share;
}

int itsi_quality_deepest(enum itsi_quality_knob knob)
{
    return knob == ITSI_KNOB_COMPUTE ? ITSI_QUALITY_RUNGS - 1 : itsi_quality_rung_of(ITSI_QUALITY_ULTRA_LOW);
}

struct itsi_quality_position itsi_quality_position_at(int level)
{
    struct itsi_quality_position position;
    for (int k = 0; k < ITSI_KNOBS; k++)
        position.rung[k] = itsi_quality_rung_of(level);
    return position;
}

int itsi_quality_position_level(const struct itsi_quality_position *position)
{
    int deepest = 0;
    for (int k = 0; k < ITSI_KNOBS; k++)
        if (position->rung[k] > deepest)
            deepest = position->rung[k];
    return itsi_quality_level_of(deepest);
}

double itsi_quality_decoded_fps(const struct itsi_quality_camera *camera, enum itsi_decode_mode mode)
{
    switch (mode) {
    case ITSI_DECODE_REFERENCE:
        return camera->fps * (1 - camera->droppable);
    case ITSI_DECODE_KEY:
        return fmin(camera->key_fps, camera->fps);
    default:
        return camera->fps;
    }
}

/* Does the mode leave as much as the floor? Of a camera of which nothing comes just now only its key frames are known. */
static bool leaves_floor(const struct itsi_quality_camera *camera, enum itsi_decode_mode mode, double floor_fps)
{
    if (mode == ITSI_DECODE_KEY && (camera->key_fps <= 0 || camera->irregular_keys))
        return false; /* without a floor anything would do, even what is not known to come */
    if (camera->fps <= 0)
        return mode != ITSI_DECODE_KEY || itsi_rate_reaches(camera->key_fps, floor_fps);
    return itsi_rate_reaches(itsi_quality_decoded_fps(camera, mode), floor_fps);
}

/* Of the modes up to `wanted`, the cheapest that still gives floor_fps. */
static enum itsi_decode_mode mode_within(const struct itsi_quality_camera *camera, enum itsi_decode_mode wanted,
                                            double floor_fps)
{
    enum itsi_decode_mode mode = wanted;
    while (mode > ITSI_DECODE_ALL && !leaves_floor(camera, mode, floor_fps))
        mode--;
    return mode == ITSI_DECODE_REFERENCE && camera->droppable <= 0 ? ITSI_DECODE_ALL : mode;
}

/* The sub-stream comes first: it keeps every frame, and the network sees fewer pixels than it has anyway. */
static void set_decode(const struct itsi_quality_camera *camera, int rung, double floor_fps,
                       struct itsi_quality_target *out)
{
    static const enum itsi_decode_mode with_sub[] = {ITSI_DECODE_ALL, ITSI_DECODE_ALL, ITSI_DECODE_ALL,
                                                        ITSI_DECODE_REFERENCE, ITSI_DECODE_KEY};
    static const enum itsi_decode_mode without[] = {ITSI_DECODE_ALL, ITSI_DECODE_ALL, ITSI_DECODE_REFERENCE,
                                                       ITSI_DECODE_REFERENCE, ITSI_DECODE_KEY};
    out->sub_stream = camera->has_sub && rung >= itsi_quality_rung_of(ITSI_QUALITY_MEDIUM);
    out->decode = mode_within(camera, camera->has_sub ? with_sub[rung] : without[rung], floor_fps);
}

/* The smallest input that is as large as asked; inputs are built in steps of 32, hence the tolerance. */
static int input_for(const struct itsi_quality_snapshot *snapshot, double share)
{
    const double wanted = share * snapshot->inputs[snapshot->own_input].width - 16;
    int found = 0;
    for (int i = 0; i < snapshot->input_count && snapshot->inputs[i].width >= wanted; i++)
        found = i;
    return found;
}

/* Of key frames that come no faster than the floor each one that comes to nothing would be a second without detection, and
 * so would be each that comes a moment late: so many more than the floor are asked for (capture/selection.h makes them up
 * from the pictures between). */
#define FLOOR_MARGIN 1.1

static double analysed_of(const struct itsi_quality_camera *camera, enum itsi_decode_mode mode, double floor_fps)
{
    const double decoded = itsi_quality_decoded_fps(camera, mode);
    return mode == ITSI_DECODE_KEY && !camera->reordered ? fmin(fmax(decoded, FLOOR_MARGIN * floor_fps), camera->fps) : decoded;
}

/* A rung is a rate of detections, profile->fps / interval, and not a share of what comes: of two key frames a second none
 * is left out. */
static void set_compute(const struct itsi_quality_snapshot *snapshot, const struct itsi_quality_camera *camera, int rung,
                        double floor_fps, struct itsi_quality_target *out)
{
    const struct itsi_quality_profile *profile = itsi_quality_profile(itsi_quality_level_of(rung));
    double analysed = fmin(analysed_of(camera, out->decode, floor_fps), profile->fps);
    const double rate = fmax((double)profile->fps / compute[rung].interval, floor_fps);
    /* rounded towards more detections, but for a hair: 14.99 measured frames a second are 15 */
    int interval = (int)(analysed / (ITSI_RATE_AS_GOOD * rate));
    if (interval < 1)
        interval = 1;
    if (camera->max_interval > 0 && interval > camera->max_interval) {
        /* tracking would not hold: as many detections, no results between them that nobody can vouch for */
        analysed *= (double)camera->max_interval / interval;
        interval = camera->max_interval;
    }
    out->analysed_fps = analysed;
    out->detect_interval = interval;
    out->input = input_for(snapshot, compute[rung].share);
}

static void set_encode(const struct itsi_quality_camera *camera, int rung, struct itsi_quality_target *out)
{
    const struct itsi_quality_profile *profile = itsi_quality_profile(itsi_quality_level_of(rung));
    out->encode_height = camera->height > 0 && camera->height < profile->height ? camera->height : profile->height;
    out->jpeg_quality = profile->jpeg_quality;
    out->bitrate_kbps = profile->bitrate_kbps;
}

void itsi_quality_target_make(const struct itsi_quality_snapshot *snapshot, const struct itsi_quality_camera *camera,
                              const struct itsi_quality_position *position, double floor_fps,
                              struct itsi_quality_target *out)
{
    out->position = *position;
    out->level = itsi_quality_position_level(position);
    set_decode(camera, position->rung[ITSI_KNOB_DECODE], floor_fps, out);
    set_compute(snapshot, camera, position->rung[ITSI_KNOB_COMPUTE], floor_fps, out);
    set_encode(camera, position->rung[ITSI_KNOB_ENCODE], out);
}

#include "postprocess/track_motion.h"

#include <math.h>

/* All in sizes of the box itself (its width for x, its height for y): a near car and a far one look alike then. */
#define SEEN_NOISE 0.05F    /* how far a detected edge is off, as in ByteTrack */
#define FIRST_SPEED 3.0F    /* deviation of the speed nobody has measured yet, sizes per second */
#define FIRST_GROWTH 0.5F   /* the same of the size itself */
#define PUSH 2.0F           /* how much the speed wanders, sizes per second in a second */
#define PUSH_GROWTH 0.5F    /* the same of the size's speed */
#define LEAST_SIZE 1e-4F    /* of a box, so that no noise is nothing */

struct itsi_share_box itsi_share_box(const struct itsi_detection *d, int width, int height)
{
    const float w = (float)width, h = (float)height;
    return (struct itsi_share_box){d->x1 / w, d->y1 / h, d->x2 / w, d->y2 / h};
}

static void measure(const struct itsi_share_box *box, float out[4])
{
    out[0] = (box->x1 + box->x2) / 2;
    out[1] = (box->y1 + box->y2) / 2;
    out[2] = fmaxf(box->x2 - box->x1, LEAST_SIZE);
    out[3] = fmaxf(box->y2 - box->y1, LEAST_SIZE);
}

void itsi_motion_begin(struct itsi_motion *motion, const struct itsi_share_box *seen)
{
    float at[4];
    measure(seen, at);
    for (int i = 0; i < 4; i++) {
        const float size = at[2 + i % 2], noise = SEEN_NOISE * size;
        const float speed = (i < 2 ? FIRST_SPEED : FIRST_GROWTH) * size;
        motion->axis[i] = (struct itsi_axis){.at = at[i], .var_at = noise * noise, .var_speed = speed * speed};
    }
}

/* The speed is pushed about by white noise of `push` squared per second (Bar-Shalom et al. 2001, 6.2.2). */
static void pass(struct itsi_axis *a, float t, float push)
{
    const float q = push * push;
    a->at += a->speed * t;
    a->var_at += t * (2 * a->cov + t * a->var_speed) + q * t * t * t / 3;
    a->cov += t * a->var_speed + q * t * t / 2;
    a->var_speed += q * t;
}

void itsi_motion_predict(struct itsi_motion *motion, float seconds)
{
    for (int i = 0; i < 4; i++) {
        const float size = fmaxf(motion->axis[2 + i % 2].at, LEAST_SIZE);
        pass(&motion->axis[i], seconds, (i < 2 ? PUSH : PUSH_GROWTH) * size);
    }
}

static void correct(struct itsi_axis *a, float seen, float noise)
{
    const float off = seen - a->at, total = a->var_at + noise * noise;
    const float gain = a->var_at / total, gain_speed = a->cov / total;
    a->at += gain * off;
    a->speed += gain_speed * off;
    a->var_speed -= gain_speed * a->cov;
    a->cov -= gain * a->cov;
    a->var_at -= gain * a->var_at;
}

void itsi_motion_correct(struct itsi_motion *motion, const struct itsi_share_box *seen)
{
    float at[4];
    measure(seen, at);
    for (int i = 0; i < 4; i++)
        correct(&motion->axis[i], at[i], SEEN_NOISE * at[2 + i % 2]);
}

static struct itsi_share_box box_of(float x, float y, float w, float h)
{
    w = fmaxf(w, LEAST_SIZE) / 2;
    h = fmaxf(h, LEAST_SIZE) / 2;
    return (struct itsi_share_box){x - w, y - h, x + w, y + h};
}

struct itsi_share_box itsi_motion_box(const struct itsi_motion *motion)
{
    const struct itsi_axis *a = motion->axis;
    return box_of(a[0].at, a[1].at, a[2].at, a[3].at);
}

struct itsi_share_box itsi_motion_carry(const struct itsi_motion *motion, const struct itsi_share_box *box,
                                        float seconds)
{
    const struct itsi_axis *a = motion->axis;
    float at[4];
    measure(box, at);
    return box_of(at[0] + seconds * a[0].speed, at[1] + seconds * a[1].speed, at[2] + seconds * a[2].speed,
                  at[3] + seconds * a[3].speed);
}

/* What a surface looks like: how each material answers light, what it mirrors, what shines by itself. */
#include "render/draw.h"

#include <math.h>

/* How each material answers light: matt share, and of light (not of what a screen shows) the mirror share at right
 * angles and at grazing; gloss of the sun's spot. */
struct finish {
    float matt, mirror, grazing, spot;
};
static const struct finish finishes[ITSI_MAT_COUNT] = {
    [ITSI_MAT_BODY] = {1.0f, 0.055f, 0.75f, 0.7f},
    [ITSI_MAT_BODY2] = {1.0f, 0.02f, 0.3f, 0.2f},
    [ITSI_MAT_CARGO] = {1.0f, 0, 0.03f, 0},
    [ITSI_MAT_ACCENT] = {1.0f, 0.02f, 0.2f, 0},
    [ITSI_MAT_GLASS] = {0.7f, 0.08f, 0.9f, 0.7f},
    [ITSI_MAT_TRIM] = {1.0f, 0.01f, 0.15f, 0.05f},
    [ITSI_MAT_METAL] = {0.8f, 0.25f, 0.5f, 0.4f},
    [ITSI_MAT_TYRE] = {1.0f, 0, 0.02f, 0},
    [ITSI_MAT_UNDER] = {0.5f, 0, 0, 0},
    [ITSI_MAT_HEAD] = {0.8f, 0.35f, 0.6f, 0.8f},
    [ITSI_MAT_TAIL] = {0.9f, 0.05f, 0.5f, 0.3f},
    [ITSI_MAT_BRAKE] = {0.9f, 0.02f, 0.2f, 0},
    [ITSI_MAT_SIGN] = {0.6f, 0.02f, 0.2f, 0},
    [ITSI_MAT_PLATE] = {1.0f, 0.01f, 0.1f, 0},
    [ITSI_MAT_SKIN] = {1.0f, 0, 0.03f, 0},
    [ITSI_MAT_HAIR] = {1.0f, 0.01f, 0.1f, 0},
    [ITSI_MAT_CLOTH1] = {1.0f, 0, 0.03f, 0},
    [ITSI_MAT_CLOTH2] = {1.0f, 0, 0.03f, 0},
    [ITSI_MAT_SCREEN] = {0.9f, 0.09f, 0.9f, 0.7f},
    [ITSI_MAT_ROOF] = {1.0f, 0.055f, 0.75f, 0.7f},
    [ITSI_MAT_LOWER] = {1.0f, 0.02f, 0.35f, 0.15f},
    [ITSI_MAT_RIM] = {0.9f, 0.15f, 0.4f, 0.4f},
    [ITSI_MAT_BLUE] = {1.0f, 0.05f, 0.3f, 0.3f},
    [ITSI_MAT_SEAT] = {0.9f, 0.09f, 0.9f, 0.7f},
};

static struct itsi_rgb emitted(const struct itsi_air *air, const struct itsi_actor *actor, int mat)
{
    bool on = air->lamps && actor->lit;
    if (mat == ITSI_MAT_HEAD && on)
        return itsi_rgb(1.0f, 0.97f, 0.88f);
    if (mat == ITSI_MAT_TAIL && (on || actor->braking))
        return actor->braking ? itsi_rgb(0.55f, 0.05f, 0.04f) : itsi_rgb(0.28f, 0.02f, 0.02f);
    if (mat == ITSI_MAT_BRAKE && actor->braking)
        return itsi_rgb(0.6f, 0.06f, 0.04f);
    if (mat == ITSI_MAT_SIGN)
        return on ? itsi_rgb(0.85f, 0.55f, 0.12f) : itsi_rgb(0.3f, 0.2f, 0.05f);
    return itsi_rgb(0, 0, 0);
}

/* What shiny things mirror: a sky with clouds above a skyline of trees and houses, those, and the road below. The
 * skyline depends on the direction and, being near, on the place; so it runs over panes and bonnets as they move. */
static struct itsi_rgb surroundings(const struct itsi_air *air, struct itsi_vec3 refl, struct itsi_vec3 p)
{
    float rough = itsi_noise2(77, refl.x * 4 + p.x * 0.12f, refl.y * 4 + p.y * 0.12f);
    struct itsi_rgb wall = itsi_mix(itsi_scale(air->bounce, 0.4f), itsi_scale(air->horizon, 0.55f), rough);
    if (refl.z < 0)
        return itsi_mix(wall, itsi_scale(air->bounce, 0.75f), itsi_clampf(-refl.z * 4, 0, 1));
    float skyline = 0.02f + 1.25f * rough * rough * rough;
    struct itsi_rgb sky = itsi_air_sky(air, refl);
    float grey = (sky.r + sky.g + sky.b) / 3; /* clouds take most of the blue away */
    sky = itsi_scale(itsi_mix(sky, itsi_rgb(grey, grey, grey), 0.5f), 1.3f - 0.6f * rough);
    return itsi_mix(wall, sky, itsi_clampf((refl.z - skyline) * 5, 0, 1));
}

/* The same in what is not quite smooth. */
static struct itsi_rgb blurred(const struct itsi_air *air, struct itsi_vec3 refl)
{
    return itsi_mix(itsi_scale(air->bounce, 0.6f), itsi_mix(air->horizon, air->zenith, 0.4f),
                    itsi_clampf(refl.z * 1.5f + 0.3f, 0, 1));
}

/* A clear coat: light adds up, and a screen's values are about its square roots. That is why the roof of a black car
 * under a bright sky is grey. */
static struct itsi_rgb over_mirror(struct itsi_rgb c, struct itsi_rgb m, float share)
{
    float keep = 1 - share;
    return itsi_rgb(sqrtf(c.r * c.r * keep + m.r * m.r * share), sqrtf(c.g * c.g * keep + m.g * m.g * share),
                    sqrtf(c.b * c.b * keep + m.b * m.b * share));
}

static struct itsi_rgb lit(const struct itsi_air *air, struct itsi_rgb paint, const struct finish *f,
                           struct itsi_vec3 n, struct itsi_vec3 p, struct itsi_vec3 eye)
{
    float up = n.z * 0.5f + 0.5f;
    struct itsi_rgb sky = itsi_mix(air->bounce, itsi_mix(air->horizon, air->zenith, 0.5f), up);
    float sun = itsi_maxf(0, itsi_dot(n, air->sun));
    /* The ground and what stands about take light away near the ground. */
    float low = itsi_clampf(0.55f + p.z * 0.45f, 0.55f, 1);
    struct itsi_rgb in = itsi_rgb((sky.r * 0.72f + air->ambient) * low + air->sun_light.r * sun * air->shadow,
                                  (sky.g * 0.72f + air->ambient) * low + air->sun_light.g * sun * air->shadow,
                                  (sky.b * 0.72f + air->ambient) * low + air->sun_light.b * sun * air->shadow);
    struct itsi_rgb c = itsi_rgb(paint.r * in.r * f->matt, paint.g * in.g * f->matt, paint.b * in.b * f->matt);
    if (f->grazing <= 0)
        return c;
    float facing = itsi_dot(n, eye);
    float k = 1 - itsi_clampf(facing, 0, 1);
    float mirror = f->mirror + (f->grazing - f->mirror) * k * k * k * k * k;
    struct itsi_vec3 refl = itsi_vec3(2 * facing * n.x - eye.x, 2 * facing * n.y - eye.y, 2 * facing * n.z - eye.z);
    c = over_mirror(c, f->spot > 0.5f ? surroundings(air, refl, p) : blurred(air, refl), mirror);
    float spot = itsi_maxf(0, itsi_dot(refl, air->sun));
    spot *= spot;
    spot *= spot;
    spot *= spot;
    spot *= spot;
    spot = spot * spot * f->spot * air->shadow;
    return itsi_rgb(c.r + air->sun_light.r * spot, c.g + air->sun_light.g * spot, c.b + air->sun_light.b * spot);
}

struct itsi_rgb itsi_finish(const struct itsi_air *air, const struct itsi_actor *actor, int mat, struct itsi_vec3 n,
                            struct itsi_vec3 p, struct itsi_vec3 eye)
{
    struct itsi_rgb c = lit(air, actor->palette[mat], &finishes[mat], n, p, eye), glow = emitted(air, actor, mat);
    return itsi_rgb(c.r + glow.r, c.g + glow.g, c.b + glow.b);
}

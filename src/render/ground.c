/* What lies and hangs behind everything: the roads with their paint, verges, distant trees, hills, sky.
 * Evaluated per pixel once per road; everything periodic is averaged over the pixel, so that far paint does not
 * flicker. */
#include "render/scene.h"

#include <math.h>

/* Paint: white or yellow, worn. */
static void paint(const struct itsi_scene *s, struct itsi_rgb *c, float cover, float x, float y, bool yellow)
{
    if (cover <= 0)
        return;
    const struct itsi_wear *w = &s->wear;
    cover *= itsi_clampf(1 - w->paint_wear * itsi_noise_fractal(s->seed + 20, x * 3, y * 3), 0, 1);
    float k = w->paint;
    *c = itsi_mix(*c, yellow ? itsi_rgb(k * 0.98f, k * 0.75f, k * 0.22f) : itsi_rgb(k, k, k * 0.98f),
                  itsi_clampf(cover, 0, 1));
}

static void section_paint(const struct itsi_scene *s, const struct itsi_section *sec, struct itsi_rgb *c, float x,
                          float y, float fx, float fy)
{
    for (int i = 0; i < sec->line_count; i++) {
        const struct itsi_line *l = &sec->line[i];
        float cover = itsi_overlap(l->x - l->width * 0.5f, l->x + l->width * 0.5f, x, fx);
        if (cover > 0 && l->gap > 0)
            cover *= itsi_dashes(l->dash, l->dash + l->gap, y, fy);
        paint(s, c, cover, x, y, l->yellow);
    }
}

/* Arrow in a unit box: u across -1..1, v along 0..1 towards the tip. */
static bool in_arrow(int kind, float u, float v)
{
    if (kind == 1) /* straight */
        return v < 0.6f ? u > -0.16f && u < 0.16f : (u < 0 ? -u : u) < (1 - v) * 1.6f;
    float side = kind == 2 ? -u : u; /* the head points sideways */
    if (v < 0.75f && side > -0.35f && side < 0.0f)
        return true;
    if (v > 0.6f && v < 0.78f && side > -0.35f && side < 0.35f)
        return true;
    float d = v - 0.69f;
    return side >= 0.3f && (d < 0 ? -d : d) < (1 - side) * 0.36f;
}

static void marks(const struct itsi_scene *s, struct itsi_rgb *c, float x, float y, float fx, float fy)
{
    for (int i = 0; i < s->mark_count; i++) {
        const struct itsi_mark *m = &s->mark[i];
        float cover = itsi_overlap(m->x0, m->x1, x, fx);
        if (cover <= 0)
            continue;
        cover *= itsi_overlap(m->y0, m->y1, y, fy);
        if (cover <= 0)
            continue;
        if (m->stripe > 0)
            cover *= m->across ? itsi_dashes(m->stripe, m->period > 0 ? m->period : m->stripe * 2, y, fy)
                               : itsi_dashes(m->stripe, m->period > 0 ? m->period : m->stripe * 2, x + m->slant * y,
                                             fx + (m->slant < 0 ? -m->slant : m->slant) * fy);
        else if (m->arrow) {
            float hits = 0; /* sampled: its outline is not worth an integral */
            int kind = m->arrow < 0 ? -m->arrow : m->arrow;
            for (int k = 0; k < 16; k++) {
                float px = x + fx * ((float)(k & 3) - 1.5f) * 0.25f, py = y + fy * ((float)(k >> 2) - 1.5f) * 0.25f;
                float u = (px - (m->x0 + m->x1) * 0.5f) / (m->x1 - m->x0) * 2, v = (py - m->y0) / (m->y1 - m->y0);
                if (m->arrow < 0)
                    u = -u, v = 1 - v;
                hits += v >= 0 && v <= 1 && in_arrow(kind, u, v);
            }
            cover = hits / 16;
        }
        paint(s, c, cover, x, y, m->yellow);
    }
}

/* How bright the ground is: sky, sun, and at night the lamps along the road. */
static struct itsi_rgb light_on(const struct itsi_scene *s, const struct itsi_air *air, float x, float y)
{
    struct itsi_rgb sky = itsi_mix(air->horizon, air->zenith, 0.5f);
    float sun = itsi_maxf(0, air->sun.z) * air->shadow;
    float pool = 1;
    if (s->wear.clouds > 0 && !air->night)
        pool -= s->wear.clouds * itsi_clampf(itsi_noise_fractal(s->seed + 46, x * 0.012f, y * 0.012f) * 6 - 3, 0, 1);
    if (air->night) {
        pool = air->pool_base;
        for (int k = 0; k < 2; k++) { /* lamps on both sides in turn */
            float at = y / air->pool_every + 0.5f * (float)k, d = at - floorf(at + 0.5f);
            float side = x - (k ? s->road.right : s->road.left) * 0.8f;
            pool += 1.6f * itsi_decay(d * d * 14 + side * side * 0.012f);
        }
    }
    return itsi_rgb(sky.r * 0.72f + air->ambient + air->sun_light.r * sun * pool,
                    sky.g * 0.72f + air->ambient + air->sun_light.g * sun * pool,
                    sky.b * 0.72f + air->ambient + air->sun_light.b * sun * pool);
}

static bool section_at(const struct itsi_section *sec, float x, enum itsi_surface *out)
{
    for (int i = 0; i < sec->strip_count; i++)
        if (x >= sec->strip[i].x0 && x < sec->strip[i].x1) {
            *out = sec->strip[i].surface;
            return true;
        }
    return false;
}

struct itsi_rgb itsi_ground(const struct itsi_scene *s, const struct itsi_air *air, float gx, float gy, float fx,
                            float fy)
{
    float x = gx - s->bend * gy * gy * 0.5f, y = gy;
    bool country = s->kind == ITSI_SCENE_MOTORWAY || s->kind == ITSI_SCENE_TUNNEL;
    bool paved = s->kind == ITSI_SCENE_STREET || s->kind == ITSI_SCENE_PLAZA || !(s->style & 1);
    enum itsi_surface kind = country || !paved ? ITSI_GRASS : ITSI_PAVEMENT;
    enum itsi_surface across = kind;
    bool on_road = section_at(&s->road, x, &kind);
    float v = y - s->cross_y;
    bool on_cross = s->has_cross && section_at(&s->cross, v, &across);
    bool road_asphalt = on_road && kind != ITSI_PAVEMENT && x > s->road.left && x < s->road.right;
    bool cross_asphalt = on_cross && v > s->cross.left && v < s->cross.right;
    struct itsi_rgb c;
    if (road_asphalt || cross_asphalt) {
        bool turn = cross_asphalt && !road_asphalt;
        c = itsi_surface(s, turn ? ITSI_ASPHALT : kind, turn ? v : x, turn ? x : y, fx, fy);
        if (road_asphalt && !(s->has_cross && v > s->cross.left - 4.5f && v < s->cross.right + 4.5f))
            section_paint(s, &s->road, &c, x, y, fx, fy);
        else if (cross_asphalt && !(x > s->road.left - 4.5f && x < s->road.right + 4.5f))
            section_paint(s, &s->cross, &c, v, x, fy, fx);
        marks(s, &c, x, y, fx, fy);
        float edge = itsi_maxf(itsi_overlap(s->road.left, s->road.left + 0.25f, x, fx),
                               itsi_overlap(s->road.right - 0.25f, s->road.right, x, fx));
        if (!country && s->kind != ITSI_SCENE_CARPARK && !cross_asphalt)
            c = itsi_scale(c, 1 - 0.25f * edge); /* gutter */
    } else {
        c = itsi_surface(s, on_road ? kind : on_cross ? across : kind, x, y, fx, fy);
    }
    if (s->wear.leaves > 0 || s->wear.snow > 0) {
        float off = itsi_maxf(x - s->road.right, s->road.left - x);
        if (s->has_cross)
            off = itsi_minf(off, itsi_maxf(v - s->cross.right, s->cross.left - v));
        c = itsi_litter(s, c, x, y, itsi_maxf(fx, fy), off);
    }
    struct itsi_rgb in = light_on(s, air, x, y);
    c = itsi_rgb(c.r * in.r, c.g * in.g, c.b * in.b);
    float dx = gx - s->cam.pos.x, dy = gy - s->cam.pos.y, dist = sqrtf(dx * dx + dy * dy + s->cam.pos.z * s->cam.pos.z);
    if (air->wet && kind != ITSI_GRASS) {
        float slant = 1 - s->cam.pos.z / dist, puddle = itsi_noise_fractal(s->seed + 30, x * 0.4f, y * 0.15f);
        float k = slant * slant * slant * itsi_clampf(puddle * 1.4f - 0.1f, 0.1f, 0.9f) * 0.75f;
        c = itsi_mix(itsi_scale(c, 0.68f), itsi_scale(air->horizon, 0.9f), k);
    }
    return itsi_air_veil(air, c, dist);
}

struct itsi_rgb itsi_backdrop(const struct itsi_scene *s, const struct itsi_air *air, struct itsi_vec3 d)
{
    float flat = sqrtf(d.x * d.x + d.y * d.y), rise = d.z / itsi_maxf(flat, 1e-3f);
    float side = d.x / itsi_maxf(d.y, 0.05f);
    struct itsi_rgb in = light_on(s, air, 1e4f, 1e4f);
    /* Two skylines, the nearer one rougher. */
    float hill = 0.015f + 0.05f * itsi_noise2(s->seed + 40, side * 2 + 50, 0.5f) * (s->style == 0 ? 2.2f : 1.0f);
    float wood = 0.008f + 0.018f * itsi_noise_fractal(s->seed + 41, side * 14 + 500, 0.5f);
    /* A far town: blocks of some height on the skyline. */
    float block = floorf(side * 40), tall = itsi_hash_unit(s->seed + 45, (uint64_t)(int64_t)block);
    float town = s->style == 3 ? 0.012f + tall * tall * 0.05f : 0;
    if (rise < town && rise >= wood) {
        float lit = itsi_hash_range(s->seed + 47, (uint64_t)(int64_t)block, 0.2f, 0.6f);
        float pane = itsi_hash_unit(s->seed + 48,
                                    (uint64_t)((int64_t)floorf(side * 400) * 977 + (int64_t)(rise * 500)));
        lit *= pane < 0.3f ? 0.6f : 1;
        return itsi_air_veil(air, itsi_rgb(lit * in.r, lit * in.g, lit * in.b), 600);
    }
    if (rise < wood) {
        float n = itsi_noise_fractal(s->seed + 42, side * 90, rise * 160) + 0.4f;
        struct itsi_rgb c = itsi_rgb(0.12f * n * in.r, 0.17f * n * in.g, 0.08f * n * in.b);
        return itsi_air_veil(air, c, 350);
    }
    if (rise < hill) {
        float n = 0.7f + 0.6f * itsi_noise_fractal(s->seed + 43, side * 30, rise * 60);
        struct itsi_rgb c = itsi_rgb(0.16f * n * in.r, 0.20f * n * in.g, 0.15f * n * in.b);
        return itsi_air_veil(air, c, 900);
    }
    struct itsi_rgb sky = itsi_air_sky(air, d);
    float over = itsi_maxf(d.z, 0.04f);
    float cloud = itsi_noise_fractal(s->seed + 44, d.x / over * 1.2f, d.y / over * 1.2f);
    float amount = itsi_hash_range(s->seed, 306, -0.5f, 0.4f);
    cloud = itsi_clampf((cloud - 0.45f + amount) * 3, 0, 1);
    struct itsi_rgb white = itsi_mix(sky, itsi_scale(itsi_rgb(1.05f, 1.05f, 1.06f), itsi_clampf(in.g, 0, 1)), 0.75f);
    return itsi_air_veil(air, itsi_mix(sky, white, cloud * 0.7f), itsi_minf(60 / over, 500));
}

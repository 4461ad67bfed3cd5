/* From meshes to triangles on the picture: light, reflection, air and projection. */
#include "render/render_impl.h"

#include <math.h>
#include <string.h>

struct itsi_rgb itsi_air_sky(const struct itsi_air *air, struct itsi_vec3 d)
{
    float up = itsi_clampf(d.z, 0, 1);
    float t = sqrtf(up);
    struct itsi_rgb c = itsi_mix(air->horizon, air->zenith, t);
    float s = itsi_clampf(itsi_dot(d, air->sun), 0, 1);
    float halo = s * s;
    halo *= halo;
    halo *= halo;
    c = itsi_mix(c, air->sun_light, halo * 0.25f * air->shadow);
    return c;
}

struct itsi_rgb itsi_air_veil(const struct itsi_air *air, struct itsi_rgb colour, float distance)
{
    return itsi_mix(air->fog, colour, itsi_decay(distance * air->fog_per_m));
}

/* A camera's shoulder: straight, then ever flatter towards white. */
static float film(float v)
{
    if (v < 0.65f)
        return v < 0 ? 0 : v;
    float over = (v - 0.65f) / 0.35f;
    return itsi_minf(1, 0.65f + 0.35f * over * (1 + over * 0.25f) / (1 + over * 0.8f));
}

void itsi_to_yuv(const struct itsi_air *air, struct itsi_rgb c, float yuv[3])
{
    float r = film(c.r * air->exposure * (1 + air->warmth) + air->lift);
    float g = film(c.g * air->exposure + air->lift);
    float b = film(c.b * air->exposure * (1 - air->warmth) + air->lift);
    yuv[0] = 16.5f + 65.481f * r + 128.553f * g + 24.966f * b;
    yuv[1] = 128.5f + (-37.797f * r - 74.203f * g + 112.0f * b) * air->saturation;
    yuv[2] = 128.5f + (112.0f * r - 93.786f * g - 18.214f * b) * air->saturation;
}

bool itsi_project(const struct itsi_camera *cam, struct itsi_vec3 p, float *x, float *y, float *depth)
{
    struct itsi_vec3 d = itsi_sub(p, cam->pos);
    float z = itsi_dot(d, cam->forward);
    *depth = z;
    if (z < 0.3f)
        return false;
    *x = cam->cx + cam->focal * itsi_dot(d, cam->right) / z;
    *y = cam->cy - cam->focal * itsi_dot(d, cam->up) / z;
    return true;
}

/* How each material answers light: matt share, and of light (not of what a screen shows) the mirror share at right
 * angles and at grazing; gloss of the sun's spot. */
struct finish {
    float matt, mirror, grazing, spot;
};
static const struct finish finishes[ITSI_MAT_COUNT] = {
    [ITSI_MAT_BODY] = {1.0f, 0.055f, 0.75f, 0.7f},  [ITSI_MAT_BODY2] = {1.0f, 0.02f, 0.3f, 0.2f},
    [ITSI_MAT_CARGO] = {1.0f, 0, 0.03f, 0},         [ITSI_MAT_ACCENT] = {1.0f, 0.02f, 0.2f, 0},
    [ITSI_MAT_GLASS] = {0.7f, 0.08f, 0.9f, 0.7f},   [ITSI_MAT_TRIM] = {1.0f, 0.01f, 0.15f, 0.05f},
    [ITSI_MAT_METAL] = {0.8f, 0.25f, 0.5f, 0.4f},   [ITSI_MAT_TYRE] = {1.0f, 0, 0.02f, 0},
    [ITSI_MAT_UNDER] = {0.5f, 0, 0, 0},             [ITSI_MAT_HEAD] = {0.8f, 0.35f, 0.6f, 0.8f},
    [ITSI_MAT_TAIL] = {0.9f, 0.05f, 0.5f, 0.3f},    [ITSI_MAT_BRAKE] = {0.9f, 0.02f, 0.2f, 0},
    [ITSI_MAT_SIGN] = {0.6f, 0.02f, 0.2f, 0},       [ITSI_MAT_PLATE] = {1.0f, 0.01f, 0.1f, 0},
    [ITSI_MAT_SKIN] = {1.0f, 0, 0.03f, 0},          [ITSI_MAT_HAIR] = {1.0f, 0.01f, 0.1f, 0},
    [ITSI_MAT_CLOTH1] = {1.0f, 0, 0.03f, 0},        [ITSI_MAT_CLOTH2] = {1.0f, 0, 0.03f, 0},
    [ITSI_MAT_SCREEN] = {0.9f, 0.09f, 0.9f, 0.7f},  [ITSI_MAT_ROOF] = {1.0f, 0.055f, 0.75f, 0.7f},
    [ITSI_MAT_LOWER] = {1.0f, 0.02f, 0.35f, 0.15f}, [ITSI_MAT_RIM] = {0.9f, 0.15f, 0.4f, 0.4f},
    [ITSI_MAT_BLUE] = {1.0f, 0.05f, 0.3f, 0.3f},    [ITSI_MAT_SEAT] = {0.9f, 0.09f, 0.9f, 0.7f},
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
    c = over_mirror(c, surroundings(air, refl, p), mirror);
    float spot = itsi_maxf(0, itsi_dot(refl, air->sun));
    spot *= spot;
    spot *= spot;
    spot *= spot;
    spot *= spot;
    spot = spot * spot * f->spot * air->shadow;
    return itsi_rgb(c.r + air->sun_light.r * spot, c.g + air->sun_light.g * spot, c.b + air->sun_light.b * spot);
}

struct corner {
    struct itsi_vec3 cam; /* right, up, forward */
    float c[3];
};

/* Sorts, finds the planes of 1/depth and colour, and appends. Edge-on and back-facing triangles are left out. */
static void emit(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam, const struct corner *a,
                 const struct corner *b, const struct corner *c, float bias, bool both_sides)
{
    const struct corner *in[3] = {a, b, c};
    float x[3], y[3], w[3];
    for (int i = 0; i < 3; i++) {
        w[i] = 1 / in[i]->cam.z;
        /* Snapped to 1/16 sample, so that far-away slivers have sane slopes. */
        x[i] = floorf((cam->cx + cam->focal * in[i]->cam.x * w[i]) * 16 + 0.5f) / 16;
        y[i] = floorf((cam->cy - cam->focal * in[i]->cam.y * w[i]) * 16 + 0.5f) / 16;
    }
    float area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
    if (area > -1e-3f && (!both_sides || area < 1e-3f))
        return;
    if (list->count >= list->cap)
        return;
    int o[3] = {0, 1, 2};
#define SWAP(p, q)                                                                                                     \
    if (y[o[p]] > y[o[q]] || (!(y[o[p]] < y[o[q]]) && x[o[p]] > x[o[q]])) {                                            \
        int keep = o[p];                                                                                               \
        o[p] = o[q];                                                                                                   \
        o[q] = keep;                                                                                                   \
    }
    SWAP(0, 1)
    SWAP(1, 2)
    SWAP(0, 1)
#undef SWAP
    struct itsi_tri *t = &list->tri[list->count++];
    for (int i = 0; i < 3; i++) {
        t->x[i] = x[o[i]];
        t->y[i] = y[o[i]];
    }
    float dx1 = t->x[1] - t->x[0], dy1 = t->y[1] - t->y[0], dx2 = t->x[2] - t->x[0], dy2 = t->y[2] - t->y[0];
    float inv = 1 / (dx1 * dy2 - dx2 * dy1);
    float w0 = w[o[0]], w1 = w[o[1]] - w0, w2 = w[o[2]] - w0;
    float nearer = 1 + bias * w0;
    t->w = w0 * nearer;
    t->wx = (w1 * dy2 - w2 * dy1) * inv * nearer;
    t->wy = (w2 * dx1 - w1 * dx2) * inv * nearer;
    for (int k = 0; k < 3; k++) {
        float c0 = in[o[0]]->c[k], c1 = in[o[1]]->c[k] - c0, c2 = in[o[2]]->c[k] - c0;
        t->c[k] = c0;
        t->cx[k] = (c1 * dy2 - c2 * dy1) * inv;
        t->cy[k] = (c2 * dx1 - c1 * dx2) * inv;
    }
    draw->count++;
    draw->area += (area < 0 ? -area : area) * 0.5;
    for (int i = 0; i < 3; i++) {
        draw->x0 = itsi_minf(draw->x0, x[i]);
        draw->x1 = itsi_maxf(draw->x1, x[i]);
    }
    draw->y0 = itsi_minf(draw->y0, t->y[0]);
    draw->y1 = itsi_maxf(draw->y1, t->y[2]);
}

#define NEAR 0.4f

static struct corner between(const struct corner *a, const struct corner *b)
{
    float t = (NEAR - a->cam.z) / (b->cam.z - a->cam.z);
    struct corner out;
    out.cam = itsi_vec3(itsi_mixf(a->cam.x, b->cam.x, t), itsi_mixf(a->cam.y, b->cam.y, t), NEAR);
    for (int k = 0; k < 3; k++)
        out.c[k] = itsi_mixf(a->c[k], b->c[k], t);
    return out;
}

/* Cuts off what lies behind the camera. */
static void clip_and_emit(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                          const struct corner in[3], float bias, bool both_sides)
{
    struct corner out[4];
    int n = 0;
    for (int i = 0; i < 3; i++) {
        const struct corner *a = &in[i], *b = &in[(i + 1) % 3];
        if (a->cam.z >= NEAR)
            out[n++] = *a;
        if ((a->cam.z >= NEAR) != (b->cam.z >= NEAR))
            out[n++] = between(a, b);
    }
    for (int i = 1; i + 1 < n; i++)
        emit(list, draw, cam, &out[0], &out[i], &out[i + 1], bias, both_sides);
}

static struct itsi_vec3 to_world(const struct itsi_actor *a, struct itsi_vec3 p)
{
    return itsi_vec3(a->pos.x + p.x * a->cos_yaw - p.y * a->sin_yaw, a->pos.y + p.x * a->sin_yaw + p.y * a->cos_yaw,
                     a->pos.z + p.z);
}

/* Swings a limb about its joint: legs about the hip, arms about the shoulder. */
static struct itsi_vec3 swung(const struct itsi_mesh *m, struct itsi_vec3 p, int limb, float swing)
{
    float joint = m->height * (limb < ITSI_LIMB_ARM ? 0.53f : 0.8f);
    float side = (limb == ITSI_LIMB_LEG || limb == ITSI_LIMB_LAST_ARM) ? swing : -swing;
    float reach = joint - p.z;
    if (reach <= 0)
        return p;
    float lean = side * (limb < ITSI_LIMB_ARM ? 0.45f : 0.35f);
    p.y += reach * lean;
    p.z += reach * lean * lean * 0.5f;
    return p;
}

static struct itsi_vec3 to_camera(const struct itsi_camera *cam, struct itsi_vec3 p)
{
    struct itsi_vec3 d = itsi_sub(p, cam->pos);
    return itsi_vec3(itsi_dot(d, cam->right), itsi_dot(d, cam->up), itsi_dot(d, cam->forward));
}

/* Where each vertex is, in the world and as seen. */
static void place_vertices(struct itsi_vertex *out, const struct itsi_camera *cam, const struct itsi_actor *a)
{
    const struct itsi_mesh *m = a->mesh;
    for (int i = 0; i < m->pos_count; i++) {
        struct itsi_vec3 p = m->pos[i];
        out[i].world = to_world(a, itsi_vec3(p.x * a->sx, p.y * a->sy, p.z * a->sz));
        out[i].cam = to_camera(cam, out[i].world);
    }
    /* The few that swing are placed again. */
    for (int i = 0; i < m->face_count; i++) {
        const struct itsi_face *f = &m->face[i];
        for (int k = 0; k < 3 && f->limb >= ITSI_LIMB_LEG && f->limb <= ITSI_LIMB_LAST_ARM; k++) {
            struct itsi_vec3 p = m->pos[f->v[k]];
            p = swung(m, itsi_vec3(p.x * a->sx, p.y * a->sy, p.z * a->sz), f->limb, a->swing);
            out[f->v[k]].world = to_world(a, p);
            out[f->v[k]].cam = to_camera(cam, out[f->v[k]].world);
        }
    }
}

static void draw_face(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                      const struct itsi_air *air, const struct itsi_actor *actor, const struct itsi_face *f)
{
    const struct itsi_vertex *v[3] = {&list->vertex[f->v[0]], &list->vertex[f->v[1]], &list->vertex[f->v[2]]};
    if (v[0]->cam.z < NEAR && v[1]->cam.z < NEAR && v[2]->cam.z < NEAR)
        return;
    bool both = f->limb == ITSI_LIMB_LEAF;
    struct itsi_vec3 side = itsi_cross(itsi_sub(v[1]->world, v[0]->world), itsi_sub(v[2]->world, v[0]->world));
    if (!both && itsi_dot(side, itsi_sub(cam->pos, v[0]->world)) <= 0)
        return;
    struct corner corner[3];
    struct itsi_rgb glow = emitted(air, actor, f->mat);
    for (int k = 0; k < 3; k++) {
        struct itsi_vec3 n = actor->mesh->nrm[f->n[k]];
        n = itsi_vec3(n.x * actor->cos_yaw - n.y * actor->sin_yaw, n.x * actor->sin_yaw + n.y * actor->cos_yaw, n.z);
        struct itsi_vec3 eye = itsi_unit(itsi_sub(cam->pos, v[k]->world));
        if (both && itsi_dot(n, eye) < 0)
            n = itsi_vec3(-n.x, -n.y, -n.z);
        struct itsi_rgb c = lit(air, actor->palette[f->mat], &finishes[f->mat], n, v[k]->world, eye);
        c = itsi_rgb(c.r + glow.r, c.g + glow.g, c.b + glow.b);
        corner[k].cam = v[k]->cam;
        itsi_to_yuv(air, itsi_air_veil(air, c, itsi_maxf(0, v[k]->cam.z)), corner[k].c);
    }
    clip_and_emit(list, draw, cam, corner, (float)f->bias * 0.01f, both);
}

void itsi_draw_actor(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                     const struct itsi_air *air, const struct itsi_actor *actor)
{
    const struct itsi_mesh *m = actor->mesh;
    *draw = (struct itsi_draw){list->count, 0, 1e9f, 1e9f, -1e9f, -1e9f, 0};
    if (m->pos_count > list->vertex_cap)
        return;
    struct itsi_vec3 ahead = to_camera(cam, actor->pos);
    if (ahead.z < -0.6f * itsi_maxf(m->length, m->width))
        return; /* behind the camera */
    place_vertices(list->vertex, cam, actor);
    float metre = cam->focal / itsi_maxf(actor->distance, 1); /* samples */
    for (int i = 0; i < m->face_count; i++)
        if (!m->face[i].detail || metre >= 8.0f * (float)m->face[i].detail)
            draw_face(list, draw, cam, air, actor, &m->face[i]);
}

/* A fan on the ground. */
static void ground_fan(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                       const struct itsi_vec3 *outline, int n, struct itsi_vec3 middle, float dark)
{
    dark = itsi_minf(dark, 255);
    struct corner c[3] = {{.c = {dark, 0, 0}}, {.c = {dark, 0, 0}}, {.c = {dark, 0, 0}}};
    c[0].cam = to_camera(cam, middle);
    for (int i = 0; i < n; i++) {
        c[1].cam = to_camera(cam, outline[i]);
        c[2].cam = to_camera(cam, outline[(i + 1) % n]);
        clip_and_emit(list, draw, cam, c, 0, true);
    }
}

/* The dark under a vehicle: a rounded rectangle that fades outwards, drawn as ever larger and paler ones. */
static void contact(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                    const struct itsi_actor *a)
{
    float l = a->mesh->length * a->sy * 0.5f, w = a->mesh->width * a->sx * 0.5f;
    static const float spread[4] = {-0.12f, 0.02f, 0.14f, 0.3f}, dark[4] = {200, 140, 80, 35};
    for (int k = 0; k < 4; k++) {
        struct itsi_vec3 p[8];
        float s = itsi_minf(spread[k], w), ll = l + s, ww = w + s, cut = itsi_minf(ww, 0.3f + s * 0.5f);
        float px[8] = {ww, ww, ww - cut, cut - ww, -ww, -ww, cut - ww, ww - cut};
        float py[8] = {-ll + cut, ll - cut, ll, ll, ll - cut, -ll + cut, -ll, -ll};
        for (int i = 0; i < 8; i++)
            p[i] = to_world(a, itsi_vec3(px[i], py[i], 0));
        ground_fan(list, draw, cam, p, 8, a->pos, dark[k]);
    }
}

/* A crown's shadow: two ovals along the light. */
static void cast_crown(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                       const struct itsi_air *air, const struct itsi_actor *a)
{
    float z = itsi_maxf(air->sun.z, 0.2f), r = a->mesh->width * 0.42f;
    for (int k = 0; k < 2; k++) {
        float h = a->mesh->height * (k ? 0.75f : 0.45f);
        struct itsi_vec3 c = itsi_vec3(a->pos.x - air->sun.x / z * h, a->pos.y - air->sun.y / z * h, 0), p[12];
        for (int i = 0; i < 12; i++) {
            double angle = 6.283185307179586 * i / 12;
            float q = r * itsi_hash_range((uint64_t)(int64_t)(c.x * 8), (uint64_t)(i + 20 * k), 0.7f, 1.1f);
            p[i] = itsi_vec3(c.x + q * (float)itsi_cosine(angle), c.y + q * (float)itsi_sine(angle), 0);
        }
        ground_fan(list, draw, cam, p, 12, c, 220 * air->shadow);
    }
}

/* Where the sun casts the box of the actor: the hull of its foot and its top moved along the light. */
static void cast(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                 const struct itsi_air *air, const struct itsi_actor *a)
{
    float l = a->mesh->length * a->sy * 0.5f, w = a->mesh->width * a->sx * 0.5f, h = a->mesh->height * a->sz;
    float z = itsi_maxf(air->sun.z, 0.12f);
    struct itsi_vec3 shift = itsi_vec3(-air->sun.x / z, -air->sun.y / z, 0);
    /* Low body with its full length, and the higher cabin, each as an octagon around moved rectangles. */
    bool tall = h > 2.2f || w < 0.6f;
    float part[2][3] = {{tall ? h : h * 0.6f, 1, 1}, {h, tall ? 1 : 0.55f, tall ? 1 : 0.82f}};
    for (int k = 0; k < (tall ? 1 : 2); k++) {
        float ph = part[k][0], pl = l * part[k][1], pw = w * part[k][2];
        struct itsi_vec3 p[8];
        for (int i = 0; i < 4; i++) {
            float sx = i == 0 || i == 3 ? pw : -pw, sy = i < 2 ? pl : -pl;
            p[i] = to_world(a, itsi_vec3(sx, sy, 0));
            p[i + 4] = itsi_vec3(p[i].x + shift.x * ph, p[i].y + shift.y * ph, 0);
        }
        /* The hull of both rectangles is their union with the parallelograms swept by the edges. */
        ground_fan(list, draw, cam, p + 4, 4, p[4], 255 * air->shadow);
        for (int i = 0; i < 4; i++) {
            struct itsi_vec3 q[4] = {p[i], p[(i + 1) % 4], p[4 + (i + 1) % 4], p[4 + i]};
            ground_fan(list, draw, cam, q, 4, q[0], 255 * air->shadow);
        }
    }
}

void itsi_draw_shadow(struct itsi_list *list, const struct itsi_camera *cam, const struct itsi_air *air,
                      const struct itsi_actor *actor)
{
    struct itsi_draw unused = {0};
    if (!actor->boxed) {
        if (air->shadow > 0.3f)
            cast_crown(list, &unused, cam, air, actor);
        return;
    }
    contact(list, &unused, cam, actor);
    if (air->shadow > 0.15f)
        cast(list, &unused, cam, air, actor);
}

/* From meshes to triangles on the picture: sky, air and projection. */
#include "render/draw.h"

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

/* What the next face may take over from the last: quads are two faces with two corners in common. */
struct last_face {
    const struct itsi_face *face;
    struct corner corner[3];
};

static struct corner shaded(const struct itsi_list *list, const struct itsi_camera *cam, const struct itsi_air *air,
                            const struct itsi_actor *actor, const struct itsi_face *f, int k)
{
    const struct itsi_vertex *v = &list->vertex[f->v[k]];
    struct itsi_vec3 n = actor->mesh->nrm[f->n[k]];
    n = itsi_vec3(n.x * actor->cos_yaw - n.y * actor->sin_yaw, n.x * actor->sin_yaw + n.y * actor->cos_yaw, n.z);
    struct itsi_vec3 eye = itsi_unit(itsi_sub(cam->pos, v->world));
    if (f->limb == ITSI_LIMB_LEAF && itsi_dot(n, eye) < 0)
        n = itsi_vec3(-n.x, -n.y, -n.z);
    struct itsi_rgb c = itsi_finish(air, actor, f->mat, n, v->world, eye);
    struct corner out = {.cam = v->cam};
    itsi_to_yuv(air, itsi_air_veil(air, c, itsi_maxf(0, v->cam.z)), out.c);
    return out;
}

static void draw_face(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                      const struct itsi_air *air, const struct itsi_actor *actor, const struct itsi_face *f,
                      struct last_face *last)
{
    const struct itsi_vertex *v[3] = {&list->vertex[f->v[0]], &list->vertex[f->v[1]], &list->vertex[f->v[2]]};
    if (v[0]->cam.z < NEAR && v[1]->cam.z < NEAR && v[2]->cam.z < NEAR)
        return;
    bool both = f->limb == ITSI_LIMB_LEAF;
    struct itsi_vec3 side = itsi_cross(itsi_sub(v[1]->world, v[0]->world), itsi_sub(v[2]->world, v[0]->world));
    if (!both && itsi_dot(side, itsi_sub(cam->pos, v[0]->world)) <= 0)
        return;
    struct last_face now = {.face = f};
    for (int k = 0; k < 3; k++) {
        int same = 0;
        const struct itsi_face *o = last->face;
        while (o && same < 3 && (o->v[same] != f->v[k] || o->n[same] != f->n[k] || o->mat != f->mat))
            same++;
        now.corner[k] = o && same < 3 ? last->corner[same] : shaded(list, cam, air, actor, f, k);
    }
    clip_and_emit(list, draw, cam, now.corner, (float)f->bias * 0.01f, both);
    *last = now;
}

/* False when neither the actor nor its shadow reaches into the picture. */
static bool in_sight(const struct itsi_camera *cam, const struct itsi_actor *actor)
{
    const struct itsi_mesh *m = actor->mesh;
    float reach = (m->length + m->width) * 0.6f + m->height * 3 + 1;
    struct itsi_vec3 d = to_camera(cam, actor->pos);
    if (d.z < -reach)
        return false;
    float aside = d.x < 0 ? -d.x : d.x, under = d.y < 0 ? -d.y : d.y, z = itsi_maxf(d.z, 0) + reach;
    /* The optical axis meets the picture near its middle; a shaken camera moves it by a little. */
    return (aside - reach) * cam->focal < z * cam->cx * 1.15f && (under - reach) * cam->focal < z * cam->cy * 1.15f;
}

void itsi_draw_actor(struct itsi_list *list, struct itsi_draw *draw, const struct itsi_camera *cam,
                     const struct itsi_air *air, const struct itsi_actor *actor)
{
    const struct itsi_mesh *m = actor->mesh;
    *draw = (struct itsi_draw){list->count, 0, 1e9f, 1e9f, -1e9f, -1e9f, 0};
    if (m->pos_count > list->vertex_cap || !in_sight(cam, actor))
        return;
    place_vertices(list->vertex, cam, actor);
    float metre = cam->focal / itsi_maxf(actor->distance, 1); /* samples */
    struct last_face last = {.face = NULL};
    for (int i = 0; i < m->face_count; i++)
        if (!m->face[i].detail || metre >= 8.0f * (float)m->face[i].detail)
            draw_face(list, draw, cam, air, actor, &m->face[i], &last);
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
    contact(list, &unused, cam, actor);
    if (air->shadow > 0.15f)
        cast(list, &unused, cam, air, actor);
}

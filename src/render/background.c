/* The background of a road: ground, sky and all that stands still, painted once, copied with the shake of each picture.
 */
#include "render/scene.h"
#include "render/weather.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

/* The colour of the ground and sky behind a pixel of the background. */
static struct itsi_rgb behind(const struct itsi_scene *scene, const struct itsi_air *air, const struct itsi_camera *cam,
                              float sx, float sy)
{
    float u = (sx - cam->cx) / cam->focal, v = (cam->cy - sy) / cam->focal;
    struct itsi_vec3 d = itsi_vec3(cam->forward.x + cam->right.x * u + cam->up.x * v,
                                   cam->forward.y + cam->right.y * u + cam->up.y * v,
                                   cam->forward.z + cam->right.z * u + cam->up.z * v);
    float len = sqrtf(itsi_dot(d, d));
    float t = d.z < -1e-5f ? -cam->pos.z / d.z : 1e9f;
    if (t * len > 900)
        return itsi_backdrop(scene, air, itsi_unit(d));
    float px = ITSI_SS * t / cam->focal; /* metres per pixel across */
    float slant = itsi_maxf(-d.z / len, 0.002f);
    float fx = px, fy = px / slant;
    /* Seen sideways, the long side of the pixel's footprint lies along x. */
    float ax = d.x / len, share = ax * ax;
    float lx = itsi_mixf(fx, fy, share), ly = itsi_mixf(fy, fx, share);
    return itsi_ground(scene, air, cam->pos.x + d.x * t, cam->pos.y + d.y * t, lx, ly);
}

static void paint(struct itsi_back *back, const struct itsi_scene *scene, const struct itsi_air *air,
                  const struct itsi_camera *cam)
{
    struct itsi_picture *b = &back->pic;
    for (int y = 0; y < b->height; y += 2)
        for (int x = 0; x < b->width; x += 2) {
            float u = 0, v = 0;
            for (int k = 0; k < 4; k++) {
                int px = x + (k & 1), py = y + (k >> 1);
                float yuv[3];
                itsi_to_yuv(air, behind(scene, air, cam, (float)(px * ITSI_SS + 1), (float)(py * ITSI_SS + 1)), yuv);
                b->plane[0][(size_t)py * (size_t)b->stride[0] + (size_t)px] = (uint8_t)yuv[0];
                u += yuv[1];
                v += yuv[2];
            }
            size_t at = (size_t)(y / 2) * (size_t)b->stride[1] + (size_t)(x / 2);
            b->plane[1][at] = (uint8_t)(u * 0.25f);
            b->plane[2][at] = (uint8_t)(v * 0.25f);
        }
}

/* Collects the scenery's triangles; the list grows as needed. */
struct scenery {
    const struct itsi_camera *cam;
    const struct itsi_air *air;
    struct itsi_list list, shadows;
    struct itsi_draw all;
    struct lamp {
        float x, y, near, size; /* samples; 1 / depth */
    } lamp[96];
    int lamps;
};

static int ensure(struct itsi_list *list, int more)
{
    if (list->count + more <= list->cap)
        return 0;
    int cap = (list->count + more) * 2;
    struct itsi_tri *bigger = itsi_realloc(list->tri, (size_t)cap * sizeof *bigger);
    if (!bigger)
        return ITS_ENOMEM;
    list->tri = bigger;
    list->cap = cap;
    return 0;
}

/* Remembers the street lamps that are on. */
static void take_lamp(struct scenery *s, const struct itsi_actor *a)
{
    struct itsi_vec3 p = a->mesh->lamp_head[0];
    if (!s->air->lamps || p.z <= 0 || s->lamps == (int)(sizeof s->lamp / sizeof *s->lamp))
        return;
    struct lamp *l = &s->lamp[s->lamps];
    float depth;
    struct itsi_vec3 at = itsi_vec3(a->pos.x + p.x * a->cos_yaw - p.y * a->sin_yaw,
                                    a->pos.y + p.x * a->sin_yaw + p.y * a->cos_yaw, p.z);
    if (!itsi_project(s->cam, at, &l->x, &l->y, &depth))
        return;
    l->near = 1 / depth;
    l->size = s->cam->focal / ITSI_SS / depth * 0.9f + 3;
    s->lamps++;
}

static void light_lamps(struct itsi_back *back, const struct scenery *s)
{
    for (int i = 0; i < s->lamps; i++) {
        const struct lamp *l = &s->lamp[i];
        float x = l->x / ITSI_SS, y = l->y / ITSI_SS;
        if (x < 0 || y < 0 || x >= (float)back->pic.width || y >= (float)back->pic.height)
            continue;
        float before = back->depth[(size_t)y * (size_t)back->pic.width + (size_t)x];
        if (before > l->near * 1.05f)
            continue;
        bool warm = s->air->sun_light.r > s->air->sun_light.b;
        itsi_glow(&back->pic, x, y, l->size, s->air->night ? 1.0f : 0.6f, warm ? 100.0f : 128.0f,
                  warm ? 140.0f : 124.0f);
    }
}

static int take_scenery(void *arg, const struct itsi_actor *actor)
{
    struct scenery *s = arg;
    if (itsi_list_vertices(&s->list, actor->mesh->pos_count) < 0 || ensure(&s->list, actor->mesh->face_count * 2) < 0 ||
        ensure(&s->shadows, actor->mesh->face_count * 2) < 0)
        return ITS_ENOMEM;
    struct itsi_draw draw;
    itsi_draw_actor(&s->list, &draw, s->cam, s->air, actor);
    take_lamp(s, actor);
    if (s->air->shadow > 0.1f && !s->air->night) /* at night the light has no one direction */
        itsi_cast_faces(&s->shadows, s->cam, s->air, actor);
    return 0;
}

static void keep_depth(struct itsi_back *back, const struct itsi_raster *r, int top)
{
    for (int row = 0; row < ITSI_BAND * ITSI_SS && top + row < r->height; row += ITSI_SS)
        for (int x = r->from[row]; x + 1 < r->to[row]; x += ITSI_SS) {
            int px = x / ITSI_SS;
            size_t at = (size_t)row * (size_t)r->width + (size_t)(px * ITSI_SS);
            int n = (r->owner[at] > 0) + (r->owner[at + 1] > 0) + (r->owner[at + (size_t)r->width] > 0) +
                    (r->owner[at + (size_t)r->width + 1] > 0);
            float w = itsi_maxf(itsi_maxf(r->depth[at], r->depth[at + 1]),
                                itsi_maxf(r->depth[at + (size_t)r->width], r->depth[at + (size_t)r->width + 1]));
            if (n >= 2)
                back->depth[(size_t)((top + row) / ITSI_SS) * (size_t)back->pic.width + (size_t)px] = w;
        }
}

/* Per pixel, the mean of its samples. */
static void keep_shade(struct itsi_back *back, const struct itsi_raster *r, int top)
{
    for (int row = 0; row < ITSI_BAND * ITSI_SS && top + row < r->height; row += ITSI_SS)
        for (int x = r->from[row] & ~1; x + 1 < r->to[row]; x += ITSI_SS) {
            const uint8_t *at = r->shadow + (size_t)row * (size_t)r->width + (size_t)x;
            int sum = at[0] + at[1] + at[r->width] + at[r->width + 1];
            back->shade[(size_t)((top + row) / ITSI_SS) * (size_t)back->pic.width + (size_t)(x / ITSI_SS)] =
                (uint8_t)(sum / 4);
        }
}

float itsi_back_sun(const struct itsi_back *back, const struct itsi_camera *cam, const struct itsi_actor *a)
{
    float half = a->mesh->length * a->sy * 0.4f;
    int dark = 0, seen = 0;
    for (int k = -1; k <= 1; k++) {
        float x, y, depth, along = half * (float)k;
        struct itsi_vec3 p = itsi_vec3(a->pos.x - a->sin_yaw * along, a->pos.y + a->cos_yaw * along, 0);
        if (!itsi_project(cam, p, &x, &y, &depth))
            continue;
        x = x / ITSI_SS + (float)back->margin;
        y = y / ITSI_SS + (float)back->margin;
        if (x < 0 || y < 0 || x >= (float)back->pic.width || y >= (float)back->pic.height)
            continue;
        dark += back->shade[(size_t)y * (size_t)back->pic.width + (size_t)x];
        seen++;
    }
    return seen ? 1 - (float)dark / (255.0f * (float)seen) : 1;
}

static int alloc_back(struct itsi_back *back, int width, int height)
{
    /* Room to shake in, on all sides. */
    back->margin = (width / 80 + 4) & ~1;
    int w = width + 2 * back->margin, h = height + 2 * back->margin;
    back->pic = (struct itsi_picture){.width = w, .height = h, .stride = {w, w / 2, w / 2}};
    for (int p = 0; p < 3; p++)
        if (!(back->pic.plane[p] = itsi_alloc((size_t)back->pic.stride[p] * (size_t)(p ? h / 2 : h))))
            return ITS_ENOMEM;
    back->depth = itsi_calloc((size_t)w * (size_t)h, sizeof *back->depth);
    back->shade = itsi_calloc((size_t)w * (size_t)h, 1);
    return back->depth && back->shade ? 0 : ITS_ENOMEM;
}

int itsi_back_build(struct itsi_back *back, const struct itsi_scene *scene, const struct itsi_air *air, int width,
                    int height)
{
    int rc = alloc_back(back, width, height);
    if (rc < 0)
        return rc;
    struct itsi_camera cam = scene->cam;
    cam.cx += (float)(back->margin * ITSI_SS);
    cam.cy += (float)(back->margin * ITSI_SS);
    paint(back, scene, air, &cam);
    struct scenery s = {.cam = &cam, .air = air};
    struct itsi_raster r;
    rc = itsi_raster_init(&r, back->pic.width, back->pic.height);
    if (rc == 0)
        rc = itsi_scenery(scene, take_scenery, &s);
    if (rc == 0) {
        struct itsi_draw all = {0, s.list.count, 0, 0, 0, (float)r.height, 0};
        struct itsi_tally tally = {0};
        for (int top = 0; top < r.height; top += ITSI_BAND * ITSI_SS) {
            itsi_raster_clear(&r);
            itsi_band_draw(&r, &s.list, &all, 1, top, &tally);
            for (int i = 0; i < s.shadows.count; i++)
                itsi_raster_shadow(&r, &s.shadows.tri[i], top);
            itsi_band_lay(&r, top, &back->pic);
            keep_depth(back, &r, top);
            keep_shade(back, &r, top);
        }
        light_lamps(back, &s);
    }
    itsi_raster_fini(&r);
    itsi_free(s.list.tri);
    itsi_free(s.list.vertex);
    itsi_free(s.shadows.tri);
    return rc;
}

void itsi_back_fini(struct itsi_back *back)
{
    for (int p = 0; p < 3; p++)
        itsi_free(back->pic.plane[p]);
    itsi_free(back->depth);
    itsi_free(back->shade);
    *back = (struct itsi_back){0};
}

/* A shifted copy, sub-pixel by linear blending: wx, wy in 1/16 pixel. */
static void shift_row(uint8_t *restrict out, const uint8_t *restrict a, const uint8_t *restrict b, int width, int wx,
                      int wy)
{
    int w00 = (16 - wx) * (16 - wy), w10 = wx * (16 - wy), w01 = (16 - wx) * wy, w11 = wx * wy;
    for (int x = 0; x < width; x++)
        out[x] = (uint8_t)((a[x] * w00 + a[x + 1] * w10 + b[x] * w01 + b[x + 1] * w11 + 128) >> 8);
}

void itsi_back_copy(const struct itsi_back *back, struct itsi_picture *pic, int sx, int sy)
{
    for (int p = 0; p < 3; p++) {
        int div = p ? 2 : 1, w = pic->width / div, h = pic->height / div;
        /* Offsets in 1/16 of this plane's pixels, counted from the margin's outer corner. */
        int ox = (back->margin * 16 - sx) / div, oy = (back->margin * 16 - sy) / div;
        for (int y = 0; y < h; y++) {
            const uint8_t *a = back->pic.plane[p] + (size_t)((oy >> 4) + y) * (size_t)back->pic.stride[p] + (ox >> 4);
            uint8_t *out = pic->plane[p] + (size_t)y * (size_t)pic->stride[p];
            if ((ox & 15) == 0 && (oy & 15) == 0)
                memcpy(out, a, (size_t)w);
            else
                shift_row(out, a, a + back->pic.stride[p], w, ox & 15, oy & 15);
        }
    }
}

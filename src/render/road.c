/* The synthetic road: a scene built once, its background kept, and each picture drawn over it. */
#include "render/road.h"

#include "base/diag.h"
#include "base/mem.h"
#include "render/scene.h"
#include "render/weather.h"

#include <math.h>
#include <string.h>

enum { MAX_TRIANGLES = 120000 };

struct itsi_road {
    /* const */
    struct itsi_road_params params;
    struct itsi_scene scene;
    struct itsi_air air;
    struct itsi_models models;
    struct itsi_back back;
    struct itsi_noise noise;
    uint8_t *glare; /* only in a low sun */
    int softness;
    int code_w, code_h; /* pixels under the time code */
    /* scratch of one picture */
    struct itsi_raster raster;
    struct itsi_list list, shadows;
    uint8_t *rows;
    struct itsi_actor actor[ITSI_MAX_ACTORS];
    struct itsi_draw draw[ITSI_MAX_ACTORS];
    struct itsi_tally tally[ITSI_MAX_ACTORS];
};

/* ---- create ---- */

static int build_models(struct itsi_road *road)
{
    uint64_t seed = itsi_hash(road->params.seed, 9);
    itsi_model_vans(&road->models, seed);
    itsi_model_cars(&road->models, seed);
    itsi_model_trucks(&road->models, seed);
    itsi_model_buses(&road->models, seed);
    itsi_model_people(&road->models);
    for (int i = 0; i < ITSI_MODELS; i++)
        if (road->models.mesh[i].failed)
            return ITS_ENOMEM;
    int rc = 0;
    for (int i = 0; i < ITSI_MODELS && rc == 0; i++)
        rc = itsi_list_vertices(&road->list, road->models.mesh[i].pos_count);
    return rc;
}

static int build(struct itsi_road *road)
{
    const struct itsi_road_params *p = &road->params;
    itsi_scene_init(&road->scene, p);
    itsi_air_init(&road->air, p);
    road->softness = itsi_hash_below(road->scene.seed, 400, 48);
    bool dark = p->light == ITSI_LIGHT_NIGHT || p->light == ITSI_LIGHT_DUSK;
    if (p->timecode)
        itsi_timecode_size(p->width, p->height, &road->code_w, &road->code_h);
    int rc = itsi_noise_init(&road->noise, p->width, (float)p->noise * (dark ? 3.2f : 1.7f), p->seed);
    if (rc == 0)
        rc = itsi_raster_init(&road->raster, p->width, p->height);
    if (rc < 0)
        return rc;
    road->list = (struct itsi_list){.tri = itsi_alloc(MAX_TRIANGLES * sizeof(struct itsi_tri)), .cap = MAX_TRIANGLES};
    road->shadows = (struct itsi_list){.tri = itsi_alloc(MAX_TRIANGLES / 4 * sizeof(struct itsi_tri)),
                                       .cap = MAX_TRIANGLES / 4};
    road->rows = itsi_alloc((size_t)p->width * 3);
    if (!road->list.tri || !road->shadows.tri || !road->rows)
        return ITS_ENOMEM;
    if (p->light == ITSI_LIGHT_GLARE) {
        road->glare = itsi_alloc((size_t)p->width * (size_t)p->height);
        if (!road->glare)
            return ITS_ENOMEM;
        float x, y, depth;
        const struct itsi_camera *cam = &road->scene.cam;
        struct itsi_vec3 sun = road->air.sun;
        struct itsi_vec3 far = itsi_vec3(cam->pos.x + sun.x * 1000, cam->pos.y + sun.y * 1000,
                                         cam->pos.z + sun.z * 1000);
        if (!itsi_project(cam, far, &x, &y, &depth))
            x = cam->cx, y = 0;
        y = itsi_maxf(y, -0.15f * cam->cy); /* far above the picture it would not dazzle */
        itsi_glare_map(road->glare, p->width, p->height, x / ITSI_SS, y / ITSI_SS);
    }
    rc = build_models(road);
    return rc < 0 ? rc : itsi_back_build(&road->back, &road->scene, &road->air, p->width, p->height);
}

int itsi_road_create(struct itsi_road **out, const struct itsi_road_params *params, struct its_diag *diag)
{
    const struct itsi_road_params *p = params;
    if (p->width < 64 || p->width > 4096 || p->height < 64 || p->height > 4096 || p->width % 2 || p->height % 2)
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: size %dx%d: both must be even and from 64 to 4096",
                         p->width, p->height);
#define ITSI_X(name, text) ", " text
    static const char scenes[] = ITSI_ROAD_SCENE_MAP(ITSI_X);
#undef ITSI_X
    if (itsi_road_scene_find(p->scene) < 0)
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: scene '%.31s': allowed are %s", p->scene, scenes + 2);
    if ((unsigned)p->view > ITSI_VIEW_ANY)
        return itsi_fail(diag, ITS_EINVAL, "synthetic road: view %d is none of enum itsi_road_view", (int)p->view);
    if (!(p->fps >= 1 && p->fps <= 120) || !(p->traffic >= 0) || !(p->shake >= 0) || !(p->mix >= 0 && p->mix <= 1) || !(p->noise >= 0))
        return itsi_fail(diag, ITS_EINVAL,
                         "synthetic road: fps must be from 1 to 120, mix from 0 to 1; traffic, shake and noise not negative");
    struct itsi_road *road = itsi_zalloc(sizeof *road);
    if (!road)
        return itsi_fail(diag, ITS_ENOMEM, "synthetic road: out of memory");
    road->params = *p;
    int rc = build(road);
    if (rc < 0) {
        itsi_road_destroy(road);
        return itsi_fail(diag, rc, "synthetic road: %s", its_strerror(rc));
    }
    *out = road;
    return 0;
}

void itsi_road_destroy(struct itsi_road *road)
{
    if (!road)
        return;
    for (int i = 0; i < ITSI_MODELS; i++)
        itsi_mesh_fini(&road->models.mesh[i]);
    itsi_raster_fini(&road->raster);
    itsi_noise_fini(&road->noise);
    itsi_free(road->list.tri);
    itsi_free(road->list.vertex);
    itsi_free(road->shadows.tri);
    itsi_back_fini(&road->back);
    itsi_free(road->glare);
    itsi_free(road->rows);
    itsi_free(road);
}

/* ---- pictures ---- */

/* How far the picture is shaken, in 1/16 pixel: a pole that sways slowly and trembles when something heavy passes. */
static void shake_at(const struct itsi_road *road, double t, int *sx, int *sy)
{
    double amount[2];
    for (int axis = 0; axis < 2; axis++) {
        uint64_t h = itsi_hash(road->scene.seed, (uint64_t)(500 + axis));
        double sum = 0;
        static const double hertz[3] = {0.35, 1.9, 6.3}, share[3] = {0.5, 0.3, 0.25};
        double gust = 0.4 + 0.6 * (double)itsi_noise2(h, (float)(t * 0.2), 3.0f);
        for (int k = 0; k < 3; k++)
            sum += share[k] * gust *
                   itsi_sine(6.283185307179586 * hertz[k] * t * (double)itsi_hash_range(h, (uint64_t)k, 0.8f, 1.2f) +
                             (double)itsi_hash_range(h, (uint64_t)(10 + k), 0, 6));
        amount[axis] = sum * road->params.shake * road->params.width / 900.0 * 16;
        double limit = (road->back.margin - 2) * 16.0;
        amount[axis] = amount[axis] < -limit ? -limit : amount[axis] > limit ? limit : amount[axis];
    }
    *sx = (int)floor(amount[0]);
    *sy = (int)floor(amount[1]);
}

/* Nearest first: what is hidden then costs a comparison only, and the truth is listed in that order. */
static void sort_actors(struct itsi_actor *actor, int count)
{
    for (int i = 1; i < count; i++) {
        struct itsi_actor a = actor[i];
        int k = i;
        for (; k > 0 && actor[k - 1].distance > a.distance; k--)
            actor[k] = actor[k - 1];
        actor[k] = a;
    }
}

static void draw_bands(struct itsi_road *road, const struct itsi_camera *cam, int actors, struct itsi_picture *pic,
                       int sx, int sy)
{
    struct itsi_raster *r = &road->raster;
    road->list.count = road->shadows.count = 0;
    for (int i = 0; i < actors; i++) {
        /* What drives through the shadow of a house is dark too; the shade is kept as the unshaken camera sees it. */
        struct itsi_air air = road->air;
        air.shadow *= 0.1f + 0.9f * itsi_back_sun(&road->back, &road->scene.cam, &road->actor[i]);
        itsi_draw_actor(&road->list, &road->draw[i], cam, &air, &road->actor[i]);
        if (road->draw[i].count > 0)
            itsi_draw_shadow(&road->shadows, cam, &air, &road->actor[i]);
        road->tally[i] = (struct itsi_tally){0, 0, 0, r->width, r->height, -1, -1};
    }
    /* The standing things' depth, moved by whole pixels with the picture. */
    int stride = road->back.pic.width;
    const float *depth = road->back.depth + (size_t)(road->back.margin - ((sy + 8) >> 4)) * (size_t)stride +
                         (road->back.margin - ((sx + 8) >> 4));
    for (int top = 0; top < r->height; top += ITSI_BAND * ITSI_SS) {
        itsi_raster_clear(r);
        itsi_band_draw(r, &road->list, road->draw, actors, top, road->tally);
        for (int i = 0; i < road->shadows.count; i++)
            itsi_raster_shadow(r, &road->shadows.tri[i], top);
        itsi_band_hide(r, top, depth, stride, road->code_w, road->code_h);
        itsi_band_count(r, top, road->tally);
        itsi_band_lay(r, top, pic);
    }
}

static int truth(const struct itsi_road *road, int actors, struct itsi_road_box *boxes)
{
    int n = 0;
    for (int i = 0; i < actors && n < ITSI_ROAD_MAX_BOXES; i++) {
        const struct itsi_tally *t = &road->tally[i];
        if (t->visible == 0 || t->covered == 0)
            continue;
        if (itsi_decay(road->actor[i].distance * road->air.fog_per_m) < 0.05f)
            continue; /* swallowed by the fog */
        /* Share inside the picture (by the area of all its faces) times share not covered by others. */
        double inside = (double)t->drawn / itsi_maxf((float)road->draw[i].area, 1);
        double share = (double)t->visible / (double)t->covered * (inside > 1 ? 1 : inside);
        struct itsi_road_box b = {.x1 = (float)t->x0 / ITSI_SS,
                                  .y1 = (float)t->y0 / ITSI_SS,
                                  .x2 = (float)(t->x1 + 1) / ITSI_SS,
                                  .y2 = (float)(t->y1 + 1) / ITSI_SS,
                                  .cls = road->actor[i].cls,
                                  .id = road->actor[i].id,
                                  .visible = (float)share};
        if (b.visible > 0.1f && b.x2 - b.x1 >= ITSI_ROAD_SMALLEST && b.y2 - b.y1 >= ITSI_ROAD_SMALLEST)
            boxes[n++] = b;
    }
    return n;
}

/* The light that head lamps throw on the road before them. */
static void beams(const struct itsi_road *road, const struct itsi_camera *cam, int actors, struct itsi_picture *pic)
{
    for (int i = 0; i < actors; i++) {
        const struct itsi_actor *a = &road->actor[i];
        if (!a->lit || a->mesh->lamp_head[0].z <= 0 || road->tally[i].visible == 0)
            continue;
        float x[3], y[3], depth, front = a->mesh->length * 0.5f;
        const float ahead[3] = {front + 1.5f, front + 7, front + 15};
        bool seen = true;
        for (int k = 0; k < 3; k++)
            seen = itsi_project(cam, itsi_vec3(a->pos.x - a->sin_yaw * ahead[k], a->pos.y + a->cos_yaw * ahead[k], 0),
                                &x[k], &y[k], &depth) &&
                   seen;
        if (!seen)
            continue;
        float rx = cam->focal / depth * 2.2f + (x[2] > x[0] ? x[2] - x[0] : x[0] - x[2]) * 0.35f;
        float ry = (y[2] > y[0] ? y[2] - y[0] : y[0] - y[2]) * 0.55f;
        itsi_beam(pic, x[1] / ITSI_SS, y[1] / ITSI_SS, rx / ITSI_SS, ry / ITSI_SS, 1);
    }
}

/* The halo of each lamp that looks at the camera and is not hidden (its vehicle is mostly seen). */
static void lamps(const struct itsi_road *road, const struct itsi_camera *cam, int actors, struct itsi_picture *pic)
{
    for (int i = 0; i < actors; i++) {
        const struct itsi_actor *a = &road->actor[i];
        const struct itsi_tally *t = &road->tally[i];
        if (!a->lit)
            continue;
        if (t->visible * 3 < t->covered || t->covered == 0)
            continue;
        struct itsi_vec3 eye = itsi_unit(itsi_sub(cam->pos, a->pos));
        float facing = -a->sin_yaw * eye.x + a->cos_yaw * eye.y;
        bool front = facing > 0;
        const struct itsi_vec3 *lamp = front ? a->mesh->lamp_head : a->mesh->lamp_tail;
        float power = (front ? facing * facing * 0.95f : 0.4f * -facing) * road->air.lamp_glow;
        for (int k = 0; k < 2; k++) {
            if (lamp[k].z <= 0)
                continue;
            float x = lamp[k].x * a->sx, y = lamp[k].y * a->sy, px, py, depth;
            struct itsi_vec3 p = itsi_vec3(a->pos.x + x * a->cos_yaw - y * a->sin_yaw,
                                           a->pos.y + x * a->sin_yaw + y * a->cos_yaw, lamp[k].z * a->sz);
            if (!itsi_project(cam, p, &px, &py, &depth))
                continue;
            float size = cam->focal / ITSI_SS / depth * (front ? 0.75f : 0.3f) + 2.5f;
            float u = front ? 122.0f : 108.0f, v = front ? 130.0f : 190.0f;
            itsi_glow(pic, px / ITSI_SS, py / ITSI_SS, size, power, u, v);
            p.z = -p.z;
            if (road->air.wet && itsi_project(cam, p, &px, &py, &depth)) /* in the mirror of a wet road */
                itsi_glow(pic, px / ITSI_SS, py / ITSI_SS, size * 1.3f, power * 0.4f, u, v);
        }
    }
}

static void finish(const struct itsi_road *road, int64_t index, struct itsi_picture *pic)
{
    const struct itsi_road_params *p = &road->params;
    itsi_soften(pic->plane[0], pic->stride[0], pic->width, pic->height, road->softness, road->rows);
    if (p->weather == ITSI_WEATHER_RAIN)
        itsi_rain(pic, p->seed, index, 1);
    if (road->glare)
        itsi_glare(pic, road->glare);
    if (p->noise > 0)
        itsi_noise_add(&road->noise, pic, p->seed, index);
    if (!p->timecode)
        return;
    for (int c = 1; c < 3; c++)
        for (int y = 0; y < (road->code_h + 1) / 2; y++)
            memset(pic->plane[c] + (size_t)y * (size_t)pic->stride[c], 128, (size_t)(road->code_w + 1) / 2);
    itsi_timecode_write(pic->plane[0], pic->stride[0], pic->width, pic->height, (uint32_t)index);
}

int itsi_road_render(struct itsi_road *road, int64_t index, uint8_t *const plane[3], const int stride[3],
                     struct itsi_road_box boxes[ITSI_ROAD_MAX_BOXES])
{
    const struct itsi_road_params *p = &road->params;
    struct itsi_picture pic = {{plane[0], plane[1], plane[2]}, {stride[0], stride[1], stride[2]}, p->width, p->height};
    double t = (double)index / p->fps + 1000; /* the world is older than its first picture */
    int sx = 0, sy = 0;
    if (p->shake > 0)
        shake_at(road, t, &sx, &sy);
    struct itsi_camera cam = road->scene.cam;
    cam.cx += (float)(sx * ITSI_SS) / 16;
    cam.cy += (float)(sy * ITSI_SS) / 16;
    itsi_back_copy(&road->back, &pic, sx, sy);
    int actors = itsi_traffic(&road->scene, &road->models, p->traffic, t, road->actor, ITSI_MAX_ACTORS);
    sort_actors(road->actor, actors);
    draw_bands(road, &cam, actors, &pic, sx, sy);
    if (road->air.night)
        beams(road, &cam, actors, &pic);
    if (road->air.lamps)
        lamps(road, &cam, actors, &pic);
    int n = truth(road, actors, boxes);
    finish(road, index, &pic);
    return n;
}

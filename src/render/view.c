/* Where the camera hangs when the scene's own place for it is not wanted: the kinds of viewpoint that traffic cameras
 * have, each with its spread, drawn from the seed. */
#include "render/scene.h"

#include <math.h>

struct viewer {
    struct itsi_scene *scene;
    uint64_t h;
    float left, right;  /* edges of the carriageway */
    float beside;       /* room beside it before houses begin */
    float from, middle; /* along the road: where a camera looks from, and what is most worth seeing */
    int width, height;
};

static float range(const struct viewer *v, uint64_t what, float lo, float hi)
{
    return itsi_hash_range(v->h, what, lo, hi);
}

static bool chance(const struct viewer *v, uint64_t what, float share) { return itsi_hash_unit(v->h, what) < share; }

/* A place in the world from one on the straight road. */
static struct itsi_vec3 at(const struct viewer *v, float x, float y, float z)
{
    return itsi_vec3(x + v->scene->bend * y * y * 0.5f, y, z);
}

/* Most cameras hang nearly level, a few were never straightened. */
static float roll(const struct viewer *v)
{
    float r = range(v, 1, -1, 1);
    return r * r * r * (chance(v, 2, 0.15f) ? 0.20f : 0.06f);
}

/* A side of the carriageway, `off` metres beyond its edge. */
static float beyond(const struct viewer *v, uint64_t what, float off)
{
    return chance(v, what, 0.5f) ? v->right + off : v->left - off;
}

static float between(const struct viewer *v, uint64_t what, float share)
{
    return itsi_mixf(v->left, v->right, 0.5f + (itsi_hash_unit(v->h, what) - 0.5f) * share);
}

/* The middle of a lane that vehicles drive along the road. */
static float some_lane(const struct viewer *v, uint64_t what)
{
    const struct itsi_scene *s = v->scene;
    for (int tries = 0; tries < 16; tries++) {
        const struct itsi_lane *l = &s->lane[itsi_hash_below(v->h, what + (uint64_t)tries, s->lane_count)];
        float along = l->path[0].dy;
        if (l->speed > 2 && l->weight[ITSI_ROAD_CAR] > 0 && (along < 0 || along > 0))
            return l->path[0].x;
    }
    return 0;
}

static void mast(const struct viewer *v)
{
    float z = range(v, 10, 12, 30), y = v->from - range(v, 11, 0, 12);
    float x = chance(v, 12, 0.35f) ? between(v, 13, 1) : beyond(v, 14, range(v, 15, 0.5f, v->beside));
    float reach = z * range(v, 16, 1.6f, 5.5f); /* as many metres out as it looks down by one in that many */
    itsi_camera_aim(&v->scene->cam, at(v, x, y, z), at(v, between(v, 17, 1.4f), y + reach, 0), range(v, 18, 28, 66),
                    roll(v), v->width, v->height);
}

static void tele(const struct viewer *v)
{
    float far = v->middle + range(v, 10, 20, itsi_minf(v->scene->far * 0.55f, 170));
    float z = range(v, 11, 6, 22);
    float x = chance(v, 12, 0.5f) ? between(v, 13, 1) : beyond(v, 14, range(v, 15, 0.5f, v->beside));
    itsi_camera_aim(&v->scene->cam, at(v, x, v->from, z), at(v, between(v, 16, 0.9f), far, 0), range(v, 17, 8, 25),
                    roll(v), v->width, v->height);
}

/* Along the road from a bridge, or across it from a roof, steeply to straight down. */
static void overhead(const struct viewer *v)
{
    bool across = chance(v, 10, 0.55f);
    float z = range(v, 11, 8, 42), out = z * range(v, 12, 0.05f, 1.1f), mid = v->middle + range(v, 13, -8, 25);
    float target = chance(v, 18, 0.7f) ? some_lane(v, 40) : between(v, 14, 0.8f), hfov = range(v, 15, 26, 64);
    struct itsi_vec3 pos = at(v, between(v, 17, 1.2f), mid - out, z);
    if (across) {
        float side = chance(v, 16, 0.5f) ? 1.0f : -1.0f;
        out = itsi_minf(out, (v->right - v->left) * 0.5f + v->beside);
        pos = at(v, target + side * out, mid + range(v, 17, -0.35f, 0.35f) * out, z);
    }
    itsi_camera_aim(&v->scene->cam, pos, at(v, target, mid, 0), hfov, roll(v), v->width, v->height);
}

/* What passes is large: a car 1.9 m wide fills from a sixth to more than half of the picture. */
static void close_up(const struct viewer *v)
{
    float lane = some_lane(v, 40), far = v->from + range(v, 10, 13, 38), z = range(v, 11, 4, 8);
    float x = lane + range(v, 12, -1, 1) * range(v, 13, 0.5f, 7);
    float across = 1.9f / range(v, 14, 0.16f, 0.54f);
    itsi_camera_frame(&v->scene->cam, at(v, x, v->from, z), at(v, lane + range(v, 15, -1.2f, 1.2f), far, 0.7f), across,
                      roll(v), v->width, v->height);
}

/* Along the kerb, or over to the other side, where what passes shows its flank. */
static void kerb(const struct viewer *v)
{
    float z = range(v, 10, 2.5f, 4), off = range(v, 11, 0.4f, itsi_minf(v->beside, 4));
    float side = chance(v, 12, 0.5f) ? 1.0f : -1.0f, edge = side > 0 ? v->right : v->left;
    float y = v->from + range(v, 13, 0, 6), turn = range(v, 14, 0, 1), over = turn * turn * 1.4f;
    float ahead = range(v, 15, 9, 30);
    itsi_camera_aim(&v->scene->cam, at(v, edge + side * off, y, z),
                    at(v, edge - side * (1.5f + ahead * over), y + ahead, range(v, 16, 0, 1.6f)), range(v, 17, 40, 88),
                    roll(v), v->width, v->height);
}

void itsi_view_aim(struct itsi_scene *scene, enum itsi_road_view view, int width, int height)
{
    if (view == ITSI_VIEW_ANY)
        view = (enum itsi_road_view)itsi_hash_below(scene->seed, 800, ITSI_VIEW_ANY);
    const struct itsi_section *road = &scene->road;
    struct viewer v = {.scene = scene,
                       .h = itsi_hash(scene->seed, (uint64_t)(810 + view)),
                       .left = road->left,
                       .right = road->right,
                       .beside = scene->kind == ITSI_SCENE_MOTORWAY || scene->kind == ITSI_SCENE_TUNNEL ? 9 : 2.4f,
                       .middle = scene->has_cross ? scene->cross_y : 30,
                       .width = width,
                       .height = height};
    if (scene->has_cross)
        v.from = scene->cross_y - scene->cross.right - itsi_hash_range(v.h, 3, 10, 30);
    switch (view) {
    case ITSI_VIEW_MAST:
        mast(&v);
        break;
    case ITSI_VIEW_TELE:
        tele(&v);
        break;
    case ITSI_VIEW_OVERHEAD:
        overhead(&v);
        break;
    case ITSI_VIEW_CLOSE:
        close_up(&v);
        break;
    case ITSI_VIEW_KERB:
        kerb(&v);
        break;
    case ITSI_VIEW_USUAL:
    case ITSI_VIEW_ANY:
        break;
    }
}

/* What stands along the roads: rails, lamp posts, signs, trees, houses. Drawn once into the background, with its depth
 * kept so that traffic passes in front of it or behind. */
#include "render/scenery_impl.h"

/* Beyond the rail: screens, works, boxes, boards, sheds in the fields. */
static void motorway_side(struct itsi_builder *b, float edge, int side, float far)
{
    uint64_t h = itsi_hash(b->scene->seed, (uint64_t)(700 + side));
    float sgn = (float)side, clutter = itsi_hash_range(h, 1, 0, 0.5f), fields = itsi_hash_range(h, 2, 0, 0.5f);
    if (itsi_hash_unit(h, 3) < 0.35f)
        itsi_build_screen(b, edge + sgn * itsi_hash_range(h, 4, 1.8f, 5), itsi_hash_range(h, 5, 4, 60),
                          itsi_hash_range(h, 6, 90, far), itsi_hash(h, 7));
    if (itsi_hash_unit(h, 8) < 0.2f)
        itsi_build_works(b, edge - sgn * itsi_hash_range(h, 9, 0.5f, 2), itsi_hash_range(h, 10, 8, 60),
                         itsi_hash_range(h, 11, 70, 160), itsi_hash(h, 12));
    for (int i = 0; i < 40; i++) {
        uint64_t k = itsi_hash(h, (uint64_t)(100 + i));
        if (itsi_hash_unit(k, 1) < clutter)
            itsi_build_verge_prop(b, edge + sgn * itsi_hash_range(k, 2, 2.4f, 9), 8 + 6 * (float)i, k);
        if (itsi_hash_unit(k, 3) < fields)
            itsi_build_field_prop(b, edge + sgn * itsi_hash_range(k, 4, 20, 110), 20 + 9 * (float)i, itsi_hash(k, 5));
    }
}

static void motorway(struct itsi_builder *b)
{
    const struct itsi_scene *s = b->scene;
    uint64_t seed = s->seed;
    float l = s->road.left, r = s->road.right, far = s->far;
    bool wall = itsi_hash_unit(seed, 600) < 0.5f;
    itsi_build_rail(b, r + 0.8f, 2, far, false, seed);
    itsi_build_rail(b, l - 0.8f, 2, far, false, seed);
    float median = s->median;
    if (median < 1.5f || wall)
        itsi_build_rail(b, 0, 2, far, wall, seed);
    else
        for (int side = -1; side <= 1; side += 2)
            itsi_build_rail(b, median * 0.5f * (float)side, 2, far, false, seed);
    if (median > 1.2f && itsi_hash_unit(seed, 609) < 0.3f)
        itsi_build_screen(b, 0, itsi_hash_range(seed, 618, 4, 40), far, itsi_hash(seed, 619));
    if (s->portal > 0)
        itsi_build_portal(b, s->portal, itsi_hash(seed, 640));
    float density = itsi_hash_range(seed, 601, 0.1f, 0.9f);
    for (int side = -1; side <= 1; side += 2) {
        float edge = side > 0 ? r : l;
        for (float y = -27; y < far; y += 7) /* those behind the camera cast their shadows before it */ {
            uint64_t h = itsi_hash(seed, (uint64_t)(int64_t)(2000 + (int)y * 2 + side));
            if (itsi_hash_unit(h, 1) < density)
                itsi_build_tree(b, edge + (float)side * itsi_hash_range(h, 2, 7, 22), y + itsi_hash_range(h, 3, 0, 6),
                                itsi_hash_range(h, 4, 4, 12), h);
            if (itsi_hash_unit(h, 5) < density)
                itsi_build_bush(b, edge + (float)side * itsi_hash_range(h, 6, 3, 7), y,
                                itsi_hash_range(h, 7, 0.7f, 1.8f), h);
        }
    }
    for (int side = -1; side <= 1; side += 2)
        motorway_side(b, side > 0 ? r : l, side, far);
    if (itsi_hash_unit(seed, 606) < 0.3f && !(s->portal > 0))
        itsi_build_bridge(b, l, r, itsi_hash_range(seed, 607, 45, 170), itsi_hash(seed, 608));
    if (itsi_hash_unit(seed, 602) < 0.5f)
        for (float y = 20; y < 250; y += 35)
            itsi_build_lamp(b, 0.6f, y, itsi_hash_unit(seed, 603) < 0.5f ? 2.5f : -2.5f, seed);
    if (itsi_hash_unit(seed, 604) < 0.5f)
        itsi_build_gantry(b, 0, r + 1.6f, itsi_hash_range(seed, 605, 70, 160), seed);
    for (int i = 0; i < 4; i++)
        itsi_build_sign(b, r + 2.2f, itsi_hash_range(seed, (uint64_t)(610 + i), 15, 150),
                        itsi_hash(seed, (uint64_t)(630 + i)));
}

static void town_side(struct itsi_builder *b, float x, float sgn, float y0, float y1, bool trees)
{
    uint64_t seed = b->scene->seed;
    for (float y = y0; y < y1;) {
        uint64_t h = itsi_hash(seed, (uint64_t)(int64_t)(4000 + (int)(y * 4) * 2 + (sgn > 0)));
        float d = itsi_hash_range(h, 10, 10, 24), w = itsi_hash_range(h, 11, 9, 16);
        if (itsi_hash_unit(h, 12) < 0.8f)
            itsi_build_house(b, x + sgn * (w * 0.5f + 1.0f), y + d * 0.5f, w, d, h);
        else
            itsi_build_tree(b, x + sgn * 4, y + d * 0.5f, itsi_hash_range(h, 13, 6, 11), h);
        y += d + itsi_hash_range(h, 14, 0, 3);
    }
    for (float y = y0 + 3; y < y1; y += 13) {
        uint64_t h = itsi_hash(seed, (uint64_t)(int64_t)(5000 + (int)y * 2 + (sgn > 0)));
        float kerb = x - sgn * itsi_hash_range(seed, 640, 1.9f, 2.3f);
        if (trees && itsi_hash_unit(h, 1) < 0.6f)
            itsi_build_tree(b, kerb, y, itsi_hash_range(h, 2, 5, 8), h);
        else if (itsi_hash_unit(h, 3) < 0.5f)
            itsi_build_lamp(b, kerb, y, -sgn * 2, h);
        else if (itsi_hash_unit(h, 4) < 0.6f)
            itsi_build_sign(b, kerb, y + 2, h);
    }
    float clutter = itsi_hash_range(seed, (uint64_t)(642 + (sgn > 0)), 0, 0.6f);
    for (int i = 0; (float)i * 3.5f < y1 - y0; i++) { /* along the kerb and along the walls */
        uint64_t h = itsi_hash(seed, (uint64_t)(5500 + i * 2 + (sgn > 0)));
        float off = itsi_hash_unit(h, 1) < 0.5f ? itsi_hash_range(h, 2, 0.5f, 1) : itsi_hash_range(h, 2, 1.9f, 2.4f);
        if (itsi_hash_unit(h, 3) < clutter)
            itsi_build_street_prop(b, x - sgn * off, y0 + (float)i * 3.5f, itsi_hash(h, 4));
    }
}

static void street(struct itsi_builder *b)
{
    const struct itsi_scene *s = b->scene;
    float walk = s->walk;
    bool trees = itsi_hash_unit(s->seed, 650) < 0.5f;
    town_side(b, s->road.right + walk, 1, -40, s->far, trees); /* also behind the camera, for the shadows */
    town_side(b, s->road.left - walk, -1, -40, s->far, trees);
    if (itsi_hash_unit(s->seed, 652) < 0.12f)
        itsi_build_bridge(b, s->road.left - walk, s->road.right + walk, itsi_hash_range(s->seed, 653, 50, 110),
                          itsi_hash(s->seed, 654));
}

static void crossroads(struct itsi_builder *b)
{
    const struct itsi_scene *s = b->scene;
    float walk = s->walk, a = s->road.right, c = s->cross.right, mid = s->cross_y;
    bool trees = itsi_hash_unit(s->seed, 651) < 0.5f;
    for (int side = -1; side <= 1; side += 2) {
        float f = (float)side, x = f * (a + walk);
        town_side(b, x, f, mid + c + walk + 1, s->far, trees);
        /* Down the crossing road. */
        for (int k = 1; k < 5; k++) {
            uint64_t h = itsi_hash(s->seed, (uint64_t)(6000 + k * 2 + (side > 0)));
            float w = 18, d = itsi_hash_range(h, 10, 10, 16);
            itsi_build_house(b, x + f * (9 + 20 * (float)k), mid + c + walk + 1 + d * 0.5f, w, d, h);
        }
        itsi_build_signal(b, f * (a + 0.6f), mid + f * (c + 4.5f), -f * 4, itsi_hash(s->seed, 660));
        itsi_build_signal(b, f * (a + 0.6f), mid - f * (c + 4.5f), -f * 1.5f, itsi_hash(s->seed, 661));
        itsi_build_sign(b, f * (a + 1.2f), mid + c + 7, itsi_hash(s->seed, (uint64_t)(670 + side)));
        for (int k = 0; k < 3; k++) {
            uint64_t h = itsi_hash(s->seed, (uint64_t)(680 + k * 2 + (side > 0)));
            if (itsi_hash_unit(h, 1) < 0.6f)
                itsi_build_bush(b, x + f * itsi_hash_range(h, 2, 2, 12), mid - c - walk - itsi_hash_range(h, 3, 2, 8),
                                itsi_hash_range(h, 4, 0.8f, 1.6f), h);
        }
    }
}

static void plaza(struct itsi_builder *b)
{
    const struct itsi_scene *s = b->scene;
    street(b);
    float wide = s->road.right - s->road.left, clutter = itsi_hash_range(s->seed, 655, 0.2f, 0.9f);
    for (int i = 0; i < 24; i++) { /* in the middle too */
        uint64_t h = itsi_hash(s->seed, (uint64_t)(5700 + i));
        float x = s->road.left + wide * itsi_hash_unit(h, 1), y = 6 + 3 * (float)i;
        if (itsi_hash_unit(h, 2) >= clutter)
            continue;
        if (itsi_hash_unit(h, 3) < 0.12f)
            itsi_build_tree(b, x, y, itsi_hash_range(h, 4, 4, 8), h);
        else
            itsi_build_street_prop(b, x, y, h);
    }
}

/* Lamps and trees at the rim, a building or fields behind. */
static void carpark(struct itsi_builder *b)
{
    const struct itsi_scene *s = b->scene;
    for (int side = -1; side <= 1; side += 2) {
        float f = (float)side, edge = (side > 0 ? s->road.right : s->road.left) + f * s->walk;
        uint64_t h = itsi_hash(s->seed, (uint64_t)(690 + side));
        if (itsi_hash_unit(h, 1) < 0.5f)
            town_side(b, edge, f, 4, 120, itsi_hash_unit(h, 2) < 0.5f);
        else if (itsi_hash_unit(h, 3) < 0.5f)
            itsi_build_screen(b, edge, 2, 100, h);
        for (int i = 0; i < 14; i++) {
            uint64_t k = itsi_hash(h, (uint64_t)(20 + i));
            if (itsi_hash_unit(k, 1) < 0.4f)
                itsi_build_tree(b, edge - f * 1.5f, 6 + 8 * (float)i, itsi_hash_range(k, 2, 4, 9), k);
            else if (itsi_hash_unit(k, 3) < 0.3f)
                itsi_build_lamp(b, edge - f * 2, 6 + 8 * (float)i, -f * 2, k);
            if (itsi_hash_unit(k, 4) < 0.5f)
                itsi_build_field_prop(b, edge + f * itsi_hash_range(k, 5, 25, 70), 20 + 9 * (float)i, k);
        }
    }
}

int itsi_scenery(const struct itsi_scene *scene, itsi_scenery_sink *sink, void *arg)
{
    struct itsi_builder b = {.scene = scene, .sink = sink, .arg = arg};
    switch (scene->kind) {
    case ITSI_SCENE_MOTORWAY:
    case ITSI_SCENE_TUNNEL:
        motorway(&b);
        break;
    case ITSI_SCENE_STREET:
        street(&b);
        break;
    case ITSI_SCENE_PLAZA:
        plaza(&b);
        break;
    case ITSI_SCENE_CARPARK:
        carpark(&b);
        break;
    default:
        crossroads(&b);
        break;
    }
    if (itsi_hash_unit(scene->seed, 658) < 0.12f)
        itsi_build_twigs(&b, itsi_hash(scene->seed, 657));
    itsi_mesh_fini(&b.mesh);
    return b.rc;
}

/* The crossroads: four approaches that have green one after the other, then everybody on foot. */
#include "render/scene.h"

struct arm {
    float half, cross_half;   /* of this road and of the one it meets */
    float width, cross_width; /* of a lane */
    int lanes;
};

/* The lanes of one approach. (dx, dy) is the direction of travel, `mid` the crossing's middle, `run` the way to it. */
static void approach(struct itsi_scene *s, uint64_t h, const struct arm *a, float mid, float dx, float dy, float run,
                     const struct itsi_signal *sig)
{
    float back = run + a->cross_half;
    for (int i = 0; i < a->lanes; i++) { /* 0: next to the middle; traffic keeps right of it */
        float lateral = a->width * ((float)i + 0.5f);
        float x = -dx * back + dy * lateral, y = mid - dy * back - dx * lateral;
        struct itsi_lane *l = itsi_lane_add(s, x, y, dx, dy, back * 2, 9.5f);
        itsi_lane_obey(l, sig, run - 5.2f, 2.7f);
        l->fill = itsi_hash_range(h, (uint64_t)(1 + i), 0.3f, 0.7f);
        itsi_lane_city(l, itsi_hash(h, (uint64_t)(10 + i)));
        bool outer = i == a->lanes - 1;
        if (i > 0 && !outer)
            continue;
        /* The inner lane also turns left, the outer one right; a single lane does one of them. */
        bool left = i == 0 && !(outer && itsi_hash_unit(h, 20) < 0.5f);
        float r = left ? a->cross_half + a->cross_width * 0.5f : itsi_clampf(a->half - lateral + 3, 5, 7);
        float into = left ? a->cross_width * 0.5f : -(a->cross_half - 0.6f - a->cross_width * 0.5f);
        float turn_at = back + into - r;
        l->paths = 2;
        l->path[1] = (struct itsi_path){x, y, dx, dy, turn_at, left ? r : -r, turn_at + r * 1.5707963f + run};
    }
}

/* Lines between lanes, zebras, stop lines and arrows. */
static void crossing_paint(struct itsi_scene *s, const struct arm *main_road, const struct arm *side_road, bool yellow)
{
    float a = main_road->half, b = side_road->half, mid = s->cross_y;
    itsi_line_add(&s->road, -0.12f, 0.12f, 0, 0, yellow);
    itsi_line_add(&s->road, 0.12f, 0.12f, 0, 0, yellow);
    itsi_line_add(&s->cross, 0, 0.14f, 0, 0, yellow);
    if (itsi_hash_unit(s->seed, 12) < 0.2f) /* a box that nobody may stop in */
        for (int way = -1; way <= 1; way += 2) {
            struct itsi_mark *m = itsi_mark_add(s, -a, mid - b, a, mid + b, 0.2f, false, 0);
            m->period = 1.8f;
            m->slant = (float)way;
            m->yellow = true;
        }
    for (int side = -1; side <= 1; side += 2) {
        float f = (float)side;
        for (int i = 1; i < main_road->lanes; i++)
            itsi_line_add(&s->road, f * (float)i * main_road->width, 0.12f, 2, 4, false);
        for (int i = 1; i < side_road->lanes; i++)
            itsi_line_add(&s->cross, f * (float)i * side_road->width, 0.12f, 2, 4, false);
        itsi_mark_add(s, -a, mid + f * (b + 2.3f) - 1.6f, a, mid + f * (b + 2.3f) + 1.6f, 0.45f, false, 0);
        itsi_mark_add(s, f * (a + 2.3f) - 1.6f, mid - b, f * (a + 2.3f) + 1.6f, mid + b, 0.45f, true, 0);
        float x0 = side < 0 ? 0.2f : -a, x1 = side < 0 ? a : -0.2f, y = mid + f * (b + 4.8f);
        itsi_mark_add(s, x0, y - 0.2f, x1, y + 0.2f, 0, false, 0);
        for (int i = 0; i < main_road->lanes; i++) {
            float x = -f * main_road->width * ((float)i + 0.5f), ya = y + f * 9;
            int kind = i == 0 ? 2 : i == main_road->lanes - 1 ? 3 : 1;
            itsi_mark_add(s, x - 0.55f, ya - 2.2f, x + 0.55f, ya + 2.2f, 0, false, -side * kind);
        }
    }
}

void itsi_scene_crossroads(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 3000);
    struct arm main_road = {.lanes = 2 + itsi_hash_below(h, 1, 2), .width = itsi_hash_range(h, 2, 3.1f, 3.6f)};
    struct arm side_road = {.lanes = 1 + itsi_hash_below(h, 3, 2), .width = itsi_hash_range(h, 4, 3.1f, 3.6f)};
    main_road.half = side_road.cross_half = main_road.width * (float)main_road.lanes + 0.6f;
    side_road.half = main_road.cross_half = side_road.width * (float)side_road.lanes + 0.6f;
    main_road.cross_width = side_road.width;
    side_road.cross_width = main_road.width;
    float a = main_road.half, b = side_road.half, walk = itsi_hash_range(h, 5, 3, 5);
    float mid = itsi_hash_range(h, 6, 30, 44);
    s->far = 200;
    s->has_cross = true;
    s->cross_y = mid;
    s->walk = walk;
    itsi_section_paved(&s->road, a, walk);
    itsi_section_paved(&s->cross, b, walk);
    crossing_paint(s, &main_road, &side_road, itsi_hash_unit(h, 7) < 0.5f);
    /* Four approaches one after the other, then everybody on foot. */
    double slot = 13, at = itsi_hash_range(h, 8, 0, 65);
    static const float ways[4][3] = {{0, 1, 70}, {0, -1, 110}, {1, 0, 70}, {-1, 0, 70}};
    for (int k = 0; k < 4; k++) {
        struct itsi_signal sig = {5 * slot, slot - 2.5, at + k * slot};
        approach(s, itsi_hash(h, (uint64_t)(30 + k)), k < 2 ? &main_road : &side_road, mid, ways[k][0], ways[k][1],
                 ways[k][2], &sig);
    }
    struct itsi_signal foot = {5 * slot, 3.5, at + 3 * slot + 4.5};
    for (int side = -1; side <= 1; side += 2) {
        float f = (float)side;
        itsi_lane_zebra(s, a, walk, mid + f * (b + 2.3f), false, 0, &foot);
        itsi_lane_zebra(s, b, walk, f * (a + 2.3f), true, mid, &foot);
        itsi_lane_walkers(s, itsi_hash(h, (uint64_t)(40 + side)), f * (a + walk * 0.6f), mid + b + 2, 60);
        itsi_lane_walkers(s, itsi_hash(h, (uint64_t)(44 + side)), f * (a + walk * 0.6f), mid - b - 62, 60);
    }
    float x = itsi_hash_range(h, 50, -1.1f, 1.1f) * (a + 2);
    float y = mid - b - itsi_hash_range(h, 57, 12, 24);
    itsi_camera_aim(&s->cam, itsi_vec3(x, y, itsi_hash_range(h, 53, 5, 9)),
                    itsi_vec3(x * itsi_hash_range(h, 54, -0.3f, 0.3f), mid + itsi_hash_range(h, 52, -3, 6), 0),
                    itsi_hash_range(h, 55, 45, 75), itsi_hash_range(h, 56, -0.025f, 0.025f), (int)s->cam.cx,
                    (int)s->cam.cy);
}

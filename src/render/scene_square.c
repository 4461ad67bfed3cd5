/* Places without a through road: a plaza for those on foot, and a car park. */
#include "render/scene.h"

void itsi_scene_plaza(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 4000);
    float half = itsi_hash_range(h, 1, 5, 16), walk = 2.5f, run = 110;
    s->far = 160;
    s->walk = walk;
    s->road.left = -half;
    s->road.right = half;
    s->bend = itsi_hash_unit(h, 2) < 0.6f ? 0 : itsi_hash_range(h, 3, -0.004f, 0.004f);
    if (itsi_hash_unit(h, 4) < 0.5f) { /* a band of other stone, as a lane once was */
        float a = itsi_hash_range(h, 5, -half, 0), b = a + itsi_hash_range(h, 6, 2, half);
        itsi_strip_add(&s->road, a, b, itsi_hash_unit(h, 7) < 0.5f ? ITSI_COLOURED : ITSI_ASPHALT);
        for (int k = 0; k < 2; k++)
            itsi_line_add(&s->road, k ? b : a, itsi_hash_range(h, 8, 0.1f, 0.5f), 0, 0, false);
    }
    itsi_strip_add(&s->road, -half - walk, half + walk, itsi_hash_unit(h, 9) < 0.8f ? ITSI_PAVEMENT : ITSI_ASPHALT);
    for (int k = 0; k < 5; k++) {
        uint64_t hk = itsi_hash(h, (uint64_t)(20 + k));
        itsi_lane_walkers(s, hk, itsi_hash_range(hk, 1, -half, half), -10, run);
        struct itsi_lane *l = itsi_lane_add(s, -half, itsi_hash_range(hk, 2, 6, 45), k & 1 ? 1 : -1, 0, half * 2, 1.2f);
        l->path[0].x = k & 1 ? -half : half;
        l->spacing = 5; /* across */
        l->fill = itsi_hash_range(hk, 3, 0, 0.4f);
        l->sway = 1;
        itsi_lane_mix(l, 0, 0, 0, 0, 0, 1);
    }
    for (int k = 0; k < 3; k++) {
        uint64_t hk = itsi_hash(h, (uint64_t)(30 + k));
        struct itsi_lane *l = itsi_lane_add(s, itsi_hash_range(hk, 1, -half * 0.8f, half * 0.8f), k & 1 ? run : -10, 0,
                                            k & 1 ? -1 : 1, run, itsi_hash_range(hk, 2, 2.5f, 5));
        l->spacing = itsi_hash_range(hk, 3, 9, 25);
        l->fill = itsi_hash_range(hk, 4, 0.2f, 0.7f);
        l->sway = 0.8f;
        itsi_lane_mix(l, 0, 0, 0, 0, 1, 0);
    }
    if (itsi_hash_unit(h, 10) < 0.35f) { /* deliveries */
        struct itsi_lane *l = itsi_lane_add(s, half * 0.8f, 5, 0, 1, 90, 0);
        l->spacing = 30;
        l->fill = 0.5f;
        l->stop = -100;
        l->max_length = 8;
        itsi_lane_mix(l, 0.4f, 0.6f, 0, 0, 0, 0);
    }
    float x = itsi_hash_range(h, 50, -1, 1) * half, at_y = itsi_hash_range(h, 52, 10, 30);
    itsi_camera_aim(&s->cam, itsi_vec3(x, 0, itsi_hash_range(h, 53, 3.5f, 9)),
                    itsi_vec3(x * itsi_hash_range(h, 54, -0.5f, 0.5f), at_y, 0.3f), itsi_hash_range(h, 55, 40, 75),
                    itsi_hash_range(h, 56, -0.03f, 0.03f), (int)s->cam.cx, (int)s->cam.cy);
}

/* A row of bays along x, whose cars stand along the aisles' cross direction. */
static void bays(struct itsi_scene *s, uint64_t h, float x, float depth, float slant, float sign)
{
    float pitch = itsi_mixf(5, 2.75f, slant), run = 100;
    struct itsi_mark *m = itsi_mark_add(s, x - depth * 0.5f, -10, x + depth * 0.5f, run, 0.12f, true, 0);
    m->period = pitch;
    struct itsi_lane *l = itsi_lane_add(s, x, -10, 0, 1, run + 10, 0);
    l->spacing = pitch;
    l->fill = itsi_hash_range(h, 1, 0.2f, 0.95f);
    l->sway = 0.25f;
    l->slant = slant * sign;
    l->stop = -100;
    l->max_length = 5.6f;
    itsi_lane_mix(l, 0.96f, 0.02f, 0, 0.02f, 0, 0);
}

void itsi_scene_carpark(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 4500);
    float depth = 5.2f, aisle = itsi_hash_range(h, 1, 5.5f, 7.5f), slant = itsi_hash_unit(h, 2) < 0.75f ? 1.0f : 0.55f;
    int rows = 1 + itsi_hash_below(h, 3, 3); /* aisles with bays on both sides */
    float half = (float)rows * (depth + aisle * 0.5f);
    s->far = 110;
    s->walk = 3;
    itsi_section_paved(&s->road, half + 0.5f, s->walk);
    for (int i = 0; i < rows; i++) {
        float mid = -half + ((float)i + 0.5f) * (2 * depth + aisle);
        for (int side = -1; side <= 1; side += 2) {
            float f = (float)side;
            bays(s, itsi_hash(h, (uint64_t)(20 + 2 * i + side)), mid + f * (aisle + depth) * 0.5f, depth, slant,
                 itsi_hash_unit(h, (uint64_t)(30 + i)) < 0.5f ? f : -f);
            struct itsi_lane *l = itsi_lane_add(s, mid + f * aisle * 0.25f, side > 0 ? -30.0f : s->far, 0, f,
                                                s->far + 30, itsi_hash_range(h, (uint64_t)(40 + i), 2.5f, 6));
            l->spacing = 32;
            l->fill = itsi_hash_range(h, (uint64_t)(50 + i), 0.05f, 0.5f);
            itsi_lane_mix(l, 0.93f, 0.05f, 0, 0.02f, 0, 0);
            l->max_length = 7;
        }
        itsi_lane_walkers(s, itsi_hash(h, (uint64_t)(60 + i)), mid + aisle * 0.3f, -10, 100);
    }
    float x = itsi_hash_range(h, 70, -1, 1) * half, at_y = itsi_hash_range(h, 72, 15, 40);
    itsi_camera_aim(&s->cam, itsi_vec3(x, 0, itsi_hash_range(h, 73, 4, 12)),
                    itsi_vec3(x * itsi_hash_range(h, 74, -0.6f, 0.6f), at_y, 0.3f), itsi_hash_range(h, 75, 45, 80),
                    itsi_hash_range(h, 76, -0.03f, 0.03f), (int)s->cam.cx, (int)s->cam.cy);
}

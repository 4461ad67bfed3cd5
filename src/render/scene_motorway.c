/* The motorway: two carriageways and what runs on them, all drawn from the seed. */
#include "render/scene.h"

static void carriageway(struct itsi_scene *s, uint64_t h, float inner, int side, int lanes, float width, int sense)
{
    /* side: 1 right of the median, -1 left; sense: 1 traffic runs towards +y. */
    float sgn = (float)side, hard = itsi_hash_range(h, 1, 2.2f, 3.2f), edge = inner + 0.7f;
    float outer = edge + width * (float)lanes + hard;
    itsi_strip_add(&s->road, itsi_minf(sgn * inner, sgn * outer), itsi_maxf(sgn * inner, sgn * outer), ITSI_ASPHALT);
    itsi_line_add(&s->road, sgn * (edge - 0.15f), 0.2f, 0, 0, itsi_hash_unit(s->seed, 9) < 0.3f);
    itsi_line_add(&s->road, sgn * (edge + width * (float)lanes), 0.22f, 0, 0, false);
    for (int i = 1; i < lanes; i++)
        itsi_line_add(&s->road, sgn * (edge + width * (float)i), 0.16f, itsi_hash_range(s->seed, 10, 3, 6),
                      itsi_hash_range(s->seed, 11, 6, 12), false);
    /* Free, dense and slow, or a queue that hardly moves. */
    float base = itsi_hash_range(h, 2, 19, 26), jam = itsi_hash_unit(h, 3);
    bool queue = jam < 0.08f;
    if (jam < 0.2f)
        base = queue ? itsi_hash_range(h, 4, 0.3f, 1.6f) : itsi_hash_range(h, 4, 3, 9);
    int first = s->lane_count;
    for (int i = 0; i < lanes; i++) { /* 0: the innermost, fastest */
        float x = sgn * (edge + width * ((float)i + 0.5f)), len = s->far + 60;
        float speed = base * (1 + 0.16f * (float)(lanes - 1 - i)) +
                      (queue ? 0 : itsi_hash_range(h, 20 + (uint64_t)i, -0.7f, 0.7f));
        struct itsi_lane *l = itsi_lane_add(s, x, sense > 0 ? -40.0f : s->far + 20, 0, (float)sense, len, speed);
        l->spacing = queue && i < lanes - 1 ? 8.5f : jam < 0.2f ? 22 : itsi_hash_range(h, 30 + (uint64_t)i, 26, 40);
        l->fill = itsi_hash_range(h, 40 + (uint64_t)i, 0.35f, 0.75f);
        l->sway = 0.35f;
        if (queue) {
            l->fill = 0.95f;
            l->max_length = i < lanes - 1 ? 5.5f : 30;
        }
        if (i == lanes - 1)
            itsi_lane_mix(l, 0.5f, 0.4f, 0.06f, 0.02f, 0, 0);
        else if (i == lanes - 2)
            itsi_lane_mix(l, 0.75f, 0.17f, 0.04f, 0.03f, 0, 0);
        else
            itsi_lane_mix(l, 0.94f, 0.03f, 0.01f, 0.03f, 0, 0);
        if (i > 0 && jam >= 0.2f)
            l->change_to = first + i - 1;
    }
    if (itsi_hash_unit(h, 6) < 0.12f) { /* a hatched hard shoulder */
        float a = sgn * (outer - hard), b = sgn * (outer - 0.3f), from = itsi_hash_range(h, 7, -20, 60);
        itsi_mark_add(s, itsi_minf(a, b), from, itsi_maxf(a, b), from + itsi_hash_range(h, 8, 30, 120), 0.5f, false, 0)
            ->slant = sgn * 0.7f;
    }
    if (itsi_hash_unit(h, 5) < 0.2f) { /* a breakdown on the hard shoulder now and then */
        struct itsi_lane *l = itsi_lane_add(s, sgn * (outer - hard * 0.5f), 0, 0, (float)sense, s->far, 0);
        l->path[0].y = sense > 0 ? 0 : s->far;
        l->spacing = 70;
        l->fill = 0.5f;
        itsi_lane_mix(l, 0.6f, 0.35f, 0.02f, 0, 0, 0);
    }
    s->road.right = itsi_maxf(s->road.right, sgn * outer);
    s->road.left = itsi_minf(s->road.left, sgn * outer);
}

/* A road beside the carriageway, behind a strip of grass: a slip road with slower traffic. */
static void slip_road(struct itsi_scene *s, uint64_t h, int sense)
{
    float gap = itsi_hash_range(h, 1, 0.8f, 4), width = itsi_hash_range(h, 2, 4.5f, 6), from = s->road.right;
    itsi_strip_add(&s->road, from, from + gap, itsi_hash_unit(h, 3) < 0.7f ? ITSI_GRASS : ITSI_ASPHALT);
    itsi_strip_add(&s->road, from + gap, from + gap + width, ITSI_ASPHALT);
    itsi_line_add(&s->road, from + gap + 0.4f, 0.18f, 0, 0, false);
    itsi_line_add(&s->road, from + gap + width - 0.4f, 0.18f, 0, 0, false);
    if (itsi_hash_unit(h, 4) < 0.5f)
        itsi_mark_add(s, from - 1.8f, 10, from + gap, 60, 0.5f, false, 0)->slant = 0.8f;
    struct itsi_lane *l = itsi_lane_add(s, from + gap + width * 0.5f, sense > 0 ? -40.0f : s->far + 20, 0, (float)sense,
                                        s->far + 60, itsi_hash_range(h, 5, 9, 16));
    l->spacing = 32;
    l->fill = itsi_hash_range(h, 6, 0.2f, 0.6f);
    l->sway = 0.3f;
    itsi_lane_mix(l, 0.75f, 0.18f, 0.03f, 0.03f, 0, 0);
    s->road.right = from + gap + width;
}

static void two_carriageways(struct itsi_scene *s, uint64_t h)
{
    float width = itsi_hash_range(h, 1, 3.3f, 3.75f), median = itsi_hash_range(h, 2, 0.8f, 3.2f);
    if (itsi_hash_unit(h, 3) < 0.3f)
        median = itsi_hash_range(h, 4, 4, 9);
    s->median = median;
    int left_hand = itsi_hash_unit(h, 5) < 0.12f ? -1 : 1;
    itsi_strip_add(&s->road, -median, median, itsi_hash_unit(h, 8) < 0.5f ? ITSI_GRASS : ITSI_CONCRETE);
    float share = itsi_hash_unit(h, 9);
    int lanes_a = share < 0.08f ? 1 : share < 0.92f ? 2 + itsi_hash_below(h, 9, 3) : 5;
    int lanes_b = itsi_hash_unit(h, 10) < 0.8f ? lanes_a : itsi_hash_unit(h, 23) < 0.5f ? 2 : 0;
    carriageway(s, itsi_hash(h, 11), median, 1, lanes_a, width, left_hand);
    if (lanes_b > 0)
        carriageway(s, itsi_hash(h, 12), median, -1, lanes_b, width, -left_hand);
    else
        s->road.left = -median;
    if (itsi_hash_unit(h, 24) < 0.25f)
        slip_road(s, itsi_hash(h, 25), left_hand);
    itsi_strip_add(&s->road, s->road.right, s->road.right + 1.4f, ITSI_GRAVEL);
    itsi_strip_add(&s->road, s->road.left - 1.4f, s->road.left, ITSI_GRAVEL);
    if (itsi_hash_unit(h, 13) < 0.25f) /* arrows */
        for (int i = 0; i < lanes_a; i++) {
            float x = median + 0.7f + width * ((float)i + 0.5f), y = itsi_hash_range(h, 14, 18, 40);
            itsi_mark_add(s, x - 0.5f, y, x + 0.5f, y + 5, 0, false,
                          left_hand * (1 + itsi_hash_below(h, 50 + (uint64_t)i, 3)));
        }
}

static void hang_camera(struct itsi_scene *s, uint64_t h)
{
    bool bridge = itsi_hash_unit(h, 15) < 0.65f;
    float z, x, at_x, at_y;
    if (bridge) {
        z = itsi_hash_range(h, 16, 5.5f, 9.5f);
        x = itsi_hash_range(h, 17, s->road.left * 0.8f, s->road.right * 0.8f);
        at_x = x * itsi_hash_range(h, 18, 0.3f, 1.0f);
        at_y = itsi_hash_range(h, 19, 28, 75);
    } else {
        z = itsi_hash_range(h, 16, 6, 12);
        x = itsi_hash_unit(h, 20) < 0.6f ? s->road.right + itsi_hash_range(h, 17, 1.5f, 5)
                                         : s->road.left - itsi_hash_range(h, 17, 1.5f, 5);
        at_y = itsi_hash_range(h, 19, 30, 80);
        at_x = x * itsi_hash_range(h, 18, 0.1f, 0.5f);
    }
    at_x += s->bend * at_y * at_y * 0.5f;
    itsi_camera_aim(&s->cam, itsi_vec3(x, 0, z), itsi_vec3(at_x, at_y, 0), itsi_hash_range(h, 21, 30, 62),
                    itsi_hash_range(h, 22, -0.02f, 0.02f), (int)(s->cam.cx), (int)(s->cam.cy));
}

void itsi_scene_motorway(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 1000);
    s->bend = itsi_hash_unit(h, 6) < 0.4f ? 0 : itsi_hash_range(h, 7, -0.0016f, 0.0016f);
    s->far = 420;
    if (itsi_hash_unit(h, 26) < 0.2f) { /* a curve that leaves the picture */
        s->bend *= 2.5f;
        s->far = 300;
    }
    two_carriageways(s, h);
    hang_camera(s, h);
}

void itsi_scene_tunnel(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 1500);
    s->bend = itsi_hash_unit(h, 6) < 0.5f ? 0 : itsi_hash_range(h, 7, -0.002f, 0.002f);
    s->portal = itsi_hash_range(h, 27, 38, 120);
    s->far = s->portal + 30;
    two_carriageways(s, h);
    hang_camera(s, h);
}

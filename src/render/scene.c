/* The three scenes: cross-sections of the roads, lanes, paint and where the camera hangs, all drawn from the seed. */
#include "render/render_impl.h"

#include <math.h>
#include <string.h>

void itsi_strip_add(struct itsi_section *s, float x0, float x1, enum itsi_surface surface)
{
    if (s->strip_count < (int)(sizeof s->strip / sizeof *s->strip))
        s->strip[s->strip_count++] = (struct itsi_strip){x0, x1, surface};
}

void itsi_line_add(struct itsi_section *s, float x, float width, float dash, float gap, bool yellow)
{
    if (s->line_count < (int)(sizeof s->line / sizeof *s->line))
        s->line[s->line_count++] = (struct itsi_line){x, width, dash, gap, yellow, -1e6f, 1e6f};
}

void itsi_mark_add(struct itsi_scene *s, float x0, float y0, float x1, float y1, float stripe, bool across, int arrow)
{
    if (s->mark_count < ITSI_MAX_MARKS)
        s->mark[s->mark_count++] = (struct itsi_mark){x0, y0, x1, y1, stripe, across, arrow};
}

struct itsi_lane *itsi_lane_add(struct itsi_scene *s, float x, float y, float dx, float dy, float length, float speed)
{
    int at = s->lane_count < ITSI_MAX_LANES ? s->lane_count++ : ITSI_MAX_LANES - 1;
    struct itsi_lane *lane = &s->lane[at];
    *lane = (struct itsi_lane){
        .paths = 1, .speed = speed, .change_to = -1, .max_length = 30, .spacing = 30, .fill = 0.5f};
    lane->path[0] = (struct itsi_path){x, y, dx, dy, length, 0, length};
    return lane;
}

void itsi_camera_aim(struct itsi_camera *cam, struct itsi_vec3 pos, struct itsi_vec3 at, float hfov, float roll,
                     int width, int height)
{
    cam->pos = pos;
    cam->forward = itsi_unit(itsi_sub(at, pos));
    struct itsi_vec3 right = itsi_unit(itsi_cross(cam->forward, itsi_vec3(0, 0, 1)));
    struct itsi_vec3 up = itsi_cross(right, cam->forward);
    float c = (float)itsi_cosine(roll), s = (float)itsi_sine(roll);
    cam->right = itsi_vec3(right.x * c + up.x * s, right.y * c + up.y * s, right.z * c + up.z * s);
    cam->up = itsi_vec3(up.x * c - right.x * s, up.y * c - right.y * s, up.z * c - right.z * s);
    double half = hfov * 0.5 * 3.141592653589793 / 180;
    cam->focal = (float)((double)width * ITSI_SS * 0.5 * itsi_cosine(half) / itsi_sine(half));
    cam->cx = (float)(width * ITSI_SS) * 0.5f;
    cam->cy = (float)(height * ITSI_SS) * 0.5f;
}

static void weights(struct itsi_lane *lane, float car, float truck, float bus, float moto, float bike, float person)
{
    const float w[ITSI_ROAD_CLASS_COUNT] = {car, truck, bus, moto, bike, person};
    memcpy(lane->weight, w, sizeof w);
}

/* ---- motorway ---- */

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
    float base = itsi_hash_range(h, 2, 19, 26), jam = itsi_hash_unit(h, 3);
    if (jam < 0.2f)
        base = itsi_hash_range(h, 4, 3, 9); /* dense and slow */
    int first = s->lane_count;
    for (int i = 0; i < lanes; i++) { /* 0: the innermost, fastest */
        float x = sgn * (edge + width * ((float)i + 0.5f)), len = s->far + 60;
        float speed = base * (1 + 0.16f * (float)(lanes - 1 - i)) + itsi_hash_range(h, 20 + (uint64_t)i, -0.7f, 0.7f);
        struct itsi_lane *l = itsi_lane_add(s, x, sense > 0 ? -40.0f : s->far + 20, 0, (float)sense, len, speed);
        l->spacing = jam < 0.2f ? 22 : itsi_hash_range(h, 30 + (uint64_t)i, 26, 40);
        l->fill = itsi_hash_range(h, 40 + (uint64_t)i, 0.35f, 0.75f);
        l->sway = 0.35f;
        if (i == lanes - 1)
            weights(l, 0.5f, 0.4f, 0.06f, 0.02f, 0, 0);
        else if (i == lanes - 2)
            weights(l, 0.75f, 0.17f, 0.04f, 0.03f, 0, 0);
        else
            weights(l, 0.94f, 0.03f, 0.01f, 0.03f, 0, 0);
        if (i > 0 && jam >= 0.2f)
            l->change_to = first + i - 1;
    }
    s->road.right = itsi_maxf(s->road.right, sgn * outer);
    s->road.left = itsi_minf(s->road.left, sgn * outer);
}

void itsi_scene_motorway(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 1000);
    float width = itsi_hash_range(h, 1, 3.3f, 3.75f), median = itsi_hash_range(h, 2, 0.8f, 3.2f);
    if (itsi_hash_unit(h, 3) < 0.3f)
        median = itsi_hash_range(h, 4, 4, 9);
    int left_hand = itsi_hash_unit(h, 5) < 0.12f ? -1 : 1;
    s->bend = itsi_hash_unit(h, 6) < 0.4f ? 0 : itsi_hash_range(h, 7, -0.0016f, 0.0016f);
    s->far = 420;
    itsi_strip_add(&s->road, -median, median, itsi_hash_unit(h, 8) < 0.5f ? ITSI_GRASS : ITSI_CONCRETE);
    int lanes_a = 2 + itsi_hash_below(h, 9, 3), lanes_b = itsi_hash_unit(h, 10) < 0.8f ? lanes_a : 2;
    carriageway(s, itsi_hash(h, 11), median, 1, lanes_a, width, left_hand);
    carriageway(s, itsi_hash(h, 12), median, -1, lanes_b, width, -left_hand);
    itsi_strip_add(&s->road, s->road.right, s->road.right + 1.4f, ITSI_GRAVEL);
    itsi_strip_add(&s->road, s->road.left - 1.4f, s->road.left, ITSI_GRAVEL);
    if (itsi_hash_unit(h, 13) < 0.25f) /* arrows */
        for (int i = 0; i < lanes_a; i++) {
            float x = median + 0.7f + width * ((float)i + 0.5f), y = itsi_hash_range(h, 14, 18, 40);
            itsi_mark_add(s, x - 0.5f, y, x + 0.5f, y + 5, 0, false,
                          left_hand * (1 + itsi_hash_below(h, 50 + (uint64_t)i, 3)));
        }
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

/* ---- street ---- */

static void pavement_walkers(struct itsi_scene *s, uint64_t h, float x, float y0, float length)
{
    for (int way = -1; way <= 1; way += 2) {
        struct itsi_lane *l = itsi_lane_add(s, x + 0.5f * (float)way, way > 0 ? y0 : y0 + length, 0, (float)way, length,
                                            itsi_hash_range(h, (uint64_t)(2 + way), 1.0f, 1.5f));
        l->spacing = itsi_hash_range(h, (uint64_t)(5 + way), 2.5f, 6);
        l->fill = itsi_hash_range(h, (uint64_t)(8 + way), 0.08f, 0.4f);
        l->sway = 0.8f;
        weights(l, 0, 0, 0, 0, 0, 1);
    }
}

static void city_mix(struct itsi_lane *l, uint64_t h)
{
    weights(l, 0.72f, itsi_hash_range(h, 1, 0.05f, 0.14f), itsi_hash_range(h, 2, 0.04f, 0.12f), 0.07f, 0.01f, 0);
    l->max_length = 13.8f;
    l->sway = 0.15f;
}

/* A lane's traffic light: green for the last `green` seconds of each period. */
struct signal {
    double period, green, offset;
};

static void obey(struct itsi_lane *l, const struct signal *sig, float stop, float headway)
{
    l->signal = true;
    l->stop = stop;
    l->headway = headway;
    l->period = sig->period;
    l->green = sig->green;
    l->offset = sig->offset;
}

/* Persons over a zebra: they wait at the kerb while the traffic has green. */
static void zebra_walkers(struct itsi_scene *s, float half, float beyond, float at, bool along_y, float centre,
                          const struct signal *sig)
{
    for (int way = -1; way <= 1; way += 2) {
        float start = (half + beyond) * (float)-way, len = 2 * (half + beyond);
        struct itsi_lane *l = along_y ? itsi_lane_add(s, at, centre + start, 0, (float)way, len, 1.35f)
                                      : itsi_lane_add(s, centre + start, at, (float)way, 0, len, 1.35f);
        obey(l, sig, beyond - 0.5f, 3.5f);
        l->fill = 0.16f;
        l->sway = 1.3f;
        weights(l, 0, 0, 0, 0, 0, 1);
    }
}

struct street {
    int lanes;
    float width, drive, bike, park, half, walk, zebra; /* widths; place of the crossing */
    struct signal cars;
};

/* One side of a street: `side` is where it lies, `way` the direction of its traffic. */
static void street_side(struct itsi_scene *s, uint64_t h, const struct street *st, float side, int way)
{
    float len = s->far + 40, y = way > 0 ? -20.0f : s->far + 20, dir = (float)way, drive = st->drive;
    float stop = way > 0 ? st->zebra - 3.2f - y : y - st->zebra - 3.2f, line = st->zebra - dir * 3;
    itsi_mark_add(s, itsi_minf(0.1f * side, drive * side), line - 0.2f, itsi_maxf(0.1f * side, drive * side),
                  line + 0.2f, 0, false, 0);
    for (int i = 0; i < st->lanes; i++) {
        struct itsi_lane *l = itsi_lane_add(s, side * st->width * ((float)i + 0.5f), y, 0, dir, len, 11);
        obey(l, &st->cars, stop, 2.6f);
        l->fill = itsi_hash_range(h, (uint64_t)(20 + i + 5 * way), 0.35f, 0.7f);
        city_mix(l, itsi_hash(h, (uint64_t)(30 + i)));
        if (i > 0)
            itsi_line_add(&s->road, side * st->width * (float)i, 0.12f, 2, 4, false);
    }
    if (st->bike > 0) {
        itsi_line_add(&s->road, side * drive, 0.12f, way > 0 ? 0.0f : 1.0f, way > 0 ? 0.0f : 1.0f, false);
        struct itsi_lane *l = itsi_lane_add(s, side * (drive + st->bike * 0.5f), y, 0, dir, len, 4.5f);
        obey(l, &st->cars, stop, 3);
        l->fill = 0.3f;
        l->sway = 0.3f;
        weights(l, 0, 0, 0, 0.1f, 0.9f, 0);
    }
    if (st->park > 0) {
        itsi_line_add(&s->road, side * (drive + st->bike), 0.1f, 0, 0, false);
        struct itsi_lane *l = itsi_lane_add(s, side * (st->half - st->park * 0.5f), y, 0, dir, len, 0);
        l->spacing = 6.3f;
        l->fill = 0.6f;
        l->sway = 0.1f;
        l->max_length = 6.0f;
        l->stop = stop + 3.2f; /* nobody parks on the zebra */
        weights(l, 0.93f, 0.06f, 0, 0.01f, 0, 0);
    }
    pavement_walkers(s, itsi_hash(h, (uint64_t)(40 + way)), side * (st->half + st->walk * 0.5f), -20, 120);
}

static void paved_road(struct itsi_section *sec, float half, float walk)
{
    itsi_strip_add(sec, -half, half, ITSI_ASPHALT);
    itsi_strip_add(sec, half, half + walk, ITSI_PAVEMENT);
    itsi_strip_add(sec, -half - walk, -half, ITSI_PAVEMENT);
    sec->left = -half;
    sec->right = half;
}

void itsi_scene_street(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 2000);
    struct street st = {.lanes = 1 + itsi_hash_below(h, 1, 2),
                        .width = itsi_hash_range(h, 2, 3.0f, 3.5f),
                        .bike = itsi_hash_unit(h, 3) < 0.6f ? 1.8f : 0,
                        .park = itsi_hash_unit(h, 4) < 0.65f ? 2.2f : 0,
                        .walk = itsi_hash_range(h, 5, 2.5f, 5),
                        .zebra = itsi_hash_range(h, 10, 24, 45)};
    st.drive = st.width * (float)st.lanes;
    st.half = st.drive + st.bike + st.park;
    /* While the traffic has red those on foot start early enough to be across before its green. */
    st.cars = (struct signal){44, 44 - 18, itsi_hash_range(h, 11, 0, 44)};
    struct signal foot = {44, 3.5, st.cars.offset + 5};
    s->bend = itsi_hash_unit(h, 6) < 0.5f ? 0 : itsi_hash_range(h, 7, -0.002f, 0.002f);
    s->far = 220;
    paved_road(&s->road, st.half, st.walk);
    bool dashed = itsi_hash_unit(h, 9) < 0.5f;
    itsi_line_add(&s->road, 0, 0.15f, dashed ? 3.0f : 0.0f, dashed ? 5.0f : 0.0f, itsi_hash_unit(h, 8) < 0.4f);
    itsi_mark_add(s, -st.half, st.zebra - 1.8f, st.half, st.zebra + 1.8f, 0.5f, false, 0);
    int left_hand = itsi_hash_unit(h, 12) < 0.12f ? -1 : 1;
    for (int way = -1; way <= 1; way += 2)
        street_side(s, h, &st, (float)(way * left_hand), way);
    zebra_walkers(s, st.half, st.walk, st.zebra, false, 0, &foot);
    float x = itsi_hash_range(h, 50, 0.2f, 1.15f) * st.half * (itsi_hash_unit(h, 51) < 0.5f ? 1.0f : -1.0f);
    float at_y = itsi_hash_range(h, 52, 18, 40);
    itsi_camera_aim(&s->cam, itsi_vec3(x, 0, itsi_hash_range(h, 53, 4, 8.5f)),
                    itsi_vec3(x * itsi_hash_range(h, 54, -0.2f, 0.4f) + s->bend * at_y * at_y * 0.5f, at_y, 0.5f),
                    itsi_hash_range(h, 55, 40, 70), itsi_hash_range(h, 56, -0.025f, 0.025f), (int)s->cam.cx,
                    (int)s->cam.cy);
}

/* ---- crossroads ---- */

struct arm {
    float half, cross_half;   /* of this road and of the one it meets */
    float width, cross_width; /* of a lane */
    int lanes;
};

/* The lanes of one approach. (dx, dy) is the direction of travel, `mid` the crossing's middle, `run` the way to it. */
static void approach(struct itsi_scene *s, uint64_t h, const struct arm *a, float mid, float dx, float dy, float run,
                     const struct signal *sig)
{
    float back = run + a->cross_half;
    for (int i = 0; i < a->lanes; i++) { /* 0: next to the middle; traffic keeps right of it */
        float lateral = a->width * ((float)i + 0.5f);
        float x = -dx * back + dy * lateral, y = mid - dy * back - dx * lateral;
        struct itsi_lane *l = itsi_lane_add(s, x, y, dx, dy, back * 2, 9.5f);
        obey(l, sig, run - 5.2f, 2.7f);
        l->fill = itsi_hash_range(h, (uint64_t)(1 + i), 0.3f, 0.7f);
        city_mix(l, itsi_hash(h, (uint64_t)(10 + i)));
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
    paved_road(&s->road, a, walk);
    paved_road(&s->cross, b, walk);
    crossing_paint(s, &main_road, &side_road, itsi_hash_unit(h, 7) < 0.5f);
    /* Four approaches one after the other, then everybody on foot. */
    double slot = 13, at = itsi_hash_range(h, 8, 0, 65);
    static const float ways[4][3] = {{0, 1, 70}, {0, -1, 110}, {1, 0, 70}, {-1, 0, 70}};
    for (int k = 0; k < 4; k++) {
        struct signal sig = {5 * slot, slot - 2.5, at + k * slot};
        approach(s, itsi_hash(h, (uint64_t)(30 + k)), k < 2 ? &main_road : &side_road, mid, ways[k][0], ways[k][1],
                 ways[k][2], &sig);
    }
    struct signal foot = {5 * slot, 3.5, at + 3 * slot + 4.5};
    for (int side = -1; side <= 1; side += 2) {
        float f = (float)side;
        zebra_walkers(s, a, walk, mid + f * (b + 2.3f), false, 0, &foot);
        zebra_walkers(s, b, walk, f * (a + 2.3f), true, mid, &foot);
        pavement_walkers(s, itsi_hash(h, (uint64_t)(40 + side)), f * (a + walk * 0.6f), mid + b + 2, 60);
        pavement_walkers(s, itsi_hash(h, (uint64_t)(44 + side)), f * (a + walk * 0.6f), mid - b - 62, 60);
    }
    float x = itsi_hash_range(h, 50, -1.1f, 1.1f) * (a + 2);
    float y = mid - b - itsi_hash_range(h, 57, 12, 24);
    itsi_camera_aim(&s->cam, itsi_vec3(x, y, itsi_hash_range(h, 53, 5, 9)),
                    itsi_vec3(x * itsi_hash_range(h, 54, -0.3f, 0.3f), mid + itsi_hash_range(h, 52, -3, 6), 0),
                    itsi_hash_range(h, 55, 45, 75), itsi_hash_range(h, 56, -0.025f, 0.025f), (int)s->cam.cx,
                    (int)s->cam.cy);
}

void itsi_scene_init(struct itsi_scene *scene, const struct itsi_road_params *params)
{
    memset(scene, 0, sizeof *scene);
    scene->seed = itsi_hash(params->seed, 5);
    scene->style = itsi_hash_below(scene->seed, 1, 4);
    /* Where the scenes find the size of the picture until they aim the camera. */
    scene->cam.cx = (float)params->width;
    scene->cam.cy = (float)params->height;
    scene->kind = params->scene[0];
    if (scene->kind == 'm')
        itsi_scene_motorway(scene, scene->seed);
    else if (scene->kind == 's')
        itsi_scene_street(scene, scene->seed);
    else
        itsi_scene_crossroads(scene, scene->seed);
}

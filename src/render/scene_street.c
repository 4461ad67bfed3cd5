/* The street: lanes, parked cars, a cycle lane, pavements and a zebra with its signal, all drawn from the seed. */
#include "render/scene.h"

struct street {
    int lanes;
    float width, drive, bike, park, half, walk, zebra; /* widths; place of the crossing */
    float slant;                                       /* of the parked cars: 0 along the kerb, 1 square to it */
    bool flows;                                        /* no zebra, no signal */
    struct itsi_signal cars;
};

/* Cars along the kerb, or side by side at an angle to it. */
static void parked(struct itsi_scene *s, uint64_t h, const struct street *st, float side, int way, float y, float stop)
{
    itsi_line_add(&s->road, side * (st->drive + st->bike), 0.1f, 0, 0, false);
    struct itsi_lane *l = itsi_lane_add(s, side * (st->half - st->park * 0.5f), y, 0, (float)way, s->far + 40, 0);
    bool aslant = st->slant > 0;
    l->spacing = aslant ? itsi_mixf(3.9f, 2.7f, st->slant) : 6.3f;
    l->fill = itsi_hash_range(h, 60, 0.35f, 0.9f);
    l->sway = 0.1f;
    l->slant = st->slant * side * (float)way;
    l->max_length = aslant ? 5.2f : 6.0f;
    l->stop = st->flows ? -100 : stop + 3.2f; /* nobody parks on the zebra */
    itsi_lane_mix(l, 0.93f, aslant ? 0 : 0.06f, 0, aslant ? 0 : 0.01f, 0, 0);
}

/* One side of a street: `side` is where it lies, `way` the direction of its traffic. */
static void street_side(struct itsi_scene *s, uint64_t h, const struct street *st, float side, int way)
{
    float len = s->far + 40, y = way > 0 ? -20.0f : s->far + 20, dir = (float)way, drive = st->drive;
    float stop = way > 0 ? st->zebra - 3.2f - y : y - st->zebra - 3.2f, line = st->zebra - dir * 3;
    if (!st->flows)
        itsi_mark_add(s, itsi_minf(0.1f * side, drive * side), line - 0.2f, itsi_maxf(0.1f * side, drive * side),
                      line + 0.2f, 0, false, 0);
    for (int i = 0; i < st->lanes; i++) {
        struct itsi_lane *l = itsi_lane_add(s, side * st->width * ((float)i + 0.5f), y, 0, dir, len, 11);
        if (st->flows) {
            l->speed = itsi_hash_range(h, 61, 7, 14);
            l->spacing = itsi_hash_range(h, 62, 19, 30);
        } else
            itsi_lane_obey(l, &st->cars, stop, 2.6f);
        l->fill = itsi_hash_range(h, (uint64_t)(20 + i + 5 * way), 0.35f, 0.7f);
        itsi_lane_city(l, itsi_hash(h, (uint64_t)(30 + i)));
        if (itsi_hash_unit(h, 63) < 0.35f) {
            float x = side * st->width * ((float)i + 0.5f), at = line - dir * itsi_hash_range(h, 64, 6, 16);
            itsi_mark_add(s, x - 0.5f, at - 2.2f, x + 0.5f, at + 2.2f, 0, false,
                          way * (1 + itsi_hash_below(h, (uint64_t)(65 + i), 3)));
        }
        if (i > 0)
            itsi_line_add(&s->road, side * st->width * (float)i, 0.12f, 2, 4, false);
    }
    if (st->bike > 0) {
        itsi_line_add(&s->road, side * drive, 0.12f, way > 0 ? 0.0f : 1.0f, way > 0 ? 0.0f : 1.0f, false);
        struct itsi_lane *l = itsi_lane_add(s, side * (drive + st->bike * 0.5f), y, 0, dir, len, 4.5f);
        if (!st->flows)
            itsi_lane_obey(l, &st->cars, stop, 3);
        l->spacing = 14;
        l->fill = 0.3f;
        l->sway = 0.3f;
        itsi_lane_mix(l, 0, 0, 0, 0.1f, 0.9f, 0);
    }
    if (st->park > 0)
        parked(s, h, st, side, way, y, stop);
    itsi_lane_walkers(s, itsi_hash(h, (uint64_t)(40 + way)), side * (st->half + st->walk * 0.5f), -20, 120);
}

void itsi_scene_street(struct itsi_scene *s, uint64_t seed)
{
    uint64_t h = itsi_hash(seed, 2000);
    struct street st = {.lanes = 1 + itsi_hash_below(h, 1, 2) + (itsi_hash_unit(h, 13) < 0.12f),
                        .width = itsi_hash_range(h, 2, 3.0f, 3.5f),
                        .bike = itsi_hash_unit(h, 3) < 0.6f ? 1.8f : 0,
                        .park = itsi_hash_unit(h, 4) < 0.65f ? 2.2f : 0,
                        .walk = itsi_hash_range(h, 5, 2.5f, 5),
                        .zebra = itsi_hash_range(h, 10, 24, 45),
                        .flows = itsi_hash_unit(h, 14) < 0.3f};
    if (st.park > 0 && itsi_hash_unit(h, 15) < 0.3f) {
        st.slant = itsi_hash_unit(h, 16) < 0.5f ? 1.0f : 0.5f;
        st.park = 5.2f;
    }
    st.drive = st.width * (float)st.lanes;
    st.half = st.drive + st.bike + st.park;
    /* While the traffic has red those on foot start early enough to be across before its green. */
    st.cars = (struct itsi_signal){44, 44 - 18, itsi_hash_range(h, 11, 0, 44)};
    struct itsi_signal foot = {44, 3.5, st.cars.offset + 5};
    s->bend = itsi_hash_unit(h, 6) < 0.5f ? 0 : itsi_hash_range(h, 7, -0.004f, 0.004f);
    s->far = 220;
    if (st.bike > 0 && itsi_hash_unit(h, 17) < 0.4f)
        for (int side = -1; side <= 1; side += 2) {
            float a = (float)side * st.drive, b = (float)side * (st.drive + st.bike);
            itsi_strip_add(&s->road, itsi_minf(a, b), itsi_maxf(a, b), ITSI_COLOURED);
        }
    if (st.lanes > 1 && itsi_hash_unit(h, 19) < 0.15f) /* a lane for buses */
        itsi_strip_add(&s->road, st.drive - st.width, st.drive, ITSI_COLOURED);
    itsi_section_paved(&s->road, st.half, st.walk);
    s->walk = st.walk;
    bool dashed = itsi_hash_unit(h, 9) < 0.5f, one_way = itsi_hash_unit(h, 18) < 0.25f;
    itsi_line_add(&s->road, 0, 0.15f, dashed ? 3.0f : 0.0f, dashed ? 5.0f : 0.0f, itsi_hash_unit(h, 8) < 0.4f);
    if (!st.flows)
        itsi_mark_add(s, -st.half, st.zebra - 1.8f, st.half, st.zebra + 1.8f, 0.5f, false, 0);
    int left_hand = itsi_hash_unit(h, 12) < 0.12f ? -1 : 1;
    for (int side = -1; side <= 1; side += 2)
        street_side(s, itsi_hash(h, (uint64_t)(70 + side)), &st, (float)(side * left_hand), one_way ? left_hand : side);
    if (!st.flows)
        itsi_lane_zebra(s, st.half, st.walk, st.zebra, false, 0, &foot);
    float x = itsi_hash_range(h, 50, 0.2f, 1.15f) * st.half * (itsi_hash_unit(h, 51) < 0.5f ? 1.0f : -1.0f);
    float at_y = itsi_hash_range(h, 52, 18, 40);
    itsi_camera_aim(&s->cam, itsi_vec3(x, 0, itsi_hash_range(h, 53, 4, 8.5f)),
                    itsi_vec3(x * itsi_hash_range(h, 54, -0.2f, 0.4f) + s->bend * at_y * at_y * 0.5f, at_y, 0.5f),
                    itsi_hash_range(h, 55, 40, 70), itsi_hash_range(h, 56, -0.025f, 0.025f), (int)s->cam.cx,
                    (int)s->cam.cy);
}

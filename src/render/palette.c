/* What colours a road user has: drawn by lot from what is common on the road. */
#include "render/draw.h"

#include <math.h>

static struct itsi_rgb paint(uint64_t h)
{
    /* Shares of colours roughly as on the road: white, black, greys, silver, blues, reds, then the rest. */
    static const struct {
        float upto, r, g, b;
    } paints[] = {{0.22f, 0.86f, 0.87f, 0.87f}, {0.36f, 0.05f, 0.05f, 0.06f}, {0.42f, 0.14f, 0.15f, 0.17f},
                  {0.54f, 0.32f, 0.33f, 0.35f}, {0.67f, 0.64f, 0.66f, 0.68f}, {0.74f, 0.09f, 0.15f, 0.33f},
                  {0.78f, 0.12f, 0.30f, 0.62f}, {0.84f, 0.62f, 0.07f, 0.08f}, {0.87f, 0.32f, 0.06f, 0.09f},
                  {0.89f, 0.27f, 0.17f, 0.13f}, {0.92f, 0.58f, 0.51f, 0.40f}, {0.94f, 0.08f, 0.24f, 0.17f},
                  {0.96f, 0.45f, 0.52f, 0.40f}, {0.98f, 0.86f, 0.70f, 0.10f}, {0.99f, 0.40f, 0.62f, 0.72f},
                  {1.01f, 0.82f, 0.34f, 0.08f}};
    float u = itsi_hash_unit(h, 1);
    int i = 0;
    while (u > paints[i].upto)
        i++;
    float k = itsi_hash_range(h, 2, 0.8f, 1.15f);
    return itsi_rgb(paints[i].r * k, paints[i].g * k, paints[i].b * k);
}

static struct itsi_rgb vivid(uint64_t h)
{
    /* Red over yellow and green to blue; violets and pinks are rare on the road. */
    float hue = itsi_hash_unit(h, 6) < 0.12f ? itsi_hash_range(h, 1, 0, 6) : itsi_hash_range(h, 1, -0.25f, 4.15f);
    hue = hue < 0 ? hue + 6 : hue;
    float top = itsi_hash_range(h, 2, 0.3f, 0.85f), low = top * itsi_hash_range(h, 3, 0.12f, 0.75f);
    float f = hue - floorf(hue), up = low + (top - low) * f, down = top - (top - low) * f;
    switch ((int)hue) {
    case 0:
        return itsi_rgb(top, up, low);
    case 1:
        return itsi_rgb(down, top, low);
    case 2:
        return itsi_rgb(low, top, up);
    case 3:
        return itsi_rgb(low, down, top);
    case 4:
        return itsi_rgb(up, low, top);
    default:
        return itsi_rgb(top, low, down);
    }
}

/* Mostly dark and grey, some of it light, a third in colour. */
static struct itsi_rgb cloth(uint64_t h)
{
    float g = itsi_hash_unit(h, 4);
    g = 0.04f + 0.75f * g * g;
    struct itsi_rgb grey = itsi_rgb(g, g * 1.02f, g * 1.08f);
    return itsi_hash_unit(h, 5) < 0.6f ? grey : itsi_mix(grey, vivid(h), itsi_hash_range(h, 7, 0.3f, 1));
}

/* Panes, lamps, wheels and the parts of a car that may or may not be painted like its body. */
static void pick_fittings(struct itsi_rgb *p, uint64_t h)
{
    static const struct itsi_rgb plates[] = {{0.85f, 0.86f, 0.84f}, {0.85f, 0.86f, 0.84f}, {0.80f, 0.66f, 0.12f},
                                             {0.10f, 0.2f, 0.52f},  {0.45f, 0.68f, 0.52f}, {0.10f, 0.10f, 0.11f}};
    float tint = itsi_hash_range(h, 12, 0.02f, 0.13f), clear = itsi_hash_unit(h, 30);
    p[ITSI_MAT_GLASS] = itsi_rgb(tint, tint * 1.1f, tint * 1.15f);
    /* Through a windscreen one sees seats and faces, more or less of them. */
    clear = tint + 0.24f * clear * clear;
    p[ITSI_MAT_SCREEN] = itsi_rgb(clear, clear * itsi_hash_range(h, 31, 0.98f, 1.12f), clear * 1.05f);
    p[ITSI_MAT_SEAT] = itsi_scale(p[ITSI_MAT_SCREEN], itsi_hash_range(h, 41, 0.3f, 1.5f));
    float plastic = itsi_hash_range(h, 32, 0.045f, 0.14f);
    p[ITSI_MAT_TRIM] = itsi_rgb(plastic, plastic, plastic * 1.04f);
    float metal = itsi_hash_range(h, 33, 0.36f, 0.62f);
    p[ITSI_MAT_METAL] = itsi_rgb(metal, metal * 1.01f, metal * 1.03f);
    p[ITSI_MAT_TYRE] = itsi_rgb(0.05f, 0.05f, 0.052f);
    p[ITSI_MAT_UNDER] = itsi_rgb(0.03f, 0.03f, 0.03f);
    float rim = itsi_hash_unit(h, 34) < 0.2f ? 0.07f : itsi_hash_range(h, 35, 0.30f, 0.66f);
    p[ITSI_MAT_RIM] = itsi_rgb(rim, rim, rim * 1.02f);
    float lamp = itsi_hash_range(h, 36, 0.5f, 0.85f);
    p[ITSI_MAT_HEAD] = itsi_rgb(lamp, lamp * 1.02f, lamp * 1.05f);
    float red = itsi_hash_range(h, 37, 0.32f, 0.62f);
    p[ITSI_MAT_TAIL] = itsi_rgb(red, red * 0.1f, red * 0.1f);
    p[ITSI_MAT_BRAKE] = itsi_rgb(0.28f, 0.03f, 0.03f);
    p[ITSI_MAT_SIGN] = itsi_rgb(0.06f, 0.05f, 0.03f);
    p[ITSI_MAT_PLATE] = plates[itsi_hash_below(h, 13, 6)];
    p[ITSI_MAT_BLUE] = itsi_hash_unit(h, 38) < 0.7f ? itsi_rgb(0.08f, 0.15f, 0.75f) : itsi_rgb(0.85f, 0.45f, 0.05f);
    float u = itsi_hash_unit(h, 39);
    p[ITSI_MAT_ROOF] = u < 0.88f   ? p[ITSI_MAT_BODY]
                       : u < 0.96f ? itsi_rgb(0.05f, 0.05f, 0.055f)
                                   : itsi_rgb(0.85f, 0.85f, 0.85f);
    p[ITSI_MAT_LOWER] = itsi_hash_unit(h, 40) < 0.68f ? p[ITSI_MAT_BODY] : p[ITSI_MAT_TRIM];
}

/* Dust of the road, most of it low down. */
static void soil(struct itsi_rgb *p, uint64_t h)
{
    static const struct itsi_rgb dust = {0.36f, 0.32f, 0.27f};
    float much = itsi_hash_unit(h, 45);
    much = much * much * 0.45f;
    p[ITSI_MAT_BODY] = itsi_mix(p[ITSI_MAT_BODY], dust, much * 0.35f);
    p[ITSI_MAT_BODY2] = itsi_mix(p[ITSI_MAT_BODY2], dust, much * 0.6f);
    p[ITSI_MAT_LOWER] = itsi_mix(p[ITSI_MAT_LOWER], dust, much);
    p[ITSI_MAT_TYRE] = itsi_mix(p[ITSI_MAT_TYRE], dust, much * 0.7f);
    p[ITSI_MAT_RIM] = itsi_mix(p[ITSI_MAT_RIM], itsi_scale(dust, 0.6f), much);
}

void itsi_palette_pick(struct itsi_actor *actor, uint64_t h)
{
    struct itsi_rgb *p = actor->palette;
    bool heavy = actor->cls == ITSI_ROAD_TRUCK || actor->cls == ITSI_ROAD_BUS;
    p[ITSI_MAT_BODY] = heavy && itsi_hash_unit(h, 1) < 0.4f ? vivid(itsi_hash(h, 2)) : paint(itsi_hash(h, 3));
    if (heavy && itsi_hash_unit(h, 4) < 0.4f)
        p[ITSI_MAT_BODY] = itsi_rgb(0.85f, 0.86f, 0.86f);
    float grey = itsi_hash_range(h, 5, 0.55f, 0.92f);
    p[ITSI_MAT_BODY2] = itsi_hash_unit(h, 6) < 0.65f ? itsi_rgb(grey, grey, grey * 0.99f) : vivid(itsi_hash(h, 7));
    if (actor->cls == ITSI_ROAD_BUS && itsi_hash_unit(h, 42) < 0.07f)
        p[ITSI_MAT_BODY] = itsi_rgb(0.88f, 0.62f, 0.08f); /* school buses, and many a city's */
    if (actor->cls == ITSI_ROAD_BUS && itsi_hash_unit(h, 8) < 0.6f)
        p[ITSI_MAT_BODY2] = p[ITSI_MAT_BODY];
    p[ITSI_MAT_CARGO] = itsi_hash_unit(h, 9) < 0.35f ? itsi_rgb(0.75f, 0.76f, 0.75f) : vivid(itsi_hash(h, 10));
    p[ITSI_MAT_ACCENT] = vivid(itsi_hash(h, 11));
    pick_fittings(p, h);
    float tan_ = itsi_hash_range(h, 14, 0.35f, 1);
    p[ITSI_MAT_SKIN] = itsi_rgb(0.82f * tan_, 0.62f * tan_, 0.50f * tan_);
    p[ITSI_MAT_HAIR] = itsi_hash_unit(h, 15) < 0.7f ? itsi_rgb(0.07f, 0.055f, 0.05f) : itsi_rgb(0.4f, 0.3f, 0.18f);
    p[ITSI_MAT_CLOTH1] =
        heavy && itsi_hash_unit(h, 18) < 0.6f ? itsi_rgb(0.42f, 0.35f, 0.26f) : cloth(itsi_hash(h, 16));
    float jeans = itsi_hash_range(h, 43, 0.5f, 1.2f); /* trousers: blue ones, and what is not as bright as shirts */
    p[ITSI_MAT_CLOTH2] = itsi_hash_unit(h, 44) < 0.35f ? itsi_rgb(0.14f * jeans, 0.19f * jeans, 0.30f * jeans)
                                                       : itsi_scale(cloth(itsi_hash(h, 17)), jeans * 0.8f);
    if (actor->cls != ITSI_ROAD_PERSON)
        soil(p, h);
}

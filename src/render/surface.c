/* What the ground is made of: asphalt of every age with its seams, patches, oil and covers, paving, gravel, grass, and
 * what lies on them. Which of it a road has is drawn from the seed once; the colours are found per pixel. */
#include "render/scene.h"

#include <math.h>

/* ---- choosing ---- */

static bool chance(uint64_t h, uint64_t what, float share) { return itsi_hash_unit(h, what) < share; }

/* Zero for most roads, else from lo to hi. */
static float sometimes(uint64_t h, uint64_t what, float share, float lo, float hi)
{
    return chance(h, what, share) ? itsi_hash_range(itsi_hash(h, what), 1, lo, hi) : 0;
}

static struct itsi_rgb tinted(float grey, float warm) { return itsi_rgb(grey + warm, grey, grey - warm * 0.7f); }

static void pick_asphalt(struct itsi_wear *w, uint64_t h)
{
    float age = itsi_hash_unit(h, 1);
    if (age < 0.2f) /* fresh */
        w->asphalt = tinted(itsi_hash_range(h, 2, 0.10f, 0.20f), itsi_hash_range(h, 3, -0.01f, 0.01f));
    else if (age < 0.75f)
        w->asphalt = tinted(itsi_hash_range(h, 2, 0.22f, 0.40f), itsi_hash_range(h, 3, -0.02f, 0.03f));
    else { /* concrete, cast in slabs */
        w->asphalt = tinted(itsi_hash_range(h, 2, 0.42f, 0.64f), itsi_hash_range(h, 3, -0.01f, 0.05f));
        w->slab = itsi_hash_range(h, 4, 4, 9);
    }
    if (chance(h, 5, 0.08f)) /* red stone in the mix */
        w->asphalt = tinted(itsi_hash_range(h, 2, 0.24f, 0.36f), itsi_hash_range(h, 3, 0.05f, 0.11f));
    w->grain = itsi_hash_range(h, 6, 0.03f, 0.13f);
    w->blotch = itsi_hash_range(h, 7, 0.03f, 0.16f);
    w->streak = itsi_hash_range(h, 8, 0.02f, 0.14f);
    w->oil = sometimes(h, 9, 0.6f, 0.03f, 0.13f);
    w->track = sometimes(h, 10, 0.6f, -0.06f, 0.08f);
    w->crack = sometimes(h, 11, 0.6f, 0.03f, 0.10f);
    w->tar = sometimes(h, 12, 0.45f, 0.05f, 0.16f);
    w->patch = sometimes(h, 13, 0.55f, 0.15f, 0.6f);
    w->cover = sometimes(h, 14, 0.5f, 0.1f, 0.45f);
    w->stain = sometimes(h, 15, 0.5f, 0.05f, 0.14f);
    static const float lanes[5][3] = {{0.42f, 0.16f, 0.12f},
                                      {0.14f, 0.34f, 0.20f},
                                      {0.16f, 0.26f, 0.44f},
                                      {0.46f, 0.38f, 0.16f},
                                      {0.30f, 0.30f, 0.31f}};
    const float *c = lanes[itsi_hash_below(h, 16, 5)];
    w->coloured = itsi_rgb(c[0], c[1], c[2]);
}

static void pick_around(struct itsi_wear *w, uint64_t h)
{
    float k = itsi_hash_range(h, 1, 0.28f, 0.66f);
    w->pavement = tinted(k, chance(h, 2, 0.4f) ? itsi_hash_range(h, 3, 0.03f, 0.12f)
                                               : itsi_hash_range(h, 3, -0.01f, 0.02f));
    w->tile_x = itsi_hash_range(h, 4, 0.25f, 1.2f);
    w->tile_y = chance(h, 5, 0.5f) ? w->tile_x : w->tile_x * itsi_hash_range(h, 6, 0.4f, 2.5f);
    w->joint = chance(h, 7, 0.75f) ? itsi_hash_range(h, 8, 0.02f, 0.16f) : 0;
    w->checker = sometimes(h, 9, 0.3f, 0.03f, 0.14f);
    float dry = itsi_hash_unit(h, 10);
    w->grass = itsi_mix(itsi_rgb(0.15f, 0.28f, 0.08f), itsi_rgb(0.40f, 0.36f, 0.20f), dry * 0.9f);
    if (chance(h, 11, 0.12f)) /* bare earth or sand */
        w->grass = itsi_mix(itsi_rgb(0.26f, 0.20f, 0.14f), itsi_rgb(0.56f, 0.48f, 0.36f), itsi_hash_unit(h, 12));
    w->tuft = itsi_hash_range(h, 13, 0.3f, 0.9f);
    w->gravel = tinted(itsi_hash_range(h, 14, 0.26f, 0.50f), itsi_hash_range(h, 15, 0, 0.05f));
}

void itsi_wear_pick(struct itsi_scene *s)
{
    struct itsi_wear *w = &s->wear;
    uint64_t h = itsi_hash(s->seed, 300);
    pick_asphalt(w, itsi_hash(h, 1));
    pick_around(w, itsi_hash(h, 2));
    w->paint_wear = chance(h, 10, 0.3f) ? itsi_hash_range(h, 11, 0.5f, 1.5f) : itsi_hash_range(h, 11, 0.05f, 0.5f);
    if (chance(h, 16, 0.08f)) /* hardly any left */
        w->paint_wear = 2.5f;
    w->paint = itsi_hash_range(h, 12, 0.62f, 0.88f);
    w->leaves = sometimes(h, 13, 0.15f, 0.1f, 0.5f);
    w->snow = sometimes(h, 14, 0.10f, 0.3f, 1.0f);
    w->clouds = sometimes(h, 15, 0.25f, 0.2f, 0.6f);
    for (int i = 0; i < s->lane_count && w->lanes < ITSI_MAX_TRACKS; i++) {
        const struct itsi_lane *l = &s->lane[i];
        if (l->speed > 2 && l->weight[ITSI_ROAD_CAR] > 0 && (l->path[0].dy < 0 || l->path[0].dy > 0))
            w->lane[w->lanes++] = l->path[0].x;
    }
}

/* ---- per pixel ---- */

float itsi_overlap(float lo, float hi, float at, float fp)
{
    float a = itsi_maxf(lo, at - fp * 0.5f), b = itsi_minf(hi, at + fp * 0.5f);
    return b > a ? (b - a) / fp : 0;
}

float itsi_dashes(float dash, float period, float at, float fp)
{
    float a = (at - fp * 0.5f) / period, b = (at + fp * 0.5f) / period;
    float fa = floorf(a), fb = floorf(b);
    float ia = fa * dash + itsi_minf((a - fa) * period, dash), ib = fb * dash + itsi_minf((b - fb) * period, dash);
    return itsi_clampf((ib - ia) / fp, 0, 1);
}

/* How near the noise is to its middle: winding lines about `width` wide. */
static float winding(uint64_t seed, float x, float y, float width, float fp)
{
    float d = itsi_noise2(seed, x, y) - 0.5f, thin = width + fp * 0.02f;
    d = d < 0 ? -d : d;
    return d < thin ? itsi_clampf(1 - fp * 2.5f, 0, 1) : 0;
}

/* Rectangles cut out and filled again, at most one in each cell of the plane. Returns the change in brightness. */
static float patches(const struct itsi_wear *w, uint64_t seed, float x, float y)
{
    float cx = floorf(x / 4.5f), cy = floorf(y / 15);
    uint64_t h = itsi_hash(seed, (uint64_t)((int64_t)cx * 4099 + (int64_t)cy));
    if (itsi_hash_unit(h, 1) >= w->patch)
        return 0;
    float u = x - cx * 4.5f, v = y - cy * 15, x0 = itsi_hash_range(h, 2, 0, 2), y0 = itsi_hash_range(h, 3, 0, 7);
    float dx = itsi_hash_range(h, 4, 0.5f, 2.4f), dy = itsi_hash_range(h, 5, 0.6f, 8);
    if (u < x0 || v < y0 || u > x0 + dx || v > y0 + dy)
        return 0;
    bool rim = u < x0 + 0.07f || v < y0 + 0.07f || u > x0 + dx - 0.07f || v > y0 + dy - 0.07f;
    return rim && w->tar > 0 ? -0.09f : itsi_hash_range(h, 6, -0.10f, 0.05f);
}

/* Manhole covers and drains. */
static float covers(const struct itsi_wear *w, uint64_t seed, float x, float y)
{
    float cx = floorf(x / 5), cy = floorf(y / 13);
    uint64_t h = itsi_hash(seed, (uint64_t)((int64_t)cx * 8209 + (int64_t)cy));
    if (itsi_hash_unit(h, 1) >= w->cover)
        return 0;
    float u = x - cx * 5 - itsi_hash_range(h, 2, 0.5f, 4.5f), v = y - cy * 13 - itsi_hash_range(h, 3, 0.5f, 12.5f);
    float q = u * u + v * v;
    return q > 0.16f ? 0 : q > 0.10f ? -0.10f : itsi_hash_range(h, 4, -0.08f, 0.06f);
}

/* What the wheels leave: polished tracks, and oil between them. */
static float driven(const struct itsi_wear *w, float x)
{
    float near = 1e9f;
    for (int i = 0; i < w->lanes; i++) {
        float d = x - w->lane[i];
        near = itsi_minf(near, d < 0 ? -d : d);
    }
    if (near > 2.2f)
        return 0;
    float wheel = near - 0.85f;
    return w->track * itsi_decay(wheel * wheel * 14) - w->oil * itsi_decay(near * near * 5);
}

static struct itsi_rgb asphalt(const struct itsi_scene *s, struct itsi_rgb base, float x, float y, float fx, float fy)
{
    const struct itsi_wear *w = &s->wear;
    uint64_t h = s->seed;
    float fp = itsi_maxf(fx, fy), c = 0, fine = itsi_clampf(1 - fp * 6, 0, 1);
    if (fine > 0)
        c += (itsi_noise2(h + 1, x * 14, y * 14) - 0.5f) * w->grain * fine;
    c += (itsi_noise_fractal(h + 2, x * 0.35f, y * 0.12f) - 0.5f) * w->blotch;
    c += (itsi_noise2(h + 3, x * 1.3f, y * 0.015f) - 0.5f) * w->streak;
    c += driven(w, x);
    if (w->patch > 0)
        c += patches(w, h + 4, x, y);
    if (w->cover > 0 && fp < 1)
        c += covers(w, h + 5, x, y);
    if (w->crack > 0 && fp < 0.4f)
        c -= w->crack * winding(h + 6, x * 0.5f, y * 0.5f, 0.006f, fp);
    if (w->tar > 0 && fp < 0.4f)
        c -= w->tar * winding(h + 7, x * 0.22f, y * 0.11f, 0.004f, fp);
    if (w->stain > 0) {
        float spot = itsi_noise2(h + 8, x * 0.9f, y * 0.4f);
        c -= w->stain * itsi_clampf((spot - 0.72f) * 8, 0, 1);
    }
    if (w->slab > 0)
        c -= 0.10f * itsi_dashes(0.05f, w->slab, y, fy);
    /* In shares of the brightness, so that fresh asphalt is not black where it is dark. */
    c = itsi_maxf(c, -0.24f) * (0.35f + base.g * 2);
    return itsi_rgb(itsi_maxf(base.r + c, 0.02f), itsi_maxf(base.g + c, 0.02f), itsi_maxf(base.b + c, 0.02f));
}

static struct itsi_rgb paving(const struct itsi_scene *s, float x, float y, float fx, float fy, float n, float fine)
{
    const struct itsi_wear *w = &s->wear;
    float k = 1 + (n - 0.5f) * 0.3f + fine * 0.12f;
    if (w->joint > 0)
        k -= w->joint * itsi_maxf(itsi_dashes(0.03f, w->tile_x, x, fx), itsi_dashes(0.03f, w->tile_y, y, fy));
    if (w->checker > 0 && fx < w->tile_x * 2) {
        uint64_t cell = (uint64_t)((int64_t)floorf(x / w->tile_x) * 5003 + (int64_t)floorf(y / w->tile_y));
        k += (itsi_hash_unit(s->seed + 12, cell) - 0.5f) * 2 * w->checker;
    }
    return itsi_scale(w->pavement, k);
}

struct itsi_rgb itsi_surface(const struct itsi_scene *s, enum itsi_surface kind, float x, float y, float fx, float fy)
{
    const struct itsi_wear *w = &s->wear;
    uint64_t h = s->seed;
    if (kind == ITSI_ASPHALT || kind == ITSI_COLOURED)
        return asphalt(s, kind == ITSI_ASPHALT ? w->asphalt : w->coloured, x, y, fx, fy);
    float fp = itsi_maxf(fx, fy), n = itsi_noise_fractal(h + 10, x * 0.6f, y * 0.6f);
    float fine = itsi_clampf(1 - fp * 3, 0, 1);
    fine = fine > 0 ? (itsi_noise2(h + 11, x * 7, y * 7) - 0.5f) * fine : 0;
    switch (kind) {
    case ITSI_PAVEMENT:
        return paving(s, x, y, fx, fy, n, fine);
    case ITSI_GRAVEL:
        return itsi_scale(w->gravel, 1 + (n - 0.5f) * 0.5f + fine * 0.5f);
    case ITSI_CONCRETE:
        return itsi_scale(itsi_rgb(0.52f, 0.515f, 0.495f), 1 + (n - 0.5f) * 0.25f);
    default:
        return itsi_scale(w->grass, 0.85f + (n - 0.5f) * w->tuft + fine * 0.5f);
    }
}

struct itsi_rgb itsi_litter(const struct itsi_scene *s, struct itsi_rgb c, float x, float y, float fp, float off)
{
    const struct itsi_wear *w = &s->wear;
    if (w->leaves > 0 && fp < 0.5f && off > -3) {
        float n = itsi_noise2(s->seed + 14, x * 6, y * 6) + (off > 0 ? 0.06f : off * 0.08f) + w->leaves * 0.2f;
        if (n > 0.86f)
            c = itsi_mix(c, itsi_rgb(0.48f, 0.30f, 0.10f), itsi_clampf(1 - fp * 2, 0, 1) * 0.8f);
    }
    if (w->snow > 0) {
        float n = itsi_noise_fractal(s->seed + 15, x * 0.5f, y * 0.3f) + itsi_clampf(off * 0.5f, -0.5f, 0.35f);
        c = itsi_mix(c, itsi_rgb(0.80f, 0.82f, 0.86f), itsi_clampf((n - 0.75f + w->snow * 0.3f) * 5, 0, 0.95f));
    }
    return c;
}

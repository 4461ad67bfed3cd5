/* The clutter of streets and verges: boxes, bins, benches, shelters, boards, cones, containers, rocks. */
#include "render/scenery_impl.h"

#include <math.h>

static float range(struct itsi_builder *b, uint64_t what, float lo, float hi)
{
    return itsi_hash_range(b->h, what, lo, hi);
}

static void grey(struct itsi_builder *b, int mat, uint64_t what, float lo, float hi)
{
    float k = range(b, what, lo, hi);
    itsi_build_colour(b, mat, k, k * 0.99f, k * 0.97f);
}

/* A box on the ground around the middle. */
static void block(struct itsi_builder *b, float w, float d, float z0, float z1, int mat)
{
    itsi_mesh_solid(&b->mesh, itsi_vec3(-w / 2, -d / 2, z0), itsi_vec3(w / 2, d / 2, z1), mat);
}

/* Doors, vents, posters: panels on two sides of a box. */
static void panels(struct itsi_builder *b, float w, float d, float height, int mat)
{
    int n = 1 + itsi_hash_below(b->h, 80, 3);
    float step = w / (float)n;
    for (int i = 0; i < n; i++) {
        float x0 = -w / 2 + step * ((float)i + 0.12f);
        itsi_mesh_panel_y(&b->mesh, -d / 2, -1, x0, x0 + step * 0.76f, height * 0.15f, height * 0.85f, mat);
    }
    itsi_mesh_panel_x(&b->mesh, w / 2, -d * 0.38f, d * 0.38f, height * 0.2f, height * 0.8f, mat);
}

/* Cabinets, bins, skips, kiosks, containers: boxes of many sizes. */
static void cabinet(struct itsi_builder *b, float lo, float hi)
{
    float w = range(b, 1, lo, hi), d = w * range(b, 2, 0.4f, 1.6f), z = w * range(b, 3, 0.6f, 1.5f);
    z = itsi_clampf(z, 0.6f, 3);
    int mat = itsi_hash_unit(b->h, 4) < 0.5f ? ITSI_MAT_CARGO : ITSI_MAT_BODY2;
    if (itsi_hash_unit(b->h, 5) < 0.5f)
        grey(b, mat, 6, 0.15f, 0.75f);
    block(b, w, d, 0, z, mat);
    if (itsi_hash_unit(b->h, 7) < 0.6f)
        panels(b, w, d, z, itsi_hash_unit(b->h, 8) < 0.4f ? ITSI_MAT_GLASS : ITSI_MAT_ACCENT);
    if (itsi_hash_unit(b->h, 9) < 0.4f)
        block(b, w * 1.1f, d * 1.1f, z, z + 0.12f, ITSI_MAT_TRIM);
}

static void planter(struct itsi_builder *b)
{
    float w = range(b, 1, 0.6f, 2.2f), z = range(b, 2, 0.4f, 0.8f);
    itsi_build_leaves(b);
    grey(b, ITSI_MAT_METAL, 6, 0.3f, 0.7f);
    block(b, w, range(b, 3, 0.6f, 1.2f), 0, z, ITSI_MAT_METAL);
    itsi_build_crown(b, itsi_vec3(0, 0, z + 0.2f), w * 0.5f, 0.5f, 60);
}

static void bench(struct itsi_builder *b)
{
    itsi_build_colour(b, ITSI_MAT_CARGO, 0.36f, 0.24f, 0.14f);
    float w = range(b, 1, 1.4f, 2.4f);
    block(b, w, 0.5f, 0.40f, 0.46f, ITSI_MAT_CARGO);
    itsi_mesh_solid(&b->mesh, itsi_vec3(-w / 2, 0.22f, 0.55f), itsi_vec3(w / 2, 0.27f, 0.9f), ITSI_MAT_CARGO);
    for (int k = -1; k <= 1; k += 2)
        itsi_mesh_solid(&b->mesh, itsi_vec3(0.4f * w * (float)k - 0.04f, -0.2f, 0),
                        itsi_vec3(0.4f * w * (float)k + 0.04f, 0.25f, 0.4f), ITSI_MAT_TRIM);
}

static void shelter(struct itsi_builder *b)
{
    float w = range(b, 1, 2.5f, 5), d = range(b, 2, 1.2f, 1.8f);
    grey(b, ITSI_MAT_METAL, 3, 0.15f, 0.6f);
    block(b, w + 0.2f, d + 0.2f, 2.3f, 2.42f, ITSI_MAT_METAL);
    for (int k = 0; k < 4; k++) {
        float x = k & 1 ? w / 2 : -w / 2, y = k & 2 ? d / 2 : -d / 2;
        itsi_mesh_solid(&b->mesh, itsi_vec3(x - 0.04f, y - 0.04f, 0), itsi_vec3(x + 0.04f, y + 0.04f, 2.3f),
                        ITSI_MAT_METAL);
    }
    itsi_mesh_solid(&b->mesh, itsi_vec3(-w / 2, d / 2 - 0.04f, 0.25f), itsi_vec3(w / 2, d / 2, 2.1f), ITSI_MAT_GLASS);
    itsi_mesh_solid(&b->mesh, itsi_vec3(w / 2 - 0.06f, -d / 2, 0.3f), itsi_vec3(w / 2, d / 2, 2.1f), ITSI_MAT_BODY2);
}

static void board(struct itsi_builder *b, float w, float height, float foot)
{
    grey(b, ITSI_MAT_METAL, 1, 0.2f, 0.5f);
    for (int k = -1; k <= 1; k += 2)
        itsi_mesh_solid(&b->mesh, itsi_vec3(0.35f * w * (float)k - 0.08f, 0, 0),
                        itsi_vec3(0.35f * w * (float)k + 0.08f, 0.16f, foot + 0.2f), ITSI_MAT_METAL);
    itsi_mesh_solid(&b->mesh, itsi_vec3(-w / 2, -0.12f, foot), itsi_vec3(w / 2, 0, foot + height), ITSI_MAT_CARGO);
    static const int ink[4] = {ITSI_MAT_BODY, ITSI_MAT_ACCENT, ITSI_MAT_BODY2, ITSI_MAT_CLOTH1};
    int n = 2 + itsi_hash_below(b->h, 2, 5);
    for (int i = 0; i < n; i++) { /* something like a picture */
        uint64_t h = itsi_hash(b->h, (uint64_t)(90 + i));
        float x = itsi_hash_range(h, 1, -0.48f, 0.3f) * w, z = foot + itsi_hash_range(h, 2, 0.04f, 0.7f) * height;
        b->mesh.bias = (uint8_t)(3 + i);
        itsi_mesh_panel_y(&b->mesh, -0.12f, -1, x, itsi_minf(x + itsi_hash_range(h, 3, 0.1f, 0.5f) * w, w * 0.48f), z,
                          itsi_minf(z + itsi_hash_range(h, 4, 0.1f, 0.5f) * height, foot + height * 0.96f), ink[i & 3]);
    }
    b->mesh.bias = 0;
    itsi_build_lettering(b, -0.14f, -w * 0.45f, w * 0.45f, foot + height * 0.1f, foot + height * 0.4f, b->h);
}

static void parasol(struct itsi_builder *b)
{
    float r = range(b, 1, 1, 2);
    itsi_mesh_tube(&b->mesh, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, 2.6f), 0.04f, 0.04f, 5, ITSI_MAT_TRIM, false);
    itsi_mesh_tube(&b->mesh, itsi_vec3(0, 0, 2.2f), itsi_vec3(0, 0, 2.7f), r, 0.05f, 8, ITSI_MAT_BODY2, true);
    itsi_mesh_tube(&b->mesh, itsi_vec3(0.5f, 0, 0.7f), itsi_vec3(0.5f, 0, 0.75f), 0.45f, 0.45f, 8, ITSI_MAT_CARGO,
                   true);
}

static void column(struct itsi_builder *b)
{
    float r = range(b, 1, 0.3f, 0.7f), z = range(b, 2, 1, 3.2f);
    itsi_mesh_tube(&b->mesh, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, z), r, r, 10, ITSI_MAT_CARGO, true);
    itsi_mesh_tube(&b->mesh, itsi_vec3(0, 0, z), itsi_vec3(0, 0, z + 0.15f), r * 1.1f, r * 0.4f, 10, ITSI_MAT_TRIM,
                   true);
}

static void bollards(struct itsi_builder *b)
{
    int n = 2 + itsi_hash_below(b->h, 1, 6);
    grey(b, ITSI_MAT_METAL, 2, 0.1f, 0.6f);
    for (int i = 0; i < n; i++)
        itsi_mesh_tube(&b->mesh, itsi_vec3(0, (float)i * 1.5f, 0), itsi_vec3(0, (float)i * 1.5f, 0.9f), 0.1f, 0.09f, 6,
                       ITSI_MAT_METAL, true);
}

static void rocks(struct itsi_builder *b)
{
    grey(b, ITSI_MAT_CARGO, 1, 0.25f, 0.55f);
    int n = 1 + itsi_hash_below(b->h, 2, 4);
    for (int i = 0; i < n; i++) {
        uint64_t h = itsi_hash(b->h, (uint64_t)(60 + i));
        float r = itsi_hash_range(h, 1, 0.3f, 1.5f);
        itsi_mesh_ball(&b->mesh, itsi_vec3((float)i * 1.3f, itsi_hash_range(h, 2, -1, 1), r * 0.4f), r,
                       r * itsi_hash_range(h, 3, 0.6f, 1.2f), r * itsi_hash_range(h, 4, 0.5f, 0.9f), ITSI_MAT_CARGO);
    }
}

/* A freight container or a site hut, ribbed, on the ground. */
static void container(struct itsi_builder *b)
{
    float d = range(b, 1, 3, 6.1f);
    block(b, 2.44f, d, 0.1f, 2.7f, ITSI_MAT_CARGO);
    for (float y = -d / 2 + 0.2f; y < d / 2 - 0.2f; y += 0.5f)
        itsi_mesh_panel_x(&b->mesh, 1.23f, y, y + 0.16f, 0.25f, 2.55f, ITSI_MAT_BODY2);
    b->actor.palette[ITSI_MAT_BODY2] = itsi_scale(b->actor.palette[ITSI_MAT_CARGO], 0.75f);
}

static void shed(struct itsi_builder *b)
{
    float w = range(b, 1, 4, 14), d = range(b, 2, 5, 20), z = range(b, 3, 2.5f, 6), rise = range(b, 4, 0, 2.5f);
    grey(b, ITSI_MAT_METAL, 5, 0.3f, 0.75f);
    block(b, w, d, 0, z, ITSI_MAT_CARGO);
    struct itsi_vec3 lo = itsi_vec3(-w / 2 - 0.3f, -d / 2 - 0.3f, z),
                     hi = itsi_vec3(w / 2 + 0.3f, d / 2 + 0.3f, z + rise);
    itsi_mesh_quad(&b->mesh, lo, itsi_vec3(0, lo.y, hi.z), itsi_vec3(0, hi.y, hi.z), itsi_vec3(lo.x, hi.y, z),
                   ITSI_MAT_METAL);
    itsi_mesh_quad(&b->mesh, itsi_vec3(0, lo.y, hi.z), itsi_vec3(hi.x, lo.y, z), itsi_vec3(hi.x, hi.y, z),
                   itsi_vec3(0, hi.y, hi.z), ITSI_MAT_METAL);
    itsi_mesh_tri(&b->mesh, itsi_vec3(-w / 2, -d / 2, z), itsi_vec3(w / 2, -d / 2, z), itsi_vec3(0, -d / 2, hi.z),
                  ITSI_MAT_CARGO);
    panels(b, w, d, z, itsi_hash_unit(b->h, 6) < 0.5f ? ITSI_MAT_TRIM : ITSI_MAT_BODY2);
}

/* ---- by place ---- */

void itsi_build_street_prop(struct itsi_builder *b, float x, float y, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    itsi_build_turn(b, itsi_hash_below(h, 70, 4), itsi_hash_range(h, 71, -0.1f, 0.1f));
    float kind = itsi_hash_unit(h, 72);
    if (kind < 0.28f)
        cabinet(b, 0.4f, 1.8f);
    else if (kind < 0.42f)
        planter(b);
    else if (kind < 0.54f)
        bench(b);
    else if (kind < 0.63f)
        shelter(b);
    else if (kind < 0.72f)
        board(b, itsi_hash_range(h, 73, 0.8f, 1.6f), itsi_hash_range(h, 74, 1, 2), itsi_hash_range(h, 75, 0.1f, 0.9f));
    else if (kind < 0.80f)
        parasol(b);
    else if (kind < 0.88f)
        column(b);
    else
        bollards(b);
    itsi_build_finish(b, 6);
}

void itsi_build_verge_prop(struct itsi_builder *b, float x, float y, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    itsi_build_turn(b, itsi_hash_below(h, 70, 4), itsi_hash_range(h, 71, -0.3f, 0.3f));
    float kind = itsi_hash_unit(h, 72);
    if (kind < 0.35f)
        cabinet(b, 0.5f, 2.4f);
    else if (kind < 0.55f)
        rocks(b);
    else if (kind < 0.63f)
        container(b);
    else if (kind < 0.75f)
        column(b);
    else if (kind < 0.85f)
        bollards(b);
    else {
        itsi_build_turn(b, -itsi_hash_below(h, 70, 4), 0); /* boards look at who comes */
        board(b, itsi_hash_range(h, 73, 2, 8), itsi_hash_range(h, 74, 1.2f, 4), itsi_hash_range(h, 75, 1, 4));
    }
    itsi_build_finish(b, 9);
}

void itsi_build_field_prop(struct itsi_builder *b, float x, float y, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    itsi_build_turn(b, itsi_hash_below(h, 70, 4), itsi_hash_range(h, 71, -0.7f, 0.7f));
    float kind = itsi_hash_unit(h, 72);
    if (kind < 0.45f)
        shed(b);
    else if (kind < 0.7f)
        cabinet(b, 1, 4);
    else if (kind < 0.85f)
        container(b);
    else
        rocks(b);
    itsi_build_finish(b, 20);
}

void itsi_build_works(struct itsi_builder *b, float x, float y0, float y1, uint64_t h)
{
    float kind = itsi_hash_unit(h, 1), step = itsi_hash_range(h, 2, 3, 8);
    for (float y = y0; y < y1; y += step) {
        itsi_build_begin(b, x, y, h);
        struct itsi_mesh *m = &b->mesh;
        itsi_build_colour(b, ITSI_MAT_CARGO, 0.85f, 0.27f, 0.08f);
        itsi_build_colour(b, ITSI_MAT_BODY2, 0.85f, 0.85f, 0.83f);
        if (kind < 0.5f) { /* cones */
            block(b, 0.42f, 0.42f, 0, 0.05f, ITSI_MAT_CARGO);
            itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, 0.35f), 0.17f, 0.11f, 7, ITSI_MAT_CARGO, false);
            itsi_mesh_tube(m, itsi_vec3(0, 0, 0.35f), itsi_vec3(0, 0, 0.52f), 0.11f, 0.07f, 7, ITSI_MAT_BODY2, false);
            itsi_mesh_tube(m, itsi_vec3(0, 0, 0.52f), itsi_vec3(0, 0, 0.75f), 0.07f, 0.02f, 7, ITSI_MAT_CARGO, true);
        } else if (kind < 0.75f) { /* barrels */
            for (int k = 0; k < 3; k++)
                itsi_mesh_tube(m, itsi_vec3(0, 0, 0.33f * (float)k), itsi_vec3(0, 0, 0.33f * (float)(k + 1)), 0.28f,
                               0.27f, 9, k == 1 ? ITSI_MAT_BODY2 : ITSI_MAT_CARGO, true);
        } else { /* boards with stripes */
            itsi_build_colour(b, ITSI_MAT_CARGO, 0.70f, 0.08f, 0.07f);
            itsi_mesh_solid(m, itsi_vec3(-0.6f, -0.03f, 0.5f), itsi_vec3(0.6f, 0.03f, 0.9f), ITSI_MAT_BODY2);
            for (int k = 0; k < 3; k++)
                itsi_mesh_panel_y(m, -0.04f, -1, -0.6f + 0.4f * (float)k, -0.4f + 0.4f * (float)k, 0.5f, 0.9f,
                                  ITSI_MAT_CARGO);
            itsi_mesh_solid(m, itsi_vec3(-0.04f, 0, 0), itsi_vec3(0.04f, 0.06f, 0.5f), ITSI_MAT_TRIM);
        }
        itsi_build_finish(b, 6);
    }
}

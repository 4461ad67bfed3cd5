/* What stands along a road for long stretches or right over it: noise barriers, hedges, walls, bridges, tunnels. */
#include "render/scenery_impl.h"

/* Squares of paint as sprayed on walls. */
static void graffiti(struct itsi_builder *b, float length, float height, uint64_t h)
{
    static const int ink[3] = {ITSI_MAT_ACCENT, ITSI_MAT_BODY, ITSI_MAT_BODY2};
    for (int i = 0; i < 3; i++) {
        float y = itsi_hash_range(h, (uint64_t)(40 + i), 0, length * 0.7f),
              z = itsi_hash_range(h, (uint64_t)(50 + i), 0.1f, height * 0.4f);
        b->mesh.bias = (uint8_t)(3 + i);
        itsi_mesh_panel_x(&b->mesh, 0.16f, y, y + itsi_hash_range(h, (uint64_t)(60 + i), 0.4f, length * 0.3f), z,
                          z + itsi_hash_range(h, (uint64_t)(70 + i), 0.2f, height * 0.5f), ink[i]);
    }
    b->mesh.bias = 0;
}

static void hedge(struct itsi_builder *b, float length, float height)
{
    itsi_build_leaves(b);
    int n = b->actor.distance < 60 ? 110 : 30;
    for (int k = 0; k < 3; k++)
        itsi_build_crown(b, itsi_vec3(0, length * ((float)k + 0.5f) / 3, height * 0.5f), length / 5, height * 0.6f, n);
}

void itsi_build_screen(struct itsi_builder *b, float x, float y0, float y1, uint64_t h)
{
    float kind = itsi_hash_unit(h, 1), piece = itsi_hash_range(h, 2, 4, 8);
    float height = kind < 0.4f ? itsi_hash_range(h, 3, 2, 5) : itsi_hash_range(h, 3, 0.8f, 2.2f);
    float k = itsi_hash_range(h, 4, 0.25f, 0.65f), green = itsi_hash_range(h, 5, -0.05f, 0.15f);
    int i = 0;
    for (float y = y0; y < y1; y += piece, i++) {
        uint64_t hh = itsi_hash(h, (uint64_t)(100 + i));
        itsi_build_begin(b, x, y, hh);
        struct itsi_mesh *m = &b->mesh;
        itsi_build_colour(b, ITSI_MAT_CARGO, k, k + green * 0.6f, k - green * 0.4f);
        itsi_build_colour(b, ITSI_MAT_METAL, k * 0.6f, k * 0.62f, k * 0.6f);
        if (kind < 0.4f) { /* noise barrier: posts and panels, the upper ones now and then of glass */
            itsi_mesh_solid(m, itsi_vec3(-0.15f, 0, 0), itsi_vec3(0.15f, 0.3f, height + 0.1f), ITSI_MAT_METAL);
            float glass = itsi_hash_unit(h, 6) < 0.4f ? height * 0.5f : height;
            itsi_mesh_solid(m, itsi_vec3(-0.08f, 0.3f, 0), itsi_vec3(0.08f, piece, glass), ITSI_MAT_CARGO);
            if (glass < height)
                itsi_mesh_solid(m, itsi_vec3(-0.04f, 0.3f, glass), itsi_vec3(0.04f, piece, height), ITSI_MAT_GLASS);
        } else if (kind < 0.65f) {
            hedge(b, piece, height);
        } else if (kind < 0.85f) { /* wall */
            itsi_mesh_solid(m, itsi_vec3(-0.15f, 0, 0), itsi_vec3(0.15f, piece + 0.02f, height), ITSI_MAT_CARGO);
            if (itsi_hash_unit(hh, 7) < 0.4f)
                graffiti(b, piece, height, hh);
        } else { /* fence */
            for (float at = 0; at < piece; at += 2)
                itsi_mesh_solid(m, itsi_vec3(-0.04f, at, 0), itsi_vec3(0.04f, at + 0.08f, height), ITSI_MAT_METAL);
            for (float z = height * 0.3f; z <= height; z += height * 0.22f)
                itsi_mesh_solid(m, itsi_vec3(-0.02f, 0, z - 0.03f), itsi_vec3(0.02f, piece, z), ITSI_MAT_METAL);
        }
        itsi_build_finish(b, 7);
    }
}

void itsi_build_bridge(struct itsi_builder *b, float x0, float x1, float y, uint64_t h)
{
    itsi_build_begin(b, 0, y, h);
    struct itsi_mesh *m = &b->mesh;
    float k = itsi_hash_range(h, 1, 0.3f, 0.62f), z = itsi_hash_range(h, 2, 5.2f, 7.5f),
          d = itsi_hash_range(h, 3, 5, 14);
    itsi_build_colour(b, ITSI_MAT_CARGO, k, k * 0.98f, k * 0.94f);
    itsi_build_colour(b, ITSI_MAT_METAL, k * 0.5f, k * 0.5f, k * 0.52f);
    float out = itsi_hash_range(h, 4, 12, 30);
    itsi_mesh_solid(m, itsi_vec3(x0 - out, 0, z), itsi_vec3(x1 + out, d, z + itsi_hash_range(h, 5, 0.8f, 1.8f)),
                    ITSI_MAT_CARGO);
    for (int k2 = 0; k2 < 2; k2++) { /* parapets */
        float at = k2 ? d - 0.2f : 0;
        itsi_mesh_solid(m, itsi_vec3(x0 - out, at, z), itsi_vec3(x1 + out, at + 0.2f, z + 2.6f),
                        itsi_hash_unit(h, 6) < 0.5f ? ITSI_MAT_CARGO : ITSI_MAT_METAL);
    }
    float feet[3] = {x0 - 0.8f, 0, x1 + 0.8f};
    for (int i = 0; i < 3; i++)
        if (i != 1 || b->scene->kind == ITSI_SCENE_MOTORWAY)
            itsi_mesh_solid(m, itsi_vec3(feet[i] - 0.5f, 0.6f, 0), itsi_vec3(feet[i] + 0.5f, d - 0.6f, z),
                            ITSI_MAT_CARGO);
    for (int side = 0; side < 2; side++) { /* ramps of earth up to it */
        float from = side ? x1 + out : x0 - out, sgn = side ? 1.0f : -1.0f;
        itsi_mesh_solid(m, itsi_vec3(itsi_minf(from, from + sgn * 30), -2, 0),
                        itsi_vec3(itsi_maxf(from, from + sgn * 30), d + 2, z), ITSI_MAT_CARGO);
    }
    itsi_build_finish(b, d + 14);
}

/* One mouth [x0, x1] in a wall that reaches up to `top`: an arch, dark inside, and the lamps in there. */
static void mouth(struct itsi_builder *b, float x0, float x1, float spring, float crest, float top)
{
    enum { STEPS = 8 };
    struct itsi_mesh *m = &b->mesh;
    float mid = (x0 + x1) * 0.5f, half = (x1 - x0) * 0.5f, px = x0, pz = spring;
    for (int i = 1; i <= STEPS; i++) {
        double angle = 3.141592653589793 * i / STEPS;
        float x = mid - half * (float)itsi_cosine(angle), z = spring + (crest - spring) * (float)itsi_sine(angle);
        itsi_mesh_quad(m, itsi_vec3(px, 0, pz), itsi_vec3(x, 0, z), itsi_vec3(x, 0, top), itsi_vec3(px, 0, top),
                       ITSI_MAT_CARGO);
        px = x;
        pz = z;
    }
    const float deep = 7;
    itsi_mesh_solid(m, itsi_vec3(x0 - 0.3f, 0, 0), itsi_vec3(x0, deep, top), ITSI_MAT_METAL);
    itsi_mesh_solid(m, itsi_vec3(x1, 0, 0), itsi_vec3(x1 + 0.3f, deep, top), ITSI_MAT_METAL);
    itsi_mesh_quad(m, itsi_vec3(x0, deep, 0), itsi_vec3(x1, deep, 0), itsi_vec3(x1, deep, top),
                   itsi_vec3(x0, deep, top), ITSI_MAT_UNDER);
    itsi_mesh_quad(m, itsi_vec3(x0, 1, 0), itsi_vec3(x1, 1, 0), itsi_vec3(x1, deep, 0.02f), itsi_vec3(x0, deep, 0.02f),
                   ITSI_MAT_TRIM);
    for (int i = 0; i < 2; i++) {
        float x = itsi_mixf(x0, x1, i ? 0.7f : 0.3f);
        itsi_mesh_panel_y(m, deep - 0.1f, -1, x - 0.3f, x + 0.3f, crest - 1.4f, crest - 1.2f, ITSI_MAT_SIGN);
    }
}

void itsi_build_portal(struct itsi_builder *b, float y, uint64_t h)
{
    const struct itsi_scene *s = b->scene;
    itsi_build_begin(b, 0, y, h);
    struct itsi_mesh *m = &b->mesh;
    float crest = itsi_hash_range(h, 1, 6, 8.5f), spring = itsi_hash_unit(h, 2) < 0.3f ? crest : crest * 0.45f;
    float top = crest + itsi_hash_range(h, 3, 1, 5), k = itsi_hash_range(h, 4, 0.2f, 0.6f);
    itsi_build_colour(b, ITSI_MAT_CARGO, k, k * 0.98f, k * 0.93f);
    itsi_build_colour(b, ITSI_MAT_METAL, k * 0.35f, k * 0.35f, k * 0.34f);
    struct itsi_rgb green = itsi_scale(s->wear.grass, 0.8f);
    b->actor.palette[ITSI_MAT_CLOTH1] = green;
    b->actor.lit = true;
    const float wide = 140, deep = 150;
    float edge[4] = {s->road.left - 0.8f, -s->median, s->median, s->road.right + 0.8f};
    mouth(b, edge[2], edge[3], spring, crest, top);
    if (edge[1] - edge[0] > 3)
        mouth(b, edge[0], edge[1], spring, crest, top);
    const float wall[3][2] = {{-wide, edge[0]}, {edge[1], edge[2]}, {edge[3], wide}};
    for (int i = 0; i < 3; i++)
        itsi_mesh_quad(m, itsi_vec3(wall[i][0], 0, 0), itsi_vec3(wall[i][1], 0, 0), itsi_vec3(wall[i][1], 0, top),
                       itsi_vec3(wall[i][0], 0, top),
                       i == 1 || itsi_hash_unit(h, 5) < 0.5f ? ITSI_MAT_CARGO : ITSI_MAT_CLOTH1);
    /* The hill: up from the wall, in facets so that it is not one flat shade. */
    for (int i = 0; i < 14; i++)
        for (int row = 0; row < 3; row++) {
            struct itsi_vec3 c[4];
            for (int q = 0; q < 4; q++) {
                int gx = i + (q == 1 || q == 2), gy = row + (q >= 2);
                uint64_t hq = itsi_hash(h, (uint64_t)(200 + gx * 8 + gy));
                c[q] = itsi_vec3(-wide + 20 * (float)gx, deep * (float)gy / 3,
                                 top + (gy ? (float)gy * itsi_hash_range(hq, 1, 9, 19) : 0));
            }
            itsi_mesh_quad(m, c[0], c[1], c[2], c[3], ITSI_MAT_CLOTH1);
        }
    itsi_build_finish(b, 0);
    for (int i = 0; i < 60; i++) { /* and what grows on it */
        uint64_t hi = itsi_hash(h, (uint64_t)(400 + i));
        float up = itsi_hash_range(hi, 1, 0.5f, 40), size = itsi_hash_range(hi, 2, 0.8f, 2.6f);
        itsi_build_begin(b, itsi_hash_range(hi, 3, -45, 45), y + up, hi);
        itsi_build_leaves(b);
        b->actor.pos.z = top + up * 0.26f;
        itsi_build_crown(b, itsi_vec3(0, 0, size * 0.3f), size, size * 0.8f, 60);
        itsi_build_finish(b, 0);
    }
}

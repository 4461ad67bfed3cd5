/* Houses: floors of windows, shop fronts below. */
#include "render/scenery_impl.h"

/* What is behind a pane: mostly dark, sometimes a blind or a curtain, in the evening a lamp. */
static int pane(const struct itsi_builder *b, uint64_t h)
{
    if (b->scene->dark && itsi_hash_unit(h, 3) < 0.35f)
        return ITSI_MAT_SIGN;
    return itsi_hash_unit(h, 1) < 0.75f ? ITSI_MAT_GLASS : ITSI_MAT_CLOTH1;
}

static void window_x(struct itsi_builder *b, float at, float y0, float y1, float z0, float z1, uint64_t h)
{
    b->mesh.bias = 3;
    itsi_mesh_panel_x(&b->mesh, at, y0 - 0.09f, y1 + 0.09f, z0 - 0.09f, z1 + 0.09f, ITSI_MAT_BODY2);
    b->mesh.bias = 6;
    itsi_mesh_panel_x(&b->mesh, at, y0, y1, z0, z1, ITSI_MAT_GLASS);
    b->mesh.bias = 9;
    itsi_mesh_panel_x(&b->mesh, at, y0, y1, z0 + (z1 - z0) * itsi_hash_range(h, 2, 0.2f, 0.7f), z1, pane(b, h));
    b->mesh.bias = 0;
}

static void window_y(struct itsi_builder *b, float at, float x0, float x1, float z0, float z1, uint64_t h)
{
    b->mesh.bias = 3;
    itsi_mesh_panel_y(&b->mesh, at, -1, x0 - 0.09f, x1 + 0.09f, z0 - 0.09f, z1 + 0.09f, ITSI_MAT_BODY2);
    b->mesh.bias = 6;
    itsi_mesh_panel_y(&b->mesh, at, -1, x0, x1, z0, z1, ITSI_MAT_GLASS);
    b->mesh.bias = 9;
    itsi_mesh_panel_y(&b->mesh, at, -1, x0, x1, z0 + (z1 - z0) * itsi_hash_range(h, 2, 0.2f, 0.7f), z1, pane(b, h));
    b->mesh.bias = 0;
}

/* Ridged, or flat with what stands on flat roofs. */
static void roof(struct itsi_builder *b, float w, float d, float top, int floors, uint64_t h)
{
    static const float tiles[4][3] = {
        {0.42f, 0.20f, 0.14f}, {0.28f, 0.20f, 0.16f}, {0.24f, 0.25f, 0.27f}, {0.48f, 0.47f, 0.44f}};
    struct itsi_mesh *m = &b->mesh;
    bool ridged = floors < 4 && itsi_hash_unit(h, 20) < 0.45f;
    const float *c = tiles[itsi_hash_below(h, 21, ridged ? 3 : 4)];
    float k = itsi_hash_range(h, 22, 0.5f, 1.3f);
    itsi_build_colour(b, ITSI_MAT_METAL, c[0] * k, c[1] * k, c[2] * k);
    if (ridged) {
        float rise = w * itsi_hash_range(h, 23, 0.2f, 0.45f), x = w / 2 + 0.4f, y = d / 2 + 0.4f;
        struct itsi_vec3 near = itsi_vec3(0, -y, top + rise), far = itsi_vec3(0, y, top + rise);
        itsi_mesh_quad(m, itsi_vec3(-x, -y, top), near, far, itsi_vec3(-x, y, top), ITSI_MAT_METAL);
        itsi_mesh_quad(m, near, itsi_vec3(x, -y, top), itsi_vec3(x, y, top), far, ITSI_MAT_METAL);
        itsi_mesh_tri(m, itsi_vec3(-w / 2, -d / 2, top), itsi_vec3(w / 2, -d / 2, top),
                      itsi_vec3(0, -d / 2, top + rise), ITSI_MAT_CARGO);
        return;
    }
    itsi_mesh_quad(m, itsi_vec3(-w / 2, -d / 2, top), itsi_vec3(w / 2, -d / 2, top), itsi_vec3(w / 2, d / 2, top),
                   itsi_vec3(-w / 2, d / 2, top), ITSI_MAT_METAL);
    int boxes = itsi_hash_below(h, 24, 7);
    for (int i = 0; i < boxes; i++) {
        uint64_t hi = itsi_hash(h, (uint64_t)(30 + i));
        float x = itsi_hash_range(hi, 1, -0.4f, 0.25f) * w, y = itsi_hash_range(hi, 2, -0.4f, 0.25f) * d;
        itsi_mesh_solid(m, itsi_vec3(x, y, top),
                        itsi_vec3(x + itsi_hash_range(hi, 3, 0.8f, 3), y + itsi_hash_range(hi, 4, 0.8f, 4),
                                  top + itsi_hash_range(hi, 5, 0.5f, 2.2f)),
                        i & 1 ? ITSI_MAT_BODY2 : ITSI_MAT_CARGO);
    }
}

/* A house of floors with windows on all sides. */
void itsi_build_house(struct itsi_builder *b, float x, float y, float w, float d, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    b->actor.lit = true;
    struct itsi_mesh *m = &b->mesh;
    int floors = 2 + itsi_hash_below(h, 1, 5);
    float storey = itsi_hash_range(h, 2, 2.9f, 3.5f), top = storey * (float)floors + 0.8f;
    float k = itsi_hash_range(h, 3, 0.35f, 0.8f), warm = itsi_hash_range(h, 4, -0.02f, 0.12f);
    itsi_build_colour(b, ITSI_MAT_CARGO, k + warm, k, k - warm);
    float frame = itsi_hash_unit(h, 8) < 0.5f ? 0.75f : k * 0.6f;
    itsi_build_colour(b, ITSI_MAT_BODY2, frame, frame * 0.98f, frame * 0.95f);
    itsi_build_colour(b, ITSI_MAT_CLOTH1, 0.55f, 0.52f, 0.46f);
    itsi_mesh_box(m, itsi_vec3(-w / 2, -d / 2, 0), itsi_vec3(w / 2, d / 2, top),
                  (int[6]){ITSI_MAT_CARGO, ITSI_MAT_CARGO, ITSI_MAT_CARGO, ITSI_MAT_CARGO, -1, -1});
    roof(b, w, d, top, floors, h);
    float pitch = itsi_hash_range(h, 6, 1.7f, 3.2f), glass = pitch * itsi_hash_range(h, 7, 0.4f, 0.7f);
    for (int f = 0; f < floors; f++) {
        float z0 = storey * (float)f + (f ? 0.9f : 0.4f), z1 = storey * (float)(f + 1) - 0.4f,
              gw = f ? glass : pitch * 0.85f;
        for (float at = -d / 2 + pitch * 0.3f; at + gw < d / 2; at += pitch)
            window_x(b, w / 2, at, at + gw, z0, z1, itsi_hash(h, (uint64_t)(f * 64 + (int)(at * 4) + 9000)));
        for (float at = -w / 2 + pitch * 0.3f; at + gw < w / 2; at += pitch)
            window_y(b, -d / 2, at, at + gw, z0, z1, itsi_hash(h, (uint64_t)(f * 64 + (int)(at * 4) + 9500)));
        if (f == 1) {
            itsi_mesh_panel_x(m, w / 2, -d / 2, d / 2, storey - 0.35f, storey + 0.3f, ITSI_MAT_BODY2);
            itsi_mesh_panel_x(m, w / 2 + 0.02f, -d * 0.3f, d * 0.2f, storey - 0.25f, storey + 0.2f, ITSI_MAT_ACCENT);
        }
    }
    if (itsi_hash_unit(h, 9) < 0.4f) /* awnings over the shops */
        for (float at = -d / 2 + 1; at + 3 < d / 2; at += itsi_hash_range(h, 13, 3.5f, 7))
            for (int side = -1; side <= 1; side += 2) {
                float x0 = (float)side * w / 2, x1 = x0 + (float)side * 1.3f;
                itsi_mesh_solid(m, itsi_vec3(itsi_minf(x0, x1), at, 2.5f), itsi_vec3(itsi_maxf(x0, x1), at + 3, 2.7f),
                                ITSI_MAT_BODY);
            }
    itsi_build_finish(b, 4.5f);
}

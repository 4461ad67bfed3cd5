/* Buses and coaches. */
#include "render/render_impl.h"

#include <assert.h>

#define B ITSI_MAT_BODY
#define B2 ITSI_MAT_BODY2
#define G ITSI_MAT_GLASS

struct bus_form {
    float length, height, floor; /* floor: lower edge of the windows */
    bool coach;
};

static void bus_shell(struct itsi_mesh *m, const struct bus_form *f, float half)
{
    enum { RINGS = 5, POINTS = 11 };
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[RINGS * (POINTS - 1)];
    float front = f->length * 0.5f, low = 0.32f;
    const float y[RINGS] = {front, front - 0.14f, front - 0.4f, -front + 0.15f, -front};
    const float in[RINGS] = {0.9f, 0.98f, 1, 1, 0.95f}, drop[RINGS] = {0.16f, 0.05f, 0, 0, 0.08f};
    for (int r = 0; r < RINGS; r++) {
        float top = f->height - drop[r], h = half * in[r];
        float x[6] = {h * 0.98f, h, h, h * 0.98f, h * 0.85f, 0};
        float z[6] = {low, 0.7f, f->floor, top - 0.22f, top - 0.02f, top + 0.03f};
        for (int i = 0; i < 6; i++) {
            grid[r * POINTS + i] = itsi_vec3(x[i], y[r], z[i]);
            grid[r * POINTS + POINTS - 1 - i] = itsi_vec3(-x[i], y[r], z[i]);
        }
        for (int i = 0; i < 5; i++) {
            int mat = i == 0 ? B2 : i == 2 && r < 3 ? G : B;
            mats[r * (POINTS - 1) + i] = (int8_t)mat;
            mats[r * (POINTS - 1) + POINTS - 2 - i] = (int8_t)mat;
        }
    }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
    itsi_mesh_cap(m, grid, POINTS, 1, B);
    itsi_mesh_cap(m, &grid[(RINGS - 1) * POINTS], POINTS, -1, B);
}

static void bus_ends(struct itsi_mesh *m, const struct bus_form *f, float half)
{
    float front = f->length * 0.5f, top = f->height;
    m->detail = 0;
    itsi_mesh_panel_y(m, front, 1, -half * 0.86f, half * 0.86f, f->coach ? 1.05f : 1.15f, top - (f->coach ? 0.5f : 0.72f), G);
    m->detail = 2; /* middle post of the windscreen, wipers, grille, engine flap, lamps up high */
    m->bias = 6;
    float ws = f->coach ? 1.05f : 1.15f;
    itsi_mesh_panel_y(m, front, 1, -0.02f, 0.02f, ws, top - 0.7f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, -half * 0.75f, -half * 0.1f, ws + 0.08f, ws + 0.12f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, half * 0.1f, half * 0.75f, ws + 0.08f, ws + 0.12f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, -half * 0.84f, half * 0.84f, ws, ws + 0.06f, ITSI_MAT_BODY2);
    itsi_mesh_panel_y(m, front, 1, -half * 0.35f, half * 0.35f, 0.66f, 0.82f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, -0.15f, 0.15f, 0.88f, 1.0f, ITSI_MAT_METAL);
    for (int i = 0; i < 4; i++)
        itsi_mesh_panel_y(m, -front, -1, -half * 0.62f, half * 0.62f, 0.8f + 0.11f * (float)i, 0.85f + 0.11f * (float)i, B);
    itsi_mesh_panel_y(m, -front, -1, -half * 0.8f, -half * 0.66f, top - 0.3f, top - 0.2f, ITSI_MAT_TAIL);
    itsi_mesh_panel_y(m, -front, -1, half * 0.66f, half * 0.8f, top - 0.3f, top - 0.2f, ITSI_MAT_TAIL);
    if (!f->coach)
        itsi_mesh_panel_y(m, -front, -1, -half * 0.3f, half * 0.3f, top - 0.46f, top - 0.22f, ITSI_MAT_SIGN);
    m->bias = 0;
    m->detail = 1;
    if (!f->coach)
        itsi_mesh_panel_y(m, front, 1, -half * 0.75f, half * 0.75f, top - 0.66f, top - 0.3f, ITSI_MAT_SIGN);
    itsi_mesh_panel_y(m, front, 1, -half * 0.85f, half * 0.85f, 0.34f, 0.52f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, -front, -1, -half * 0.8f, half * 0.8f, f->floor + 0.25f, top - 0.5f, G);
    itsi_mesh_panel_y(m, -front, -1, -half * 0.7f, half * 0.7f, 0.75f, 1.25f, ITSI_MAT_TRIM);
    m->detail = 3;
    m->bias = 6;
    itsi_mesh_panel_y(m, front + 0.01f, 1, -0.26f, 0.26f, 0.4f, 0.51f, ITSI_MAT_PLATE);
    itsi_mesh_panel_y(m, -front - 0.01f, -1, -0.26f, 0.26f, 0.5f, 0.61f, ITSI_MAT_PLATE);
    m->detail = 1;
    for (int side = -1; side <= 1; side += 2) {
        float a = (float)side * half * 0.6f, b = (float)side * half * 0.88f;
        float x0 = itsi_minf(a, b), x1 = itsi_maxf(a, b);
        itsi_mesh_panel_y(m, front, 1, x0, x1, 0.62f, 0.85f, ITSI_MAT_HEAD);
        itsi_mesh_panel_y(m, -front, -1, x0 + 0.1f, x1 + 0.1f, 0.7f, 1.1f, ITSI_MAT_TAIL);
        m->lamp_head[side > 0] = itsi_vec3((a + b) * 0.5f, front, 0.74f);
        m->lamp_tail[side > 0] = itsi_vec3((a + b) * 0.5f, -front, 0.9f);
    }
    m->detail = 2;
    m->bias = 0;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half, x1 = x + (float)side * 0.25f;
        itsi_mesh_solid(m, itsi_vec3(itsi_minf(x, x1), front - 0.1f, top - 1.25f),
                        itsi_vec3(itsi_maxf(x, x1), front + 0.15f, top - 0.75f), ITSI_MAT_TRIM);
    }
    m->detail = 0;
}

static void build(struct itsi_mesh *m, const struct bus_form *f, uint64_t h)
{
    float front = f->length * 0.5f, half = 1.27f;
    bus_shell(m, f, half);
    bus_ends(m, f, half);
    int posts = (int)(f->length / 1.5f);
    m->detail = 2;
    for (int i = 1; i < posts; i++) {
        float y = front - 0.5f - (f->length - 0.8f) * (float)i / (float)posts;
        itsi_mesh_panel_x(m, half * 1.002f, y - 0.05f, y + 0.05f, f->floor, f->height - 0.2f, ITSI_MAT_TRIM);
    }
    m->detail = 1;
    if (!f->coach) { /* doors on the kerb side; drawn on both, as the mirror of the models is used too */
        for (int i = 0; i < 3; i++) {
            float y = front - 1.5f - (float)i * f->length * 0.33f;
            itsi_mesh_panel_x(m, half * 1.004f, y - 0.6f, y + 0.6f, 0.4f, f->height - 0.35f, ITSI_MAT_TRIM);
            m->bias = 5;
            itsi_mesh_panel_x(m, half * 1.006f, y - 0.55f, y - 0.05f, 0.6f, f->height - 0.5f, G);
            itsi_mesh_panel_x(m, half * 1.006f, y + 0.05f, y + 0.55f, 0.6f, f->height - 0.5f, G);
            m->bias = 0;
        }
    }
    float z0 = itsi_hash_range(h, 1, 0.75f, 1.0f);
    itsi_mesh_panel_x(m, half * 1.002f, -front + 0.3f, front * itsi_hash_range(h, 2, -0.4f, 0.8f), z0, z0 + itsi_hash_range(h, 3, 0.1f, 0.4f),
                      ITSI_MAT_ACCENT);
    m->detail = 0;
    for (int i = 0; i < 2; i++) /* air conditioning */
        itsi_mesh_solid(m, itsi_vec3(-0.7f, front * (0.4f - 0.9f * (float)i), f->height), itsi_vec3(0.7f, front * (0.4f - 0.9f * (float)i) + 1.6f, f->height + 0.2f),
                        ITSI_MAT_BODY2);
    itsi_mesh_solid(m, itsi_vec3(-1.1f, -front + 0.2f, 0.2f), itsi_vec3(1.1f, front - 0.2f, 0.4f), ITSI_MAT_UNDER);
    float axles[3] = {front - 2.6f, -front + 3.2f, -front + 1.9f};
    for (int i = 0; i < (f->length > 12.5f ? 3 : 2); i++)
        for (int side = -1; side <= 1; side += 2) {
            itsi_mesh_tube(m, itsi_vec3((float)side * half, axles[i], 0.5f), itsi_vec3((float)side * (half + 0.006f), axles[i], 0.5f), 0.58f,
                           0.58f, 12, ITSI_MAT_UNDER, true);
            m->bias = 4;
            itsi_mesh_wheel(m, (float)side * (half + 0.015f), axles[i], 0.48f, 0.3f);
            m->bias = 0;
        }
    itsi_mesh_finish(m);
}

void itsi_model_buses(struct itsi_models *models, uint64_t seed)
{
    static const struct bus_form forms[] = {{12.0f, 3.05f, 1.35f, false}, {10.5f, 3.0f, 1.3f, false},
                                            {12.2f, 3.6f, 1.85f, true}, {13.4f, 3.75f, 1.95f, true},
                                            {8.2f, 2.85f, 1.35f, false}};
    static_assert(sizeof forms / sizeof *forms == ITSI_BUS_MODELS, "one form a model");
    for (int i = 0; i < ITSI_BUS_MODELS; i++)
        build(&models->mesh[ITSI_FIRST_BUS + i], &forms[i], itsi_hash(seed, (uint64_t)(300 + i)));
}

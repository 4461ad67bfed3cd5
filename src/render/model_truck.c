/* Lorries: rigid ones, and tractors with semi-trailers. */
#include "render/model_truck.h"

#include <assert.h>
#include <string.h>

#define SOLID(m, x0, y0, z0, x1, y1, z1, mat) itsi_mesh_solid(m, itsi_vec3(x0, y0, z0), itsi_vec3(x1, y1, z1), mat)

/* A rigid lorry, closed or with an open bed. */
static void rigid(struct itsi_mesh *m, float length, float height, float half, bool open, uint64_t h)
{
    length *= itsi_hash_range(h, 30, 0.95f, 1.05f);
    height *= itsi_hash_range(h, 31, 0.95f, 1.05f);
    bool light = half < 1.15f;
    float front = length * 0.5f, floor = light ? 0.82f : 1.05f, depth = light ? 1.55f : 1.9f;
    float top = light ? 2.15f : 2.8f, r = light ? 0.38f : 0.48f;
    bool deflector = !open && itsi_hash_unit(h, 32) < 0.5f;
    itsi_truck_cab(m, front, depth, half * 0.95f, top, deflector ? height - 0.05f : 0, h);
    itsi_truck_chassis(m, -front, front - 0.5f, half, floor);
    float y0 = -front, y1 = front - depth - 0.12f;
    if (open) {
        SOLID(m, -half, y0, floor - 0.12f, half, y1, floor, ITSI_MAT_METAL);
        itsi_truck_bed(m, y0, y1, half, floor, floor + itsi_hash_range(h, 33, 0.3f, 0.7f));
        if (itsi_hash_unit(h, 34) < 0.75f)
            itsi_truck_load(m, y0 + 0.15f, y1 - 0.2f, half * 0.95f, floor, height, h);
    } else {
        itsi_truck_box(m, y0, y1, half, floor, height, h);
    }
    itsi_truck_tail(m, y0, half, floor);
    itsi_truck_wheel_pair(m, half, front - (light ? 0.85f : 1.2f), r, 0.3f);
    itsi_truck_wheel_pair(m, half, y0 + length * 0.2f, r, 0.5f);
    if (length > 9)
        itsi_truck_wheel_pair(m, half, y0 + length * 0.2f + 1.25f, r, 0.5f);
    itsi_mesh_finish_as(m, length, 2 * half);
}

static void tank(struct itsi_mesh *m, float y0, float y1, float half)
{
    enum { RINGS = 4, POINTS = 13 };
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[RINGS * (POINTS - 1)];
    memset(mats, ITSI_MAT_BODY2, sizeof mats);
    const float at[RINGS] = {y1, y1 - 0.35f, y0 + 0.35f, y0}, size[RINGS] = {0.75f, 1, 1, 0.75f};
    for (int r = 0; r < RINGS; r++)
        for (int p = 0; p < POINTS; p++) {
            double angle = 6.283185307179586 * p / (POINTS - 1) - 1.5707963267948966;
            grid[r * POINTS + p] = itsi_vec3(half * size[r] * (float)itsi_cosine(angle), at[r],
                                             2.25f + 1.12f * size[r] * (float)itsi_sine(angle));
        }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
    itsi_mesh_tube(m, itsi_vec3(0, y1 - 0.05f, 2.25f), itsi_vec3(0, y1, 2.25f), half * 0.75f, half * 0.7f, 12,
                   ITSI_MAT_BODY2, true);
    itsi_mesh_tube(m, itsi_vec3(0, y0 + 0.05f, 2.25f), itsi_vec3(0, y0, 2.25f), half * 0.78f, half * 0.72f, 12,
                   ITSI_MAT_BODY2, true);
    m->detail = 2;
    itsi_mesh_panel_x(m, half, y0 + 1, y1 - 1, 2.05f, 2.45f, ITSI_MAT_ACCENT);
    itsi_mesh_panel_y(m, y0, -1, -0.35f, 0.35f, 1.9f, 2.2f, ITSI_MAT_ACCENT);
    SOLID(m, -0.3f, y0 + 1, 3.35f, 0.3f, y1 - 1, 3.5f, ITSI_MAT_METAL);
    m->detail = 0;
}

/* What a semi-trailer carries. */
enum semi_load { SEMI_BOX, SEMI_TANK, SEMI_CONTAINER, SEMI_FLAT };

static void semi(struct itsi_mesh *m, enum semi_load load, uint64_t h)
{
    float length = 16.2f * itsi_hash_range(h, 71, 0.92f, 1.01f), front = length * 0.5f, half = 1.27f, rear = -front;
    bool high = itsi_hash_unit(h, 72) < 0.5f;
    itsi_truck_cab(m, front, 2.2f, half * 0.97f, high ? 3.35f : 2.95f, load == SEMI_BOX ? 3.85f : 0, h);
    itsi_truck_chassis(m, front - 5.6f, front - 0.6f, half, 1.0f);
    itsi_truck_chassis(m, rear, front - 3.6f, half, 1.15f);
    float y1 = front - 2.75f;
    if (load == SEMI_BOX) {
        itsi_truck_box(m, rear, y1, half, 1.15f, itsi_hash_range(h, 73, 3.7f, 4.0f), h);
    } else if (load == SEMI_TANK) {
        tank(m, rear, y1, half);
    } else {
        SOLID(m, -half, rear, 1.1f, half, y1, 1.3f, ITSI_MAT_METAL);
        if (load == SEMI_CONTAINER)
            itsi_truck_box(m, rear + 0.3f, rear + 0.3f + (itsi_hash_unit(h, 70) < 0.5f ? 12.0f : 6.1f), half * 0.97f,
                           1.3f, 3.85f, h);
        else
            itsi_truck_load(m, rear + 0.3f, y1 - 0.3f, half * 0.95f, 1.3f, 3.2f, h);
    }
    itsi_truck_tail(m, rear, half, 1.15f);
    itsi_truck_wheel_pair(m, half, front - 1.35f, 0.5f, 0.3f);
    itsi_truck_wheel_pair(m, half, front - 4.9f, 0.5f, 0.5f);
    for (int i = 0; i < 3; i++)
        itsi_truck_wheel_pair(m, half, rear + 1.9f + 1.3f * (float)i, 0.5f, 0.5f);
    itsi_mesh_finish_as(m, length, 2 * half);
}

void itsi_model_trucks(struct itsi_models *models, uint64_t seed)
{
    struct itsi_mesh *t = &models->mesh[ITSI_FIRST_TRUCK];
    uint64_t h[ITSI_TRUCK_MODELS];
    for (int i = 0; i < ITSI_TRUCK_MODELS; i++)
        h[i] = itsi_hash(seed, (uint64_t)(200 + i));
    semi(&t[0], SEMI_BOX, h[0]);
    semi(&t[1], SEMI_BOX, h[1]);
    semi(&t[2], SEMI_TANK, h[2]);
    semi(&t[3], SEMI_CONTAINER, h[3]);
    semi(&t[4], SEMI_FLAT, h[4]);
    itsi_truck_carrier(&t[5], h[5]);
    rigid(&t[6], 7.5f, 3.3f, 1.2f, false, h[6]);
    rigid(&t[7], 9.6f, 3.7f, 1.25f, false, h[7]);
    rigid(&t[8], 6.2f, 2.95f, 1.02f, false, h[8]);
    rigid(&t[9], 5.8f, 2.2f, 0.98f, true, h[9]);
    rigid(&t[10], 7.4f, 2.9f, 1.22f, true, h[10]);
    itsi_truck_tipper(&t[11], h[11]);
    itsi_truck_refuse(&t[12], h[12]);
    itsi_truck_mixer(&t[13], h[13]);
    itsi_truck_crane(&t[14], h[14]);
    itsi_truck_van(&t[15], h[15]);
    static_assert(ITSI_TRUCK_MODELS == 16, "every model is built");
}

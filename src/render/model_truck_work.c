/* Lorries that do more than carry boxes. */
#include "render/model_truck.h"

#include <string.h>

#define SOLID(m, x0, y0, z0, x1, y1, z1, mat) itsi_mesh_solid(m, itsi_vec3(x0, y0, z0), itsi_vec3(x1, y1, z1), mat)

/* Cab, frame, wheels (two axles at the rear) and tail of a heavy lorry; returns where the cab ends. */
static float carrier_of(struct itsi_mesh *m, float length, float half, uint64_t h)
{
    float front = length * 0.5f;
    itsi_truck_cab(m, front, 1.9f, half * 0.97f, itsi_hash_range(h, 29, 2.65f, 2.95f), 0, h);
    itsi_truck_chassis(m, -front, front - 0.5f, half, 1.05f);
    itsi_truck_tail(m, -front, half, 1.05f);
    itsi_truck_wheel_pair(m, half, front - 1.3f, 0.5f, 0.3f);
    itsi_truck_wheel_pair(m, half, -front + 1.2f, 0.5f, 0.5f);
    itsi_truck_wheel_pair(m, half, -front + 2.5f, 0.5f, 0.5f);
    return front - 2.05f;
}

/* A heap over a bed. */
static void heap(struct itsi_mesh *m, float y0, float y1, float half, float z)
{
    float step = (y1 - y0) / 3;
    for (int i = 0; i < 3; i++)
        itsi_mesh_ball(m, itsi_vec3(0, y0 + step * ((float)i + 0.5f), z), half, step * 0.75f, 0.5f, ITSI_MAT_CLOTH1);
}

void itsi_truck_tipper(struct itsi_mesh *m, uint64_t h)
{
    float length = itsi_hash_range(h, 30, 7.6f, 9.0f), half = 1.24f, y1 = carrier_of(m, length, half, h);
    float y0 = -length * 0.5f, wall = itsi_hash_range(h, 31, 1.9f, 2.5f);
    itsi_truck_bed(m, y0, y1, half, 1.12f, wall);
    /* The bed's shield over the cab. */
    SOLID(m, -half * 0.9f, y1 - 0.1f, wall + 0.4f, half * 0.9f, y1 + 0.9f, wall + 0.5f, ITSI_MAT_BODY);
    if (itsi_hash_unit(h, 32) < 0.6f)
        heap(m, y0 + 0.2f, y1 - 0.2f, half * 0.9f, wall - 0.2f);
    itsi_mesh_finish_as(m, length, 2 * half);
}

void itsi_truck_refuse(struct itsi_mesh *m, uint64_t h)
{
    float length = itsi_hash_range(h, 30, 8.2f, 9.4f), half = 1.25f, y1 = carrier_of(m, length, half, h);
    float y0 = -length * 0.5f, hopper = y0 + 1.6f, top = itsi_hash_range(h, 31, 3.1f, 3.4f);
    SOLID(m, -half, hopper, 1.1f, half, y1, top, ITSI_MAT_BODY2);
    const struct itsi_vec3 low = itsi_vec3(half, y0, 1.0f), high = itsi_vec3(half, y0 + 0.5f, top - 0.35f);
    itsi_mesh_quad(m, itsi_vec3(-half, low.y, low.z), low, high, itsi_vec3(-half, high.y, high.z), ITSI_MAT_TRIM);
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half;
        struct itsi_vec3 p[4] = {itsi_vec3(x, y0, 1.0f), itsi_vec3(x, hopper, 1.0f), itsi_vec3(x, hopper, top),
                                 itsi_vec3(x, y0 + 0.5f, top - 0.35f)};
        if (side > 0)
            itsi_mesh_quad(m, p[0], p[1], p[2], p[3], ITSI_MAT_BODY);
        else
            itsi_mesh_quad(m, p[1], p[0], p[3], p[2], ITSI_MAT_BODY);
    }
    itsi_mesh_quad(m, itsi_vec3(-half, y0 + 0.5f, top - 0.35f), itsi_vec3(half, y0 + 0.5f, top - 0.35f),
                   itsi_vec3(half, hopper, top), itsi_vec3(-half, hopper, top), ITSI_MAT_BODY);
    m->detail = 2;
    itsi_mesh_panel_x(m, half, hopper + 0.4f, y1 - 0.8f, 1.9f, 2.5f, ITSI_MAT_ACCENT);
    for (float y = hopper; y < y1; y += 0.9f)
        itsi_mesh_panel_x(m, half, y, y + 0.08f, 1.15f, top - 0.05f, ITSI_MAT_METAL);
    m->detail = 0;
    itsi_mesh_finish_as(m, length, 2 * half);
}

void itsi_truck_mixer(struct itsi_mesh *m, uint64_t h)
{
    float length = itsi_hash_range(h, 30, 8.4f, 9.2f), half = 1.25f, y1 = carrier_of(m, length, half, h);
    float y0 = -length * 0.5f, fat = itsi_hash_range(h, 31, 1.08f, 1.2f);
    /* The drum: narrow ends, its axis rising to the rear. */
    const struct itsi_vec3 axis[5] = {itsi_vec3(0, y1 - 0.2f, 1.9f), itsi_vec3(0, y1 - 1.3f, 2.2f),
                                      itsi_vec3(0, y1 - 2.9f, 2.4f), itsi_vec3(0, y0 + 1.2f, 2.75f),
                                      itsi_vec3(0, y0 + 0.5f, 2.95f)};
    const float radius[5] = {0.6f, fat, fat * 1.03f, 0.72f, 0.5f};
    for (int i = 0; i < 4; i++)
        itsi_mesh_tube(m, axis[i], axis[i + 1], radius[i], radius[i + 1], 12, i == 1 ? ITSI_MAT_ACCENT : ITSI_MAT_BODY2,
                       i == 0 || i == 3);
    SOLID(m, -0.5f, y1 - 0.5f, 1.0f, 0.5f, y1 - 0.1f, 2.3f, ITSI_MAT_TRIM);
    SOLID(m, -0.9f, y0 + 0.9f, 1.0f, 0.9f, y0 + 1.4f, 2.2f, ITSI_MAT_TRIM);
    itsi_mesh_tube(m, itsi_vec3(0, y0 + 0.6f, 2.4f), itsi_vec3(0, y0 + 0.05f, 1.3f), 0.28f, 0.2f, 6, ITSI_MAT_METAL,
                   true);
    itsi_mesh_finish_as(m, length, 2 * half);
}

void itsi_truck_crane(struct itsi_mesh *m, uint64_t h)
{
    float length = itsi_hash_range(h, 30, 8.5f, 10.0f), half = 1.25f, y1 = carrier_of(m, length, half, h);
    float y0 = -length * 0.5f;
    SOLID(m, -half, y0, 1.0f, half, y1, 1.35f, ITSI_MAT_BODY);
    SOLID(m, -1.05f, y0 + 0.6f, 1.35f, 0.2f, y0 + 3.2f, 2.4f, ITSI_MAT_BODY);
    SOLID(m, 0.3f, y0 + 1.6f, 1.35f, 1.15f, y0 + 3.0f, 2.7f, ITSI_MAT_BODY); /* its own cabin */
    m->detail = 1;
    itsi_mesh_panel_x(m, 1.15f, y0 + 1.75f, y0 + 2.85f, 1.9f, 2.6f, ITSI_MAT_GLASS);
    m->detail = 0;
    itsi_mesh_tube(m, itsi_vec3(-0.1f, y0 + 1.4f, 2.7f), itsi_vec3(-0.1f, length * 0.5f - 0.4f, 3.25f), 0.33f, 0.25f, 4,
                   ITSI_MAT_BODY, true);
    m->detail = 2;
    itsi_mesh_panel_x(m, half, y0 + 0.3f, y1 - 0.3f, 1.08f, 1.25f, ITSI_MAT_ACCENT);
    for (int i = 0; i < 2; i++)
        SOLID(m, -half, i ? y1 - 0.5f : y0 + 0.2f, 0.7f, half, i ? y1 - 0.2f : y0 + 0.5f, 1.1f, ITSI_MAT_METAL);
    m->detail = 0;
    itsi_mesh_finish_as(m, length, 2 * half);
}

/* A car as freight: a plain body with panes. */
static void freight(struct itsi_mesh *m, float y, float z, int mat)
{
    SOLID(m, -0.86f, y - 2.1f, z + 0.25f, 0.86f, y + 2.1f, z + 0.85f, mat);
    SOLID(m, -0.72f, y - 1.5f, z + 0.85f, 0.72f, y + 0.7f, z + 1.32f, ITSI_MAT_GLASS);
    SOLID(m, -0.70f, y - 1.2f, z + 1.32f, 0.70f, y + 0.4f, z + 1.38f, mat);
    for (int k = -1; k <= 1; k += 2) {
        itsi_mesh_disc_x(m, 0.87f, y + 1.3f * (float)k, z + 0.3f, 0.3f, 8, ITSI_MAT_TYRE);
        itsi_mesh_disc_x(m, -0.87f, y + 1.3f * (float)k, z + 0.3f, 0.3f, 8, ITSI_MAT_TYRE);
    }
}

void itsi_truck_carrier(struct itsi_mesh *m, uint64_t h)
{
    static const int mats[5] = {ITSI_MAT_BODY2, ITSI_MAT_CARGO, ITSI_MAT_CLOTH2, ITSI_MAT_METAL, ITSI_MAT_ACCENT};
    const float length = 16, front = length * 0.5f, half = 1.24f;
    itsi_truck_cab(m, front, 1.9f, half * 0.97f, 2.6f, 0, h);
    itsi_truck_chassis(m, -front, front - 0.5f, half, 0.9f);
    for (int deck = 0; deck < 2; deck++) {
        float z = deck ? 2.35f : 0.85f;
        SOLID(m, -half, -front, z - 0.1f, half, front - 2.3f, z, ITSI_MAT_METAL);
        for (int i = 0; i < 3; i++)
            if (itsi_hash_unit(h, (uint64_t)(50 + deck * 3 + i)) < 0.85f)
                freight(m, -front + 2.3f + 4.4f * (float)i, z,
                        mats[itsi_hash_below(h, (uint64_t)(60 + deck * 3 + i), 5)]);
    }
    for (int side = -1; side <= 1; side += 2)
        for (int i = 0; i < 4; i++) {
            float y = -front + 0.2f + 4.4f * (float)i, x = (float)side * half;
            SOLID(m, x - 0.07f, y, 0.8f, x + 0.07f, y + 0.14f, 2.35f, ITSI_MAT_METAL);
        }
    itsi_truck_tail(m, -front, half, 0.95f);
    itsi_truck_wheel_pair(m, half, front - 1.3f, 0.48f, 0.3f);
    itsi_truck_wheel_pair(m, half, front - 4.6f, 0.48f, 0.5f);
    itsi_truck_wheel_pair(m, half, -front + 2.6f, 0.42f, 0.5f);
    itsi_truck_wheel_pair(m, half, -front + 3.6f, 0.42f, 0.5f);
    itsi_mesh_finish_as(m, length, 2 * half);
}

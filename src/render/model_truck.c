/* Lorries, vans and pick-ups. */
#include "render/render_impl.h"

#include <string.h>

#define SOLID(m, x0, y0, z0, x1, y1, z1, mat) itsi_mesh_solid(m, itsi_vec3(x0, y0, z0), itsi_vec3(x1, y1, z1), mat)

static void wheel_pair(struct itsi_mesh *m, float half, float y, float r, float w)
{
    itsi_mesh_wheel(m, half, y, r, w);
    itsi_mesh_wheel(m, -half, y, r, w);
}

static void lamps(struct itsi_mesh *m, float y, int facing, float x0, float x1, float z0, float z1)
{
    int mat = facing > 0 ? ITSI_MAT_HEAD : ITSI_MAT_TAIL;
    uint8_t detail = m->detail, bias = m->bias;
    m->detail = 1;
    m->bias = 5;
    itsi_mesh_panel_y(m, y, facing, x0 - 0.03f, x1 + 0.03f, z0 - 0.03f, z1 + 0.03f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, facing, -x1 - 0.03f, -x0 + 0.03f, z0 - 0.03f, z1 + 0.03f, ITSI_MAT_TRIM);
    m->bias = 8;
    itsi_mesh_panel_y(m, y, facing, x0, x1, z0, z1, mat);
    itsi_mesh_panel_y(m, y, facing, -x1, -x0, z0, z1, mat);
    m->detail = detail;
    m->bias = bias;
    struct itsi_vec3 *lamp = facing > 0 ? m->lamp_head : m->lamp_tail;
    lamp[0] = itsi_vec3(-(x0 + x1) * 0.5f, y, (z0 + z1) * 0.5f);
    lamp[1] = itsi_vec3((x0 + x1) * 0.5f, y, (z0 + z1) * 0.5f);
}

/* A shell of upright walls with rounded shoulders through stations (y, bottom, top, half width). */
static void hull(struct itsi_mesh *m, const float (*station)[4], int rings, const int8_t *row_mats, bool caps)
{
    enum { POINTS = 7 };
    struct itsi_vec3 grid[8 * POINTS];
    int8_t mats[8 * (POINTS - 1)];
    for (int r = 0; r < rings; r++) {
        float y = station[r][0], b = station[r][1], t = station[r][2], h = station[r][3];
        float x[4] = {h, h, h * 0.94f, 0}, z[4] = {b, t - 0.12f, t - 0.01f, t + 0.02f};
        for (int i = 0; i < 4; i++) {
            grid[r * POINTS + i] = itsi_vec3(x[i], y, z[i]);
            grid[r * POINTS + POINTS - 1 - i] = itsi_vec3(-x[i], y, z[i]);
        }
        for (int i = 0; i < POINTS - 1; i++)
            mats[r * (POINTS - 1) + i] = row_mats[r * 3 + (i < 3 ? i : POINTS - 2 - i)];
    }
    itsi_mesh_loft(m, grid, rings, POINTS, mats);
    if (caps) {
        itsi_mesh_cap(m, grid, POINTS, 1, ITSI_MAT_BODY);
        itsi_mesh_cap(m, &grid[(rings - 1) * POINTS], POINTS, -1, ITSI_MAT_BODY);
    }
}

#define B ITSI_MAT_BODY
#define G ITSI_MAT_GLASS

/* The cab of a lorry: front at y, flat nose, big windscreen. */
static void cab(struct itsi_mesh *m, float y, float depth, float half, float top, float deflector)
{
    float sill = 0.45f, mid = top * 0.55f;
    const float st[5][4] = {{y, sill, mid, half * 0.96f},
                            {y - 0.06f, sill, mid + 0.1f, half},
                            {y - 0.28f, sill, top - 0.15f, half},
                            {y - 0.5f, sill, top, half},
                            {y - depth, sill, top, half}};
    static const int8_t mats[15] = {B, B, B, B, G, G, B, B, B, B, B, B, B, B, B};
    hull(m, st, 5, mats, true);
    m->detail = 1;
    itsi_mesh_panel_x(m, half, y - 1.25f, y - 0.4f, mid + 0.08f, top - 0.32f, ITSI_MAT_GLASS);
    m->detail = 2;
    itsi_mesh_panel_y(m, y, 1, -half * 0.72f, half * 0.72f, sill + 0.42f, mid - 0.14f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, -half * 0.95f, half * 0.95f, sill - 0.03f, sill + 0.26f, ITSI_MAT_BODY2);
    m->detail = 3;
    m->bias = 6; /* slats, badge, fog lamps */
    float slat = (mid - sill - 0.56f) / 5;
    for (int i = 0; i < 5; i++)
        itsi_mesh_panel_y(m, y, 1, -half * 0.7f, half * 0.7f, sill + 0.45f + slat * (float)i, sill + 0.45f + slat * ((float)i + 0.45f),
                          i == 4 ? ITSI_MAT_METAL : ITSI_MAT_BODY);
    itsi_mesh_panel_y(m, y, 1, -0.12f, 0.12f, mid - 0.32f, mid - 0.16f, ITSI_MAT_METAL);
    itsi_mesh_panel_y(m, y, 1, -half * 0.55f, -half * 0.42f, sill + 0.02f, sill + 0.1f, ITSI_MAT_HEAD);
    itsi_mesh_panel_y(m, y, 1, half * 0.42f, half * 0.55f, sill + 0.02f, sill + 0.1f, ITSI_MAT_HEAD);
    m->bias = 0;
    m->bias = 6;
    itsi_mesh_panel_y(m, y + 0.01f, 1, -0.26f, 0.26f, sill + 0.05f, sill + 0.16f, ITSI_MAT_PLATE);
    m->bias = 0;
    m->detail = 0;
    itsi_mesh_panel_y(m, y, 1, -half * 0.93f, half * 0.93f, sill + 0.12f, sill + 0.36f, ITSI_MAT_TRIM);
    lamps(m, y, 1, half * 0.62f, half * 0.9f, sill + 0.16f, sill + 0.33f);
    /* The edge of the dashboard and the wipers, as seen through and on the glass. */
    m->detail = 3;
    float zs = mid + 0.14f, ys = y - 0.05f;
    itsi_mesh_panel_y(m, ys, 1, -half * 0.9f, half * 0.9f, zs - 0.03f, zs + 0.03f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, ys, 1, -half * 0.7f, -half * 0.1f, zs + 0.05f, zs + 0.08f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, ys, 1, half * 0.05f, half * 0.65f, zs + 0.05f, zs + 0.08f, ITSI_MAT_TRIM);
    m->detail = 0;
    m->detail = 2;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half, x1 = x + (float)side * 0.22f;
        SOLID(m, itsi_minf(x, x1), y - 0.35f, mid + 0.15f, itsi_maxf(x, x1), y - 0.2f, mid + 0.75f, ITSI_MAT_TRIM);
    }
    m->detail = 0;
    if (deflector > top) {
        struct itsi_vec3 a = itsi_vec3(half * 0.9f, y - 0.6f, top), b = itsi_vec3(-half * 0.9f, y - 0.6f, top);
        struct itsi_vec3 c = itsi_vec3(-half * 0.9f, y - depth, deflector), d = itsi_vec3(half * 0.9f, y - depth, deflector);
        itsi_mesh_quad(m, a, d, c, b, ITSI_MAT_BODY);
        itsi_mesh_tri(m, a, itsi_vec3(half * 0.9f, y - depth, top), d, ITSI_MAT_BODY);
        itsi_mesh_tri(m, b, c, itsi_vec3(-half * 0.9f, y - depth, top), ITSI_MAT_BODY);
    }
    m->detail = 2; /* visor over the windscreen */
    SOLID(m, -half * 0.9f, y - 0.3f, top - 0.17f, half * 0.9f, y - 0.12f, top - 0.12f, ITSI_MAT_TRIM);
    m->detail = 0;
}

/* The closed body of a lorry, from y0 (rear) to y1, with lettering and rear doors. */
static void box(struct itsi_mesh *m, float y0, float y1, float half, float floor, float top, uint64_t h)
{
    bool curtain = itsi_hash_unit(h, 1) < 0.4f;
    int mat = curtain ? ITSI_MAT_CARGO : ITSI_MAT_BODY2;
    itsi_mesh_box(m, itsi_vec3(-half, y0, floor), itsi_vec3(half, y1, top),
                  (int[6]){mat, mat, ITSI_MAT_BODY2, ITSI_MAT_BODY2, ITSI_MAT_UNDER, ITSI_MAT_BODY2});
    float len = y1 - y0, height = top - floor;
    m->detail = 1;
    itsi_mesh_panel_x(m, half, y0, y1, floor, floor + 0.12f, ITSI_MAT_METAL);
    itsi_mesh_panel_x(m, half, y0, y1, top - 0.09f, top, ITSI_MAT_METAL);
    if (itsi_hash_unit(h, 2) < 0.75f) { /* a name of blocks, and a bar below it */
        float z0 = floor + height * itsi_hash_range(h, 3, 0.35f, 0.6f), z1 = z0 + height * itsi_hash_range(h, 4, 0.15f, 0.3f);
        int letters = 3 + itsi_hash_below(h, 5, 6);
        float start = y0 + len * itsi_hash_range(h, 6, 0.1f, 0.3f), pitch = len * 0.55f / (float)letters;
        for (int i = 0; i < letters; i++)
            itsi_mesh_panel_x(m, half, start + pitch * (float)i, start + pitch * ((float)i + itsi_hash_range(h, 20 + (uint64_t)i, 0.45f, 0.8f)),
                              z0, z1, ITSI_MAT_ACCENT);
        if (itsi_hash_unit(h, 7) < 0.5f)
            itsi_mesh_panel_x(m, half, start, start + len * 0.55f, z0 - height * 0.12f, z0 - height * 0.07f, ITSI_MAT_ACCENT);
        itsi_mesh_panel_y(m, y0, -1, -half * 0.6f, half * 0.6f, z0, z0 + (z1 - z0) * 0.7f, ITSI_MAT_ACCENT);
    }
    m->detail = 4;
    int ribs = curtain ? 10 : (int)(len / 1.2f);
    for (int i = 1; i < ribs; i++) {
        float y = y0 + len * (float)i / (float)ribs;
        itsi_mesh_panel_x(m, half, y - 0.02f, y + 0.02f, floor + 0.12f, top - 0.1f, curtain ? ITSI_MAT_TRIM : ITSI_MAT_METAL);
    }
    m->detail = 3;
    itsi_mesh_panel_y(m, y0, -1, -half * 0.96f, -half * 0.84f, top - 0.2f, top - 0.1f, ITSI_MAT_TAIL);
    itsi_mesh_panel_y(m, y0, -1, half * 0.84f, half * 0.96f, top - 0.2f, top - 0.1f, ITSI_MAT_TAIL);
    for (float y = y0 + 1; y < y1; y += 2.2f)
        itsi_mesh_panel_x(m, half, y, y + 0.12f, floor + 0.02f, floor + 0.1f, ITSI_MAT_SIGN);
    m->detail = 2; /* doors: middle gap, bars, frame */
    itsi_mesh_panel_y(m, y0, -1, -0.025f, 0.025f, floor, top, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y0, -1, -half, half, floor, floor + 0.12f, ITSI_MAT_TRIM);
    m->detail = 3;
    for (int i = -1; i <= 1; i += 2) {
        itsi_mesh_panel_y(m, y0, -1, (float)i * half * 0.35f - 0.02f, (float)i * half * 0.35f + 0.02f, floor, top, ITSI_MAT_METAL);
        itsi_mesh_panel_y(m, y0, -1, (float)i * half * 0.97f - 0.03f, (float)i * half * 0.97f + 0.03f, floor, top, ITSI_MAT_METAL);
    }
    m->detail = 0;
}

static void tail(struct itsi_mesh *m, float y, float half, float z)
{
    SOLID(m, -half * 0.95f, y, z - 0.3f, half * 0.95f, y + 0.12f, z - 0.08f, ITSI_MAT_TRIM);
    lamps(m, y, -1, half * 0.62f, half * 0.93f, z - 0.27f, z - 0.11f);
    m->detail = 3;
    m->bias = 6;
    itsi_mesh_panel_y(m, y, -1, -0.26f, 0.26f, z - 0.26f, z - 0.13f, ITSI_MAT_PLATE);
    m->detail = 2;
    itsi_mesh_panel_y(m, y, -1, -half * 0.9f, half * 0.9f, z - 0.52f, z - 0.40f, ITSI_MAT_METAL);
    m->detail = m->bias = 0;
}

static void chassis(struct itsi_mesh *m, float y0, float y1, float half, float top)
{
    SOLID(m, -half * 0.55f, y0, 0.55f, half * 0.55f, y1, top, ITSI_MAT_UNDER);
    m->detail = 2;
    itsi_mesh_panel_x(m, half * 0.96f, y0 + (y1 - y0) * 0.4f, y0 + (y1 - y0) * 0.72f, 0.45f, top - 0.1f, ITSI_MAT_METAL);
    m->detail = 0;
}

/* A rigid lorry; body: 0 box, 1 open bed with load, 2 tipper. */
static void rigid(struct itsi_mesh *m, float length, float height, int body, uint64_t h)
{
    float front = length * 0.5f, half = 1.24f, floor = 1.05f, depth = 1.9f, ctop = body == 0 ? itsi_minf(2.9f, height * 0.86f) : 2.8f;
    cab(m, front, depth, half * 0.97f, ctop, body == 0 ? height - 0.05f : 0);
    chassis(m, -front, front - 0.5f, half, floor);
    float y0 = -front, y1 = front - depth - 0.12f;
    if (body == 0) {
        box(m, y0, y1, half, floor, height, h);
    } else {
        float wall = body == 2 ? floor + 1.1f : floor + 0.45f;
        SOLID(m, -half, y0, floor, half, y1, floor + 0.15f, ITSI_MAT_METAL);
        itsi_mesh_box(m, itsi_vec3(-half, y0, floor), itsi_vec3(half, y1, wall),
                      (int[6]){B, B, B, B, -1, ITSI_MAT_UNDER});
        SOLID(m, -half, y1 - 0.08f, floor, half, y1, wall + 0.5f, ITSI_MAT_BODY);
        m->detail = 3;
        for (int i = 1; i < 7; i++) {
            float y = y0 + (y1 - y0) * (float)i / 7;
            itsi_mesh_panel_x(m, half, y - 0.04f, y + 0.04f, floor, wall, ITSI_MAT_TRIM);
        }
        m->detail = 0;
        for (int i = 0; i < 4; i++) { /* the load */
            float a = y0 + 0.2f + (y1 - y0 - 0.5f) * (float)i / 4, w = itsi_hash_range(h, 40 + (uint64_t)i, 0.5f, 1.1f);
            if (body == 2)
                itsi_mesh_ball(m, itsi_vec3(0, a + 0.6f, wall - 0.2f), half * 0.9f, 0.9f, 0.55f, ITSI_MAT_CLOTH1);
            else
                SOLID(m, -w, a, floor + 0.15f, w, a + itsi_hash_range(h, 50 + (uint64_t)i, 0.7f, 1.1f),
                      floor + itsi_hash_range(h, 60 + (uint64_t)i, 0.5f, 1.5f), ITSI_MAT_CLOTH1);
        }
    }
    tail(m, y0, half, floor);
    wheel_pair(m, half, front - 1.2f, 0.48f, 0.3f);
    wheel_pair(m, half, y0 + length * 0.2f, 0.48f, 0.5f);
    if (length > 9)
        wheel_pair(m, half, y0 + length * 0.2f + 1.25f, 0.48f, 0.5f);
    itsi_mesh_finish(m);
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
    itsi_mesh_tube(m, itsi_vec3(0, y1 - 0.05f, 2.25f), itsi_vec3(0, y1, 2.25f), half * 0.75f, half * 0.7f, 12, ITSI_MAT_BODY2, true);
    itsi_mesh_tube(m, itsi_vec3(0, y0 + 0.05f, 2.25f), itsi_vec3(0, y0, 2.25f), half * 0.78f, half * 0.72f, 12, ITSI_MAT_BODY2, true);
    m->detail = 2;
    itsi_mesh_panel_x(m, half, y0 + 1, y1 - 1, 2.05f, 2.45f, ITSI_MAT_ACCENT);
    itsi_mesh_panel_y(m, y0, -1, -0.35f, 0.35f, 1.9f, 2.2f, ITSI_MAT_ACCENT);
    SOLID(m, -0.3f, y0 + 1, 3.35f, 0.3f, y1 - 1, 3.5f, ITSI_MAT_METAL);
    m->detail = 0;
}

/* Tractor and semi-trailer; load: 0 box, 1 tank, 2 container on a flat bed. */
static void semi(struct itsi_mesh *m, int load, uint64_t h)
{
    float length = 16.2f, front = length * 0.5f, half = 1.27f, rear = -front;
    cab(m, front, 2.2f, half * 0.97f, load == 0 ? 3.3f : 3.0f, load == 0 ? 3.85f : 0);
    chassis(m, front - 5.6f, front - 0.6f, half, 1.0f);
    chassis(m, rear, front - 3.6f, half, 1.15f);
    float y1 = front - 2.75f;
    if (load == 0)
        box(m, rear, y1, half, 1.15f, 3.95f, h);
    else if (load == 1)
        tank(m, rear, y1, half);
    else {
        SOLID(m, -half, rear, 1.1f, half, y1, 1.3f, ITSI_MAT_METAL);
        box(m, rear + 0.3f, rear + 0.3f + (itsi_hash_unit(h, 70) < 0.5f ? 12.1f : 6.1f), half * 0.97f, 1.3f, 3.85f, h);
    }
    tail(m, rear, half, 1.15f);
    wheel_pair(m, half, front - 1.35f, 0.5f, 0.3f);
    wheel_pair(m, half, front - 4.9f, 0.5f, 0.5f);
    for (int i = 0; i < 3; i++)
        wheel_pair(m, half, rear + 1.9f + 1.3f * (float)i, 0.5f, 0.5f);
    itsi_mesh_finish(m);
}

/* A high-roofed delivery van. */
static void van(struct itsi_mesh *m, float length, float height)
{
    float front = length * 0.5f, half = 0.98f, sill = 0.3f;
    const float st[6][4] = {{front, sill, 0.95f, half * 0.88f},        {front - 0.15f, sill, 1.1f, half * 0.97f},
                            {front - 0.95f, sill, 1.35f, half},        {front - 1.75f, sill, height - 0.08f, half},
                            {-front + 0.12f, sill, height, half},      {-front, sill + 0.1f, height - 0.08f, half * 0.96f}};
    static const int8_t mats[18] = {B, B, B, B, B, B, B, G, G, B, B, B, B, B, B, B, B, B};
    hull(m, st, 6, mats, true);
    m->detail = 1;
    itsi_mesh_panel_x(m, half, front - 2.4f, front - 1.6f, 1.3f, 1.85f, ITSI_MAT_GLASS);
    itsi_mesh_panel_y(m, front, 1, -half * 0.6f, half * 0.6f, 0.62f, 0.85f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, -half * 0.85f, half * 0.85f, sill, 0.55f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, -front, -1, -half * 0.85f, half * 0.85f, sill + 0.02f, 0.55f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, -front, -1, -half * 0.8f, -0.06f, 1.35f, height - 0.55f, ITSI_MAT_GLASS);
    itsi_mesh_panel_y(m, -front, -1, 0.06f, half * 0.8f, 1.35f, height - 0.55f, ITSI_MAT_GLASS);
    m->detail = 3;
    itsi_mesh_panel_y(m, -front, -1, -0.015f, 0.015f, 0.5f, height - 0.15f, ITSI_MAT_TRIM);
    itsi_mesh_panel_x(m, half, -front * 0.3f, -front * 0.3f + 0.03f, 0.4f, height - 0.3f, ITSI_MAT_TRIM);
    itsi_mesh_panel_x(m, half, -front * 0.8f, front * 0.1f, 1.1f, 1.5f, ITSI_MAT_ACCENT);
    itsi_mesh_panel_x(m, half, -front * 0.9f, front * 0.6f, 0.55f, 0.63f, ITSI_MAT_TRIM);
    m->bias = 6;
    itsi_mesh_panel_y(m, front + 0.01f, 1, -0.26f, 0.26f, 0.38f, 0.49f, ITSI_MAT_PLATE);
    itsi_mesh_panel_y(m, -front - 0.01f, -1, -0.26f, 0.26f, 0.75f, 0.86f, ITSI_MAT_PLATE);
    m->detail = m->bias = 0;
    lamps(m, front, 1, half * 0.55f, half * 0.84f, 0.72f, 0.93f);
    lamps(m, -front, -1, half * 0.8f, half * 0.95f, 0.75f, 1.35f);
    m->detail = 2;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half, x1 = x + (float)side * 0.22f;
        SOLID(m, itsi_minf(x, x1), front - 1.5f, 1.25f, itsi_maxf(x, x1), front - 1.38f, 1.6f, ITSI_MAT_TRIM);
    }
    m->detail = 0;
    wheel_pair(m, half + 0.01f, front - 1.0f, 0.34f, 0.22f);
    wheel_pair(m, half + 0.01f, -front + 1.1f, 0.34f, 0.22f);
    itsi_mesh_finish(m);
}

static void pickup(struct itsi_mesh *m)
{
    float front = 2.65f, half = 0.95f, low = 0.42f, deck = 1.08f;
    const float st[8][4] = {{front, low, 1.0f, half * 0.92f},  {front - 0.12f, low, 1.08f, half},
                            {front - 1.15f, low, 1.14f, half}, {front - 1.8f, low, 1.78f, half * 0.93f},
                            {front - 3.1f, low, 1.8f, half * 0.93f}, {front - 3.35f, low, deck, half},
                            {-front + 0.05f, low, deck, half}, {-front, low, deck - 0.04f, half * 0.97f}};
    static const int8_t mats[24] = {B, B, B, B, B, B, B, G, G, B, B, B, B, G, G,
                                    B, B, ITSI_MAT_UNDER, B, B, B, B, B, B};
    hull(m, st, 8, mats, true);
    m->detail = 1;
    itsi_mesh_panel_x(m, half * 0.97f, front - 2.4f, front - 1.75f, 1.17f, 1.58f, ITSI_MAT_GLASS);
    itsi_mesh_panel_x(m, half * 0.97f, front - 3.15f, front - 2.5f, 1.17f, 1.58f, ITSI_MAT_GLASS);
    itsi_mesh_panel_y(m, front, 1, -half * 0.5f, half * 0.5f, 0.62f, 0.95f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, -half * 0.9f, half * 0.9f, low, 0.58f, ITSI_MAT_METAL);
    itsi_mesh_panel_y(m, -front, -1, -half * 0.9f, half * 0.9f, low, 0.6f, ITSI_MAT_METAL);
    m->detail = 3;
    m->bias = 6;
    itsi_mesh_panel_y(m, -front - 0.01f, -1, -0.26f, 0.26f, 0.5f, 0.61f, ITSI_MAT_PLATE);
    m->detail = m->bias = 0;
    lamps(m, front, 1, half * 0.58f, half * 0.88f, 0.72f, 0.93f);
    lamps(m, -front, -1, half * 0.8f, half * 0.96f, 0.68f, 1.0f);
    wheel_pair(m, half + 0.02f, front - 0.95f, 0.4f, 0.25f);
    wheel_pair(m, half + 0.02f, -front + 1.15f, 0.4f, 0.25f);
    itsi_mesh_finish(m);
}

void itsi_model_trucks(struct itsi_models *models, uint64_t seed)
{
    struct itsi_mesh *t = &models->mesh[ITSI_FIRST_TRUCK];
#define H(i) itsi_hash(seed, (uint64_t)(200 + (i)))
    semi(&t[0], 0, H(0));
    semi(&t[1], 0, H(1));
    semi(&t[2], 1, H(2));
    semi(&t[3], 2, H(3));
    rigid(&t[4], 7.5f, 3.3f, 0, H(4));
    rigid(&t[5], 9.6f, 3.7f, 0, H(5));
    rigid(&t[6], 7.0f, 3.0f, 1, H(6));
    rigid(&t[7], 8.4f, 3.1f, 2, H(7));
    van(&t[8], 5.9f, 2.6f);
    pickup(&t[9]);
#undef H
}

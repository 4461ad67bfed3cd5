/* The parts that lorries have in common: cab, chassis, closed body, wheels, rear end. */
#include "render/model_truck.h"

#define SOLID(m, x0, y0, z0, x1, y1, z1, mat) itsi_mesh_solid(m, itsi_vec3(x0, y0, z0), itsi_vec3(x1, y1, z1), mat)
#define B ITSI_MAT_BODY
#define S ITSI_MAT_SCREEN

void itsi_truck_wheel_pair(struct itsi_mesh *m, float half, float y, float r, float w)
{
    itsi_mesh_wheel(m, half, y, r, w, 0);
    itsi_mesh_wheel(m, -half, y, r, w, 0);
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
static void hull(struct itsi_mesh *m, const float (*station)[4], int rings, const int8_t *row_mats)
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
    itsi_mesh_cap(m, grid, POINTS, 1, ITSI_MAT_BODY);
    itsi_mesh_cap(m, &grid[(rings - 1) * POINTS], POINTS, -1, ITSI_MAT_BODY);
}

/* Grille, bumper, lamps and plate. */
static void cab_face(struct itsi_mesh *m, float y, float half, float sill, float mid, uint64_t h)
{
    bool dark = itsi_hash_unit(h, 81) < 0.4f;
    m->detail = 1;
    itsi_mesh_panel_y(m, y, 1, -half * 0.72f, half * 0.72f, sill + 0.42f, mid - 0.14f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, -half * 0.95f, half * 0.95f, sill - 0.03f, sill + 0.38f, ITSI_MAT_LOWER);
    m->detail = 3;
    m->bias = 6; /* slats, badge, fog lamps */
    int slats = 3 + itsi_hash_below(h, 82, 4);
    float slat = (mid - sill - 0.56f) / (float)slats;
    for (int i = 0; i < slats; i++)
        itsi_mesh_panel_y(m, y, 1, -half * 0.7f, half * 0.7f, sill + 0.45f + slat * (float)i,
                          sill + 0.45f + slat * ((float)i + (dark ? 0.2f : 0.5f)),
                          i == slats - 1 || dark ? ITSI_MAT_METAL : ITSI_MAT_BODY);
    itsi_mesh_panel_y(m, y, 1, -0.12f, 0.12f, mid - 0.32f, mid - 0.16f, ITSI_MAT_METAL);
    itsi_mesh_panel_y(m, y, 1, -half * 0.55f, -half * 0.42f, sill + 0.02f, sill + 0.1f, ITSI_MAT_HEAD);
    itsi_mesh_panel_y(m, y, 1, half * 0.42f, half * 0.55f, sill + 0.02f, sill + 0.1f, ITSI_MAT_HEAD);
    m->detail = 2;
    itsi_mesh_panel_y(m, y + 0.01f, 1, -0.26f, 0.26f, sill + 0.05f, sill + 0.17f, ITSI_MAT_PLATE);
    m->bias = 0;
    float z = itsi_hash_unit(h, 83) < 0.6f ? sill + 0.14f : sill + 0.46f, in = itsi_hash_range(h, 84, 0.58f, 0.74f);
    lamps(m, y, 1, half * in, half * 0.92f, z, z + itsi_hash_range(h, 85, 0.14f, 0.26f));
}

/* What is on and behind the windscreen's glass: dashboard, wipers, who drives, shade. */
static void cab_screen(struct itsi_mesh *m, float y, float half, float mid, float top)
{
    float z = mid + 0.12f, high = top - 0.2f - z;
    m->detail = 2;
    m->bias = 22; /* the glass leans back from here */
    itsi_mesh_panel_y(m, y - 0.05f, 1, -half * 0.9f, half * 0.9f, z, z + 0.14f, ITSI_MAT_SEAT);
    m->detail = 3;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half * 0.45f, ys = y - 0.15f;
        itsi_mesh_panel_y(m, ys, 1, x - 0.26f, x + 0.26f, z + 0.14f, z + 0.14f + high * 0.3f, ITSI_MAT_SEAT);
        itsi_mesh_panel_y(m, ys, 1, x - 0.13f, x + 0.13f, z + 0.14f + high * 0.3f, z + 0.14f + high * 0.55f,
                          ITSI_MAT_SEAT);
        itsi_mesh_panel_y(m, y - 0.05f, 1, x - 0.4f, x + 0.25f, z + 0.03f, z + 0.06f, ITSI_MAT_TRIM);
    }
    m->bias = m->detail = 0;
}

void itsi_truck_cab(struct itsi_mesh *m, float y, float depth, float half, float top, float deflector, uint64_t h)
{
    float sill = 0.45f, mid = top * itsi_hash_range(h, 80, 0.50f, 0.58f), lean = itsi_hash_range(h, 86, 0.1f, 0.3f);
    const float st[5][4] = {{y, sill, mid, half * 0.96f},
                            {y - 0.06f, sill, mid + 0.1f, half},
                            {y - 0.06f - lean, sill, top - 0.15f, half},
                            {y - 0.3f - lean, sill, top, half},
                            {y - depth, sill, top, half}};
    static const int8_t mats[15] = {B, B, B, B, S, S, B, B, B, B, B, B, B, B, B};
    hull(m, st, 5, mats);
    m->detail = 1;
    itsi_mesh_panel_x(m, half, y - 1.25f, y - 0.4f, mid + 0.08f, top - 0.32f, ITSI_MAT_GLASS);
    cab_face(m, y, half, sill, mid, h);
    cab_screen(m, y, half, mid, top);
    m->detail = 3; /* door, steps, handle */
    itsi_mesh_panel_x(m, half, y - 1.36f, y - 1.34f, sill + 0.1f, top - 0.3f, ITSI_MAT_UNDER);
    itsi_mesh_panel_x(m, half, y - 1.3f, y - 1.15f, mid - 0.12f, mid - 0.07f, ITSI_MAT_TRIM);
    itsi_mesh_panel_x(m, half, y - 0.62f, y - 0.25f, sill + 0.05f, sill + 0.3f, ITSI_MAT_TRIM);
    m->detail = 2;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half, x1 = x + (float)side * 0.22f;
        SOLID(m, itsi_minf(x, x1), y - 0.35f, mid + 0.15f, itsi_maxf(x, x1), y - 0.2f, mid + 0.75f, ITSI_MAT_TRIM);
    }
    if (itsi_hash_unit(h, 87) < 0.6f) /* visor over the windscreen */
        SOLID(m, -half * 0.9f, y - 0.3f, top - 0.17f, half * 0.9f, y - 0.1f, top - 0.12f,
              itsi_hash_unit(h, 88) < 0.5f ? ITSI_MAT_TRIM : ITSI_MAT_BODY);
    if (itsi_hash_unit(h, 89) < 0.25f)
        SOLID(m, -half * 0.5f, y - 0.75f, top, half * 0.5f, y - 0.6f, top + 0.12f, ITSI_MAT_BLUE);
    m->detail = 0;
    if (deflector > top) {
        struct itsi_vec3 a = itsi_vec3(half * 0.9f, y - 0.6f, top), b = itsi_vec3(-half * 0.9f, y - 0.6f, top);
        struct itsi_vec3 c = itsi_vec3(-half * 0.9f, y - depth, deflector),
                         d = itsi_vec3(half * 0.9f, y - depth, deflector);
        itsi_mesh_quad(m, a, d, c, b, ITSI_MAT_BODY);
        itsi_mesh_tri(m, a, itsi_vec3(half * 0.9f, y - depth, top), d, ITSI_MAT_BODY);
        itsi_mesh_tri(m, b, c, itsi_vec3(-half * 0.9f, y - depth, top), ITSI_MAT_BODY);
    }
}

/* The closed body of a lorry, from y0 (rear) to y1, with lettering and rear doors. */
void itsi_truck_box(struct itsi_mesh *m, float y0, float y1, float half, float floor, float top, uint64_t h)
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
        float z0 = floor + height * itsi_hash_range(h, 3, 0.35f, 0.6f),
              z1 = z0 + height * itsi_hash_range(h, 4, 0.15f, 0.3f);
        int letters = 3 + itsi_hash_below(h, 5, 6);
        float start = y0 + len * itsi_hash_range(h, 6, 0.1f, 0.3f), pitch = len * 0.55f / (float)letters;
        for (int i = 0; i < letters; i++)
            itsi_mesh_panel_x(m, half, start + pitch * (float)i,
                              start + pitch * ((float)i + itsi_hash_range(h, 20 + (uint64_t)i, 0.45f, 0.8f)), z0, z1,
                              ITSI_MAT_ACCENT);
        if (itsi_hash_unit(h, 7) < 0.5f)
            itsi_mesh_panel_x(m, half, start, start + len * 0.55f, z0 - height * 0.12f, z0 - height * 0.07f,
                              ITSI_MAT_ACCENT);
        itsi_mesh_panel_y(m, y0, -1, -half * 0.6f, half * 0.6f, z0, z0 + (z1 - z0) * 0.7f, ITSI_MAT_ACCENT);
    }
    m->detail = 4;
    int ribs = curtain ? 10 : (int)(len / 1.2f);
    for (int i = 1; i < ribs; i++) {
        float y = y0 + len * (float)i / (float)ribs;
        itsi_mesh_panel_x(m, half, y - 0.02f, y + 0.02f, floor + 0.12f, top - 0.1f,
                          curtain ? ITSI_MAT_TRIM : ITSI_MAT_METAL);
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
        itsi_mesh_panel_y(m, y0, -1, (float)i * half * 0.35f - 0.02f, (float)i * half * 0.35f + 0.02f, floor, top,
                          ITSI_MAT_METAL);
        itsi_mesh_panel_y(m, y0, -1, (float)i * half * 0.97f - 0.03f, (float)i * half * 0.97f + 0.03f, floor, top,
                          ITSI_MAT_METAL);
    }
    m->detail = 0;
}

void itsi_truck_tail(struct itsi_mesh *m, float y, float half, float z)
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

void itsi_truck_chassis(struct itsi_mesh *m, float y0, float y1, float half, float top)
{
    SOLID(m, -half * 0.55f, y0, 0.55f, half * 0.55f, y1, top, ITSI_MAT_UNDER);
    m->detail = 2;
    itsi_mesh_panel_x(m, half * 0.96f, y0 + (y1 - y0) * 0.4f, y0 + (y1 - y0) * 0.72f, 0.45f, top - 0.1f,
                      ITSI_MAT_METAL);
    m->detail = 0;
}

void itsi_truck_bed(struct itsi_mesh *m, float y0, float y1, float half, float floor, float wall)
{
    itsi_mesh_box(m, itsi_vec3(-half, y0, floor), itsi_vec3(half, y1, wall), (int[6]){B, B, B, B, -1, ITSI_MAT_UNDER});
    SOLID(m, -half, y1 - 0.08f, floor, half, y1, wall + 0.5f, B);
    m->detail = 3;
    int posts = 3 + (int)(y1 - y0);
    for (int i = 1; i < posts; i++) {
        float y = y0 + (y1 - y0) * (float)i / (float)posts;
        itsi_mesh_panel_x(m, half, y - 0.04f, y + 0.04f, floor, wall, ITSI_MAT_TRIM);
    }
    itsi_mesh_panel_x(m, half, y0, y1, wall - 0.06f, wall, ITSI_MAT_METAL);
    m->detail = 0;
}

void itsi_truck_load(struct itsi_mesh *m, float y0, float y1, float half, float floor, float top, uint64_t h)
{
    static const int mats[4] = {ITSI_MAT_CLOTH1, ITSI_MAT_CARGO, ITSI_MAT_CLOTH2, ITSI_MAT_BODY2};
    int n = 2 + itsi_hash_below(h, 90, 4);
    float step = (y1 - y0) / (float)n;
    for (int i = 0; i < n; i++) {
        uint64_t k = itsi_hash(h, 91 + (uint64_t)i);
        float w = half * itsi_hash_range(k, 1, 0.4f, 0.98f), y = y0 + step * (float)i;
        SOLID(m, -w, y + step * 0.06f, floor, w, y + step * itsi_hash_range(k, 2, 0.6f, 0.98f),
              itsi_mixf(floor, top, itsi_hash_range(k, 3, 0.25f, 1)), mats[itsi_hash_below(k, 4, 4)]);
    }
}

/* Buses and coaches. */
#include "render/model_car.h"

#include <assert.h>

#define B ITSI_MAT_BODY
#define B2 ITSI_MAT_BODY2
#define G ITSI_MAT_GLASS

/* Metres; sill, head: lower and upper edge of the side panes below the roof. */
struct bus_form {
    float length, height, half, sill, head;
    bool coach;   /* no doors in the middle, luggage below */
    bool upper;   /* a second deck */
    bool bellows; /* articulated */
    float nose;   /* length of a bonnet, 0: none */
};

/* The hull of rounded cross-sections; the front end at y. */
static void bus_shell(struct itsi_mesh *m, const struct bus_form *f, float front)
{
    enum { RINGS = 5, POINTS = 13 };
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[RINGS * (POINTS - 1)];
    float rear = -f->length * 0.5f, low = 0.32f;
    const float y[RINGS] = {front, front - 0.12f, front - 0.4f, rear + 0.15f, rear};
    const float in[RINGS] = {0.9f, 0.98f, 1, 1, 0.95f}, drop[RINGS] = {0.16f, 0.05f, 0, 0, 0.08f};
    for (int r = 0; r < RINGS; r++) {
        float top = f->height - drop[r], h = f->half * in[r];
        const float x[7] = {h * 0.98f, h, h, h * 0.985f, h * 0.96f, h * 0.82f, 0};
        const float z[7] = {low, 0.7f, f->sill, top - f->head, top - 0.14f, top - 0.01f, top + 0.04f};
        for (int i = 0; i < 7; i++) {
            grid[r * POINTS + i] = itsi_vec3(x[i], y[r], z[i]);
            grid[r * POINTS + POINTS - 1 - i] = itsi_vec3(-x[i], y[r], z[i]);
        }
        for (int i = 0; i < 6; i++) {
            int mat = i == 0 ? B2 : i == 2 && r < 3 ? G : i > 3 ? ITSI_MAT_ROOF : B;
            mats[r * (POINTS - 1) + i] = (int8_t)mat;
            mats[r * (POINTS - 1) + POINTS - 2 - i] = (int8_t)mat;
        }
    }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
    itsi_mesh_cap(m, grid, POINTS, 1, B);
    itsi_mesh_cap(m, &grid[(RINGS - 1) * POINTS], POINTS, -1, B);
}

/* A windscreen that is bent across: four strips. */
static void bent_screen(struct itsi_mesh *m, float y, float half, float z0, float z1)
{
    static const float at[5] = {-1, -0.55f, 0, 0.55f, 1}, out[5] = {0, 0.035f, 0.05f, 0.035f, 0};
    m->bias = 3;
    for (int i = 0; i < 4; i++) {
        float x0 = half * at[i], x1 = half * at[i + 1], y0 = y + out[i], y1 = y + out[i + 1];
        itsi_mesh_quad(m, itsi_vec3(x1, y1, z0), itsi_vec3(x0, y0, z0), itsi_vec3(x0, y0 - 0.03f, z1),
                       itsi_vec3(x1, y1 - 0.03f, z1), ITSI_MAT_SCREEN);
    }
    m->bias = 0;
}

static void bus_front(struct itsi_mesh *m, const struct bus_form *f, float y, uint64_t h)
{
    float half = f->half, top = f->upper ? 2.75f : f->height, low = itsi_hash_range(h, 20, 0.98f, 1.25f);
    bent_screen(m, y, half * 0.87f, low, top - (f->coach ? 0.45f : 0.66f));
    if (f->upper)
        bent_screen(m, y, half * 0.87f, top + 0.3f, f->height - 0.4f);
    m->detail = 2; /* wipers, middle post, driver, grille, badge */
    m->bias = 9;
    if (itsi_hash_unit(h, 21) < 0.4f)
        itsi_mesh_panel_y(m, y + 0.05f, 1, -0.02f, 0.02f, low, top - 0.7f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, -half * 0.75f, -half * 0.1f, low + 0.08f, low + 0.12f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, half * 0.1f, half * 0.75f, low + 0.08f, low + 0.12f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, -half * 0.84f, half * 0.84f, low, low + 0.2f, ITSI_MAT_SEAT);
    itsi_mesh_panel_y(m, y, 1, -half * 0.62f, -half * 0.28f, low + 0.2f, low + 0.75f, ITSI_MAT_SEAT);
    m->bias = 6;
    itsi_mesh_panel_y(m, y, 1, -half * 0.35f, half * 0.35f, 0.66f, 0.82f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, -0.15f, 0.15f, 0.84f, 0.95f, ITSI_MAT_METAL);
    m->detail = 1;
    if (!f->coach)
        itsi_mesh_panel_y(m, y, 1, -half * 0.75f, half * 0.75f, top - 0.6f, top - 0.3f, ITSI_MAT_SIGN);
    itsi_mesh_panel_y(m, y, 1, -half * 0.85f, half * 0.85f, 0.34f, 0.52f, ITSI_MAT_LOWER);
    m->detail = 3;
    m->bias = 9;
    itsi_mesh_panel_y(m, y + 0.01f, 1, -0.26f, 0.26f, 0.4f, 0.52f, ITSI_MAT_PLATE);
    m->detail = 1;
    float in = itsi_hash_range(h, 22, 0.56f, 0.72f), z1 = itsi_hash_range(h, 23, 0.76f, 0.92f);
    for (int side = -1; side <= 1; side += 2) {
        float a = (float)side * half * in, b = (float)side * half * 0.88f;
        itsi_mesh_panel_y(m, y, 1, itsi_minf(a, b), itsi_maxf(a, b), 0.62f, z1, ITSI_MAT_HEAD);
        m->lamp_head[side > 0] = itsi_vec3((a + b) * 0.5f, y, 0.74f);
    }
    m->bias = 0;
    m->detail = 2;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * half, x1 = x + (float)side * 0.25f;
        itsi_mesh_solid(m, itsi_vec3(itsi_minf(x, x1), y - 0.1f, top - 1.25f),
                        itsi_vec3(itsi_maxf(x, x1), y + 0.15f, top - 0.75f), ITSI_MAT_TRIM);
    }
    m->detail = 0;
}

static void bus_rear(struct itsi_mesh *m, const struct bus_form *f, uint64_t h)
{
    float y = -f->length * 0.5f, half = f->half, top = f->height, sill = f->sill;
    m->detail = 1;
    if (itsi_hash_unit(h, 24) < 0.75f)
        itsi_mesh_panel_y(m, y, -1, -half * 0.8f, half * 0.8f, sill + 0.25f, top - 0.5f, G);
    itsi_mesh_panel_y(m, y, -1, -half * 0.7f, half * 0.7f, 0.75f, 1.25f,
                      itsi_hash_unit(h, 25) < 0.5f ? ITSI_MAT_TRIM : B2);
    m->detail = 2; /* slots of the engine's flap, lamps up high, the line's number */
    m->bias = 6;
    for (int i = 0; i < 4; i++)
        itsi_mesh_panel_y(m, y, -1, -half * 0.62f, half * 0.62f, 0.8f + 0.11f * (float)i, 0.85f + 0.11f * (float)i,
                          ITSI_MAT_UNDER);
    itsi_mesh_panel_y(m, y, -1, -half * 0.8f, -half * 0.66f, top - 0.3f, top - 0.2f, ITSI_MAT_TAIL);
    itsi_mesh_panel_y(m, y, -1, half * 0.66f, half * 0.8f, top - 0.3f, top - 0.2f, ITSI_MAT_TAIL);
    if (!f->coach)
        itsi_mesh_panel_y(m, y, -1, -half * 0.3f, half * 0.3f, top - 0.46f, top - 0.22f, ITSI_MAT_SIGN);
    m->detail = 3;
    itsi_mesh_panel_y(m, y - 0.01f, -1, -0.26f, 0.26f, 0.5f, 0.62f, ITSI_MAT_PLATE);
    m->detail = 1;
    m->bias = 0;
    for (int side = -1; side <= 1; side += 2) {
        float a = (float)side * half * 0.72f, b = (float)side * half * 0.93f;
        itsi_mesh_panel_y(m, y, -1, itsi_minf(a, b), itsi_maxf(a, b), 0.7f, itsi_hash_range(h, 26, 0.95f, 1.3f),
                          ITSI_MAT_TAIL);
        m->lamp_tail[side > 0] = itsi_vec3((a + b) * 0.5f, y, 0.9f);
    }
    m->detail = 0;
}

/* Window posts, doors, lettering, the upper deck's panes. */
static void bus_sides(struct itsi_mesh *m, const struct bus_form *f, float front, uint64_t h)
{
    float half = f->half, rear = -f->length * 0.5f, span = front - rear, head = f->height - f->head;
    int posts = (int)(span / itsi_hash_range(h, 27, 1.2f, 1.8f));
    int mat = itsi_hash_unit(h, 28) < 0.6f ? ITSI_MAT_TRIM : B;
    m->detail = 2;
    for (int i = 1; i < posts; i++) {
        float y = front - 0.5f - (span - 0.8f) * (float)i / (float)posts;
        itsi_mesh_panel_x(m, half * 1.002f, y - 0.05f, y + 0.05f, f->sill, head, mat);
    }
    m->detail = 1;
    if (f->upper) { /* the shell's pane spans both decks: the floor between them */
        itsi_mesh_panel_x(m, half * 1.003f, rear + 0.1f, front - 0.1f, 2.35f, 3.0f, B);
        itsi_mesh_panel_x(m, half * 1.004f, rear + 0.8f, front - 1.5f, 2.45f, 2.9f, ITSI_MAT_ACCENT);
    }
    if (!f->coach) { /* doors on the kerb side; on both, as some drive on the left */
        for (int i = 0; i < 3; i++) {
            float y = front - 1.4f - (float)i * span * 0.33f, top = f->upper ? 2.3f : head + 0.05f;
            itsi_mesh_panel_x(m, half * 1.004f, y - 0.6f, y + 0.6f, 0.4f, top, ITSI_MAT_TRIM);
            m->bias = 6;
            itsi_mesh_panel_x(m, half * 1.006f, y - 0.55f, y - 0.05f, 0.6f, top - 0.15f, G);
            itsi_mesh_panel_x(m, half * 1.006f, y + 0.05f, y + 0.55f, 0.6f, top - 0.15f, G);
            m->bias = 0;
        }
    } else {
        m->detail = 3;
        for (float y = rear + 3; y < front - 3; y += 1.4f)
            itsi_mesh_panel_x(m, half * 1.003f, y, y + 0.03f, 0.45f, f->sill - 0.35f, ITSI_MAT_UNDER);
        m->detail = 1;
    }
    float z0 = itsi_hash_range(h, 1, 0.75f, 1.0f), to = itsi_hash_range(h, 2, -0.4f, 0.8f);
    itsi_mesh_panel_x(m, half * 1.002f, rear + 0.3f, itsi_mixf(rear, front, 0.5f + to * 0.5f), z0,
                      z0 + itsi_hash_range(h, 3, 0.1f, 0.4f), ITSI_MAT_ACCENT);
    if (f->bellows)
        for (int i = 0; i < 5; i++)
            itsi_mesh_panel_x(m, half * 1.01f, -1.6f + 0.28f * (float)i, -1.36f + 0.28f * (float)i, 0.5f,
                              f->height - 0.1f, i & 1 ? ITSI_MAT_UNDER : ITSI_MAT_TRIM);
    m->detail = 0;
}

static void bus_wheels(struct itsi_mesh *m, const struct bus_form *f, float front)
{
    float rear = -f->length * 0.5f, r = f->length < 9 ? 0.42f : 0.48f;
    const float axles[3] = {front - (f->nose > 0 ? 0.25f : itsi_minf(2.6f, f->length * 0.22f)),
                            rear + itsi_minf(3.2f, f->length * 0.28f), f->bellows ? -0.5f + 2.6f : rear + 1.9f};
    for (int i = 0; i < (f->length > 12.5f ? 3 : 2); i++)
        for (int side = -1; side <= 1; side += 2) {
            m->bias = 3;
            itsi_car_arch(m, (float)side * (f->half + 0.006f), axles[i], r, r * 1.2f, 0.3f, ITSI_MAT_UNDER);
            m->bias = 5;
            itsi_mesh_wheel(m, (float)side * (f->half + 0.015f), axles[i], r, 0.3f, 0);
            m->bias = 0;
        }
}

/* A bonnet before the screen, with lamps and grille of its own. */
static void bonnet(struct itsi_mesh *m, const struct bus_form *f, float y)
{
    enum { RINGS = 4, POINTS = 9 };
    static const float along[RINGS] = {1, 0.93f, 0.6f, 0}, wide[RINGS] = {0.76f, 0.84f, 0.92f, 0.97f},
                       high[RINGS] = {1.16f, 1.26f, 1.34f, 1.42f};
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[RINGS * (POINTS - 1)];
    for (int r = 0; r < RINGS; r++) {
        float w = f->half * wide[r], z1 = high[r];
        const float x[5] = {w, w, w * 0.97f, w * 0.8f, 0}, z[5] = {0.45f, 0.9f, z1 - 0.16f, z1 - 0.02f, z1 + 0.03f};
        for (int i = 0; i < 5; i++) {
            grid[r * POINTS + i] = itsi_vec3(x[i], y + f->nose * along[r], z[i]);
            grid[r * POINTS + POINTS - 1 - i] = itsi_vec3(-x[i], y + f->nose * along[r], z[i]);
        }
        for (int i = 0; i < POINTS - 1; i++)
            mats[r * (POINTS - 1) + i] = B;
    }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
    itsi_mesh_cap(m, grid, POINTS, 1, B);
    float w = f->half * 0.76f, front = y + f->nose;
    m->detail = 1;
    itsi_mesh_panel_y(m, front, 1, -w, w, 0.42f, 0.58f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, -w * 0.5f, w * 0.5f, 0.64f, 1.02f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, front, 1, w * 0.6f, w * 0.92f, 0.76f, 0.98f, ITSI_MAT_HEAD);
    itsi_mesh_panel_y(m, front, 1, -w * 0.92f, -w * 0.6f, 0.76f, 0.98f, ITSI_MAT_HEAD);
    m->detail = 0;
    for (int side = 0; side < 2; side++)
        m->lamp_head[side] = itsi_vec3(side ? w * 0.76f : -w * 0.76f, front, 0.87f);
}

static void build(struct itsi_mesh *m, const struct bus_form *f, uint64_t h)
{
    float front = f->length * 0.5f - f->nose, rear = -f->length * 0.5f, half = f->half;
    bus_shell(m, f, front);
    bus_front(m, f, front, h);
    bus_rear(m, f, h);
    bus_sides(m, f, front, h);
    if (f->nose > 0)
        bonnet(m, f, front);
    int units = itsi_hash_below(h, 29, 3); /* air conditioning, hatches */
    for (int i = 0; i < units; i++) {
        float y = itsi_mixf(rear, front, 0.2f + 0.45f * (float)i);
        itsi_mesh_solid(m, itsi_vec3(-half * 0.6f, y, f->height),
                        itsi_vec3(half * 0.6f, y + f->length * 0.14f, f->height + 0.2f), B2);
    }
    m->detail = 2;
    for (int i = 0; i < 2; i++) {
        float y = itsi_mixf(rear, front, 0.12f + 0.73f * (float)i);
        itsi_mesh_solid(m, itsi_vec3(-0.35f, y, f->height), itsi_vec3(0.35f, y + 0.6f, f->height + 0.1f),
                        ITSI_MAT_METAL);
    }
    m->detail = 0;
    itsi_mesh_solid(m, itsi_vec3(-half * 0.87f, rear + 0.2f, 0.2f), itsi_vec3(half * 0.87f, front - 0.2f, 0.4f),
                    ITSI_MAT_UNDER);
    bus_wheels(m, f, front);
    itsi_mesh_finish_as(m, f->length, 2 * half);
}

void itsi_model_buses(struct itsi_models *models, uint64_t seed)
{
    static const struct bus_form forms[] = {
        {12.0f, 3.05f, 1.27f, 1.35f, 0.34f, false, false, false, 0},
        {10.5f, 3.00f, 1.25f, 1.25f, 0.40f, false, false, false, 0},
        {12.2f, 3.60f, 1.27f, 1.85f, 0.30f, true, false, false, 0},
        {13.4f, 3.75f, 1.27f, 1.95f, 0.34f, true, false, false, 0},
        {17.8f, 3.05f, 1.27f, 1.30f, 0.36f, false, false, true, 0},
        {10.9f, 4.25f, 1.27f, 1.30f, 0.34f, false, true, false, 0},
        {9.8f, 3.15f, 1.20f, 1.45f, 0.52f, true, false, false, 1.1f},
        {8.2f, 2.85f, 1.18f, 1.30f, 0.34f, false, false, false, 0},
        {7.4f, 2.80f, 1.10f, 1.35f, 0.38f, true, false, false, 0},
    };
    static_assert(sizeof forms / sizeof *forms == ITSI_BUS_MODELS, "every model is built");
    for (int i = 0; i < ITSI_BUS_MODELS; i++) {
        uint64_t h = itsi_hash(seed, (uint64_t)(300 + i));
        struct bus_form f = forms[i];
        f.length *= itsi_hash_range(h, 31, 0.97f, 1.03f);
        f.height *= itsi_hash_range(h, 32, 0.97f, 1.03f);
        build(&models->mesh[ITSI_FIRST_BUS + i], &f, h);
    }
}

/* Cars: bodies lofted through cross-sections whose place and height come from a handful of measures. */
#include "render/render_impl.h"

#include <assert.h>

enum car_kind { SEDAN, HATCH, SUV, ESTATE, MINIVAN };

/* Metres; y measured from the middle, front positive. */
struct car_form {
    enum car_kind kind;
    float length, width, height;
    float nose, cowl, belt, tail;          /* heights: front of the bonnet, foot of the windscreen, waist, boot lid */
    float bonnet, screen, roof, backlight; /* lengths along y, from the front; what is left is the boot */
    float clearance, wheel, tumble;        /* tumble: roof width over body width */
};

enum { HALF = 6, POINTS = 2 * HALF - 1, CELLS = POINTS - 1, MAX_RINGS = 16 };

struct shell {
    struct itsi_vec3 grid[MAX_RINGS * POINTS];
    int8_t mats[MAX_RINGS * CELLS];
    int rings;
};

/* One cross-section; each half point is (x, z). mats: of the half's five cells behind this ring. */
static void ring(struct shell *s, float y, const float x[HALF], const float z[HALF], const int8_t mats[HALF - 1])
{
    struct itsi_vec3 *row = &s->grid[s->rings * POINTS];
    for (int i = 0; i < HALF; i++) {
        row[i] = itsi_vec3(x[i], y, z[i]);
        row[POINTS - 1 - i] = itsi_vec3(-x[i], y, z[i]);
    }
    for (int i = 0; i < HALF - 1; i++) {
        s->mats[s->rings * CELLS + i] = mats[i];
        s->mats[s->rings * CELLS + CELLS - 1 - i] = mats[i];
    }
    s->rings++;
}

static void body_ring(struct shell *s, const struct car_form *f, float y, float half, float bottom, float top,
                      const int8_t mats[HALF - 1])
{
    float z1 = bottom + (top - bottom) * 0.55f;
    float x[HALF] = {half * 0.93f, half, half * 0.985f, half * 0.93f, half * 0.6f, 0};
    float z[HALF] = {bottom, z1, top - 0.10f, top - 0.025f, top, top + 0.015f * f->width};
    ring(s, y, x, z, mats);
}

static void cabin_ring(struct shell *s, const struct car_form *f, float y, float half, float belt, float top,
                       const int8_t mats[HALF - 1])
{
    float z1 = f->clearance + (belt - f->clearance) * 0.6f;
    float share = itsi_clampf((top - belt) / (f->height - f->belt), 0, 1);
    float th = itsi_mixf(half * 0.95f, f->width * 0.5f * f->tumble, share);
    float x[HALF] = {half * 0.93f, half, half * 0.985f, th, th * 0.84f, 0};
    float z[HALF] = {f->clearance, z1, belt, itsi_maxf(top - 0.075f, belt + 0.01f), top - 0.01f, top + 0.02f};
    ring(s, y, x, z, mats);
}

#define B ITSI_MAT_BODY
#define G ITSI_MAT_GLASS
#define T ITSI_MAT_TRIM
static const int8_t all_body[5] = {B, B, B, B, B};
static const int8_t screen[5] = {B, B, G, G, G};
static const int8_t side_window[5] = {B, B, G, B, B};
static const int8_t pillar[5] = {B, B, T, B, B};
static const int8_t thick_pillar[5] = {B, B, B, B, B};
static const int8_t rear_screen[5] = {B, B, B, G, G};

static void shell_rings(struct shell *s, const struct car_form *f)
{
    float front = f->length * 0.5f, half = f->width * 0.5f;
    float cowl_y = front - f->bonnet, roof0 = cowl_y - f->screen, roof1 = roof0 - f->roof, deck = roof1 - f->backlight;
    float mid = (roof0 + roof1) * 0.5f + 0.05f;
    float low = f->clearance;
    body_ring(s, f, front, half * 0.80f, low + 0.06f, f->nose * 0.86f, all_body);
    body_ring(s, f, front - 0.07f, half * 0.90f, low, f->nose * 0.95f, all_body);
    body_ring(s, f, front - 0.28f, half * 0.98f, low, f->nose, all_body);
    body_ring(s, f, front - f->bonnet * 0.6f, half, low, f->nose + (f->cowl - f->nose) * 0.65f, all_body);
    cabin_ring(s, f, cowl_y, half, f->belt - 0.04f, f->cowl, screen);
    cabin_ring(s, f, roof0, half, f->belt, f->height - 0.02f, side_window);
    cabin_ring(s, f, mid, half, f->belt, f->height, pillar);
    cabin_ring(s, f, mid - 0.09f, half, f->belt, f->height, side_window);
    float third = roof1 + 0.35f;
    if (f->kind != SEDAN && third < mid - 0.8f) {
        cabin_ring(s, f, third + 0.1f, half, f->belt + 0.01f, f->height - 0.01f, pillar);
        cabin_ring(s, f, third, half, f->belt + 0.01f, f->height - 0.01f, side_window);
    }
    cabin_ring(s, f, roof1, half, f->belt + 0.03f, f->height - 0.05f, f->kind == SEDAN ? screen : rear_screen);
    if (f->kind == SEDAN) {
        cabin_ring(s, f, deck, half, f->tail - 0.05f, f->tail, thick_pillar);
        body_ring(s, f, -front + 0.22f, half * 0.97f, low, f->tail + 0.01f, all_body);
        body_ring(s, f, -front + 0.06f, half * 0.90f, low + 0.04f, f->tail - 0.05f, all_body);
    } else {
        cabin_ring(s, f, deck, half * 0.985f, f->belt, f->tail, all_body);
        body_ring(s, f, -front + 0.08f, half * 0.93f, low + 0.04f, f->tail - 0.04f, all_body);
    }
    body_ring(s, f, -front, half * 0.86f, low + 0.08f, f->tail * 0.9f, all_body);
}

static void front_face(struct itsi_mesh *m, const struct car_form *f, int look)
{
    float y = f->length * 0.5f, w = f->width, top = f->nose * 0.84f, low = f->clearance + 0.08f;
    float lamp = itsi_mixf(0.10f, 0.16f, (float)(look & 3) / 3);
    m->detail = 2;
    float gw = w * (0.18f + 0.03f * (float)(look % 3)), gz = low + (top - low) * 0.52f;
    itsi_mesh_panel_y(m, y, 1, -gw, gw, gz, top - 0.02f, ITSI_MAT_TRIM);
    itsi_mesh_panel_y(m, y, 1, -w * 0.34f, w * 0.34f, low, low + (top - low) * 0.3f, ITSI_MAT_TRIM);
    m->detail = 1;
    for (int side = -1; side <= 1; side += 2) {
        float a = w * 0.245f, b = w * 0.395f;
        float x0 = side > 0 ? a : -b, x1 = side > 0 ? b : -a;
        m->bias = 5;
        itsi_mesh_panel_y(m, y, 1, x0 - 0.02f, x1 + 0.02f, top - lamp - 0.05f, top, ITSI_MAT_TRIM);
        m->bias = 7;
        itsi_mesh_panel_y(m, y, 1, x0 + 0.02f, x1 - 0.03f, top - lamp - 0.01f, top - 0.04f, ITSI_MAT_HEAD);
        /* The lamp runs round the corner. */
        float xs = (float)side * w * 0.45f * 0.985f, xc = (float)side * w * 0.40f;
        struct itsi_vec3 c0 = itsi_vec3(xc, y + 0.004f, top - lamp), c1 = itsi_vec3(xc, y + 0.004f, top - 0.02f);
        struct itsi_vec3 s0 = itsi_vec3(xs, y - 0.07f, top - lamp + 0.04f), s1 = itsi_vec3(xs, y - 0.07f, top + 0.03f);
        if (side > 0)
            itsi_mesh_quad(m, s0, c0, c1, s1, ITSI_MAT_HEAD);
        else
            itsi_mesh_quad(m, c0, s0, s1, c1, ITSI_MAT_HEAD);
        m->bias = 0;
        m->lamp_head[side > 0] = itsi_vec3((float)side * w * 0.33f, y, top - lamp * 0.5f);
    }
    m->detail = 3;
    m->bias = 6;
    itsi_mesh_panel_y(m, y + 0.01f, 1, -0.26f, 0.26f, low + (top - low) * 0.3f, low + (top - low) * 0.3f + 0.11f,
                      ITSI_MAT_PLATE);
    m->detail = 5;
    itsi_mesh_panel_y(m, y + 0.01f, 1, -0.06f, 0.06f, top - 0.12f, top - 0.04f, ITSI_MAT_METAL);
    m->bias = 0;
    m->detail = 0;
}

static void rear_face(struct itsi_mesh *m, const struct car_form *f, int look)
{
    float y = -f->length * 0.5f, w = f->width, top = f->tail * 0.88f, low = f->clearance + 0.10f;
    bool upright = f->kind != SEDAN && (look & 1);
    m->detail = 1;
    for (int side = -1; side <= 1; side += 2) {
        float a = w * (upright ? 0.33f : 0.22f), b = w * 0.425f;
        float x0 = side > 0 ? a : -b, x1 = side > 0 ? b : -a;
        float z0 = top - (upright ? 0.30f : 0.17f);
        m->bias = 5;
        itsi_mesh_panel_y(m, y, -1, x0, x1, z0, top - 0.03f, ITSI_MAT_TAIL);
        float xs = (float)side * w * 0.465f, xc = (float)side * w * 0.42f, yb = y + 0.08f;
        struct itsi_vec3 c0 = itsi_vec3(xc, y - 0.004f, z0), c1 = itsi_vec3(xc, y - 0.004f, top - 0.03f);
        struct itsi_vec3 s0 = itsi_vec3(xs, yb, z0 + 0.03f), s1 = itsi_vec3(xs, yb, top);
        if (side > 0)
            itsi_mesh_quad(m, c0, s0, s1, c1, ITSI_MAT_TAIL);
        else
            itsi_mesh_quad(m, s0, c0, c1, s1, ITSI_MAT_TAIL);
        m->bias = 0;
        m->lamp_tail[side > 0] = itsi_vec3((float)side * w * 0.36f, y, (z0 + top) * 0.5f);
    }
    m->detail = 2;
    itsi_mesh_panel_y(m, y, -1, -w * 0.36f, w * 0.36f, low - 0.02f, low + 0.16f, ITSI_MAT_TRIM);
    m->detail = 3;
    m->bias = 6;
    float pz = f->kind == SEDAN || (look & 2) ? top - 0.24f : low + 0.20f;
    itsi_mesh_panel_y(m, y - 0.01f, -1, -0.26f, 0.26f, pz, pz + 0.11f, ITSI_MAT_PLATE);
    m->detail = 5;
    itsi_mesh_panel_y(m, y - 0.01f, -1, -0.05f, 0.05f, top - 0.10f, top - 0.03f, ITSI_MAT_METAL);
    m->bias = 0;
    m->detail = 0;
}

static void sides(struct itsi_mesh *m, const struct car_form *f)
{
    float half = f->width * 0.5f, front = f->length * 0.5f;
    float yf = front - f->length * 0.19f, yr = -front + f->length * 0.20f;
    for (int side = -1; side <= 1; side += 2)
        for (int k = 0; k < 2; k++) {
            float x = (float)side * (half + 0.004f), y = k ? yr : yf;
            m->bias = 2;
            itsi_mesh_tube(m, itsi_vec3(x - (float)side * 0.15f, y, f->wheel), itsi_vec3(x, y, f->wheel),
                           f->wheel * 1.16f, f->wheel * 1.16f, 12, ITSI_MAT_UNDER, true);
            m->bias = 4;
            itsi_mesh_wheel(m, x + (float)side * 0.006f, y, f->wheel, 0.2f);
            m->bias = 0;
        }
    /* Mirrors. */
    m->detail = 2;
    float my = front - f->bonnet - 0.35f, mz = f->belt + 0.02f;
    for (int side = -1; side <= 1; side += 2) {
        float x0 = (float)side * half, x1 = (float)side * (half + 0.18f);
        itsi_mesh_solid(m, itsi_vec3(itsi_minf(x0, x1), my, mz), itsi_vec3(itsi_maxf(x0, x1), my + 0.12f, mz + 0.13f),
                        ITSI_MAT_BODY);
    }
    /* Door gaps, handles, sill. */
    m->detail = 6;
    float x = half * 1.003f, z0 = f->clearance + 0.12f, z1 = f->belt - 0.02f;
    float cowl_y = front - f->bonnet, mid = cowl_y - f->screen - f->roof * 0.5f;
    float gaps[3] = {cowl_y - 0.25f, mid, mid - 0.95f};
    for (int i = 0; i < 3; i++)
        itsi_mesh_panel_x(m, x, gaps[i] - 0.012f, gaps[i] + 0.012f, z0, z1, ITSI_MAT_UNDER);
    itsi_mesh_panel_x(m, x, mid + 0.12f, mid + 0.3f, z1 - 0.13f, z1 - 0.09f, ITSI_MAT_TRIM);
    itsi_mesh_panel_x(m, x, mid - 0.85f, mid - 0.67f, z1 - 0.13f, z1 - 0.09f, ITSI_MAT_TRIM);
    m->detail = 2;
    itsi_mesh_panel_x(m, half * 0.97f, -front * 0.55f, front * 0.55f, f->clearance, f->clearance + 0.09f,
                      ITSI_MAT_TRIM);
    m->detail = 0;
}

/* Posts beside the windscreen: without them glass and bonnet flow into one another. */
static void posts(struct itsi_mesh *m, const struct shell *s, int row)
{
    const struct itsi_vec3 *a = &s->grid[row * POINTS], *b = a + POINTS;
    m->bias = 3;
    m->detail = 1;
    for (int side = 0; side < 2; side++) {
        int i = side ? POINTS - 4 : 3;
        float in = side ? 0.075f : -0.075f;
        struct itsi_vec3 a1 = itsi_vec3(a[i].x + in, a[i].y, a[i].z + 0.01f),
                         b1 = itsi_vec3(b[i].x + in, b[i].y, b[i].z + 0.02f);
        if (side)
            itsi_mesh_quad(m, a1, a[i], b[i], b1, ITSI_MAT_BODY);
        else
            itsi_mesh_quad(m, a[i], a1, b1, b[i], ITSI_MAT_BODY);
    }
    m->bias = m->detail = 0;
}

static void build(struct itsi_mesh *m, const struct car_form *f, int look)
{
    struct shell s = {.rings = 0};
    shell_rings(&s, f);
    itsi_mesh_loft(m, s.grid, s.rings, POINTS, s.mats);
    itsi_mesh_cap(m, &s.grid[0], POINTS, 1, ITSI_MAT_BODY);
    itsi_mesh_cap(m, &s.grid[(s.rings - 1) * POINTS], POINTS, -1, ITSI_MAT_BODY);
    posts(m, &s, 4);
    front_face(m, f, look);
    rear_face(m, f, look);
    sides(m, f);
    float half = f->width * 0.5f, l = f->length * 0.5f;
    itsi_mesh_solid(m, itsi_vec3(-half * 0.8f, -l * 0.9f, 0.12f), itsi_vec3(half * 0.8f, l * 0.9f, f->clearance + 0.1f),
                    ITSI_MAT_UNDER);
    if (f->kind == SUV || f->kind == ESTATE) { /* roof rails */
        m->detail = 4;
        float x = f->width * 0.5f * f->tumble * 0.82f, y1 = l - f->bonnet - f->screen - 0.1f;
        for (int side = -1; side <= 1; side += 2)
            itsi_mesh_solid(m, itsi_vec3((float)side * x - 0.02f, y1 - f->roof + 0.2f, f->height),
                            itsi_vec3((float)side * x + 0.02f, y1, f->height + 0.06f), ITSI_MAT_TRIM);
        m->detail = 0;
    }
    m->detail = 3;
    m->bias = 4;
    float by = l - f->bonnet - f->screen - f->roof;
    itsi_mesh_quad(m, itsi_vec3(-0.18f, by - 0.06f, f->height - 0.035f),
                   itsi_vec3(0.18f, by - 0.06f, f->height - 0.035f), itsi_vec3(0.18f, by, f->height - 0.015f),
                   itsi_vec3(-0.18f, by, f->height - 0.015f), ITSI_MAT_BRAKE);
    m->detail = m->bias = 0;
    itsi_mesh_finish(m);
}

void itsi_model_cars(struct itsi_models *models, uint64_t seed)
{
    static const struct car_form forms[] = {
        /*         len    wid    hgt    nose   cowl   belt   tail   bonnet scrn   roof   back   clr    wheel tumble */
        {SEDAN,    4.70f, 1.82f, 1.45f, 0.74f, 0.98f, 0.95f, 1.05f, 1.25f, 0.85f, 1.10f, 0.80f, 0.20f, 0.32f, 0.72f},
        {SEDAN,    4.95f, 1.88f, 1.47f, 0.76f, 1.00f, 0.96f, 1.10f, 1.35f, 0.85f, 1.20f, 0.75f, 0.20f, 0.34f, 0.72f},
        {SEDAN,    4.40f, 1.74f, 1.46f, 0.74f, 0.98f, 0.94f, 1.06f, 1.10f, 0.75f, 1.10f, 0.65f, 0.20f, 0.31f, 0.76f},
        {HATCH,    4.10f, 1.76f, 1.48f, 0.76f, 1.00f, 0.94f, 1.00f, 0.95f, 0.80f, 1.45f, 0.60f, 0.19f, 0.31f, 0.74f},
        {HATCH,    3.65f, 1.65f, 1.50f, 0.76f, 1.02f, 0.94f, 0.98f, 0.72f, 0.72f, 1.50f, 0.45f, 0.19f, 0.29f, 0.77f},
        {HATCH,    4.30f, 1.80f, 1.46f, 0.74f, 0.98f, 0.93f, 1.02f, 1.05f, 0.85f, 1.40f, 0.70f, 0.19f, 0.32f, 0.73f},
        {SUV,      4.45f, 1.85f, 1.66f, 0.90f, 1.12f, 1.06f, 1.12f, 1.00f, 0.70f, 1.75f, 0.60f, 0.26f, 0.35f, 0.76f},
        {SUV,      4.75f, 1.92f, 1.75f, 0.95f, 1.17f, 1.12f, 1.18f, 1.10f, 0.68f, 2.05f, 0.50f, 0.28f, 0.37f, 0.78f},
        {ESTATE,   4.75f, 1.83f, 1.50f, 0.75f, 0.98f, 0.95f, 1.02f, 1.20f, 0.82f, 1.95f, 0.55f, 0.20f, 0.32f, 0.73f},
        {MINIVAN,  4.70f, 1.84f, 1.72f, 0.86f, 1.10f, 1.02f, 1.08f, 0.80f, 0.95f, 2.30f, 0.38f, 0.20f, 0.33f, 0.78f},
        {MINIVAN,  4.30f, 1.75f, 1.84f, 0.92f, 1.14f, 1.06f, 1.12f, 0.75f, 0.75f, 2.45f, 0.22f, 0.20f, 0.32f, 0.84f},
        {SUV,      4.20f, 1.80f, 1.60f, 0.86f, 1.08f, 1.03f, 1.08f, 0.90f, 0.72f, 1.60f, 0.60f, 0.24f, 0.34f, 0.75f},
    };
    static_assert(sizeof forms / sizeof *forms == ITSI_CAR_MODELS, "one form a model");
    for (int i = 0; i < ITSI_CAR_MODELS; i++) {
        struct car_form f = forms[i];
        uint64_t h = itsi_hash(seed, (uint64_t)(100 + i));
        f.length *= itsi_hash_range(h, 1, 0.97f, 1.03f);
        f.height *= itsi_hash_range(h, 2, 0.98f, 1.03f);
        f.bonnet *= itsi_hash_range(h, 3, 0.92f, 1.08f);
        f.screen *= itsi_hash_range(h, 4, 0.9f, 1.1f);
        f.tumble *= itsi_hash_range(h, 5, 0.97f, 1.03f);
        build(&models->mesh[ITSI_FIRST_CAR + i], &f, itsi_hash_below(h, 6, 12));
    }
}

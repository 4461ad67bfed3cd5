/* A car's body: one surface lofted through cross-sections, and patches that lie on it. */
#include "render/model_car.h"

enum { HALF = ITSI_CAR_HALF, POINTS = ITSI_CAR_POINTS, CELLS = POINTS - 1 };

/* What the half's eight cells behind a ring are: sill, two of the door, shoulder, side pane, rail and two of the top.
 */
#define B ITSI_MAT_BODY
#define G ITSI_MAT_GLASS
#define L ITSI_MAT_LOWER
#define R ITSI_MAT_ROOF
#define S ITSI_MAT_SCREEN
#define T ITSI_MAT_TRIM
static const int8_t all_body[HALF - 1] = {L, B, B, B, B, B, B, B};
static const int8_t screen[HALF - 1] = {L, B, B, B, G, B, S, S};
static const int8_t pane[HALF - 1] = {L, B, B, B, G, R, R, R};
static const int8_t pane_below_glass[HALF - 1] = {L, B, B, B, G, R, R, G};
static const int8_t post[HALF - 1] = {L, B, B, B, T, R, R, R};
static const int8_t panel[HALF - 1] = {L, B, B, B, B, R, R, R};
static const int8_t rear_screen[HALF - 1] = {L, B, B, B, B, B, G, G};
static const int8_t rear_screen_pane[HALF - 1] = {L, B, B, B, G, B, G, G};

struct section {
    float y, half, low, belt, top;
};

/* One cross-section; how far the top rises over the belt says how much of a cabin it is. */
static void ring(struct itsi_car_shell *s, const struct itsi_car_form *f, struct section c, const int8_t mats[HALF - 1])
{
    float share = itsi_clampf((c.top - c.belt) / (f->height - f->belt), 0, 1), h = c.half;
    float th = itsi_mixf(h * 0.93f, f->width * 0.5f * f->tumble, share), drop = itsi_mixf(0.02f, 0.085f, share);
    float crown = itsi_mixf(0.02f, 0.035f, share);
    float rail = itsi_maxf(c.top - drop, c.belt + 0.004f);
    const float x[HALF] = {h * 0.92f, h * 0.98f, h, h * 0.99f, h * 0.955f, th, th * 0.9f, th * 0.48f, 0};
    const float z[HALF] = {c.low,
                           c.low + 0.12f,
                           c.low + (c.belt - c.low) * 0.5f,
                           c.belt - (c.belt - c.low) * 0.16f,
                           c.belt,
                           rail,
                           itsi_maxf(c.top - drop * 0.15f, rail + 0.004f),
                           c.top + crown * 0.75f,
                           c.top + crown};
    struct itsi_vec3 *row = &s->grid[s->rings * POINTS];
    for (int i = 0; i < HALF; i++) {
        row[i] = itsi_vec3(x[i], c.y, z[i]);
        row[POINTS - 1 - i] = itsi_vec3(-x[i], c.y, z[i]);
    }
    for (int i = 0; i < HALF - 1; i++) {
        s->mats[s->rings * CELLS + i] = mats[i];
        s->mats[s->rings * CELLS + CELLS - 1 - i] = mats[i];
    }
    s->rings++;
}

static void front_rings(struct itsi_car_shell *s, const struct itsi_car_form *f, float round)
{
    float front = f->length * 0.5f, half = f->width * 0.5f, low = f->clearance, n = f->nose;
    s->tip = half * itsi_mixf(0.86f, 0.70f, round);
    ring(s, f, (struct section){front, s->tip, low + 0.08f, n * 0.80f, n * 0.87f}, all_body);
    ring(s, f,
         (struct section){front - 0.05f, half * itsi_mixf(0.92f, 0.82f, round), low + 0.02f, n * 0.88f, n * 0.96f},
         all_body);
    ring(s, f, (struct section){front - 0.17f, half * itsi_mixf(0.97f, 0.92f, round), low, n * 0.93f, n * 1.01f},
         all_body);
    ring(s, f, (struct section){front - 0.38f, half * 0.99f, low, n * 0.95f, n * 1.03f}, all_body);
    float rise = f->cowl - n;
    if (f->bonnet > 0.75f)
        ring(s, f,
             (struct section){front - 0.38f - (f->bonnet - 0.38f) * 0.45f, half, low, n * 0.98f + rise * 0.3f,
                              n * 1.03f + rise * 0.5f},
             all_body);
}

/* Panes and posts from the windscreen's head to the end of the roof. */
static void cabin_rings(struct itsi_car_shell *s, const struct itsi_car_form *f, bool sunroof)
{
    float half = f->width * 0.5f, low = f->clearance, belt = f->belt, top = f->height - 0.035f;
    float start = s->roof_y, span = start - s->roof_end;
    ring(s, f, (struct section){start, half, low, belt, top - 0.02f}, sunroof ? pane_below_glass : pane);
    float y = s->pillar_y;
    ring(s, f, (struct section){y + 0.05f, half, low, belt + 0.005f, top}, post);
    ring(s, f, (struct section){y - 0.05f, half, low, belt + 0.01f, top}, f->panes > 1 ? pane : panel);
    if (f->panes > 2) {
        float third = y - (span - (start - y)) * 0.58f;
        ring(s, f, (struct section){third + 0.05f, half, low, belt + 0.015f, top - 0.005f}, post);
        ring(s, f, (struct section){third - 0.05f, half, low, belt + 0.02f, top - 0.01f}, pane);
    }
}

static void rear_rings(struct itsi_car_shell *s, const struct itsi_car_form *f)
{
    float rear = -f->length * 0.5f, half = f->width * 0.5f, low = f->clearance, belt = f->belt + 0.03f, t = f->tail;
    float end = s->roof_end, top = f->height - 0.055f;
    bool notch = f->kind == ITSI_CAR_NOTCH, van = f->panes == 1;
    float glass_end = end - f->back * (notch ? 0.4f : 0.3f), k = (end - glass_end) / f->back;
    if (f->kind == ITSI_CAR_WAGON)
        ring(s, f, (struct section){end + 0.14f, half, low, belt, top}, panel);
    ring(s, f, (struct section){end, half * 0.995f, low, belt, top - 0.01f}, van ? rear_screen : rear_screen_pane);
    ring(s, f, (struct section){glass_end, half * 0.99f, low, belt, itsi_mixf(top, notch ? t : t + 0.05f, k)},
         rear_screen);
    if (notch) {
        ring(s, f, (struct section){s->deck_y, half * 0.985f, low, t - 0.045f, t}, all_body);
        if (s->deck_y - rear > 0.35f)
            ring(s, f, (struct section){rear + 0.22f, half * 0.96f, low, t - 0.05f, t + 0.005f}, all_body);
    } else {
        ring(s, f, (struct section){s->deck_y, half * 0.975f, low, itsi_minf(belt, t - 0.03f), t}, all_body);
    }
    ring(s, f, (struct section){rear + 0.07f, half * 0.91f, low + 0.02f, t * 0.93f, t * 0.97f}, all_body);
    s->rump = half * 0.82f;
    ring(s, f, (struct section){rear, s->rump, low + 0.08f, t * 0.82f, t * 0.86f}, all_body);
}

void itsi_car_shell_build(struct itsi_car_shell *s, const struct itsi_car_form *f, const struct itsi_car_look *look)
{
    float front = f->length * 0.5f, half = f->width * 0.5f;
    s->rings = 0;
    s->cowl_y = front - f->bonnet;
    s->roof_y = s->cowl_y - f->screen;
    s->roof_end = s->roof_y - f->roof;
    s->deck_y = s->roof_end - f->back;
    s->pillar_y = s->roof_y - itsi_minf(f->roof * 0.52f, 0.62f);
    front_rings(s, f, look->round);
    float middle = f->cowl + (f->height - 0.055f - f->cowl) * 0.56f;
    ring(s, f, (struct section){s->cowl_y, half, f->clearance, f->belt - 0.04f, f->cowl}, screen);
    ring(s, f, (struct section){s->cowl_y - f->screen * 0.5f, half, f->clearance, f->belt - 0.015f, middle}, screen);
    cabin_rings(s, f, look->roof == ITSI_CAR_ROOF_GLASS);
    rear_rings(s, f);
}

/* The ring in front of y, and how far y is towards the next. */
static const struct itsi_vec3 *rings_at(const struct itsi_car_shell *s, float y, float *share)
{
    int r = 0;
    while (r < s->rings - 2 && s->grid[(r + 1) * POINTS].y > y)
        r++;
    const struct itsi_vec3 *row = &s->grid[r * POINTS];
    *share = itsi_clampf((row[0].y - y) / (row[0].y - row[POINTS].y), 0, 1);
    return row;
}

static float half_width(const struct itsi_vec3 *row, float z)
{
    int i = 0;
    while (i < 4 && row[i + 1].z < z)
        i++;
    float k = itsi_clampf((z - row[i].z) / (row[i + 1].z - row[i].z), 0, 1);
    return itsi_mixf(row[i].x, row[i + 1].x, k);
}

static float height(const struct itsi_vec3 *row, float x)
{
    int i = HALF - 2;
    while (i > 4 && row[i].x < x)
        i--;
    float k = itsi_clampf((row[i].x - x) / (row[i].x - row[i + 1].x), 0, 1);
    return itsi_mixf(row[i].z, row[i + 1].z, k);
}

float itsi_car_shell_x(const struct itsi_car_shell *s, float y, float z)
{
    float k;
    const struct itsi_vec3 *row = rings_at(s, y, &k);
    return itsi_mixf(half_width(row, z), half_width(row + POINTS, z), k);
}

float itsi_car_shell_z(const struct itsi_car_shell *s, float y, float x)
{
    float k;
    const struct itsi_vec3 *row = rings_at(s, y, &k);
    x = x < 0 ? -x : x;
    return itsi_mixf(height(row, x), height(row + POINTS, x), k);
}

void itsi_car_side_patch(struct itsi_mesh *m, const struct itsi_car_shell *s, float y0, float y1, float z0, float z1,
                         int mat)
{
    uint8_t bias = m->bias;
    m->bias = bias ? bias : 3;
    int parts = y1 - y0 > 0.9f ? 3 : 1;
    for (int i = 0; i < parts; i++) {
        float a = itsi_mixf(y0, y1, (float)i / (float)parts), b = itsi_mixf(y0, y1, (float)(i + 1) / (float)parts);
        float xa0 = itsi_car_shell_x(s, a, z0), xa1 = itsi_car_shell_x(s, a, z1);
        float xb0 = itsi_car_shell_x(s, b, z0), xb1 = itsi_car_shell_x(s, b, z1);
        itsi_mesh_quad(m, itsi_vec3(xa0, a, z0), itsi_vec3(xb0, b, z0), itsi_vec3(xb1, b, z1), itsi_vec3(xa1, a, z1),
                       mat);
        itsi_mesh_quad(m, itsi_vec3(-xb0, b, z0), itsi_vec3(-xa0, a, z0), itsi_vec3(-xa1, a, z1),
                       itsi_vec3(-xb1, b, z1), mat);
    }
    m->bias = bias;
}

static void top_quad(struct itsi_mesh *m, const struct itsi_car_shell *s, float x0, float x1, float y0, float y1,
                     int mat)
{
    const float x[4] = {x0, x1, x1, x0}, y[4] = {y0, y0, y1, y1};
    struct itsi_vec3 p[4];
    for (int i = 0; i < 4; i++)
        p[i] = itsi_vec3(x[i], y[i], itsi_car_shell_z(s, y[i], x[i]));
    itsi_mesh_quad(m, p[0], p[1], p[2], p[3], mat);
}

void itsi_car_top_patch(struct itsi_mesh *m, const struct itsi_car_shell *s, float x0, float x1, float y0, float y1,
                        int mat)
{
    uint8_t bias = m->bias;
    m->bias = bias ? bias : 3;
    if (x0 < 0) { /* across the middle: bent along it */
        top_quad(m, s, x0, 0, y0, y1, mat);
        top_quad(m, s, 0, x1, y0, y1, mat);
    } else {
        top_quad(m, s, x0, x1, y0, y1, mat);
        top_quad(m, s, -x1, -x0, y0, y1, mat);
    }
    m->bias = bias;
}

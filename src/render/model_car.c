/* Cars: a table of body types, and a lot that varies proportions and looks from scene to scene. */
#include "render/model_car.h"

#include <assert.h>

/* A body type; the roof is as long as the other lengths leave. */
struct type {
    enum itsi_car_tail kind;
    float length, width, height, nose, cowl, belt, tail, bonnet, screen, back, boot, clearance, wheel, tumble;
    int panes;
    bool rugged;
};

#define NOTCH ITSI_CAR_NOTCH
#define HATCH ITSI_CAR_HATCH
#define WAGON ITSI_CAR_WAGON
static const struct type types[] = {
    /* tail len    wid    hgt    nose   cowl   belt   tail   bonnet scrn   back   boot   clr    wheel  tumble */
    {NOTCH, 4.70f, 1.82f, 1.45f, 0.76f, 0.98f, 0.95f, 1.05f, 1.20f, 0.85f, 0.75f, 0.62f, 0.19f, 0.32f, 0.72f, 2, false},
    {NOTCH, 4.95f, 1.88f, 1.48f, 0.78f, 1.00f, 0.97f, 1.10f, 1.32f, 0.88f, 0.80f, 0.60f, 0.19f, 0.34f, 0.72f, 3, false},
    {NOTCH, 4.40f, 1.72f, 1.46f, 0.76f, 0.98f, 0.94f, 1.04f, 1.08f, 0.72f, 0.58f, 0.66f, 0.19f, 0.31f, 0.77f, 2, false},
    {NOTCH, 4.55f, 1.70f, 1.42f, 0.78f, 0.95f, 0.91f, 0.98f, 1.25f, 0.58f, 0.52f, 0.85f, 0.20f, 0.30f, 0.80f, 2, false},
    {NOTCH, 4.50f, 1.84f, 1.36f, 0.70f, 0.93f, 0.91f, 0.99f, 1.30f, 0.88f, 0.95f, 0.40f, 0.16f, 0.34f, 0.70f, 2, false},
    {NOTCH, 4.10f, 1.80f, 1.29f, 0.66f, 0.88f, 0.87f, 0.94f, 1.25f, 0.80f, 0.80f, 0.35f, 0.15f, 0.33f, 0.72f, 1, false},
    {HATCH, 4.15f, 1.76f, 1.47f, 0.78f, 1.00f, 0.95f, 1.00f, 0.95f, 0.80f, 0.50f, 0.14f, 0.18f, 0.31f, 0.74f, 2, false},
    {HATCH, 3.62f, 1.64f, 1.50f, 0.80f, 1.02f, 0.95f, 0.99f, 0.70f, 0.72f, 0.34f, 0.10f, 0.18f, 0.29f, 0.78f, 2, false},
    {HATCH, 4.32f, 1.80f, 1.46f, 0.76f, 0.98f, 0.94f, 1.03f, 1.04f, 0.85f, 0.60f, 0.16f, 0.18f, 0.32f, 0.73f, 3, false},
    {HATCH, 3.85f, 1.68f, 1.52f, 0.84f, 1.01f, 0.96f, 1.02f, 0.85f, 0.50f, 0.32f, 0.10f, 0.18f, 0.31f, 0.83f, 2, false},
    {HATCH, 3.45f, 1.60f, 1.55f, 0.84f, 1.06f, 0.98f, 1.02f, 0.58f, 0.66f, 0.25f, 0.09f, 0.18f, 0.28f, 0.82f, 2, false},
    {HATCH, 4.85f, 1.87f, 1.45f, 0.72f, 0.96f, 0.95f, 1.08f, 1.15f, 0.95f, 1.10f, 0.18f, 0.17f, 0.34f, 0.72f, 3, false},
    {HATCH, 4.45f, 1.85f, 1.65f, 0.92f, 1.13f, 1.07f, 1.14f, 1.00f, 0.72f, 0.55f, 0.15f, 0.24f, 0.36f, 0.76f, 2, true},
    {HATCH, 4.25f, 1.81f, 1.58f, 0.88f, 1.08f, 1.03f, 1.09f, 0.95f, 0.74f, 0.55f, 0.14f, 0.22f, 0.34f, 0.75f, 2, false},
    {HATCH, 4.70f, 1.90f, 1.66f, 0.90f, 1.13f, 1.08f, 1.18f, 1.08f, 0.82f, 0.90f, 0.18f, 0.24f, 0.37f, 0.74f, 3, false},
    {WAGON, 4.85f, 1.94f, 1.78f, 1.00f, 1.19f, 1.13f, 1.17f, 1.10f, 0.66f, 0.38f, 0.12f, 0.27f, 0.39f, 0.79f, 3, true},
    {WAGON, 4.40f, 1.82f, 1.82f, 1.02f, 1.16f, 1.12f, 1.14f, 1.12f, 0.34f, 0.18f, 0.10f, 0.28f, 0.39f, 0.89f, 3, true},
    {WAGON, 5.05f, 1.98f, 1.82f, 1.04f, 1.22f, 1.15f, 1.20f, 1.18f, 0.68f, 0.36f, 0.12f, 0.27f, 0.40f, 0.80f, 3, false},
    {WAGON, 4.78f, 1.83f, 1.50f, 0.77f, 0.98f, 0.95f, 1.02f, 1.18f, 0.82f, 0.50f, 0.13f, 0.19f, 0.32f, 0.73f, 3, false},
    {WAGON, 4.55f, 1.76f, 1.50f, 0.78f, 0.98f, 0.94f, 1.00f, 1.08f, 0.72f, 0.32f, 0.11f, 0.19f, 0.31f, 0.77f, 3, true},
    {WAGON, 4.75f, 1.86f, 1.72f, 0.86f, 1.10f, 1.02f, 1.08f, 0.82f, 1.00f, 0.32f, 0.11f, 0.18f, 0.33f, 0.78f, 3, false},
    {WAGON, 4.30f, 1.80f, 1.62f, 0.84f, 1.06f, 1.00f, 1.05f, 0.80f, 0.92f, 0.40f, 0.12f, 0.18f, 0.32f, 0.77f, 3, false},
    {WAGON, 5.00f, 1.94f, 1.92f, 1.00f, 1.20f, 1.12f, 1.15f, 0.85f, 0.85f, 0.22f, 0.10f, 0.20f, 0.35f, 0.84f, 3, false},
    {WAGON, 4.40f, 1.81f, 1.84f, 0.96f, 1.17f, 1.10f, 1.13f, 0.80f, 0.72f, 0.16f, 0.09f, 0.20f, 0.32f, 0.86f, 1, false},
    {WAGON, 4.40f, 1.80f, 1.83f, 0.95f, 1.16f, 1.08f, 1.12f, 0.82f, 0.70f, 0.18f, 0.09f, 0.20f, 0.32f, 0.86f, 3, false},
    {WAGON, 3.85f, 1.56f, 1.88f, 0.92f, 1.08f, 1.05f, 1.06f, 0.30f, 0.58f, 0.16f, 0.08f, 0.20f, 0.28f, 0.88f, 3, false},
    {WAGON, 4.05f, 1.62f, 1.90f, 0.96f, 1.10f, 1.06f, 1.08f, 0.46f, 0.56f, 0.20f, 0.09f, 0.20f, 0.29f, 0.87f, 3, false},
    {WAGON, 3.40f, 1.48f, 1.86f, 0.90f, 1.08f, 1.05f, 1.06f, 0.22f, 0.48f, 0.12f, 0.08f, 0.19f, 0.27f, 0.90f, 1, false},
};
static_assert(sizeof types / sizeof *types == ITSI_CAR_MODELS, "one type a model");

static struct itsi_car_form form_of(const struct type *t, uint64_t h)
{
    struct itsi_car_form f = {t->kind,      t->length, t->width,  t->height, t->nose,  t->cowl,
                              t->belt,      t->tail,   t->bonnet, t->screen, 0,        t->back,
                              t->clearance, t->wheel,  t->tumble, t->panes,  t->rugged};
    f.length *= itsi_hash_range(h, 1, 0.96f, 1.04f);
    f.width *= itsi_hash_range(h, 7, 0.98f, 1.02f);
    f.height *= itsi_hash_range(h, 2, 0.97f, 1.04f);
    f.bonnet *= itsi_hash_range(h, 3, 0.90f, 1.10f);
    f.screen *= itsi_hash_range(h, 4, 0.88f, 1.12f);
    f.back *= itsi_hash_range(h, 8, 0.85f, 1.15f);
    f.tumble = itsi_minf(0.92f, f.tumble * itsi_hash_range(h, 5, 0.96f, 1.04f));
    f.belt *= itsi_hash_range(h, 9, 0.97f, 1.03f);
    f.nose *= itsi_hash_range(h, 10, 0.96f, 1.04f);
    f.wheel *= itsi_hash_range(h, 11, 0.96f, 1.06f);
    f.cowl = itsi_maxf(f.cowl, f.belt + 0.01f);
    f.tail = itsi_maxf(f.tail, f.belt + 0.03f);
    if (itsi_hash_unit(h, 12) < 0.12f)
        f.rugged = !f.rugged;
    f.roof = f.length - f.bonnet - f.screen - f.back - t->boot;
    return f;
}

static int roof_of(const struct itsi_car_form *f, uint64_t h)
{
    float u = itsi_hash_unit(h, 40);
    if (u < 0.08f && f->panes > 1)
        return ITSI_CAR_ROOF_TAXI;
    if (u < 0.12f)
        return ITSI_CAR_ROOF_BLUE;
    if (u < 0.15f)
        return ITSI_CAR_ROOF_BOX;
    if (u < 0.22f)
        return ITSI_CAR_ROOF_RACK;
    if (u < 0.36f)
        return ITSI_CAR_ROOF_GLASS;
    return u < 0.5f && f->kind == WAGON ? ITSI_CAR_ROOF_RAILS : ITSI_CAR_ROOF_BARE;
}

struct itsi_car_look itsi_car_look(const struct itsi_car_form *f, uint64_t h)
{
    bool van = f->panes == 1 && f->kind == WAGON;
    struct itsi_car_look look = {.grille = itsi_hash_below(h, 20, ITSI_CAR_GRILLES),
                                 .lamps = itsi_hash_below(h, 21, ITSI_CAR_LAMPS),
                                 .tails = itsi_hash_below(h, 22, ITSI_CAR_TAILS),
                                 .roof = roof_of(f, h),
                                 .rim = 1 + itsi_hash_below(h, 23, 3),
                                 .round = itsi_hash_unit(h, 24),
                                 .lamp_high = itsi_hash_range(h, 25, 0.11f, 0.2f),
                                 .plate_low = itsi_hash_unit(h, 26) < 0.4f,
                                 .side_strip = itsi_hash_unit(h, 27) < 0.35f,
                                 .bright_frame = itsi_hash_unit(h, 28) < 0.35f,
                                 .spoiler = itsi_hash_unit(h, 29) < 0.5f,
                                 .sticker = itsi_hash_unit(h, 30) < (van ? 0.75f : 0.06f),
                                 .livery = itsi_hash_unit(h, 31) < 0.05f,
                                 .dark_lamps = itsi_hash_unit(h, 33) < 0.5f,
                                 .fin = itsi_hash_unit(h, 34) < 0.5f,
                                 .painted_mirrors = itsi_hash_unit(h, 35) < 0.55f};
    if (f->kind == WAGON && itsi_hash_unit(h, 32) < 0.6f)
        look.tails = 2; /* most upright rears have upright lamps */
    if (look.roof == ITSI_CAR_ROOF_BLUE)
        look.livery = true;
    if (f->bonnet < 0.5f) /* no room for much of a face */
        look.round *= 0.4f;
    return look;
}

void itsi_car_build(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_look *look)
{
    struct itsi_car_shell s;
    itsi_car_shell_build(&s, f, look);
    itsi_mesh_loft(m, s.grid, s.rings, ITSI_CAR_POINTS, s.mats);
    itsi_mesh_cap(m, &s.grid[0], ITSI_CAR_POINTS, 1, ITSI_MAT_BODY);
    itsi_mesh_cap(m, &s.grid[(s.rings - 1) * ITSI_CAR_POINTS], ITSI_CAR_POINTS, -1, ITSI_MAT_BODY);
    itsi_car_front(m, f, &s, look);
    itsi_car_rear(m, f, &s, look);
    itsi_car_sides(m, f, &s, look);
    itsi_car_top(m, f, &s, look);
    itsi_car_cabin(m, f, &s);
    float half = f->width * 0.5f, l = f->length * 0.5f;
    itsi_mesh_solid(m, itsi_vec3(-half * 0.8f, -l * 0.9f, 0.12f), itsi_vec3(half * 0.8f, l * 0.9f, f->clearance + 0.1f),
                    ITSI_MAT_UNDER);
    itsi_mesh_finish_as(m, f->length, f->width);
}

void itsi_model_cars(struct itsi_models *models, uint64_t seed)
{
    for (int i = 0; i < ITSI_CAR_MODELS; i++) {
        uint64_t h = itsi_hash(seed, (uint64_t)(100 + i));
        struct itsi_car_form form = form_of(&types[i], h);
        struct itsi_car_look look = itsi_car_look(&form, h);
        itsi_car_build(&models->mesh[ITSI_FIRST_CAR + i], &form, &look);
    }
}

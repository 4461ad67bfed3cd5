/* Delivery vans, minibuses, ambulances and pick-ups: built like cars, larger. */
#include "render/model_car.h"
#include "render/model_truck.h"

enum van_extra { PLAIN, AMBULANCE, BED, CANOPY };

#define NOTCH ITSI_CAR_NOTCH
#define WAGON ITSI_CAR_WAGON
static const struct itsi_car_form forms[ITSI_VAN_MODELS] = {
    /* tail len    wid    hgt    nose   cowl   belt   tail   bonnet scrn   roof   back   clr    wheel  tumble */
    {WAGON, 5.90f, 2.02f, 2.65f, 1.12f, 1.36f, 1.30f, 1.34f, 0.86f, 1.00f, 3.86f, 0.10f, 0.26f, 0.36f, 0.88f, 1, false},
    {WAGON, 5.40f, 2.00f, 2.30f, 1.12f, 1.36f, 1.28f, 1.32f, 0.86f, 0.90f, 3.45f, 0.11f, 0.26f, 0.35f, 0.87f, 1, true},
    {WAGON, 5.95f, 2.02f, 2.70f, 1.14f, 1.38f, 1.30f, 1.34f, 0.90f, 1.00f, 3.87f, 0.10f, 0.26f, 0.36f, 0.89f, 3, false},
    {WAGON, 5.20f, 1.96f, 2.05f, 1.05f, 1.26f, 1.20f, 1.23f, 0.84f, 0.85f, 3.32f, 0.12f, 0.24f, 0.34f, 0.85f, 1, false},
    {WAGON, 6.20f, 2.02f, 2.65f, 1.10f, 1.34f, 1.28f, 1.32f, 0.84f, 1.00f, 4.18f, 0.10f, 0.26f, 0.36f, 0.89f, 3, false},
    {NOTCH, 5.30f, 1.90f, 1.82f, 1.06f, 1.20f, 1.13f, 1.17f, 1.18f, 0.68f, 1.40f, 0.22f, 0.34f, 0.40f, 0.80f, 2, true},
    {NOTCH, 5.15f, 1.84f, 1.76f, 1.02f, 1.16f, 1.10f, 1.13f, 1.14f, 0.66f, 0.85f, 0.20f, 0.32f, 0.38f, 0.81f, 1, false},
    {NOTCH, 5.30f, 1.90f, 1.80f, 1.06f, 1.20f, 1.13f, 1.17f, 1.18f, 0.68f, 1.40f, 0.22f, 0.34f, 0.40f, 0.80f, 2, true},
};
static const enum van_extra extras[ITSI_VAN_MODELS] = {PLAIN, PLAIN, AMBULANCE, PLAIN, PLAIN, BED, BED, CANOPY};

/* The hollow of a pick-up's bed, and what may lie in it. */
static void bed(struct itsi_mesh *m, const struct itsi_car_form *f, uint64_t h)
{
    float rear = -f->length * 0.5f, half = f->width * 0.5f, z = f->tail + 0.02f;
    float front = f->length * 0.5f - f->bonnet - f->screen - f->roof - f->back - 0.1f;
    m->bias = 9;
    itsi_mesh_quad(m, itsi_vec3(-half * 0.8f, rear + 0.14f, z), itsi_vec3(half * 0.8f, rear + 0.14f, z),
                   itsi_vec3(half * 0.8f, front, z), itsi_vec3(-half * 0.8f, front, z),
                   itsi_hash_unit(h, 90) < 0.3f ? ITSI_MAT_TRIM : ITSI_MAT_UNDER);
    m->bias = 0;
    if (itsi_hash_unit(h, 91) < 0.5f)
        itsi_truck_load(m, rear + 0.2f, front, half * 0.75f, z - 0.2f, z + 0.45f, h);
    if (itsi_hash_unit(h, 92) < 0.4f) {
        m->detail = 2;
        for (int side = -1; side <= 1; side += 2)
            itsi_mesh_tube(m, itsi_vec3((float)side * half * 0.8f, front - 0.1f, z),
                           itsi_vec3((float)side * half * 0.62f, front + 0.05f, f->height + 0.05f), 0.05f, 0.05f, 5,
                           ITSI_MAT_METAL, false);
        m->detail = 0;
    }
}

/* A roof over the bed, with panes of its own. */
static void canopy(struct itsi_mesh *m, const struct itsi_car_form *f, uint64_t h)
{
    float rear = -f->length * 0.5f + 0.08f, half = f->width * 0.5f, z0 = f->tail, z1 = f->height + 0.02f;
    float front = f->length * 0.5f - f->bonnet - f->screen - f->roof - f->back + 0.02f;
    int mat = itsi_hash_unit(h, 96) < 0.6f ? ITSI_MAT_BODY : ITSI_MAT_TRIM;
    const float at[4] = {front, front - 0.08f, rear + 0.1f, rear}, in[4] = {0.90f, 0.93f, 0.93f, 0.91f};
    enum { RINGS = 4, POINTS = 7 };
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[RINGS * (POINTS - 1)];
    for (int r = 0; r < RINGS; r++) {
        float w = half * in[r];
        const float x[4] = {w, w * 0.9f, w * 0.8f, 0}, z[4] = {z0, z1 - 0.1f, z1 - 0.01f, z1 + 0.02f};
        for (int i = 0; i < 4; i++) {
            grid[r * POINTS + i] = itsi_vec3(x[i], at[r], z[i]);
            grid[r * POINTS + POINTS - 1 - i] = itsi_vec3(-x[i], at[r], z[i]);
        }
        for (int i = 0; i < POINTS - 1; i++)
            mats[r * (POINTS - 1) + i] = (int8_t)(r == 1 && (i == 0 || i == POINTS - 2) ? ITSI_MAT_GLASS : mat);
    }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
    itsi_mesh_cap(m, grid, POINTS, 1, mat);
    itsi_mesh_cap(m, &grid[(RINGS - 1) * POINTS], POINTS, -1, mat);
    m->detail = 1;
    itsi_mesh_panel_y(m, rear, -1, -half * 0.72f, half * 0.72f, z0 + 0.1f, z1 - 0.14f, ITSI_MAT_GLASS);
    m->detail = 0;
    itsi_mesh_finish_as(m, f->length, f->width);
}

/* Moves all that is there along the car. */
static void shift(struct itsi_mesh *m, float by)
{
    for (int i = 0; i < m->pos_count; i++)
        m->pos[i].y += by;
    for (int i = 0; i < 2; i++)
        m->lamp_head[i].y += by;
}

/* The box is wider and higher than the cab. */
void itsi_truck_van(struct itsi_mesh *m, uint64_t h)
{
    static const struct itsi_car_form cab = {ITSI_CAR_WAGON, 2.75f, 1.98f, 2.15f, 1.12f, 1.36f, 1.28f, 1.32f, 0.86f,
                                             0.90f,          0.80f, 0.10f, 0.28f, 0.36f, 0.86f, 1,     false};
    struct itsi_car_look look = itsi_car_look(&cab, h);
    itsi_car_build(m, &cab, &look);
    float length = itsi_hash_range(h, 93, 5.8f, 6.6f), front = length * 0.5f, half = 1.06f;
    shift(m, front - cab.length * 0.5f);
    float top = itsi_hash_range(h, 94, 2.75f, 3.1f), y1 = front - 2.3f;
    itsi_truck_box(m, -front, y1, half, 0.72f, top, h);
    if (itsi_hash_unit(h, 95) < 0.6f) { /* the box reaches over the cab */
        int mats[6] = {ITSI_MAT_BODY2, ITSI_MAT_BODY2, -1, ITSI_MAT_BODY2, ITSI_MAT_UNDER, ITSI_MAT_BODY2};
        itsi_mesh_box(m, itsi_vec3(-half, y1, cab.height + 0.05f), itsi_vec3(half, y1 + 0.75f, top), mats);
    }
    itsi_truck_chassis(m, -front, y1, half, 0.75f);
    itsi_truck_tail(m, -front, half, 0.78f);
    itsi_truck_wheel_pair(m, half, -front + 1.25f, 0.36f, 0.4f);
    itsi_mesh_finish_as(m, length, 2 * half);
}

static void van(struct itsi_mesh *m, int kind, uint64_t h)
{
    struct itsi_car_form f = forms[kind];
    bool pickup = extras[kind] == BED || extras[kind] == CANOPY;
    float longer = itsi_hash_range(h, 1, 0.96f, 1.06f);
    f.roof += f.length * (longer - 1) * (pickup ? 0.3f : 1);
    f.length *= longer;
    f.height *= itsi_hash_range(h, 2, 0.95f, 1.04f);
    struct itsi_car_look look = itsi_car_look(&f, h);
    if (extras[kind] == AMBULANCE) {
        look.roof = ITSI_CAR_ROOF_BLUE;
        look.livery = true;
    }
    itsi_car_build(m, &f, &look);
    if (extras[kind] == BED)
        bed(m, &f, h);
    else if (extras[kind] == CANOPY)
        canopy(m, &f, h);
}

void itsi_model_vans(struct itsi_models *models, uint64_t seed)
{
    for (int i = 0; i < ITSI_VAN_MODELS; i++)
        van(&models->mesh[ITSI_FIRST_VAN + i], i, itsi_hash(seed, (uint64_t)(250 + i)));
}

/* Persons on foot, motorcycles and bicycles, and those who ride them. */
#include "render/mesh.h"

#include <assert.h>
#include <string.h>

static void limb_tube(struct itsi_mesh *m, int limb, struct itsi_vec3 a, struct itsi_vec3 b, float ra, float rb,
                      int mat)
{
    m->limb = (uint8_t)limb;
    itsi_mesh_tube(m, a, b, ra, rb, 6, mat, true);
    m->limb = 0;
}

static void head(struct itsi_mesh *m, float y, float z, bool helmet)
{
    itsi_mesh_tube(m, itsi_vec3(0, y, z - 0.2f), itsi_vec3(0, y, z - 0.08f), 0.055f, 0.055f, 6, ITSI_MAT_SKIN, false);
    itsi_mesh_ball(m, itsi_vec3(0, y + 0.01f, z), 0.085f, 0.1f, 0.125f, ITSI_MAT_SKIN);
    if (helmet) {
        itsi_mesh_ball(m, itsi_vec3(0, y - 0.01f, z + 0.02f), 0.14f, 0.155f, 0.15f, ITSI_MAT_BODY2);
        m->detail = 3;
        itsi_mesh_ball(m, itsi_vec3(0, y + 0.085f, z + 0.01f), 0.105f, 0.085f, 0.07f, ITSI_MAT_GLASS); /* visor */
        m->detail = 0;
    } else {
        itsi_mesh_ball(m, itsi_vec3(0, y - 0.025f, z + 0.03f), 0.1f, 0.105f, 0.115f, ITSI_MAT_HAIR);
    }
}

/* What someone on foot looks like. */
struct walker {
    float size, broad, deep; /* of one as tall as usual; half widths of the trunk */
    float hem;               /* lower edge of the coat or shirt, metres */
    float skirt;             /* lower edge of a skirt, 0: trousers */
    bool shorts, pack, bag, case_, umbrella, hat, long_hair;
};

static void walker_limbs(struct itsi_mesh *m, const struct walker *w)
{
    float s = w->size, broad = w->broad;
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * 0.095f * s, thick = 0.7f + 2.4f * w->deep;
        int leg = side > 0 ? ITSI_LIMB_LEG : ITSI_LIMB_LEG + 1, arm = side > 0 ? ITSI_LIMB_ARM : ITSI_LIMB_LAST_ARM;
        int shin = w->skirt > 0 || w->shorts ? ITSI_MAT_SKIN : ITSI_MAT_CLOTH2;
        limb_tube(m, leg, itsi_vec3(x, 0, 0.05f), itsi_vec3(x, 0, 0.5f * s), 0.055f * s, 0.075f * s, shin);
        limb_tube(m, leg, itsi_vec3(x, 0, 0.48f * s), itsi_vec3(x * 0.9f, 0, 0.93f * s), 0.07f * s * thick,
                  0.105f * s * thick, ITSI_MAT_CLOTH2);
        m->limb = (uint8_t)leg;
        itsi_mesh_solid(m, itsi_vec3(x - 0.05f, -0.1f, 0), itsi_vec3(x + 0.05f, 0.17f * s, 0.08f), ITSI_MAT_TRIM);
        m->limb = 0;
        float xs = (float)side * broad * s;
        limb_tube(m, arm, itsi_vec3(xs * 1.2f, 0, 0.85f * s), itsi_vec3(xs, 0, 1.42f * s), 0.045f, 0.062f * thick,
                  w->shorts ? ITSI_MAT_SKIN : ITSI_MAT_CLOTH1);
        m->detail = 4;
        limb_tube(m, arm, itsi_vec3(xs * 1.2f, 0.02f, 0.74f * s), itsi_vec3(xs * 1.2f, 0, 0.87f * s), 0.04f, 0.04f,
                  ITSI_MAT_SKIN);
        m->detail = 0;
    }
}

/* Hem to shoulders, flatter than wide. */
static void walker_trunk(struct itsi_mesh *m, const struct walker *w)
{
    enum { RINGS = 5, POINTS = 9 };
    float s = w->size, b = w->broad, d = w->deep;
    bool coat = w->hem < 0.8f;
    const float z[RINGS] = {1.5f * s, 1.43f * s, 1.34f * s, 1.1f * s, w->hem * s};
    const float wx[RINGS] = {0.08f, b * 0.85f, b, b * 0.84f, coat ? b * 1.08f : b * 0.92f};
    const float wy[RINGS] = {0.07f, d * 0.85f, d, d * 1.02f, d * 1.05f};
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[RINGS * (POINTS - 1)];
    for (int r = 0; r < RINGS; r++)
        for (int p = 0; p < POINTS; p++) { /* rings from the top down: turn the other way round */
            double a = 6.283185307179586 * p / (POINTS - 1);
            grid[r * POINTS + p] = itsi_vec3(wx[r] * s * (float)itsi_cosine(a), -wy[r] * s * (float)itsi_sine(a), z[r]);
            if (p < POINTS - 1)
                mats[r * (POINTS - 1) + p] = ITSI_MAT_CLOTH1;
        }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
}

static void umbrella(struct itsi_mesh *m, float z)
{
    itsi_mesh_tube(m, itsi_vec3(0.22f, 0.1f, z - 0.75f), itsi_vec3(0.16f, 0.05f, z + 0.2f), 0.012f, 0.012f, 4,
                   ITSI_MAT_METAL, false);
    itsi_mesh_tube(m, itsi_vec3(0.16f, 0.05f, z), itsi_vec3(0.16f, 0.05f, z + 0.14f), 0.52f, 0.36f, 9, ITSI_MAT_ACCENT,
                   false);
    itsi_mesh_tube(m, itsi_vec3(0.16f, 0.05f, z + 0.14f), itsi_vec3(0.16f, 0.05f, z + 0.24f), 0.36f, 0.02f, 9,
                   ITSI_MAT_ACCENT, false);
    itsi_mesh_tube(m, itsi_vec3(0.16f, 0.05f, z + 0.02f), itsi_vec3(0.16f, 0.05f, z), 0.5f, 0.5f, 9, ITSI_MAT_UNDER,
                   true);
}

static void walker(struct itsi_mesh *m, const struct walker *w)
{
    float s = w->size;
    walker_limbs(m, w);
    walker_trunk(m, w);
    if (w->skirt > 0)
        itsi_mesh_tube(m, itsi_vec3(0, 0, w->skirt * s), itsi_vec3(0, 0, 0.97f * s), 0.24f * s, 0.16f * s, 9,
                       ITSI_MAT_CLOTH2, true);
    if (w->pack)
        itsi_mesh_ball(m, itsi_vec3(0, -w->deep - 0.07f, 1.2f * s), 0.16f, 0.11f, 0.25f, ITSI_MAT_ACCENT);
    if (w->bag)
        itsi_mesh_solid(m, itsi_vec3(w->broad + 0.05f, -0.16f, 0.6f), itsi_vec3(w->broad + 0.13f, 0.16f, 0.88f),
                        ITSI_MAT_ACCENT);
    if (w->case_)
        itsi_mesh_solid(m, itsi_vec3(-0.5f, -0.35f, 0.05f), itsi_vec3(-0.2f, -0.12f, 0.7f), ITSI_MAT_ACCENT);
    head(m, 0, 1.62f * s, false);
    if (w->long_hair)
        itsi_mesh_ball(m, itsi_vec3(0, -0.06f, 1.55f * s), 0.11f, 0.08f, 0.17f, ITSI_MAT_HAIR);
    if (w->hat) {
        itsi_mesh_tube(m, itsi_vec3(0, 0.03f, 1.68f * s), itsi_vec3(0, 0.03f, 1.69f * s), 0.17f, 0.16f, 8,
                       ITSI_MAT_CARGO, true);
        itsi_mesh_ball(m, itsi_vec3(0, -0.01f, 1.69f * s), 0.115f, 0.125f, 0.1f, ITSI_MAT_CARGO);
    }
    if (w->umbrella)
        umbrella(m, 1.85f * s);
    itsi_mesh_finish_as(m, 0.55f * s, 2.5f * w->broad * s);
    m->height = 1.75f * s; /* the limbs' joints are shares of it: hats and umbrellas do not count */
}

/* Someone sitting: hip at (0, y, z), leaning forward. */
static void rider(struct itsi_mesh *m, float hip_y, float hip_z, float lean, bool motor)
{
    struct itsi_vec3 shoulder = itsi_vec3(0, hip_y + lean, hip_z + 0.5f);
    itsi_mesh_tube(m, itsi_vec3(0, hip_y, hip_z - 0.05f), shoulder, 0.17f, 0.19f, 8, ITSI_MAT_CLOTH1, true);
    itsi_mesh_ball(m, shoulder, 0.24f, 0.15f, 0.1f, ITSI_MAT_CLOTH1);
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * 0.2f;
        struct itsi_vec3 knee = itsi_vec3(x, hip_y + 0.38f, hip_z - (motor ? 0.08f : 0.22f));
        struct itsi_vec3 foot = itsi_vec3(x * 0.8f, hip_y + (motor ? 0.15f : 0.25f), motor ? 0.32f : 0.28f);
        itsi_mesh_tube(m, itsi_vec3(x * 0.5f, hip_y, hip_z), knee, 0.1f, 0.08f, 6, ITSI_MAT_CLOTH2, true);
        itsi_mesh_tube(m, knee, foot, 0.075f, 0.055f, 6, ITSI_MAT_CLOTH2, true);
        itsi_mesh_solid(m, itsi_vec3(foot.x - 0.05f, foot.y - 0.08f, foot.z - 0.1f),
                        itsi_vec3(foot.x + 0.05f, foot.y + 0.16f, foot.z), ITSI_MAT_TRIM);
        struct itsi_vec3 hand = itsi_vec3((float)side * 0.3f, hip_y + (motor ? 0.62f : 0.6f), motor ? 0.98f : 1.0f);
        itsi_mesh_tube(m, itsi_vec3((float)side * 0.2f, shoulder.y, shoulder.z - 0.03f), hand, 0.06f, 0.045f, 6,
                       ITSI_MAT_CLOTH1, true);
    }
    head(m, shoulder.y + 0.06f, shoulder.z + (motor ? 0.17f : 0.2f), motor);
    itsi_mesh_finish(m);
    m->length = 0.9f;
}

static void thin_wheel(struct itsi_mesh *m, float y, float r, float w, float solid)
{
    enum { RINGS = 15, POINTS = 7 };
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[(RINGS - 1) * (POINTS - 1)];
    memset(mats, ITSI_MAT_TYRE, sizeof mats);
    for (int i = 0; i < RINGS; i++) /* from the front over the top, each ring from inside over the right */
        for (int k = 0; k < POINTS; k++) {
            double around = 6.283185307179586 * i / (RINGS - 1), across = 6.283185307179586 * k / (POINTS - 1);
            float from_hub = r - w - w * (float)itsi_cosine(across);
            grid[i * POINTS + k] = itsi_vec3(w * (float)itsi_sine(across), y + from_hub * (float)itsi_cosine(around),
                                             r + from_hub * (float)itsi_sine(around));
        }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
    if (solid > 0)
        itsi_mesh_tube(m, itsi_vec3(-0.04f, y, r), itsi_vec3(0.04f, y, r), r * solid, r * solid, 10, ITSI_MAT_METAL,
                       true);
    m->detail = 4;
    for (int i = 0; i < 6 && solid <= 0; i++) {
        double a = 1.0471975511965976 * i;
        itsi_mesh_tube(m, itsi_vec3(0, y, r), itsi_vec3(0, y + r * (float)itsi_cosine(a), r + r * (float)itsi_sine(a)),
                       0.008f, 0.008f, 3, ITSI_MAT_METAL, false);
    }
    m->detail = 0;
}

static void motorcycle(struct itsi_mesh *m, int kind)
{
    bool scooter = kind & 1;
    float r = scooter ? 0.24f : 0.31f, l = scooter ? 0.62f : kind == 4 ? 0.82f : 0.70f;
    thin_wheel(m, l, r, 0.06f, 0.55f);
    thin_wheel(m, -l, r, 0.075f, 0.55f);
    itsi_mesh_tube(m, itsi_vec3(0, l, r), itsi_vec3(0, l - 0.22f, 0.92f), 0.05f, 0.05f, 5, ITSI_MAT_METAL, false);
    itsi_mesh_solid(m, itsi_vec3(-0.36f, l - 0.3f, 0.96f), itsi_vec3(0.36f, l - 0.26f, 1.0f), ITSI_MAT_TRIM);
    if (scooter) { /* apron, footboard, tail */
        itsi_mesh_ball(m, itsi_vec3(0, l - 0.24f, 0.66f), 0.23f, 0.11f, 0.38f, ITSI_MAT_BODY);
        itsi_mesh_solid(m, itsi_vec3(-0.18f, -0.05f, 0.3f), itsi_vec3(0.18f, l - 0.2f, 0.38f), ITSI_MAT_TRIM);
        itsi_mesh_ball(m, itsi_vec3(0, -0.4f, 0.55f), 0.21f, 0.5f, 0.24f, ITSI_MAT_BODY);
        itsi_mesh_solid(m, itsi_vec3(-0.16f, -0.72f, 0.72f), itsi_vec3(0.16f, -0.02f, 0.8f), ITSI_MAT_TRIM);
        float box = kind == 3 ? 0.27f : 0.17f; /* a delivery box, a case, or none */
        if (kind != 5)
            itsi_mesh_solid(m, itsi_vec3(-box, -0.62f - box * 1.8f, 0.8f), itsi_vec3(box, -0.6f, 0.8f + box * 1.9f),
                            kind == 3 ? ITSI_MAT_ACCENT : ITSI_MAT_BODY2);
    } else {
        itsi_mesh_ball(m, itsi_vec3(0, 0.12f, 0.8f), 0.17f, 0.34f, 0.17f, ITSI_MAT_BODY);
        itsi_mesh_solid(m, itsi_vec3(-0.17f, -0.25f, 0.28f), itsi_vec3(0.17f, 0.35f, 0.65f), ITSI_MAT_METAL);
        itsi_mesh_solid(m, itsi_vec3(-0.14f, -0.8f, 0.74f), itsi_vec3(0.14f, -0.15f, 0.84f), ITSI_MAT_TRIM);
        itsi_mesh_tube(m, itsi_vec3(0.17f, 0.1f, 0.3f), itsi_vec3(0.2f, -0.75f, 0.42f), 0.05f, 0.06f, 6, ITSI_MAT_METAL,
                       true);
        itsi_mesh_solid(m, itsi_vec3(-0.1f, -0.95f, 0.55f), itsi_vec3(0.1f, -0.7f, 0.78f), ITSI_MAT_BODY);
        if (kind == 2) /* fairing */
            itsi_mesh_ball(m, itsi_vec3(0, 0.5f, 0.85f), 0.22f, 0.24f, 0.28f, ITSI_MAT_BODY);
        if (kind == 4) /* bags on both sides */
            for (int side = -1; side <= 1; side += 2)
                itsi_mesh_ball(m, itsi_vec3((float)side * 0.3f, -0.62f, 0.6f), 0.14f, 0.28f, 0.2f, ITSI_MAT_BODY2);
    }
    if (kind >= 4) { /* windshield */
        struct itsi_vec3 a = itsi_vec3(0.2f, l - 0.12f, 1.0f), b = itsi_vec3(0.15f, l - 0.3f, 1.38f);
        m->limb = ITSI_LIMB_LEAF;
        itsi_mesh_quad(m, a, itsi_vec3(-a.x, a.y, a.z), itsi_vec3(-b.x, b.y, b.z), b, ITSI_MAT_SCREEN);
        m->limb = ITSI_LIMB_NONE;
    }
    for (int side = -1; side <= 1; side += 2) /* mirrors */
        itsi_mesh_ball(m, itsi_vec3((float)side * 0.36f, l - 0.26f, 1.14f), 0.07f, 0.03f, 0.05f, ITSI_MAT_TRIM);
    itsi_mesh_ball(m, itsi_vec3(0, l - 0.15f, 0.86f), 0.1f, 0.08f, 0.1f, ITSI_MAT_HEAD);
    m->lamp_head[0] = itsi_vec3(0, l - 0.1f, 0.86f);
    itsi_mesh_panel_y(m, -0.96f, -1, -0.08f, 0.08f, 0.68f, 0.78f, ITSI_MAT_TAIL);
    m->lamp_tail[0] = itsi_vec3(0, -0.96f, 0.73f);
    itsi_mesh_panel_y(m, -0.965f, -1, -0.09f, 0.09f, 0.5f, 0.64f, ITSI_MAT_PLATE);
    itsi_mesh_finish(m);
}

static void bicycle(struct itsi_mesh *m, int kind)
{
    float r = 0.34f, l = 0.53f, t = 0.024f;
    thin_wheel(m, l, r, 0.028f, 0);
    thin_wheel(m, -l, r, 0.028f, 0);
    struct itsi_vec3 crank = itsi_vec3(0, -0.03f, 0.3f), seat = itsi_vec3(0, -0.2f, 0.82f),
                     stem = itsi_vec3(0, 0.38f, 0.85f);
    struct itsi_vec3 front = itsi_vec3(0, l, r), rear = itsi_vec3(0, -l, r);
    itsi_mesh_tube(m, crank, seat, t, t, 5, ITSI_MAT_BODY, false);
    itsi_mesh_tube(m, crank, stem, t, t, 5, ITSI_MAT_BODY, false);
    itsi_mesh_tube(m, kind ? crank : itsi_vec3(0, -0.17f, 0.75f), stem, t, t, 5, ITSI_MAT_BODY, false);
    itsi_mesh_tube(m, rear, crank, t, t, 5, ITSI_MAT_BODY, false);
    itsi_mesh_tube(m, rear, seat, t, t, 5, ITSI_MAT_BODY, false);
    itsi_mesh_tube(m, front, stem, t, t, 5, ITSI_MAT_BODY, false);
    itsi_mesh_tube(m, itsi_vec3(-0.28f, 0.38f, 1.0f), itsi_vec3(0.28f, 0.38f, 1.0f), 0.02f, 0.02f, 5, ITSI_MAT_TRIM,
                   false);
    itsi_mesh_tube(m, stem, itsi_vec3(0, 0.38f, 1.0f), 0.02f, 0.02f, 5, ITSI_MAT_METAL, false);
    itsi_mesh_solid(m, itsi_vec3(-0.08f, -0.34f, 0.88f), itsi_vec3(0.08f, -0.06f, 0.94f), ITSI_MAT_TRIM);
    if (kind & 1) /* basket */
        itsi_mesh_solid(m, itsi_vec3(-0.17f, 0.5f, 0.75f), itsi_vec3(0.17f, 0.8f, 0.98f), ITSI_MAT_METAL);
    if (kind == 2) /* bags beside the rear wheel */
        for (int side = -1; side <= 1; side += 2)
            itsi_mesh_solid(m, itsi_vec3((float)side * 0.12f - 0.06f, -0.85f, 0.4f),
                            itsi_vec3((float)side * 0.12f + 0.06f, -0.45f, 0.72f), ITSI_MAT_ACCENT);
    if (kind == 3) /* a box or a child's seat behind */
        itsi_mesh_solid(m, itsi_vec3(-0.19f, -0.85f, 0.75f), itsi_vec3(0.19f, -0.42f, 1.12f), ITSI_MAT_ACCENT);
    if (kind != 1) { /* guards over the wheels */
        m->detail = 3;
        itsi_mesh_solid(m, itsi_vec3(-0.03f, -l - 0.3f, 2 * r), itsi_vec3(0.03f, -l + 0.2f, 2 * r + 0.04f),
                        ITSI_MAT_BODY);
        itsi_mesh_solid(m, itsi_vec3(-0.03f, l - 0.2f, 2 * r), itsi_vec3(0.03f, l + 0.25f, 2 * r + 0.04f),
                        ITSI_MAT_BODY);
        m->detail = 0;
    }
    m->lamp_tail[0] = itsi_vec3(0, -l - 0.2f, 0.7f);
    itsi_mesh_finish(m);
}

void itsi_model_people(struct itsi_models *models)
{
    static const struct walker walkers[] = {
        {.size = 1, .broad = 0.23f, .deep = 0.125f, .hem = 0.86f},
        {.size = 0.95f, .broad = 0.19f, .deep = 0.12f, .hem = 0.88f, .skirt = 0.5f, .long_hair = true},
        {.size = 1, .broad = 0.24f, .deep = 0.15f, .hem = 0.58f, .hat = true},
        {.size = 1, .broad = 0.22f, .deep = 0.125f, .hem = 0.86f, .pack = true},
        {.size = 0.95f, .broad = 0.19f, .deep = 0.12f, .hem = 0.88f, .skirt = 0.3f, .bag = true, .long_hair = true},
        {.size = 0.72f, .broad = 0.21f, .deep = 0.125f, .hem = 0.86f, .pack = true},
        {.size = 1.02f, .broad = 0.27f, .deep = 0.19f, .hem = 0.84f},
        {.size = 1, .broad = 0.22f, .deep = 0.12f, .hem = 0.86f, .shorts = true, .hat = true},
        {.size = 0.97f, .broad = 0.2f, .deep = 0.13f, .hem = 0.5f, .umbrella = true, .long_hair = true},
        {.size = 1, .broad = 0.23f, .deep = 0.13f, .hem = 0.8f, .case_ = true},
        {.size = 0.96f, .broad = 0.2f, .deep = 0.12f, .hem = 0.84f, .bag = true, .long_hair = true},
        {.size = 0.6f, .broad = 0.22f, .deep = 0.14f, .hem = 0.86f, .hat = true},
    };
    static_assert(sizeof walkers / sizeof *walkers == ITSI_PERSON_MODELS, "every model is built");
    for (int i = 0; i < ITSI_PERSON_MODELS; i++)
        walker(&models->mesh[ITSI_FIRST_PERSON + i], &walkers[i]);
    for (int i = 0; i < ITSI_MOTO_MODELS; i++)
        motorcycle(&models->mesh[ITSI_FIRST_MOTO + i], i);
    for (int i = 0; i < ITSI_BIKE_MODELS; i++)
        bicycle(&models->mesh[ITSI_FIRST_BIKE + i], i);
    rider(&models->mesh[ITSI_FIRST_RIDER], -0.35f, 0.85f, 0.16f, true);
    rider(&models->mesh[ITSI_FIRST_RIDER + 1], -0.2f, 0.98f, 0.3f, false);
}

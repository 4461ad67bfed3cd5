/* What makes a car's front and rear: lamps, grilles, bumpers, plates. */
#include "render/model_car.h"

#define PANEL(facing, x0, x1, z0, z1, mat) itsi_mesh_panel_y(m, y, facing, x0, x1, z0, z1, mat)

static void both(struct itsi_mesh *m, float y, int facing, float x0, float x1, float z0, float z1, int mat)
{
    itsi_mesh_panel_y(m, y, facing, x0, x1, z0, z1, mat);
    itsi_mesh_panel_y(m, y, facing, -x1, -x0, z0, z1, mat);
}

static void layer(struct itsi_mesh *m, int detail, int bias)
{
    m->detail = (uint8_t)detail;
    m->bias = (uint8_t)bias;
}

static void round_lamp(struct itsi_mesh *m, float y, int facing, float x, float z, float r, int mat)
{
    float out = facing > 0 ? 0.015f : -0.015f;
    for (int side = -1; side <= 1; side += 2)
        itsi_mesh_tube(m, itsi_vec3((float)side * x, y - out, z), itsi_vec3((float)side * x, y + out, z), r, r, 10, mat,
                       true);
}

static void head_lamps(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                       const struct itsi_car_look *look)
{
    float y = f->length * 0.5f, w = s->tip, top = f->nose * 0.85f, h = look->lamp_high;
    if (look->lamps != 2 && look->dark_lamps) { /* the lamp's dark housing */
        layer(m, 1, 5);
        both(m, y, 1, w * 0.5f, w, top - h - 0.03f, top + 0.02f, ITSI_MAT_TRIM);
        itsi_car_side_patch(m, s, y - 0.34f, y, top - h, top + 0.04f, ITSI_MAT_TRIM);
    }
    layer(m, 1, 7);
    switch (look->lamps) {
    case 0: /* large, swept back round the corner */
        both(m, y, 1, w * 0.60f, w, top - h, top, ITSI_MAT_HEAD);
        itsi_car_side_patch(m, s, y - 0.36f, y, top - h + 0.04f, top + 0.02f, ITSI_MAT_HEAD);
        itsi_car_top_patch(m, s, w * 0.66f, w * 0.98f, y - 0.16f, y - 0.02f, ITSI_MAT_HEAD);
        break;
    case 1: /* narrow slits, with lamps low in the bumper */
        both(m, y, 1, w * 0.52f, w, top - h * 0.55f, top, ITSI_MAT_HEAD);
        itsi_car_side_patch(m, s, y - 0.30f, y, top - h * 0.45f, top + 0.01f, ITSI_MAT_HEAD);
        both(m, y, 1, w * 0.70f, w * 0.97f, f->clearance + 0.20f, f->clearance + 0.30f, ITSI_MAT_HEAD);
        break;
    case 2: /* round */
        layer(m, 1, 5);
        round_lamp(m, y - 0.01f, 1, w * 0.80f, top - 0.09f, 0.115f, ITSI_MAT_TRIM);
        layer(m, 1, 7);
        round_lamp(m, y, 1, w * 0.80f, top - 0.09f, 0.10f, ITSI_MAT_HEAD);
        break;
    case 3: /* upright, at the corner */
        both(m, y, 1, w * 0.72f, w, top - h * 1.3f, top, ITSI_MAT_HEAD);
        itsi_car_side_patch(m, s, y - 0.18f, y, top - h * 1.3f, top, ITSI_MAT_HEAD);
        itsi_car_top_patch(m, s, w * 0.74f, w, y - 0.24f, y - 0.02f, ITSI_MAT_HEAD);
        break;
    default: /* a bar over the whole width */
        itsi_mesh_panel_y(m, y, 1, -w * 0.98f, w * 0.98f, top - 0.05f, top, ITSI_MAT_HEAD);
        both(m, y, 1, w * 0.66f, w * 0.98f, top - 0.05f - h, top - 0.05f, ITSI_MAT_HEAD);
        itsi_car_side_patch(m, s, y - 0.22f, y, top - 0.05f, top + 0.02f, ITSI_MAT_HEAD);
        break;
    }
    if (look->lamps != 2) { /* the dark bowl round the bulb */
        layer(m, 4, 9);
        both(m, y, 1, w * 0.78f, w * 0.88f, top - h * 0.75f, top - h * 0.3f, ITSI_MAT_TRIM);
    }
    for (int side = -1; side <= 1; side += 2)
        m->lamp_head[side > 0] = itsi_vec3((float)side * w * 0.82f, y, top - h * 0.5f);
}

static void grille(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s, int kind)
{
    float y = f->length * 0.5f, w = s->tip, top = f->nose * 0.85f, low = f->clearance + 0.13f, h = top - low;
    layer(m, 1, 4);
    switch (kind) {
    case 0: /* between the lamps */
        PANEL(1, -w * 0.52f, w * 0.52f, top - h * 0.32f, top - 0.02f, ITSI_MAT_TRIM);
        break;
    case 1: /* tall, framed */
        PANEL(1, -w * 0.46f, w * 0.46f, low + h * 0.22f, top - 0.01f, ITSI_MAT_METAL);
        layer(m, 1, 5);
        PANEL(1, -w * 0.42f, w * 0.42f, low + h * 0.26f, top - 0.04f, ITSI_MAT_TRIM);
        break;
    case 2: /* two halves */
        both(m, y, 1, 0.03f, w * 0.40f, top - h * 0.42f, top - 0.02f, ITSI_MAT_TRIM);
        break;
    case 3: /* closed: only a seam */
        layer(m, 4, 4);
        PANEL(1, -w * 0.55f, w * 0.55f, top - 0.10f, top - 0.08f, ITSI_MAT_TRIM);
        break;
    case 4: /* bright bars */
        PANEL(1, -w * 0.54f, w * 0.54f, top - h * 0.45f, top - 0.02f, ITSI_MAT_TRIM);
        layer(m, 3, 6);
        for (int i = 0; i < 3; i++) {
            float z = top - 0.06f - h * 0.13f * (float)i;
            PANEL(1, -w * 0.53f, w * 0.53f, z - 0.025f, z, ITSI_MAT_METAL);
        }
        break;
    default: /* one dark face from lamp to bumper */
        PANEL(1, -w * 0.58f, w * 0.58f, low + h * 0.1f, top - 0.03f, ITSI_MAT_TRIM);
        layer(m, 2, 6);
        PANEL(1, -w * 0.58f, w * 0.58f, low + h * 0.42f, low + h * 0.55f, ITSI_MAT_LOWER);
        break;
    }
    layer(m, 4, 7);
    PANEL(1, -0.07f, 0.07f, top - 0.13f, top - 0.03f, ITSI_MAT_METAL);
}

void itsi_car_front(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                    const struct itsi_car_look *look)
{
    float y = f->length * 0.5f, w = s->tip, low = f->clearance + 0.08f, h = f->nose * 0.85f - low;
    layer(m, 1, 3); /* the bumper: a skirt that is painted or black, with the lower opening in it */
    PANEL(1, -w, w, low, low + h * 0.45f, ITSI_MAT_LOWER);
    itsi_car_side_patch(m, s, y - 0.3f, y, low + 0.02f, low + h * 0.42f, ITSI_MAT_LOWER);
    layer(m, 2, 4);
    float open = w * itsi_mixf(0.5f, 0.85f, look->round);
    PANEL(1, -open, open, low + 0.03f, low + h * 0.27f, ITSI_MAT_TRIM);
    if (f->rugged)
        PANEL(1, -w * 0.6f, w * 0.6f, low, low + 0.05f, ITSI_MAT_METAL);
    grille(m, f, s, look->grille);
    head_lamps(m, f, s, look);
    layer(m, 2, 9);
    float pz = low + h * (look->plate_low ? 0.16f : 0.34f);
    itsi_mesh_panel_y(m, y + 0.01f, 1, -0.26f, 0.26f, pz, pz + 0.12f, ITSI_MAT_PLATE);
    layer(m, 4, 7);
    both(m, y, 1, w * 0.72f, w * 0.84f, low + 0.06f, low + 0.14f, ITSI_MAT_HEAD);
    layer(m, 0, 0);
}

static void tail_lamps(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s, int kind)
{
    float y = -f->length * 0.5f, w = s->rump, top = f->tail * 0.85f, z0 = top - 0.16f;
    layer(m, 1, 5);
    switch (kind) {
    case 0: /* wide, round the corner */
        both(m, y, -1, w * 0.55f, w, z0, top, ITSI_MAT_TAIL);
        itsi_car_side_patch(m, s, y, y + 0.22f, z0 + 0.02f, top + 0.02f, ITSI_MAT_TAIL);
        break;
    case 1: /* a bar over the whole width */
        PANEL(-1, -w, w, top - 0.08f, top - 0.01f, ITSI_MAT_TAIL);
        itsi_car_side_patch(m, s, y, y + 0.2f, top - 0.10f, top + 0.01f, ITSI_MAT_TAIL);
        break;
    case 2: /* upright */
        z0 = top - 0.34f;
        both(m, y, -1, w * 0.80f, w, z0, top, ITSI_MAT_TAIL);
        itsi_car_side_patch(m, s, y, y + 0.10f, z0, f->kind == ITSI_CAR_NOTCH ? top : top + 0.16f, ITSI_MAT_TAIL);
        break;
    case 3: /* a pair of round ones */
        layer(m, 1, 7);
        round_lamp(m, y, -1, w * 0.84f, top - 0.11f, 0.095f, ITSI_MAT_TAIL);
        round_lamp(m, y, -1, w * 0.56f, top - 0.11f, 0.08f, ITSI_MAT_TAIL);
        break;
    default: /* an L */
        both(m, y, -1, w * 0.50f, w, top - 0.08f, top, ITSI_MAT_TAIL);
        both(m, y, -1, w * 0.80f, w, top - 0.26f, top - 0.08f, ITSI_MAT_TAIL);
        itsi_car_side_patch(m, s, y, y + 0.16f, top - 0.24f, top + 0.02f, ITSI_MAT_TAIL);
        break;
    }
    if (kind == 0 || kind == 2) { /* the reversing lamp's clear glass */
        layer(m, 4, 7);
        both(m, y, -1, w * 0.82f, w * 0.94f, z0 + 0.02f, z0 + 0.06f, ITSI_MAT_HEAD);
    }
    for (int side = -1; side <= 1; side += 2)
        m->lamp_tail[side > 0] = itsi_vec3((float)side * w * 0.86f, y, (z0 + top) * 0.5f);
}

void itsi_car_rear(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                   const struct itsi_car_look *look)
{
    float y = -f->length * 0.5f, w = s->rump, low = f->clearance + 0.08f, top = f->tail * 0.85f, h = top - low;
    layer(m, 1, 3);
    PANEL(-1, -w, w, low, low + h * 0.42f, ITSI_MAT_LOWER);
    itsi_car_side_patch(m, s, y, y + 0.3f, low + 0.02f, low + h * 0.4f, ITSI_MAT_LOWER);
    layer(m, 2, 4);
    PANEL(-1, -w * 0.85f, w * 0.85f, low, low + h * 0.18f, ITSI_MAT_TRIM);
    layer(m, 3, 4); /* where lid and bumper meet, and the lid's sides */
    PANEL(-1, -w, w, low + h * 0.42f, low + h * 0.45f, ITSI_MAT_UNDER);
    both(m, y, -1, w * 0.76f, w * 0.79f, low + h * 0.44f, top, ITSI_MAT_UNDER);
    tail_lamps(m, f, s, look->tails);
    float pz = look->plate_low ? low + h * 0.22f : top - 0.26f;
    layer(m, 3, 6);
    PANEL(-1, -0.34f, 0.34f, pz - 0.03f, pz + 0.15f, look->bright_frame ? ITSI_MAT_METAL : ITSI_MAT_TRIM);
    layer(m, 2, 8);
    itsi_mesh_panel_y(m, y - 0.01f, -1, -0.26f, 0.26f, pz, pz + 0.12f, ITSI_MAT_PLATE);
    layer(m, 5, 8);
    PANEL(-1, -0.06f, 0.06f, top - 0.10f, top - 0.02f, ITSI_MAT_METAL);
    both(m, y, -1, w * 0.55f, w * 0.70f, low + 0.01f, low + 0.07f, ITSI_MAT_METAL);
    both(m, y, -1, w * 0.86f, w * 0.98f, low + h * 0.24f, low + h * 0.29f, ITSI_MAT_TAIL);
    layer(m, 0, 0);
}

/* What else is on a car: wheels, doors, mirrors, what is on its roof and what is seen through its glass. */
#include "render/model_car.h"

static void layer(struct itsi_mesh *m, int detail, int bias)
{
    m->detail = (uint8_t)detail;
    m->bias = (uint8_t)bias;
}

void itsi_car_arch(struct itsi_mesh *m, float x, float y, float z, float r, float floor, int mat)
{
    enum { N = 8 };
    struct itsi_vec3 p[N + 1];
    for (int i = 0; i <= N; i++) {
        double angle = -0.45 + (3.141592653589793 + 0.9) * i / N;
        p[i] = itsi_vec3(x, y + r * (float)itsi_cosine(angle), itsi_maxf(floor, z + r * (float)itsi_sine(angle)));
    }
    struct itsi_vec3 c = itsi_vec3(x, y, z);
    for (int i = 0; i < N; i++) {
        if (x > 0)
            itsi_mesh_tri(m, c, p[i], p[i + 1], mat);
        else
            itsi_mesh_tri(m, c, p[i + 1], p[i], mat);
    }
}

static void wheels(struct itsi_mesh *m, const struct itsi_car_form *f, int rim)
{
    float half = f->width * 0.5f, front = f->length * 0.5f;
    float yf = front - itsi_minf(f->bonnet * 0.72f, 0.86f) - 0.06f, yr = -front + f->length * 0.19f;
    if (f->bonnet < 0.7f)
        yf = front - 0.78f;
    for (int side = -1; side <= 1; side += 2)
        for (int k = 0; k < 2; k++) {
            float x = (float)side * (half + 0.004f), y = k ? yr : yf, r = f->wheel;
            if (f->rugged) {
                layer(m, 1, 2);
                itsi_car_arch(m, x, y, r, r * 1.36f, f->clearance, ITSI_MAT_TRIM);
            }
            layer(m, 0, 3);
            itsi_car_arch(m, x, y, r, r * 1.17f, f->clearance * 0.9f, ITSI_MAT_UNDER);
            layer(m, 0, 4);
            itsi_mesh_wheel(m, x + (float)side * 0.006f, y, r, 0.2f, rim);
            layer(m, 0, 0);
        }
}

static void mirrors(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s, int mat)
{
    float y = s->cowl_y - f->screen * 0.45f, z = f->belt + 0.01f, half = f->width * 0.5f;
    layer(m, 2, 0);
    for (int side = -1; side <= 1; side += 2) {
        float x = (float)side * (half + 0.07f);
        itsi_mesh_ball(m, itsi_vec3(x, y, z + 0.07f), 0.11f, 0.06f, 0.075f, mat);
    }
}

void itsi_car_sides(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                    const struct itsi_car_look *look)
{
    float low = f->clearance, belt = f->belt, y = s->pillar_y;
    wheels(m, f, look->rim);
    mirrors(m, f, s, look->painted_mirrors ? ITSI_MAT_BODY : ITSI_MAT_TRIM);
    float front_gap = s->cowl_y - 0.18f, rear_gap = itsi_maxf(y - 0.95f, -f->length * 0.5f + f->length * 0.27f);
    layer(m, 5, 3);
    const float gap[3] = {front_gap, y, rear_gap};
    for (int i = 0; i < (f->panes > 1 || f->kind != ITSI_CAR_NOTCH ? 3 : 2); i++)
        itsi_car_side_patch(m, s, gap[i] - 0.012f, gap[i] + 0.012f, low + 0.13f, belt - 0.01f, ITSI_MAT_UNDER);
    itsi_car_side_patch(m, s, rear_gap, front_gap, low + 0.11f, low + 0.13f, ITSI_MAT_UNDER);
    layer(m, 5, 4);
    int handle = look->bright_frame ? ITSI_MAT_METAL : ITSI_MAT_TRIM;
    float hz = belt - 0.14f;
    itsi_car_side_patch(m, s, y + 0.06f, y + 0.24f, hz, hz + 0.035f, handle);
    itsi_car_side_patch(m, s, rear_gap + 0.06f, rear_gap + 0.24f, hz, hz + 0.035f, handle);
    /* The waist: a bright or a black line under the panes. */
    layer(m, 3, 3);
    itsi_car_side_patch(m, s, s->roof_end, s->cowl_y - 0.1f, belt - 0.015f, belt + 0.02f,
                        look->bright_frame ? ITSI_MAT_METAL : ITSI_MAT_TRIM);
    if (look->side_strip || f->rugged) {
        layer(m, 2, 3);
        float z = f->rugged ? low + 0.05f : low + (belt - low) * 0.42f;
        itsi_car_side_patch(m, s, rear_gap, front_gap + 0.1f, z, z + (f->rugged ? 0.18f : 0.06f), ITSI_MAT_TRIM);
    }
    if (look->livery) {
        layer(m, 1, 4);
        float z = low + (belt - low) * 0.5f;
        itsi_car_side_patch(m, s, s->deck_y, front_gap + 0.35f, z, z + 0.16f, ITSI_MAT_ACCENT);
    }
    if (look->sticker) { /* a firm's name of blocks, where a panel van has no panes */
        layer(m, 2, 4);
        float z = f->panes == 1 ? belt + 0.08f : low + (belt - low) * 0.62f, size = f->panes == 1 ? 0.24f : 0.12f;
        for (int i = 0; i < 5; i++) {
            float at = y - 0.3f - 0.26f * (float)i;
            itsi_car_side_patch(m, s, at - 0.19f, at, z, z + size * (i == 2 ? 0.7f : 1), ITSI_MAT_ACCENT);
        }
    }
    layer(m, 6, 4);
    itsi_car_side_patch(m, s, f->length * 0.5f - 0.62f, f->length * 0.5f - 0.56f, low + (belt - low) * 0.5f,
                        low + (belt - low) * 0.56f, ITSI_MAT_SIGN);
    layer(m, 0, 0);
}

static void bars(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s, int mat)
{
    float x = f->width * 0.5f * f->tumble * 0.88f, y0 = s->roof_end + 0.12f, y1 = s->roof_y - 0.12f, z = f->height;
    layer(m, 3, 0);
    for (int side = -1; side <= 1; side += 2)
        itsi_mesh_solid(m, itsi_vec3((float)side * x - 0.02f, y0, z - 0.02f),
                        itsi_vec3((float)side * x + 0.02f, y1, z + 0.045f), mat);
}

static void rack(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s, bool box)
{
    float x = f->width * 0.5f * f->tumble * 0.92f, z = f->height, middle = (s->roof_y + s->roof_end) * 0.5f;
    layer(m, 2, 0);
    for (int i = -1; i <= 1; i += 2)
        itsi_mesh_solid(m, itsi_vec3(-x, middle + 0.38f * (float)i - 0.03f, z + 0.03f),
                        itsi_vec3(x, middle + 0.38f * (float)i + 0.03f, z + 0.08f), ITSI_MAT_METAL);
    if (!box)
        return;
    layer(m, 0, 0);
    float reach = itsi_minf(0.95f, f->roof * 0.6f);
    itsi_mesh_ball(m, itsi_vec3(0.12f, middle, z + 0.22f), 0.42f, reach, 0.17f, ITSI_MAT_TRIM);
}

static void roof_load(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s, int roof)
{
    float z = f->height, y = s->roof_y - 0.3f;
    switch (roof) {
    case ITSI_CAR_ROOF_RAILS:
        bars(m, f, s, ITSI_MAT_METAL);
        break;
    case ITSI_CAR_ROOF_RACK:
        rack(m, f, s, false);
        break;
    case ITSI_CAR_ROOF_BOX:
        rack(m, f, s, true);
        break;
    case ITSI_CAR_ROOF_TAXI:
        layer(m, 1, 0);
        itsi_mesh_solid(m, itsi_vec3(-0.28f, y - 0.1f, z), itsi_vec3(0.28f, y + 0.1f, z + 0.15f), ITSI_MAT_ACCENT);
        layer(m, 3, 0);
        itsi_mesh_panel_y(m, y + 0.1f, 1, -0.2f, 0.2f, z + 0.04f, z + 0.12f, ITSI_MAT_SIGN);
        itsi_mesh_panel_y(m, y - 0.1f, -1, -0.2f, 0.2f, z + 0.04f, z + 0.12f, ITSI_MAT_SIGN);
        break;
    case ITSI_CAR_ROOF_BLUE:
        layer(m, 1, 0);
        itsi_mesh_solid(m, itsi_vec3(-0.55f, y - 0.13f, z), itsi_vec3(0.55f, y + 0.13f, z + 0.13f), ITSI_MAT_BLUE);
        itsi_mesh_solid(m, itsi_vec3(-0.12f, y - 0.14f, z), itsi_vec3(0.12f, y + 0.14f, z + 0.14f), ITSI_MAT_METAL);
        break;
    default:
        break;
    }
}

void itsi_car_top(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s,
                  const struct itsi_car_look *look)
{
    roof_load(m, f, s, look->roof);
    if (f->rugged && look->roof == ITSI_CAR_ROOF_BARE)
        bars(m, f, s, ITSI_MAT_TRIM);
    layer(m, 5, 5); /* the bonnet's edges and the boot lid's */
    float w = f->width * 0.5f, y0 = s->cowl_y, y1 = f->length * 0.5f - 0.2f;
    if (f->bonnet > 0.6f) {
        itsi_car_top_patch(m, s, w * 0.80f, w * 0.82f, y0, y1, ITSI_MAT_UNDER);
        if (look->side_strip)
            itsi_car_top_patch(m, s, w * 0.38f, w * 0.40f, y0 + 0.08f, y1, ITSI_MAT_UNDER);
    }
    if (f->kind == ITSI_CAR_NOTCH)
        itsi_car_top_patch(m, s, w * 0.74f, w * 0.76f, -f->length * 0.5f + 0.1f, s->deck_y, ITSI_MAT_UNDER);
    if (f->bonnet > 0.6f) { /* the grating below the windscreen */
        layer(m, 3, 3);
        itsi_car_top_patch(m, s, -w * 0.8f, w * 0.8f, y0 - 0.02f, y0 + 0.09f, ITSI_MAT_TRIM);
    }
    float edge = s->roof_end, z = f->height - 0.03f;
    if (look->spoiler && f->kind != ITSI_CAR_NOTCH) {
        layer(m, 2, 0);
        itsi_mesh_solid(m, itsi_vec3(-w * 0.62f, edge - 0.16f, z - 0.06f), itsi_vec3(w * 0.62f, edge + 0.02f, z),
                        ITSI_MAT_ROOF);
    }
    layer(m, 3, 4);
    itsi_car_top_patch(m, s, -0.18f, 0.18f, edge - itsi_minf(0.06f, f->back * 0.05f), edge, ITSI_MAT_BRAKE);
    layer(m, 6, 0);
    if (look->fin)
        itsi_mesh_solid(m, itsi_vec3(-0.02f, edge + 0.1f, z), itsi_vec3(0.02f, edge + 0.24f, z + 0.09f), ITSI_MAT_ROOF);
    layer(m, 0, 0);
}

void itsi_car_cabin(struct itsi_mesh *m, const struct itsi_car_form *f, const struct itsi_car_shell *s)
{
    float w = f->width * 0.5f, foot = s->cowl_y, rise = f->screen;
    layer(m, 2, 3); /* the dashboard, and the shade at the top of the screen */
    itsi_car_top_patch(m, s, -w * 0.78f, w * 0.78f, foot - rise * 0.2f, foot - 0.02f, ITSI_MAT_SEAT);
    layer(m, 3, 3);
    itsi_car_top_patch(m, s, -w * 0.66f, w * 0.66f, s->roof_y, s->roof_y + rise * 0.1f, ITSI_MAT_SEAT);
    layer(m, 3, 2); /* who drives and sits beside, above the seats */
    itsi_car_top_patch(m, s, w * 0.22f, w * 0.52f, s->roof_y + rise * 0.16f, s->roof_y + rise * 0.36f, ITSI_MAT_SEAT);
    itsi_car_top_patch(m, s, w * 0.12f, w * 0.62f, s->roof_y + rise * 0.36f, s->roof_y + rise * 0.66f, ITSI_MAT_SEAT);
    layer(m, 6, 4);
    itsi_car_top_patch(m, s, -0.07f, 0.07f, s->roof_y + rise * 0.14f, s->roof_y + rise * 0.22f, ITSI_MAT_UNDER);
    layer(m, 4, 4); /* wipers, and papers behind the glass */
    itsi_car_top_patch(m, s, w * 0.02f, w * 0.58f, foot - rise * 0.05f, foot - 0.01f, ITSI_MAT_TRIM);
    itsi_car_top_patch(m, s, w * 0.62f, w * 0.7f, s->roof_y + rise * 0.16f, s->roof_y + rise * 0.24f, ITSI_MAT_PLATE);
    layer(m, 4, 3); /* what is seen in the rear screen */
    float end = s->roof_end, b = f->back * (f->kind == ITSI_CAR_NOTCH ? 1.0f : 0.55f);
    if (f->panes > 1)
        itsi_car_top_patch(m, s, w * 0.2f, w * 0.46f, end - b * 0.62f, end - b * 0.3f, ITSI_MAT_SEAT);
    layer(m, 0, 0);
}

/* Trees, rails, lamp posts, signs: what stands along every road. */
#include "render/scenery_impl.h"

#include <math.h>
#include <string.h>

void itsi_build_begin(struct itsi_builder *b, float x, float y, uint64_t h)
{
    struct itsi_mesh *m = &b->mesh;
    m->pos_count = m->nrm_count = m->face_count = 0;
    m->detail = m->limb = m->bias = 0;
    m->lamp_head[0] = itsi_vec3(0, 0, 0);
    memset(&b->actor, 0, sizeof b->actor);
    b->h = h;
    b->actor.sx = b->actor.sy = b->actor.sz = 1;
    float bend = b->scene->bend;
    b->actor.pos = itsi_vec3(x + bend * y * y * 0.5f, y, 0);
    struct itsi_vec3 u = itsi_unit(itsi_vec3(bend * y, 1, 0));
    b->actor.cos_yaw = u.y;
    b->actor.sin_yaw = -u.x;
    b->actor.cls = ITSI_ROAD_CLASS_COUNT;
    itsi_palette_pick(&b->actor, h);
    struct itsi_vec3 d = itsi_sub(b->actor.pos, b->scene->cam.pos);
    b->actor.distance = sqrtf(itsi_dot(d, d));
}

void itsi_build_turn(struct itsi_builder *b, int quarters, float rest)
{
    double angle = quarters * 1.5707963267948966 + (double)rest;
    float c = (float)itsi_cosine(angle), s = (float)itsi_sine(angle), cos_yaw = b->actor.cos_yaw;
    b->actor.cos_yaw = cos_yaw * c - b->actor.sin_yaw * s;
    b->actor.sin_yaw = b->actor.sin_yaw * c + cos_yaw * s;
}

void itsi_build_finish(struct itsi_builder *b, float clear)
{
    /* Whoever hangs up a camera sees to it that nothing is right before it. */
    if (b->rc < 0 || b->actor.distance < clear)
        return;
    float portal = b->scene->portal; /* inside the hill there is nothing */
    if (portal > 0 && b->actor.pos.z <= 0 && b->actor.pos.y > portal)
        return;
    if (b->mesh.failed) {
        b->rc = ITS_ENOMEM;
        return;
    }
    itsi_mesh_finish(&b->mesh);
    b->actor.mesh = &b->mesh;
    b->rc = b->sink(b->arg, &b->actor);
}

void itsi_build_colour(struct itsi_builder *b, int mat, float r, float g, float bl)
{
    b->actor.palette[mat] = itsi_rgb(r, g, bl);
}

/* A crown of loose leaf clusters, each a small two-sided square. */
void itsi_build_crown(struct itsi_builder *b, struct itsi_vec3 c, float rx, float rz, int leaves)
{
    struct itsi_mesh *m = &b->mesh;
    m->limb = ITSI_LIMB_LEAF;
    for (int i = 0; i < leaves; i++) {
        uint64_t h = itsi_hash(b->h, (uint64_t)(1000 + i));
        struct itsi_vec3 d = itsi_unit(
            itsi_vec3(itsi_hash_range(h, 1, -1, 1), itsi_hash_range(h, 2, -1, 1), itsi_hash_range(h, 3, -0.9f, 1)));
        float r = itsi_hash_range(h, 4, 0.6f, 1);
        struct itsi_vec3 p = itsi_vec3(c.x + d.x * rx * r, c.y + d.y * rx * r, c.z + d.z * rz * r);
        float size = rx * itsi_hash_range(h, 5, 0.6f, 1.3f) * (leaves > 1000 ? 0.09f : leaves > 300 ? 0.15f : 0.24f);
        struct itsi_vec3 n = itsi_unit(itsi_vec3(d.x + itsi_hash_range(h, 6, -0.8f, 0.8f),
                                                 d.y + itsi_hash_range(h, 7, -0.8f, 0.8f),
                                                 d.z + itsi_hash_range(h, 8, -0.4f, 0.9f)));
        struct itsi_vec3 u = itsi_unit(
            itsi_cross(n, itsi_vec3(itsi_hash_range(h, 9, -1, 1), itsi_hash_range(h, 10, -1, 1), 0.3f)));
        struct itsi_vec3 v = itsi_cross(n, u);
#define AT(a, k)                                                                                                       \
    itsi_vec3(p.x + (u.x * (a) + v.x * (k)) * size, p.y + (u.y * (a) + v.y * (k)) * size,                              \
              p.z + (u.z * (a) + v.z * (k)) * size)
        int mat = itsi_hash_unit(h, 11) < 0.45f  ? ITSI_MAT_CLOTH1
                  : itsi_hash_unit(h, 11) < 0.8f ? ITSI_MAT_CLOTH2
                                                 : ITSI_MAT_CARGO;
        itsi_mesh_tri(m, AT(-1, -0.6f), AT(1, -0.7f), AT(0.1f, 1), mat);
        itsi_mesh_tri(m, AT(-0.9f, 0.5f), AT(0.2f, -1), AT(1, 0.7f), mat);
#undef AT
    }
    m->limb = ITSI_LIMB_NONE;
}

void itsi_build_leaves(struct itsi_builder *b)
{
    float k = itsi_hash_range(b->h, 2, 0.75f, 1.3f),
          autumn = itsi_hash_unit(b->h, 3) < 0.2f ? itsi_hash_range(b->h, 4, 0.3f, 1) : 0;
    struct itsi_rgb green = itsi_mix(itsi_rgb(0.15f, 0.26f, 0.08f), itsi_rgb(0.42f, 0.30f, 0.10f), autumn);
    b->actor.palette[ITSI_MAT_CLOTH1] = itsi_scale(green, k);
    b->actor.palette[ITSI_MAT_CLOTH2] = itsi_scale(green, k * 0.6f);
    b->actor.palette[ITSI_MAT_CARGO] = itsi_scale(green, k * 1.35f);
    itsi_build_colour(b, ITSI_MAT_TRIM, 0.20f, 0.16f, 0.12f);
}

void itsi_build_tree(struct itsi_builder *b, float x, float y, float height, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    itsi_build_leaves(b);
    float r = height * itsi_hash_range(h, 5, 0.22f, 0.34f), trunk = height * 0.045f;
    itsi_mesh_tube(&b->mesh, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, height * 0.6f), trunk, trunk * 0.6f, 6, ITSI_MAT_TRIM,
                   false);
    itsi_build_crown(b, itsi_vec3(0, 0, height * 0.64f), r, height * 0.36f,
                     b->actor.distance < 45    ? 1050
                     : b->actor.distance < 100 ? 420
                                               : 130);
    itsi_build_finish(b, 9);
}

void itsi_build_bush(struct itsi_builder *b, float x, float y, float size, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    itsi_build_leaves(b);
    itsi_build_crown(b, itsi_vec3(0, 0, size * 0.45f), size, size * 0.7f, b->actor.distance < 40 ? 400 : 90);
    itsi_build_finish(b, 9);
}

void itsi_build_twigs(struct itsi_builder *b, uint64_t h)
{
    const struct itsi_camera *cam = &b->scene->cam;
    itsi_build_begin(b, 0, 0, h);
    itsi_build_leaves(b);
    float away = itsi_hash_range(h, 1, 2.5f, 5), half = cam->cx / cam->focal * away;
    float right = half * (itsi_hash_unit(h, 2) < 0.5f ? 1.0f : -1.0f) * itsi_hash_range(h, 3, 0.6f, 1.1f);
    float up = half * itsi_hash_range(h, 4, 0.3f, 0.7f);
    b->actor.pos = itsi_vec3(cam->pos.x + cam->forward.x * away + cam->right.x * right + cam->up.x * up,
                             cam->pos.y + cam->forward.y * away + cam->right.y * right + cam->up.y * up,
                             cam->pos.z + cam->forward.z * away + cam->right.z * right + cam->up.z * up);
    float size = half * itsi_hash_range(h, 5, 0.15f, 0.4f);
    itsi_build_crown(b, itsi_vec3(0, 0, 0), size, size, 70);
    itsi_build_finish(b, 0);
}

/* Steel rail on posts, in one piece per stretch so that it follows the bend. */
void itsi_build_rail(struct itsi_builder *b, float x, float y0, float y1, bool concrete, uint64_t h)
{
    for (float y = y0; y < y1; y += 8) {
        itsi_build_begin(b, x, y, h);
        struct itsi_mesh *m = &b->mesh;
        if (concrete) {
            itsi_build_colour(b, ITSI_MAT_CARGO, 0.55f, 0.54f, 0.51f);
            itsi_mesh_solid(m, itsi_vec3(-0.28f, 0, 0), itsi_vec3(0.28f, 8.05f, 0.3f), ITSI_MAT_CARGO);
            itsi_mesh_solid(m, itsi_vec3(-0.14f, 0, 0.3f), itsi_vec3(0.14f, 8.05f, 0.95f), ITSI_MAT_CARGO);
        } else {
            for (int k = 0; k < 2; k++) {
                float py = (float)k * 4;
                itsi_mesh_solid(m, itsi_vec3(-0.05f, py, 0), itsi_vec3(0.05f, py + 0.1f, 0.75f), ITSI_MAT_METAL);
            }
            itsi_mesh_solid(m, itsi_vec3(-0.09f, 0, 0.46f), itsi_vec3(0.09f, 8.05f, 0.59f), ITSI_MAT_METAL);
            itsi_mesh_solid(m, itsi_vec3(-0.09f, 0, 0.65f), itsi_vec3(0.09f, 8.05f, 0.78f), ITSI_MAT_METAL);
        }
        itsi_build_finish(b, 4.5f);
    }
}

void itsi_build_lamp(struct itsi_builder *b, float x, float y, float reach, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    float top = itsi_hash_range(b->scene->seed, 620, 7, 11);
    itsi_build_colour(b, ITSI_MAT_METAL, 0.36f, 0.37f, 0.38f);
    itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, top), 0.10f, 0.06f, 6, ITSI_MAT_METAL, false);
    itsi_mesh_tube(m, itsi_vec3(0, 0, top), itsi_vec3(reach, 0, top + 0.3f), 0.05f, 0.04f, 5, ITSI_MAT_METAL, false);
    m->lamp_head[0] = itsi_vec3(reach, 0, top + 0.2f);
    itsi_mesh_solid(m, itsi_vec3(reach - 0.35f, -0.13f, top + 0.22f), itsi_vec3(reach + 0.35f, 0.13f, top + 0.36f),
                    ITSI_MAT_TRIM);
    itsi_build_finish(b, 4.5f);
}

void itsi_build_lettering(struct itsi_builder *b, float y, float x0, float x1, float z0, float z1, uint64_t h)
{
    int rows = 1 + itsi_hash_below(h, 1, 3);
    for (int r = 0; r < rows; r++) {
        float zh = (z1 - z0) / (float)rows, z = z0 + zh * ((float)r + 0.25f), x = x0 + (x1 - x0) * 0.1f;
        for (int i = 0; x < x1 - (x1 - x0) * 0.15f && i < 24; i++) {
            float w = itsi_hash_range(h, (uint64_t)(r * 32 + i), 0.2f, 0.5f) * zh;
            itsi_mesh_panel_y(&b->mesh, y, -1, x, x + w, z, z + zh * 0.5f, ITSI_MAT_ACCENT);
            x += w + zh * 0.18f;
        }
    }
}

static void sign_colours(struct itsi_builder *b)
{
    static const float board[4][3] = {
        {0.05f, 0.15f, 0.48f}, {0.03f, 0.32f, 0.17f}, {0.80f, 0.80f, 0.78f}, {0.55f, 0.35f, 0.05f}};
    const float *c = board[itsi_hash_below(itsi_hash_unit(b->h, 90) < 0.4f ? b->h : b->scene->seed, 621, 4)];
    itsi_build_colour(b, ITSI_MAT_CARGO, c[0], c[1], c[2]);
    float ink = c[0] > 0.5f ? 0.08f : 0.88f;
    itsi_build_colour(b, ITSI_MAT_ACCENT, ink, ink, ink);
    itsi_build_colour(b, ITSI_MAT_METAL, 0.40f, 0.41f, 0.42f);
}

void itsi_build_gantry(struct itsi_builder *b, float x0, float x1, float y, uint64_t h)
{
    itsi_build_begin(b, 0, y, h);
    sign_colours(b);
    struct itsi_mesh *m = &b->mesh;
    itsi_mesh_tube(m, itsi_vec3(x0, 0, 0), itsi_vec3(x0, 0, 7), 0.2f, 0.2f, 8, ITSI_MAT_METAL, false);
    itsi_mesh_tube(m, itsi_vec3(x1, 0, 0), itsi_vec3(x1, 0, 7), 0.2f, 0.2f, 8, ITSI_MAT_METAL, false);
    itsi_mesh_solid(m, itsi_vec3(x0, -0.25f, 6.3f), itsi_vec3(x1, 0.25f, 6.9f), ITSI_MAT_METAL);
    int boards = 1 + itsi_hash_below(h, 1, 3);
    for (int i = 0; i < boards; i++) {
        float a = x0 + (x1 - x0) * ((float)i + 0.15f) / (float)boards, e = a + (x1 - x0) * 0.7f / (float)boards;
        e = itsi_minf(e, a + 5);
        itsi_mesh_solid(m, itsi_vec3(a, -0.4f, 5.4f), itsi_vec3(e, -0.28f, 7.9f), ITSI_MAT_CARGO);
        itsi_build_lettering(b, -0.4f, a, e, 5.5f, 7.8f, itsi_hash(h, (uint64_t)(10 + i)));
    }
    itsi_build_finish(b, 4.5f);
}

void itsi_build_sign(struct itsi_builder *b, float x, float y, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    sign_colours(b);
    bool board = itsi_hash_unit(h, 2) < 0.5f;
    float z = board ? 1.6f : 2.1f;
    itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, z + 0.6f), 0.045f, 0.045f, 6, ITSI_MAT_METAL, false);
    if (board) {
        itsi_mesh_solid(m, itsi_vec3(-0.9f, -0.08f, z), itsi_vec3(0.9f, -0.03f, z + 1.2f), ITSI_MAT_CARGO);
        itsi_build_lettering(b, -0.08f, -0.9f, 0.9f, z + 0.05f, z + 1.15f, h);
    } else {
        itsi_build_colour(b, ITSI_MAT_TAIL, 0.65f, 0.06f, 0.06f);
        itsi_mesh_tube(m, itsi_vec3(0, -0.05f, z + 0.35f), itsi_vec3(0, -0.07f, z + 0.35f), 0.36f, 0.36f, 14,
                       ITSI_MAT_TAIL, true);
        m->bias = 3;
        itsi_mesh_tube(m, itsi_vec3(0, -0.07f, z + 0.35f), itsi_vec3(0, -0.08f, z + 0.35f), 0.26f, 0.26f, 14,
                       ITSI_MAT_PLATE, true);
        m->bias = 0;
    }
    itsi_build_finish(b, 4.5f);
}

void itsi_build_signal(struct itsi_builder *b, float x, float y, float reach, uint64_t h)
{
    itsi_build_begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    itsi_build_colour(b, ITSI_MAT_METAL, 0.30f, 0.31f, 0.31f);
    itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, 5.6f), 0.09f, 0.08f, 6, ITSI_MAT_METAL, false);
    itsi_mesh_tube(m, itsi_vec3(0, 0, 5.5f), itsi_vec3(reach, 0, 5.6f), 0.06f, 0.05f, 5, ITSI_MAT_METAL, false);
    for (int k = 0; k < 2; k++) {
        float sx = k ? reach : 0, z = k ? 4.8f : 2.6f;
        itsi_mesh_solid(m, itsi_vec3(sx - 0.17f, -0.2f, z), itsi_vec3(sx + 0.17f, 0.1f, z + 0.95f), ITSI_MAT_TRIM);
    }
    itsi_build_finish(b, 4.5f);
}

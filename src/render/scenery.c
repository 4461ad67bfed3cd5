/* What stands along the roads: rails, lamp posts, signs, trees, houses. Drawn once into the background, with its depth
 * kept so that traffic passes in front of it or behind. */
#include "render/render_impl.h"

#include <math.h>
#include <string.h>

struct builder {
    const struct itsi_scene *scene;
    itsi_scenery_sink *sink;
    void *arg;
    struct itsi_actor actor; /* its mesh is rebuilt for each thing */
    struct itsi_mesh mesh;
    uint64_t h;
    int rc;
};

/* Readies an empty mesh that will stand at (x, y) of the straight road, turned with the road's bend. */
static void begin(struct builder *b, float x, float y, uint64_t h)
{
    struct itsi_mesh *m = &b->mesh;
    m->pos_count = m->nrm_count = m->face_count = 0;
    m->detail = m->limb = m->bias = 0;
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

static void finish(struct builder *b, bool shadow)
{
    /* Whoever hangs up a camera sees to it that nothing stands right before it. */
    if (b->rc < 0 || b->actor.distance < (shadow ? 9 : 4.5f))
        return;
    if (b->mesh.failed) {
        b->rc = ITS_ENOMEM;
        return;
    }
    itsi_mesh_finish(&b->mesh);
    b->actor.mesh = &b->mesh;
    b->actor.id = shadow;
    b->rc = b->sink(b->arg, &b->actor);
}

static void colour(struct builder *b, int mat, float r, float g, float bl)
{
    b->actor.palette[mat] = itsi_rgb(r, g, bl);
}

/* A crown of loose leaf clusters, each a small two-sided square. */
static void crown(struct builder *b, struct itsi_vec3 c, float rx, float rz, int leaves)
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

static void leaf_colours(struct builder *b)
{
    float k = itsi_hash_range(b->h, 2, 0.75f, 1.3f),
          autumn = itsi_hash_unit(b->h, 3) < 0.2f ? itsi_hash_range(b->h, 4, 0.3f, 1) : 0;
    struct itsi_rgb green = itsi_mix(itsi_rgb(0.15f, 0.26f, 0.08f), itsi_rgb(0.42f, 0.30f, 0.10f), autumn);
    b->actor.palette[ITSI_MAT_CLOTH1] = itsi_scale(green, k);
    b->actor.palette[ITSI_MAT_CLOTH2] = itsi_scale(green, k * 0.6f);
    b->actor.palette[ITSI_MAT_CARGO] = itsi_scale(green, k * 1.35f);
    colour(b, ITSI_MAT_TRIM, 0.20f, 0.16f, 0.12f);
}

static void tree(struct builder *b, float x, float y, float height, uint64_t h)
{
    begin(b, x, y, h);
    leaf_colours(b);
    float r = height * itsi_hash_range(h, 5, 0.22f, 0.34f), trunk = height * 0.045f;
    itsi_mesh_tube(&b->mesh, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, height * 0.6f), trunk, trunk * 0.6f, 6, ITSI_MAT_TRIM,
                   false);
    crown(b, itsi_vec3(0, 0, height * 0.64f), r, height * 0.36f,
          b->actor.distance < 45    ? 1500
          : b->actor.distance < 100 ? 420
                                    : 130);
    finish(b, true);
}

static void bush(struct builder *b, float x, float y, float size, uint64_t h)
{
    begin(b, x, y, h);
    leaf_colours(b);
    crown(b, itsi_vec3(0, 0, size * 0.45f), size, size * 0.7f, b->actor.distance < 40 ? 400 : 90);
    finish(b, true);
}

/* Steel rail on posts, in one piece per stretch so that it follows the bend. */
static void rail(struct builder *b, float x, float y0, float y1, bool concrete, uint64_t h)
{
    for (float y = y0; y < y1; y += 8) {
        begin(b, x, y, h);
        struct itsi_mesh *m = &b->mesh;
        if (concrete) {
            colour(b, ITSI_MAT_CARGO, 0.55f, 0.54f, 0.51f);
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
        finish(b, false);
    }
}

static void lamp_post(struct builder *b, float x, float y, float reach, uint64_t h)
{
    begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    float top = itsi_hash_range(b->scene->seed, 620, 7, 11);
    colour(b, ITSI_MAT_METAL, 0.36f, 0.37f, 0.38f);
    itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, top), 0.10f, 0.06f, 6, ITSI_MAT_METAL, false);
    itsi_mesh_tube(m, itsi_vec3(0, 0, top), itsi_vec3(reach, 0, top + 0.3f), 0.05f, 0.04f, 5, ITSI_MAT_METAL, false);
    itsi_mesh_solid(m, itsi_vec3(reach - 0.35f, -0.13f, top + 0.22f), itsi_vec3(reach + 0.35f, 0.13f, top + 0.36f),
                    ITSI_MAT_TRIM);
    finish(b, false);
}

static void lettering(struct builder *b, float y, float x0, float x1, float z0, float z1, uint64_t h)
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

static void sign_colours(struct builder *b)
{
    static const float board[4][3] = {
        {0.05f, 0.15f, 0.48f}, {0.03f, 0.32f, 0.17f}, {0.80f, 0.80f, 0.78f}, {0.55f, 0.35f, 0.05f}};
    const float *c = board[itsi_hash_below(b->scene->seed, 621, 3)];
    colour(b, ITSI_MAT_CARGO, c[0], c[1], c[2]);
    float ink = c[0] > 0.5f ? 0.08f : 0.88f;
    colour(b, ITSI_MAT_ACCENT, ink, ink, ink);
    colour(b, ITSI_MAT_METAL, 0.40f, 0.41f, 0.42f);
}

static void gantry(struct builder *b, float x0, float x1, float y, uint64_t h)
{
    begin(b, 0, y, h);
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
        lettering(b, -0.4f, a, e, 5.5f, 7.8f, itsi_hash(h, (uint64_t)(10 + i)));
    }
    finish(b, false);
}

static void sign(struct builder *b, float x, float y, uint64_t h)
{
    begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    sign_colours(b);
    bool board = itsi_hash_unit(h, 2) < 0.5f;
    float z = board ? 1.6f : 2.1f;
    itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, z + 0.6f), 0.045f, 0.045f, 6, ITSI_MAT_METAL, false);
    if (board) {
        itsi_mesh_solid(m, itsi_vec3(-0.9f, -0.08f, z), itsi_vec3(0.9f, -0.03f, z + 1.2f), ITSI_MAT_CARGO);
        lettering(b, -0.08f, -0.9f, 0.9f, z + 0.05f, z + 1.15f, h);
    } else {
        colour(b, ITSI_MAT_TAIL, 0.65f, 0.06f, 0.06f);
        itsi_mesh_tube(m, itsi_vec3(0, -0.05f, z + 0.35f), itsi_vec3(0, -0.07f, z + 0.35f), 0.36f, 0.36f, 14,
                       ITSI_MAT_TAIL, true);
        m->bias = 3;
        itsi_mesh_tube(m, itsi_vec3(0, -0.07f, z + 0.35f), itsi_vec3(0, -0.08f, z + 0.35f), 0.26f, 0.26f, 14,
                       ITSI_MAT_PLATE, true);
        m->bias = 0;
    }
    finish(b, false);
}

static void signal_post(struct builder *b, float x, float y, float reach, uint64_t h)
{
    begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    colour(b, ITSI_MAT_METAL, 0.30f, 0.31f, 0.31f);
    itsi_mesh_tube(m, itsi_vec3(0, 0, 0), itsi_vec3(0, 0, 5.6f), 0.09f, 0.08f, 6, ITSI_MAT_METAL, false);
    itsi_mesh_tube(m, itsi_vec3(0, 0, 5.5f), itsi_vec3(reach, 0, 5.6f), 0.06f, 0.05f, 5, ITSI_MAT_METAL, false);
    for (int k = 0; k < 2; k++) {
        float sx = k ? reach : 0, z = k ? 4.8f : 2.6f;
        itsi_mesh_solid(m, itsi_vec3(sx - 0.17f, -0.2f, z), itsi_vec3(sx + 0.17f, 0.1f, z + 0.95f), ITSI_MAT_TRIM);
    }
    finish(b, false);
}

/* What is behind a pane: mostly dark, sometimes a blind or a curtain. */
static int pane(uint64_t h) { return itsi_hash_unit(h, 1) < 0.75f ? ITSI_MAT_GLASS : ITSI_MAT_CLOTH1; }

static void window_x(struct builder *b, float at, float y0, float y1, float z0, float z1, uint64_t h)
{
    b->mesh.bias = 3;
    itsi_mesh_panel_x(&b->mesh, at, y0 - 0.09f, y1 + 0.09f, z0 - 0.09f, z1 + 0.09f, ITSI_MAT_BODY2);
    b->mesh.bias = 6;
    itsi_mesh_panel_x(&b->mesh, at, y0, y1, z0, z1, ITSI_MAT_GLASS);
    b->mesh.bias = 9;
    itsi_mesh_panel_x(&b->mesh, at, y0, y1, z0 + (z1 - z0) * itsi_hash_range(h, 2, 0.2f, 0.7f), z1, pane(h));
    b->mesh.bias = 0;
}

static void window_y(struct builder *b, float at, float x0, float x1, float z0, float z1, uint64_t h)
{
    b->mesh.bias = 3;
    itsi_mesh_panel_y(&b->mesh, at, -1, x0 - 0.09f, x1 + 0.09f, z0 - 0.09f, z1 + 0.09f, ITSI_MAT_BODY2);
    b->mesh.bias = 6;
    itsi_mesh_panel_y(&b->mesh, at, -1, x0, x1, z0, z1, ITSI_MAT_GLASS);
    b->mesh.bias = 9;
    itsi_mesh_panel_y(&b->mesh, at, -1, x0, x1, z0 + (z1 - z0) * itsi_hash_range(h, 2, 0.2f, 0.7f), z1, pane(h));
    b->mesh.bias = 0;
}

/* A house of floors with windows on all sides. */
static void house(struct builder *b, float x, float y, float w, float d, uint64_t h)
{
    begin(b, x, y, h);
    struct itsi_mesh *m = &b->mesh;
    int floors = 2 + itsi_hash_below(h, 1, 5);
    float storey = itsi_hash_range(h, 2, 2.9f, 3.5f), top = storey * (float)floors + 0.8f;
    float k = itsi_hash_range(h, 3, 0.35f, 0.8f), warm = itsi_hash_range(h, 4, -0.02f, 0.12f);
    colour(b, ITSI_MAT_CARGO, k + warm, k, k - warm);
    float frame = itsi_hash_unit(h, 8) < 0.5f ? 0.75f : k * 0.6f;
    colour(b, ITSI_MAT_BODY2, frame, frame * 0.98f, frame * 0.95f);
    colour(b, ITSI_MAT_CLOTH1, 0.55f, 0.52f, 0.46f);
    itsi_mesh_box(m, itsi_vec3(-w / 2, -d / 2, 0), itsi_vec3(w / 2, d / 2, top),
                  (int[6]){ITSI_MAT_CARGO, ITSI_MAT_CARGO, ITSI_MAT_CARGO, ITSI_MAT_CARGO, -1, ITSI_MAT_TRIM});
    float pitch = itsi_hash_range(h, 6, 1.7f, 3.2f), glass = pitch * itsi_hash_range(h, 7, 0.4f, 0.7f);
    for (int f = 0; f < floors; f++) {
        float z0 = storey * (float)f + (f ? 0.9f : 0.4f), z1 = storey * (float)(f + 1) - 0.4f,
              gw = f ? glass : pitch * 0.85f;
        for (float at = -d / 2 + pitch * 0.3f; at + gw < d / 2; at += pitch)
            window_x(b, w / 2, at, at + gw, z0, z1, itsi_hash(h, (uint64_t)(f * 64 + (int)(at * 4) + 9000)));
        for (float at = -w / 2 + pitch * 0.3f; at + gw < w / 2; at += pitch)
            window_y(b, -d / 2, at, at + gw, z0, z1, itsi_hash(h, (uint64_t)(f * 64 + (int)(at * 4) + 9500)));
        if (f == 1) {
            itsi_mesh_panel_x(m, w / 2, -d / 2, d / 2, storey - 0.35f, storey + 0.3f, ITSI_MAT_BODY2);
            itsi_mesh_panel_x(m, w / 2 + 0.02f, -d * 0.3f, d * 0.2f, storey - 0.25f, storey + 0.2f, ITSI_MAT_ACCENT);
        }
    }
    finish(b, false);
}

static void motorway(struct builder *b)
{
    const struct itsi_scene *s = b->scene;
    uint64_t seed = s->seed;
    float l = s->road.left, r = s->road.right, far = s->far;
    bool wall = itsi_hash_unit(seed, 600) < 0.5f;
    rail(b, r + 0.8f, 2, far, false, seed);
    rail(b, l - 0.8f, 2, far, false, seed);
    float median = itsi_hash_range(itsi_hash(seed, 1000), 2, 0.8f, 3.2f);
    rail(b, wall || median < 1.5f ? 0 : median * 0.5f, 2, far, wall, seed);
    if (!wall && median >= 1.5f)
        rail(b, -median * 0.5f, 2, far, false, seed);
    float density = itsi_hash_range(seed, 601, 0.1f, 0.9f);
    for (int side = -1; side <= 1; side += 2) {
        float edge = side > 0 ? r : l;
        for (float y = 8; y < far; y += 7) {
            uint64_t h = itsi_hash(seed, (uint64_t)(2000 + (int)y * 2 + side));
            if (itsi_hash_unit(h, 1) < density)
                tree(b, edge + (float)side * itsi_hash_range(h, 2, 7, 22), y + itsi_hash_range(h, 3, 0, 6),
                     itsi_hash_range(h, 4, 4, 12), h);
            if (itsi_hash_unit(h, 5) < density)
                bush(b, edge + (float)side * itsi_hash_range(h, 6, 3, 7), y, itsi_hash_range(h, 7, 0.7f, 1.8f), h);
        }
    }
    if (itsi_hash_unit(seed, 602) < 0.5f)
        for (float y = 20; y < 250; y += 35)
            lamp_post(b, 0.6f, y, itsi_hash_unit(seed, 603) < 0.5f ? 2.5f : -2.5f, seed);
    if (itsi_hash_unit(seed, 604) < 0.5f)
        gantry(b, 0, r + 1.6f, itsi_hash_range(seed, 605, 70, 160), seed);
    for (int i = 0; i < 4; i++)
        sign(b, r + 2.2f, itsi_hash_range(seed, (uint64_t)(610 + i), 15, 150), itsi_hash(seed, (uint64_t)(630 + i)));
}

static void town_side(struct builder *b, float x, float sgn, float y0, float y1, bool trees)
{
    uint64_t seed = b->scene->seed;
    for (float y = y0; y < y1;) {
        uint64_t h = itsi_hash(seed, (uint64_t)(4000 + (int)(y * 4) * 2 + (sgn > 0)));
        float d = itsi_hash_range(h, 10, 10, 24), w = itsi_hash_range(h, 11, 9, 16);
        if (itsi_hash_unit(h, 12) < 0.8f)
            house(b, x + sgn * (w * 0.5f + 1.0f), y + d * 0.5f, w, d, h);
        else
            tree(b, x + sgn * 4, y + d * 0.5f, itsi_hash_range(h, 13, 6, 11), h);
        y += d + itsi_hash_range(h, 14, 0, 3);
    }
    for (float y = y0 + 3; y < y1; y += 13) {
        uint64_t h = itsi_hash(seed, (uint64_t)(5000 + (int)y * 2 + (sgn > 0)));
        float kerb = x - sgn * itsi_hash_range(seed, 640, 1.9f, 2.3f);
        if (trees && itsi_hash_unit(h, 1) < 0.6f)
            tree(b, kerb, y, itsi_hash_range(h, 2, 5, 8), h);
        else if (itsi_hash_unit(h, 3) < 0.5f)
            lamp_post(b, kerb, y, -sgn * 2, h);
        else if (itsi_hash_unit(h, 4) < 0.6f)
            sign(b, kerb, y + 2, h);
    }
}

static void street(struct builder *b)
{
    const struct itsi_scene *s = b->scene;
    float walk = s->road.strip[1].x1 - s->road.strip[1].x0;
    bool trees = itsi_hash_unit(s->seed, 650) < 0.5f;
    town_side(b, s->road.right + walk, 1, 6, s->far, trees);
    town_side(b, s->road.left - walk, -1, 6, s->far, trees);
}

static void crossroads(struct builder *b)
{
    const struct itsi_scene *s = b->scene;
    float walk = s->road.strip[1].x1 - s->road.strip[1].x0, a = s->road.right, c = s->cross.right, mid = s->cross_y;
    bool trees = itsi_hash_unit(s->seed, 651) < 0.5f;
    for (int side = -1; side <= 1; side += 2) {
        float f = (float)side, x = f * (a + walk);
        town_side(b, x, f, mid + c + walk + 1, s->far, trees);
        /* Down the crossing road. */
        for (int k = 1; k < 5; k++) {
            uint64_t h = itsi_hash(s->seed, (uint64_t)(6000 + k * 2 + (side > 0)));
            float w = 18, d = itsi_hash_range(h, 10, 10, 16);
            house(b, x + f * (9 + 20 * (float)k), mid + c + walk + 1 + d * 0.5f, w, d, h);
        }
        signal_post(b, f * (a + 0.6f), mid + f * (c + 4.5f), -f * 4, itsi_hash(s->seed, 660));
        signal_post(b, f * (a + 0.6f), mid - f * (c + 4.5f), -f * 1.5f, itsi_hash(s->seed, 661));
        sign(b, f * (a + 1.2f), mid + c + 7, itsi_hash(s->seed, (uint64_t)(670 + side)));
        for (int k = 0; k < 3; k++) {
            uint64_t h = itsi_hash(s->seed, (uint64_t)(680 + k * 2 + (side > 0)));
            if (itsi_hash_unit(h, 1) < 0.6f)
                bush(b, x + f * itsi_hash_range(h, 2, 2, 12), mid - c - walk - itsi_hash_range(h, 3, 2, 8),
                     itsi_hash_range(h, 4, 0.8f, 1.6f), h);
        }
    }
}

int itsi_scenery(const struct itsi_scene *scene, itsi_scenery_sink *sink, void *arg)
{
    struct builder b = {.scene = scene, .sink = sink, .arg = arg};
    if (scene->kind == 'm')
        motorway(&b);
    else if (scene->kind == 's')
        street(&b);
    else
        crossroads(&b);
    itsi_mesh_fini(&b.mesh);
    return b.rc;
}

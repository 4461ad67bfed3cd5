/* Meshes: the pieces that vehicles, people and scenery are put together from. */
#include "render/draw.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

void itsi_mesh_fini(struct itsi_mesh *m)
{
    itsi_free(m->pos);
    itsi_free(m->nrm);
    itsi_free(m->face);
    memset(m, 0, sizeof *m);
}

/* Room for one more element; false (and failed set) when memory or the 16-bit indices run out. */
static bool grow(struct itsi_mesh *m, void **data, int count, int *cap, size_t size)
{
    if (m->failed)
        return false;
    if (count < *cap)
        return true;
    int wanted = *cap ? *cap * 2 : 1024;
    void *bigger = count < 65535 ? itsi_realloc(*data, (size_t)wanted * size) : NULL;
    if (!bigger) {
        m->failed = true;
        return false;
    }
    *data = bigger;
    *cap = wanted;
    return true;
}

int itsi_mesh_vertex(struct itsi_mesh *m, struct itsi_vec3 p)
{
    if (!grow(m, (void **)&m->pos, m->pos_count, &m->pos_cap, sizeof *m->pos))
        return 0;
    m->pos[m->pos_count] = p;
    return m->pos_count++;
}

static int add_normal(struct itsi_mesh *m, struct itsi_vec3 n)
{
    if (!grow(m, (void **)&m->nrm, m->nrm_count, &m->nrm_cap, sizeof *m->nrm))
        return 0;
    m->nrm[m->nrm_count] = n;
    return m->nrm_count++;
}

static void add_face(struct itsi_mesh *m, const int v[3], const int n[3], int mat)
{
    if (!grow(m, (void **)&m->face, m->face_count, &m->face_cap, sizeof *m->face))
        return;
    struct itsi_face *f = &m->face[m->face_count++];
    for (int i = 0; i < 3; i++) {
        f->v[i] = (uint16_t)v[i];
        f->n[i] = (uint16_t)n[i];
    }
    f->mat = (uint8_t)mat;
    f->detail = m->detail;
    f->limb = m->limb;
    f->bias = m->bias;
}

void itsi_mesh_tri(struct itsi_mesh *m, struct itsi_vec3 a, struct itsi_vec3 b, struct itsi_vec3 c, int mat)
{
    int n = add_normal(m, itsi_unit(itsi_cross(itsi_sub(b, a), itsi_sub(c, a))));
    int ia = itsi_mesh_vertex(m, a), ib = itsi_mesh_vertex(m, b), ic = itsi_mesh_vertex(m, c);
    add_face(m, (int[3]){ia, ib, ic}, (int[3]){n, n, n}, mat);
}

void itsi_mesh_quad(struct itsi_mesh *m, struct itsi_vec3 a, struct itsi_vec3 b, struct itsi_vec3 c, struct itsi_vec3 d,
                    int mat)
{
    int n = add_normal(m, itsi_unit(itsi_cross(itsi_sub(c, a), itsi_sub(d, b))));
    int ia = itsi_mesh_vertex(m, a), ib = itsi_mesh_vertex(m, b);
    int ic = itsi_mesh_vertex(m, c), id = itsi_mesh_vertex(m, d);
    add_face(m, (int[3]){ia, ib, ic}, (int[3]){n, n, n}, mat);
    add_face(m, (int[3]){ia, ic, id}, (int[3]){n, n, n}, mat);
}

void itsi_mesh_box(struct itsi_mesh *m, struct itsi_vec3 lo, struct itsi_vec3 hi, const int mats[6])
{
    struct itsi_vec3 p[8];
    for (int i = 0; i < 8; i++)
        p[i] = itsi_vec3(i & 1 ? hi.x : lo.x, i & 2 ? hi.y : lo.y, i & 4 ? hi.z : lo.z);
    static const uint8_t side[6][4] = {{2, 0, 4, 6}, {1, 3, 7, 5}, {0, 1, 5, 4},
                                       {3, 2, 6, 7}, {2, 3, 1, 0}, {4, 5, 7, 6}};
    for (int s = 0; s < 6; s++)
        if (mats[s] >= 0)
            itsi_mesh_quad(m, p[side[s][0]], p[side[s][1]], p[side[s][2]], p[side[s][3]], mats[s]);
}

void itsi_mesh_solid(struct itsi_mesh *m, struct itsi_vec3 lo, struct itsi_vec3 hi, int mat)
{
    itsi_mesh_box(m, lo, hi, (int[6]){mat, mat, mat, mat, mat, mat});
}

void itsi_mesh_panel_y(struct itsi_mesh *m, float at, int facing, float x0, float x1, float z0, float z1, int mat)
{
    uint8_t bias = m->bias;
    m->bias = bias ? bias : 3;
    if (facing > 0)
        itsi_mesh_quad(m, itsi_vec3(x1, at, z0), itsi_vec3(x0, at, z0), itsi_vec3(x0, at, z1), itsi_vec3(x1, at, z1),
                       mat);
    else
        itsi_mesh_quad(m, itsi_vec3(x0, at, z0), itsi_vec3(x1, at, z0), itsi_vec3(x1, at, z1), itsi_vec3(x0, at, z1),
                       mat);
    m->bias = bias;
}

void itsi_mesh_panel_x(struct itsi_mesh *m, float at, float y0, float y1, float z0, float z1, int mat)
{
    uint8_t bias = m->bias;
    m->bias = bias ? bias : 3;
    itsi_mesh_quad(m, itsi_vec3(at, y0, z0), itsi_vec3(at, y1, z0), itsi_vec3(at, y1, z1), itsi_vec3(at, y0, z1), mat);
    itsi_mesh_quad(m, itsi_vec3(-at, y1, z0), itsi_vec3(-at, y0, z0), itsi_vec3(-at, y0, z1), itsi_vec3(-at, y1, z1),
                   mat);
    m->bias = bias;
}

static struct itsi_vec3 add(struct itsi_vec3 a, struct itsi_vec3 b)
{
    return itsi_vec3(a.x + b.x, a.y + b.y, a.z + b.z);
}

/* Normal of a grid's cell; cells that have collapsed to a line give a zero vector. */
static struct itsi_vec3 cell_normal(const struct itsi_vec3 *grid, int points, int r, int p)
{
    const struct itsi_vec3 *a = &grid[r * points + p], *b = a + points;
    return itsi_cross(itsi_sub(a[1], b[0]), itsi_sub(b[1], a[0]));
}

static bool is_pane(int mat) { return mat == ITSI_MAT_GLASS || mat == ITSI_MAT_SCREEN; }

struct loft {
    const struct itsi_vec3 *grid;
    const int8_t *mats;
    int rings, points;
};

/* Normal at a corner of a cell: the mean over the cells there that continue its surface. */
static struct itsi_vec3 corner_normal(const struct loft *l, int r, int p, int corner_r, int corner_p)
{
    struct itsi_vec3 own = itsi_unit(cell_normal(l->grid, l->points, r, p)), sum = own;
    int mat = l->mats[r * (l->points - 1) + p];
    for (int dr = -1; dr <= 0; dr++)
        for (int dp = -1; dp <= 0; dp++) {
            int cell_r = corner_r + dr, cell_p = corner_p + dp;
            if ((cell_r == r && cell_p == p) || cell_r < 0 || cell_r >= l->rings - 1 || cell_p < 0 ||
                cell_p >= l->points - 1)
                continue;
            int other = l->mats[cell_r * (l->points - 1) + cell_p];
            if (other != mat && (is_pane(mat) || is_pane(other)))
                continue;
            struct itsi_vec3 n = itsi_unit(cell_normal(l->grid, l->points, cell_r, cell_p));
            if (itsi_dot(n, own) > 0.42f)
                sum = add(sum, n);
        }
    return itsi_unit(sum);
}

void itsi_mesh_loft(struct itsi_mesh *m, const struct itsi_vec3 *grid, int rings, int points, const int8_t *mats)
{
    const struct loft l = {grid, mats, rings, points};
    int base = m->pos_count;
    for (int i = 0; i < rings * points; i++)
        itsi_mesh_vertex(m, grid[i]);
    for (int r = 0; r + 1 < rings && !m->failed; r++)
        for (int p = 0; p + 1 < points; p++) {
            int mat = mats[r * (points - 1) + p];
            if (mat < 0)
                continue;
            int v[4], n[4];
            for (int i = 0; i < 4; i++) { /* from the rear ring's first point round to the front ring's */
                int cr = r + (i < 2), cp = p + (i == 1 || i == 2);
                v[i] = base + cr * points + cp;
                n[i] = add_normal(m, corner_normal(&l, r, p, cr, cp));
            }
            add_face(m, (int[3]){v[0], v[2], v[1]}, (int[3]){n[0], n[2], n[1]}, mat);
            add_face(m, (int[3]){v[0], v[3], v[2]}, (int[3]){n[0], n[3], n[2]}, mat);
        }
}

void itsi_mesh_cap(struct itsi_mesh *m, const struct itsi_vec3 *ring, int points, int facing, int mat)
{
    /* Pairs of mirrored points make strips, which suits the symmetric, slightly concave outlines used here. */
    for (int i = 0; i + 1 < points / 2 + points % 2; i++) {
        struct itsi_vec3 r0 = ring[i], r1 = ring[i + 1], l0 = ring[points - 1 - i], l1 = ring[points - 2 - i];
        if (facing > 0)
            itsi_mesh_quad(m, r0, l0, l1, r1, mat);
        else
            itsi_mesh_quad(m, l0, r0, r1, l1, mat);
    }
}

void itsi_mesh_tube(struct itsi_mesh *m, struct itsi_vec3 a, struct itsi_vec3 b, float ra, float rb, int sides, int mat,
                    bool caps)
{
    struct itsi_vec3 axis = itsi_unit(itsi_sub(b, a));
    struct itsi_vec3 other = axis.z > 0.7f || axis.z < -0.7f ? itsi_vec3(1, 0, 0) : itsi_vec3(0, 0, 1);
    struct itsi_vec3 u = itsi_unit(itsi_cross(axis, other)), w = itsi_cross(axis, u);
    int va[33], vb[33], n[33];
    sides = sides > 32 ? 32 : sides < 3 ? 3 : sides;
    for (int i = 0; i < sides; i++) {
        double angle = 6.283185307179586 * i / sides;
        float c = (float)itsi_cosine(angle), s = (float)itsi_sine(angle);
        struct itsi_vec3 d = itsi_vec3(u.x * c + w.x * s, u.y * c + w.y * s, u.z * c + w.z * s);
        va[i] = itsi_mesh_vertex(m, itsi_vec3(a.x + d.x * ra, a.y + d.y * ra, a.z + d.z * ra));
        vb[i] = itsi_mesh_vertex(m, itsi_vec3(b.x + d.x * rb, b.y + d.y * rb, b.z + d.z * rb));
        n[i] = add_normal(m, d);
    }
    va[sides] = va[0], vb[sides] = vb[0], n[sides] = n[0];
    for (int i = 0; i < sides; i++) {
        add_face(m, (int[3]){va[i], va[i + 1], vb[i + 1]}, (int[3]){n[i], n[i + 1], n[i + 1]}, mat);
        add_face(m, (int[3]){va[i], vb[i + 1], vb[i]}, (int[3]){n[i], n[i + 1], n[i]}, mat);
    }
    if (!caps)
        return;
    int na = add_normal(m, itsi_vec3(-axis.x, -axis.y, -axis.z)), nb = add_normal(m, axis);
    for (int i = 1; i + 1 < sides; i++) {
        add_face(m, (int[3]){va[0], va[i + 1], va[i]}, (int[3]){na, na, na}, mat);
        add_face(m, (int[3]){vb[0], vb[i], vb[i + 1]}, (int[3]){nb, nb, nb}, mat);
    }
}

void itsi_mesh_ball(struct itsi_mesh *m, struct itsi_vec3 c, float rx, float ry, float rz, int mat)
{
    enum { RINGS = 5, POINTS = 8 };
    struct itsi_vec3 grid[RINGS * POINTS];
    int8_t mats[(RINGS - 1) * (POINTS - 1)];
    memset(mats, mat, sizeof mats);
    for (int r = 0; r < RINGS; r++)
        for (int p = 0; p < POINTS; p++) {
            double across = 6.283185307179586 * p / (POINTS - 1), along = 3.141592653589793 * r / (RINGS - 1);
            float s = (float)itsi_sine(along);
            grid[r * POINTS + p] =
                itsi_vec3(c.x + rx * s * (float)itsi_cosine(across), c.y + ry * (float)itsi_cosine(along),
                          c.z + rz * s * (float)itsi_sine(across));
        }
    itsi_mesh_loft(m, grid, RINGS, POINTS, mats);
}

void itsi_mesh_disc_x(struct itsi_mesh *m, float x, float y, float z, float r, int sides, int mat)
{
    int n = add_normal(m, itsi_vec3(x > 0 ? 1.0f : -1.0f, 0, 0)), v[33];
    sides = sides > 32 ? 32 : sides < 3 ? 3 : sides;
    for (int i = 0; i < sides; i++) {
        double angle = (x > 0 ? 6.283185307179586 : -6.283185307179586) * i / sides;
        v[i] = itsi_mesh_vertex(m, itsi_vec3(x, y + r * (float)itsi_cosine(angle), z + r * (float)itsi_sine(angle)));
    }
    for (int i = 1; i + 1 < sides; i++)
        add_face(m, (int[3]){v[0], v[i], v[i + 1]}, (int[3]){n, n, n}, mat);
}

/* Dark gaps in a rim: n small discs round its middle. */
static void rim_gaps(struct itsi_mesh *m, float x, float y, float r, int n, float size)
{
    for (int i = 0; i < n; i++) {
        double angle = 6.283185307179586 * i / n + 0.3;
        itsi_mesh_disc_x(m, x, y + (float)itsi_cosine(angle) * r * 0.42f, r + (float)itsi_sine(angle) * r * 0.42f,
                         r * size, 4, ITSI_MAT_UNDER);
    }
}

void itsi_mesh_wheel(struct itsi_mesh *m, float x, float y, float r, float w, int rim)
{
    static const float share[4] = {0.5f, 0.68f, 0.70f, 0.62f};
    float inner = x > 0 ? x - w : x + w, out = x > 0 ? 0.012f : -0.012f;
    uint8_t bias = m->bias, detail = m->detail;
    itsi_mesh_tube(m, itsi_vec3(inner, y, r), itsi_vec3(x, y, r), r, r, 12, ITSI_MAT_TYRE, false);
    itsi_mesh_disc_x(m, x, y, r, r, 12, ITSI_MAT_TYRE);
    m->bias = (uint8_t)(bias + 2);
    m->detail = detail > 1 ? detail : 1;
    itsi_mesh_disc_x(m, x + out, y, r, r * share[rim], 10, ITSI_MAT_RIM);
    m->detail = 4;
    m->bias = (uint8_t)(bias + 4);
    if (rim == 0)
        itsi_mesh_disc_x(m, x + out * 2, y, r, r * 0.26f, 8, ITSI_MAT_TRIM);
    else if (rim < 3)
        rim_gaps(m, x + out * 2, y, r, rim == 1 ? 5 : 9, rim == 1 ? 0.17f : 0.09f);
    m->detail = detail;
    m->bias = bias;
}

int itsi_list_vertices(struct itsi_list *list, int count)
{
    if (count <= list->vertex_cap)
        return 0;
    struct itsi_vertex *bigger = itsi_realloc(list->vertex, (size_t)count * 2 * sizeof *bigger);
    if (!bigger)
        return ITS_ENOMEM;
    list->vertex = bigger;
    list->vertex_cap = count * 2;
    return 0;
}

void itsi_mesh_finish(struct itsi_mesh *m)
{
    m->length = m->width = m->height = 0;
    for (int i = 0; i < m->pos_count; i++) {
        m->length = itsi_maxf(m->length, fabsf(m->pos[i].y) * 2);
        m->width = itsi_maxf(m->width, fabsf(m->pos[i].x) * 2);
        m->height = itsi_maxf(m->height, m->pos[i].z);
    }
}

void itsi_mesh_finish_as(struct itsi_mesh *m, float length, float width)
{
    itsi_mesh_finish(m);
    m->length = length;
    m->width = width;
}

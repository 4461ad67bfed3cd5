/* The shadows that standing things cast on the ground: each face moved along the sunlight to where it meets z = 0.
 * Leaves make dappled shade, masts thin lines, houses and bridges whole fields of dark. */
#include "render/draw.h"

#include <math.h>

#define NEAR 0.4f

struct seen {
    float right, up, forward;
};

/* Appends the shadow of one triangle; only its outline and darkness count. */
static void append(struct itsi_list *list, const struct itsi_camera *cam, const struct seen *a, const struct seen *b,
                   const struct seen *c, float dark)
{
    const struct seen *in[3] = {a, b, c};
    struct itsi_tri t = {.c = {dark, 0, 0}};
    for (int i = 0; i < 3; i++) {
        float w = 1 / in[i]->forward;
        t.x[i] = floorf((cam->cx + cam->focal * in[i]->right * w) * 16 + 0.5f) / 16;
        t.y[i] = floorf((cam->cy - cam->focal * in[i]->up * w) * 16 + 0.5f) / 16;
    }
    for (int pass = 0; pass < 3; pass++) { /* by rising y */
        int k = pass & 1;
        if (t.y[k] > t.y[k + 1]) {
            float x = t.x[k], y = t.y[k];
            t.x[k] = t.x[k + 1], t.y[k] = t.y[k + 1];
            t.x[k + 1] = x, t.y[k + 1] = y;
        }
    }
    if (list->count < list->cap && t.y[0] < t.y[2] && t.y[2] > 0)
        list->tri[list->count++] = t;
}

static struct seen cut(const struct seen *a, const struct seen *b)
{
    float t = (NEAR - a->forward) / (b->forward - a->forward);
    return (struct seen){itsi_mixf(a->right, b->right, t), itsi_mixf(a->up, b->up, t), NEAR};
}

static void clip_and_append(struct itsi_list *list, const struct itsi_camera *cam, const struct seen in[3], float dark)
{
    struct seen out[4];
    int n = 0;
    for (int i = 0; i < 3; i++) {
        const struct seen *a = &in[i], *b = &in[(i + 1) % 3];
        if (a->forward >= NEAR)
            out[n++] = *a;
        if ((a->forward >= NEAR) != (b->forward >= NEAR))
            out[n++] = cut(a, b);
    }
    for (int i = 1; i + 1 < n; i++)
        append(list, cam, &out[0], &out[i], &out[i + 1], dark);
}

void itsi_cast_faces(struct itsi_list *list, const struct itsi_camera *cam, const struct itsi_air *air,
                     const struct itsi_actor *a)
{
    const struct itsi_mesh *m = a->mesh;
    float slant = itsi_maxf(air->sun.z, 0.15f), dark = 250 * itsi_minf(air->shadow, 1);
    for (int i = 0; i < m->face_count; i++) {
        const struct itsi_face *f = &m->face[i];
        struct itsi_vec3 n = m->nrm[f->n[0]];
        n = itsi_vec3(n.x * a->cos_yaw - n.y * a->sin_yaw, n.x * a->sin_yaw + n.y * a->cos_yaw, n.z);
        /* Of a closed body the lit half is enough; panels lie on one. */
        if (f->bias > 0 || (f->limb != ITSI_LIMB_LEAF && itsi_dot(n, air->sun) <= 0))
            continue;
        struct seen s[3];
        for (int k = 0; k < 3; k++) {
            struct itsi_vec3 p = m->pos[f->v[k]];
            float x = a->pos.x + p.x * a->cos_yaw - p.y * a->sin_yaw,
                  y = a->pos.y + p.x * a->sin_yaw + p.y * a->cos_yaw;
            float z = itsi_maxf(p.z + a->pos.z, 0);
            struct itsi_vec3 d = itsi_vec3(x - air->sun.x / slant * z - cam->pos.x,
                                           y - air->sun.y / slant * z - cam->pos.y, -cam->pos.z);
            s[k] = (struct seen){itsi_dot(d, cam->right), itsi_dot(d, cam->up), itsi_dot(d, cam->forward)};
        }
        clip_and_append(list, cam, s, dark);
    }
}

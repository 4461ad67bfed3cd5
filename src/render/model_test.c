#include "render/draw.h"

#include "support/check.h"

#include <math.h>
#include <stdlib.h>

/* Metres that the models of a class stay within. */
static const struct range {
    const char *name;
    int first, count;
    float length[2], width[2], height[2];
} ranges[] = {
    {"van", ITSI_FIRST_VAN, ITSI_VAN_MODELS, {4.8f, 6.7f}, {1.7f, 2.1f}, {1.6f, 3.2f}},
    {"car", ITSI_FIRST_CAR, ITSI_CAR_MODELS, {3.1f, 5.4f}, {1.4f, 2.1f}, {1.2f, 2.5f}},
    {"truck", ITSI_FIRST_TRUCK, ITSI_TRUCK_MODELS, {5.4f, 16.6f}, {1.9f, 2.7f}, {2.0f, 4.1f}},
    {"bus", ITSI_FIRST_BUS, ITSI_BUS_MODELS, {6.0f, 18.5f}, {1.9f, 2.7f}, {2.4f, 4.8f}},
    {"motorcycle", ITSI_FIRST_MOTO, ITSI_MOTO_MODELS, {1.6f, 2.6f}, {0.6f, 1.0f}, {1.0f, 1.5f}},
    {"bicycle", ITSI_FIRST_BIKE, ITSI_BIKE_MODELS, {1.5f, 2.0f}, {0.4f, 0.8f}, {0.9f, 1.2f}},
    {"person", ITSI_FIRST_PERSON, ITSI_PERSON_MODELS, {0.3f, 0.7f}, {0.3f, 0.8f}, {1.0f, 1.85f}},
};

static struct itsi_models *build(uint64_t seed)
{
    struct itsi_models *m = calloc(1, sizeof *m);
    assert_non_null(m);
    itsi_model_vans(m, seed);
    itsi_model_cars(m, seed);
    itsi_model_trucks(m, seed);
    itsi_model_buses(m, seed);
    itsi_model_people(m);
    return m;
}

static void release(struct itsi_models *m)
{
    for (int i = 0; i < ITSI_MODELS; i++)
        itsi_mesh_fini(&m->mesh[i]);
    free(m);
}

static void check_mesh(const struct itsi_mesh *m, const struct range *r, int i, uint64_t seed)
{
    assert_false(m->failed);
    if (m->length < r->length[0] || m->length > r->length[1] || m->width < r->width[0] || m->width > r->width[1] ||
        m->height < r->height[0] || m->height > r->height[1])
        fail_msg("%s %d of seed %d measures %g x %g x %g m", r->name, i, (int)seed, (double)m->length, (double)m->width,
                 (double)m->height);
    float lowest = 1;
    for (int k = 0; k < m->pos_count; k++) {
        assert_true(isfinite(m->pos[k].x) && isfinite(m->pos[k].y) && isfinite(m->pos[k].z));
        lowest = itsi_minf(lowest, m->pos[k].z);
    }
    if (lowest < -0.02f || lowest > 0.02f)
        fail_msg("%s %d of seed %d stands at %g m", r->name, i, (int)seed, (double)lowest);
    for (int k = 0; k < m->face_count; k++)
        for (int c = 0; c < 3; c++) {
            assert_in_range(m->face[k].v[c], 0, m->pos_count - 1);
            assert_in_range(m->face[k].n[c], 0, m->nrm_count - 1);
            struct itsi_vec3 n = m->nrm[m->face[k].n[c]];
            assert_true(fabsf(itsi_dot(n, n) - 1) < 1e-3f || itsi_dot(n, n) < 1e-6f);
        }
}

static void models_measure_what_they_should(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct itsi_models *m = build(seed);
        for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
            for (int i = 0; i < ranges[r].count; i++)
                check_mesh(&m->mesh[ranges[r].first + i], &ranges[r], i, seed);
        release(m);
    }
}

/* It drives where nothing else that was drawn fits. */
static void the_last_car_is_short(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct itsi_models *m = build(seed);
        assert_true(m->mesh[ITSI_FIRST_CAR + ITSI_CAR_MODELS - 1].length < 4);
        release(m);
    }
}

static void other_seeds_give_other_shapes(void **state)
{
    (void)state;
    struct itsi_models *a = build(1), *b = build(2), *again = build(1);
    int alike = 0;
    for (int i = ITSI_FIRST_VAN; i < ITSI_FIRST_MOTO; i++) {
        const struct itsi_mesh *x = &a->mesh[i], *y = &b->mesh[i], *z = &again->mesh[i];
        alike += fabsf(x->length - y->length) < 1e-4f && x->face_count == y->face_count;
        assert_int_equal(x->pos_count, z->pos_count);
        assert_memory_equal(x->pos, z->pos, (size_t)x->pos_count * sizeof *x->pos);
    }
    assert_true(alike <= 2);
    release(a);
    release(b);
    release(again);
}

/* Paint shows in all its shares: no class is of one colour, none is all bright or all dark. */
static void palettes_vary(void **state)
{
    (void)state;
    for (int cls = 0; cls < ITSI_ROAD_CLASS_COUNT; cls++) {
        int dark = 0, light = 0, tinted = 0;
        for (uint64_t h = 0; h < 500; h++) {
            struct itsi_actor a = {.cls = cls};
            itsi_palette_pick(&a, itsi_hash(h, 5));
            struct itsi_rgb c = a.palette[cls == ITSI_ROAD_PERSON ? ITSI_MAT_CLOTH1 : ITSI_MAT_BODY];
            float top = itsi_maxf(c.r, itsi_maxf(c.g, c.b)), low = itsi_minf(c.r, itsi_minf(c.g, c.b));
            dark += top < 0.25f;
            light += low > 0.55f;
            tinted += top > low * 1.6f;
            for (int m = 0; m < ITSI_MAT_COUNT; m++)
                assert_true(a.palette[m].r > 0 && a.palette[m].g > 0 && a.palette[m].b > 0);
        }
        if (dark < 25 || light < 25 || tinted < 50)
            fail_msg("of 500 of class %d %d are dark, %d light, %d coloured", cls, dark, light, tinted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_measure_what_they_should),
        cmocka_unit_test(the_last_car_is_short),
        cmocka_unit_test(other_seeds_give_other_shapes),
        cmocka_unit_test(palettes_vary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the background keeps beside its pixels: where the sun does not reach. */
#include "render/scene.h"
#include "support/check.h"

struct place {
    struct itsi_scene scene;
    struct itsi_air air;
    struct itsi_back back;
};

static void build(struct place *p, const char *url)
{
    struct itsi_road_params params;
    struct its_diag diag = {{0}};
    *p = (struct place){0};
    CHECK_OK(itsi_road_params_parse(&params, url, &diag), diag);
    itsi_scene_init(&p->scene, &params);
    itsi_air_init(&p->air, &params);
    assert_int_equal(itsi_back_build(&p->back, &p->scene, &p->air, params.width, params.height), 0);
}

/* The least and the most sun that a car gets anywhere on the road and beside it. */
static void extremes(const struct place *p, float *least, float *most)
{
    static const struct itsi_mesh car = {.length = 4.5f, .width = 1.8f, .height = 1.5f};
    *least = 1;
    *most = 0;
    for (float y = 5; y < 80; y += 1.5f)
        for (float x = p->scene.road.left - 3; x < p->scene.road.right + 3; x += 0.5f) {
            struct itsi_actor a = {.mesh = &car, .pos = {x, y, 0}, .cos_yaw = 1, .sy = 1};
            float sun = itsi_back_sun(&p->back, &p->scene.cam, &a);
            assert_true(sun >= 0 && sun <= 1);
            *least = itsi_minf(*least, sun);
            *most = itsi_maxf(*most, sun);
        }
}

static void houses_keep_the_sun_off(void **state)
{
    (void)state;
    struct place p;
    float least, most;
    build(&p, "synth://street?size=320x192&seed=5");
    extremes(&p, &least, &most);
    assert_true(least < 0.4f);
    assert_true(most > 0.99f);
    itsi_back_fini(&p.back);
}

static void at_night_nothing_is_kept_off(void **state)
{
    (void)state;
    struct place p;
    float least, most;
    build(&p, "synth://street?size=320x192&seed=5&light=night");
    extremes(&p, &least, &most);
    assert_true(least > 0.99f && most > 0.99f);
    itsi_back_fini(&p.back);
}

/* Nothing of a tunnel's road is seen beyond its mouth: everything there is farther than what stands before it. */
static void the_tunnel_is_closed(void **state)
{
    (void)state;
    for (int seed = 1; seed <= 4; seed++) {
        char url[96];
        snprintf(url, sizeof url, "synth://tunnel?size=320x192&seed=%d", seed);
        struct place p;
        build(&p, url);
        int inside = 0, hidden = 0;
        for (float x = p.scene.road.left; x < p.scene.road.right; x += 0.5f) {
            float u, v, depth, y = p.scene.portal + 12;
            struct itsi_vec3 at = itsi_vec3(x + p.scene.bend * y * y * 0.5f, y, 1);
            if (!itsi_project(&p.scene.cam, at, &u, &v, &depth))
                continue;
            int px = (int)(u / ITSI_SS), py = (int)(v / ITSI_SS);
            if (u < 0 || v < 0 || px >= 320 || py >= 192)
                continue;
            size_t pixel = (size_t)(py + p.back.margin) * (size_t)p.back.pic.width + (size_t)(px + p.back.margin);
            inside++;
            hidden += p.back.depth[pixel] > 1 / depth;
        }
        assert_int_equal(hidden, inside);
        itsi_back_fini(&p.back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(houses_keep_the_sun_off),
        cmocka_unit_test(at_night_nothing_is_kept_off),
        cmocka_unit_test(the_tunnel_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The parameters of the synthetic road in a URL and as a structure. */
#include "render/road.h"
#include "support/check.h"

static void parameters_are_read(void **state)
{
    (void)state;
    struct itsi_road_params p;
    struct its_diag diag = {{0}};
    CHECK_OK(itsi_road_params_parse(&p, "synth://motorway", &diag), diag);
    assert_string_equal(p.scene, "motorway");
    assert_int_equal(p.width, 1280);
    assert_int_equal(p.height, 720);
    assert_true(p.timecode);
    assert_int_equal(p.view, ITSI_VIEW_USUAL);
    static const char *const views[] = {"usual", "mast", "tele", "overhead", "close", "kerb", "any"};
    for (int i = 0; i <= ITSI_VIEW_ANY; i++) {
        char url[64];
        snprintf(url, sizeof url, "synth://street?view=%s", views[i]);
        CHECK_OK(itsi_road_params_parse(&p, url, &diag), diag);
        assert_int_equal(p.view, i);
    }
    CHECK_OK(itsi_road_params_parse(&p, "synth://tunnel", &diag), diag);
    assert_string_equal(p.scene, "tunnel");
    assert_int_equal(itsi_road_scene_find("plaza"), ITSI_SCENE_PLAZA);
    assert_int_equal(itsi_road_scene_find("carpark"), ITSI_SCENE_CARPARK);
    assert_int_equal(itsi_road_scene_find("mars"), -1);
    CHECK_OK(itsi_road_params_parse(
                 &p,
                 "synth://street?size=640x360&fps=12.5&seed=99&weather=fog&light=glare&traffic=0.5&shake=0"
                 "&noise=2&timecode=0&seconds=20&pace=off&loop=1",
                 &diag),
             diag);
    assert_int_equal(p.width, 640);
    assert_int_equal(p.height, 360);
    CHECK_NEAR(p.fps, 12.5, 0);
    assert_int_equal(p.seed, 99);
    assert_int_equal(p.weather, ITSI_WEATHER_FOG);
    assert_int_equal(p.light, ITSI_LIGHT_GLARE);
    CHECK_NEAR(p.traffic, 0.5, 0);
    CHECK_NEAR(p.shake, 0, 0);
    CHECK_NEAR(p.noise, 2, 0);
    assert_false(p.timecode);
}

static void bad_parameters_are_named(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"synth://moon", "moon", "crossroads, motorway, street, plaza, tunnel, carpark"},
        {"synth://street?weather=hail", "weather=hail", "clear, cloudy, rain, fog"},
        {"synth://street?light=noon", "light=noon", "day, dusk, night, glare"},
        {"synth://street?view=drone", "view=drone", "usual, mast, tele, overhead, close, kerb, any"},
        {"synth://street?size=641x360", "size=641x360", "even"},
        {"synth://street?size=32x32", "size=32x32", "64"},
        {"synth://street?size=640", "size=640", "WIDTHxHEIGHT"},
        {"synth://street?size=640x360x2", "size=640x360x2", "WIDTHxHEIGHT"},
        {"synth://street?size=99999999999x360", "size=99999999999x360", "4096"},
        {"synth://street?fps=0", "fps=0", "1 to 120"},
        {"synth://street?fps=nan", "fps=nan", "1 to 120"},
        {"synth://street?fps=", "fps=", "1 to 120"},
        {"synth://street?traffic=-1", "traffic=-1", "0 to 4"},
        {"synth://street?mix=1.5", "mix=1.5", "0 to 1"},
        {"synth://street?shake=x", "shake=x", "0 to 10"},
        {"synth://street?noise=11", "noise=11", "0 to 10"},
        {"synth://street?seed=-3", "seed=-3", "whole numbers"},
        {"synth://street?timecode=maybe", "timecode=maybe", "0, 1"},
        {"synth://street?wether=rain", "wether", "weather"},
        {"synth://street?siz", "siz", "size"},
        {"synth://street/extra", "/extra", "scene"},
        {"rtsp://street", "rtsp", "synth://"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct itsi_road_params p = {.width = 7};
        struct its_diag diag = {{0}};
        assert_int_equal(itsi_road_params_parse(&p, bad[i][0], &diag), ITS_EINVAL);
        CHECK_CONTAINS(diag.text, bad[i][1]);
        CHECK_CONTAINS(diag.text, bad[i][2]);
        assert_int_equal(p.width, 7); /* untouched */
    }
}

static void bad_structures_are_refused(void **state)
{
    (void)state;
    struct itsi_road_params p;
    struct its_diag diag = {{0}};
    struct itsi_road *road = NULL;
    itsi_road_params_default(&p);
    p.width = 63;
    assert_int_equal(itsi_road_create(&road, &p, &diag), ITS_EINVAL);
    itsi_road_params_default(&p);
    strcpy(p.scene, "mars");
    assert_int_equal(itsi_road_create(&road, &p, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "mars");
    CHECK_CONTAINS(diag.text, "crossroads, motorway, street, plaza, tunnel, carpark");
    itsi_road_params_default(&p);
    p.view = (enum itsi_road_view)99;
    assert_int_equal(itsi_road_create(&road, &p, &diag), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "view 99");
    itsi_road_params_default(&p);
    p.fps = 0;
    assert_int_equal(itsi_road_create(&road, &p, &diag), ITS_EINVAL);
    assert_null(road);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(bad_parameters_are_named),
        cmocka_unit_test(bad_structures_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

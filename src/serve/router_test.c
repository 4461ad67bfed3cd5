#include "serve/router.h"

#include "support/check.h"

#include <jansson.h>
#include <strings.h>

static void paths_find_their_routes(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum itsi_route route;
        const char *camera;
    } cases[] = {
        {"/metrics", ITSI_ROUTE_METRICS, ""},
        {"/api/v1/cameras", ITSI_ROUTE_CAMERAS, ""},
        {"/api/v1/cameras/gate-7.a_b", ITSI_ROUTE_CAMERA, "gate-7.a_b"},
        {"/api/v1/cameras/c/snapshot.jpg", ITSI_ROUTE_SNAPSHOT, "c"},
        {"/api/v1/cameras/snapshot.jpg/live.mjpg", ITSI_ROUTE_LIVE, "snapshot.jpg"},
        {"/api/v1/cameras/c/detections", ITSI_ROUTE_CAMERA_DETECTIONS, "c"},
        {"/api/v1/cameras/c/quality", ITSI_ROUTE_CAMERA_QUALITY, "c"},
        {"/api/v1/cameras/c/quality/history", ITSI_ROUTE_CAMERA_CHANGES, "c"},
        {"/api/v1/cameras/c/counts", ITSI_ROUTE_CAMERA_COUNTS, "c"},
        {"/api/v1/store/cameras", ITSI_ROUTE_STORE_CAMERAS, ""},
        {"/api/v1/performance/alerts", ITSI_ROUTE_ALERTS, ""},
        {"/api/v1/performance/violations", ITSI_ROUTE_VIOLATIONS, ""},
        {"/api/v1/performance/pools", ITSI_ROUTE_POOLS, ""},
        {"/api/v1/clips", ITSI_ROUTE_CLIPS, ""},
        {"/api/v1/clips/2026-01-31T12-00-00.123Z-gate-7.a_b.mp4", ITSI_ROUTE_CLIP, ""},
        {"/api/v1/clips/", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/clips/..", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/clips/../flight/x.flight", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/clips/2026-01-31T12-00-00.123Z-gate.json", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/clips/2026-01-31T12-00-00.123Z-a/../b.mp4", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/clips/2026-01-31T12-00-00.123Z-gate.mp4.mpegts", ITSI_ROUTE_ASSET, ""},
        {"/", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/cameras/", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/cameras//snapshot.jpg", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/cameras/a b", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/cameras/../../etc/passwd", ITSI_ROUTE_ASSET, ""},
        {"/api/v1/cameras/c/snapshot.jpgx", ITSI_ROUTE_ASSET, ""},
        {"/metricsx", ITSI_ROUTE_ASSET, ""},
        {"", ITSI_ROUTE_ASSET, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct itsi_match match;
        itsi_router_match(cases[i].path, &match);
        if (match.route != cases[i].route || strcmp(match.camera, cases[i].camera) != 0)
            fail_msg("%s went to %s with '%s'", cases[i].path, itsi_route_pattern(match.route), match.camera);
    }
}

static void ids_have_a_limit(void **state)
{
    (void)state;
    char path[128] = "/api/v1/cameras/";
    struct itsi_match match;
    memset(path + 16, 'a', 64);
    path[80] = '\0';
    itsi_router_match(path, &match);
    assert_int_equal(match.route, ITSI_ROUTE_CAMERA);
    assert_int_equal(strlen(match.camera), 64);
    strcat(path, "a");
    itsi_router_match(path, &match);
    assert_int_equal(match.route, ITSI_ROUTE_ASSET);
}

static void methods(void **state)
{
    (void)state;
    char allow[48];
    assert_int_equal(itsi_method_of("HEAD"), ITSI_GET);
    assert_int_equal(itsi_method_of("PUT"), 0);
    assert_int_equal(itsi_method_of("get"), 0);
    itsi_route_allow(itsi_route_methods(ITSI_ROUTE_CAMERAS), allow);
    assert_string_equal(allow, "GET, HEAD, POST");
    itsi_route_allow(itsi_route_methods(ITSI_ROUTE_CAMERA), allow);
    assert_string_equal(allow, "GET, HEAD, DELETE");
    itsi_route_allow(itsi_route_methods(ITSI_ROUTE_MEASUREMENTS), allow);
    assert_string_equal(allow, "POST");
}

/* openapi.json tells of every route and method, and of nothing else. */
static void description_matches(void **state)
{
    (void)state;
    json_error_t error;
    json_t *root = json_load_file(ITS_OPENAPI_FILE, 0, &error);
    if (!root)
        fail_msg("%s:%d: %s", ITS_OPENAPI_FILE, error.line, error.text);
    json_t *paths = json_object_get(root, "paths");
    assert_int_equal(json_object_size(paths), ITSI_ROUTE_ASSET);
    for (int i = 0; i < ITSI_ROUTE_ASSET; i++) {
        const char *pattern = itsi_route_pattern((enum itsi_route)i), *method;
        json_t *path = json_object_get(paths, pattern), *operation;
        unsigned described = 0;
        if (!path)
            fail_msg("%s is not described", pattern);
        json_object_foreach(path, method, operation)
            described |= strcasecmp(method, "get") == 0      ? ITSI_GET
                         : strcasecmp(method, "post") == 0   ? ITSI_POST
                         : strcasecmp(method, "delete") == 0 ? ITSI_DELETE
                                                             : 128;
        if (described != itsi_route_methods((enum itsi_route)i))
            fail_msg("%s: methods %x are described, %x exist", pattern, described,
                     itsi_route_methods((enum itsi_route)i));
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_routes),
        cmocka_unit_test(ids_have_a_limit),
        cmocka_unit_test(methods),
        cmocka_unit_test(description_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

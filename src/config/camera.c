#include "config/camera.h"

#include "base/diag.h"
#include "base/mem.h"
#include "base/url.h"
#include "config/secret.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

bool itsi_camera_id_valid(const char *id)
{
    size_t len = strlen(id);
    return len >= 1 && len < ITSI_CONFIG_CAMERA_ID_SIZE && strspn(id, ID_CHARS) == len && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

static void camera_fini(struct itsi_config_camera *camera)
{
    itsi_free(camera->url);
    itsi_free(camera->sub_url);
    json_decref(camera->url_given);
    json_decref(camera->sub_url_given);
    *camera = (struct itsi_config_camera){0};
}

void itsi_config_cameras_fini(struct itsi_config_cameras *cameras)
{
    for (size_t i = 0; i < cameras->count; i++)
        camera_fini(&cameras->items[i]);
    itsi_free(cameras->items);
    *cameras = (struct itsi_config_cameras){0};
}

/* Takes the camera over, whatever happens. */
static int append(struct itsi_config_cameras *cameras, struct itsi_config_camera *camera, struct its_diag *diag)
{
    int rc = 0;
    struct itsi_config_camera *items = NULL;
    if (cameras->count >= ITSI_CONFIG_CAMERAS_MAX) {
        rc = itsi_fail(diag, ITS_ELIMIT, "more than %d cameras", ITSI_CONFIG_CAMERAS_MAX);
    } else {
        items = itsi_realloc(cameras->items, (cameras->count + 1) * sizeof *items);
        if (!items)
            rc = itsi_fail(diag, ITS_ENOMEM, "out of memory");
    }
    if (rc != 0) {
        camera_fini(camera);
        return rc;
    }
    cameras->items = items;
    items[cameras->count++] = *camera;
    return 0;
}

static int check_url(const char *url, struct its_diag *diag)
{
    struct itsi_url parsed;
    if (strlen(url) >= ITSI_CONFIG_CAMERA_URL_SIZE)
        return itsi_fail(diag, ITS_EINVAL, "the URL is longer than %d bytes", ITSI_CONFIG_CAMERA_URL_SIZE - 1);
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return itsi_fail(diag, ITS_EINVAL, "the URL holds a control character");
    return itsi_url_parse(&parsed, url, diag);
}

static int set_url(char **url, json_t **kept, json_t *given, const char *dir, char *const *env, struct its_diag *diag)
{
    char *text = NULL;
    int rc = itsi_secret_resolve(given, dir, env, &text, diag);
    if (rc == 0 && text)
        rc = check_url(text, diag);
    json_t *anchored = rc == 0 ? itsi_secret_anchor(given, dir) : NULL;
    if (rc == 0 && !anchored)
        rc = itsi_fail(diag, ITS_ENOMEM, "out of memory");
    if (rc != 0) {
        itsi_free(text);
        return rc;
    }
    itsi_free(*url);
    *url = text;
    *kept = anchored;
    return 0;
}

static int bad(const json_t *value, const char *range, struct its_diag *diag)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    itsi_fail(diag, ITS_EINVAL, "%.80s is not %s", text ? text : "the value", range);
    free(text); /* jansson's */
    return ITS_EINVAL;
}

static int set_id(struct itsi_config_camera *camera, const json_t *value, struct its_diag *diag)
{
    const char *id = json_string_value(value);
    if (!id || !itsi_camera_id_valid(id))
        return bad(value, "1 to 64 of A-Z a-z 0-9 _ . -", diag);
    snprintf(camera->id, sizeof camera->id, "%s", id);
    return 0;
}

static int set_priority(struct itsi_config_camera *camera, const json_t *value, struct its_diag *diag)
{
    json_int_t priority = json_integer_value(value);
    if (!json_is_integer(value) || priority < 0 || priority > ITSI_CONFIG_CAMERA_PRIORITY_MAX)
        return bad(value, "an integer in 0..9", diag);
    camera->priority = (int)priority;
    return 0;
}

static int set_fps(struct itsi_config_camera *camera, const json_t *value, struct its_diag *diag)
{
    double fps = json_number_value(value);
    if (!json_is_number(value) || fps < 0 || fps > ITSI_CONFIG_CAMERA_FPS_MAX)
        return bad(value, "a number in 0..240", diag);
    camera->fps = fps;
    return 0;
}

static int set_key(struct itsi_config_camera *camera, const char *key, json_t *value, const char *dir,
                   char *const *env, struct its_diag *diag)
{
    if (strcmp(key, "id") == 0)
        return set_id(camera, value, diag);
    if (strcmp(key, "url") == 0)
        return set_url(&camera->url, &camera->url_given, value, dir, env, diag);
    if (strcmp(key, "sub_url") == 0)
        return set_url(&camera->sub_url, &camera->sub_url_given, value, dir, env, diag);
    if (strcmp(key, "priority") == 0)
        return set_priority(camera, value, diag);
    if (strcmp(key, "fps") == 0)
        return set_fps(camera, value, diag);
    return itsi_fail(diag, ITS_EINVAL, "unknown key; a camera has id, url, sub_url, priority and fps");
}

static int parse_one(struct itsi_config_camera *camera, json_t *object, const char *dir, char *const *env,
                     struct its_diag *diag)
{
    if (!json_is_object(object))
        return bad(object, "an object with id, url, sub_url, priority and fps", diag);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        int rc = set_key(camera, key, value, dir, env, diag);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "%.100s", key);
    }
    return camera->url ? 0 : itsi_fail(diag, ITS_EINVAL, "has no url");
}

int itsi_config_cameras_parse(struct itsi_config_cameras *cameras, const json_t *array, const char *dir,
                              char *const *env, struct its_diag *diag)
{
    if (!json_is_array(array)) {
        int rc = bad(array, "a list of cameras", diag);
        return itsi_diag_prefix(diag, rc, "cameras");
    }
    size_t i;
    json_t *object;
    json_array_foreach(array, i, object) {
        struct itsi_config_camera camera = {0};
        int rc = parse_one(&camera, object, dir, env, diag);
        if (rc == 0)
            rc = append(cameras, &camera, diag);
        else
            camera_fini(&camera);
        if (rc != 0)
            return itsi_diag_prefix(diag, rc, "cameras[%zu]", i);
    }
    return 0;
}

int itsi_config_cameras_add_text(struct itsi_config_cameras *cameras, const char *text, struct its_diag *diag)
{
    struct itsi_config_camera camera = {.from_command_line = true};
    size_t len = strspn(text, ID_CHARS);
    const char *url = text;
    /* a scheme has a ':' before any '=', so what starts like an id and goes on with '=' is one */
    if (text[len] == '=') {
        if (len < 1 || len >= sizeof camera.id)
            return itsi_fail(diag, ITS_EINVAL, "the camera id is not 1 to 64 of A-Z a-z 0-9 _ . -");
        memcpy(camera.id, text, len);
        url = text + len + 1;
    }
    json_t *given = json_string(url);
    int rc = given ? set_url(&camera.url, &camera.url_given, given, "", NULL, diag)
                   : itsi_fail(diag, ITS_EINVAL, "the URL is not UTF-8 text");
    json_decref(given);
    if (rc == 0 && !camera.url)
        rc = itsi_fail(diag, ITS_EINVAL, "no URL given (want [ID=]URL)");
    if (rc != 0) {
        camera_fini(&camera);
        return rc;
    }
    return append(cameras, &camera, diag);
}

const struct itsi_config_camera *itsi_config_cameras_find(const struct itsi_config_cameras *cameras, const char *id)
{
    for (size_t i = 0; i < cameras->count; i++)
        if (strcmp(cameras->items[i].id, id) == 0)
            return &cameras->items[i];
    return NULL;
}

int itsi_config_cameras_name(struct itsi_config_cameras *cameras, struct its_diag *diag)
{
    int next = 1;
    for (size_t i = 0; i < cameras->count; i++) {
        struct itsi_config_camera *camera = &cameras->items[i];
        char id[ITSI_CONFIG_CAMERA_ID_SIZE];
        if (camera->id[0]) {
            if (itsi_config_cameras_find(cameras, camera->id) != camera)
                return itsi_fail(diag, ITS_EINVAL, "camera id \"%s\" is used twice", camera->id);
            continue;
        }
        do
            snprintf(id, sizeof id, "camera_%03d", next++);
        while (itsi_config_cameras_find(cameras, id));
        memcpy(camera->id, id, sizeof id);
    }
    return 0;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

bool itsi_config_camera_equal(const struct itsi_config_camera *a, const struct itsi_config_camera *b)
{
    return strcmp(a->id, b->id) == 0 && same_text(a->url, b->url) && same_text(a->sub_url, b->sub_url) &&
           a->priority == b->priority && fabs(a->fps - b->fps) < 1e-9;
}

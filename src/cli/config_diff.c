/* config diff A [B]: options and cameras in which two configurations differ. */
#include "cli/cmd_config.h"

#include "config/dump.h"
#include "config/value.h"

#include <stdio.h>

/* {"key": {"a": .., "b": ..}, ...}, redacted; NULL when out of memory. */
static json_t *option_differences(const struct itsi_config *a, const struct itsi_config *b)
{
    json_t *found = json_object();
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        if (itsi_option_equal(&a->cfg, &b->cfg, option))
            continue;
        json_t *pair = json_pack("{s:o, s:o}", "a", itsi_config_shown(a, option), "b", itsi_config_shown(b, option));
        if (json_object_set_new(found, itsi_option_key(option), pair) != 0) {
            json_decref(found);
            return NULL;
        }
    }
    return found;
}

static const char *camera_change(const struct itsi_config_camera *camera, const struct itsi_config_cameras *other,
                                 bool in_a)
{
    const struct itsi_config_camera *twin = itsi_config_cameras_find(other, camera->id);
    if (!twin)
        return in_a ? "only in a" : "only in b";
    return in_a && !itsi_config_camera_equal(camera, twin) ? "differs" : NULL;
}

static json_t *camera_differences(const struct itsi_config *a, const struct itsi_config *b)
{
    json_t *found = json_object();
    const struct itsi_config *sides[2] = {a, b};
    for (int side = 0; side < 2; side++) {
        const struct itsi_config_cameras *cameras = &sides[side]->cameras;
        for (size_t i = 0; i < cameras->count; i++) {
            const char *change = camera_change(&cameras->items[i], &sides[1 - side]->cameras, side == 0);
            if (change && json_object_set_new(found, cameras->items[i].id, json_string(change)) != 0) {
                json_decref(found);
                return NULL;
            }
        }
    }
    return found;
}

static int diff_table(const char *a, const char *b, json_t *options, json_t *cameras)
{
    struct itsi_buf out;
    itsi_buf_init(&out);
    const char *key;
    json_t *value;
    int width = itsi_cmd_config_key_width();
    itsi_buf_printf(&out, "--- %s\n+++ %s\n", a, b);
    json_object_foreach(options, key, value) {
        itsi_buf_printf(&out, "%-*s  ", width, key);
        itsi_cmd_config_add_value(&out, json_incref(json_object_get(value, "a")));
        itsi_buf_puts(&out, " -> ");
        itsi_cmd_config_add_value(&out, json_incref(json_object_get(value, "b")));
        itsi_buf_puts(&out, "\n");
    }
    json_object_foreach(cameras, key, value) {
        itsi_buf_printf(&out, "camera %-*s  %s\n", width - 7, key, json_string_value(value));
    }
    if (json_object_size(options) + json_object_size(cameras) == 0) {
        itsi_buf_reset(&out);
        itsi_buf_puts(&out, "no difference\n");
    }
    bool ok = !out.failed;
    if (ok)
        fputs(out.data, stdout);
    itsi_buf_fini(&out);
    return ok ? ITSI_EXIT_OK : itsi_cmd_config_out_of_memory();
}

static int diff_configs(struct itsi_config_request *request, const struct itsi_config *a, const struct itsi_config *b)
{
    const char *names[2] = {request->words[0], request->count > 1 ? request->words[1] : "in force here"};
    json_t *options = option_differences(a, b), *cameras = camera_differences(a, b);
    int exit_code;
    if (!options || !cameras)
        exit_code = itsi_cmd_config_out_of_memory();
    else if (request->json)
        exit_code = itsi_cmd_config_print_json(json_pack("{s:s, s:s, s:O, s:O}", "a", names[0], "b", names[1],
                                                         "options", options, "cameras", cameras));
    else
        exit_code = diff_table(names[0], names[1], options, cameras);
    json_decref(options);
    json_decref(cameras);
    return exit_code;
}

int itsi_cmd_config_diff(struct itsi_config_request *request)
{
    struct itsi_config *a = NULL, *b = NULL;
    int rc = itsi_cmd_config_load_alone(&a, request->words[0], true, &request->diag);
    if (rc == 0)
        rc = request->count > 1 ? itsi_cmd_config_load_alone(&b, request->words[1], true, &request->diag)
                                : itsi_config_load(&b, &request->args, &request->diag);
    int exit_code = rc == 0 ? diff_configs(request, a, b) : itsi_cmd_config_complain(&request->diag);
    itsi_config_unref(&a);
    itsi_config_unref(&b);
    return exit_code;
}

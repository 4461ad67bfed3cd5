#include "config/dump.h"

#include "base/diag.h"
#include "base/mem.h"
#include "base/replace_file.h"
#include "base/url.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- hiding ------------------------------------------------------------------------------------------------------ */

static json_t *redacted_url(const char *url)
{
    /* "***" may be longer than what it hides */
    size_t size = strlen(url) * 4 + 8;
    char *out = itsi_alloc(size);
    if (!out)
        return NULL;
    itsi_url_redact(url, out, size);
    json_t *shown = json_string(out);
    itsi_free(out);
    return shown;
}

/* A value as people may see it. */
static json_t *hide(const struct itsi_option *option, json_t *value)
{
    const char *text = json_string_value(value);
    if (option->type == ITSI_OPTION_SECRET && text)
        return json_string(*text ? "***" : "");
    if (option->type == ITSI_OPTION_STR && text && strstr(text, "://"))
        return redacted_url(text);
    return json_incref(value);
}

/* What the strongest layer gave for a secret, or null. Borrowed. */
static json_t *given_secret(const struct itsi_config *config, const struct itsi_option *option)
{
    return config->traces[itsi_option_index(option)].value[itsi_config_layer_of(config, option)];
}

json_t *itsi_config_shown(const struct itsi_config *config, const struct itsi_option *option)
{
    if (option->type == ITSI_OPTION_SECRET) {
        json_t *given = given_secret(config, option);
        return given ? hide(option, given) : json_null();
    }
    json_t *value = itsi_option_get(&config->cfg, option), *shown = value ? hide(option, value) : NULL;
    json_decref(value);
    return shown;
}

/* For a file that is loaded again. */
static json_t *revealed(const struct itsi_config *config, const struct itsi_option *option)
{
    if (option->type != ITSI_OPTION_SECRET)
        return itsi_option_get(&config->cfg, option);
    json_t *given = given_secret(config, option);
    if (json_is_string(given) && itsi_config_layer_of(config, option) == ITSI_LAYER_ENVIRONMENT) {
        const char *variable = config->traces[itsi_option_index(option)].where[ITSI_LAYER_ENVIRONMENT];
        return json_pack("{s:s}", "env", variable);
    }
    return given ? json_incref(given) : json_null();
}

/* --- documents --------------------------------------------------------------------------------------------------- */

static json_t *camera_url(json_t *given, bool reveal)
{
    const char *text = json_string_value(given);
    return text && !reveal ? redacted_url(text) : json_incref(given);
}

/* Takes value over; false when it is NULL or there is no memory. */
static bool put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *camera_json(const struct itsi_config_camera *camera, bool reveal)
{
    json_t *object = json_object();
    bool ok = object && put(object, "id", json_string(camera->id)) &&
              put(object, "url", camera_url(camera->url_given, reveal));
    if (ok && camera->sub_url)
        ok = put(object, "sub_url", camera_url(camera->sub_url_given, reveal));
    if (ok && camera->priority != 0)
        ok = put(object, "priority", json_integer(camera->priority));
    if (ok && camera->fps > 0)
        ok = put(object, "fps", json_real(camera->fps));
    if (!ok) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool put_cameras(json_t *root, const struct itsi_config_cameras *cameras, bool reveal)
{
    json_t *array = json_array();
    for (size_t i = 0; i < cameras->count; i++) {
        if (json_array_append_new(array, camera_json(&cameras->items[i], reveal)) != 0) {
            json_decref(array);
            return false;
        }
    }
    return put(root, "cameras", array);
}

/* The object an option's key belongs into: the root, or its section's, made when missing. Borrowed. */
static json_t *home_of(json_t *root, const struct itsi_option *option)
{
    if (itsi_option_is_general(option))
        return root;
    json_t *section = json_object_get(root, option->section);
    if (!section && put(root, option->section, json_object()))
        section = json_object_get(root, option->section);
    return section;
}

static bool put_option(json_t *root, const struct itsi_config *config, const struct itsi_option *option, int flags)
{
    json_t *home = home_of(root, option);
    json_t *value = flags & ITSI_DUMP_REVEAL ? revealed(config, option) : itsi_config_shown(config, option);
    if (home)
        return put(home, option->field, value);
    json_decref(value);
    return false;
}

json_t *itsi_config_json(const struct itsi_config *config, int flags)
{
    json_t *root = json_object();
    bool ok = root != NULL;
    for (size_t i = 0; ok && i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        bool wanted = flags & ITSI_DUMP_FULL || strcmp(option->full_key, "general.strategy") == 0 ||
                      itsi_config_layer_of(config, option) >= ITSI_LAYER_FILE;
        ok = !wanted || put_option(root, config, option, flags);
    }
    if (ok && config->cameras.count > 0)
        ok = put_cameras(root, &config->cameras, flags & ITSI_DUMP_REVEAL);
    if (!ok) {
        json_decref(root);
        return NULL;
    }
    return root;
}

int itsi_config_text(const struct itsi_config *config, int flags, struct itsi_buf *out)
{
    json_t *root = itsi_config_json(config, flags);
    if (!root)
        return ITS_ENOMEM;
    itsi_json_pretty(out, root);
    itsi_buf_puts(out, "\n");
    json_decref(root);
    return out->failed ? ITS_ENOMEM : 0;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

int itsi_config_write(const struct itsi_config *config, int flags, const char *path, struct its_diag *diag)
{
    struct itsi_buf text;
    itsi_buf_init(&text);
    int rc = itsi_config_text(config, flags, &text);
    rc = rc == 0 ? itsi_replace_file(path, &text, diag) : itsi_fail(diag, rc, "out of memory");
    itsi_buf_fini(&text);
    return rc;
}

/* --- explaining -------------------------------------------------------------------------------------------------- */

static json_t *layers_json(const struct itsi_config *config, const struct itsi_option *option)
{
    const struct itsi_config_trace *trace = &config->traces[itsi_option_index(option)];
    json_t *layers = json_array();
    if (json_array_append_new(layers, json_pack("{s:s, s:n, s:o}", "layer", "default", "where", "value",
                                                itsi_option_default(option))) != 0) {
        json_decref(layers);
        return NULL;
    }
    for (int layer = ITSI_LAYER_STRATEGY; layer < ITSI_LAYER_COUNT; layer++) {
        if (!trace->value[layer])
            continue;
        json_t *entry = json_pack("{s:s, s:s, s:o}", "layer", itsi_config_layer_name((enum itsi_config_layer)layer),
                                  "where", trace->where[layer], "value", hide(option, trace->value[layer]));
        if (json_array_append_new(layers, entry) != 0) {
            json_decref(layers);
            return NULL;
        }
    }
    return layers;
}

json_t *itsi_config_explain(const struct itsi_config *config, const struct itsi_option *option)
{
    char range[512], flat[ITSI_OPTION_NAME_SIZE], nested[ITSI_OPTION_NAME_SIZE], source[256];
    itsi_option_range(option, range, sizeof range);
    itsi_option_env_flat(option, flat);
    itsi_option_env_nested(option, nested);
    itsi_config_source(config, option, source, sizeof source);
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:[s,s], s:s, s:s, s:s, s:o}", "key", itsi_option_key(option),
                     "value", itsi_config_shown(config, option), "default", itsi_option_default(option), "type",
                     itsi_option_type_name(option), "range", range, "unit", option->unit, "environment", flat, nested,
                     "applies", option->live ? "live" : "restart", "help", option->help, "source", source, "layers",
                     layers_json(config, option));
}

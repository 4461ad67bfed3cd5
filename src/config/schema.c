/* The table as a JSON Schema (2020-12), for editors and for checks outside of this program. It cannot say how options
 * must fit together; `config validate` can. */
#include "config/dump.h"

#include "config/camera.h"
#include "config/value.h"

#include <string.h>

static json_t *secret_type(bool may_unset)
{
    json_t *any = json_pack("[{s:s}, {s:s, s:{s:{s:s}}, s:[s], s:b}, {s:s, s:{s:{s:s}}, s:[s], s:b}]", "type", "string",
                            "type", "object", "properties", "file", "type", "string", "required", "file",
                            "additionalProperties", 0, "type", "object", "properties", "env", "type", "string",
                            "required", "env", "additionalProperties", 0);
    if (may_unset && json_array_append_new(any, json_pack("{s:s}", "type", "null")) != 0) {
        json_decref(any);
        return NULL;
    }
    return json_pack("{s:o}", "anyOf", any);
}

static json_t *enum_type(const struct itsi_option *option)
{
    json_t *words = json_array();
    char word[64];
    for (int i = 0; itsi_option_word(option, i, word, sizeof word); i++) {
        if (json_array_append_new(words, json_string(word)) != 0) {
            json_decref(words);
            return NULL;
        }
    }
    return json_pack("{s:o}", "enum", words);
}

static json_t *type_of(const struct itsi_option *option)
{
    json_int_t low = (json_int_t)option->min, high = (json_int_t)option->max;
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case ITSI_OPTION_INT:
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", low, "maximum", high);
    case ITSI_OPTION_FLOAT:
        return json_pack("{s:s, s:f, s:f}", "type", "number", "minimum", option->min, "maximum", option->max);
    case ITSI_OPTION_ENUM:
        return enum_type(option);
    case ITSI_OPTION_STR:
        return option->def_text ? json_pack("{s:s, s:i}", "type", "string", "minLength", 1)
                                : json_pack("{s:[s,s]}", "type", "string", "null");
    case ITSI_OPTION_SECRET:
        return secret_type(true);
    case ITSI_OPTION_LIST:
        return json_pack("{s:s, s:{s:s, s:i}}", "type", "array", "items", "type", "string", "minLength", 1);
    case ITSI_OPTION_MAP:
        return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type", "integer");
    case ITSI_OPTION_PAIR:
        return json_pack("{s:s, s:{s:s, s:I, s:I}, s:i, s:i}", "type", "array", "items", "type", "integer", "minimum",
                         low, "maximum", high, "minItems", 2, "maxItems", 2);
    }
    return NULL;
}

static bool put(json_t *object, const char *key, json_t *value) { return json_object_set_new(object, key, value) == 0; }

static bool add_option(json_t *properties, const struct itsi_option *option)
{
    json_t *row = type_of(option);
    bool ok = row && put(row, "default", itsi_option_default(option)) &&
              put(row, "description", json_sprintf("%s%s%s%s", option->help, option->unit[0] ? " (" : "", option->unit,
                                                   option->unit[0] ? ")" : ""));
    if (ok)
        return put(properties, option->field, row);
    json_decref(row);
    return false;
}

/* An object that allows the rows of one section. */
static json_t *section_schema(const struct itsi_option_section *section)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < itsi_option_count; i++) {
        if (strcmp(itsi_options[i].section, section->name) == 0 && !add_option(properties, &itsi_options[i])) {
            json_decref(properties);
            return NULL;
        }
    }
    return json_pack("{s:s, s:s, s:o, s:b}", "description", section->help, "type", "object", "properties", properties,
                     "additionalProperties", 0);
}

static json_t *cameras_schema(void)
{
    json_t *camera = json_pack("{s:{s:s, s:s}, s:o, s:o, s:{s:s, s:i, s:i}, s:{s:s, s:i, s:f}}", "id", "type", "string",
                               "pattern", "^[A-Za-z0-9_.-]{1,64}$", "url", secret_type(false), "sub_url",
                               secret_type(false), "priority", "type", "integer", "minimum", 0, "maximum",
                               ITSI_CONFIG_CAMERA_PRIORITY_MAX, "fps", "type", "number", "minimum", 0, "maximum",
                               ITSI_CONFIG_CAMERA_FPS_MAX);
    return json_pack("{s:s, s:s, s:i, s:{s:s, s:o, s:[s], s:b}}", "description", "The cameras", "type", "array",
                     "maxItems", ITSI_CONFIG_CAMERAS_MAX, "items", "type", "object", "properties", camera, "required",
                     "url", "additionalProperties", 0);
}

json_t *itsi_config_schema(void)
{
    /* the first section of the table is "general": its rows are the root's own */
    json_t *root = section_schema(&itsi_option_sections[0]), *properties = json_object_get(root, "properties");
    bool ok = root && put(root, "$schema", json_string("https://json-schema.org/draft/2020-12/schema")) &&
              put(root, "title", json_string("ITS Camera AI configuration"));
    for (size_t i = 1; ok && i < itsi_option_section_count; i++)
        ok = put(properties, itsi_option_sections[i].name, section_schema(&itsi_option_sections[i]));
    if (ok && put(properties, "cameras", cameras_schema()))
        return root;
    json_decref(root);
    return NULL;
}

#include "config/value.h"
#include "config/value_impl.h"

#include "base/diag.h"
#include "base/mem.h"

#include <string.h>

static void *field(struct its_cfg *cfg, const struct itsi_option *option) { return (char *)cfg + option->offset; }
static const void *field_const(const struct its_cfg *cfg, const struct itsi_option *option)
{
    return (const char *)cfg + option->offset;
}

static size_t field_size(const struct itsi_option *option)
{
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        return sizeof(bool);
    case ITSI_OPTION_INT:
        return sizeof(int64_t);
    case ITSI_OPTION_FLOAT:
        return sizeof(double);
    case ITSI_OPTION_ENUM:
        return sizeof(int);
    case ITSI_OPTION_STR:
    case ITSI_OPTION_SECRET:
        return sizeof(char *);
    case ITSI_OPTION_LIST:
        return sizeof(struct itsi_str_list);
    case ITSI_OPTION_MAP:
        return sizeof(struct itsi_str_map);
    case ITSI_OPTION_PAIR:
        return 2 * sizeof(int64_t);
    }
    return 0;
}

void itsi_option_clear(struct its_cfg *cfg, const struct itsi_option *option)
{
    if (option->type == ITSI_OPTION_STR || option->type == ITSI_OPTION_SECRET)
        itsi_free(*(char **)field(cfg, option));
    else if (option->type == ITSI_OPTION_LIST)
        itsi_str_list_fini(field(cfg, option));
    else if (option->type == ITSI_OPTION_MAP)
        itsi_str_map_fini(field(cfg, option));
    memset(field(cfg, option), 0, field_size(option));
}

/* --- JSON to the struct ------------------------------------------------------------------------------------------ */

static bool in_range(const struct itsi_option *option, double value)
{
    return value >= option->min && value <= option->max;
}

/* Strings end up in paths, headers and logs: no control characters, and a length that fits their buffers. */
static bool is_clean(const char *text)
{
    size_t len = 0;
    for (; text[len]; len++)
        if ((unsigned char)text[len] < 0x20 || text[len] == 0x7f || len >= ITSI_OPTION_TEXT_MAX)
            return false;
    return true;
}

static int nomem(struct its_diag *diag) { return itsi_fail(diag, ITS_ENOMEM, "out of memory"); }

static int set_string(char **to, const struct itsi_option *option, const json_t *value, struct its_diag *diag)
{
    bool may_unset = option->type == ITSI_OPTION_SECRET || !option->def_text;
    const char *text = json_string_value(value);
    if (json_is_null(value) || (text && !*text)) {
        if (!may_unset)
            return itsi_option_wrong_json(option, value, diag);
        itsi_free(*to);
        *to = NULL;
        return 0;
    }
    if (!text)
        return itsi_option_wrong_json(option, value, diag);
    if (!is_clean(text))
        return itsi_fail(diag, ITS_EINVAL, "the text holds a control character or is longer than %d bytes",
                         ITSI_OPTION_TEXT_MAX);
    char *copy = itsi_strdup(text);
    if (!copy)
        return nomem(diag);
    itsi_free(*to);
    *to = copy;
    return 0;
}

static int set_list(struct itsi_str_list *to, const struct itsi_option *option, const json_t *value,
                    struct its_diag *diag)
{
    if (!json_is_array(value))
        return itsi_option_wrong_json(option, value, diag);
    struct itsi_str_list list = {0};
    size_t i;
    json_t *item;
    int rc = 0;
    json_array_foreach(value, i, item) {
        const char *text = json_string_value(item);
        if (!text || !*text || !is_clean(text))
            rc = itsi_option_wrong_json(option, value, diag);
        else if (itsi_str_list_add(&list, text) != 0)
            rc = nomem(diag);
        if (rc != 0)
            break;
    }
    if (rc != 0) {
        itsi_str_list_fini(&list);
        return rc;
    }
    itsi_str_list_fini(to);
    *to = list;
    return 0;
}

static int set_map(struct itsi_str_map *to, const struct itsi_option *option, const json_t *value,
                   struct its_diag *diag)
{
    if (!json_is_object(value))
        return itsi_option_wrong_json(option, value, diag);
    struct itsi_str_map map = {0};
    const char *key;
    json_t *item;
    int rc = 0;
    json_object_foreach((json_t *)value, key, item) {
        if (!json_is_integer(item) || !*key || !is_clean(key))
            rc = itsi_option_wrong_json(option, value, diag);
        else if (itsi_str_map_add(&map, key, json_integer_value(item)) != 0)
            rc = nomem(diag);
        if (rc != 0)
            break;
    }
    if (rc != 0) {
        itsi_str_map_fini(&map);
        return rc;
    }
    itsi_str_map_fini(to);
    *to = map;
    return 0;
}

static int set_pair(int64_t to[2], const struct itsi_option *option, const json_t *value, struct its_diag *diag)
{
    const json_t *first = json_array_get(value, 0), *second = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(second) ||
        !in_range(option, (double)json_integer_value(first)) || !in_range(option, (double)json_integer_value(second)))
        return itsi_option_wrong_json(option, value, diag);
    to[0] = json_integer_value(first);
    to[1] = json_integer_value(second);
    return 0;
}

int itsi_option_set(struct its_cfg *cfg, const struct itsi_option *option, const json_t *value, struct its_diag *diag)
{
    void *to = field(cfg, option);
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        if (!json_is_boolean(value))
            break;
        *(bool *)to = json_is_true(value);
        return 0;
    case ITSI_OPTION_INT:
        if (!json_is_integer(value) || !in_range(option, (double)json_integer_value(value)))
            break;
        *(int64_t *)to = json_integer_value(value);
        return 0;
    case ITSI_OPTION_FLOAT:
        if (!json_is_number(value) || !in_range(option, json_number_value(value)))
            break;
        *(double *)to = json_number_value(value);
        return 0;
    case ITSI_OPTION_ENUM: {
        int index = json_is_string(value) ? itsi_option_word_index(option, json_string_value(value)) : -1;
        if (index < 0)
            break;
        *(int *)to = index;
        return 0;
    }
    case ITSI_OPTION_STR:
    case ITSI_OPTION_SECRET:
        return set_string(to, option, value, diag);
    case ITSI_OPTION_LIST:
        return set_list(to, option, value, diag);
    case ITSI_OPTION_MAP:
        return set_map(to, option, value, diag);
    case ITSI_OPTION_PAIR:
        return set_pair(to, option, value, diag);
    }
    return itsi_option_wrong_json(option, value, diag);
}

int itsi_cfg_set(struct its_cfg *cfg, const char *key, const char *text, struct its_diag *diag)
{
    const struct itsi_option *option = itsi_option_find(key);
    if (!option)
        return itsi_fail(diag, ITS_EINVAL, "unknown option \"%.100s\"", key);
    json_t *value = NULL;
    int rc = itsi_option_parse(option, text, &value, diag);
    if (rc == 0)
        rc = itsi_option_set(cfg, option, value, diag);
    json_decref(value);
    return rc == 0 ? 0 : itsi_diag_prefix(diag, rc, "%s", itsi_option_key(option));
}

/* --- the struct to JSON ------------------------------------------------------------------------------------------ */

static json_t *word_json(const struct itsi_option *option, int index)
{
    char word[64];
    return itsi_option_word(option, index, word, sizeof word) ? json_string(word) : NULL;
}

static json_t *pair_json(const int64_t pair[2])
{
    return json_pack("[I, I]", (json_int_t)pair[0], (json_int_t)pair[1]);
}

json_t *itsi_option_get(const struct its_cfg *cfg, const struct itsi_option *option)
{
    const void *from = field_const(cfg, option);
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        return json_boolean(*(const bool *)from);
    case ITSI_OPTION_INT:
        return json_integer(*(const int64_t *)from);
    case ITSI_OPTION_FLOAT:
        return json_real(*(const double *)from);
    case ITSI_OPTION_ENUM:
        return word_json(option, *(const int *)from);
    case ITSI_OPTION_STR:
    case ITSI_OPTION_SECRET: {
        const char *text = *(char *const *)from;
        return text ? json_string(text) : json_null();
    }
    case ITSI_OPTION_LIST:
        return itsi_str_list_json(from);
    case ITSI_OPTION_MAP:
        return itsi_str_map_json(from);
    case ITSI_OPTION_PAIR:
        return pair_json(from);
    }
    return NULL;
}

json_t *itsi_option_default(const struct itsi_option *option)
{
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        return json_boolean(option->def_int[0] != 0);
    case ITSI_OPTION_INT:
        return json_integer(option->def_int[0]);
    case ITSI_OPTION_FLOAT:
        return json_real(option->def_float);
    case ITSI_OPTION_ENUM:
        return word_json(option, (int)option->def_int[0]);
    case ITSI_OPTION_PAIR:
        return pair_json(option->def_int);
    case ITSI_OPTION_STR:
    case ITSI_OPTION_SECRET:
        return option->def_text ? json_string(option->def_text) : json_null();
    case ITSI_OPTION_LIST:
    case ITSI_OPTION_MAP:
        break;
    }
    json_t *value = NULL;
    return itsi_option_parse(option, option->def_text, &value, NULL) == 0 ? value : NULL;
}

int itsi_option_set_default(struct its_cfg *cfg, const struct itsi_option *option)
{
    json_t *value = itsi_option_default(option);
    int rc = value ? itsi_option_set(cfg, option, value, NULL) : ITS_ENOMEM;
    json_decref(value);
    return rc;
}

/* --- copy and compare -------------------------------------------------------------------------------------------- */

int itsi_option_copy(struct its_cfg *to, const struct its_cfg *from, const struct itsi_option *option)
{
    if (option->type == ITSI_OPTION_LIST)
        return itsi_str_list_copy(field(to, option), field_const(from, option));
    if (option->type == ITSI_OPTION_MAP)
        return itsi_str_map_copy(field(to, option), field_const(from, option));
    if (option->type != ITSI_OPTION_STR && option->type != ITSI_OPTION_SECRET) {
        memcpy(field(to, option), field_const(from, option), field_size(option));
        return 0;
    }
    const char *text = *(char *const *)field_const(from, option);
    char *copy = itsi_strdup(text);
    if (text && !copy)
        return ITS_ENOMEM;
    char **slot = field(to, option);
    itsi_free(*slot);
    *slot = copy;
    return 0;
}

bool itsi_option_equal(const struct its_cfg *a, const struct its_cfg *b, const struct itsi_option *option)
{
    const void *x = field_const(a, option), *y = field_const(b, option);
    if (option->type == ITSI_OPTION_LIST)
        return itsi_str_list_equal(x, y);
    if (option->type == ITSI_OPTION_MAP)
        return itsi_str_map_equal(x, y);
    if (option->type != ITSI_OPTION_STR && option->type != ITSI_OPTION_SECRET)
        return memcmp(x, y, field_size(option)) == 0;
    const char *s = *(char *const *)x, *t = *(char *const *)y;
    return s == t || (s && t && strcmp(s, t) == 0);
}

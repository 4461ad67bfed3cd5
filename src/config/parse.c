/* Text, as environment and command line give it, into JSON of the option's type; and the words for bad values. */
#include "config/value.h"
#include "config/value_impl.h"

#include "base/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int wrong(const struct itsi_option *option, const char *shown, struct its_diag *diag)
{
    char range[256];
    itsi_option_range(option, range, sizeof range);
    if (option->type == ITSI_OPTION_SECRET)
        return itsi_fail(diag, ITS_EINVAL, "the value is not %s", range); /* never repeat a secret */
    static const char *const says[] = {
        [ITSI_OPTION_BOOL] = "is not",   [ITSI_OPTION_INT] = "is not an integer in",
        [ITSI_OPTION_FLOAT] = "is not a number in", [ITSI_OPTION_ENUM] = "is not one of", [ITSI_OPTION_STR] = "is not",
        [ITSI_OPTION_LIST] = "is not",   [ITSI_OPTION_MAP] = "is not",    [ITSI_OPTION_PAIR] = "is not",
    };
    return itsi_fail(diag, ITS_EINVAL, "%s %s %s", shown, says[option->type], range);
}

int itsi_option_wrong_text(const struct itsi_option *option, const char *text, struct its_diag *diag)
{
    char shown[96];
    int cut = strlen(text) > 80;
    snprintf(shown, sizeof shown, "\"%.80s%s\"", text, cut ? "..." : "");
    return wrong(option, shown, diag);
}

int itsi_option_wrong_json(const struct itsi_option *option, const json_t *value, struct its_diag *diag)
{
    if (json_is_string(value))
        return itsi_option_wrong_text(option, json_string_value(value), diag);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    char shown[96];
    snprintf(shown, sizeof shown, "%.80s", text ? text : "the value");
    free(text); /* jansson's */
    return wrong(option, shown, diag);
}

static json_t *bool_from(const char *text)
{
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no", "off"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(text, yes[i]) == 0)
            return json_true();
        if (strcasecmp(text, no[i]) == 0)
            return json_false();
    }
    return NULL;
}

static const char *skip_space(const char *p) { return p + strspn(p, " \t"); }

/* A decimal integer in [p, end) with space around it. */
static json_t *int_from(const char *p, const char *end)
{
    char digits[32];
    p = skip_space(p);
    size_t len = end > p ? (size_t)(end - p) : 0;
    while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    if (len == 0 || len >= sizeof digits || strspn(p, "+-0123456789") < len)
        return NULL;
    memcpy(digits, p, len);
    digits[len] = '\0';
    char *stop;
    long long value = strtoll(digits, &stop, 10);
    /* saturated values fail the range check like any other that is too large */
    return *stop == '\0' ? json_integer(value) : NULL;
}

static json_t *float_from(const char *text)
{
    text = skip_space(text);
    size_t len = strspn(text, "+-.0123456789eE");
    char *stop;
    double value = strtod(text, &stop);
    if (len == 0 || stop != text + len || *skip_space(stop) || !isfinite(value))
        return NULL;
    return json_real(value);
}

/* "a, b" into an array; empty items are left out. NULL: not UTF-8. */
static json_t *list_from(const char *text)
{
    json_t *array = json_array();
    for (const char *p = text; array && *p;) {
        p = skip_space(p);
        size_t len = strcspn(p, ","), used = len;
        while (used > 0 && (p[used - 1] == ' ' || p[used - 1] == '\t'))
            used--;
        if (used > 0 && itsi_json_append(array, json_stringn(p, used)) != 0) {
            json_decref(array);
            return NULL;
        }
        p += p[len] ? len + 1 : len;
    }
    return array;
}

static json_t *pair_from(const char *text)
{
    const char *comma = strchr(text, ',');
    json_t *array = comma ? json_array() : NULL;
    if (!array || itsi_json_append(array, int_from(text, comma)) != 0 ||
        itsi_json_append(array, int_from(comma + 1, text + strlen(text))) != 0) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *map_from(const char *text)
{
    json_t *map = json_object();
    for (const char *p = skip_space(text); map && *p; p = skip_space(p)) {
        size_t len = strcspn(p, ",");
        const char *equals = memchr(p, '=', len);
        json_t *value = equals && equals > p ? int_from(equals + 1, p + len) : NULL;
        char key[ITSI_OPTION_NAME_SIZE];
        if (!value || (size_t)(equals - p) >= sizeof key) {
            json_decref(value);
            json_decref(map);
            return NULL;
        }
        snprintf(key, sizeof key, "%.*s", (int)(equals - p), p);
        if (json_object_set_new(map, key, value) != 0) {
            json_decref(map);
            return NULL;
        }
        p += p[len] ? len + 1 : len;
    }
    return map;
}

static json_t *json_from(const char *text)
{
    return json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static json_t *value_from(const struct itsi_option *option, const char *text)
{
    const char *first = skip_space(text);
    switch (option->type) {
    case ITSI_OPTION_BOOL:
        return bool_from(text);
    case ITSI_OPTION_INT:
        return int_from(text, text + strlen(text));
    case ITSI_OPTION_FLOAT:
        return float_from(text);
    case ITSI_OPTION_SECRET:
        if (*first == '{')
            return json_from(first);
        return *text ? json_string(text) : json_null();
    case ITSI_OPTION_STR:
        return *text ? json_string(text) : json_null();
    case ITSI_OPTION_ENUM:
        return json_string(text);
    case ITSI_OPTION_LIST:
        return *first == '[' ? json_from(first) : list_from(text);
    case ITSI_OPTION_MAP:
        return *first == '{' ? json_from(first) : map_from(text);
    case ITSI_OPTION_PAIR:
        return *first == '[' ? json_from(first) : pair_from(text);
    }
    return NULL;
}

int itsi_option_parse(const struct itsi_option *option, const char *text, json_t **out, struct its_diag *diag)
{
    json_t *value = value_from(option, text);
    if (!value)
        return itsi_option_wrong_text(option, text, diag);
    *out = value;
    return 0;
}

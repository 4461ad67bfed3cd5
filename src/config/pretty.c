/* Writing jansson values the way people keep configuration files. */
#include "config/dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shortest form that reads back as the same number, always with a point or an exponent. */
static void put_real(struct itsi_buf *out, double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (!(strtod(text, NULL) < value) && !(strtod(text, NULL) > value))
            break;
    }
    itsi_buf_puts(out, text);
    if (!strpbrk(text, ".e"))
        itsi_buf_puts(out, ".0");
}

static void put_string(struct itsi_buf *out, const char *text)
{
    itsi_buf_add(out, "\"", 1);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            itsi_buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            itsi_buf_printf(out, "\\u%04x", c);
        else
            itsi_buf_add(out, p, 1);
    }
    itsi_buf_add(out, "\"", 1);
}

static void put_break(struct itsi_buf *out, int depth)
{
    if (depth >= 0)
        itsi_buf_printf(out, "\n%*s", 2 * depth, "");
}

static bool is_flat(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (json_is_object(json_array_get(array, i)) || json_is_array(json_array_get(array, i)))
            return false;
    return true;
}

/* depth < 0: on one line. */
static void put_value(struct itsi_buf *out, const json_t *value, int depth);

static void put_array(struct itsi_buf *out, const json_t *array, int depth)
{
    int inner = depth < 0 || is_flat(array) ? -1 : depth + 1;
    itsi_buf_puts(out, "[");
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            itsi_buf_puts(out, inner < 0 ? ", " : ",");
        put_break(out, inner);
        put_value(out, json_array_get(array, i), inner);
    }
    if (inner >= 0)
        put_break(out, depth);
    itsi_buf_puts(out, "]");
}

static void put_object(struct itsi_buf *out, const json_t *object, int depth)
{
    int inner = depth < 0 || json_object_size(object) == 0 ? -1 : depth + 1;
    const char *key, *comma = "";
    json_t *value;
    itsi_buf_puts(out, "{");
    json_object_foreach((json_t *)object, key, value) {
        itsi_buf_puts(out, comma);
        put_break(out, inner);
        put_string(out, key);
        itsi_buf_puts(out, ": ");
        put_value(out, value, inner);
        comma = inner < 0 ? ", " : ",";
    }
    if (inner >= 0)
        put_break(out, depth);
    itsi_buf_puts(out, "}");
}

static void put_value(struct itsi_buf *out, const json_t *value, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(out, value, depth);
        break;
    case JSON_ARRAY:
        put_array(out, value, depth);
        break;
    case JSON_STRING:
        put_string(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        itsi_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        itsi_buf_puts(out, "true");
        break;
    case JSON_FALSE:
        itsi_buf_puts(out, "false");
        break;
    case JSON_NULL:
        itsi_buf_puts(out, "null");
        break;
    }
}

void itsi_json_pretty(struct itsi_buf *out, const json_t *value) { put_value(out, value, 0); }
void itsi_json_compact(struct itsi_buf *out, const json_t *value) { put_value(out, value, -1); }

#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_escaped(struct itsi_buf *out, const char *text)
{
    itsi_buf_add(out, "\"", 1);
    const char *start = text;
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c != '"' && c != '\\' && c >= 0x20)
            continue;
        itsi_buf_add(out, start, (size_t)(p - start));
        start = p + 1;
        if (c == '"' || c == '\\')
            itsi_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            itsi_buf_puts(out, "\\n");
        else
            itsi_buf_printf(out, "\\u%04x", c);
    }
    itsi_buf_puts(out, start);
    itsi_buf_add(out, "\"", 1);
}

static void begin_value(struct itsi_json *json, const char *key)
{
    if (json->need_comma[json->depth])
        itsi_buf_add(json->out, ",", 1);
    json->need_comma[json->depth] = true;
    if (key) {
        put_escaped(json->out, key);
        itsi_buf_add(json->out, ":", 1);
    }
}

static void open_level(struct itsi_json *json, const char *key, const char *opener)
{
    begin_value(json, key);
    itsi_buf_add(json->out, opener, 1);
    assert(json->depth + 1 < (int)(sizeof json->need_comma / sizeof json->need_comma[0]));
    json->depth++;
    json->need_comma[json->depth] = false;
}

void itsi_json_init(struct itsi_json *json, struct itsi_buf *out)
{
    memset(json, 0, sizeof *json);
    json->out = out;
}

void itsi_json_object(struct itsi_json *json, const char *key) { open_level(json, key, "{"); }
void itsi_json_array(struct itsi_json *json, const char *key) { open_level(json, key, "["); }

void itsi_json_end(struct itsi_json *json, char closer)
{
    assert(json->depth > 0);
    json->depth--;
    itsi_buf_add(json->out, &closer, 1);
}

void itsi_json_string(struct itsi_json *json, const char *key, const char *value)
{
    begin_value(json, key);
    if (value)
        put_escaped(json->out, value);
    else
        itsi_buf_puts(json->out, "null");
}

void itsi_json_int(struct itsi_json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    itsi_buf_printf(json->out, "%" PRId64, value);
}

void itsi_json_number(struct itsi_json *json, const char *key, double value, int decimals)
{
    begin_value(json, key);
    if (isfinite(value))
        itsi_buf_printf(json->out, "%.*f", decimals, value);
    else
        itsi_buf_puts(json->out, "null");
}

void itsi_json_bool(struct itsi_json *json, const char *key, bool value)
{
    begin_value(json, key);
    itsi_buf_puts(json->out, value ? "true" : "false");
}

void itsi_json_null(struct itsi_json *json, const char *key)
{
    begin_value(json, key);
    itsi_buf_puts(json->out, "null");
}

void itsi_json_raw(struct itsi_json *json, const char *key, const char *text)
{
    begin_value(json, key);
    itsi_buf_puts(json->out, text);
}

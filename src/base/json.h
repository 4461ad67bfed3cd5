/* Writing JSON into an itsi_buf, with commas and escapes done here. Reading JSON is jansson's. */
#ifndef ITSI_BASE_JSON_H
#define ITSI_BASE_JSON_H

#include "base/buf.h"

#include <stdint.h>

struct itsi_json {
    struct itsi_buf *out; /* borrowed */
    int depth;
    bool need_comma[32]; /* per depth */
};

void itsi_json_init(struct itsi_json *json, struct itsi_buf *out);
/* Every value function takes the key, or NULL inside an array and at the top. */
void itsi_json_object(struct itsi_json *json, const char *key);
void itsi_json_array(struct itsi_json *json, const char *key);
void itsi_json_end(struct itsi_json *json, char closer); /* '}' or ']' */
void itsi_json_string(struct itsi_json *json, const char *key, const char *value); /* NULL value: null */
void itsi_json_int(struct itsi_json *json, const char *key, int64_t value);
/* Written with `decimals` digits after the point; NaN and infinities become null. */
void itsi_json_number(struct itsi_json *json, const char *key, double value, int decimals);
void itsi_json_bool(struct itsi_json *json, const char *key, bool value);
void itsi_json_null(struct itsi_json *json, const char *key);
/* Text that is JSON already. */
void itsi_json_raw(struct itsi_json *json, const char *key, const char *text);

#endif

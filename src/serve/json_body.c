#include "serve/json_body.h"

#include "base/diag.h"

#include <stdbool.h>
#include <string.h>

static bool is_known(const char *key, const char *const known[])
{
    for (; *known; known++)
        if (strcmp(*known, key) == 0)
            return true;
    return false;
}

/* "a, b, c" */
static void list_keys(const char *const known[], char *out, size_t size)
{
    size_t used = 0;
    for (int i = 0; known[i] && used < size; i++) {
        int n = snprintf(out + used, size - used, "%s%s", i ? ", " : "", known[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

int itsi_body_read(const struct itsi_buf *text, const char *const known[], json_t **out, struct its_diag *diag)
{
    json_error_t error;
    const char *key;
    json_t *value, *body = json_loadb(text->data ? text->data : "", text->len, JSON_REJECT_DUPLICATES, &error);
    *out = NULL;
    if (!json_is_object(body)) {
        json_decref(body);
        return itsi_fail(diag, ITS_EINVAL, "the body is not a JSON object%s%.120s", body ? "" : ": ",
                         body ? "" : error.text);
    }
    json_object_foreach(body, key, value)
    {
        if (is_known(key, known))
            continue;
        char wanted[256];
        list_keys(known, wanted, sizeof wanted);
        int rc = itsi_fail(diag, ITS_EINVAL, "unknown key '%.60s': wanted %s", key, wanted);
        json_decref(body);
        return rc;
    }
    *out = body;
    return 0;
}

int itsi_body_text(const json_t *body, const char *key, char *out, size_t size, struct its_diag *diag)
{
    const json_t *value = json_object_get(body, key);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return itsi_fail(diag, ITS_EINVAL, "'%s' must be a string", key);
    if (json_string_length(value) >= size || strlen(json_string_value(value)) != json_string_length(value))
        return itsi_fail(diag, ITS_EINVAL, "'%s' is too long or not text", key);
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

int itsi_body_number(const json_t *body, const char *key, double least, double most, double *out, struct its_diag *diag)
{
    const json_t *value = json_object_get(body, key);
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_number(value) || !(json_number_value(value) >= least && json_number_value(value) <= most))
        return itsi_fail(diag, ITS_EINVAL, "'%s' must be a number from %g to %g", key, least, most);
    *out = json_number_value(value);
    return 0;
}

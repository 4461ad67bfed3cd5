/* Shared by parse.c and value.c only. */
#ifndef ITSI_CONFIG_VALUE_IMPL_H
#define ITSI_CONFIG_VALUE_IMPL_H

#include "config/option.h"

#include <jansson.h>

/* "VALUE is not WHAT IS ALLOWED" into diag, secrets not repeated. Return ITS_EINVAL. */
int itsi_option_wrong_text(const struct itsi_option *option, const char *text, struct its_diag *diag);
int itsi_option_wrong_json(const struct itsi_option *option, const json_t *value, struct its_diag *diag);

/* Takes value over; -1 when it is NULL or there is no memory. */
static inline int itsi_json_append(json_t *array, json_t *value)
{
    return value ? json_array_append_new(array, value) : -1;
}

#endif

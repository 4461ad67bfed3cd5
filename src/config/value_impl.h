/* Shared by parse.c, value.c and collections.c only. */
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

/* collections.c: as their namesakes for lists in value.h. The order of a map says nothing. */
void itsi_str_map_fini(struct itsi_str_map *map);
ITS_NODISCARD int itsi_str_map_add(struct itsi_str_map *map, const char *key, int64_t value);
ITS_NODISCARD int itsi_str_map_copy(struct itsi_str_map *to, const struct itsi_str_map *from);
bool itsi_str_map_equal(const struct itsi_str_map *a, const struct itsi_str_map *b);
bool itsi_str_list_equal(const struct itsi_str_list *a, const struct itsi_str_list *b);
/* New references; NULL when out of memory. */
json_t *itsi_str_list_json(const struct itsi_str_list *list);
json_t *itsi_str_map_json(const struct itsi_str_map *map);

#endif

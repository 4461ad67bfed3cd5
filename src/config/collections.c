/* What options hold more than one of: lists of strings, and maps from strings to numbers. Both own what they hold. */
#include "config/value.h"
#include "config/value_impl.h"

#include "base/mem.h"

#include <string.h>

void itsi_str_list_fini(struct itsi_str_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        itsi_free(list->items[i]);
    itsi_free(list->items);
    *list = (struct itsi_str_list){0};
}

int itsi_str_list_add(struct itsi_str_list *list, const char *text)
{
    char **items = itsi_realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items)
        return ITS_ENOMEM;
    list->items = items;
    items[list->count] = itsi_strdup(text);
    if (!items[list->count])
        return ITS_ENOMEM;
    list->count++;
    return 0;
}

int itsi_str_list_copy(struct itsi_str_list *to, const struct itsi_str_list *from)
{
    struct itsi_str_list copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        if (itsi_str_list_add(&copy, from->items[i]) != 0) {
            itsi_str_list_fini(&copy);
            return ITS_ENOMEM;
        }
    }
    itsi_str_list_fini(to);
    *to = copy;
    return 0;
}

bool itsi_str_list_has(const struct itsi_str_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void itsi_str_map_fini(struct itsi_str_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        itsi_free(map->keys[i]);
    itsi_free(map->keys);
    itsi_free(map->values);
    *map = (struct itsi_str_map){0};
}

int itsi_str_map_add(struct itsi_str_map *map, const char *key, int64_t value)
{
    char **keys = itsi_realloc(map->keys, (map->count + 1) * sizeof *keys);
    if (!keys)
        return ITS_ENOMEM;
    map->keys = keys;
    int64_t *values = itsi_realloc(map->values, (map->count + 1) * sizeof *values);
    if (!values)
        return ITS_ENOMEM;
    map->values = values;
    keys[map->count] = itsi_strdup(key);
    if (!keys[map->count])
        return ITS_ENOMEM;
    values[map->count++] = value;
    return 0;
}

int itsi_str_map_copy(struct itsi_str_map *to, const struct itsi_str_map *from)
{
    struct itsi_str_map copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        if (itsi_str_map_add(&copy, from->keys[i], from->values[i]) != 0) {
            itsi_str_map_fini(&copy);
            return ITS_ENOMEM;
        }
    }
    itsi_str_map_fini(to);
    *to = copy;
    return 0;
}

bool itsi_str_list_equal(const struct itsi_str_list *a, const struct itsi_str_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

bool itsi_str_map_equal(const struct itsi_str_map *a, const struct itsi_str_map *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        size_t j = 0; /* the order of a map says nothing */
        while (j < b->count && strcmp(a->keys[i], b->keys[j]) != 0)
            j++;
        if (j == b->count || a->values[i] != b->values[j])
            return false;
    }
    return true;
}

json_t *itsi_str_list_json(const struct itsi_str_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < list->count; i++) {
        if (itsi_json_append(array, json_string(list->items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *itsi_str_map_json(const struct itsi_str_map *map)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < map->count; i++) {
        if (json_object_set_new(object, map->keys[i], json_integer(map->values[i])) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* "Did you mean": the nearest name of the table by edit distance. */
#include "config/option.h"

#include <stdio.h>
#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t low = a < b ? a : b;
    return low < c ? low : c;
}

/* Edits (insert, delete, replace, swap of neighbours) between two names; texts too long for a name are far from all. */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    if (la >= ITSI_OPTION_NAME_SIZE || lb >= ITSI_OPTION_NAME_SIZE)
        return SIZE_MAX;
    size_t rows[3][ITSI_OPTION_NAME_SIZE];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= lb; j++)
        last[j] = j;
    for (size_t i = 1; i <= la; i++) {
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[lb];
}

/* More edits than a third of what was typed make another word, not a misspelling. */
static size_t tolerance(const char *typed)
{
    size_t third = strlen(typed) / 3;
    return third < 2 ? 2 : third;
}

static void keep_nearer(const char *typed, const char *name, size_t *best, const char *shown,
                        char out[ITSI_OPTION_NAME_SIZE])
{
    size_t a = strlen(typed), b = strlen(name);
    if ((a > b ? a - b : b - a) >= *best) /* at least so many edits */
        return;
    size_t edits = distance(typed, name);
    if (edits < *best) {
        *best = edits;
        snprintf(out, ITSI_OPTION_NAME_SIZE, "%s", shown);
    }
}

bool itsi_option_suggest_key(const char *typed, char out[ITSI_OPTION_NAME_SIZE])
{
    size_t limit = tolerance(typed), best = limit + 1;
    for (size_t i = 0; i < itsi_option_count; i++) {
        const struct itsi_option *option = &itsi_options[i];
        const char *key = itsi_option_key(option);
        keep_nearer(typed, key, &best, key, out);
        /* the field alone, and the field under a wrong section: "l1_cache_size_mb", "cache.l1_cache_size_mb" */
        keep_nearer(typed, option->field, &best, key, out);
        const char *dot = strchr(typed, '.');
        if (dot && strcmp(dot + 1, option->field) == 0 && best > 0) {
            best = 0;
            snprintf(out, ITSI_OPTION_NAME_SIZE, "%s", key);
        }
    }
    return best <= limit;
}

bool itsi_option_suggest_env(const char *typed, char out[ITSI_OPTION_NAME_SIZE])
{
    size_t prefix = strlen(ITSI_ENV_PREFIX);
    const char *bare = strncmp(typed, ITSI_ENV_PREFIX, prefix) == 0 ? typed + prefix : typed;
    size_t limit = tolerance(bare), best = limit + 1;
    char name[ITSI_OPTION_NAME_SIZE];
    for (size_t i = 0; i < itsi_option_count; i++) {
        itsi_option_env_flat(&itsi_options[i], name);
        keep_nearer(bare, name + prefix, &best, name, out);
        itsi_option_env_nested(&itsi_options[i], name);
        keep_nearer(bare, name + prefix, &best, name, out);
    }
    return best <= limit;
}

/* What the two files of the cache share. */
#ifndef ITSI_INFER_COMPILE_CACHE_IMPL_H
#define ITSI_INFER_COMPILE_CACHE_IMPL_H

#include "infer/compile_cache.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* In a model's folder, beside what was compiled. */
#define ITSI_COMPILE_NOTES "checksums"
#define ITSI_COMPILE_NEW_NOTES ".checksums" /* while they are written */
#define ITSI_COMPILE_LOCK "lock"
enum { ITSI_COMPILE_PATH = 4608 };

/* Does it belong to the cache itself? */
static inline bool itsi_compile_cache_owns(const char *name)
{
    return name[0] == '.' || strcmp(name, ITSI_COMPILE_NOTES) == 0 || strcmp(name, ITSI_COMPILE_LOCK) == 0;
}

/* False: it is too long. */
static inline bool itsi_compile_cache_path(char out[ITSI_COMPILE_PATH], const char *dir, const char *name)
{
    const int used = snprintf(out, ITSI_COMPILE_PATH, "%s/%s", dir, name);
    return used > 0 && used < ITSI_COMPILE_PATH;
}

#endif

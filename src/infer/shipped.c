#include "infer/shipped.h"

#include "base/own_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool readable(const char *dir, const char *below, char *path, size_t size)
{
    char plain[PATH_MAX + 256], real[PATH_MAX];
    snprintf(plain, sizeof plain, "%s/%s/" ITSI_SHIPPED_MODEL, dir, below);
    if (!realpath(plain, real) || access(real, R_OK) != 0 || strlen(real) >= size)
        return false;
    memcpy(path, real, strlen(real) + 1);
    return true;
}

bool itsi_shipped_model_of(const char *own, char *path, size_t size)
{
    static const char build[] = ITS_BUILD_DIR "/";
    if (strncmp(own, build, sizeof build - 1) == 0)
        return readable(ITS_SOURCE_DIR, "models", path, size);
    char dir[PATH_MAX];
    const char *slash = strrchr(own, '/');
    if (!slash || slash - own >= PATH_MAX)
        return false;
    snprintf(dir, sizeof dir, "%.*s", (int)(slash - own), own);
    return readable(dir, ITS_MODELS_FROM_BIN, path, size) || readable(dir, ITS_MODELS_FROM_LIB, path, size);
}

bool itsi_shipped_model(char *path, size_t size)
{
    char own[PATH_MAX];
    return itsi_own_file(own) && itsi_shipped_model_of(own, path, size);
}

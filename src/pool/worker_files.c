#include "pool/worker_files.h"

#include "base/own_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool readable(const char *dir, size_t len, const char *below, const char *name, char *path, size_t size)
{
    const int written = snprintf(path, size, "%.*s/%s/%s", (int)len, dir, below, name);
    return written > 0 && written < (int)size && access(path, R_OK) == 0;
}

bool itsi_worker_file(const char *name, char *path, size_t size)
{
    static const char build[] = ITS_BUILD_DIR "/";
    char own[PATH_MAX];
    if (!itsi_own_file(own))
        return false;
    if (strncmp(own, build, sizeof build - 1) == 0)
        return readable(build, sizeof build - 2, "src/pool/worker", name, path, size);
    const char *const slash = strrchr(own, '/');
    const size_t dir = slash ? (size_t)(slash - own) : 0;
    return readable(own, dir, ITS_PRIVATE_FROM_BIN, name, path, size) ||
           readable(own, dir, ITS_PRIVATE_FROM_LIB, name, path, size);
}

/* Small clips made on the fly with the ffmpeg program, in a directory that goes when the test ends. */
#ifndef ITS_TESTS_CAPTURE_MEDIA_H
#define ITS_TESTS_CAPTURE_MEDIA_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char media_dir[64];

__attribute__((format(printf, 1, 2))) static inline int media_shell(const char *fmt, ...)
{
    char command[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    return system(command);
}

static inline const char *media_path(const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", media_dir, name);
    return path;
}

/* ffmpeg with `args`, whose output is `name` in the directory; made once. 0: there. */
static inline int media_make(const char *name, const char *args)
{
    struct stat st;
    if (stat(media_path(name), &st) == 0)
        return 0;
    return media_shell("ffmpeg -nostdin -v error -y %s %s", args, media_path(name));
}

static inline int media_setup(void **state)
{
    (void)state;
    snprintf(media_dir, sizeof media_dir, "/tmp/its-capture-XXXXXX");
    return mkdtemp(media_dir) ? 0 : -1;
}

static inline int media_teardown(void **state)
{
    (void)state;
    return media_shell("rm -rf '%s'", media_dir);
}

/* A file of the shared data, or NULL when it is not there. */
static inline const char *media_shared(const char *name)
{
    static char path[512];
    const char *root = getenv("ITS_TEST_DATA");
    struct stat st;
    snprintf(path, sizeof path, "%s/videos/%s", root ? root : ITS_SOURCE_DIR "/../shared", name);
    return stat(path, &st) == 0 ? path : NULL;
}

#endif

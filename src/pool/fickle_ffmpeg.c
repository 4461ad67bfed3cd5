/* FFmpeg for a test: as long as a file lies beside it that is named as it is with ".broken", it fails before it begins, as a
 * program does whose libraries are just being replaced; where it is executed for a job it works. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Before any main(), that of the worker included. */
__attribute__((constructor)) static void fail_while_broken(void)
{
    char path[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 8);
    if (len <= 0 || !getenv("LD_PRELOAD"))
        return;
    strcpy(path + len, ".broken");
    if (access(path, F_OK) == 0) {
        fputs("a library cannot be loaded\n", stderr);
        _exit(127);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    unsetenv("LD_PRELOAD");
    execvp("ffmpeg", argv);
    return 127;
}

/* FFmpeg for a test: as long as a file lies beside it that is named as it is with ".broken", it does not come to work when it is
 * linked ahead: it fails as a program does whose libraries are just being replaced ("exit"), gets nowhere for as long as the file
 * says so ("hang"), is killed as for want of memory ("kill"), or leaves its place to another program ("another"). Each linked start
 * leaves a byte in ".starts". Executed for a job it works. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void count(const char *path)
{
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, ".", 1) == 1)
        close(fd);
}

/* "": it is not broken. */
static void read_mark(const char *path, char *how, int size)
{
    FILE *mark = fopen(path, "re");
    if (!mark || !fgets(how, size, mark))
        how[0] = '\0';
    if (mark)
        fclose(mark);
}

/* Before any main(), that of the worker included. */
__attribute__((constructor)) static void fail_while_broken(void)
{
    char path[PATH_MAX], how[16];
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 8);
    if (len <= 0 || !getenv("LD_PRELOAD"))
        return;
    strcpy(path + len, ".starts");
    count(path);
    strcpy(path + len, ".broken");
    for (read_mark(path, how, sizeof how); strcmp(how, "hang") == 0; read_mark(path, how, sizeof how))
        usleep(1000);
    if (strcmp(how, "kill") == 0)
        (void)kill(getpid(), SIGKILL);
    if (strcmp(how, "another") == 0)
        execl("/bin/true", "true", NULL);
    if (strcmp(how, "exit") == 0) {
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

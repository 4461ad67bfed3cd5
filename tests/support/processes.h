/* What tests of child processes count and look at in /proc. */
#ifndef ITS_TESTS_PROCESSES_H
#define ITS_TESTS_PROCESSES_H

#include "support/check.h"

#include "base/clock.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>
#include <uv.h>

/* libuv's first loop opens descriptors that stay: before anybody counts. */
static inline void processes_warm_up(void)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_loop_close(&loop);
}

/* Descriptors that this process has open. */
static inline int processes_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -1; /* the one that lists them */
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* The state letter of a process and its parent; 0: there is none such. */
static inline char processes_state(pid_t pid, pid_t *parent)
{
    char path[64], text[512], state = 0;
    int up = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const char *name_end = fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    if (name_end && sscanf(name_end + 1, " %c %d", &state, &up) == 2 && parent)
        *parent = up;
    fclose(file);
    return state;
}

/* Children of this process, dead ones that nobody has reaped included. */
static inline int processes_children(void)
{
    DIR *dir = opendir("/proc");
    int count = 0;
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        pid_t parent = 0;
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && processes_state(atoi(entry->d_name), &parent))
            count += parent == getpid();
    }
    closedir(dir);
    return count;
}

/* A file of /proc/PID as one string, its NULs as blanks. */
static inline void processes_read(pid_t pid, const char *name, char *out, size_t size)
{
    char path[400];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(out, 1, size - 1, file) : 0;
    for (size_t i = 0; i < len; i++)
        out[i] = out[i] ? out[i] : ' ';
    out[len] = '\0';
    if (file)
        fclose(file);
}

/* Is it gone, or dead and only to be reaped by its parent, within `seconds`? */
static inline bool processes_gone(pid_t pid, int seconds)
{
    const int64_t until = itsi_now_ns() + seconds * ITSI_NS_PER_S;
    for (;;) {
        const char state = processes_state(pid, NULL);
        if (!state || state == 'Z' || state == 'X')
            return true;
        if (itsi_now_ns() >= until)
            return false;
        usleep(2000);
    }
}

#endif

#include "pool/spawn.h"

#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
/* ThreadSanitizer makes a fork of vfork, which waits for nothing: there the report is waited for, a moment. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define REPORT_WAIT_MS 500
#else
#define REPORT_WAIT_MS 0
#endif

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

int itsi_spawn_find(const char *name, char *path, size_t size, struct its_diag *diag)
{
    if (strchr(name, '/')) {
        if (snprintf(path, size, "%s", name) >= (int)size)
            return itsi_fail(diag, ITS_EINVAL, "%s: path too long", name);
        return 0; /* starting it says what is wrong with it */
    }
    const char *dirs = getenv("PATH");
    for (const char *dir = dirs ? dirs : "/usr/local/bin:/usr/bin:/bin"; *dir;) {
        const size_t len = strcspn(dir, ":");
        const int written = snprintf(path, size, "%.*s/%s", (int)len, dir, name);
        if (len && written < (int)size && is_program(path))
            return 0;
        dir += len + (dir[len] == ':');
    }
    return itsi_fail(diag, ITS_ENOTFOUND, "%s: no such program in PATH", name);
}

static _Noreturn void run_child(const struct itsi_spawn *what, const char *program, pid_t parent, int report)
{
    struct itsi_child_error error = {0};
    /* the report goes where no aim of a descriptor overwrites it */
    const int high = fcntl(report, F_DUPFD_CLOEXEC, ITSI_CHILD_FDS);
    /* before the limits: theirs of descriptors is below what the parent may have open */
    itsi_child_descriptors(what->fds, what->fd_count, &error);
    if (!error.step)
        itsi_child_detach(parent, &what->limits, &error);
    if (!error.step)
        itsi_child_become(program, (char *const *)(uintptr_t)what->argv, (char *const *)(uintptr_t)what->env, &error);
    (void)!write(high, &error, sizeof error);
    _exit(127);
}

/* Signals are held back meanwhile: a handler of the parent must not run in a child that shares its memory. */
static __attribute__((noinline)) pid_t make_child(const struct itsi_spawn *what, const char *program, int report)
{
    sigset_t all, old;
    const pid_t parent = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const pid_t pid = vfork();
    if (pid == 0)
        run_child(what, program, parent, report);
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = error;
    return pid;
}

/* Nothing comes once the program runs. All that comes is there: vfork waited for exec, or the end. The pipe's end is not
 * waited for: what another thread forked meanwhile may hold it open for as long as it lives. */
static struct itsi_child_error read_report(int fd)
{
    struct itsi_child_error error;
    ssize_t got;
    if (REPORT_WAIT_MS > 0)
        (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, REPORT_WAIT_MS);
    do
        got = read(fd, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : (struct itsi_child_error){0};
}

static int fail_to_start(struct its_diag *diag, int error, const char *program, int step)
{
    const int rc = itsi_fail_errno(diag, error, "%s: %s", program, itsi_child_step_name(step));
    return error == EAGAIN || error == EMFILE || error == ENFILE ? ITS_ELIMIT : rc;
}

int itsi_spawn(const struct itsi_spawn *what, pid_t *out, int *pidfd, struct its_diag *diag)
{
    char program[PATH_MAX];
    int report[2], rc = itsi_spawn_find(what->program, program, sizeof program, diag);
    if (rc)
        return rc;
    if (what->fd_count > ITSI_CHILD_FDS)
        return itsi_fail(diag, ITS_EINVAL, "%s: more than %d descriptors", program, ITSI_CHILD_FDS);
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0)
        return fail_to_start(diag, errno, program, 0);
    const pid_t pid = make_child(what, program, report[1]);
    const int refused = errno;
    close(report[1]);
    const struct itsi_child_error error = pid < 0 ? (struct itsi_child_error){0, refused} : read_report(report[0]);
    close(report[0]);
    const int fd = pid < 0 || error.step ? -1 : pidfd_open(pid, 0);
    if (fd >= 0) {
        *out = pid;
        *pidfd = fd;
        return 0;
    }
    rc = fail_to_start(diag, pid < 0 || error.step ? error.error : errno, program, error.step);
    if (pid > 0) {
        (void)kill(-pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    return rc;
}

/* Starting a program by its argument vector, without a shell. The child shares its parent's memory until it executes
 * (vfork), so the size of the parent costs nothing. */
#ifndef ITSI_POOL_SPAWN_H
#define ITSI_POOL_SPAWN_H

#include "its/error.h"
#include "pool/child.h"

struct itsi_spawn {
    const char *program;     /* its path; a name without a slash is looked for in PATH */
    const char *const *argv; /* from argv[0] on, NULL at the end. Everybody on the machine can read it: no secrets */
    const char *const *env;  /* all of its environment, NULL at the end */
    const int *fds;          /* [i] becomes its descriptor i; -1: /dev/null. They stay the caller's */
    int fd_count;            /* 0..ITSI_CHILD_FDS; it gets no others */
    struct itsi_child_limits limits;
};

/* A child with a process group of its own that dies with the calling thread. *pidfd is the caller's to close, and the
 * child its to reap. Errors name the program and the step: ITS_ENOTFOUND, ITS_EAUTH: no such program, or not to be
 * executed; ITS_ELIMIT: no more processes or descriptors; others as the system says. */
ITS_NODISCARD int itsi_spawn(const struct itsi_spawn *what, pid_t *pid, int *pidfd, struct its_diag *diag);

/* The path that executing `name` would take, in this process's PATH. ITS_ENOTFOUND. */
ITS_NODISCARD int itsi_spawn_find(const char *name, char *path, size_t size, struct its_diag *diag);

#endif

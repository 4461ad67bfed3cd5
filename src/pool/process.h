/* A child process on a libuv loop: started without a shell, in a process group of its own that ends as a whole, watched
 * through a pidfd (no SIGCHLD: nobody else's children are touched), reaped, its last words kept.
 *
 * Everything happens on the loop's thread; the child dies with that thread. */
#ifndef ITSI_POOL_PROCESS_H
#define ITSI_POOL_PROCESS_H

#include "pool/last_lines.h"
#include "pool/reader.h"
#include "pool/spawn.h"

struct itsi_process_exit {
    int code; /* 0..255; -1: a signal ended it */
    int signal; /* 0: none */
    int64_t cpu_ns;
    uint64_t most_rss_bytes;
};

/* Lives in its owner, zeroed; from a start that succeeded until `ended` is called it must stay. */
struct itsi_process {
    /* Once: it is reaped, none of its group is left, all that it wrote to stderr is in `lines`, nothing of it is on the
     * loop any more. Set before the start. */
    void (*ended)(void *arg, const struct itsi_process_exit *exit);
    void *arg;
    struct itsi_last_lines lines;
    /* its own */
    pid_t pid;
    int pidfd, handles;
    uv_poll_t poll;
    uv_timer_t killer;
    struct itsi_reader errors;
    struct itsi_process_exit exit;
};

/* Descriptor 2 of `what` must be -1: it is the pipe that is read here. The errors of itsi_spawn. */
ITS_NODISCARD int itsi_process_start(struct itsi_process *process, uv_loop_t *loop, const struct itsi_spawn *what,
                                     struct its_diag *diag);
/* TERM to the whole group, and KILL after grace_ms; 0: KILL now. May be called again, to hurry. */
void itsi_process_end(struct itsi_process *process, uint64_t grace_ms);

/* Resident memory of a process, bytes; 0: there is none such. */
uint64_t itsi_process_rss(pid_t pid);

#endif

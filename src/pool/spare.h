/* A spare process: started ahead of the work, it waits for jobs and runs them one at a time, each in a child of its own
 * process group. Two kinds: one that is linked into the program (pool/worker/linked.c: a job costs a fork), and one
 * that executes it (pool/worker/execute.c: any program). Here its owner's end, on a libuv loop; loop's thread only. */
#ifndef ITSI_POOL_SPARE_H
#define ITSI_POOL_SPARE_H

#include "pool/process.h"
#include "pool/worker/message.h"

enum itsi_spare_kind { ITSI_SPARE_LINKED, ITSI_SPARE_EXECUTING };
const char *itsi_spare_kind_name(enum itsi_spare_kind kind);

struct itsi_spare_setup {
    enum itsi_spare_kind kind;
    const char *program; /* path of what it runs */
    struct itsi_child_limits limits; /* its own, and so its jobs' */
};

/* What its owner is told. None is called from within a call of the owner's. */
struct itsi_spare_events {
    void (*ready)(void *arg);
    /* of the job that runs; progress: what it wrote to descriptor 3 */
    void (*started)(void *arg, pid_t pid);
    void (*failed)(void *arg, const struct itsi_child_error *error);
    void (*progress)(void *arg, const char *data, size_t len);
    void (*ended)(void *arg, int status, int64_t cpu_ns, uint64_t most_rss_bytes);
    /* It has exited, and nothing of it is on the loop any more; a job that ran is gone too. The last event. */
    void (*gone)(void *arg, const struct itsi_process_exit *exit);
};

struct itsi_spare { /* lives in its owner until gone(); zeroed */
    const struct itsi_spare_events *events;
    void *arg;
    /* read by the owner */
    struct itsi_process process; /* with the last lines of stderr, its own and its jobs' */
    /* its own */
    uv_poll_t poll;
    struct itsi_reader progress;
    int socket, closing;
    struct itsi_process_exit exit;
    uint32_t serial;
};

/* Errors of itsi_spawn; ITS_ENOTFOUND also where the worker's own file is not found. */
ITS_NODISCARD int itsi_spare_start(struct itsi_spare *worker, uv_loop_t *loop, const struct itsi_spare_setup *setup,
                                    struct its_diag *diag);

struct itsi_spare_order {
    const char *const *argv, *const *env; /* NULL at the end */
    int fds[2]; /* its stdin and stdout; stay the caller's */
    struct itsi_child_limits limits;
};
/* Only while no job runs; its end is told. ITS_ELIMIT: more text than a message holds; ITS_EIO: the worker is about to
 * go. */
ITS_NODISCARD int itsi_spare_run(struct itsi_spare *worker, const struct itsi_spare_order *order,
                                  struct its_diag *diag);
/* To the whole group of the job that runs. */
void itsi_spare_signal(struct itsi_spare *worker, int number);
/* Ends it and what it runs, at once. */
void itsi_spare_end(struct itsi_spare *worker);

#endif

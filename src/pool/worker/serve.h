/* A worker: one process that runs jobs, one at a time, each in a child of its own, for who holds the other end of its
 * socket (pool/worker/message.h). It ends with that end, and what it runs ends with it. Nothing but libc, one thread.
 */
#ifndef ITSI_POOL_WORKER_SERVE_H
#define ITSI_POOL_WORKER_SERVE_H

#include "pool/child.h"

/* The child of a job, prepared: what is left to do is to run it. */
struct itsi_worker_job {
    int argc;
    char **argv, **env;
};

/* Returns in the children of jobs only; in the worker never. */
void itsi_worker_serve(struct itsi_worker_job *job);
/* In such a child: it cannot be run, and ends. */
_Noreturn void itsi_worker_give_up(const struct itsi_child_error *error);

#endif

/* its-process-worker: a worker that executes a program for each job, where the program cannot be linked ahead. It saves no
 * time, but makes every program's jobs bounded, watched and ended in one way; it is small, so that it costs nothing. */
#include "pool/worker/serve.h"

#include "pool/worker/message.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct itsi_worker_job job;
    struct itsi_child_error error = {0};
    if (argc != 2 || fcntl(ITSI_WORKER_SOCKET, F_SETFD, FD_CLOEXEC) != 0) {
        fputs("its-process-worker: a part of its-camera-ai, which starts it with the path of a program\n", stderr);
        return 2;
    }
    itsi_worker_serve(&job);
    itsi_child_become(argv[1], job.argv, job.env, &error);
    itsi_worker_give_up(&error);
}

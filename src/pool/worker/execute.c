/* its-process-worker: a worker that executes a program for each job: of the program a spare saves the fork alone, but
 * of any program. It is small, so that forking it costs little. */
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

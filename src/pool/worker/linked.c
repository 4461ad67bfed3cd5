/* its-linked-worker.so: makes a worker of a program that knows nothing of it. Preloaded (LD_PRELOAD), it takes over
 * when the program's libraries are loaded and linked, and before its main() begins; a job is then a fork whose child
 * calls that main(). So executing and linking (of FFmpeg: 200 libraries) is paid once for all its jobs, and ahead of
 * the first: the fork server of AFL (M. Zalewski, "Fuzzing random programs without execve()", 2014). What is more,
 * arguments never stand where the process list shows them.
 *
 * Needs a program that is dynamically linked with glibc; others do not notice it, and say nothing: then the worker that
 * executes is used instead. */
#include "pool/worker/serve.h"

#include "pool/worker/message.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef int main_function(int argc, char **argv, char **env);
typedef int start_function(main_function *program, int argc, char **argv, void (*init)(void), void (*fini)(void),
                           void (*rtld_fini)(void), void *stack_end);

static main_function *program_main;

static int worker_main(int argc, char **argv, char **env)
{
    struct itsi_worker_job job;
    (void)argc, (void)argv, (void)env;
    itsi_worker_serve(&job);
    close(ITSI_WORKER_SOCKET);
    environ = job.env;
    return program_main(job.argc, job.argv, job.env);
}

/* What the program's first instructions call, with its main(). */
__attribute__((visibility("default"))) start_function __libc_start_main;

int __libc_start_main(main_function *program, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    start_function *const real = (start_function *)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");
    if (!real)
        _exit(127);
    program_main = program;
    return real(worker_main, argc, argv, init, fini, rtld_fini, stack_end);
}

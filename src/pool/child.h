/* What a child process does to itself between fork and exec. System calls only, so that it may share its parent's
 * memory (vfork), and nothing of the library: the worker (pool/worker/) is made of it too. */
#ifndef ITSI_POOL_CHILD_H
#define ITSI_POOL_CHILD_H

#include <stdint.h>
#include <sys/types.h>

/* Of one process; 0: as its parent has it, which also bounds the others, hard and soft. Core dumps are always off: they would
 * hold secrets. (Where RLIMIT_CORE's hard limit is 0 already and this is not root, none goes into a file, but core_pattern's
 * program would still get one: pool/worker/serve.c sees to what is in it.)
 *
 * Memory is bounded by what may be written (RLIMIT_DATA), not by addresses (RLIMIT_AS): libraries of hundreds of MiB, the
 * 64 MiB that malloc reserves for each thread, and what drivers of graphics cards reserve are addresses, and no memory.
 *
 * The number of processes has no limit here. RLIMIT_NPROC counts the threads of all processes of the *user*: of this
 * daemon with its cameras, of others that run as the same user, and in other containers of that number. What is low
 * enough to stop a job fails jobs that do nothing wrong, at moments that others choose; and it does not bind root. What
 * a job forks is in its process group, and ends with it. A machine that wants a bound sets one on the daemon's control group
 * (TasksMax= of systemd, --pids-limit of containers). */
struct itsi_child_limits {
    uint64_t data_bytes;  /* heap, stacks, other private memory that can be written */
    uint64_t file_bytes;  /* of each file that it writes: SIGXFSZ */
    uint32_t cpu_seconds; /* of all its threads: SIGXCPU, and KILL when it has used ITSI_CHILD_CPU_GRACE more */
    uint32_t descriptors;
    int32_t nice; /* 1..19 */
};
enum { ITSI_CHILD_CPU_GRACE = 2 };

/* Those that this process has, and so a child for which they are set: the soft ones, and of processor time what is left when a
 * child is told ITSI_CHILD_CPU_GRACE before the hard one. Its niceness is left out. */
struct itsi_child_limits itsi_child_limits_own(void);

/* The step that failed, and errno; step 0: none did. */
struct itsi_child_error {
    int step, error;
};
const char *itsi_child_step_name(int step);

/* Own process group; killed with its parent (PR_SET_PDEATHSIG, so with the *thread* that made it; `parent` is that
 * process: one that has died already is noticed); first to be killed when memory runs out; default signals, none
 * blocked; limits. */
void itsi_child_detach(pid_t parent, const struct itsi_child_limits *limits, struct itsi_child_error *error);
/* fds[i] (-1: /dev/null) becomes descriptor i; all above end with exec. count: at most ITSI_CHILD_FDS. */
enum { ITSI_CHILD_FDS = 8 };
void itsi_child_descriptors(const int *fds, int count, struct itsi_child_error *error);
/* Another program takes over; returns only with an error. */
void itsi_child_become(const char *program, char *const *argv, char *const *env, struct itsi_child_error *error);

#endif

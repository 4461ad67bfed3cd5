/* What a child process does to itself between fork and exec. System calls only, so that it may share its parent's
 * memory (vfork), and nothing of the library: the worker (pool/worker/) is made of it too. */
#ifndef ITSI_POOL_CHILD_H
#define ITSI_POOL_CHILD_H

#include <stdint.h>
#include <sys/types.h>

/* Of one process; 0: as its parent has it. Core dumps are always off: they would hold secrets. */
struct itsi_child_limits {
    uint64_t address_bytes; /* RLIMIT_AS */
    uint64_t file_bytes;    /* of each file that it writes */
    uint32_t cpu_seconds, descriptors;
    uint32_t processes; /* of its user, it included; without effect on root */
    int32_t nice;       /* 1..19 */
};

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

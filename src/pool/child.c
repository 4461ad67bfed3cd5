#include "pool/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STEP_NONE, STEP_GROUP, STEP_PARENT, STEP_LIMIT, STEP_NICE, STEP_DESCRIPTORS, STEP_EXEC };

const char *itsi_child_step_name(int step)
{
    static const char *const names[] = {"starting", "its own process group", "dying with its parent",
                                        "a limit",  "its niceness",          "its descriptors",
                                        "executing"};
    return step >= 0 && step < (int)(sizeof names / sizeof names[0]) ? names[step] : names[0];
}

static void fail(struct itsi_child_error *error, int step)
{
    if (!error->step)
        *error = (struct itsi_child_error){step, errno};
}

static rlim_t lower(rlim_t a, rlim_t b) { return a < b ? a : b; }

/* Where less is allowed already that stays, of both: who lowered it meant it, also where it may be raised. */
static void limit(int resource, uint64_t soft, uint64_t hard, struct itsi_child_error *error)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0) {
        fail(error, STEP_LIMIT);
        return;
    }
    now.rlim_max = lower(hard, now.rlim_max);
    now.rlim_cur = lower(lower(soft, now.rlim_cur), now.rlim_max);
    if (setrlimit((__rlimit_resource_t)resource, &now) != 0)
        fail(error, STEP_LIMIT);
}

/* Were the soft limit no less than the hard one it would be killed without a word, to itself and to us. */
static rlim_t told_at(rlim_t soft, rlim_t hard)
{
    return hard == RLIM_INFINITY ? soft : lower(soft, hard > ITSI_CHILD_CPU_GRACE ? hard - ITSI_CHILD_CPU_GRACE : 1);
}

static void limit_cpu(uint32_t seconds, struct itsi_child_error *error)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_CPU, &now) != 0) {
        fail(error, STEP_LIMIT);
        return;
    }
    now.rlim_max = lower((rlim_t)seconds + ITSI_CHILD_CPU_GRACE, now.rlim_max);
    now.rlim_cur = told_at(now.rlim_cur, now.rlim_max);
    if (setrlimit(RLIMIT_CPU, &now) != 0)
        fail(error, STEP_LIMIT);
}

/* 1 is none, and unlike 0 none into a program either (core(5), core_pattern with a pipe). Where it was made impossible to have
 * any, only root may have it so: then 0 it is. */
static void no_core(struct itsi_child_error *error)
{
    const struct rlimit none = {1, 1}, none_in_files = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 && setrlimit(RLIMIT_CORE, &none_in_files) != 0)
        fail(error, STEP_LIMIT);
}

static void limit_all(const struct itsi_child_limits *limits, struct itsi_child_error *error)
{
    no_core(error);
    if (limits->data_bytes)
        limit(RLIMIT_DATA, limits->data_bytes, limits->data_bytes, error);
    if (limits->file_bytes)
        limit(RLIMIT_FSIZE, limits->file_bytes, limits->file_bytes, error);
    if (limits->cpu_seconds)
        limit_cpu(limits->cpu_seconds, error);
    if (limits->descriptors)
        limit(RLIMIT_NOFILE, limits->descriptors, limits->descriptors, error);
}

static uint64_t or_none(rlim_t value) { return value != RLIM_INFINITY ? value : 0; }

static struct rlimit own_limit(int resource)
{
    struct rlimit now = {RLIM_INFINITY, RLIM_INFINITY};
    (void)getrlimit((__rlimit_resource_t)resource, &now);
    return now;
}

static uint32_t narrow(uint64_t value) { return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX; }

struct itsi_child_limits itsi_child_limits_own(void)
{
    const struct rlimit cpu = own_limit(RLIMIT_CPU);
    return (struct itsi_child_limits){
        .data_bytes = or_none(own_limit(RLIMIT_DATA).rlim_cur),
        .file_bytes = or_none(own_limit(RLIMIT_FSIZE).rlim_cur),
        .cpu_seconds = narrow(or_none(told_at(cpu.rlim_cur, cpu.rlim_max))),
        .descriptors = narrow(or_none(own_limit(RLIMIT_NOFILE).rlim_cur)),
    };
}

static void default_signals(void)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            (void)sigaction(number, &usual, NULL); /* those that libc keeps to itself are refused */
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void offer_to_oom_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* a wish: where it is not to be had, the kernel chooses by size */
    (void)!write(fd, "500", 3);
    close(fd);
}

void itsi_child_detach(pid_t parent, const struct itsi_child_limits *limits, struct itsi_child_error *error)
{
    if (setpgid(0, 0) != 0)
        fail(error, STEP_GROUP);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        fail(error, STEP_PARENT);
    if (getppid() != parent) /* it died before it was asked for */
        _exit(0);
    offer_to_oom_killer();
    limit_all(limits, error);
    if (limits->nice && setpriority(PRIO_PROCESS, 0, limits->nice) != 0)
        fail(error, STEP_NICE);
    default_signals();
}

void itsi_child_descriptors(const int *fds, int count, struct itsi_child_error *error)
{
    int high[ITSI_CHILD_FDS];
    /* out of the way first: a source may have a number that is another's aim */
    for (int i = 0; i < count; i++) {
        const int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
        high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, ITSI_CHILD_FDS);
        if (high[i] < 0)
            fail(error, STEP_DESCRIPTORS);
    }
    for (int i = 0; i < count && !error->step; i++)
        if (dup2(high[i], i) < 0)
            fail(error, STEP_DESCRIPTORS);
    /* a library that forgot O_CLOEXEC: this descriptor is not the child's business either */
    (void)close_range((unsigned)count, ~0U, CLOSE_RANGE_CLOEXEC);
}

void itsi_child_become(const char *program, char *const *argv, char *const *env, struct itsi_child_error *error)
{
    execve(program, argv, env);
    fail(error, STEP_EXEC);
}

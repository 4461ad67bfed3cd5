/* What a child may use, where its parent may use less already. */
#include "support/check.h"

#include "pool/spawn.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* True: the script ended with 0. The product itself never starts a shell. */
static bool holds(const char *script, const struct itsi_child_limits *limits)
{
    const char *const argv[] = {"sh", "-c", script, NULL}, *const env[] = {"PATH=/usr/bin:/bin", NULL};
    const struct itsi_spawn what = {.program = "/bin/sh", .argv = argv, .env = env, .limits = *limits};
    struct its_diag diag;
    int pidfd, status = -1;
    pid_t pid;
    if (itsi_spawn(&what, &pid, &pidfd, &diag) != 0) {
        print_error("%s\n", diag.text);
        return false;
    }
    close(pidfd);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* An operator's `ulimit -S`: also where the hard limit would allow more. */
static void a_soft_limit_is_not_raised(void **state)
{
    const struct itsi_child_limits limits = {.file_bytes = 1 << 20, .descriptors = 200};
    struct rlimit files, size;
    (void)state;
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_FSIZE, &size);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, files.rlim_max});
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 19, size.rlim_max});
    const struct itsi_child_limits own = itsi_child_limits_own();
    const bool files_hold = holds("test $(ulimit -Sn) = 100 -a $(ulimit -Hn) = 200", &limits);
    const bool size_holds = holds("test $(ulimit -Sf) = 1024 -a $(ulimit -Hf) = 2048", &limits); /* of 512 bytes */
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_FSIZE, &size);
    assert_true(files_hold);
    assert_true(size_holds);
    assert_int_equal(own.descriptors, 100);
    assert_int_equal(own.file_bytes, 1 << 19);
    assert_int_equal(own.data_bytes, 0); /* none */
}

/* Runs in a process of its own, as there is no way back for who lowers a hard limit. */
static void expect_of_a_process(void (*process)(void))
{
    int status;
    const pid_t pid = fork();
    if (pid == 0)
        process();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void with_little_time(void)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){50, 50});
    const bool is_own = itsi_child_limits_own().cpu_seconds == 50 - ITSI_CHILD_CPU_GRACE;
    _exit(is_own && holds("test $(ulimit -St) = 48 -a $(ulimit -Ht) = 50", &(struct itsi_child_limits){.cpu_seconds = 60}) &&
                  holds("test $(ulimit -St) = 20 -a $(ulimit -Ht) = 22", &(struct itsi_child_limits){.cpu_seconds = 20})
              ? 0
              : 1);
}

static void a_child_is_told_before_its_time_is_over(void **state)
{
    (void)state;
    expect_of_a_process(with_little_time);
}

/* Who may have no cores at all, and is not root, is no worse off: it has none. */
static void without_cores(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (getuid() == 0 && setuid(65534) != 0)
        _exit(1);
    _exit(holds("test $(ulimit -Hc) = 0", &(struct itsi_child_limits){0}) ? 0 : 2);
}

static void a_hard_limit_of_no_cores_stays(void **state)
{
    (void)state;
    expect_of_a_process(without_cores);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_soft_limit_is_not_raised),
        cmocka_unit_test(a_child_is_told_before_its_time_is_over),
        cmocka_unit_test(a_hard_limit_of_no_cores_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

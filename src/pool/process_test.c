#include "support/check.h"
#include "support/processes.h"

#include "pool/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
    uv_loop_t loop;
    struct itsi_process process;
    struct itsi_process_exit exit;
    int ended;
    struct itsi_buf lines;
    int descriptors; /* before */
};
static struct world w;
static const char *const plain_env[] = {"PATH=/usr/bin:/bin", NULL};

static void on_ended(void *arg, const struct itsi_process_exit *exit)
{
    assert_ptr_equal(arg, &w);
    w.exit = *exit;
    w.ended++;
}

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    w.descriptors = processes_descriptors();
    uv_loop_init(&w.loop);
    itsi_buf_init(&w.lines);
    return 0;
}

/* Nothing stays: no handle, no descriptor, no child. */
static int end(void **state)
{
    (void)state;
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
    itsi_buf_fini(&w.lines);
    assert_int_equal(processes_descriptors(), w.descriptors);
    assert_int_equal(processes_children(), 0);
    return 0;
}

static int start(const struct itsi_spawn *what, struct its_diag *diag)
{
    w.process.ended = on_ended;
    w.process.arg = &w;
    return itsi_process_start(&w.process, &w.loop, what, diag);
}

/* The script of a test's child: the product itself never starts a shell. */
static void start_script_with(const char *script, const struct itsi_child_limits *limits)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct itsi_spawn what = {.program = "/bin/sh", .argv = argv, .env = plain_env, .limits = *limits};
    struct its_diag diag;
    CHECK_OK(start(&what, &diag), diag);
}

static void start_script(const char *script) { start_script_with(script, &(struct itsi_child_limits){0}); }

static const char *shown(void)
{
    itsi_buf_reset(&w.lines);
    itsi_last_lines_show(&w.process.lines, NULL, &w.lines);
    return w.lines.data ? w.lines.data : "";
}

static void run_to_end(void)
{
    while (!w.ended)
        uv_run(&w.loop, UV_RUN_ONCE);
}

/* Lets the loop turn until the child has written so many lines. */
static void run_to_line(uint64_t lines)
{
    while (w.process.lines.count < lines && !w.ended)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_false(w.ended);
}

static void it_runs_and_its_exit_tells_all(void **state)
{
    (void)state;
    start_script("echo one >&2; printf two >&2; exit 3");
    run_to_end();
    assert_int_equal(w.exit.code, 3);
    assert_int_equal(w.exit.signal, 0);
    assert_true(w.exit.most_rss_bytes > 0);
    assert_string_equal(shown(), "one\ntwo\n");
}

static void arguments_and_environment_are_what_was_given(void **state)
{
    const char *const argv[] = {"sh", "-c", "echo \"$0|$1|$HOME|$MINE\" >&2", "a b; $(x)", "*", NULL};
    const char *const env[] = {"MINE=yes", NULL};
    const struct itsi_spawn what = {.program = "sh", .argv = argv, .env = env};
    struct its_diag diag;
    (void)state;
    setenv("HOME", "/somewhere", 1);
    CHECK_OK(start(&what, &diag), diag);
    run_to_end();
    assert_string_equal(shown(), "a b; $(x)|*||yes\n");
}

static void it_gets_the_descriptors_given_and_no_others(void **state)
{
    int in[2], out[2];
    char text[64] = "", list[256];
    (void)state;
    const int leaked = open("/dev/null", O_RDONLY); /* by some library that forgot O_CLOEXEC */
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(write(in[1], "hello\n", 6), 6);
    close(in[1]);
    const int fds[] = {in[0], out[1]};
    const char *const argv[] = {"sh", "-c", "read line; echo got $line; ls /proc/self/fd >&2", NULL};
    const struct itsi_spawn what = {.program = "/bin/sh", .argv = argv, .env = plain_env, .fds = fds, .fd_count = 2};
    struct its_diag diag;
    CHECK_OK(start(&what, &diag), diag);
    close(in[0]);
    close(out[1]);
    run_to_end();
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "got hello\n");
    close(out[0]);
    snprintf(list, sizeof list, "0\n1\n2\n3\n"); /* 3: what ls reads the list by */
    assert_string_equal(shown(), list);
    close(leaked);
}

static void what_cannot_start_says_why(void **state)
{
    const char *const argv[] = {"x", NULL};
    struct its_diag diag;
    (void)state;
    struct itsi_spawn what = {.program = "/no/such/program", .argv = argv, .env = plain_env};
    assert_int_equal(start(&what, &diag), ITS_ENOTFOUND);
    assert_string_equal(diag.text, "/no/such/program: executing: No such file or directory");
    what.program = "its-no-such-program";
    assert_int_equal(start(&what, &diag), ITS_ENOTFOUND);
    assert_string_equal(diag.text, "its-no-such-program: no such program in PATH");
    what.program = "/etc/passwd";
    assert_int_equal(start(&what, &diag), ITS_EAUTH);
    CHECK_CONTAINS(diag.text, "/etc/passwd: executing: Permission denied");
}

static void a_signal_that_ended_it_is_told(void **state)
{
    (void)state;
    start_script("kill -SEGV $$");
    run_to_end();
    assert_int_equal(w.exit.code, -1);
    assert_int_equal(w.exit.signal, SIGSEGV);
}

static void who_listens_ends_by_term(void **state)
{
    (void)state;
    start_script("trap 'echo bye >&2; exit 7' TERM; echo ready >&2; while :; do sleep 0.01; done");
    run_to_line(1);
    itsi_process_end(&w.process, 10000);
    run_to_end();
    assert_int_equal(w.exit.code, 7);
    CHECK_CONTAINS(shown(), "bye\n");
}

static void who_ignores_term_is_killed(void **state)
{
    (void)state;
    start_script("trap '' TERM; echo ready >&2; while :; do sleep 0.01; done");
    run_to_line(1);
    itsi_process_end(&w.process, 50);
    run_to_end();
    assert_int_equal(w.exit.signal, SIGKILL);
}

static void who_is_stopped_is_killed(void **state)
{
    (void)state;
    start_script("echo ready >&2; kill -STOP $$");
    run_to_line(1);
    while (processes_state(w.process.pid, NULL) != 'T')
        usleep(1000);
    itsi_process_end(&w.process, 50);
    run_to_end();
    assert_int_equal(w.exit.signal, SIGKILL);
}

/* Its grandchild says its number, and outlives it unless the whole group ends. */
static void its_own_children_end_with_it(void **state)
{
    (void)state;
    start_script("sleep 1000 & echo $! >&2; exit 0");
    run_to_end();
    const pid_t grandchild = atoi(shown());
    assert_true(grandchild > 1);
    assert_true(processes_gone(grandchild, 5));
}

static void a_flood_of_errors_takes_no_memory(void **state)
{
    struct rusage before, after;
    (void)state;
    getrusage(RUSAGE_SELF, &before);
    start_script(
        "yes 'error: something is very wrong with this stream, and it will be said again' | head -c 100000000 >&2");
    run_to_end();
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(w.process.lines.bytes, 100000000);
    assert_true(after.ru_maxrss - before.ru_maxrss < 4096);
    CHECK_CONTAINS(shown(), "error: something is very wrong with this stream, and it will be said again\n");
}

static void limits_hold(void **state)
{
    const struct itsi_child_limits limits = {
        .file_bytes = 1 << 20, .cpu_seconds = 5, .descriptors = 50, .nice = 7, .data_bytes = UINT64_C(1) << 32};
    (void)state;
    start_script_with("ulimit -f >&2; ulimit -t >&2; ulimit -n >&2; ulimit -d >&2; nice >&2; ulimit -c >&2", &limits);
    run_to_end();
    assert_string_equal(shown(), "2048\n5\n50\n4194304\n7\n0\n");
}

/* The limit is the child's: what its parent has open counts for nothing. */
static void a_limit_of_descriptors_below_what_its_parent_has_open(void **state)
{
    const struct itsi_child_limits limits = {.descriptors = 50};
    int many[100];
    (void)state;
    for (int i = 0; i < 100; i++)
        many[i] = fcntl(0, F_DUPFD_CLOEXEC, 3);
    start_script_with("ulimit -n >&2", &limits);
    run_to_end();
    assert_string_equal(shown(), "50\n");
    for (int i = 0; i < 100; i++)
        close(many[i]);
}

/* 0 is not heeded where cores are piped into a program, 1 is (core(5), do_coredump()). */
static void no_core_is_piped_either(void **state)
{
    (void)state;
    start_script("set -- $(grep 'core file' /proc/self/limits); echo $5 $6 >&2");
    run_to_end();
    assert_string_equal(shown(), "1 1\n");
}

static void who_burns_time_is_ended_by_its_limit(void **state)
{
    const struct itsi_child_limits limits = {.cpu_seconds = 1};
    (void)state;
    start_script_with("while :; do :; done", &limits);
    run_to_end();
    assert_int_equal(w.exit.signal, SIGXCPU);
    assert_true(w.exit.cpu_ns >= ITSI_NS_PER_S / 2);
}

static void who_does_not_heed_that_is_killed(void **state)
{
    const struct itsi_child_limits limits = {.cpu_seconds = 1};
    (void)state;
    start_script_with("trap '' XCPU; while :; do :; done", &limits);
    run_to_end();
    assert_int_equal(w.exit.signal, SIGKILL);
    assert_true(w.exit.cpu_ns >= ITSI_NS_PER_S * 5 / 2);
}

/* --- in a process of its own ---------------------------------------------------------------------------------------
 */

/* A user that has no right to more processes. Root is not bound by this limit: so it is left first. */
static void without_processes(void)
{
    const struct rlimit none = {0, 0};
    const char *const argv[] = {"true", NULL};
    const struct itsi_spawn what = {.program = "/bin/true", .argv = argv, .env = plain_env};
    struct its_diag diag;
    pid_t pid;
    int pidfd;
    if (getuid() == 0 && setuid(65534) != 0)
        _exit(77);
    setrlimit(RLIMIT_NPROC, &none);
    if (itsi_spawn(&what, &pid, &pidfd, &diag) != ITS_ELIMIT)
        _exit(1);
    _exit(strcmp(diag.text, "/bin/true: starting: Resource temporarily unavailable") == 0 ? 0 : 2);
}

static void a_fork_that_fails_is_an_error(void **state)
{
    int status;
    (void)state;
    const pid_t pid = fork();
    if (pid == 0)
        without_processes();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Starts a child with one of its own, says both numbers, and waits to be killed. */
static void parent_to_be_killed(int report)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    const struct itsi_spawn what = {.program = "/bin/sleep", .argv = argv, .env = plain_env};
    struct its_diag diag;
    pid_t pid;
    int pidfd;
    const int rc = itsi_spawn(&what, &pid, &pidfd, &diag);
    if (rc)
        pid = 0;
    if (write(report, &pid, sizeof pid) != sizeof pid)
        _exit(1);
    for (;;)
        pause();
}

static void a_parent_that_is_killed_takes_its_children_along(void **state)
{
    int report[2];
    pid_t child = 0;
    (void)state;
    assert_int_equal(pipe(report), 0);
    const pid_t parent = fork();
    if (parent == 0)
        parent_to_be_killed(report[1]);
    assert_int_equal(read(report[0], &child, sizeof child), sizeof child);
    assert_true(child > 1);
    assert_true(processes_state(child, NULL) != 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    assert_true(processes_gone(child, 5));
    close(report[0]);
    close(report[1]);
}

struct spawner {
    pid_t pid;
    int pidfd, rc;
};

static void *spawn_and_end(void *arg)
{
    struct spawner *spawner = arg;
    const char *const argv[] = {"sleep", "1000", NULL};
    const struct itsi_spawn what = {.program = "/bin/sleep", .argv = argv, .env = plain_env};
    struct its_diag diag;
    spawner->rc = itsi_spawn(&what, &spawner->pid, &spawner->pidfd, &diag);
    return NULL;
}

static void a_thread_that_ends_takes_its_children_along(void **state)
{
    struct spawner spawner;
    pthread_t thread;
    int status;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, spawn_and_end, &spawner), 0);
    pthread_join(thread, NULL);
    assert_int_equal(spawner.rc, 0);
    assert_int_equal(waitpid(spawner.pid, &status, 0), spawner.pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    close(spawner.pidfd);
}

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
enum { FORKS = 5 }; /* there each start waits for a moment (spawn.c) */
#else
enum { FORKS = 100 };
#endif
struct forker {
    atomic_bool stop;
    pid_t pids[FORKS];
    int count;
};

/* Copies that hold on to whatever was open, and do not execute: another library's. */
static void *fork_again_and_again(void *arg)
{
    struct forker *forker = arg;
    while (!atomic_load(&forker->stop) && forker->count < FORKS) {
        const pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when this test fails */
            for (;;)
                pause();
        }
        forker->pids[forker->count++] = pid;
    }
    return NULL;
}

static void what_others_fork_meanwhile_holds_up_nobody(void **state)
{
    struct forker forker = {.count = 0};
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, fork_again_and_again, &forker), 0);
    alarm(60);
    for (int i = 0; i < FORKS; i++) {
        struct spawner spawner;
        (void)spawn_and_end(&spawner);
        assert_int_equal(spawner.rc, 0);
        kill(spawner.pid, SIGKILL);
        waitpid(spawner.pid, NULL, 0);
        close(spawner.pidfd);
    }
    alarm(0);
    atomic_store(&forker.stop, true);
    pthread_join(thread, NULL);
    for (int i = 0; i < forker.count; i++) {
        kill(forker.pids[i], SIGKILL);
        waitpid(forker.pids[i], NULL, 0);
    }
}

static void memory_of_a_process_is_read(void **state)
{
    (void)state;
    assert_true(itsi_process_rss(getpid()) > 1 << 20);
    assert_int_equal(itsi_process_rss(INT32_MAX), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_runs_and_its_exit_tells_all),
        TEST(arguments_and_environment_are_what_was_given),
        TEST(it_gets_the_descriptors_given_and_no_others),
        TEST(what_cannot_start_says_why),
        TEST(a_signal_that_ended_it_is_told),
        TEST(who_listens_ends_by_term),
        TEST(who_ignores_term_is_killed),
        TEST(who_is_stopped_is_killed),
        TEST(its_own_children_end_with_it),
        TEST(a_flood_of_errors_takes_no_memory),
        TEST(limits_hold),
        TEST(a_limit_of_descriptors_below_what_its_parent_has_open),
        TEST(no_core_is_piped_either),
        TEST(who_burns_time_is_ended_by_its_limit),
        TEST(who_does_not_heed_that_is_killed),
        TEST(a_fork_that_fails_is_an_error),
        TEST(a_parent_that_is_killed_takes_its_children_along),
        TEST(a_thread_that_ends_takes_its_children_along),
        TEST(what_others_fork_meanwhile_holds_up_nobody),
        TEST(memory_of_a_process_is_read),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

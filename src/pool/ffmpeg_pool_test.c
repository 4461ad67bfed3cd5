/* The pool with the system's FFmpeg: what it keeps, replaces, refuses and leaves behind. */
#include "support/check.h"
#include "support/processes.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/loop.h"
#include "pool/ffmpeg_pool.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define S ITSI_NS_PER_S
#define MS ITSI_NS_PER_MS

struct world {
    struct itsi_loop *loop;
    struct itsi_ffmpeg_pool *pool;
    struct itsi_ffmpeg_pool_params params;
    struct itsi_ffmpeg_pool_stats stats;
    int descriptors;
};
static struct world w;

/* A job, and what came of it. */
struct asked {
    struct itsi_ffmpeg_job job;
    struct itsi_event done;
    struct itsi_ffmpeg_result result;
    char error[512], lines[4096];
};

static const char *const quick[] = {"-f", "lavfi", "-i", "color=size=16x16:duration=0.1", "-f", "null", "-", NULL};
static const char *const endless[] = {"-re", "-f", "lavfi", "-i", "color=size=16x16", "-f", "null", "-", NULL};

static int begin(void **state)
{
    const struct its_cfg_connection_pool cfg = {.ffmpeg_pool_size = 2,
                                                .ffmpeg_max_concurrent = 4,
                                                .ffmpeg_process_timeout = 60,
                                                .ffmpeg_restart_threshold = 100};
    struct its_diag diag;
    (void)state;
    memset(&w, 0, sizeof w);
    w.descriptors = processes_descriptors();
    itsi_ffmpeg_pool_usual(&w.params, &cfg);
    w.params.grace_ns = 300 * MS;
    CHECK_OK(itsi_loop_create(&w.loop, "its-loop", &diag), diag);
    return 0;
}

static void make(void)
{
    struct its_diag diag;
    CHECK_OK(itsi_ffmpeg_pool_create(&w.pool, w.loop, &w.params, &diag), diag);
}

static int end(void **state)
{
    (void)state;
    itsi_ffmpeg_pool_destroy(w.pool, 0);
    itsi_loop_destroy(w.loop);
    assert_int_equal(processes_children(), 0);
    assert_int_equal(processes_descriptors(), w.descriptors);
    return 0;
}

static const struct itsi_ffmpeg_pool_stats *stats(void)
{
    struct its_diag diag;
    CHECK_OK(itsi_ffmpeg_pool_stats(w.pool, &w.stats, &diag), diag);
    return &w.stats;
}

static bool two_idle(void) { return stats()->leases.idle >= 2; }

static void await(bool (*condition)(void))
{
    const int64_t until = itsi_now_ns() + 30 * S;
    while (!condition()) {
        assert_true(itsi_now_ns() < until);
        usleep(2000);
    }
}

static void on_done(struct itsi_ffmpeg_job *job, const struct itsi_ffmpeg_result *result)
{
    struct asked *asked = job->arg;
    asked->result = *result;
    snprintf(asked->error, sizeof asked->error, "%s", result->error);
    snprintf(asked->lines, sizeof asked->lines, "%s", result->lines);
    itsi_event_set(&asked->done);
}

static void ask(struct asked *asked, const char *const *arguments, int64_t deadline)
{
    *asked = (struct asked){.job = {.arguments = arguments,
                                    .owner = {.component = "test", .stage = "ask"},
                                    .input = -1,
                                    .output = -1,
                                    .deadline = deadline,
                                    .done = on_done,
                                    .arg = asked}};
    itsi_event_init(&asked->done);
    itsi_ffmpeg_execute(w.pool, &asked->job);
}

static const struct itsi_ffmpeg_result *answer(struct asked *asked)
{
    assert_true(itsi_event_wait_until(&asked->done, itsi_now_ns() + 60 * S));
    itsi_event_fini(&asked->done);
    return &asked->result;
}

static const struct itsi_ffmpeg_result *run(struct asked *asked, const char *const *arguments)
{
    ask(asked, arguments, ITSI_NEVER);
    return answer(asked);
}

/* The numbers of this process's children, at most `most`. */
static int list_children(pid_t *out, int most)
{
    char text[1024];
    int count = 0, used, at = 0;
    DIR *tasks = opendir("/proc/self/task"); /* they are the loop's thread's */
    assert_non_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char name[300];
        if (task->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "task/%s/children", task->d_name);
        processes_read(getpid(), name, text, sizeof text);
        for (at = 0; count < most && sscanf(text + at, "%d %n", &out[count], &used) == 1; at += used)
            count++;
    }
    closedir(tasks);
    return count;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void it_keeps_processes_ready(void **state)
{
    struct asked asked;
    (void)state;
    make();
    await(two_idle);
    assert_int_equal(w.stats.kind, ITSI_WORKER_LINKED);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->jobs[ITSI_FFMPEG_DONE], 1);
    assert_int_equal(w.stats.running, 0);
    assert_int_equal(w.stats.leases.in_use, 0);
}

static void more_jobs_than_processes_wait_their_turn(void **state)
{
    enum { JOBS = 40 };
    static struct asked asked[JOBS];
    (void)state;
    make();
    for (int i = 0; i < JOBS; i++)
        ask(&asked[i], quick, ITSI_NEVER);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(answer(&asked[i])->outcome, ITSI_FFMPEG_DONE);
    assert_true(stats()->leases.opens <= 4);
    assert_int_equal(w.stats.jobs[ITSI_FFMPEG_DONE], JOBS);
}

static void a_thousand_jobs_leave_nothing_behind(void **state)
{
    enum { AT_ONCE = 50, ROUNDS = 20 };
    static struct asked asked[AT_ONCE];
    (void)state;
    make();
    await(two_idle);
    const int descriptors = processes_descriptors();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < AT_ONCE; i++)
            ask(&asked[i], quick, ITSI_NEVER);
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(answer(&asked[i])->outcome, ITSI_FFMPEG_DONE);
    }
    assert_true(stats()->leases.closed[ITSI_POOL_CLOSED_USES] >= 8); /* each replaced after a hundred */
    await(two_idle);
    const int each = 4; /* of a process: pidfd, socket, progress, stderr */
    assert_true(processes_descriptors() <= descriptors + each * (w.stats.leases.most - 2));
    assert_true(processes_children() <= w.stats.leases.most);
}

static void who_waits_too_long_is_refused(void **state)
{
    struct asked busy[4], late;
    (void)state;
    w.params.kept = w.params.most = 1;
    make();
    ask(&busy[0], endless, itsi_now_ns() + 2 * S);
    ask(&late, quick, itsi_now_ns() + 200 * MS);
    assert_int_equal(answer(&late)->outcome, ITSI_FFMPEG_REFUSED);
    assert_int_equal(late.result.code, ITS_ETIMEOUT);
    CHECK_CONTAINS(late.error, "ffmpeg");
    assert_int_equal(answer(&busy[0])->killed, ITSI_JOB_KILL_TIMEOUT); /* the deadline goes on while it runs */
}

static void a_job_has_its_time(void **state)
{
    struct asked asked;
    (void)state;
    w.params.timeout_ns = 500 * MS;
    make();
    assert_int_equal(run(&asked, endless)->killed, ITSI_JOB_KILL_TIMEOUT);
    const struct its_cfg_connection_pool more = {.ffmpeg_process_timeout = 60, .ffmpeg_restart_threshold = 100};
    itsi_ffmpeg_pool_configure(w.pool, &more);
    const char *const second[] = {"-re", "-f", "lavfi", "-i", "color=size=16x16:duration=1", "-f", "null", "-", NULL};
    assert_int_equal(run(&asked, second)->outcome, ITSI_FFMPEG_DONE);
}

static void jobs_are_cancelled_waiting_and_running(void **state)
{
    struct asked running, waiting;
    (void)state;
    w.params.kept = w.params.most = 1;
    make();
    ask(&running, endless, ITSI_NEVER);
    ask(&waiting, endless, ITSI_NEVER);
    while (stats()->running == 0)
        usleep(1000);
    itsi_ffmpeg_cancel_job(w.pool, &waiting.job);
    assert_int_equal(answer(&waiting)->code, ITS_ECANCELLED);
    assert_int_equal(waiting.result.outcome, ITSI_FFMPEG_REFUSED);
    itsi_ffmpeg_cancel_job(w.pool, &running.job);
    assert_int_equal(answer(&running)->killed, ITSI_JOB_KILL_CANCELLED);
}

static bool replaced_after_three(void) { return stats()->leases.closed[ITSI_POOL_CLOSED_USES] >= 1 && two_idle(); }
static bool replaced_for_age(void) { return stats()->leases.closed[ITSI_POOL_CLOSED_LIFETIME] >= 2; }
static bool replaced_for_size(void) { return stats()->leases.closed[ITSI_POOL_CLOSED_BROKEN] >= 1 && two_idle(); }

static void a_process_is_replaced_after_its_jobs(void **state)
{
    struct asked asked;
    (void)state;
    w.params.uses = 3;
    make();
    for (int i = 0; i < 6; i++)
        assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    await(replaced_after_three);
}

static void a_process_is_replaced_when_it_is_old(void **state)
{
    (void)state;
    w.params.lifetime_ns = 300 * MS;
    make();
    await(replaced_for_age);
    assert_int_equal(stats()->deaths, 0);
}

static void a_process_is_replaced_when_it_has_grown(void **state)
{
    struct asked asked;
    (void)state;
    w.params.most_worker_bytes = 1 << 20; /* less than it has from the start */
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    await(replaced_for_size);
    assert_int_equal(stats()->recycled, 1);
    assert_int_equal(w.stats.deaths, 0);
}

static bool back_again(void) { return stats()->deaths >= 2 && two_idle(); }

static void processes_that_are_killed_are_started_again(void **state)
{
    pid_t children[8];
    struct asked asked;
    (void)state;
    make();
    await(two_idle);
    const int count = list_children(children, 8);
    assert_int_equal(count, 2);
    const int64_t killed = itsi_now_ns();
    for (int i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    await(back_again);
    print_message("both processes killed: two ready again after %.0f ms\n", (double)(itsi_now_ns() - killed) / 1e6);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
}

static bool is_down(void) { return stats()->leases.is_down && w.stats.leases.idle == 0; }

/* One place, whose process dies as often as it comes: five times within the minute, then it stays away. */
static void who_dies_too_often_is_left_dead(void **state)
{
    struct asked asked;
    pid_t child;
    (void)state;
    w.params.kept = w.params.most = 1;
    w.params.restarts.first_ns = MS;
    make();
    for (int deaths = 0; deaths < 5; deaths++) {
        const int64_t until = itsi_now_ns() + 30 * S;
        while (stats()->leases.idle == 0)
            assert_true(itsi_now_ns() < until);
        assert_int_equal(list_children(&child, 1), 1);
        kill(child, SIGKILL);
        while (stats()->deaths <= (uint64_t)deaths)
            usleep(1000);
    }
    await(is_down);
    assert_int_equal(w.stats.deaths, 5);
    assert_int_equal(run(&asked, quick)->code, ITS_EREFUSED);
    CHECK_CONTAINS(asked.error, "died 5 times within 60 s");
}

static void a_job_whose_process_dies_is_lost(void **state)
{
    struct asked asked;
    pid_t child;
    (void)state;
    w.params.kept = w.params.most = 1;
    make();
    ask(&asked, endless, ITSI_NEVER);
    while (stats()->running == 0)
        usleep(1000);
    assert_int_equal(list_children(&child, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(answer(&asked)->outcome, ITSI_FFMPEG_LOST);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
}

static void without_the_program_jobs_are_refused(void **state)
{
    struct asked asked;
    (void)state;
    w.params.program = "its-no-such-ffmpeg";
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_REFUSED);
    CHECK_CONTAINS(asked.error, "its-no-such-ffmpeg: no such program in PATH");
}

/* A script is run by another program, into which the worker is linked in its place: that is noticed. */
static void a_program_that_cannot_be_linked_is_executed(void **state)
{
    char path[] = "/tmp/its-ffmpeg-wrapper-XXXXXX";
    struct asked asked;
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\nexec ffmpeg \"$@\"\n") > 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    w.params.program = path;
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->kind, ITSI_WORKER_EXECUTING);
    assert_int_equal(w.stats.deaths, 0);
    unlink(path);
}

static void the_end_takes_what_runs_along(void **state)
{
    struct asked running, waiting;
    (void)state;
    w.params.kept = w.params.most = 1;
    make();
    ask(&running, endless, ITSI_NEVER);
    ask(&waiting, endless, ITSI_NEVER);
    while (stats()->running == 0)
        usleep(1000);
    itsi_ffmpeg_pool_destroy(w.pool, itsi_now_ns() + 100 * MS);
    w.pool = NULL;
    assert_int_equal(answer(&running)->killed, ITSI_JOB_KILL_SHUTDOWN);
    assert_int_equal(answer(&waiting)->code, ITS_ECANCELLED);
    assert_int_equal(processes_children(), 0);
}

static bool one_runs_one_waits(void) { return stats()->running == 1 && w.stats.leases.idle >= 1; }

static void parent_to_be_killed(int report)
{
    static struct asked asked;
    pid_t pids[8];
    begin(NULL);
    make();
    ask(&asked, endless, ITSI_NEVER);
    await(one_runs_one_waits);
    const int count = list_children(pids, 7);
    if (count < 2 || write(report, pids, sizeof pids) != sizeof pids)
        _exit(1);
    for (;;)
        pause();
}

static void a_parent_that_is_killed_takes_all_along(void **state)
{
    pid_t pids[8] = {0};
    int report[2];
    (void)state;
    assert_int_equal(pipe(report), 0);
    const pid_t parent = fork();
    if (parent == 0)
        parent_to_be_killed(report[1]);
    close(report[1]);
    assert_int_equal(read(report[0], pids, sizeof pids), sizeof pids);
    close(report[0]);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    for (int i = 0; i < 2; i++)
        assert_true(processes_gone(pids[i], 5));
}

static void constructors_survive_any_allocation_failing(void **state)
{
    struct its_diag diag;
    (void)state;
    for (int n = 1; n < 100; n++) {
        struct itsi_ffmpeg_pool *pool = NULL;
        itsi_alloc_fail_at(n);
        const int rc = itsi_ffmpeg_pool_create(&pool, w.loop, &w.params, &diag);
        itsi_alloc_fail_at(0);
        if (rc == 0) {
            itsi_ffmpeg_pool_destroy(pool, 0);
            if (n > 20)
                return;
        } else {
            assert_int_equal(rc, ITS_ENOMEM);
        }
    }
}

static void what_it_counts_is_shown(void **state)
{
    struct itsi_exposition e;
    struct itsi_buf out;
    struct asked asked;
    (void)state;
    make();
    (void)run(&asked, quick);
    itsi_buf_init(&out);
    itsi_exposition_init(&e, ITSI_EXPOSITION_TEXT, &out);
    itsi_put_ffmpeg_metrics(&e, stats());
    itsi_exposition_end(&e);
    CHECK_CONTAINS(out.data, "its_ffmpeg_jobs_total{outcome=\"done\"} 1\n");
    CHECK_CONTAINS(out.data, "its_ffmpeg_killed_total{reason=\"stalled\"} 0\n");
    CHECK_CONTAINS(out.data, "its_ffmpeg_running 0\n");
    CHECK_CONTAINS(out.data, "its_ffmpeg_job_seconds_count 1\n");
    itsi_buf_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_keeps_processes_ready),
        TEST(more_jobs_than_processes_wait_their_turn),
        TEST(a_thousand_jobs_leave_nothing_behind),
        TEST(who_waits_too_long_is_refused),
        TEST(a_job_has_its_time),
        TEST(jobs_are_cancelled_waiting_and_running),
        TEST(a_process_is_replaced_after_its_jobs),
        TEST(a_process_is_replaced_when_it_is_old),
        TEST(a_process_is_replaced_when_it_has_grown),
        TEST(processes_that_are_killed_are_started_again),
        TEST(who_dies_too_often_is_left_dead),
        TEST(a_job_whose_process_dies_is_lost),
        TEST(without_the_program_jobs_are_refused),
        TEST(a_program_that_cannot_be_linked_is_executed),
        TEST(the_end_takes_what_runs_along),
        TEST(a_parent_that_is_killed_takes_all_along),
        TEST(constructors_survive_any_allocation_failing),
        TEST(what_it_counts_is_shown),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

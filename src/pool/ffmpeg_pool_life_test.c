/* How processes of the pool come and go: replaced, killed, given up, and all of them at the end. */
#include "pool/ffmpeg_pool_fixture.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif

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
    w.params.open_timeout_ns = 10 * S; /* less than is left of the minute then */
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
    assert_int_equal(stats()->deaths, 1); /* and costs what other deaths cost */
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
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
    skip(); /* its children may not start threads */
#endif
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_is_replaced_after_its_jobs),
        TEST(a_process_is_replaced_when_it_is_old),
        TEST(a_process_is_replaced_when_it_has_grown),
        TEST(processes_that_are_killed_are_started_again),
        TEST(who_dies_too_often_is_left_dead),
        TEST(a_job_whose_process_dies_is_lost),
        TEST(the_end_takes_what_runs_along),
        TEST(a_parent_that_is_killed_takes_all_along),
        TEST(constructors_survive_any_allocation_failing),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The pool where linking FFmpeg ahead does not come to work: jobs go on by executing it, whatever the reason, and what works so
 * is not replaced before linking has been shown to work. */
#include "pool/ffmpeg_pool_fixture.h"

#include <string.h>

/* A copy of the program that fails as it is told, in a folder of the test's own. */
static struct {
    char folder[64], program[128], broken[160], starts[160];
} fickle;

static void copy_file(const char *from, const char *to)
{
    char command[512];
    snprintf(command, sizeof command, "cp %s %s.new && mv %s.new %s", from, to, to, to);
    assert_int_equal(system(command), 0);
}

static void break_it(const char *how)
{
    char next[176];
    snprintf(next, sizeof next, "%s.new", fickle.broken);
    FILE *mark = fopen(next, "we");
    assert_non_null(mark);
    fputs(how, mark);
    fclose(mark);
    assert_int_equal(rename(next, fickle.broken), 0); /* never seen half written */
}

static int64_t linked_starts(void)
{
    struct stat info;
    return stat(fickle.starts, &info) == 0 ? info.st_size : 0;
}

static int begin_fickle(void **state)
{
    begin(state);
    strcpy(fickle.folder, "/tmp/its-fickle-XXXXXX");
    assert_non_null(mkdtemp(fickle.folder));
    snprintf(fickle.program, sizeof fickle.program, "%s/ffmpeg", fickle.folder);
    snprintf(fickle.broken, sizeof fickle.broken, "%s.broken", fickle.program);
    snprintf(fickle.starts, sizeof fickle.starts, "%s.starts", fickle.program);
    copy_file(FICKLE_FFMPEG, fickle.program);
    w.params.program = fickle.program;
    w.params.kept = w.params.most = 1;
    w.params.linking = (struct itsi_linking_policy){600 * S, 600 * S}; /* not again within a test */
    return 0;
}

static int end_fickle(void **state)
{
    char command[128];
    end(state);
    snprintf(command, sizeof command, "rm -r %s", fickle.folder);
    return system(command);
}

/* Not linked, told so, and no death: it is not FFmpeg that fails. */
static void expect_executing(void)
{
    struct asked asked;
    for (int jobs = 0; jobs < 3; jobs++)
        if (run(&asked, quick)->outcome != ITSI_FFMPEG_DONE)
            fail_msg("%s", asked.error);
    assert_int_equal(stats()->kind, ITSI_SPARE_EXECUTING);
    assert_int_equal(w.stats.unlinked, 1);
    assert_false(w.stats.is_never_linked);
    assert_int_equal(w.stats.deaths, 0);
    assert_int_equal(w.stats.leases.opens, 1); /* what works is kept */
    assert_int_equal(linked_starts(), 1);
}

static void a_start_that_fails_is_left_for_executing(void **state)
{
    (void)state;
    break_it("exit");
    make();
    expect_executing();
}

static void so_is_one_that_is_not_ready_in_time(void **state)
{
    (void)state;
    break_it("hang");
    w.params.open_timeout_ns = 8 * S;
    make();
    expect_executing();
}

static void so_is_one_that_is_killed(void **state)
{
    (void)state;
    break_it("kill");
    make();
    expect_executing();
}

/* No process of it can be made; the one that executes needs none before there is a job. */
static void so_is_one_without_a_process(void **state)
{
    struct asked asked;
    (void)state;
    unlink(fickle.program);
    make();
    assert_int_equal(run(&asked, quick)->code, ITS_ENOTFOUND);
    CHECK_CONTAINS(asked.error, "executing: No such file or directory");
    copy_file(FICKLE_FFMPEG, fickle.program);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->kind, ITSI_SPARE_EXECUTING);
    assert_int_equal(w.stats.unlinked, 1);
    assert_false(w.stats.is_never_linked);
    assert_int_equal(w.stats.deaths, 0);
}

/* A wrapper, which its file does not tell: that stays so, and is no failure. */
static void what_another_program_runs_is_executed_for_good(void **state)
{
    struct asked asked;
    (void)state;
    w.params.linking = (struct itsi_linking_policy){1, 1};
    break_it("another");
    make();
    for (int jobs = 0; jobs < 3; jobs++)
        assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_true(stats()->is_never_linked);
    assert_int_equal(w.stats.kind, ITSI_SPARE_EXECUTING);
    assert_int_equal(w.stats.unlinked, 0);
    assert_int_equal(w.stats.leases.opens, 1);
    assert_int_equal(linked_starts(), 1);
}

/* A job after the other until FFmpeg is linked ahead. */
static void run_until_linked(void)
{
    struct asked asked;
    const int64_t until = itsi_now_ns() + 30 * S;
    while (stats()->kind == ITSI_SPARE_EXECUTING) {
        assert_true(itsi_now_ns() < until);
        assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    }
}

static void linking_comes_back(void **state)
{
    struct asked asked;
    (void)state;
    w.params.linking = (struct itsi_linking_policy){MS, MS};
    break_it("exit");
    make();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE); /* tried in vain meanwhile */
    assert_int_equal(stats()->kind, ITSI_SPARE_EXECUTING);
    unlink(fickle.broken);
    run_until_linked();
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_int_equal(stats()->unlinked, 1);
    assert_int_equal(w.stats.deaths, 0);
}

static bool four_idle(void) { return stats()->leases.idle == 4; }

static void run_four(void)
{
    static struct asked asked[4];
    for (int i = 0; i < 4; i++)
        ask(&asked[i], quick, ITSI_NEVER);
    for (int i = 0; i < 4; i++)
        assert_int_equal(answer(&asked[i])->outcome, ITSI_FFMPEG_DONE);
}

/* It counts before a job that ends is answered. */
static uint64_t given_up(void) { return stats()->leases.closed[ITSI_POOL_CLOSED_BROKEN]; }

/* Four work by executing, and the time to try has come: one of them is given up for it, and gets nowhere. */
static void one_at_a_time_tries(void **state)
{
    enum { FIRST_S = 2, ROUNDS = 10 };
    int64_t asked_at;
    (void)state;
    w.params.kept = w.params.most = 4;
    w.params.linking = (struct itsi_linking_policy){FIRST_S * S, 600 * S};
    w.params.open_timeout_ns = 600 * S;
    break_it("exit");
    make();
    await(four_idle);
    break_it("hang");
    const int64_t before = linked_starts(), until = itsi_now_ns() + 60 * S;
    do {
        assert_true((asked_at = itsi_now_ns()) < until);
        run_four();
    } while (given_up() == 0);
    while (linked_starts() == before) { /* it comes a moment after the other has gone */
        assert_true(itsi_now_ns() < until);
        usleep(1000);
    }
    for (int rounds = 0; rounds < ROUNDS; rounds++) {
        run_four();
        const int64_t starts = linked_starts() - before;
        const uint64_t gone = given_up();
        if (itsi_now_ns() >= asked_at + 2 * FIRST_S * S)
            break; /* a second one may try by now */
        assert_int_equal(starts, 1);
        assert_int_equal(gone, 1);
    }
}

/* While an upgrade replaces it, what runs is not what lies there: that passes. */
static void a_program_that_is_replaced_meanwhile_is_linked_again(void **state)
{
    struct asked asked;
    (void)state;
    w.params.linking = (struct itsi_linking_policy){MS, MS};
    break_it("hang");
    make();
    const int64_t until = itsi_now_ns() + 30 * S;
    while (linked_starts() == 0)
        assert_true(itsi_now_ns() < until);
    copy_file(FICKLE_FFMPEG, fickle.program); /* the one that starts is of the file before */
    break_it("go on");
    assert_int_equal(run(&asked, quick)->outcome, ITSI_FFMPEG_DONE);
    assert_false(stats()->is_never_linked);
    run_until_linked();
}

#define FICKLE(name) cmocka_unit_test_setup_teardown(name, begin_fickle, end_fickle)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FICKLE(a_start_that_fails_is_left_for_executing),
        FICKLE(so_is_one_that_is_not_ready_in_time),
        FICKLE(so_is_one_that_is_killed),
        FICKLE(so_is_one_without_a_process),
        FICKLE(what_another_program_runs_is_executed_for_good),
        FICKLE(linking_comes_back),
        FICKLE(one_at_a_time_tries),
        FICKLE(a_program_that_is_replaced_meanwhile_is_linked_again),
    };
    processes_warm_up();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

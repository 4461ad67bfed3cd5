#include "support/check.h"

#include "base/clock.h"
#include "base/diag.h"
#include "base/file_lock.h"
#include "base/thread.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/its-lock-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/lock", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int take(int64_t until_ns)
{
    struct its_diag diag;
    int fd = -1;
    CHECK_OK(itsi_file_lock(&fd, path, until_ns, NULL, &diag), diag);
    return fd;
}

static bool is_free(void)
{
    int fd;
    struct its_diag diag;
    const int rc = itsi_file_lock(&fd, path, 0, NULL, &diag);
    if (rc == 0)
        close(fd);
    else
        assert_int_equal(rc, ITS_EBUSY);
    return rc == 0;
}

static void one_has_it_at_a_time(void **state)
{
    (void)state;
    const int fd = take(0);
    assert_false(is_free());
    close(fd);
    assert_true(is_free());
}

static void a_process_that_dies_leaves_it_free(void **state)
{
    (void)state;
    int ready[2], status;
    char byte;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        int fd;
        if (itsi_file_lock(&fd, path, 0, NULL, NULL) == 0)
            (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    assert_true(child > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_false(is_free());
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(is_free());
    close(ready[0]);
    close(ready[1]);
}

static void who_is_stopped_waits_no_longer(void **state)
{
    (void)state;
    struct its_diag diag = {""};
    const atomic_bool stop = true;
    int fd = take(0), other;
    assert_int_equal(itsi_file_lock(&other, path, ITSI_NEVER, &stop, &diag), ITS_ECANCELLED);
    CHECK_CONTAINS(diag.text, path);
    close(fd);
    assert_int_equal(itsi_file_lock(&other, path, ITSI_NEVER, &stop, &diag), 0); /* free: nothing to wait for */
    close(other);
}

static void without_a_folder_there_is_none(void **state)
{
    (void)state;
    struct its_diag diag = {""};
    int fd;
    char nowhere[128];
    snprintf(nowhere, sizeof nowhere, "%s/none/lock", folder);
    assert_int_equal(itsi_file_lock(&fd, nowhere, 0, NULL, &diag), ITS_ENOTFOUND);
    CHECK_CONTAINS(diag.text, nowhere);
}

static void *wait_long(void *arg)
{
    *(int *)arg = take(ITSI_NEVER);
    return NULL;
}

/* Two that hold locks of two files of one name would both be alone. */
static void a_file_that_was_removed_is_not_waited_for(void **state)
{
    (void)state;
    struct its_diag diag;
    struct stat held, there;
    pthread_t thread;
    int fd = take(0), waited = -1;
    CHECK_OK(itsi_thread_start(&thread, "waits", wait_long, &waited, &diag), diag);
    assert_int_equal(unlink(path), 0);
    close(fd);
    pthread_join(thread, NULL);
    assert_int_equal(fstat(waited, &held), 0);
    assert_int_equal(stat(path, &there), 0);
    assert_true(held.st_ino == there.st_ino);
    assert_false(is_free());
    close(waited);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_has_it_at_a_time),
        TEST(a_process_that_dies_leaves_it_free),
        TEST(who_is_stopped_waits_no_longer),
        TEST(without_a_folder_there_is_none),
        TEST(a_file_that_was_removed_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/clock.h"
#include "pool/linking.h"

#include <unistd.h>

#define S ITSI_NS_PER_S

static const struct itsi_linking_policy policy = {10 * S, 60 * S};

static void waits_double_up_to_the_longest(void **state)
{
    static const int64_t waits[] = {10 * S, 20 * S, 40 * S, 60 * S, 60 * S};
    struct itsi_linking linking = {0};
    int64_t now = 5 * S;
    (void)state;
    assert_true(itsi_linking_try(&linking, &policy, now));
    assert_true(itsi_linking_failed(&linking, &policy, now));
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_false(itsi_linking_try(&linking, &policy, now + waits[i] - 1));
        now += waits[i];
        assert_true(itsi_linking_try(&linking, &policy, now));
        assert_false(itsi_linking_failed(&linking, &policy, now + S)); /* it was left already */
    }
    assert_int_equal(linking.changes, 1);
}

static void those_that_fail_together_are_one_failure(void **state)
{
    struct itsi_linking linking = {0};
    (void)state;
    assert_true(itsi_linking_try(&linking, &policy, 0));
    assert_true(itsi_linking_try(&linking, &policy, 0)); /* as long as it works all are linked */
    assert_true(itsi_linking_failed(&linking, &policy, S));
    assert_false(itsi_linking_failed(&linking, &policy, 2 * S));
    assert_int_equal(linking.failures, 1);
    assert_true(itsi_linking_try(&linking, &policy, 11 * S));
}

/* However long it takes, and also where nobody hears of it again: the next wait runs. */
static void while_it_fails_one_tries_at_a_time(void **state)
{
    struct itsi_linking linking = {0};
    (void)state;
    (void)itsi_linking_failed(&linking, &policy, 0);
    assert_true(itsi_linking_try(&linking, &policy, 10 * S));
    assert_false(itsi_linking_try(&linking, &policy, 10 * S));
    assert_false(itsi_linking_try(&linking, &policy, 30 * S - 1));
    assert_true(itsi_linking_try(&linking, &policy, 30 * S));
}

static void what_works_again_begins_anew(void **state)
{
    struct itsi_linking linking = {0};
    (void)state;
    assert_false(itsi_linking_worked(&linking));
    (void)itsi_linking_failed(&linking, &policy, S);
    assert_true(itsi_linking_try(&linking, &policy, 11 * S));
    assert_true(itsi_linking_worked(&linking));
    assert_true(itsi_linking_try(&linking, &policy, 12 * S));
    assert_true(itsi_linking_try(&linking, &policy, 12 * S));
    assert_true(itsi_linking_failed(&linking, &policy, 12 * S));
    assert_true(itsi_linking_try(&linking, &policy, 22 * S)); /* the first wait again */
    assert_int_equal(linking.changes, 2);
}

static void what_is_ruled_out_is_never_tried_and_no_failure(void **state)
{
    struct itsi_linking linking = {0};
    (void)state;
    assert_true(itsi_linking_rule_out(&linking));
    assert_false(itsi_linking_rule_out(&linking));
    assert_false(itsi_linking_try(&linking, &policy, ITSI_NEVER));
    assert_false(itsi_linking_failed(&linking, &policy, S));
    assert_int_equal(linking.changes, 0);
}

static void what_runs_is_told_by_its_file(void **state)
{
    const struct itsi_linking_file old = {1, 10}, new = {1, 11}, shell = {1, 12}, unknown = {0, 0};
    (void)state;
    assert_int_equal(itsi_linking_compare(old, old, old), ITSI_LINKING_PROGRAM);
    assert_int_equal(itsi_linking_compare(old, old, shell), ITSI_LINKING_ANOTHER);
    assert_int_equal(itsi_linking_compare(old, new, old), ITSI_LINKING_REPLACED);
    assert_int_equal(itsi_linking_compare(old, new, shell), ITSI_LINKING_REPLACED);
    assert_int_equal(itsi_linking_compare(old, unknown, old), ITSI_LINKING_REPLACED);
    assert_int_equal(itsi_linking_compare(old, old, unknown), ITSI_LINKING_REPLACED);
    assert_int_equal(itsi_linking_compare(unknown, unknown, unknown), ITSI_LINKING_REPLACED);
}

/* By another name too, and when its name is gone. */
static void a_file_is_known_by_any_name(void **state)
{
    char path[] = "/tmp/its-linking-XXXXXX", link[64];
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    snprintf(link, sizeof link, "%s.link", path);
    assert_int_equal(symlink(path, link), 0);
    const struct itsi_linking_file named = itsi_linking_file(path), linked = itsi_linking_file(link);
    assert_true(named.inode != 0);
    assert_memory_equal(&named, &linked, sizeof named);
    unlink(link);
    unlink(path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const struct itsi_linking_file deleted = itsi_linking_file(link);
    assert_memory_equal(&named, &deleted, sizeof named);
    assert_true(itsi_linking_file(path).inode == 0);
    close(fd);
    const struct itsi_linking_file own = itsi_linking_file_of(getpid()), self = itsi_linking_file("/proc/self/exe");
    assert_memory_equal(&own, &self, sizeof own);
    assert_true(own.inode != 0);
}

static void programs_are_told_from_scripts(void **state)
{
    char path[] = "/tmp/its-linking-XXXXXX";
    (void)state;
    assert_true(itsi_linking_suits("/proc/self/exe"));
    assert_true(itsi_linking_suits("/no/such/program"));
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_false(itsi_linking_suits(path)); /* empty */
    assert_true(dprintf(fd, "#!/bin/sh\nexec ffmpeg \"$@\"\n") > 0);
    close(fd);
    assert_false(itsi_linking_suits(path));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_longest),
        cmocka_unit_test(those_that_fail_together_are_one_failure),
        cmocka_unit_test(while_it_fails_one_tries_at_a_time),
        cmocka_unit_test(what_works_again_begins_anew),
        cmocka_unit_test(what_is_ruled_out_is_never_tried_and_no_failure),
        cmocka_unit_test(what_runs_is_told_by_its_file),
        cmocka_unit_test(a_file_is_known_by_any_name),
        cmocka_unit_test(programs_are_told_from_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

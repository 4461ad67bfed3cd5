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
    assert_true(itsi_linking_is_due(&linking, now));
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(itsi_linking_failed(&linking, &policy, now), i == 0);
        assert_false(itsi_linking_is_due(&linking, now + waits[i] - 1));
        now += waits[i];
        assert_true(itsi_linking_is_due(&linking, now));
    }
    assert_int_equal(linking.changes, 1);
}

static void those_that_fail_together_are_one_failure(void **state)
{
    struct itsi_linking linking = {0};
    (void)state;
    assert_true(itsi_linking_failed(&linking, &policy, S));
    assert_false(itsi_linking_failed(&linking, &policy, 2 * S));
    assert_int_equal(linking.failures, 1);
    assert_true(itsi_linking_is_due(&linking, 11 * S));
}

static void what_works_again_begins_anew(void **state)
{
    struct itsi_linking linking = {0};
    (void)state;
    assert_false(itsi_linking_worked(&linking));
    (void)itsi_linking_failed(&linking, &policy, S);
    (void)itsi_linking_failed(&linking, &policy, 11 * S);
    assert_true(itsi_linking_worked(&linking));
    assert_true(itsi_linking_is_due(&linking, 12 * S));
    assert_true(itsi_linking_failed(&linking, &policy, 12 * S));
    assert_true(itsi_linking_is_due(&linking, 22 * S)); /* the first wait again */
    assert_int_equal(linking.changes, 2);
}

static void what_is_impossible_is_never_due(void **state)
{
    struct itsi_linking linking = {.impossible = true};
    (void)state;
    assert_false(itsi_linking_is_due(&linking, ITSI_NEVER));
    assert_false(itsi_linking_failed(&linking, &policy, S));
    assert_int_equal(linking.changes, 0);
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
        cmocka_unit_test(waits_double_up_to_the_longest), cmocka_unit_test(those_that_fail_together_are_one_failure),
        cmocka_unit_test(what_works_again_begins_anew),   cmocka_unit_test(what_is_impossible_is_never_due),
        cmocka_unit_test(programs_are_told_from_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

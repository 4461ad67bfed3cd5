#include "base/system.h"

#include "support/check.h"

#include <string.h>

static void processors_are_read(void **state)
{
    (void)state;
    struct itsi_cpu_ticks t;
    assert_true(itsi_system_parse_cpu("cpu  10 1 20 100 5 2 3 4 0 0\ncpu0 ...", &t));
    assert_int_equal(t.busy, 10 + 1 + 20 + 2 + 3 + 4);
    assert_int_equal(t.all, t.busy + 105);
    assert_false(itsi_system_parse_cpu("", &t));
    assert_false(itsi_system_parse_cpu("cpu  10 1 20", &t));
    assert_false(itsi_system_parse_cpu("intr 1 2 3 4 5 6 7 8 9", &t));
}

/* What the others do is no load of a process that may not use them. */
static void own_processors_count(void **state)
{
    (void)state;
    static const char text[] = "cpu  1000 0 0 1000 0 0 0 0 0 0\ncpu0 10 0 0 90 0 0 0 0 0 0\ncpu1 5 0 0 5 0 0 0 0 0 0\n"
                               "cpu10 985 0 0 905 0 0 0 0 0 0\nintr 1 2 3\n";
    struct itsi_cpu_ticks t;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(1, &own);
    assert_true(itsi_system_parse_cpus(text, &own, &t));
    assert_int_equal(t.busy, 5);
    assert_int_equal(t.all, 10);
    CPU_SET(10, &own);
    assert_true(itsi_system_parse_cpus(text, &own, &t));
    assert_int_equal(t.busy, 990);
    assert_int_equal(t.all, 1900);
    CPU_SET(3, &own); /* of which nothing is told */
    assert_true(itsi_system_parse_cpus(text, &own, &t));
    assert_int_equal(t.busy, 1000);
    assert_int_equal(t.all, 2000);
    assert_false(itsi_system_parse_cpus("", &own, &t));
}

/* A group of one and a half processors on a large machine is full when it has used them. */
static void a_quota_counts(void **state)
{
    (void)state;
    struct itsi_system system = {0};
    const int64_t at = 5000000000;
    assert_true(itsi_system_quota_percent(&system, "usage_usec 1000000\nuser_usec 7\n", 1.5, at) < 0);
    CHECK_NEAR(itsi_system_quota_percent(&system, "usage_usec 1375000\nuser_usec 7\n", 1.5, at + 500000000), 50, 1e-9);
    CHECK_NEAR(itsi_system_quota_percent(&system, "usage_usec 2175000\n", 1.5, at + 1000000000), 100, 1e-9);
    assert_true(itsi_system_quota_percent(&system, "usage_usec 2175001\n", 1.5, at) < 0); /* no time passed */
    assert_true(itsi_system_quota_percent(&system, "user_usec 7\n", 1.5, at + 1) < 0);
}

static void memory_is_read(void **state)
{
    (void)state;
    uint64_t total, available;
    assert_true(itsi_system_parse_memory("MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   250 kB\n", &total, &available));
    assert_int_equal(total, 1000);
    assert_int_equal(available, 250);
    assert_false(itsi_system_parse_memory("MemTotal: 1000 kB\n", &total, &available));
    assert_false(itsi_system_parse_memory("MemTotal: 0 kB\nMemAvailable: 0 kB\n", &total, &available));
    assert_false(itsi_system_parse_memory("MemTotal: 10 kB\nMemAvailable: 20 kB\n", &total, &available));
}

static void quotas_are_read(void **state)
{
    (void)state;
    CHECK_NEAR(itsi_system_parse_quota("150000 100000\n"), 1.5, 1e-9);
    CHECK_NEAR(itsi_system_parse_quota("max 100000\n"), 0, 0);
    CHECK_NEAR(itsi_system_parse_quota(""), 0, 0);
    CHECK_NEAR(itsi_system_parse_quota("100000 0"), 0, 0);
}

static void this_machine_answers(void **state)
{
    (void)state;
    struct itsi_system system = {0};
    struct itsi_system_load load;
    itsi_system_sample(&system, &load);
    assert_true(load.cpu_percent < 0); /* nothing to compare with yet */
    assert_true(load.memory_percent > 0 && load.memory_percent <= 100);
    assert_true(load.cores > 0);
    for (int looks = 0; load.cpu_percent < 0 && looks < 100000; looks++) /* until the kernel's tick */
        itsi_system_sample(&system, &load);
    assert_true(load.cpu_percent >= 0 && load.cpu_percent <= 100);
}

/* Not those of the machine. */
static void processors_are_those_that_it_may_use(void **state)
{
    cpu_set_t before, one;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    const double all = itsi_system_cores();
    assert_true(all > 0 && all <= CPU_COUNT(&before));
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    const double few = itsi_system_cores();
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    CHECK_NEAR(few, all < 1 ? all : 1, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processors_are_read),
        cmocka_unit_test(own_processors_count),
        cmocka_unit_test(a_quota_counts),
        cmocka_unit_test(memory_is_read),
        cmocka_unit_test(quotas_are_read),
        cmocka_unit_test(this_machine_answers),
        cmocka_unit_test(processors_are_those_that_it_may_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

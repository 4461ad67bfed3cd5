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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processors_are_read),
        cmocka_unit_test(memory_is_read),
        cmocka_unit_test(quotas_are_read),
        cmocka_unit_test(this_machine_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

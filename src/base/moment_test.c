#include "base/moment.h"

#include "support/check.h"

static void moments_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"1795676700", 1795676700000},
        {"1795676700.5", 1795676700500},
        {"1970-01-01", 0},
        {"2026-11-26T07:05Z", 1795676700000},
        {"2026-11-26T07:05:00Z", 1795676700000},
        {"2026-11-26T07:05:00.250Z", 1795676700250},
        {"2026-11-26T07:05:00.123Z", 1795676700123}, /* to the millisecond, though no fraction holds it */
        {"2261-01-01T00:00:59.999Z", 9183110459999},
        {"2024-02-29", 1709164800000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        if (!itsi_moment_parse(cases[i].text, &ns))
            fail_msg("%s is not read", cases[i].text);
        assert_int_equal(ns, cases[i].ms * 1000000);
    }
}

static void nonsense_is_not(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "now", "-1", "1e9", "nan", "1.2.3", "99999999999", "2026-11-26T07:05", "2026-13-01",
                                        "2026-02-29", "2026-11-26T24:00Z", "2026-11-26T07:60Z", "2026-11-26T07:05:60Z",
                                        "2026-11-26T7:05Z", "2026-11-26T07:05:00 01:00", "1969-12-31", "2026-11-26 07:05Z",
                                        "2026-11-26T07:05:-1Z", "2026-11-2", "26-11-2026", "2026-11-26T07:05:0x1Z",
                                        "2026-11-26T07:05:05e1Z", "2026-11-26T07:05:00.1.2Z", "2026-11-26T07:05:001Z"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        if (itsi_moment_parse(cases[i], &ns) || ns != -1)
            fail_msg("%s is read", cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments_are_read), cmocka_unit_test(nonsense_is_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/check.h"

#include "base/utf8.h"

#include <stdint.h>

static void knows_sequences_by_their_length(void **state)
{
    (void)state;
    assert_int_equal(itsi_utf8_length("", SIZE_MAX), 1); /* the NUL itself */
    assert_int_equal(itsi_utf8_length("a", SIZE_MAX), 1);
    assert_int_equal(itsi_utf8_length("\xc3\xa4", SIZE_MAX), 2);
    assert_int_equal(itsi_utf8_length("\xe2\x82\xac", SIZE_MAX), 3);
    assert_int_equal(itsi_utf8_length("\xf0\x9f\x9a\x97", SIZE_MAX), 4);
    assert_int_equal(itsi_utf8_length("\xf4\x8f\xbf\xbf", SIZE_MAX), 4); /* U+10FFFF */
}

static void takes_no_other_bytes_for_one(void **state)
{
    (void)state;
    static const char *const others[] = {"\x80", "\xff", "\xc0\x80", "\xc3", "\xc3z", "\xe2\x82", "\xe0\x80\x80",
                                         "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(itsi_utf8_length(others[i], SIZE_MAX), 0);
}

/* Nothing behind the size is read: there may be nothing. */
static void what_is_cut_off_is_none(void **state)
{
    (void)state;
    static const char car[] = "\xf0\x9f\x9a\x97";
    assert_int_equal(itsi_utf8_length(car, 4), 4);
    for (size_t size = 0; size < 4; size++)
        assert_int_equal(itsi_utf8_length(car, size), 0);
    assert_int_equal(itsi_utf8_length("a", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_sequences_by_their_length),
        cmocka_unit_test(takes_no_other_bytes_for_one),
        cmocka_unit_test(what_is_cut_off_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

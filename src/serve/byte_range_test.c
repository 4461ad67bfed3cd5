#include "support/check.h"

#include "serve/byte_range.h"

static struct itsi_byte_range range;

static enum itsi_range_kind parse(const char *header)
{
    range = (struct itsi_byte_range){77, 77};
    return itsi_byte_range_parse(header, 1000, &range);
}

static void check_part(const char *header, uint64_t first, uint64_t length)
{
    assert_int_equal(parse(header), ITSI_RANGE_PART);
    assert_int_equal(range.first, first);
    assert_int_equal(range.length, length);
}

static void one_range_is_taken(void **state)
{
    (void)state;
    check_part("bytes=0-", 0, 1000);
    check_part("bytes=0-0", 0, 1);
    check_part("bytes=0-499", 0, 500);
    check_part("bytes=500-", 500, 500);
    check_part("bytes=999-999", 999, 1);
    check_part("bytes=900-5000", 900, 100); /* what there is of it */
    check_part("bytes=-100", 900, 100);
    check_part("bytes=-5000", 0, 1000);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("bytes=1000-"), ITSI_RANGE_NONE);
    assert_int_equal(parse("bytes=1000-2000"), ITSI_RANGE_NONE);
    assert_int_equal(parse("bytes=-0"), ITSI_RANGE_NONE);
    assert_int_equal(itsi_byte_range_parse("bytes=0-", 0, &range), ITSI_RANGE_NONE);
}

static void anything_else_is_the_whole(void **state)
{
    static const char *const headers[] = {NULL,
                                          "",
                                          "bytes=",
                                          "bytes=-",
                                          "bytes=5",
                                          "bytes=5-4",
                                          "bytes=0-1,5-6",
                                          "bytes= 0-1",
                                          "bytes=0-1 ",
                                          "bytes=a-b",
                                          "bytes=+1-2",
                                          "bytes=--5",
                                          "items=0-1",
                                          "bytes=99999999999999999999-",
                                          "bytes=0-99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (parse(headers[i]) != ITSI_RANGE_WHOLE)
            fail_msg("%s", headers[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_taken),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(anything_else_is_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

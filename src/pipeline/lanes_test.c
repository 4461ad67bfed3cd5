#include "support/check.h"

#include "pipeline/lanes.h"

static void follows_what_runs(void **state)
{
    (void)state;
    struct itsi_lanes lanes;
    itsi_lanes_init(&lanes, 2);
    assert_int_equal(itsi_lanes_free_at(&lanes), 0);
    itsi_lanes_submit(&lanes, 30, 100);
    assert_int_equal(itsi_lanes_free_at(&lanes), 0);
    itsi_lanes_submit(&lanes, 30, 110);
    assert_int_equal(itsi_lanes_free_at(&lanes), 130);
    itsi_lanes_submit(&lanes, 25, 120); /* waits */
    assert_int_equal(itsi_lanes_free_at(&lanes), 130);
    itsi_lanes_finish(&lanes, 111, 135); /* the second ends first: the third takes its place */
    assert_int_equal(itsi_lanes_free_at(&lanes), 130);
    itsi_lanes_finish(&lanes, 99, 140);
    assert_int_equal(itsi_lanes_free_at(&lanes), 0);
    itsi_lanes_submit(&lanes, 30, 141);
    assert_int_equal(itsi_lanes_free_at(&lanes), 160); /* it began at 135 and is the shorter one */
    itsi_lanes_fini(&lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_what_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

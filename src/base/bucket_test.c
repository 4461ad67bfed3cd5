#include "base/bucket.h"

#include "base/clock.h"
#include "support/check.h"

static void the_bucket_gives_its_rate(void **state)
{
    (void)state;
    struct itsi_bucket b;
    itsi_bucket_init(&b, 40, 0);
    for (int i = 0; i < 4; i++) /* a tenth of a second's worth at once */
        assert_int_equal(itsi_bucket_take(&b, 0), 0);
    int64_t next = itsi_bucket_take(&b, 0);
    CHECK_NEAR((double)next, 25e6, 10);
    assert_true(itsi_bucket_take(&b, next / 2) > 0);
    assert_int_equal(itsi_bucket_take(&b, next), 0);
    int taken = 0;
    for (int64_t now = next; now < next + 10 * ITSI_NS_PER_S; now += ITSI_NS_PER_MS)
        taken += itsi_bucket_take(&b, now) == 0;
    assert_in_range(taken, 398, 401);
}

static void a_slow_rate_still_has_a_first_token(void **state)
{
    (void)state;
    struct itsi_bucket b;
    itsi_bucket_init(&b, 0.5, 0);
    assert_int_equal(itsi_bucket_take(&b, 0), 0);
    CHECK_NEAR((double)itsi_bucket_take(&b, 0), 2e9, 10);
    assert_int_equal(itsi_bucket_take(&b, 3600 * ITSI_NS_PER_S), 0); /* an idle hour saves up one, no more */
    assert_true(itsi_bucket_take(&b, 3600 * ITSI_NS_PER_S) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bucket_gives_its_rate),
        cmocka_unit_test(a_slow_rate_still_has_a_first_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

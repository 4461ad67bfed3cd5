#include "support/check.h"

#include "base/clock.h"
#include "postprocess/track_cadence.h"

#define MS ITSI_NS_PER_MS

/* 25 pictures a second, of which every fifth is wanted. */
static struct itsi_track_cadence usual(float retention, int64_t since)
{
    return (struct itsi_track_cadence){.retention = retention, .wanted_ns = 200 * MS, .frame_ns = 40 * MS, .since_ns = since};
}

static bool detects(float retention, int64_t since)
{
    const struct itsi_track_cadence c = usual(retention, since);
    return itsi_track_cadence_detect(&c);
}

static void test_holds(void **state)
{
    (void)state;
    for (int64_t since = 40 * MS; since < 200 * MS; since += 40 * MS)
        assert_false(detects(0.99F, since));
    assert_true(detects(0.99F, 200 * MS));
    assert_true(detects(1, 200 * MS));
}

static void test_fails(void **state)
{
    (void)state;
    assert_true(detects(0.899F, 40 * MS));
    assert_true(detects(0, 40 * MS));
    assert_true(detects(NAN, 40 * MS));
}

static void test_between(void **state)
{
    (void)state;
    int64_t last = 0;
    for (float r = 0.90F; r <= 0.99F; r += 0.01F) {
        const struct itsi_track_cadence c = usual(r, 0);
        const int64_t interval = itsi_track_cadence_interval(&c);
        assert_true(interval >= last && interval >= 40 * MS && interval <= 200 * MS);
        last = interval;
    }
    const struct itsi_track_cadence middle = usual(0.945F, 0);
    CHECK_NEAR((double)itsi_track_cadence_interval(&middle), 120e6, 1e5);
    assert_false(detects(0.945F, 80 * MS));
    assert_true(detects(0.945F, 120 * MS));
}

static void test_first_picture_and_clock(void **state)
{
    (void)state;
    assert_true(detects(1, -1));
    assert_true(detects(1, -3600 * ITSI_NS_PER_S));
    assert_true(detects(1, 3600 * ITSI_NS_PER_S));
}

static void test_jitter(void **state)
{
    (void)state;
    assert_true(detects(1, 185 * MS));  /* early: the next would be later by more */
    assert_false(detects(1, 175 * MS));
    assert_true(detects(0.5F, 5 * MS)); /* two pictures in a burst: every picture means every one */
}

static void test_every_picture(void **state)
{
    (void)state;
    struct itsi_track_cadence c = usual(1, 1 * MS);
    c.wanted_ns = 0;
    assert_true(itsi_track_cadence_detect(&c));
    c.wanted_ns = 40 * MS;
    assert_true(itsi_track_cadence_detect(&c));
}

static void test_doubt(void **state)
{
    (void)state;
    struct itsi_track_cadence c = usual(1, 40 * MS);
    c.tolerance = 2;
    c.doubt = 1;
    c.moved = 1;
    assert_false(itsi_track_cadence_detect(&c)); /* one picture on: 1 of 2 */
    c.since_ns = 80 * MS;
    c.moved = 1.1F;
    assert_false(itsi_track_cadence_detect(&c)); /* the second hardly differed */
    c.moved = 2;
    assert_true(itsi_track_cadence_detect(&c));
    c.since_ns = 40 * MS;
    c.moved = 1;
    c.doubt = 2;
    assert_true(itsi_track_cadence_detect(&c));
    c.doubt = 0; /* nothing is in doubt: the interval alone */
    c.since_ns = 160 * MS;
    c.moved = 4;
    assert_false(itsi_track_cadence_detect(&c));
    c.since_ns = 200 * MS;
    assert_true(itsi_track_cadence_detect(&c));
    c.tolerance = 0; /* does not count */
    c.doubt = 100;
    c.since_ns = 40 * MS;
    assert_false(itsi_track_cadence_detect(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds),  cmocka_unit_test(test_fails),
        cmocka_unit_test(test_between), cmocka_unit_test(test_first_picture_and_clock),
        cmocka_unit_test(test_jitter), cmocka_unit_test(test_every_picture),
        cmocka_unit_test(test_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

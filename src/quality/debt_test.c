/* What a level misses, estimated: with a clock of its own, and against what is known to be so. */
#include "support/check.h"

#include "base/clock.h"
#include "base/rand.h"
#include "quality/debt_match.h"

#include <math.h>

#define SECOND ITSI_NS_PER_S
#define HALF_LIFE ITSI_DEBT_HALF_LIFE_NS
#define START (1000 * SECOND)

/* --- matching ----------------------------------------------------------------------------------------------------- */

static struct itsi_detection box(float x, float width, float score, int cls)
{
    return (struct itsi_detection){x, 0, x + width, 10, score, cls, -1};
}

static void expect_match(const struct itsi_detection *full, int full_count, const struct itsi_detection *delivered,
                         int delivered_count, int missed, int extra)
{
    const struct itsi_debt_picture p = itsi_debt_match(full, full_count, delivered, delivered_count);
    assert_int_equal(p.sightings, full_count);
    assert_int_equal(p.missed, missed);
    assert_int_equal(p.extra, extra);
}

static void boxes_of_a_class_that_overlap_by_half_are_one(void **state)
{
    (void)state;
    const struct itsi_detection full[] = {box(0, 12, 0.9F, 2), box(100, 12, 0.8F, 2)};
    expect_match(full, 2, full, 2, 0, 0);
    expect_match(full, 2, full, 0, 2, 0);
    expect_match(full, 0, full, 2, 0, 2);
    const struct itsi_detection half[] = {box(4, 12, 0.9F, 2)}; /* 8 of 16 */
    expect_match(full, 2, half, 1, 1, 0);
    const struct itsi_detection less[] = {box(5, 12, 0.9F, 2)};
    expect_match(full, 2, less, 1, 2, 1);
    const struct itsi_detection other[] = {box(0, 12, 0.9F, 3)};
    expect_match(full, 2, other, 1, 2, 1);
}

static void a_box_is_taken_once_and_the_surest_chooses(void **state)
{
    (void)state;
    const struct itsi_detection full[] = {box(0, 12, 0.9F, 2), box(3, 12, 0.8F, 2)};
    const struct itsi_detection twice[] = {box(0, 12, 0.9F, 2), box(0, 12, 0.8F, 2), box(0, 12, 0.7F, 2)};
    expect_match(full, 2, twice, 2, 0, 0); /* the second takes the one beside it, 9 of 15 */
    expect_match(full, 2, twice, 3, 0, 1);
    expect_match(full, 1, twice, 2, 0, 1);
}

/* --- the share ---------------------------------------------------------------------------------------------------- */

static void add(struct itsi_debt_tally *tally, int pictures, int sightings, int missed, int64_t now)
{
    const struct itsi_debt_picture picture = {sightings, missed, 0};
    for (int i = 0; i < pictures; i++)
        itsi_debt_tally_add(tally, &picture, now);
}

static struct itsi_debt_estimate estimate(const struct itsi_debt_tally *tally, const struct itsi_debt_traffic *traffic,
                                          int64_t now)
{
    struct itsi_debt_estimate e;
    itsi_debt_estimate(tally, traffic, now, &e);
    return e;
}

static void too_few_say_nothing(void **state)
{
    (void)state;
    struct itsi_debt_tally tally = {0};
    struct itsi_debt_estimate e = estimate(&tally, NULL, START);
    assert_true(isnan(e.missed_share.value) && isnan(e.extra_share) && e.pictures == 0);
    add(&tally, 9, 5, 1, START);
    assert_true(isnan(estimate(&tally, NULL, START).missed_share.value));
    add(&tally, 1, 5, 1, START);
    e = estimate(&tally, NULL, START);
    CHECK_NEAR(e.missed_share.value, 0.2, 1e-9);
    assert_true(isnan(e.missed_per_hour.value)); /* nobody knows how long anything stays */
    struct itsi_debt_tally empty = {0};
    add(&empty, 100, 0, 0, START); /* a hundred pictures of an empty road */
    assert_true(isnan(estimate(&empty, NULL, START).missed_share.value));
}

/* Sightings of which each is missed or not on its own: the interval is Wilson's, by hand. */
static void single_sightings_have_wilsons_interval(void **state)
{
    (void)state;
    struct itsi_debt_tally tally = {0};
    add(&tally, 90, 1, 0, START);
    add(&tally, 10, 1, 1, START);
    const struct itsi_debt_range share = estimate(&tally, NULL, START).missed_share;
    CHECK_NEAR(share.value, 0.1, 1e-9);
    CHECK_NEAR(share.low, 0.0552, 0.001);
    CHECK_NEAR(share.high, 0.1744, 0.001);
    struct itsi_debt_tally none = {0};
    add(&none, 100, 1, 0, START);
    const struct itsi_debt_range never = estimate(&none, NULL, START).missed_share;
    assert_true(never.value == 0 && never.low == 0);
    CHECK_NEAR(never.high, 0.0370, 0.0005);
}

/* The same number of sightings, but those of a picture are missed together or not at all: that tells less. */
static void sightings_that_are_missed_together_tell_less(void **state)
{
    (void)state;
    struct itsi_debt_tally alone = {0}, together = {0};
    add(&alone, 160, 1, 0, START);
    add(&alone, 40, 1, 1, START);
    add(&together, 16, 10, 0, START);
    add(&together, 4, 10, 10, START);
    const struct itsi_debt_range a = estimate(&alone, NULL, START).missed_share;
    const struct itsi_debt_range b = estimate(&together, NULL, START).missed_share;
    CHECK_NEAR(a.value, b.value, 1e-9);
    assert_true(b.high - b.low > 2 * (a.high - a.low));
}

/* Of a thousand such samples of a known share, the interval holds it in about 95 of 100. */
static void the_interval_holds_what_it_promises(void **state)
{
    (void)state;
    enum { TRIALS = 1000, PICTURES = 60 };
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 7);
    int holds = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct itsi_debt_tally tally = {0};
        for (int i = 0; i < PICTURES; i++) {
            const int sightings = 1 + (int)(itsi_rand_unit(&rng) * 6);
            const double chance = itsi_rand_unit(&rng) < 0.5 ? 0.1 : 0.3; /* dim pictures miss more; 0.2 in all */
            int missed = 0;
            for (int s = 0; s < sightings; s++)
                missed += itsi_rand_unit(&rng) < chance;
            add(&tally, 1, sightings, missed, START);
        }
        const struct itsi_debt_range share = estimate(&tally, NULL, START).missed_share;
        holds += share.low <= 0.2 && share.high >= 0.2;
    }
    print_message("holds the share in %d of %d\n", holds, TRIALS);
    assert_in_range(holds, 925, 975);
}

static void older_pictures_count_for_less(void **state)
{
    (void)state;
    struct itsi_debt_tally tally = {0};
    add(&tally, 40, 5, 5, START);
    add(&tally, 40, 5, 0, START + 2 * HALF_LIFE);
    const struct itsi_debt_estimate e = estimate(&tally, NULL, START + 2 * HALF_LIFE);
    CHECK_NEAR(e.pictures, 50, 1e-6);
    CHECK_NEAR(e.missed_share.value, 0.2, 1e-9);
    assert_true(isnan(estimate(&tally, NULL, START + 5 * HALF_LIFE).missed_share.value)); /* six are left */
    CHECK_NEAR(itsi_debt_tally_pictures(&tally, START + 3 * HALF_LIFE), 25, 1e-6);
    add(&tally, 1, 5, 0, START); /* a clock that steps back */
    CHECK_NEAR(estimate(&tally, NULL, START).pictures, 51, 1e-6);
    struct itsi_debt_tally fresh = {0}; /* time alone makes them tell neither more nor less */
    add(&fresh, 40, 5, 1, START);
    const struct itsi_debt_range now = estimate(&fresh, NULL, START).missed_share;
    const struct itsi_debt_range later = estimate(&fresh, NULL, START + HALF_LIFE).missed_share;
    CHECK_NEAR(now.value, later.value, 1e-9);
    CHECK_NEAR(now.high, later.high, 1e-9);
}

static void what_was_delivered_for_nothing(void **state)
{
    (void)state;
    struct itsi_debt_tally tally = {0};
    const struct itsi_debt_picture picture = {.sightings = 4, .missed = 1, .extra = 2}; /* five delivered */
    for (int i = 0; i < 20; i++)
        itsi_debt_tally_add(&tally, &picture, START);
    CHECK_NEAR(estimate(&tally, NULL, START).extra_share, 0.4, 1e-9);
}

/* --- objects an hour ---------------------------------------------------------------------------------------------- */

/* A road on which an object comes every `every_s` and stays `stays_s`, as delivered `fps` times a second. */
static void drive(struct itsi_debt_traffic *traffic, double every_s, double stays_s, double fps, double seconds)
{
    struct itsi_detection boxes[64];
    for (int n = 0; n < (int)(seconds * fps); n++) {
        const double t = n / fps;
        int count = 0;
        for (int id = 1; (id - 1) * every_s <= t; id++)
            if (t < (id - 1) * every_s + stays_s) {
                boxes[count] = box(0, 10, 0.9F, 2);
                boxes[count++].track = id;
            }
        itsi_debt_traffic_add(traffic, boxes, count, START + (int64_t)(t * 1e9));
    }
}

static void objects_an_hour_by_littles_law(void **state)
{
    (void)state;
    struct itsi_debt_traffic traffic = {0};
    struct itsi_debt_tally tally = {0};
    drive(&traffic, 2, 5, 10, 120); /* 1,800 an hour are found, 2.5 in view at a time */
    const int64_t now = START + 120 * SECOND;
    for (int i = 0; i < 100; i++) /* and as many again are not */
        add(&tally, 1, i % 2 ? 6 : 4, i % 2 ? 3 : 2, now);
    const struct itsi_debt_estimate e = estimate(&tally, &traffic, now);
    CHECK_NEAR(e.missed_share.value, 0.5, 1e-9);
    CHECK_NEAR(e.missed_per_hour.value, 1800, 60);
    CHECK_NEAR(e.missed_per_hour.high / e.missed_per_hour.value, e.missed_share.high / e.missed_share.value, 1e-9);
    /* the cadence of results is no part of it */
    struct itsi_debt_traffic rare = {0};
    drive(&rare, 2, 5, 2, 120);
    CHECK_NEAR(estimate(&tally, &rare, now).missed_per_hour.value, 1800, 60);
    /* nothing missed is nothing an hour, with what it might still be */
    struct itsi_debt_tally none = {0};
    add(&none, 100, 3, 0, now);
    const struct itsi_debt_estimate nothing = estimate(&none, &traffic, now);
    assert_true(nothing.missed_per_hour.value == 0 && nothing.missed_per_hour.high > 0);
}

/* As many objects are missed an hour whether all are for a third of their time or a third of them for all of it. */
static void missing_itself_does_not_change_how_long_they_stay(void **state)
{
    (void)state;
    struct itsi_debt_traffic partly = {0};
    struct itsi_detection car = box(0, 10, 0.9F, 2);
    for (int id = 1; id <= 60; id++) /* one at a time, five seconds each, seen in two of three pictures */
        for (int n = 0; n < 50; n++) {
            car.track = id;
            itsi_debt_traffic_add(&partly, &car, n % 3 != 1, START + (id * 50 + n) * SECOND / 10);
        }
    CHECK_NEAR(partly.object_ns / partly.objects / 1e9, 5, 0.2);
}

static void what_is_not_tracked_tells_nothing_of_traffic(void **state)
{
    (void)state;
    struct itsi_debt_traffic traffic = {0};
    struct itsi_debt_tally tally = {0};
    const struct itsi_detection tentative = box(0, 10, 0.9F, 2);
    for (int i = 0; i < 100; i++)
        itsi_debt_traffic_add(&traffic, &tentative, 1, START + i * SECOND);
    add(&tally, 100, 3, 1, START);
    assert_true(isnan(estimate(&tally, &traffic, START + 100 * SECOND).missed_per_hour.value));
}

static void who_was_there_before_did_not_come(void **state)
{
    (void)state;
    struct itsi_debt_traffic traffic = {0};
    struct itsi_detection cars[2] = {box(0, 10, 0.9F, 2), box(50, 10, 0.9F, 2)};
    cars[0].track = 5;
    cars[1].track = 6;
    itsi_debt_traffic_add(&traffic, cars, 1, START);
    itsi_debt_traffic_add(&traffic, cars, 1, START + SECOND / 2);
    assert_true(traffic.objects == 0);
    CHECK_NEAR(traffic.object_ns / 1e9, 0.5, 1e-3);
    itsi_debt_traffic_add(&traffic, cars, 2, START + SECOND);
    CHECK_NEAR(traffic.objects, 1, 1e-3);
    itsi_debt_traffic_add(&traffic, cars, 1, START + 2 * SECOND); /* the second is missed once, and was there */
    itsi_debt_traffic_add(&traffic, cars, 2, START + 3 * SECOND);
    CHECK_NEAR(traffic.objects, 1, 0.01);
    CHECK_NEAR(traffic.object_ns / 1e9, 5.5, 0.03); /* three seconds, and two and the half in which it came */
    cars[0].track = 9; /* came while nobody looked, and the gap is time in view of nobody */
    const double before = traffic.object_ns;
    itsi_debt_traffic_add(&traffic, cars, 2, START + 60 * SECOND);
    assert_true(traffic.objects < 1 && traffic.object_ns < before);
    itsi_debt_traffic_add(&traffic, cars, 2, START); /* a clock that steps back */
    assert_true(traffic.objects < 1 && traffic.at == START + 60 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_of_a_class_that_overlap_by_half_are_one),
        cmocka_unit_test(a_box_is_taken_once_and_the_surest_chooses),
        cmocka_unit_test(too_few_say_nothing),
        cmocka_unit_test(single_sightings_have_wilsons_interval),
        cmocka_unit_test(sightings_that_are_missed_together_tell_less),
        cmocka_unit_test(the_interval_holds_what_it_promises),
        cmocka_unit_test(older_pictures_count_for_less),
        cmocka_unit_test(what_was_delivered_for_nothing),
        cmocka_unit_test(objects_an_hour_by_littles_law),
        cmocka_unit_test(missing_itself_does_not_change_how_long_they_stay),
        cmocka_unit_test(what_is_not_tracked_tells_nothing_of_traffic),
        cmocka_unit_test(who_was_there_before_did_not_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "capture/timeline.h"

#include "base/clock.h"
#include "capture/freeze.h"
#include "capture/origin.h"
#include "support/check.h"

#define MS ITSI_NS_PER_MS
#define S ITSI_NS_PER_S

static void counters_unwrap(void **state)
{
    (void)state;
    struct itsi_unwrap mpegts = {.bits = 33}, rtp = {.bits = 32}, none = {.bits = 64};
    int64_t period = INT64_C(1) << 33;
    assert_int_equal(itsi_unwrap(&mpegts, period - 3600), period - 3600);
    assert_int_equal(itsi_unwrap(&mpegts, 0), period);
    assert_int_equal(itsi_unwrap(&mpegts, 3600), period + 3600);
    assert_int_equal(itsi_unwrap(&mpegts, period - 3600), period - 3600); /* a picture out of order */
    assert_int_equal(itsi_unwrap(&mpegts, period + 7200), period + 7200); /* libav added the period itself */
    assert_int_equal(itsi_unwrap(&mpegts, 10800 - period), period + 10800); /* or took it away */
    assert_int_equal(itsi_unwrap(&rtp, 0xffffff00), 0xffffff00);
    assert_int_equal(itsi_unwrap(&rtp, 0x100), INT64_C(0x100000100));
    assert_int_equal(itsi_unwrap(&none, INT64_C(1) << 40), INT64_C(1) << 40);
    assert_int_equal(itsi_unwrap(&none, 5), 5);
}

static void jumps_begin_an_epoch(void **state)
{
    (void)state;
    struct itsi_epochs e;
    itsi_epochs_reset(&e);
    assert_false(itsi_epochs_jumped(&e, 0, 0, 100 * S, 0));
    assert_false(itsi_epochs_jumped(&e, 40 * MS, 120 * MS, 100 * S + 40 * MS, 0));
    assert_false(itsi_epochs_jumped(&e, 80 * MS, 80 * MS, 100 * S + 80 * MS, 0)); /* a B-frame */
    assert_true(itsi_epochs_jumped(&e, 40 * MS, 200 * MS, 100 * S + 120 * MS, 0)); /* decode time back */
    assert_false(itsi_epochs_jumped(&e, 80 * MS, 80 * MS, 100 * S + 160 * MS, 0));
    assert_true(itsi_epochs_jumped(&e, 9 * S, 9 * S, 100 * S + 200 * MS, 0)); /* forward, and the clock did not */
    assert_false(itsi_epochs_jumped(&e, 29 * S, 29 * S, 120 * S, 0)); /* a long silence is no jump */
}

static void without_decode_times_reordering_is_allowed_for(void **state)
{
    (void)state;
    struct itsi_epochs e;
    itsi_epochs_reset(&e);
    assert_false(itsi_epochs_jumped(&e, ITSI_NO_TIME, 120 * MS, ITSI_NO_TIME, 160 * MS));
    assert_false(itsi_epochs_jumped(&e, ITSI_NO_TIME, 0, ITSI_NO_TIME, 160 * MS));
    assert_true(itsi_epochs_jumped(&e, ITSI_NO_TIME, -S, ITSI_NO_TIME, 160 * MS));
}

static int64_t feed_steady(struct itsi_cadence *c, int64_t from, int count, int64_t interval)
{
    int64_t missing = 0;
    for (int i = 0; i < count; i++)
        missing += itsi_cadence_feed(c, from + i * interval, 0);
    return missing;
}

static void the_beat_is_measured_and_gaps_are_counted(void **state)
{
    (void)state;
    struct itsi_cadence c;
    itsi_cadence_init(&c);
    CHECK_NEAR(itsi_cadence_fps(&c), 0, 0);
    assert_int_equal(feed_steady(&c, 0, 50, 40 * MS), 0);
    CHECK_NEAR(itsi_cadence_fps(&c), 25.0, 1e-9);
    int64_t last = 49 * 40 * MS;
    assert_int_equal(itsi_cadence_feed(&c, last + 80 * MS, 0), 1);
    assert_int_equal(itsi_cadence_feed(&c, last + 80 * MS + 440 * MS, 0), 10);
    assert_int_equal(itsi_cadence_feed(&c, last + 520 * MS + 55 * MS, 0), 0); /* jitter */
    assert_int_equal(itsi_cadence_feed(&c, last + 520 * MS + 55 * MS, 0), 0); /* the same stamp again */
    CHECK_NEAR(itsi_cadence_fps(&c), 25.0, 1e-9); /* the median does not care */
}

static void b_frames_are_put_in_order_first(void **state)
{
    (void)state;
    struct itsi_cadence c;
    itsi_cadence_init(&c);
    int64_t missing = itsi_cadence_feed(&c, 0, 2);
    for (int64_t g = 0; g < 20; g++) { /* P B B */
        const int64_t order[] = {3, 1, 2};
        for (int i = 0; i < 3; i++)
            if (g != 15 || i != 1) /* one B-frame never comes */
                missing += itsi_cadence_feed(&c, (g * 3 + order[i]) * 40 * MS, 2);
    }
    CHECK_NEAR(itsi_cadence_fps(&c), 25.0, 1e-9);
    assert_int_equal(missing, 1);
}

static void a_variable_rate_owes_nothing_in_between(void **state)
{
    (void)state;
    struct itsi_cadence c;
    itsi_cadence_init(&c);
    const int64_t intervals[] = {20, 200, 35, 90, 400, 25, 60, 150};
    int64_t at = 0, missing = 0;
    for (int i = 0; i < 80; i++)
        missing += itsi_cadence_feed(&c, at += intervals[i % 8] * MS, 0);
    assert_int_equal(missing, 0);
    assert_false(c.regular);
}

static void a_new_epoch_is_no_gap(void **state)
{
    (void)state;
    struct itsi_cadence c;
    itsi_cadence_init(&c);
    feed_steady(&c, 0, 50, 40 * MS);
    itsi_cadence_restart(&c);
    assert_int_equal(feed_steady(&c, 1000 * S, 10, 40 * MS), 0);
    CHECK_NEAR(itsi_cadence_fps(&c), 25.0, 1e-9);
}

static void silence_accrues_and_is_not_counted_twice(void **state)
{
    (void)state;
    struct itsi_dues d;
    itsi_dues_start(&d, 0);
    assert_int_equal(itsi_dues_tick(&d, S, S, 25), 0); /* within the grace */
    uint64_t missing = 0;
    for (int64_t now = 0; now <= 10 * S; now += 100 * MS)
        missing += itsi_dues_tick(&d, now, S, 25);
    assert_int_equal(missing, 249); /* 250 beats; the picture that ends the silence is one of them */
    assert_int_equal(itsi_dues_seen(&d, 10 * S), 249);
    assert_int_equal(itsi_dues_tick(&d, 10 * S + 500 * MS, S, 25), 0);
    assert_int_equal(itsi_dues_seen(&d, 10 * S + 500 * MS), 0);
}

static void an_outage_shows_at_once_without_grace(void **state)
{
    (void)state;
    struct itsi_dues d;
    itsi_dues_start(&d, 0);
    assert_int_equal(itsi_dues_tick(&d, 200 * MS, 0, 25), 4);
    assert_int_equal(itsi_dues_tick(&d, 400 * MS, 0, 25), 5);
    itsi_dues_stop(&d);
    assert_int_equal(itsi_dues_tick(&d, 100 * S, 0, 25), 0);
    assert_int_equal(itsi_dues_seen(&d, 100 * S), 0);
}

static void a_believable_camera_clock_gives_the_origin(void **state)
{
    (void)state;
    struct itsi_origin_clock c = {0};
    enum itsi_origin kind;
    assert_true(isnan(itsi_origin_offset_seconds(&c)));
    assert_int_equal(itsi_origin_pick(&c, 0, 50 * S, 1000 * S, &kind), 50 * S);
    assert_int_equal(kind, ITSI_ORIGIN_ARRIVAL);
    assert_int_equal(itsi_origin_pick(&c, 1000 * S - 30 * MS, 50 * S, 1000 * S, &kind), 50 * S - 30 * MS);
    assert_int_equal(kind, ITSI_ORIGIN_CAMERA);
    CHECK_NEAR(itsi_origin_offset_seconds(&c), -0.03, 1e-9);
    /* a little ahead: two clocks; never after the arrival */
    assert_int_equal(itsi_origin_pick(&c, 1000 * S + 20 * MS, 50 * S, 1000 * S, &kind), 50 * S);
    assert_int_equal(kind, ITSI_ORIGIN_CAMERA);
}

static void an_unbelievable_camera_clock_is_reported_and_not_used(void **state)
{
    (void)state;
    struct itsi_origin_clock c = {0};
    enum itsi_origin kind;
    assert_int_equal(itsi_origin_pick(&c, 5000 * S, 50 * S, 1000 * S, &kind), 50 * S);
    assert_int_equal(kind, ITSI_ORIGIN_ARRIVAL);
    CHECK_NEAR(itsi_origin_offset_seconds(&c), 4000, 1e-9);
    c = (struct itsi_origin_clock){0};
    itsi_origin_pick(&c, 1000 * S - 20 * MS, 50 * S, 1000 * S, &kind);
    assert_int_equal(kind, ITSI_ORIGIN_CAMERA);
    itsi_origin_pick(&c, 1000 * S - 1500 * MS, 50 * S, 1000 * S, &kind); /* jumps */
    assert_int_equal(kind, ITSI_ORIGIN_ARRIVAL);
    for (int i = 0; i < ITSI_CLOCK_SETTLE - 1; i++) {
        itsi_origin_pick(&c, 1000 * S - 1500 * MS, 50 * S, 1000 * S, &kind);
        assert_int_equal(kind, ITSI_ORIGIN_ARRIVAL);
    }
    itsi_origin_pick(&c, 1000 * S - 1500 * MS, 50 * S, 1000 * S, &kind);
    assert_int_equal(kind, ITSI_ORIGIN_CAMERA); /* stayed put: believed again */
}

static void frozen_pictures(void **state)
{
    (void)state;
    struct itsi_freeze f;
    itsi_freeze_init(&f, 20 * S);
    assert_int_equal(itsi_freeze_feed(&f, 1, 1 * S), ITSI_FREEZE_NO);
    assert_int_equal(itsi_freeze_feed(&f, 1, 20 * S), ITSI_FREEZE_NO);
    assert_int_equal(itsi_freeze_feed(&f, 1, 21 * S), ITSI_FREEZE_BEGINS);
    assert_int_equal(itsi_freeze_feed(&f, 1, 22 * S), ITSI_FREEZE_STILL);
    assert_int_equal(itsi_freeze_feed(&f, 1, 201 * S), ITSI_FREEZE_RECONNECT);
    assert_int_equal(itsi_freeze_feed(&f, 1, 202 * S), ITSI_FREEZE_STILL);
    assert_int_equal(itsi_freeze_feed(&f, 1, 401 * S), ITSI_FREEZE_RECONNECT);
    assert_true(f.frozen);
    assert_int_equal(itsi_freeze_feed(&f, 2, 402 * S), ITSI_FREEZE_NO);
    assert_false(f.frozen);
    itsi_freeze_init(&f, 0); /* switched off */
    for (int64_t now = S; now < 1000 * S; now += S)
        assert_int_equal(itsi_freeze_feed(&f, 1, now), ITSI_FREEZE_NO);
}

static void the_hash_sees_a_change_and_handles_any_stride(void **state)
{
    (void)state;
    static uint8_t a[90 * 160], b[90 * 200];
    for (int y = 0; y < 90; y++)
        for (int x = 0; x < 160; x++)
            a[y * 160 + x] = b[(89 - y) * 200 + x] = (uint8_t)(x * 3 + y * 7);
    struct itsi_picture p = {.layout = ITSI_LAYOUT_PLANAR, .width = 160, .height = 90, .plane = {a}, .stride = {160}};
    struct itsi_picture upside = p;
    upside.plane[0] = b + 89 * 200;
    upside.stride[0] = -200;
    uint64_t hash = itsi_freeze_hash(&p);
    assert_int_equal(itsi_freeze_hash(&upside), hash);
    for (int y = 30; y < 40; y++)
        a[y * 160 + 80]++;
    assert_int_not_equal(itsi_freeze_hash(&p), hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_unwrap),
        cmocka_unit_test(jumps_begin_an_epoch),
        cmocka_unit_test(without_decode_times_reordering_is_allowed_for),
        cmocka_unit_test(the_beat_is_measured_and_gaps_are_counted),
        cmocka_unit_test(b_frames_are_put_in_order_first),
        cmocka_unit_test(a_variable_rate_owes_nothing_in_between),
        cmocka_unit_test(a_new_epoch_is_no_gap),
        cmocka_unit_test(silence_accrues_and_is_not_counted_twice),
        cmocka_unit_test(an_outage_shows_at_once_without_grace),
        cmocka_unit_test(a_believable_camera_clock_gives_the_origin),
        cmocka_unit_test(an_unbelievable_camera_clock_is_reported_and_not_used),
        cmocka_unit_test(frozen_pictures),
        cmocka_unit_test(the_hash_sees_a_change_and_handles_any_stride),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

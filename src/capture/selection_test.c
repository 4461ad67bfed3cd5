#include "capture/selection.h"

#include "base/clock.h"
#include "capture/nal.h"
#include "capture/timeline.h"
#include "support/check.h"

/* Nobody leads: what is left out is left out. */
static bool selected(struct itsi_selection *s, enum itsi_decode_mode decode, bool key, bool disposable)
{
    const struct itsi_selection_unit unit = {.key = key, .disposable = disposable};
    return itsi_selection_unit(s, decode, &unit);
}

/* What becomes of the picture presented at `at`, while none is ever taken? */
static enum itsi_selection_verdict judged(struct itsi_selection *s, double most, double fps, int64_t at)
{
    const struct itsi_selection_unit unit = {.at = at};
    return itsi_selection_picture(s, ITSI_DECODE_ALL, most, fps, &unit);
}

static bool goes_on(struct itsi_selection *s, double most, double fps, int64_t at)
{
    return judged(s, most, fps, at) != ITSI_PICTURE_SKIPPED;
}

/* A stream of groups of `gop` units, every third of them disposable. */
static int decoded(enum itsi_decode_mode decode, int units, int gop)
{
    struct itsi_selection s;
    int count = 0;
    itsi_selection_init(&s, 0);
    for (int i = 0; i < units; i++)
        count += selected(&s, decode, i % gop == 0, i % gop % 3 == 2);
    return count;
}

static void each_way_of_decoding_leaves_out_its_own(void **state)
{
    (void)state;
    assert_int_equal(decoded(ITSI_DECODE_ALL, 100, 10), 100);
    assert_int_equal(decoded(ITSI_DECODE_REFERENCE, 100, 10), 70);
    assert_int_equal(decoded(ITSI_DECODE_KEY, 100, 10), 10);
}

/* Whatever the way there, no unit is decoded whose references were left out. */
static void decoding_goes_on_at_a_key_frame(void **state)
{
    (void)state;
    struct itsi_selection s;
    itsi_selection_init(&s, 0);
    assert_true(selected(&s, ITSI_DECODE_KEY, true, false));
    assert_false(selected(&s, ITSI_DECODE_KEY, false, false));
    assert_false(selected(&s, ITSI_DECODE_ALL, false, false));
    assert_false(selected(&s, ITSI_DECODE_REFERENCE, false, true));
    assert_true(selected(&s, ITSI_DECODE_ALL, true, false));
    assert_true(selected(&s, ITSI_DECODE_ALL, false, false));
    /* what nobody needs may be left out at any time */
    assert_false(selected(&s, ITSI_DECODE_REFERENCE, false, true));
    assert_true(selected(&s, ITSI_DECODE_ALL, false, false));
}

/* A stream that lost its key frames while those alone were decoded is joined again where it refreshes itself. */
static void decoding_goes_on_where_a_refresh_begins(void **state)
{
    (void)state;
    struct itsi_selection s;
    const struct itsi_selection_unit entry = {.entry = true};
    itsi_selection_init(&s, 0);
    assert_true(selected(&s, ITSI_DECODE_KEY, true, false));
    assert_false(selected(&s, ITSI_DECODE_KEY, false, false));
    assert_false(itsi_selection_unit(&s, ITSI_DECODE_KEY, &entry)); /* no picture would come of it */
    assert_false(selected(&s, ITSI_DECODE_ALL, false, false));
    assert_true(itsi_selection_unit(&s, ITSI_DECODE_ALL, &entry));
    assert_true(selected(&s, ITSI_DECODE_ALL, false, false));
}

/* Groups of 25 pictures at 25 a second of which the one numbered `served` is taken; -1: none is. How many are decoded of
 * the second group, all of which go on? */
static int followed(int served)
{
    struct itsi_selection s;
    const int64_t beat = 40 * ITSI_NS_PER_MS;
    uint64_t taken = 7;
    int decoded = 0;
    itsi_selection_init(&s, 0);
    for (int i = 0; i < 50; i++) {
        const struct itsi_selection_unit unit = {.key = i % 25 == 0, .at = i * beat, .taken = taken};
        if (!itsi_selection_unit(&s, ITSI_DECODE_KEY, &unit))
            continue;
        const enum itsi_selection_verdict verdict = itsi_selection_picture(&s, ITSI_DECODE_KEY, 1, 1, &unit);
        assert_int_equal(verdict, unit.key ? ITSI_PICTURE_DUE : ITSI_PICTURE_IN_PLACE);
        if (verdict == ITSI_PICTURE_DUE)
            itsi_selection_offer(&s, ITSI_DECODE_KEY, 1, 1, &unit);
        taken += i % 25 == served;
        decoded += i >= 25;
    }
    return decoded;
}

static void what_follows_a_key_frame_takes_its_place_until_one_is_taken(void **state)
{
    (void)state;
    assert_int_equal(followed(0), 1);
    assert_int_equal(followed(1), 2);
    assert_int_equal(followed(9), 10);
    assert_int_equal(followed(-1), 13); /* half of the group at most */
}

/* Of all that is decoded too: one a second is wanted, and the ninth of each second is the first that is taken. */
static void any_picture_wanted_is_followed_until_one_is_taken(void **state)
{
    (void)state;
    struct itsi_selection s;
    const int64_t beat = 40 * ITSI_NS_PER_MS;
    uint64_t taken = 0;
    int due = 0, in_place = 0;
    itsi_selection_init(&s, 0);
    for (int i = 0; i < 250; i++) {
        const struct itsi_selection_unit unit = {.at = i * beat, .taken = taken};
        const enum itsi_selection_verdict verdict = itsi_selection_picture(&s, ITSI_DECODE_ALL, 1, 25, &unit);
        if (verdict == ITSI_PICTURE_DUE)
            itsi_selection_offer(&s, ITSI_DECODE_ALL, 1, 25, &unit);
        due += verdict == ITSI_PICTURE_DUE;
        in_place += verdict == ITSI_PICTURE_IN_PLACE;
        taken += i % 25 == 8;
    }
    assert_int_equal(taken, 10);
    assert_int_equal(due, 10);
    assert_int_equal(in_place, 80);
}

/* One that is never taken does not hide that others were due meanwhile. */
static void what_is_due_of_its_own_takes_no_place(void **state)
{
    (void)state;
    struct itsi_selection s;
    const int64_t beat = 40 * ITSI_NS_PER_MS;
    int due = 0, in_place = 0;
    itsi_selection_init(&s, 0);
    for (int i = 0; i < 250; i++) {
        const struct itsi_selection_unit unit = {.at = i * beat};
        const enum itsi_selection_verdict verdict = judged(&s, 5, 25, unit.at);
        if (verdict == ITSI_PICTURE_DUE)
            itsi_selection_offer(&s, ITSI_DECODE_ALL, 5, 25, &unit);
        due += verdict == ITSI_PICTURE_DUE;
        in_place += verdict == ITSI_PICTURE_IN_PLACE;
    }
    assert_int_equal(due, 50);
    assert_int_equal(in_place, 200);
    assert_int_equal(judged(&s, 0, 25, 250 * beat), ITSI_PICTURE_DUE); /* all are wanted: none stands for another */
}

/* A key frame that is not wanted is followed by nothing, and one wanted only while it was not taken. */
static void only_a_key_frame_that_went_on_is_followed(void **state)
{
    (void)state;
    struct itsi_selection s;
    const int64_t beat = 40 * ITSI_NS_PER_MS;
    struct itsi_selection_unit unit = {.key = true};
    itsi_selection_init(&s, 0);
    assert_true(itsi_selection_unit(&s, ITSI_DECODE_KEY, &unit));
    assert_int_equal(itsi_selection_picture(&s, ITSI_DECODE_KEY, 0.5, 1, &unit), ITSI_PICTURE_DUE);
    itsi_selection_offer(&s, ITSI_DECODE_KEY, 0.5, 1, &unit);
    unit = (struct itsi_selection_unit){.at = beat};
    assert_true(itsi_selection_unit(&s, ITSI_DECODE_KEY, &unit));
    unit.taken = 1; /* while it was being decoded */
    assert_int_equal(itsi_selection_picture(&s, ITSI_DECODE_KEY, 0.5, 1, &unit), ITSI_PICTURE_SKIPPED);
    unit = (struct itsi_selection_unit){.key = true, .at = 25 * beat, .taken = 1};
    assert_true(itsi_selection_unit(&s, ITSI_DECODE_KEY, &unit));
    assert_int_equal(itsi_selection_picture(&s, ITSI_DECODE_KEY, 0.5, 1, &unit), ITSI_PICTURE_SKIPPED);
    unit = (struct itsi_selection_unit){.at = 26 * beat, .taken = 1};
    assert_false(itsi_selection_unit(&s, ITSI_DECODE_KEY, &unit));
}

/* A camera that gives a key frame a second, of 25 pictures, at 1.1 a second wanted. */
struct second_of_life {
    int decoded, taken;
};

/* fails: key frames of every so many groups are never taken, nor is what goes on in their place; 0: all are taken in the
 * beat they come in. */
static void live(double ahead, int seconds, int fails, struct second_of_life *out)
{
    struct itsi_selection s;
    const int64_t beat = 40 * ITSI_NS_PER_MS;
    uint64_t taken = 0;
    itsi_selection_init(&s, ahead);
    for (int i = 0; i < 25 * seconds; i++) {
        const bool key = i % 25 == 0, lost = fails && i / 25 % fails == fails - 1;
        const struct itsi_selection_unit unit = {.key = key, .at = i * beat, .taken = taken};
        if (key)
            out[i / 25] = (struct second_of_life){0, 0};
        if (!itsi_selection_unit(&s, ITSI_DECODE_KEY, &unit))
            continue;
        out[i / 25].decoded++;
        if (itsi_selection_picture(&s, ITSI_DECODE_KEY, 1.1, 1, &unit) != ITSI_PICTURE_DUE)
            continue;
        itsi_selection_offer(&s, ITSI_DECODE_KEY, 1.1, 1, &unit);
        taken += !lost;
        out[i / 25].taken += !lost;
    }
}

enum { LIFE = 120 };

static void more_than_the_key_frames_is_made_up_in_the_middle_of_a_group(void **state)
{
    (void)state;
    struct second_of_life life[LIFE];
    int taken = 0, decoded = 0;
    live(0, LIFE, 0, life);
    for (int i = 0; i < LIFE; i++) {
        assert_true(life[i].taken == 1 || life[i].taken == 2);
        assert_int_equal(life[i].decoded, life[i].taken == 1 ? 1 : 14); /* up to the middle */
        taken += life[i].taken;
        decoded += life[i].decoded;
    }
    assert_in_range(taken, 131, 133);
    assert_in_range(decoded, LIFE + 11 * 13, LIFE + 13 * 13); /* 1.3 pictures a second more than the key frames */
}

/* A key frame in ten comes to nothing: in any 120 s as many were taken as there are seconds. */
static void what_came_to_nothing_is_made_up_for(void **state)
{
    (void)state;
    struct second_of_life life[LIFE];
    int taken = 0;
    live(0.3, LIFE, 10, life);
    for (int i = 0; i < LIFE; i++) {
        taken += life[i].taken;
        if (life[i].taken == 0) {
            assert_int_equal(life[i].decoded, 13); /* as long as it was not taken, half of the group */
            assert_true(i + 1 == LIFE || life[i + 1].taken == 2);
        }
    }
    assert_in_range(taken, LIFE, 133);
}

/* Nothing is taken: no more is decoded than where nothing is owed. And what that owed is not made up for in a rush. */
static void a_machine_that_is_too_slow_decodes_no_more(void **state)
{
    (void)state;
    struct second_of_life life[LIFE];
    live(0, LIFE, 1, life);
    for (int i = 0; i < LIFE; i++)
        assert_int_equal(life[i].decoded, 13);
    struct itsi_selection s;
    struct itsi_selection_unit unit = {.key = true};
    int taken = 0;
    itsi_selection_init(&s, 0);
    itsi_selection_offer(&s, ITSI_DECODE_KEY, 1.1, 1, &unit);
    unit.at = 60 * ITSI_NS_PER_S; /* of which none was taken */
    for (int group = 0; group < 10; group++, unit.at += ITSI_NS_PER_S) {
        itsi_selection_offer(&s, ITSI_DECODE_KEY, 1.1, 1, &unit);
        taken += s.middle != ITSI_NO_TIME;
        unit.taken += s.middle != ITSI_NO_TIME ? 2 : 1;
    }
    assert_in_range(taken, 2, 4);
}

/* A hundred cameras that begin at one instant do not all make up in the same group. */
static void cameras_make_up_at_different_times(void **state)
{
    (void)state;
    int most = 0, more[20] = {0};
    for (int camera = 0; camera < 100; camera++) {
        struct second_of_life life[20];
        live(camera * 0.6180339887, 20, 0, life);
        for (int i = 0; i < 20; i++)
            more[i] += life[i].taken - 1;
    }
    for (int i = 0; i < 20; i++)
        most = more[i] > most ? more[i] : most;
    assert_in_range(most, 10, 12);
}

static int taken(double most, double fps, int pictures, int64_t *widest)
{
    struct itsi_selection s;
    int count = 0;
    int64_t last = 0;
    itsi_selection_init(&s, 0);
    *widest = 0;
    for (int i = 0; i < pictures; i++) {
        const int64_t at = (int64_t)(i * (ITSI_NS_PER_S / fps));
        if (!goes_on(&s, most, fps, at))
            continue;
        if (count++ > 0 && at - last > *widest)
            *widest = at - last;
        last = at;
    }
    return count;
}

static void pictures_are_spread_evenly(void **state)
{
    (void)state;
    int64_t widest;
    assert_int_equal(taken(0, 25, 2500, &widest), 2500);
    assert_int_equal(taken(25, 25, 2500, &widest), 2500);
    assert_int_equal(taken(30, 25, 2500, &widest), 2500);
    assert_in_range(taken(20, 25, 2500, &widest), 1999, 2001);
    assert_in_range(widest, 0, 80 * ITSI_NS_PER_MS);
    assert_in_range(taken(12.5, 25, 2500, &widest), 1249, 1251);
    assert_in_range(widest, 0, 80 * ITSI_NS_PER_MS);
    assert_in_range(taken(1, 25, 2500, &widest), 99, 101);
    assert_in_range(widest, 0, 1040 * ITSI_NS_PER_MS);
    /* a camera of 50 frames a second of which 15 are wanted */
    assert_in_range(taken(15, 50, 5000, &widest), 1498, 1502);
    assert_in_range(widest, 0, 80 * ITSI_NS_PER_MS);
}

static void a_jump_in_time_neither_floods_nor_starves(void **state)
{
    (void)state;
    struct itsi_selection s;
    itsi_selection_init(&s, 0);
    int64_t at = 1000 * ITSI_NS_PER_S;
    assert_true(goes_on(&s, 1, 25, at));
    assert_false(goes_on(&s, 1, 25, at + 40 * ITSI_NS_PER_MS));
    at = 5 * ITSI_NS_PER_S; /* back */
    assert_true(goes_on(&s, 1, 25, at));
    assert_false(goes_on(&s, 1, 25, at + 40 * ITSI_NS_PER_MS));
    at = 5000 * ITSI_NS_PER_S; /* and on: one picture, not those of an hour */
    assert_true(goes_on(&s, 1, 25, at));
    assert_false(goes_on(&s, 1, 25, at + 40 * ITSI_NS_PER_MS));
    assert_true(goes_on(&s, 0, 25, at + 80 * ITSI_NS_PER_MS)); /* no limit any more */
}

static struct itsi_nal_format format_of(enum itsi_nal_codec codec, const uint8_t *extra, size_t size)
{
    struct itsi_nal_format f;
    itsi_nal_format_init(&f, codec, extra, size);
    return f;
}

static void h264_units_say_whether_they_are_needed(void **state)
{
    (void)state;
    struct itsi_nal_format f = format_of(ITSI_NAL_H264, NULL, 0);
    /* delimiter, SEI, then a slice */
    const uint8_t needed[] = {0, 0, 0, 1, 9, 0x30, 0, 0, 1, 6, 5, 1, 0, 0, 0, 1, 0x61, 0x9A, 0x22};
    const uint8_t disposable[] = {0, 0, 0, 1, 9, 0x50, 0, 0, 1, 0x01, 0x9E, 0x22};
    const uint8_t key[] = {0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xCE, 0, 0, 1, 0x65, 0x88};
    assert_false(itsi_nal_is_disposable(&f, needed, sizeof needed));
    assert_true(itsi_nal_is_disposable(&f, disposable, sizeof disposable));
    assert_false(itsi_nal_is_disposable(&f, key, sizeof key));
    assert_false(itsi_nal_is_disposable(&f, needed, 6)); /* no slice in it */
    assert_false(itsi_nal_is_disposable(&f, needed, 0));
    const uint8_t avcc[] = {1, 0x64, 0, 0x1F, 0xFF, 0xE1, 0};
    f = format_of(ITSI_NAL_H264, avcc, sizeof avcc);
    assert_int_equal(f.length_size, 4);
    const uint8_t prefixed[] = {0, 0, 0, 2, 9, 0x50, 0, 0, 0, 3, 0x01, 0x9E, 0x22};
    assert_true(itsi_nal_is_disposable(&f, prefixed, sizeof prefixed));
    const uint8_t too_long[] = {0xFF, 0xFF, 0xFF, 0xFF, 9, 0x50};
    assert_false(itsi_nal_is_disposable(&f, too_long, sizeof too_long));
    f = format_of(ITSI_NAL_OTHER, NULL, 0);
    assert_false(itsi_nal_is_disposable(&f, disposable, sizeof disposable));
}

static void a_recovery_point_says_whether_its_picture_is_whole(void **state)
{
    (void)state;
    struct itsi_nal_format f = format_of(ITSI_NAL_H264, NULL, 0);
    const uint8_t at_once[] = {0, 0, 0, 1, 6, 6, 1, 0xC4, 0x80, 0, 0, 1, 0x61, 0x9A, 0x22};
    const uint8_t later[] = {0, 0, 0, 1, 6, 6, 2, 0x0C, 0xC0, 0x80, 0, 0, 1, 0x61, 0x9A, 0x22}; /* by 24 pictures */
    const uint8_t plain[] = {0, 0, 0, 1, 6, 5, 2, 0x0C, 0xC0, 0x80, 0, 0, 0, 1, 0x61, 0x9A, 0x22};
    const uint8_t idr[] = {0, 0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x65, 0x88, 0, 0, 1, 6, 6, 2, 0x0C, 0xC0, 0x80};
    assert_false(itsi_nal_begins_refresh(&f, at_once, sizeof at_once));
    assert_true(itsi_nal_begins_refresh(&f, later, sizeof later));
    assert_false(itsi_nal_begins_refresh(&f, plain, sizeof plain));
    assert_false(itsi_nal_begins_refresh(&f, idr, sizeof idr));
    assert_true(itsi_nal_begins_refresh(&f, later, 8));
    assert_false(itsi_nal_begins_refresh(&f, later, 7)); /* cut off before it says so */
    /* behind other messages: one of 256 bytes, one whose bytes look like a start code */
    uint8_t behind[400] = {0, 0, 1, 6, 4, 255, 1};
    memset(behind + 7, 1, 256);
    const uint8_t rest[] = {1, 4, 0, 0, 3, 1, 7, 6, 1, 0x20, 0x80, 0, 0, 1, 0x61, 0x9A};
    memcpy(behind + 7 + 256, rest, sizeof rest);
    assert_true(itsi_nal_begins_refresh(&f, behind, 7 + 256 + sizeof rest));
    behind[7 + 256 + 9] = 0xA0;
    assert_false(itsi_nal_begins_refresh(&f, behind, 7 + 256 + sizeof rest));
    const uint8_t avcc[] = {1, 0x64, 0, 0x1F, 0xFF, 0xE1, 0};
    f = format_of(ITSI_NAL_H264, avcc, sizeof avcc);
    const uint8_t prefixed[] = {0, 0, 0, 6, 6, 6, 2, 0x0C, 0xC0, 0x80, 0, 0, 0, 3, 0x61, 0x9A, 0x22};
    const uint8_t apart[] = {0, 0, 0, 2, 6, 6, 0, 0, 0, 3, 0x01, 0x0C, 0xC0}; /* of the next unit none of it counts */
    assert_true(itsi_nal_begins_refresh(&f, prefixed, sizeof prefixed));
    assert_false(itsi_nal_begins_refresh(&f, apart, sizeof apart));
    f = format_of(ITSI_NAL_HEVC, NULL, 0);
    assert_false(itsi_nal_begins_refresh(&f, later, sizeof later));
}

static void hevc_keeps_what_a_higher_layer_may_need(void **state)
{
    (void)state;
    struct itsi_nal_format f = format_of(ITSI_NAL_HEVC, NULL, 0);
    const uint8_t trail_n[] = {0, 0, 1, 0 << 1, 1, 0x80}, trail_r[] = {0, 0, 1, 1 << 1, 1, 0x80};
    const uint8_t layer_two[] = {0, 0, 1, 2 << 1, 2, 0x80}; /* TSA_N */
    assert_true(itsi_nal_is_disposable(&f, trail_n, sizeof trail_n));
    assert_false(itsi_nal_is_disposable(&f, trail_r, sizeof trail_r));
    assert_true(itsi_nal_is_disposable(&f, layer_two, sizeof layer_two));
    assert_false(itsi_nal_is_disposable(&f, trail_n, sizeof trail_n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_of_decoding_leaves_out_its_own),
        cmocka_unit_test(decoding_goes_on_at_a_key_frame),
        cmocka_unit_test(decoding_goes_on_where_a_refresh_begins),
        cmocka_unit_test(what_follows_a_key_frame_takes_its_place_until_one_is_taken),
        cmocka_unit_test(any_picture_wanted_is_followed_until_one_is_taken),
        cmocka_unit_test(what_is_due_of_its_own_takes_no_place),
        cmocka_unit_test(only_a_key_frame_that_went_on_is_followed),
        cmocka_unit_test(more_than_the_key_frames_is_made_up_in_the_middle_of_a_group),
        cmocka_unit_test(what_came_to_nothing_is_made_up_for),
        cmocka_unit_test(a_machine_that_is_too_slow_decodes_no_more),
        cmocka_unit_test(cameras_make_up_at_different_times),
        cmocka_unit_test(pictures_are_spread_evenly),
        cmocka_unit_test(a_jump_in_time_neither_floods_nor_starves),
        cmocka_unit_test(a_recovery_point_says_whether_its_picture_is_whole),
        cmocka_unit_test(h264_units_say_whether_they_are_needed),
        cmocka_unit_test(hevc_keeps_what_a_higher_layer_may_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

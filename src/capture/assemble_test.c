#include "capture/assemble.h"

#include "base/mem.h"
#include "support/check.h"

#define FULL 1000 /* payload of a full RTP packet */

static struct itsi_assembler a;
static struct itsi_assembled out;
static int64_t clock_ns;

/* A piece as libav gives it for H.264: `nal` first header byte (0: the rest of a split NAL unit), `first` whether it is
 * the first slice, `payload` bytes of its RTP packet. */
static int piece(int nal, bool first, int payload, int64_t pts)
{
    static uint8_t data[FULL + 16];
    memset(data, 0x55, sizeof data);
    struct itsi_piece p = {.data = data, .pts = pts, .arrival = ++clock_ns, .wall = 100 + pts};
    if (nal) {
        memcpy(data, "\0\0\0\1", 4);
        data[4] = (uint8_t)nal;
        data[5] = first ? 0x88 : 0x44;
        p.size = payload + 3;
    } else {
        p.size = payload - 2;
    }
    int rc = itsi_assembler_feed(&a, &p, &out);
    assert_true(rc >= 0);
    return rc;
}

static void begin(bool hevc)
{
    itsi_assembler_init(&a, hevc);
    clock_ns = 0;
}

/* Pictures of one slice, split in two packets, until their ends are predicted. */
static int64_t teach(int64_t pts)
{
    for (int i = 0; i < 5; i++, pts++) {
        int got = piece(i ? 0x41 : 0x65, true, FULL, pts); /* ends the one before */
        assert_int_equal(got, i > 0);
        if (got)
            assert_int_equal(out.pts, pts - 1);
        piece(0, false, 300, pts);
    }
    return pts;
}

static void until_taught_pictures_end_with_the_next(void **state)
{
    (void)state;
    begin(false);
    assert_int_equal(piece(0x67, false, 20, 0), 0);
    assert_int_equal(piece(0x65, true, FULL, 0), 0);
    assert_int_equal(piece(0, false, 300, 0), 0);
    assert_int_equal(piece(0x41, true, 200, 1), 1);
    assert_int_equal(out.pts, 0);
    assert_int_equal(out.size, 20 + 3 + FULL + 3 + 300 - 2);
    assert_int_equal(out.arrival, 3); /* of its own last piece, not of the next picture */
    assert_int_equal(out.wall, 100);
    assert_true(out.key);
    for (int i = 0; i < 64; i++)
        assert_int_equal(out.data[out.size + i], 0);
    itsi_assembler_fini(&a);
}

static void then_at_their_own_last_piece(void **state)
{
    (void)state;
    begin(false);
    int64_t pts = teach(0);
    assert_int_equal(piece(0x41, true, FULL, pts), 1); /* the last one of the lessons */
    assert_int_equal(itsi_assembler_poll(&a, &out), 0);
    for (int i = 0; i < 10; i++, pts++) {
        if (i)
            assert_int_equal(piece(0x41, true, FULL, pts), 0);
        assert_int_equal(piece(0, false, FULL, pts), 0); /* full: more to come */
        assert_int_equal(piece(0, false, 77, pts), 1);
        assert_int_equal(out.pts, pts);
        assert_int_equal(out.arrival, clock_ns);
        assert_false(out.key);
    }
    assert_int_equal(a.mispredicted, 0);
    itsi_assembler_fini(&a);
}

static void a_single_piece_after_a_full_one_is_not_held_back(void **state)
{
    (void)state;
    begin(false);
    int64_t pts = teach(0);
    assert_int_equal(piece(0x41, true, 200, pts), 1);
    assert_int_equal(out.pts, pts - 1);
    assert_int_equal(itsi_assembler_poll(&a, &out), 1);
    assert_int_equal(out.pts, pts);
    assert_int_equal(itsi_assembler_poll(&a, &out), 0);
    pts++;
    piece(0x41, true, FULL, pts); /* ends exactly at a packet's end: seen when the next begins */
    assert_int_equal(piece(0x41, true, 200, pts + 1), 1);
    assert_int_equal(out.pts, pts);
    assert_int_equal(itsi_assembler_poll(&a, &out), 1);
    assert_int_equal(out.pts, pts + 1);
    itsi_assembler_fini(&a);
}

static void several_slices_are_waited_for(void **state)
{
    (void)state;
    begin(false);
    for (int64_t pts = 0; pts < 4; pts++) {
        piece(0x41, true, 300, pts);
        piece(0x41, false, 300, pts);
        piece(0x41, false, 300, pts);
    }
    assert_int_equal(piece(0x41, true, 300, 4), 1);
    assert_int_equal(itsi_assembler_poll(&a, &out), 0);
    assert_int_equal(piece(0x41, false, 300, 4), 0);
    assert_int_equal(piece(0x41, false, 300, 4), 1);
    assert_int_equal(out.pts, 4);
    itsi_assembler_fini(&a);
}

static void a_wrong_prediction_is_not_repeated(void **state)
{
    (void)state;
    begin(false);
    int64_t pts = teach(0);
    piece(0x41, true, 200, pts);
    assert_int_equal(itsi_assembler_poll(&a, &out), 1);
    assert_int_equal(piece(0x41, false, 200, pts), 0); /* a second slice after all */
    assert_int_equal(a.mispredicted, 1);
    for (int i = 0; i < 20; i++) {
        pts++;
        assert_int_equal(piece(0x41, true, 200, pts), i > 0); /* ends the one before, as a whole */
        if (i)
            assert_int_equal(out.size, 406);
        assert_int_equal(piece(0x41, false, 200, pts), 0);
    }
    assert_int_equal(a.mispredicted, 1);
    itsi_assembler_fini(&a);
}

static void what_follows_the_slices_is_no_mistake(void **state)
{
    (void)state;
    begin(false);
    int64_t pts = teach(0);
    piece(0x41, true, 200, pts);
    assert_int_equal(itsi_assembler_poll(&a, &out), 1);
    assert_int_equal(piece(0x0c, false, 100, pts), 0); /* filler data */
    assert_int_equal(a.mispredicted, 0);
    assert_int_equal(piece(0x41, true, 200, pts + 1), 1);
    itsi_assembler_fini(&a);
}

static void stamps_that_stand_still_do_not_glue_pictures_together(void **state)
{
    (void)state;
    begin(false);
    int units = 0;
    for (int i = 0; i < 100; i++) {
        units += piece(i % 25 ? 0x41 : 0x65, true, FULL, 7);
        units += itsi_assembler_poll(&a, &out);
        units += piece(0, false, 300, 7);
    }
    assert_true(a.no_stamps);
    assert_in_range(units, 97, 100); /* the first few are one, by the stamps */
    itsi_assembler_fini(&a);
}

static void a_recovery_point_is_a_place_to_begin(void **state)
{
    (void)state;
    begin(false);
    uint8_t sei[] = {0, 0, 0, 1, 6, 6, 1, 0x80}, slice[] = {0, 0, 0, 1, 0x41, 0x88, 1, 2};
    struct itsi_piece p = {.data = sei, .size = sizeof sei};
    assert_int_equal(itsi_assembler_feed(&a, &p, &out), 0);
    p = (struct itsi_piece){.data = slice, .size = sizeof slice};
    assert_int_equal(itsi_assembler_feed(&a, &p, &out), 0);
    p.pts = 1;
    assert_int_equal(itsi_assembler_feed(&a, &p, &out), 1);
    assert_true(out.key);
    p.pts = 2;
    assert_int_equal(itsi_assembler_feed(&a, &p, &out), 1);
    assert_false(out.key);
    itsi_assembler_fini(&a);
}

static void hevc_has_headers_of_its_own(void **state)
{
    (void)state;
    begin(true);
    uint8_t idr[] = {0, 0, 0, 1, 19 << 1, 1, 0x80, 5, 5}, trail[] = {0, 0, 0, 1, 1 << 1, 1, 0x80, 5, 5};
    for (int64_t pts = 0; pts < 6; pts++) {
        struct itsi_piece p = {.data = pts ? trail : idr, .size = sizeof idr, .pts = pts};
        int got = itsi_assembler_feed(&a, &p, &out);
        assert_int_equal(got, pts > 0);
        if (got)
            assert_int_equal(out.key, pts == 1);
    }
    assert_int_equal(itsi_assembler_poll(&a, &out), 1);
    itsi_assembler_fini(&a);
}

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    begin(false);
    static uint8_t slice[1 << 20] = {0, 0, 0, 1, 0x41, 0x88, 1, 2}; /* more than there is room for from the start */
    struct itsi_piece p = {.data = slice, .size = sizeof slice};
    itsi_alloc_fail_at(1);
    assert_int_equal(itsi_assembler_feed(&a, &p, &out), 0);
    itsi_alloc_fail_at(0);
    p.pts = 1;
    assert_int_equal(itsi_assembler_feed(&a, &p, &out), ITS_ENOMEM);
    itsi_assembler_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_taught_pictures_end_with_the_next),
        cmocka_unit_test(then_at_their_own_last_piece),
        cmocka_unit_test(a_single_piece_after_a_full_one_is_not_held_back),
        cmocka_unit_test(several_slices_are_waited_for),
        cmocka_unit_test(a_wrong_prediction_is_not_repeated),
        cmocka_unit_test(what_follows_the_slices_is_no_mistake),
        cmocka_unit_test(stamps_that_stand_still_do_not_glue_pictures_together),
        cmocka_unit_test(a_recovery_point_is_a_place_to_begin),
        cmocka_unit_test(hevc_has_headers_of_its_own),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

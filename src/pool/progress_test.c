#include "support/check.h"

#include "pool/progress.h"

static bool feed(struct itsi_progress *progress, const char *text)
{
    return itsi_progress_feed(progress, text, strlen(text));
}

/* As FFmpeg 5.1 writes it. */
static const char block[] =
    "frame=25\nfps=0.00\nstream_0_0_q=28.0\nbitrate=   3.1kbits/s\ntotal_size=262192\nout_time_us=960000\n"
    "out_time_ms=960000\nout_time=00:00:00.960000\ndup_frames=0\ndrop_frames=0\nspeed=1.9x\n";

static void a_block_says_how_far_it_is(void **state)
{
    struct itsi_progress progress = {0};
    (void)state;
    assert_true(feed(&progress, block));
    assert_int_equal(progress.frames, 25);
    assert_int_equal(progress.bytes, 262192);
    assert_int_equal(progress.media_us, 960000);
    assert_false(progress.ended);
    assert_false(feed(&progress, "progress=continue\n"));
    assert_false(feed(&progress, "progress=end\n"));
    assert_true(progress.ended);
}

static void the_same_block_again_is_no_progress(void **state)
{
    struct itsi_progress progress = {0};
    (void)state;
    assert_true(feed(&progress, block));
    assert_false(feed(&progress, block));
    assert_true(feed(&progress, "frame=26\n"));
}

static void pieces_make_lines(void **state)
{
    struct itsi_progress progress = {0};
    bool went_on = false;
    (void)state;
    for (size_t i = 0; i < sizeof block - 1; i++)
        went_on |= itsi_progress_feed(&progress, block + i, 1);
    assert_true(went_on);
    assert_int_equal(progress.frames, 25);
    assert_int_equal(progress.media_us, 960000);
}

static void what_is_no_number_says_nothing(void **state)
{
    struct itsi_progress progress = {0};
    char noise[1000];
    (void)state;
    memset(noise, 'x', sizeof noise);
    assert_false(feed(&progress, "out_time_us=N/A\ntotal_size=N/A\nframe=\n"));
    assert_false(itsi_progress_feed(&progress, noise, sizeof noise));
    assert_false(feed(&progress, "\n"));
    assert_true(feed(&progress, "total_size=    1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_says_how_far_it_is),
        cmocka_unit_test(the_same_block_again_is_no_progress),
        cmocka_unit_test(pieces_make_lines),
        cmocka_unit_test(what_is_no_number_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

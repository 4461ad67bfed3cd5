#include "support/check.h"

#include "base/clock.h"
#include "capture/capture.h"
#include "capture/metronome.h"

#include <stdatomic.h>
#include <stdbool.h>

#define MS ITSI_NS_PER_MS

struct bench {
    struct itsi_metronome *metronome; /* NULL: the camera has a thread of its own */
    struct itsi_capture *capture;
    struct itsi_ledger ledger;
    atomic_int frames;
    atomic_bool stopped, wrong;
    int64_t last_pts;
};

static int put(void *arg, struct itsi_frame *frame, bool may_block)
{
    struct bench *t = arg;
    (void)may_block;
    if (atomic_load(&t->stopped) || (atomic_fetch_add(&t->frames, 1) > 0 && frame->info.pts_ns <= t->last_pts))
        atomic_store(&t->wrong, true);
    t->last_pts = frame->info.pts_ns;
    itsi_ledger_deliver(&t->ledger, 0);
    itsi_frame_unref(&frame);
    return 0;
}

static void open_bench(struct bench *t, bool shared, const char *url)
{
    struct its_diag diag;
    struct its_cfg cfg = {0};
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    *t = (struct bench){0};
    if (shared)
        CHECK_OK(itsi_metronome_create(&t->metronome, &diag), diag);
    itsi_ledger_init(&t->ledger);
    const struct itsi_capture_params params = {.id = "a",
                                               .url = url,
                                               .cfg = &cfg.capture,
                                               .frames = 4,
                                               .budget_ns = 100 * MS,
                                               .ledger = &t->ledger,
                                               .metronome = t->metronome,
                                               .sink = {.put = put, .arg = t}};
    CHECK_OK(itsi_capture_create(&t->capture, &params, &diag), diag);
    CHECK_OK(itsi_capture_start(t->capture, &diag), diag);
    its_cfg_fini(&cfg);
}

static struct itsi_ledger_counts close_bench(struct bench *t)
{
    struct itsi_ledger_counts counts;
    itsi_capture_destroy(t->capture);
    itsi_metronome_destroy(t->metronome);
    itsi_ledger_snapshot(&t->ledger, &counts);
    assert_int_equal(itsi_ledger_balance(&counts), 0);
    assert_int_equal(counts.in_flight, 0);
    assert_false(atomic_load(&t->wrong));
    itsi_ledger_fini(&t->ledger);
    return counts;
}

static enum itsi_capture_state state_of(struct bench *t)
{
    struct itsi_capture_status status;
    itsi_capture_status(t->capture, &status);
    return status.state;
}

/* Half a second at 100 a second: fifty frames, none more, and it says that it has ended. */
static void ends_after_its_last_frame(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct bench t;
        open_bench(&t, shared, "null://?fps=100&seconds=0.5");
        for (int64_t until = itsi_now_ns() + 20 * ITSI_NS_PER_S;
             state_of(&t) != ITSI_CAPTURE_ENDED && itsi_now_ns() < until;)
            itsi_sleep_until_ns(itsi_now_ns() + 10 * MS);
        assert_int_equal(state_of(&t), ITSI_CAPTURE_ENDED);
        itsi_capture_stop(t.capture);
        assert_int_equal(state_of(&t), ITSI_CAPTURE_ENDED);
        assert_int_equal(close_bench(&t).expected, 50);
    }
}

/* Ten frames in each of the quarters of a second before and after, fifty in the one between. */
static void surges_when_it_is_told_to(void **state)
{
    (void)state;
    struct bench t;
    open_bench(&t, true, "null://?fps=40&surge=200,0.25,0.25&seconds=0.75");
    double most = 0;
    for (int64_t until = itsi_now_ns() + 20 * ITSI_NS_PER_S;
         state_of(&t) != ITSI_CAPTURE_ENDED && itsi_now_ns() < until;) {
        struct itsi_capture_status status;
        itsi_capture_status(t.capture, &status);
        most = status.fps > most ? status.fps : most;
        itsi_sleep_until_ns(itsi_now_ns() + 10 * MS);
    }
    assert_int_equal(state_of(&t), ITSI_CAPTURE_ENDED);
    assert_true(most == 200);
    assert_int_equal(close_bench(&t).expected, 70);
}

static void gives_nothing_after_it_was_stopped(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct bench t;
        open_bench(&t, shared, "null://?fps=200");
        while (atomic_load(&t.frames) < 10)
            itsi_sleep_until_ns(itsi_now_ns() + MS);
        assert_int_equal(state_of(&t), ITSI_CAPTURE_RUNNING);
        itsi_capture_stop(t.capture);
        atomic_store(&t.stopped, true);
        assert_int_equal(state_of(&t), ITSI_CAPTURE_STOPPED);
        itsi_sleep_until_ns(itsi_now_ns() + 30 * MS);
        assert_true(close_bench(&t).expected >= 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_after_its_last_frame),
        cmocka_unit_test(surges_when_it_is_told_to),
        cmocka_unit_test(gives_nothing_after_it_was_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

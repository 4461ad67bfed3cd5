/* Windows over their life: resizing, series that come and go, memory. */
#include "metrics/windows_fixture.h"

#include "base/mem.h"
#include "metrics/recording_impl.h"

/* --- resizing ---------------------------------------------------------------------------------------------------- */

static void resizing_keeps_what_fits(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    struct its_diag diag;
    begin(&f, 1, seconds);
    feed(&f, 500, 10);
    struct itsi_window_figures before = query(&f, 0, 0);
    assert_int_equal(before.count, 600);
    CHECK_OK(itsi_windows_resize(f.windows, 0, 3600, &diag), diag);
    struct itsi_window_figures after = query(&f, 0, 0);
    assert_memory_equal(&after, &before, sizeof before);
    feed(&f, 1000, 10);
    after = query(&f, 0, 0); /* grows on from what it had */
    assert_int_equal(after.count, 10600);
    CHECK_NEAR(after.covered_s, 1060, 1e-9);
    feed(&f, 4000, 10);
    after = query(&f, 0, 0);
    CHECK_NEAR(after.covered_s, 3600, 30.001);
    CHECK_NEAR(after.per_second, 10, 1e-9);
    CHECK_OK(itsi_windows_resize(f.windows, 0, 600, &diag), diag);
    after = query(&f, 0, 0);
    CHECK_NEAR(after.covered_s, 600, 60.001); /* whole old intervals at first */
    CHECK_NEAR(after.per_second, 10, 1e-9);
    feed(&f, 700, 10);
    after = query(&f, 0, 0);
    CHECK_NEAR(after.covered_s, 600, 5.001);
    CHECK_NEAR(after.per_second, 10, 1e-9);
    CHECK_NEAR(after.p50_ms, 14, 0.014);
    assert_int_equal(itsi_windows_resize(f.windows, 0, 0, &diag), ITS_EINVAL);
    assert_int_equal(itsi_windows_resize(f.windows, 0, ITSI_WINDOW_SECONDS_MAX + 1, &diag), ITS_EINVAL);
    assert_int_equal(itsi_windows_resize(f.windows, 1, 60, &diag), ITS_EINVAL);
    end(&f);
}

static void resizing_without_memory_can_go_on(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    struct its_diag diag;
    begin(&f, 1, seconds);
    feed(&f, 100, 10);
    struct itsi_window_figures before = query(&f, 0, 0);
    int nth = 0, rc;
    do {
        itsi_alloc_fail_at(++nth);
        rc = itsi_windows_resize(f.windows, 0, 90, &diag);
        itsi_alloc_fail_at(0);
        struct itsi_window_figures after = query(&f, 0, 0);
        assert_memory_equal(&after, &before, sizeof before);
    } while (rc == ITS_ENOMEM && nth < 500);
    assert_int_equal(rc, 0);
    assert_true(nth > 30);
    end(&f);
}

/* --- series that come and go ------------------------------------------------------------------------------------- */

static void a_released_series_is_forgotten(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    struct its_diag diag;
    struct itsi_window_figures figures;
    struct itsi_moments totals;
    int series[COARSE], more;
    begin(&f, 1, seconds);
    for (int i = 0; i < COARSE; i++)
        CHECK_OK(itsi_windows_claim(f.windows, &series[i], &diag), diag);
    assert_int_equal(itsi_windows_claim(f.windows, &more, &diag), ITS_ELIMIT);
    record(&f, series[1], ITSI_NS_PER_MS);
    tick_after(&f, ITSI_NS_PER_S);
    assert_int_equal(query(&f, series[1], 0).count, 1);
    record(&f, series[1], ITSI_NS_PER_MS); /* in flight when its camera goes */
    itsi_windows_release(f.windows, series[1]);
    itsi_windows_release(f.windows, series[1]); /* twice is once */
    record(&f, series[1], ITSI_NS_PER_MS);
    assert_int_equal(itsi_windows_query(f.windows, series[1], 0, f.now, &figures), ITS_ENOTFOUND);
    assert_int_equal(itsi_windows_totals(f.windows, series[1], &totals), ITS_ENOTFOUND);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(itsi_windows_claim(f.windows, &more, &diag), ITS_ELIMIT);
        tick_after(&f, ITSI_NS_PER_S);
    }
    CHECK_OK(itsi_windows_claim(f.windows, &more, &diag), diag);
    assert_int_equal(more, series[1]);
    tick_after(&f, ITSI_NS_PER_S);
    assert_int_equal(query(&f, more, 0).count, 0);
    assert_int_equal(itsi_windows_totals(f.windows, more, &totals), 0);
    assert_int_equal(totals.count, 0);
    struct itsi_windows_stats stats;
    itsi_windows_stats(f.windows, &stats);
    assert_int_equal(stats.claimed, COARSE);
    assert_int_equal(stats.strays, 2);
    itsi_windows_release(f.windows, 0); /* fine series stay */
    assert_int_equal(query(&f, 0, 0).count, 0);
    assert_int_equal(itsi_windows_query(f.windows, -1, 0, f.now, &figures), ITS_ENOTFOUND);
    assert_int_equal(itsi_windows_query(f.windows, SERIES, 0, f.now, &figures), ITS_ENOTFOUND);
    assert_int_equal(itsi_windows_query(f.windows, 0, 1, f.now, &figures), ITS_ENOTFOUND);
    end(&f);
}

static void groups_are_gathered(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    struct its_diag diag;
    struct itsi_tally sum;
    int a, b;
    int64_t covered;
    begin(&f, 1, seconds);
    CHECK_OK(itsi_windows_claim(f.windows, &a, &diag), diag);
    CHECK_OK(itsi_windows_claim(f.windows, &b, &diag), diag);
    CHECK_OK(itsi_tally_init(&sum, ITSI_LAYOUT_COARSE, &diag), diag);
    for (int i = 1; i <= 100; i++)
        record(&f, i % 2 ? a : b, i * ITSI_NS_PER_MS);
    tick_after(&f, 2 * ITSI_NS_PER_S);
    assert_int_equal(itsi_windows_gather(f.windows, a, 0, f.now, &sum, NULL), 0);
    assert_int_equal(itsi_windows_gather(f.windows, b, 0, f.now, &sum, &covered), 0);
    assert_int_equal(itsi_windows_gather(f.windows, b + 1, 0, f.now, &sum, &covered), ITS_ENOTFOUND);
    struct itsi_window_figures figures;
    itsi_window_figures_of(&sum, covered, &figures);
    assert_int_equal(figures.count, 100);
    CHECK_NEAR(figures.per_second, 50, 1e-9);
    CHECK_NEAR(figures.p95_ms, 95, 0.76);
    CHECK_NEAR(figures.mean_ms, 50.5, 1e-9);
    itsi_tally_fini(&sum);
    end(&f);
}

struct heard {
    int calls, series;
    uint64_t values;
    int64_t time;
};

static void hear(void *arg, int series, const struct itsi_tally *interval, int64_t length)
{
    struct heard *heard = arg;
    heard->calls++;
    heard->series = series;
    heard->values += interval->moments.count;
    heard->time += length;
    assert_int_equal(interval->placed, interval->moments.count);
}

static void intervals_are_passed_on(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct its_diag diag;
    struct fixture f = {.now = START};
    const struct itsi_recording_params params = {.fine = 3, .coarse = 1, .writers = 1};
    CHECK_OK(itsi_recording_create(&f.recording, &params, &diag), diag);
    CHECK_OK(itsi_writer_open(f.recording, 0, 4, &f.writer, &diag), diag);
    const struct itsi_windows_params wanted = {
        .recording = f.recording, .count = 1, .seconds = {60}, .each = hear, .each_arg = &heard};
    CHECK_OK(itsi_windows_create(&f.windows, &wanted, f.now, &diag), diag);
    record(&f, 2, ITSI_NS_PER_MS);
    record(&f, 2, ITSI_NS_PER_MS);
    record(&f, 3, ITSI_NS_PER_MS); /* nobody has claimed it */
    tick_after(&f, ITSI_NS_PER_S);
    tick_after(&f, ITSI_NS_PER_S); /* nothing came */
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.series, 2);
    assert_int_equal(heard.values, 2);
    assert_int_equal(heard.time, ITSI_NS_PER_S);
    end(&f);
}

/* --- size -------------------------------------------------------------------------------------------------------- */

static void totals_go_past_32_bits(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    const int64_t value = 20 * ITSI_NS_PER_MS;
    struct fixture f;
    begin(&f, 1, seconds);
    for (int t = 0; t < 4; t++) {
        record(&f, 0, value);
        int phase = atomic_load(&f.writer->phase);
        f.writer->parts[0][phase]->counts[itsi_layout_slot(ITSI_LAYOUT_FINE, value)] = UINT32_MAX;
        record(&f, 0, value);
        tick_after(&f, ITSI_NS_PER_S / 4); /* two grid steps: merging and gathering both pass 32 bits */
    }
    struct itsi_moments totals;
    assert_int_equal(itsi_windows_totals(f.windows, 0, &totals), 0);
    assert_int_equal(totals.count, UINT64_C(4) << 32);
    struct itsi_window_figures figures = query(&f, 0, 0);
    assert_int_equal(figures.count, UINT64_C(4) << 32);
    CHECK_NEAR(figures.p99_ms, 20, 0.01);
    end(&f);
}

static void the_steady_state_allocates_nothing(void **state)
{
    (void)state;
    static const int64_t seconds[] = {10, 20};
    struct fixture f;
    struct itsi_windows_stats early, late;
    begin(&f, 2, seconds);
    feed(&f, 200, 10);
    itsi_windows_stats(f.windows, &early);
    uint64_t before = itsi_alloc_count();
    feed(&f, 1000, 10);
    query(&f, 0, 1);
    assert_int_equal(itsi_alloc_count(), before);
    itsi_windows_stats(f.windows, &late);
    assert_int_equal(late.bytes, early.bytes);
    end(&f);
}

/* Cells of ten seconds, with other values every second: each grows to ten times what its first second puts into it. */
static void cells_that_grow_settle_into_no_allocation(void **state)
{
    (void)state;
    enum { PARTS = 10, VALUES = 100, SETTLED = 700, TICKS = 2000 };
    static const int64_t seconds[] = {600};
    struct fixture f;
    uint64_t before = 0;
    begin(&f, 1, seconds);
    for (int t = 0; t < TICKS; t++) {
        if (t == SETTLED)
            before = itsi_alloc_count();
        for (int i = 0; i < VALUES; i++)
            record(&f, 0, (10 + t % PARTS * VALUES + i) * ITSI_NS_PER_MS);
        tick_after(&f, ITSI_NS_PER_S);
    }
    assert_int_equal(itsi_alloc_count(), before);
    end(&f);
}

static void making_survives_no_memory(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_recording *recording;
    const struct itsi_recording_params params = {.fine = 2, .coarse = 1, .writers = 1};
    CHECK_OK(itsi_recording_create(&recording, &params, &diag), diag);
    const struct itsi_windows_params wanted = {.recording = recording, .count = 3, .seconds = {60, 300, 3600}};
    int nth = 0, rc, series;
    do {
        struct itsi_windows *windows = NULL;
        itsi_alloc_fail_at(++nth);
        rc = itsi_windows_create(&windows, &wanted, START, &diag);
        if (rc == 0)
            rc = itsi_windows_claim(windows, &series, &diag);
        itsi_alloc_fail_at(0);
        itsi_windows_destroy(windows);
    } while (rc == ITS_ENOMEM && nth < 100);
    assert_int_equal(rc, 0);
    assert_int_equal(nth, 1 + 6 + 1 + 2 + 1 + 1);
    struct itsi_windows *windows = NULL;
    for (int i = 0; i < 3; i++) {
        struct itsi_windows_params bad = wanted;
        bad.count = i == 0 ? 0 : i == 1 ? ITSI_WINDOWS_MAX + 1 : 3;
        bad.seconds[2] = 0;
        assert_int_equal(itsi_windows_create(&windows, &bad, START, &diag), ITS_EINVAL);
    }
    assert_null(windows);
    itsi_recording_destroy(recording);
}

static void a_tick_without_memory_keeps_the_moments(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    begin(&f, 1, seconds);
    record(&f, 0, 30 * ITSI_NS_PER_MS);
    f.now += ITSI_NS_PER_S;
    itsi_alloc_fail_at(1);
    int rc = itsi_windows_tick(f.windows, f.now);
    itsi_alloc_fail_at(0);
    assert_int_equal(rc, ITS_ENOMEM);
    feed(&f, 1, 1);
    struct itsi_window_figures figures = query(&f, 0, 0);
    assert_int_equal(figures.count, 2);
    CHECK_NEAR(figures.mean_ms, 20, 1e-9);
    CHECK_NEAR(figures.p50_ms, 10, 0.005); /* of the one whose place is known */
    struct itsi_windows_stats stats;
    itsi_windows_stats(f.windows, &stats);
    assert_int_equal(stats.thinned, 1);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizing_keeps_what_fits),
        cmocka_unit_test(resizing_without_memory_can_go_on),
        cmocka_unit_test(a_released_series_is_forgotten),
        cmocka_unit_test(groups_are_gathered),
        cmocka_unit_test(intervals_are_passed_on),
        cmocka_unit_test(totals_go_past_32_bits),
        cmocka_unit_test(the_steady_state_allocates_nothing),
        cmocka_unit_test(cells_that_grow_settle_into_no_allocation),
        cmocka_unit_test(making_survives_no_memory),
        cmocka_unit_test(a_tick_without_memory_keeps_the_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

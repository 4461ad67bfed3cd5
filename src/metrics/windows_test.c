#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "metrics/recording_impl.h"
#include "metrics/window.h"
#include "metrics/windows.h"

enum { FINE = 1, COARSE = 4, SERIES = FINE + COARSE };
#define START (INT64_C(5000) * ITSI_NS_PER_S)
#define THRESHOLD (100 * ITSI_NS_PER_MS)

struct fixture {
    struct itsi_recording *recording;
    struct itsi_windows *windows;
    struct itsi_writer *writer;
    int64_t now;
};

static void begin(struct fixture *f, int count, const int64_t *seconds)
{
    struct its_diag diag;
    const struct itsi_recording_params params = {.fine = FINE, .coarse = COARSE, .writers = 1};
    CHECK_OK(itsi_recording_create(&f->recording, &params, &diag), diag);
    CHECK_OK(itsi_writer_open(f->recording, 0, SERIES, &f->writer, &diag), diag);
    struct itsi_windows_params wanted = {.recording = f->recording, .count = count};
    memcpy(wanted.seconds, seconds, (size_t)count * sizeof *seconds);
    f->now = START;
    CHECK_OK(itsi_windows_create(&f->windows, &wanted, f->now, &diag), diag);
}

static void end(struct fixture *f)
{
    itsi_windows_destroy(f->windows);
    itsi_writer_close(f->writer);
    itsi_recording_destroy(f->recording);
}

static void record(struct fixture *f, int series, int64_t value)
{
    itsi_writer_record(f->writer, series, value, THRESHOLD);
}

static void tick_after(struct fixture *f, int64_t ns)
{
    f->now += ns;
    assert_int_equal(itsi_windows_tick(f->windows, f->now), 0);
}

static struct itsi_window_figures query(struct fixture *f, int series, int window)
{
    struct itsi_window_figures figures;
    assert_int_equal(itsi_windows_query(f->windows, series, window, f->now, &figures), 0);
    return figures;
}

/* --- against a list of everything -------------------------------------------------------------------------------- */

enum { VALUES_MAX = 200000, TICKS_MAX = 3000 };
struct list {
    int64_t values[VALUES_MAX];
    int value_count;
    struct {
        int64_t from, to;
        int first; /* of its values */
    } ticks[TICKS_MAX + 1];
    int tick_count;
};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The oldest tick of a window of so many seconds, by the rule in window.h: ticks of one grid step stay or go together;
 * they stay while they begin at most half a step before the window does. */
static int oldest_tick(const struct list *list, int64_t seconds)
{
    int64_t length = seconds * ITSI_NS_PER_S, step = length / 60 > ITSI_NS_PER_S ? length / 60 : ITSI_NS_PER_S;
    int last = list->tick_count - 1, oldest = last;
    int64_t limit = list->ticks[last].to - length - step / 2;
    for (int i = last; i >= 0; i--) {
        bool begins = i == 0 || list->ticks[i - 1].to / step != list->ticks[i].to / step;
        bool newest = list->ticks[i].to / step == list->ticks[last].to / step;
        if (!newest && list->ticks[i].from < limit)
            break;
        if (begins || newest)
            oldest = i;
    }
    return oldest;
}

static void check_against_list(struct fixture *f, const struct list *list, int window, int64_t seconds, int series,
                               double precision)
{
    static int64_t sorted[VALUES_MAX];
    int oldest = oldest_tick(list, seconds);
    int first = list->ticks[oldest].first, n = list->value_count - first;
    double covered = (double)(f->now - list->ticks[oldest].from) / 1e9;
    struct itsi_window_figures w = query(f, series, window);
    assert_int_equal(w.count, n);
    CHECK_NEAR(w.covered_s, covered, 1e-9);
    if (!n)
        return;
    memcpy(sorted, list->values + first, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    double sum = 0, squares = 0;
    uint64_t violations = 0;
    for (int i = 0; i < n; i++) {
        sum += (double)sorted[i] / 1e6;
        violations += sorted[i] > THRESHOLD;
    }
    for (int i = 0; i < n; i++)
        squares += pow((double)sorted[i] / 1e6 - sum / n, 2);
    assert_int_equal(w.violations, violations);
    CHECK_NEAR(w.mean_ms, sum / n, 1e-6);
    CHECK_NEAR(w.deviation_ms, sqrt(squares / n), 1e-5);
    CHECK_NEAR(w.min_ms, (double)sorted[0] / 1e6, 1e-9);
    CHECK_NEAR(w.max_ms, (double)sorted[n - 1] / 1e6, 1e-9);
    CHECK_NEAR(w.violation_rate, (double)violations / n, 1e-12);
    CHECK_NEAR(w.per_second, n / covered, 1e-9);
    const double shares[3] = {0.5, 0.95, 0.99}, shown[3] = {w.p50_ms, w.p95_ms, w.p99_ms};
    for (int i = 0; i < 3; i++) {
        double exact = (double)sorted[(int)ceil(shares[i] * n) - 1] / 1e6;
        CHECK_NEAR(shown[i], exact, exact * precision + 0.0005);
    }
}

/* Ticks of uneven length, values in bursts and pauses. */
static void windows_agree_with_a_list_at_every_tick(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60, 300, 7, 1};
    static struct list list;
    struct fixture f;
    struct its_diag diag;
    struct itsi_rand rng;
    int camera;
    begin(&f, 4, seconds);
    CHECK_OK(itsi_windows_claim(f.windows, &camera, &diag), diag);
    itsi_rand_seed(&rng, 21);
    list.value_count = list.tick_count = 0;
    for (int t = 0; t < 900; t++) {
        int n = t % 200 > 150 ? 0 : (int)itsi_rand_below(&rng, 60);
        list.ticks[list.tick_count].first = list.value_count;
        list.ticks[list.tick_count].from = f.now;
        for (int i = 0; i < n; i++) {
            int64_t value = (int64_t)exp(itsi_rand_normal(&rng) * 0.6 + 17.5);
            list.values[list.value_count++] = value;
            record(&f, 0, value);
            record(&f, camera, value);
        }
        int64_t pause = t % 17 == 0 ? 4 * ITSI_NS_PER_S : (int64_t)(itsi_rand_range(&rng, 0.2, 1.4) * 1e9);
        tick_after(&f, pause);
        list.ticks[list.tick_count++].to = f.now;
        for (int w = 0; w < 4; w++) {
            check_against_list(&f, &list, w, seconds[w], 0, 0.0005);
            if (t % 10 == 0)
                check_against_list(&f, &list, w, seconds[w], camera, 0.008);
        }
    }
    struct itsi_moments totals;
    assert_int_equal(itsi_windows_totals(f.windows, 0, &totals), 0);
    assert_int_equal(totals.count, list.value_count);
    end(&f);
}

/* --- length and age ---------------------------------------------------------------------------------------------- */

static void feed(struct fixture *f, int ticks, int per_tick)
{
    for (int t = 0; t < ticks; t++) {
        for (int i = 0; i < per_tick; i++)
            record(f, 0, (10 + i) * ITSI_NS_PER_MS);
        tick_after(f, ITSI_NS_PER_S);
    }
}

static void a_window_covers_its_length(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60, 300, 3600, 86400};
    struct fixture f;
    begin(&f, 4, seconds);
    feed(&f, 90000, 2);
    for (int w = 0; w < 4; w++) {
        struct itsi_window_figures figures = query(&f, 0, w);
        CHECK_NEAR(figures.covered_s, (double)seconds[w], (double)seconds[w] / 120 + 1e-9);
        CHECK_NEAR(figures.per_second, 2, 1e-9); /* a value too many or too few would show */
    }
    end(&f);
}

static void a_window_runs_empty_without_ticks(void **state)
{
    (void)state;
    static const int64_t seconds[] = {10};
    struct fixture f;
    begin(&f, 1, seconds);
    feed(&f, 20, 3);
    assert_int_equal(query(&f, 0, 0).count, 30);
    f.now += 5 * ITSI_NS_PER_S + ITSI_NS_PER_S / 2;
    assert_int_equal(query(&f, 0, 0).count, 15);
    f.now += 6 * ITSI_NS_PER_S;
    struct itsi_window_figures figures = query(&f, 0, 0);
    assert_int_equal(figures.count, 0);
    assert_true(figures.covered_s == 0 && figures.per_second == 0 && figures.p99_ms == 0 && figures.violation_rate == 0);
    end(&f);
}

static void a_window_shorter_than_the_ticks_has_the_newest(void **state)
{
    (void)state;
    static const int64_t seconds[] = {1};
    struct fixture f;
    begin(&f, 1, seconds);
    for (int t = 0; t < 5; t++) {
        record(&f, 0, ITSI_NS_PER_MS);
        tick_after(&f, 30 * ITSI_NS_PER_S);
        struct itsi_window_figures figures = query(&f, 0, 0);
        assert_int_equal(figures.count, 1);
        CHECK_NEAR(figures.covered_s, 30, 1e-9);
    }
    end(&f);
}

static void many_ticks_need_no_more_intervals(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    begin(&f, 1, seconds);
    for (int t = 0; t < 20000; t++) {
        record(&f, 0, ITSI_NS_PER_MS);
        tick_after(&f, 7 * ITSI_NS_PER_MS);
    }
    struct itsi_window_figures figures = query(&f, 0, 0);
    CHECK_NEAR(figures.covered_s, 60, 0.51);
    CHECK_NEAR(figures.per_second, 1000.0 / 7, 1e-6);
    end(&f);
}

/* --- clock steps ------------------------------------------------------------------------------------------------- */

static void a_clock_that_goes_back_loses_nothing(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60};
    struct fixture f;
    begin(&f, 1, seconds);
    feed(&f, 100, 4);
    record(&f, 0, ITSI_NS_PER_MS);
    tick_after(&f, -3000 * ITSI_NS_PER_S);
    assert_int_equal(query(&f, 0, 0).count, 241); /* counted, in no time */
    f.now -= 10 * ITSI_NS_PER_S;
    assert_int_equal(query(&f, 0, 0).count, 241);
    f.now += 10 * ITSI_NS_PER_S;
    feed(&f, 100, 4);
    struct itsi_window_figures figures = query(&f, 0, 0);
    assert_int_equal(figures.count, 240);
    CHECK_NEAR(figures.covered_s, 60, 1e-9);
    end(&f);
}

static void a_leap_forward_ages_what_is_held(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60, 604800};
    struct fixture f;
    begin(&f, 2, seconds);
    feed(&f, 100, 4);
    record(&f, 0, ITSI_NS_PER_MS);
    tick_after(&f, 30 * INT64_C(86400) * ITSI_NS_PER_S);
    assert_int_equal(query(&f, 0, 0).count, 1); /* the newest interval, with the time it took */
    assert_int_equal(query(&f, 0, 1).count, 1);
    feed(&f, 61, 4);
    assert_int_equal(query(&f, 0, 0).count, 240);
    CHECK_NEAR(query(&f, 0, 0).covered_s, 60, 1e-9);
    end(&f);
}

static void any_clock_is_survived(void **state)
{
    (void)state;
    static const int64_t seconds[] = {60, 300};
    static const int64_t nows[] = {INT64_MAX, INT64_MIN, 0, -1, INT64_MAX, INT64_MIN + 1, INT64_MAX - 1, 1};
    struct fixture f;
    struct itsi_moments totals;
    begin(&f, 2, seconds);
    for (int i = 0; i < 800; i++) {
        record(&f, 0, ITSI_NS_PER_MS);
        f.now = nows[i % 8];
        assert_int_equal(itsi_windows_tick(f.windows, f.now), 0);
        assert_in_range(query(&f, 0, 0).count, 1, i + 1);
    }
    f.now = START;
    tick_after(&f, 0);
    feed(&f, 400, 4);
    assert_int_equal(query(&f, 0, 0).count, 240);
    assert_int_equal(query(&f, 0, 1).count, 1200);
    assert_int_equal(itsi_windows_totals(f.windows, 0, &totals), 0);
    assert_int_equal(totals.count, 800 + 1600);
    end(&f);
}

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
        cmocka_unit_test(windows_agree_with_a_list_at_every_tick),
        cmocka_unit_test(a_window_covers_its_length),
        cmocka_unit_test(a_window_runs_empty_without_ticks),
        cmocka_unit_test(a_window_shorter_than_the_ticks_has_the_newest),
        cmocka_unit_test(many_ticks_need_no_more_intervals),
        cmocka_unit_test(a_clock_that_goes_back_loses_nothing),
        cmocka_unit_test(a_leap_forward_ages_what_is_held),
        cmocka_unit_test(any_clock_is_survived),
        cmocka_unit_test(resizing_keeps_what_fits),
        cmocka_unit_test(resizing_without_memory_can_go_on),
        cmocka_unit_test(a_released_series_is_forgotten),
        cmocka_unit_test(groups_are_gathered),
        cmocka_unit_test(intervals_are_passed_on),
        cmocka_unit_test(totals_go_past_32_bits),
        cmocka_unit_test(the_steady_state_allocates_nothing),
        cmocka_unit_test(making_survives_no_memory),
        cmocka_unit_test(a_tick_without_memory_keeps_the_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

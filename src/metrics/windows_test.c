/* What windows hold: against a list of everything, over time, and whatever the clock does. */
#include "metrics/windows_fixture.h"

#include "base/rand.h"

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
    CHECK_NEAR(w.deviation_ms, sqrt(squares / n), (double)sorted[n - 1] / 1e6 * precision + 0.0005);
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
    assert_true(figures.covered_s == 0 && figures.per_second == 0);
    assert_true(figures.p99_ms == 0 && figures.violation_rate == 0);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

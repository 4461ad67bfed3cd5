/* Percentiles against those of the sorted values: ten million of each of four shapes. */
#include "support/check.h"
#include "support/sanitized.h"

#include "base/rand.h"
#include "metrics/recording.h"

enum { N = SANITIZED ? 500000 : 10000000 };
enum { SERIES_FINE, SERIES_COARSE };

/* The least-significant digits first: three passes of 11 bits put any 32-bit values in order. */
static void sort_values(uint32_t *values, uint32_t *spare)
{
    for (int shift = 0; shift < 33; shift += 11) {
        size_t start[2049] = {0};
        for (int i = 0; i < N; i++)
            start[(values[i] >> shift & 2047) + 1]++;
        for (int digit = 0; digit < 2048; digit++)
            start[digit + 1] += start[digit];
        for (int i = 0; i < N; i++)
            spare[start[values[i] >> shift & 2047]++] = values[i];
        uint32_t *swap = values;
        values = spare;
        spare = swap;
    }
    memcpy(spare, values, N * sizeof *values); /* an odd number of passes ended in the spare */
}

static double uniform(struct itsi_rand *rng) { return itsi_rand_range(rng, 100, 200000); }
static double log_normal(struct itsi_rand *rng) { return exp(itsi_rand_normal(rng) * 1.2 + 10.5); }
static double bimodal(struct itsi_rand *rng)
{
    bool slow = itsi_rand_unit(rng) < 0.1;
    return (slow ? 95000 : 12000) + itsi_rand_normal(rng) * (slow ? 4000 : 900);
}
static double pareto(struct itsi_rand *rng) { return 2000 * pow(1 - itsi_rand_unit(rng), -1 / 1.1); }

static const struct {
    const char *name;
    double (*draw)(struct itsi_rand *); /* us */
} shapes[] = {{"uniform", uniform}, {"log-normal", log_normal}, {"bimodal", bimodal}, {"Pareto", pareto}};

static void draw_and_record(struct itsi_writer *writer, int shape, uint32_t *values)
{
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 1000 + (uint64_t)shape);
    for (int i = 0; i < N; i++) {
        double us = fmin(fmax(shapes[shape].draw(&rng), 1), 3.6e9);
        values[i] = (uint32_t)us;
        itsi_writer_begin(writer);
        itsi_writer_put(writer, SERIES_FINE, (int64_t)values[i] * 1000, INT64_MAX);
        itsi_writer_put(writer, SERIES_COARSE, (int64_t)values[i] * 1000, INT64_MAX);
        itsi_writer_end(writer);
    }
}

/* The worst relative error over the permilles and further into the tail. */
static double worst_error(const struct itsi_tally *tally, const uint32_t *sorted)
{
    enum { SHARES = 1001 };
    double q[SHARES], worst = 0;
    int64_t at[SHARES];
    for (int i = 0; i < SHARES - 2; i++)
        q[i] = (i + 1) / 1000.0;
    q[SHARES - 2] = 0.9999;
    q[SHARES - 1] = 1;
    itsi_tally_quantiles(tally, q, at, SHARES);
    for (int i = 0; i < SHARES; i++) {
        double exact = (double)sorted[(int64_t)ceil(q[i] * N) - 1] * 1e3;
        worst = fmax(worst, fabs((double)at[i] - exact) / exact);
    }
    return worst;
}

static void percentiles_are_those_of_the_sorted_values(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_recording *recording;
    struct itsi_writer *writer;
    const struct itsi_recording_params params = {.fine = 1, .coarse = 1, .writers = 1};
    CHECK_OK(itsi_recording_create(&recording, &params, &diag), diag);
    CHECK_OK(itsi_writer_open(recording, 0, 2, &writer, &diag), diag);
    struct itsi_tally fine, coarse;
    CHECK_OK(itsi_tally_init(&fine, ITSI_LAYOUT_FINE, &diag), diag);
    CHECK_OK(itsi_tally_init(&coarse, ITSI_LAYOUT_COARSE, &diag), diag);
    uint32_t *values = malloc(N * sizeof *values), *spare = malloc(N * sizeof *spare);
    for (int shape = 0; shape < 4; shape++) {
        draw_and_record(writer, shape, values);
        sort_values(values, spare);
        assert_int_equal(itsi_recording_swap(recording), 0);
        itsi_tally_clear(&fine);
        itsi_tally_clear(&coarse);
        itsi_recording_take(recording, SERIES_FINE, &fine);
        itsi_recording_take(recording, SERIES_COARSE, &coarse);
        assert_int_equal(fine.moments.count, N);
        assert_int_equal(coarse.moments.count, N);
        assert_int_equal(fine.moments.min, (int64_t)values[0] * 1000);
        assert_int_equal(fine.moments.max, (int64_t)values[N - 1] * 1000);
        double f = worst_error(&fine, values), c = worst_error(&coarse, values);
        printf("%s: within %.4f %% fine, %.3f %% coarse\n", shapes[shape].name, f * 100, c * 100);
        assert_true(f <= 0.001);
        assert_true(c <= 0.01);
    }
    free(values);
    free(spare);
    itsi_tally_fini(&fine);
    itsi_tally_fini(&coarse);
    itsi_writer_close(writer);
    itsi_recording_destroy(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(percentiles_are_those_of_the_sorted_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

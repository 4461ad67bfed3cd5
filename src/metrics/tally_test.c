#include "support/check.h"

#include "base/mem.h"
#include "base/rand.h"
#include "metrics/sparse.h"

static void every_slot_stands_for_its_values(void **state)
{
    (void)state;
    static const struct {
        int bits, slots;
        double precision;
    } layouts[] = {{ITSI_LAYOUT_FINE, 24576, 0.0005}, {ITSI_LAYOUT_COARSE, 1792, 0.008}};
    for (int l = 0; l < 2; l++) {
        int bits = layouts[l].bits;
        assert_int_equal(itsi_layout_slots(bits), layouts[l].slots);
        assert_int_equal(itsi_layout_slot(bits, 0), 0);
        assert_true(itsi_layout_slot(bits, ITSI_LAYOUT_MAX_NS) < layouts[l].slots);
        for (int slot = 0; slot < layouts[l].slots; slot++) {
            int64_t middle = itsi_layout_middle(bits, slot);
            if (middle > ITSI_LAYOUT_MAX_NS)
                break;
            assert_int_equal(itsi_layout_slot(bits, middle), slot);
        }
        struct itsi_rand rng;
        itsi_rand_seed(&rng, 3);
        for (int i = 0; i < 1000000; i++) {
            int64_t ns = (int64_t)exp(itsi_rand_range(&rng, 0, log(3.6e12)));
            int64_t middle = itsi_layout_middle(bits, itsi_layout_slot(bits, ns));
            CHECK_NEAR((double)middle, (double)ns, fmax(256, (double)ns * layouts[l].precision));
        }
    }
    assert_int_equal(itsi_layout_clamp(INT64_MIN), 0);
    assert_int_equal(itsi_layout_clamp(INT64_MAX), ITSI_LAYOUT_MAX_NS);
}

static struct itsi_moments moments_of(const int64_t *values, int n)
{
    struct itsi_moments m = {0};
    for (int i = 0; i < n; i++) {
        const struct itsi_moments one = {.count = 1, .sum = (uint64_t)values[i], .min = values[i], .max = values[i]};
        itsi_moments_add(&m, &one);
    }
    return m;
}

static void moments_are_exact(void **state)
{
    (void)state;
    const int64_t values[] = {50000000, 50000001, 50000002, 50000003};
    struct itsi_moments m = moments_of(values, 4);
    assert_int_equal(m.count, 4);
    assert_int_equal(m.min, 50000000);
    assert_int_equal(m.max, 50000003);
    CHECK_NEAR(itsi_moments_mean(&m), 50000001.5, 1e-7);
}

static void place(struct itsi_tally *tally, int64_t value, uint64_t n)
{
    itsi_tally_place(tally, itsi_layout_slot(tally->bits, value), n);
}

static void the_deviation_is_within_half_a_slot(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_tally tally;
    CHECK_OK(itsi_tally_init(&tally, ITSI_LAYOUT_FINE, &diag), diag);
    assert_true(itsi_tally_deviation(&tally) == 0);
    place(&tally, 50000000, 1000000);
    assert_true(itsi_tally_deviation(&tally) == 0); /* all alike, whatever the slot's middle */
    place(&tally, 60000000, 1000000);
    CHECK_NEAR(itsi_tally_deviation(&tally), 5e6, 60e6 * 0.0005);
    itsi_tally_clear(&tally);
    place(&tally, ITSI_LAYOUT_MAX_NS, 2);
    place(&tally, 0, 2);
    CHECK_NEAR(itsi_tally_deviation(&tally), (double)ITSI_LAYOUT_MAX_NS / 2, (double)ITSI_LAYOUT_MAX_NS * 0.0005);
    itsi_tally_clear(&tally);
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 9);
    double sum = 0, squares = 0;
    for (int i = 0; i < 100000; i++) {
        double value = itsi_rand_range(&rng, 19e6, 21e6); /* narrow: a tenth of it is a hundred slots */
        place(&tally, (int64_t)value, 1);
        sum += value - 20e6;
        squares += (value - 20e6) * (value - 20e6);
    }
    double exact = sqrt(squares / 1e5 - sum / 1e5 * (sum / 1e5));
    CHECK_NEAR(itsi_tally_deviation(&tally), exact, 0.001 * exact);
    itsi_tally_fini(&tally);
}

static void quantiles_stay_within_the_extremes(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_tally tally;
    CHECK_OK(itsi_tally_init(&tally, ITSI_LAYOUT_COARSE, &diag), diag);
    const double q[] = {0, 0.5, 1};
    int64_t at[3] = {-1, -1, -1};
    itsi_tally_quantiles(&tally, q, at, 3);
    assert_true(at[0] == 0 && at[1] == 0 && at[2] == 0);
    const int64_t value = 123456789;
    itsi_tally_place(&tally, itsi_layout_slot(tally.bits, value), 1);
    tally.moments = moments_of(&value, 1);
    itsi_tally_quantiles(&tally, q, at, 3);
    assert_true(at[0] == value && at[1] == value && at[2] == value);
    itsi_tally_clear(&tally);
    itsi_tally_quantiles(&tally, q, at, 3);
    assert_true(at[1] == 0 && tally.placed == 0 && tally.moments.count == 0);
    itsi_tally_fini(&tally);
}

/* Random content with counts of every size up to 2^40 comes back as it was, also through memory used before. */
static void sparse_gives_back_what_it_took(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_tally tally, back;
    struct itsi_sparse sparse = {0};
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 11);
    CHECK_OK(itsi_tally_init(&tally, ITSI_LAYOUT_FINE, &diag), diag);
    CHECK_OK(itsi_tally_init(&back, ITSI_LAYOUT_FINE, &diag), diag);
    uint8_t *scratch = malloc(itsi_sparse_scratch(ITSI_LAYOUT_FINE));
    int slots = itsi_layout_slots(ITSI_LAYOUT_FINE);
    for (int round = 0; round < 200; round++) {
        itsi_tally_clear(&tally);
        itsi_tally_clear(&back);
        int used = round == 0 ? 0 : round == 1 ? slots : (int)itsi_rand_below(&rng, 3000);
        for (int i = 0; i < used; i++)
            itsi_tally_place(&tally, round == 1 ? i : (int)itsi_rand_below(&rng, (uint32_t)slots),
                             UINT64_C(1) << itsi_rand_below(&rng, 41));
        tally.moments.count = tally.placed;
        assert_int_equal(itsi_sparse_pack(&sparse, &tally, scratch), 0);
        itsi_sparse_unpack(&sparse, &back);
        assert_int_equal(back.placed, tally.placed);
        assert_int_equal(back.moments.count, tally.moments.count);
        assert_memory_equal(back.counts, tally.counts, (size_t)slots * sizeof *back.counts);
        const uint32_t len = sparse.len;
        itsi_sparse_clear(&sparse);
        assert_true(sparse.cap <= 1024 || sparse.cap < 4 * (len + 64));
    }
    itsi_tally_clear(&back);
    itsi_sparse_unpack(&sparse, &back);
    assert_int_equal(back.placed, 0);
    free(scratch);
    itsi_sparse_fini(&sparse);
    itsi_tally_fini(&tally);
    itsi_tally_fini(&back);
}

static void packing_without_memory_keeps_the_moments(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_tally tally, back;
    struct itsi_sparse sparse = {0};
    CHECK_OK(itsi_tally_init(&tally, ITSI_LAYOUT_COARSE, &diag), diag);
    CHECK_OK(itsi_tally_init(&back, ITSI_LAYOUT_COARSE, &diag), diag);
    uint8_t *scratch = malloc(itsi_sparse_scratch(ITSI_LAYOUT_COARSE));
    itsi_tally_place(&tally, 40, 7);
    tally.moments = (struct itsi_moments){.count = 7, .sum = 280000, .min = 40000, .max = 40000};
    itsi_alloc_fail_at(1);
    int rc = itsi_sparse_pack(&sparse, &tally, scratch);
    itsi_alloc_fail_at(0);
    assert_int_equal(rc, ITS_ENOMEM);
    itsi_sparse_unpack(&sparse, &back);
    assert_int_equal(back.moments.count, 7);
    assert_int_equal(back.placed, 0);
    itsi_alloc_fail_at(1);
    rc = itsi_tally_init(&tally, ITSI_LAYOUT_COARSE, &diag);
    itsi_alloc_fail_at(0);
    assert_int_equal(rc, ITS_ENOMEM);
    free(scratch);
    itsi_sparse_fini(&sparse);
    itsi_tally_fini(&tally);
    itsi_tally_fini(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_stands_for_its_values),
        cmocka_unit_test(moments_are_exact),
        cmocka_unit_test(the_deviation_is_within_half_a_slot),
        cmocka_unit_test(quantiles_stay_within_the_extremes),
        cmocka_unit_test(sparse_gives_back_what_it_took),
        cmocka_unit_test(packing_without_memory_keeps_the_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

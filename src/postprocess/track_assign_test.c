#include "support/check.h"

#include "base/rand.h"
#include "postprocess/track_assign.h"

#include <stdbool.h>

static struct itsi_assign assign;
static int16_t column_of[ITSI_ASSIGN_MAX];

static float total(const float *cost, int rows, int columns, float gate, const int16_t *chosen)
{
    float sum = 0;
    bool taken[ITSI_ASSIGN_MAX] = {false};
    for (int r = 0; r < rows; r++) {
        const int c = chosen[r];
        if (c >= 0) {
            assert_in_range(c, 0, columns - 1);
            assert_false(taken[c]);
            taken[c] = true;
            assert_true(cost[r * columns + c] < gate);
        }
        sum += c < 0 ? gate : cost[r * columns + c];
    }
    return sum;
}

/* The cheapest of all assignments, one after another. */
static float cheapest(const float *cost, int rows, int columns, float gate, int row, unsigned taken)
{
    if (row == rows)
        return 0;
    float best = gate + cheapest(cost, rows, columns, gate, row + 1, taken);
    for (int c = 0; c < columns; c++)
        if (!(taken & 1U << c) && cost[row * columns + c] < gate)
            best = fminf(best, cost[row * columns + c] +
                                   cheapest(cost, rows, columns, gate, row + 1, taken | 1U << c));
    return best;
}

static void run(const float *cost, int rows, int columns, float gate)
{
    memcpy(assign.cost, cost, sizeof *cost * (size_t)rows * (size_t)columns);
    itsi_assign_run(&assign, rows, columns, gate, column_of);
}

static void test_beats_the_greedy_choice(void **state)
{
    (void)state;
    /* taking the best pair first (0.1) leaves 0.9 for the other row: 1.0; crosswise it is 0.2 + 0.2 */
    const float cost[] = {0.1F, 0.2F, 0.2F, 0.9F};
    run(cost, 2, 2, 1);
    assert_int_equal(column_of[0], 1);
    assert_int_equal(column_of[1], 0);
}

static void test_gate(void **state)
{
    (void)state;
    const float cost[] = {0.5F, 0.3F, 0.8F, 0.7F};
    run(cost, 2, 2, 0.5F); /* what costs as much as the gate stays apart */
    assert_int_equal(column_of[0], 1);
    assert_int_equal(column_of[1], -1);
    /* both rows want the one column: the better has it, though it comes later */
    const float contest[] = {0.4F, 0.1F};
    run(contest, 2, 1, 0.5F);
    assert_int_equal(column_of[0], -1);
    assert_int_equal(column_of[1], 0);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    itsi_assign_run(&assign, 0, 3, 1, column_of);
    itsi_assign_run(&assign, 2, 0, 1, column_of);
    assert_int_equal(column_of[0], -1);
    assert_int_equal(column_of[1], -1);
}

static void test_is_exact(void **state)
{
    (void)state;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 7);
    for (int round = 0; round < 3000; round++) {
        const int rows = 1 + (int)(itsi_rand_u64(&rng) % 6), columns = 1 + (int)(itsi_rand_u64(&rng) % 6);
        float cost[36];
        for (int i = 0; i < rows * columns; i++) /* of few values, so that there are ties */
            cost[i] = (float)(itsi_rand_u64(&rng) % 9) / 8;
        const float gate = round % 2 ? 0.75F : 2;
        run(cost, rows, columns, gate);
        CHECK_NEAR(total(cost, rows, columns, gate, column_of), cheapest(cost, rows, columns, gate, 0, 0), 1e-5);
    }
}

/* As many as there can be: proved best by its potentials, which may not exceed the cost of any pair and must meet it
 * where a pair was chosen. */
static void test_a_full_house(void **state)
{
    (void)state;
    enum { N = ITSI_ASSIGN_MAX };
    static float cost[N * N];
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 11);
    for (int i = 0; i < N * N; i++)
        cost[i] = (float)(itsi_rand_u64(&rng) >> 40) / (float)(1 << 24);
    run(cost, N, N, 2);
    double dual = 0;
    for (int r = 0; r < N; r++) {
        assert_in_range(column_of[r], 0, N - 1);
        dual += (double)assign.u[r] + (double)assign.v[r];
        for (int c = 0; c < N; c++)
            assert_true(assign.u[r] + assign.v[c] <= cost[r * N + c] + 1e-4F);
    }
    CHECK_NEAR(total(cost, N, N, 2, column_of), dual, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beats_the_greedy_choice), cmocka_unit_test(test_gate),
        cmocka_unit_test(test_nothing_to_do),           cmocka_unit_test(test_is_exact),
        cmocka_unit_test(test_a_full_house),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

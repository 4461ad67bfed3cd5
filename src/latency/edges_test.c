#include "support/check.h"

#include "core/stage.h"
#include "latency/edges.h"

#include <math.h>
#include <stdbool.h>

static void an_edge_belongs_to_the_bucket_below_it(void **state)
{
    (void)state;
    for (int i = 0; i < ITSI_LATENCY_EDGE_COUNT; i++) {
        const int64_t edge = itsi_latency_edges_ns[i];
        assert_int_equal(edge, llround(itsi_latency_edges[i] * 1e9));
        assert_int_equal(itsi_latency_bucket(edge), i);
        assert_int_equal(itsi_latency_bucket(edge + 1), i + 1);
    }
    assert_int_equal(itsi_latency_bucket(0), 0);
    assert_int_equal(itsi_latency_bucket(INT64_MIN), 0);
    assert_int_equal(itsi_latency_bucket(INT64_MAX - 1), ITSI_LATENCY_EDGE_COUNT);
    assert_int_equal(itsi_latency_bucket(INT64_MAX), ITSI_LATENCY_EDGE_COUNT);
}

static bool is_edge(double seconds)
{
    for (int i = 0; i < ITSI_LATENCY_EDGE_COUNT; i++)
        if (itsi_latency_edges_ns[i] == llround(seconds * 1e9))
            return true;
    return false;
}

static void every_budget_and_target_is_an_edge(void **state)
{
    (void)state;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        for (int factor = 1; factor <= 2; factor++) /* an alert is critical over twice the limit */
            assert_true(is_edge(factor * itsi_stage_budget_ms((enum itsi_stage)s) / 1e3));
    static const double promised[] = {0.050, 0.080, 0.090, 0.095, 0.100, 0.160, 0.190};
    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++)
        assert_true(is_edge(promised[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_belongs_to_the_bucket_below_it),
        cmocka_unit_test(every_budget_and_target_is_an_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

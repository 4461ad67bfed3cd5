#include "support/check.h"

#include "core/ledger.h"

static void every_outcome_balances(void **state)
{
    (void)state;
    struct itsi_ledger ledger;
    itsi_ledger_init(&ledger);
    for (int i = 0; i < 10; i++)
        itsi_ledger_arrive(&ledger);
    itsi_ledger_missing(&ledger, 5);
    itsi_ledger_admit(&ledger);
    itsi_ledger_admit(&ledger);
    itsi_ledger_deliver(&ledger, 0);
    itsi_ledger_deliver(&ledger, 1);
    itsi_ledger_skip(&ledger);
    itsi_ledger_drop(&ledger, ITSI_STAGE_PREPROCESSING, ITSI_DROP_REPLACED);
    itsi_ledger_corrupt(&ledger);
    struct itsi_ledger_counts counts;
    itsi_ledger_snapshot(&ledger, &counts);
    assert_int_equal(counts.expected, 15);
    assert_int_equal(counts.in_flight, 5);
    assert_int_equal(itsi_ledger_dropped(&counts), 1);
    assert_int_equal(itsi_ledger_balance(&counts), 0);
    CHECK_NEAR(itsi_ledger_on_time_ratio(&counts), 1.0 / 9.0, 1e-12);
    CHECK_NEAR(itsi_ledger_on_time_admitted_ratio(&counts), 0.5, 1e-12);
    itsi_ledger_fini(&ledger);
}

static void books_that_do_not_balance_show(void **state)
{
    (void)state;
    struct itsi_ledger_counts counts = {.expected = 3, .delivered = 1, .missing = 1};
    assert_int_equal(itsi_ledger_balance(&counts), 1);
}

static void stages_and_the_rest_sum_to_the_whole(void **state)
{
    (void)state;
    struct itsi_trace trace = {100, 107, 120, 150, 151, 180, 230, 231, 239, 242};
    struct itsi_breakdown b;
    itsi_trace_breakdown(&trace, &b);
    int64_t sum = b.unattributed;
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        sum += b.wait[s] + b.service[s];
    assert_int_equal(sum, b.end_to_end);
    assert_int_equal(b.end_to_end, 142);
    assert_int_equal(b.wait[ITSI_STAGE_ML_INFERENCE], 29);
    assert_string_equal(itsi_stage_name(ITSI_STAGE_NETWORK_TRANSMISSION), "network_transmission");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_balances),
        cmocka_unit_test(books_that_do_not_balance_show),
        cmocka_unit_test(stages_and_the_rest_sum_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

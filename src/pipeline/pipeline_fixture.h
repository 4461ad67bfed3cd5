/* What the tests of the pipeline share: a configuration, an engine that takes no time unless told to, and the check of
 * every result and of the books. They wait for results and never for a time, so that a busy machine only makes them
 * slower. */
#ifndef ITSI_PIPELINE_FIXTURE_H
#define ITSI_PIPELINE_FIXTURE_H

#include "support/pipeline_run.h"

#include "base/clock.h"
#include "base/mem.h"

#define MS ITSI_NS_PER_MS
#define PATIENCE_NS (20 * ITSI_NS_PER_S) /* what has not come by then never comes */

static struct its_cfg cfg;
static struct itsi_pipeline_params params;

static inline int setup(void **state)
{
    (void)state;
    struct its_diag diag;
    memset(&cfg, 0, sizeof cfg);
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    cfg.inference.parallel = 1;
    cfg.gpu.batch_size_range[1] = 1;
    cfg.adaptive_quality.enable_adaptive_quality = false; /* what is tried is the machinery: its load stays as it is */
    params = (struct itsi_pipeline_params){.cfg = &cfg, .backend = &itsi_backend_null};
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    its_cfg_fini(&cfg);
    return 0;
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Waiting and service of every stage and what belongs to none are the whole, to the nanosecond. */
static inline void check_sum(const struct itsi_breakdown *b)
{
    int64_t sum = b->unattributed;
    for (int stage = 0; stage < ITSI_STAGE_COUNT; stage++) {
        assert_true(b->wait[stage] >= 0);
        assert_true(b->service[stage] >= 0);
        sum += b->wait[stage] + b->service[stage];
    }
    assert_int_equal(sum, b->end_to_end);
}

/* Waits for so many results; checks what must hold for each. How many by camera: into by[]. */
static inline void collect(struct itsi_pipeline *p, int results, int by[], int cameras)
{
    struct its_diag diag;
    struct itsi_subscription *s;
    CHECK_OK(itsi_pipeline_subscribe(p, NULL, 1000, NULL, NULL, &s, &diag), diag);
    for (int n = 0; n < results; n++) {
        struct itsi_result *r = itsi_subscription_next(s, itsi_now_ns() + PATIENCE_NS);
        assert_non_null(r);
        check_sum(&r->breakdown);
        assert_int_equal(r->late, r->info.trace.handover > r->info.deadline);
        if (by && (int)r->info.camera < cameras)
            by[r->info.camera]++;
        itsi_result_unref(&r);
    }
    assert_int_equal(itsi_subscription_lost(s), 0);
    itsi_subscription_close(s);
}

/* Stops and checks the books of everything that ever ran. */
static inline struct itsi_ledger_counts close_pipeline(struct itsi_pipeline *p)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    itsi_pipeline_stop(p, itsi_now_ns() + 2000 * MS);
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    assert_int_equal(stats.ledger.in_flight, 0);
    assert_int_equal(stats.cameras, 0);
    itsi_pipeline_destroy(p);
    return stats.ledger;
}

#endif

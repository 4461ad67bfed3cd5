/* Metrics and documents without memory: incomplete and known to be, never partial and taken for the whole. */
#include "support/pipeline_run.h"

#include "base/mem.h"
#include "optimizer/documents.h"
#include "optimizer/pools.h"
#include "serve/metrics.h"

static struct itsi_pipeline *pipeline;
static struct itsi_pools *pools;

static void put_cameras(struct itsi_buf *out)
{
    struct itsi_exposition e;
    itsi_exposition_init(&e, ITSI_EXPOSITION_TEXT, out);
    itsi_put_camera_metrics(&e, pipeline);
}

static void put_monitor(struct itsi_buf *out)
{
    struct itsi_exposition e;
    struct itsi_pipeline_stats stats = {0};
    itsi_exposition_init(&e, ITSI_EXPOSITION_TEXT, out);
    itsi_put_monitor_metrics(&e, pipeline, &stats);
}

static void put_pools(struct itsi_buf *out)
{
    struct itsi_exposition e;
    itsi_exposition_init(&e, ITSI_EXPOSITION_TEXT, out);
    itsi_put_pools_metrics(&e, pools);
}

static void put_pools_document(struct itsi_buf *out)
{
    struct itsi_json json;
    itsi_json_init(&json, out);
    itsi_document_pools(&json, NULL, pools);
}

static void put_alerting(struct itsi_buf *out)
{
    struct itsi_json json;
    itsi_json_init(&json, out);
    itsi_document_alerting(&json, NULL, pipeline, 16);
}

/* Every allocation is needed: each one that fails shows. */
static void check_each_allocation(void (*put)(struct itsi_buf *out))
{
    struct itsi_buf out;
    itsi_buf_init(&out);
    const uint64_t before = itsi_alloc_count();
    put(&out);
    const int64_t allocations = (int64_t)(itsi_alloc_count() - before);
    assert_false(out.failed);
    itsi_buf_fini(&out);
    assert_true(allocations >= 2); /* the text's, and those of what it is made of */
    for (int64_t n = 1; n <= allocations; n++) {
        itsi_buf_init(&out);
        itsi_alloc_fail_at(n);
        put(&out);
        itsi_alloc_fail_at(0);
        assert_true(out.failed);
        itsi_buf_fini(&out);
    }
}

static void without_memory_nothing_partial_is_told(void **state)
{
    (void)state;
    struct its_cfg cfg;
    struct its_diag diag;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    cfg.monitor.flight_recorder_seconds = 0;
    const struct itsi_pipeline_params params = {
        .cfg = &cfg, .backend = &itsi_backend_null, .tick_ns = ITSI_NEVER, .measuring = true};
    CHECK_OK(itsi_pipeline_create(&pipeline, &params, &diag), diag);
    add_camera(pipeline, "gate", "null://?fps=5");
    check_each_allocation(put_cameras);
    check_each_allocation(put_monitor);
    check_each_allocation(put_alerting);
    itsi_pipeline_destroy(pipeline);
    its_cfg_fini(&cfg);
}

/* Their servers are not there, and they are idle: nothing else allocates meanwhile. */
static void without_memory_no_pool_is_left_out(void **state)
{
    (void)state;
    struct its_cfg cfg;
    struct its_diag diag;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    cfg.store.store_enabled = false;
    cfg.connection_pool.ffmpeg_pool_size = cfg.connection_pool.ffmpeg_max_concurrent = 1;
    CHECK_OK(itsi_pools_create(&pools, &cfg, &diag), diag);
    struct itsi_ffmpeg_pool_stats *stats = itsi_zalloc(sizeof *stats);
    do
        CHECK_OK(itsi_ffmpeg_pool_stats(itsi_pools_ffmpeg(pools), stats, &diag), diag);
    while (stats->leases.idle == 0 && !stats->leases.is_down);
    itsi_free(stats);
    check_each_allocation(put_pools);
    check_each_allocation(put_pools_document);
    itsi_pools_destroy(pools, 0);
    its_cfg_fini(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_memory_nothing_partial_is_told),
                                       cmocka_unit_test(without_memory_no_pool_is_left_out)};
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}

/* What the tests of a pipeline that adapts share: a configuration that reacts within seconds, and what they ask of it. */
#ifndef ITSI_PIPELINE_QUALITY_FIXTURE_H
#define ITSI_PIPELINE_QUALITY_FIXTURE_H

#include "pipeline/pipeline_fixture.h"

/* The machine has nothing else to do, whatever else runs on it. */
static inline void quiet(struct itsi_system_load *out)
{
    *out = (struct itsi_system_load){.cpu_percent = 10, .memory_percent = 10, .cores = 4};
}

static inline int setup_adapting(void **state)
{
    setup(state);
    cfg.adaptive_quality.enable_adaptive_quality = true;
    cfg.adaptive_quality.quality_adjustment_interval_seconds = 1;
    cfg.quality.recovery_stability_seconds = 1;
    params.machine = quiet;
    params.null_base_ns = 20 * MS; /* 50 pictures a second; eight cameras ask for 200 */
    return 0;
}
#define ADAPTING(name) cmocka_unit_test_setup_teardown(name, setup_adapting, teardown)

/* Sleeps until the condition holds. */
#define AWAIT(condition)                                                                                               \
    do {                                                                                                               \
        const int64_t until_ = itsi_now_ns() + PATIENCE_NS;                                                            \
        while (!(condition) && itsi_now_ns() < until_)                                                                 \
            itsi_sleep_until_ns(itsi_now_ns() + 50 * MS);                                                              \
        assert_true(condition);                                                                                        \
    } while (0)

static inline struct itsi_camera_status status_of(struct itsi_pipeline *p, const char *id)
{
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, id, &status), 0);
    return status;
}

static inline int level_of(struct itsi_pipeline *p, const char *id) { return status_of(p, id).quality_level; }

#endif

/* What the tests of a pipeline that adapts share: a configuration that reacts within seconds, and what they ask of it. */
#ifndef ITSI_PIPELINE_QUALITY_FIXTURE_H
#define ITSI_PIPELINE_QUALITY_FIXTURE_H

#include "pipeline/pipeline_fixture.h"

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

static inline int level_of(struct itsi_pipeline *p, const char *id) { return status_of(p, id).quality_level; }

#endif

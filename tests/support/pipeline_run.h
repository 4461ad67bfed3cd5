/* A pipeline that runs and its cameras, for the tests of all that needs one. */
#ifndef ITS_TESTS_PIPELINE_RUN_H
#define ITS_TESTS_PIPELINE_RUN_H

#include "support/check.h"

#include "pipeline/pipeline.h"

static inline struct itsi_pipeline *open_pipeline(const struct itsi_pipeline_params *params)
{
    struct its_diag diag;
    struct itsi_pipeline *p;
    CHECK_OK(itsi_pipeline_create(&p, params, &diag), diag);
    CHECK_OK(itsi_pipeline_start(p, &diag), diag);
    return p;
}

/* id: empty for the next free name. */
static inline void add_camera(struct itsi_pipeline *p, const char *id, const char *url)
{
    struct its_diag diag;
    struct itsi_camera camera = {0};
    snprintf(camera.id, sizeof camera.id, "%s", id);
    snprintf(camera.url, sizeof camera.url, "%s", url);
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
}

#endif

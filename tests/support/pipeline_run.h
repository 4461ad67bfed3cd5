/* A pipeline that runs and its cameras, for the tests of all that needs one. */
#ifndef ITS_TESTS_PIPELINE_RUN_H
#define ITS_TESTS_PIPELINE_RUN_H

#include "support/check.h"

#include "base/clock.h"
#include "pipeline/pipeline.h"

#include <stdbool.h>

static inline struct itsi_pipeline *open_pipeline(const struct itsi_pipeline_params *params)
{
    struct its_diag diag;
    struct itsi_pipeline *p;
    CHECK_OK(itsi_pipeline_create(&p, params, &diag), diag);
    CHECK_OK(itsi_pipeline_start(p, &diag), diag);
    return p;
}

/* id: empty for the next free name. It is let in, whether there is room or not. */
static inline void add_camera(struct itsi_pipeline *p, const char *id, const char *url)
{
    struct its_diag diag;
    struct itsi_camera camera = {.configured = true};
    snprintf(camera.id, sizeof camera.id, "%s", id);
    snprintf(camera.url, sizeof camera.url, "%s", url);
    CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
}

static inline struct itsi_camera_status status_of(struct itsi_pipeline *p, const char *id)
{
    struct itsi_camera_status status;
    assert_int_equal(itsi_pipeline_camera(p, id, &status), 0);
    return status;
}

/* The machine has nothing else to do, whatever else runs on it. */
static inline void quiet(struct itsi_system_load *out)
{
    *out = (struct itsi_system_load){.cpu_percent = 10, .memory_percent = 10, .cores = 4};
}

/* Sleeps until the condition holds; PATIENCE_NS is the test's: what does not hold by then never does. It is asked once a
 * turn: what held may be over in the next moment. */
#define AWAIT(condition)                                                                                               \
    do {                                                                                                               \
        const int64_t until_ = itsi_now_ns() + PATIENCE_NS;                                                            \
        bool held_;                                                                                                    \
        while (!(held_ = (condition)) && itsi_now_ns() < until_)                                                       \
            itsi_sleep_until_ns(itsi_now_ns() + 50 * ITSI_NS_PER_MS);                                                  \
        if (!held_)                                                                                                    \
            fail_msg("not within %d s: %s", (int)(PATIENCE_NS / ITSI_NS_PER_S), #condition);                           \
    } while (0)

#endif

/* Regression detection as the pipeline drives it: frames and ticks of a clock of our own, no thread. */
#include "pipeline/pipeline_impl.h"
#include "support/check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

#include <unistd.h>

enum { FPS = 20 };

static char folder[64];
static struct its_cfg cfg;
static struct itsi_rand rng;
static int64_t now;
static uint64_t expected;

static int setup(void **state)
{
    (void)state;
    struct its_diag diag;
    strcpy(folder, "/tmp/its-regressing-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(folder);
    itsi_rand_seed(&rng, 5);
    now = 1000 * ITSI_NS_PER_S;
    expected = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof path, "%s/baselines.json", folder);
    (void)unlink(path);
    its_cfg_fini(&cfg);
    return rmdir(folder);
}

static struct itsi_pipeline *open_pipeline(bool measuring)
{
    struct its_diag diag;
    struct itsi_pipeline *p;
    const struct itsi_pipeline_params params = {.cfg = &cfg, .backend = &itsi_backend_null, .measuring = measuring};
    CHECK_OK(itsi_pipeline_create(&p, &params, &diag), diag);
    return p;
}

static int64_t about(double us) { return (int64_t)(us * 1e3 * (1 + 0.05 * itsi_rand_normal(&rng))); }

/* So many seconds of `fps` frames, whose inference takes `factor` times as long as it should. */
static void run(struct itsi_pipeline *p, int seconds, int fps, double factor)
{
    for (int s = 0; s < seconds; s++) {
        expected += (uint64_t)fps;
        for (int i = 0; i < fps; i++) {
            struct itsi_breakdown frame = {0};
            frame.service[ITSI_STAGE_CAMERA_CAPTURE] = about(4000);
            frame.service[ITSI_STAGE_PREPROCESSING] = about(300);
            frame.service[ITSI_STAGE_ML_INFERENCE] = about(18000 * factor);
            itsi_pipeline_regress_frame(p, &frame, now + i * ITSI_NS_PER_S / fps);
        }
        now += ITSI_NS_PER_S;
        itsi_pipeline_tick_regressing(p, expected, now);
    }
}

static void a_regression_ends_with_the_last_camera(void **state)
{
    (void)state;
    struct itsi_alert_regression found[ITSI_STAGE_COUNT + 1];
    struct itsi_pipeline *p = open_pipeline(false);
    run(p, 300, FPS, 1);
    assert_int_equal(itsi_pipeline_regressions(p, found, ITSI_STAGE_COUNT + 1), 0);
    run(p, 60, FPS, 1.5);
    assert_int_equal(itsi_pipeline_regressions(p, found, ITSI_STAGE_COUNT + 1), 1);
    assert_int_equal(found[0].stage, ITSI_STAGE_ML_INFERENCE);
    CHECK_NEAR(found[0].percent, 50, 5);
    run(p, 30, 0, 1);
    assert_int_equal(itsi_pipeline_regressions(p, found, ITSI_STAGE_COUNT + 1), 0);
    /* they come back as slow as they went, and the load, which grew from nothing, finds back into its band */
    run(p, 120, FPS, 1.5);
    assert_int_equal(itsi_pipeline_regressions(p, found, ITSI_STAGE_COUNT + 1), 1);
    itsi_pipeline_destroy(p);
}

/* The next process knows what this one learned. */
static void a_baseline_outlives_the_process(void **state)
{
    (void)state;
    struct itsi_alert_regression found[ITSI_STAGE_COUNT + 1];
    struct itsi_pipeline *p = open_pipeline(false);
    run(p, 300, FPS, 1);
    itsi_pipeline_destroy(p);
    p = open_pipeline(false);
    run(p, 60, FPS, 1.5);
    assert_int_equal(itsi_pipeline_regressions(p, found, ITSI_STAGE_COUNT + 1), 1);
    assert_int_equal(found[0].stage, ITSI_STAGE_ML_INFERENCE);
    itsi_pipeline_destroy(p);
}

static void what_is_learned_is_kept_every_interval(void **state)
{
    (void)state;
    char path[96];
    struct its_diag diag;
    snprintf(path, sizeof path, "%s/baselines.json", folder);
    cfg.general.monitoring_interval_seconds = 1000;
    struct itsi_pipeline *p = open_pipeline(false);
    run(p, 60, FPS, 1);
    unlink(path); /* of the first tick */
    run(p, 300, FPS, 1);
    assert_int_equal(access(path, F_OK), -1);
    cfg.general.monitoring_interval_seconds = 30;
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    run(p, 31, FPS, 1);
    assert_int_equal(access(path, F_OK), 0);
    itsi_pipeline_destroy(p);
}

/* The commit too: a regression that a commit brought is held against what was before it. */
static void a_baseline_belongs_to_its_build(void **state)
{
    (void)state;
    struct itsi_baseline_key key;
    struct itsi_pipeline *p = open_pipeline(true);
    itsi_pipeline_setup_key(p, &key);
    assert_string_equal(key.build, ITS_BUILD);
    assert_int_equal(strncmp(key.build, ITS_VERSION, strlen(ITS_VERSION)), 0);
    assert_null(strchr(key.build, '/'));
    itsi_pipeline_destroy(p);
}

/* A benchmark on rendered roads must not teach the daemon what decoding its cameras takes. */
static void a_measurement_leaves_no_baseline(void **state)
{
    (void)state;
    char path[96];
    struct itsi_pipeline *p = open_pipeline(true);
    run(p, 700, FPS, 1);
    itsi_pipeline_destroy(p);
    snprintf(path, sizeof path, "%s/baselines.json", folder);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_regression_ends_with_the_last_camera, setup, teardown),
        cmocka_unit_test_setup_teardown(a_baseline_outlives_the_process, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_learned_is_kept_every_interval, setup, teardown),
        cmocka_unit_test_setup_teardown(a_measurement_leaves_no_baseline, setup, teardown),
        cmocka_unit_test_setup_teardown(a_baseline_belongs_to_its_build, setup, teardown),
    };
    return cmocka_run_group_tests_name("regressing", tests, NULL, NULL);
}

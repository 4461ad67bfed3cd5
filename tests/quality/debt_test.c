/* Quality debt from end to end: a camera held at the lowest level misses what full analysis finds, one at full quality owes
 * nothing, and a machine that is full analyses nothing again. */
#include "support/pipeline_run.h"

#include "base/clock.h"
#include "base/mem.h"
#include "infer/model.h"
#include "infer/shipped.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MS ITSI_NS_PER_MS
#define PATIENCE_NS (90 * ITSI_NS_PER_S)
/* Rendered once, then decoded like any file; objects are small enough for half the input size to lose some. */
#define ROAD "synth://crossroads?size=640x360&fps=10&seed=7&seconds=20"

static struct its_cfg cfg;
static struct itsi_pipeline_params params;
static char folder[] = "/tmp/its-debt-XXXXXX";

/* The machine has all to do that it can, whatever runs on it. */
static void full(struct itsi_system_load *out)
{
    *out = (struct itsi_system_load){.cpu_percent = 99, .memory_percent = 10, .cores = 4};
}

static int setup(void **state)
{
    (void)state;
    struct its_diag diag;
    memset(&cfg, 0, sizeof cfg);
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    itsi_free(cfg.general.data_dir);
    cfg.general.data_dir = itsi_strdup(folder);
    cfg.inference.parallel = 1;
    cfg.quality.debt_share = 1; /* whatever there is room for */
    cfg.monitor.flight_recorder_seconds = 0;
    cfg.latency_monitoring.enable_sla_alerts = false;
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 3000; /* sanitizers are slow */
    cfg.adaptive_quality.latency_threshold_ms = 2700;
    params = (struct itsi_pipeline_params){.cfg = &cfg, .machine = quiet};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    its_cfg_fini(&cfg);
    return 0;
}

static void add_pinned(struct itsi_pipeline *p, const char *id, int level)
{
    struct its_diag diag;
    add_camera(p, id, ROAD);
    CHECK_OK(itsi_pipeline_pin_quality(p, id, level, &diag), diag);
}

static struct itsi_debt_overview debt_of(struct itsi_pipeline *p)
{
    struct itsi_debt_overview debt;
    itsi_pipeline_debt(p, &debt);
    return debt;
}

/* Nothing that was analysed again is in the books: results and frames that were due are one to one. */
static void close_pipeline(struct itsi_pipeline *p)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stop(p, itsi_now_ns() + 5000 * MS);
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    assert_int_equal(stats.ledger.in_flight, 0);
    assert_int_equal(stats.results, stats.ledger.delivered + stats.ledger.late);
    assert_int_equal(stats.latency.end_to_end.count, stats.results);
    assert_int_equal(debt_of(p).waiting, 0);
    itsi_pipeline_destroy(p);
}

static void expect_none(const struct itsi_camera_status *status)
{
    for (int level = 0; level < ITSI_DEBT_LEVELS; level++) {
        assert_true(status->debt[level].pictures == 0);
        assert_true(isnan(status->debt[level].missed_share.value));
    }
}

#ifdef ITS_HAVE_OPENVINO
static bool is_known(struct itsi_pipeline *p, const char *id, int level)
{
    const struct itsi_debt_estimate e = status_of(p, id).debt[level];
    return e.pictures >= 60 && e.missed_per_hour.value >= 0;
}

static void the_lowest_level_misses_and_the_full_one_does_not(void **state)
{
    (void)state;
    struct itsi_model model;
    struct its_diag diag = {"not installed beside this program"};
    char path[4096];
    assert_true(itsi_shipped_model(path, sizeof path));
    CHECK_OK(itsi_model_open(&model, path, &diag), diag);
    params.model = &model;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_pinned(p, "least", ITSI_QUALITY_ULTRA_LOW);
    add_pinned(p, "most", ITSI_QUALITY_HIGH);
    AWAIT(is_known(p, "least", ITSI_QUALITY_ULTRA_LOW));
    const struct itsi_camera_status least = status_of(p, "least"), most = status_of(p, "most");
    const struct itsi_debt_estimate e = least.debt[ITSI_QUALITY_ULTRA_LOW];
    print_message("%.0f pictures, %.0f sightings: misses %.3f (%.3f to %.3f), %.0f objects/h (%.0f to %.0f), extra %.3f\n",
                  e.pictures, e.sightings, e.missed_share.value, e.missed_share.low, e.missed_share.high,
                  e.missed_per_hour.value, e.missed_per_hour.low, e.missed_per_hour.high, e.extra_share);
    assert_true(e.missed_share.low > 0.01 && e.missed_share.value < 0.9);
    assert_true(e.missed_share.low < e.missed_share.value && e.missed_share.value < e.missed_share.high);
    assert_true(e.missed_per_hour.low > 0);
    expect_none(&most);
    const struct itsi_debt_overview debt = debt_of(p);
    assert_true(debt.runs > 0 && debt.engine_seconds > 0);
    assert_int_equal(debt.failed, 0);
    assert_true(debt.levels[ITSI_QUALITY_ULTRA_LOW].counts.missed > 0);
    print_message("%d runs, %.2f s of the engine, %d shed\n", (int)debt.runs, debt.engine_seconds, (int)debt.shed);
    close_pipeline(p);
    itsi_model_fini(&model);
}
#endif

/* The full size at a longer interval (there is no smaller one): pictures that were detected on are known to be complete and
 * cost nothing, those that tracks stood in for are analysed. */
static void without_smaller_sizes_only_tracked_pictures_are_analysed(void **state)
{
    (void)state;
    params.backend = &itsi_backend_null;
    cfg.adaptive_quality.enable_adaptive_quality = false;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_pinned(p, "least", ITSI_QUALITY_ULTRA_LOW);
    AWAIT(debt_of(p).levels[ITSI_QUALITY_ULTRA_LOW].counts.pictures >= 40);
    const struct itsi_debt_overview debt = debt_of(p);
    assert_true(debt.runs < debt.levels[ITSI_QUALITY_ULTRA_LOW].counts.pictures);
    close_pipeline(p);
}

static void a_full_machine_analyses_nothing_again(void **state)
{
    (void)state;
    params.backend = &itsi_backend_null;
    params.machine = full;
    struct itsi_pipeline *p = open_pipeline(&params);
    add_pinned(p, "least", ITSI_QUALITY_ULTRA_LOW);
    AWAIT(debt_of(p).shed >= 30);
    assert_int_equal(debt_of(p).runs, 0);
    assert_int_equal(debt_of(p).room_ns, 0);
    close_pipeline(p);
}

/* The machine has nothing to do, but its engine is never without a live frame. */
static void an_engine_that_is_never_idle_analyses_nothing_again(void **state)
{
    (void)state;
    params.backend = &itsi_backend_null;
    params.null_base_ns = 600 * MS; /* a quarter of that at the lowest level's size: 7 a second of 20 asked for */
    struct itsi_pipeline *p = open_pipeline(&params);
    struct its_diag diag;
    for (int i = 1; i <= 4; i++) {
        char id[32];
        snprintf(id, sizeof id, "camera%d", i);
        add_pinned(p, id, ITSI_QUALITY_ULTRA_LOW);
    }
    AWAIT(debt_of(p).shed >= 20);
    const uint64_t runs = debt_of(p).runs, shed = debt_of(p).shed;
    AWAIT(debt_of(p).shed >= shed + 40);
    /* on a machine that others keep busy its cameras may falter, and leave a moment now and then */
    assert_in_range(debt_of(p).runs, runs, runs + 10);
    for (int i = 2; i <= 4; i++) { /* and when the others are gone there is one */
        char id[32];
        snprintf(id, sizeof id, "camera%d", i);
        CHECK_OK(itsi_pipeline_remove_camera(p, id, &diag), diag);
    }
    AWAIT(debt_of(p).runs >= runs + 5);
    close_pipeline(p);
}

/* --- an engine that refuses pictures of the full size ------------------------------------------------------------- */

static atomic_bool refuses;
static int asked_size; /* batcher's thread */

static int note_size(struct itsi_engine *engine, int slot, int size)
{
    asked_size = size;
    return itsi_backend_null.resize(engine, slot, size);
}

static int submit_unless_full_size(struct itsi_engine *engine, int slot, int images)
{
    if (asked_size == 0 && atomic_load(&refuses))
        return ITS_EIO;
    return itsi_backend_null.submit(engine, slot, images);
}

/* A run that the engine did not take was none: it is not counted as one, and the next begins as if it had not been. */
static void a_run_that_cannot_be_launched_has_failed(void **state)
{
    (void)state;
    struct itsi_backend refusing = itsi_backend_null;
    refusing.resize = note_size;
    refusing.submit = submit_unless_full_size;
    params.backend = &refusing;
    params.null_base_ns = MS;
    atomic_store(&refuses, false);
    struct itsi_pipeline *p = open_pipeline(&params);
    add_pinned(p, "least", ITSI_QUALITY_ULTRA_LOW);
    AWAIT(status_of(p, "least").quality_level == ITSI_QUALITY_ULTRA_LOW && debt_of(p).runs > 0);
    atomic_store(&refuses, true);
    AWAIT(debt_of(p).failed >= 1); /* what was under way has ended before it */
    const struct itsi_debt_overview before = debt_of(p);
    AWAIT(debt_of(p).failed >= before.failed + 5);
    assert_int_equal(debt_of(p).runs, before.runs);
    atomic_store(&refuses, false);
    AWAIT(debt_of(p).runs >= before.runs + 5);
    close_pipeline(p);
}

/* What is kept of a camera goes with it; what is in the engine ends. */
static void cameras_come_and_go_meanwhile(void **state)
{
    (void)state;
    struct its_diag diag;
    params.backend = &itsi_backend_null;
    params.null_base_ns = 60 * MS;
    struct itsi_pipeline *p = open_pipeline(&params);
    for (int round = 0; round < 6; round++) {
        const uint64_t runs = debt_of(p).runs;
        add_pinned(p, "guest", ITSI_QUALITY_ULTRA_LOW);
        AWAIT(debt_of(p).runs >= runs + 3);
        CHECK_OK(itsi_pipeline_remove_camera(p, "guest", &diag), diag);
        AWAIT(debt_of(p).waiting == 0);
    }
    close_pipeline(p);
}

static void none_with_a_share_of_zero(void **state)
{
    (void)state;
    struct its_diag diag;
    params.backend = &itsi_backend_null;
    struct itsi_pipeline *p = open_pipeline(&params);
    cfg.quality.debt_share = 0;
    CHECK_OK(itsi_pipeline_configure(p, &cfg, &diag), diag);
    add_pinned(p, "least", ITSI_QUALITY_ULTRA_LOW);
    AWAIT(status_of(p, "least").quality_level == ITSI_QUALITY_ULTRA_LOW);
    const uint64_t results = status_of(p, "least").ledger.delivered;
    AWAIT(status_of(p, "least").ledger.delivered >= results + 20);
    const struct itsi_debt_overview debt = debt_of(p);
    assert_true(debt.share == 0 && debt.runs == 0 && debt.shed == 0 && debt.waiting == 0);
    const struct itsi_camera_status status = status_of(p, "least");
    expect_none(&status);
    close_pipeline(p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
#ifdef ITS_HAVE_OPENVINO
        TEST(the_lowest_level_misses_and_the_full_one_does_not),
#endif
        TEST(without_smaller_sizes_only_tracked_pictures_are_analysed),
        TEST(a_full_machine_analyses_nothing_again),
        TEST(an_engine_that_is_never_idle_analyses_nothing_again),
        TEST(a_run_that_cannot_be_launched_has_failed),
        TEST(cameras_come_and_go_meanwhile),
        TEST(none_with_a_share_of_zero),
    };
    if (!mkdtemp(folder))
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 ? 1 : rc;
}

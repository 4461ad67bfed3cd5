/* What becomes of frames when the engine cannot take them. */
#include "support/check.h"

#include "base/clock.h"
#include "pipeline/pipeline.h"

#include <stdatomic.h>
#include <stdbool.h>

#define MS ITSI_NS_PER_MS
enum { CAMERAS = 5 };
/* Where a thread was woken later than that once, another may have slept through a third of a second. */
#define LITTLE_UNREST_MS 100.0

static struct its_cfg cfg;

static int setup(void **state)
{
    (void)state;
    struct its_diag diag;
    memset(&cfg, 0, sizeof cfg);
    CHECK_OK(its_cfg_init(&cfg, &diag), diag);
    cfg.inference.parallel = 2;
    cfg.adaptive_quality.enable_adaptive_quality = false;
    cfg.monitor.flight_recorder_seconds = 0;
    cfg.latency_monitoring.enable_sla_alerts = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    its_cfg_fini(&cfg);
    return 0;
}

/* The cameras fire so long after each other. */
static struct itsi_pipeline *open_apart(const struct itsi_backend *backend, int64_t run_ns, const char *url, int64_t apart_ns)
{
    struct its_diag diag;
    struct itsi_pipeline *p;
    const struct itsi_pipeline_params params = {.cfg = &cfg, .backend = backend, .null_base_ns = run_ns};
    CHECK_OK(itsi_pipeline_create(&p, &params, &diag), diag);
    CHECK_OK(itsi_pipeline_start(p, &diag), diag);
    for (int i = 0; i < CAMERAS; i++) {
        struct itsi_camera camera = {0};
        snprintf(camera.url, sizeof camera.url, "%s", url);
        CHECK_OK(itsi_pipeline_add_camera(p, &camera, &diag), diag);
        itsi_sleep_until_ns(itsi_now_ns() + apart_ns);
    }
    return p;
}

static struct itsi_pipeline *open_pipeline(const struct itsi_backend *backend, int64_t run_ns, const char *url)
{
    return open_apart(backend, run_ns, url, 17 * MS);
}

static struct itsi_ledger_counts close_pipeline(struct itsi_pipeline *p)
{
    struct itsi_pipeline_stats stats;
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    itsi_pipeline_stop(p, itsi_now_ns() + 3000 * MS);
    itsi_pipeline_stats(p, &stats);
    assert_int_equal(itsi_ledger_balance(&stats.ledger), 0);
    assert_int_equal(stats.ledger.in_flight, 0);
    itsi_pipeline_destroy(p);
    return stats.ledger;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Ages at which frames were dropped because their time had run out; sorted, returns how many. */
static size_t expired_ages(struct itsi_pipeline *p, double ages[ITSI_VIOLATIONS_KEPT])
{
    static struct itsi_violation list[ITSI_VIOLATIONS_KEPT];
    size_t count = itsi_pipeline_violations(p, list, ITSI_VIOLATIONS_KEPT), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].dropped && list[i].reason == ITSI_DROP_EXPIRED)
            ages[kept++] = list[i].end_to_end_ms;
    qsort(ages, kept, sizeof *ages, by_size);
    return kept;
}

/* Lets so much time pass; how late, at worst, a thread of this machine was woken meanwhile, in ms. What others take of the
 * processors no test can know beforehand. */
static double pass(int64_t ns)
{
    int64_t worst = 0;
    for (const int64_t until = itsi_now_ns() + ns; itsi_now_ns() < until;) {
        const int64_t due = itsi_now_ns() + 2 * MS;
        itsi_sleep_until_ns(due);
        const int64_t late = itsi_now_ns() - due;
        worst = late > worst ? late : worst;
    }
    return (double)worst / 1e6;
}

/* Two seconds a run, whatever is promised: that is hopeless while it is fresh knowledge, and worth two fifths of a frame's
 * time when nothing has confirmed it for a second. Every frame that waits is let go then, though nothing leaves the engine
 * meanwhile. */
static void frames_expire_on_time_while_the_engine_is_busy(void **state)
{
    (void)state;
    double ages[ITSI_VIOLATIONS_KEPT];
    const int64_t start = itsi_now_ns();
    struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 2000 * MS, "null://?fps=8");
    const double unrest = pass(1600 * MS); /* no run has ended yet */
    size_t n = expired_ages(p, ages);
    const double seconds = (double)(itsi_now_ns() - start) / ITSI_NS_PER_S;
    /* 8 a second from each of five, but for those in the engine and the youngest */
    assert_in_range(n, 20, (int)(CAMERAS * (8 * seconds + 1)));
    assert_true(ages[0] >= 10.0);
    assert_true(ages[n / 4] < 20.0 + unrest);
    assert_true(ages[n * 9 / 10] < 60.0 + unrest);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED] >= n);
}

/* The same where all frames of a round come before the first of them expires: the batcher's thread wakes for each that is left,
 * though no camera gives another for half a second, by which time it would be replaced. */
static void frames_that_wait_together_expire_each_on_its_time(void **state)
{
    (void)state;
    double ages[ITSI_VIOLATIONS_KEPT];
    const int64_t start = itsi_now_ns();
    struct itsi_pipeline *p = open_apart(&itsi_backend_null, 2000 * MS, "null://?fps=2", MS);
    const double unrest = pass(1700 * MS);
    size_t n = expired_ages(p, ages);
    const double seconds = (double)(itsi_now_ns() - start) / ITSI_NS_PER_S;
    assert_in_range(n, 2 * CAMERAS, (int)(CAMERAS * (2 * seconds + 1))); /* each round, but for those in the engine */
    assert_true(ages[n - 1] < 60.0 + unrest);
    struct itsi_ledger_counts counts = close_pipeline(p);
    if (unrest < LITTLE_UNREST_MS)
        assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED], 0);
}

/* The null backend whose results stay away for two seconds, once. */
static atomic_bool stall;
static int stalling_collect(struct itsi_engine *engine, int64_t until_ns, struct itsi_completion *out)
{
    int rc = itsi_backend_null.collect(engine, until_ns, out);
    if (rc == 0 && atomic_exchange(&stall, false))
        itsi_sleep_until_ns(itsi_now_ns() + 2000 * MS);
    return rc;
}

/* The engine is known to take 20 ms; then it stalls. What waits is let go when its deadline, less a run, has come. */
static void frames_expire_on_time_while_the_engine_stalls(void **state)
{
    (void)state;
    double ages[ITSI_VIOLATIONS_KEPT];
    struct itsi_backend stalling = itsi_backend_null;
    stalling.collect = stalling_collect;
    struct itsi_pipeline *p = open_pipeline(&stalling, 20 * MS, "null://?fps=8");
    itsi_sleep_until_ns(itsi_now_ns() + 1000 * MS);
    atomic_store(&stall, true);
    const double unrest = pass(1800 * MS);
    size_t n = expired_ages(p, ages);
    assert_true(n >= 15);
    assert_true(ages[n * 9 / 10] >= 50.0);
    assert_true(ages[n * 9 / 10] <= 90.0 + unrest);
    struct itsi_pipeline_stats before, after;
    itsi_pipeline_stats(p, &before);
    const int64_t patience = itsi_now_ns() + 20000 * MS;
    do { /* and afterwards all is as before */
        itsi_sleep_until_ns(itsi_now_ns() + 20 * MS);
        itsi_pipeline_stats(p, &after);
        assert_true(itsi_now_ns() < patience);
    } while (after.ledger.delivered - before.ledger.delivered < 12);
    close_pipeline(p);
}

/* Fixed sheds nothing: what comes out of a slow engine is late. */
static void the_fixed_batcher_delivers_late_what_the_other_sheds(void **state)
{
    (void)state;
    struct itsi_ledger_counts counts[2];
    for (int fixed = 0; fixed < 2; fixed++) {
        cfg.inference.batcher = fixed ? ITSI_BATCHER_FIXED : ITSI_BATCHER_DEADLINE;
        struct itsi_pipeline *p = open_pipeline(&itsi_backend_null, 50 * MS, "null://?fps=20");
        itsi_sleep_until_ns(itsi_now_ns() + 1500 * MS);
        counts[fixed] = close_pipeline(p);
    }
    assert_int_equal(counts[1].dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_EXPIRED], 0);
    assert_true(counts[1].late > counts[1].delivered);
    assert_true(counts[0].delivered > 2 * counts[0].late);
}

/* Nobody else comes for half a second: the batcher's thread wakes for the batch's own time. */
static void a_batch_that_does_not_fill_goes_at_its_timeout(void **state)
{
    (void)state;
    cfg.inference.batcher = ITSI_BATCHER_FIXED;
    cfg.inference.parallel = 1; /* an engine of batches */
    cfg.gpu.batch_size_range[1] = 2 * CAMERAS;
    cfg.gpu.batch_timeout_ms = 20;
    cfg.general.target_latency_ms = cfg.latency_monitoring.latency_sla_ms = 350;
    struct itsi_pipeline *p = open_apart(&itsi_backend_null, MS, "null://?fps=2", MS);
    const double unrest = pass(1700 * MS);
    struct itsi_ledger_counts counts = close_pipeline(p);
    assert_true(counts.delivered >= 2 * CAMERAS);
    if (unrest >= LITTLE_UNREST_MS)
        return;
    assert_int_equal(counts.late, 0);
    assert_int_equal(counts.dropped[ITSI_STAGE_PREPROCESSING][ITSI_DROP_REPLACED], 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(frames_expire_on_time_while_the_engine_is_busy),
        TEST(frames_that_wait_together_expire_each_on_its_time),
        TEST(frames_expire_on_time_while_the_engine_stalls),
        TEST(the_fixed_batcher_delivers_late_what_the_other_sheds),
        TEST(a_batch_that_does_not_fill_goes_at_its_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

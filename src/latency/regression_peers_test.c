/* What the peers foretell: slopes, from much and from little, and what a file may hold of them. */
#include "latency/regression_peers.h"

#include "base/rand.h"
#include "latency/baseline_store.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONG = ITSI_BASELINE_FULL };
static const enum itsi_stage A = ITSI_STAGE_CAMERA_CAPTURE, B = ITSI_STAGE_PREPROCESSING, C = ITSI_STAGE_ML_INFERENCE,
                             D = ITSI_STAGE_POSTPROCESSING;
static const bool everybody[ITSI_STAGE_COUNT] = {true, true, true, true, true, true};

/* Deviations of stages A to D of one batch; the other stages have no data. */
typedef void made(struct itsi_rand *rng, double *x);

static void independent(struct itsi_rand *rng, double *x)
{
    for (enum itsi_stage s = A; s <= D; s++)
        x[s] = 0.05 * itsi_rand_normal(rng);
}

/* C is 0.8 of A and a little of its own; B and D have nothing to do with it. */
static void related(struct itsi_rand *rng, double *x)
{
    independent(rng, x);
    x[C] = 0.8 * x[A] + 0.01 * itsi_rand_normal(rng);
}

/* And B is A. */
static void collinear(struct itsi_rand *rng, double *x)
{
    related(rng, x);
    x[B] = x[A];
}

/* One in twelve batches, all take 20 times as long. */
static void interrupted(struct itsi_rand *rng, double *x)
{
    related(rng, x);
    const bool now = itsi_rand_below(rng, 12) == 0;
    for (enum itsi_stage s = A; now && s <= D; s++)
        x[s] = 3;
}

/* B becomes faster when A becomes slower. */
static void opposed(struct itsi_rand *rng, double *x)
{
    related(rng, x);
    x[B] = -x[A];
}

static struct itsi_peers learned(made *make, uint32_t batches)
{
    static double rows[ITSI_BASELINE_WARMUP][ITSI_STAGE_COUNT];
    struct itsi_peers peers;
    struct itsi_rand rng;
    itsi_rand_seed(&rng, 5);
    for (int i = 0; i < ITSI_BASELINE_WARMUP; i++) {
        double *row = rows[i];
        make(&rng, row);
        for (int s = 0; s < ITSI_STAGE_COUNT; s++)
            row[s] = s <= (int)D ? row[s] + 9.7 : (double)NAN;
    }
    itsi_peers_seed(&peers, rows, ITSI_BASELINE_WARMUP);
    while (peers.batches < batches) {
        double x[ITSI_STAGE_COUNT] = {0};
        make(&rng, x);
        itsi_peers_learn(&peers, x);
    }
    return peers;
}

static void slopes_are_recovered(void **state)
{
    (void)state;
    double slopes[ITSI_STAGE_COUNT];
    const struct itsi_peers peers = learned(related, LONG);
    itsi_peers_slopes(&peers, everybody, C, slopes);
    CHECK_NEAR(slopes[A], 0.8, 0.03);
    CHECK_NEAR(slopes[B], 0, 0.02);
    CHECK_NEAR(slopes[C], 0, 0);
    CHECK_NEAR(slopes[D], 0, 0.02);
    itsi_peers_slopes(&peers, everybody, B, slopes);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        CHECK_NEAR(slopes[s], 0, 0.05);
}

static void few_batches_make_no_wild_slopes(void **state)
{
    (void)state;
    double slopes[ITSI_STAGE_COUNT];
    struct itsi_peers peers = learned(independent, ITSI_BASELINE_WARMUP);
    for (enum itsi_stage s = A; s <= D; s++) {
        itsi_peers_slopes(&peers, everybody, s, slopes);
        for (enum itsi_stage k = A; k <= D; k++)
            assert_true(slopes[k] < 0.2);
    }
    peers = learned(related, ITSI_BASELINE_WARMUP);
    itsi_peers_slopes(&peers, everybody, C, slopes);
    CHECK_NEAR(slopes[A], 0.8, 0.15);
    peers.batches = ITSI_BASELINE_WARMUP - 1; /* too few: nothing is foretold */
    itsi_peers_slopes(&peers, everybody, C, slopes);
    CHECK_NEAR(slopes[A], 0, 0);
}

static void collinear_peers_share(void **state)
{
    (void)state;
    double slopes[ITSI_STAGE_COUNT];
    const struct itsi_peers peers = learned(collinear, LONG);
    itsi_peers_slopes(&peers, everybody, C, slopes);
    CHECK_NEAR(slopes[A] + slopes[B], 0.8, 0.03);
    CHECK_NEAR(slopes[A], slopes[B], 0.1); /* neither runs away */
    const bool without_a[ITSI_STAGE_COUNT] = {false, true, true, true};
    itsi_peers_slopes(&peers, without_a, C, slopes); /* one of them lacks: the other foretells it all */
    CHECK_NEAR(slopes[A], 0, 0);
    CHECK_NEAR(slopes[B], 0.8, 0.03);
}

static void outliers_do_not_steer(void **state)
{
    (void)state;
    double slopes[ITSI_STAGE_COUNT];
    const struct itsi_peers peers = learned(interrupted, ITSI_BASELINE_WARMUP);
    itsi_peers_slopes(&peers, everybody, C, slopes);
    CHECK_NEAR(slopes[A], 0.8, 0.25);
    assert_true(peers.product[A][A] < 4 * 0.05 * 0.05);
}

static void no_slope_is_negative(void **state)
{
    (void)state;
    double slopes[ITSI_STAGE_COUNT];
    const struct itsi_peers peers = learned(opposed, LONG);
    for (enum itsi_stage s = A; s <= D; s++) {
        itsi_peers_slopes(&peers, everybody, s, slopes);
        for (enum itsi_stage k = A; k <= D; k++)
            assert_true(slopes[k] >= 0);
    }
    CHECK_NEAR(slopes[B], 0, 0.02);
}

static void a_stage_without_data_is_left_out(void **state)
{
    (void)state;
    double slopes[ITSI_STAGE_COUNT], x[ITSI_STAGE_COUNT] = {0};
    struct itsi_peers peers = learned(related, 600);
    assert_true(itsi_peers_has(&peers, C));
    assert_false(itsi_peers_has(&peers, ITSI_STAGE_ENCODING));
    itsi_peers_slopes(&peers, everybody, ITSI_STAGE_ENCODING, slopes);
    for (int s = 0; s < ITSI_STAGE_COUNT; s++)
        CHECK_NEAR(slopes[s], 0, 0);
    x[A] = (double)NAN; /* known, and missing now: nothing is learned from half a batch */
    itsi_peers_learn(&peers, x);
    assert_int_equal(peers.batches, 600);
    assert_true(itsi_peers_valid(&peers));
}

static void it_freezes_with_the_baseline(void **state)
{
    (void)state;
    struct itsi_peers peers = learned(related, LONG);
    const struct itsi_peers before = peers;
    const double wild[ITSI_STAGE_COUNT] = {1, -1, 1, -1};
    itsi_peers_learn(&peers, wild);
    assert_memory_equal(&peers, &before, sizeof peers);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/its-peers-XXXXXX");
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int drop_path(void **state)
{
    (void)state;
    char aside[80];
    snprintf(aside, sizeof aside, "%s.damaged", path);
    unlink(aside);
    unlink(path);
    return 0;
}

static struct itsi_baseline_store *open_store(void)
{
    struct itsi_baseline_store *store;
    struct its_diag diag;
    CHECK_OK(itsi_baseline_store_create(&store, path, &diag), diag);
    return store;
}

static void a_file_keeps_them(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_baseline_key key;
    struct itsi_baseline_set set = {0}, back;
    const struct itsi_baseline known = {.batches = 3600, .level = 9.7, .variance = 0.01, .long_run = 0.1};
    itsi_baseline_key(&key, "1", "m", "c", "h", 3);
    set.series[ITSI_TIME_FLOOR][C] = set.residual[ITSI_TIME_FLOOR][C] = known;
    set.residual[ITSI_TIME_FLOOR][C].level = -0.001;
    set.peers[ITSI_TIME_FLOOR] = learned(related, 700);
    struct itsi_baseline_store *store = open_store();
    itsi_baseline_put(store, &key, &set, 0);
    CHECK_OK(itsi_baseline_store_save(store, &diag), diag);
    CHECK_OK(itsi_baseline_store_load(store, &diag), diag);
    assert_int_equal(itsi_baseline_find(store, &key, &back), ITSI_BASELINE_EXACT);
    itsi_baseline_store_destroy(store);
    CHECK_NEAR(back.series[ITSI_TIME_FLOOR][C].level, 9.7, 1e-6);
    CHECK_NEAR(back.residual[ITSI_TIME_FLOOR][C].level, -0.001, 1e-6);
    assert_int_equal(back.residual[ITSI_TIME_FLOOR][C].batches, 3600);
    assert_int_equal(back.peers[ITSI_TIME_FLOOR].batches, 700);
    assert_int_equal(back.peers[ITSI_TIME_SERVICE].batches, 0);
    for (int a = 0; a < ITSI_STAGE_COUNT; a++)
        for (int b = 0; b < ITSI_STAGE_COUNT; b++)
            CHECK_NEAR(back.peers[ITSI_TIME_FLOOR].product[a][b], set.peers[ITSI_TIME_FLOOR].product[a][b], 1e-9);
}

#define ENTRY \
    "{\"build\": \"1\", \"model\": \"m\", \"config\": \"c\", \"hardware\": \"h\", \"band\": 3, \"wall_s\": 5, " \
    "\"series\": [{\"stage\": \"ml_inference\", \"kind\": \"service\", \"batches\": 3600, \"level\": 9.7, " \
    "\"variance\": 0.01, \"covariance\": 0, \"long_run\": 0.1}]"

static int load(const char *text)
{
    struct its_diag diag;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    struct itsi_baseline_store *store = open_store();
    const int rc = itsi_baseline_store_load(store, &diag);
    struct itsi_baseline_key key;
    struct itsi_baseline_set set;
    itsi_baseline_key(&key, "1", "m", "c", "h", 3);
    if (rc == 0) {
        assert_int_equal(itsi_baseline_find(store, &key, &set), ITSI_BASELINE_EXACT);
        assert_int_equal(set.series[ITSI_TIME_SERVICE][C].batches, 3600);
        assert_int_equal(set.residual[ITSI_TIME_SERVICE][C].batches, 0);
    }
    itsi_baseline_store_destroy(store);
    return rc;
}

static int load_with_peers(const char *peers)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"format\": \"its-latency-baselines\", \"version\": 2, \"entries\": [" ENTRY ", \"peers\": [%s]}]}",
             peers);
    return load(text);
}

static void a_file_of_version_1_still_counts(void **state)
{
    (void)state;
    assert_int_equal(load("{\"format\": \"its-latency-baselines\", \"version\": 1, \"entries\": [" ENTRY "}]}"), 0);
}

#define CORRELATED_BY_TWO \
    "{\"kind\": \"service\", \"batches\": 3600, \"stages\": [\"ml_inference\", \"preprocessing\"], " \
    "\"products\": [[1, 2], [2, 1]]}"

static void damaged_peers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"kind\": \"service\", \"batches\": 3600}",
        "{\"kind\": \"nonsense\", \"batches\": 3600, \"stages\": [], \"products\": []}",
        "{\"kind\": \"service\", \"batches\": 5, \"stages\": [], \"products\": []}",
        "{\"kind\": \"service\", \"batches\": 3600, \"stages\": [\"ml_inference\"], \"products\": [[-1]]}",
        "{\"kind\": \"service\", \"batches\": 3600, \"stages\": [\"ml_inference\"], \"products\": [[1, 2]]}",
        "{\"kind\": \"service\", \"batches\": 3600, \"stages\": [\"ml_inference\"], \"products\": [[\"1\"]]}",
        "{\"kind\": \"service\", \"batches\": 3600, \"stages\": [\"nowhere\"], \"products\": [[1]]}",
        CORRELATED_BY_TWO,
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(load_with_peers(bad[i]), ITS_EFORMAT);
    assert_int_equal(load_with_peers("{\"kind\": \"service\", \"batches\": 3600, \"stages\": [\"ml_inference\"], "
                                     "\"products\": [[0.01]]}"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_are_recovered),
        cmocka_unit_test(few_batches_make_no_wild_slopes),
        cmocka_unit_test(collinear_peers_share),
        cmocka_unit_test(outliers_do_not_steer),
        cmocka_unit_test(no_slope_is_negative),
        cmocka_unit_test(a_stage_without_data_is_left_out),
        cmocka_unit_test(it_freezes_with_the_baseline),
        cmocka_unit_test_setup_teardown(a_file_keeps_them, make_path, drop_path),
        cmocka_unit_test_setup_teardown(a_file_of_version_1_still_counts, make_path, drop_path),
        cmocka_unit_test_setup_teardown(damaged_peers_are_refused, make_path, drop_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

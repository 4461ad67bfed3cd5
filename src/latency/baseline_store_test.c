#include "latency/baseline_store.h"

#include "base/mem.h"
#include "support/check.h"

#include <sys/stat.h>
#include <unistd.h>

#define DAY INT64_C(86400000000000)

static char folder[64], path[96], aside[112];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/its-baselines-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/baselines.json", folder);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(aside);
    return rmdir(folder); /* fails when a temporary file was left behind */
}

static struct itsi_baseline_store *store_at(const char *where)
{
    struct itsi_baseline_store *store;
    struct its_diag diag;
    CHECK_OK(itsi_baseline_store_create(&store, where, &diag), diag);
    return store;
}

static struct itsi_baseline_key key_of(const char *build, int band)
{
    struct itsi_baseline_key key;
    itsi_baseline_key(&key, build, "its-road int8", "c0ffee", "AMD EPYC, 2 cores", band);
    return key;
}

static struct itsi_baseline_set set_of(double level)
{
    struct itsi_baseline_set set = {0};
    set.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE] = (struct itsi_baseline){
        .batches = 3600, .level = level, .variance = 0.0025, .covariance = -0.0003, .long_run = 0.0031};
    set.series[ITSI_TIME_WAIT][ITSI_STAGE_PREPROCESSING] = (struct itsi_baseline){
        .batches = 150, .level = 5.5, .variance = 0.25, .covariance = 0.1, .long_run = 0.7};
    return set;
}

static double level_at(const struct itsi_baseline_set *set)
{
    return set->series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE].level;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void survives_a_restart(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_baseline_store *store = store_at(path);
    CHECK_OK(itsi_baseline_store_load(store, &diag), diag); /* no file: nothing known */
    assert_int_equal(itsi_baseline_store_count(store), 0);
    const struct itsi_baseline_key key = key_of("1.0 \"quoted\"", 26);
    const struct itsi_baseline_set set = set_of(9.75);
    itsi_baseline_put(store, &key, &set, 20000 * DAY);
    CHECK_OK(itsi_baseline_store_save(store, &diag), diag);
    itsi_baseline_store_destroy(store);

    store = store_at(path);
    CHECK_OK(itsi_baseline_store_load(store, &diag), diag);
    struct itsi_baseline_set back;
    assert_int_equal(itsi_baseline_find(store, &key, &back), ITSI_BASELINE_EXACT);
    const struct itsi_baseline *b = &back.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE];
    assert_int_equal(b->batches, 3600);
    CHECK_NEAR(b->level, 9.75, 1e-6);
    CHECK_NEAR(b->variance, 0.0025, 1e-9);
    CHECK_NEAR(b->covariance, -0.0003, 1e-9);
    CHECK_NEAR(b->long_run, 0.0031, 1e-9);
    assert_int_equal(back.series[ITSI_TIME_WAIT][ITSI_STAGE_PREPROCESSING].batches, 150);
    assert_int_equal(back.series[ITSI_TIME_SERVICE][ITSI_STAGE_ENCODING].batches, 0);
    itsi_baseline_store_destroy(store);
}

static void a_new_build_begins_with_the_newest_before_it(void **state)
{
    (void)state;
    struct itsi_baseline_store *store = store_at(path);
    const char *builds[] = {"1.0", "1.2", "1.1"};
    for (int i = 0; i < 3; i++) {
        const struct itsi_baseline_key key = key_of(builds[i], 26);
        const struct itsi_baseline_set set = set_of(9 + i);
        itsi_baseline_put(store, &key, &set, (i == 1 ? 9 : i) * DAY);
    }
    const struct itsi_baseline_key next = key_of("2.0", 26), other_band = key_of("2.0", 27);
    struct itsi_baseline_set set;
    assert_int_equal(itsi_baseline_find(store, &next, &set), ITSI_BASELINE_EARLIER_BUILD);
    CHECK_NEAR(level_at(&set), 10, 1e-9);
    assert_int_equal(itsi_baseline_find(store, &other_band, &set), ITSI_BASELINE_UNKNOWN);
    struct itsi_baseline_key other_model = next;
    snprintf(other_model.model, sizeof other_model.model, "another");
    assert_int_equal(itsi_baseline_find(store, &other_model, &set), ITSI_BASELINE_UNKNOWN);
    itsi_baseline_store_destroy(store);
}

static void the_oldest_key_makes_room(void **state)
{
    (void)state;
    struct itsi_baseline_store *store = store_at(path);
    for (int i = 0; i < ITSI_BASELINE_KEYS + 5; i++) {
        char build[16];
        snprintf(build, sizeof build, "b%d", i);
        struct itsi_baseline_key key = key_of(build, i % ITSI_LOAD_BAND_COUNT);
        snprintf(key.config, sizeof key.config, "config %d", i);
        const struct itsi_baseline_set set = set_of(9);
        itsi_baseline_put(store, &key, &set, i * DAY);
    }
    assert_int_equal(itsi_baseline_store_count(store), ITSI_BASELINE_KEYS);
    struct itsi_baseline_set set;
    struct itsi_baseline_key gone = key_of("b4", 4), kept = key_of("b5", 5);
    snprintf(gone.config, sizeof gone.config, "config 4");
    snprintf(kept.config, sizeof kept.config, "config 5");
    assert_int_equal(itsi_baseline_find(store, &gone, &set), ITSI_BASELINE_UNKNOWN);
    assert_int_equal(itsi_baseline_find(store, &kept, &set), ITSI_BASELINE_EXACT);
    struct its_diag diag;
    CHECK_OK(itsi_baseline_store_save(store, &diag), diag);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 100000);
    CHECK_OK(itsi_baseline_store_load(store, &diag), diag);
    assert_int_equal(itsi_baseline_store_count(store), ITSI_BASELINE_KEYS);
    itsi_baseline_store_destroy(store);
}

static void only_what_is_known_is_kept(void **state)
{
    (void)state;
    struct itsi_baseline_store *store = store_at(path);
    const struct itsi_baseline_key key = key_of("1.0", 3);
    struct itsi_baseline_set nothing = {0}, found;
    itsi_baseline_put(store, &key, &nothing, DAY);
    assert_int_equal(itsi_baseline_store_count(store), 0);
    const struct itsi_baseline_set set = set_of(9);
    itsi_baseline_put(store, &key, &set, DAY);
    struct itsi_baseline_set damaged = set_of(10);
    damaged.series[ITSI_TIME_SERVICE][ITSI_STAGE_ML_INFERENCE].level = (double)NAN;
    itsi_baseline_put(store, &key, &damaged, 2 * DAY);
    assert_int_equal(itsi_baseline_find(store, &key, &found), ITSI_BASELINE_EXACT);
    CHECK_NEAR(level_at(&found), 9, 0);
    itsi_baseline_store_destroy(store);
}

#define HEAD "{\"format\": \"its-latency-baselines\", \"version\": 1, \"entries\": ["
#define ENTRY "{\"build\": \"1\", \"model\": \"m\", \"config\": \"c\", \"hardware\": \"h\", "
#define SERIES                                                                                                         \
    "\"series\": [{\"stage\": \"ml_inference\", \"kind\": \"service\", \"batches\": 300, \"level\": 9.5, "             \
    "\"variance\": 0.01, \"covariance\": 0.001, \"long_run\": "

static void a_good_file_by_hand_is_read(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_baseline_store *store = store_at(path);
    write_file(HEAD ENTRY "\"band\": 3, \"wall_s\": 10, " SERIES "0.01}]}]}");
    CHECK_OK(itsi_baseline_store_load(store, &diag), diag);
    assert_int_equal(itsi_baseline_store_count(store), 1);
    itsi_baseline_store_destroy(store);
}

static void a_damaged_or_foreign_file_is_set_aside(void **state)
{
    (void)state;
    static const char *const files[] = {
        "",
        "not JSON",
        "[1, 2]",
        "{\"format\": \"something else\", \"version\": 1, \"entries\": []}",
        "{\"format\": \"its-latency-baselines\", \"version\": 3, \"entries\": []}",
        "{\"format\": \"its-latency-baselines\", \"version\": 1}",
        HEAD,
        HEAD "7]}",
        HEAD ENTRY "\"band\": 3, \"wall_s\": 10}]}",
        HEAD ENTRY "\"band\": 1000, \"wall_s\": 10, " SERIES "0.01}]}]}",
        HEAD ENTRY "\"band\": 3, \"wall_s\": -10, " SERIES "0.01}]}]}",
        HEAD ENTRY "\"band\": 3, \"wall_s\": 10, " SERIES "-0.01}]}]}",
        HEAD ENTRY "\"band\": 3, \"wall_s\": 10, " SERIES "\"x\"}]}]}",
        HEAD ENTRY "\"band\": 3, \"wall_s\": 10, \"series\": [{\"stage\": \"kitchen\", \"kind\": \"service\"}]}]}",
    };
    struct its_diag diag;
    struct itsi_baseline_store *store = store_at(path);
    const struct itsi_baseline_key key = key_of("1.0", 3);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct itsi_baseline_set set = set_of(9);
        itsi_baseline_put(store, &key, &set, DAY);
        unlink(aside);
        write_file(files[i]);
        if (itsi_baseline_store_load(store, &diag) != ITS_EFORMAT)
            fail_msg("taken: %s", files[i]);
        CHECK_CONTAINS(diag.text, path);
        assert_int_equal(itsi_baseline_store_count(store), 0);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(access(aside, F_OK), 0);
        assert_int_equal(itsi_baseline_store_load(store, NULL), 0); /* the next start is an ordinary one */
    }
    write_file("nothing");
    assert_int_equal(itsi_baseline_store_load(store, NULL), ITS_EFORMAT); /* nobody asks why */
    itsi_baseline_store_destroy(store);
}

static void a_failing_disk_is_an_error_and_no_more(void **state)
{
    (void)state;
    struct its_diag diag;
    struct itsi_baseline_store *store = store_at("/tmp/its-no-such-folder/baselines.json");
    CHECK_OK(itsi_baseline_store_load(store, &diag), diag);
    assert_true(itsi_baseline_store_save(store, &diag) < 0);
    CHECK_CONTAINS(diag.text, "its-no-such-folder");
    itsi_baseline_store_destroy(store);
    store = store_at(folder); /* a folder is no file */
    assert_true(itsi_baseline_store_load(store, &diag) < 0);
    CHECK_CONTAINS(diag.text, folder);
    assert_int_equal(access(folder, F_OK), 0);
    itsi_baseline_store_destroy(store);
}

static void long_names_are_cut_alike(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct itsi_baseline_key a, b;
    itsi_baseline_key(&a, name, name, name, NULL, 1);
    itsi_baseline_key(&b, a.build, a.model, a.config, "", 1);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(strlen(a.build), sizeof a.build - 1);
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct its_diag diag;
    int nth = 0, rc;
    write_file(HEAD ENTRY "\"band\": 3, \"wall_s\": 10, " SERIES "0.01}]}]}");
    do {
        struct itsi_baseline_store *store = NULL;
        itsi_alloc_fail_at(++nth);
        rc = itsi_baseline_store_create(&store, path, &diag);
        if (rc == 0)
            rc = itsi_baseline_store_load(store, &diag);
        if (rc == 0)
            rc = itsi_baseline_store_save(store, &diag);
        itsi_alloc_fail_at(0);
        itsi_baseline_store_destroy(store);
    } while (rc == ITS_ENOMEM && nth < 100);
    CHECK_OK(rc, diag);
    assert_true(nth > 3);
    assert_int_equal(access(aside, F_OK), -1); /* memory is no damage */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(survives_a_restart),
        TEST(a_new_build_begins_with_the_newest_before_it),
        TEST(the_oldest_key_makes_room),
        TEST(only_what_is_known_is_kept),
        TEST(a_good_file_by_hand_is_read),
        TEST(a_damaged_or_foreign_file_is_set_aside),
        TEST(a_failing_disk_is_an_error_and_no_more),
        TEST(long_names_are_cut_alike),
        TEST(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

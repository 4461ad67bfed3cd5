/* The store as a whole, its thread running. */
#include "support/store_running.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the whole ------------------------------------------------------------------------------------------------------ */

struct itsi_store *store_open(int queue_rows, int spool_max_mb, int64_t retry_ns)
{
    const struct its_cfg_store cfg = {.flush_interval_seconds = 0.05, .spool_max_mb = spool_max_mb};
    struct itsi_store_params params = itsi_store_params_of(&cfg);
    struct itsi_store *store;
    struct its_diag diag;
    params.database = store_database;
    params.spool_folder = store_folder;
    params.queue_rows = queue_rows;
    params.batch_rows = queue_rows / 2;
    params.retry_first_ns = params.retry_most_ns = retry_ns;
    CHECK_OK(itsi_store_create(&store, &params, &diag), diag);
    return store;
}

static struct itsi_store *open_store(int queue_rows)
{
    return store_open(queue_rows, 64, 500 * ITSI_NS_PER_MS);
}

uint64_t store_sum(const uint64_t rows[ITSI_STORE_TABLES])
{
    uint64_t all = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        all += rows[t];
    return all;
}

struct itsi_store_stats store_wait_until_written(struct itsi_store *store, uint64_t rows)
{
    struct itsi_store_stats stats;
    const int64_t deadline = store_soon();
    for (;;) {
        itsi_store_stats(store, &stats);
        if (store_sum(stats.written) >= rows)
            return stats;
        if (itsi_now_ns() > deadline)
            fail_msg("%d of %d rows written: %s", (int)store_sum(stats.written), (int)rows, stats.last_error);
        itsi_sleep_until_ns(itsi_now_ns() + 2 * ITSI_NS_PER_MS);
    }
}

void store_wait_until_away(struct itsi_store *store, struct itsi_store_stats *stats)
{
    const int64_t deadline = store_soon();
    do {
        assert_true(itsi_now_ns() < deadline);
        itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
        itsi_store_stats(store, stats);
    } while (!stats->is_away);
}

static void note_one_of_each(struct itsi_store *store)
{
    assert_int_equal(itsi_store_count(store, "a", "car", 7, 2), 0);
    assert_int_equal(itsi_store_camera(store, 1, "a", "{}"), 0);
    const struct itsi_store_event event = {.wall_ns = 1, .camera = "a", .kind = "left", .class_name = "car", .track = 4};
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    const struct itsi_store_violation violation = {.wall_ns = 1, .camera = "a", .stage = "ml_inference", .latency_ms = 120};
    assert_int_equal(itsi_store_violation(store, &violation), 0);
    const struct itsi_store_quality_change change = {.wall_ns = 1, .camera = "a", .from_level = 4, .to_level = 3, .reason = "busy"};
    assert_int_equal(itsi_store_quality_change(store, &change), 0);
}

static void what_is_noted_arrives(void **state)
{
    (void)state;
    struct itsi_store *store = open_store(1000);
    note_one_of_each(store);
    struct itsi_store_stats stats = store_wait_until_written(store, 5);
    assert_int_equal(store_sum(stats.queued), 5);
    assert_int_equal(stats.waiting, 0);
    assert_false(stats.is_away);
    for (int i = 0; i < 100; i++)
        assert_int_equal(itsi_store_count(store, "a", "car", 7, 1), 0);
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT n FROM its_count"), 102); /* those noted last were written at the end */
    assert_int_equal(store_number("SELECT count(*) FROM its_event WHERE track = 4 AND class = 'car'"), 1);
    assert_int_equal(store_number("SELECT count(*) FROM its_violation"), 1);
    assert_int_equal(store_number("SELECT count(*) FROM its_quality_change WHERE to_level = 3"), 1);
    assert_int_equal(store_number("SELECT count(*) FROM its_camera"), 1);
}

static void what_cannot_be_kept_is_counted(void **state)
{
    (void)state;
    struct itsi_store *store = open_store(1000);
    struct itsi_store_stats stats;
    assert_int_equal(itsi_store_count(store, "a", "\xff", 7, 2), ITS_EINVAL);
    const struct itsi_store_event nameless = {.wall_ns = 1, .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &nameless), ITS_EINVAL);
    itsi_store_stats(store, &stats);
    assert_int_equal(stats.dropped[ITSI_STORE_DROP_INVALID][ITSI_STORE_COUNT], 1);
    assert_int_equal(stats.dropped[ITSI_STORE_DROP_INVALID][ITSI_STORE_EVENT], 1);
    assert_int_equal(store_sum(stats.queued), 0);
    itsi_store_destroy(store, store_soon());
}

enum { PRODUCERS = 4, NOTES = 20000 };

static void *produce(void *store)
{
    char camera[24];
    int64_t kept = 0;
    for (int i = 0; i < NOTES; i++) {
        snprintf(camera, sizeof camera, "camera_%d", i % 97);
        kept += itsi_store_count(store, camera, "car", i / 1000, 1) == 0;
    }
    return (void *)(intptr_t)kept;
}

static void many_producers_lose_nothing_that_was_taken(void **state)
{
    (void)state;
    pthread_t threads[PRODUCERS];
    int64_t kept = 0;
    struct itsi_store *store = open_store(500); /* fills up now and then */
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, produce, store), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        kept += (intptr_t)result;
    }
    itsi_store_destroy(store, store_soon());
    assert_true(kept > 0);
    assert_int_equal(store_number("SELECT CAST(sum(n) AS BIGINT) FROM its_count"), kept);
}

static void a_missing_table_spools_and_mends(void **state)
{
    (void)state;
    struct itsi_store *store = open_store(1000);
    struct itsi_store_stats stats;
    assert_int_equal(itsi_store_count(store, "a", "car", 1, 1), 0);
    store_wait_until_written(store, 1);
    store_sql("ALTER TABLE its_event RENAME TO its_elsewhere");
    const struct itsi_store_event event = {.wall_ns = 1, .camera = "a", .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    store_wait_until_away(store, &stats);
    while (!stats.spool_files)
        store_wait_until_away(store, &stats);
    CHECK_CONTAINS(stats.last_error, "its_event");
    store_sql("ALTER TABLE its_elsewhere RENAME TO its_event");
    store_wait_until_written(store, 2);
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 1);
}

/* Another database, or an empty one restored in its place. */
static void a_database_made_anew_gets_its_tables(void **state)
{
    struct itsi_store *store = store_open(1000, 64, 20 * ITSI_NS_PER_MS);
    note_one_of_each(store);
    store_wait_until_written(store, 5);
    store_empty(state);
    note_one_of_each(store);
    store_wait_until_written(store, 10);
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 1);
    assert_int_equal(store_number("SELECT n FROM its_count"), 2);
}

/* Without a spool there is nothing else to be done with them. */
static void what_waits_at_the_end_is_tried_once_more(void **state)
{
    (void)state;
    struct itsi_store *store = store_open(1000, 0, 60 * ITSI_NS_PER_S);
    struct itsi_store_stats stats;
    const struct itsi_store_event event = {.wall_ns = 1, .camera = "a", .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    store_wait_until_written(store, 1);
    store_sql("ALTER TABLE its_event RENAME TO its_elsewhere");
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    store_wait_until_away(store, &stats);
    assert_int_equal(stats.waiting, 1);
    store_sql("ALTER TABLE its_elsewhere RENAME TO its_event");
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 3);
}

/* What the spool does not take either: its disk is full, or something else is in its place. */
static void nor_is_it_given_up_where_the_spool_fails(void **state)
{
    (void)state;
    char lock[80];
    struct itsi_store *store = store_open(1000, 64, 60 * ITSI_NS_PER_S);
    struct itsi_store_stats stats;
    const struct itsi_store_event event = {.wall_ns = 1, .camera = "a", .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    store_wait_until_written(store, 1);
    snprintf(lock, sizeof lock, "%s/lock", store_folder);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(rmdir(store_folder), 0);
    fclose(fopen(store_folder, "w"));
    store_sql("ALTER TABLE its_event RENAME TO its_elsewhere");
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    store_wait_until_away(store, &stats);
    assert_int_equal(stats.waiting, 1);
    store_sql("ALTER TABLE its_elsewhere RENAME TO its_event");
    itsi_store_destroy(store, store_soon());
    unlink(store_folder);
    assert_int_equal(mkdir(store_folder, 0700), 0);
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 2);
}

void store_check_books(const struct itsi_store_stats *stats)
{
    uint64_t dropped = 0;
    for (int reason = 0; reason < ITSI_STORE_DROPS; reason++)
        if (reason != ITSI_STORE_DROP_INVALID && reason != ITSI_STORE_DROP_QUEUE)
            dropped += store_sum(stats->dropped[reason]);
    assert_int_equal(store_sum(stats->queued) + store_sum(stats->found), store_sum(stats->written) + dropped + stats->waiting + stats->spool_rows);
}

/* Whichever allocation fails on the way of the first that need some: they arrive, and are accounted for at every instant. */
static void rows_survive_any_allocation_failing(void **state)
{
    enum { ALLOCATIONS = 12, COUNTS = 200, ROWS = 1 + 5 + COUNTS };
    int failed = 0;
    for (int n = 1; n <= ALLOCATIONS; n++) {
        store_empty(state);
        struct itsi_store *store = store_open(1000, n % 2 ? 64 : 0, 20 * ITSI_NS_PER_MS);
        struct itsi_store_stats stats;
        const int64_t deadline = store_soon();
        assert_int_equal(itsi_store_count(store, "a", "car", 1, 1), 0);
        store_wait_until_written(store, 1); /* the tables are there: what is allocated now is for rows */
        itsi_alloc_fail_at(n);
        note_one_of_each(store);
        for (int minute = 0; minute < COUNTS; minute++)
            assert_int_equal(itsi_store_count(store, "b", "car", minute, 1), 0);
        do {
            assert_true(itsi_now_ns() < deadline);
            itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
            itsi_store_stats(store, &stats);
            store_check_books(&stats);
        } while (store_sum(stats.written) < ROWS);
        itsi_alloc_fail_at(0);
        failed += strcmp(stats.last_error, "out of memory") == 0;
        assert_int_equal(store_sum(stats.queued), ROWS);
        itsi_store_destroy(store, store_soon());
        assert_int_equal(store_number("SELECT CAST(sum(n) AS BIGINT) FROM its_count"), 1 + 2 + COUNTS);
        assert_int_equal(store_number("SELECT count(*) FROM its_event"), 1);
    }
    assert_true(failed > 0); /* some of them were those of the batches */
}

static void making_one_survives_any_allocation_failing(void **state)
{
    (void)state;
    const struct its_cfg_store cfg = {.flush_interval_seconds = 0.05, .spool_max_mb = 64};
    struct itsi_store_params params = itsi_store_params_of(&cfg);
    struct itsi_store *store;
    struct its_diag diag;
    params.database = store_database;
    params.spool_folder = store_folder;
    params.queue_rows = 10;
    for (int n = 1; n <= 15; n++) { /* itself, twice six of the books, and two of the spool */
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_store_create(&store, &params, &diag), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
}

/* --- running -------------------------------------------------------------------------------------------------------- */

#define ON_EMPTY(test) cmocka_unit_test_setup(test, store_empty)

int store_whole_run(const char *name)
{
    static const struct CMUnitTest tests[] = {
        ON_EMPTY(what_is_noted_arrives),
        ON_EMPTY(what_cannot_be_kept_is_counted),
        ON_EMPTY(many_producers_lose_nothing_that_was_taken),
        ON_EMPTY(a_missing_table_spools_and_mends),
        ON_EMPTY(a_database_made_anew_gets_its_tables),
        ON_EMPTY(what_waits_at_the_end_is_tried_once_more),
        ON_EMPTY(nor_is_it_given_up_where_the_spool_fails),
        ON_EMPTY(rows_survive_any_allocation_failing),
        ON_EMPTY(making_one_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

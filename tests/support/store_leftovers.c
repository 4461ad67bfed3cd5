/* What an earlier process left in the spool. */
#include "support/store_running.h"

#include "store/spool.h"

#include <sys/stat.h>
#include <unistd.h>

/* Events of another writer, a batch each, numbered and timed from 1 on; the one of `twice` lies there twice. */
static void leave(uint64_t count, uint64_t twice)
{
    struct itsi_spool *spool;
    struct its_diag diag;
    struct itsi_buf block;
    itsi_buf_init(&block);
    CHECK_OK(itsi_spool_open(&spool, store_folder, 1 << 24, NULL, NULL, &diag), diag);
    for (uint64_t seq = 1; seq <= count; seq++) {
        const struct itsi_db_value event[] = {itsi_db_int((int64_t)seq), itsi_db_text("a"),  itsi_db_text("left"),
                                              itsi_db_text(NULL),        itsi_db_text(NULL), itsi_db_text(NULL)};
        assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_EVENT, event), 0);
        itsi_buf_reset(&block);
        itsi_book_seal_rows(&store_book, 4711, seq, &block);
        itsi_book_reset(&store_book);
        for (int i = 0; i < (seq == twice ? 2 : 1); i++)
            CHECK_OK(itsi_spool_put(spool, (uint8_t *)block.data, block.len, 1, &diag), diag);
    }
    itsi_spool_close(spool);
    itsi_buf_fini(&block);
}

static void note_event(struct itsi_store *store, int64_t wall_ns)
{
    const struct itsi_store_event event = {.wall_ns = wall_ns, .camera = "a", .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &event), 0);
}

/* Numbered by the database as they came. */
static int64_t out_of_order(void)
{
    return store_number("SELECT count(*) FROM its_event a JOIN its_event b ON a.id < b.id AND a.time_ns > b.time_ns");
}

/* A store that is kept off the database, by a schema that is not its, until let_in. */
static struct itsi_store *open_kept_off(int spool_max_mb, int64_t retry_ns)
{
    struct itsi_store_stats stats;
    struct its_diag diag;
    CHECK_OK(store_migrate(&diag), diag);
    store_sql("INSERT INTO its_schema (version, name, applied_ns) VALUES (99, 'flying cars', 0)");
    struct itsi_store *store = store_open(1000, spool_max_mb, retry_ns);
    store_wait_until_away(store, &stats);
    CHECK_CONTAINS(stats.last_error, "flying cars");
    return store;
}

static void let_in(void)
{
    store_sql("DELETE FROM its_schema WHERE version = 99");
}

static void it_arrives_first_and_in_order(void **state)
{
    (void)state;
    leave(20, 10);
    struct itsi_store *store = store_open(1000, 64, 500 * ITSI_NS_PER_MS);
    note_event(store, 21);
    struct itsi_store_stats stats = store_wait_until_written(store, 22);
    assert_int_equal(stats.found[ITSI_STORE_EVENT], 21);
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 21);
    assert_int_equal(out_of_order(), 0);
}

/* spool_max_mb was set to 0 since. */
static void it_arrives_where_nothing_is_spooled_any_more(void **state)
{
    (void)state;
    leave(1, 0);
    struct itsi_store *store = store_open(1000, 0, 20 * ITSI_NS_PER_MS);
    struct itsi_store_stats stats = store_wait_until_written(store, 1);
    assert_int_equal(stats.found[ITSI_STORE_EVENT], 1);
    store_check_books(&stats);
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 1);
}

/* Which have nowhere else to wait than in memory, and the end comes. */
static void new_rows_do_not_wait_for_it_there(void **state)
{
    (void)state;
    leave(20, 0);
    struct itsi_store *store = open_kept_off(0, 60 * ITSI_NS_PER_S);
    note_event(store, 0);
    let_in();
    itsi_store_destroy(store, store_soon());
    assert_int_equal(store_number("SELECT count(*) FROM its_event WHERE time_ns = 0"), 1);
    assert_int_equal(out_of_order(), 0);
}

/* In the place of a file that the disk does not give back. */
static void make_unreadable(unsigned number)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%016x.batch", store_folder, number);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void what_cannot_be_read_holds_up_nothing(void **state)
{
    char path[128];
    for (int spool_max_mb = 0; spool_max_mb <= 64; spool_max_mb += 64) {
        store_empty(state);
        leave(4, 0);
        struct itsi_store *store = open_kept_off(spool_max_mb, 20 * ITSI_NS_PER_MS);
        struct itsi_store_stats stats;
        const int64_t deadline = store_soon();
        make_unreadable(1);
        make_unreadable(3);
        note_event(store, 5);
        let_in();
        do {
            assert_true(itsi_now_ns() < deadline);
            itsi_sleep_until_ns(itsi_now_ns() + ITSI_NS_PER_MS);
            itsi_store_stats(store, &stats);
            store_check_books(&stats);
        } while (store_sum(stats.written) < 3);
        itsi_store_destroy(store, store_soon());
        assert_int_equal(stats.dropped[ITSI_STORE_DROP_REFUSED][ITSI_STORE_EVENT], 2);
        assert_int_equal(store_number("SELECT CAST(sum(time_ns) AS BIGINT) FROM its_event"), 2 + 4 + 5);
        for (unsigned number = 1; number <= 3; number += 2) {
            snprintf(path, sizeof path, "%s/%016x.damaged", store_folder, number);
            assert_int_equal(rmdir(path), 0);
        }
    }
}

#define ON_EMPTY(test) cmocka_unit_test_setup(test, store_empty)

int store_leftovers_run(const char *name)
{
    static const struct CMUnitTest tests[] = {
        ON_EMPTY(it_arrives_first_and_in_order),
        ON_EMPTY(it_arrives_where_nothing_is_spooled_any_more),
        ON_EMPTY(new_rows_do_not_wait_for_it_there),
        ON_EMPTY(what_cannot_be_read_holds_up_nothing),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

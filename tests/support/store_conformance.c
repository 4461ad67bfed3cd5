#include "support/store_conformance.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "store/apply.h"
#include "store/book.h"
#include "store/query.h"
#include "store/retain.h"
#include "store/schema.h"
#include "store/spool.h"
#include "store/store.h"
#include "support/check.h"

#include <pthread.h>
#include <unistd.h>

static struct itsi_database *database;
static const struct itsi_pool_owner owner = {.component = "test", .stage = "store"};

static int64_t soon(void)
{
    return itsi_now_ns() + 20 * ITSI_NS_PER_S;
}

static struct itsi_db_lease borrow(void)
{
    struct itsi_db_lease lease;
    struct its_diag diag;
    CHECK_OK(itsi_database_borrow(database, &owner, soon(), &lease, &diag), diag);
    return lease;
}

static void give_back(struct itsi_db_lease *lease)
{
    itsi_database_return(database, lease, soon());
}

static void sql(const char *text)
{
    struct itsi_db_lease lease = borrow();
    struct its_diag diag;
    const struct itsi_db_statement statement = {.sql = text};
    CHECK_OK(itsi_db_run(lease.connection, &statement, NULL, 0, NULL, NULL, soon(), &diag), diag);
    give_back(&lease);
}

static int keep_number(void *arg, const struct itsi_db_value *values, int count)
{
    (void)count;
    *(int64_t *)arg = values[0].number;
    return 0;
}

static int64_t number(const char *text)
{
    struct itsi_db_lease lease = borrow();
    struct its_diag diag;
    int64_t out = -1;
    const struct itsi_db_statement statement = {.sql = text};
    CHECK_OK(itsi_db_run(lease.connection, &statement, NULL, 0, keep_number, &out, soon(), &diag), diag);
    give_back(&lease);
    return out;
}

static int migrate(struct its_diag *diag)
{
    struct itsi_db_lease lease = borrow();
    int rc = itsi_store_migrate(lease.connection, soon(), diag);
    give_back(&lease);
    return rc;
}

static int empty(void **state)
{
    (void)state;
    static const char *const tables[] = {"its_schema", "its_writer", "its_duty", "its_camera", "its_count", "its_event",
                                         "its_violation", "its_quality_change"};
    char text[64];
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        snprintf(text, sizeof text, "DROP TABLE IF EXISTS %s", tables[i]);
        sql(text);
    }
    return 0;
}

static int made(void **state)
{
    struct its_diag diag;
    empty(state);
    return migrate(&diag);
}

/* --- migrations ---------------------------------------------------------------------------------------------------- */

static void *migrate_too(void *failed)
{
    struct its_diag diag;
    if (migrate(&diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        *(int *)failed = 1;
    }
    return NULL;
}

static void migrations_run_once_however_many_ask(void **state)
{
    (void)state;
    pthread_t threads[3];
    int failed[3] = {0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_too, &failed[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failed[i], 0);
    }
    assert_int_equal(number("SELECT count(*) FROM its_schema"), itsi_store_schema_version());
    assert_int_equal(number("SELECT count(*) FROM its_count"), 0);
}

static void a_newer_schema_is_refused_by_name(void **state)
{
    (void)state;
    struct its_diag diag;
    CHECK_OK(migrate(&diag), diag);
    sql("INSERT INTO its_schema (version, name, applied_ns) VALUES (99, 'flying cars', 0)");
    assert_int_equal(migrate(&diag), ITS_EUNSUPPORTED);
    CHECK_CONTAINS(diag.text, "flying cars");
    CHECK_CONTAINS(diag.text, "99");
}

static void a_migration_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    struct its_diag diag;
    sql("CREATE TABLE its_violation (other BIGINT)"); /* in the way of the seventh statement */
    assert_int_not_equal(migrate(&diag), 0);
    CHECK_CONTAINS(diag.text, "first");
    sql("DROP TABLE its_violation");
    CHECK_OK(migrate(&diag), diag); /* its tables before the seventh were undone */
}

/* --- batches ------------------------------------------------------------------------------------------------------- */

static struct itsi_book book;

static void note(const char *camera, const char *class_name, int64_t minute, int64_t n)
{
    bool is_new;
    assert_int_equal(itsi_book_count(&book, camera, class_name, minute, n, &is_new), 0);
}

/* What the book holds, as one batch of that number. */
static int apply(uint64_t writer, uint64_t seq, bool is_counts, struct its_diag *diag)
{
    struct itsi_buf block, scratch;
    struct itsi_batch batch;
    itsi_buf_init(&block);
    itsi_buf_init(&scratch);
    itsi_batch_init(&batch);
    if (is_counts)
        itsi_book_seal_counts(&book, writer, seq, &scratch, &block);
    else
        itsi_book_seal_rows(&book, writer, seq, &block);
    itsi_book_reset(&book);
    int rc = itsi_batch_read(&batch, (uint8_t *)block.data, block.len, diag);
    struct itsi_db_lease lease = borrow();
    if (rc == 0)
        rc = itsi_batch_apply(&batch, lease.connection, itsi_wall_ns(), soon(), diag);
    give_back(&lease);
    itsi_batch_fini(&batch);
    itsi_buf_fini(&scratch);
    itsi_buf_fini(&block);
    return rc;
}

static void a_batch_is_applied_once(void **state)
{
    (void)state;
    struct its_diag diag;
    for (int i = 0; i < 3; i++) {
        note("a", "car", 1, 5);
        CHECK_OK(apply(77, 1, true, &diag), diag);
    }
    assert_int_equal(number("SELECT n FROM its_count"), 5);
    note("a", "car", 1, 2);
    CHECK_OK(apply(77, 2, true, &diag), diag);
    note("a", "car", 1, 100);
    CHECK_OK(apply(77, 1, true, &diag), diag); /* an older one, come late */
    assert_int_equal(number("SELECT n FROM its_count"), 7);
    note("a", "car", 1, 10);
    CHECK_OK(apply(78, 1, true, &diag), diag); /* another writer's numbers are its own */
    assert_int_equal(number("SELECT n FROM its_count"), 17);
}

static void a_batch_that_fails_is_not_there_at_all(void **state)
{
    (void)state;
    struct its_diag diag;
    const struct itsi_db_value event[] = {itsi_db_int(1),     itsi_db_text("a"),  itsi_db_text("left"),
                                          itsi_db_text("car"), itsi_db_int(3), itsi_db_text(NULL)};
    const struct itsi_db_value nothing[] = {itsi_db_int(1), itsi_db_text("a"), itsi_db_int(4),
                                            itsi_db_int(2), itsi_db_text(NULL), itsi_db_text(NULL)}; /* a reason is wanted */
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_QUALITY, nothing), 0);
    assert_int_equal(apply(5, 1, false, &diag), ITS_EINVAL);
    assert_int_equal(number("SELECT count(*) FROM its_event"), 0);
    assert_int_equal(number("SELECT count(*) FROM its_writer"), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), 0);
    CHECK_OK(apply(5, 1, false, &diag), diag);
    assert_int_equal(number("SELECT count(*) FROM its_event"), 1);
}

static void of_a_camera_the_newest_state_is_kept(void **state)
{
    (void)state;
    struct its_diag diag;
    const struct itsi_db_value rows[][3] = {
        {itsi_db_text("a"), itsi_db_int(10), itsi_db_text("{\"n\": 1}")},
        {itsi_db_text("a"), itsi_db_int(30), itsi_db_text("{\"n\": 3}")}, /* twice in a batch */
        {itsi_db_text("b"), itsi_db_int(10), itsi_db_text(NULL)},
        {itsi_db_text("a"), itsi_db_int(20), itsi_db_text("{\"n\": 2}")}, /* older than what is there */
    };
    for (int i = 0; i < 4; i++)
        assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, rows[i]), 0);
    CHECK_OK(apply(1, 1, false, &diag), diag);
    assert_int_equal(number("SELECT updated_ns FROM its_camera WHERE camera = 'a' AND settings = '{\"n\": 3}'"), 30);
    assert_int_equal(number("SELECT count(*) FROM its_camera WHERE settings IS NULL"), 1);
}

/* --- queries -------------------------------------------------------------------------------------------------------- */

struct page {
    char text[512];
    size_t used;
    int64_t last_ns, last_id, last_minute;
    char last_name[64];
    int rows;
};

static void say(struct page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    page->used += (size_t)vsnprintf(page->text + page->used, sizeof page->text - page->used, format, args);
    va_end(args);
    page->rows++;
}

static int keep_count(void *arg, const struct itsi_store_count_row *row)
{
    struct page *page = arg;
    say(page, "%d %s %d;", (int)row->minute, row->class_name, (int)row->n);
    page->last_minute = row->minute;
    snprintf(page->last_name, sizeof page->last_name, "%s", row->class_name);
    return 0;
}

static const char *counts(struct itsi_store_count_query query)
{
    static struct page page;
    struct its_diag diag;
    page = (struct page){.used = 0};
    do { /* page by page */
        page.rows = 0;
        CHECK_OK(itsi_store_counts(database, &query, keep_count, &page, soon(), &diag), diag);
        query.after_minute = page.last_minute;
        query.after_class = page.last_name;
    } while (page.rows == query.limit);
    return page.text;
}

static void counts_are_summed_up_by_bucket_and_paged(void **state)
{
    (void)state;
    struct its_diag diag;
    for (int64_t minute = 118; minute < 125; minute++) {
        note("a", "car", minute, minute);
        note("a", "bus", minute, 1);
        note("b", "car", minute, 1000);
    }
    CHECK_OK(apply(1, 1, true, &diag), diag);
    const struct itsi_store_count_query all = {
        .camera = "a", .from_minute = 119, .to_minute = 124, .bucket_minutes = 60, .limit = 100};
    const char *by_hour = "60 bus 1;60 car 119;120 bus 4;120 car 486;";
    assert_string_equal(counts(all), by_hour);
    for (int limit = 1; limit < 5; limit++) {
        struct itsi_store_count_query paged = all;
        paged.limit = limit;
        assert_string_equal(counts(paged), by_hour);
    }
    struct itsi_store_count_query cars = all;
    cars.class_name = "car";
    cars.bucket_minutes = 1;
    cars.limit = 2;
    assert_string_equal(counts(cars), "119 car 119;120 car 120;121 car 121;122 car 122;123 car 123;");
    cars.camera = "nobody";
    assert_string_equal(counts(cars), "");
    cars.limit = 0;
    assert_int_equal(itsi_store_counts(database, &cars, keep_count, NULL, soon(), &diag), ITS_EINVAL);
}

static int keep_event(void *arg, const struct itsi_store_event_row *row)
{
    struct page *page = arg;
    say(page, "%d %s %s %d;", (int)row->wall_ns, row->kind, row->class_name ? row->class_name : "-", (int)row->track);
    page->last_ns = row->wall_ns;
    page->last_id = row->id;
    return 0;
}

static int keep_violation(void *arg, const struct itsi_store_violation_row *row)
{
    say(arg, "%s %.2f %.2f %d %d %s;", row->stage, row->latency_ms, row->waited_ms, row->batch, row->level, row->trace);
    return 0;
}

static int keep_quality(void *arg, const struct itsi_store_quality_row *row)
{
    say(arg, "%d>%d %s %s;", row->from_level, row->to_level, row->reason, row->inputs);
    return 0;
}

static int keep_camera(void *arg, const struct itsi_store_camera_row *row)
{
    struct page *page = arg;
    say(page, "%s %d %s;", row->camera, (int)row->updated_ns, row->settings ? row->settings : "-");
    snprintf(page->last_name, sizeof page->last_name, "%s", row->camera);
    return 0;
}

static void what_happened_comes_newest_first_and_paged(void **state)
{
    (void)state;
    struct its_diag diag;
    for (int i = 0; i < 5; i++) { /* three at one instant */
        const struct itsi_db_value event[] = {itsi_db_int(i < 3 ? 100 : 100 + i), itsi_db_text("a"), itsi_db_text("left"),
                                              itsi_db_text(i % 2 ? "car" : NULL), itsi_db_int(i), itsi_db_text("{}")};
        assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), 0);
    }
    CHECK_OK(apply(1, 1, false, &diag), diag);
    for (int limit = 1; limit < 7; limit++) {
        struct itsi_store_page where = {.camera = "a", .before_ns = INT64_MAX, .before_id = INT64_MAX, .limit = limit};
        struct page page = {.used = 0};
        do {
            page.rows = 0;
            CHECK_OK(itsi_store_events(database, &where, keep_event, &page, soon(), &diag), diag);
            where.before_ns = page.last_ns;
            where.before_id = page.last_id;
        } while (page.rows == limit);
        assert_string_equal(page.text, "104 left - 4;103 left car 3;100 left - 2;100 left car 1;100 left - 0;");
    }
}

static void each_table_gives_back_what_was_put_in(void **state)
{
    (void)state;
    struct its_diag diag;
    const struct itsi_db_value violation[] = {itsi_db_int(1),     itsi_db_text("a"), itsi_db_text("ml_inference"),
                                              itsi_db_real(123.25), itsi_db_real(0.5), itsi_db_int(8),
                                              itsi_db_int(3),     itsi_db_text("00f0")};
    const struct itsi_db_value quality[] = {itsi_db_int(1), itsi_db_text("a"),    itsi_db_int(4),
                                            itsi_db_int(2), itsi_db_text("busy"), itsi_db_text("{\"busy\": 0.99}")};
    const struct itsi_db_value camera[] = {itsi_db_text("\xc3\xa4 \\ \"'\t"), itsi_db_int(9), itsi_db_text("{\"fps\": 25}")};
    const struct itsi_db_value gone[] = {itsi_db_text("b"), itsi_db_int(10), itsi_db_text(NULL)};
    const struct itsi_store_page where = {.camera = "a", .before_ns = INT64_MAX, .before_id = INT64_MAX, .limit = 10};
    struct page page = {.used = 0};
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_VIOLATION, violation), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_QUALITY, quality), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, camera), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, gone), 0);
    CHECK_OK(apply(1, 1, false, &diag), diag);
    CHECK_OK(itsi_store_violations(database, &where, keep_violation, &page, soon(), &diag), diag);
    CHECK_OK(itsi_store_quality_changes(database, &where, keep_quality, &page, soon(), &diag), diag);
    CHECK_OK(itsi_store_cameras(database, NULL, 1, keep_camera, &page, soon(), &diag), diag);
    CHECK_OK(itsi_store_cameras(database, page.last_name, 1, keep_camera, &page, soon(), &diag), diag);
    assert_string_equal(page.text, "ml_inference 123.25 0.50 8 3 00f0;4>2 busy {\"busy\": 0.99};b 10 -;"
                                   "\xc3\xa4 \\ \"'\t 9 {\"fps\": 25};");
}

/* --- retention ------------------------------------------------------------------------------------------------------ */

static void what_is_too_old_is_deleted_in_steps(void **state)
{
    (void)state;
    enum { DAY_MINUTES = 1440, OLD = 5000, TODAY = 20000 };
    const int64_t day_ns = INT64_C(86400) * ITSI_NS_PER_S, wall_ns = TODAY * day_ns;
    const int days[ITSI_STORE_TABLES] = {[ITSI_STORE_COUNT] = 10, [ITSI_STORE_EVENT] = 2};
    struct itsi_retention retention;
    struct its_diag diag;
    uint64_t deleted = 0;
    char camera[16];
    for (int i = 0; i < OLD; i++)
        note(i % 2 ? "a" : "b", "car", (TODAY - 11) * INT64_C(1440) - i, 1);
    for (int i = 0; i < 10; i++)
        note("a", "car", (TODAY - 10) * INT64_C(1440) + i, 1);
    CHECK_OK(apply(1, 1, true, &diag), diag);
    for (int i = 0; i < 100; i++) { /* half of them too old; and violations, kept for ever */
        snprintf(camera, sizeof camera, "camera_%d", i % 7);
        const struct itsi_db_value event[] = {itsi_db_int(wall_ns - (i % 2 ? 1 : 3) * day_ns), itsi_db_text(camera),
                                              itsi_db_text("left"), itsi_db_text(NULL), itsi_db_text(NULL), itsi_db_text(NULL)};
        const struct itsi_db_value violation[] = {itsi_db_int(1),  itsi_db_text(camera), itsi_db_text("s"), itsi_db_real(1),
                                                  itsi_db_real(1), itsi_db_int(1),       itsi_db_int(1),    itsi_db_text(NULL)};
        assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), 0);
        assert_int_equal(itsi_book_put(&book, ITSI_STORE_VIOLATION, violation), 0);
    }
    CHECK_OK(apply(1, 2, false, &diag), diag);
    itsi_retention_init(&retention, days, 0);
    struct itsi_db_lease lease = borrow();
    int steps = 0;
    for (int64_t now = 0; retention.next_ns - now < 1800 * ITSI_NS_PER_S; steps++) {
        const uint64_t before = deleted;
        now = retention.next_ns;
        CHECK_OK(itsi_retention_step(&retention, lease.connection, 1, now, wall_ns, soon(), &deleted, &diag), diag);
        assert_true(deleted - before <= 2000);
    }
    assert_int_equal(deleted, OLD + 50);
    assert_true(steps >= 5);
    struct itsi_retention other;
    uint64_t none = 0;
    itsi_retention_init(&other, days, 0);
    CHECK_OK(itsi_retention_step(&other, lease.connection, 2, 0, wall_ns, soon(), &none, &diag), diag);
    assert_true(other.next_ns > 1800 * ITSI_NS_PER_S); /* it is the first one's duty */
    CHECK_OK(itsi_retention_step(&other, lease.connection, 2, 0, wall_ns + 61 * ITSI_NS_PER_S, soon(), &none, &diag), diag);
    assert_true(other.next_ns < 1800 * ITSI_NS_PER_S); /* which has left it */
    give_back(&lease);
    assert_int_equal(number("SELECT count(*) FROM its_count"), 10);
    assert_int_equal(number("SELECT count(*) FROM its_event"), 50);
    assert_int_equal(number("SELECT count(*) FROM its_violation"), 100);
}

/* --- the whole ------------------------------------------------------------------------------------------------------ */

static char folder[64];

static struct itsi_store *open_store(int queue_rows)
{
    const struct its_cfg_store cfg = {.flush_interval_seconds = 0.05, .spool_max_mb = 64};
    struct itsi_store_params params = itsi_store_params_of(&cfg);
    struct itsi_store *store;
    struct its_diag diag;
    params.database = database;
    params.spool_folder = folder;
    params.queue_rows = queue_rows;
    params.batch_rows = queue_rows / 2;
    params.retry_most_ns = 200 * ITSI_NS_PER_MS;
    CHECK_OK(itsi_store_create(&store, &params, &diag), diag);
    return store;
}

static uint64_t sum(const uint64_t rows[ITSI_STORE_TABLES])
{
    uint64_t all = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        all += rows[t];
    return all;
}

static struct itsi_store_stats wait_until_written(struct itsi_store *store, uint64_t rows)
{
    struct itsi_store_stats stats;
    const int64_t deadline = soon();
    for (;;) {
        itsi_store_stats(store, &stats);
        if (sum(stats.written) >= rows)
            return stats;
        if (itsi_now_ns() > deadline)
            fail_msg("%d of %d rows written: %s", (int)sum(stats.written), (int)rows, stats.last_error);
        itsi_sleep_until_ns(itsi_now_ns() + 2 * ITSI_NS_PER_MS);
    }
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
    struct itsi_store_stats stats = wait_until_written(store, 5);
    assert_int_equal(sum(stats.queued), 5);
    assert_int_equal(stats.waiting, 0);
    assert_false(stats.is_away);
    const uint64_t allocations = itsi_alloc_count();
    for (int i = 0; i < 100; i++)
        assert_int_equal(itsi_store_count(store, "a", "car", 7, 1), 0);
    assert_true(itsi_alloc_count() - allocations <= 3); /* the writer's, in between: a batch's memory grows once */
    itsi_store_destroy(store, soon());
    assert_int_equal(number("SELECT n FROM its_count"), 102); /* those noted last were written at the end */
    assert_int_equal(number("SELECT count(*) FROM its_event WHERE track = 4 AND class = 'car'"), 1);
    assert_int_equal(number("SELECT count(*) FROM its_violation"), 1);
    assert_int_equal(number("SELECT count(*) FROM its_quality_change WHERE to_level = 3"), 1);
    assert_int_equal(number("SELECT count(*) FROM its_camera"), 1);
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
    assert_int_equal(sum(stats.queued), 0);
    itsi_store_destroy(store, soon());
}

enum { PRODUCERS = 4, NOTES = 20000 };

static void *produce(void *store)
{
    char camera[16];
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
    itsi_store_destroy(store, soon());
    assert_true(kept > 0);
    assert_int_equal(number("SELECT CAST(sum(n) AS BIGINT) FROM its_count"), kept);
}

static void what_lies_in_the_spool_arrives_first_and_in_order(void **state)
{
    (void)state;
    struct itsi_spool *spool;
    struct its_diag diag;
    struct itsi_buf block;
    itsi_buf_init(&block);
    CHECK_OK(itsi_spool_open(&spool, folder, 1 << 24, NULL, NULL, &diag), diag);
    for (uint64_t seq = 1; seq <= 20; seq++) { /* of a process that ended; one batch lies there twice */
        const struct itsi_db_value event[] = {itsi_db_int((int64_t)seq), itsi_db_text("a"),  itsi_db_text("left"),
                                              itsi_db_text(NULL),        itsi_db_text(NULL), itsi_db_text(NULL)};
        assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), 0);
        itsi_buf_reset(&block);
        itsi_book_seal_rows(&book, 4711, seq, &block);
        itsi_book_reset(&book);
        for (int i = 0; i < (seq == 10 ? 2 : 1); i++)
            CHECK_OK(itsi_spool_put(spool, (uint8_t *)block.data, block.len, 1, &diag), diag);
    }
    itsi_spool_close(spool);
    itsi_buf_fini(&block);
    struct itsi_store *store = open_store(1000);
    const struct itsi_store_event now = {.wall_ns = 21, .camera = "a", .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &now), 0);
    struct itsi_store_stats stats = wait_until_written(store, 22);
    assert_int_equal(stats.found[ITSI_STORE_EVENT], 21);
    itsi_store_destroy(store, soon());
    assert_int_equal(number("SELECT count(*) FROM its_event"), 21);
    /* numbered by the database as they came */
    assert_int_equal(number("SELECT count(*) FROM its_event a JOIN its_event b ON a.id < b.id AND a.time_ns > b.time_ns"), 0);
}

static void a_missing_table_spools_and_mends(void **state)
{
    (void)state;
    struct itsi_store *store = open_store(1000);
    struct itsi_store_stats stats;
    assert_int_equal(itsi_store_count(store, "a", "car", 1, 1), 0);
    wait_until_written(store, 1);
    sql("ALTER TABLE its_event RENAME TO its_elsewhere");
    const struct itsi_store_event event = {.wall_ns = 1, .camera = "a", .kind = "left"};
    assert_int_equal(itsi_store_track_event(store, &event), 0);
    do
        itsi_store_stats(store, &stats);
    while (!stats.is_away || !stats.spool_files);
    CHECK_CONTAINS(stats.last_error, "its_event");
    sql("ALTER TABLE its_elsewhere RENAME TO its_event");
    wait_until_written(store, 2);
    itsi_store_destroy(store, soon());
    assert_int_equal(number("SELECT count(*) FROM its_event"), 1);
}

static void making_one_survives_any_allocation_failing(void **state)
{
    (void)state;
    const struct its_cfg_store cfg = {.flush_interval_seconds = 0.05, .spool_max_mb = 64};
    struct itsi_store_params params = itsi_store_params_of(&cfg);
    struct itsi_store *store;
    struct its_diag diag;
    params.database = database;
    params.spool_folder = folder;
    params.queue_rows = 10;
    for (int n = 1; n <= 15; n++) { /* itself, twice six of the books, and two of the spool */
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_store_create(&store, &params, &diag), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
}

/* --- running -------------------------------------------------------------------------------------------------------- */

#define ON(setup, test) cmocka_unit_test_setup(test, setup)

static int run_tests(const char *name)
{
    static const struct CMUnitTest tests[] = {
        ON(empty, migrations_run_once_however_many_ask),
        ON(empty, a_newer_schema_is_refused_by_name),
        ON(empty, a_migration_that_fails_leaves_nothing_behind),
        ON(made, a_batch_is_applied_once),
        ON(made, a_batch_that_fails_is_not_there_at_all),
        ON(made, of_a_camera_the_newest_state_is_kept),
        ON(made, counts_are_summed_up_by_bucket_and_paged),
        ON(made, what_happened_comes_newest_first_and_paged),
        ON(made, each_table_gives_back_what_was_put_in),
        ON(made, what_is_too_old_is_deleted_in_steps),
        ON(empty, what_is_noted_arrives),
        ON(empty, what_cannot_be_kept_is_counted),
        ON(empty, many_producers_lose_nothing_that_was_taken),
        ON(empty, what_lies_in_the_spool_arrives_first_and_in_order),
        ON(empty, a_missing_table_spools_and_mends),
        ON(empty, making_one_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int store_conformance_run(const char *name, const char *url, const char *path)
{
    const struct its_cfg_connection_pool cfg = {
        .db_pool_size = 4, .db_max_overflow = 4, .db_pool_recycle = 3600, .db_pool_pre_ping = true, .db_pool_timeout = 30};
    struct itsi_loop *loop;
    struct its_diag diag;
    char lock[80];
    snprintf(folder, sizeof folder, "/tmp/its-store-test-XXXXXX");
    if (!mkdtemp(folder) || itsi_loop_create(&loop, "pools", &diag) != 0)
        return 1;
    if (itsi_database_create(&database, loop, url, path, &cfg, &diag) != 0 || itsi_book_init(&book, 10000, 1 << 20, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    int failed = run_tests(name);
    itsi_book_fini(&book);
    itsi_database_destroy(database, soon());
    itsi_loop_destroy(loop);
    snprintf(lock, sizeof lock, "%s/lock", folder);
    unlink(lock);
    rmdir(folder);
    return failed;
}

/* The store's batches, queries and retention. */
#include "support/store_world.h"

#include "store/apply.h"
#include "store/query.h"
#include "store/retain.h"

#include <stdarg.h>

/* --- batches ------------------------------------------------------------------------------------------------------- */

static void note(const char *camera, const char *class_name, int64_t minute, int64_t n)
{
    bool is_new;
    assert_int_equal(itsi_book_count(&store_book, camera, class_name, minute, n, &is_new), 0);
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
        itsi_book_seal_counts(&store_book, writer, seq, &scratch, &block);
    else
        itsi_book_seal_rows(&store_book, writer, seq, &block);
    itsi_book_reset(&store_book);
    int rc = itsi_batch_read(&batch, (uint8_t *)block.data, block.len, diag);
    struct itsi_db_lease lease = store_borrow();
    if (rc == 0)
        rc = itsi_batch_apply(&batch, lease.connection, itsi_wall_ns(), store_soon(), diag);
    store_give_back(&lease);
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
    assert_int_equal(store_number("SELECT n FROM its_count"), 5);
    note("a", "car", 1, 2);
    CHECK_OK(apply(77, 2, true, &diag), diag);
    note("a", "car", 1, 100);
    CHECK_OK(apply(77, 1, true, &diag), diag); /* an older one, come late */
    assert_int_equal(store_number("SELECT n FROM its_count"), 7);
    note("a", "car", 1, 10);
    CHECK_OK(apply(78, 1, true, &diag), diag); /* another writer's numbers are its own */
    assert_int_equal(store_number("SELECT n FROM its_count"), 17);
}

static void a_batch_that_fails_is_not_there_at_all(void **state)
{
    (void)state;
    struct its_diag diag;
    const struct itsi_db_value event[] = {itsi_db_int(1),     itsi_db_text("a"),  itsi_db_text("left"),
                                          itsi_db_text("car"), itsi_db_int(3), itsi_db_text(NULL)};
    const struct itsi_db_value quality[] = {itsi_db_int(1), itsi_db_text("a"),    itsi_db_int(4),
                                            itsi_db_int(2), itsi_db_text("busy"), itsi_db_text(NULL)};
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_EVENT, event), 0);
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_QUALITY, quality), 0);
    store_sql("DROP TABLE its_quality_change");
    assert_int_equal(apply(5, 1, false, &diag), ITS_EINVAL);
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 0);
    assert_int_equal(store_number("SELECT count(*) FROM its_writer"), 0);
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_EVENT, event), 0);
    CHECK_OK(apply(5, 1, false, &diag), diag);
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 1);
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
        assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_CAMERA, rows[i]), 0);
    CHECK_OK(apply(1, 1, false, &diag), diag);
    assert_int_equal(store_number("SELECT updated_ns FROM its_camera WHERE camera = 'a' AND settings = '{\"n\": 3}'"), 30);
    assert_int_equal(store_number("SELECT count(*) FROM its_camera WHERE settings IS NULL"), 1);
}

/* Of a clock that was wrong for a while. */
static void a_state_of_the_future_does_not_last(void **state)
{
    (void)state;
    struct its_diag diag;
    const int64_t now = itsi_wall_ns(), hour = 3600 * ITSI_NS_PER_S; /* ahead: set by hand, or summer's time by mistake */
    const struct itsi_db_value rows[][3] = {{itsi_db_text("a"), itsi_db_int(now + hour), itsi_db_text("{}")},
                                            {itsi_db_text("a"), itsi_db_int(now), itsi_db_text(NULL)}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_CAMERA, rows[i]), 0);
    CHECK_OK(apply(1, 1, false, &diag), diag);
    assert_int_equal(store_number("SELECT count(*) FROM its_camera WHERE settings IS NULL"), 1);
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
        CHECK_OK(itsi_store_counts(store_database, &query, keep_count, &page, store_soon(), &diag), diag);
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
    assert_int_equal(itsi_store_counts(store_database, &cars, keep_count, NULL, store_soon(), &diag), ITS_EINVAL);
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
        assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_EVENT, event), 0);
    }
    CHECK_OK(apply(1, 1, false, &diag), diag);
    for (int limit = 1; limit < 7; limit++) {
        struct itsi_store_page where = {.camera = "a", .before_ns = INT64_MAX, .before_id = INT64_MAX, .limit = limit};
        struct page page = {.used = 0};
        do {
            page.rows = 0;
            CHECK_OK(itsi_store_events(store_database, &where, keep_event, &page, store_soon(), &diag), diag);
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
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_VIOLATION, violation), 0);
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_QUALITY, quality), 0);
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_CAMERA, camera), 0);
    assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_CAMERA, gone), 0);
    CHECK_OK(apply(1, 1, false, &diag), diag);
    CHECK_OK(itsi_store_violations(store_database, &where, keep_violation, &page, store_soon(), &diag), diag);
    CHECK_OK(itsi_store_quality_changes(store_database, &where, keep_quality, &page, store_soon(), &diag), diag);
    CHECK_OK(itsi_store_cameras(store_database, NULL, 1, keep_camera, &page, store_soon(), &diag), diag);
    CHECK_OK(itsi_store_cameras(store_database, page.last_name, 1, keep_camera, &page, store_soon(), &diag), diag);
    for (int i = 0; i < 2; i++) { /* gone, and never there */
        bool known = i == 1;
        CHECK_OK(itsi_store_camera_known(store_database, i == 0 ? "b" : "c", &known, store_soon(), &diag), diag);
        assert_int_equal(known, i == 0);
    }
    assert_string_equal(page.text, "ml_inference 123.25 0.50 8 3 00f0;4>2 busy {\"busy\": 0.99};b 10 -;"
                                   "\xc3\xa4 \\ \"'\t 9 {\"fps\": 25};");
}

/* --- retention ------------------------------------------------------------------------------------------------------ */

/* As a process has left it that ended a moment ago. */
static void keep_trusted(int64_t wall_ns)
{
    char text[128];
    snprintf(text, sizeof text, "INSERT INTO its_duty (duty, holder, until_ns) VALUES ('clock', 9, %lld)", (long long)wall_ns);
    store_sql(text);
}

/* Steps until the next pass is far away. */
static void whole_pass(struct itsi_retention *retention, struct itsi_db_connection *db, int64_t wall_ns, uint64_t *deleted)
{
    struct its_diag diag;
    int64_t now;
    do {
        now = retention->next_ns;
        CHECK_OK(itsi_retention_step(retention, db, 1, now, wall_ns, store_soon(), deleted, &diag), diag);
    } while (retention->next_ns - now < 60 * ITSI_NS_PER_S);
}

static const int ten_days[ITSI_STORE_TABLES] = {[ITSI_STORE_COUNT] = 10};

/* Of day 19995. */
static void begin_with_one_row(void)
{
    struct its_diag diag;
    note("a", "car", 19995 * INT64_C(1440), 1);
    CHECK_OK(apply(1, 1, true, &diag), diag);
}

static void a_clock_that_jumps_ahead_deletes_nothing(void **state)
{
    (void)state;
    const int64_t day_ns = INT64_C(86400) * ITSI_NS_PER_S, wall_ns = 20000 * day_ns;
    struct itsi_retention retention;
    uint64_t deleted = 0;
    begin_with_one_row();
    keep_trusted(wall_ns);
    struct itsi_db_lease lease = store_borrow();
    itsi_retention_init(&retention, ten_days, 0); /* of a process that starts with a wrong clock */
    whole_pass(&retention, lease.connection, wall_ns + 4000 * day_ns, &deleted);
    assert_true(itsi_retention_is_in_doubt(&retention));
    whole_pass(&retention, lease.connection, wall_ns, &deleted);
    assert_false(itsi_retention_is_in_doubt(&retention));
    assert_int_equal(deleted, 0);
    assert_int_equal(store_number("SELECT (until_ns - 1728000000000000000) / 3600000000000 FROM its_duty WHERE duty = 'clock'"), 0);
    whole_pass(&retention, lease.connection, wall_ns + 4000 * day_ns, &deleted);
    retention.next_ns += 6 * 3600 * ITSI_NS_PER_S; /* it lasted */
    whole_pass(&retention, lease.connection, wall_ns + 4000 * day_ns + day_ns / 3, &deleted);
    assert_int_equal(deleted, 1);
    store_give_back(&lease);
}

/* Of a program that kept no time yet: when it last wrote is known all the same. */
static void a_database_that_knows_no_time_knows_when_it_was_written(void **state)
{
    (void)state;
    const int64_t day_ns = INT64_C(86400) * ITSI_NS_PER_S, wall_ns = 20000 * day_ns;
    struct itsi_retention retention;
    uint64_t deleted = 0;
    begin_with_one_row();
    store_sql("UPDATE its_writer SET updated_ns = 1728000000000000000"); /* wall_ns */
    struct itsi_db_lease lease = store_borrow();
    itsi_retention_init(&retention, ten_days, 0);
    whole_pass(&retention, lease.connection, wall_ns + 4000 * day_ns, &deleted);
    assert_true(itsi_retention_is_in_doubt(&retention));
    for (int i = 0; i < 6; i++) {
        retention.next_ns += 3600 * ITSI_NS_PER_S;
        whole_pass(&retention, lease.connection, wall_ns + 4000 * day_ns, &deleted);
    }
    assert_int_equal(deleted, 1); /* it lasted */
    assert_false(itsi_retention_is_in_doubt(&retention));
    store_give_back(&lease);
}

/* A daemon of five hours a day, with another hour or two for the first passes of the later days. */
static void hours_of_several_processes_add_up(void **state)
{
    (void)state;
    const int64_t day_ns = INT64_C(86400) * ITSI_NS_PER_S, hour_ns = day_ns / 24, known_ns = 20000 * day_ns;
    struct itsi_retention retention;
    uint64_t deleted = 0;
    begin_with_one_row();
    keep_trusted(known_ns);
    struct itsi_db_lease lease = store_borrow();
    for (int day = 0; day < 2; day++) {
        const int64_t begin_ns = known_ns + (30 + day) * day_ns; /* it was away for a month */
        assert_int_equal(deleted, 0);
        itsi_retention_init(&retention, ten_days, 0);
        for (int hour = 0; hour <= 4; hour++) {
            retention.next_ns = hour * hour_ns;
            whole_pass(&retention, lease.connection, begin_ns + hour * hour_ns, &deleted);
        }
    }
    assert_int_equal(deleted, 1);
    assert_false(itsi_retention_is_in_doubt(&retention));
    store_give_back(&lease);
}

static void what_is_too_old_is_deleted_in_steps(void **state)
{
    (void)state;
    enum { DAY_MINUTES = 1440, OLD = 5000, TODAY = 20000 };
    const int64_t day_ns = INT64_C(86400) * ITSI_NS_PER_S, wall_ns = TODAY * day_ns;
    const int days[ITSI_STORE_TABLES] = {[ITSI_STORE_COUNT] = 10, [ITSI_STORE_EVENT] = 2};
    struct itsi_retention retention;
    struct its_diag diag;
    uint64_t deleted = 0;
    char camera[24];
    for (int i = 0; i < OLD; i++)
        note(i % 2 ? "a" : "b", "car", (TODAY - 11) * INT64_C(1440) - i, 1);
    for (int i = 0; i < 10; i++)
        note("a", "car", (TODAY - 10) * INT64_C(1440) + 2 + i, 1); /* a minute passes below */
    CHECK_OK(apply(1, 1, true, &diag), diag);
    for (int i = 0; i < 100; i++) { /* half of them too old; and violations, kept for ever */
        snprintf(camera, sizeof camera, "camera_%d", i % 7);
        const struct itsi_db_value event[] = {itsi_db_int(wall_ns - (i % 2 ? 1 : 3) * day_ns), itsi_db_text(camera),
                                              itsi_db_text("left"), itsi_db_text(NULL), itsi_db_text(NULL), itsi_db_text(NULL)};
        const struct itsi_db_value violation[] = {itsi_db_int(1),  itsi_db_text(camera), itsi_db_text("s"), itsi_db_real(1),
                                                  itsi_db_real(1), itsi_db_int(1),       itsi_db_int(1),    itsi_db_text(NULL)};
        assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_EVENT, event), 0);
        assert_int_equal(itsi_book_put(&store_book, ITSI_STORE_VIOLATION, violation), 0);
    }
    CHECK_OK(apply(1, 2, false, &diag), diag);
    keep_trusted(wall_ns);
    itsi_retention_init(&retention, days, 0);
    struct itsi_db_lease lease = store_borrow();
    int steps = 0;
    for (int64_t now = 0; retention.next_ns - now < 1800 * ITSI_NS_PER_S; steps++) {
        const uint64_t before = deleted;
        now = retention.next_ns;
        CHECK_OK(itsi_retention_step(&retention, lease.connection, 1, now, wall_ns, store_soon(), &deleted, &diag), diag);
        assert_true(deleted - before <= 2000);
    }
    assert_int_equal(deleted, OLD + 50);
    assert_true(steps >= 5);
    struct itsi_retention other;
    uint64_t none = 0;
    itsi_retention_init(&other, days, 0);
    CHECK_OK(itsi_retention_step(&other, lease.connection, 2, 0, wall_ns, store_soon(), &none, &diag), diag);
    assert_true(other.next_ns > 1800 * ITSI_NS_PER_S); /* it is the first one's duty */
    CHECK_OK(itsi_retention_step(&other, lease.connection, 2, 0, wall_ns + 61 * ITSI_NS_PER_S, store_soon(), &none, &diag), diag);
    assert_true(other.next_ns < 1800 * ITSI_NS_PER_S); /* which has left it */
    store_give_back(&lease);
    assert_int_equal(store_number("SELECT count(*) FROM its_count"), 10);
    assert_int_equal(store_number("SELECT count(*) FROM its_event"), 50);
    assert_int_equal(store_number("SELECT count(*) FROM its_violation"), 100);
}

/* Of a process whose clock was wrong for a while: the others do not wait until then. */
static void a_duty_from_the_future_is_nobodys(void **state)
{
    (void)state;
    const int64_t now = 1000 * ITSI_NS_PER_S, soon = now + 60 * ITSI_NS_PER_S;
    const int64_t wall_ns = itsi_wall_ns(), year = 365 * INT64_C(86400) * ITSI_NS_PER_S;
    const int days[ITSI_STORE_TABLES] = {[ITSI_STORE_COUNT] = 10};
    struct itsi_retention wrong, right;
    struct its_diag diag;
    uint64_t deleted = 0;
    itsi_retention_init(&wrong, days, now);
    itsi_retention_init(&right, days, now);
    struct itsi_db_lease lease = store_borrow();
    CHECK_OK(itsi_retention_step(&wrong, lease.connection, 1, now, wall_ns + year, store_soon(), &deleted, &diag), diag);
    assert_true(wrong.next_ns < soon);
    CHECK_OK(itsi_retention_step(&right, lease.connection, 2, now, wall_ns, store_soon(), &deleted, &diag), diag);
    assert_true(right.next_ns < soon);
    store_give_back(&lease);
}

/* --- running -------------------------------------------------------------------------------------------------------- */

#define ON_MADE(test) cmocka_unit_test_setup(test, store_made)

int store_queries_run(const char *name)
{
    static const struct CMUnitTest tests[] = {
        ON_MADE(a_batch_is_applied_once),
        ON_MADE(a_batch_that_fails_is_not_there_at_all),
        ON_MADE(of_a_camera_the_newest_state_is_kept),
        ON_MADE(a_state_of_the_future_does_not_last),
        ON_MADE(counts_are_summed_up_by_bucket_and_paged),
        ON_MADE(what_happened_comes_newest_first_and_paged),
        ON_MADE(each_table_gives_back_what_was_put_in),
        ON_MADE(what_is_too_old_is_deleted_in_steps),
        ON_MADE(a_clock_that_jumps_ahead_deletes_nothing),
        ON_MADE(a_database_that_knows_no_time_knows_when_it_was_written),
        ON_MADE(hours_of_several_processes_add_up),
        ON_MADE(a_duty_from_the_future_is_nobodys),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

#include "support/database_conformance.h"

#include "base/clock.h"
#include "support/check.h"

static const struct database_case *the_case;
static struct itsi_db_connection *db;
static struct its_diag diag;

static int64_t soon(void)
{
    return itsi_now_ns() + 20 * ITSI_NS_PER_S;
}

static int sql(struct itsi_db_connection *on, const char *text)
{
    const struct itsi_db_statement statement = {.sql = text};
    return itsi_db_run(on, &statement, NULL, 0, NULL, NULL, soon(), &diag);
}

static int keep_number(void *arg, const struct itsi_db_value *values, int count)
{
    assert_int_equal(count, 1);
    assert_int_equal(values[0].type, ITSI_DB_INT);
    *(int64_t *)arg = values[0].number;
    return 0;
}

static int64_t number(const char *text)
{
    const struct itsi_db_statement statement = {.sql = text};
    int64_t found = -1;
    CHECK_OK(itsi_db_run(db, &statement, NULL, 0, keep_number, &found, soon(), &diag), diag);
    return found;
}

static int fresh(void **state)
{
    (void)state;
    CHECK_OK(the_case->open(&db, &diag), diag);
    CHECK_OK(sql(db, "DROP TABLE IF EXISTS seen"), diag);
    CHECK_OK(sql(db, "CREATE TABLE seen (id BIGINT PRIMARY KEY, n BIGINT, x DOUBLE PRECISION, name TEXT)"), diag);
    return 0;
}

static int done(void **state)
{
    (void)state;
    itsi_db_close(db);
    db = NULL;
    return 0;
}

static const struct itsi_db_statement insert = {.name = "insert_seen",
                                                .sql = "INSERT INTO seen (id, n, x, name) VALUES (?1, ?2, ?3, ?4)"};

static int put(struct itsi_db_connection *on, int64_t id, int64_t n, double x, const char *name)
{
    const struct itsi_db_value values[] = {itsi_db_int(id), itsi_db_int(n), itsi_db_real(x), itsi_db_text(name)};
    return itsi_db_run(on, &insert, values, 4, NULL, NULL, soon(), &diag);
}

struct read {
    int rows, stop_at;
    struct itsi_db_value values[4];
    char name[64];
};

static int read_row(void *arg, const struct itsi_db_value *values, int count)
{
    struct read *read = arg;
    assert_int_equal(count, 4);
    memcpy(read->values, values, sizeof read->values);
    if (values[3].type == ITSI_DB_TEXT) {
        assert_true(values[3].size < sizeof read->name);
        memcpy(read->name, values[3].bytes, values[3].size + 1);
    }
    return ++read->rows == read->stop_at ? ITS_ECANCELLED : 0;
}

static const struct itsi_db_statement by_id = {.name = "seen_by_id",
                                               .sql = "SELECT id, n, x, name FROM seen WHERE id >= ?1 ORDER BY id"};

static int read_from(int64_t id, struct read *read)
{
    const struct itsi_db_value value = itsi_db_int(id);
    return itsi_db_run(db, &by_id, &value, 1, read_row, read, soon(), &diag);
}

static void values_come_back_as_they_went(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "", "quote ' \" $1 ?1", "tab\tback\\slash\nline\r", "\xc3\xa9\xe2\x82\xac",
                                        "\\x41", "\\N", NULL};
    static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 33, 7, 8};
    static const double reals[] = {0, 0.1, -1e300, 5e-324, 1.0 / 3, HUGE_VAL, -HUGE_VAL, 12345678.9};
    for (int i = 0; i < 8; i++) {
        struct read read = {.rows = 0};
        CHECK_OK(put(db, i, numbers[i], reals[i], names[i]), diag);
        CHECK_OK(read_from(i, &read), diag);
        assert_int_equal(read.rows, 1);
        assert_true(read.values[1].number == numbers[i]);
        assert_int_equal(read.values[2].type, ITSI_DB_REAL);
        assert_memory_equal(&read.values[2].real, &reals[i], sizeof reals[i]);
        assert_int_equal(read.values[3].type, names[i] ? ITSI_DB_TEXT : ITSI_DB_NULL);
        if (names[i])
            assert_string_equal(read.name, names[i]);
    }
}

static int keep_blob(void *arg, const struct itsi_db_value *values, int count)
{
    assert_int_equal(count, 1);
    assert_int_equal(values[0].type, ITSI_DB_BLOB);
    assert_int_equal(values[0].size, 256);
    memcpy(arg, values[0].bytes, 256);
    return 0;
}

static void bytes_come_back_too(void **state)
{
    (void)state;
    static const struct itsi_db_statement drop = {.sql = "DROP TABLE IF EXISTS raw"},
        make = {.sql = "CREATE TABLE raw (b BLOB)", .postgres = "CREATE TABLE raw (b BYTEA)"},
        in = {.name = "raw_in", .sql = "INSERT INTO raw VALUES (?1)"}, out = {.name = "raw_out", .sql = "SELECT b FROM raw"};
    static const char *const columns[] = {"b"};
    static const enum itsi_db_type types[] = {ITSI_DB_BLOB};
    static const struct itsi_db_bulk bulk = {.table = "raw", .columns = columns, .types = types, .width = 1};
    unsigned char bytes[256], back[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    const struct itsi_db_value value = {.type = ITSI_DB_BLOB, .bytes = bytes, .size = sizeof bytes};
    for (int bulky = 0; bulky < 2; bulky++) {
        CHECK_OK(itsi_db_run(db, &drop, NULL, 0, NULL, NULL, soon(), &diag), diag);
        CHECK_OK(itsi_db_run(db, &make, NULL, 0, NULL, NULL, soon(), &diag), diag);
        if (bulky)
            CHECK_OK(itsi_db_append(db, &bulk, &value, 1, soon(), &diag), diag);
        else
            CHECK_OK(itsi_db_run(db, &in, &value, 1, NULL, NULL, soon(), &diag), diag);
        memset(back, 0, sizeof back);
        CHECK_OK(itsi_db_run(db, &out, NULL, 0, keep_blob, back, soon(), &diag), diag);
        assert_memory_equal(bytes, back, sizeof bytes);
    }
}

static void rows_end_when_no_more_are_wanted(void **state)
{
    (void)state;
    struct read read = {.stop_at = 2};
    for (int i = 0; i < 5; i++)
        CHECK_OK(put(db, i, i, i, "x"), diag);
    assert_int_equal(read_from(1, &read), ITS_ECANCELLED);
    assert_int_equal(read.rows, 2);
    read = (struct read){.rows = 0};
    CHECK_OK(read_from(1, &read), diag); /* and the statement can run again */
    assert_int_equal(read.rows, 4);
}

static void errors_name_the_statement_and_leave_the_connection_good(void **state)
{
    (void)state;
    CHECK_OK(put(db, 1, 1, 1, "one"), diag);
    assert_int_equal(put(db, 1, 2, 2, "again"), ITS_EEXISTS);
    CHECK_CONTAINS(diag.text, "insert_seen");
    assert_int_equal(sql(db, "SELECT nothing FROM nowhere"), ITS_EINVAL);
    CHECK_CONTAINS(diag.text, "nowhere");
    assert_int_equal(sql(db, "SELEKT"), ITS_EINVAL);
    assert_true(itsi_db_is_good(db));
    assert_int_equal(number("SELECT n FROM seen"), 1);
}

static void a_transaction_is_all_or_none(void **state)
{
    (void)state;
    CHECK_OK(itsi_db_begin(db, soon(), &diag), diag);
    CHECK_OK(put(db, 1, 1, 1, "kept?"), diag);
    itsi_db_rollback(db, soon());
    assert_int_equal(number("SELECT count(*) FROM seen"), 0);
    CHECK_OK(itsi_db_begin(db, soon(), &diag), diag);
    CHECK_OK(put(db, 1, 1, 1, "kept"), diag);
    CHECK_OK(itsi_db_commit(db, soon(), &diag), diag);
    assert_int_equal(number("SELECT count(*) FROM seen"), 1);
    CHECK_OK(itsi_db_begin(db, soon(), &diag), diag);
    CHECK_OK(put(db, 2, 1, 1, "lost with the next"), diag);
    assert_int_equal(put(db, 1, 1, 1, "taken"), ITS_EEXISTS);
    itsi_db_rollback(db, soon());
    assert_true(itsi_db_is_good(db));
    assert_int_equal(number("SELECT count(*) FROM seen"), 1);
}

enum { CALLS = 1000 };

static void a_pipeline_is_all_or_none(void **state)
{
    (void)state;
    static struct itsi_db_value values[CALLS][4];
    static struct itsi_db_call calls[CALLS];
    for (int i = 0; i < CALLS; i++) {
        values[i][0] = itsi_db_int(i);
        values[i][1] = itsi_db_int(i * 2);
        values[i][2] = itsi_db_real(i / 2.0);
        values[i][3] = itsi_db_text("row");
        calls[i] = (struct itsi_db_call){.statement = &insert, .values = values[i], .count = 4};
    }
    CHECK_OK(itsi_db_pipeline(db, calls, CALLS, soon(), &diag), diag);
    assert_int_equal(number("SELECT count(*) FROM seen"), CALLS);
    assert_true(number("SELECT CAST(sum(n) AS BIGINT) FROM seen") == (int64_t)CALLS * (CALLS - 1));
    CHECK_OK(sql(db, "DELETE FROM seen"), diag);
    values[CALLS / 2][0] = itsi_db_int(0); /* taken by the first */
    assert_int_equal(itsi_db_pipeline(db, calls, CALLS, soon(), &diag), ITS_EEXISTS);
    CHECK_CONTAINS(diag.text, "insert_seen");
    assert_int_equal(number("SELECT count(*) FROM seen"), 0);
    assert_true(itsi_db_is_good(db));
    values[CALLS / 2][0] = itsi_db_int(CALLS / 2);
    CHECK_OK(itsi_db_pipeline(db, calls, CALLS, soon(), &diag), diag);
    CHECK_OK(itsi_db_pipeline(db, calls, 0, soon(), &diag), diag);
}

enum { ROWS = 20000 };

static const char *const seen_columns[] = {"id", "n", "x", "name"};
static const enum itsi_db_type seen_types[] = {ITSI_DB_INT, ITSI_DB_INT, ITSI_DB_REAL, ITSI_DB_TEXT};

static void bulk_rows_arrive_all_or_none(void **state)
{
    (void)state;
    static const struct itsi_db_bulk bulk = {
        .table = "seen", .columns = seen_columns, .types = seen_types, .width = 4};
    static struct itsi_db_value rows[ROWS][4];
    for (int i = 0; i < ROWS; i++) {
        rows[i][0] = itsi_db_int(i);
        rows[i][1] = itsi_db_int(1);
        rows[i][2] = i % 3 ? itsi_db_real(0.25 * i) : itsi_db_text(NULL);
        rows[i][3] = itsi_db_text(i % 2 ? "tab\tand \\N" : "plain");
    }
    CHECK_OK(itsi_db_append(db, &bulk, rows[0], ROWS, soon(), &diag), diag);
    assert_int_equal(number("SELECT count(*) FROM seen"), ROWS);
    assert_int_equal(number("SELECT count(*) FROM seen WHERE x IS NULL"), (ROWS + 2) / 3);
    struct read read = {.stop_at = 2};
    assert_int_equal(read_from(10000, &read), ITS_ECANCELLED);
    assert_string_equal(read.name, "tab\tand \\N");
    CHECK_OK(sql(db, "DELETE FROM seen WHERE id < 10000"), diag);
    assert_int_equal(itsi_db_append(db, &bulk, rows[0], ROWS, soon(), &diag), ITS_EEXISTS);
    CHECK_CONTAINS(diag.text, "seen");
    assert_int_equal(number("SELECT count(*) FROM seen"), ROWS - 10000);
    assert_true(itsi_db_is_good(db));
}

static void bulk_rows_meet_what_is_there(void **state)
{
    (void)state;
    static const struct itsi_db_bulk bulk = {.table = "seen",
                                             .columns = seen_columns,
                                             .types = seen_types,
                                             .width = 2,
                                             .conflict = "(id) DO UPDATE SET n = t.n + excluded.n"};
    struct itsi_db_value rows[100][2];
    for (int i = 0; i < 100; i++) {
        rows[i][0] = itsi_db_int(i);
        rows[i][1] = itsi_db_int(i);
    }
    for (int again = 0; again < 3; again++)
        CHECK_OK(itsi_db_append(db, &bulk, rows[0], 100, soon(), &diag), diag);
    assert_int_equal(number("SELECT count(*) FROM seen"), 100);
    assert_int_equal(number("SELECT CAST(sum(n) AS BIGINT) FROM seen"), 3 * 99 * 100 / 2);
    CHECK_OK(itsi_db_begin(db, soon(), &diag), diag); /* twice in one transaction, and with what else is in it */
    CHECK_OK(itsi_db_append(db, &bulk, rows[0], 100, soon(), &diag), diag);
    CHECK_OK(put(db, 1000, 5, 0, "too"), diag);
    CHECK_OK(itsi_db_append(db, &bulk, rows[0], 100, soon(), &diag), diag);
    CHECK_OK(itsi_db_commit(db, soon(), &diag), diag);
    assert_int_equal(number("SELECT CAST(sum(n) AS BIGINT) FROM seen"), 5 * 99 * 100 / 2 + 5);
}

static void a_deadline_holds(void **state)
{
    (void)state;
    const struct itsi_db_statement slow = {.sql = the_case->slow_sql};
    int64_t start = itsi_now_ns();
    int rc = itsi_db_run(db, &slow, NULL, 0, NULL, NULL, start + 200 * ITSI_NS_PER_MS, &diag);
    assert_int_equal(rc, ITS_ETIMEOUT);
    CHECK_CONTAINS(diag.text, "deadline");
    assert_true(itsi_now_ns() - start < 10 * ITSI_NS_PER_S); /* alone it would never end */
    /* one that is still good works on; one that is not says so, and does not hand out what was meant for the other */
    if (itsi_db_is_good(db))
        assert_int_equal(number("SELECT count(*) FROM seen"), 0);
    else
        assert_int_equal(sql(db, "SELECT 1"), ITS_EIO);
}

static void a_lock_is_waited_for_until_the_deadline(void **state)
{
    (void)state;
    struct itsi_db_connection *other;
    CHECK_OK(the_case->open(&other, &diag), diag);
    CHECK_OK(put(db, 1, 1, 1, "one"), diag);
    CHECK_OK(itsi_db_begin(other, soon(), &diag), diag);
    CHECK_OK(sql(other, "UPDATE seen SET n = 2 WHERE id = 1"), diag);
    const struct itsi_db_statement update = {.name = "update_seen", .sql = "UPDATE seen SET n = n + 10 WHERE id = 1"};
    int64_t start = itsi_now_ns();
    int rc = itsi_db_begin(db, start + 150 * ITSI_NS_PER_MS, &diag); /* where SQLite waits */
    if (rc == 0)
        rc = itsi_db_run(db, &update, NULL, 0, NULL, NULL, start + 150 * ITSI_NS_PER_MS, &diag);
    assert_int_equal(rc, ITS_ETIMEOUT);
    assert_true(itsi_now_ns() - start >= 150 * ITSI_NS_PER_MS);
    itsi_db_rollback(db, soon());
    CHECK_OK(itsi_db_commit(other, soon(), &diag), diag);
    itsi_db_close(db);
    CHECK_OK(the_case->open(&db, &diag), diag);
    CHECK_OK(itsi_db_run(db, &update, NULL, 0, NULL, NULL, soon(), &diag), diag);
    assert_int_equal(number("SELECT n FROM seen"), 12);
    itsi_db_close(other);
}

static void too_many_parameters_are_refused(void **state)
{
    (void)state;
    struct itsi_db_value values[ITSI_DB_WIDTH + 1];
    for (int i = 0; i <= ITSI_DB_WIDTH; i++)
        values[i] = itsi_db_int(i);
    assert_int_equal(itsi_db_run(db, &insert, values, ITSI_DB_WIDTH + 1, NULL, NULL, soon(), &diag), ITS_EINVAL);
    assert_true(itsi_db_is_good(db));
}

int database_conformance_run(const struct database_case *c)
{
    static const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, fresh, done)
        T(values_come_back_as_they_went),
        T(bytes_come_back_too),
        T(rows_end_when_no_more_are_wanted),
        T(errors_name_the_statement_and_leave_the_connection_good),
        T(a_transaction_is_all_or_none),
        T(a_pipeline_is_all_or_none),
        T(bulk_rows_arrive_all_or_none),
        T(bulk_rows_meet_what_is_there),
        T(a_deadline_holds),
        T(a_lock_is_waited_for_until_the_deadline),
        T(too_many_parameters_are_refused),
#undef T
    };
    the_case = c;
    return _cmocka_run_group_tests(c->name, tests, sizeof tests / sizeof *tests, NULL, NULL);
}

#include "store/book.h"

#include "base/mem.h"
#include "base/rand.h"
#include "support/check.h"

static void open_book(struct itsi_book *book, size_t counts, size_t bytes)
{
    struct its_diag diag;
    CHECK_OK(itsi_book_init(book, counts, bytes, &diag), diag);
}

static int count(struct itsi_book *book, const char *camera, const char *class_name, int64_t minute, int64_t n)
{
    bool is_new;
    return itsi_book_count(book, camera, class_name, minute, n, &is_new);
}

static void read_counts(struct itsi_book *book, struct itsi_batch *batch, struct itsi_buf *block)
{
    struct itsi_buf scratch;
    struct its_diag diag;
    itsi_buf_init(&scratch);
    itsi_buf_init(block);
    itsi_book_seal_counts(book, 1, 1, &scratch, block);
    itsi_buf_fini(&scratch);
    itsi_batch_init(batch);
    CHECK_OK(itsi_batch_read(batch, (uint8_t *)block->data, block->len, &diag), diag);
}

/* Against a plain table of all of them. */
static void counts_are_summed_up_by_their_key(void **state)
{
    (void)state;
    enum { CAMERAS = 13, CLASSES = 5, MINUTES = 7 };
    int64_t expected[CAMERAS][CLASSES][MINUTES] = {{{0}}};
    struct itsi_book book;
    struct itsi_batch batch;
    struct itsi_buf block;
    struct itsi_rand rng;
    char camera[16], class_name[16];
    itsi_rand_seed(&rng, 7);
    open_book(&book, CAMERAS * CLASSES * MINUTES, 64);
    for (int i = 0; i < 5000; i++) {
        const uint32_t c = itsi_rand_below(&rng, CAMERAS), k = itsi_rand_below(&rng, CLASSES), m = itsi_rand_below(&rng, MINUTES);
        snprintf(camera, sizeof camera, "camera_%u", c);
        snprintf(class_name, sizeof class_name, "class%u", k);
        assert_int_equal(count(&book, camera, class_name, 1000 + m, (int64_t)i), 0);
        expected[c][k][m] += i;
    }
    read_counts(&book, &batch, &block);
    assert_int_equal(batch.head.rows[ITSI_STORE_COUNT], itsi_book_size(&book));
    const char *last = "";
    for (uint32_t r = 0; r < batch.head.rows[ITSI_STORE_COUNT]; r++) {
        const struct itsi_db_value *row = batch.values[ITSI_STORE_COUNT] + 4 * r;
        unsigned c, k;
        assert_int_equal(sscanf(row[0].bytes, "camera_%u", &c), 1);
        assert_int_equal(sscanf(row[2].bytes, "class%u", &k), 1);
        assert_int_equal(row[3].number, expected[c][k][row[1].number - 1000]);
        expected[c][k][row[1].number - 1000] = 0; /* once */
        assert_true(strcmp(last, row[0].bytes) <= 0);
        last = row[0].bytes;
    }
    for (size_t i = 0; i < CAMERAS * CLASSES * MINUTES; i++)
        assert_int_equal((&expected[0][0][0])[i], 0);
    itsi_batch_fini(&batch);
    itsi_buf_fini(&block);
    itsi_book_fini(&book);
}

static void a_full_book_takes_what_it_knows_and_nothing_else(void **state)
{
    (void)state;
    struct itsi_book book;
    const struct itsi_db_value camera[] = {itsi_db_text("c"), itsi_db_int(1), itsi_db_text("{}")};
    open_book(&book, 2, 40);
    assert_int_equal(count(&book, "a", "car", 1, 1), 0);
    assert_int_equal(count(&book, "b", "car", 1, 1), 0);
    assert_int_equal(count(&book, "c", "car", 1, 1), ITS_ELIMIT);
    assert_int_equal(count(&book, "a", "car", 1, 1), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, camera), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, camera), ITS_ELIMIT);
    assert_int_equal(itsi_book_size(&book), 3);
    itsi_book_reset(&book);
    assert_int_equal(itsi_book_size(&book), 0);
    assert_int_equal(count(&book, "c", "car", 1, 1), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, camera), 0);
    itsi_book_fini(&book);
}

static void what_no_database_takes_is_refused_at_once(void **state)
{
    (void)state;
    char longest[ITSI_STORE_CAMERA_SIZE + 1];
    struct itsi_book book;
    open_book(&book, 10, 1 << 20);
    memset(longest, 'x', sizeof longest);
    longest[ITSI_STORE_CAMERA_SIZE] = '\0';
    assert_int_equal(count(&book, longest, "car", 1, 1), ITS_EINVAL);
    longest[ITSI_STORE_CAMERA_SIZE - 1] = '\0';
    assert_int_equal(count(&book, longest, "car", 1, 1), 0);
    assert_int_equal(count(&book, "", "car", 1, 1), ITS_EINVAL);
    assert_int_equal(count(&book, NULL, "car", 1, 1), ITS_EINVAL);
    assert_int_equal(count(&book, "a", "\xff", 1, 1), ITS_EINVAL);
    assert_int_equal(count(&book, "a", "\xc3\xa4", 1, 1), 0);
    const struct itsi_db_value bad[] = {itsi_db_text("c"), itsi_db_int(1), itsi_db_text("\xed\xa0\x80")};
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, bad), ITS_EINVAL);
    const struct itsi_db_value nameless[] = {itsi_db_text(NULL), itsi_db_int(1), itsi_db_text("{}")};
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_CAMERA, nameless), ITS_EINVAL);
    itsi_book_fini(&book);
}

/* A row that the database refuses would take all of its batch along. */
static void what_the_tables_do_not_take_is_refused_at_once(void **state)
{
    (void)state;
    struct itsi_book book;
    open_book(&book, 4, 1000);
    const struct itsi_db_value nothing = itsi_db_text(NULL), name = itsi_db_text("c"), one = itsi_db_int(1);
    struct itsi_db_value event[] = {one, name, nothing, nothing, nothing, nothing};
    struct itsi_db_value violation[] = {one, name, name, itsi_db_real(0.0 / 0.0), itsi_db_real(1), one, one, nothing};
    struct itsi_db_value quality[] = {one, name, one, one, nothing, nothing};
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), ITS_EINVAL); /* of no kind */
    event[2] = name;
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_EVENT, event), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_VIOLATION, violation), ITS_EINVAL); /* of no number */
    violation[3] = itsi_db_real(1.0 / 0.0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_VIOLATION, violation), ITS_EINVAL);
    violation[3] = itsi_db_real(1);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_VIOLATION, violation), 0);
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_QUALITY, quality), ITS_EINVAL); /* without a reason */
    quality[4] = name;
    assert_int_equal(itsi_book_put(&book, ITSI_STORE_QUALITY, quality), 0);
    assert_int_equal(count(&book, "c", "car", 1, -1), ITS_EINVAL);
    assert_int_equal(count(&book, "c", "car", 1, INT64_MAX), ITS_EINVAL); /* with another one the sum would overflow */
    assert_int_equal(count(&book, "c", "car", 1, ITSI_STORE_COUNT_MOST), 0);
    assert_int_equal(itsi_book_size(&book), 4);
    itsi_book_fini(&book);
}

static void filling_it_allocates_nothing(void **state)
{
    (void)state;
    struct itsi_book book;
    char camera[24];
    open_book(&book, 1000, 1 << 16);
    const uint64_t before = itsi_alloc_count();
    for (int i = 0; i < 1000; i++) {
        snprintf(camera, sizeof camera, "camera_%d", i);
        assert_int_equal(count(&book, camera, "car", i, 1), 0);
    }
    assert_int_equal(itsi_alloc_count(), before);
    itsi_book_fini(&book);
}

static void making_one_survives_any_allocation_failing(void **state)
{
    (void)state;
    struct itsi_book book;
    struct its_diag diag;
    for (int n = 1; n <= 2 + ITSI_STORE_TABLES - 1; n++) {
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_book_init(&book, 10, 100, &diag), ITS_ENOMEM);
    }
    itsi_alloc_fail_at(0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_summed_up_by_their_key),
        cmocka_unit_test(a_full_book_takes_what_it_knows_and_nothing_else),
        cmocka_unit_test(what_no_database_takes_is_refused_at_once),
        cmocka_unit_test(what_the_tables_do_not_take_is_refused_at_once),
        cmocka_unit_test(filling_it_allocates_nothing),
        cmocka_unit_test(making_one_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

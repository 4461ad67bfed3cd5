#include "store/batch.h"

#include "base/mem.h"
#include "support/check.h"

static uint8_t counts[4096], events[4096];
static size_t counts_size, events_size;

static void put_rows(struct itsi_section sections[ITSI_STORE_TABLES])
{
    const struct itsi_db_value count[] = {itsi_db_text("camera_001"), itsi_db_int(29500000), itsi_db_text("car"), itsi_db_int(-7)};
    const struct itsi_db_value event[] = {itsi_db_int(INT64_MIN), itsi_db_text("camera_001"), itsi_db_text("left"),
                                          itsi_db_text(NULL), itsi_db_text(NULL), itsi_db_text("{\"x\": \"\\u00e4\"}")};
    memset(sections, 0, ITSI_STORE_TABLES * sizeof *sections);
    counts_size = events_size = 0;
    for (int i = 0; i < 3; i++)
        assert_true(itsi_row_put(counts, &counts_size, sizeof counts, count, 4));
    assert_true(itsi_row_put(events, &events_size, sizeof events, event, 6));
    sections[ITSI_STORE_COUNT] = (struct itsi_section){counts, counts_size, 3};
    sections[ITSI_STORE_EVENT] = (struct itsi_section){events, events_size, 1};
}

static void seal(struct itsi_buf *out)
{
    struct itsi_section sections[ITSI_STORE_TABLES];
    put_rows(sections);
    itsi_buf_init(out);
    itsi_batch_seal(out, UINT64_C(0x7123456789abcdef), 42, sections);
    assert_false(out->failed);
}

static void rows_come_back_as_they_were(void **state)
{
    (void)state;
    struct itsi_buf block;
    struct itsi_batch batch;
    struct its_diag diag;
    seal(&block);
    itsi_batch_init(&batch);
    CHECK_OK(itsi_batch_read(&batch, (uint8_t *)block.data, block.len, &diag), diag);
    assert_int_equal(batch.head.writer, UINT64_C(0x7123456789abcdef));
    assert_int_equal(batch.head.seq, 42);
    assert_int_equal(batch.head.rows[ITSI_STORE_COUNT], 3);
    assert_int_equal(batch.head.rows[ITSI_STORE_EVENT], 1);
    assert_int_equal(batch.head.rows[ITSI_STORE_CAMERA], 0);
    for (int r = 0; r < 3; r++) {
        const struct itsi_db_value *row = batch.values[ITSI_STORE_COUNT] + r * 4;
        assert_string_equal(row[0].bytes, "camera_001");
        assert_int_equal(row[0].size, 10);
        assert_int_equal(row[1].number, 29500000);
        assert_string_equal(row[2].bytes, "car");
        assert_int_equal(row[3].number, -7);
    }
    const struct itsi_db_value *event = batch.values[ITSI_STORE_EVENT];
    assert_true(event[0].number == INT64_MIN);
    assert_int_equal(event[3].type, ITSI_DB_NULL);
    assert_string_equal(event[5].bytes, "{\"x\": \"\\u00e4\"}");
    itsi_batch_fini(&batch);
    itsi_buf_fini(&block);
}

static void reals_keep_every_bit(void **state)
{
    (void)state;
    static const double numbers[] = {0.1, -0.0, 1e308, 5e-324};
    struct itsi_section sections[ITSI_STORE_TABLES] = {{0}};
    struct itsi_buf block;
    struct itsi_batch batch;
    struct its_diag diag;
    size_t size = 0;
    for (int i = 0; i < 4; i++) {
        const struct itsi_db_value row[] = {itsi_db_int(1), itsi_db_text("c"), itsi_db_text("s"), itsi_db_real(numbers[i]),
                                            itsi_db_real(-numbers[i]), itsi_db_int(2), itsi_db_int(3), itsi_db_text(NULL)};
        assert_true(itsi_row_put(events, &size, sizeof events, row, 8));
    }
    sections[ITSI_STORE_VIOLATION] = (struct itsi_section){events, size, 4};
    itsi_buf_init(&block);
    itsi_batch_seal(&block, 1, 1, sections);
    itsi_batch_init(&batch);
    CHECK_OK(itsi_batch_read(&batch, (uint8_t *)block.data, block.len, &diag), diag);
    for (int i = 0; i < 4; i++)
        assert_memory_equal(&batch.values[ITSI_STORE_VIOLATION][i * 8 + 3].real, &numbers[i], sizeof numbers[i]);
    itsi_batch_fini(&batch);
    itsi_buf_fini(&block);
}

static void a_row_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    const struct itsi_db_value row[] = {itsi_db_text("0123456789")};
    uint8_t bytes[32];
    size_t size = 0;
    assert_true(itsi_row_put(bytes, &size, sizeof bytes, row, 1));
    assert_int_equal(size, 16);
    assert_true(itsi_row_put(bytes, &size, sizeof bytes, row, 1));
    assert_int_equal(size, 32);
    assert_false(itsi_row_put(bytes, &size, sizeof bytes, row, 1));
    assert_int_equal(size, 32);
}

static void every_cut_and_every_flipped_bit_is_found(void **state)
{
    (void)state;
    struct itsi_buf block;
    struct itsi_batch batch;
    struct its_diag diag;
    seal(&block);
    itsi_batch_init(&batch);
    for (size_t size = 0; size < block.len; size++) {
        diag.text[0] = '\0';
        assert_int_equal(itsi_batch_read(&batch, (uint8_t *)block.data, size, &diag), ITS_EFORMAT);
        assert_true(diag.text[0]);
    }
    for (size_t bit = 0; bit < 8 * block.len; bit++) {
        block.data[bit / 8] = (char)(block.data[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(itsi_batch_read(&batch, (uint8_t *)block.data, block.len, &diag), ITS_EFORMAT);
        assert_int_equal(batch.head.rows[ITSI_STORE_COUNT], 0);
        block.data[bit / 8] = (char)(block.data[bit / 8] ^ 1 << bit % 8);
    }
    CHECK_OK(itsi_batch_read(&batch, (uint8_t *)block.data, block.len, &diag), diag);
    itsi_batch_fini(&batch);
    itsi_buf_fini(&block);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    struct itsi_buf block, none;
    struct itsi_batch batch;
    struct itsi_section sections[ITSI_STORE_TABLES];
    struct its_diag diag;
    seal(&block);
    itsi_batch_init(&batch);
    for (int n = 1; n <= 2; n++) { /* a table each */
        itsi_alloc_fail_at(n);
        assert_int_equal(itsi_batch_read(&batch, (uint8_t *)block.data, block.len, &diag), ITS_ENOMEM);
        itsi_batch_fini(&batch);
    }
    itsi_buf_init(&none);
    itsi_alloc_fail_at(1);
    put_rows(sections);
    itsi_batch_seal(&none, 1, 1, sections);
    itsi_alloc_fail_at(0);
    assert_true(none.failed);
    itsi_buf_fini(&none);
    itsi_buf_fini(&block);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(reals_keep_every_bit),
        cmocka_unit_test(a_row_that_does_not_fit_changes_nothing),
        cmocka_unit_test(every_cut_and_every_flipped_bit_is_found),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

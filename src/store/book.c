#include "store/book.h"

#include "base/diag.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- life -------------------------------------------------------------------------------------------------------- */

int itsi_book_init(struct itsi_book *book, size_t most_counts, size_t row_bytes, struct its_diag *diag)
{
    size_t places = 16;
    while (places < 2 * most_counts)
        places *= 2;
    memset(book, 0, sizeof *book);
    book->most_counts = most_counts;
    book->index_mask = places - 1;
    book->counts = itsi_calloc(most_counts, sizeof *book->counts);
    book->index = itsi_calloc(places, sizeof *book->index);
    bool failed = !book->counts || !book->index;
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        if (t == ITSI_STORE_COUNT)
            continue;
        book->rows[t].most = row_bytes;
        book->rows[t].bytes = itsi_alloc(row_bytes);
        failed = failed || !book->rows[t].bytes;
    }
    if (!failed)
        return 0;
    itsi_book_fini(book);
    return itsi_fail(diag, ITS_ENOMEM, "store: out of memory");
}

void itsi_book_fini(struct itsi_book *book)
{
    itsi_free(book->counts);
    itsi_free(book->index);
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        itsi_free(book->rows[t].bytes);
    memset(book, 0, sizeof *book);
}

void itsi_book_reset_counts(struct itsi_book *book)
{
    if (book->count_rows)
        memset(book->index, 0, (book->index_mask + 1) * sizeof *book->index);
    book->count_rows = 0;
}

void itsi_book_reset_rows(struct itsi_book *book)
{
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        book->rows[t].size = book->rows[t].rows = 0;
}

void itsi_book_reset(struct itsi_book *book)
{
    itsi_book_reset_counts(book);
    itsi_book_reset_rows(book);
}

/* --- filling ----------------------------------------------------------------------------------------------------- */

/* A text that every database takes, shorter than `size`. */
static bool is_text(const char *text, size_t size)
{
    size_t used = 0;
    for (size_t step; text[used]; used += step)
        if (!(step = itsi_utf8_length(text + used, SIZE_MAX)) || used + step >= size)
            return false;
    return true;
}

static bool is_name(const char *text, size_t size)
{
    return text && *text && is_text(text, size);
}

/* Mixed in the end, since the places are its lowest bits. */
static uint64_t hash_of(const char *camera, const char *class_name, int64_t minute)
{
    uint64_t hash = itsi_hash_bytes(1, camera, strlen(camera) + 1);
    hash = itsi_hash_bytes(hash, class_name, strlen(class_name));
    hash = (hash ^ (uint64_t)minute) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

int itsi_book_count(struct itsi_book *book, const char *camera, const char *class_name, int64_t minute, int64_t n, bool *is_new)
{
    if (!is_name(camera, ITSI_STORE_CAMERA_SIZE) || !is_name(class_name, ITSI_STORE_CLASS_SIZE) || n < 0 ||
        n > ITSI_STORE_COUNT_MOST)
        return ITS_EINVAL;
    size_t place = hash_of(camera, class_name, minute) & book->index_mask;
    for (; book->index[place]; place = (place + 1) & book->index_mask) {
        struct itsi_book_count *known = &book->counts[book->index[place] - 1];
        if (known->minute == minute && strcmp(known->camera, camera) == 0 && strcmp(known->class_name, class_name) == 0) {
            known->n += n;
            *is_new = false;
            return 0;
        }
    }
    if (book->count_rows == book->most_counts)
        return ITS_ELIMIT;
    struct itsi_book_count *row = &book->counts[book->count_rows++];
    strcpy(row->camera, camera);
    strcpy(row->class_name, class_name);
    row->minute = minute;
    row->n = n;
    book->index[place] = (uint32_t)book->count_rows;
    *is_new = true;
    return 0;
}

/* A column of that name holds a camera's or a class's name; the others any text. */
static bool is_value(const char *column, bool may_be_null, const struct itsi_db_value *value)
{
    if (value->type == ITSI_DB_NULL)
        return may_be_null;
    if (value->type == ITSI_DB_REAL)
        return isfinite(value->real); /* SQLite has no NaN, and JSON has none of them */
    if (value->type != ITSI_DB_TEXT)
        return true;
    if (strcmp(column, "camera") == 0)
        return is_name(value->bytes, ITSI_STORE_CAMERA_SIZE);
    return is_text(value->bytes, strcmp(column, "class") == 0 ? ITSI_STORE_CLASS_SIZE : ITSI_STORE_TEXT_MOST);
}

int itsi_book_put(struct itsi_book *book, enum itsi_store_table table, const struct itsi_db_value *values)
{
    const struct itsi_db_bulk *bulk = &itsi_store_columns[table].bulk;
    struct itsi_book_rows *rows = &book->rows[table];
    for (int c = 0; c < bulk->width; c++)
        if (!is_value(bulk->columns[c], itsi_store_columns[table].may_be_null >> c & 1, &values[c]))
            return ITS_EINVAL;
    if (!itsi_row_put(rows->bytes, &rows->size, rows->most, values, bulk->width))
        return ITS_ELIMIT;
    rows->rows++;
    return 0;
}

size_t itsi_book_size(const struct itsi_book *book)
{
    size_t size = book->count_rows;
    for (int t = 0; t < ITSI_STORE_TABLES; t++)
        size += book->rows[t].rows;
    return size;
}

/* --- sealing ----------------------------------------------------------------------------------------------------- */

void itsi_book_seal_rows(const struct itsi_book *book, uint64_t writer, uint64_t seq, struct itsi_buf *out)
{
    struct itsi_section sections[ITSI_STORE_TABLES];
    uint32_t all = 0;
    for (int t = 0; t < ITSI_STORE_TABLES; t++) {
        sections[t] = (struct itsi_section){book->rows[t].bytes, book->rows[t].size, book->rows[t].rows};
        all += book->rows[t].rows;
    }
    if (all)
        itsi_batch_seal(out, writer, seq, sections);
}

static int by_key(const void *a, const void *b)
{
    const struct itsi_book_count *x = a, *y = b;
    int order = strcmp(x->camera, y->camera);
    if (order == 0)
        order = (x->minute > y->minute) - (x->minute < y->minute);
    return order ? order : strcmp(x->class_name, y->class_name);
}

void itsi_book_seal_counts(struct itsi_book *book, uint64_t writer, uint64_t seq, struct itsi_buf *scratch, struct itsi_buf *out)
{
    /* types and sizes of four values, two of them numbers, and what the names take */
    enum { ROW_MOST = 9 + 9 + 6 + 6 + ITSI_STORE_CAMERA_SIZE + ITSI_STORE_CLASS_SIZE };
    size_t used = 0;
    if (!book->count_rows)
        return;
    itsi_buf_reset(scratch);
    if (itsi_buf_reserve(scratch, book->count_rows * ROW_MOST) != 0) {
        out->failed = true;
        return;
    }
    qsort(book->counts, book->count_rows, sizeof *book->counts, by_key);
    for (size_t i = 0; i < book->count_rows; i++) {
        const struct itsi_book_count *row = &book->counts[i];
        const struct itsi_db_value values[] = {itsi_db_text(row->camera), itsi_db_int(row->minute), itsi_db_text(row->class_name),
                                               itsi_db_int(row->n)};
        bool fits = itsi_row_put((uint8_t *)scratch->data, &used, scratch->cap, values, 4);
        (void)fits; /* by ROW_MOST */
    }
    struct itsi_section sections[ITSI_STORE_TABLES] = {{0}};
    sections[ITSI_STORE_COUNT] = (struct itsi_section){(uint8_t *)scratch->data, used, (uint32_t)book->count_rows};
    itsi_batch_seal(out, writer, seq, sections);
}

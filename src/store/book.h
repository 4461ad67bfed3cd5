/* What waits to be written, in bounded memory that is taken once: counts summed up by camera, minute and class, and rows
 * of the other tables as they came. Filling it allocates nothing. One thread at a time. */
#ifndef ITSI_STORE_BOOK_H
#define ITSI_STORE_BOOK_H

#include "store/batch.h"

struct itsi_book_count {
    char camera[ITSI_STORE_CAMERA_SIZE];
    char class_name[ITSI_STORE_CLASS_SIZE];
    int64_t minute;
    int64_t n;
};

struct itsi_book {
    struct itsi_book_count *counts; /* in the order of their first */
    uint32_t *index;                /* open addressing: 1 + place in counts, 0 free */
    size_t count_rows, most_counts, index_mask;
    struct itsi_book_rows {
        uint8_t *bytes;
        size_t size, most;
        uint32_t rows;
    } rows[ITSI_STORE_TABLES]; /* that of counts is not used */
};

/* Room for most_counts different counts, and row_bytes of each other table. */
ITS_NODISCARD int itsi_book_init(struct itsi_book *book, size_t most_counts, size_t row_bytes, struct its_diag *diag);
void itsi_book_fini(struct itsi_book *book);
void itsi_book_reset(struct itsi_book *book);
/* The one part of it, and the other. */
void itsi_book_reset_counts(struct itsi_book *book);
void itsi_book_reset_rows(struct itsi_book *book);

/* is_new: it is a row of its own. ITS_ELIMIT: no room; ITS_EINVAL: a name that is empty or too long, or no
 * UTF-8; n below 0 or above ITSI_STORE_COUNT_MOST. */
ITS_NODISCARD int itsi_book_count(struct itsi_book *book, const char *camera, const char *class_name, int64_t minute,
                                  int64_t n, bool *is_new);
/* values: as the table's columns. ITS_ELIMIT; ITS_EINVAL: the camera's name, a text that is no UTF-8 or too
 * long, a number that is none, or nothing where something is wanted: the database would refuse all of its batch. */
ITS_NODISCARD int itsi_book_put(struct itsi_book *book, enum itsi_store_table table, const struct itsi_db_value *values);

size_t itsi_book_size(const struct itsi_book *book); /* rows of all tables */

/* All rows but the counts, or the counts, as a block; none: nothing is appended. The counts come sorted by their key:
 * processes that write the same ones take the database's locks in one order. */
void itsi_book_seal_rows(const struct itsi_book *book, uint64_t writer, uint64_t seq, struct itsi_buf *out);
/* scratch: kept for the next time. The book takes no more counts before its reset. */
void itsi_book_seal_counts(struct itsi_book *book, uint64_t writer, uint64_t seq, struct itsi_buf *scratch, struct itsi_buf *out);

#endif
